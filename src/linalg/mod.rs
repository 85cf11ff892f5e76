//! Dense linear algebra in f64, row-major; the only module that names faer.
//!
//! One matrix type passes between the kernels and everything downstream: [`Matrix`], and [`GramMatrix`] for a matrix that is
//! symmetric by construction. All functions are non-generic, so faer is compiled once, here.

mod buffer;
mod cholesky;
mod element;
mod matrix;
mod mirror;
mod spectrum;
mod update;

pub use buffer::{Buffer, available_memory, ensure_fits};
pub use cholesky::Cholesky;
pub use element::Element;
pub use matrix::{GramMatrix, Matrix, inner_products};
pub use mirror::{mirror_lower, transpose};
pub use spectrum::Spectrum;

/// Sets how many threads matrix products and factorizations use, and the size of the process-wide thread pool.
///
/// Takes effect once per process, before the first product; a later call only limits faer.
pub fn set_threads(n_threads: usize) {
    // An already built pool keeps its size: asking twice is not an error.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build_global();
    faer::set_global_parallelism(if n_threads == 1 { faer::Par::Seq } else { faer::Par::rayon(n_threads) });
}

//! Dense linear algebra in f64, row-major, and products in f32; the only module that names faer.
//!
//! One matrix type passes between the kernels and everything downstream: [`Matrix`], and [`GramMatrix`] for a matrix that is
//! symmetric by construction. But for those products nothing that uses faer is generic, so it is compiled once, here.

mod buffer;
mod cholesky;
mod conjugate_gradients;
mod element;
mod grouped;
mod krylov;
mod matrix;
mod mirror;
mod operator;
mod partial_cholesky;
mod product;
mod spectrum;
mod tile;
mod update;

pub use buffer::{Buffer, available_memory, ensure_fits};
pub use cholesky::Cholesky;
pub use conjugate_gradients::{
    Ending, Iterate, PATIENCE, Preconditioner, Tolerance, Unpreconditioned, conjugate_gradients, largest,
    relative_norms,
};
pub use element::{Element, first_non_finite};
pub use grouped::{Groups, multiply_groups};
pub use krylov::{Leading, leading_spectrum, search_columns};
pub use matrix::{GramMatrix, Matrix, inner_products};
use mirror::transpose;
pub use mirror::{mirror_lower, transpose_into};
pub use operator::{Entries, Operator};
pub use partial_cholesky::{LowRank, PartialCholesky};
pub use product::{Onto, View, multiply};
pub use spectrum::Spectrum;
pub use tile::{add_both_products, add_product};

/// Sets how many threads matrix products and factorizations use, and the size of the process-wide thread pool.
///
/// Takes effect once per process, before the first product; a later call only limits faer.
pub fn set_threads(n_threads: usize) {
    // An already built pool keeps its size: asking twice is not an error.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build_global();
    faer::set_global_parallelism(if n_threads == 1 { faer::Par::Seq } else { faer::Par::rayon(n_threads) });
}

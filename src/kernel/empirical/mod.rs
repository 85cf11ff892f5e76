//! The tangent kernel of one finite network, Theta_hat(x, x') = J(x) J(x')^T with J = d f / d theta (Jacot et al. 2018).
//!
//! Three ways, same result:
//!
//! - [`EmpiricalNtk`] uses how an affine map's gradient factorizes and never forms J (`structured`; Novak et al. 2022): for the networks
//!   of this crate, and for every Burn module that is [`Probed`].
//! - [`jacobian`] holds J and works for every Burn module and forward function, without any hook in it.
//! - [`Tangent`] multiplies vectors by J and J^T and never forms the kernel: for solvers and spectra.
//!
//! [`Plan`] says what a kernel will cost, and chooses between the first two. What is asked of the kernel of a network in training
//! is in [`Linearization`] and in [`compare`](super::compare).
//!
//! # What it costs
//! The bound is the rate of matrix products: forward once, backward once per output, and half of two Gram products per affine map. Behind a
//! rectifier the backward passes of all outputs are zero in the same units: on flex, from three outputs on, half of their products is left out.
//! Measured on two cores of an AMD EPYC with AVX-512, ReLU, d = 10, 3 hidden layers, f32, flex, beside neural-tangents' structured derivatives in the
//! same runs (`benches/runs/2026-11-27-peers-6.json` and `-7.json`, medians of seven and of three rounds; the rate counts what is left out as
//! well, and is the median one over 482 GFLOP/s, the best of one product in the runs):
//!
//! ```text
//! N     width  outputs    wall s   neural-tangents   of the product's rate
//!  256    512   1         0.0019   0.0079 (4.2 x)    0.82
//!  256   1024   1         0.0061   0.0213 (3.5 x)    0.87
//!  256   2048   1         0.0233   0.0626 (2.7 x)    0.84
//!  256   4096   1         0.0864   0.200  (2.3 x)    0.87
//! 1024    512   1         0.0134   0.0824 (6.2 x)    0.84
//! 1024   1024   1         0.0356   0.176  (5.0 x)    0.88
//! 1024   2048   1         0.110    0.422  (3.8 x)    0.89
//! 1024   4096   1         0.374    1.03   (2.8 x)    0.91
//!  256    512  10, full   0.0398   0.221  (5.6 x)    0.69
//! 1024    512  10, full   0.509    5.44   (10.7 x)   0.72
//!  256    512  10, trace  0.0078   0.0404 (5.2 x)    1.02
//! 1024    512  10, trace  0.0560   0.412  (7.4 x)    0.93
//! ```
//!
//! What is lost is packing and, where N is small, what is done entry by entry and waiting for threads; of 10 outputs in full, an eighth of the time
//! is the system's, which hands over the pages of the result, and the mirror image. At the best rate of products in the runs the factor at
//! N = 256 and width 1024 would be 4.0. Memory is that of the result and of the factors, a few numbers for each unit and input: N = 10,000 at width
//! 2048 took 4.1 to 4.2 s and 1.05 GB, 0.4 of them the result.
//!
//! The same networks on an H100 through CUDA, beside 16 cores, with the copy to the host (`benches/runs/2026-11-27-cuda.jsonl`; rates in
//! TFLOP/s, the product's of N inputs at the width in the same process):
//!
//! ```text
//!     N  width  outputs   dtype  wall ms    rate   product's
//!  1024   1024  1           f32      4.0     3.8    9.2 (0.41)
//!  1024   4096  1           f32     12.0    13.7   25.3 (0.54)
//!  4096   4096  1           f32     58      16.5   26.4 (0.63)
//! 10000   2048  1           f32    128      12.2   26.6 (0.46)
//!  1024    512  10, full    f32     77       2.3    3.5 (0.65)
//!  4096   4096  1           f64    214       4.5    6.4 (0.71)
//! ```
//!
//! What is lost there is the start of many small operations, and the result's way to the host and its mirror image. A tile has 2,048 rows, so
//! that a small Gram matrix is computed whole.

mod anatomy;
mod factors;
mod features;
pub mod jacobian;
mod linearization;
mod map_factors;
mod outputs;
mod plan;
mod structured;
mod tangent;

use std::ops::Range;

use burn::tensor::Tensor;

pub use self::anatomy::{Anatomy, MapShape};
use self::factors::Source;
pub use self::features::EmpiricalNngp;
pub use self::linearization::Linearization;
pub use self::outputs::Outputs;
pub use self::plan::{Method, Plan, Task};
use self::structured::{Structured, Wanted, not_finite};
pub use self::tangent::Tangent;
use super::{Kernel, ensure_input_dimension};
use crate::error::{Error, Result};
use crate::linalg::{Element, GramMatrix, Matrix, mirror_lower};
use crate::net::{Compute, Predictor, Probed, Trainable, in_pool};

/// The empirical NTK of a module at its present parameters.
///
/// As a [`Kernel`] it has `n d_out` rows, or `n` for the trace over outputs.
#[derive(Debug)]
pub struct EmpiricalNtk<'a, M = Predictor> {
    module: &'a M,
    compute: &'a Compute,
    outputs: Outputs,
    method: Method,
    memory_limit: Option<f64>,
}

// Derived, these would ask the same of the module, which is only borrowed.
impl<M> Clone for EmpiricalNtk<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for EmpiricalNtk<'_, M> {}

impl<'a, M: Probed> EmpiricalNtk<'a, M> {
    /// The kernel of `module`, computed where it was built: all pairs of outputs, by the cheapest method, in the memory that is free.
    #[must_use]
    pub fn new(module: &'a M, compute: &'a Compute) -> Self {
        Self { module, compute, outputs: Outputs::Full, method: Method::Auto, memory_limit: None }
    }

    /// The same, with this made of several outputs.
    #[must_use]
    pub fn outputs(self, outputs: Outputs) -> Self {
        Self { outputs, ..self }
    }

    /// The same, computed in this way.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The same, in at most so many bytes, with the result.
    #[must_use]
    pub fn memory_limit(self, bytes: f64) -> Self {
        Self { memory_limit: Some(bytes), ..self }
    }

    /// How the kernel between `n1` and `n2` inputs, or of `n1` with themselves, would be computed, and what it would cost: held whole,
    /// or in row blocks.
    ///
    /// # Errors
    /// A module that is not what [`Probed`] promises; a result larger than memory.
    pub fn plan(&self, n1: usize, n2: Option<usize>, is_held: bool) -> Result<Plan> {
        let anatomy = self.anatomy(&self.module.valid())?;
        let n_numbers = self.n_outputs(&anatomy).pow(2);
        self.plan_for(&anatomy, (n1, n2), (n_numbers, is_held)).map(|(_, plan)| plan)
    }

    /// The kernel of `x1` with `x2`, or with itself, row after row into `values`, in either number type. By structured derivatives,
    /// whatever the method.
    ///
    /// # Errors
    /// As [`Kernel::gram`], and when `values` has another length.
    pub fn fill<T: Element>(&self, x1: &Matrix, x2: Option<&Matrix>, values: &mut [T]) -> Result<()> {
        let open = self.structured().open(x1, x2, true, |anatomy| self.n_outputs(anatomy).pow(2))?;
        let n_outputs = self.n_outputs(&open.anatomy);
        let (n_rows, n_columns) = (open.task.n_rows * n_outputs, open.task.n_columns * n_outputs);
        if values.len() != n_rows * n_columns {
            return Err(Error::shape("numbers to fill", format!("{n_rows} x {n_columns}"), values.len()));
        }
        let (wanted, is_gram) = (Wanted::whole(&open.anatomy), open.task.is_gram);
        open.with_structured(|structured| {
            structured.fill(&wanted, vec![&mut *values])?;
            if is_gram {
                mirror_lower(values, n_rows);
            }
            Ok(())
        })
    }

    /// Each output's kernel with itself, Theta_oo: one `[n, n]` matrix per output. By structured derivatives, whatever the method.
    ///
    /// # Errors
    /// As [`Kernel::gram`].
    pub fn output_grams(&self, x: &Matrix) -> Result<Vec<GramMatrix>> {
        self.output_matrices(x, None)?.into_iter().map(GramMatrix::from_lower_triangle).collect()
    }

    /// The same between two sets of inputs: one `[n1, n2]` matrix per output.
    ///
    /// # Errors
    /// As [`Kernel::cross_gram`].
    pub fn output_cross_grams(&self, x1: &Matrix, x2: &Matrix) -> Result<Vec<Matrix>> {
        self.output_matrices(x1, Some(x2))
    }

    /// Every trained affine map's share of the kernel, in the order of the forward pass; their sum is the kernel. By structured
    /// derivatives, whatever the method.
    ///
    /// # Errors
    /// As [`Kernel::gram`].
    pub fn map_grams(&self, x: &Matrix) -> Result<Vec<GramMatrix>> {
        self.map_matrices(x, None)?.into_iter().map(GramMatrix::from_lower_triangle).collect()
    }

    /// The same between two sets of inputs.
    ///
    /// # Errors
    /// As [`Kernel::cross_gram`].
    pub fn map_cross_grams(&self, x1: &Matrix, x2: &Matrix) -> Result<Vec<Matrix>> {
        self.map_matrices(x1, Some(x2))
    }

    /// Whole rows of the kernel of `x1` with `x2`, or with itself, handed to `take` in order and never held together. By structured
    /// derivatives, whatever the method.
    ///
    /// # Errors
    /// As [`Kernel::gram`], and whatever `take` returns.
    pub fn row_blocks(
        &self,
        x1: &Matrix,
        x2: Option<&Matrix>,
        take: &mut dyn FnMut(Range<usize>, &Matrix) -> Result<()>,
    ) -> Result<()> {
        let open = self.structured().open(x1, x2, false, |anatomy| self.n_outputs(anatomy).pow(2))?;
        open.structured()?.row_blocks(&Wanted::whole(&open.anatomy), take)
    }

    fn output_matrices(&self, x1: &Matrix, x2: Option<&Matrix>) -> Result<Vec<Matrix>> {
        let open = self.structured().outputs(Outputs::Full).open(x1, x2, true, |anatomy| anatomy.d_out)?;
        let wanted = Wanted::diagonal(&open.anatomy);
        open.with_structured(|structured| structured.matrices(&wanted))
    }

    fn map_matrices(&self, x1: &Matrix, x2: Option<&Matrix>) -> Result<Vec<Matrix>> {
        let n_numbers = |anatomy: &Anatomy| anatomy.trained_maps().count() * self.n_outputs(anatomy).pow(2);
        let open = self.structured().open(x1, x2, true, n_numbers)?;
        let whole = Wanted::whole(&open.anatomy);
        open.with_structured(|structured| {
            let mut matrices = Vec::new();
            for map in whole.maps.clone() {
                matrices.extend(structured.matrices(&Wanted { maps: map..map + 1, ..whole.clone() })?);
            }
            Ok(matrices)
        })
    }

    fn structured(&self) -> Self {
        self.method(Method::Structured)
    }

    /// One matrix: whole, or of a Gram matrix the entries on and below the diagonal.
    fn matrix(&self, x1: &Matrix, x2: Option<&Matrix>) -> Result<Matrix> {
        let open = self.open(x1, x2, true, |anatomy| self.n_outputs(anatomy).pow(2))?;
        if open.plan.method == Method::Jacobian {
            let forward = |module: &M, x: Tensor<2>| module.forward(x);
            let theta = jacobian::kernel(self.module, forward, &open.x1, open.x2.as_ref(), self.outputs)?;
            return theta.first_non_finite().map_or(Ok(theta), |place| Err(not_finite(place)));
        }
        let wanted = Wanted::whole(&open.anatomy);
        let matrix = open.with_structured(|structured| structured.matrices(&wanted))?;
        matrix.into_iter().next().ok_or_else(|| Error::Check("a kernel without a matrix".to_owned()))
    }

    /// `n_numbers` says how many numbers the result has for every pair of inputs.
    fn open(
        &self,
        x1: &Matrix,
        x2: Option<&Matrix>,
        is_held: bool,
        n_numbers: impl Fn(&Anatomy) -> usize,
    ) -> Result<Open<'a, M>> {
        for x in std::iter::once(x1).chain(x2) {
            ensure_input_dimension(x, self.module.d_in())?;
        }
        let valid = self.module.valid();
        let anatomy = self.anatomy(&valid)?;
        let sizes = (x1.n_rows(), x2.map(Matrix::n_rows));
        let (task, plan) = self.plan_for(&anatomy, sizes, (n_numbers(&anatomy), is_held))?;
        let tensor = |x: &Matrix| self.compute.tensor(x);
        let trainable = Trainable::of(self.module);
        Ok(Open { compute: self.compute, valid, trainable, anatomy, task, plan, x1: tensor(x1), x2: x2.map(tensor) })
    }

    fn anatomy(&self, valid: &M) -> Result<Anatomy> {
        let zeros = self.compute.tensor(&Matrix::zeros(1, self.module.d_in()));
        Anatomy::of(self.module, valid, zeros)
    }

    fn plan_for(
        &self,
        anatomy: &Anatomy,
        (n1, n2): (usize, Option<usize>),
        (n_numbers, is_held): (usize, bool),
    ) -> Result<(Task, Plan)> {
        let task = Task {
            n_rows: n1,
            n_columns: n2.unwrap_or(n1),
            is_gram: n2.is_none(),
            outputs: self.outputs,
            device_memory: self.compute.device_memory(),
            dtype: self.compute.dtype(),
            has_f64: self.compute.has_f64(),
            n_numbers,
            is_held,
        };
        Ok((task, Plan::new(anatomy, &task, self.method, self.memory_limit)?))
    }

    /// Rows of the kernel for one input.
    fn n_outputs(&self, anatomy: &Anatomy) -> usize {
        if self.outputs == Outputs::Trace { 1 } else { anatomy.d_out }
    }
}

impl<M: Probed> Kernel for EmpiricalNtk<'_, M> {
    fn name(&self) -> String {
        "empirical".to_owned()
    }

    fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        GramMatrix::from_lower_triangle(self.matrix(x, None)?)
    }

    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        self.matrix(x1, Some(x2))
    }
}

/// A kernel about to be computed.
struct Open<'a, M> {
    compute: &'a Compute,
    valid: M,
    trainable: Trainable,
    anatomy: Anatomy,
    task: Task,
    plan: Plan,
    x1: Tensor<2>,
    x2: Option<Tensor<2>>,
}

impl<M: Probed> Open<'_, M> {
    /// Lets `work` have the tiles, on one thread of the pool, so that no other one waits between the parts of the work.
    fn with_structured<R: Send>(self, work: impl FnOnce(&Structured<'_, M>) -> Result<R> + Send) -> Result<R> {
        in_pool(self.compute.is_host(), move || work(&self.structured()?))
    }

    fn structured(&self) -> Result<Structured<'_, M>> {
        let Self { valid, trainable, anatomy, .. } = self;
        let source = Source { module: valid, trainable, anatomy, compute: self.compute };
        Structured::new(source, self.task, &self.plan, &self.x1, self.x2.as_ref())
    }
}

//! The kernels of one network: random, or trained and saved.

use std::time::Instant;

use ntk::arch::Architecture;
use ntk::error::{Error, Result};
use ntk::kernel::Kernel;
use ntk::kernel::empirical::{EmpiricalNngp, EmpiricalNtk, Method, Outputs, Plan};
use ntk::linalg::{GramMatrix, Matrix};
use ntk::net::{self, Backend, Compute, Dtype, InitialFunction, Predictor, parameter_bytes};
use ntk::study::KernelConfig;

use super::{Request, Which};

/// A network whose kernels are asked for, and how its tangent kernel will be computed.
pub(super) struct Empirical {
    predictor: Predictor,
    compute: Compute,
    plan: Plan,
    /// Whether the tangent kernel fits into memory.
    is_held: bool,
    n_outputs: usize,
}

impl Empirical {
    pub(super) fn open(config: &KernelConfig, architecture: &Architecture, request: &Request<'_>) -> Result<Self> {
        let backend = config.compute.backend.unwrap_or_else(Backend::preferred);
        let compute = Compute::open(backend, config.compute.dtype)?;
        ensure_within_limit(architecture, compute.dtype(), request.arguments.memory_limit)?;
        let random = |initial| Predictor::of_seed(architecture, initial, (config.seeds.root, 0), &compute);
        let predictor = match &request.arguments.network {
            None => random(InitialFunction::Plain)?,
            // A centred or antisymmetric one is kept with its twin.
            Some(path) => net::load(random(config.initial_function())?, path)?,
        };
        let kernel = ntk(&predictor, &compute, request);
        let plan = |is_held| kernel.plan(request.x1.n_rows(), request.x2.map(Matrix::n_rows), is_held);
        let (plan, is_held) = match plan(true) {
            // Row by row it may fit; a Jacobian is not found so.
            Err(Error::TooLarge { .. }) if request.arguments.method != Method::Jacobian => (plan(false)?, false),
            plan => (plan?, true),
        };
        let n_outputs = if request.arguments.outputs == Outputs::Trace { 1 } else { architecture.d_out() };
        Ok(Self { predictor, compute, plan, is_held, n_outputs })
    }

    pub(super) fn write(&self, request: &Request<'_>) -> Result<()> {
        let (x1, x2) = (request.x1, request.x2);
        let kernel = ntk(&self.predictor, &self.compute, request);
        if request.wants(Which::Empirical) {
            request.output.words(&format!("empirical kernel by {}", self.plan));
            self.write_ntk(&kernel, request)?;
        }
        if request.wants(Which::EmpiricalOutputs) {
            let matrices = match x2 {
                None => whole(kernel.output_grams(x1)?),
                Some(x2) => kernel.output_cross_grams(x1, x2)?,
            };
            put(request, Which::EmpiricalOutputs, &matrices)?;
        }
        if request.wants(Which::EmpiricalLayers) {
            let matrices = match x2 {
                None => whole(kernel.map_grams(x1)?),
                Some(x2) => kernel.map_cross_grams(x1, x2)?,
            };
            put(request, Which::EmpiricalLayers, &matrices)?;
        }
        let nngp = EmpiricalNngp::new(&self.predictor, &self.compute);
        if let Some(mut writer) = request.begin(Which::EmpiricalNngp, &self.shape(request, 1))? {
            writer.append(nngp.cross_gram(x1, x2.unwrap_or(x1))?.values())?;
            writer.finish()?;
        }
        Ok(())
    }

    /// Whole where it fits into memory, so that half of a Gram matrix is computed and the other half is the same to the last digit;
    /// otherwise row after row.
    fn write_ntk(&self, kernel: &EmpiricalNtk<'_>, request: &Request<'_>) -> Result<()> {
        let (x1, x2) = (request.x1, request.x2);
        let Some(mut writer) = request.begin(Which::Empirical, &self.shape(request, self.n_outputs))? else {
            return Ok(());
        };
        if self.is_held {
            let matrix = match x2 {
                None => kernel.gram(x1)?.into_matrix(),
                Some(x2) => kernel.cross_gram(x1, x2)?,
            };
            writer.append(matrix.values())?;
            return writer.finish();
        }
        let (begun, mut bar) = (Instant::now(), None);
        kernel.row_blocks(x1, x2, &mut |rows, block| {
            request.interrupt.check()?;
            writer.append(block.values())?;
            // What all will take is known after the first.
            let seconds = begun.elapsed().as_secs_f64() * x1.n_rows() as f64 / rows.end as f64;
            bar.get_or_insert_with(|| request.bar(x1.n_rows(), seconds)).set_position(rows.end as u64);
            Ok(())
        })?;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        writer.finish()
    }

    /// Of a kernel with so many rows and columns for each input.
    fn shape(&self, request: &Request<'_>, n_outputs: usize) -> [usize; 2] {
        [request.x1, request.x2.unwrap_or(request.x1)].map(|x| x.n_rows() * n_outputs)
    }
}

/// The tangent kernel as it was asked for.
fn ntk<'a>(predictor: &'a Predictor, compute: &'a Compute, request: &Request<'_>) -> EmpiricalNtk<'a> {
    let kernel =
        EmpiricalNtk::new(predictor, compute).outputs(request.arguments.outputs).method(request.arguments.method);
    match request.arguments.memory_limit {
        // What the parameters take is gone already.
        Some(bytes) => kernel.memory_limit(bytes - parameter_bytes(predictor.architecture(), 1, compute.dtype())),
        None => kernel,
    }
}

/// Refuses a network whose parameters alone exceed the limit.
fn ensure_within_limit(architecture: &Architecture, dtype: Dtype, limit: Option<f64>) -> Result<()> {
    net::ensure_countable(architecture)?;
    let needed = parameter_bytes(architecture, 1, dtype);
    match limit.filter(|limit| needed > *limit) {
        None => Ok(()),
        Some(limit) => Err(Error::TooLarge {
            what: format!("a network of {} parameters", architecture.n_parameters()),
            needed: needed * 1e-9,
            available: limit * 1e-9,
            remedy: "raise `--memory-limit`, or lower `arch.width`",
        }),
    }
}

fn whole(grams: Vec<GramMatrix>) -> Vec<Matrix> {
    grams.into_iter().map(GramMatrix::into_matrix).collect()
}

/// Several matrices of one shape in one file.
fn put(request: &Request<'_>, which: Which, matrices: &[Matrix]) -> Result<()> {
    let (n_rows, n_columns) = matrices.first().map_or((0, 0), Matrix::shape);
    let Some(mut writer) = request.begin(which, &[matrices.len(), n_rows, n_columns])? else { return Ok(()) };
    matrices.iter().try_for_each(|matrix| writer.append(matrix.values()))?;
    writer.finish()
}

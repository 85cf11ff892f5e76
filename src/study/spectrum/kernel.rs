//! The kernel whose spectrum is asked for: its matrices on the training rows, or its products.

use std::fmt;

use crate::arch::Architecture;
use crate::dynamics::Outputs;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::empirical::{EmpiricalNtk, Tangent};
use crate::kernel::implicit::ImplicitGram;
use crate::linalg::{Entries, GramMatrix, Leading, Matrix, Operator, leading_spectrum};
use crate::net::{Backend, Compute, InitialFunction, Predictor};
use crate::regress::Ridge;
use crate::seed::Stream;
use crate::study::regression::candidate::Candidate;
use crate::study::regression::{Cell, KernelFamily, RegressTable};

/// Whose spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpectrumOf {
    /// The infinite-width tangent kernel.
    Ntk,
    /// The covariance of infinitely wide random networks.
    Nngp,
    /// The tangent kernel of the config's network of seed 0 at initialization, of all pairs of outputs.
    Empirical,
    /// exp(-r / l), l the median distance of the training inputs unless `regress.length_scales` names one.
    Laplace,
    /// Matern-5/2, likewise.
    Matern,
    /// exp(-r^2 / 2 l^2), likewise.
    Rbf,
    /// <x, x'> / d + 1.
    Linear,
}

impl SpectrumOf {
    /// The kernel of a comparison that describes it; a network's own needs the same tables as its limit.
    pub(super) fn family(self) -> KernelFamily {
        match self {
            Self::Ntk | Self::Empirical => KernelFamily::Ntk,
            Self::Nngp => KernelFamily::Nngp,
            Self::Laplace => KernelFamily::Laplace,
            Self::Matern => KernelFamily::Matern,
            Self::Rbf => KernelFamily::Rbf,
            Self::Linear => KernelFamily::Linear,
        }
    }
}

impl fmt::Display for SpectrumOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empirical => f.write_str("empirical ntk"),
            _ => self.family().fmt(f),
        }
    }
}

/// A kernel on the data of a cell.
pub(super) struct Subject<'a> {
    pub(super) cell: &'a Cell,
    of: SpectrumOf,
    /// Of which network, where it is of one.
    pub(super) architecture: Option<Architecture>,
    source: Source,
}

enum Source {
    /// In closed form.
    Analytic(Candidate),
    /// Of a network.
    Network { predictor: Box<Predictor>, compute: Compute },
}

impl<'a> Subject<'a> {
    pub(super) fn of(cell: &'a Cell, of: SpectrumOf) -> Result<Self> {
        let [plan] = &cell.kernels[..] else {
            return Err(Error::config(
                "arch",
                format!("describes {} kernels where one is needed", cell.kernels.len()),
                "choose one with `--set arch.depth=2`",
            ));
        };
        if of == SpectrumOf::Empirical {
            return Self::network(cell);
        }
        let length_scales = match &cell.config.regress.length_scales[..] {
            [one] => vec![*one],
            // The median distance.
            _ => vec![1.0],
        };
        let table = RegressTable { length_scales, ..cell.config.regress.clone() };
        let candidate = Candidate::all(plan, &table, &cell.split.x_train).swap_remove(0);
        let architecture = plan.architecture.clone().filter(|_| plan.family.is_of_network());
        Ok(Self { cell, of, architecture, source: Source::Analytic(candidate) })
    }

    fn network(cell: &'a Cell) -> Result<Self> {
        let (config, split) = (&cell.config, &cell.split);
        let table =
            config.arch.as_ref().ok_or_else(|| Error::Check("a kernel of a network without a network".to_owned()))?;
        let architecture = table.architecture(split.x_train.n_cols(), split.y_train.n_cols())?;
        let backend = config.compute.backend.unwrap_or_else(Backend::preferred);
        let compute = Compute::open(backend, config.compute.dtype)?;
        let initial = config.train.as_ref().map_or(InitialFunction::default(), |train| train.initial_function);
        let predictor = Box::new(Predictor::of_seed(&architecture, initial, (config.seeds.root, 0), &compute)?);
        let architecture = Some(architecture);
        Ok(Self { cell, of: SpectrumOf::Empirical, architecture, source: Source::Network { predictor, compute } })
    }

    /// With its network, or its length scale.
    pub(super) fn name(&self) -> String {
        let of_network = |architecture: &Architecture| {
            let width = match self.of {
                SpectrumOf::Empirical => format!("width {}, ", architecture.width()),
                _ => String::new(),
            };
            format!("{} ({width}{})", self.of, architecture.describe())
        };
        match (&self.architecture, &self.source) {
            (Some(architecture), _) => of_network(architecture),
            (None, Source::Analytic(candidate)) => match candidate.length_scale() {
                Some(length) => format!("{} (length scale {length:.4})", self.of),
                None => self.of.to_string(),
            },
            (None, Source::Network { .. }) => self.of.to_string(),
        }
    }

    /// What the rows of its matrix stand for.
    pub(super) fn outputs(&self) -> Outputs {
        let n_outputs = self.cell.split.y_train.n_cols();
        match self.source {
            Source::Analytic(_) => Outputs::Independent(n_outputs),
            Source::Network { .. } => Outputs::Coupled(n_outputs),
        }
    }

    /// Rows of its matrix on the training inputs.
    pub(super) fn n_rows(&self) -> usize {
        match self.outputs() {
            Outputs::Independent(_) => self.cell.split.x_train.n_rows(),
            Outputs::Coupled(n_outputs) => self.cell.split.x_train.n_rows() * n_outputs,
        }
    }

    /// N O.
    pub(super) fn n_entries(&self) -> f64 {
        self.cell.split.y_train.values().len() as f64
    }

    /// The machine epsilon that its matrix was computed with.
    pub(super) fn epsilon(&self) -> f64 {
        match self.source {
            Source::Analytic(_) => f64::EPSILON,
            Source::Network { .. } => self.cell.config.compute.dtype.epsilon(),
        }
    }

    /// The config's ridge for a matrix of this mean diagonal.
    pub(super) fn ridge(&self, mean_diagonal: f64) -> f64 {
        let ridge = self.cell.config.train.as_ref().map_or_else(Ridge::default, |train| train.ridge);
        ridge.of_mean_diagonal(mean_diagonal)
    }

    pub(super) fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        match &self.source {
            Source::Analytic(candidate) => candidate.with(|kernel| kernel.gram(x)),
            Source::Network { predictor, compute } => EmpiricalNtk::new(&**predictor, compute).gram(x),
        }
    }

    pub(super) fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        match &self.source {
            Source::Analytic(candidate) => candidate.with(|kernel| kernel.cross_gram(x1, x2)),
            Source::Network { predictor, compute } => EmpiricalNtk::new(&**predictor, compute).cross_gram(x1, x2),
        }
    }

    /// Of the matrix on the training inputs, without the matrix.
    pub(super) fn mean_diagonal(&self) -> Result<f64> {
        let x = &self.cell.split.x_train;
        match &self.source {
            Source::Analytic(candidate) => {
                let diagonal = candidate.with(|kernel| ImplicitGram::new(kernel, x).diagonal())?;
                Ok(diagonal.iter().sum::<f64>() / diagonal.len() as f64)
            }
            Source::Network { predictor, compute } => {
                let kernel = EmpiricalNtk::new(&**predictor, compute);
                let of_row = |i: usize| Ok(kernel.gram(&x.select_rows(&[i]))?.mean_diagonal());
                let sum: f64 = (0..x.n_rows()).map(of_row).sum::<Result<f64>>()?;
                Ok(sum / x.n_rows() as f64)
            }
        }
    }

    /// The `k` largest eigenvalues on the training inputs, with this tolerance and number of products at most.
    pub(super) fn leading(
        &self,
        k: usize,
        (tolerance, max_products): (f64, usize),
        random: &mut Stream,
        watch: &(dyn Fn(f64) -> Result<()> + Sync),
    ) -> Result<Leading> {
        let x = &self.cell.split.x_train;
        match &self.source {
            Source::Analytic(candidate) => candidate.with(|kernel| {
                leading_spectrum(&ImplicitGram::new(kernel, x).watched(watch), k, tolerance, max_products, random)
            }),
            Source::Network { predictor, compute } => {
                let products = Products { tangent: Tangent::of(&**predictor, compute, x)?, watch };
                // Products of single precision settle no closer than that.
                let tolerance = tolerance.max(100.0 * self.epsilon());
                leading_spectrum(&products, k, tolerance, max_products, random)
            }
        }
    }

    /// Targets as the columns that its matrix acts on.
    pub(super) fn stacked(&self, y: &Matrix) -> Result<Matrix> {
        let n_rows = self.n_rows();
        y.clone().reshape(n_rows, y.values().len() / n_rows.max(1))
    }
}

/// The kernel of a network as products with its derivatives.
struct Products<'a> {
    tangent: Tangent<'a>,
    watch: &'a (dyn Fn(f64) -> Result<()> + Sync),
}

impl Operator for Products<'_> {
    fn n(&self) -> usize {
        self.tangent.n_rows()
    }

    fn times(&self, v: &Matrix) -> Result<Matrix> {
        let mut product = Matrix::zeros(v.n_rows(), v.n_cols());
        for column in 0..v.n_cols() {
            for (i, value) in self.tangent.kernel_times(&v.column(column))?.into_iter().enumerate() {
                product[(i, column)] = value;
            }
            (self.watch)((column + 1) as f64 / v.n_cols() as f64)?;
        }
        Ok(product)
    }
}

//! Trial runs: how fast this computer works on the networks of a study, measured within a few seconds.
//!
//! Every size is tried where there are few; of many, sizes spread over the range until the time is up. A trial is cut to fewer rows where it
//! would be long. What was not tried goes at the rate of what is nearest in size.

use std::time::{Duration, Instant};

use super::work::{Work, work_of_pair};
use crate::arch::Architecture;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::analytic::AnalyticKernel;
use crate::kernel::empirical::EmpiricalNtk;
use crate::linalg::{GramMatrix, Matrix, Spectrum};
use crate::net::{Compute, Predictor};
use crate::study::plan::Plan;
use crate::study::run::limits;
use crate::study::settings::Study;
use crate::train::{self, Monitor, train};

/// For all trials of networks, and for all trials of analytic kernels.
const TRIAL_TIME: Duration = Duration::from_millis(1500);

/// Multiplications of a step or a kernel beyond which it is tried on fewer rows: some hundredths of a second.
const MAX_MULTIPLICATIONS: f64 = 2e9;

/// Parameters beyond which drawing them takes longer than a trial; such a network is tried only where all are as large.
const MAX_PARAMETERS: usize = 1 << 24;

/// Rows beyond which the cost of a decomposition is known to grow with their cube.
const MAX_DECOMPOSED: usize = 512;

/// Steps that are timed, after one that is not: the first pays for allocation.
const N_TIMED_STEPS: usize = 3;

/// What networks have in common that are computed alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of vectors.
    Dense,
    /// With windows that slide over positions.
    Windowed,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Dense, Self::Windowed];

    pub(super) fn of(architecture: &Architecture) -> Self {
        let is_dense = architecture.maps().iter().all(|map| map.taps.is_pointwise());
        if is_dense { Self::Dense } else { Self::Windowed }
    }
}

/// Seconds for a piece of work of some size.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    kind: Kind,
    work: f64,
    seconds: f64,
}

impl Measured {
    /// Seconds for `work` at the rate of the nearest in size of the same kind, or of any where its kind was not tried; none of nothing.
    fn seconds(all: &[Self], kind: Kind, work: f64) -> f64 {
        let distance = |one: &&Self| (one.kind != kind, (one.work / work).ln().abs());
        let nearest = all.iter().min_by(|a, b| {
            let ((other_a, a), (other_b, b)) = (distance(a), distance(b));
            other_a.cmp(&other_b).then(a.total_cmp(&b))
        });
        nearest.map_or(0.0, |one| one.seconds / one.work * work)
    }
}

/// The rates of this computer.
#[derive(Debug, Default)]
pub(super) struct Rates {
    steps: Vec<Measured>,
    kernels: Vec<Measured>,
    spectra: Vec<Measured>,
    pairs: Vec<Measured>,
}

impl Rates {
    /// Measured on the networks and kernels of `study`.
    ///
    /// # Errors
    /// A device that fails; a kernel that overflows.
    pub(super) fn measured(study: &Study) -> Result<Self> {
        let mut rates = Self::default();
        for kind in Kind::ALL {
            rates.try_networks(study, kind)?;
        }
        rates.try_limits(study)?;
        rates.try_spectra(study)?;
        Ok(rates)
    }

    /// Seconds of a step with so many multiplications.
    pub(super) fn step(&self, kind: Kind, work: f64) -> f64 {
        Measured::seconds(&self.steps, kind, work)
    }

    /// Seconds of an empirical kernel with so many multiplications.
    pub(super) fn kernel(&self, kind: Kind, work: f64) -> f64 {
        Measured::seconds(&self.kernels, kind, work)
    }

    /// Seconds for the eigenvectors of a matrix of `n` rows.
    pub(super) fn spectrum(&self, n: usize) -> f64 {
        Measured::seconds(&self.spectra, Kind::Dense, (n as f64).powi(3))
    }

    /// Seconds for both analytic kernels of a pair of inputs.
    pub(super) fn seconds_per_pair(&self, architecture: &Architecture) -> f64 {
        Measured::seconds(&self.pairs, Kind::of(architecture), work_of_pair(architecture))
    }

    fn try_networks(&mut self, study: &Study, kind: Kind) -> Result<()> {
        let mut cases: Vec<(Work, &Plan, &Architecture)> = Vec::new();
        for plan in &study.plans {
            for same in plan.points.chunk_by(|a, b| a.architecture == b.architecture) {
                let (work, architecture) = (Work::of(plan, &same[0].architecture), &same[0].architecture);
                if Kind::of(architecture) == kind && cases.iter().all(|(other, ..)| *other != work) {
                    cases.push((work, plan, architecture));
                }
            }
        }
        cases.sort_by(|(a, ..), (b, ..)| a.step.total_cmp(&b.step));
        let n_small = cases.iter().take_while(|(.., network)| network.n_parameters() <= MAX_PARAMETERS).count();
        cases.truncate(n_small.max(1));
        let begun = Instant::now();
        for number in spread(cases.len()) {
            let (_, plan, architecture) = cases[number];
            let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
            let (step, kernel) = trial(plan, architecture, &compute)?;
            self.steps.push(Measured { kind, ..step });
            self.kernels.push(Measured { kind, ..kernel });
            if begun.elapsed() > TRIAL_TIME {
                break;
            }
        }
        Ok(())
    }

    fn try_limits(&mut self, study: &Study) -> Result<()> {
        let begun = Instant::now();
        for plan in &study.plans {
            for architecture in limits(plan) {
                let (kind, work) = (Kind::of(architecture), work_of_pair(architecture));
                if self.pairs.iter().any(|one| (one.kind, one.work) == (kind, work)) {
                    continue;
                }
                if begun.elapsed() > TRIAL_TIME {
                    return Ok(());
                }
                let (n_positions, _) = architecture.input_grid();
                let x = first_rows(&plan.split.x_train, (4096 / n_positions).clamp(8, 256));
                let seconds = AnalyticKernel::new(architecture.clone()).evaluate(&x, None)?.estimate().as_secs_f64();
                self.pairs.push(Measured { kind, work, seconds: seconds / (x.n_rows() as f64).powi(2) });
            }
        }
        Ok(())
    }

    fn try_spectra(&mut self, study: &Study) -> Result<()> {
        let sizes = study.plans.iter().flat_map(|plan| [plan.n_entries(), plan.split.x_train.n_rows()]);
        let mut sizes: Vec<usize> = sizes.map(|n| n.min(MAX_DECOMPOSED)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let begun = Instant::now();
        for number in spread(sizes.len()) {
            let n = sizes[number];
            // Eigenvalues that decay as those of kernels do.
            let values = Matrix::from_fn(n, n, |i, j| (-(i.abs_diff(j) as f64) / n as f64).exp());
            let gram = GramMatrix::from_lower_triangle(values)?;
            let seconds = timed(|| Spectrum::of(&gram).map(drop))?;
            self.spectra.push(Measured { kind: Kind::Dense, work: (n as f64).powi(3), seconds });
            if begun.elapsed() > TRIAL_TIME {
                break;
            }
        }
        Ok(())
    }
}

/// The numbers from 0 to `n`: the ends first, then what lies between ever more closely.
fn spread(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(n);
    let mut stride = n.next_power_of_two();
    while order.len() < n {
        let next = (0..n).step_by(stride).chain(n.checked_sub(1));
        for number in next {
            if !order.contains(&number) {
                order.push(number);
            }
        }
        stride = (stride / 2).max(1);
    }
    order
}

/// A step and the empirical kernel of one network, on as many rows as it has or can be tried on.
fn trial(plan: &Plan, architecture: &Architecture, compute: &Compute) -> Result<(Measured, Measured)> {
    let (x_train, y_train, x_test, _) = plan.parts();
    let settings = &plan.config.train;
    let work = |n: usize| Work::of_rows(architecture, settings.initial_function, n, (n, 0));
    let fewer = |most: usize, multiplications: &dyn Fn(usize) -> f64| {
        let mut n = most;
        while n > 8 && multiplications(n) > MAX_MULTIPLICATIONS {
            n /= 2;
        }
        n
    };
    let n_step = fewer(settings.batches.size().unwrap_or(x_train.n_rows()), &|n| work(n).step);
    let n_kernel = fewer(x_train.n_rows(), &|n| work(n).gram);

    let predictor = Predictor::of_seed(architecture, settings.initial_function, (plan.config.seeds.root, 0), compute)?;
    let x = first_rows(x_train, n_kernel);
    let kernel = timed(|| EmpiricalNtk::new(&predictor, compute).gram(&x).map(drop))?;

    // A step size of 0 costs what any other does, and cannot diverge.
    let few = train::Plan { optimizer: settings.optimizer, ..train::Plan::gradient_descent(0.0, 1 + N_TIMED_STEPS) };
    let (x_train, y_train, x_test) =
        (&first_rows(x_train, n_step), &first_rows(y_train, n_step), &first_rows(x_test, n_step));
    let mut clock = Clock { first: None, last: None };
    train(predictor, train::Problem { x_train, y_train, x_test, validation: None }, &few, compute, &mut clock)?;
    let step = match (clock.first, clock.last) {
        (Some(first), Some(last)) => last.duration_since(first).as_secs_f64() / (N_TIMED_STEPS - 1) as f64,
        _ => 0.0,
    };
    let kind = Kind::of(architecture);
    Ok((
        Measured { kind, work: work(n_step).step, seconds: step },
        Measured { kind, work: work(n_kernel).gram, seconds: kernel },
    ))
}

fn first_rows(matrix: &Matrix, n: usize) -> Matrix {
    matrix.select_rows(&(0..n.min(matrix.n_rows())).collect::<Vec<_>>())
}

/// Seconds of `task`; of a second run where the first was short, which pays for allocation and what a device compiles.
fn timed(task: impl Fn() -> Result<()>) -> Result<f64> {
    let mut seconds = f64::INFINITY;
    for _ in 0..2 {
        let begun = Instant::now();
        task()?;
        seconds = begun.elapsed().as_secs_f64().min(seconds);
        if seconds > 0.1 {
            break;
        }
    }
    Ok(seconds)
}

/// Remembers when the second and the last step began.
struct Clock {
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Monitor for Clock {
    fn before_step(&mut self, step: usize) -> Result<()> {
        if step == 1 {
            self.first = Some(Instant::now());
        }
        self.last = Some(Instant::now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_begin_with_the_smallest_and_the_largest_and_leave_nothing_out() {
        assert_eq!(spread(9), [0, 8, 4, 2, 6, 1, 3, 5, 7]);
        assert_eq!(spread(1), [0]);
        assert!(spread(0).is_empty());
        let mut all = spread(1000);
        assert_eq!(all[..2], [0, 999]);
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_not_tried_goes_at_the_rate_of_the_nearest_of_its_kind() {
        let measured = |kind, work, seconds| Measured { kind, work, seconds };
        let all =
            [measured(Kind::Dense, 1e3, 1e-3), measured(Kind::Dense, 1e9, 1.0), measured(Kind::Windowed, 1e6, 5.0)];
        assert_eq!(Measured::seconds(&all, Kind::Dense, 4e3), 4e-3);
        assert_eq!(Measured::seconds(&all, Kind::Dense, 1e10), 10.0);
        assert_eq!(Measured::seconds(&all, Kind::Windowed, 2e3), 0.01);
        assert_eq!(Measured::seconds(&all[..1], Kind::Windowed, 1e3), 1e-3);
        assert_eq!(Measured::seconds(&[], Kind::Dense, 1.0), 0.0);
    }
}

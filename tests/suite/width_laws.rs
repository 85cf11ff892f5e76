//! How fast a network approaches its kernel as it widens: exponents fitted over widths, each with an interval that must contain the known
//! rate and exclude the other one.
//!
//! Widths 64, 128, 256, 512 and 1024, 40 networks each, two hidden layers of the error function, 10 training inputs in 3 dimensions, half of the
//! stability bound as step size, 40 steps, f32 (whose rounding is a hundredth of the smallest gap). An interval is Student's at 99.3 % for the
//! 200 points, and 0.05 on either side for terms of the next order in 1 / width, which at width 64 bend the lines by a few percent: three
//! fail by chance in one of fifty choices of the seeds, which are fixed.

use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::dynamics::{Flow, Horizon, Outputs};
use ntk::error::Result;
use ntk::kernel::Kernel;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::compare::relative_frobenius;
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::linalg::{GramMatrix, Matrix};
use ntk::net::{Compute, Dtype, InitialFunction, Predictor};
use ntk::seed;
use ntk::stats::log_log_slope;
use ntk::train::{Checkpoint, Monitor, Plan, Problem, train};

use crate::problem::{backends, inputs};

const WIDTHS: [usize; 5] = [64, 128, 256, 512, 1024];
const N_SEEDS: u64 = 40;
const N_STEPS: usize = 40;

/// What widens away, each relative to its own scale.
struct Gaps {
    /// ||Theta_hat_0 - Theta|| / ||Theta||.
    fluctuation: f64,
    /// ||Theta_hat_T - Theta_hat_0|| / ||Theta_hat_0||.
    drift: f64,
    /// The largest |f_t - flin_t| over checkpoints and test inputs.
    nonlinearity: f64,
}

fn architecture(width: usize) -> Architecture {
    let (activation, parametrization) = (Activation::Erf, Parametrization::Ntk);
    Mlp { depth: 2, width, activation, w_std: 1.4, b_std: 0.1, parametrization }.architecture(3, 1).expect("valid")
}

/// Compares the network with its linearization while it trains.
struct Watch<'a> {
    flow: &'a Flow,
    k_test_train: &'a Matrix,
    y_train: &'a Matrix,
    learning_rate: f64,
    compute: &'a Compute,
    x_train: &'a Matrix,
    first: Option<Checkpoint>,
    nonlinearity: f64,
    last_kernel: Option<GramMatrix>,
}

impl Monitor for Watch<'_> {
    fn at_checkpoint(&mut self, checkpoint: &Checkpoint, predictor: &Predictor) -> Result<()> {
        let first = self.first.get_or_insert_with(|| checkpoint.clone());
        let horizon = Horizon::Steps { learning_rate: self.learning_rate, n_steps: checkpoint.step as u64 };
        let residual = self.y_train - &first.f_train;
        let linearized = &first.f_test + &self.flow.predict(self.k_test_train, horizon, &residual)?;
        let gap = &checkpoint.f_test - &linearized;
        self.nonlinearity = gap.values().iter().fold(self.nonlinearity, |most, v| most.max(v.abs()));
        if checkpoint.step == N_STEPS {
            self.last_kernel = Some(EmpiricalNtk::new(predictor, self.compute).gram(self.x_train)?);
        }
        Ok(())
    }
}

fn gaps(width: usize, seed: u64, compute: &Compute) -> Gaps {
    let (x_train, x_test) = (inputs(10, 3, "widths train"), inputs(5, 3, "widths test"));
    let y_train = Matrix::from_fn(10, 1, |i, _| (x_train[(i, 0)] + x_train[(i, 1)] * x_train[(i, 2)]).sin());
    let architecture = architecture(width);
    let mut stream = seed::stream(21, &format!("widths/{width}/{seed}"));
    let predictor = Predictor::init(&architecture, InitialFunction::Plain, &mut stream, compute);
    let predictor = predictor.expect("valid");
    let ntk = EmpiricalNtk::new(&predictor, compute);
    let (start, k_test_train) =
        (ntk.gram(&x_train).expect("finite"), ntk.cross_gram(&x_test, &x_train).expect("finite"));
    let analytic = AnalyticKernel::new(architecture).grams(&x_train).expect("finite").ntk;
    let bound = |gram: &GramMatrix| Flow::new(gram, Outputs::Independent(1), 0.0, 0.0).expect("square");
    let learning_rate = 0.5 * bound(&analytic).stability_bound();
    let flow = bound(&start);
    let mut watch = Watch {
        flow: &flow,
        k_test_train: &k_test_train,
        y_train: &y_train,
        learning_rate,
        compute,
        x_train: &x_train,
        first: None,
        nonlinearity: 0.0,
        last_kernel: None,
    };
    let plan = Plan { n_checkpoints: 8, ..Plan::gradient_descent(learning_rate, N_STEPS) };
    let problem = Problem { x_train: &x_train, y_train: &y_train, x_test: &x_test, validation: None };
    train(predictor.clone(), problem, &plan, compute, &mut watch).expect("stable");
    Gaps {
        fluctuation: relative_frobenius(&start, &analytic).expect("one size"),
        drift: relative_frobenius(&watch.last_kernel.expect("the last step"), &start).expect("one size"),
        nonlinearity: watch.nonlinearity,
    }
}

#[test]
fn kernels_fluctuate_as_the_root_of_the_width_and_move_as_its_inverse() {
    let compute = backends(Dtype::F32).remove(0);
    let points: Vec<(f64, Gaps)> = WIDTHS
        .into_iter()
        .flat_map(|width| (0..N_SEEDS).map(move |seed| (width, seed)))
        .map(|(width, seed)| (width as f64, gaps(width, seed, &compute)))
        .collect();
    for (what, rate, other, of) in [
        ("the fluctuation at initialization", -0.5, -1.0, (|gaps: &Gaps| gaps.fluctuation) as fn(&Gaps) -> f64),
        ("the drift of the kernel", -1.0, -0.5, |gaps: &Gaps| gaps.drift),
        ("the distance from the linearization", -1.0, -0.5, |gaps: &Gaps| gaps.nonlinearity),
    ] {
        let points: Vec<(f64, f64)> = points.iter().map(|(width, gaps)| (*width, of(gaps))).collect();
        let slope = log_log_slope(&points, 0.993).expect("60 points");
        let (low, high) = (slope.low - 0.05, slope.high + 0.05);
        let found = format!("{what}: width^{:.3} [{low:.3}, {high:.3}]", slope.exponent);
        assert!(low < rate && rate < high, "{found} without {rate}");
        assert!(!(low < other && other < high), "{found} with {other}");
    }
}

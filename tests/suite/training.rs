//! Training against closed forms: what gradient descent does to a network must be what theory says it does to its linearization,
//! exactly where the network is linear and at the known rate where it is wide.

use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::dynamics::{Comparison, Decomposition, Flow, Horizon, KernelPredictor, Order, Outputs};
use ntk::kernel::Kernel;
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::linalg::Matrix;
use ntk::net::{Compute, Dtype, InitialFunction, Model, Predictor};
use ntk::record::Outcome;
use ntk::seed;
use ntk::train::{Checkpoint, Plan, Problem, Trajectory, Unwatched, train};

use crate::golden::relative_error;
use crate::problem::{backends, inputs};

const N_STEPS: usize = 60;

fn mlp(depth: usize, width: usize, activation: Activation) -> Architecture {
    Mlp { depth, width, activation, w_std: 1.4, b_std: 0.1, parametrization: Parametrization::Ntk }
        .architecture(3, 2)
        .expect("valid")
}

/// A network trained from its initialization, beside what theory needs to predict it.
struct Run {
    trajectory: Trajectory,
    flow: Flow,
    k_test_train: Matrix,
    horizon: Horizon,
    y_train: Matrix,
}

impl Run {
    fn new(
        architecture: &Architecture,
        initial: InitialFunction,
        fraction: f64,
        ridge: f64,
        compute: &Compute,
    ) -> Self {
        let (x_train, x_test, y_train) = (inputs(8, 3, "train"), inputs(5, 3, "test"), inputs(8, 2, "targets"));
        let predictor = Predictor::init(architecture, initial, &mut seed::stream(6, "init"), compute).expect("valid");
        let ntk = EmpiricalNtk::new(&predictor, compute);
        let flow = Flow::new(&ntk.gram(&x_train).expect("finite"), Outputs::Coupled(2), ridge, 0.0).expect("square");
        let k_test_train = ntk.cross_gram(&x_test, &x_train).expect("finite");
        let learning_rate = fraction * flow.stability_bound();
        let plan = Plan { n_checkpoints: 6, ridge, ..Plan::gradient_descent(learning_rate, N_STEPS) };
        let problem = Problem { x_train: &x_train, y_train: &y_train, x_test: &x_test, validation: None };
        let (_, trajectory) = train(predictor, problem, &plan, compute, &mut Unwatched).expect("shapes agree");
        let horizon = Horizon::Steps { learning_rate, n_steps: N_STEPS as u64 };
        Self { trajectory, flow, k_test_train, horizon, y_train }
    }

    fn last(&self) -> &Checkpoint {
        self.trajectory.checkpoints.last().expect("the start at least")
    }

    /// flin_T on the test inputs.
    fn linearized(&self) -> Matrix {
        let first = &self.trajectory.checkpoints[0];
        let learned = self.flow.predict(&self.k_test_train, self.horizon, &(&self.y_train - &first.f_train));
        &first.f_test + &learned.expect("shapes agree")
    }
}

#[test]
fn a_model_linear_in_its_parameters_follows_the_closed_form_exactly() {
    // Depth 0: one dense map. Its linearization is itself, with and without the pull to the initialization.
    for compute in backends(Dtype::F64) {
        for initial in [InitialFunction::Plain, InitialFunction::Centred, InitialFunction::Antisymmetric] {
            for ridge in [0.0, 0.5] {
                let run = Run::new(&mlp(0, 1, Activation::Identity), initial, 0.7, ridge, &compute);
                let error = relative_error(&run.last().f_test, &run.linearized());
                assert!(error < 1e-12, "{initial}, ridge {ridge}: {error:e}");
            }
        }
    }
}

#[test]
fn a_network_approaches_its_linearization_as_it_widens() {
    // The gap falls as width^-1/2 or faster: from width 64 to 4096 by at least 8; asked for is half of that.
    for compute in backends(Dtype::F64).into_iter().take(1) {
        for ridge in [0.0, 0.5] {
            let gap = |width| {
                let run = Run::new(&mlp(1, width, Activation::Erf), InitialFunction::Plain, 0.5, ridge, &compute);
                (&run.last().f_test - &run.linearized()).rms()
            };
            let (narrow, wide) = (gap(64), gap(4096));
            assert!(wide < narrow / 4.0, "ridge {ridge}: {narrow} at width 64, {wide} at width 4096");
        }
    }
}

#[test]
fn centred_and_antisymmetric_networks_start_at_zero_with_the_plain_kernel() {
    let x = inputs(4, 3, "start");
    for compute in backends(Dtype::F64) {
        let architecture = mlp(2, 6, Activation::Relu);
        let start = |initial| {
            let predictor = Predictor::init(&architecture, initial, &mut seed::stream(6, "init"), &compute);
            let predictor = predictor.expect("valid");
            let f = ntk::net::to_matrix(predictor.forward(compute.tensor(&x))).expect("readable");
            (f, EmpiricalNtk::new(&predictor, &compute).gram(&x).expect("finite").into_matrix())
        };
        let (plain, kernel) = start(InitialFunction::Plain);
        assert!(plain.rms() > 0.1);
        for initial in [InitialFunction::Centred, InitialFunction::Antisymmetric] {
            let (f, same) = start(initial);
            assert_eq!(f.rms(), 0.0, "{initial}");
            assert!(relative_error(&same, &kernel) < 1e-14, "{initial}");
        }
    }
}

#[test]
fn below_the_stability_bound_the_loss_falls_and_above_it_training_diverges() {
    for compute in backends(Dtype::F64) {
        let architecture = mlp(0, 1, Activation::Identity);
        for fraction in [0.5, 0.95] {
            let run = Run::new(&architecture, InitialFunction::Plain, fraction, 0.0, &compute);
            let losses: Vec<f64> = run.trajectory.checkpoints.iter().map(|checkpoint| checkpoint.loss).collect();
            assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "fraction {fraction}: {losses:?}");
            assert_eq!(run.trajectory.outcome, Outcome::Completed);
        }
        // 1.3 times the bound: the first mode grows by 1.6 a step, its loss by 1.6^120 = 3e24 in 60 steps.
        let run = Run::new(&architecture, InitialFunction::Plain, 1.3, 0.0, &compute);
        assert_eq!(run.trajectory.outcome, Outcome::Diverged);
        assert!(run.trajectory.diverged_at.is_some());
    }
}

#[test]
fn the_four_terms_add_up_to_the_gap_at_every_test_point_in_both_orders() {
    for compute in backends(Dtype::F64) {
        for (depth, activation) in [(1, Activation::Relu), (3, Activation::Erf)] {
            let architecture = mlp(depth, 16, activation);
            let run = Run::new(&architecture, InitialFunction::Plain, 0.5, 0.0, &compute);
            let analytic = ntk::kernel::analytic::AnalyticKernel::new(architecture);
            let (x_train, x_test) = (inputs(8, 3, "train"), inputs(5, 3, "test"));
            let grams = analytic.grams(&x_train).expect("finite");
            let cross = analytic.cross_grams(&x_test, &x_train).expect("finite");
            let flow = Flow::new(&grams.ntk, Outputs::Independent(2), 0.0, 0.0).expect("square");
            let first = &run.trajectory.checkpoints[0];
            for order in [Order::NetworkFirst, Order::KernelFirst] {
                let decomposition = Decomposition::of(
                    &Comparison {
                        ft_test: Some(&run.last().f_test),
                        gd_test: None,
                        f0_train: &first.f_train,
                        f0_test: &first.f_test,
                        y_train: &run.y_train,
                        empirical: KernelPredictor { flow: &run.flow, k_test_train: &run.k_test_train },
                        analytic: KernelPredictor { flow: &flow, k_test_train: &cross.ntk },
                        horizon: run.horizon,
                    },
                    order,
                )
                .expect("one problem");
                assert!(decomposition.identity_residual() < 1e-10);
                assert!(relative_error(&decomposition.linearized, &run.linearized()) < 1e-12);
                decomposition.check(1e-10).expect("the terms add up");
            }
        }
    }
}

#[test]
fn the_cpu_backends_agree_to_rounding() {
    let runs: Vec<Run> = backends(Dtype::F64)
        .iter()
        .map(|compute| Run::new(&mlp(2, 32, Activation::Relu), InitialFunction::Plain, 0.5, 0.0, compute))
        .collect();
    for other in &runs[1..] {
        let error = relative_error(&other.last().f_test, &runs[0].last().f_test);
        assert!(error < 1e-10, "{error:e}");
    }
}

#[test]
fn the_same_seed_trains_the_same_network_bit_for_bit() {
    for compute in backends(Dtype::F32) {
        let last = || {
            let run = Run::new(&mlp(2, 32, Activation::Relu), InitialFunction::Plain, 0.5, 0.0, &compute);
            run.last().clone()
        };
        assert_eq!(last(), last());
    }
}

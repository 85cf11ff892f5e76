use super::*;
use crate::dynamics::{Flow, Horizon, Outputs};
use crate::kernel::analytic::AnalyticKernel;
use crate::regress::kernel_ridge;

const DATA: &str = r#"
    [data]
    source = { synthetic = { kind = "sphere-linear", n_rows = 90, d_in = 4, noise = 0.3 } }
    n_train = 40
    n_test = 50
    [arch]
    depth = 1
    width = 32
    activation = "relu"
    w_std = 1.4
    b_std = 0.3
    [compute]
    dtype = "f64"
"#;

fn config(more: &str) -> RegressConfig {
    toml::from_str(&format!("{DATA}{more}")).unwrap()
}

fn asked(more: &str, of: SpectrumOf, leading: Option<usize>) -> Result<KernelSpectrum> {
    spectrum(&config(more), Path::new("."), SpectrumRequest { of, leading }, &|_| Ok(()))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3)
}

#[test]
fn shares_add_up_and_times_are_those_of_the_eigenvalues() {
    let found = asked("[train]\nn_steps = 50\nridge = { absolute = 0.5 }", SpectrumOf::Ntk, None).unwrap();
    assert_eq!((found.modes.len(), found.n_rows, found.ridge, found.n_dropped), (40, 40, 0.5, Some(0)));
    let last = found.modes.last().unwrap();
    assert!(close(last.cumulated_trace, 1.0) && close(last.cumulated_power, 1.0), "{last:?}");
    for mode in &found.modes {
        assert!(close(mode.time.unwrap(), 40.0 / (mode.eigenvalue + 0.5)), "{mode:?}");
    }
    let degrees: f64 = found.modes.iter().map(|mode| mode.eigenvalue / (mode.eigenvalue + 0.5)).sum();
    assert!(close(found.degrees_of_freedom.unwrap(), degrees));
    let (first, last) = (found.modes[0].eigenvalue + 0.5, last.eigenvalue + 0.5);
    assert!(close(found.condition.unwrap(), first / last));
    assert!(close(found.trusted_digits.unwrap(), -(first / last * f64::EPSILON).log10()));
    assert_eq!(
        found.target_within[0].n_modes,
        Some(1 + found.modes.iter().position(|m| m.cumulated_power >= 0.5).unwrap())
    );
    let trained = found.training.unwrap();
    assert_eq!(trained.n_modes, found.modes.iter().filter(|mode| mode.time.unwrap() <= trained.time).count());
    assert!(trained.n_modes > 0 && trained.n_modes < 40, "{trained:?}");
}

#[test]
fn after_as_many_steps_a_direction_is_learned_but_for_e_and_not_a_step_before() {
    let cell = cell(&config(""), Path::new("."), SpectrumOf::Ntk).unwrap();
    let subject = Subject::of(&cell, SpectrumOf::Ntk).unwrap();
    let gram = subject.gram(&cell.split.x_train).unwrap();
    let flow = Flow::new(&gram, Outputs::Independent(1), 0.0, 1e-14).unwrap();
    let found = asked("[train]\nn_steps = 50\nstep = { fraction-of-bound = 0.3 }", SpectrumOf::Ntk, None).unwrap();
    let step = found.steps[0].step.unwrap();
    assert!(close(step, 0.3 * found.steps[0].largest) && close(found.steps[0].largest, flow.stability_bound()));
    assert_eq!((found.steps[1].momentum, found.steps[1].step), (0.9, None));
    assert!(close(found.steps[1].largest, 1.9 * flow.stability_bound()));
    let left = |n_steps: f64| flow.decay(Horizon::Steps { learning_rate: step, n_steps: n_steps as u64 });
    for (i, mode) in found.modes.iter().enumerate() {
        let n_steps = mode.steps.unwrap();
        let e = (-1.0_f64).exp();
        assert!(left(n_steps)[i].abs() <= e && left(n_steps - 1.0)[i].abs() > e, "{mode:?}");
    }
}

#[test]
fn products_alone_find_the_leading_modes_of_either_kernel() {
    for of in [SpectrumOf::Ntk, SpectrumOf::Empirical] {
        let (whole, some) = (asked("", of, None).unwrap(), asked("", of, Some(6)).unwrap());
        assert!(some.is_converged && some.condition.is_none() && some.early_stopping.is_empty());
        assert_eq!(some.modes.len(), 6);
        for (some, whole) in some.modes.iter().zip(&whole.modes) {
            assert!((some.eigenvalue - whole.eigenvalue).abs() <= 1e-9 * whole.eigenvalue, "{some:?}, {whole:?}");
            assert!(
                (some.power - whole.power).abs() < 1e-5 && (some.cumulated_trace - whole.cumulated_trace).abs() < 1e-9
            );
            assert!(close(some.time.unwrap(), whole.time.unwrap()) && some.residual.unwrap() < 1e-6);
        }
    }
}

#[test]
fn distances_to_ridges_are_those_of_the_predictions() {
    let found = asked("[train]\nn_steps = 70", SpectrumOf::Ntk, None).unwrap();
    let cell = cell(&config(""), Path::new("."), SpectrumOf::Ntk).unwrap();
    let split = &cell.split;
    let kernel = AnalyticKernel::new(cell.kernels[0].architecture.clone().unwrap());
    let (gram, cross) =
        (kernel.grams(&split.x_train).unwrap().ntk, kernel.cross_grams(&split.x_test, &split.x_train).unwrap().ntk);
    let flow = Flow::new(&gram, Outputs::Independent(1), 0.0, 1e-14).unwrap();
    assert_eq!(found.early_stopping.iter().filter(|one| one.is_training).count(), 1);
    assert!(found.early_stopping.len() > 3);
    for one in &found.early_stopping {
        let stopped = flow.predict(&cross, Horizon::Time(one.time), &split.y_train).unwrap();
        let distance = |ridge: f64| {
            (&kernel_ridge(&gram, &cross, &split.y_train, ridge).unwrap() - &stopped).rms() / stopped.rms()
        };
        assert!(close(one.ridge, 40.0 / one.time));
        assert!((one.distance.unwrap() - distance(one.ridge)).abs() < 1e-9, "{one:?}");
        assert!((one.best_distance.unwrap() - distance(one.best_ridge)).abs() < 1e-9, "{one:?}");
        assert!(one.best_distance <= one.distance);
    }
}

#[test]
fn the_power_law_of_the_laplace_kernel_is_steeper_than_that_of_nothing() {
    // On the circle the eigenvalues of exp(-r / l) fall as i^-2.
    let circle = DATA
        .replace("d_in = 4", "d_in = 2")
        .replace("n_rows = 90", "n_rows = 400")
        .replace("n_train = 40", "n_train = 300");
    let config: RegressConfig = toml::from_str(&circle).unwrap();
    let request = SpectrumRequest { of: SpectrumOf::Laplace, leading: None };
    let decay = spectrum(&config, Path::new("."), request, &|_| Ok(())).unwrap().decay.unwrap();
    assert_eq!((decay.first, decay.last), (5, 150));
    // Random inputs are not evenly spread, which makes the last of the modes fall somewhat faster.
    assert!(decay.slope.exponent < -1.9 && decay.slope.exponent > -2.4, "{decay:?}");
}

#[test]
fn a_learning_curve_falls_and_is_of_a_kernel_that_outputs_share() {
    let pool = "[regress]\nn_pool = 50";
    let curve = asked(pool, SpectrumOf::Ntk, None).unwrap().learning_curve;
    let sizes: Vec<usize> = curve.iter().map(|point| point.n_train).collect();
    assert_eq!(sizes, [4, 8, 16, 40]);
    assert!(curve.windows(2).all(|pair| pair[1].error < pair[0].error), "{curve:?}");
}

#[test]
fn what_no_training_under_this_kernel_can_do_is_refused() {
    let refused = |more: &str, leading| asked(more, SpectrumOf::Ntk, leading).unwrap_err().to_string();
    for (more, parts) in [
        ("[train]\nn_steps = 5\nstep = { absolute = 1e3 }", ["`train.step.absolute`", "1000", "stability bound"]),
        ("[train]\nn_steps = 5\noptimizer = { momentum = 1.0 }", ["`train.optimizer.momentum`", "1 is not", "below 1"]),
        ("[train]\nn_steps = 5\nridge = { absolute = -1.0 }", ["`train.ridge.absolute`", "-1", "not negative"]),
    ] {
        let message = refused(more, None);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        assert!(parts.iter().all(|part| refused(more, Some(3)).contains(part)), "{message}");
    }
    assert!(refused("", Some(41)).contains("41 eigenvalues of a matrix that has 40"));
    assert!(refused("", Some(0)).contains("from 1 to 40"));
    let stop = |_: f64| Err(Error::Interrupted);
    let request = SpectrumRequest { of: SpectrumOf::Ntk, leading: Some(3) };
    assert!(matches!(spectrum(&config(""), Path::new("."), request, &stop), Err(Error::Interrupted)));
}

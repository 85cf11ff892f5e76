//! What is kept in files: runs that are not finished, and networks that are.

use std::path::Path;
use std::time::Duration;

use ntk::arch::Activation;
use ntk::error::{Error, Result};
use ntk::net::{self, Compute, Dtype, Predictor, flatten};
use ntk::train::{Batches, Checkpoint, Monitor, Optimizer, Plan, Schedule, Stop, Training, Unwatched};

use super::{Data, mlp, run, start};
use crate::problem::backends;

/// Notes the losses it sees, and ends the run before a step.
struct Interrupting {
    at: usize,
    seen: Vec<f64>,
}

impl Monitor for Interrupting {
    fn before_step(&mut self, step: usize) -> Result<()> {
        if step == self.at { Err(Error::Interrupted) } else { Ok(()) }
    }

    fn at_checkpoint(&mut self, checkpoint: &Checkpoint, _: &Predictor) -> Result<()> {
        self.seen.push(checkpoint.loss);
        Ok(())
    }

    fn notes(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.seen).expect("numbers"))
    }

    fn resume(&mut self, notes: &str) -> Result<()> {
        self.seen = serde_json::from_str(notes).expect("its own notes");
        Ok(())
    }
}

fn recipes() -> Vec<Plan> {
    let plan = Plan { n_checkpoints: 7, seed: (1, 2), ..Plan::gradient_descent(0.05, 60) };
    vec![
        Plan { ridge: 0.5, ..plan.clone() },
        Plan { optimizer: Optimizer::Momentum(0.9), schedule: Schedule::Cosine, weight_decay: 1e-3, ..plan.clone() },
        Plan {
            optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
            batches: Batches::Shuffled(7),
            ..plan.clone()
        },
        Plan { batches: Batches::Drawn(7), stop: Stop::Validation { every: 3, patience: 30 }, ..plan },
    ]
}

#[test]
fn an_interrupted_run_ends_with_the_same_numbers_as_one_that_was_not() {
    let (data, architecture) = (Data::new(), mlp(16, Activation::Relu));
    let folder = tempfile::tempdir().expect("a folder");
    for dtype in [Dtype::F32, Dtype::F64] {
        for compute in backends(dtype) {
            for plan in recipes() {
                let path = folder.path().join("unfinished.safetensors");
                let go = |at: usize| {
                    let mut monitor = Interrupting { at, seen: Vec::new() };
                    let training = Training::new(start(&architecture, 0, &compute), data.problem(), &plan, &compute)?;
                    let training = training.kept_at(path.clone(), Duration::from_secs(3600), &mut monitor)?;
                    let (trained, trajectory) = training.run(&mut monitor)?;
                    Ok::<_, Error>((flatten(&trained)?, trajectory, monitor.seen))
                };
                let whole = go(usize::MAX).expect("uninterrupted");
                for at in [13, 37] {
                    assert!(matches!(go(at), Err(Error::Interrupted)) && path.exists());
                }
                assert_eq!(go(usize::MAX).expect("resumed"), whole, "{plan:?}");
                // What came of it is not stored yet, and would be the same once more.
                assert_eq!(go(usize::MAX).expect("resumed again"), whole, "{plan:?}");
                std::fs::remove_file(&path).expect("it stays until it is removed");
            }
        }
    }
}

#[test]
fn an_unfinished_run_of_another_network_number_type_or_plan_is_refused_with_both() {
    let data = Data::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unfinished.safetensors");
    let plan = Plan::gradient_descent(0.05, 60);
    let go = |width: usize, dtype: Dtype, plan: &Plan, at: usize| {
        let compute = &backends(dtype)[0];
        let mut monitor = Interrupting { at, seen: Vec::new() };
        let training = Training::new(start(&mlp(width, Activation::Relu), 0, compute), data.problem(), plan, compute)?;
        training.kept_at(path.clone(), Duration::from_secs(3600), &mut monitor)?.run(&mut monitor).map(drop)
    };
    assert!(go(16, Dtype::F32, &plan, 5).is_err());
    let message = |width, dtype, plan: &Plan| go(width, dtype, plan, 10).expect_err("another run").to_string();
    let of_width = message(17, Dtype::F32, &plan);
    assert!(
        of_width.contains("another network") && of_width.contains("[48]") && of_width.contains("[51]"),
        "{of_width}"
    );
    let of_type = message(16, Dtype::F64, &plan);
    assert!(of_type.contains("number type") && of_type.contains("F32") && of_type.contains("F64"), "{of_type}");
    let of_plan = message(16, Dtype::F32, &Plan::gradient_descent(0.06, 60));
    assert!(of_plan.contains("another training") && of_plan.contains("0.06"), "{of_plan}");
    std::fs::write(&path, "torn").expect("writable");
    let torn = message(16, Dtype::F32, &plan);
    assert!(torn.contains("cannot be read") && torn.contains("remove the file"), "{torn}");
}

/// As on a disk that is full: nothing can be written where a file is in the place of the folder.
#[test]
fn a_disk_that_takes_no_checkpoint_does_not_end_the_run() {
    let (data, architecture) = (Data::new(), mlp(16, Activation::Relu));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("writable");
    let compute = &backends(Dtype::F32)[0];
    let plan = Plan::gradient_descent(0.05, 20);
    let training = Training::new(start(&architecture, 0, compute), data.problem(), &plan, compute).expect("sound");
    let training = training.kept_at(file.join("unfinished.safetensors"), Duration::ZERO, &mut Unwatched).expect("new");
    let (_, trajectory) = training.run(&mut Unwatched).expect("a run that needs no disk");
    assert_eq!(trajectory, run(start(&architecture, 0, compute), &data, &plan, compute).1);
}

#[test]
fn networks_are_read_back_bit_for_bit_and_others_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for (dtype, other) in [(Dtype::F32, Dtype::F64), (Dtype::F64, Dtype::F32)] {
        for compute in backends(dtype) {
            for name in ["network.safetensors", "network.bpk"] {
                let trained = start(&mlp(6, Activation::Relu), 1, &compute);
                net::save(&trained, &at(name)).expect("a disk with room");
                let read = net::load(start(&mlp(6, Activation::Relu), 2, &compute), &at(name)).expect("its own file");
                assert_eq!(flatten(&read).expect("readable"), flatten(&trained).expect("readable"));

                let refusal = |predictor| net::load(predictor, &at(name)).expect_err("another network").to_string();
                let wider = refusal(start(&mlp(7, Activation::Relu), 2, &compute));
                assert!(wider.contains("another network") && wider.contains("[6]") && wider.contains("[7]"), "{wider}");
                let other = Compute::open(compute.backend(), other);
                if let Ok(other) = &other {
                    let message = refusal(start(&mlp(6, Activation::Relu), 2, other));
                    assert!(message.contains("F32") && message.contains("F64"), "{message}");
                }
            }
        }
    }
    let compute = &backends(Dtype::F32)[0];
    let network = start(&mlp(6, Activation::Relu), 1, compute);
    assert!(
        net::save(&network, Path::new("network.onnx"))
            .expect_err("no such format")
            .to_string()
            .contains(".safetensors")
    );
    std::fs::write(at("torn.safetensors"), "torn").expect("writable");
    assert!(net::load(network, &at("torn.safetensors")).expect_err("torn").to_string().contains("this is no network"));
}

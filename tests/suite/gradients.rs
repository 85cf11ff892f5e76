//! A network's own way back against Burn's autodiff.

use burn::module::Module;
use burn::tensor::Tensor;
use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::net::{Compute, Dtype, Frozen, InitialFunction, Model, Predictor, Trainable};
use ntk::seed;

use crate::problem::{backends, inputs, layered};

/// A predictor that hides its own way back, so that autodiff finds the gradients.
#[derive(Module, Debug)]
struct Plain {
    predictor: Predictor,
}

impl Model for Plain {
    fn d_in(&self) -> usize {
        self.predictor.d_in()
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.predictor.forward(x)
    }
}

fn gradients<M: Model>(model: &M, x: &Tensor<2>) -> Vec<Vec<f64>> {
    // Some loss with a slope of its own at every output.
    let gradients =
        model.valid().gradients(x.clone(), &Trainable::of(model), &mut |f| f.clone().square() + f * 0.3 + 0.1);
    gradients.into_iter().map(|tensor| tensor.try_into_vec_as::<f64>().expect("readable")).collect()
}

fn assert_alike(name: &str, predictor: Predictor, x: &Tensor<2>, tolerance: f64) {
    let own = gradients(&predictor, x);
    let autodiff = gradients(&Plain { predictor }, x);
    assert_eq!(
        own.iter().map(Vec::len).collect::<Vec<_>>(),
        autodiff.iter().map(Vec::len).collect::<Vec<_>>(),
        "{name}"
    );
    for (own, autodiff) in own.iter().zip(&autodiff) {
        let size = autodiff.iter().fold(1e-3, |most: f64, value| most.max(value.abs()));
        let gap = own.iter().zip(autodiff).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
        assert!(gap < tolerance * size, "{name}: {gap:e} of {size:e}");
    }
}

fn start(architecture: &Architecture, initial: InitialFunction, compute: &Compute) -> Predictor {
    Predictor::init(architecture, initial, &mut seed::stream(8, "gradients"), compute).expect("valid")
}

#[test]
fn every_layer_leads_back_as_autodiff_does() {
    for (dtype, tolerance) in [(Dtype::F64, 1e-12), (Dtype::F32, 1e-4)] {
        for compute in backends(dtype) {
            for (name, architecture) in layered() {
                let x = compute.tensor(&inputs(5, architecture.d_in(), name));
                let name = format!("{name}, {}, {dtype}", compute.backend());
                assert_alike(&name, start(&architecture, InitialFunction::Plain, &compute), &x, tolerance);
            }
        }
    }
}

#[test]
fn pairs_frozen_maps_and_shards_lead_back_as_autodiff_does() {
    // Width 192 and 300 inputs: two shards of 150 rows on a CPU with threads to share them.
    let relu = Mlp {
        depth: 2,
        width: 192,
        activation: Activation::LeakyRelu(0.1),
        w_std: 1.4,
        b_std: 0.3,
        parametrization: Parametrization::Ntk,
    };
    let activations = [Activation::Relu, Activation::LeakyRelu(0.1), Activation::Tanh];
    for compute in backends(Dtype::F64) {
        let x = compute.tensor(&inputs(300, 4, "shards"));
        for activation in activations.clone() {
            let architecture = Mlp { activation, ..relu.clone() }.architecture(4, 2).expect("valid");
            for initial in [InitialFunction::Plain, InitialFunction::Centred, InitialFunction::Antisymmetric] {
                let predictor = start(&architecture, initial, &compute);
                assert_alike(&format!("{initial}"), predictor.clone(), &x, 1e-12);
                let frozen =
                    predictor.freeze(1, Frozen::Both).expect("a map").freeze(0, Frozen::Weights).expect("a map");
                assert_alike(&format!("{initial}, frozen"), frozen, &x, 1e-12);
            }
        }
    }
}

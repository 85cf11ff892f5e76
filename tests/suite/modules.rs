//! Burn modules of one's own: structured derivatives through a probe, and what is refused.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use ntk::error::Error;
use ntk::kernel::Kernel;
use ntk::kernel::empirical::{EmpiricalNtk, Tangent, jacobian};
use ntk::linalg::Matrix;
use ntk::net::{Affine, Compute, Dtype, Model, Probe, Probed};
use ntk::seed::{standard_normals, stream};

use crate::golden::relative_error;
use crate::problem::{backends, inputs};

/// Two gated layers and a skip connection, which no list of layers describes; the gate's bias is frozen in some tests.
#[derive(Module, Debug)]
struct Gated {
    value: Param<Tensor<2>>,
    gate: Param<Tensor<2>>,
    gate_bias: Param<Tensor<1>>,
    readout: Param<Tensor<2>>,
    #[module(skip)]
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    HidesAMap,
    SharesAMap,
    MixesSamples,
}

impl Gated {
    fn init(compute: &Compute, fault: Fault) -> Self {
        let mut stream = stream(4, "gated");
        let mut draw = |n_in: usize, n_out: usize| {
            let values = standard_normals(&mut stream, n_in * n_out);
            compute.tensor(&Matrix::from_vec(n_in, n_out, values).expect("as many as drawn")).autodiff()
        };
        Self {
            value: Param::from_tensor(draw(3, 6)),
            gate: Param::from_tensor(draw(3, 6)),
            gate_bias: Param::from_tensor(draw(1, 6).squeeze_dim::<1>(0)),
            readout: Param::from_tensor(draw(6, 2)),
            fault,
        }
    }
}

impl Model for Gated {
    fn d_in(&self) -> usize {
        3
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_probed(x, &mut Probe::idle())
    }
}

impl Probed for Gated {
    fn forward_probed(&self, x: Tensor<2>, probe: &mut Probe) -> Tensor<2> {
        let map = |weight, scale: f64, bias| Affine { weight, weight_scale: scale, bias, bias_scale: 0.7 };
        let value = if self.fault == Fault::HidesAMap {
            x.clone().matmul(self.value.val())
        } else {
            probe.affine(map(&self.value, 0.6, None), x.clone())
        };
        let gate = probe.affine(map(&self.gate, 0.5, Some(&self.gate_bias)), x);
        let hidden = relu(value.clone()) * gate.tanh() + value;
        let f = probe.affine(map(&self.readout, 0.4, None), hidden.clone());
        match self.fault {
            Fault::SharesAMap => f + probe.affine(map(&self.readout, 0.4, None), hidden.square()),
            Fault::MixesSamples => f.sum_dim(0).repeat_dim(0, 2),
            Fault::None | Fault::HidesAMap => f,
        }
    }
}

#[test]
fn a_module_that_shows_its_maps_has_the_kernel_of_its_jacobian() {
    for (dtype, tolerance) in [(Dtype::F64, 1e-12), (Dtype::F32, 1e-5)] {
        for compute in backends(dtype) {
            let whole = Gated::init(&compute, Fault::None);
            let Gated { value, gate, gate_bias, readout, fault } = whole.clone();
            let partly = Gated {
                value,
                gate: gate.set_require_grad(false),
                gate_bias,
                readout: readout.set_require_grad(false),
                fault,
            };
            let Gated { gate_bias, .. } = partly.clone();
            let without_gate = Gated { gate_bias: gate_bias.set_require_grad(false), ..partly.clone() };
            for module in [whole, partly, without_gate] {
                let (x1, x2) = (inputs(5, 3, "own x1"), inputs(4, 3, "own x2"));
                let (t1, t2) = (compute.tensor(&x1), compute.tensor(&x2));
                let exact = jacobian::cross_gram(&module, Gated::forward, &t1, &t2).expect("finite");
                let found = EmpiricalNtk::new(&module, &compute).cross_gram(&x1, &x2).expect("finite");
                assert!(relative_error(&found, &exact) < tolerance);
                let j = jacobian::jacobian(&module, Gated::forward, &t1).expect("finite");
                let u: Vec<f64> = (0..j.n_rows()).map(|k| (k as f64).sin()).collect();
                let tangent = Tangent::of(&module, &compute, &x1).expect("finite");
                assert_eq!(tangent.n_parameters(), j.n_cols());
                let column = Matrix::from_vec(u.len(), 1, u.clone()).expect("a column");
                let expected = j.transpose().matmul(&column);
                let found = Matrix::from_vec(j.n_cols(), 1, tangent.backward(&u).expect("fits")).expect("a column");
                assert!(relative_error(&found, &expected) < tolerance);
            }
        }
    }
}

#[test]
fn modules_that_break_the_promise_are_refused_with_the_reason() {
    let compute = backends(Dtype::F64).remove(0);
    let x = inputs(4, 3, "own x1");
    for (fault, words) in [
        (Fault::HidesAMap, "[3, 6] belongs to no affine map"),
        (Fault::SharesAMap, "[6, 2] belongs to 2 affine maps"),
        (Fault::MixesSamples, "outputs of the module for one input"),
    ] {
        let module = Gated::init(&compute, fault);
        let message = EmpiricalNtk::new(&module, &compute).gram(&x).expect_err(words).to_string();
        assert!(message.contains(words), "{message}");
    }
    let module = Gated::init(&compute, Fault::MixesSamples);
    let message = jacobian::gram(&module, Gated::forward, &compute.tensor(&x)).expect_err("two rows").to_string();
    assert!(message.contains("outputs of the module"), "{message}");
    let module = Gated::init(&compute, Fault::None);
    assert!(matches!(EmpiricalNtk::new(&module, &compute).gram(&inputs(4, 5, "wide")), Err(Error::Shape { .. })));
    let tangent = Tangent::of(&module, &compute, &x).expect("finite");
    assert!(matches!(tangent.backward(&[1.0]), Err(Error::Shape { .. })));
    assert!(matches!(tangent.forward(&[1.0]), Err(Error::Shape { .. })));
}

#[test]
fn weights_that_are_not_finite_are_an_error_with_the_place() {
    let compute = backends(Dtype::F64).remove(0);
    let mut module = Gated::init(&compute, Fault::None);
    let weight = compute.tensor(&Matrix::from_fn(6, 2, |i, _| if i == 2 { f64::NAN } else { 1.0 })).autodiff();
    module.readout = Param::from_tensor(weight);
    let x = inputs(4, 3, "own x1");
    let error = EmpiricalNtk::new(&module, &compute).gram(&x).expect_err("not finite");
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
    // Of many inputs one overflows with itself; rows and columns are those of all outputs.
    let module = Gated::init(&compute, Fault::None);
    let large = |n, place| Matrix::from_fn(n, 3, |i, j| if i == place { 1e200 } else { (i + 7 * j) as f64 * 1e-3 });
    let (x1, x2) = (large(300, 210), large(4, 1));
    for (x2, place) in [(None, "row 420, column 420"), (Some(&x2), "row 420, column 2")] {
        // What was there before does not matter.
        let mut values = vec![f64::NAN; 2 * 300 * 2 * x2.map_or(300, Matrix::n_rows)];
        let error = EmpiricalNtk::new(&module, &compute).fill(&x1, x2, &mut values).expect_err("not finite");
        assert!(error.to_string().contains(place), "{error}");
    }
}

//! The laws every kernel obeys, whatever it is: symmetry, positive semidefiniteness, cross block = block of the joint Gram matrix,
//! permutation. A new kernel is one line in `kernels`.

use ntk::arch::{Activation, Family, Mlp, Parametrization};
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::kernel::stationary::{Form, Stationary};
use ntk::kernel::{Kernel, KernelKind};
use ntk::linalg::{Matrix, Spectrum};
use ntk::net::{Dtype, InitialFunction, Predictor};
use ntk::seed;

use crate::problem::{backends, inputs};

const D_IN: usize = 3;

/// Rounding of a sum of a few hundred terms, relative to the kernel's mean diagonal.
const TOLERANCE: f64 = 1e-12;

fn each_kernel(law: impl Fn(&dyn Kernel)) {
    for form in [Form::Rbf, Form::Laplace, Form::Matern52] {
        law(&Stationary { form, length_scale: 1.3 });
    }
    // The large input below overflows an exponential, and its expansion does not resolve where a sigmoid bends.
    let growing = |activation: &Activation| {
        matches!(
            activation.family(),
            Family::Exponential { .. } | Family::Polynomial(_) | Family::RectifiedMonomial(_) | Family::Smooth(_)
        )
    };
    for activation in Activation::examples().into_iter().filter(|activation| !growing(activation)) {
        for parametrization in [Parametrization::Ntk, Parametrization::Standard] {
            let activation = activation.clone();
            let mlp = Mlp { depth: 3, width: 9, activation, w_std: 1.4, b_std: 0.2, parametrization };
            let architecture = mlp.architecture(D_IN, 1).expect("valid");
            let analytic = AnalyticKernel::new(architecture.clone());
            law(&analytic.of_kind(KernelKind::Nngp));
            law(&analytic.of_kind(KernelKind::Ntk));
            for compute in backends(Dtype::F64) {
                let mut stream = seed::stream(4, "laws");
                let predictor =
                    Predictor::init(&architecture, InitialFunction::Plain, &mut stream, &compute).expect("valid");
                law(&EmpiricalNtk::new(&predictor, &compute));
            }
        }
    }
}

/// Random inputs, and what breaks kernels: repeated, opposite, zero, near-equal, tiny and large ones.
fn adversarial_inputs() -> Matrix {
    let random = inputs(6, D_IN, "laws");
    Matrix::from_fn(13, D_IN, |i, j| match i {
        0..6 => random[(i, j)],
        6 => random[(0, j)],
        7 => -random[(1, j)],
        8 => 0.0,
        9 => random[(2, j)] * (1.0 + 1e-9),
        10 => random[(3, j)] * 1e-6,
        11 => random[(4, j)] * 1e3,
        _ => {
            if j == 0 {
                1.0
            } else {
                0.0
            }
        }
    })
}

#[test]
fn gram_matrices_are_symmetric_and_positive_semidefinite_to_rounding() {
    let x = adversarial_inputs();
    each_kernel(|kernel| {
        let gram = kernel.gram(&x).expect("finite");
        let spectrum = Spectrum::of(&gram).expect("finite");
        let (largest, least) = (spectrum.eigenvalues()[0], spectrum.eigenvalues()[x.n_rows() - 1]);
        assert!(least > -TOLERANCE * largest, "{}: eigenvalue {least:e} beside {largest:e}", kernel.name());
    });
}

#[test]
fn a_cross_gram_is_a_block_of_the_joint_gram() {
    let x = adversarial_inputs();
    let (first, second): (Vec<usize>, Vec<usize>) = ((0..5).collect(), (5..13).collect());
    each_kernel(|kernel| {
        let joint = kernel.gram(&x).expect("finite");
        let cross = kernel.cross_gram(&x.select_rows(&first), &x.select_rows(&second)).expect("finite");
        let transposed = kernel.cross_gram(&x.select_rows(&second), &x.select_rows(&first)).expect("finite");
        for i in 0..5 {
            for j in 0..8 {
                // Cauchy-Schwarz gives the entry's own scale, so that the large input hides nothing.
                let scale = (joint[(i, i)] * joint[(5 + j, 5 + j)]).sqrt();
                assert!((cross[(i, j)] - joint[(i, 5 + j)]).abs() <= 10.0 * TOLERANCE * scale, "{}", kernel.name());
                assert!((cross[(i, j)] - transposed[(j, i)]).abs() <= 10.0 * TOLERANCE * scale, "{}", kernel.name());
            }
        }
    });
}

#[test]
fn permuting_the_inputs_permutes_the_gram() {
    let x = inputs(4, D_IN, "permutation");
    let order = [2, 0, 3, 1];
    each_kernel(|kernel| {
        let straight = kernel.gram(&x).expect("finite");
        let permuted = kernel.gram(&x.select_rows(&order)).expect("finite");
        for i in 0..4 {
            for j in 0..4 {
                let gap = (permuted[(i, j)] - straight[(order[i], order[j])]).abs();
                assert!(gap <= TOLERANCE * straight.mean_diagonal(), "{}: {gap:e}", kernel.name());
            }
        }
    });
}

//! The functions behind synthetic targets; each draws its own parameters from the stream it is given.

use std::f64::consts::PI;

use super::TeacherActivation;
use crate::linalg::Matrix;
use crate::seed::{Stream, standard_normals};

/// Enough waves for a Gaussian law: the kernel of one draw differs from the limit by about 1 / sqrt(2 * 4096) = 0.01.
const N_WAVES: usize = 4096;

/// A vector of norm 1 in a uniformly random direction.
pub(super) fn unit_vector(stream: &mut Stream, d: usize) -> Vec<f64> {
    let normals = standard_normals(stream, d);
    let norm = dot(&normals, &normals).sqrt();
    normals.iter().map(|v| v / norm).collect()
}

/// <v, x>, v a random unit vector.
pub(super) fn linear(inputs: &Matrix, stream: &mut Stream) -> Vec<f64> {
    let direction = unit_vector(stream, inputs.n_cols());
    inputs.rows().map(|x| dot(&direction, x)).collect()
}

/// sqrt(N) P_k(<v, x> / sqrt(d)) for inputs of norm sqrt(d): P_k the Gegenbauer polynomial with P_k(1) = 1, N the
/// number of spherical harmonics of degree k, so that the mean square over the sphere is 1.
pub(super) fn zonal_harmonic(inputs: &Matrix, degree: usize, stream: &mut Stream) -> Vec<f64> {
    let d = inputs.n_cols() as f64;
    let scale = n_harmonics(degree, d).sqrt();
    let cosines = linear(inputs, stream).into_iter().map(|projection| projection / d.sqrt());
    cosines.map(|t| scale * gegenbauer(degree, d, t)).collect()
}

/// sin(2 pi frequency x) of the only input.
pub(super) fn sine(inputs: &Matrix, frequency: f64) -> Vec<f64> {
    inputs.values().iter().map(|x| (2.0 * PI * frequency * x).sin()).collect()
}

/// 10 sin(pi x_1 x_2) + 20 (x_3 - 1/2)^2 + 10 x_4 + 5 x_5.
pub(super) fn friedman1(inputs: &Matrix) -> Vec<f64> {
    let f = |x: &[f64]| 10.0 * (PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2) + 10.0 * x[3] + 5.0 * x[4];
    inputs.rows().map(f).collect()
}

/// M^(-1/2) sum_m [a_m cos(<w_m, x> / l) + b_m sin(<w_m, x> / l)], a, b, w standard normal (Rahimi and Recht 2007).
///
/// Every value is N(0, 1), and over draws the covariance is exp(-|x - x'|^2 / (2 l^2)) exactly. Unlike a factorization
/// of the kernel matrix this gives a function of x, the same for any number of rows, and needs no jitter on a diagonal.
pub(super) fn random_waves(inputs: &Matrix, length_scale: f64, stream: &mut Stream) -> Vec<f64> {
    let d = inputs.n_cols();
    let mut values = vec![0.0; inputs.n_rows()];
    for _ in 0..N_WAVES {
        let amplitudes = standard_normals(stream, 2);
        let frequency = standard_normals(stream, d);
        for (value, x) in values.iter_mut().zip(inputs.rows()) {
            let (sin, cos) = (dot(&frequency, x) / length_scale).sin_cos();
            *value += (amplitudes[0] * cos + amplitudes[1] * sin) / (N_WAVES as f64).sqrt();
        }
    }
    values
}

/// width^(-1/2) sum_i a_i phi(<w_i, x> / sqrt(d)), a and w standard normal.
pub(super) fn teacher(inputs: &Matrix, width: usize, activation: TeacherActivation, stream: &mut Stream) -> Vec<f64> {
    let d = inputs.n_cols();
    let phi = match activation {
        TeacherActivation::Tanh => f64::tanh,
        TeacherActivation::Relu => |z: f64| z.max(0.0),
    };
    let mut values = vec![0.0; inputs.n_rows()];
    for _ in 0..width {
        let outer = standard_normals(stream, 1)[0] / (width as f64).sqrt();
        let inner = standard_normals(stream, d);
        for (value, x) in values.iter_mut().zip(inputs.rows()) {
            *value += outer * phi(dot(&inner, x) / (d as f64).sqrt());
        }
    }
    values
}

/// P_k by its recurrence, (k + d - 2) P_{k+1} = (2k + d - 2) t P_k - k P_{k-1}: Legendre for d = 3.
fn gegenbauer(degree: usize, d: f64, t: f64) -> f64 {
    let (mut before, mut current) = (1.0, t);
    for k in (1..degree).map(|k| k as f64) {
        let next = ((2.0 * k + d - 2.0) * t * current - k * before) / (k + d - 2.0);
        (before, current) = (current, next);
    }
    current
}

/// (2k + d - 2) / k * binomial(k + d - 3, k - 1).
fn n_harmonics(degree: usize, d: f64) -> f64 {
    let k = degree as f64;
    let binomial: f64 = (1..degree).map(|i| (d - 2.0 + i as f64) / i as f64).product();
    (2.0 * k + d - 2.0) / k * binomial
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;

    #[test]
    fn the_polynomials_are_chebyshev_on_the_circle_and_legendre_on_the_sphere() {
        let t: f64 = 0.3;
        assert!((gegenbauer(4, 2.0, t) - (4.0 * t.acos()).cos()).abs() < 1e-14);
        assert!((gegenbauer(3, 3.0, t) - 0.5 * (5.0 * t.powi(3) - 3.0 * t)).abs() < 1e-14);
        assert!((gegenbauer(7, 9.0, 1.0) - 1.0).abs() < 1e-13);
        assert_eq!((n_harmonics(4, 2.0), n_harmonics(4, 3.0), n_harmonics(2, 4.0)), (2.0, 9.0, 9.0));
    }

    #[test]
    fn harmonics_have_mean_zero_mean_square_one_and_are_orthogonal() {
        // 20,000 points of the sphere in 4 dimensions: standard errors at most 0.02 (fourth moments below 10).
        let mut points = Matrix::zeros(20_000, 4);
        let mut directions = stream(1, "directions");
        for row in points.values_mut().chunks_exact_mut(4) {
            unit_vector(&mut directions, 4).iter().zip(row).for_each(|(v, x)| *x = 2.0 * v);
        }
        let harmonic = |degree| zonal_harmonic(&points, degree, &mut stream(1, "pole"));
        let mean = |a: &[f64], b: &[f64]| dot(a, b) / a.len() as f64;
        let ones = vec![1.0; 20_000];
        let (second, third) = (harmonic(2), harmonic(3));
        assert!(mean(&third, &ones).abs() < 0.05);
        assert!((mean(&second, &second) - 1.0).abs() < 0.1);
        assert!((mean(&third, &third) - 1.0).abs() < 0.1);
        assert!(mean(&second, &third).abs() < 0.1);
    }

    #[test]
    fn random_waves_have_the_covariance_of_the_kernel() {
        // 1500 draws: the standard error of a covariance is at most sqrt(2 / 1500) = 0.037; the bound is five of them.
        let (n_draws, length_scale) = (1500, 0.8);
        let points = Matrix::from_fn(3, 1, |i, _| [0.0, 0.5, 2.0][i]);
        let mut draws = stream(3, "waves");
        let mut covariance = Matrix::zeros(3, 3);
        for _ in 0..n_draws {
            let values = random_waves(&points, length_scale, &mut draws);
            for i in 0..3 {
                for j in 0..3 {
                    covariance[(i, j)] += values[i] * values[j] / f64::from(n_draws);
                }
            }
        }
        for i in 0..3 {
            for j in 0..3 {
                let distance = points[(i, 0)] - points[(j, 0)];
                let kernel = (-0.5 * (distance / length_scale).powi(2)).exp();
                assert!((covariance[(i, j)] - kernel).abs() < 0.19, "{i} {j}: {} {kernel}", covariance[(i, j)]);
            }
        }
    }

    #[test]
    fn a_relu_teacher_is_homogeneous_and_a_tanh_teacher_odd() {
        let points = Matrix::from_fn(5, 3, |i, j| (i as f64 - 2.0) * 0.4 + j as f64);
        let teacher = |points: &Matrix, activation| teacher(points, 20, activation, &mut stream(5, "teacher"));
        let relu = teacher(&points, TeacherActivation::Relu);
        let relu_doubled = teacher(&points.map(|x| 2.0 * x), TeacherActivation::Relu);
        let tanh = teacher(&points, TeacherActivation::Tanh);
        let tanh_mirrored = teacher(&points.map(|x| -x), TeacherActivation::Tanh);
        for i in 0..5 {
            assert!((relu_doubled[i] - 2.0 * relu[i]).abs() < 1e-12);
            assert!((tanh_mirrored[i] + tanh[i]).abs() < 1e-12);
        }
    }
}

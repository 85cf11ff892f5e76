//! Do values come from a normal distribution? By skewness and kurtosis (D'Agostino, Belanger and D'Agostino 1990).
//!
//! sqrt(b1) = m_3/m_2^{3/2} and b2 = m_4/m_2^2, with m_k the central moments, are each turned into a number that of normal data is nearly
//! standard normal: Z(sqrt(b1)) by D'Agostino (1970), Z(b2) by Anscombe and Glynn (1983). Then K^2 = Z(sqrt(b1))^2 + Z(b2)^2 is nearly
//! chi^2 of two degrees of freedom, whose tail is e^{-K^2/2}.

use serde::{Deserialize, Serialize};

use super::moments::{deviations, mean_and_deviation};

/// From here the approximations hold, as SciPy has it.
const N_LEAST: usize = 8;

/// What D'Agostino's K^2 says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normality {
    /// Positive where the upper tail is the longer.
    pub z_skewness: f64,
    /// Positive where the tails are heavier than a normal distribution's.
    pub z_kurtosis: f64,
    /// The sum of their squares.
    pub k_squared: f64,
    /// The probability of so large a sum where the distribution is normal.
    pub p: f64,
}

/// D'Agostino's K^2 test of `values`; `None` with fewer than eight, without spread, or where one is not finite.
///
/// A large p of few values says little: they could be of many distributions.
#[must_use]
pub fn normality_test(values: &[f64]) -> Option<Normality> {
    let (mean, _) = mean_and_deviation(values).filter(|(_, spread)| values.len() >= N_LEAST && *spread > 0.0)?;
    let (deviations, _) = deviations(values, mean);
    let n = values.len() as f64;
    let moment = |power| deviations.iter().map(|v| v.powi(power)).sum::<f64>() / n;
    let z_skewness = z_of_skewness(moment(3) / moment(2).powf(1.5), n);
    let z_kurtosis = z_of_kurtosis(moment(4) / moment(2).powi(2), n);
    let k_squared = z_skewness.powi(2) + z_kurtosis.powi(2);
    Some(Normality { z_skewness, z_kurtosis, k_squared, p: (-0.5 * k_squared).exp() })
}

/// Y = sqrt(b1) sqrt((n + 1)(n + 3)/(6 (n - 2))) has kurtosis beta2; W^2 = -1 + sqrt(2 (beta2 - 1)) and Z = arsinh(Y/alpha)/sqrt(ln W)
/// with alpha = sqrt(2/(W^2 - 1)).
fn z_of_skewness(skewness: f64, n: f64) -> f64 {
    let y = skewness * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
    let beta2 =
        3.0 * (n * n + 27.0 * n - 70.0) * (n + 1.0) * (n + 3.0) / ((n - 2.0) * (n + 5.0) * (n + 7.0) * (n + 9.0));
    let w_squared = (2.0 * (beta2 - 1.0)).sqrt() - 1.0;
    (y * (0.5 * (w_squared - 1.0)).sqrt()).asinh() / (0.5 * w_squared.ln()).sqrt()
}

/// X = b2 in units of its standard deviation about its mean, sqrt(beta1) the skewness of that; then, by Wilson and Hilferty's cube root,
/// Z = (1 - 2/(9 A) - ((1 - 2/A)/(1 + X sqrt(2/(A - 4))))^{1/3}) / sqrt(2/(9 A)).
fn z_of_kurtosis(kurtosis: f64, n: f64) -> f64 {
    let mean = 3.0 * (n - 1.0) / (n + 1.0);
    let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0).powi(2) * (n + 3.0) * (n + 5.0));
    let x = (kurtosis - mean) / variance.sqrt();
    let sqrt_beta1 = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
        * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
    let a = 6.0 + 8.0 / sqrt_beta1 * (2.0 / sqrt_beta1 + (1.0 + 4.0 / sqrt_beta1.powi(2)).sqrt());
    let cube = (1.0 - 2.0 / a) / (1.0 + x * (2.0 / (a - 4.0)).sqrt());
    (1.0 - 2.0 / (9.0 * a) - cube.cbrt()) / (2.0 / (9.0 * a)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{standard_normals, stream};
    use crate::stats::golden;

    #[test]
    fn the_statistics_are_scipys() {
        for sample in golden::list("samples") {
            let (found, expected) =
                (normality_test(&golden::numbers(&sample["values"])).unwrap(), &sample["normality"]);
            golden::assert_close(found.z_skewness, expected["z_skewness"].clone(), 1e-11, &sample["name"]);
            golden::assert_close(found.z_kurtosis, expected["z_kurtosis"].clone(), 1e-11, &sample["name"]);
            golden::assert_close(found.k_squared, expected["k_squared"].clone(), 1e-11, &sample["name"]);
            golden::assert_close(found.p, expected["p"].clone(), 1e-11, &sample["name"]);
        }
    }

    #[test]
    fn normal_data_are_rejected_about_as_often_as_the_level_says_and_exponential_ones_nearly_always() {
        // 2000 samples of 50: standard error 0.005 at 5 %. The approximation itself is off by less than 0.01 (D'Agostino et al. 1990).
        let rejects = |values: &[f64]| normality_test(values).unwrap().p < 0.05;
        let normals = |i| standard_normals(&mut stream(6, &format!("normal/{i}")), 50);
        let n_normal = (0..2000).filter(|i| rejects(&normals(*i))).count();
        assert!((n_normal as f64 / 2000.0 - 0.05).abs() < 0.025, "{n_normal}");
        let n_skewed = (0..200).filter(|i| rejects(&normals(*i).iter().map(|z| z.exp()).collect::<Vec<_>>())).count();
        assert!(n_skewed > 190, "{n_skewed}");
    }

    #[test]
    fn a_symmetric_sample_is_not_skewed_and_turning_one_around_turns_its_skewness() {
        let symmetric: Vec<f64> = (-5..=5).map(|i| f64::from(i * i * i)).collect();
        assert!(normality_test(&symmetric).unwrap().z_skewness.abs() < 1e-14);
        let skewed: Vec<f64> = (0..10).map(|i| f64::from(i * i)).collect();
        let turned: Vec<f64> = skewed.iter().map(|v| 7.0 - 1e6 * v).collect();
        let (plain, turned) = (normality_test(&skewed).unwrap(), normality_test(&turned).unwrap());
        assert!((plain.z_skewness + turned.z_skewness).abs() < 1e-12);
        assert!((plain.z_kurtosis - turned.z_kurtosis).abs() < 1e-12);
    }

    #[test]
    fn few_or_equal_values_have_no_test() {
        assert_eq!(normality_test(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), None);
        assert_eq!(normality_test(&[0.1; 20]), None);
    }
}

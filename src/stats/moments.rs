//! Mean and standard deviation, of finite numbers however large.

/// Mean and standard deviation (n - 1) of two or more finite values; `None` of fewer, or where one is not finite.
pub(super) fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    if n < 2 || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    // Equal values have no spread, but their mean may round to another number.
    if values.iter().all(|v| *v == values[0]) {
        return Some((values[0], 0.0));
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let (deviations, unit) = deviations(values, mean);
    let variance = deviations.iter().map(|v| v * v).sum::<f64>() / (n - 1) as f64;
    Some((mean, unit * variance.sqrt()))
}

/// What the values are off from `mean` in units of the largest of these, and that unit: the squares of a diverging linearization overflow.
pub(super) fn deviations(values: &[f64], mean: f64) -> (Vec<f64>, f64) {
    let unit = values.iter().map(|v| (v - mean).abs()).fold(f64::MIN_POSITIVE, f64::max);
    (values.iter().map(|v| (v - mean) / unit).collect(), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_the_textbooks_at_any_scale() {
        for scale in [1.0, 1e-180, 1e200] {
            let (mean, deviation) = mean_and_deviation(&[1.0, 2.0, 4.0].map(|v| v * scale)).unwrap();
            assert!((mean / scale * 3.0 / 7.0 - 1.0).abs() < 1e-15);
            assert!((deviation / scale / (7.0_f64 / 3.0).sqrt() - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn equal_values_have_no_spread_to_the_last_bit() {
        assert_eq!(mean_and_deviation(&[0.1; 3]), Some((0.1, 0.0)));
        assert_eq!(mean_and_deviation(&[0.1]), None);
        assert_eq!(mean_and_deviation(&[0.1, f64::NAN]), None);
    }
}

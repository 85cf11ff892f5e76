//! When to look: steps spaced evenly in log time.

/// At most `n_checkpoints` different steps from 0 to `n_steps`, both included, evenly spaced in the logarithm of the step.
#[must_use]
pub fn log_spaced_steps(n_steps: usize, n_checkpoints: usize) -> Vec<usize> {
    let n_between = n_checkpoints.saturating_sub(2);
    let mut steps = vec![0];
    for k in 0..n_between {
        // From 1 to just below n_steps.
        let fraction = k as f64 / n_between as f64;
        steps.push((n_steps as f64).powf(fraction).round() as usize);
    }
    steps.push(n_steps);
    steps.retain(|step| *step <= n_steps);
    steps.sort_unstable();
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::log_spaced_steps;

    #[test]
    fn steps_begin_at_zero_end_at_the_last_and_grow() {
        let steps = log_spaced_steps(1000, 8);
        assert_eq!(steps.first(), Some(&0));
        assert_eq!(steps.last(), Some(&1000));
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
        assert_eq!(log_spaced_steps(0, 8), [0]);
        assert_eq!(log_spaced_steps(5, 2), [0, 5]);
    }
}

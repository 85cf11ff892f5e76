//! Numbers and counts as a reader wants them.

/// Three significant digits; powers of ten for the very small and the very large.
#[must_use]
pub fn short(value: f64) -> String {
    // Counts, and what happens to be one.
    if value.fract() == 0.0 && value.abs() < 1e6 {
        return value.to_string();
    }
    let magnitude = magnitude(value);
    if !PLAIN.contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = usize::try_from(2 - magnitude).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// A confidence level or a share as a percentage, without digits it does not need.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", (1e4 * share).round() / 1e2)
}

/// A count with its noun.
#[must_use]
pub fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Numbers of these magnitudes are written without a power of ten.
pub(crate) const PLAIN: std::ops::Range<i32> = -4..6;

/// The power of ten of the first digit; far below all others for 0.
pub(crate) fn magnitude(value: f64) -> i32 {
    value.abs().log10().floor().max(-400.0) as i32
}

/// To so many decimals, without a sign on what they make 0.
pub(crate) fn fixed(value: f64, decimals: usize, with_plus: bool) -> String {
    let text = if with_plus { format!("{value:+.decimals$}") } else { format!("{value:.decimals$}") };
    match text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        true => text,
        false => text.trim_start_matches(['+', '-']).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept_at_every_size() {
        assert_eq!(short(0.012_345), "0.0123");
        assert_eq!(short(500.0), "500");
        assert_eq!(short(123.4), "123");
        assert_eq!(short(1.234e-7), "1.23e-7");
        assert_eq!(short(-0.5), "-0.500");
        assert_eq!(short(0.0), "0");
    }

    #[test]
    fn a_level_has_the_digits_it_needs() {
        assert_eq!(percent(0.95), "95 %");
        assert_eq!(percent(0.999), "99.9 %");
    }

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!(fixed(-0.001, 2, false), "0.00");
        assert_eq!(fixed(0.001, 2, true), "0.00");
        assert_eq!(fixed(0.006, 2, true), "+0.01");
    }

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!((plural(1, "seed"), plural(0, "seed")), ("1 seed".to_owned(), "0 seeds".to_owned()));
    }
}

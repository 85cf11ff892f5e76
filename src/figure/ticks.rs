//! Numbers as people write them: powers with Unicode superscripts, decimals where they are short.

/// A mark on an axis; minor ones carry no label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: Option<String>,
}

/// `base` to the power `exponent`, with the exponent raised.
pub(super) fn power(base: u32, exponent: i32) -> String {
    const DIGITS: [char; 10] = [
        '\u{2070}', '\u{b9}', '\u{b2}', '\u{b3}', '\u{2074}', '\u{2075}', '\u{2076}', '\u{2077}', '\u{2078}',
        '\u{2079}',
    ];
    let raised = exponent
        .to_string()
        .chars()
        .map(|c| c.to_digit(10).map_or('\u{207b}', |d| DIGITS[d as usize]))
        .collect::<String>();
    format!("{base}{raised}")
}

/// `value` to `digits` significant digits: as a decimal between 0.001 and 10000, else with a power of ten.
pub(super) fn compact(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rounded before the exponent is read off, because 9.996 to three digits is 10.0.
    let rounded: f64 = format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value);
    let exponent = rounded.abs().log10().floor() as i32;
    if (-3..4).contains(&exponent) {
        return fixed(rounded, (digits as i32 - 1 - exponent).max(0) as usize);
    }
    let mantissa = fixed(rounded / 10.0_f64.powi(exponent), digits.saturating_sub(1));
    format!("{mantissa}\u{d7}{}", power(10, exponent))
}

/// `value` with a fixed number of decimals and a true minus sign.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// Powers of two from 2^low to 2^high, at most about `n` of them labelled.
pub(super) fn powers_of_two(low: f64, high: f64, n: usize) -> Vec<Tick> {
    let exponents: Vec<i32> = (low.ceil() as i32..=high.floor() as i32).collect();
    let step = exponents.len().div_ceil(n.max(1)).max(1) as i32;
    exponents
        .into_iter()
        .map(|k| Tick { value: 2.0_f64.powi(k), label: (k.rem_euclid(step) == 0).then(|| power(2, k)) })
        .collect()
}

/// Powers of ten from 10^low to 10^high; with fewer than two of them in reach also twice and five times a power.
pub(super) fn powers_of_ten(low: f64, high: f64, n: usize) -> Vec<Tick> {
    let decades = (high.floor() - low.ceil()) as i32 + 1;
    let step = (decades.max(1) as usize).div_ceil(n.max(1)) as i32;
    let mut ticks = Vec::new();
    for k in low.floor() as i32..=high.floor() as i32 {
        for m in 1..10_u8 {
            // Parsed, not multiplied: the tick at three tenths is the number a reader writes as 0.3.
            let value: f64 = format!("{m}e{k}").parse().unwrap_or(f64::NAN);
            let label = match m {
                1 if decades >= 2 => (k.rem_euclid(step) == 0).then(|| power(10, k)),
                1 | 2 | 5 if decades < 2 => Some(compact(value, 1)),
                _ => None,
            };
            let wanted = m == 1 || decades <= 4;
            let inside = (low..=high).contains(&value.log10());
            if wanted && inside {
                ticks.push(Tick { value, label });
            }
        }
    }
    ticks
}

/// Multiples of 1, 2 or 5 times a power of ten, at most about `n`.
pub(super) fn round_numbers(low: f64, high: f64, n: usize) -> Vec<Tick> {
    let least = (high - low) / (n.max(1) as f64 + 0.5);
    if !(least.is_finite() && least > 0.0) {
        return Vec::new();
    }
    let decade = 10.0_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|s| *s >= least).unwrap_or(10.0 * decade);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let plain = decimals <= 4 && low.abs().max(high.abs()) < 1e4;
    ((low / step).ceil() as i64..=(high / step).floor() as i64)
        .map(|k| k as f64 * step)
        .map(|value| Tick { value, label: Some(if plain { fixed(value, decimals) } else { compact(value, 2) }) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().filter_map(|t| t.label.as_deref()).collect()
    }

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(power(10, -12), "10\u{207b}\u{b9}\u{b2}");
        assert_eq!(compact(9.996, 3), "10.0");
        assert_eq!(compact(0.05, 1), "0.05");
        assert_eq!(compact(3.21e-7, 2), "3.2\u{d7}10\u{207b}\u{2077}");
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-0.5, 2), "\u{2212}0.50");
    }

    #[test]
    fn a_log_axis_always_has_two_labels() {
        for i in 0..100 {
            let low = -3.0 + 0.037 * f64::from(i);
            assert!(labels(&powers_of_ten(low, low + 1.1, 6)).len() >= 2, "{low}");
            assert!(labels(&powers_of_two(low, low + 2.0, 4)).len() >= 2, "{low}");
        }
    }

    #[test]
    fn many_decades_are_thinned() {
        assert!(labels(&powers_of_ten(-14.0, 2.0, 6)).len() <= 6);
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(&round_numbers(-0.3, 1.1, 4)), ["0.0", "0.5", "1.0"]);
    }
}

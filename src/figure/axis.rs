//! An axis: from a quantity to a share of the panel's side.

use super::ticks::{self, Tick};

/// How a quantity is laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Linear, with room around each whole number: an axis of counts.
    Integer,
    Log2,
    Log10,
}

impl Scale {
    /// The position of `value` on an endless axis; `None` for what has no place on it.
    fn coordinate(self, value: f64) -> Option<f64> {
        let coordinate = match self {
            Self::Linear | Self::Integer => value,
            Self::Log2 => value.log2(),
            Self::Log10 => value.log10(),
        };
        coordinate.is_finite().then_some(coordinate)
    }
}

/// A labelled stretch of a scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) label: String,
    scale: Scale,
    low: f64,
    high: f64,
    /// What stands at 0, 1, ... in place of numbers.
    names: Vec<String>,
}

impl Axis {
    /// An axis that shows all `values` with some room around them; without any, a stretch around one.
    pub(super) fn over(scale: Scale, label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = values
            .into_iter()
            .filter_map(|value| scale.coordinate(value))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let span = high - low;
        let room = match scale {
            Scale::Linear if span == 0.0 => 0.1 * low.abs().max(1.0),
            Scale::Linear => 0.06 * span,
            Scale::Integer => 0.5,
            Scale::Log2 => (0.04 * span).max(0.3).max(0.5 * (1.9 - span)),
            // Two labels fit on any decade (see the ticks), on less they may not.
            Scale::Log10 => (0.05 * span).max(0.5 * (1.1 - span)),
        };
        Self { label: label.to_owned(), scale, low: low - room, high: high + room, names: Vec::new() }
    }

    /// An axis of things without an order, the first at 0.
    pub(super) fn of_names(names: Vec<String>) -> Self {
        let ends = [0.0, names.len().saturating_sub(1) as f64];
        Self { names, ..Self::over(Scale::Integer, "", ends) }
    }

    /// The same stretch under another label.
    pub(super) fn with_label(self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self }
    }

    /// Where `value` lies: 0 at the lower end, 1 at the upper. `None` for what has no place on the scale.
    pub(super) fn share(&self, value: f64) -> Option<f64> {
        Some((self.scale.coordinate(value)? - self.low) / (self.high - self.low))
    }

    /// The value that lies at `share`.
    pub(super) fn value(&self, share: f64) -> f64 {
        let coordinate = self.low + share * (self.high - self.low);
        match self.scale {
            Scale::Linear | Scale::Integer => coordinate,
            Scale::Log2 => coordinate.exp2(),
            Scale::Log10 => 10.0_f64.powf(coordinate),
        }
    }

    /// The ticks, at most about `n` of them labelled.
    pub(super) fn ticks(&self, n: usize) -> Vec<Tick> {
        if !self.names.is_empty() {
            let named = |(i, name): (usize, &String)| Tick { value: i as f64, label: Some(name.clone()) };
            return self.names.iter().enumerate().map(named).collect();
        }
        match self.scale {
            Scale::Linear => ticks::round_numbers(self.low, self.high, n),
            Scale::Integer => {
                let mut ticks = ticks::round_numbers(self.low, self.high, n.min((self.high - self.low) as usize));
                ticks.retain(|tick| tick.value.fract() == 0.0);
                ticks
            }
            Scale::Log2 => ticks::powers_of_two(self.low, self.high, n),
            Scale::Log10 => ticks::powers_of_ten(self.low, self.high, n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_a_logarithm_have_no_place() {
        let axis = Axis::over(Scale::Log10, "y", [0.0, 1.0, 100.0, f64::NAN]);
        assert_eq!(axis.share(0.0), None);
        assert_eq!(axis.share(f64::INFINITY), None);
        assert!((axis.share(10.0).expect("positive") - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_axis_over_one_value_or_none_has_width() {
        for scale in [Scale::Linear, Scale::Integer, Scale::Log2, Scale::Log10] {
            for values in [vec![], vec![1.0]] {
                let axis = Axis::over(scale, "", values);
                assert!(axis.high > axis.low);
                assert!(!axis.ticks(5).is_empty(), "{axis:?}");
            }
        }
    }

    #[test]
    fn an_integer_axis_labels_whole_numbers_only() {
        let ticks = Axis::over(Scale::Integer, "depth", [1.0, 2.0]).ticks(9);
        assert_eq!(ticks.iter().map(|t| t.value).collect::<Vec<_>>(), [1.0, 2.0]);
        assert_eq!(ticks[0].label.as_deref(), Some("1"));
    }
}

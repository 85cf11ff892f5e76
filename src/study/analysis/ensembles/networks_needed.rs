//! How many networks it takes until their mean is near to theory.

/// How many networks bring their mean within a margin of theory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworksNeeded {
    Of(usize),
    /// The distance of their true mean alone is larger.
    Never,
}

impl NetworksNeeded {
    /// The RMS of a mean of k networks is the root of distance^2 + variance / k.
    pub(super) fn of(squared_distance: f64, variance: f64, margin: f64) -> Self {
        // An estimate below zero is one of no distance.
        let left = margin * margin - squared_distance.max(0.0);
        if left > 0.0 { Self::Of((variance / left).ceil().max(1.0) as usize) } else { Self::Never }
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Of(n) if n > 1_000_000 => "over a million".to_owned(),
            Self::Of(n) => n.to_string(),
            Self::Never => "never".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_needed_bring_the_distance_and_the_scatter_below_the_margin() {
        // 0.06^2 + 0.64 / 100 = 0.1^2.
        assert_eq!(NetworksNeeded::of(0.0036, 0.64, 0.1), NetworksNeeded::Of(100));
        assert_eq!(NetworksNeeded::of(-0.002, 0.64, 0.1), NetworksNeeded::Of(64));
        assert_eq!(NetworksNeeded::of(0.011, 0.64, 0.1), NetworksNeeded::Never);
        assert_eq!(NetworksNeeded::of(0.0, 0.001, 0.1), NetworksNeeded::Of(1));
    }
}

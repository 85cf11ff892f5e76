//! Numbers that may be missing.

use crate::stats::{Interval, Slope};

/// A mean with its interval; without a value, a dash.
pub(super) fn with_interval(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| interval.to_string())
}

/// An exponent with its interval, likewise.
pub(super) fn exponent(slope: Option<Slope>) -> String {
    slope.map_or_else(|| "-".to_owned(), |slope| slope.to_string())
}

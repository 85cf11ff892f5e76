//! The number types of results.

use faer::traits::ComplexField;

/// A number type that kernel entries are delivered in.
pub trait Element: Copy + Default + Into<f64> + Send + Sync + ComplexField + 'static {
    /// Whether it has 7 digits, not 16.
    const IS_SINGLE: bool;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;
}

impl Element for f64 {
    const IS_SINGLE: bool = false;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
}

impl Element for f32 {
    const IS_SINGLE: bool = true;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }
}

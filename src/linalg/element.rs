//! The number types of results, and the search for what is not a number in them.

use faer::traits::ComplexField;
use rayon::prelude::*;

/// A number type that kernel entries are delivered in.
pub trait Element: Copy + Default + Into<f64> + Send + Sync + ComplexField + 'static {
    /// Whether it has 7 digits, not 16.
    const IS_SINGLE: bool;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;

    /// Whether it is neither infinite nor not a number.
    fn is_finite(self) -> bool;
}

impl Element for f64 {
    const IS_SINGLE: bool = false;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl Element for f32 {
    const IS_SINGLE: bool = true;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

/// The place of the first number that is not finite.
#[must_use]
pub fn first_non_finite<T: Element>(values: &[T]) -> Option<usize> {
    // Looked through a part at a time, without a branch for every number.
    let is_finite = |part: &[T]| part.iter().fold(true, |all, value| all & value.is_finite());
    let (number, part) = values.par_chunks(PART).enumerate().find_first(|(_, part)| !is_finite(part))?;
    part.iter().position(|value| !value.is_finite()).map(|place| number * PART + place)
}

/// Numbers of one look.
const PART: usize = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_numbers_that_are_not_finite_the_first_is_found() {
        let mut values = vec![1.0_f32; 3 * PART + 5];
        assert_eq!(first_non_finite(&values), None);
        for (place, value) in [(3 * PART + 4, f32::NAN), (2 * PART + 7, f32::INFINITY), (PART + 1, f32::NEG_INFINITY)] {
            values[place] = value;
            assert_eq!(first_non_finite(&values), Some(place));
        }
    }
}

//! Windows that slide over a grid of positions, for convolution and pooling.
//!
//! A vector is a grid of one position, a sequence one row of positions. Which input positions an output position sees is worked
//! out once, here, so that network and kernel cannot pad or stride differently.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number per dimension of the grid: `3`, the same for each, or `[3, 5]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Extent {
    /// The same in every dimension.
    Same(usize),
    /// Height and width.
    Each([usize; 2]),
}

impl Extent {
    /// Along height and width of a grid; a sequence has no height.
    pub(super) fn on(self, is_sequence: bool) -> [usize; 2] {
        match self {
            Self::Same(size) if is_sequence => [1, size],
            Self::Same(size) => [size, size],
            Self::Each(sizes) => sizes,
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(size) => write!(f, "{size}"),
            Self::Each([height, width]) => write!(f, "{height}x{width}"),
        }
    }
}

/// What a window sees beyond the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Zeros, as many as it takes for one output per stride.
    Same,
    /// Nothing: the window stays inside.
    #[default]
    Valid,
    /// The other edge, as many positions as zeros in `Same`.
    Circular,
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same",
            Self::Valid => "valid",
            Self::Circular => "circular",
        })
    }
}

/// For every output position, the input position under each offset of the window; `None` where there is a zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taps {
    /// Positions of the input grid.
    pub n_inputs: usize,
    /// One list per output position, all of the same length.
    pub positions: Vec<Vec<Option<usize>>>,
}

impl Taps {
    /// One output position that sees all `n_inputs`.
    #[must_use]
    pub fn all(n_inputs: usize) -> Self {
        Self { n_inputs, positions: vec![(0..n_inputs).map(Some).collect()] }
    }

    /// Positions of the output grid.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.positions.len()
    }

    /// Positions under the window.
    #[must_use]
    pub fn n_taps(&self) -> usize {
        self.positions.first().map_or(0, Vec::len)
    }

    /// Whether every position sees itself and nothing else.
    #[must_use]
    pub fn is_pointwise(&self) -> bool {
        self.n_outputs() == self.n_inputs && self.positions.iter().enumerate().all(|(p, taps)| taps[..] == [Some(p)])
    }

    /// The window's positions on `grid` (height, width), with the grid of the outputs; `None` where no window fits, a size is 0, or
    /// the window is far wider than the grid.
    pub(super) fn of_window(
        grid: [usize; 2],
        is_sequence: bool,
        window: Extent,
        stride: Extent,
        padding: Padding,
    ) -> Option<([usize; 2], Self)> {
        let (window, stride) = (window.on(is_sequence), stride.on(is_sequence));
        let axis = |i: usize| along(grid[i], window[i], stride[i], padding);
        let (rows, columns) = (axis(0)?, axis(1)?);
        let mut positions = Vec::with_capacity(rows.len() * columns.len());
        for row_taps in &rows {
            for column_taps in &columns {
                let pairs = row_taps.iter().flat_map(|row| column_taps.iter().map(move |column| (row, column)));
                positions.push(pairs.map(|(row, column)| Some((*row)? * grid[1] + (*column)?)).collect());
            }
        }
        Some(([rows.len(), columns.len()], Self { n_inputs: grid[0] * grid[1], positions }))
    }
}

/// The widest window that may reach past a smaller grid.
const MAX_WINDOW: usize = 64;

/// The same in one dimension of `n` positions.
fn along(n: usize, window: usize, stride: usize, padding: Padding) -> Option<Vec<Vec<Option<usize>>>> {
    // A window may be wider than what it slides over, but not so wide that its taps cannot be listed.
    if window == 0 || stride == 0 || n == 0 || window > MAX_WINDOW.max(n) {
        return None;
    }
    let (n_outputs, before) = match padding {
        Padding::Valid => (n.checked_sub(window)? / stride + 1, 0),
        Padding::Same | Padding::Circular => {
            let n_outputs = n.div_ceil(stride);
            // The odd one goes to the end, as everywhere in the field.
            (n_outputs, (((n_outputs - 1) * stride + window).saturating_sub(n)) / 2)
        }
    };
    let tap = |output: usize, offset: usize| {
        let position = output * stride + offset;
        match padding {
            // Wraps as often as it takes: a window may be wider than the ring.
            Padding::Circular => Some((position + n * before.div_ceil(n) - before) % n),
            Padding::Same | Padding::Valid => position.checked_sub(before).filter(|position| *position < n),
        }
    };
    Some((0..n_outputs).map(|output| (0..window).map(|offset| tap(output, offset)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize, window: usize, stride: usize, padding: Padding) -> Vec<Vec<Option<usize>>> {
        let (_, taps) =
            Taps::of_window([1, n], true, Extent::Same(window), Extent::Same(stride), padding).expect("fits");
        taps.positions
    }

    #[test]
    fn padding_decides_what_the_edge_sees() {
        assert_eq!(line(4, 3, 1, Padding::Valid), [[Some(0), Some(1), Some(2)], [Some(1), Some(2), Some(3)]]);
        assert_eq!(line(4, 3, 1, Padding::Same)[0], [None, Some(0), Some(1)]);
        assert_eq!(line(4, 3, 1, Padding::Same)[3], [Some(2), Some(3), None]);
        assert_eq!(line(4, 3, 1, Padding::Circular)[0], [Some(3), Some(0), Some(1)]);
        // Two positions for a window of five: the ring is passed more than once.
        assert_eq!(line(2, 5, 1, Padding::Circular)[0], [Some(0), Some(1), Some(0), Some(1), Some(0)]);
    }

    #[test]
    fn strides_pad_as_tensorflow_and_jax_do() {
        // Four positions, window 3, stride 2: one zero is needed and goes to the end.
        assert_eq!(line(4, 3, 2, Padding::Same), [[Some(0), Some(1), Some(2)], [Some(2), Some(3), None]]);
        assert_eq!(line(5, 2, 2, Padding::Valid), [[Some(0), Some(1)], [Some(2), Some(3)]]);
    }

    #[test]
    fn a_plane_is_the_product_of_two_lines() {
        let (grid, taps) = Taps::of_window([2, 3], false, Extent::Same(2), Extent::Same(1), Padding::Valid).unwrap();
        assert_eq!(grid, [1, 2]);
        assert_eq!(taps.positions[1], [Some(1), Some(2), Some(4), Some(5)]);
        assert!(Taps::of_window([2, 3], false, Extent::Same(3), Extent::Same(1), Padding::Valid).is_none());
    }
}

//! The points of a study by depth and width.

use crate::record::{Point, Row};

/// The depths and widths that occur, smallest first, and the points at each.
#[derive(Debug, Clone)]
pub(super) struct Sweep<'a> {
    points: &'a [Point],
    pub(super) depths: Vec<usize>,
    pub(super) widths: Vec<usize>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(points: &'a [Point]) -> Self {
        let distinct = |value: fn(&Row) -> usize| {
            let mut values: Vec<usize> = points.iter().map(|point| value(&point.row)).collect();
            values.sort_unstable();
            values.dedup();
            values
        };
        Self { points, depths: distinct(|row| row.depth), widths: distinct(|row| row.width) }
    }

    /// The rows at a depth and a width, one per seed.
    pub(super) fn cell(&self, depth: usize, width: usize) -> Vec<&'a Row> {
        self.rows().filter(|row| row.depth == depth && row.width == width).collect()
    }

    /// The rows at a depth, of any width.
    pub(super) fn at_depth(&self, depth: usize) -> Vec<&'a Row> {
        self.rows().filter(|row| row.depth == depth).collect()
    }

    /// The network shown for a depth where only one can be: the widest that was trained to the end, of those the first seed.
    pub(super) fn shown(&self, depth: usize) -> Option<&'a Point> {
        let trained = self.points.iter().filter(|point| point.row.depth == depth && point.row.is_trained());
        trained.min_by_key(|point| (std::cmp::Reverse(point.row.width), point.row.seed))
    }

    /// How many networks were trained above their stability bound.
    pub(super) fn n_unstable(&self) -> usize {
        self.rows().filter(|row| !row.is_stable()).count()
    }

    /// How many networks missed their target.
    pub(super) fn n_missed(&self) -> usize {
        self.rows().filter(|row| row.misses_target()).count()
    }

    /// Whether a network at a depth and a width missed its target.
    pub(super) fn misses(&self, depth: usize, width: usize) -> bool {
        self.cell(depth, width).iter().any(|row| row.misses_target())
    }

    /// How many networks diverged.
    pub(super) fn n_diverged(&self) -> usize {
        self.rows().filter(|row| !row.is_trained()).count()
    }

    /// How many networks there are.
    pub(super) fn n_points(&self) -> usize {
        self.points.len()
    }

    /// The fewest and the most seeds at any depth and width.
    pub(super) fn n_seeds(&self) -> (usize, usize) {
        let cells = self.depths.iter().flat_map(|&depth| self.widths.iter().map(move |&width| (depth, width)));
        let counts: Vec<usize> = cells.map(|(depth, width)| self.cell(depth, width).len()).filter(|&n| n > 0).collect();
        (counts.iter().copied().min().unwrap_or(0), counts.iter().copied().max().unwrap_or(0))
    }

    fn rows(&self) -> impl Iterator<Item = &'a Row> + use<'a> {
        self.points.iter().map(|point| &point.row)
    }
}

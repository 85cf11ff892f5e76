//! Settings as the rows of a map, where they are more than can be panels.

use super::super::theme::{BLUE, Color, GRID, NTK, PAPER};
use super::super::ticks::{fixed, power};
use crate::study::regression::{Factor, Settings};

/// More rows than this leave the page.
const MOST_ROWS: usize = 60;

/// Where a setting lies on a map.
pub(super) struct Grid<'a> {
    settings: &'a Settings<'a>,
    /// The factor that has its values side by side, if any has several beside the data sets.
    pub(super) along: Option<usize>,
    /// The settings of each row, which differ in that factor alone.
    families: Vec<Vec<usize>>,
}

impl<'a> Grid<'a> {
    pub(super) fn of(settings: &'a Settings<'a>) -> Self {
        let along = settings.widest();
        let mut families = settings.families(along);
        families.truncate(MOST_ROWS);
        Self { settings, along, families }
    }

    /// The names of the rows: their values of all other factors.
    pub(super) fn rows(&self) -> Vec<String> {
        let name = |family: &Vec<usize>| {
            let levels = &self.settings.all[family[0]].levels;
            self.others().map(|f| self.settings.factors[f].values[levels[f]].clone()).collect::<Vec<_>>().join(", ")
        };
        self.families.iter().map(name).collect()
    }

    /// What these values are of.
    pub(super) fn y(&self) -> String {
        self.others().map(|f| self.settings.factors[f].name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The factor that has its values side by side.
    pub(super) fn factor(&self) -> Option<&Factor> {
        self.along.map(|along| &self.settings.factors[along])
    }

    /// The places of the settings, row by row, at one value of that factor.
    pub(super) fn at(&self, level: usize) -> impl Iterator<Item = Option<usize>> + '_ {
        let is_there =
            move |place: &&usize| self.along.is_none_or(|along| self.settings.all[**place].levels[along] == level);
        self.families.iter().map(move |family| family.iter().find(is_there).copied())
    }

    /// That there is no room for more rows.
    pub(super) fn left_out(&self) -> String {
        match self.settings.families(self.along).len() {
            n if n > MOST_ROWS => format!("Of {n} rows the first {MOST_ROWS} are drawn; the table of numbers has all."),
            _ => String::new(),
        }
    }

    fn others(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.settings.factors.len()).filter(|factor| Some(*factor) != self.along)
    }
}

/// As much of a positive number as a tile has room for: two decimals, of numbers from 10 on none, of the very small and the very large the power
/// of ten.
pub(super) fn short(value: f64) -> String {
    match value {
        _ if !value.is_finite() => String::new(),
        0.005..9.995 => fixed(value, 2),
        9.995..999.5 => fixed(value, 0),
        _ => power(10, value.log10().floor() as i32),
    }
}

/// From the colour of the NTK over grey to another: who is better, and how much; grey means alike.
pub(super) fn either_side(i: usize, n: usize) -> Color {
    let middle = (n as f64 - 1.0) / 2.0;
    let aside = (i as f64 - middle) / middle.max(1.0);
    let end = if aside < 0.0 { NTK } else { BLUE };
    let from = if aside == 0.0 { GRID } else { PAPER };
    let mix = |from: u8, to: u8| (f64::from(from) + aside.abs() * (f64::from(to) - f64::from(from))).round() as u8;
    Color(mix(from.0, end.0), mix(from.1, end.1), mix(from.2, end.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_tiles_are_of_few_letters() {
        let cases = [(1.0, "1.00"), (0.966, "0.97"), (9.996, "10"), (244.2, "244"), (3.2e6, "10\u{2076}")];
        for (value, words) in cases {
            assert_eq!(short(value), words);
        }
        assert_eq!(short(f64::NAN), "");
    }

    #[test]
    fn the_sides_of_a_map_have_colours_of_their_own_and_the_middle_has_neither() {
        assert_eq!((either_side(0, 5), either_side(2, 5), either_side(4, 5)), (NTK, GRID, BLUE));
        assert_ne!(either_side(1, 5), either_side(0, 5));
    }
}

//! The one font, embedded, so that figures look the same on a machine without any.

use super::theme::LABEL;
use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The family, as CSS: an SVG names it, and a reader without DejaVu falls back on fonts of the same metrics.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// The drawing library's bitmap font size for one unit of em: it measures DejaVu Sans from ascender to descender.
pub(super) const BITMAP_SIZE_PER_EM: f64 = 1.164;

/// The embedded font at a size, in the drawing library's measure.
///
/// A font that could not be registered shows up as an error when text is drawn with it.
pub(super) fn font(size: f64) -> FontDesc<'static> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    REGISTERED.get_or_init(|| register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok());
    FontDesc::new(FontFamily::Name(FAMILY), size, FontStyle::Normal)
}

/// How wide `text` is at `size` units to the em.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    // Measured large, because the drawing library rounds widths down to whole pixels.
    const LARGE: f64 = 200.0;
    let per_em = font(LARGE * BITMAP_SIZE_PER_EM)
        .box_size(text)
        .map_or(0.6 * text.chars().count() as f64, |(width, _)| f64::from(width) / LARGE);
    per_em * size
}

/// As much of a title as a panel has room for.
pub(super) fn fitted(title: &str, width: f64) -> String {
    if text_width(title, LABEL) <= width {
        return title.to_owned();
    }
    let cut = |(end, _): (usize, char)| format!("{}\u{2026}", title[..end].trim_end_matches([',', ' ']));
    title.char_indices().rev().map(cut).find(|cut| text_width(cut, LABEL) <= width).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_font_measures_text_in_ems() {
        // A digit of DejaVu Sans is 1303/2048 em wide.
        assert!((text_width("0000", 10.0) - 4.0 * 13.03 / 2.048).abs() < 0.06);
    }

    #[test]
    fn a_title_is_cut_where_the_panel_ends() {
        let title = "residential_building, label noise 0.5, depth 3";
        assert_eq!(fitted(title, 1000.0), title);
        let cut = fitted(title, 120.0);
        assert!(text_width(&cut, LABEL) <= 120.0 && cut.ends_with('\u{2026}') && cut.starts_with("resid"), "{cut}");
    }
}

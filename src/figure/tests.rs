//! All figures from made-up points, whose numbers follow the rates that theory expects.

use std::collections::BTreeSet;

use super::*;
use made_up::{diverge, manifest, study};

mod made_up;
mod regression;

const DEPTHS: [usize; 3] = [1, 2, 3];
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 1024];

#[test]
fn every_figure_is_written_with_its_numbers_and_nothing_is_left_over() {
    let (folder, figures) = drawn(&study(&DEPTHS, &WIDTHS, 5));
    let mut expected = BTreeSet::new();
    for figure in &figures {
        for path in [&figure.svg, &figure.png, &figure.numbers] {
            assert!(fs::metadata(path).expect("a file").len() > 100, "{}", path.display());
            expected.insert(path.clone());
        }
    }
    let found: BTreeSet<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    assert_eq!(found, expected);
    assert_eq!(
        figures.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["gap", "depth", "kernel_convergence", "prediction", "modes"]
    );
}

#[test]
fn a_second_drawing_is_the_same_to_the_byte() {
    let points = study(&DEPTHS[..2], &WIDTHS, 3);
    let (_first_folder, first) = drawn(&points);
    let (_second_folder, second) = drawn(&points);
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(a.caption, b.caption);
        for (a, b) in [(&a.svg, &b.svg), (&a.png, &b.png), (&a.numbers, &b.numbers)] {
            assert!(fs::read(a).expect("a file") == fs::read(b).expect("a file"), "{}", a.display());
        }
    }
}

#[test]
fn the_numbers_of_the_gap_are_means_over_seeds() {
    let points = study(&DEPTHS, &WIDTHS, 5);
    let (_folder, figures) = drawn(&points);
    let totals: Vec<f64> =
        points.iter().filter(|p| p.row.depth == 2 && p.row.width == 256).filter_map(|p| p.row.gap_total).collect();
    assert_eq!(totals.len(), 5);
    let row = cells(&figures[0], &["total", "2", "256"]);
    let mean: f64 = row[5].parse().expect("a number");
    assert!((mean - totals.iter().sum::<f64>() / 5.0).abs() < 1e-15);
    let (low, high): (f64, f64) = (row[6].parse().expect("a number"), row[7].parse().expect("a number"));
    assert!(low < mean && mean < high);
}

#[test]
fn exponents_are_fitted_to_all_seeds_and_written_beside_the_means() {
    let (_folder, figures) = drawn(&study(&DEPTHS, &WIDTHS, 5));
    let row = cells(&figures[2], &["kernel error at initialization", "1", "64"]);
    let [exponent, low, high] = [8, 9, 10].map(|i| row[i].parse::<f64>().expect("a number"));
    assert!(low < exponent && exponent < high);
    assert!((exponent + 0.5).abs() < 0.1, "made with -1/2, fitted {exponent}");
}

#[test]
fn divergence_is_marked_counted_and_kept_out_of_the_means() {
    let mut points = study(&DEPTHS, &WIDTHS, 5);
    let (_folder, before) = drawn(&points);
    for point in points.iter_mut().filter(|p| p.row.width == 64 && p.row.seed < 2) {
        diverge(point);
    }
    let (_folder, after) = drawn(&points);
    for figure in &after {
        assert!(figure.caption.contains("6 of 75 networks diverged"), "{}", figure.caption);
        assert_clean(figure);
    }
    // Two of five in the gap, per depth; summed over the depths in the drift, and over the widths in the depth figure.
    for (i, label) in [(0, "2/5"), (1, "2/15"), (2, "6/15")] {
        assert!(!text(&before[i]).contains(label));
        assert!(text(&after[i]).contains(label), "{}", after[i].name);
    }
    assert_eq!(cells(&after[0], &["total", "1", "64"])[4], "2");
}

#[test]
fn a_study_that_diverged_altogether_still_draws() {
    let mut points = study(&DEPTHS, &WIDTHS[..2], 2);
    points.iter_mut().for_each(diverge);
    let (_folder, figures) = drawn(&points);
    figures.iter().for_each(assert_clean);
    assert!(text(&figures[0]).contains("No finite value to draw."));
    assert!(text(&figures[3]).contains("of this depth diverged."));
}

#[test]
fn single_values_of_depth_width_and_seed_draw_without_a_band() {
    let (_folder, figures) = drawn(&study(&[2], &[256], 1));
    figures.iter().for_each(assert_clean);
    assert!(figures[0].caption.contains("With one seed"), "{}", figures[0].caption);
    assert!(figures[2].caption.contains("No exponent is fitted"), "{}", figures[2].caption);
}

#[test]
fn many_depths_and_widths_take_more_rows() {
    let widths: Vec<usize> = (4..15).map(|k| 1 << k).collect();
    let mut points = study(&[1, 2, 4, 8, 16], &widths, 2);
    points.iter_mut().filter(|p| p.row.seed == 1 && p.row.depth > 2).for_each(diverge);
    let (_folder, figures) = drawn(&points);
    figures.iter().for_each(assert_clean);
    assert!(figures[0].caption.contains("16 to 16384 (11 values)"), "{}", figures[0].caption);
}

#[test]
fn no_points_at_all_give_empty_panels_that_say_so() {
    let (_folder, figures) = drawn(&[]);
    for figure in &figures {
        assert_clean(figure);
        assert!(text(figure).contains("No point is finished yet."), "{}", figure.name);
    }
}

#[test]
fn an_initial_function_of_zero_is_named_instead_of_drawn() {
    let mut points = study(&DEPTHS, &WIDTHS, 3);
    points.iter_mut().for_each(|p| p.row.gap_initial_function = Some(1e-17));
    let (_folder, figures) = drawn(&points);
    assert!(figures[0].caption.contains("everywhere: initial function."), "{}", figures[0].caption);
    assert!(!text(&figures[0]).contains("initial function"));
}

#[test]
fn values_that_are_not_finite_never_reach_a_drawing() {
    let mut points = study(&DEPTHS, &WIDTHS, 2);
    points[0].row.gap_total = Some(f64::NAN);
    points[1].row.kernel_error = f64::INFINITY;
    for point in &mut points {
        point.predictions[0].network = Some(f64::NAN);
        point.modes[0].predicted[3] = Some(f64::INFINITY);
        point.modes[0].measured[4] = None;
    }
    let (_folder, figures) = drawn(&points);
    figures.iter().for_each(assert_clean);
}

fn drawn(points: &[Point]) -> (tempfile::TempDir, Vec<Figure>) {
    let folder = tempfile::tempdir().expect("a folder");
    let figures = draw_all(&manifest(points), points, folder.path()).expect("a writable folder");
    (folder, figures)
}

fn text(figure: &Figure) -> String {
    fs::read_to_string(&figure.svg).expect("an SVG")
}

fn assert_clean(figure: &Figure) {
    for path in [&figure.svg, &figure.numbers] {
        let text = fs::read_to_string(path).expect("a text file");
        // Coordinates are whole numbers: a NaN becomes 0 and an infinity the largest integer there.
        for word in ["NaN", "inf", "2147483647", "-2147483648"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

/// The one row of a figure's numbers that begins so.
fn cells(figure: &Figure, begin: &[&str]) -> Vec<String> {
    let mut reader = csv::Reader::from_path(&figure.numbers).expect("a table");
    let mut rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>());
    rows.find(|row| row.iter().zip(begin).all(|(a, b)| a == b)).expect("the row")
}

//! The figures of a comparison of kernels, from made-up points.

use super::super::scene::{Anchor, Mark};
use super::super::{font::text_width, regression};
use super::*;
use crate::record::{Covered, KernelRow, RidgePoint};
use crate::study::regression::made_up::{manifest, row};

const KERNELS: [&str; 6] = ["ntk", "nngp", "laplace", "matern", "rbf", "linear"];
const NOISES: [f64; 2] = [0.0, 0.5];

#[test]
fn every_figure_of_a_map_is_written_finite_and_inside_its_sheet() {
    check(&map(&[32, 64, 128], &[1, 2, 3], 6), &["errors", "ratio", "ridge", "calibration"]);
}

#[test]
fn one_size_and_one_split_draw_dots_without_bars() {
    let points = map(&[100], &[2], 1);
    check(&points, &["errors", "ratio", "ridge", "calibration"]);
    let errors = &regression::draw(&manifest_of(&points), &points)[0];
    assert!(errors.caption.contains("There is one split"), "{}", errors.caption);
    assert!(errors.caption.contains("of depth 2"), "{}", errors.caption);
    let words = words(errors);
    for name in ["NTK", "label noise 0", "label noise 0.5"] {
        assert!(words.iter().any(|word| word == name), "{name} in {words:?}");
    }
}

#[test]
fn a_second_drawing_of_kernels_is_the_same_to_the_byte() {
    let points = map(&[32, 64], &[1, 2], 5);
    let (_first_folder, first) = drawn_kernels(&points);
    let (_second_folder, second) = drawn_kernels(&points);
    for (a, b) in first.iter().zip(&second) {
        for (a, b) in [(&a.svg, &b.svg), (&a.png, &b.png), (&a.numbers, &b.numbers)] {
            assert!(fs::read(a).expect("a file") == fs::read(b).expect("a file"), "{}", a.display());
        }
    }
}

#[test]
fn the_numbers_of_the_errors_are_means_over_splits() {
    let points = map(&[32, 64], &[2], 6);
    let (_folder, figures) = drawn_kernels(&points);
    let row = cells(&figures[0], &["label noise 0.5", "64", "rbf", "", "6"]);
    let is_here = |row: &&KernelRow| row.label_noise == 0.5 && row.n_train == 64 && row.kernel == "rbf";
    let errors: Vec<f64> = points.iter().map(|point| &point.row).filter(is_here).map(|row| row.mse_test).collect();
    let [mean, low, high] = [5, 6, 7].map(|i| row[i].parse::<f64>().expect("a number"));
    assert!((mean - errors.iter().sum::<f64>() / 6.0).abs() < 1e-15 && low < mean && mean < high);
}

#[test]
fn a_ratio_below_one_is_an_ntk_that_is_better() {
    let (_folder, figures) = drawn_kernels(&map(&[32, 64], &[2], 6));
    let row = cells(&figures[1], &["label noise 0", "64", "2", "linear", "6"]);
    let [ratio, low, high] = [5, 6, 7].map(|i| row[i].parse::<f64>().expect("a number"));
    assert!(low < ratio && ratio < high && high < 1.0, "{row:?}");
    assert_eq!(row[8], "NTK better");
}

#[test]
fn what_the_spectrum_predicts_is_drawn_beside_what_was_measured() {
    let mut points = map(&[32, 64], &[2], 6);
    points.iter_mut().for_each(|point| point.row.mse_predicted = Some(2.0 * point.row.mse_test));
    check(&points, &["errors", "learning_curve", "ratio", "ridge", "calibration"]);
    let (_folder, figures) = drawn_kernels(&points);
    let row = cells(&figures[1], &["label noise 0.5", "64", "rbf", "", "6"]);
    let [measured, predicted] = [5, 8].map(|i| row[i].parse::<f64>().expect("a number"));
    assert!((predicted - 2.0 * measured).abs() < 1e-12, "{row:?}");
    // Of one size there is no curve.
    points.retain(|point| point.row.n_train == 32);
    check(&points, &["errors", "ratio", "ridge", "calibration"]);
}

#[test]
fn no_point_and_one_error_give_no_figure() {
    assert!(drawn_kernels(&[]).1.is_empty());
    let mut points = map(&[32], &[2], 1);
    points.truncate(1);
    points[0].path.clear();
    points[0].coverage.clear();
    assert!(drawn_kernels(&points).1.is_empty());
}

#[test]
fn points_of_an_iteration_have_neither_a_path_nor_a_coverage_to_draw() {
    let mut points = map(&[32, 64], &[2], 2);
    for point in &mut points {
        point.path.clear();
        point.coverage.clear();
    }
    check(&points, &["errors", "ratio"]);
}

#[test]
fn without_the_ntk_there_is_nothing_to_compare_it_with() {
    let mut points = map(&[32], &[2], 2);
    points.retain(|point| point.row.kernel != "ntk");
    check(&points, &["errors", "ridge", "calibration"]);
}

#[test]
fn regression_without_a_ridge_is_left_out_of_the_axis_and_said_to_be() {
    let mut points = map(&[32], &[2], 1);
    points.iter_mut().for_each(|point| point.path[0].relative_ridge = 0.0);
    let ridge = &regression::draw(&manifest_of(&points), &points)[2];
    assert!(ridge.caption.contains("has no place on the axis"), "{}", ridge.caption);
    check(&points, &["errors", "ratio", "ridge", "calibration"]);
}

/// Data sets of these names, each at both noises, with everything but the name alike.
fn sets(names: &[&str], n_splits: u64) -> Vec<KernelPoint> {
    let of_set = |name: &&str| {
        let mut points = map(&[32, 64], &[2], n_splits);
        for point in &mut points {
            point.row.dataset = (*name).to_owned();
            point.row.id = format!("{name}-{}", point.row.id);
        }
        points
    };
    names.iter().flat_map(of_set).collect()
}

#[test]
fn settings_that_are_too_many_for_panels_are_the_rows_of_a_map_that_has_all() {
    let names: Vec<String> = (0..12).map(|set| format!("set {set}")).collect();
    let points = sets(&names.iter().map(String::as_str).collect::<Vec<_>>(), 6);
    check(&points, &["errors", "ranks", "ratio", "ridge", "calibration"]);
    let drawn = regression::draw(&manifest_of(&points), &points);
    for drawing in [&drawn[0], &drawn[2]] {
        let words = words(drawing);
        for row in ["set 0, 0", "set 11, 0.5"] {
            assert!(words.iter().any(|word| word == row), "{row} in {words:?}");
        }
        assert!(words.iter().any(|word| word == "data set, label noise"), "{words:?}");
        assert!(words.iter().all(|word| !word.ends_with('\u{2026}')), "{words:?}");
    }
    // The linear kernel's errors are twice the NTK's, in every tile of it.
    assert!(words(&drawn[2]).iter().filter(|word| word.starts_with("0.5")).count() >= 24, "{:?}", words(&drawn[2]));
    assert!(drawn[2].caption.contains("without a colour: undecided"), "{}", drawn[2].caption);
}

#[test]
fn a_title_that_has_no_room_above_its_panel_makes_a_map_instead_of_being_cut() {
    let short = sets(&["a", "b"], 2);
    let long = sets(
        &["a", "b", "c"].map(|end| format!("a data set with a very long name {end}")).each_ref().map(String::as_str),
        2,
    );
    let titles = |points: &[KernelPoint]| words(&regression::draw(&manifest_of(points), points)[0]);
    assert!(titles(&short).contains(&"b, label noise 0.5".to_owned()));
    assert!(titles(&long).contains(&"a data set with a very long name b, 0.5".to_owned()), "{:?}", titles(&long));
    check(&long, &["errors", "ratio", "ridge", "calibration"]);
}

#[test]
fn one_ridge_is_no_curve() {
    let mut points = map(&[32], &[2], 2);
    points.iter_mut().for_each(|point| point.path.truncate(1));
    check(&points, &["errors", "ratio", "calibration"]);
}

#[test]
fn errors_that_are_not_finite_never_reach_a_drawing_of_kernels() {
    let mut points = map(&[32, 64], &[2], 2);
    points[0].row.mse_test = f64::NAN;
    points[1].row.mse_test = f64::INFINITY;
    points[2].path[3].mse_test = f64::INFINITY;
    points[3].path[3].mse_left_out = None;
    points[4].coverage[0].fraction = f64::NAN;
    check(&points, &["errors", "ratio", "ridge", "calibration"]);
}

/// That these figures are there, are finite and stay on their sheets.
fn check(points: &[KernelPoint], names: &[&str]) {
    let (_folder, figures) = drawn_kernels(points);
    assert_eq!(figures.iter().map(|figure| figure.name.as_str()).collect::<Vec<_>>(), names);
    figures.iter().for_each(assert_clean);
    for Drawing { name, scene, .. } in regression::draw(&manifest_of(points), points) {
        for mark in &scene.marks {
            let Mark::Text(text) = mark else { continue };
            let width = if text.upwards { 0.0 } else { text_width(&text.text, text.size) };
            let left = text.at.0
                - match text.anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => 0.5 * width,
                    Anchor::End => width,
                };
            let is_inside = left >= 0.0 && left + width <= scene.width && (0.0..=scene.height).contains(&text.at.1);
            assert!(is_inside, "{name}: {text:?} leaves {} x {}", scene.width, scene.height);
        }
    }
}

fn words(drawing: &Drawing) -> Vec<String> {
    let text = |mark: &Mark| if let Mark::Text(text) = mark { Some(text.text.clone()) } else { None };
    drawing.scene.marks.iter().filter_map(text).collect()
}

fn drawn_kernels(points: &[KernelPoint]) -> (tempfile::TempDir, Vec<Figure>) {
    let folder = tempfile::tempdir().expect("a folder");
    let figures = draw_regression(&manifest_of(points), points, folder.path()).expect("a writable folder");
    (folder, figures)
}

fn manifest_of(points: &[KernelPoint]) -> KernelManifest {
    manifest(points.iter().map(|point| &point.row))
}

/// A point for each size, noise, split and kernel; that of a network at each depth.
fn map(sizes: &[usize], depths: &[usize], n_splits: u64) -> Vec<KernelPoint> {
    let mut points = Vec::new();
    for &n_train in sizes {
        for noise in NOISES {
            for split in 0..n_splits {
                for (k, kernel) in KERNELS.into_iter().enumerate() {
                    if k < 2 {
                        points
                            .extend(depths.iter().map(|&depth| point(n_train, noise, split, (k, kernel, Some(depth)))));
                    } else {
                        points.push(point(n_train, noise, split, (k, kernel, None)));
                    }
                }
            }
        }
    }
    points
}

fn point(n_train: usize, noise: f64, split: u64, (k, kernel, depth): (usize, &str, Option<usize>)) -> KernelPoint {
    let wiggle = 1.0 + 0.05 * ((split * 7 + k as u64 * 3 + depth.unwrap_or(0) as u64) as f64 * 2.4).sin();
    let mse = (1.0 + noise) * (1.0 + 0.2 * k as f64) * 3.0 / (n_train as f64).sqrt() * wiggle;
    let row = KernelRow {
        id: format!("{n_train}-{noise}-{split}-{kernel}-{depth:?}"),
        varied: format!("data.label_noise={noise:.1} data.n_train={n_train} data.split_seed={split}"),
        n_train,
        label_noise: noise,
        ..row(kernel, depth, split, mse)
    };
    let path = (-8..=2).map(|exponent| {
        let relative_ridge = 10.0_f64.powi(exponent);
        let mse_test = mse * (1.0 + 0.1 * f64::from(exponent + 1).powi(2));
        let mse_train = mse * relative_ridge.powi(2) / (1.0 + relative_ridge).powi(2);
        let mse_left_out = Some(1.1 * mse_test);
        RidgePoint { relative_ridge, score: mse_left_out, mse_train, mse_left_out, mse_test }
    });
    let coverage = (1..10).map(|tenth| {
        let level = f64::from(tenth) / 10.0;
        Covered { level, fraction: level.powf(0.9 + 0.05 * k as f64) * wiggle.min(1.0) }
    });
    KernelPoint { row, seconds: 0.0, path: path.collect(), coverage: coverage.collect(), predictions: Vec::new() }
}

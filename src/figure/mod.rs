//! The figures of a run: first plain numbers, then exactly those numbers drawn.
//!
//! Each figure is a file of this module with one function, from the manifest and the finished points to a `Drawing`: a table
//! of numbers, a scene and a caption. The table is written as CSV beside the scene's SVG and PNG, so that a reader can check,
//! or redraw, what the picture shows. Figures read records and statistics and nothing else; the same records give the same
//! bytes, on a machine without fonts too, because the program carries its own.
//!
//! What does not exist is not drawn: a network that diverged enters no mean, is counted in the caption and marked by a cross
//! where it would have stood. A figure without any finite point is an empty panel that says so.

mod annotation;
mod axis;
mod caption;
mod chart;
mod depth;
mod font;
mod gap;
mod kernel_convergence;
mod layout;
mod legend;
mod mean;
mod modes;
mod numbers;
mod panel;
mod prediction;
mod regression;
mod render;
mod scene;
mod sweep;
mod theme;
mod ticks;
mod tiles;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::record::{KernelManifest, KernelPoint, KernelRow, Manifest, Point, Row, file};
use crate::study::findings::Findings;

use annotation::DAGGER;
use numbers::Numbers;
use scene::Scene;
use sweep::Sweep;

/// A figure as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Short name; that of its files.
    pub name: String,
    /// A title for a heading.
    pub title: String,
    /// Full sentences: what is drawn, of which data and networks, with which uncertainty.
    pub caption: String,
    /// The drawing, to scale without loss.
    pub svg: PathBuf,
    /// The drawing as pixels, at twice its size.
    pub png: PathBuf,
    /// The numbers drawn, as CSV.
    pub numbers: PathBuf,
}

/// A figure that is made of rows alone, before it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undrawn {
    /// As it will be called; there are no files yet.
    pub figure: Figure,
    /// What its table of numbers will hold.
    pub numbers: Vec<u8>,
}

/// The figures of an analysis without their pictures, in the order of [`draw_findings`].
///
/// # Errors
/// When numbers cannot be written as CSV.
pub fn undrawn(findings: &Findings) -> Result<Vec<Undrawn>> {
    drawings(findings).map(Drawing::without_picture).collect()
}

/// The figures of a comparison of kernels that its rows have all numbers of, without their pictures.
///
/// # Errors
/// When numbers cannot be written as CSV.
pub fn undrawn_regression(manifest: &KernelManifest, rows: &[&KernelRow]) -> Result<Vec<Undrawn>> {
    regression::of_rows(manifest, rows).into_iter().map(Drawing::without_picture).collect()
}

/// A figure before it is written.
struct Drawing {
    name: &'static str,
    title: &'static str,
    caption: String,
    numbers: Numbers,
    scene: Scene,
}

/// The figures, in the order in which a report shows them.
const FIGURES: [fn(&Manifest, &[Point]) -> Drawing; 5] =
    [gap::draw, depth::draw, kernel_convergence::draw, prediction::draw, modes::draw];

/// Draws every figure of a run into `folder`, which is created where it is missing; older figures are replaced.
///
/// `points` are those finished so far, in any order; all belong to the study of `manifest`, which sweeps depth, width and seed.
///
/// # Errors
/// When the folder cannot be written to.
pub fn draw_all(manifest: &Manifest, points: &[Point], folder: &Path) -> Result<Vec<Figure>> {
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    FIGURES.iter().map(|draw| draw(manifest, points).write(folder)).collect()
}

/// Draws the charts and the maps of an analysis into `folder`, likewise.
///
/// # Errors
/// When the folder cannot be written to.
pub fn draw_findings(findings: &Findings, folder: &Path) -> Result<Vec<Figure>> {
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    drawings(findings).map(|drawing| drawing.write(folder)).collect()
}

fn drawings(findings: &Findings) -> impl Iterator<Item = Drawing> + '_ {
    findings.charts.iter().map(chart::draw).chain(findings.maps.iter().map(tiles::draw))
}

/// Draws every figure of a comparison of kernels into `folder`, likewise.
///
/// # Errors
/// When the folder cannot be written to.
pub fn draw_regression(manifest: &KernelManifest, points: &[KernelPoint], folder: &Path) -> Result<Vec<Figure>> {
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    regression::draw(manifest, points).into_iter().map(|drawing| drawing.write(folder)).collect()
}

impl Drawing {
    fn without_picture(self) -> Result<Undrawn> {
        let Self { name, title, caption, numbers, .. } = self;
        let [svg, png, csv] = ["svg", "png", "csv"].map(|extension| PathBuf::from(format!("{name}.{extension}")));
        let table = numbers.to_csv().map_err(|e| not_drawn(&csv, e.to_string()))?;
        let figure = Figure { name: name.to_owned(), title: title.to_owned(), caption, svg, png, numbers: csv };
        Ok(Undrawn { figure, numbers: table })
    }

    fn write(self, folder: &Path) -> Result<Figure> {
        let Self { name, title, caption, numbers, scene } = self;
        let [svg, png, csv] = ["svg", "png", "csv"].map(|extension| folder.join(format!("{name}.{extension}")));
        let table = numbers.to_csv().map_err(|e| not_drawn(&csv, e.to_string()))?;
        let document = render::svg(&scene, title).map_err(|e| not_drawn(&svg, e))?;
        let image = render::png(&scene).map_err(|e| not_drawn(&png, e))?;
        file::replace(&csv, &table)?;
        file::replace(&svg, document.as_bytes())?;
        file::replace(&png, &image)?;
        Ok(Figure { name: name.to_owned(), title: title.to_owned(), caption, svg, png, numbers: csv })
    }
}

fn not_drawn(path: &Path, problem: String) -> Error {
    Error::Drawing { path: path.to_path_buf(), problem }
}

/// The title of a panel that shows one network, with a dagger where it missed its target.
fn shown_title(row: &Row) -> String {
    let mark = if row.misses_target() { DAGGER } else { "" };
    format!("depth {}, width {}, seed {}{mark}", row.depth, row.width, row.seed)
}

/// What an empty panel says.
fn sentence_for(sweep: &Sweep<'_>) -> &'static str {
    if sweep.n_points() == 0 { "No point is finished yet." } else { "No finite value to draw." }
}

#[cfg(test)]
mod tests;

//! How the test errors of network and kernel fall with the number of training points.
//!
//! What the spectrum of a kernel predicts of them stands beside the errors that `ntk regress` measures with the same config.

use super::super::Evidence;
use super::super::evidence::mishaps;
use super::super::label::{REPLICATES, replicate, title, without};
use super::super::replicates::{about, by_replicate, words};
use super::MOST_PANELS;
use crate::record::Row;
use crate::study::findings::{Axis, Cell, Chart, Findings, Panel, Scale, Series, Statement, Table};

/// A column: its head and its value.
type Method = (&'static str, fn(&Row) -> Option<f64>);

const NETWORK: Method = ("network", |row| row.mse_network);
const NTK_AT_TIME: Method = ("NTK at the networks' time", |row| row.mse_ntk_at_time);
const NTK: Method = ("NTK", |row| Some(row.mse_ntk));
const NNGP: Method = ("NNGP", |row| Some(row.mse_nngp));

/// Fewer sizes have no exponent.
const MIN_SIZES: usize = 3;

/// Networks of one width and setting, on training sets of several sizes.
struct Curve<'a> {
    setting: String,
    depth: usize,
    width: usize,
    rows: Vec<&'a Row>,
}

impl<'a> Curve<'a> {
    /// Those that have several sizes, narrow to wide.
    fn all(evidence: &Evidence<'a>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for &row in evidence.rows {
            let setting = without(&row.varied, &[&["data.n_train"][..], &REPLICATES].concat());
            let is_of = |one: &&mut Self| (&one.setting, one.depth, one.width) == (&setting, row.depth, row.width);
            match all.iter_mut().find(is_of) {
                Some(curve) => curve.rows.push(row),
                None => all.push(Self { setting, depth: row.depth, width: row.width, rows: vec![row] }),
            }
        }
        all.retain(|curve| curve.sizes().len() > 1);
        all.sort_by(|a, b| (&a.setting, a.depth, a.width).cmp(&(&b.setting, b.depth, b.width)));
        all
    }

    fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.rows.iter().map(|row| row.n_train).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    fn trained(&self) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().copied().filter(|row| row.is_trained())
    }

    /// One value per replicate, at one size.
    fn errors(&self, size: usize, value: fn(&Row) -> Option<f64>) -> Vec<f64> {
        let rows = self.trained().filter(|row| row.n_train == size);
        by_replicate(rows, value).into_values().collect()
    }

    /// By how much steeper, replicate by replicate, the network's error falls than the kernel's at its time.
    fn differences_of_exponents(&self, evidence: &Evidence<'_>) -> Vec<f64> {
        let mut replicates: Vec<String> = self.trained().map(|row| replicate(&row.varied)).collect();
        replicates.sort();
        replicates.dedup();
        let exponent = |of: &str, (_, value): Method| {
            let rows = self.trained().filter(|row| replicate(&row.varied) == of);
            let points: Vec<_> = rows.filter_map(|row| Some((row.n_train as f64, value(row)?))).collect();
            evidence.slope(&points).map(|slope| slope.exponent)
        };
        replicates.iter().filter_map(|of| Some(exponent(of, NETWORK)? - exponent(of, NTK_AT_TIME)?)).collect()
    }
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let curves = Curve::all(evidence);
    if curves.is_empty() {
        return Findings::default();
    }
    let widest = |one: &&Curve<'_>| {
        let alike = |other: &&Curve<'_>| (&other.setting, other.depth) == (&one.setting, one.depth);
        one.sizes().len() >= MIN_SIZES && curves.iter().filter(alike).all(|other| other.width <= one.width)
    };
    Findings {
        statements: curves.iter().filter(widest).map(|curve| statement(evidence, curve)).collect(),
        tables: vec![table(evidence, &curves)],
        charts: vec![chart(evidence, &curves)],
        ..Findings::default()
    }
}

fn statement(evidence: &Evidence<'_>, curve: &Curve<'_>) -> Statement {
    let differences = curve.differences_of_exponents(evidence);
    let margin = evidence.manifest.margin;
    Statement::alike(
        format!(
            "At {} and width {} a network learns from more data as fast as its kernel",
            title(curve.depth, &curve.setting),
            curve.width
        ),
        &differences,
        margin,
        evidence.manifest.confidence,
        format!(
            "The exponent of its test error in the number of training points differs from the kernel's by {}, less than {margin} either way being \
             alike",
            words(evidence.mean(differences.iter().copied()))
        ),
        "replicates",
    )
}

fn table(evidence: &Evidence<'_>, curves: &[Curve<'_>]) -> Table {
    let methods = [NETWORK, NTK_AT_TIME, NTK, NNGP];
    let row = |curve: &Curve<'_>, size: usize| {
        let errors = methods.map(|(_, value)| Cell::from(evidence.mean(curve.errors(size, value))));
        [Cell::from(title(curve.depth, &curve.setting)), curve.width.into(), size.into()]
            .into_iter()
            .chain(errors)
            .collect()
    };
    Table {
        title: "Test errors against the number of training points".to_owned(),
        note: "Mean squared test errors in units of the training targets' variance; training sets of one replicate are nested and share their \
               test rows. Seeds are averaged first, and intervals are over replicates. `ntk regress` on the same config sets what a kernel's \
               spectrum predicts beside its error."
            .to_owned(),
        header: ["networks", "width", "training points"]
            .into_iter()
            .chain(methods.map(|(name, _)| name))
            .map(str::to_owned)
            .collect(),
        rows: curves.iter().flat_map(|curve| curve.sizes().into_iter().map(move |size| row(curve, size))).collect(),
    }
}

fn chart(evidence: &Evidence<'_>, curves: &[Curve<'_>]) -> Chart {
    let mut places: Vec<(&str, usize)> = curves.iter().map(|curve| (curve.setting.as_str(), curve.depth)).collect();
    places.dedup();
    let panel = |&(setting, depth): &(&str, usize)| {
        let here: Vec<&Curve<'_>> =
            curves.iter().filter(|one| (one.setting.as_str(), one.depth) == (setting, depth)).collect();
        let series = |label: String, curve: &Curve<'_>, (_, value): Method| {
            let at = |size: usize| (size as f64, evidence.mean(curve.errors(size, value)));
            Series { label, points: curve.sizes().into_iter().map(at).collect() }
        };
        let networks = here.iter().map(|curve| series(format!("network, width {}", curve.width), curve, NETWORK));
        let kernels = here
            .last()
            .into_iter()
            .flat_map(|curve| [NTK_AT_TIME, NTK, NNGP].map(|method| series(method.0.to_owned(), curve, method)));
        let rows = here.iter().flat_map(|curve| &curve.rows);
        Panel {
            title: title(depth, setting),
            series: networks.chain(kernels).collect(),
            guides: Vec::new(),
            mishaps: mishaps(rows.map(|row| (row.n_train as f64, *row))),
        }
    };
    let left_out = match places.len() > MOST_PANELS {
        true => format!(" Of {} kinds of networks {MOST_PANELS} are drawn; the table has all.", places.len()),
        false => String::new(),
    };
    Chart {
        name: "learning_curves",
        title: "Test error against the number of training points",
        caption: format!(
            "Mean squared test error, in units of the training targets' variance, of networks, of the NTK trained for the networks' time, and of \
             regression to the end with the NTK and the NNGP kernel. Markers are means over replicates, bands Student's {} intervals of the \
             mean. {}{left_out}",
            evidence.level(),
            about(evidence)
        ),
        x: Axis::new("training points", Scale::Log2),
        y: Axis::new("mean squared test error", Scale::Log10),
        panels: places.iter().take(MOST_PANELS).map(panel).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::made_up::{row, with_evidence};
    use super::*;
    use crate::study::Decision;

    /// Six replicates whose network's error falls as n^`exponent` and whose kernel's falls as n^-1.
    fn rows(exponent: f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for replicate in 0..6 {
            for n_train in [16, 32, 64] {
                let n = n_train as f64;
                let scale = 1.0 + 0.1 * f64::from(replicate);
                rows.push(Row {
                    varied: format!("data.n_train={n_train} seeds.root={replicate}"),
                    n_train,
                    mse_network: Some(scale * n.powf(exponent)),
                    mse_ntk_at_time: Some(scale / n),
                    ..row(1, 32, 0)
                });
            }
        }
        rows
    }

    #[test]
    fn the_difference_of_exponents_is_what_was_put_in() {
        let decision = |exponent: f64| with_evidence(&rows(exponent), &[], findings).statements[0].decision;
        assert_eq!(
            [decision(-1.02), decision(-1.3), decision(-0.5)],
            [Decision::Holds, Decision::Fails, Decision::Fails]
        );
    }

    #[test]
    fn one_size_is_no_curve() {
        let mut rows = rows(-1.0);
        rows.retain(|row| row.n_train == 16);
        assert_eq!(with_evidence(&rows, &[], findings), Findings::default());
    }
}

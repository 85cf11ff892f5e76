//! The sample-size boundary P*: the most training points with which the network errs no more than its infinite-width limit,
//!
//! ```text
//! MSE(network) <= (1 + margin) MSE(NTK at the same time)    for n_train <= P*
//! ```
//!
//! Beyond about P* ~ sqrt(width) a network is worse than its limit, because the scatter of its kernel starts to count; the mean of an ensemble
//! has less of it and a larger P* (Atanasov et al. 2022). The limit is taken at the network's time, so that what training has not learned by then
//! does not enter.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::is_over_replicates;
use crate::record::Row;
use crate::seed::stream;
use crate::stats::bootstrap;
use crate::stats::{Interval, Slope};
use crate::study::analysis::Evidence;
use crate::study::analysis::evidence::mishaps;
use crate::study::analysis::label::{REPLICATES, in_words, names, replicate, values, without};
use crate::study::analysis::setting::Setting;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Statement, Table, interval_of};
use crate::study::verdict::Decision;

/// What tells no ladders apart: the sizes themselves, what has an axis of its own, and what is averaged over.
const ASIDE: [&str; 5] = ["data.n_train", "arch.width", "arch.depth", REPLICATES[0], REPLICATES[1]];

/// Fewer sizes show no boundary.
const MIN_SIZES: usize = 3;

/// Fewer seeds or replicates have no bootstrap interval worth having.
const MIN_UNITS: usize = 5;
const N_RESAMPLES: usize = 2000;
const MOST_PANELS: usize = 6;

/// The exponent of P* in width that theory expects.
const THEORY: f64 = 0.5;

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let settings = Setting::all(evidence.rows.iter().copied(), &ASIDE);
    let ladders = settings.iter().flat_map(|setting| Ladder::all(evidence, setting));
    let ladders: Vec<Ladder> = ladders.filter(|ladder| ladder.sizes.len() >= MIN_SIZES).collect();
    if ladders.is_empty() {
        return Findings::default();
    }
    let boundaries: Vec<Boundary> = ladders.iter().map(|ladder| Boundary::of(evidence, ladder)).collect();
    let rates = rates(evidence, &ladders, &boundaries);
    Findings {
        statements: statement(&rates).into_iter().collect(),
        tables: [boundary_table(evidence, &ladders, &boundaries)].into_iter().chain(rate_table(&rates)).collect(),
        charts: vec![chart(evidence, &ladders)],
        ..Findings::default()
    }
}

/// The networks of one depth and width over training sizes.
struct Ladder {
    setting: String,
    depth: usize,
    width: usize,
    /// Smallest first.
    sizes: Vec<usize>,
    /// log MSE(network) / MSE(NTK) at every size: of each seed that was trained at all of them, or, where settings are repeated with other
    /// data, of each replicate with the mean over its seeds.
    logs: Vec<Vec<f64>>,
    /// The same of the mean of all seeds' networks; none where there is none at some size.
    of_ensemble: Option<Vec<f64>>,
    /// The most networks in an ensemble.
    n_members: usize,
}

impl Ladder {
    fn all(evidence: &Evidence<'_>, setting: &Setting<'_>) -> Vec<Self> {
        let places: BTreeSet<(usize, usize)> = setting.rows.iter().map(|row| (row.depth, row.width)).collect();
        let of = |(depth, width)| {
            let rows = setting.rows.iter().copied().filter(|row| (row.depth, row.width) == (depth, width));
            Self::of(evidence, &setting.label, &rows.collect::<Vec<_>>())
        };
        places.into_iter().map(of).collect()
    }

    /// Of rows that differ in size, replicate and seed alone.
    fn of(evidence: &Evidence<'_>, setting: &str, rows: &[&Row]) -> Self {
        let (depth, width) = (rows[0].depth, rows[0].width);
        let sizes: Vec<usize> = rows.iter().map(|row| row.n_train).collect::<BTreeSet<_>>().into_iter().collect();
        let is_over_replicates = is_over_replicates(rows);
        let mut units: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
        for row in rows.iter().copied().filter(|row| row.is_trained()) {
            let unit = if is_over_replicates { replicate(&row.varied) } else { row.seed.to_string() };
            units.entry(unit).or_default().push(row);
        }
        let at_size = |rows: &Vec<&Row>, size: usize| {
            let here = rows.iter().filter(|row| row.n_train == size);
            mean(here.filter_map(|row| Some((row.mse_network? / row.mse_ntk_at_time?).ln())))
        };
        let logs = units.values().filter_map(|rows| sizes.iter().map(|size| at_size(rows, *size)).collect()).collect();

        let groups = || {
            let here = evidence.groups.iter().filter(move |group| (group.depth, group.width) == (depth, width));
            here.filter(|group| without(&group.varied, &ASIDE) == setting)
        };
        let of_mean = |size: usize| {
            mean(groups().filter(|group| group.n_train == size).filter_map(|group| {
                let row = rows.iter().find(|row| row.varied == group.varied && row.mse_ntk_at_time.is_some())?;
                Some((group.mse_mean? / row.mse_ntk_at_time?).ln())
            }))
        };
        Self {
            setting: setting.to_owned(),
            depth,
            width,
            logs,
            of_ensemble: sizes.iter().map(|size| of_mean(*size)).collect(),
            n_members: groups().map(|group| group.n_networks).max().unwrap_or(0),
            sizes,
        }
    }

    /// The mean curve of some seeds or replicates; empty where there are none.
    fn curve(logs: &[Vec<f64>]) -> Vec<f64> {
        let n_sizes = logs.first().map_or(0, Vec::len);
        (0..n_sizes).map(|i| logs.iter().map(|log| log[i]).sum::<f64>() / logs.len() as f64).collect()
    }

    fn place_words(&self) -> String {
        let depth = format!("depth {}", self.depth);
        if self.setting.is_empty() { depth } else { format!("{}, {depth}", in_words(&self.setting)) }
    }

    /// The same, as short as a panel's title has to be.
    fn title(&self) -> String {
        let depth = format!("depth {}", self.depth);
        if self.setting.is_empty() { depth } else { format!("{}, {depth}", values(&self.setting)) }
    }

    fn shares_panel(&self, other: &Self) -> bool {
        (&self.setting, self.depth) == (&other.setting, other.depth)
    }
}

/// Of the finite ones; none without any.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Where P* lies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Below the smallest size: the network is worse at every one.
    Below,
    /// Between two sizes, interpolated in log n_train.
    At(f64),
    /// Beyond the largest size: the network is no worse there.
    Beyond,
    /// There is no network at some size.
    Unknown,
}

impl Place {
    /// The last crossing of `limit` by the curve of log ratios.
    fn of(curve: &[f64], sizes: &[usize], limit: f64) -> Self {
        if curve.len() != sizes.len() || curve.is_empty() {
            return Self::Unknown;
        }
        match curve.iter().rposition(|log| *log <= limit) {
            None => Self::Below,
            Some(i) if i + 1 == curve.len() => Self::Beyond,
            Some(i) => {
                let share = (limit - curve[i]) / (curve[i + 1] - curve[i]);
                let (from, to) = ((sizes[i] as f64).ln(), (sizes[i + 1] as f64).ln());
                Self::At((from + share * (to - from)).exp())
            }
        }
    }

    /// Held inside the range of sizes.
    fn held(self, sizes: &[usize]) -> f64 {
        match self {
            Self::Below => sizes[0] as f64,
            Self::At(size) => size,
            Self::Beyond => sizes[sizes.len() - 1] as f64,
            Self::Unknown => f64::NAN,
        }
    }

    fn words(self, sizes: &[usize]) -> String {
        match self {
            Self::Below => format!("below {}", sizes[0]),
            Self::At(size) => format!("{size:.0}"),
            Self::Beyond => format!("beyond {}", sizes[sizes.len() - 1]),
            Self::Unknown => "-".to_owned(),
        }
    }
}

/// P* of one network and of the mean of all.
struct Boundary {
    place: Place,
    interval: Option<Interval>,
    of_ensemble: Place,
}

impl Boundary {
    fn of(evidence: &Evidence<'_>, ladder: &Ladder) -> Self {
        let limit = evidence.manifest.margin.ln_1p();
        let sizes = &ladder.sizes;
        let place = Place::of(&Ladder::curve(&ladder.logs), sizes, limit);
        let held = |logs: &[Vec<f64>]| Place::of(&Ladder::curve(logs), sizes, limit).held(sizes).ln();
        let stream_name = format!("analysis/sample-size/{}/{}/{}", ladder.setting, ladder.depth, ladder.width);
        let mut random = stream(evidence.manifest.root_seed, &stream_name);
        let found = (ladder.logs.len() >= MIN_UNITS && matches!(place, Place::At(_)))
            .then(|| bootstrap(&ladder.logs, held, evidence.manifest.confidence, N_RESAMPLES, &mut random))
            .flatten();
        let interval = found.map(|found| {
            let log = interval_of(found, ladder.logs.len());
            Interval { mean: log.mean.exp(), low: log.low.exp(), high: log.high.exp(), n: log.n }
        });
        let of_ensemble = ladder.of_ensemble.as_deref().map_or(Place::Unknown, |curve| Place::of(curve, sizes, limit));
        Self { place, interval, of_ensemble }
    }
}

fn boundary_table(evidence: &Evidence<'_>, ladders: &[Ladder], boundaries: &[Boundary]) -> Table {
    let entry = |(ladder, boundary): (&Ladder, &Boundary)| {
        let of_one = match boundary.interval {
            Some(interval) => Cell::from(Some(interval)),
            None => boundary.place.words(&ladder.sizes).into(),
        };
        let of_mean = match boundary.of_ensemble {
            Place::Unknown => "-".to_owned(),
            place => format!("{} ({} networks)", place.words(&ladder.sizes), ladder.n_members),
        };
        vec![
            in_words(&ladder.setting).into(),
            ladder.depth.into(),
            ladder.width.into(),
            ladder.logs.len().into(),
            of_one,
            of_mean.into(),
        ]
    };
    Table {
        title: "The sample size up to which a network does as well as its limit".to_owned(),
        note: format!(
            "P*: the most training points at which the test error of the network is no more than {} times that of the NTK at the same \
             time, from the geometric mean of the ratio over {}, interpolated in log n_train. Intervals are bootstrap intervals at {} \
             over the same, of five values or more, held inside the sizes of this run; where P* lies outside of these, the table says \
             on which side. Of an ensemble it is the error of the mean prediction.",
            1.0 + evidence.manifest.margin,
            if is_over_replicates(evidence.rows) { "data replicates" } else { "seeds" },
            evidence.level(),
        ),
        header: ["setting", "depth", "width", "values", "P* of one network", "P* of the ensemble's mean"]
            .map(String::from)
            .to_vec(),
        rows: ladders.iter().zip(boundaries).map(entry).collect(),
    }
}

/// The exponent of P* in width at one setting and depth.
struct Rate {
    place: String,
    n_widths: usize,
    slope: Option<Slope>,
}

/// Wherever P* lies within the sizes at some width.
fn rates(evidence: &Evidence<'_>, ladders: &[Ladder], boundaries: &[Boundary]) -> Vec<Rate> {
    let of = |group: &[(&Ladder, &Boundary)]| {
        let point = |(ladder, boundary): &(&Ladder, &Boundary)| match boundary.place {
            Place::At(size) => Some((ladder.width as f64, size)),
            _ => None,
        };
        let points: Vec<(f64, f64)> = group.iter().filter_map(point).collect();
        Rate { place: group[0].0.place_words(), n_widths: points.len(), slope: evidence.slope(&points) }
    };
    let both: Vec<(&Ladder, &Boundary)> = ladders.iter().zip(boundaries).collect();
    both.chunk_by(|a, b| a.0.shares_panel(b.0)).map(of).filter(|rate| rate.n_widths > 0).collect()
}

/// That P* grows with width, wherever it lies within the sizes at three widths or more. How fast, few widths cannot decide.
fn statement(rates: &[Rate]) -> Option<Statement> {
    let slopes: Vec<Slope> = rates.iter().filter_map(|rate| rate.slope).collect();
    let (least, most) = slopes
        .iter()
        .map(|slope| slope.exponent)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), e| (least.min(e), most.max(e)));
    let n_grows = slopes.iter().filter(|slope| slope.low > 0.0).count();
    let n_falls = slopes.iter().filter(|slope| slope.high < 0.0).count();
    let decision = match (n_grows, n_falls) {
        (n, _) if n == slopes.len() => Decision::Holds,
        (_, 0) => Decision::Undecided,
        _ => Decision::Fails,
    };
    (!slopes.is_empty()).then(|| Statement {
        claim: "The sample size up to which a network does as well as its limit grows with width, wherever it can be seen".to_owned(),
        decision,
        evidence: format!(
            "Exponents of width between {least:.2} and {most:.2} at {} settings and depths, where theory has {THEORY}; above 0 with their whole \
             interval at {n_grows}, below 0 at {n_falls}",
            slopes.len()
        ),
        needed: None,
    })
}

fn rate_table(rates: &[Rate]) -> Option<Table> {
    let entry = |rate: &Rate| vec![rate.place.clone().into(), rate.n_widths.into(), rate.slope.into(), THEORY.into()];
    (!rates.is_empty()).then(|| Table {
        title: "That sample size against width".to_owned(),
        note: "Exponent of P* in width, of the widths at which P* lies within the sizes of this run; three are needed. Leaving out the \
               others makes it too flat. The interval is that of the fit over widths."
            .to_owned(),
        header: ["setting", "widths", "exponent", "theory"].map(String::from).to_vec(),
        rows: rates.iter().map(entry).collect(),
    })
}

fn chart(evidence: &Evidence<'_>, ladders: &[Ladder]) -> Chart {
    let series = |ladder: &Ladder| {
        let point = |(i, size): (usize, &usize)| {
            let log = evidence.mean(ladder.logs.iter().map(|logs| logs[i]));
            let ratio = log.map(|l| Interval { mean: l.mean.exp(), low: l.low.exp(), high: l.high.exp(), n: l.n });
            (*size as f64, ratio)
        };
        Series {
            label: format!("width {}", ladder.width),
            points: ladder.sizes.iter().enumerate().map(point).collect(),
        }
    };
    let limit = 1.0 + evidence.manifest.margin;
    let panel = |group: &[Ladder]| {
        let (first, last) = (group[0].sizes[0] as f64, group[0].sizes[group[0].sizes.len() - 1] as f64);
        let is_here = |row: &&&Row| row.depth == group[0].depth && without(&row.varied, &ASIDE) == group[0].setting;
        Panel {
            title: group[0].title(),
            series: group.iter().map(series).collect(),
            guides: vec![Guide {
                label: format!("{limit} times the NTK's"),
                points: vec![(first, limit), (last, limit)],
            }],
            mishaps: mishaps(evidence.rows.iter().filter(is_here).map(|row| (row.n_train as f64, *row))),
        }
    };
    let n_panels = ladders.chunk_by(Ladder::shares_panel).count();
    // A setting of which networks diverged has curves that say little, and comes in only where there is room.
    let is_whole = |group: &&[Ladder]| group.iter().all(|ladder| !ladder.logs.is_empty());
    let (whole, others): (Vec<&[Ladder]>, Vec<&[Ladder]>) = ladders.chunk_by(Ladder::shares_panel).partition(is_whole);
    let mut panels: Vec<Panel> = whole.into_iter().chain(others).map(panel).collect();
    let left_out = match n_panels {
        n if n > MOST_PANELS => format!(
            " Of {n} settings and depths {MOST_PANELS} are drawn, those first of which no network diverged; the report's table has all."
        ),
        _ => String::new(),
    };
    panels.truncate(MOST_PANELS);
    let keys = match names(&ladders[0].setting) {
        keys if keys.is_empty() => String::new(),
        keys => format!(" Panels are titled by {keys}."),
    };
    Chart {
        name: "sample-size",
        title: "Test error of network over kernel, against sample size",
        caption: format!(
            "Test error of the network over that of the NTK at the same time, against the number of training points, for each width: \
             geometric means over {}; bands are Student's {} intervals of the mean of logarithms. Where a curve last leaves the \
             region below the dotted line lies P*, beyond which theory expects the network to be the worse. Networks in \
             {}.{keys}{left_out}",
            if is_over_replicates(evidence.rows) {
                "data replicates, each with the mean over its seeds"
            } else {
                "seeds"
            },
            evidence.level(),
            evidence.manifest.dtype,
        ),
        x: Axis::new("training points", Scale::Log2),
        y: Axis::new("MSE of network / MSE of NTK", Scale::Log2),
        panels,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::made_up;
    use super::*;

    /// Six seeds at five sizes and three widths, the error of the network 1.1 times the kernel's at n_train = factor sqrt(width) exactly.
    fn rows(factor: f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for (width, size, seed) in [64, 256, 1024]
            .into_iter()
            .flat_map(|w| [16, 32, 64, 128, 256].into_iter().flat_map(move |n| (0..6).map(move |s| (w, n, s))))
        {
            let boundary = factor * (width as f64).sqrt();
            let wiggle = 0.01 * (2.4 * seed as f64).sin();
            let log = 1.1_f64.ln() + 0.3 * (f64::from(size) / boundary).ln() + wiggle;
            rows.push(Row {
                varied: format!("data.n_train={size}"),
                n_train: size as usize,
                mse_network: Some(0.2 * log.exp()),
                ..made_up::row(1, width, seed)
            });
        }
        rows
    }

    #[test]
    fn the_boundary_is_found_with_its_exponent() {
        let found = made_up::with_evidence(&rows(4.0), &[], findings);
        let Cell::Interval(Some(at)) = found.tables[0].rows[1][4] else { panic!("{:?}", found.tables[0]) };
        assert!((at.mean / 64.0 - 1.0).abs() < 0.02 && at.low <= 64.5 && at.high >= 63.5, "{at:?}");
        assert_eq!(found.statements[0].decision, Decision::Holds, "{:?}", found.statements);
    }

    #[test]
    fn a_boundary_outside_the_sizes_is_said_to_be_there() {
        for (factor, words) in [(0.1, "below 16"), (1000.0, "beyond 256")] {
            let found = made_up::with_evidence(&rows(factor), &[], findings);
            assert_eq!(found.tables[0].rows[0][4], Cell::from(words));
            assert!(found.statements.is_empty());
        }
    }

    #[test]
    fn two_sizes_show_no_boundary() {
        let rows: Vec<Row> = rows(4.0).into_iter().filter(|row| row.n_train < 64).collect();
        assert_eq!(made_up::with_evidence(&rows, &[], findings), Findings::default());
    }

    #[test]
    fn the_last_crossing_counts() {
        let sizes = [1, 10, 100, 1000];
        assert_eq!(Place::of(&[0.0, 0.2, 0.0, 0.2], &sizes, 0.1), Place::At(10.0_f64.powf(2.5)));
        assert_eq!(Place::of(&[], &sizes, 0.1), Place::Unknown);
    }
}

//! The numbers to look at: against the width, the number of networks, and the directions of theory's covariance.

use super::super::replicates::about;
use super::ensemble::{Ensemble, rejected};
use super::panels::{along_width, by_depth, by_width, level, widths};
use super::reading::Reading;
use super::{LEVEL, LEVELS, MOST_REJECTED};
use crate::record::{Band, Group};
use crate::stats::Interval;
use crate::study::findings::{Axis, Chart, Guide, Panel, Scale, Series};

/// Panels of a chart.
const MOST_PANELS: usize = 6;

impl Reading<'_> {
    pub(super) fn charts(&self, ensembles: &[Ensemble<'_>]) -> Vec<Chart> {
        let mut charts = vec![self.coverage(ensembles), self.convergence(ensembles), self.spread(ensembles)];
        if self.has_covariance {
            charts.extend([self.covariance(ensembles), self.directions(ensembles)]);
        }
        charts.push(self.shape(ensembles));
        charts.into_iter().map(|chart| self.finished(chart, ensembles)).collect()
    }

    fn coverage(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let covered = |alike: &[&Ensemble<'_>], i: usize| {
            let share = |group: &Group| Some(group.coverage?[i]);
            alike.iter().map(|one| (one.width as f64, self.interval(one, share))).collect()
        };
        Chart {
            name: "coverage",
            title: "Networks within the intervals of theory",
            caption: "Share of trained networks that lie in the central interval which the theory of infinite width gives a network at each test \
                      input, averaged over test inputs and seeds, against the width. Dotted: the share that theory says."
                .to_owned(),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("share of networks in the interval", Scale::Linear),
            panels: by_depth(ensembles, |title, alike| Panel {
                title,
                series: (0..LEVELS.len())
                    .map(|i| Series {
                        label: format!("{} % interval", 100.0 * LEVELS[i]),
                        points: covered(alike, i),
                    })
                    .collect(),
                guides: LEVELS.map(|share| level(widths(alike), share, "as theory says")).to_vec(),
                mishaps: by_width(self.evidence, alike),
            }),
        }
    }

    fn convergence(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let size = |i: usize| 2_f64.powi(i as i32);
        let panels = by_depth(ensembles, |title, alike| {
            let n_sizes =
                |one: &Ensemble<'_>| one.groups.iter().map(|group| group.gaps_of_means.len()).max().unwrap_or(0);
            let most = alike.iter().map(|one| n_sizes(one)).max().unwrap_or(0);
            let series = alike
                .iter()
                .map(|one| Series {
                    label: one.width_label(),
                    points: (0..n_sizes(one))
                        .map(|i| (size(i), self.interval(one, |group| group.gaps_of_means.get(i).copied())))
                        .collect(),
                })
                .collect();
            let variance = alike.last().and_then(|one| self.interval(one, |group| group.variance_predicted));
            let scatter = variance.filter(|variance| variance.mean > 0.0).map(|variance| Guide {
                label: "theory, infinite width: k^-1/2".to_owned(),
                points: (0..most).map(|i| (size(i), (variance.mean / size(i)).sqrt())).collect(),
            });
            let ends = (1.0, size(most.saturating_sub(1)));
            let margin = level(ends, self.margin, format!("margin {}", self.margin));
            let guides = scatter.into_iter().chain([margin]).collect();
            Panel { title, series, guides, ..Panel::default() }
        });
        Chart {
            name: "convergence",
            title: "How near the mean of several networks comes to theory",
            caption: "RMS over test points of the distance between the mean of k trained networks and A_T Y, the prediction of the NTK after the \
                      same training. Dotted: what independent networks of infinite width give, k^-1/2 times their standard deviation, and the \
                      margin. A curve that leaves the slope has reached the distance of its networks' true mean."
                .to_owned(),
            x: Axis::new("networks in the mean, k", Scale::Log2),
            y: Axis::new("RMS distance from theory", Scale::Log10),
            panels,
        }
    }

    fn spread(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let guides = [(1.0, "as theory says"), (1.0 / (1.0 + self.margin), "margin"), (1.0 + self.margin, "margin")];
        Chart {
            name: "spread_ratio",
            title: "The spread of networks over that of theory",
            caption: "Standard deviation over seeds, RMS over test points, divided by that which theory gives networks of infinite width: the \
                      geometric mean over replicates. Dotted: the same spread, and the margin on both sides."
                .to_owned(),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("standard deviation, measured over theory", Scale::Linear),
            panels: along_width(self.evidence, ensembles, &guides, |one| self.spread_ratio(one)),
        }
    }

    fn covariance(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let guides = [(0.0, "as theory says"), (self.most_covariance_distance(), "margin")];
        Chart {
            name: "covariance_distance",
            title: "The distance of the networks' covariance from theory",
            caption: "Distance ||C - S|| / ||S|| in the Frobenius norm between the true covariance C of trained networks at all pairs of test inputs \
                      and that of networks of infinite width, S. Its square is estimated without bias, and what is drawn is the root of the \
                      square's mean over replicates, with the sign of that mean. Dotted: the same covariance, and where standard deviations \
                      that are all off by the margin would put it."
                .to_owned(),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("relative distance of the covariance", Scale::Linear),
            panels: along_width(self.evidence, ensembles, &guides, |one| self.covariance_distance(one)),
        }
    }

    fn directions(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let (low, high) = self.variances();
        let panels = by_depth(ensembles, |title, alike| {
            let series: Vec<Series> = alike
                .iter()
                .map(|one| Series { label: one.width_label(), points: self.along_directions(one) })
                .collect();
            let ranks = || series.iter().flat_map(|series| &series.points).map(|(rank, _)| *rank);
            let ends = (1.0, ranks().fold(1.0, f64::max));
            let guides = [(1.0, "as theory says"), (low, "margin"), (high, "margin")];
            let guides = guides.map(|(height, label)| level(ends, height, label)).to_vec();
            Panel { title, series, guides, ..Panel::default() }
        });
        Chart {
            name: "directions",
            title: "The variance of networks along the directions of theory's covariance",
            caption: "Variance of trained networks over seeds along the eigenvectors of the covariance that theory gives them between test inputs, \
                      in units of theory's, against the eigenvector's rank, that of the largest variance first. A marker is the mean of one \
                      eigenvector, one, two, four and so on, at the middle of their ranks. Dotted: the same variance, and the margin, by which \
                      the mean over the eigenvectors that hold 90 % of the trace is judged."
                .to_owned(),
            x: Axis::new("rank of the direction", Scale::Log2),
            y: Axis::new("variance, measured over theory", Scale::Log10),
            panels,
        }
    }

    /// The variance of each band at the geometric middle of its ranks.
    fn along_directions(&self, one: &Ensemble<'_>) -> Vec<(f64, Option<Interval>)> {
        let longest = one.groups.iter().map(|group| bands(group)).max_by_key(|bands| bands.len()).unwrap_or(&[]);
        let middle = |band: &Band| ((band.first * band.last) as f64).sqrt();
        longest
            .iter()
            .enumerate()
            .map(|(i, band)| (middle(band), self.interval(one, |group| Some(bands(group).get(i)?.variance))))
            .collect()
    }

    fn shape(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let guides = [(LEVEL, "normal networks"), (MOST_REJECTED, "most that counts as normal")];
        Chart {
            name: "normality",
            title: "Where networks are not normally distributed",
            caption: "Share of test inputs at which D'Agostino's test of the networks' predictions has p < 0.05. Dotted: the share of normal \
                      networks, which is 0.05 at any number of seeds, and twice that; the more seeds, the smaller the departures that the test \
                      sees."
                .to_owned(),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("share of test inputs with p < 0.05", Scale::Linear),
            panels: along_width(self.evidence, ensembles, &guides, |one| self.interval(one, rejected)),
        }
    }

    /// With no more panels than can be drawn, and with what all captions say.
    fn finished(&self, mut chart: Chart, ensembles: &[Ensemble<'_>]) -> Chart {
        let n_panels = chart.panels.len();
        chart.panels.truncate(MOST_PANELS);
        let left_out = match n_panels > MOST_PANELS {
            true => format!(" Of {n_panels} kinds of networks {MOST_PANELS} are drawn; the tables have all."),
            false => String::new(),
        };
        let n_diverged: usize = ensembles.iter().flat_map(|one| &one.groups).map(|group| group.n_diverged).sum();
        let diverged = match n_diverged {
            0 => String::new(),
            n => format!(" {n} networks diverged and take no part."),
        };
        let caption = format!(
            "{} Markers are means over replicates, bands Student's {} intervals of the mean. {}{diverged}{left_out}",
            chart.caption,
            self.evidence.level(),
            about(self.evidence)
        );
        Chart { caption, ..chart }
    }
}

fn bands(group: &Group) -> &[Band] {
    group.covariance.as_ref().map_or(&[], |covariance| &covariance.bands)
}

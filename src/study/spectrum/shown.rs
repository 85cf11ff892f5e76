//! A spectrum as tables and charts.

use super::{KernelSpectrum, Mode};
use crate::stats::Interval;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Table};

impl KernelSpectrum {
    /// What a reader wants to see of it; of many modes some.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let tables = [self.numbers(), self.steps(), self.modes(), self.early_stopping(), self.learning_curve()];
        let charts = [Some(self.tails_chart()), self.stopping_chart()];
        Findings {
            tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
            charts: charts.into_iter().flatten().collect(),
            ..Findings::default()
        }
    }

    fn numbers(&self) -> Table {
        let n_rows = self.n_rows;
        let mut rows: Vec<[Cell; 3]> = vec![
            ["rows of the matrix".into(), n_rows.into(), format!("{} inputs", self.n_train).into()],
            ["outputs".into(), self.n_outputs.into(), "".into()],
            ["ridge".into(), self.ridge.into(), "added to the diagonal".into()],
            ["mean diagonal".into(), self.mean_diagonal.into(), "the trace over the rows".into()],
        ];
        let mut add = |name: &str, value: Option<Cell>, meaning: String| {
            rows.extend(value.map(|value| [name.into(), value, meaning.into()]));
        };
        let number = |value: Option<f64>| value.map(Cell::from);
        let dropped = format!("count as zero, at or below {:.1e}", self.eigenvalue_cutoff);
        add("eigenvalues dropped", self.n_dropped.map(Cell::from), dropped);
        add("condition number", number(self.condition), "of the rest, with the ridge".to_owned());
        add("digits to trust", number(self.trusted_digits), "of a solve, -log10(condition x rounding)".to_owned());
        add("effective rank", number(self.effective_rank), format!("(tr K)^2 / |K|^2, of {n_rows}"));
        add("degrees of freedom", number(self.degrees_of_freedom), "tr K (K + ridge)^-1".to_owned());
        add("target alignment", number(self.target_alignment), "centred, 0 to 1".to_owned());
        if let Some(decay) = self.decay {
            let meaning =
                format!("s_i ~ i^p over modes {} to {}, interval of the fit over modes", decay.first, decay.last);
            add("decay exponent", Some(Some(decay.slope).into()), meaning);
        }
        for within in &self.target_within {
            let name = format!("modes with {} % of the target", 100.0 * within.share);
            let beyond = || format!("more than {}", self.modes.len()).into();
            add(&name, Some(within.n_modes.map_or_else(beyond, Cell::from)), "the first".to_owned());
        }
        if let Some(training) = self.training {
            let meaning = format!("shrunk by e after the config's training, time {:.4}", training.time);
            let is_all_found = training.n_modes == self.modes.len() && self.modes.len() < n_rows;
            let n_modes =
                if is_all_found { format!("at least {}", training.n_modes).into() } else { training.n_modes.into() };
            add("modes learned", Some(n_modes), meaning);
        }
        Table {
            title: format!("{} on {}", self.kernel, self.dataset),
            note: "Of the kernel matrix on the training rows.".to_owned(),
            header: ["number", "value", "what it is"].map(str::to_owned).to_vec(),
            rows: rows.into_iter().map(Vec::from).collect(),
        }
    }

    fn steps(&self) -> Table {
        let row = |step: &super::LargestStep| {
            let own = step.step.map_or_else(|| "".into(), Cell::from);
            vec![step.optimizer.into(), step.momentum.into(), step.loss.into(), step.largest.into(), own]
        };
        Table {
            title: "Largest stable steps".to_owned(),
            note: "Steps of this size and above diverge.".to_owned(),
            header: ["optimizer", "momentum", "loss", "largest step", "config's step"].map(str::to_owned).to_vec(),
            rows: self.steps.iter().map(row).collect(),
        }
    }

    fn modes(&self) -> Table {
        let has_residuals = self.modes.iter().any(|mode| mode.residual.is_some());
        let never = |value: Option<f64>| value.map_or_else(|| "never".into(), Cell::from);
        // No kernel says what Adam does.
        let has_steps = self.modes.iter().any(|mode| mode.steps.is_some());
        let row = |mode: &Mode| {
            let mut row: Vec<Cell> = vec![mode.number.into(), mode.eigenvalue.into()];
            row.extend(has_residuals.then(|| mode.residual.map_or_else(|| "".into(), Cell::from)));
            row.extend([mode.cumulated_trace, mode.power, mode.cumulated_power].map(Cell::from));
            row.extend([never(mode.time), if has_steps { never(mode.steps) } else { "-".into() }]);
            row
        };
        let mut header = vec!["mode", "eigenvalue"];
        header.extend(has_residuals.then_some("residual"));
        header.extend(["trace up to it", "target along it", "target up to it", "time", "steps"]);
        Table {
            title: "Modes".to_owned(),
            note: "Shares of the trace and of the targets' sum of squares; the time of gradient flow, and the steps of the config's optimizer, in \
                   which an error along the mode shrinks by e."
                .to_owned(),
            header: header.into_iter().map(str::to_owned).collect(),
            rows: shown(self.modes.len()).into_iter().map(|i| row(&self.modes[i])).collect(),
        }
    }

    fn early_stopping(&self) -> Table {
        let distance = |value: Option<f64>| value.map_or_else(|| "-".into(), Cell::from);
        let row = |stopping: &super::Stopping| {
            let bounded = |ridge: f64| match (stopping.is_at_edge, stopping.best_ridge < stopping.ridge) {
                (false, _) => Cell::from(ridge),
                (true, true) => format!("below {ridge:.2e}").into(),
                (true, false) => format!("above {ridge:.2e}").into(),
            };
            vec![
                stopping.time.into(),
                stopping.ridge.into(),
                distance(stopping.distance),
                bounded(stopping.best_ridge),
                bounded(stopping.best_relative_ridge),
                distance(stopping.best_distance),
                if stopping.is_training { "the config's training" } else { "" }.into(),
            ]
        };
        Table {
            title: "Stopping early beside a ridge".to_owned(),
            note: "Gradient flow until a time beside regression with the ridge N O / t, and with the ridge that predicts most alike (also over the \
                   mean diagonal): RMS distances of the predictions at the test inputs, over the RMS of what was learned until then."
                .to_owned(),
            header: ["time", "N O / t", "distance", "closest ridge", "over mean diagonal", "distance of it", ""]
                .map(str::to_owned)
                .to_vec(),
            rows: self.early_stopping.iter().map(row).collect(),
        }
    }

    fn learning_curve(&self) -> Table {
        let row = |point: &super::CurvePoint| {
            vec![
                point.n_train.into(),
                point.error.map_or_else(|| "infinite".into(), Cell::from),
                point.n_learned.into(),
            ]
        };
        Table {
            title: "Predicted learning curve".to_owned(),
            note: "The test error that the spectrum of `regress.n_pool` rows predicts, over the variance of the targets, on average over training \
                   sets; sizes close to the pool's are predicted too low."
                .to_owned(),
            header: ["training rows", "mean squared error", "modes learned"].map(str::to_owned).to_vec(),
            rows: self.learning_curve.iter().map(row).collect(),
        }
    }

    /// What is left of the kernel and of the target beyond the first modes.
    fn tails_chart(&self) -> Chart {
        let picked = shown(self.modes.len());
        let along = |value: &dyn Fn(&Mode) -> f64| -> Vec<(f64, Option<Interval>)> {
            let point = |i: &usize| (self.modes[*i].number as f64, positive(value(&self.modes[*i])));
            picked.iter().map(point).collect()
        };
        let largest = self.modes.first().map_or(1.0, |mode| mode.eigenvalue);
        let series = |label: &str, points| Series { label: label.to_owned(), points };
        let guide = self.decay.map(|decay| {
            let value = |i: usize| {
                let number = i as f64;
                // The fit is of eigenvalues as they are given to it, whatever their scale.
                (number, (decay.slope.log_intercept + decay.slope.exponent * number.ln()).exp() / largest)
            };
            Guide { label: "power law".to_owned(), points: vec![value(decay.first), value(decay.last)] }
        });
        Chart {
            name: "spectrum",
            title: "Spectrum",
            caption: format!(
                "Eigenvalues of the {} on {} training rows of {}, over the largest, and the shares of the trace and of the targets' sum of squares \
                 that lie beyond the first modes: what falls fast is learned early.{}",
                self.kernel,
                self.n_train,
                self.dataset,
                self.decay.map_or_else(String::new, |decay| format!(
                    " The dotted line is the power law fitted to modes {} to {}, of exponent {:.2}.",
                    decay.first, decay.last, decay.slope.exponent
                ))
            ),
            x: Axis::new("mode", Scale::Log10),
            y: Axis::new("share", Scale::Log10),
            panels: vec![Panel {
                series: vec![
                    series("eigenvalue over the largest", along(&|mode| mode.eigenvalue / largest)),
                    series("trace beyond", along(&|mode| 1.0 - mode.cumulated_trace)),
                    series("target beyond", along(&|mode| 1.0 - mode.cumulated_power)),
                ],
                guides: guide.into_iter().collect(),
                ..Panel::default()
            }],
        }
    }

    fn stopping_chart(&self) -> Option<Chart> {
        let points = |ridge: &dyn Fn(&super::Stopping) -> Option<f64>| -> Vec<(f64, Option<Interval>)> {
            self.early_stopping.iter().map(|one| (one.time, ridge(one).and_then(positive))).collect()
        };
        let series = |label: &str, points| Series { label: label.to_owned(), points };
        (!self.early_stopping.is_empty()).then(|| Chart {
            name: "distance_to_ridge",
            title: "Stopping early beside a ridge",
            caption: format!(
                "How far gradient flow under the {} until a time is from regression with the ridge N O / t, and from that with the ridge which \
                 predicts most alike: RMS of the difference at the test inputs of {}, over the RMS of what was learned until then.",
                self.kernel, self.dataset
            ),
            x: Axis::new("time t", Scale::Log10),
            y: Axis::new("relative distance", Scale::Log10),
            panels: vec![Panel {
                series: vec![
                    series("ridge N O / t", points(&|one| one.distance)),
                    series("closest ridge", points(&|one| one.best_distance)),
                ],
                ..Panel::default()
            }],
        })
    }
}

/// Of a computed number, which has no interval; none where a logarithm has no place for it, or rounding left it.
fn positive(value: f64) -> Option<Interval> {
    (value > 1e-15).then_some(Interval { mean: value, low: value, high: value, n: 1 })
}

/// Modes that are worth a line: the first ten, then some in every factor of two, and the last.
fn shown(n_modes: usize) -> Vec<usize> {
    let later = (0..).map(|k| (10.0 * 2.0_f64.powf(f64::from(k) / 4.0)).round() as usize);
    let mut shown: Vec<usize> = (0..n_modes.min(10)).chain(later.take_while(|i| *i < n_modes)).collect();
    shown.extend(n_modes.checked_sub(1));
    shown.sort_unstable();
    shown.dedup();
    shown
}

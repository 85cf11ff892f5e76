//! The progress bar of a run; it vanishes when stderr is no terminal.

use std::collections::HashMap;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ntk::record::Row;
use ntk::study::{PointPlan, Progress, Study};

use super::interrupt::Interrupt;

/// A step costs its parameters, and this much beside: the overhead of a pass through a small network.
const FIXED_COST: usize = 20_000;

pub(super) struct Bar {
    bar: ProgressBar,
    interrupt: Interrupt,
    /// Of every point, what a step costs and how many there are.
    costs: HashMap<String, (u64, u64)>,
    done: u64,
    /// Of every point that is under way, the steps so far.
    present: HashMap<String, u64>,
}

impl Bar {
    pub(super) fn new(study: &Study, interrupt: Interrupt, quiet: bool) -> Self {
        let mut costs = HashMap::new();
        for plan in &study.plans {
            let n_steps = plan.config.train.n_steps as u64;
            let cost = |point: &PointPlan| (point.architecture.n_parameters() + FIXED_COST) as u64;
            costs.extend(plan.points.iter().map(|point| (point.id.clone(), (cost(point), n_steps))));
        }
        let whole = costs.values().map(|(cost, n_steps)| cost.saturating_mul(*n_steps));
        let bar = ProgressBar::new(whole.fold(0, u64::saturating_add));
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        // A template of this program's own, checked by the test below.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, interrupt, costs, done: 0, present: HashMap::new() }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let present = self.present.iter().map(|(id, steps)| self.cost_of(id).0.saturating_mul(*steps));
        self.bar.set_position(present.fold(self.done, u64::saturating_add));
    }

    fn cost_of(&self, id: &str) -> (u64, u64) {
        self.costs.get(id).copied().unwrap_or_default()
    }

    fn add(&mut self, id: &str) {
        let (cost, n_steps) = self.cost_of(id);
        self.done = self.done.saturating_add(cost.saturating_mul(n_steps));
    }
}

const TEMPLATE: &str = "{percent:>3} % [{bar:30}] {elapsed} elapsed, {eta} left  {msg}";

impl Progress for Bar {
    fn begin(&mut self, n_points: usize, n_finished: usize) {
        if n_finished > 0 {
            log::info!("resuming: {n_finished} of {n_points} points are there already");
        }
    }

    fn skipped(&mut self, point: &PointPlan) {
        self.add(&point.id);
        self.bar.set_position(self.done);
        // The time left follows from what this run has done, not from what an earlier one did.
        self.bar.reset_eta();
    }

    fn point(&mut self, point: &PointPlan) {
        self.present.insert(point.id.clone(), 0);
        let architecture = &point.architecture;
        self.bar.set_message(format!(
            "depth {}, width {}, seed {}",
            architecture.depth(),
            architecture.width(),
            point.seed
        ));
    }

    fn step(&mut self, point: &PointPlan, step: usize) {
        // A network of a low stability bound takes more steps than the plan says.
        let (_, n_steps) = self.cost_of(&point.id);
        if let Some(steps) = self.present.get_mut(&point.id) {
            *steps = n_steps.min(step as u64);
        }
        self.show();
    }

    fn finished(&mut self, row: &Row) {
        if self.present.remove(&row.id).is_some() {
            self.add(&row.id);
        }
        self.show();
        if row.misses_target() {
            self.bar.suspend(|| {
                log::warn!(
                    "the network of depth {}, width {}, seed {} took all {} steps without meeting its rule to stop",
                    row.depth,
                    row.width,
                    row.seed,
                    row.n_steps
                );
            });
        }
        if !row.is_trained() {
            self.bar.suspend(|| {
                log::warn!("the network of depth {}, width {}, seed {} diverged", row.depth, row.width, row.seed);
            });
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_asked()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_valid() {
        assert!(indicatif::ProgressStyle::with_template(super::TEMPLATE).is_ok());
    }
}

//! The progress bar of a run; it vanishes when stderr is no terminal.

use std::collections::HashMap;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ntk::record::Row;
use ntk::study::{Plan, PointPlan, Progress};

use super::interrupt::Interrupt;

/// A step costs its parameters, and this much beside: the overhead of a pass through a small network.
const FIXED_COST: usize = 20_000;

pub(super) struct Bar {
    bar: ProgressBar,
    interrupt: Interrupt,
    n_steps: u64,
    /// Cost of one step of every point, by the order of the plan.
    costs: Vec<(String, u64)>,
    done: u64,
    /// Of every point that is under way, the cost of a step and the steps so far.
    present: HashMap<String, (u64, u64)>,
}

impl Bar {
    pub(super) fn new(plan: &Plan, interrupt: Interrupt, quiet: bool) -> Self {
        let cost = |point: &PointPlan| (point.architecture.n_parameters() + FIXED_COST) as u64;
        let costs: Vec<_> = plan.points.iter().map(|point| (point.id.clone(), cost(point))).collect();
        let n_steps = plan.config.train.n_steps as u64;
        let bar = ProgressBar::new(n_steps.saturating_mul(costs.iter().map(|(_, cost)| cost).sum::<u64>()));
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        // A template of this program's own, checked by the test below.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, interrupt, n_steps, costs, done: 0, present: HashMap::new() }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let present = self.present.values().map(|(cost, steps)| cost.saturating_mul(*steps));
        self.bar.set_position(present.fold(self.done, u64::saturating_add));
    }

    fn cost_of(&self, id: &str) -> u64 {
        self.costs.iter().find(|(other, _)| other == id).map_or(0, |(_, cost)| *cost)
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
        self.done = self.done.saturating_add(self.cost_of(&point.id).saturating_mul(self.n_steps));
        self.bar.set_position(self.done);
        // The time left follows from what this run has done, not from what an earlier one did.
        self.bar.reset_eta();
    }

    fn point(&mut self, point: &PointPlan) {
        self.present.insert(point.id.clone(), (self.cost_of(&point.id), 0));
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
        if let Some((_, steps)) = self.present.get_mut(&point.id) {
            *steps = self.n_steps.min(step as u64);
        }
        self.show();
    }

    fn finished(&mut self, row: &Row) {
        if let Some((cost, _)) = self.present.remove(&row.id) {
            self.done = self.done.saturating_add(cost.saturating_mul(self.n_steps));
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

//! One kernel on a training set that is too large to take its matrix apart: hyperparameters from some of the rows, the regression by
//! conjugate gradients on all of them.

use std::path::PathBuf;

use super::fit::{Chosen, in_units};
use super::plan::{Cell, KernelPlan};
use crate::error::Result;
use crate::kernel::implicit::{ImplicitGram, cross_times};
use crate::linalg::{Ending, Entries, Operator, available_memory};
use crate::record::{KernelPoint, KernelRow, finite};
use crate::regress::{Iteration, Seen, System};
use crate::seed::stream;

/// How much of the free memory the kept parts of a kernel may take.
const SHARE: f64 = 0.7;

/// Up to so many training rows, making the kernel anew for every product costs little, and rounding it nothing.
const MIN_KEPT: usize = 4096;

pub(super) fn iterate(
    cell: &Cell,
    plan: &KernelPlan,
    how: &Iteration,
    watch: &(dyn Fn(&str) -> Result<()> + Sync),
    kept_at: PathBuf,
) -> Result<KernelPoint> {
    let (split, root_seed) = (&cell.split, cell.config.seeds.root);
    let (x_train, y_train) = (&split.x_train, &split.y_train);
    let n = x_train.n_rows();
    watch(&format!("choosing by {} rows", cell.config.regress.n_selection.min(n)))?;
    let choice = Chosen::by_some(cell, plan)?;

    choice.candidate.with(|kernel| {
        let pass = |done: f64| watch(&format!("first product with the kernel, {:.0} %", 100.0 * done));
        let check = |done: f64| watch(&format!("exact residual, {:.0} %", 100.0 * done));
        let exact = ImplicitGram::new(kernel, x_train).watched(&check);
        let copy = ImplicitGram::new(kernel, x_train).kept().watched(&pass);
        let fits = n > MIN_KEPT && available_memory().is_none_or(|free| ImplicitGram::kept_bytes(n) < SHARE * free);
        log::info!(
            "{n} training rows: the kernel's parts take {:.1} GB and {}",
            ImplicitGram::kept_bytes(n) * 1e-9,
            if fits { "are kept" } else { "are made anew for every product" }
        );
        let diagonal = exact.diagonal()?;
        let ridge = choice.relative_ridge * diagonal.iter().sum::<f64>() / n as f64;
        let system = System {
            exact: &exact,
            rounded: fits.then_some(&copy as &dyn Operator),
            ridge,
            y: y_train,
            kept_at: Some(kept_at),
            name: plan.id.clone(),
        };
        let mut seen = |seen: Seen| {
            let left = seen.n_left(how.tolerance).map_or(String::new(), |left| format!(", about {left} left"));
            watch(&format!("iteration {}, residual {:.1e}{left}", seen.n_iterations, seen.residual))
        };
        let mut random = stream(root_seed, &format!("pivots/{}", plan.id));
        let solution = system.solve(how, &mut random, &mut seen)?;
        log::info!("{} rounds of refinement", solution.n_rounds);
        let prediction = cross_times(kernel, &split.x_test, x_train, &solution.weights)?;

        let unit = split.target_deviation(&cell.config.data).powi(2);
        let row = KernelRow {
            // Y - K W is what is missing, and ridge W.
            mse_train: (&solution.missing + &solution.weights.map(|w| ridge * w)).rms().powi(2) / unit,
            residual: finite(solution.residual),
            n_iterations: Some(solution.n_iterations),
            is_rounded: Some(fits),
            rank: Some(solution.rank),
            trace_left: finite(solution.trace_left),
            ending: Some(
                match solution.ending {
                    Ending::Converged => "converged",
                    Ending::Stalled => "stalled",
                    Ending::Exhausted => "exhausted",
                }
                .to_owned(),
            ),
            ..choice.row(cell, plan, ridge, &prediction)
        };
        let predictions = in_units(&prediction, unit.sqrt());
        Ok(KernelPoint { row, seconds: 0.0, path: Vec::new(), coverage: Vec::new(), predictions })
    })
}

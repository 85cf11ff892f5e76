//! The analytic kernels, written row after row.

use ntk::arch::Architecture;
use ntk::error::Result;
use ntk::kernel::analytic::{AnalyticKernel, Evaluation};
use ntk::record::npy;

use super::{Request, Which};

/// Bytes of the rows that are held at a time.
const BLOCK_BYTES: usize = 1 << 26;

/// Writes what is wanted of the analytic kernels.
pub(super) fn write(architecture: Architecture, request: &Request<'_>) -> Result<()> {
    let kernel = AnalyticKernel::new(architecture);
    let evaluation = kernel.evaluate(request.x1, request.x2)?;
    let error = evaluation.quadrature_error();
    if error.nngp.max(error.ntk) > 0.0 {
        request.output.words(&format!(
            "note: the activation has no closed form; the nngp is right to {:.0e}, a layer's factor of the ntk to {:.0e}",
            error.nngp, error.ntk
        ));
    }
    let diagonal = evaluation.diagonal();
    for (which, values) in [(Which::NngpDiagonal, &diagonal.nngp), (Which::NtkDiagonal, &diagonal.ntk)] {
        if let Some(mut writer) = request.begin(which, &[values.len()])? {
            writer.append(values)?;
            writer.finish()?;
        }
    }
    if request.wants(Which::Nngp) || request.wants(Which::Ntk) {
        stream(&evaluation, request)?;
    }
    Ok(())
}

fn stream(evaluation: &Evaluation<'_>, request: &Request<'_>) -> Result<()> {
    let (n_rows, n_columns) = evaluation.shape();
    let begin = |which: Which| request.begin(which, &[n_rows, n_columns]);
    let (mut nngp, mut ntk) = (begin(Which::Nngp)?, begin(Which::Ntk)?);
    let estimate = evaluation.estimate();
    request.announce((n_rows, n_columns), estimate);
    let bar = request.bar(n_rows, estimate.as_secs_f64());
    // In blocks of which at least a hundred make the whole, so that there is something to see.
    let n_block = (BLOCK_BYTES / (16 * n_columns.max(1))).clamp(1, n_rows.div_ceil(100).max(32));
    for (rows, block) in evaluation.row_blocks(n_block) {
        request.interrupt.check()?;
        for (writer, block) in [(&mut nngp, &block.nngp), (&mut ntk, &block.ntk)] {
            if let Some(writer) = writer {
                writer.append(block.values())?;
            }
        }
        bar.set_position(rows.end as u64);
    }
    bar.finish_and_clear();
    [nngp, ntk].into_iter().flatten().try_for_each(npy::Writer::finish)
}

//! What threads share of one network's work.

use rayon::prelude::*;

/// Does `work` on a thread of the pool, so that what it shares among threads need not be brought there part by part; on the present thread
/// where it `is_on_host` no longer: a GPU has its own order of things for every thread.
pub(super) fn in_pool<R: Send>(is_on_host: bool, work: impl FnOnce() -> R + Send) -> R {
    if is_on_host { rayon::scope(|_| work()) } else { work() }
}

/// `work` on all `tasks`, in their order; shared among threads if that `is_worth` it. One task is never handed over, so that what it does
/// itself may use all threads.
pub(crate) fn in_parallel<T: Send, R: Send>(
    is_worth: bool,
    tasks: Vec<T>,
    work: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    if is_worth && tasks.len() > 1 {
        tasks.into_par_iter().map(work).collect()
    } else {
        tasks.into_iter().map(work).collect()
    }
}

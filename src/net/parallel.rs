//! What threads share of one network's work.

use rayon::prelude::*;

/// Does `work` on a thread of the pool if it `is_shared`, so that what threads share of it need not be brought there part by part.
pub(crate) fn in_pool<R: Send>(is_shared: bool, work: impl FnOnce() -> R + Send) -> R {
    if is_shared { rayon::scope(|_| work()) } else { work() }
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

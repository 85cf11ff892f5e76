//! What threads share of one network's work.

use rayon::prelude::*;

/// Does `work` on a thread of the pool, so that what it shares among threads need not be brought there part by part.
pub(super) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// `work` on all `tasks`, in their order; alone on one task, so that what it does itself may use all threads.
pub(crate) fn in_parallel<T: Send, R: Send>(tasks: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if tasks.len() > 1 { tasks.into_par_iter().map(work).collect() } else { tasks.into_iter().map(work).collect() }
}

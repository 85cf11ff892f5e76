//! Many small networks at once.
//!
//! A small network cannot use several cores: its products are too short to share. Several networks can, one to a thread, with the
//! same numbers as each alone, because a product's rounding does not depend on how many threads share it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPoolBuilder;

use crate::arch::Architecture;
use crate::error::{Error, Result};

/// Multiplications in a layer's product above which its threads are used better by one network than by several; measured, see
/// benches/peers.
const MAX_PRODUCT: usize = 1 << 26;

/// How many networks of this architecture to train at once, so that `n_threads` threads do most in all.
#[must_use]
pub fn n_side_by_side(architecture: &Architecture, n_train: usize, n_threads: usize) -> usize {
    let largest = architecture.maps().iter().map(|map| map.n_in.saturating_mul(map.n_out)).max().unwrap_or(1);
    if largest.saturating_mul(n_train) > MAX_PRODUCT { 1 } else { n_threads.max(1) }
}

/// Calls `task` for the numbers from 0 to `n` on `n_workers` threads, each with a share of the present thread pool's threads, and collects
/// what they return in the order of the numbers. An error ends what has not begun.
///
/// # Errors
/// The tasks' own: of several the one of the lowest number, whichever came first, because every task before it has begun and runs to its
/// end. Threads that the system refuses.
pub fn side_by_side<T: Send>(n: usize, n_workers: usize, task: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    if n_workers <= 1 || n <= 1 {
        return (0..n).map(task).collect();
    }
    let n_threads = (rayon::current_num_threads() / n_workers).max(1);
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(n));
    let work = || -> std::result::Result<(), (usize, Error)> {
        let refused = |reason| (0, Error::Check(format!("the system starts no thread: {reason}")));
        let pool = ThreadPoolBuilder::new().num_threads(n_threads).build().map_err(refused)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= n {
                return Ok(());
            }
            match pool.install(|| task(number)) {
                Ok(result) => done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, result)),
                Err(error) => {
                    next.store(n, Ordering::Relaxed);
                    return Err((number, error));
                }
            }
        }
    };
    let outcomes = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..n_workers.min(n)).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    if let Some((_, error)) =
        outcomes.into_iter().filter_map(std::result::Result::err).min_by_key(|(number, _)| *number)
    {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_errors_the_one_of_the_lower_number_counts_though_it_came_later() {
        let second = std::sync::Barrier::new(2);
        let failed = side_by_side(2, 2, |number| -> Result<()> {
            second.wait();
            if number == 0 {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Err(Error::Check(number.to_string()))
        });
        assert!(failed.unwrap_err().to_string().contains('0'));
    }

    #[test]
    fn results_come_in_order_and_an_error_ends_the_rest() {
        assert_eq!(side_by_side(5, 2, |number| Ok(number * number)).unwrap(), [0, 1, 4, 9, 16]);
        assert!(side_by_side(0, 3, Ok).unwrap().is_empty());
        let begun = AtomicUsize::new(0);
        let failed = side_by_side(1000, 2, |number| {
            begun.fetch_add(1, Ordering::Relaxed);
            if number == 3 { Err(Error::Interrupted) } else { Ok(()) }
        });
        assert!(matches!(failed, Err(Error::Interrupted)) && begun.into_inner() < 1000);
    }
}

//! Zeros for large results.
//!
//! A fresh page of memory costs the system a fault, a microsecond or two, at its first touch. A kernel of 5000 inputs is 50,000 pages of 4
//! kilobytes, which take as long as computing it; asked for in pages of 2 megabytes, they take next to nothing.

use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::{MmapMut, MmapOptions};

use crate::error::{Error, Result};

/// Numbers that start at 0, in one piece.
#[derive(Debug)]
pub struct Buffer<T> {
    memory: Memory<T>,
}

#[derive(Debug)]
enum Memory<T> {
    Small(Vec<T>),
    Large(MmapMut),
}

/// Below this many bytes, the allocator's own pages are as good.
const LARGE: usize = 4 << 20;

impl<T: Pod> Buffer<T> {
    /// `n` zeros.
    #[must_use]
    pub fn zeros(n: usize) -> Self {
        let small = || Memory::Small(vec![T::zeroed(); n]);
        let n_bytes = n * size_of::<T>();
        if n_bytes < LARGE {
            return Self { memory: small() };
        }
        // Where the system will not map it, the allocator may still find it.
        let memory = MmapOptions::new().len(n_bytes).map_anon().map_or_else(|_| small(), Memory::Large);
        #[cfg(target_os = "linux")]
        if let Memory::Large(map) = &memory {
            // A wish: a system without large pages does without.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Self { memory }
    }
}

/// Bytes of memory that can still be had, as far as the system says (Linux does).
#[must_use]
pub fn available_memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024.0 * kilobytes)
}

/// Refuses what takes more than the memory that can still be had; without knowing how much that is, nothing.
///
/// # Errors
/// [`Error::TooLarge`] with both numbers.
pub fn ensure_fits(n_bytes: f64, what: impl FnOnce() -> String, remedy: &'static str) -> Result<()> {
    match available_memory() {
        Some(available) if n_bytes > available => {
            Err(Error::TooLarge { what: what(), needed: n_bytes * 1e-9, available: available * 1e-9, remedy })
        }
        _ => Ok(()),
    }
}

impl<T: Pod> From<Vec<T>> for Buffer<T> {
    fn from(values: Vec<T>) -> Self {
        Self { memory: Memory::Small(values) }
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.memory {
            Memory::Small(values) => values,
            Memory::Large(map) => bytemuck::cast_slice(map),
        }
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.memory {
            Memory::Small(values) => values,
            Memory::Large(map) => bytemuck::cast_slice_mut(map),
        }
    }
}

impl<T: Pod> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Pod + PartialEq> PartialEq for Buffer<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_buffers_start_at_zero_and_keep_what_is_written() {
        for n in [0, 1, 1 << 10, 1 << 20] {
            let mut buffer = Buffer::<f64>::zeros(n);
            assert!(buffer.len() == n && buffer.iter().all(|value| *value == 0.0));
            if let Some(last) = buffer.last_mut() {
                *last = 2.5;
            }
            assert!(buffer.clone() == buffer && buffer.last().is_none_or(|last| *last == 2.5));
        }
    }

    #[test]
    fn what_no_machine_has_room_for_is_refused_with_both_numbers() {
        let words = || "a kernel of all inputs there are".to_owned();
        assert!(ensure_fits(1.0, words, "take fewer").is_ok());
        match (available_memory(), ensure_fits(1e21, words, "take fewer")) {
            (Some(_), Err(Error::TooLarge { needed, available, .. })) => assert!(needed > 9e11 && available < needed),
            (known, result) => assert!(known.is_none() && result.is_ok()),
        }
    }
}

//! Room that tensors leave behind, for products of the same size: the next step's, which then neither ask for memory nor clear it.

use std::cell::RefCell;

/// Numbers that room is kept for, by every thread for itself.
pub(super) trait Spare: Copy + Default + 'static {
    /// Room for `n` numbers, whatever they are.
    fn room(n: usize) -> Vec<Self> {
        let spare = Self::with_rooms(|rooms| {
            let place = rooms.iter().rposition(|room| room.len() == n)?;
            Some(rooms.swap_remove(place))
        });
        spare.unwrap_or_else(|| vec![Self::default(); n])
    }

    /// Keeps `room` for later, if it is not too much.
    fn leave(room: Vec<Self>) {
        Self::with_rooms(|rooms| {
            if rooms.len() < MOST && room.len() <= LARGEST {
                rooms.push(room);
            }
        });
    }

    fn with_rooms<R>(work: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R;
}

/// Rooms that a thread keeps.
const MOST: usize = 16;

/// Numbers beyond which making room is a small part of filling it.
const LARGEST: usize = 1 << 18;

thread_local! {
    static SINGLE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    static DOUBLE: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

impl Spare for f32 {
    fn with_rooms<R>(work: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R {
        SINGLE.with_borrow_mut(work)
    }
}

impl Spare for f64 {
    fn with_rooms<R>(work: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R {
        DOUBLE.with_borrow_mut(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_used_again_for_its_own_size_and_not_without_end() {
        f64::leave(vec![7.0; 5]);
        assert_eq!(f64::room(4), [0.0; 4]);
        assert_eq!(f64::room(5), [7.0; 5]);
        assert_eq!(f64::room(5), [0.0; 5]);
        for _ in 0..2 * MOST {
            f64::leave(vec![7.0; 3]);
        }
        f64::leave(vec![0.0; LARGEST + 1]);
        assert_eq!(f64::with_rooms(|rooms| rooms.len()), MOST);
    }
}

//! Ranks, 1 for the smallest; equal values share the mean of the ranks they take up.

/// The rank of each value, and how many share each distinct one, in ascending order.
pub(super) fn ranks(values: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Adding 0 turns -0 into 0, which compares as equal but sorts before it.
    order.sort_by(|&i, &j| (values[i] + 0.0).total_cmp(&(values[j] + 0.0)));
    let mut ranks = vec![0.0; values.len()];
    let mut sizes = Vec::new();
    let mut n_below = 0;
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        for &i in tied {
            ranks[i] = n_below as f64 + 0.5 * (tied.len() + 1) as f64;
        }
        n_below += tied.len();
        sizes.push(tied.len());
    }
    (ranks, sizes)
}

/// sum (t^3 - t) over the numbers t that share a rank: 0 without ties.
pub(super) fn tie_term(sizes: &[usize]) -> f64 {
    sizes.iter().map(|&t| (t * t * t - t) as f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[0.3, 0.1, 0.3, 0.2]), (vec![3.5, 1.0, 3.5, 2.0], vec![1, 1, 2]));
        assert_eq!(ranks(&[0.0, -0.0]), (vec![1.5, 1.5], vec![2]));
        assert_eq!(ranks(&[]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn the_sum_of_ranks_does_not_depend_on_ties() {
        for values in [[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 3.0, 3.0], [2.0; 4]] {
            assert_eq!(ranks(&values).0.iter().sum::<f64>(), 10.0);
        }
    }
}

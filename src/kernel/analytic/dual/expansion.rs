//! Any smooth activation and any polynomial, by Mehler's formula (1866; Daniely, Frostig, Singer 2016):
//!
//! ```text
//! T = sum over k of alpha_k(a) alpha_k(c) rho^k,   sqrt(a c) T' = sum over k of k alpha_k(a) alpha_k(c) rho^{k-1}
//! ```
//!
//! with alpha_k(a) the coefficients of phi(sqrt(a) z) in normalized Hermite polynomials. By Cauchy and Schwarz, n terms are
//! off by at most sqrt(tail(a) tail(c)), with tail(a) the sum of alpha_k(a)^2 over k >= n: the part of E[phi(u)^2] that is left out; likewise
//! the slope, with k alpha_k^2. One n is chosen for all inputs of a layer, from their tails.
//!
//! A kink or a jump makes the coefficients decay like a power of k only; such functions are refused, with the power.

use pulp::{Arch, Simd, WithSimd};

use super::hermite::{Grid, NotFinite, of_polynomial};
use super::spectrum::{Parity, Spectrum, Truncation};
use super::{Places, Strip};
use crate::arch::Family;

/// An activation's coefficients for the inputs of one layer, with as many terms as they need.
#[derive(Debug, Clone)]
pub(super) struct Expansion {
    parity: Parity,
    n_inputs: usize,
    /// alpha_k(a) / sqrt(sum of alpha_k(a)^2) for the terms that occur, `[n_terms, n_inputs]`.
    coefficients: Vec<f64>,
    /// E[phi(u)^2], the sum of alpha_k(a)^2, for every input.
    variances: Vec<f64>,
    error: Truncation,
}

/// A layer never carries more terms.
pub(super) const MAX_TERMS: usize = 4096;

/// Where the tails are cut.
const TOLERANCE: f64 = 1e-14;

impl Expansion {
    /// Expands `family` for inputs of these standard deviations.
    ///
    /// # Errors
    /// A reason: a value that is not finite, growth beyond a finite second moment, a kink, or a variance too large for [`MAX_TERMS`].
    pub(super) fn new(family: &Family, stds: &[f64]) -> Result<Self, String> {
        let plan = Plan::new(family, stds)?;
        let n = stds.len();
        let mut coefficients = vec![0.0; plan.degrees().count() * n];
        let mut variances = vec![0.0; n];
        // In blocks, so that the samples of many inputs are never held at once.
        for (block, stds) in stds.chunks(BLOCK).enumerate() {
            let start = block * BLOCK;
            let alpha = plan.coefficients(stds)?;
            for i in 0..stds.len() {
                let of_input = || plan.degrees().map(|k| alpha[k * stds.len() + i]);
                let variance: f64 = of_input().map(|alpha| alpha * alpha).sum();
                // By their own sum of squares, so that the truncated kernel too is 1 between equal inputs; 0 where phi vanishes.
                let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
                for (term, alpha) in of_input().enumerate() {
                    coefficients[term * n + start + i] = alpha * scale;
                }
                variances[start + i] = variance;
            }
        }
        Ok(Self { parity: plan.parity, n_inputs: n, coefficients, variances, error: plan.error })
    }

    /// E[phi(u)^2] for every input.
    pub(super) fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// Bounds on what the terms leave out, with the error of quadrature.
    pub(super) fn error(&self) -> Truncation {
        self.error
    }

    /// Maps the pairs of input `row` with the inputs at `places`.
    pub(super) fn map(&self, arch: Arch, row: usize, places: Places, strip: Strip<'_>) {
        let row: Vec<f64> = self.coefficients.iter().skip(row).step_by(self.n_inputs).copied().collect();
        let Strip { minus, plus, ntk } = strip;
        let positions = minus.chunks_mut(places.n).zip(plus.chunks_mut(places.n)).zip(ntk.chunks_mut(places.n));
        for (q, ((minus, plus), ntk)) in positions.enumerate() {
            let columns = &self.coefficients[(places.first + q * places.stride).min(self.coefficients.len())..];
            let strip = Strip { minus, plus, ntk };
            arch.dispatch(MapPairs { expansion: self, row: &row, columns, strip });
        }
    }

    #[inline(always)]
    fn map_strip(&self, row: &[f64], columns: &[f64], minus: &mut [f64], plus: &mut [f64], ntk: &mut [f64]) {
        let n = minus.len();
        let mut start = 0;
        // Blocks whose sums stay in registers; short ones at the end.
        while start + 32 <= n {
            self.map_block::<32>(row, &columns[start..], &mut minus[start..], &mut plus[start..], &mut ntk[start..]);
            start += 32;
        }
        while start + 8 <= n {
            self.map_block::<8>(row, &columns[start..], &mut minus[start..], &mut plus[start..], &mut ntk[start..]);
            start += 8;
        }
        while start < n {
            self.map_block::<1>(row, &columns[start..], &mut minus[start..], &mut plus[start..], &mut ntk[start..]);
            start += 1;
        }
    }

    #[inline(always)]
    fn map_block<const N: usize>(
        &self,
        row: &[f64],
        columns: &[f64],
        minus: &mut [f64],
        plus: &mut [f64],
        ntk: &mut [f64],
    ) {
        let (minus, plus, ntk) = (&mut minus[..N], &mut plus[..N], &mut ntk[..N]);
        let mut rho = [0.0; N];
        for ((rho, minus), plus) in rho.iter_mut().zip(minus.iter()).zip(plus.iter()) {
            *rho = 0.5 * (plus - minus);
        }
        let x = if self.parity == Parity::Both { rho } else { rho.map(|rho| rho * rho) };
        // Horner's rule for a polynomial in x, and for its derivative by what the rule leaves on the way.
        let (mut value, mut derivative) = ([0.0_f64; N], [0.0_f64; N]);
        for (k, factor) in row.iter().enumerate().rev() {
            let column = &columns[k * self.n_inputs..][..N];
            for j in 0..N {
                derivative[j] = derivative[j].mul_add(x[j], value[j]);
                value[j] = value[j].mul_add(x[j], factor * column[j]);
            }
        }
        for j in 0..N {
            let (r, slope) = match self.parity {
                Parity::Both => (value[j], derivative[j]),
                Parity::Even => (value[j], 2.0 * rho[j] * derivative[j]),
                Parity::Odd => (rho[j] * value[j], (2.0 * x[j]).mul_add(derivative[j], value[j])),
            };
            // Clamped, because rounding pushes equal inputs past 1.
            minus[j] = (1.0 - r).clamp(0.0, 2.0);
            plus[j] = (1.0 + r).clamp(0.0, 2.0);
            ntk[j] *= slope;
        }
    }
}

/// The loop, as a value that is compiled for every set of vector instructions.
struct MapPairs<'a> {
    expansion: &'a Expansion,
    row: &'a [f64],
    columns: &'a [f64],
    strip: Strip<'a>,
}

impl WithSimd for MapPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Strip { minus, plus, ntk } = self.strip;
        self.expansion.map_strip(self.row, self.columns, minus, plus, ntk);
    }
}

/// How an activation is expanded.
struct Plan<'a> {
    family: &'a Family,
    grid: Grid,
    parity: Parity,
    n_degrees: usize,
    error: Truncation,
}

impl<'a> Plan<'a> {
    /// With the fewest terms that leave 1e-14 for each of `stds`.
    ///
    /// Of many inputs, nine are looked at: the extremes and those at equal ranks between, for tails grow with the variance.
    fn new(family: &'a Family, stds: &[f64]) -> Result<Self, String> {
        if let Family::Polynomial(powers) = family {
            return Ok(Self::exact(family, powers));
        }
        let phi = |z: f64| family.value(z);
        let stds = representatives(stds);
        let reach = reach(&phi, &stds)?;
        let mut n_degrees = 32;
        loop {
            // Never coarser than for 256 terms, so that no feature of an activation's size falls between the nodes.
            let mut grid = Grid::for_terms(n_degrees.max(256), reach);
            let mut spectra = Spectrum::all(&phi, grid, &stds, n_degrees).map_err(not_finite)?;
            let converged = spectra.iter().all(|spectrum| spectrum.tail(n_degrees).largest() < 0.5 * TOLERANCE);
            if !converged && n_degrees < MAX_TERMS {
                n_degrees *= 2;
                continue;
            }
            for _ in 0..2 {
                if spectra.iter().all(|spectrum| spectrum.quadrature.largest() < TOLERANCE) {
                    break;
                }
                grid = grid.finer();
                spectra = Spectrum::all(&phi, grid, &stds, n_degrees).map_err(not_finite)?;
            }
            if let Some(refusal) = spectra.iter().find_map(Spectrum::refusal) {
                return Err(refusal);
            }
            let enough = |n: &usize| spectra.iter().all(|spectrum| spectrum.tail(*n).largest() < TOLERANCE);
            let n_degrees = (1..n_degrees).find(enough).unwrap_or(n_degrees);
            let error = spectra.iter().fold(Truncation { nngp: 0.0, slope: 0.0 }, |error, spectrum| {
                let tail = spectrum.tail(n_degrees);
                Truncation {
                    nngp: error.nngp.max(tail.nngp + spectrum.quadrature.nngp),
                    slope: error.slope.max(tail.slope + spectrum.quadrature.slope),
                }
            });
            let parity = if spectra.iter().all(|spectrum| spectrum.parity == Parity::Even) {
                Parity::Even
            } else if spectra.iter().all(|spectrum| spectrum.parity == Parity::Odd) {
                Parity::Odd
            } else {
                Parity::Both
            };
            return Ok(Self { family, grid, parity, n_degrees, error });
        }
    }

    fn exact(family: &'a Family, powers: &[f64]) -> Self {
        let without = |remainder: usize| powers.iter().skip(remainder).step_by(2).all(|power| *power == 0.0);
        let parity = match (without(0), without(1)) {
            (_, true) => Parity::Even,
            (true, false) => Parity::Odd,
            (false, false) => Parity::Both,
        };
        let error = Truncation { nngp: 0.0, slope: 0.0 };
        Self { family, grid: Grid::for_terms(1, 0.0), parity, n_degrees: powers.len(), error }
    }

    /// alpha_k(a) of every input, `[n_degrees, stds]`.
    fn coefficients(&self, stds: &[f64]) -> Result<Vec<f64>, String> {
        if let Family::Polynomial(powers) = self.family {
            let of_each: Vec<Vec<f64>> = stds.iter().map(|std| of_polynomial(powers, *std)).collect();
            return Ok((0..self.n_degrees).flat_map(|k| of_each.iter().map(move |alpha| alpha[k])).collect());
        }
        let sample = |std: &f64| self.grid.sample(&|z| self.family.value(z), *std).map_err(not_finite);
        let samples = stds.iter().map(sample).collect::<Result<Vec<_>, _>>()?;
        Ok(self.grid.coefficients(&samples, self.n_degrees, 1))
    }

    fn degrees(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, step) = match self.parity {
            Parity::Both => (0, 1),
            Parity::Even => (0, 2),
            Parity::Odd => (1, 2),
        };
        (first..self.n_degrees).step_by(step)
    }
}

/// Inputs whose coefficients are computed at once.
const BLOCK: usize = 64;

/// Nine of the standard deviations: the extremes, and between them by rank.
fn representatives(stds: &[f64]) -> Vec<f64> {
    let mut sorted = stds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let last = sorted.len().saturating_sub(1);
    let mut chosen: Vec<usize> = (0..=8).map(|i| i * last / 8).collect();
    chosen.dedup();
    chosen.iter().filter_map(|i| sorted.get(*i)).copied().collect()
}

/// Where in whitened units the function, weighted, has vanished to rounding for all inputs.
fn reach(phi: &dyn Fn(f64) -> f64, stds: &[f64]) -> Result<f64, String> {
    // Bounded functions end at 13, where the root of the density is 1e-19; e^{-z^2 / 4} is out of range beyond 37.
    let mut left = (0.0, 0.0);
    for reach in [13.0, 17.0, 21.0, 25.0, 29.0, 33.0, 37.0] {
        let mut vanished = true;
        for std in stds {
            let sampled = Grid::for_terms(64, reach).sample(phi, *std).map_err(not_finite)?;
            let (end, size) = (sampled.end(), sampled.second_moment().sqrt());
            if end > 1e-16 * size {
                vanished = false;
                left = (std * reach, end / size);
            }
        }
        if vanished {
            return Ok(reach);
        }
    }
    Err(format!(
        "it grows too fast for a finite second moment: at z = {:.3e} it still is {:.1e} of its size, the Gaussian weight \
         included; scale the inputs down, or lower `w_std`",
        left.0, left.1
    ))
}

fn not_finite(failed: NotFinite) -> String {
    format!("its value at z = {:e} is {}", failed.z, failed.value)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_2_PI, PI};

    use super::*;
    use crate::arch::{Activation, OwnFunction, Smooth};

    fn own(phi: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Family {
        Family::Smooth(Smooth::Own(OwnFunction::new("own", phi)))
    }

    fn expand(family: &Family, variances: &[f64]) -> Expansion {
        let stds: Vec<f64> = variances.iter().map(|a| a.sqrt()).collect();
        Expansion::new(family, &stds).expect("smooth")
    }

    /// (1 - r, slope) of the first input with the second.
    fn pair(expansion: &Expansion, rho: f64) -> (f64, f64) {
        let (mut minus, mut plus, mut ntk) = ([1.0 - rho], [1.0 + rho], [1.0]);
        let strip = Strip { minus: &mut minus, plus: &mut plus, ntk: &mut ntk };
        expansion.map(Arch::new(), 0, Places { n: 1, first: 1, stride: 0 }, strip);
        assert!((minus[0] + plus[0] - 2.0).abs() < 1e-15);
        (minus[0], ntk[0])
    }

    #[test]
    fn the_error_function_has_the_arcsine_kernel() {
        let erf = own(libm::erf);
        for a in [0.01, 0.5, 1.0, 4.0] {
            for c in [0.2, 1.0, 3.0] {
                let expansion = expand(&erf, &[a, c]);
                let size = |a: f64| FRAC_2_PI * (2.0 * a / (1.0 + 2.0 * a)).asin();
                let norm = 1.0 / (size(a) * size(c)).sqrt();
                for rho in [-1.0, -0.7, 0.0, 0.3, 0.99, 1.0] {
                    let (b, product) = (rho * f64::sqrt(a * c), (1.0 + 2.0 * a) * (1.0 + 2.0 * c));
                    let exact = norm * FRAC_2_PI * (2.0 * b / product.sqrt()).asin();
                    let exact_slope = norm * (a * c).sqrt() * 4.0 / PI / (product - 4.0 * b * b).sqrt();
                    let (minus, slope) = pair(&expansion, rho);
                    assert!((1.0 - minus - exact).abs() < 2e-14, "{a} {c} {rho}: {}", 1.0 - minus - exact);
                    assert!((slope / exact_slope - 1.0).abs() < 3e-14, "{a} {c} {rho}: {slope} against {exact_slope}");
                }
            }
        }
    }

    #[test]
    fn the_sine_and_the_cube_have_their_closed_forms() {
        let (a, c) = (1.4_f64, 0.6_f64);
        let (sine, cube) = (own(f64::sin), Family::Polynomial(vec![0.0, 0.0, 0.0, 1.0]));
        for rho in [-1.0, -0.4, 0.0, 0.8, 1.0] {
            let b = rho * (a * c).sqrt();
            let of_sine = |a: f64, b: f64, c: f64| (-0.5 * (a + c)).exp() * b.sinh();
            let exact = of_sine(a, b, c) / (of_sine(a, a, a) * of_sine(c, c, c)).sqrt();
            assert!((1.0 - pair(&expand(&sine, &[a, c]), rho).0 - exact).abs() < 1e-14, "sine at {rho}");
            // E[u^3 v^3] = 9 a c b + 6 b^3, E[u^6] = 15 a^3.
            let expansion = expand(&cube, &[a, c]);
            let exact = (9.0 * a * c * b + 6.0 * b * b * b) / (15.0 * (a * c).powf(1.5));
            assert!((1.0 - pair(&expansion, rho).0 - exact).abs() < 1e-15, "cube at {rho}");
            assert_eq!((expansion.coefficients.len(), expansion.error().nngp), (4, 0.0));
        }
    }

    #[test]
    fn polynomials_agree_with_their_own_quadrature() {
        let exact = Family::Polynomial(vec![0.3, -1.0, 0.5, 0.2]);
        let sampled = own(|z| ((0.2 * z + 0.5) * z - 1.0) * z + 0.3);
        for variances in [[0.8, 2.0], [1e-6, 1.0], [0.0, 100.0]] {
            let (exact, sampled) = (expand(&exact, &variances), expand(&sampled, &variances));
            for rho in [-1.0, 0.1, 1.0] {
                let ((minus, slope), (minus2, slope2)) = (pair(&exact, rho), pair(&sampled, rho));
                assert!((minus - minus2).abs() < 1e-13 && (slope - slope2).abs() < 1e-12, "{variances:?}");
            }
            for (exact, sampled) in exact.variances().iter().zip(sampled.variances()) {
                assert!((exact / sampled - 1.0).abs() < 1e-13, "{exact} against {sampled}");
            }
        }
    }

    #[test]
    fn strips_of_any_length_agree_with_single_pairs_and_equal_inputs_stay_equal() {
        let swish = Activation::Swish.family();
        let variances: Vec<f64> = (0..77).map(|i| 0.05 * f64::from(i)).collect();
        let expansion = expand(&swish, &variances);
        let (i, n) = (40, variances.len());
        let before: Vec<f64> = (0..n).map(|j| 0.02 * (j as f64 - i as f64).abs()).collect();
        let (mut minus, mut ntk) = (before.clone(), vec![1.0; n]);
        let mut plus: Vec<f64> = minus.iter().map(|minus| 2.0 - minus).collect();
        let strip = Strip { minus: &mut minus, plus: &mut plus, ntk: &mut ntk };
        expansion.map(Arch::new(), i, Places { n, first: 0, stride: 0 }, strip);
        assert!(minus[i] < 2e-15, "{}", minus[i]);
        for j in 1..n {
            let (single, slope) = pair(&expand(&swish, &[variances[i], variances[j]]), 1.0 - before[j]);
            assert!((single - minus[j]).abs() < 1e-14 && (slope - ntk[j]).abs() < 1e-13, "{j}");
        }
        // swish(0) = 0: an input of variance 0 correlates with nothing.
        assert_eq!((minus[0], ntk[0]), (1.0, 0.0));
    }

    #[test]
    fn kinks_and_jumps_are_refused_with_their_order() {
        type Kinked = (fn(f64) -> f64, &'static str);
        let kinked: [Kinked; 6] = [
            (|z| z.max(0.0), "k^-1.2"),
            (|z| f64::abs(z), "k^-1.2"),
            (|z| if z > 0.0 { z } else { z.exp_m1() * 1.5 }, "k^-1.2"),
            (|z| if z > 0.0 { z } else { z.exp_m1() }, "k^-1.7"),
            (|z| (z - 1.0).max(0.0), "k^-1.2"),
            (|z| f64::from(z > 0.5), "k^-0.7"),
        ];
        for (phi, order) in kinked {
            for a in [0.3_f64, 1.0, 5.0] {
                let refusal = Expansion::new(&own(phi), &[a.sqrt()]).expect_err("a kink");
                assert!(refusal.contains("kink") && refusal.contains(order), "{refusal}, not {order}, at {a}");
            }
        }
    }

    #[test]
    fn what_cannot_be_integrated_or_resolved_is_refused_with_the_place() {
        let refusal = |phi: fn(f64) -> f64, a: f64| Expansion::new(&own(phi), &[a.sqrt()]).expect_err("no expansion");
        assert!(refusal(|z| 1.0 / z, 1.0).contains("z = 0e0"));
        assert!(refusal(f64::sqrt, 1.0).contains("NaN"));
        assert!(refusal(|z| (0.3 * z * z).exp(), 1.0).contains("grows too fast"));
        assert!(!refusal(|z| (z * z).exp(), 1.0).is_empty());
        let far = refusal(f64::tanh, 400.0);
        assert!(far.contains("variance of 4.000e2") && far.contains("w_std"), "{far}");
    }
}

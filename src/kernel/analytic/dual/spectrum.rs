//! How fast a function's Hermite coefficients decay, and what that says: how many are needed, or that there is a kink.
//!
//! With E_k the energy in degrees k to 2k - 1: a function with a kink of order p has alpha_k ~ k^{-p}, and loses the same factor
//! E_k / E_{2k} = 2^{2p - 1} from every doubling to the next; p is 3/4 for a jump, 5/4 for a kink in the slope, 7/4 in the curvature.
//! A function analytic in a strip of half-width d has alpha_k ~ e^{-d sqrt k} and loses more from each.

use super::hermite::{Folded, Grid, NotFinite};

/// What a function's coefficients at one standard deviation say about how many of them are needed.
pub(super) struct Spectrum {
    std: f64,
    pub(super) parity: Parity,
    /// alpha_k^2 / E[phi^2] and k alpha_k^2 / (sum of k alpha_k^2), of degrees below n.
    energies: [Vec<f64>; 2],
    /// The parts beyond: extrapolated, and for the energy itself at least what is missing in Parseval's identity.
    beyond: Truncation,
    /// The error of the coefficients themselves.
    pub(super) quadrature: Truncation,
}

impl Spectrum {
    /// Of `phi` at every one of `stds`, by `n` coefficients.
    ///
    /// # Errors
    /// A value that is not finite.
    pub(super) fn all(phi: &dyn Fn(f64) -> f64, grid: Grid, stds: &[f64], n: usize) -> Result<Vec<Self>, NotFinite> {
        let sampled = stds.iter().map(|std| grid.sample(phi, *std)).collect::<Result<Vec<_>, _>>()?;
        let (fine, coarse) = (grid.coefficients(&sampled, n, 1), grid.coefficients(&sampled, n, 2));
        let column = |of: &[f64], i: usize| of.iter().skip(i).step_by(stds.len()).copied().collect::<Vec<f64>>();
        let spectra = sampled.iter().zip(stds).enumerate();
        Ok(spectra.map(|(i, (f, std))| Self::new(f, *std, &column(&fine, i), &column(&coarse, i))).collect())
    }

    fn new(sampled: &Folded, std: f64, fine: &[f64], coarse: &[f64]) -> Self {
        let size = sampled.second_moment();
        // Coefficients of rounding size count as 0: they would look like a tail that does not end.
        let energy = |alpha: f64| if alpha * alpha > ROUNDING * size { alpha * alpha / size } else { 0.0 };
        let energies: Vec<f64> = fine.iter().map(|alpha| energy(*alpha)).collect();
        let weighted: Vec<f64> = energies.iter().enumerate().map(|(k, energy)| k as f64 * energy).collect();
        let slope_size: f64 = weighted.iter().sum();
        let slopes: Vec<f64> =
            weighted.iter().map(|slope| if slope_size > 0.0 { slope / slope_size } else { 0.0 }).collect();
        let missing = if size > 0.0 { 1.0 - energies.iter().sum::<f64>() } else { 0.0 };
        // Parseval's identity holds to rounding only, far above the tails that are looked for.
        let missing = if missing > 1e-11 { missing } else { 0.0 };
        let beyond = Truncation { nngp: extrapolated(&energies).max(missing), slope: extrapolated(&slopes) };
        // The trapezoid rule's error squares when its step halves, so the squared change is the error of the finer rule.
        let changes = || fine.iter().zip(coarse).enumerate().map(|(k, (f, c))| (k as f64, (f - c) * (f - c)));
        let relative = |change: f64, size: f64| if size > 0.0 { change / size } else { 0.0 };
        let quadrature = Truncation {
            nngp: relative(changes().map(|(_, change)| change).sum(), size),
            slope: relative(changes().map(|(k, change)| k * change).sum(), size * slope_size),
        };
        let parity = match (sampled.is_even(), sampled.is_odd()) {
            (true, _) => Parity::Even,
            (false, true) => Parity::Odd,
            (false, false) => Parity::Both,
        };
        Self { std, parity, energies: [energies, slopes], beyond, quadrature }
    }

    /// What the first `n` degrees leave out.
    pub(super) fn tail(&self, n: usize) -> Truncation {
        let left = |energies: &[f64]| energies.iter().skip(n).sum::<f64>();
        let [energies, slopes] = &self.energies;
        Truncation { nngp: self.beyond.nngp + left(energies), slope: self.beyond.slope + left(slopes) }
    }

    /// Why all the coefficients are not enough, if they are not.
    pub(super) fn refusal(&self) -> Option<String> {
        let error = self.beyond.largest().max(self.quadrature.largest());
        if error < ACCEPTABLE {
            return None;
        }
        let [energies, _] = &self.energies;
        let n = energies.len();
        let [first, second, third] = [n / 8, n / 4, n / 2].map(|k| energies[k..2 * k].iter().sum::<f64>());
        let (before, last) = ((first / second).log2(), (second / third).log2());
        // A power of k loses the same factor from every doubling of k to the next; an analytic function loses more and more.
        Some(if last < 1.15 * before {
            format!(
                "its Hermite coefficients decay like k^-{:.2} only, and {n} terms leave an error of {:.0e}: it has a kink or a \
                 jump, or looks like it at inputs of standard deviation {:.1e}",
                0.5 * (last + 1.0),
                self.beyond.nngp,
                self.std
            )
        } else {
            format!(
                "at a variance of {:.3e}, {n} Hermite terms leave an error of {error:.0e}: scale the inputs down, or lower `w_std`",
                self.std * self.std
            )
        })
    }
}

/// Bounds on what an expansion leaves out, with its error of quadrature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::kernel::analytic) struct Truncation {
    /// Of T, relative to sqrt(T(x,x) T(y,y)).
    pub(in crate::kernel::analytic) nngp: f64,
    /// Of T', relative to sqrt(T'(x,x) T'(y,y)).
    pub(in crate::kernel::analytic) slope: f64,
}

impl Truncation {
    pub(super) fn largest(self) -> f64 {
        self.nngp.max(self.slope)
    }
}

/// The degrees that occur.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Parity {
    Both,
    Even,
    Odd,
}

/// The largest error that is accepted of all the coefficients there may be.
const ACCEPTABLE: f64 = 1e-10;

/// The square of what counts as rounding, relative.
const ROUNDING: f64 = 1e-29;

/// What lies beyond the last of `energies`, if each doubling of the degree loses the factor of the last one: right for a power of k,
/// too large for the faster decay of smooth functions.
fn extrapolated(energies: &[f64]) -> f64 {
    let n = energies.len();
    let [before, last] = [n / 4, n / 2].map(|k| energies[k..2 * k].iter().sum::<f64>());
    if last == 0.0 {
        0.0
    } else if last < before {
        last * last / (before - last)
    } else {
        f64::INFINITY
    }
}

//! Dual activations: T = E[phi(u) phi(v)] and T' = E[phi'(u) phi'(v)] over (u, v) ~ N(0, [[a, b], [b, c]]).
//!
//! A file for each kind of formula; a new activation that reduces to one of their families needs none. All of them speak of the
//! correlation rho = b / sqrt(a c), held as the two numbers 1 - rho and 1 + rho, so that neither end loses digits: the angle of two
//! nearly equal inputs is sqrt(2 (1 - rho)), and 1 - rho taken from rho has lost half its digits there already.
//!
//! A family is given pairs of inputs by the hundred and written as straight-line arithmetic, without a branch or a call, so that the
//! compiler turns its loop into vector instructions; which ones is chosen when the program runs.

mod angle;
mod elementary;
mod error_function;
mod expansion;
mod exponential;
mod exponential_linear;
mod gabor;
mod gauss_legendre;
mod hermite;
mod mills;
mod piecewise;
mod rectified;
mod spectrum;

use pulp::{Arch, Simd, WithSimd};

use self::error_function::{Erf, Gelu};
use self::expansion::Expansion;
use self::exponential::{Exponential, Gaussian, Sine};
use self::exponential_linear::{ExponentialLinear, Sectors};
use self::gabor::Gabor;
use self::piecewise::{ToSevenDigits, TwoLevel, TwoSlope};
use self::rectified::Rectified;
use self::spectrum::Truncation;
use crate::arch::Family;

/// 1 - rho and 1 + rho.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Correlation {
    pub(super) minus: f64,
    pub(super) plus: f64,
}

impl Correlation {
    /// rho.
    #[inline(always)]
    pub(super) fn value(self) -> f64 {
        0.5 * (self.plus - self.minus)
    }

    /// From rho itself: right to rounding, but without the further digits near 1 and -1.
    #[inline(always)]
    fn of(rho: f64) -> Self {
        let rho = rho.clamp(-1.0, 1.0);
        Self { minus: 1.0 - rho, plus: 1.0 + rho }
    }
}

/// What an activation needs of one input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Input {
    /// sqrt(a).
    pub(super) std: f64,
    /// 1 / sqrt(T(x, x)), or 0.
    pub(super) scale: f64,
    /// 1 / sqrt(1 + k a), where k is the family's.
    pub(super) damping: f64,
}

/// What an activation makes of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapped {
    /// Of phi(u) and phi(v), not centred: T over the root of both second moments.
    pub(super) correlation: Correlation,
    /// The factor of the normalized tangent kernel: sqrt(a c) T' over the root of both second moments.
    pub(super) slope: f64,
}

/// What activations need of the other inputs on a line of pairs, one number each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) places: Places,
    pub(super) std: &'a [f64],
    pub(super) scale: &'a [f64],
    pub(super) damping: &'a [f64],
}

/// Where they stand in a list of all inputs at all positions: `n` of them from `first` on, and again `stride` later at the next position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) n: usize,
    pub(super) first: usize,
    pub(super) stride: usize,
}

/// Pairs of one input with a set of inputs.
#[derive(Debug)]
pub(super) struct Strip<'a> {
    pub(super) minus: &'a mut [f64],
    pub(super) plus: &'a mut [f64],
    /// The tangent kernel over the root of both variances.
    pub(super) ntk: &'a mut [f64],
}

/// An activation that maps pairs one by one.
trait Pairwise {
    /// E[phi(u)^2] at variance `a`.
    fn variance(&self, a: f64) -> f64;

    /// k of [`Input::damping`].
    fn damping(&self) -> f64 {
        0.0
    }

    /// The pair after the activation.
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped;
}

/// How many digits are wanted: those of f64, or those of f32, where fewer take less time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    All,
    Seven,
}

/// The dual of an activation, for given inputs.
#[derive(Debug, Clone)]
pub(super) struct Dual(Form);

#[derive(Debug, Clone)]
enum Form {
    TwoSlope(TwoSlope),
    TwoLevel(TwoLevel),
    Rectified(Rectified),
    ExponentialLinear(Sectors),
    Erf(Erf),
    Gelu,
    Sine(Sine),
    Gaussian,
    Gabor,
    Exponential(Exponential),
    Expansion(Expansion),
}

impl Dual {
    /// The dual of `family` for inputs of these standard deviations, which decide how many terms or nodes those without a closed form
    /// need.
    ///
    /// # Errors
    /// Why the activation has no kernel: it is not smooth, or not finite.
    pub(super) fn new(family: &Family, stds: &[f64]) -> Result<Self, String> {
        Ok(Self(match *family {
            Family::TwoSlope { left, right } => Form::TwoSlope(TwoSlope::new(left, right)),
            Family::TwoLevel { low, high } => Form::TwoLevel(TwoLevel::new(low, high)),
            Family::RectifiedMonomial(degree) => Form::Rectified(Rectified::new(degree)),
            Family::ExponentialLinear { right, scale, rate } => {
                let largest = stds.iter().fold(0.0, |largest, std| f64::max(largest, *std));
                Form::ExponentialLinear(ExponentialLinear { right, scale, rate }.up_to(largest))
            }
            Family::Erf { scale, slope, offset } => Form::Erf(Erf { scale, slope, offset }),
            Family::Gelu => Form::Gelu,
            Family::Sine { amplitude, frequency, phase } => Form::Sine(Sine::new(amplitude, frequency, phase)),
            Family::Gaussian => Form::Gaussian,
            Family::Gabor => Form::Gabor,
            Family::Exponential { scale, rate } => Form::Exponential(Exponential { scale, rate }),
            Family::Polynomial(_) | Family::Smooth(_) => Form::Expansion(Expansion::new(family, stds)?),
        }))
    }

    /// E[phi(u)^2] at every standard deviation it was made for, in order.
    pub(super) fn variances(&self, stds: &[f64]) -> Result<Vec<f64>, String> {
        match &self.0 {
            Form::Expansion(expansion) => Ok(expansion.variances().to_vec()),
            Form::Rectified(dual) => Ok(stds.iter().map(|std| dual.variance(std * std)).collect()),
            _ => Ok(self.visit(Variances(stds)).unwrap_or_default()),
        }
    }

    /// What [`Input::damping`] is at this standard deviation.
    pub(super) fn damping(&self, std: f64) -> f64 {
        1.0 / (1.0 + self.visit(Damping).unwrap_or_default() * std * std).sqrt()
    }

    /// How far it may be off.
    pub(super) fn error(&self) -> Truncation {
        match &self.0 {
            Form::Expansion(expansion) => expansion.error(),
            Form::ExponentialLinear(dual) => dual.error(),
            _ => Truncation { nngp: 0.0, slope: 0.0 },
        }
    }

    /// Maps the pairs of input number `row` with those of a line, to all digits or to those of `digits`.
    pub(super) fn map(
        &self,
        (arch, digits): (Arch, Digits),
        (row, input): (usize, Input),
        line: Line<'_>,
        strip: Strip<'_>,
    ) {
        match &self.0 {
            Form::TwoSlope(dual) if digits == Digits::Seven => {
                Map { arch, row: input, line, strip }.visit(&ToSevenDigits(*dual));
            }
            Form::Expansion(expansion) => expansion.map(arch, row, line.places, strip),
            Form::Rectified(dual) => dual.map(arch, strip),
            _ => {
                self.visit(Map { arch, row: input, line, strip });
            }
        }
    }

    fn visit<V: Visitor>(&self, visitor: V) -> Option<V::Output> {
        Some(match &self.0 {
            Form::TwoSlope(dual) => visitor.visit(dual),
            Form::TwoLevel(dual) => visitor.visit(dual),
            Form::ExponentialLinear(dual) => visitor.visit(dual),
            Form::Erf(dual) => visitor.visit(dual),
            Form::Gelu => visitor.visit(&Gelu),
            Form::Sine(dual) => visitor.visit(dual),
            Form::Gaussian => visitor.visit(&Gaussian),
            Form::Gabor => visitor.visit(&Gabor),
            Form::Exponential(dual) => visitor.visit(dual),
            Form::Rectified(_) | Form::Expansion(_) => return None,
        })
    }
}

/// Something to be done with a dual of any type.
trait Visitor {
    type Output;
    fn visit(self, dual: &impl Pairwise) -> Self::Output;
}

struct Variances<'a>(&'a [f64]);

impl Visitor for Variances<'_> {
    type Output = Vec<f64>;

    fn visit(self, dual: &impl Pairwise) -> Vec<f64> {
        self.0.iter().map(|std| dual.variance(std * std)).collect()
    }
}

struct Damping;

impl Visitor for Damping {
    type Output = f64;

    fn visit(self, dual: &impl Pairwise) -> f64 {
        dual.damping()
    }
}

struct Map<'a> {
    arch: Arch,
    row: Input,
    line: Line<'a>,
    strip: Strip<'a>,
}

impl Visitor for Map<'_> {
    type Output = ();

    fn visit(self, dual: &impl Pairwise) {
        let Self { arch, row, line, strip } = self;
        arch.dispatch(MapPairs { dual, row, line, strip });
    }
}

/// The loop, as a value that is compiled for every set of vector instructions.
struct MapPairs<'a, D> {
    dual: &'a D,
    row: Input,
    line: Line<'a>,
    strip: Strip<'a>,
}

impl<D: Pairwise> WithSimd for MapPairs<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { dual, row, line, strip: Strip { minus, plus, ntk } } = self;
        // Slices of one length, so that the loop needs no check of an index.
        let n = minus.len();
        let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
        let (std, scale, damping) = (&line.std[..n], &line.scale[..n], &line.damping[..n]);
        for j in 0..n {
            let column = Input { std: std[j], scale: scale[j], damping: damping[j] };
            let mapped = dual.map(row, column, Correlation { minus: minus[j], plus: plus[j] });
            minus[j] = mapped.correlation.minus;
            plus[j] = mapped.correlation.plus;
            ntk[j] *= mapped.slope;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Activation;
    use crate::seed;

    /// T, T' and the second moments of u and v.
    fn expectations(family: &Family, a: f64, c: f64, rho: f64) -> (f64, f64, [f64; 2]) {
        let stds = [a.sqrt(), c.sqrt()];
        let dual = Dual::new(family, &stds).expect("an activation with a kernel");
        let variances = dual.variances(&stds).expect("finite");
        let scale = |i: usize| if variances[i] > 0.0 { 1.0 / variances[i].sqrt() } else { 0.0 };
        let input = Input { std: stds[0], scale: scale(0), damping: dual.damping(stds[0]) };
        let (scales, dampings) = ([scale(1)], [dual.damping(stds[1])]);
        let places = Places { n: 1, first: 1, stride: 1 };
        let line = Line { places, std: &stds[1..], scale: &scales, damping: &dampings };
        let (mut minus, mut plus, mut ntk) = ([1.0 - rho], [1.0 + rho], [1.0]);
        let strip = Strip { minus: &mut minus, plus: &mut plus, ntk: &mut ntk };
        dual.map((Arch::new(), Digits::All), (0, input), line, strip);
        let size = (variances[0] * variances[1]).sqrt();
        let correlation = Correlation { minus: minus[0], plus: plus[0] };
        (correlation.value() * size, ntk[0] * size / (stds[0] * stds[1]), [variances[0], variances[1]])
    }

    #[test]
    fn expectations_agree_with_sampling() {
        // 400,000 pairs; the standard error is computed from the sample, and the bound is five of them: of 90 comparisons one in a
        // million misses it by chance.
        let (a, rho, c) = (0.9_f64, 0.5_f64, 0.7_f64);
        let normals = seed::standard_normals(&mut seed::stream(11, "dual activation"), 800_000);
        for activation in Activation::examples() {
            let family = activation.family();
            let (covariance, _, variances) = expectations(&family, a, c, rho);
            let pairs = || {
                normals.chunks_exact(2).map(|z| {
                    let v = rho * z[0] + (1.0 - rho * rho).sqrt() * z[1];
                    (family.value(a.sqrt() * z[0]), family.value(c.sqrt() * v))
                })
            };
            let compare = |what: &str, products: &mut dyn Iterator<Item = f64>, exact: f64| {
                let n = 400_000.0;
                let (sum, squares) = products.fold((0.0, 0.0), |(sum, squares), p| (sum + p, squares + p * p));
                let mean = sum / n;
                // Rounding of the sum, for activations whose square does not vary.
                let bound = 5.0 * ((squares / n - mean * mean).max(0.0) / n).sqrt() + 1e-9;
                assert!((mean - exact).abs() < bound, "{activation}, {what}: {exact} against {mean} +- {bound}");
            };
            compare("covariance", &mut pairs().map(|(u, v)| u * v), covariance);
            compare("first variance", &mut pairs().map(|(u, _)| u * u), variances[0]);
            compare("second variance", &mut pairs().map(|(_, v)| v * v), variances[1]);
        }
    }

    #[test]
    fn the_derivative_dual_is_the_derivative_of_the_dual_in_the_covariance() {
        // Price's theorem: dT/db = T'. Central differences with h = 1e-5 have error O(h^2) = 1e-10 and rounding 1e-11. It does not hold for
        // jumps, whose derivative counts as 0.
        let (a, rho, c, h) = (0.9_f64, 0.3, 1.4_f64, 1e-5);
        let size = (a * c).sqrt();
        for activation in Activation::examples() {
            let family = activation.family();
            if matches!(family, Family::TwoLevel { .. }) {
                continue;
            }
            let at = |rho: f64| expectations(&family, a, c, rho);
            let slope = (at(rho + h).0 - at(rho - h).0) / (2.0 * h * size);
            assert!((slope - at(rho).1).abs() < 1e-8, "{activation}: {slope} against {}", at(rho).1);
        }
    }

    #[test]
    fn equal_inputs_have_the_second_moment_and_correlation_one() {
        for activation in Activation::examples() {
            for a in [1e-6, 0.3, 2.0] {
                let (covariance, _, [variance, _]) = expectations(&activation.family(), a, a, 1.0);
                assert!(
                    (covariance - variance).abs() <= 1e-13 * variance,
                    "{activation} at {a}: {covariance} {variance}"
                );
            }
        }
    }

    #[test]
    fn an_input_of_variance_zero_is_the_constant_phi_of_zero() {
        for activation in Activation::examples() {
            let family = activation.family();
            let constant = family.value(0.0);
            let (covariance, _, [variance, _]) = expectations(&family, 0.0, 1.3, 0.0);
            // E[phi(v)] phi(0), the mean as the covariance with any constant.
            let mean = if constant == 0.0 { 0.0 } else { covariance / constant };
            let (_, _, [_, second_moment]) = expectations(&family, 0.0, 1.3, 0.0);
            assert!((variance - constant * constant).abs() < 1e-15, "{activation}: {variance}");
            assert!(mean * mean <= second_moment * (1.0 + 1e-14), "{activation}: mean {mean}");
        }
    }
}

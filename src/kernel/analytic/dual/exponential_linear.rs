//! Exponential-linear activations (Clevert et al. 2016; SELU, Klambauer et al. 2017): a line above 0, an exponential's approach below.
//!
//! ```text
//! phi(z) = right z  for z > 0,   scale (e^{rate z} - 1)  for z <= 0
//! ```
//!
//! phi is smooth off the lines u = 0 and v = 0, which meet at the origin. In whitened polar coordinates they bound four sectors:
//! u = sqrt(a) R sin h, v = sqrt(c) R sin(w - h), with 0 <= h <= w, is both positive over the width w = pi - t and, up to
//! signs, one of each sign over w = t (where cos t = rho). The radial integral is exact; m is the Mills ratio, M(s) = 1 - s m(s),
//! p = rate sqrt(a) sin h, q = rate sqrt(c) sin(w - h):
//!
//! ```text
//! (+,+)   the arc-cosine kernel of order 1, right^2 sqrt(a c) (sin t + (pi - t) cos t) / (2 pi)
//! (-,-)   scale^2 p q [(m(p) - m(p + q)) / q + (m(q) - m(p + q)) / p],           T': (scale rate)^2 M(p + q)
//! (+,-)   -right scale sqrt(a) sin h  q [(m(0) - m(q)) / q + M(q)],              T': right scale rate M(q)
//! ```
//!
//! integrated over h, divided by 2 pi. The integrands are analytic on the closed sectors for every t, so Gauss-Legendre
//! quadrature converges geometrically, evenly up to rho = 1 and rho = -1; it needs more nodes as rate sqrt(a) grows.

use std::f64::consts::{FRAC_PI_2, PI};

use super::angle::angle_and_bend;
use super::elementary::sin_cos;
use super::gauss_legendre::{Node, positive_nodes};
use super::mills::{fall_from_zero, falls, mills};
use super::{Correlation, Input, Mapped, Pairwise, Truncation};

/// The three numbers of an exponential-linear activation; the rate is above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ExponentialLinear {
    pub(super) right: f64,
    pub(super) scale: f64,
    pub(super) rate: f64,
}

impl ExponentialLinear {
    /// E[phi(u)^2] = right^2 a / 2 + scale^2 (m(0) - 2 m(p) + m(2p)) / sqrt(2 pi) with p = rate sqrt(a).
    pub(super) fn variance(&self, a: f64) -> f64 {
        let p = self.rate * a.sqrt();
        // The second difference cancels below p = 1; the sector it came from, of width pi, does not.
        let below = if p > 1.0 {
            (FRAC_PI_2.sqrt() - 2.0 * mills(p) + mills(2.0 * p)) / (2.0 * PI).sqrt()
        } else {
            Sectors::new(*self, 1).integrate(PI, BothBelow { x: p, y: p }).0 / (2.0 * PI)
        };
        (0.5 * self.right * self.right).mul_add(a, self.scale * self.scale * below)
    }

    /// The pair map for standard deviations up to `max_std`, with as many nodes as keep its error below 1e-13.
    ///
    /// The transition at 0 narrows as rate std grows, and takes more nodes: 16 up to 1, 64 up to 30, 128 up to 100. Far
    /// beyond, at [`MAX_GROUPS`], the error grows in place of the cost.
    pub(super) fn up_to(self, max_std: f64) -> Sectors {
        let mut sectors = Sectors::new(self, 1);
        for n_groups in [1, 2, 4, 8, 16, MAX_GROUPS] {
            sectors = Sectors::new(self, n_groups);
            sectors.error = sectors.error_up_to(max_std);
            if sectors.error < 1e-13 {
                break;
            }
        }
        sectors
    }
}

/// The pair map of an exponential-linear activation.
#[derive(Debug, Clone)]
pub(super) struct Sectors {
    form: ExponentialLinear,
    error: f64,
    /// Those above 0, in groups of lanes.
    nodes: Vec<[Node; LANES]>,
}

/// Nodes taken at once: a vector register of doubles.
const LANES: usize = 8;

/// A sector never takes more groups of nodes.
const MAX_GROUPS: usize = 24;

impl Sectors {
    /// With 2 `LANES` `n_groups` nodes in every sector.
    fn new(form: ExponentialLinear, n_groups: usize) -> Self {
        let nodes = positive_nodes(LANES * n_groups);
        let (groups, _) = nodes.as_chunks();
        Self { form, error: 0.0, nodes: groups.to_vec() }
    }

    /// The largest change of a normalized covariance or slope when the number of nodes is doubled, over standard deviations up to
    /// `max_std` and all kinds of angles. An upper bound: the error squares when the nodes double.
    fn error_up_to(&self, max_std: f64) -> f64 {
        let finer = Self::new(self.form, 2 * self.nodes.len());
        let stds = [0.1 * max_std, 0.5 * max_std, max_std];
        let mut largest = 0.0_f64;
        for (x, y) in stds.iter().flat_map(|x| stds.iter().map(move |y| (*x, *y))) {
            for minus in [0.0, 1e-3, 0.3, 1.0, 1.7, 1.999, 2.0] {
                let input = |std: f64| Input { std, scale: 1.0 / self.form.variance(std * std).sqrt(), damping: 1.0 };
                let correlation = Correlation { minus, plus: 2.0 - minus };
                let [coarse, fine] = [self, &finer].map(|sectors| sectors.normalized(input(x), input(y), correlation));
                largest = largest.max((coarse.0 - fine.0).abs()).max((coarse.1 - fine.1).abs());
            }
        }
        largest
    }

    /// How far it may be off.
    pub(super) fn error(&self) -> Truncation {
        Truncation { nngp: self.error, slope: self.error }
    }

    #[inline(always)]
    fn normalized(&self, x: Input, y: Input, correlation: Correlation) -> (f64, f64) {
        let ExponentialLinear { right, scale, rate } = self.form;
        let (t, _) = angle_and_bend(correlation);
        let w = PI - t;
        let sin = (correlation.minus * correlation.plus).sqrt();
        let product = x.std * y.std;
        let (above, above_slope) = (product * correlation.value().mul_add(w, sin), w);
        let (below, below_slope) = self.integrate(w, BothBelow { x: rate * x.std, y: rate * y.std });
        let (mixed, mixed_slope) = self.integrate(t, OneBelow { x: x.std, y: y.std, rate });
        let covariance = right * right * above + scale * scale * below - right * scale * mixed;
        let slope = right * right * above_slope
            + scale * rate * (scale * rate * below_slope)
            + right * scale * rate * mixed_slope;
        let norm = x.scale * y.scale / (2.0 * PI);
        (norm * covariance, norm * product * slope)
    }

    /// The integrals of both over 0 <= h <= w.
    #[inline(always)]
    fn integrate(&self, w: f64, sector: impl Sector) -> (f64, f64) {
        let half = 0.5 * w;
        let (sin, cos) = sin_cos(half);
        let mut sums = [(0.0, 0.0); LANES];
        for group in &self.nodes {
            for (sum, node) in sums.iter_mut().zip(group) {
                let (s, c) = sin_cos(half * node.x);
                let (upper, lower) = (sin.mul_add(c, cos * s), sin.mul_add(c, -cos * s));
                // The two mirrored nodes half (1 +- x), each of which is w minus the other.
                for (near, far) in [(upper, lower), (lower, upper)] {
                    let (covariance, slope) = sector.at(near, far);
                    sum.0 = node.weight.mul_add(covariance, sum.0);
                    sum.1 = node.weight.mul_add(slope, sum.1);
                }
            }
        }
        let total = sums.iter().fold((0.0, 0.0), |total, sum| (total.0 + sum.0, total.1 + sum.1));
        (half * total.0, half * total.1)
    }
}

/// The radial integrals of a covariance and of a slope, at near = sin h and far = sin(w - h).
///
/// A trait and not a closure, which would not be compiled for the vector instructions of its caller.
trait Sector {
    fn at(&self, near: f64, far: f64) -> (f64, f64);
}

/// p q [...] and M(p + q), where p = x sin h and q = y sin(w - h).
struct BothBelow {
    x: f64,
    y: f64,
}

/// Both sectors with one input below 0 at once: sqrt(a) sin h q [...] and M(q), and the same with the inputs exchanged.
struct OneBelow {
    x: f64,
    y: f64,
    rate: f64,
}

impl Sector for BothBelow {
    #[inline(always)]
    fn at(&self, near: f64, far: f64) -> (f64, f64) {
        let (p, q) = (self.x * near, self.y * far);
        let falls = falls(p, q);
        (p * q * (falls.from_p + falls.from_q), (-(p + q)).mul_add(falls.end, 1.0))
    }
}

impl Sector for OneBelow {
    #[inline(always)]
    fn at(&self, near: f64, far: f64) -> (f64, f64) {
        let (x, x_slope) = step_below(self.rate * self.x * far);
        let (y, y_slope) = step_below(self.rate * self.y * far);
        (near * self.x.mul_add(y, self.y * x), x_slope + y_slope)
    }
}

/// q [(m(0) - m(q)) / q + M(q)] and M(q).
#[inline(always)]
fn step_below(q: f64) -> (f64, f64) {
    let (m, fall) = fall_from_zero(q);
    let moment = (-q).mul_add(m, 1.0);
    (q * (fall + moment), moment)
}

impl Pairwise for Sectors {
    fn variance(&self, a: f64) -> f64 {
        self.form.variance(a)
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let (r, slope) = self.normalized(x, y, correlation);
        Mapped { correlation: Correlation::of(r), slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELU: ExponentialLinear = ExponentialLinear { right: 1.0, scale: 1.0, rate: 1.0 };
    const SELU: ExponentialLinear =
        ExponentialLinear { right: SELU_SCALE, scale: SELU_SCALE * 1.673_263_242_354_377_2, rate: 1.0 };
    const STEEP: ExponentialLinear = ExponentialLinear { right: 0.5, scale: 2.0, rate: 3.0 };
    const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

    fn input(form: ExponentialLinear, std: f64) -> Input {
        Input { std, scale: 1.0 / form.variance(std * std).sqrt(), damping: 1.0 }
    }

    fn at(minus: f64) -> Correlation {
        Correlation { minus, plus: 2.0 - minus }
    }

    #[test]
    fn maps_agree_with_thirty_digits() {
        // mpmath: E over u of phi(u) E[phi(v) | u], the inner expectation by the normal distribution function, the outer one by
        // tanh-sinh quadrature on both sides of 0. Columns: stds, 1 - rho, E[phi(u)^2] at the first std, normalized T, slope.
        #[rustfmt::skip]
        let references = [
            (ELU, 1.0, 1.0, 0.5, 0.6449454174929239, 0.5035831562603914, 0.9569557257688865),
            (ELU, 1.0, 1.0, 0.0, 0.6449454174929239, 1.0, 1.0359047186043473),
            (ELU, 1.0, 1.0, 2.0, 0.6449454174929239, -0.811164122638311, 0.811164122638311),
            (ELU, 0.001, 0.001, 0.25, 9.99202989641958e-07, 0.7499999825106419, 1.000000018937311),
            (ELU, 0.001, 5.0, 1.5, 9.99202989641958e-07, -0.4016502095277063, 0.803455948408565),
            (ELU, 30.0, 30.0, 0.125, 450.48008049388073, 0.8852983056636154, 0.8642404613764494),
            (ELU, 30.0, 0.5, 1.75, 450.48008049388073, -0.44037316756188494, 0.6246662399455356),
            (ELU, 3.0, 2.0, 0.001, 4.8217514176133225, 0.9951720224262346, 1.0482257158254324),
            (ELU, 3.0, 2.0, 1.999, 4.8217514176133225, -0.5260838260231488, 0.5266571566936493),
            (SELU, 1.0, 1.0, 0.5, 1.0, 0.49056912832547517, 0.994459069051435),
            (SELU, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0715749924557993),
            (SELU, 1.0, 1.0, 2.0, 1.0, -0.9663940482697352, 0.9663940482697352),
            (SELU, 0.001, 0.001, 0.25, 2.0949794386491178e-06, 0.7545312183023414, 0.9725836201136207),
            (SELU, 0.001, 5.0, 1.5, 2.0949794386491178e-06, -0.494227589204622, 0.8787736047105289),
            (SELU, 30.0, 30.0, 0.125, 498.2715413533058, 0.8832040718428505, 0.8808708282737261),
            (SELU, 30.0, 0.5, 1.75, 498.2715413533058, -0.5967763490174541, 0.7332647504929849),
            (SELU, 3.0, 2.0, 0.001, 5.962382275247537, 0.9909412054891568, 1.1139517705381394),
            (SELU, 3.0, 2.0, 1.999, 5.962382275247537, -0.7574483824469304, 0.7617148948479233),
            (STEEP, 1.0, 1.0, 0.5, 1.41200567045329, 0.5660355798665171, 0.7209963721130669),
            (STEEP, 1.0, 1.0, 0.0, 1.41200567045329, 1.0, 1.740117173106896),
            (STEEP, 1.0, 1.0, 2.0, 1.41200567045329, -0.5163461488786504, 0.5163461488786504),
            (STEEP, 0.001, 0.001, 0.25, 1.803911119376857e-05, 0.7817944210880432, 0.8076574123065945),
            (STEEP, 0.001, 5.0, 1.5, 1.803911119376857e-05, -0.38967908292252024, 0.8141018068651485),
            (STEEP, 30.0, 30.0, 0.125, 114.47340795072255, 0.8749069375060392, 0.9390171834052201),
            (STEEP, 30.0, 0.5, 1.75, 114.47340795072255, -0.7437485126258649, 0.7393594874092269),
            (STEEP, 3.0, 2.0, 0.001, 2.8629924014290693, 0.9820375074106881, 2.201090497315265),
            (STEEP, 3.0, 2.0, 1.999, 2.8629924014290693, -0.7934066527530961, 1.1336502050872546),
        ];
        for (form, x, y, minus, variance, r, slope) in references {
            assert!((form.variance(x * x) / variance - 1.0).abs() < 1e-13, "{form:?} {x}");
            let mapped = form.up_to(f64::max(x, y)).map(input(form, x), input(form, y), at(minus));
            let place = format!("{form:?} {x} {y} {minus}: {mapped:?}");
            assert!((1.0 - mapped.correlation.minus - r).abs() < 2e-13, "{place} against {r}");
            assert!((mapped.slope - slope).abs() < 2e-13, "{place} against {slope}");
        }
    }

    #[test]
    fn the_number_of_nodes_suffices_for_every_std() {
        for form in [ELU, SELU, STEEP] {
            for max_std in [1e-3, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0] {
                let error = form.up_to(max_std).error_up_to(max_std);
                assert!(error < 1e-12, "{form:?} up to {max_std}: {error:e}");
            }
        }
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_map_in_the_correlation() {
        // Price's theorem; central differences with h = 1e-5 have rounding 1e-11 and error O(h^2), with a third derivative of 1e2 at the ends.
        let h = 1e-5;
        for form in [ELU, SELU, STEEP] {
            let sectors = form.up_to(2.0);
            let (x, y) = (input(form, 0.7), input(form, 1.6));
            for minus in [0.01, 0.4, 1.0, 1.6, 1.99] {
                let r = |minus| 1.0 - sectors.map(x, y, at(minus)).correlation.minus;
                let slope = (r(minus - h) - r(minus + h)) / (2.0 * h);
                assert!((slope - sectors.map(x, y, at(minus)).slope).abs() < 2e-8, "{form:?} {minus}");
            }
        }
    }

    #[test]
    fn equal_inputs_stay_equal_and_an_input_of_zero_is_sent_to_zero() {
        let sectors = SELU.up_to(30.0);
        for std in [1e-4, 0.1, 1.0, 30.0] {
            assert!(sectors.map(input(SELU, std), input(SELU, std), at(0.0)).correlation.minus < 1e-12, "{std}");
        }
        let zero = Input { std: 0.0, scale: 0.0, damping: 1.0 };
        let mapped = sectors.map(zero, input(SELU, 1.0), at(1.0));
        assert_eq!((SELU.variance(0.0), mapped.correlation.minus, mapped.slope), (0.0, 1.0, 0.0));
    }

    #[test]
    fn without_a_bend_below_it_is_the_rectifier() {
        let form = ExponentialLinear { right: 1.0, scale: 0.0, rate: 1.0 };
        let mapped = form.up_to(1.0).map(input(form, 1.0), input(form, 0.5), at(1.0));
        assert!((1.0 - mapped.correlation.minus - 1.0 / PI).abs() < 1e-15);
        assert!((mapped.slope - 0.5).abs() < 1e-15);
    }
}

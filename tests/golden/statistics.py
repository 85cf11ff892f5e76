"""Tests, intervals and effect sizes by SciPy and statsmodels: python statistics.py > statistics.json

Where neither has the number it is computed here, by the formula that is given; where both have it, or the formula is short, the second must
agree with the first. d are the differences of n pairs, m and s their mean and standard deviation (n - 1), t_q the quantile q of Student's
distribution with n - 1 degrees of freedom, and T its distribution function.

    bootstrap    scipy.stats.bootstrap(method="BCa"), with the statistics of its resamples and of the samples without one element
    sign_flip    scipy.stats.permutation_test over all 2^n arrangements of signs, two-sided
    wilcoxon     scipy.stats.wilcoxon of the d that are not 0: exact up to 50 without ties, else asymptotic with correction=True
    tost         scipy.stats.ttest_1samp against both margins; interval m -+ t_{1-alpha} s / sqrt n; n_needed is the least n with
                 T(a (M - |m|) - t_{1-alpha}) + T(a (M + |m|) - t_{1-alpha}) - 1 >= 0.8, a = sqrt n / s, where |m| is below the margin M,
                 and T(a (|m| - M) - t_{1-alpha}) >= 0.8 where above; exact_power is that of the test at n_needed, by integrating over s
    effect       d_z = m / s;  g_z = J d_z, J = Gamma(k/2) / (sqrt(k/2) Gamma((k-1)/2)), k = n - 1;  superiority = P(d > 0) + P(d = 0)/2
    normality    scipy.stats.skewtest, kurtosistest and normaltest
    holm         statsmodels multipletests(method="holm")
    wilson       statsmodels proportion_confint(method="wilson"), which scipy.stats.binomtest's interval must agree with
    friedman     scipy.stats.friedmanchisquare; F = (N-1) chi^2 / (N (k-1) - chi^2) with k - 1 and (k-1)(N-1) degrees of freedom
"""

import json
import math
import sys

import numpy
import scipy
import statsmodels
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

AGREE = 1e-12
POWER = 0.8
N_RESAMPLES = 299


def main():
    rng = numpy.random.default_rng(0)
    meta = {
        "generator": "statistics.py",
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "numpy": numpy.__version__,
        "python": sys.version.split()[0],
        "checks_agree_within": AGREE,
    }
    found = {
        "samples": [sample(name, values) for name, values in samples(rng).items()],
        "bootstrap": bootstraps(rng),
        "holm": [holm(p) for p in ([0.04], [0.01, 0.04, 0.03, 0.005], [0.2, 0.9, 0.6], [0.02, 0.02, 1.0, 1e-9, 0.02])],
        "friedman": [friedman(table) for table in tables(rng)],
        "wilson": [wilson(count, n, c) for count, n in ((0, 30), (6, 30), (11, 30), (30, 30), (1, 2)) for c in (0.9, 0.95)],
    }
    print(json.dumps({"meta": meta} | found, separators=(",", ":")))


def samples(rng):
    """Differences of pairs."""
    return {
        "normal": rng.normal(0.3, 1, 12),
        "close to zero": rng.normal(0.02, 0.1, 10),
        "far from zero": rng.normal(5, 1, 9),
        "skewed": rng.exponential(1, 14) - 0.6,
        "ties and zeros": numpy.round(rng.normal(0.4, 1, 15) * 2) / 2,
        "heavy tails": rng.standard_t(3, 40),
        "many": rng.normal(0.2, 1, 80),
    }


def sample(name, d):
    tests = [tost(d, margin, alpha) for margin in (0.15, 0.5, 1.0) for alpha in (0.05, 0.025)]
    return {
        "name": name,
        "values": d.tolist(),
        "sign_flip": sign_flip(d) if len(d) <= 15 else None,
        "wilcoxon": wilcoxon(d),
        "tost": tests,
        "effect": effect(d),
        "normality": normality(d),
    }


def sign_flip(d):
    p = stats.permutation_test((d,), numpy.mean, permutation_type="samples", n_resamples=math.inf).pvalue
    signs = 1 - 2 * ((numpy.arange(2 ** len(d))[:, None] >> numpy.arange(len(d))) & 1)
    close(p, numpy.mean(abs(signs @ d) >= abs(d.sum()) - 1e-12))
    return p


def wilcoxon(d):
    d = d[d != 0]
    exact = len(d) <= 50 and len(set(abs(d))) == len(d)
    how = {"method": "exact"} if exact else {"method": "asymptotic", "correction": True}
    plus = stats.rankdata(abs(d))[d > 0].sum()
    found = stats.wilcoxon(d, **how)
    close(found.statistic, min(plus, len(d) * (len(d) + 1) / 2 - plus))
    return {"n": len(d), "rank_sum_positive": plus, "p": found.pvalue, "exact": exact}


def tost(d, margin, alpha):
    n, m, s = len(d), d.mean(), d.std(ddof=1)
    p_lower = stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    p_upper = stats.ttest_1samp(d, margin, alternative="less").pvalue
    _, lower, upper = DescrStatsW(d).ttost_mean(-margin, margin)
    close([p_lower, p_upper], [lower[1], upper[1]])
    half = stats.t.ppf(1 - alpha, n - 1) * s / math.sqrt(n)
    decision = "equivalent" if max(p_lower, p_upper) < alpha else "different" if abs(m) - half > margin else "undecided"
    row = {"margin": margin, "alpha": alpha, "p_lower": p_lower, "p_upper": p_upper, "low": m - half, "high": m + half}
    row["decision"] = decision
    if decision == "undecided":
        # From the first n whose power suffices onwards it always does: the power grows with n.
        enough = next(n for n in range(2, 10**6) if power(n, m, s, margin, alpha) >= POWER)
        row |= {"n_needed": enough, "exact_power": exact_power(enough, m, s, margin, alpha)}
    return row


def power(n, m, s, margin, alpha):
    a, t = math.sqrt(n) / s, stats.t.ppf(1 - alpha, n - 1)
    if abs(m) < margin:
        return stats.t.cdf(a * (margin - abs(m)) - t, n - 1) + stats.t.cdf(a * (margin + abs(m)) - t, n - 1) - 1
    return stats.t.cdf(a * (abs(m) - margin) - t, n - 1)


def exact_power(n, m, s, margin, alpha):
    """That of the test where m and s are the true mean and standard deviation."""
    t, spread = stats.t.ppf(1 - alpha, n - 1), stats.chi(n - 1, scale=s / math.sqrt(n - 1))

    def given(estimate):
        half, error = t * estimate / math.sqrt(n), s / math.sqrt(n)
        if abs(m) < margin:
            bounds = [(side * max(margin - half, 0) - m) / error for side in (1, -1)]
            return stats.norm.cdf(bounds[0]) - stats.norm.cdf(bounds[1])
        return stats.norm.cdf((abs(m) - margin - half) / error)

    return integrate.quad(lambda estimate: given(estimate) * spread.pdf(estimate), *spread.ppf([1e-13, 1 - 1e-13]), limit=200)[0]


def effect(d):
    k, d_z = len(d) - 1, d.mean() / d.std(ddof=1)
    close(d_z, stats.ttest_1samp(d, 0).statistic / math.sqrt(len(d)))
    j = math.exp(math.lgamma(k / 2) - math.lgamma((k - 1) / 2)) / math.sqrt(k / 2)
    half = len(d) // 2
    u = stats.mannwhitneyu(d[:half], d[half:]).statistic
    return {
        "d_z": d_z,
        "g_z": j * d_z,
        "superiority": numpy.mean(d > 0) + numpy.mean(d == 0) / 2,
        "first_half_over_second": u / (half * (len(d) - half)),
    }


def normality(d):
    skewness, kurtosis, both = stats.skewtest(d), stats.kurtosistest(d), stats.normaltest(d)
    close(both.statistic, skewness.statistic**2 + kurtosis.statistic**2)
    return {"z_skewness": skewness.statistic, "z_kurtosis": kurtosis.statistic, "k_squared": both.statistic, "p": both.pvalue}


def bootstraps(rng):
    """Statistics of pairs (a, b)."""

    def difference(a, b, axis=-1):
        return (a - b).mean(axis=axis)

    def ratio(a, b, axis=-1):
        return a.mean(axis=axis) / b.mean(axis=axis)

    def variance(a, b, axis=-1):
        return (a - b).var(axis=axis)

    rows = []
    for name, statistic, n in (("difference", difference, 16), ("ratio", ratio, 11), ("variance", variance, 20)):
        pairs = numpy.exp(rng.standard_normal((2, n)) * 0.8)
        pairs[1] += 0.5 * pairs[0]
        for confidence in (0.9, 0.95):
            how = {"paired": True, "vectorized": True, "n_resamples": N_RESAMPLES, "confidence_level": confidence}
            found = stats.bootstrap(tuple(pairs), statistic, method="BCa", rng=numpy.random.default_rng(1), **how)
            rows.append(
                {
                    "statistic": name,
                    "pairs": pairs.T.tolist(),
                    "confidence": confidence,
                    "estimate": statistic(*pairs),
                    "resampled": found.bootstrap_distribution.tolist(),
                    "jackknife": [statistic(*numpy.delete(pairs, i, axis=1)) for i in range(n)],
                    "low": found.confidence_interval.low,
                    "high": found.confidence_interval.high,
                }
            )
    return rows


def holm(p):
    adjusted = multipletests(p, method="holm")[1]
    order = numpy.argsort(p)
    steps = numpy.maximum.accumulate(numpy.sort(p) * (len(p) - numpy.arange(len(p))))
    close(adjusted[order], numpy.minimum(steps, 1))
    return {"p": list(p), "adjusted": adjusted.tolist()}


def wilson(count, n, confidence):
    low, high = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    theirs = stats.binomtest(count, n).proportion_ci(confidence, method="wilson")
    numpy.testing.assert_allclose([low, high], [theirs.low, theirs.high], atol=AGREE)
    return {"count": count, "n": n, "confidence": confidence, "low": low, "high": high}


def tables(rng):
    """A row for each data set, a column for each method."""
    shifted = rng.standard_normal((8, 4)) + [0, 0.3, 0.6, 2]
    return [shifted, numpy.round(rng.standard_normal((12, 3)) + [0, 0.5, 0.5], 0), rng.standard_normal((5, 6))]


def friedman(table):
    n, k = table.shape
    chi_squared, p = stats.friedmanchisquare(*table.T)
    f = (n - 1) * chi_squared / (n * (k - 1) - chi_squared)
    return {
        "table": table.tolist(),
        "mean_ranks": stats.rankdata(table, axis=1).mean(axis=0).tolist(),
        "chi_squared": chi_squared,
        "p": p,
        "f": f,
        "p_f": stats.f.sf(f, k - 1, (k - 1) * (n - 1)),
    }


def close(ours, theirs):
    numpy.testing.assert_allclose(ours, theirs, rtol=AGREE)


if __name__ == "__main__":
    main()

"""Deep ReLU kernels to f64's last digit, near correlation 1 above all: python deep_relu.py > deep_relu.json

    K^1         = w^2 <x, x'> / d + b^2,              Theta^1 = K^1
    K^{l+1}     = w^2 (r + (pi - t) k) / (2 pi) + b^2
    Theta^{l+1} = K^{l+1} + w^2 Theta^l (pi - t) / (2 pi)

with a = K^l(x, x), k = K^l(x, x'), c = K^l(x', x'), r = sqrt(a c - k^2) and the angle t = atan2(r, k). NNGP is K^{L+1} and NTK is
Theta^{L+1} at depth L, the number of hidden layers. Inputs, w and b are f64 numbers taken exactly: w = sqrt(2) is the f64 nearest to
it, so w^2 is not 2.
"""

import json
import math

import mpmath
from mpmath import mp, mpf

# The rows nearest to antipodal meet at pi - t ~ 1e-26, where r + (pi - t) k cancels down to (pi - t)^3 / 3 ~ 1e-78: 60 digits would
# leave none of it. CHECK repeats everything with more, and both must round to the same f64.
DIGITS, CHECK = 100, 160
W_STDS = [math.sqrt(2), 1.5]
B_STDS = [0.0, 0.1]
DEPTHS = [1, 3, 10, 100, 1000]


def inputs():
    """Name and row, each row computed in f64 as a user's program would."""
    x = [0.6, 0.8, -1.0, 0.4, 0.3]  # norm 1.5
    u = [0.8, -0.6, 0.0, 0.0, 0.0]  # a unit vector orthogonal to x
    cos, sin = math.cos(1e-4), math.sin(1e-4)
    return {
        "x": x,
        "x again": list(x),
        "1.0000001 x": [1.0000001 * p for p in x],
        "1.0000001 x + 1e-9 u": [1.0000001 * p + 1e-9 * q for p, q in zip(x, u)],
        "1.001 x, turned by 1e-4": [1.001 * (cos * p + sin * 1.5 * q) for p, q in zip(x, u)],
        "2 x": [2 * p for p in x],
        "-(1 + 1e-9) x": [-(1 + 1e-9) * p for p in x],
        "y": [-0.7, 0.2, 0.5, 1.3, -0.9],
    }


def pair(x, y, w_std, b_std):
    """(nngp, ntk) of two rows at each of DEPTHS."""
    w2, b2 = mpf(w_std) ** 2, mpf(b_std) ** 2
    a, k, c = (w2 * mp.fdot(zip(p, q)) / len(x) + b2 for p, q in ((x, x), (x, y), (y, y)))
    theta = k
    found = []
    for depth in range(1, max(DEPTHS) + 1):
        r = mp.sqrt(max(a * c - k * k, 0))  # rounding can leave parallel rows a little below 0
        rest = mp.pi - mp.atan2(r, k)
        k = w2 * (r + rest * k) / (2 * mp.pi) + b2
        theta = k + w2 * theta * rest / (2 * mp.pi)
        a, c = w2 * a / 2 + b2, w2 * c / 2 + b2
        if depth in DEPTHS:
            # Through 25 digits of text, because Python reads text to the nearest f64 whatever rounding mpmath is set to.
            found.append((float(mp.nstr(k, 25)), float(mp.nstr(theta, 25))))
    return found


def grams(rows, w_std, b_std):
    """One record per depth."""
    n = len(rows)
    records = [
        {"w_std": w_std, "b_std": b_std, "depth": depth, "nngp": [[0.0] * n for _ in rows], "ntk": [[0.0] * n for _ in rows]}
        for depth in DEPTHS
    ]
    for i in range(n):
        for j in range(i, n):
            for record, (nngp, ntk) in zip(records, pair(rows[i], rows[j], w_std, b_std)):
                record["nngp"][i][j] = record["nngp"][j][i] = nngp
                record["ntk"][i][j] = record["ntk"][j][i] = ntk
    return records


def kernels(rows, digits):
    with mp.workdps(digits):
        exact = [[mpf(value) for value in row] for row in rows]
        return [record for w_std in W_STDS for b_std in B_STDS for record in grams(exact, w_std, b_std)]


def main():
    rows = inputs()
    found = kernels(rows.values(), DIGITS)
    if found != kernels(rows.values(), CHECK):
        raise SystemExit(f"{DIGITS} and {CHECK} digits round to different f64 numbers: raise DIGITS")
    meta = {
        "generator": "deep_relu.py",
        "mpmath": mpmath.__version__,
        "digits": DIGITS,
        "checked_with_digits": CHECK,
        "values": "rounded to the nearest f64",
        "activation": "relu",
        "rows": list(rows),
    }
    print(json.dumps({"meta": meta, "inputs": list(rows.values()), "kernels": found}, separators=(",", ":")))


if __name__ == "__main__":
    main()

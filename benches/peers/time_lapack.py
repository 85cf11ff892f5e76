"""Times the factorization of a kernel matrix in SciPy and prints one JSON line.

The NTK of a ReLU network (W_std = sqrt(2), b_std = 0.1) on n standard normal inputs, in f64 on the CPU, in a process of its own: its
eigenvalues and eigenvectors by LAPACK's divide and conquer, or the Cholesky factor with a ridge on the diagonal, both by OpenBLAS.
"""

import json
import math

from time_prediction import B_STD, RIDGE, W_STD, common_arguments, made_of, stay_on, timed


def main():
    args = common_arguments("time LAPACK", ["eigendecomposition", "cholesky"]).parse_args()
    stay_on(args.threads)
    print(json.dumps(measure(args)))


def measure(args):
    import numpy
    import scipy.linalg

    gram = ntk(numpy.random.default_rng(0).standard_normal((args.n, args.d)), args.depth)
    gram = numpy.asfortranarray((gram + gram.T) / 2)  # LAPACK's order: what is timed has nothing to transpose

    def factor():
        if args.case == "cholesky":
            return scipy.linalg.cholesky(gram + RIDGE * numpy.eye(args.n), lower=True, overwrite_a=True)
        return scipy.linalg.eigh(gram, driver="evd")

    asked = {key: getattr(args, key) for key in ("case", "n", "d", "depth", "threads")}
    return {"program": "lapack"} | asked | timed(factor, args.repeats) | made_of(numpy, scipy)


def ntk(x, depth):
    """By the arc-cosine kernels (Cho and Saul 2009). A spectrum as kernels have it, because divide and conquer profits from it."""
    import numpy

    k = theta = W_STD**2 * x @ x.T / x.shape[1] + B_STD**2
    for _ in range(depth):
        scale = numpy.sqrt(numpy.outer(k.diagonal(), k.diagonal()))
        rho = numpy.clip(k / scale, -1, 1)
        slope = (math.pi - numpy.arccos(rho)) / (2 * math.pi)
        k = W_STD**2 * scale * (numpy.sqrt(1 - rho**2) / (2 * math.pi) + slope * rho) + B_STD**2
        theta = k + W_STD**2 * theta * slope
    return theta


if __name__ == "__main__":
    main()

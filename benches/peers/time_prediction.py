"""Times predictions from kernels in neural-tangents and prints one JSON line.

From NNGP and NTK of a ReLU network, W_std = sqrt(2), b_std = 0.1, in f64 on the CPU, in a process of its own. The kernels are there before or,
with --start inputs, are timed as well; the compiled program is there before; the factorization is timed. Regression and posterior are those of nt.predict.gp_inference, and so is the ensemble
after infinite time, by Cholesky factorization; after finite time it is nt.predict.gradient_descent_mse_ensemble, in the eigenbasis.
"""

import argparse
import json
import os
import statistics
import sys
import time
import types
from collections import namedtuple

W_STD, B_STD = 2**0.5, 0.1
RIDGE = 1e-3

Kernels = namedtuple("Kernels", "nngp ntk")


def main():
    args = parse()
    stay_on(args.threads)
    print(json.dumps(measure(args)))


def parse():
    parser = common_arguments("time predictions in neural-tangents", list(CASES))
    parser.add_argument("--n-test", type=int, default=1000, help="inputs to predict at")
    parser.add_argument("--start", choices=("kernels", "inputs"), default="kernels", help="what is there before the clock runs")
    return parser.parse_args()


def common_arguments(description, cases):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("case", choices=cases)
    parser.add_argument("--n", type=int, required=True, help="training inputs")
    parser.add_argument("--d", type=int, default=10, help="input dimension")
    parser.add_argument("--depth", type=int, default=3, help="hidden layers")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser


def stay_on(threads):
    """To be called before JAX or NumPy is imported: they make one thread for each core that the process may use."""
    cores = sorted(os.sched_getaffinity(0))
    if threads > len(cores):
        sys.exit(f"{threads} threads asked for, {len(cores)} cores to run on")
    os.sched_setaffinity(0, cores[:threads])
    # SciPy's OpenBLAS, by which JAX factors too: of AMD's processors with AVX-512 not every version knows that they have it.
    with open("/proc/cpuinfo") as file:
        if "avx512dq" in file.read():
            os.environ.setdefault("OPENBLAS_CORETYPE", "SKYLAKEX")


def measure(args):
    os.environ["JAX_PLATFORMS"] = "cpu"
    # The experimental module imports TensorFlow, which takes seconds and hundreds of megabytes, and nothing here uses it.
    sys.modules["neural_tangents.experimental"] = types.ModuleType("neural_tangents.experimental")
    import jax
    import jaxlib
    import neural_tangents
    import numpy
    import scipy
    from neural_tangents import stax

    jax.config.update("jax_enable_x64", True)
    dense = dict(W_std=W_STD, b_std=B_STD)
    layers = [layer for _ in range(args.depth) for layer in (stax.Dense(1, **dense), stax.Relu())]
    kernel_fn = stax.serial(*layers, stax.Dense(1, **dense))[2]
    grams = jax.jit(lambda x1, x2: Kernels(*kernel_fn(x1, x2, ("nngp", "ntk"))))

    def kernels(x_train, x_test):
        return grams(x_train, None), grams(x_test, x_train), grams(x_test, None)

    rng = numpy.random.default_rng(0)
    x_train, x_test = (jax.device_put(rng.standard_normal((n, args.d))) for n in (args.n, args.n_test))
    y_train = jax.device_put(rng.standard_normal((args.n, 1)))
    case = CASES[args.case]
    if args.start == "inputs":
        # In one program, so that of the kernels no more is computed than the case needs.
        inputs = (x_train, x_test, y_train)
        program = jax.jit(lambda x_train, x_test, y: case(neural_tangents.predict, *kernels(x_train, x_test), y))
    else:
        inputs = jax.block_until_ready((*kernels(x_train, x_test), y_train))
        program = jax.jit(lambda *inputs: case(neural_tangents.predict, *inputs))

    # Compiled for these shapes before memory is measured, so that the compiler's own memory does not count.
    predict = program.lower(*inputs).compile()
    timing = timed(lambda: jax.block_until_ready(predict(*inputs)), args.repeats)
    if not all(bool(jax.numpy.isfinite(part).all()) for part in jax.tree_util.tree_leaves(predict(*inputs))):
        sys.exit("time_prediction: a prediction is not finite")

    asked = {key: getattr(args, key) for key in ("case", "n", "n_test", "d", "depth", "threads", "start")}
    return {"program": "neural-tangents"} | asked | timing | made_of(neural_tangents, jax, jaxlib, numpy, scipy)


def ntk_mean(predict, k_train_train, k_test_train, k_test_test, y_train):
    return predict.gp_inference(k_train_train, y_train, RIDGE, True)("ntk", k_test_train)


def nngp_posterior(predict, k_train_train, k_test_train, k_test_test, y_train):
    return predict.gp_inference(k_train_train, y_train, RIDGE, True)("nngp", k_test_train, k_test_test)


def ntk_ensemble(predict, k_train_train, k_test_train, k_test_test, y_train):
    return predict.gp_inference(k_train_train, y_train, RIDGE, True)("ntk", k_test_train, k_test_test)


def ntk_ensemble_finite(predict, k_train_train, k_test_train, k_test_test, y_train):
    def kernel_fn(x1, x2, get):
        kernels = {("train", None): k_train_train, ("test", "train"): k_test_train, ("test", None): k_test_test}[x1, x2]
        return getattr(kernels, get) if isinstance(get, str) else kernels

    train = predict.gradient_descent_mse_ensemble(kernel_fn, "train", y_train, 1.0, RIDGE, True)
    return train(float(len(y_train)), "test", "ntk", compute_cov=True)


CASES = {
    "ntk-mean": ntk_mean,
    "nngp-posterior": nngp_posterior,
    "ntk-ensemble": ntk_ensemble,
    "ntk-ensemble-finite": ntk_ensemble_finite,
}


def timed(compute, repeats):
    """Medians of wall and CPU seconds, all of them, and the highest memory above what there is now."""
    base = resident("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # starts VmHWM, the highest VmRSS, anew
    compute()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()  # process_time counts every thread
        result = compute()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
        del result  # or the next call would run with two results held
    peak = resident("VmHWM") - base
    return {"wall": statistics.median(walls), "cpu": statistics.median(cpus), "peak_bytes": peak, "walls": walls, "cpus": cpus}


def made_of(*modules):
    """Their versions, SciPy being the last of them, and that of its OpenBLAS."""
    blas = modules[-1].show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {module.__name__: module.__version__ for module in modules}
    return {
        "versions": versions | {"openblas": blas["version"], "python": sys.version.split()[0]},
        "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE", "as detected"),
    }


def resident(field):
    """A field of /proc/self/status in bytes."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(field))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()

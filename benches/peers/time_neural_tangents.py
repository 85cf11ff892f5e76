"""Times a kernel of a ReLU network in neural-tangents and prints one JSON line.

Of all pairs of n standard normal inputs, W_std = sqrt(2), on the CPU, in a process of its own. Compilation is not timed. Either NNGP and NTK
of infinite width, or the empirical NTK of one network by structured derivatives, its fastest method here.
The file is not called neural_tangents.py, because then it would import itself.
"""

import argparse
import json
import os
import statistics
import sys
import time
import types


def main():
    args = parse()
    # Before JAX is imported: it makes one thread for each core that the process may use.
    cores = sorted(os.sched_getaffinity(0))
    if args.threads > len(cores):
        sys.exit(f"time_neural_tangents: {args.threads} threads asked for, {len(cores)} cores to run on")
    os.sched_setaffinity(0, cores[: args.threads])
    print(json.dumps(measure(args)))


def parse():
    parser = argparse.ArgumentParser(description="time neural-tangents")
    parser.add_argument("--kernel", choices=["analytic", "empirical"], default="analytic")
    parser.add_argument("--dtype", choices=["f32", "f64"], required=True)
    parser.add_argument("--n", type=int, required=True, help="inputs")
    parser.add_argument("--depth", type=int, required=True, help="hidden layers")
    parser.add_argument("--d", type=int, default=10, help="input dimension")
    parser.add_argument("--b-std", type=float, default=0.1)
    parser.add_argument("--width", type=int, default=1, help="units of every hidden layer; of an analytic kernel it does not matter")
    parser.add_argument("--d-out", type=int, default=1, help="outputs")
    parser.add_argument("--outputs", choices=["full", "trace"], default="full")
    parser.add_argument("--repeats", type=int, default=5, help="calls, at least")
    parser.add_argument("--seconds", type=float, default=0, help="how long to go on calling, at least")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def measure(args):
    os.environ["JAX_PLATFORMS"] = "cpu"
    # The experimental module imports TensorFlow, which takes seconds and hundreds of megabytes, and nothing here uses it.
    sys.modules["neural_tangents.experimental"] = types.ModuleType("neural_tangents.experimental")
    import jax
    import jaxlib
    import neural_tangents
    import numpy
    from neural_tangents import stax

    jax.config.update("jax_enable_x64", args.dtype == "f64")
    dense = dict(W_std=2**0.5, b_std=args.b_std)
    layers = [layer for _ in range(args.depth) for layer in (stax.Dense(args.width, **dense), stax.Relu())]
    init_fn, apply_fn, kernel_fn = stax.serial(*layers, stax.Dense(args.d_out, **dense))
    x = numpy.random.default_rng(0).standard_normal((args.n, args.d))
    x = jax.device_put(x.astype({"f32": "float32", "f64": "float64"}[args.dtype]))
    if args.kernel == "analytic":
        inputs = (x,)

        def function(x):
            return kernel_fn(x, None, ("nngp", "ntk"))
    else:
        _, parameters = init_fn(jax.random.PRNGKey(0), x.shape)
        empirical = neural_tangents.empirical_ntk_fn(
            apply_fn,
            trace_axes=(-1,) if args.outputs == "trace" else (),
            vmap_axes=0,
            implementation=neural_tangents.NtkImplementation.STRUCTURED_DERIVATIVES,
        )

        inputs = (x, parameters)

        def function(x, parameters):
            return empirical(x, None, parameters)

    # Compiled for this shape before memory is measured, so that the compiler's own memory does not count.
    grams = jax.jit(function).lower(*inputs).compile()

    base = resident("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # starts VmHWM, the highest VmRSS, anew
    jax.block_until_ready(grams(*inputs))
    walls, cpus = [], []
    begun = time.perf_counter()
    while len(walls) < args.repeats or time.perf_counter() - begun < args.seconds:
        wall, cpu = time.perf_counter(), time.process_time()  # process_time counts every thread
        result = jax.block_until_ready(grams(*inputs))
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
        del result  # or the next call would run with two results held

    return {
        "program": "neural-tangents",
        "kernel": args.kernel,
        "dtype": args.dtype,
        "n": args.n,
        "depth": args.depth,
        "d": args.d,
        "b_std": args.b_std,
        "width": args.width,
        "d_out": args.d_out,
        "outputs": args.outputs,
        "threads": args.threads,
        "wall_s": statistics.median(walls),
        "cpu_s": statistics.median(cpus),
        "peak_mb_above_base": resident("VmHWM") - base,
        "walls": walls,
        "cpus": cpus,
        "versions": {
            "neural-tangents": neural_tangents.__version__,
            "jax": jax.__version__,
            "jaxlib": jaxlib.__version__,
            "numpy": numpy.__version__,
            "python": sys.version.split()[0],
        },
    }


def resident(field):
    """A field of /proc/self/status in MB of 10^6 bytes."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()

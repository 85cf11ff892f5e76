"""Times full-batch gradient descent of ReLU networks in JAX or PyTorch and prints one JSON line.

Half the mean squared error of n standard normal inputs with standard normal targets, NTK parametrization, W_std = sqrt(2), b_std = 0.1, one
output, on the CPU. Each variant runs in a process of its own, and the fastest is printed. Compilation and the first step are not timed. JAX
and PyTorch start from the same numbers.
"""

import argparse
import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

W_STD, B_STD = 2**0.5, 0.1

# A call of the compiled program is a step, or by lax.fori_loop a loop of many. PyTorch's small products are faster on one thread.
VARIANTS = {"jax": ["step", "loop"], "torch": ["eager", "eager on one thread"]}
# Those above train several networks one after another; these on a thread each, or stacked by jax.vmap and torch.baddbmm.
OF_SEVERAL = {
    "jax": ["step side by side", "loop side by side", "step stacked", "loop stacked"],
    "torch": ["eager side by side", "eager stacked"],
}


def main():
    args = parse()
    if args.variant:
        print(json.dumps(measure(args)))
        return
    rows = []
    for variant in VARIANTS[args.program] + (OF_SEVERAL[args.program] if args.seeds > 1 else []):
        command = [sys.executable, *sys.argv, "--variant", variant]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"time_training: exit status {done.returncode} of {' '.join(command)}")
        rows.append(json.loads(done.stdout))
    fastest = max(rows, key=lambda row: row["steps_per_s"])
    print(json.dumps(fastest | {"variants": {row["variant"]: row["steps_per_s"] for row in rows}}))


def parse():
    parser = argparse.ArgumentParser(description="time the training of networks in JAX or PyTorch")
    parser.add_argument("--program", choices=list(VARIANTS), required=True)
    parser.add_argument("--dtype", choices=["f32", "f64"], required=True)
    parser.add_argument("--n", type=int, default=256, help="inputs")
    parser.add_argument("--d", type=int, default=10, help="input dimension")
    parser.add_argument("--depth", type=int, default=3, help="hidden layers")
    parser.add_argument("--width", type=int, required=True, help="units of every hidden layer")
    parser.add_argument("--seeds", type=int, default=1, help="networks")
    parser.add_argument("--seconds", type=float, default=3, help="at least so long, of each variant")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--variant", help="this one only")
    return parser.parse_args()


def measure(args):
    import numpy

    # Before JAX is imported: it makes one thread for each core that the process may use.
    cores = sorted(os.sched_getaffinity(0))
    if args.threads > len(cores):
        sys.exit(f"time_training: {args.threads} threads asked for, {len(cores)} cores to run on")
    os.sched_setaffinity(0, cores[: args.threads])

    dtype = {"f32": "float32", "f64": "float64"}[args.dtype]
    rng = numpy.random.default_rng(0)
    data = [rng.standard_normal((args.n, size), dtype) for size in (args.d, 1)]
    sizes = [args.d, *[args.width] * args.depth, 1]
    networks = [
        [tuple(rng.standard_normal(shape, dtype) for shape in ((a, b), (1, b))) for a, b in zip(sizes, sizes[1:])]
        for _ in range(args.seeds)
    ]
    if args.variant.endswith("stacked"):
        networks = [[tuple(map(numpy.stack, zip(*layers))) for layers in zip(*networks)]]
    each = ThreadPoolExecutor(args.threads).map if args.variant.endswith("side by side") else map
    # The kernel's largest eigenvalue over n is at most its mean diagonal, about 2 (depth + 1): far from divergence.
    rate = 0.1 / (args.depth + 1)
    own_mb = sum(p.nbytes for network in networks for layer in network for p in layer) / 1e6
    train, loss, versions = {"jax": in_jax, "torch": in_torch}[args.program](args, data, networks, rate, each)
    del networks

    ctypes.CDLL(None).malloc_trim(0)  # or memory that is free already would hide what training takes
    base = resident("VmRSS") - own_mb  # as if the networks were still to be made
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # starts VmHWM, the highest VmRSS, anew
    before = loss()
    train(1)
    steps = 1
    while (wall := timed(train, steps)[0]) < args.seconds / 10:
        steps *= 2
    steps = math.ceil(steps * args.seconds / 5 / wall)
    blocks = []
    while len(blocks) < 3 or sum(wall for wall, _ in blocks) < args.seconds:
        blocks.append(timed(train, steps))
    peak = resident("VmHWM") - base
    if not loss() < before:
        sys.exit(f"time_training: the loss went from {before} to {loss()}")

    walls, cpus = ([block[i] / (steps * args.seeds) for block in blocks] for i in range(2))
    asked = ("program", "variant", "dtype", "n", "d", "depth", "width", "seeds", "threads")
    return {key: getattr(args, key) for key in asked} | {
        "steps_per_s": 1 / statistics.median(walls),
        "cpu_s_per_step": statistics.median(cpus),
        "peak_mb_above_base": peak,
        "walls": walls,
        "cpus": cpus,
        "versions": versions | {"numpy": numpy.__version__, "python": sys.version.split()[0]},
    }


def timed(train, steps):
    """Wall and CPU seconds of so many steps of every network."""
    wall, cpu = time.perf_counter(), time.process_time()  # process_time counts every thread
    train(steps)
    return time.perf_counter() - wall, time.process_time() - cpu


def outputs(network, x, relu, affine):
    h = x
    for layer, (w, b) in enumerate(network):
        h = affine(W_STD / math.sqrt(w.shape[-2]) * (relu(h) if layer else h), w, b)
    return h


def in_jax(args, data, networks, rate, each):
    """What takes so many steps, what tells the loss, and versions."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jaxlib

    jax.config.update("jax_enable_x64", args.dtype == "f64")
    x, y = map(jax.numpy.array, data)
    networks = [jax.tree_util.tree_map(jax.numpy.array, network) for network in networks]

    def loss(network, x, y):
        f = outputs(network, x, jax.nn.relu, lambda h, w, b: h @ w + B_STD * b)
        return ((f - y) ** 2).sum() / (2 * len(y))

    def step(network, x, y):
        return jax.tree_util.tree_map(lambda p, g: p - rate * g, network, jax.grad(loss)(network, x, y))

    if args.variant.endswith("stacked"):
        step_all, loss_all = (jax.vmap(function, (0, None, None)) for function in (step, loss))
    else:
        step_all, loss_all = step, loss

    def loop(network, x, y, steps):
        return jax.lax.fori_loop(0, steps, lambda _, network: step_all(network, x, y), network)

    # Compiled for this shape before memory is measured, so that the compiler's own memory does not count.
    looped = args.variant.startswith("loop")
    function, inputs = (loop, (networks[0], x, y, 1)) if looped else (step_all, (networks[0], x, y))
    advance = jax.jit(function, donate_argnums=0).lower(*inputs).compile()
    value = jax.jit(loss_all).lower(networks[0], x, y).compile()

    def train(network, steps):
        if looped:
            network = advance(network, x, y, steps)
        else:
            for _ in range(steps):
                network = advance(network, x, y)
        return jax.block_until_ready(network)

    def train_all(steps):
        networks[:] = each(lambda network: train(network, steps), networks)

    versions = {"jax": jax.__version__, "jaxlib": jaxlib.__version__}
    return train_all, lambda: float(sum(value(network, x, y).sum() for network in networks)), versions


def in_torch(args, data, networks, rate, each):
    """What takes so many steps, what tells the loss, and versions."""
    import torch

    n_threads = args.threads if args.variant in ("eager", "eager stacked") else 1
    torch.set_num_threads(n_threads)
    x, y = map(torch.from_numpy, data)
    networks = [[tuple(torch.from_numpy(p).requires_grad_() for p in layer) for layer in network] for network in networks]
    affine = torch.addmm
    if args.variant.endswith("stacked"):
        x, y = (values.expand(args.seeds, -1, -1) for values in (x, y))
        affine = torch.baddbmm

    def loss(network, x, y):
        f = outputs(network, x, torch.relu, lambda h, w, b: affine(b, h, w, beta=B_STD))
        return torch.nn.functional.mse_loss(f, y, reduction="sum") / (2 * args.n)

    def train(network, steps, x=x, y=y):
        torch.set_num_threads(n_threads)  # which holds for the thread that says so
        parameters = [p for layer in network for p in layer]
        for _ in range(steps):
            gradient = torch.autograd.grad(loss(network, x, y), parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradient, alpha=-rate)

    def train_all(steps):
        list(each(lambda network: train(network, steps), networks))

    # PyTorch makes its threads and loads its code at the first step: here at that of a small network, before memory is measured.
    small = [tuple(p.detach()[..., :2, :2].clone().requires_grad_() for p in layer) for layer in networks[0][:-1]]
    small.append(tuple(p.detach()[..., :2, :].clone().requires_grad_() for p in networks[0][-1]))
    train(small, 1, x[..., :2])

    return train_all, lambda: sum(loss(network, x, y).item() for network in networks), {"torch": torch.__version__}


def resident(field):
    """A field of /proc/self/status in MB of 10^6 bytes."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()

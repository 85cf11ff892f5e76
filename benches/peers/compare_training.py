"""Times the training of networks in four programs in turns and prints a Markdown table; `run.sh training` calls it.

As compare.py does: each round runs every program once, each in a new process, and the next round in the other order.
"""

import argparse
import statistics

from compare import HERE, answer, common_arguments, keep, machine, positive, require, turns

DEFAULT_CASES = [
    *(f"{dtype}:{width}:1" for dtype in ("f32", "f64") for width in (64, 128, 256, 512, 1024, 2048, 4096)),
    *(f"f32:{width}:16" for width in (64, 128, 256)),
]
SETTINGS = ("n", "d", "depth", "threads", "seconds")


def main():
    args = parse()
    peer = [args.peer_python, str(HERE / "time_training.py")]
    programs = {"jax": peer, "torch": peer, "ntk": [args.ntk], "hand-written": [args.hand_written]}
    require(programs)

    settings = {key: getattr(args, key) for key in SETTINGS}
    run = machine() | {"settings": settings | {"rounds": args.rounds}, "rows": []}
    print("| case | steps/s: jax | torch | ntk | hand-written | ntk over the faster peer | ntk over hand-written |")
    print("|---|--:|--:|--:|--:|--:|--:|", flush=True)
    for case in args.cases:
        # One network is written by hand, not several.
        names = [name for name in programs if name != "hand-written" or case["seeds"] == 1]
        rows = {name: [] for name in programs}
        for turn, name in turns(names, args.rounds):
            asked = {"program": name, **case, **{key: settings[key] for key in SETTINGS if key != "seconds"}}
            row = answer(programs[name], asked, {"seconds": args.seconds}) | {"round": turn}
            rows[name].append(row)
            run["rows"].append(row)
        print(table_line(case, rows), flush=True)
        keep(run, args.out)


def parse():
    parser = common_arguments("time the training of networks in four programs", "JAX and PyTorch", "train_timing")
    parser.add_argument("--hand-written", default="target/release/hand-written", help="the program written by hand")
    parser.add_argument(
        "--cases",
        nargs="+",
        type=read_case,
        default=[read_case(text) for text in DEFAULT_CASES],
        metavar="DTYPE:WIDTH:SEEDS",
        help="for example f32:512:1 for one network, f32:64:16 for 16 at once",
    )
    parser.add_argument("--n", type=positive, default=256, help="inputs")
    parser.add_argument("--depth", type=positive, default=3, help="hidden layers")
    parser.add_argument("--seconds", type=float, default=3, help="how long every process trains at least")
    return parser.parse_args()


def read_case(text):
    """What is to be trained, from a text like f32:512:1."""
    try:
        dtype, width, seeds = text.split(":")
        if dtype not in ("f32", "f64"):
            raise ValueError
        return {"dtype": dtype, "width": positive(width), "seeds": positive(seeds)}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no case: write DTYPE:WIDTH:SEEDS") from None


def table_line(case, rows):
    rates = {name: [row["steps_per_s"] for row in found] for name, found in rows.items()}
    peer = max("jax", "torch", key=lambda name: statistics.median(rates[name]))
    several = f", {case['seeds']} networks" if case["seeds"] > 1 else ""
    cells = [
        f"{case['dtype']}, width {case['width']}{several}",
        *(f"{float(f'{statistics.median(found):.3g}'):.12g}" if found else "" for found in rates.values()),  # never as 1e+05
        *(over(rates["ntk"], rates[name]) for name in (peer, "hand-written")),
    ]
    return f"| {' | '.join(cells)} |"


def over(own, other):
    """The ratio of the medians, in brackets the lowest and highest of the rounds."""
    if not other:
        return ""
    by_round = [a / b for a, b in zip(own, other)]
    return f"{statistics.median(own) / statistics.median(other):.2f} ({min(by_round):.2f} to {max(by_round):.2f})"


if __name__ == "__main__":
    main()

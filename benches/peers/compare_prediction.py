"""Times predictions from kernels or from inputs, and what they rest on, in turns and prints a Markdown table; `run.sh prediction` calls it.

As compare.py does: each round runs both programs once, each in a new process, and the next round in the other order. The peer of a prediction
is neural-tangents, that of a factorization LAPACK.
"""

import argparse
import statistics

from compare import HERE, answer, common_arguments, keep, machine, positive, require, turns

PEERS = {
    "ntk-mean": "neural-tangents",
    "nngp-posterior": "neural-tangents",
    "ntk-ensemble": "neural-tangents",
    "ntk-ensemble-finite": "neural-tangents",
    "eigendecomposition": "lapack",
    "cholesky": "lapack",
}
SCRIPTS = {"neural-tangents": "time_prediction.py", "lapack": "time_lapack.py"}
STARTS = ("inputs", "kernels")
DEFAULT_CASES = [f"{case}:{n}:{start}" for case, peer in PEERS.items() if peer != "lapack" for n in (2000, 5000) for start in STARTS]
DEFAULT_CASES += [f"{case}:{n}" for case, peer in PEERS.items() if peer == "lapack" for n in (2000, 5000)]


def main():
    args = parse()
    programs = {name: [args.peer_python, str(HERE / script)] for name, script in SCRIPTS.items()} | {"ntk": [args.ntk]}
    require(programs)
    settings = {key: getattr(args, key) for key in ("rounds", "repeats", "threads", "n_test", "d", "depth")}
    run = machine() | {"settings": settings, "rows": []}
    print("| case | peer | wall s: peer | ntk | wall ratio | CPU s: peer | ntk | CPU ratio | MB: peer | ntk |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for case in args.cases:
        peer = PEERS[case["case"]]
        asked = {"n": case["n"], **{key: settings[key] for key in ("d", "depth", "threads")}}
        if peer != "lapack":
            asked |= {"n_test": args.n_test, "start": case["start"]}
        rows = {peer: [], "ntk": []}
        for turn, name in turns([peer, "ntk"], args.rounds):
            row = answer([*programs[name], case["case"]], asked, {"repeats": args.repeats}) | {"round": turn}
            rows[name].append(row)
            run["rows"].append(row)
        print(table_line(case, peer, rows), flush=True)
        keep(run, args.out)


def parse():
    parser = common_arguments("time predictions from kernels in two programs", "neural-tangents", "prediction_timing")
    parser.add_argument(
        "--cases",
        nargs="+",
        type=read_case,
        default=[read_case(text) for text in DEFAULT_CASES],
        metavar="CASE:N[:START]",
        help=f"for example ntk-mean:2000:inputs, of {', '.join(PEERS)}; the kernels are timed too where START is inputs",
    )
    parser.add_argument("--repeats", type=positive, default=3, help="timed calls per process")
    parser.add_argument("--n-test", type=positive, default=1000, help="inputs to predict at")
    parser.add_argument("--depth", type=positive, default=3, help="hidden layers")
    return parser.parse_args()


def read_case(text):
    """What is to be computed, from a text like ntk-mean:2000 or ntk-mean:2000:inputs."""
    try:
        case, n, start = (text.split(":") + ["kernels"])[:3]
        if case not in PEERS or start not in STARTS or text.count(":") > 2:
            raise ValueError
        return {"case": case, "n": positive(n), "start": start}
    except ValueError:
        problem = f"{text!r} is no case: write CASE:N or CASE:N:START, CASE being one of {', '.join(PEERS)}, START {' or '.join(STARTS)}"
        raise argparse.ArgumentTypeError(problem) from None


def table_line(case, peer, rows):
    start = "" if peer == "lapack" else f", from {case['start']}"
    cells = [f"{case['case']}, N = {case['n']}{start}", peer]
    for of_row, of_calls in (("wall", "walls"), ("cpu", "cpus")):
        peers, own = (statistics.median(number for row in rows[name] for number in row[of_calls]) for name in (peer, "ntk"))
        by_round = [p[of_row] / o[of_row] for p, o in zip(rows[peer], rows["ntk"])]
        cells += [f"{peers:.3g}", f"{own:.3g}", f"{peers / own:.2f} ({min(by_round):.2f} to {max(by_round):.2f})"]
    cells += [f"{max(row['peak_bytes'] for row in rows[name]) / 1e6:.0f}" for name in (peer, "ntk")]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

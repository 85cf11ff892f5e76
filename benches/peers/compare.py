"""Times two programs on the same kernels in turns and prints a Markdown table; run.sh calls it.

Each round runs both programs once, each in a new process, and the next round in the other order: what disturbs the machine then
disturbs both.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# Analytic kernels; then empirical ones, of one output and of several.
DEFAULT_CASES = (
    "f64:5000:3 f64:5000:10 f32:5000:3 "
    "f32:256:1:512 f32:256:1:2048 f32:1024:1:512 f32:1024:1:2048 "
    "f32:256:3:512 f32:256:3:1024 f32:256:3:2048 f32:1024:3:512 f32:1024:3:1024 f32:1024:3:2048 f32:1024:3:4096 "
    "f32:256:3:512:10:full f32:256:3:512:10:trace f32:1024:3:512:10:full f32:1024:3:512:10:trace"
).split()


def main():
    args = parse()
    programs = {"neural-tangents": [args.peer_python, str(HERE / "time_neural_tangents.py")], "ntk": [args.ntk]}
    require(programs)
    settings = {key: getattr(args, key) for key in ("rounds", "repeats", "seconds", "threads", "d", "b_std")}
    run = machine() | {"settings": settings, "rows": []}
    print("| case | wall s: neural-tangents | ntk | ratio | CPU s: neural-tangents | ntk | ratio | MB: neural-tangents | ntk |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for case in args.cases:
        rows = {name: [] for name in programs}
        for turn, name in turns(programs, args.rounds):
            row = measure(programs[name], case, args) | {"round": turn}
            rows[name].append(row)
            run["rows"].append(row)
        print(table_line(case, rows["neural-tangents"], rows["ntk"]), flush=True)
        keep(run, args.out)


def parse():
    parser = common_arguments("time neural-tangents and ntk beside each other", "neural-tangents", "kernel_timing")
    parser.add_argument(
        "--cases",
        nargs="+",
        type=read_case,
        default=[read_case(text) for text in DEFAULT_CASES],
        metavar="DTYPE:N:DEPTH[:WIDTH[:OUTPUTS:full|trace]]",
        help="for example f64:2000:3 for analytic kernels, f32:1024:3:512:10:trace for the empirical kernel of a network",
    )
    parser.add_argument("--repeats", type=positive, default=5, help="timed calls per process, at least")
    parser.add_argument("--seconds", type=float, default=1, help="how long every process goes on calling, at least")
    parser.add_argument("--b-std", type=float, default=0.1)
    return parser.parse_args()


def common_arguments(description, peers, example):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--peer-python", default="target/peers/bin/python", help=f"a Python that has {peers}")
    parser.add_argument("--ntk", default=f"target/release/examples/{example}", help="the timing example of this program")
    parser.add_argument("--rounds", type=positive, default=3, help="processes of each program per case")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--d", type=positive, default=10, help="input dimension")
    parser.add_argument("--out", type=Path, help="keep the raw rows there, for example benches/runs/peers.json")
    return parser


def read_case(text):
    """What is to be computed, from a text like f64:2000:3 or f32:1024:3:512."""
    try:
        dtype, n, depth, *network = text.split(":")
        case = {"kernel": "analytic", "dtype": dtype, "n": positive(n), "depth": positive(depth)}
        if network:
            width, d_out, outputs = network if len(network) == 3 else (*network, "1", "full")
            case |= {"kernel": "empirical", "width": positive(width), "d_out": positive(d_out), "outputs": outputs}
        if dtype not in ("f32", "f64") or case.get("outputs", "full") not in ("full", "trace"):
            raise ValueError
        return case
    except ValueError:
        problem = f"{text!r} is no case: write DTYPE:N:DEPTH, or DTYPE:N:DEPTH:WIDTH, or DTYPE:N:DEPTH:WIDTH:OUTPUTS:full or :trace"
        raise argparse.ArgumentTypeError(problem) from None


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def require(programs):
    for name, command in programs.items():
        if not shutil.which(command[0]):
            sys.exit(f"compare: {name} is missing, {command[0]} cannot be run; benches/peers/run.sh installs and builds all")


def turns(programs, rounds):
    """Number of the round and name of the program, in the order in which they run."""
    for turn in range(rounds):
        for name in reversed(programs) if turn % 2 else programs:
            yield turn, name


def measure(program, case, args):
    """The JSON line that a program prints about a case."""
    options = {"d": args.d, "b-std": args.b_std, "repeats": args.repeats, "seconds": args.seconds}
    row = answer(program, case | {"threads": args.threads}, options)
    if len(row["walls"]) < args.repeats:
        sys.exit(f"compare: {len(row['walls'])} repeats for {args.repeats} from {' '.join(program)}")
    # No clock here tells more than a tenth of a microsecond.
    return row | {key: [round(seconds, 7) for seconds in row[key]] for key in ("walls", "cpus")}


def answer(program, asked, options):
    """The JSON line that a program prints, which must repeat what it was asked."""
    command = program + [word for key, value in (asked | options).items() for word in (f"--{key.replace('_', '-')}", str(value))]
    load = os.getloadavg()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)  # what it says on stderr is for the user to see
    if done.returncode != 0:
        sys.exit(f"compare: exit status {done.returncode} of {' '.join(command)}")
    row = json.loads(done.stdout)
    wrong = [key for key in asked if row[key] != asked[key]]
    if wrong:
        sys.exit(f"compare: not what was asked for ({', '.join(wrong)}) from {' '.join(command)}")
    return row | {"load_average": load}


def keep(run, out):
    """Writes the rows so far, a line each, after every case, so that an interrupted run keeps the cases it has finished."""
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        head = json.dumps(run | {"load_average_end": os.getloadavg(), "rows": []}, indent=1)
        rows = ",\n  ".join(json.dumps(row) for row in run["rows"])
        out.write_text(head.replace('"rows": []', f'"rows": [\n  {rows}\n ]') + "\n")


def table_line(case, peer, own):
    def median(rows, key):
        return statistics.median(row[key] for row in rows)

    def compared(key):
        by_round = [p[key] / o[key] for p, o in zip(peer, own)]
        ratio = f"{median(peer, key) / median(own, key):.2f} ({min(by_round):.2f} to {max(by_round):.2f})"
        return (*(f"{median(rows, key):.3g}" for rows in (peer, own)), ratio)

    memory = (f"{max(row['peak_mb_above_base'] for row in rows):.0f}" for rows in (peer, own))
    return f"| {' | '.join((name(case), *compared('wall_s'), *compared('cpu_s'), *memory))} |"


def name(case):
    text = f"{case['dtype']}, N = {case['n']}, depth {case['depth']}"
    if case["kernel"] == "analytic":
        return text
    outputs = "" if case["d_out"] == 1 else f", {case['d_out']} outputs, {case['outputs']}"
    return f"empirical, {text}, width {case['width']}{outputs}"


def machine():
    """When and on what this run was made, and from which sources."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), "unknown")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average_start": os.getloadavg(),
        "ntk_commit": said("git", "describe", "--always", "--dirty"),
        "rustc": said("rustc", "--version"),
    }


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    main()

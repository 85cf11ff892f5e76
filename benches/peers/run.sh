#!/usr/bin/env bash
# Times peers and this program beside each other: kernels by compare.py, or after `training` training by compare_training.py, or after
# `prediction` predictions from kernels by compare_prediction.py; the other arguments go there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

venv=${NTK_PEERS_VENV:-target/peers}
target=${CARGO_TARGET_DIR:-target}

has() {
    "$venv/bin/python" -m pip show --quiet "$1" 2>/dev/null
}

# pip installs a package after what it needs, so neural-tangents is there only once all of it is.
if ! has neural-tangents; then
    "${PYTHON:-python3}" -m venv "$venv"
    # Of later releases of its dependencies, neural-tangents 0.6.5 cannot import some and computes wrongly or not at all with others.
    "$venv/bin/pip" install "neural-tangents==0.6.5" "jax==0.4.25" "jaxlib==0.4.25" "tf2jax==0.3.5" \
        "tensorflow==2.15.1" "numpy<2" "scipy<1.13"
fi

if [[ ${1-} == prediction ]]; then
    shift
    cargo build --release --example prediction_timing
    exec "$venv/bin/python" benches/peers/compare_prediction.py \
        --peer-python "$venv/bin/python" --ntk "$target/release/examples/prediction_timing" "$@"
fi

if [[ ${1-} != training ]]; then
    cargo build --release --example kernel_timing
    exec "$venv/bin/python" benches/peers/compare.py \
        --peer-python "$venv/bin/python" --ntk "$target/release/examples/kernel_timing" "$@"
fi

shift
if ! has torch; then
    # The same for the CPU, without 5 GB for GPUs, from PyTorch's own index; where that is out of reach, all of it.
    "$venv/bin/pip" install --retries 0 "torch==2.4.1" --index-url https://download.pytorch.org/whl/cpu ||
        "$venv/bin/pip" install "torch==2.4.1"
fi
cargo build --release --example train_timing
cargo build --release --manifest-path benches/peers/hand-written/Cargo.toml --target-dir "$target"
exec "$venv/bin/python" benches/peers/compare_training.py --peer-python "$venv/bin/python" \
    --ntk "$target/release/examples/train_timing" --hand-written "$target/release/hand-written" "$@"

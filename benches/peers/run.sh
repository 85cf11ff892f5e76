#!/usr/bin/env bash
# Times neural-tangents and this program beside each other; arguments go to compare.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

venv=${NTK_PEERS_VENV:-target/peers}
target=${CARGO_TARGET_DIR:-target}

# pip installs a package after what it needs, so neural-tangents is there only once all of it is.
if ! "$venv/bin/python" -m pip show --quiet neural-tangents 2>/dev/null; then
    "${PYTHON:-python3}" -m venv "$venv"
    # Of later releases of its dependencies, neural-tangents 0.6.5 cannot import some and computes wrongly or not at all with others.
    "$venv/bin/pip" install "neural-tangents==0.6.5" "jax==0.4.25" "jaxlib==0.4.25" "tf2jax==0.3.5" \
        "tensorflow==2.15.1" "numpy<2" "scipy<1.13"
fi

cargo build --release --example kernel_timing

exec "$venv/bin/python" benches/peers/compare.py \
    --peer-python "$venv/bin/python" --ntk "$target/release/examples/kernel_timing" "$@"

#!/usr/bin/env bash
# Times empirical kernels on a GPU and prints a line of JSON for each, after one that says which program and machine:
# `benches/devices.sh cuda > benches/runs/cuda.jsonl`. A built program may be given: NTK_KERNEL_TIMING=target/release/examples/kernel_timing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

backend=${1:?which backend: cuda, vulkan, wgpu, metal or rocm}
timing=${NTK_KERNEL_TIMING:-${CARGO_TARGET_DIR:-target}/release/examples/kernel_timing}
if [[ -z ${NTK_KERNEL_TIMING-} ]]; then
    cargo build --release --features "$backend" --example kernel_timing >&2
fi

printf '{"date": "%s", "commit": "%s", "backend": "%s", "driver": "%s", "processor": "%s"}\n' "$(date -I)" \
    "${NTK_COMMIT:-$(git describe --always --dirty 2>/dev/null)}" "$backend" \
    "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n1 || true)" \
    "$(grep -m1 'model name' /proc/cpuinfo 2>/dev/null | cut -d: -f2- | xargs)"

# DTYPE N DEPTH WIDTH OUTPUTS KIND
while read -r dtype n depth width outputs kind; do
    "$timing" --kernel empirical --backend "$backend" --dtype "$dtype" --n "$n" --depth "$depth" --width "$width" --d-out "$outputs" \
        --outputs "$kind" --threads "$(getconf _NPROCESSORS_ONLN)" --seconds 1 || echo "{\"failed\": \"$dtype $n $depth $width $outputs $kind\"}"
done <<'CASES'
f32 256 3 512 1 full
f32 256 3 4096 1 full
f32 1024 1 1024 1 full
f32 1024 3 512 1 full
f32 1024 3 1024 1 full
f32 1024 3 2048 1 full
f32 1024 3 4096 1 full
f32 1024 3 512 10 full
f32 1024 3 512 10 trace
f32 4096 3 1024 1 full
f32 4096 3 4096 1 full
f32 10000 3 2048 1 full
f64 1024 3 1024 1 full
f64 4096 3 4096 1 full
CASES

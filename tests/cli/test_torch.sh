#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_torch.sh: logits, likelihoods, loss and every gradient of the library equal those of the same model in PyTorch, which
# contrib/torch_model.py builds from the page wirespeak-model(5). Tolerances are in tests/parity/compare.py.
set -u
dump=${top_builddir:-.}/parity_dump
top=${top_srcdir:-.}
python=${PYTHON_TORCH:-/usr/bin/python3}
"$python" -c 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ("torch", "numpy"))))' || {
    echo "python3-torch is not installed"
    exit 77
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
pairs=()

# add MODEL FLOWS DTYPE: runs random flows through the library. Where the CPU has no bfloat16 that is left out.
add() {
    local to=$tmp/${#pairs[@]}.dump rc=0
    "$dump" run "$2" "$3" "$1" "$to" || rc=$?
    if [ $rc = 77 ]; then return; elif [ $rc != 0 ]; then exit 1; fi
    pairs+=("$1" "$to")
}

# 52 flows are more than one part of a batch. Random weights can be too steep for bfloat16: trained ones, and few layers. The
# generator's heads are random, and pull at its flow stack.
for kind in both labels tokens shallow; do
    "$dump" new $kind 1 "$tmp/$kind.safetensors" || exit 1
    add "$tmp/$kind.safetensors" 6 f32
done
add "$tmp/both.safetensors" 52 f32
add "$tmp/shallow.safetensors" 6 bf16
for model in "$top"/models/*.safetensors; do
    [ -f "$model" ] || continue
    add "$model" 2 f32
    [ "${model##*/}" = generator.safetensors ] || add "$model" 8 bf16
done
"$python" "$top/tests/parity/compare.py" "${pairs[@]}" || exit 1

# The comparison sees what is not equal: what one model computes beside another one.
n=$((${#pairs[@]} / 2 + 1))
"$dump" new both 2 "$tmp/other.safetensors" || exit 1
if "$python" "$top/tests/parity/compare.py" "$tmp/other.safetensors" "${pairs[1]}" | grep -q '^not ok'; then
    echo "ok $n - what another model computes is refused"
else
    echo "not ok $n - what another model computes is refused"
fi

# What the benchmark measures as PyTorch is the same model, fast or plain; one of the flows is longer than a block of their scans.
n=$((n + 1))
"$python" - "$tmp/flows.npz" <<'PY'
import sys
import numpy as np
rng = np.random.default_rng(1)
flows = np.array([3, 140, 1, 64, 2, 63])
packets = rng.integers(1, 3, flows.sum())
np.savez(sys.argv[1], ids=rng.integers(0, 61, packets.sum()).astype("u2"), packet_off=np.r_[0, packets.cumsum()].astype("u8"),
         flow_off=np.r_[0, flows.cumsum()].astype("u8"))
PY
for variant in tuned plain; do
    what="the PyTorch model of the benchmark is the same model: $variant"
    if "$python" "$top/tests/bench/torch_peer.py" --threads 1 --check --variant $variant "$tmp/both.safetensors" "$tmp/flows.npz"; then
        echo "ok $n - $what"
    else
        echo "not ok $n - $what"
    fi
    n=$((n + 1))
done
echo "1..$((n - 1))"

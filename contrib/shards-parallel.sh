#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shards-parallel.sh N MODEL OUT CAPTURE...: the same with GNU parallel, in N shards, as many at a time as there are CPUs.
#     contrib/shards-parallel.sh 8 model.safetensors out captures/
# Over several machines that see the same files: PARALLEL='--sshlogin host1,host2' contrib/shards-parallel.sh ...
set -euo pipefail
usage='usage: shards-parallel.sh N MODEL OUT CAPTURE...'
n=${1:?$usage} model=${2:?$usage} out=${3:?$usage}
shift 3
mkdir -p "$out"
ws=${WIRESPEAK:-wirespeak}
seq "$n" | parallel --halt soon,fail=1 \
    "$(printf '%q ' "$ws" classify -m "$model" -o jsonl --head all --threads 1)--shard {}/$n $(printf '%q ' "$@")" \
    ">$(printf '%q' "$out")/.part-{}.tmp && mv $(printf '%q' "$out")/.part-{}.tmp $(printf '%q' "$out")/part-{}.jsonl"

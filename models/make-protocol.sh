#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make-protocol.sh CORPUS LABELS.tsv WORK: makes protocol.safetensors again: tokens of the three parts, training, score.
# CORPUS: folder of captures; LABELS.tsv: list with path, label, l4, ip_a, port_a, ip_b, port_b (protocol.md says which).
set -euo pipefail
corpus=${1:?usage: make-protocol.sh CORPUS LABELS.tsv WORK}
labels=${2:?usage: make-protocol.sh CORPUS LABELS.tsv WORK}
work=${3:?usage: make-protocol.sh CORPUS LABELS.tsv WORK}
ws=${WIRESPEAK:-wirespeak}
mkdir -p "$work"
for part in train val test; do
    # exit 1 says that some captures break off, which is so in this corpus; a missing file stops the next step
    "$ws" tokenize --part "$part" --max-packets 24 --drop-residuals --labels "protocol=$labels" \
        -w "$work/$part.npz" "$corpus" || true
done
"$ws" train --config small --val "$work/val.npz" --lm-weight 1 --labelled-only --epochs 5 --threads 2 --batch-tokens 6144 \
    --lr 0.0015 --seed 1 --checkpoint "$work/protocol.ckpt" --checkpoint-every 50 --resume \
    --log "$work/protocol.jsonl" -w "$work/protocol.safetensors" "$work/train.npz"
"$ws" eval --per-class -m "$work/protocol.safetensors" "$work/test.npz"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make-flows.sh CORPUS TASKS WORK: makes flows.safetensors again: tokens of the three parts, training, score.
# CORPUS: folder of captures; TASKS: folder of label lists (flows.md says which); SEED (1) and EPOCHS (12) as in flows.md.
# LM=0: heads alone, for comparison.
set -euo pipefail
corpus=${1:?usage: make-flows.sh CORPUS TASKS WORK}
tasks=${2:?usage: make-flows.sh CORPUS TASKS WORK}
work=${3:?usage: make-flows.sh CORPUS TASKS WORK}
ws=${WIRESPEAK:-wirespeak}
seed=${SEED:-1} lm=${LM:-1}
heads=(protocol=t01_protocol app=t02_encrypted_app category=t03_category ics=t04_ics_protocol device=t05_iot_device
    mobile=t06_mobile_app tunnel=t07_dns_tunnel threat=t08_threat_kind malware=t09_malware_vs_benign)
lists=()
for head in "${heads[@]}"; do lists+=(--labels "${head%%=*}=$tasks/${head#*=}.tsv"); done
mkdir -p "$work"
for part in train val test; do
    # exit 1 says that some captures break off, which is so in this corpus; a missing file stops the next step
    "$ws" tokenize --part "$part" --max-packets 24 --drop-residuals "${lists[@]}" -w "$work/$part.npz" "$corpus" || true
done
# The last weights are kept, not those that score best on the few validation captures.
"$ws" train --config small --val "$work/val.npz" --val-every 0 --lm-weight "$lm" --labelled-only --epochs "${EPOCHS:-12}" --threads 2 \
    --batch-tokens 4096 --lr 0.0015 --seed "$seed" --dtype bf16 --checkpoint "$work/flows-$seed.ckpt" --checkpoint-every 200 --resume \
    --log "$work/flows-$seed.jsonl" -w "$work/flows-$seed.safetensors" "$work/train.npz"
"$ws" eval -m "$work/flows-$seed.safetensors" "$work/test.npz"

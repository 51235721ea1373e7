#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# unknown.sh CORPUS WORK HEAD=LABELS.tsv...: does a model know what it does not know? Of each list every fifth label (LEAVE=5, in the order of
# their names, from the third: FIRST=3; 1 to 5 leave each label out once) is left out of training and validation; on the test captures, where all labels are, it
# says how well confidences tell labels that were trained from such as were not (AUROC), and which shares of either keep an answer at the threshold of
# wirespeak-calibrate(1). Lists of fewer than five labels stay whole. BACKGROUND="HEAD...": these heads learn from captures without their labels what is unknown (train --background); captures of
# the labels that are left out are not among them, nor anywhere in training. EPOCHS, SEED, THREADS, WIRESPEAK as below; ARGS: more options of train.
set -euo pipefail
usage='usage: unknown.sh CORPUS WORK HEAD=LABELS.tsv...'
corpus=${1:?$usage} work=${2:?$usage}
shift 2
[ $# -gt 0 ] || { echo "$usage" >&2 && exit 2; }
ws=${WIRESPEAK:-wirespeak} leave=${LEAVE:-5} first=${FIRST:-3}
mkdir -p "$work"

known=() all=() background=()
: >"$work/left-captures"
for list in "$@"; do
    head=${list%%=*}
    awk -F '\t' -v OFS='\t' 'FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["label"] }' "${list#*=}" | sort -u |
        awk -v n="$leave" -v first="$first" '{ label[NR] = $0 } END { if (NR >= n) for (i = first; i <= NR; i += n) print label[i] }' >"$work/$head.left"
    awk -F '\t' -v names="$work/$head.left" 'BEGIN { while ((getline name <names) > 0) left[name] = 1 }
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        FNR == 1 || !($at["label"] in left)' "${list#*=}" >"$work/$head.tsv"
    echo "$head: without $(paste -sd, "$work/$head.left")" >&2
    if [[ " ${BACKGROUND:-} " == *" $head "* ]]; then
        background+=(--background "$head")
        awk -F '\t' -v names="$work/$head.left" 'BEGIN { while ((getline name <names) > 0) left[name] = 1 }
            FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
            FNR > 1 && $at["label"] in left { print $at["path"] }' "${list#*=}" >>"$work/left-captures"
    fi
    known+=(--labels "$head=$work/$head.tsv")
    all+=(--labels "$list")
done
# A list names a capture by the end of its path.
mapfile -t captures < <(find "$corpus" -type f | sort | awk -v lists="$work/left-captures" '
    BEGIN { while ((getline path <lists) > 0) left[path] = 1 }
    { for (rest = $0; !(rest in left) && sub("^[^/]*/", "", rest);) continue }
    !(rest in left)')
for part in train val; do
    # exit 1 says that some captures break off; a missing file stops the next step
    "$ws" tokenize -q --part $part --max-packets 24 --drop-residuals "${known[@]}" -w "$work/$part.npz" "${captures[@]}" || true
done
"$ws" tokenize -q --part test --max-packets 24 --drop-residuals "${all[@]}" -w "$work/test.npz" "$corpus" || true
# shellcheck disable=SC2086 # ARGS are words
"$ws" train -q --config small --lm-weight 0 --batch-tokens 4096 --epochs "${EPOCHS:-8}" --seed "${SEED:-1}" --per-capture 12 --per-label 200 --token-drop 0.1 \
    --dropout 0.2 --val "$work/val.npz" --val-every 0 --threads "${THREADS:-1}" "${background[@]}" ${ARGS:-} -w "$work/known.safetensors" "$work/train.npz"
"$ws" grow -q -m "$work/known.safetensors" -w "$work/known.safetensors" --seed "${SEED:-1}" "$work/train.npz" >"$work/grow.log"
"$ws" calibrate -q -m "$work/known.safetensors" -w "$work/known.safetensors" "$work/val.npz" >"$work/calibrate.log"
"$ws" eval -q --final-only -o json -m "$work/known.safetensors" "$work/test.npz" >"$work/unknown.json"
python3 - "$work/unknown.json" <<'PY'
import json, sys
print(f"{'head':12} {'known':>7} {'others':>7} {'AUROC':>7} {'kept':>7} {'pass':>7}")
for r in map(json.loads, open(sys.argv[1])):
    u = r["unknown"]
    if r["outside"]:
        print(f"{r['head']:12} {r['flows']:7} {r['outside']:7} {r['auroc_known']:7.3f} {u['coverage']:7.3f} {u['outside_passed']:7.3f}")
PY

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# few-shot.sh PRETRAINED.safetensors HEAD=LABELS.tsv CORPUS WORK: what 5, 10 and 50 training flows of each class teach: a model from scratch, the
# pretrained one fine-tuned, the same frozen (its heads alone learn), and trees, on the same flows and the same test captures, and the means over the seeds. SHOTS, SEEDS, STEPS, WIRESPEAK as below.
# The pretrained model must not have seen the test captures: make it from the parts of the same split (tokenize --part).
set -euo pipefail
usage='usage: few-shot.sh PRETRAINED HEAD=LABELS.tsv CORPUS WORK'
pretrained=${1:?$usage} labels=${2:?$usage} corpus=${3:?$usage} work=${4:?$usage}
ws=${WIRESPEAK:-wirespeak}
size=$("$ws" info "$pretrained" | awk '$1 == "size" { print $2 }')
# means SHOTS: of the rows of all seeds, which are in $work/rows
means() {
    awk -v shots="$1" '{
        what = substr($0, 13, 28)
        if (!n[what]++) order[++kinds] = what
        accuracy[what] += $(NF - 1); f1[what] += $NF
    } END {
        for (i = 1; i <= kinds; i++) {
            what = order[i]
            printf "%-5s %-5s %-28s %9.4f %9.4f\n", shots, "mean", what, accuracy[what] / n[what], f1[what] / n[what]
        }
    }' "$work/rows"
}
mkdir -p "$work"
printf '%-5s %-5s %-28s %9s %9s\n' shots seed what accuracy macro-F1
for shots in ${SHOTS:-5 10 50}; do
    : >"$work/rows"
    for seed in ${SEEDS:-1 2 3}; do
        parts=$work/$shots-$seed
        rm -f "$parts/test.npz"
        # the seed draws flows; captures are split by the name and seed 1, whatever the flows are
        "$ws" split -q --no-classes --per-class "$shots" --draw "$seed" --labels "$labels" -w "$parts" "$corpus" >"$work/split.log" 2>&1 || {
            cat "$work/split.log" >&2
            [ -e "$parts/test.npz" ] || exit 1 # status 1 says that some captures break off, too
        }
        # as many steps for all: epochs until so many tokens have been seen
        tokens=$("$ws" info "$parts/train.npz" | awk '$1 == "tokens" { print $2 }')
        ((tokens > 0)) || {
            echo "few-shot.sh: no training flow of $corpus has a label of $labels" >&2
            exit 1
        }
        epochs=$(((${STEPS:-150} * 2048 + tokens - 1) / tokens))
        how=(-q --lm-weight 0 --batch-tokens 2048 --epochs "$epochs" --seed "$seed" --val "$parts/val.npz" --val-every 0 --config "$size")
        "$ws" train "${how[@]}" --lr 0.001 -w "$parts/scratch.safetensors" "$parts/train.npz"
        "$ws" train "${how[@]}" --lr 0.001 --init "$pretrained" -w "$parts/tuned.safetensors" "$parts/train.npz"
        "$ws" train "${how[@]}" --lr 0.02 --body-lr 0 --init "$pretrained" -w "$parts/frozen.safetensors" "$parts/train.npz"
        for what in scratch tuned frozen; do
            trees=()
            [ $what = tuned ] && trees=(--baselines "$parts/train.npz")
            "$ws" eval -q --final-only "${trees[@]}" -o json -m "$parts/$what.safetensors" "$parts/test.npz" >"$parts/$what.json"
        done
        python3 - "$shots" "$seed" "$parts" <<'PY' | tee -a "$work/rows"
import json, sys
shots, seed, parts = sys.argv[1:]
rows = []
for what, name in (("scratch", "from scratch"), ("tuned", "fine-tuned"), ("frozen", "frozen")):
    for line in open(f"{parts}/{what}.json"):
        r = json.loads(line)
        rows.append((name, r["accuracy"], r["macro_f1"]))
        rows += [(b["name"], b["accuracy"], b["macro_f1"]) for b in r["baselines"]]
for name, accuracy, macro_f1 in rows:
    print(f"{shots:5} {seed:5} {name:28} {accuracy:9.4f} {macro_f1:9.4f}")
PY
    done
    means "$shots"
done

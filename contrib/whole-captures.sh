#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# whole-captures.sh PRETRAINED.safetensors ROOT TASKS WORK: one model with a head for each of the lists t11 to t15, whose flows vote for their
# captures, beside trees whose flows vote as well; SEEDS (1 2 3) splits, EPOCHS (20), THREADS (2), WIRESPEAK as below.
# ROOT: the folder that the lists' paths begin in; TASKS: that of the lists. The pretrained weights have seen no labels of captures.
set -euo pipefail
usage='usage: whole-captures.sh PRETRAINED ROOT TASKS WORK'
pretrained=$(realpath "${1:?$usage}") root=$(realpath "${2:?$usage}") tasks=$(realpath "${3:?$usage}") work=${4:?$usage}
ws=${WIRESPEAK:-wirespeak}
mkdir -p "$work"
work=$(realpath "$work")
cd "$root" # captures are split by their names with folders, which must be the same everywhere

lists=() files=()
while read -r head list; do
    lists+=(--labels "$head=$tasks/$list.tsv")
    files+=("$tasks/$list.tsv")
done <<'END'
device t11_iot_device_capture
mobile t12_mobile_app_capture
command t13_s7comm_command_capture
attack t14_dnp3_attack_capture
family t15_malware_family_capture
END
mapfile -t captures < <(tail -q -n +2 "${files[@]}" | cut -f1)

for seed in ${SEEDS:-1 2 3}; do
    parts=$work/$seed
    rm -f "$parts/test.npz"
    # Captures are what is counted, so flows that occur in others too (the same program does the same again) stay.
    "$ws" split -q --keep-duplicates --seed "$seed" "${lists[@]}" -w "$parts" "${captures[@]}" >"$work/split-$seed.log" 2>&1 || {
        cat "$work/split-$seed.log" >&2
        [ -e "$parts/test.npz" ] || exit 1 # status 1 says that some captures break off, too
    }
    "$ws" train -q --config small --val-every 0 --batch-tokens 4096 --seed "$seed" --threads "${THREADS:-2}" --init "$pretrained" \
        --val "$parts/val.npz" --lm-weight 0 --per-capture 12 --token-drop 0.1 --skip 0.15 --dropout 0.2 --epochs "${EPOCHS:-20}" --lr 0.001 \
        -w "$parts/heads.safetensors" "$parts/train.npz"
    "$ws" grow -q -m "$parts/heads.safetensors" -w "$parts/grown.safetensors" --seed 1 "$parts/train.npz"
    "$ws" calibrate -q -m "$parts/grown.safetensors" -w "$parts/model.safetensors" "$parts/val.npz" >"$work/calibrate-$seed.log"
    "$ws" eval -q --by-capture --final-only --baselines "$parts/train.npz" -o json -m "$parts/model.safetensors" "$parts/test.npz" >"$work/$seed.json"
done

python3 - "$work" "${SEEDS:-1 2 3}" <<'PY'
import collections, json, sys
work, seeds = sys.argv[1], sys.argv[2].split()
rows = collections.defaultdict(list)  # of a head and a classifier: accuracy and macro-F1 by seed
for seed in seeds:
    for r in map(json.loads, open(f"{work}/{seed}.json")):
        every = [("model", r), ("always the commonest", {k: r[f"majority_{k}"] for k in ("accuracy", "macro_f1")})]
        for name, score in every + [(b["name"], b) for b in r["baselines"]]:
            rows[r["head"], name].append((score["accuracy"], score["macro_f1"], r["captures"], r["classes"]))
print("%-8s %-28s %8s %7s %9s %9s  %s" % ("head", "", "captures", "classes", "accuracy", "macro-F1", "by split"))
for (head, name), v in rows.items():
    mean = [sum(x[i] for x in v) / len(v) for i in range(2)]
    print("%-8s %-28s %8d %7s %9.3f %9.3f  %s" % (head, name, sum(x[2] for x in v), "/".join(str(x[3]) for x in v), *mean,
                                                 " ".join("%.3f" % x[1] for x in v)))
PY

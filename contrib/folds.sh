#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# folds.sh CORPUS WORK [OPTION OF TRAIN]...: cross-validation. In each of FOLDS (5) folds a model is trained for each of SEEDS (1 2 3), with
# the options, and scored on the fold's test; each capture is in one test (split --fold). Prints the scores of each, their mean and how far folds and
# seeds are apart, and of all answers together macro-F1 for each seed. SPLIT="--labels HEAD=LIST ..." are options of split, WIRESPEAK as below.
# WORK keeps token files, models, scores (FOLD-SEED.json) and answers (FOLD-SEED.jsonl); what is there already is not trained again.
set -euo pipefail
usage='usage: folds.sh CORPUS WORK [OPTION OF TRAIN]...'
corpus=${1:?$usage} work=${2:?$usage}
shift 2
ws=${WIRESPEAK:-wirespeak} folds=${FOLDS:-5} seeds=${SEEDS:-1 2 3}
mkdir -p "$work"
for fold in $(seq "$folds"); do
    parts=$work/$fold-of-$folds
    # shellcheck disable=SC2086 # SPLIT is words
    [ -e "$parts/test.npz" ] || "$ws" split -q ${SPLIT:-} --fold "$fold/$folds" -w "$parts" "$corpus" >"$work/split.log" ||
        [ -e "$parts/test.npz" ] # status 1 says that some captures break off, too
    for seed in $seeds; do
        model=$parts/$seed.safetensors
        [ -e "$model" ] || "$ws" train -q --seed "$seed" --val "$parts/val.npz" "$@" -w "$model" "$parts/train.npz"
        "$ws" eval -q --final-only -o json --answers "$work/$fold-$seed.jsonl" -m "$model" "$parts/test.npz" >"$work/$fold-$seed.json"
    done
done
python3 - "$work" "$folds" "$seeds" <<'PY'
import collections, json, statistics, sys
work, folds, seeds = sys.argv[1], range(1, int(sys.argv[2]) + 1), sys.argv[3].split()
score = collections.defaultdict(dict)  # [head, fold, seed]
answers = collections.defaultdict(list)  # [head, seed]
for seed in seeds:
    for fold in folds:
        for r in map(json.loads, open(f"{work}/{fold}-{seed}.json")):
            score[r["head"]][fold, seed] = r["accuracy"], r["macro_f1"], r["flows"]
        for r in map(json.loads, open(f"{work}/{fold}-{seed}.jsonl")):
            if r["known"]:
                answers[r["head"], seed].append((r["label"], r["said"]))


def macro_f1(rows):
    support, said, right = (collections.Counter(x) for x in ((l for l, _ in rows), (s for _, s in rows), (l for l, s in rows if l == s)))
    return statistics.mean(2 * right[l] / (support[l] + said[l]) for l in support)


def spread(values):
    return f"{statistics.mean(values):9.4f} {statistics.stdev(values) if len(values) > 1 else float('nan'):9.4f}"


for head, scores in score.items():
    print(f"{head}\n  {'fold':6} {'seed':6} {'flows':>7} {'accuracy':>9} {'macro-F1':>9}")
    for (fold, seed), (accuracy, f1, flows) in sorted(scores.items()):
        print(f"  {fold:<6} {seed:6} {flows:7} {accuracy:9.4f} {f1:9.4f}")
    print(f"  {'macro-F1':22} {'mean':>9} {'deviation':>9}")
    by_fold, by_seed = collections.defaultdict(list), collections.defaultdict(list)
    for (fold, seed), (_, f1, _) in scores.items():
        by_fold[fold].append(f1)
        by_seed[seed].append(f1)
    rows = {
        "folds, mean of seeds": map(statistics.mean, by_fold.values()),
        "seeds, mean of folds": map(statistics.mean, by_seed.values()),
        "seeds, all answers": (macro_f1(answers[head, seed]) for seed in seeds),
    }
    for name, values in rows.items():
        print(f"  {name:22} {spread(list(values))}")
PY

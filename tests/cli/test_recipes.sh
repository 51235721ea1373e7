#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_recipes.sh: recipes of contrib/ on captures one of which breaks off, of which split tells with status 1.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
contrib=${top_srcdir:-.}/contrib
export WIRESPEAK=$ws

mkdir "$tmp/corpus"
printf 'path\tlabel\n' >"$tmp/list.tsv"
for i in 1 2 3 4 5 6; do
    for name in dns http; do
        cp "$data/$name.pcap" "$tmp/corpus/$name$i.pcap"
        printf '%s\t%s\n' "$name$i.pcap" "$name" >>"$tmp/list.tsv"
    done
done
head -c 3000 "$data/ssh.pcap" >"$tmp/corpus/cut.pcap"
"$ws" split -q --keep-duplicates -w "$tmp/parts" "$tmp/corpus" >"$tmp/told" 2>&1
[ $? = 1 ] && grep -q 'broke off' "$tmp/told"
result $? "split tells with status 1 that a capture breaks off"

folds() { SPLIT="--labels kind=$1 --keep-duplicates" FOLDS=3 SEEDS=1 bash "$contrib/folds.sh" "$tmp/corpus" "$2" --config tiny --epochs 1 --lm-weight 0; }
folds "$tmp/list.tsv" "$tmp/folds" >"$tmp/told" 2>&1 && grep -q kind "$tmp/told" && [ -s "$tmp/folds/1-1.json" ] && [ -s "$tmp/folds/3-1.json" ]
result $? "folds.sh goes on and scores all folds"
! folds "$tmp/none.tsv" "$tmp/none" >"$tmp/told" 2>&1 && [ ! -e "$tmp/none/1-1.json" ]
result $? "and ends where split makes no parts"

# Flows that differ, which the recipe deals out by the names of their captures.
mkdir "$tmp/other" && cp "$data"/*.pcap "$tmp/corpus/cut.pcap" "$tmp/other"
{ printf 'path\tlabel\n' && for f in "$data"/*.pcap; do printf '%s\t%s\n' "${f##*/}" "$([[ ${f##*/} < http ]] && echo a || echo b)"; done; } >"$tmp/halves.tsv"
"$ws" train -q --config tiny --epochs 0.1 -w "$tmp/start.safetensors" "$tmp/parts/train.npz"
SHOTS=5 SEEDS=1 STEPS=1 bash "$contrib/few-shot.sh" "$tmp/start.safetensors" "half=$tmp/halves.tsv" "$tmp/other" "$tmp/few" >"$tmp/told" 2>"$tmp/said" &&
    grep -q 'mean  frozen' "$tmp/told" && grep -q 'broke off' "$tmp/said"
result $? "few-shot.sh goes on as well, and says so"
echo "1..$n"
exit $bad

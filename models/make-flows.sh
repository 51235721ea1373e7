#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make-flows.sh CORPUS TASKS LAB WORK: makes generator.safetensors and flows.safetensors again: tokens of the three parts, training, score.
# CORPUS: folder of captures; TASKS: folder of label lists (flows.md says which); LAB: what datasets/lab/record made; SEED (1), EPOCHS
# (6), PRETRAIN (3) and SPEAK (7) as in flows.md.
set -euo pipefail
corpus=${1:?usage: make-flows.sh CORPUS TASKS LAB WORK}
tasks=${2:?usage: make-flows.sh CORPUS TASKS LAB WORK}
lab=${3:?usage: make-flows.sh CORPUS TASKS LAB WORK}
work=${4:?usage: make-flows.sh CORPUS TASKS LAB WORK}
ws=${WIRESPEAK:-wirespeak}
seed=${SEED:-1}
mkdir -p "$work/lists"

# columns FILE...: path, label and key of the rows of lists, whatever other columns they have
columns() {
    awk -F '\t' -v OFS='\t' '
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        FNR > 1 || NR == 1 { print $at["path"], $at["label"], $at["l4"], $at["ip_a"], $at["port_a"], $at["ip_b"], $at["port_b"] }' "$@"
}

# head, the list of TASKS, the list of LAB ("-": none)
heads=() lists=()
while read -r head task recorded; do
    from=()
    [ "$task" = - ] || from+=("$tasks/$task.tsv")
    [ "$recorded" = - ] || from+=("$lab/labels/$recorded.tsv")
    columns "${from[@]}" >"$work/lists/$head.tsv"
    heads+=("$head")
    lists+=(--labels "$head=$work/lists/$head.tsv")
done <<'END'
protocol t01_protocol protocol
app t02_encrypted_app -
category t03_category -
ics t04_ics_protocol -
device t05_iot_device -
mobile t06_mobile_app -
tunnel t07_dns_tunnel tunnel
threat t08_threat_kind threat_kind
malware t09_malware_vs_benign -
carrier - carrier
END
echo "heads: ${heads[*]}"

# The captures once more with 64 bytes of each packet (editcap, of wireshark-common).
for root in "$corpus" "$lab/pcap"; do
    cut=$work/cut/$(basename "$(dirname "$root")")/$(basename "$root")
    (cd "$root" && find . -type f -print0) | while IFS= read -r -d '' file; do
        mkdir -p "$cut/$(dirname "$file")"
        editcap -s 64 "$root/$file" "$cut/$file" 2>"$work/editcap.log" || true # what comes before a capture breaks off is kept
    done
done

# tokens PART NAME OPTION...: exit 1 says that some captures break off, which is so in this corpus; a missing file stops the next step
tokens() {
    local part=$1 name=$2
    shift 2
    "$ws" tokenize --part "$part" --max-packets 24 --drop-residuals "${lists[@]}" -w "$work/$name.npz" "$@" || true
}
for part in train val test; do
    tokens "$part" "$part" "$corpus" "$lab/pcap"
done
# Copies to learn from: cut, as a capture has them that began in the middle of their flows, and as a tap has them that sees one side.
for part in train val; do
    tokens "$part" "$part-and-cut" "$corpus" "$lab/pcap" "$work"/cut/*/*
    for skip in 4 10; do
        tokens "$part" "$part-late$skip" --change "skip=$skip" "$corpus" "$lab/pcap"
    done
    for side in client server; do
        tokens "$part" "$part-$side" --change "$side" "$corpus" "$lab/pcap"
    done
done

common=(--config small --val-every 0 --batch-tokens 4096 --dtype auto --resume --checkpoint-every 200)
# First all flows by their next tokens; from these weights the generator goes on with labelled flows and conditions, and the lower stacks
# learn the labels. The generator's last epoch is without dropout: what it was taught with is likelier than it was, else. Trees vote beside the
# classifier's heads.
"$ws" train "${common[@]}" --seed "$seed" --threads 2 --head-weight 0 --epochs "${PRETRAIN:-3}" --lr 0.0015 --checkpoint "$work/pretrained-$seed.ckpt" \
    --log "$work/pretrained-$seed.jsonl" -w "$work/pretrained-$seed.safetensors" "$work/train.npz"
"$ws" train "${common[@]}" --seed "$seed" --threads 1 --init "$work/pretrained-$seed.safetensors" --policy everything --head-weight 0 --labelled-only \
    --val "$work/val.npz" --val-every 3000 --dropout 0.2 --per-label 200 --epochs "${SPEAK:-7}" --lr 0.0015 --checkpoint "$work/dropout-$seed.ckpt" --log "$work/dropout-$seed.jsonl" \
    -w "$work/dropout-$seed.safetensors" "$work/train.npz"
"$ws" train "${common[@]}" --seed "$seed" --threads 1 --init "$work/dropout-$seed.safetensors" --policy everything --head-weight 0 --labelled-only \
    --per-label 200 --epochs 1 --lr 0.0005 --checkpoint "$work/generator-$seed.ckpt" --log "$work/generator-$seed.jsonl" \
    -w "$work/generator-$seed.safetensors" "$work/train.npz"

# Heads whose lists name what a capture was made for: of captures that have none of their labels they learn to say "unknown".
background=()
for head in app ics device mobile tunnel threat; do
    background+=(--background "$head")
done
# classifier NAME SET...: heads, then trees.
classifier() {
    local name=$1
    shift
    "$ws" train "${common[@]}" --seed "$seed" --threads 1 --init "$work/pretrained-$seed.safetensors" --lm-weight 0 --per-capture 12 --per-label 200 \
        --token-drop 0.1 --skip 0.15 --dropout 0.2 "${background[@]}" --epochs "${EPOCHS:-6}" --lr 0.001 --checkpoint "$work/$name-$seed.ckpt" \
        --log "$work/$name-$seed.jsonl" -w "$work/$name-$seed.safetensors" "$@"
    "$ws" grow -m "$work/$name-$seed.safetensors" -w "$work/$name-$seed.safetensors" --seed "$seed" --trees 18 "$@"
}
# Once from the training captures alone, to fit temperatures and thresholds on the validation captures; then from both, which is what ships.
sets=() val_sets=()
for copy in and-cut late4 late10 client server; do
    sets+=("$work/train-$copy.npz")
    val_sets+=("$work/val-$copy.npz")
done
classifier fitted "${sets[@]}"
"$ws" calibrate -m "$work/fitted-$seed.safetensors" -w "$work/fitted-$seed.safetensors" "$work/val.npz"
classifier flows "${sets[@]}" "${val_sets[@]}"
"$ws" calibrate -m "$work/flows-$seed.safetensors" -w "$work/flows-$seed.safetensors" --like "$work/fitted-$seed.safetensors"
"$ws" eval -m "$work/flows-$seed.safetensors" "${background[@]}" --baselines "$work/train.npz" --baselines "$work/val.npz" "$work/test.npz"

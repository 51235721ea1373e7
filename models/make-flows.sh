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

# The training captures once more as a capture with 64 bytes of each packet has them (editcap, of wireshark-common).
for root in "$corpus" "$lab/pcap"; do
    cut=$work/cut/$(basename "$(dirname "$root")")/$(basename "$root")
    (cd "$root" && find . -type f -print0) | while IFS= read -r -d '' file; do
        mkdir -p "$cut/$(dirname "$file")"
        editcap -s 64 "$root/$file" "$cut/$file" 2>"$work/editcap.log" || true # what comes before a capture breaks off is kept
    done
done

for part in train val test; do
    # exit 1 says that some captures break off, which is so in this corpus; a missing file stops the next step
    "$ws" tokenize --part "$part" --max-packets 24 --drop-residuals "${lists[@]}" -w "$work/$part.npz" "$corpus" "$lab/pcap" || true
done
"$ws" tokenize --part train --max-packets 24 --drop-residuals "${lists[@]}" -w "$work/train-and-cut.npz" "$corpus" "$lab/pcap" "$work"/cut/*/* || true
# And as a capture has them that began in the middle of their flows.
for skip in 4 10; do
    "$ws" tokenize --part train --max-packets 24 --drop-residuals --change "skip=$skip" "${lists[@]}" -w "$work/late$skip.npz" "$corpus" "$lab/pcap" || true
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
"$ws" train "${common[@]}" --seed "$seed" --threads 1 --init "$work/pretrained-$seed.safetensors" --val "$work/val.npz" --lm-weight 0 --per-capture 12 \
    --per-label 200 --token-drop 0.1 --skip 0.15 --dropout 0.2 --epochs "${EPOCHS:-6}" --lr 0.001 --checkpoint "$work/flows-$seed.ckpt" \
    --log "$work/flows-$seed.jsonl" -w "$work/heads-$seed.safetensors" "$work/train-and-cut.npz" "$work/late4.npz" "$work/late10.npz"
"$ws" grow -m "$work/heads-$seed.safetensors" -w "$work/flows-$seed.safetensors" --seed "$seed" "$work/train-and-cut.npz"
"$ws" calibrate -m "$work/flows-$seed.safetensors" -w "$work/flows-$seed.safetensors" "$work/val.npz"
"$ws" eval -m "$work/flows-$seed.safetensors" --baselines "$work/train.npz" "$work/test.npz"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sessions.sh PRETRAINED.safetensors FOLDER WORK: scores on a published benchmark whose classes are files of sessions (ISCX-VPN2016, USTC-TFC2016): all of
# them, and without the chatter of the local network. FOLDER: for each class CLASS.pcap and CLASS.sessions.tsv with the columns first_packet, n_packets,
# noise. Sessions of a class come from few captures and hosts, so they can only be dealt out one by one, as the papers do: scores are better than they
# would be elsewhere, those of the trees beside the model too. Sessions that are alike, token for token, are in one part. EPOCHS (8), SEED (1), THREADS (2), WIRESPEAK as below.
set -euo pipefail
usage='usage: sessions.sh PRETRAINED FOLDER WORK'
pretrained=${1:?$usage} folder=${2:?$usage} work=${3:?$usage}
ws=${WIRESPEAK:-wirespeak}

python3 - "$folder" "$work" <<'PY'
import csv, glob, os, struct, sys
folder, work = sys.argv[1:]
for path in sorted(glob.glob(f"{folder}/*.pcap")):
    name = os.path.basename(path)[:-5]
    data = open(path, "rb").read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    packet, at = [], 24
    while at + 16 <= len(data):
        n = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        packet.append(data[at:at + 16 + n])
        at += 16 + n
    rows = list(csv.DictReader(open(f"{path[:-5]}.sessions.tsv"), delimiter="\t"))
    for part, kept in (("all", rows), ("quiet", [r for r in rows if r["noise"] != "1"])):
        os.makedirs(f"{work}/{part}/{name}", exist_ok=True)
        with open(f"{work}/{part}/{name}/{name}.pcap", "wb") as f:
            f.write(data[:24])
            for r in kept:
                first = int(r["first_packet"])
                f.writelines(packet[first:first + int(r["n_packets"])])
PY
for part in all quiet; do
    parts=$work/$part.parts
    # exit 1 says that some sessions are cut, which is so in these files
    "$ws" split -q --by flow --leaky --seed "${SEED:-1}" -w "$parts" "$work/$part" >"$work/$part.split" 2>&1 || true
    "$ws" train -q --config small --init "$pretrained" --lm-weight 0 --batch-tokens 4096 --epochs "${EPOCHS:-8}" --lr 0.001 --dropout 0.2 --token-drop 0.1 \
        --per-label 200 --seed "${SEED:-1}" --threads "${THREADS:-2}" --val "$parts/val.npz" --val-every 0 -w "$parts/model.safetensors" "$parts/train.npz"
    "$ws" grow -q -m "$parts/model.safetensors" -w "$parts/model.safetensors" --seed "${SEED:-1}" --threads "${THREADS:-2}" "$parts/train.npz" >"$parts/grow.log"
    "$ws" calibrate -q -m "$parts/model.safetensors" -w "$parts/model.safetensors" "$parts/val.npz" >"$parts/calibrate.log"
    echo "== $part: $(basename "$folder")"
    "$ws" eval -q --final-only -m "$parts/model.safetensors" --baselines "$parts/train.npz" "$parts/test.npz"
done

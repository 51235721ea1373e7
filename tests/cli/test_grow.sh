#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_grow.sh: trees beside the heads of a tiny model: they are asked by all commands that label, and alike.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
files=("$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap)
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "${files[@]}" &&
    "$ws" train -q --config tiny --epochs 1 --batch-tokens 512 --lr 0.0001 --lm-weight 0 --seed 5 -w "$tmp/bare.safetensors" "$tmp/set.npz"
result $? "a model that has hardly learned anything"

"$ws" grow -m "$tmp/bare.safetensors" -w "$tmp/trees.safetensors" --trees 30 "$tmp/set.npz" >"$tmp/told" && grep -Eq '^protocol +[1-9][0-9]* +30 +[1-9]' "$tmp/told"
result $? "grow gives it trees and says on how many flows they grew"
"$ws" grow -q -m "$tmp/bare.safetensors" -w "$tmp/again.safetensors" --trees 30 "$tmp/set.npz" && cmp -s "$tmp/trees.safetensors" "$tmp/again.safetensors" &&
    "$ws" grow -q -m "$tmp/trees.safetensors" -w "$tmp/again.safetensors" --trees 30 "$tmp/set.npz" && cmp -s "$tmp/trees.safetensors" "$tmp/again.safetensors"
result $? "the same trees again, also in the place of others"
"$ws" info "$tmp/trees.safetensors" | grep -Eq '^trees +30$' && "$ws" info "$tmp/bare.safetensors" | grep -Eq '^trees +0$'
result $? "info says so"

# score MODEL: the macro-F1 on the training set, in thousandths
score() { "$ws" eval -q -o json -m "$1" "$tmp/set.npz" | python3 -c 'import json, sys; print(int(1000 * json.loads(sys.stdin.readline())["macro_f1"]))'; }
bare=$(score "$tmp/bare.safetensors") trees=$(score "$tmp/trees.safetensors")
[ "$bare" -lt 500 ] && [ "$trees" -gt 900 ]
result $? "trees label what the network cannot ($bare, with trees $trees thousandths)"
"$ws" calibrate -m "$tmp/trees.safetensors" -w "$tmp/fit.safetensors" --keep 1 "$tmp/set.npz" | grep -Eq '^protocol +[1-9]'
result $? "calibrate fits both together"

answers() { python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    w = r.get("wirespeak", {})
    if w.get("kind", "end") in ("decision", "end") and "label" in w:
        ends = sorted([(r["src_ip"], r.get("src_port", 0)), (r["dest_ip"], r.get("dest_port", 0))])
        print(*ends[0], *ends[1], w["label"], w["confidence"])' | sort -u; }
"$ws" classify -q -o jsonl -f 'tcp or udp' -m "$tmp/trees.safetensors" "${files[@]}" | answers >"$tmp/classify"
reads=()
for f in "${files[@]}"; do reads+=(-r "$f"); done
"$ws" tag -q --all-packets -f 'tcp or udp' -m "$tmp/trees.safetensors" "${reads[@]}" | answers >"$tmp/tag"
python3 - "$tmp/classify" "$tmp/tag" <<'END'
import sys
a, b = ([line.split() for line in open(f)] for f in sys.argv[1:])
assert len(a) == len(b) > 20
for x, y in zip(a, b):
    assert x[:-1] == y[:-1] and abs(float(x[-1]) - float(y[-1])) < 2e-3, (x, y)
END
result $? "tag and classify ask them alike, of short flows too, and when they are over ($(wc -l <"$tmp/classify") flows)"
"$ws" classify -q --per-packet -m "$tmp/fit.safetensors" "$data/dns.pcap" | grep -q DNS
result $? "and packet by packet"
"$ws" enroll -q -l new -m "$tmp/fit.safetensors" -w "$tmp/new.safetensors" "$data/ping.pcap" && "$ws" info "$tmp/new.safetensors" | grep -Eq '^trees +30$'
result $? "they stay when a class is enrolled"

"$ws" tokenize -q -w "$tmp/plain.npz" "$data/dns.pcap"
fails "a set without labels" 1 grow -m "$tmp/bare.safetensors" -w "$tmp/x" "$tmp/plain.npz"
fails "no trees" 2 grow -m "$tmp/bare.safetensors" -w "$tmp/x" --trees 0 "$tmp/set.npz"
fails "no model" 2 grow -w "$tmp/x" "$tmp/set.npz"
python3 - "$tmp/trees.safetensors" "$tmp/bad.safetensors" <<'END'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
n = struct.unpack_from("<Q", data)[0]
at = json.loads(data[8:8 + n])["forest.node"]["data_offsets"][0] + 8 + n
data[at:at + 4] = struct.pack("<I", 5 << 22 | 16383)  # a branch that leads out of its tree
open(sys.argv[2], "wb").write(data)
END
fails "a model whose trees lead astray" 1 classify -m "$tmp/bad.safetensors" "$data/dns.pcap"
[ ! -e "$tmp/x" ]
result $? "what is refused leaves no file"
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_join.sh: --join: a capture that was written as many files gives the flows, labels and tokens that it gives as one.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
ws=$(realpath "$ws") data=$(realpath "$data") labels=$(realpath "${top_srcdir:-.}/tests/cli/labels.py")
model=$tmp/m.safetensors
cd "$tmp" || exit 1

# One capture of several, in the order of their times, whose flows overlap; parts of 7 packets, whose names are not in order; and in parts of
# an eighth of a second as tcpdump -G would make them.
cat >make.py <<'PY'
import os, struct, sys

packets = []
for name in sys.argv[1:]:
    b = open(name, "rb").read()
    scale = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[struct.unpack("<I", b[:4])[0]]
    at, start = 24, None
    while at < len(b):
        sec, frac, cap, wire = struct.unpack("<IIII", b[at:at + 16])
        ns = sec * 10**9 + frac * scale
        start = ns if start is None else start
        packets.append((ns - start + 1700000000 * 10**9, wire, b[at + 16:at + 16 + cap]))
        at += 16 + cap
packets.sort(key=lambda p: p[0])

def write(name, part):
    with open(name, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for ns, wire, data in part:
            f.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(data), wire) + data)

write("whole.pcap", packets)
os.mkdir("parts")
for i in range(0, len(packets), 7):
    write("parts/%02d-%04d.pcap" % (i * 37 % 11, i), packets[i:i + 7])
os.mkdir("rotated")
slots = {}
for p in packets:
    slots.setdefault(p[0] * 8 // 10**9, []).append(p)
for s in range(min(slots), max(slots) + 1):  # an empty one is a file, too
    write("rotated/%d.pcap" % s, slots.get(s, []))
PY
python3 make.py "$data"/{dns,http,tls,ssh}.pcap
[ "$(find parts -name '*.pcap' | wc -l)" -gt 20 ] && [ "$(find rotated -name '*.pcap' | wc -l)" -gt 2 ]
result $? "a capture is cut into files"

python3 "$labels" "$ws" "$data" >labels.tsv
"$ws" tokenize -q --max-packets 16 --labels protocol=labels.tsv -w set.npz "$data"/{dns,http,tls,ssh}.pcap &&
    "$ws" train -q --config tiny --epochs 5 --batch-tokens 512 --threads 1 -w "$model" set.npz
result $? "a tiny model is trained"

# strip: records without the name of the capture
strip() { sed 's/"pcap_filename":"[^"]*",//'; }
classify() { "$ws" classify -q --threads 1 --dtype f32 -o jsonl --per-packet --ndpi -m "$model" "$@"; }
classify whole.pcap | strip >whole.jsonl
for cut in parts rotated; do
    classify --join "$cut" | strip >"$cut.jsonl"
    [ -s whole.jsonl ] && cmp -s whole.jsonl "$cut.jsonl"
    result $? "classify --join of $cut has the records of the whole capture"
done
[ "$(classify parts | wc -l)" -gt "$(wc -l <whole.jsonl)" ]
result $? "without it flows end with each file"
classify --join "$(find parts -name '*00.pcap' | head -1)" parts 2>/dev/null | strip | cmp -s - whole.jsonl
[ $? = 1 ]
result $? "what is named twice is read twice"

classify --join parts | python3 -c '
import calendar, glob, json, struct, sys, time
first = {}
for name in glob.glob("parts/*.pcap"):
    b = open(name, "rb").read()
    first[name] = struct.unpack("<II", b[24:32])
order = sorted(first, key=first.get)
seen = set()
for r in map(json.loads, sys.stdin):
    sec, frac = r["flow"]["start"].split(".")
    t = (calendar.timegm(time.strptime(sec, "%Y-%m-%dT%H:%M:%S")), int(frac[:6]) * 1000 + 999)
    at = max(i for i, f in enumerate(order) if first[f] <= t)
    assert r["pcap_filename"] == order[at], (r, order[at])
    seen.add(at)
assert len(seen) > 5, seen'
result $? "a record names the file that its flow begins in"

"$ws" label -q whole.pcap | strip >a && "$ws" label -q --join parts | strip >b && cmp -s a b && [ "$("$ws" label -q parts | wc -l)" -gt "$(wc -l <a)" ]
result $? "label --join has the records of the whole capture"
"$ws" explain whole.pcap | sed 's/ of [^ ]*pcap,/:/' >a && "$ws" explain --join parts | sed 's/ of [^ ]*pcap,/:/' >b && [ -s a ] && cmp -s a b
result $? "explain --join shows the packets of the whole capture"
"$ws" embed -q --threads 1 -m "$model" -w a.npy whole.pcap >/dev/null && "$ws" embed -q --threads 1 -m "$model" --join -w b.npy parts >/dev/null && cmp -s a.npy b.npy
result $? "embed --join has the vectors of the whole capture"

"$ws" tokenize -q -w whole.npz whole.pcap && "$ws" tokenize -q --join -w parts.npz parts && "$ws" detokenize -q -w again.pcap parts.npz &&
    "$ws" detokenize -q -w whole-again.pcap whole.npz && cmp -s again.pcap whole-again.pcap
result $? "tokens of joined files are one capture, which comes back whole"
python3 - whole.npz parts.npz <<'PY'
import sys, zipfile
a, b = (zipfile.ZipFile(n) for n in sys.argv[1:])
for m in a.namelist():
    assert m == "meta.npy" or a.read(m) == b.read(m), m
PY
result $? "they are the tokens of the whole capture"

# A list that was made of the files meets the flows that begin in them, and a row of a later file does not.
"$ws" label -q parts | python3 -c '
import json, sys
number = {"TCP": 6, "UDP": 17}
print("path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b")
for r in map(json.loads, sys.stdin):
    if r["proto"] in number:
        print(r["pcap_filename"], r["pcap_filename"][-9:-5], number[r["proto"]], r["src_ip"], r["src_port"], r["dest_ip"], r["dest_port"], sep="\t")
' >list.tsv
"$ws" label -q --join parts | python3 -c '
import json, sys
print(sorted(r["pcap_filename"][-9:-5] for r in map(json.loads, sys.stdin) if r["proto"] in ("TCP", "UDP")))' >want
"$ws" tokenize -q --join --labels where=list.tsv -w labelled.npz parts && python3 - labelled.npz >got <<'PY'
import json, struct, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
body = lambda m: (lambda b: b[10 + int.from_bytes(b[8:10], "little"):])(z.read(m))
meta = json.loads(body("meta.npy"))
head = [h for h in meta["heads"] if h["name"] == "where"][0]
column = body("labels_where.npy" if "labels_where.npy" in z.namelist() else [n for n in z.namelist() if "label" in n][0])
labels = struct.unpack("<%di" % (len(column) // 4), column)
print(sorted(head["labels"][i] for i in labels if i >= 0))
PY
[ -s want ] && cmp -s want got
result $? "labels of a list of the files meet the flows that begin there"

# ---- what is not as it should be ----

fails "standard input is refused" 2 label --join -
fails "a pipe is refused" 2 label --join <(cat whole.pcap)
mkdir broken && cp rotated/* broken/ && last=$(find broken -type f -size +2 | sort | head -1) && truncate -s -3 "$last"
rc=0
"$ws" label --join broken >out 2>err || rc=$?
[ $rc = 1 ] && grep -q "$last: after [0-9]* packets" err && grep -q 'one or more broke off' err && [ "$(wc -l <out)" -gt 5 ]
result $? "where a file breaks off is said, and the others are read"
rc=0
echo text >broken/x.txt && "$ws" label --join broken >out 2>err || rc=$?
[ $rc = 1 ] && grep -q "1 of $(find broken -type f | wc -l) files could not be read; the others are labelled" err
result $? "what is no capture is counted among the files"
"$ws" label -q --join --skip-bad rotated broken/x.txt | strip >b && "$ws" label -q whole.pcap | strip | cmp -s - b
result $? "--skip-bad skips it"

if command -v editcap >/dev/null; then
    for how in "-c 5" "-i 0.1"; do
        rm -rf split && mkdir split
        # shellcheck disable=SC2086 # an option and its value
        editcap -F nsecpcap $how whole.pcap split/x.pcap && [ "$(find split -type f | wc -l)" -gt 3 ] && classify --join split | strip | cmp -s - whole.jsonl
        result $? "so do files of editcap $how"
    done
else
    skip "files of editcap" "there is no editcap"
fi

echo "1..$n"
exit $bad

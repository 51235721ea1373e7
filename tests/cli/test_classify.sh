#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_classify.sh: classify on any input and in any form: pipes, archives, cut-off files, no flows; table, JSON lines, CSV, summary,
# top labels, decisions packet by packet, surprise, nDPI beside it, shards. With a tiny model that the test trains.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
model=$tmp/m.safetensors
all=("$data"/{dns,http,tls,ssh,ntp,ping,edge-layers,edge-ipv6}.pcap)

python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "$data"/{dns,http,tls,ssh,ntp}.pcap &&
    "$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0.2 --seed 5 --threads 1 -w "$model" "$tmp/set.npz"
result $? "a tiny model is trained"

classify() { "$ws" classify -q --threads 1 --dtype f32 -m "$model" "$@"; }
# json CODE ARGUMENT...: classifies into JSON lines; CODE sees them as r
json() {
    local code=$1
    shift
    classify -o jsonl "$@" 2>"$tmp/err" | python3 -c "
import json, sys
r = [json.loads(l) for l in sys.stdin]
$code"
}

# ---- inputs ----

classify -o jsonl "$data/dns.pcap" | sed 's|"pcap_filename":"[^"]*"|X|' >"$tmp/file"
classify -o jsonl - <"$data/dns.pcap" | sed 's|"pcap_filename":"-"|X|' >"$tmp/pipe"
[ -s "$tmp/file" ] && cmp -s "$tmp/file" "$tmp/pipe"
result $? "a pipe gives what the file gives"

mkdir -p "$tmp/folder/deep" && cp "$data/dns.pcap" "$tmp/folder/deep/" && gzip -c "$data/ntp.pcap" >"$tmp/folder/ntp.pcap.gz" &&
    tar -C "$tmp/folder" -czf "$tmp/all.tar.gz" deep ntp.pcap.gz && rm -r "$tmp/folder/deep"
json 'import collections
n = collections.Counter(x["pcap_filename"].split("/")[-1] for x in r)
assert n["ntp.pcap.gz"] > 2 and n["all.tar.gz:ntp.pcap.gz"] == n["ntp.pcap.gz"] and n["dns.pcap"] > 5, n
assert len({x["flow_id"] for x in r}) == len(r)' "$tmp/folder" "$tmp/all.tar.gz"
result $? "folders, and archives in archives, are read; flows have ids of their own"

head -c 1000 "$data/dns.pcap" >"$tmp/cut.pcap"
rc=0
"$ws" classify -m "$model" -o jsonl "$tmp/cut.pcap" "$data/ntp.pcap" >"$tmp/out" 2>"$tmp/err" || rc=$?
[ $rc = 1 ] && grep -q 'cut.pcap' "$tmp/out" && grep -q 'ntp.pcap' "$tmp/out" && grep -q 'after [0-9]* packets' "$tmp/err"
result $? "of a file that is cut off the rest is labelled, and where it broke is said"

[ "$(classify "$data/edge-nopackets.pcap" | wc -l)" = 1 ] && [ -z "$(classify -o jsonl "$data/edge-nopackets.pcap")" ] &&
    [ "$(classify -o csv "$data/edge-nopackets.pcap" | wc -l)" = 1 ]
result $? "no flows give a title at most"

mkdir "$tmp/names" && cp "$data/ping.pcap" "$tmp/names/"$'new\nline.pcap' && cp "$data/ping.pcap" "$tmp/names/"$'new\tline.pcap'
for how in "" --by-capture; do
    # shellcheck disable=SC2086 # an option or none
    json 'assert {x["pcap_filename"].rsplit("/", 1)[1] for x in r} == {"new\nline.pcap", "new\tline.pcap"}' $how "$tmp/names"
    result $? "JSON escapes names${how:+ of captures}"
done
[ "$(classify --by-capture "$tmp/names" | grep -c 'new?line.pcap$')" = 2 ] &&
    "$ws" tag -q -m "$model" -r "$tmp/names" | python3 -c 'import json, sys
assert {json.loads(l)["pcap_filename"].rsplit("/", 1)[1] for l in sys.stdin} == {"new\nline.pcap", "new\tline.pcap"}'
result $? "tables clean them; tag escapes them"

# ---- forms ----

json 'assert all(x["event_type"] == "flow" for x in r)
assert any(x["proto"] == "ARP" and x["wirespeak"]["label"] == "unknown" and x["wirespeak"]["heads"]["protocol"]["outside"] and x["wirespeak"]["outside"] for x in r)
assert not any("outside" in x["wirespeak"] or "outside" in x["wirespeak"]["heads"]["protocol"] for x in r if x.get("dest_port") == 80)' "$data/http.pcap"
result $? "ARP, which nobody trained, is unknown and said to be outside"

classify -o csv --top 2 --per-packet --surprise --ndpi "${all[@]}" >"$tmp/a.csv" 2>/dev/null
classify -o jsonl --top 2 --per-packet --surprise --ndpi "${all[@]}" >"$tmp/a.jsonl" 2>/dev/null
python3 - "$tmp/a.csv" "$tmp/a.jsonl" <<'PY'
import csv, json, sys
c = list(csv.DictReader(open(sys.argv[1], newline="")))
r = [json.loads(l) for l in open(sys.argv[2])]
assert len(c) == len(r) > 30 and None not in c[0]
for x, y in zip(c, r):
    w, h = y["wirespeak"], y["wirespeak"]["heads"]["protocol"]
    assert x["community_id"] == y.get("community_id", "") and x["src_ip"] == y.get("src_ip", ""), (x, y)
    assert x["protocol"] == w["label"] and abs(float(x["protocol_confidence"]) - w["confidence"]) < 1e-4, (x, y)
    assert all(x[k] == str(v) for k, v in y["flow"].items()) and int(x["packets_read"]) == w["packets"], (x, y)
    assert all(x[k] == str(v) for k, v in y.items() if "icmp" in k), (x, y)
    assert [x["protocol_1"], x["protocol_2"]] == [t["label"] for t in h["top"][:2]], x
    assert abs(float(x["protocol_1_confidence"]) - h["top"][0]["confidence"]) < 1e-4 and h["top"][0]["confidence"] >= h["top"][1]["confidence"]
    assert json.loads(x["protocol_per_packet"]) == h["per_packet"], x
    assert len(h["per_packet"]) == w["packets"] and h["per_packet"][-1]["label"] == w["label"]
    assert int(x["protocol_decided"]) == h["decided"] <= w["packets"]
    assert all(p["label"] == w["label"] for p in h["per_packet"][h["decided"] - 1:])
    assert 0 < w["surprise"] < 1e5 and abs(float(x["surprise"]) - w["surprise"]) < 0.01 * w["surprise"]
    assert x["ndpi_protocol"] == y.get("ndpi", {}).get("protocol", "")
assert any(x["src_mac"] for x in c) and any(x["response_icmp_type"] for x in c) and any(y["ndpi"]["protocol"] == "TLS" for y in r if "ndpi" in y)
PY
result $? "CSV says what JSON says: labels, ranks, decisions, surprise, nDPI"

"$ws" label "${all[@]}" 2>/dev/null | python3 -c '
import json, sys
theirs = {x["flow_id"]: x.get("ndpi") for x in map(json.loads, sys.stdin)}
ours = {x["flow_id"]: x.get("ndpi") for x in map(json.loads, open(sys.argv[1]))}
assert theirs == ours' "$tmp/a.jsonl"
result $? "--ndpi says what label says"
"$ws" classify --threads 1 --ndpi -m "${top_srcdir:-.}/models/flows.safetensors" "$data/smb.pcap" 2>&1 >/dev/null | grep -q 'both name [1-9][0-9]* flows and disagree on 0'
result $? "what nDPI calls otherwise is no disagreement: SMBv23 in NetBIOS"
"$ws" classify --threads 1 --ndpi -m "$model" "$data/tls.pcap" 2>&1 >/dev/null | grep -Eq 'both name [0-9]+ flows and disagree on [0-9]+'
result $? "disagreements with nDPI are counted"

classify --surprise -o jsonl --rank 3 "${all[@]}" 2>/dev/null | python3 -c '
import json, sys
r = [json.loads(l)["wirespeak"]["surprise"] for l in sys.stdin]
a = sorted((json.loads(l)["wirespeak"]["surprise"] for l in open(sys.argv[1])), reverse=True)
assert r == a[:3], (r, a[:3])' "$tmp/a.jsonl"
result $? "--rank gives the most surprising flows, the most first"

classify --summary -o csv "${all[@]}" 2>/dev/null >"$tmp/sums.csv"
python3 - "$tmp/sums.csv" "$tmp/a.jsonl" <<'PY'
import collections, csv, json, sys
r = [json.loads(l) for l in open(sys.argv[2])]
want = collections.Counter(x["wirespeak"]["label"] for x in r)
got = {x["label"]: int(x["flows"]) for x in csv.DictReader(open(sys.argv[1], newline=""))}
assert got == want and list(got.values()) == sorted(got.values(), reverse=True), (got, want)
PY
result $? "the summary counts the flows of each class"

[ "$(classify --min-confidence 1 -o jsonl "$data/dns.pcap" | grep -c '"wirespeak":{"label":"unknown"')" -ge 5 ]
result $? "--min-confidence makes flows unknown"

classify --top 65536 -o jsonl "$data/dns.pcap" | python3 -c '
import json, sys
top = [json.loads(l)["wirespeak"]["heads"]["protocol"]["top"] for l in sys.stdin]
assert all(len(t) == len(top[0]) > 4 and abs(sum(x["confidence"] for x in t) - 1) < 1e-4 for t in top)'
result $? "--top has all labels of a head, if that is less than what is asked"
"$ws" info -o json "${top_srcdir:-.}/models/flows.safetensors" | python3 -c 'import json, sys
print(max(len(h["labels"]) for h in json.load(sys.stdin)["heads"]))' >"$tmp/most"
[ "$("$ws" classify -q --top 65536 --head all -o csv -m "${top_srcdir:-.}/models/flows.safetensors" "$data/ntp.pcap" | head -n 1 | tr , '\n' | grep -c '^protocol_[0-9]*.$\|^protocol_[0-9]*$')" = \
    "$(cat "$tmp/most")" ] && [ "$(cat "$tmp/most")" -gt 63 ]
result $? "CSV has as many columns as the largest head has labels"

json 'print([x["vlan"] for x in r if "vlan" in x])' "$data/edge-layers.pcap" >"$tmp/vlans"
"$ws" label -q "$data/edge-layers.pcap" | python3 -c 'import json, sys; print([x["vlan"] for x in map(json.loads, sys.stdin) if "vlan" in x])' >"$tmp/vlans.label"
"$ws" tag -q -m "$model" -r "$data/edge-layers.pcap" |
    python3 -c 'import json, sys; print([x["vlan"] for x in map(json.loads, sys.stdin) if "vlan" in x and x["event_type"] == "flow"])' >"$tmp/vlans.tag"
[ "$(cat "$tmp/vlans")" = '[[42], [100, 42], [1, 1, 1, 1]]' ] && cmp -s "$tmp/vlans" "$tmp/vlans.label" && cmp -s "$tmp/vlans" "$tmp/vlans.tag"
result $? "records of flows have their VLANs, the outermost first, four at most"
[ "$(classify -o csv "$data/edge-layers.pcap" | cut -d, -f4 | grep .)" = $'vlan\n42\n100 42\n1 1 1 1' ]
result $? "and so does CSV"

# ---- whole captures ----

# The labels of a head are few here: --top has all of them, and what captures get can be computed from what flows have.
classify --top 20 -o jsonl "${all[@]}" "$data/edge-nopackets.pcap" 2>/dev/null >"$tmp/flows.jsonl"
classify --top 20 --by-capture -o jsonl "${all[@]}" "$data/edge-nopackets.pcap" 2>/dev/null >"$tmp/captures.jsonl"
classify --top 3 --by-capture -o csv "${all[@]}" "$data/edge-nopackets.pcap" 2>/dev/null >"$tmp/captures.csv"
python3 - "$tmp/flows.jsonl" "$tmp/captures.jsonl" <<'PY'
import collections, json, math, sys
flows = collections.defaultdict(list)
for f in map(json.loads, open(sys.argv[1])):
    flows[f["pcap_filename"]].append(f)
captures = [json.loads(l) for l in open(sys.argv[2])]
names = [c["pcap_filename"] for c in captures]
assert len(names) == len(set(names)) == 9 and set(flows) < set(names), names
for c in captures:
    w, h, of = c["wirespeak"], c["wirespeak"]["heads"]["protocol"], flows[c["pcap_filename"]]
    assert c["flows"] == len(of) and c["packets"] == sum(f["flow"]["pkts_toserver"] + f["flow"]["pkts_toclient"] for f in of)
    heads = [f["wirespeak"]["heads"]["protocol"] for f in of]
    inside = [x for x in heads if not x.get("outside")]
    assert h["votes"] == len(inside) and w["label"] == h["label"]
    if not of:
        assert h["label"] == "unknown" and h["confidence"] == 0 and h["top"] == []
        continue
    assert h.get("outside", False) == (not inside) and (inside or h["label"] == "unknown")
    sums, weights = collections.Counter(), 0
    for x in inside or heads:
        p = {t["label"]: t["confidence"] for t in x["top"]}
        weight = sum(v * math.log(v * len(p)) for v in p.values() if v > 0)
        weights += weight
        for l, v in p.items():
            sums[l] += weight * v
    for t in h["top"]:
        assert abs(sums[t["label"]] / weights - t["confidence"]) < 1e-3, (c["pcap_filename"], t)
    best = h["top"][0]
    assert best["confidence"] == h["confidence"] and h["label"] in (best["label"], "unknown")
    assert h["agree"] == sum(x["top"][0]["label"] == best["label"] for x in inside)
assert any(c["wirespeak"]["label"] != "unknown" for c in captures)
PY
result $? "captures have one answer each, the mean of their flows' by what those say"
python3 - "$tmp/captures.jsonl" "$tmp/captures.csv" <<'PY'
import csv, json, sys
r = [json.loads(l) for l in open(sys.argv[1])]
c = list(csv.DictReader(open(sys.argv[2], newline="")))
assert len(r) == len(c)
for x, y in zip(c, r):
    h = y["wirespeak"]["heads"]["protocol"]
    assert x["pcap_filename"] == y["pcap_filename"] and x["protocol"] == h["label"] and None not in x and None not in x.values()
    assert [int(x[k]) for k in ("flows", "packets", "bytes", "protocol_votes", "protocol_agree")] == [y["flows"], y["packets"], y["bytes"], h["votes"], h["agree"]]
    assert abs(float(x["protocol_confidence"]) - h["confidence"]) < 1e-4 and x["protocol_outside"] == ("1" if h.get("outside") else "")
    assert [x[f"protocol_{i}"] for i in (1, 2, 3)] == ([t["label"] for t in h["top"][:3]] or [""] * 3)
PY
result $? "CSV of captures says what JSON says"
[ "$(classify --by-capture "${all[@]}" 2>/dev/null | wc -l)" = 9 ] && classify --by-capture "$data/ntp.pcap" | grep -Eq '^NTP .* [0-9]+/[0-9]+ .*ntp.pcap$' &&
    [ "$(classify --by-capture --min-confidence 1 "${all[@]}" 2>/dev/null | grep -c '^unknown ')" = 8 ]
result $? "the table has a line for each capture, and unsure ones are unknown"
"$ws" forge -q -w "$tmp/mixed.pcapng" "$data"/{dns,edge-raw-ip,ntp}.pcap
classify --by-capture -o jsonl "$tmp/mixed.pcapng" "$data/dns.pcap" 2>/dev/null >"$tmp/mixed.jsonl"
[ "$(wc -l <"$tmp/mixed.jsonl")" = 2 ] && head -n 1 "$tmp/mixed.jsonl" | grep -q mixed.pcapng &&
    head -n 1 "$tmp/mixed.jsonl" | grep -q "\"flows\":$(classify -o jsonl "$tmp/mixed.pcapng" 2>/dev/null | wc -l),"
result $? "a file with several link types has one answer, of all its flows"
for option in --summary "--rank 3" --per-packet --surprise --ndpi "--shard 1/2"; do
    # shellcheck disable=SC2086 # an option with its argument
    fails "$option of captures" 2 classify --by-capture $option -m "$model" "$data/dns.pcap"
done

# ---- hosts ----

classify --top 20 --by-host -o jsonl "${all[@]}" 2>/dev/null >"$tmp/hosts.jsonl"
classify --top 3 --by-host -o csv "${all[@]}" 2>/dev/null >"$tmp/hosts.csv"
python3 - "$tmp/flows.jsonl" "$tmp/hosts.jsonl" "$tmp/hosts.csv" <<'PY'
import collections, csv, json, sys
flows = collections.defaultdict(list)
for f in map(json.loads, open(sys.argv[1])):
    flows[f.get("src_ip") or f["ether"]["src_mac"]].append(f)
hosts = [json.loads(l) for l in open(sys.argv[2])]
assert {h["host"] for h in hosts} == set(flows) and len(hosts) == len(flows) > 3
assert [h["flows"] for h in hosts] == sorted((len(of) for of in flows.values()), reverse=True)
for h in hosts:
    of = flows[h["host"]]
    heads = [f["wirespeak"]["heads"]["protocol"] for f in of]
    votes = [x for x in heads if not x.get("outside")]
    w = h["wirespeak"]
    assert h["flows"] == len(of) and h["packets"] == sum(f["flow"]["pkts_toserver"] + f["flow"]["pkts_toclient"] for f in of)
    assert h["bytes"] == sum(f["flow"]["bytes_toserver"] + f["flow"]["bytes_toclient"] for f in of)
    assert w["votes"] == len(votes) and w["agree"] == sum(x["top"][0]["label"] == w["heads"]["protocol"]["top"][0]["label"] for x in votes)
rows = list(csv.DictReader(open(sys.argv[3], newline="")))
assert [(r["host"], r["protocol"], int(r["flows"])) for r in rows] == [(h["host"], h["wirespeak"]["label"], h["flows"]) for h in hosts]
PY
result $? "hosts have one answer each, of the flows that they opened, in all captures"
one=(-f "udp port 53 and ip" "$data/dns.pcap")
[ "$(classify --by-host "${one[@]}" 2>/dev/null | sed 's/ [^ ]*$//')" = "$(classify --by-capture "${one[@]}" 2>/dev/null | sed 's/CAPTURE$/HOST/; s/ [^ ]*$//')" ] &&
    [ "$(classify --by-host "${one[@]}" 2>/dev/null | wc -l)" = 2 ]
result $? "a capture of one host has that host's answer"
for option in --by-capture --summary "--rank 3" --per-packet --surprise --ndpi "--shard 1/2"; do
    # shellcheck disable=SC2086 # an option with its argument
    fails "$option of hosts" 2 classify --by-host $option -m "$model" "$data/dns.pcap"
done

# ---- files ----

classify -w "$tmp/out.pcapng" -o jsonl "${all[@]}" 2>/dev/null >"$tmp/with.jsonl"
classify -o jsonl "${all[@]}" 2>/dev/null >"$tmp/without.jsonl"
cmp -s "$tmp/with.jsonl" "$tmp/without.jsonl" && [ -s "$tmp/out.pcapng" ]
result $? "-w changes nothing of what is printed"
# sum CAPTURE...: packets and their tokens, which are those of the bytes and times
sum() { "$ws" tokenize --stats -o json "$@" 2>/dev/null | python3 -c 'import json, sys; r = json.load(sys.stdin); print(r["packets"], r["bytes"])'; }
[ "$(sum "$data"/{dns,tls}.pcap)" = "$(classify -w "$tmp/two.pcapng" "$data"/{dns,tls}.pcap >/dev/null && sum "$tmp/two.pcapng")" ]
result $? "all packets are in the file"
if command -v tshark >/dev/null; then
    HOME=$tmp tshark -r "$tmp/two.pcapng" -T fields -e frame.number -e frame.comment >"$tmp/comments" 2>"$tmp/warnings"
    ! grep -v 'Running as user' "$tmp/warnings" | grep -q . && [ "$(grep -c 'wirespeak: ' "$tmp/comments")" = "$(wc -l <"$tmp/comments")" ]
    result $? "tshark opens it without a warning and shows a comment on every packet"
    [ "$(HOME=$tmp tshark -r "$tmp/two.pcapng" -Y 'frame.comment contains "wirespeak flow"' 2>/dev/null | wc -l)" = \
        "$(classify -o jsonl "$data"/{dns,tls}.pcap | wc -l)" ]
    result $? "tshark finds the first packet of every flow by its comment"
else
    skip "tshark finds the first packet of every flow by its comment" "tshark is not installed"
fi
classify --per-packet -w "$tmp/early.pcapng" "$data/http.pcap" >/dev/null && grep -aq 'wirespeak: unknown' "$tmp/early.pcapng"
result $? "with --per-packet a SYN is not HTTP yet"
# Flows of one answer: their records as they are among all, their packets alone.
"$ws" classify -m "$model" --only protocol:DNS --only unknown -w "$tmp/only.pcapng" -o jsonl "${all[@]}" 2>"$tmp/err" >"$tmp/only.jsonl"
python3 - "$tmp" <<'PY'
import json, re, sys
read = lambda name: [json.loads(line) for line in open(f"{sys.argv[1]}/{name}.jsonl")]
flows, only = read("without"), read("only")
assert only == [f for f in flows if f["wirespeak"]["label"] in ("DNS", "unknown")] and 0 < len(only) < len(flows), (len(only), len(flows))
left_out = re.search(r"(\d+) other flows are called something else", open(sys.argv[1] + "/err").read())
assert int(left_out[1]) == len(flows) - len(only), left_out
print(sum(f["flow"][k] for f in only for k in ("pkts_toserver", "pkts_toclient")),
      sum(f["flow"][k] for f in only for k in ("bytes_toserver", "bytes_toclient")), file=open(sys.argv[1] + "/only.sum", "w"))
PY
result $? "--only: the flows that are called so, and how many others there are"
[ "$(sum "$tmp/only.pcapng")" = "$(cat "$tmp/only.sum")" ] && ! grep -aq 'wirespeak: HTTP' "$tmp/only.pcapng" && grep -aq 'wirespeak: DNS' "$tmp/only.pcapng"
result $? "and the packets of these alone"
[ "$(classify --only unknown --summary "${all[@]}" 2>/dev/null | awk '/unknown/ { print $3 }')" = "$(grep -c '"label": \?"unknown"' "$tmp/without.jsonl")" ]
result $? "so of a summary"
# Labels that several heads of the shipped model have: whichever is asked.
only() { "$ws" classify -q -m "${top_srcdir:-.}/models/flows.safetensors" -o jsonl "$@" "$data/dns.pcap" 2>"$tmp/err"; }
only --only DNP3 >"$tmp/dnp3" && [ ! -s "$tmp/dnp3" ] && only --head malware --only benign >"$tmp/benign" && [ -s "$tmp/benign" ] &&
    only --head malware | grep '"label":"benign"' | cmp -s - "$tmp/benign"
result $? "--only a label that several heads have: it is the asked one's"
! only --only benign && grep -q '2 heads have this label: name one, as malware:benign$' "$tmp/err"
result $? "and if none of them is asked, one has to be named"
fails "--only a label that no head has" 1 classify -m "$model" --only Nonsense "$data/dns.pcap"
fails "--only of hosts" 2 classify -m "$model" --by-host --only DNS "$data/dns.pcap"
fails "-w to standard output" 2 classify -m "$model" -w - "$data/dns.pcap"
fails "-w to a folder that does not exist" 1 classify -m "$model" -w "$tmp/no/such.pcapng" "$data/dns.pcap"

"$ws" embed -q --threads 1 --dtype f32 -m "$model" -w "$tmp/e.npy" "${all[@]}" 2>/dev/null >"$tmp/e.csv"
python3 - "$tmp/e.npy" "$tmp/e.csv" "$tmp/without.jsonl" <<'PY'
import ast, csv, json, struct, sys
b = open(sys.argv[1], "rb").read()
assert b[:8] == b"\x93NUMPY\x01\x00"
n = struct.unpack("<H", b[8:10])[0]
head = ast.literal_eval(b[10:10 + n].decode())
rows, columns = head["shape"]
v = struct.unpack(f"<{rows * columns}f", b[10 + n:])
c = list(csv.DictReader(open(sys.argv[2], newline="")))
r = [json.loads(l) for l in open(sys.argv[3])]
assert head["descr"] == "<f4" and (10 + n) % 64 == 0 and rows == len(c) == len(r) and columns > 8
assert [int(x["flow_id"]) for x in c] == [x["flow_id"] for x in r]
vector = [v[i * columns:(i + 1) * columns] for i in range(rows)]
arp = [vector[i] for i, x in enumerate(r) if x["proto"] == "ARP"]
assert len(arp) > 3 and len(set(vector)) > 10 and len(set(arp)) < len(arp)
PY
result $? "embed writes a row for every flow, and the table of them"
fails "embed without a file" 2 embed -m "$model" "$data/dns.pcap"
fails "embed into a folder that does not exist" 1 embed -m "$model" -w "$tmp/no/such.npy" "$data/dns.pcap"

# ---- shards ----

classify -o jsonl "${all[@]}" 2>/dev/null | sort >"$tmp/whole"
for i in 1 2 3; do classify -o jsonl --shard $i/3 "${all[@]}" 2>/dev/null >"$tmp/part.$i"; done
sort "$tmp"/part.[123] >"$tmp/union"
cmp -s "$tmp/union" "$tmp/whole" && [ -s "$tmp/part.1" ] && [ -s "$tmp/part.2" ] && [ -s "$tmp/part.3" ] && [ -z "$(uniq -d "$tmp/union")" ]
result $? "the union of the shards is the whole, no flow comes twice"
fails "a shard of none" 2 classify -m "$model" --shard 0/3 "$data/dns.pcap"
fails "a shard beyond the last" 2 classify -m "$model" --shard 4/3 "$data/dns.pcap"
fails "a shard that is no fraction" 2 classify -m "$model" --shard 1 "$data/dns.pcap"
fails "a rank in a summary" 2 classify -m "$model" --rank 3 --summary "$data/dns.pcap"
fails "the likeliest labels in a summary" 2 classify -m "$model" --top 3 --summary "$data/dns.pcap"
fails "answers after each packet in a summary" 2 classify -m "$model" --per-packet --summary "$data/dns.pcap"

"$ws" train -q --config tiny --epochs 1 --batch-tokens 512 --lm-weight 0 --threads 1 -w "$tmp/mute.safetensors" "$tmp/set.npz"
fails "surprise without an output stack" 1 classify -m "$tmp/mute.safetensors" --surprise "$data/dns.pcap"
"$ws" classify -m "$tmp/mute.safetensors" --rank 3 "$data/dns.pcap" 2>&1 | grep -q 'models/generator.safetensors has one'
result $? "which model has one is said"

# ---- what is not taken apart ----

# as_link TYPE: the capture of DNS, said to be of this link type
as_link() { { head -c 20 "$data/dns.pcap" && printf '%b\0\0\0' "$(printf '\\x%x' "$1")" && tail -c +25 "$data/dns.pcap"; } >"$tmp/link$1.pcap"; }
as_link 189
as_link 195
as_link 1
# warned COUNT NAME: warnings of captures by their link type
warned() { [ "$(grep -c "warning: $2: link type [0-9]* ([A-Z0-9_]*) is not taken apart: its packets are one flow without addresses" "$tmp/err")" = "$1" ]; }
"$ws" classify -m "$model" -o jsonl "$tmp/link189.pcap" >"$tmp/out" 2>"$tmp/err" && [ "$(wc -l <"$tmp/out")" = 1 ] && warned 1 "$tmp/link189.pcap" &&
    grep -q '189 (USB_LINUX)' "$tmp/err" && ! grep -q 'captures have' "$tmp/err"
result $? "classify says which link type is not taken apart"
"$ws" classify -m "$model" "$tmp"/link{189,1,195}.pcap 2>"$tmp/err" >/dev/null && warned 2 '.*' && grep -q '2 of 3 captures have a link type that is not taken apart' "$tmp/err"
result $? "and how many captures have such, at the end"
"$ws" tag -m "$model" -r "$tmp/link189.pcap" -r "$tmp/link195.pcap" 2>"$tmp/err" >/dev/null && warned 2 '.*' && grep -q '2 captures have a link type' "$tmp/err"
result $? "so does tag"
"$ws" label "$tmp/link195.pcap" 2>"$tmp/err" >/dev/null && warned 1 "$tmp/link195.pcap"
result $? "so does label"
"$ws" forge -w "$tmp/forged.pcap" "$tmp/link195.pcap" 2>"$tmp/err" && warned 1 "$tmp/link195.pcap" && grep -q 'no address in it is mapped' "$tmp/err"
result $? "forge says that it maps nothing in them"
classify "$data/edge-raw-ip.pcap" "$data/edge-sll.pcap" 2>&1 >/dev/null | wc -l | grep -qx 0
result $? "raw IP and cooked captures are taken apart"

# ---- what is no capture ----

# goes_on NAME COMMAND...: the text before the capture is told in one line, the capture is read as if it stood alone, the status is 1
goes_on() {
    local name=$1 rc=0
    shift
    "$ws" "$@" "$data/dns.pcap" 2>"$tmp/alone.err" >"$tmp/alone"
    "$ws" "$@" "$tmp/text" "$data/dns.pcap" 2>"$tmp/both.err" >"$tmp/both" || rc=$?
    [ $rc = 1 ] && cmp -s "$tmp/alone" "$tmp/both" && [ "$(grep -c "$tmp/text: " "$tmp/both.err")" = 1 ] &&
        grep -q '1 of 2 files could not be read' "$tmp/both.err"
    result $? "$name reads on behind what is no capture"
}
printf 'no capture\n' >"$tmp/text"
goes_on classify classify -q -m "$model" -o jsonl
goes_on embed embed -q -m "$model" -w "$tmp/x.npy"
goes_on tokenize tokenize -q --stats
goes_on explain explain -q
rc=0
"$ws" tag -q -m "$model" -r "$data/dns.pcap" >"$tmp/alone"
"$ws" tag -q -m "$model" -r "$tmp/text" -r "$data/dns.pcap" >"$tmp/both" 2>"$tmp/both.err" || rc=$?
[ $rc = 1 ] && cmp -s "$tmp/alone" "$tmp/both" && grep -q '1 of 2 files could not be read' "$tmp/both.err"
result $? "tag reads on behind what is no capture"
fails "nothing but a text" 1 classify -m "$model" "$tmp/text"
rc=0
"$ws" classify -m "$model" "$data/dns.pcap" "$tmp/none" >"$tmp/out" 2>/dev/null || rc=$?
[ $rc = 1 ] && ! [ -s "$tmp/out" ]
result $? "a name that leads nowhere is told before anything is read"
rc=0
"$ws" classify -q --skip-bad -m "$model" -o jsonl "$tmp/text" "$tmp/none" "$data/dns.pcap" >"$tmp/out" || rc=$?
"$ws" classify -q -m "$model" -o jsonl "$data/dns.pcap" >"$tmp/alone"
[ $rc = 0 ] && cmp -s "$tmp/out" "$tmp/alone"
result $? "--skip-bad does not mind either"

shipped=${top_srcdir:-.}/models/flows.safetensors
for c in "classify -o table -m $model" "classify -o jsonl -m $model" "classify --top 65536 -o jsonl -m $shipped" "classify --by-capture --head all --top 99 -o jsonl -m $shipped" \
    "classify --rank 50 -o jsonl --top 9 -m $model" "classify -o csv -m $model" "classify --summary -o jsonl -m $model" label "explain -p everything"; do
    rc=0
    # shellcheck disable=SC2086 # a command and its options
    "$ws" ${c%% *} -q ${c#"${c%% *}"} "${all[@]}" >/dev/full 2>"$tmp/err" || rc=$?
    [ $rc = 1 ] && grep -qx 'wirespeak: standard output: No space left on device' "$tmp/err"
    result $? "${c%%-m *}: a full disk is an error, with the reason"
done
"$ws" info -o json "$shipped" 2>&1 >/dev/full | grep -qx 'wirespeak: standard output: No space left on device'
result $? "so it is of one long line"

# ---- heads that nobody trained, and pipes that go on ----

"$ws" train -q --config tiny --epochs 1 --batch-tokens 512 --head-weight 0 --threads 1 -w "$tmp/untrained.safetensors" "$tmp/set.npz"
for c in "classify -m $tmp/untrained.safetensors" "tag -m $tmp/untrained.safetensors -r" "embed -w $tmp/x.npy -m $tmp/untrained.safetensors"; do
    # shellcheck disable=SC2086 # a command and its options
    [ "$("$ws" $c "$data/dns.pcap" 2>&1 >/dev/null | grep -c 'untrained.safetensors: head protocol was not trained: it calls every flow "unknown"')" = 1 ]
    result $? "${c%% *}: a head that was not trained is told once"
done
"$ws" classify --min-confidence 0 -m "$tmp/untrained.safetensors" "$data/dns.pcap" 2>&1 >/dev/null | grep -q 'not trained'
[ $? = 1 ] && ! "$ws" classify -m "$model" "$data/dns.pcap" 2>&1 >/dev/null | grep -q 'not trained'
result $? "one that was is not"
mkfifo "$tmp/fifo"
"$ws" tag -q -m "$model" -r - <"$tmp/fifo" >"$tmp/running" &
exec 3>"$tmp/fifo"
cat "$data/dns.pcap" >&3
wait_for 10 test -s "$tmp/running"
result $? "tag says what it sees in a pipe that goes on"
exec 3>&-
wait $!
result $? "and ends with it"
"$ws" classify --help | grep -q 'wirespeak tag .*-r -'
result $? "the help of classify names it"
echo "1..$n"
exit $bad

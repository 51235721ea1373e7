#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_eval.sh: what eval says of a tiny model, of flows that it knows and of some that it does not.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# says NAME FILE CONDITION: of the objects of a file with JSON lines, as list r
says() {
    python3 - "$2" "$3" <<'PY'
import json, sys
r = [json.loads(l) for l in open(sys.argv[1])]
assert eval(sys.argv[2]), (sys.argv[2], json.dumps(r)[:2000])
PY
    result $? "$1"
}

# Every flow of a capture is of the class that the capture is named for.
names="dns http ntp redis ssh"
captures=()
for name in $names; do captures+=("$data/$name.pcap"); done
"$ws" label -o jsonl "${captures[@]}" | python3 -c '
import json, sys
print("path", "label", "l4", "ip_a", "port_a", "ip_b", "port_b", sep="\t")
for r in map(json.loads, sys.stdin):
    if r["proto"] in ("TCP", "UDP") and "src_port" in r:
        name = r["pcap_filename"].rsplit("/", 1)[1]
        print(name, name[:-5], {"TCP": 6, "UDP": 17}[r["proto"]], r["src_ip"], r["src_port"], r["dest_ip"], r["dest_port"], sep="\t")
' >"$tmp/all.tsv"
grep -v '^ssh' "$tmp/all.tsv" >"$tmp/four.tsv" # the model learns four of five
for list in all four; do
    "$ws" tokenize -q --max-packets 16 --labels "kind=$tmp/$list.tsv" -w "$tmp/$list.npz" "${captures[@]}" || bad=1
done
"$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 --val "$tmp/four.npz" -w "$tmp/m.safetensors" "$tmp/four.npz" &&
    "$ws" eval -o json -m "$tmp/m.safetensors" "$tmp/four.npz" >"$tmp/four.json" &&
    "$ws" eval -o json -m "$tmp/m.safetensors" "$tmp/all.npz" >"$tmp/all.json"
result $? "eval scores a model"

"$ws" tokenize -q --labels "else=$tmp/all.tsv" -w "$tmp/else.npz" "$data/dns.pcap" &&
    "$ws" train -q --config tiny --epochs 1 --lm-weight 0 -w "$tmp/other.safetensors" "$tmp/else.npz"
result $? "another model, whose head has another name"

says "four classes, learned" "$tmp/four.json" 'r[0]["classes"] == 4 and r[0]["accuracy"] > .9 and r[0]["outside"] == 0'
says "classes and confusions say the same" "$tmp/four.json" \
    'all(sum(row) == c["support"] for row, c in zip(r[0]["confusion"], r[0]["per_class"])) and sum(c["right"] for c in r[0]["per_class"]) == round(r[0]["accuracy"] * r[0]["flows"])'
says "the bins of confidence have every flow" "$tmp/four.json" 'sum(b["flows"] for b in r[0]["reliability"]) == r[0]["flows"]'
says "what nothing tells is null" "$tmp/four.json" \
    'all((b["flows"] == 0) == (b["accuracy"] is None) == (b["confidence"] is None) for b in r[0]["reliability"]) and any(b["flows"] == 0 for b in r[0]["reliability"])'
"$ws" tokenize -q --labels "kind=$tmp/all.tsv" -w "$tmp/dns.npz" "$data/dns.pcap" && "$ws" eval -q --final-only -o json -m "$tmp/m.safetensors" "$tmp/dns.npz" >"$tmp/dns.json"
says "of classes, too" "$tmp/dns.json" \
    'all((c["said"] == 0) == (c["precision"] is None) and (c["support"] == 0) == (c["recall"] is None) for c in r[0]["per_class"]) and r[0]["classes"] == 1'
says "a higher threshold never covers more" "$tmp/four.json" \
    'len(r[0]["abstention"]) == 101 and all(a["coverage"] >= b["coverage"] for a, b in zip(r[0]["abstention"], r[0]["abstention"][1:]))'
says "answers after the first packets are there" "$tmp/four.json" '[x["packets"] for x in r[0]["early"]] == [1, 2, 4, 8, 16]'
says "all packets that the model reads give the model's own score" "$tmp/four.json" \
    'r[0]["early"][-1]["macro_f1"] == r[0]["macro_f1"] and r[0]["early"][0]["flows"] == r[0]["flows"]'
says "a class that the model has not learned is from outside" "$tmp/all.json" \
    'r[0]["outside"] > 0 and r[0]["flows"] > 0 and r[0]["auroc_known"] is not None and r[0]["unknown"]["outside_passed"] is not None'
says "and changes no score of the others" "$tmp/all.json" \
    "all(r[0][k] == json.load(open('$tmp/four.json'))[k] for k in ('flows', 'accuracy', 'macro_f1', 'ece'))"

"$ws" eval --final-only --per-class -m "$tmp/m.safetensors" "$tmp/all.npz" >"$tmp/table" &&
    grep -q "^kind: " "$tmp/table" && grep -q "^  ntp " "$tmp/table" && ! grep -q "after 1 packet" "$tmp/table"
result $? "the table has the classes when asked, and only final answers when asked"

# Every answer, from which the scores can be computed again; a second model and intervals over draws of captures.
"$ws" train -q --config tiny --epochs 2 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 6 -w "$tmp/worse.safetensors" "$tmp/four.npz" &&
    "$ws" eval -q --answers "$tmp/answers" --against "$tmp/worse.safetensors" --html "$tmp/against.html" -o json -m "$tmp/m.safetensors" "$tmp/all.npz" >"$tmp/against.json" &&
    "$ws" eval -q --answers "$tmp/worse" -o json -m "$tmp/worse.safetensors" "$tmp/all.npz" >"$tmp/worse.json" &&
    python3 - "$tmp" <<'PY'
import json, math, sys
tmp = sys.argv[1]
r, w = (json.load(open(f"{tmp}/{name}.json")) for name in ("against", "worse"))
a, b = ([json.loads(l) for l in open(f"{tmp}/{name}")] for name in ("answers", "worse"))
known = [x for x in a if x["known"]]
near = lambda x, y: abs(x - y) < 2e-6
assert len(known) == r["flows"] and len(a) - len(known) == r["outside"] and {x["label"] for x in a if not x["known"]} == {"ssh"}
assert near(r["accuracy"], sum(x["said"] == x["label"] for x in known) / len(known))
def macro(rows):
    f1 = []
    for label in {x["label"] for x in rows}:
        right = sum(x["said"] == x["label"] == label for x in rows)
        f1.append(2 * right / (sum(x["said"] == label for x in rows) + sum(x["label"] == label for x in rows)))
    return sum(f1) / len(f1)
assert near(r["macro_f1"], macro(known)), macro(known)
assert all(x["said"] == max(x["prob"], key=x["prob"].get) and near(x["confidence"], max(x["prob"].values())) for x in a)
assert abs(r["nll"] + sum(math.log(max(x["prob"][x["label"]], 1e-12)) for x in known) / len(known)) < 1e-3
kept = [x for x in known if not x["unknown"]]
assert near(r["unknown"]["coverage"], len(kept) / len(known))
theirs = [x for x in b if x["known"]]
assert [(x["capture"], x["flow"], x["label"]) for x in known] == [(x["capture"], x["flow"], x["label"]) for x in theirs]
o, i = r["against"][0], r["interval"]
assert o["name"].endswith("/worse.safetensors") and near(o["accuracy"], w["accuracy"]) and near(o["macro_f1"], w["macro_f1"]) and o["flows"] == len(known)
assert near(o["ahead"]["macro_f1"]["value"], r["macro_f1"] - w["macro_f1"]) and near(i["macro_f1"]["value"], r["macro_f1"])
assert i["captures"] == len({x["capture"] for x in known}) == 4
assert w["accuracy"] < r["accuracy"] and all(x["low"] <= x["value"] <= x["high"] for x in (i["accuracy"], o["ahead"]["accuracy"]))
assert o["ahead"]["accuracy"]["high"] - o["ahead"]["accuracy"]["low"] > 0
PY
result $? "answers give the scores again; another model is compared on the same flows, with intervals"
grep -q '<td>worse.safetensors</td>' "$tmp/against.html" && "$ws" eval -q --final-only --against "$tmp/worse.safetensors" -m "$tmp/m.safetensors" "$tmp/all.npz" >"$tmp/table" &&
    grep -q 'both in 95 % of draws of captures' "$tmp/table" && grep -Eq '^  worse.safetensors .* [+-][0-9.]+ to [+-][0-9.]+' "$tmp/table"
result $? "the table and the page have them"
"$ws" eval -q --final-only --by-capture --answers "$tmp/captures" -o json -m "$tmp/m.safetensors" "$tmp/all.npz" >"$tmp/by.json"
says "answers for captures have a line each" "$tmp/captures" "len(r) == 5 and 'flow' not in r[0] and [x['label'] for x in r if not x['known']] == ['ssh'] and sum(x['known'] for x in r) == json.load(open('$tmp/by.json'))['captures']"
# A model that was trained on pings alone, as it says. Another one whose first label is the background and takes all of the odds: nothing
# is left over that a threshold of 0 would refuse.
python3 - "$tmp/m.safetensors" "$tmp/pings.safetensors" "$tmp/rest.safetensors" <<'PY' &&
import json, struct, sys
old = open(sys.argv[1], "rb").read()
n, = struct.unpack("<Q", old[:8])
header, data = json.loads(old[8:8 + n]), bytearray(old[8 + n:])
def write(path):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
stacks = header["__metadata__"]["stacks"]
header["__metadata__"]["stacks"] = '{"kind":["icmp"]}'
write(sys.argv[2])
header["__metadata__"]["stacks"] = stacks
heads = json.loads(header["__metadata__"]["heads"])
heads[0]["labels"][0] = "unknown"
heads[0]["unknown_below"] = "0"
header["__metadata__"]["heads"] = json.dumps(heads)
at = header["head.0.bias"]["data_offsets"][0]
data[at:at + 4] = struct.pack("<f", 1e4)
write(sys.argv[3])
PY
    "$ws" eval -q --final-only --by-capture --answers "$tmp/pings" -o json -m "$tmp/pings.safetensors" "$tmp/all.npz" >"$tmp/pings.json" &&
    "$ws" classify -q --by-capture --min-confidence 0 -o jsonl -m "$tmp/pings.safetensors" "$data/ntp.pcap" >"$tmp/pings.captures" &&
    "$ws" eval -q --final-only --answers "$tmp/rest" -o json -m "$tmp/rest.safetensors" "$tmp/all.npz" >"$tmp/rest.json" &&
    "$ws" classify -q -o jsonl -m "$tmp/rest.safetensors" "$data/ntp.pcap" >"$tmp/rest.flows"
says "answers that are the head's background are unknown" "$tmp/rest" 'len(r) > 5 and all(x["unknown"] and x["confidence"] == 0 for x in r)'
says "captures of which all flows are outside of the head's field are unknown" "$tmp/pings" 'len(r) == 5 and all(x["unknown"] for x in r)'
says "and pass no threshold" "$tmp/pings.json" 'r[0]["unknown"]["coverage"] == 0 and r[0]["unknown"]["outside_passed"] == 0 and r[0]["abstention"][0]["coverage"] == 0'
says "as classify has those" "$tmp/pings.captures" 'len(r) == 1 and r[0]["wirespeak"]["label"] == "unknown" and r[0]["wirespeak"]["votes"] == 0'
says "as classify has them" "$tmp/rest.flows" 'len(r) > 0 and all(x["wirespeak"]["label"] == "unknown" for x in r)'
python3 - "$tmp/all.npz" "$tmp/answers" <<'PY'
import array, json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
def column(name, kind): # behind the header of a .npy file
    data = z.read(name + ".npy")
    return array.array(kind, data[10 + int.from_bytes(data[8:10], "little"):])
meta = json.loads(column("meta", "B").tobytes())
capture, label = column("capture", "I"), column("label_kind", "i")
rows = [json.loads(l) for l in open(sys.argv[2])]
assert len(rows) > 20 and len({x["flow"] for x in rows}) == len(rows)
for x in rows:
    assert meta["captures"][capture[x["flow"]]] == x["capture"]
    assert meta["heads"][0]["labels"][label[x["flow"]]] == x["label"]
PY
result $? "a flow's number is its place in the token file"
fails "a model with other heads is not compared" 1 eval -q --against "$tmp/other.safetensors" -m "$tmp/m.safetensors" "$tmp/all.npz"
printf 'path\tlabel\nno.pcap\tdns\n' >"$tmp/no.tsv"
printf 'path\tlabel\ndns.pcap\tother\n' >"$tmp/others.tsv"
"$ws" eval -q --labels "kind=$tmp/no.tsv" -m "$tmp/m.safetensors" "$data/dns.pcap" 2>&1 | grep -q 'none of the .* flows has a label in column kind' &&
    "$ws" eval -q --labels "kind=$tmp/others.tsv" -m "$tmp/m.safetensors" "$data/dns.pcap" 2>&1 | grep -q 'none of the labels in column kind'
result $? "a list of other captures, and one of other labels, are told apart"
"$ws" eval -q --against "$tmp/other.safetensors" -m "$tmp/m.safetensors" "$tmp/all.npz" 2>&1 | grep -q "other.safetensors: .*(else).* kind"
result $? "and it is told which heads there are"

# What the model was trained on, it knows; the flows of http.pcap are not among those of dns.pcap.
"$ws" eval --final-only -m "$tmp/m.safetensors" "$tmp/four.npz" 2>&1 >"$tmp/table" | grep -q 'warning: the model was trained on about 100 % of these flows' &&
    grep -q '^about 100 % of the flows are, to the model, as flows that it was trained on' "$tmp/table"
result $? "flows that the model was trained on are told"
"$ws" tokenize -q --labels "kind=$tmp/four.tsv" -w "$tmp/dns.npz" "$data/dns.pcap" && "$ws" tokenize -q --labels "kind=$tmp/four.tsv" -w "$tmp/http.npz" "$data/http.pcap" &&
    "$ws" train -q --config tiny --epochs 1 --lm-weight 0 -w "$tmp/dns.safetensors" "$tmp/dns.npz" && "$ws" info "$tmp/dns.safetensors" | grep -Eq '^seen +[1-9]' &&
    "$ws" eval -o json --final-only --labels "kind=$tmp/all.tsv" -m "$tmp/dns.safetensors" "$data/dns.pcap" >"$tmp/seen.json" 2>/dev/null
says "captures too" "$tmp/seen.json" 'r[0]["trained_on"] == 1'
"$ws" train --config tiny --epochs 1 --val "$tmp/four.npz" -w "$tmp/x.safetensors" "$tmp/four.npz" 2>&1 | grep -q '100 % of the validation set' &&
    "$ws" calibrate -m "$tmp/x.safetensors" -w "$tmp/x.safetensors" "$tmp/four.npz" 2>&1 >/dev/null | grep -q '100 % of the flows to calibrate on' &&
    ! "$ws" train --config tiny --epochs 1 --val "$tmp/http.npz" -w "$tmp/x.safetensors" "$tmp/dns.npz" 2>&1 | grep -q warning
result $? "validation and calibration on training flows are told, and nothing else"

# Worse circumstances: the same captures, read again. Names say protocols, so that nDPI is asked too.
sed 's/\tdns\t/\tDNS\t/; s/\thttp\t/\tHTTP\t/; s/\tntp\t/\tNTP\t/; s/\tredis\t/\tRedis\t/' "$tmp/four.tsv" >"$tmp/protocols.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/protocols.tsv" -w "$tmp/p.npz" "${captures[@]}" &&
    "$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 -w "$tmp/p.safetensors" "$tmp/p.npz" &&
    "$ws" eval --robust -o json --html "$tmp/robust.html" --labels "protocol=$tmp/protocols.tsv" -m "$tmp/p.safetensors" "${captures[@]}" >"$tmp/robust.json" &&
    "$ws" eval --final-only -o json -m "$tmp/p.safetensors" "$tmp/p.npz" >"$tmp/plain.json"
result $? "captures are scored as they are and changed"
says "captures and their tokens score the same" "$tmp/robust.json" "all(r[0][k] == json.load(open('$tmp/plain.json'))[k] for k in ('flows', 'accuracy', 'macro_f1', 'nll'))"
says "other hosts change nothing" "$tmp/robust.json" \
    '[(c["flows"], c["accuracy"], c["macro_f1"]) for c in r[0]["changes"] if c["name"] == "forged"] == [(r[0]["flows"], r[0]["accuracy"], r[0]["macro_f1"])]'
says "and no label moves" "$tmp/robust.json" '[c["moved"] for c in r[0]["changes"] if c["name"] == "forged"] == [0]'
says "labels that cut packets move are counted" "$tmp/robust.json" '0 < [c["moved"] for c in r[0]["changes"] if c["name"] == "headers"][0] <= r[0]["flows"]'
# A second head that only the DNS and NTP flows have a label of: what moves among the others is not its.
awk -F'\t' 'NR == 1 || $2 == "DNS" || $2 == "NTP"' "$tmp/protocols.tsv" >"$tmp/names.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/protocols.tsv" --labels "name=$tmp/names.tsv" -w "$tmp/n.npz" "${captures[@]}" &&
    "$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 -w "$tmp/n.safetensors" "$tmp/n.npz" &&
    "$ws" eval -q --final-only --robust -o json --labels "protocol=$tmp/protocols.tsv" --labels "name=$tmp/names.tsv" -m "$tmp/n.safetensors" "${captures[@]}" >"$tmp/names.json"
says "labels that move are counted among the flows of the head" "$tmp/names.json" \
    'len(r) == 2 and r[1]["flows"] < r[0]["flows"] and all(c["moved"] <= c["flows"] for h in r for c in h["changes"] if "moved" in c)'
says "every change has its row" "$tmp/robust.json" '{c["name"] for c in r[0]["changes"]} >= {"forged", "snaplen=64", "headers", "lost=5", "client", "server", "tokens of headers-only", "tokens of sizes-only"}'
says "one way has fewer packets and nDPI knows less of it" "$tmp/robust.json" \
    '[c["flows"] for c in r[0]["changes"] if c["name"] == "client"] == [r[0]["flows"]] and [c["ndpi"]["told"] for c in r[0]["changes"] if c["name"] == "server"][0] < r[0]["ndpi"]["told"]'
says "nDPI is asked, and knows less without payload" "$tmp/robust.json" \
    'r[0]["ndpi"]["told"] > .8 and [c["ndpi"]["told"] for c in r[0]["changes"] if c["name"] == "headers"][0] < .5'
"$ws" tokenize -q --change skip=3 --labels "protocol=$tmp/protocols.tsv" -w "$tmp/late.npz" "$data/http.pcap" &&
    [ "$("$ws" tokenize --stats -o json --change skip=3 "$data/http.pcap" | grep -o '"packets":[0-9]*')" != "$("$ws" tokenize --stats -o json "$data/http.pcap" | grep -o '"packets":[0-9]*')" ]
result $? "tokenize --change leaves the first packets out"
fails "captures without labels" 2 eval -m "$tmp/m.safetensors" "$data/dns.pcap"
fails "a change that there is none" 2 tokenize --change later --stats "$data/dns.pcap"

# Trees beside: they see the training flows themselves here, so they know them.
"$ws" eval -q --final-only --baselines "$tmp/four.npz" -o json -m "$tmp/m.safetensors" "$tmp/all.npz" >"$tmp/trees.json" &&
    "$ws" eval -q --final-only --baselines "$tmp/four.npz" -o json -m "$tmp/m.safetensors" "$tmp/all.npz" | sed 's/"flows_per_second":[^,]*//' | cmp -s - <(sed 's/"flows_per_second":[^,]*//' "$tmp/trees.json")
result $? "trees are grown beside the model, the same ones each time"
says "on the flows that the model is scored on" "$tmp/trees.json" \
    'len(r[0]["baselines"]) == 4 and all(b["flows"] == r[0]["flows"] and b["accuracy"] > .9 for b in r[0]["baselines"] if "forest" in b["name"])'
# The flows of two files are those of one with both.
"$ws" tokenize -q --labels "kind=$tmp/all.tsv" -w "$tmp/both.npz" "$data"/{dns,http}.pcap && "$ws" tokenize -q --labels "kind=$tmp/all.tsv" -w "$tmp/first.npz" "$data/dns.pcap" &&
    "$ws" tokenize -q --labels "kind=$tmp/all.tsv" -w "$tmp/second.npz" "$data/http.pcap" &&
    "$ws" eval -q --final-only --baselines "$tmp/both.npz" -o json -m "$tmp/m.safetensors" "$tmp/all.npz" | sed 's/"flows_per_second":[^,]*//g' >"$tmp/both.json" &&
    "$ws" eval -q --final-only --baselines "$tmp/first.npz" --baselines "$tmp/second.npz" -o json -m "$tmp/m.safetensors" "$tmp/all.npz" | sed 's/"flows_per_second":[^,]*//g' | cmp - "$tmp/both.json"
result $? "baselines learn from several files"
fails "training flows without labels of the heads" 1 eval -q --final-only --baselines "$tmp/p.npz" -m "$tmp/m.safetensors" "$tmp/all.npz"

# Whole captures: a list of them labels all their flows, which vote together, those of trees as well.
{
    printf 'path\tlabel\n'
    for name in dns http ntp redis; do printf '%s.pcap\t%s\n' $name $name; done
} >"$tmp/whole.tsv"
"$ws" tokenize -q --max-packets 16 --labels "kind=$tmp/whole.tsv" -w "$tmp/whole.npz" "${captures[@]}" &&
    "$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 -w "$tmp/whole.safetensors" "$tmp/whole.npz" &&
    "$ws" eval -q --by-capture --baselines "$tmp/whole.npz" --html "$tmp/whole.html" -o json -m "$tmp/whole.safetensors" "$tmp/whole.npz" >"$tmp/whole.json" &&
    "$ws" eval -q --final-only -o json -m "$tmp/whole.safetensors" "$tmp/whole.npz" >"$tmp/flows.json"
result $? "captures are scored as one"
says "each once, by the votes of all flows" "$tmp/whole.json" \
    "r[0]['captures'] == 4 and r[0]['mixed'] == 0 and r[0]['flows'] == json.load(open('$tmp/flows.json'))['flows'] > 20 and r[0]['accuracy'] == 1"
says "with classes, confusions and answers after the first packets of captures" "$tmp/whole.json" \
    '[c["support"] for c in r[0]["per_class"]] == [1] * 4 and sum(map(sum, r[0]["confusion"])) == 4 and [e["captures"] for e in r[0]["early"]] == [4] * 5'
says "and so are those of trees" "$tmp/whole.json" '[b["captures"] for b in r[0]["baselines"]] == [4] * 4 and r[0]["baselines"][0]["accuracy"] == 1'
grep -q '4 captures of 4 classes, by the votes of' "$tmp/whole.html" && ! grep -q 'of 1 flows' "$tmp/whole.html"
result $? "the page speaks of captures"
"$ws" eval -q --by-capture --final-only -o json --labels "kind=$tmp/whole.tsv" -m "$tmp/whole.safetensors" "${captures[@]}" | sed 's/"test":"[^"]*",//; s/"flows_per_second":[^,]*//' >"$tmp/a" &&
    "$ws" eval -q --by-capture --final-only -o json -m "$tmp/whole.safetensors" "$tmp/whole.npz" | sed 's/"test":"[^"]*",//; s/"flows_per_second":[^,]*//' | cmp -s - "$tmp/a"
result $? "captures and their tokens score the same as captures, too"
# A list of flows that gives one flow of http.pcap another label: it has none any more. Flows without a label vote all the same.
awk -F'\t' -v OFS='\t' '$2 == "http" && !done { $2 = "dns"; done = 1 } { print }' "$tmp/four.tsv" >"$tmp/mixed.tsv"
"$ws" eval --by-capture --final-only -o json --labels "kind=$tmp/mixed.tsv" -m "$tmp/whole.safetensors" "${captures[@]}" >"$tmp/mixed.json" &&
    "$ws" eval --by-capture --final-only --labels "kind=$tmp/mixed.tsv" -m "$tmp/whole.safetensors" "${captures[@]}" | grep -q '1 captures left out: their flows'
result $? "a capture whose flows have different labels is told"
says "and counted, not scored" "$tmp/mixed.json" "r[0]['captures'] == 3 and r[0]['mixed'] == 1"
# A list with two captures the wrong way round: each is taken for the other.
sed 's/\tdns$/\tX/; s/\thttp$/\tdns/; s/\tX$/\thttp/' "$tmp/whole.tsv" >"$tmp/wrong.tsv"
"$ws" eval --by-capture --final-only --per-class --labels "kind=$tmp/wrong.tsv" -m "$tmp/whole.safetensors" "$data"/{dns,http,ntp,redis}.pcap >"$tmp/wrong" &&
    grep -q '^  class  *captures ' "$tmp/wrong" && grep -Eq '^  dns +1 .*  http 1$' "$tmp/wrong" && grep -Eq '^  ntp +1 .*[0-9]$' "$tmp/wrong" && ! grep -Eq '^  ntp .* 1$' "$tmp/wrong"
result $? "the table has the confusion matrix of captures"
says "all flows of the others vote" "$tmp/mixed.json" "r[0]['flows'] > $(grep -c -e '	dns	' -e '	ntp	' -e '	redis	' "$tmp/four.tsv")"
grep -v http "$tmp/mixed.tsv" | sed '2s/\tdns\t/\tntp\t/; $s/\tredis\t/\tdns\t/' | grep -v '^ntp' >"$tmp/none.tsv"
fails "no capture that could be scored" 1 eval --by-capture --labels "kind=$tmp/none.tsv" -m "$tmp/whole.safetensors" "${captures[@]}"
printf 'path\tlabel\tl4\ndns.pcap\tdns\t17\n' >"$tmp/half.tsv"
fails "a list with some columns of flows" 1 tokenize --labels "kind=$tmp/half.tsv" -w "$tmp/x.npz" "$data/dns.pcap"

# The page: every tag is closed, nothing is fetched, names are text whatever they hold.
sed 's/\tntp\t/\t<i>\&ntp\t/' "$tmp/four.tsv" >"$tmp/odd.tsv"
"$ws" tokenize -q --max-packets 16 --labels "kind=$tmp/odd.tsv" -w "$tmp/odd.npz" "${captures[@]}" &&
    "$ws" train -q --config tiny --epochs 1 --lm-weight 0 -w "$tmp/odd.safetensors" "$tmp/odd.npz" &&
    "$ws" eval --html "$tmp/page.html" -m "$tmp/odd.safetensors" "$tmp/odd.npz" >/dev/null
python3 - "$tmp/page.html" <<'PY'
import html.parser, sys
text = open(sys.argv[1]).read()
class Page(html.parser.HTMLParser):
    open, seen, words = [], set(), set()
    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not any(k in ("src", "onclick") or "//" in (v or "") for k, v in attrs), attrs
        if tag not in ("meta", "br"): self.open.append(tag)
    def handle_endtag(self, tag): assert self.open.pop() == tag, tag
    def handle_data(self, data): self.words.add(data)
page = Page()
page.feed(text)
assert not page.open and {"svg", "table", "polyline", "rect", "circle"} <= page.seen
assert not page.seen & {"script", "link", "img"} and "<i>&ntp" in page.words and "<i>&ntp" not in text
assert "nan" not in text and "inf" not in text
PY
result $? "the page is whole, needs nothing else, and names in it are text"
fails "a page where there is no folder" 1 eval -q --final-only --html "$tmp/no/page.html" -m "$tmp/m.safetensors" "$tmp/four.npz"

# Calibration: a model that is too sure of itself is not any more; its answers stay.
"$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 -w "$tmp/sure.safetensors" "$tmp/four.npz" &&
    "$ws" calibrate -m "$tmp/sure.safetensors" -w "$tmp/calm.safetensors" "$tmp/four.npz" >"$tmp/calibration" &&
    "$ws" eval --final-only -o json -m "$tmp/sure.safetensors" "$tmp/four.npz" >"$tmp/sure.json" &&
    "$ws" eval --final-only -o json -m "$tmp/calm.safetensors" "$tmp/four.npz" >"$tmp/calm.json" && grep -q '^kind ' "$tmp/calibration"
result $? "calibrate writes a model and says what it has fitted"
says "the loss is less, the threshold keeps what is in the field (20 of 22 flows), and no answer has changed" "$tmp/calm.json" \
    "(lambda s, c: c['nll'] <= s['nll'] and .9 < c['unknown']['coverage'] < 1.0001 and c['confusion'] == s['confusion'] and c['temperature'] != 1)(json.load(open('$tmp/sure.json')), r[0])"
"$ws" train -q --config tiny --epochs 30 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 --val "$tmp/four.npz" -w "$tmp/same.safetensors" "$tmp/four.npz" &&
    cmp -s "$tmp/same.safetensors" "$tmp/calm.safetensors"
result $? "train --val calibrates alike"
# A model that has seen all there is takes what another was fitted with.
"$ws" calibrate -m "$tmp/sure.safetensors" -w "$tmp/like.safetensors" --like "$tmp/calm.safetensors" >"$tmp/taken" && cmp -s "$tmp/like.safetensors" "$tmp/calm.safetensors" &&
    ! cmp -s "$tmp/like.safetensors" "$tmp/sure.safetensors" && grep -q '^kind  *-  *[0-9]' "$tmp/taken"
result $? "calibrate --like takes both numbers from another model"
fails "neither a set nor a model to be like" 2 calibrate -m "$tmp/sure.safetensors" -w "$tmp/x.safetensors"
fails "both a set and a model to be like" 2 calibrate -m "$tmp/sure.safetensors" -w "$tmp/x.safetensors" --like "$tmp/calm.safetensors" "$tmp/four.npz"
fails "a share to keep of nothing that is fitted" 2 calibrate -m "$tmp/sure.safetensors" -w "$tmp/x.safetensors" --keep 0.9 --like "$tmp/calm.safetensors"
fails "a model of other heads to be like" 1 calibrate -m "$tmp/sure.safetensors" -w "$tmp/x.safetensors" --like "$top_srcdir/models/flows.safetensors"
fails "a model to write has no name" 2 calibrate -m "$tmp/sure.safetensors" "$tmp/four.npz"

"$ws" tokenize -q --labels "other=$tmp/all.tsv" -w "$tmp/other.npz" "$data/dns.pcap"
fails "a set without labels of the model's heads" 1 eval -m "$tmp/m.safetensors" "$tmp/other.npz"
fails "no model named" 2 eval "$tmp/all.npz"

printf 'no capture' >"$tmp/text"
rc=0
"$ws" eval -q -o json --labels "kind=$tmp/all.tsv" -m "$tmp/m.safetensors" "$data/dns.pcap" >"$tmp/alone.json" &&
    "$ws" eval -q -o json --labels "kind=$tmp/all.tsv" -m "$tmp/m.safetensors" "$tmp/text" "$data/dns.pcap" >"$tmp/both.json" 2>"$tmp/both.err" || rc=$?
[ $rc = 1 ] && [ "$(grep -c "$tmp/text: " "$tmp/both.err")" = 1 ] && grep -q '1 of 2 files could not be read; the others are scored' "$tmp/both.err" &&
    diff <(grep -v "$tmp" "$tmp/alone.json") <(grep -v "$tmp" "$tmp/both.json") >/dev/null && [ -s "$tmp/both.json" ]
result $? "captures are scored beside what is none"
# A model that reads more packets of a flow than most: smb.pcap has a flow of 70.
printf 'path\tlabel\nsmb.pcap\tfiles\nssh.pcap\tshell\n' >"$tmp/long.tsv"
"$ws" tokenize -q --labels "what=$tmp/long.tsv" -w "$tmp/long.npz" "$data/smb.pcap" "$data/ssh.pcap" &&
    "$ws" train -q --config tiny --epochs 2 --lm-weight 0 --max-packets 100 -w "$tmp/long.safetensors" "$tmp/long.npz" &&
    "$ws" eval -q --answers "$tmp/long-tokens" -m "$tmp/long.safetensors" "$tmp/long.npz" >"$tmp/out" &&
    "$ws" eval -q --answers "$tmp/long-captures" -m "$tmp/long.safetensors" --labels "what=$tmp/long.tsv" "$data/smb.pcap" "$data/ssh.pcap" >"$tmp/out" &&
    cmp "$tmp/long-tokens" "$tmp/long-captures" && [ -s "$tmp/long-tokens" ]
result $? "of captures it reads as many packets as the model"
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_eval_generated.sh: what eval says of "generated" captures that are real ones from other hosts, with canaries in them.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# says NAME CONDITION: of the object in all.json, as r; s is its sets by name, m their measures by the names of rows
says() {
    python3 - "$tmp/all.json" "$2" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
s = {c["name"]: c for c in r["sets"]}
m = {n: {k: v for part in c["measures"].values() for k, v in part.items()} for n, c in s.items()}
assert eval(sys.argv[2]), (sys.argv[2], json.dumps(r)[:3000])
PY
    result $? "$1"
}

# list CAPTURE...: every flow is of the class that its capture is named for
list() {
    "$ws" label -q -o jsonl "$@" | python3 -c '
import json, sys
print("path", "label", "l4", "ip_a", "port_a", "ip_b", "port_b", sep="\t")
for r in map(json.loads, sys.stdin):
    if r["proto"] in ("TCP", "UDP") and "src_port" in r:
        name = r["pcap_filename"].rsplit("/", 1)[1]
        label = {"dns": "DNS", "http": "HTTP", "ntp": "NTP", "redis": "Redis", "ssh": "SSH"}[name[:-5]]
        print(name, label, {"TCP": 6, "UDP": 17}[r["proto"]], r["src_ip"], r["src_port"], r["dest_ip"], r["dest_port"], sep="\t")
'
}

mkdir "$tmp/new" "$tmp/planted"
printf 'zebra-Q7-nobody-sends-this\nshort\nanother 8f3k canary of ours\n' >"$tmp/canaries"
for name in dns http ntp redis ssh; do
    real+=("$data/$name.pcap")
    "$ws" forge -q --only addresses,ttl,numbers,timestamps -w "$tmp/new/$name.pcap" "$data/$name.pcap" &&
        "$ws" forge -q --only none --plant "$tmp/canaries" --plant-every 4 -w "$tmp/planted/$name.pcap" "$data/$name.pcap" || bad=1
done
list "${real[@]}" >"$tmp/real.tsv"
list "$tmp"/new/*.pcap >"$tmp/new.tsv"
list "$tmp"/planted/*.pcap >"$tmp/planted.tsv"
options=(--labels "protocol=$tmp/real.tsv" --labels "protocol=$tmp/planted.tsv" --asked "$tmp/new.tsv" --asked "$tmp/planted.tsv"
    --canaries "$tmp/canaries" --markov "$tmp/markov.pcap")
for name in "${real[@]}"; do options+=(--real "$name"); done
eval=("$ws" eval -q --generated "new=$tmp/new" --generated "planted=$tmp/planted" --train "$tmp/planted" "${options[@]}")
"${eval[@]}" -o json --html "$tmp/page.html" >"$tmp/all.json"
result $? "eval measures generated captures"
says "a column each, and those of real and training flows" \
    '[c["name"] for c in r["sets"]] == ["real, by flow", "real, by capture", "training", "new", "planted", "Markov"]'
# Where tshark says nothing of the matter there is one that does not run: it takes a second to start.
mkdir "$tmp/bin" && printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/tshark" && chmod +x "$tmp/bin/tshark"
without_tshark() { PATH=$tmp/bin:$PATH "$@"; }
for name in generated-by-model-{a,b} "$(printf 'x%.0s' {1..80})-a"; do
    cp "$data/dns.pcap" "$tmp/$name.pcap"
    wide+=(--generated "$tmp/$name.pcap")
done
without_tshark "$ws" eval -q "${wide[@]}" --real "$data/dns.pcap" >"$tmp/wide"
python3 - "$tmp/wide" <<'PY'
import sys
lines = open(sys.argv[1]).read().split("\n")
assert lines[0].endswith(" generated-by-model-a.pcap generated-by-model-b.pcap " + 12 * "x" + ".." + 11 * "x" + "-a.pcap"), lines[0]
assert "real, by capture " in lines[0], lines[0]
assert len({len(l) for l in lines[:5]}) == 1, lines[:5]
PY
result $? "columns are as wide as their names, and of a long one both ends are there"
says "floors are told" '[c["floor"] for c in r["sets"]] == [True, True, False, False, False, False]'
says "the same flows from other hosts are as near as can be" \
    'all(m["new"][k] < 1e-6 for k in ("length", "gap", "TCP flags", "layers", "mean of flow features"))'
says "but not their addresses and TTLs" 'm["new"]["source network"] > .5 and m["new"]["TTL"] > .5'
says "halves of real flows differ" '0 < m["real, by flow"]["length"] < 1 and 0 < m["real, by capture"]["length"] <= 1'
says "nothing is invalid that was valid" 'm["new"]["wrong checksum"] == m["real, by flow"]["wrong checksum"] and m["new"]["TCP gap"] == m["real, by flow"]["TCP gap"]'
says "nDPI says of forged flows what it says of real ones" \
    'm["new"]["named as asked"] == m["real, by flow"]["named as asked"] > .8 and s["new"]["ndpi"][0]["flows"] > 0'
says "canaries are found where they were planted" \
    'm["planted"]["packets with one"] > 3 and m["new"]["packets with one"] == 0 == m["real, by flow"]["packets with one"]'
says "training flows themselves are known by heart" 'm["planted"]["equal to one"] == 1 and m["planted"]["distance, median"] == 0'
says "copies are listed, canaries among them" \
    'any(bytes.fromhex(c["hex"]).find(b"zebra-Q7-nobody") >= 0 and c["rare"] for c in s["planted"]["copies"])'
says "classes are learned from forged flows as from training flows" \
    'all(m["new"][k + "ratio"] == 1 and m["new"][k + "classes"] == 2 and
         m["new"][k + "macro-F1"] == m["new"][k + "of as many training flows"] > 0 for k in ("forest: ", "boosting: "))'
says "the sampler draws as many flows of each class, and valid ones" \
    's["Markov"]["flows"] >= s["new"]["flows"] - 1 and s["Markov"]["classes"] == 5 and m["Markov"]["wrong checksum"] == m["Markov"]["wrong length"] == 0'
says "which nDPI knows, and which are like real ones" 'm["Markov"]["mean of flow features"] < .4 and m["Markov"]["named as asked"] > .3'
[ "$(head -n 1 "$tmp/markov.pcap.tsv")" = "$(printf 'path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b')" ] &&
    [ "$(cut -f 2 "$tmp/markov.pcap.tsv" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')" = DNS ]
result $? "and lists them"
if command -v tshark >/dev/null; then
    says "tshark has looked" 'r["with_tshark"] and m["new"]["malformed"] == 0 and m["new"]["bad checksum"] is not None'
else
    n=$((n + 1))
    echo "ok $n - tshark has looked # SKIP no tshark here"
fi
grep -q '</html>' "$tmp/page.html" && grep -q 'class="dot' "$tmp/page.html" && ! grep -q '<script' "$tmp/page.html"
result $? "the page has pictures and no script"
mv "$tmp/markov.pcap" "$tmp/once.pcap"
without_tshark "${eval[@]}" --all-fields >"$tmp/table" && grep -q '^= mean of header fields' "$tmp/table" && grep -q '^  tcp.window ' "$tmp/table"
result $? "the table has every field when asked"
cmp -s "$tmp/once.pcap" "$tmp/markov.pcap"
result $? "the sampler draws the same again"
without_tshark "$ws" eval -o json --generated "$data/dns.pcap" --real "$data/dns.pcap" --train "$data/dns.pcap" --bytes "$tmp/bytes.pcap" --bytes-seconds 0.5 \
    --bytes-flows 4 --threads 1 >"$tmp/bytes.json" 2>"$tmp/err" &&
    grep -qE '^bytes: [0-9]{7} parameters, .* [1-9][0-9]* steps, .* 4 flows drawn' "$tmp/err" && [ -e "$tmp/bytes.pcap.tsv" ]
result $? "a model of bytes is trained and draws"
small=(without_tshark "$ws" eval -q -o json --generated "$tmp/planted/dns.pcap" --real "$data/dns.pcap")
"${small[@]}" >"$tmp/once.json" && "${small[@]}" | cmp -s - "$tmp/once.json"
result $? "a second run says the same"

fails "no real captures" 2 eval --generated "$tmp/new"
fails "an operand beside --generated" 2 eval --generated "$tmp/new" --real "$tmp/new" x.npz
fails "a sampler without training captures" 2 eval --generated "$tmp/new" --real "$tmp/new" --markov "$tmp/x.pcap"
for option in --by-capture --per-class --final-only --robust "--baselines $tmp/x.npz" "--dtype f32"; do
    # shellcheck disable=SC2086 # an option and its argument
    fails "${option%% *} beside --generated" 2 eval --generated "$tmp/new" --real "$tmp/new" $option
done
"$ws" eval --by-capture --generated "$tmp/new" --real "$tmp/new" 2>&1 | grep -q 'by-capture and --generated exclude each other'
result $? "and the line says so"
for option in "--max-packets 3" "--common 2" --all-fields "--markov $tmp/x.pcap" "--bytes $tmp/x.pcap" "--asked $tmp/x.tsv" "--canaries $tmp/x"; do
    # shellcheck disable=SC2086 # an option and its argument
    fails "${option%% *} without --generated" 2 eval -m x $option y.npz
done
fails "seconds of a model of bytes that is not asked for" 2 eval --generated "$tmp/new" --real "$tmp/new" --bytes-seconds 5
fails "the seed of a split without --part" 2 eval -m x --seed 3 y.npz
fails "--real without --generated" 2 eval --real "$tmp/new" -m x y.npz
fails "labels of two heads" 2 eval --generated "$tmp/new" --real "$tmp/new" --labels "a=$tmp/new.tsv" --labels "b=$tmp/new.tsv"
fails "a capture that is not there" 1 eval -q --generated "$tmp/none.pcap" --real "$tmp/new"
fails "a list in which no flow is" 1 eval -q --generated "$tmp/new" --real "$tmp/new" --labels "a=$tmp/real.tsv"
fails "canaries that are not there" 1 eval -q --generated "$tmp/new/dns.pcap" --real "$tmp/new/dns.pcap" --canaries "$tmp/none"
fails "nothing to plant" 1 forge --plant /dev/null -w "$tmp/x.pcap" "$data/dns.pcap"
echo "1..$n"
exit "$bad"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_train.sh: labels, split, train, resume, eval and classify on the captures of tests/data, with a tiny model.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
models=${top_srcdir:-.}/models

# Labels: what nDPI says of our own captures, as a list.
python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
[ "$(wc -l <"$tmp/labels.tsv")" -gt 10 ]
result $? "label gives labels for a list"

"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap
result $? "tokenize joins the list with the flows"

for part in "--part=train --seed=3" "--part=val --seed=3" "--part=test --seed=3" ""; do
    # shellcheck disable=SC2086
    "$ws" tokenize --stats -o json --skip-bad $part "$data" 2>/dev/null
done | python3 -c 'import json,sys; p=[json.loads(l)["packets"] for l in sys.stdin]; assert len(p)==4 and sum(p[:3])==p[3] and all(p), p'
result $? "the parts of the split are disjoint and complete"

train() { "$ws" train -q --config tiny --epochs 60 --batch-tokens 512 --lr 0.01 --lm-weight 0.2 --seed 5 --val "$tmp/set.npz" "$@" "$tmp/set.npz"; }
train -w "$tmp/a.safetensors" && train -w "$tmp/b.safetensors" && cmp -s "$tmp/a.safetensors" "$tmp/b.safetensors"
result $? "the same seed and one thread give the same model"

"$ws" eval -o json -m "$tmp/a.safetensors" "$tmp/set.npz" | python3 -c 'import json,sys; r=json.load(sys.stdin); assert r["accuracy"] > 0.9 and r["macro_f1"] > r["majority_macro_f1"], r'
result $? "a tiny model learns its own training flows"

effect=0
train --epochs 4 -w "$tmp/plain.safetensors"
for option in --balance=0.5 --label-smoothing=0.2 --dropout=0.2 --softmax=flat; do
    train --epochs 4 "$option" -w "$tmp/changed.safetensors" || effect=1
    cmp -s "$tmp/plain.safetensors" "$tmp/changed.safetensors" && effect=1
done
result $effect "balance, label smoothing, dropout and the form of the softmax change what is learned"
"$ws" info -o json "$tmp/a.safetensors" "$tmp/changed.safetensors" | python3 -c 'import json,sys; assert [json.loads(l)["softmax"] for l in sys.stdin] == ["grouped", "flat"]'
result $? "info tells the form of the softmax"
# The same flows as two files.
part() { "$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$@"; }
short() { "$ws" train -q --config tiny --epochs 3 --batch-tokens 512 --seed 5 -w "$@"; }
part "$tmp/one.npz" "$data"/{dns,http,tls,ssh}.pcap && part "$tmp/other.npz" "$data"/{ntp,redis,snmp}.pcap &&
    short "$tmp/joined.safetensors" "$tmp/one.npz" "$tmp/other.npz" && short "$tmp/whole.safetensors" "$tmp/set.npz" &&
    cmp "$tmp/joined.safetensors" "$tmp/whole.safetensors" &&
    "$ws" grow -q --trees 2 -m "$tmp/joined.safetensors" -w "$tmp/joined.safetensors" "$tmp/one.npz" "$tmp/other.npz" >"$tmp/grown" &&
    "$ws" grow -q --trees 2 -m "$tmp/whole.safetensors" -w "$tmp/whole.safetensors" "$tmp/set.npz" >"$tmp/grown" && cmp "$tmp/joined.safetensors" "$tmp/whole.safetensors"
result $? "several token files teach what one with the same flows does"
fails "one of several token files is not there" 1 train --config tiny -w "$tmp/x.safetensors" "$tmp/one.npz" "$tmp/none.npz"
fails "a balance above 1 is refused" 2 train --balance 1.5 -w "$tmp/x" "$tmp/set.npz"
fails "heads alone do not learn next tokens" 2 train --body-lr 0 -w "$tmp/x" "$tmp/set.npz"

# A head of two labels whose background is all that has none: its answers leave something of 1 to that.
awk -F'\t' 'NR == 1 || $1 ~ /(http|tls)\.pcap$/' "$tmp/labels.tsv" >"$tmp/web.tsv"
"$ws" tokenize -q --max-packets 16 --labels "web=$tmp/web.tsv" -w "$tmp/web.npz" "$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap &&
    "$ws" train -q --config tiny --epochs 60 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 --background web -w "$tmp/web.safetensors" "$tmp/web.npz" &&
    "$ws" grow -q --trees 20 -m "$tmp/web.safetensors" -w "$tmp/web.safetensors" "$tmp/web.npz" >"$tmp/grown" &&
    "$ws" calibrate -q -m "$tmp/web.safetensors" -w "$tmp/web.safetensors" "$tmp/web.npz" >"$tmp/calibrated" &&
    "$ws" classify -q -o jsonl --top 9 -m "$tmp/web.safetensors" "$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap >"$tmp/web.jsonl" &&
    "$ws" eval -q --final-only -o json --background web -m "$tmp/web.safetensors" "$tmp/web.npz" >"$tmp/web.json" &&
    python3 - "$tmp/web.jsonl" "$tmp/web.json" <<'EOF'
import json, sys
shares = {True: [], False: []}
for r in map(json.loads, open(sys.argv[1])):
    known = r["pcap_filename"].endswith(("http.pcap", "tls.pcap"))
    if known and r["wirespeak"]["heads"]["web"].get("outside"):
        continue # a flow that the list does not have
    top = r["wirespeak"]["heads"]["web"]["top"]
    assert "unknown" not in [t["label"] for t in top], r
    shares[known].append(sum(t["confidence"] for t in top))
some = sorted(shares[False]) # a flow or two are alike in both
assert len(some) > 20 and some[len(some) * 9 // 10] < 0.3, some
assert len(shares[True]) > 2 and sorted(shares[True])[len(shares[True]) // 2] > 0.8, sorted(shares[True])
e = json.load(open(sys.argv[2]))
assert e["outside"] > 20 and e["auroc_known"] > 0.95 and e["unknown"]["outside_passed"] == 0, e
EOF
result $? "a head with a background says that what is none of its labels is unknown"
fails "a background of a head that is not there" 1 train --config tiny --background app -w "$tmp/x.safetensors" "$tmp/web.npz"
"$ws" tokenize -q --labels "web=$tmp/web.tsv" -w "$tmp/ssh.npz" "$data/ssh.pcap"
fails "or of which the validation set has no flow" 1 train --config tiny --background web --val "$tmp/ssh.npz" -w "$tmp/x.safetensors" "$tmp/web.npz"
[[ $said = *"the validation set: no flow has a label of a head \"web\""* ]]
result $? "and it is told which set that is"
head -1 "$tmp/web.tsv" >"$tmp/empty.tsv" && "$ws" tokenize -q --labels "none=$tmp/empty.tsv" -w "$tmp/empty.npz" "$data/ssh.pcap"
fails "a head of an empty list" 1 train --config tiny -w "$tmp/x.safetensors" "$tmp/empty.npz"
[[ $said = *"head none has no labels"* ]]
result $? "which is named"

# Two heads, no next-token loss: one pass scores both, and there is nothing to generate with.
awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = $2 == "DNS" ? "names" : "rest" } { print }' "$tmp/labels.tsv" >"$tmp/kind.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" --labels "kind=$tmp/kind.tsv" -w "$tmp/two.npz" "$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap &&
    "$ws" train -q --config tiny --epochs 60 --batch-tokens 512 --lr 0.01 --lm-weight 0 --seed 5 --val "$tmp/two.npz" -w "$tmp/two.safetensors" "$tmp/two.npz" &&
    "$ws" eval -o json -m "$tmp/two.safetensors" "$tmp/two.npz" | python3 -c '
import json, sys
r = {x["head"]: x for x in map(json.loads, sys.stdin)}
assert set(r) == {"protocol", "kind"} and r["kind"]["classes"] == 2 and r["protocol"]["classes"] > 2, r
assert all(x["accuracy"] > 0.9 for x in r.values()), r'
result $? "a model with two heads learns and is scored on both"
[ "$("$ws" classify -o jsonl --head kind -m "$tmp/two.safetensors" "$data/dns.pcap" | grep -c '"label": *"names"')" -ge 3 ]
result $? "classify speaks with the head that is asked for"
fails "a model without an output stack generates nothing" 1 generate -m "$tmp/two.safetensors" -n 3 -w "$tmp/no.pcap"
[ ! -e "$tmp/no.pcap" ]
result $? "and leaves no file"

"$ws" classify -o jsonl -m "$tmp/a.safetensors" "$data/dns.pcap" | python3 -c '
import json, sys
r = [json.loads(l) for l in sys.stdin]
assert len(r) > 5
for x in r:
    assert x["event_type"] == "flow" and 0 <= x["wirespeak"]["confidence"] <= 1.0001 and x["wirespeak"]["packets"] >= 1, x
assert sum(x["wirespeak"]["label"] == "DNS" for x in r) >= 3, r'
result $? "classify labels DNS flows as JSON lines"

for threads in 1 2 5; do
    "$ws" classify -v --threads $threads -m "$tmp/a.safetensors" "$data"/{dns,http,tls,ssh}.pcap >"$tmp/by.$threads" 2>"$tmp/said.$threads"
done
cmp -s "$tmp/by.1" "$tmp/by.2" && cmp -s "$tmp/by.1" "$tmp/by.5" && [ "$(wc -l <"$tmp/by.1")" -gt 5 ]
result $? "any number of threads gives the same answers"
grep -Eq '^[0-9]+ of [0-9]+ packets read' "$tmp/said.1"
result $? "classify --verbose says what equal packets spared"

"$ws" classify --dtype f32 -m "$tmp/a.safetensors" "$data/dns.pcap" >"$tmp/f32" && [ "$(wc -l <"$tmp/f32")" -gt 1 ]
result $? "classify computes in float32"
if "$ws" classify --dtype bf16 -m "$tmp/a.safetensors" "$data/dns.pcap" >"$tmp/bf16" 2>"$tmp/said"; then
    [ "$(awk '{print $1}' "$tmp/bf16")" = "$(awk '{print $1}' "$tmp/f32")" ]
else
    grep -q bfloat16 "$tmp/said"
fi
result $? "bfloat16 gives the same labels, or is refused by name"

# The record of a flow is the same from both commands, but for their own objects.
for c in classify label; do
    arguments=(-o jsonl)
    [ $c = classify ] && arguments+=(-m "$tmp/a.safetensors")
    "$ws" $c "${arguments[@]}" "$data"/{ping,dns,tls,edge-layers}.pcap 2>/dev/null >"$tmp/$c.jsonl"
done
python3 - "$tmp/classify.jsonl" "$tmp/label.jsonl" <<'PY'
import json, sys
a, b = ([json.loads(l) for l in open(p)] for p in sys.argv[1:])
for r in a: del r["wirespeak"]
for r in b: r.pop("ndpi", None)
assert a == b and len(a) > 20
assert any(r["proto"] == "ICMP" and "icmp_type" in r and "community_id" in r for r in a)
assert len({r["flow_id"] for r in a}) == len(a)
PY
result $? "classify and label write the same flow events, with Community IDs"

for m in "$models"/flow*.safetensors; do
    [ -f "$m" ] || continue
    "$ws" classify -o jsonl -m "$m" "$data"/{tls,ssh,dns}.pcap | python3 -c '
import json, sys
want = {"tls.pcap": "TLS", "ssh.pcap": "SSH", "dns.pcap": "DNS"}
r = [json.loads(l) for l in sys.stdin]
for name, label in want.items():
    assert any(x["pcap_filename"].endswith(name) and x["wirespeak"]["label"] == label for x in r), (name, label)'
    result $? "the shipped $(basename "$m") knows our own TLS, SSH and DNS"
    "$ws" classify -o jsonl --head all -m "$m" "$data/tls.pcap" | python3 -c '
import json, sys
heads = [list(json.loads(l)["wirespeak"]["heads"]) for l in sys.stdin]
assert heads and all(h == heads[0] for h in heads) and "protocol" in heads[0], heads'
    [ "$("$ws" classify --head all -m "$m" "$data/tls.pcap" | head -1 | tr -s ' ' '\n' | grep -c CONF)" = \
        "$("$ws" info -o json "$m" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["heads"]))')" ]
    result $? "the shipped $(basename "$m") answers with all heads at once"
done

"$ws" train -q --config tiny --epochs 1 --head-weight 0 --val "$tmp/set.npz" -w "$tmp/speech.safetensors" "$tmp/set.npz" &&
    "$ws" classify -o jsonl -m "$tmp/speech.safetensors" "$data/dns.pcap" | python3 -c '
import json, sys
r = [json.loads(l)["wirespeak"]["label"] for l in sys.stdin]
assert r and set(r) == {"unknown"}, r'
result $? "a model whose heads were not trained knows nothing"

printf 'not a model' >"$tmp/bad.safetensors"
head -c 5000 "$tmp/a.safetensors" >"$tmp/cut.safetensors"
printf 'path\tname\n' >"$tmp/bad.tsv"
fails "a missing model" 1 classify -m "$tmp/none.safetensors" "$data/dns.pcap"
fails "a model that is text" 1 classify -m "$tmp/bad.safetensors" "$data/dns.pcap"
fails "a model that is cut" 1 classify -m "$tmp/cut.safetensors" "$data/dns.pcap"
fails "no model named" 2 classify "$data/dns.pcap"
fails "a head that does not exist" 1 classify --head nonsense -m "$tmp/a.safetensors" "$data/dns.pcap"
fails "a list without the columns" 1 tokenize --labels "x=$tmp/bad.tsv" -w "$tmp/x.npz" "$data/dns.pcap"
fails "an output folder that does not exist" 1 train -q --config tiny --epochs 1 -w "$tmp/no/such.safetensors" "$tmp/set.npz"
mkfifo "$tmp/pipe"
fails "a pipe is not replaced by a model" 1 train -q --config tiny --epochs 1 -w "$tmp/pipe" "$tmp/set.npz"
fails "a pipe is not replaced by trees" 1 grow -q --trees 1 -m "$tmp/whole.safetensors" -w "$tmp/pipe" "$tmp/set.npz"
[ -p "$tmp/pipe" ]
result $? "the pipe is still one"
# A model of another vocabulary, whose tokens stand for something else.
python3 -c 'import re, sys; b = open(sys.argv[1], "rb").read(); open(sys.argv[2], "wb").write(re.sub(rb"(vocab_version.{5})[0-9a-f]{8}", rb"\g<1>00000000", b, count=1))' \
    "$tmp/a.safetensors" "$tmp/other.safetensors"
"$ws" train -q --config tiny --epochs 1 -w "$tmp/little.safetensors" "$tmp/set.npz" && "$ws" train -q --init "$tmp/little.safetensors" --epochs 1 -w "$tmp/next.safetensors" "$tmp/set.npz" &&
    "$ws" info "$tmp/next.safetensors" | grep -Eq '^size +tiny$'
result $? "a model that starts from another one has its size"
fails "a start from a model of another size" 1 train -q --config small --epochs 1 --init "$tmp/little.safetensors" -w "$tmp/x.safetensors" "$tmp/set.npz"
fails "the best of no validations" 2 train -q --best-by f1 -w "$tmp/x.safetensors" "$tmp/set.npz"
fails "a start from a model of another vocabulary" 1 train -q --config tiny --epochs 1 --init "$tmp/other.safetensors" -w "$tmp/x.safetensors" "$tmp/set.npz"
fails "a model size that does not exist" 2 train --config giant -w "$tmp/x.safetensors" "$tmp/set.npz"
echo "1..$n"
exit $bad

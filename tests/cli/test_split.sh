#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_split.sh: folders of classes, parts as token files, rules that leak.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

mkdir -p "$tmp"/set/{names,web,shell}
cp "$data"/{dns,edge-ipv6,ntp}.pcap "$tmp/set/names"
cp "$data"/{http,tls,redis}.pcap "$tmp/set/web"
cp "$data"/ssh.pcap "$tmp/set/shell"

"$ws" split -q "$tmp/set" >"$tmp/list" && [ "$(cut -f3 "$tmp/list" | sort | uniq -c | awk '{print $1 $2}' | paste -sd,)" = 3names,1shell,3web ] &&
    [ "$(grep 'names$' "$tmp/list" | cut -f1 | sort | paste -sd,)" = test,train,val ] && grep -q '^train.*ssh.pcap' "$tmp/list"
result $? "sub-folders are classes, and each gives to every part what it can"
"$ws" split -q --no-classes "$tmp/set" | sed 's|\t.*/|\t|' | sort >"$tmp/plain" &&
    "$ws" split -q "$data"/{dns,edge-ipv6,ntp,http,tls,redis,ssh}.pcap | sed 's|\t.*/|\t|' | sort >"$tmp/files" && cmp -s "$tmp/plain" "$tmp/files"
result $? "without classes the name alone decides"
for part in train val test; do
    "$ws" tokenize -q --part $part --max-packets 24 --drop-residuals -w "$tmp/$part.npz" "$tmp/set" 2>/dev/null
done
"$ws" split -q --no-classes --keep-duplicates -w "$tmp/same" "$tmp/set" 2>/dev/null >/dev/null
same=0
for part in train val test; do
    [ "$("$ws" info "$tmp/$part.npz" | grep -E '"(flows|packets|tokens)"')" = "$("$ws" info "$tmp/same/$part.npz" | grep -E '"(flows|packets|tokens)"')" ] || same=1
done
result $same "the parts are those of tokenize --part"

"$ws" split -w "$tmp/parts" "$tmp/set" >"$tmp/out" 2>"$tmp/warnings" && grep -q "have no flow in test" "$tmp/warnings"
result $? "a class that the test lacks is told"
"$ws" split -q "$tmp/set/" | cut -f1,3 | cmp -s - <(cut -f1,3 "$tmp/list")
result $? "a slash behind the folder changes nothing"
program=$(realpath "$ws")
mkdir -p "$tmp/elsewhere" && cp -r "$tmp/set" "$tmp/elsewhere/other"
for seed in 1 2 3; do
    "$ws" split -q --seed $seed "$tmp/set" | cut -f1,3
    (cd "$tmp/elsewhere" && "$program" split -q --seed $seed other | cut -f1,3) >&3
    (cd "$tmp/elsewhere/other" && "$program" split -q --seed $seed . | cut -f1,3) >&4
done >"$tmp/here" 3>"$tmp/there" 4>"$tmp/within"
[ "$(sort -u "$tmp/here" | wc -l)" -gt 5 ] && cmp -s "$tmp/here" "$tmp/there" && cmp -s "$tmp/here" "$tmp/within"
result $? "where the folder lies and how it is named changes nothing"
"$ws" split -q -w "$tmp/twice" "$tmp/set" >/dev/null 2>&1 && cmp -s "$tmp/parts/train.npz" "$tmp/twice/train.npz" && cmp -s "$tmp/parts/test.npz" "$tmp/twice/test.npz"
result $? "the same again, byte for byte"

# Labels of whole captures are classes as sub-folders are; captures that the list does not have are apart.
{
    printf 'path\tlabel\n'
    for name in dns edge-ipv6 ntp; do printf 'names/%s.pcap\tnames\n' $name; done
    for name in http tls redis; do printf 'web/%s.pcap\tweb\n' $name; done
} >"$tmp/kinds.tsv"
"$ws" split -q --labels "kind=$tmp/kinds.tsv" "$tmp/set" >"$tmp/listed" &&
    [ "$(cut -f3 "$tmp/listed" | sort | uniq -c | awk '{print $1 $2}' | paste -sd,)" = 1,3kind=names,3kind=web ] &&
    [ "$(grep 'names$' "$tmp/listed" | cut -f1 | sort | paste -sd,)" = test,train,val ] && [ "$(grep -c '^test.*web$' "$tmp/listed")" = 1 ]
result $? "labels of captures are classes, and each gives to every part what it can"
"$ws" split -q --labels "kind=$tmp/kinds.tsv" -w "$tmp/kinds" "$tmp/set" >"$tmp/kinds.out" 2>/dev/null && grep -q '^kind ' "$tmp/kinds.out" &&
    ! grep -q '^class ' "$tmp/kinds.out" && grep -q '^names ' "$tmp/kinds.out"
result $? "and their column is that of the list"
"$ws" split -q --no-classes --labels "kind=$tmp/kinds.tsv" "$tmp/set" | sed 's|\t.*/|\t|' | sort | cmp -s - "$tmp/plain"
result $? "unless they shall be none"

mkdir -p "$tmp/alone/only" && cp "$data/dns.pcap" "$data/http.pcap" "$tmp/alone/only"
"$ws" split "$tmp/alone" 2>"$tmp/err" >"$tmp/out" && [ "$(grep -c 'all captures are in one sub-folder, only' "$tmp/err")" = 1 ]
result $? "one sub-folder is no class, which is said"

# A capture again under another name: what was trained on is not tested on.
mkdir -p "$tmp/twins"/{a,b}
for i in 1 2 3 4; do
    cp "$data/dns.pcap" "$tmp/twins/a/$i.pcap"
    cp "$data/http.pcap" "$tmp/twins/b/$i.pcap"
done
"$ws" split -w "$tmp/parts2" "$tmp/twins" >"$tmp/out2" 2>/dev/null && python3 - "$tmp/out2" <<'PY'
import sys
rows = {l[:28].strip(): [int(x) for x in l[28:].split()] for l in open(sys.argv[1]) if l[28:].split() and l[28:].split()[0].isdigit()}
assert rows["flows"][0] > 0 and rows["flows"][1:] == [0, 0], rows
assert rows["left out as duplicates"][1] > 0 and rows["left out as duplicates"][2] > 0, rows
PY
result $? "copies of training flows leave validation and test, and are counted"

# The same connections, whose packets are cut: other tokens.
mkdir -p "$tmp/cut"/{a,b} && python3 - "$data/dns.pcap" "$tmp/cut/a" <<'PY' && for i in 1 2 3 4; do cp "$data/http.pcap" "$tmp/cut/b/$i.pcap"; done
import struct, sys
whole = open(sys.argv[1], "rb").read()
for i in (1, 2, 3, 4):
    at, out = 24, whole[:24]
    while at < len(whole):
        s, us, n, wire = struct.unpack_from("<4I", whole, at)
        out += struct.pack("<4I", s, us, min(n, 50 + i), wire) + whole[at + 16:at + 16 + min(n, 50 + i)]
        at += 16 + n
    open(f"{sys.argv[2]}/{i}.pcap", "wb").write(out)
PY
"$ws" split -w "$tmp/parts3" "$tmp/cut" >"$tmp/out3" 2>"$tmp/err3" && grep -q '^left out as connected  *0  *[1-9][0-9]*  *[1-9]' "$tmp/out3" &&
    grep -c 'have connections in common' "$tmp/err3" | grep -qx 1
result $? "flows of connections that training has leave validation and test, and captures that share them are named"
"$ws" split --keep-duplicates -w "$tmp/parts3" "$tmp/cut" >"$tmp/out3" 2>"$tmp/err3" && ! grep -q connect "$tmp/out3" "$tmp/err3"
result $? "unless duplicates are kept"

"$ws" split -w "$tmp/one" "$data/dns.pcap" 2>&1 >/dev/null | grep -q 'warning: no flow is in .*, .*: of 1 captures each is in one part, see --by' &&
    ! "$ws" split --by time --val 0 -w "$tmp/one" "$data/dns.pcap" 2>&1 >/dev/null | grep -q 'no flow is in'
result $? "parts without flows are told"

for by in host time; do
    "$ws" split -q --by $by -w "$tmp/by" "$tmp/set" >"$tmp/by.out" 2>/dev/null && grep -q "of two parts" "$tmp/by.out" && [ -s "$tmp/by/test.npz" ]
    result $? "by $by"
done
fails "by flow is refused" 2 split --by flow -w "$tmp/x" "$tmp/set"
"$ws" split --by flow --leaky -w "$tmp/leaky" "$tmp/set" 2>&1 >/dev/null | grep -q "leaks"
result $? "unless asked for, and then it is flagged"
fails "flows are not split without a folder for them" 2 split --by host "$tmp/set"
fails "a folder that cannot be made" 1 split -w "$tmp/no/such" "$data/dns.pcap"
echo text >"$tmp/bad.txt"
fails "a folder for what is no capture" 1 split -w "$tmp/nothing" "$tmp/bad.txt"
[ ! -e "$tmp/nothing" ]
result $? "a split that failed leaves no folder"
mkdir -p "$tmp/letters"/{été,plain} && cp "$data"/{dns,ntp}.pcap "$tmp/letters/été" && cp "$data"/{http,tls}.pcap "$tmp/letters/plain" &&
    "$ws" split -q -w "$tmp/l" "$tmp/letters" 2>/dev/null | python3 -c '
import sys
rows = [l.rstrip("\n") for l in sys.stdin.buffer.read().decode().splitlines() if l.startswith(("été", "plain"))]
assert len(rows) == 2 and len(rows[0]) == len(rows[1]), rows'
result $? "letters of several bytes keep the columns"
for fold in 1 2 3; do "$ws" split -q --fold $fold/3 "$tmp/set" | grep '^test' | cut -f2; done >"$tmp/tests"
[ "$(sort "$tmp/tests" | uniq -d | wc -l)" = 0 ] && [ "$(wc -l <"$tmp/tests")" = 7 ]
result $? "every capture is in the test of one fold"
for fold in 1 2 3; do
    "$ws" split -q --by host --keep-duplicates --fold $fold/3 -w "$tmp/fold" "$tmp/set" >"$tmp/fold$fold" 2>/dev/null || bad=1
done
awk '$1 == "flows" { all += $4 } /of two parts/ { n++ } END { exit !(all > 0 && n == 3) }' "$tmp/fold1" "$tmp/fold2" "$tmp/fold3"
result $? "hosts have folds too"
mkdir -p "$tmp/six" && cp -r "$tmp/set"/{names,web} "$tmp/six"
# folds SEEDS
folds() { WIRESPEAK=$ws FOLDS=3 SEEDS=$1 bash "${top_srcdir:-.}/contrib/folds.sh" "$tmp/six" "$tmp/folds" --config tiny --lm-weight 0 --epochs 3 2>/dev/null; }
folds "1 2" >"$tmp/folds.out" && [ "$(grep -cE '^  [123] +[12] ' "$tmp/folds.out")" = 6 ] && python3 - "$tmp" <<'PY'
import json, statistics, sys
tmp = sys.argv[1]
r = {(f, s): json.load(open(f"{tmp}/folds/{f}-{s}.json")) for f in (1, 2, 3) for s in (1, 2)}
rows = {l[:24].strip(): [float(x) for x in l[24:].split()] for l in open(f"{tmp}/folds.out") if l.startswith(("  folds,", "  seeds,"))}
f1 = [statistics.mean(r[f, s]["macro_f1"] for s in (1, 2)) for f in (1, 2, 3)]
assert max(abs(x - y) for x, y in zip(rows["folds, mean of seeds"], (statistics.mean(f1), statistics.stdev(f1)))) < 1e-4, (rows, f1)
tests = [json.loads(l)["capture"] for f in (1, 2, 3) for l in open(f"{tmp}/folds/{f}-1.jsonl")]
assert len(set(tests)) == 6 and all(len({json.loads(l)["capture"] for l in open(f"{tmp}/folds/{f}-1.jsonl")}) == 2 for f in (1, 2, 3)), tests
PY
result $? "contrib/folds.sh trains and scores all folds, and says how far they are apart"
folds 1 >"$tmp/folds.one" && grep -q 'seeds, all answers .* nan$' "$tmp/folds.one" && [ "$(grep -E '^  [123] +1 ' "$tmp/folds.out")" = "$(grep -E '^  [123] +1 ' "$tmp/folds.one")" ]
result $? "again, it scores what it has trained"
few() { WIRESPEAK=$ws SHOTS=3 SEEDS=$1 STEPS=2 bash "${top_srcdir:-.}/contrib/few-shot.sh" "$tmp/parts/tiny.safetensors" "$2" "$tmp/set" "$tmp/few"; }
{
    printf 'path\tlabel\n'
    for name in "$tmp"/set/*/*.pcap; do printf '%s\t%s\n' "${name##*/}" "$(basename "$(dirname "$name")")"; done
} >"$tmp/few.tsv"
"$ws" train -q --config tiny --epochs 1 -w "$tmp/parts/tiny.safetensors" "$tmp/parts/train.npz" && few "1 2" "kind=$tmp/few.tsv" >"$tmp/few.out" && python3 - "$tmp/few.out" <<'PY'
import sys
rows = [(l[6:12].strip(), l[12:41].strip(), *map(float, l[41:].split())) for l in list(open(sys.argv[1]))[1:]]
kinds = {r[1] for r in rows}
assert {"from scratch", "fine-tuned", "frozen"} < kinds and len(rows) == 3 * len(kinds), rows
for kind in kinds:
    for value in (2, 3):
        one, two, mean = ([r[value] for r in rows if r[:2] == (seed, kind)] for seed in ("1", "2", "mean"))
        assert abs((one[0] + two[0]) / 2 - mean[0]) < 1e-4, (kind, rows)
PY
result $? "contrib/few-shot.sh scores few flows, and prints the means over the seeds"
printf 'path\tlabel\nelsewhere.pcap\tkind\n' >"$tmp/none.tsv"
rc=0
few 1 "kind=$tmp/none.tsv" >"$tmp/few.out" 2>"$tmp/err" || rc=$?
[ $rc = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q 'no training flow' "$tmp/err"
result $? "a list that names nothing is told"
# What a policy leaves is what a model under it reads: trained on that alone it is the same one.
"$ws" split -q --keep-duplicates -w "$tmp/whole" "$tmp/six" >/dev/null && "$ws" split -q --keep-duplicates --policy identity-free -w "$tmp/left" "$tmp/six" >/dev/null &&
    for part in whole left; do "$ws" train -q --config tiny --lm-weight 0 --epochs 2 -w "$tmp/$part.safetensors" "$tmp/$part/train.npz" || break; done &&
    cmp -s "$tmp/whole.safetensors" "$tmp/left.safetensors" && ! cmp -s "$tmp/whole/train.npz" "$tmp/left/train.npz"
result $? "tokens of a policy teach what whole ones teach under it"
"$ws" tokenize -q --policy identity-free --max-packets 24 --part train -w "$tmp/t.npz" "$tmp/six" && "$ws" split -q --no-classes --keep-duplicates --policy identity-free -w "$tmp/left" "$tmp/six" >/dev/null &&
    python3 - "$tmp/t.npz" "$tmp/left/train.npz" <<'PY'
import sys, zipfile
a, b = map(zipfile.ZipFile, sys.argv[1:])
assert a.read("ids.npy") == b.read("ids.npy") and len(a.read("ids.npy")) > 500 and a.read("packet_off.npy") == b.read("packet_off.npy")
assert "residuals.npy" not in a.namelist()
PY
result $? "tokenize writes the same tokens"
fails "a policy that there is none" 2 split --policy none -w "$tmp/x" "$tmp/set"
fails "a policy of names" 2 split --policy identity-free "$tmp/set"
fails "tokens of a policy that there is none" 2 tokenize --policy none -w "$tmp/x.npz" "$data/dns.pcap"
for fold in 0/3 4/3 1/1 3 1/3x -1/3; do fails "no fold: $fold" 2 split --fold "$fold" "$tmp/set"; done
fails "folds have no share for the test" 2 split --fold 1/3 --test 0.2 "$tmp/set"
fails "what comes last has no folds" 2 split --fold 1/3 --by time -w "$tmp/x" "$tmp/set"
"$ws" split -w "$tmp/x" "$tmp"/set/* 2>&1 >/dev/null | grep -q 'no flow has a label' && ! "$ws" split -w "$tmp/x" "$tmp/set" 2>&1 | grep -q 'no flow has a label'
result $? "parts without a label are told"
fails "two lists of one head" 2 split --labels "kind=$tmp/kinds.tsv" --labels "kind=$tmp/kinds.tsv" "$tmp/set"
for name in '' 'thirty-two bytes are one too many' $'\xff'; do
    fails "a head has a name that files can hold" 2 split --labels "$name=$tmp/kinds.tsv" "$tmp/set"
    fails "so has the one of the folders" 2 split --head "$name" "$tmp/set"
done
fails "lists name their columns" 2 split --head x --labels "kind=$tmp/kinds.tsv" "$tmp/set"
fails "shares over 1" 2 split --val 0.6 --test 0.6 "$tmp/set"
echo "1..$n"
exit $bad

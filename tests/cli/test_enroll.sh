#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_enroll.sh: a class that a tiny model has never seen is enrolled from a capture, and is known from then on.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/all.tsv"
awk -F'\t' '$2 != "SNMP"' "$tmp/all.tsv" >"$tmp/labels.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "$data"/{dns,http,tls,ssh,ntp,redis}.pcap &&
    "$ws" train -q --config tiny --epochs 60 --batch-tokens 512 --lr 0.003 --lm-weight 0.2 --seed 6 --val "$tmp/set.npz" -w "$tmp/old.safetensors" "$tmp/set.npz"
result $? "a model learns without the class"
"$ws" info "$tmp/old.safetensors" | grep -Eq '^references +[1-9]'
result $? "and carries contexts of what it has learned from"

# said MODEL CAPTURE LABEL: how many flows of the capture are called so, of how many. Only what speaks the protocol counts: beside
# it, the capture of SNMP has flows of ARP and ICMPv6, which nothing says to be SNMP.
said() { "$ws" classify -o jsonl -f udp -m "$1" "$data/$2.pcap" | awk -v label="\"label\": \"$3\"" '{ gsub(/":"/, "\": \""); n++; if (index($0, label)) k++ } END { print k + 0, n + 0 }'; }

read -r before total < <(said "$tmp/old.safetensors" snmp SNMP)
"$ws" enroll -l SNMP -f udp -m "$tmp/old.safetensors" -w "$tmp/new.safetensors" "$data/snmp.pcap" >"$tmp/told" &&
    grep -Eq '^examples +[1-9]' "$tmp/told" && grep -Eq '^lost to the new label +0$' "$tmp/told"
result $? "enroll writes a model and says what it learned from"
read -r after total < <(said "$tmp/new.safetensors" snmp SNMP)
[ "$before" = 0 ] && [ "$total" -gt 0 ] && [ "$after" = "$total" ]
result $? "classify knows the class then ($after of $total flows)"
"$ws" grow -q --trees 20 -m "$tmp/new.safetensors" -w "$tmp/grown.safetensors" "$tmp/set.npz" >"$tmp/told" &&
    [ "$(said "$tmp/grown.safetensors" snmp SNMP)" = "$total $total" ]
result $? "trees that grow on the old training set leave the class to the network"
learn() { "$ws" calibrate -q --keep 1 --trained-on "$tmp/set.npz" -m "$1" -w "$2" "$tmp/set.npz" >"$tmp/told"; }
kept() { "$ws" info "$1" | grep -E '^references|stacks'; }
learn "$tmp/new.safetensors" "$tmp/fit.safetensors" && [ "$(said "$tmp/fit.safetensors" snmp SNMP)" = "$total $total" ] &&
    [ "$(kept "$tmp/fit.safetensors")" = "$(kept "$tmp/new.safetensors")" ] && kept "$tmp/fit.safetensors" | grep -q udp+snmp
result $? "and so does calibrate --trained-on with its field and its contexts"
learn "$tmp/fit.safetensors" "$tmp/again.safetensors" && cmp "$tmp/fit.safetensors" "$tmp/again.safetensors"
result $? "as often as it is called, with the same bytes"
read -r dns_before _ < <(said "$tmp/old.safetensors" dns DNS)
read -r dns_after _ < <(said "$tmp/new.safetensors" dns DNS)
[ "$dns_before" -gt 3 ] && [ "$dns_after" = "$dns_before" ]
result $? "what it knew before it still knows"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/all.tsv" -w "$tmp/both.npz" "$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap &&
    "$ws" eval -q --per-class --final-only -m "$tmp/new.safetensors" "$tmp/both.npz" | grep -Eq '^ +SNMP .* (1\.0000|0\.[5-9][0-9]*)$'
result $? "eval scores it like any other"
labelled=$(tail -n +2 "$tmp/all.tsv" | cut -f2 | grep -c '^SNMP$')
[ "$labelled" -gt 1 ] && "$ws" enroll -l SNMP -m "$tmp/old.safetensors" -w "$tmp/npz.safetensors" "$tmp/both.npz" | grep -Eq "^examples +$labelled$"
result $? "of a token file the flows with the label are the examples"
"$ws" enroll -l SNMP --flows 1 -m "$tmp/old.safetensors" -w "$tmp/one.safetensors" "$data/snmp.pcap" | grep -Eq '^examples +1$'
result $? "--flows bounds the examples"
"$ws" enroll -l again -m "$tmp/new.safetensors" -w "$tmp/new.safetensors" "$data/ping.pcap" >"$tmp/told" && [ "$("$ws" info "$tmp/new.safetensors" | grep -c 'SNMP, again')" = 1 ]
result $? "one class after the other can be enrolled, into the same file"

"$ws" generate -q -m "$tmp/new.safetensors" --label DNS -n 1 -w "$tmp/dns.pcap"
result $? "a label that was trained can be generated from the model"
fails "a label that was enrolled cannot" 1 generate -m "$tmp/new.safetensors" --label SNMP -n 1 -w "$tmp/x"
"$ws" generate -m "$tmp/new.safetensors" --label SNMP -n 1 -w "$tmp/x" 2>&1 | grep -q "'SNMP' was enrolled: the model has not learned to generate it$"
result $? "and it is not said that info lists it as one to generate"
"$ws" generate -m "$tmp/new.safetensors" --label nothing -n 1 -w "$tmp/x" 2>&1 | grep -q "label 'nothing'; wirespeak info $tmp/new.safetensors lists them$"
result $? "as it is of a label that no head has"
fails "a class that is known is refused" 1 enroll -l DNS -m "$tmp/old.safetensors" -w "$tmp/x" "$data/dns.pcap"
fails "a head that is not there is refused" 1 enroll -l SNMP --head colour -m "$tmp/old.safetensors" -w "$tmp/x" "$data/snmp.pcap"
fails "\"unknown\" is no name for a class" 2 enroll -l unknown -m "$tmp/old.safetensors" -w "$tmp/x" "$data/snmp.pcap"
fails "a label of which the token file has no flow is refused" 1 enroll -l nothing -m "$tmp/old.safetensors" -w "$tmp/x" "$tmp/both.npz"

# forge_label OF TEXT: the old model, its label of four letters replaced by as many bytes of its header
forge_label() { python3 - "$tmp/old.safetensors" "$tmp/forged.safetensors" "$1" "$2" <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
old, new = (b'\\"%s\\"' % x.encode() for x in sys.argv[3:5])
assert data.count(old) == 1 and len(old) == len(new)
open(sys.argv[2], "wb").write(data.replace(old, new))
PY
}
forge_label HTTP 'a\\n' # which is an escaped line end in JSON in JSON
fails "a model with control characters in a label" 1 info "$tmp/forged.safetensors"
"$ws" info "$tmp/forged.safetensors" 2>&1 | grep -q "forged.safetensors: .*the label 'a?' has control characters"
result $? "the label and the file are told"
[ ! -e "$tmp/x" ]
result $? "what is refused leaves no file"
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_same_file.sh: a file that a command would read and write stays as it is, whatever it is called.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
x=$tmp/x.pcap
m=$tmp/m.safetensors
t=$tmp/t.npz
cp "$data/dns.pcap" "$x"
printf 'path\tlabel\nx.pcap\tDNS\n' >"$tmp/l.tsv"
"$ws" tokenize -q --labels "protocol=$tmp/l.tsv" -w "$t" "$x" && "$ws" train -q --config tiny --epochs 1 --threads 1 -w "$m" "$t"
mkdir -p "$tmp/in/deep" "$tmp/parts"
cp "$x" "$tmp/in/deep/a.pcap"
cp "$x" "$tmp/parts/val.npz"
ln -s in "$tmp/link"
ln "$x" "$tmp/hard"
ln -s x.pcap "$tmp/soft"
sums() { (cd "$tmp" && find . -type f ! -name '*.list' -exec sha256sum {} + | sort); }
sums >"$tmp/before.list"

# refused NAME ARGUMENT...: exit 2, one line that says it, and all files as they were
refused() {
    local name=$1 rc=0
    shift
    "$ws" "$@" >/dev/null 2>"$tmp/err.list" <"${from:-/dev/null}" || rc=$?
    sums >"$tmp/after.list"
    cmp -s "$tmp/before.list" "$tmp/after.list" && [ $rc = 2 ] && [ "$(wc -l <"$tmp/err.list")" = 1 ] &&
        grep -q "${why:-is read and written}" "$tmp/err.list"
    result $? "$name (exit $rc: $(tail -n 1 "$tmp/err.list"))"
}

refused "classify: the capture" classify -q -m "$m" -f 'tcp port 80' -w "$x" "$x"
refused "the model" classify -m "$m" -w "$m" "$x"
refused "by another name of the same file" classify -m "$m" -w "$tmp/hard" "$x"
refused "through a link" classify -m "$m" -w "$tmp/soft" "$x"
refused "one of several" classify -m "$m" -w "$x" "$data/ntp.pcap" "$x"
refused "in a folder" classify -m "$m" -w "$tmp/in/deep/a.pcap" "$tmp/in"
refused "in a folder that is named by a link" classify -m "$m" -w "$tmp/in/deep/a.pcap" "$tmp/link"
from=$x refused "from standard input" classify -m "$m" -w "$x" -
refused "tokenize" tokenize -w "$x" "$x"
refused "tokenize: a list of labels" tokenize --labels "protocol=$tmp/l.tsv" -w "$tmp/l.tsv" "$x"
refused "embed" embed -m "$m" -w "$x" "$x"
refused "tag: the capture" tag -m "$m" -r "$x" -w "$x"
refused "tag: one of several targets" tag -m "$m" -r "$x" -w - -w "$x"
refused "tag: the model" tag -m "$m" -r "$x" -w "$m"
refused "generate --from" generate -m "$m" --from "$x" -w "$x"
refused "generate --like" generate -m "$m" --like "$x" -w "$x"
refused "generate: the model" generate -m "$m" -n 1 -w "$m"
refused "generate: the list" generate -m "$m" --like "$x" -w "$tmp/new.pcap" --asked "$x"
refused "forge" forge -w "$x" "$x"
refused "forge --plant" forge --plant "$tmp/l.tsv" -w "$tmp/l.tsv" "$x"
refused "detokenize" detokenize -w "$t" "$t"
refused "split" split -w "$tmp/parts" "$tmp/parts/val.npz"
refused "train: the set" train --config tiny -w "$t" "$t"
refused "train: the log" train --config tiny -w "$tmp/new.safetensors" --log "$t" "$t"
refused "train: the start" train --config tiny --init "$m" -w "$m" "$t"
refused "eval: the page" eval -m "$m" --html "$t" "$t"
refused "eval: the page is the model" eval -m "$m" --html "$m" "$t"
refused "eval --generated" eval --generated "name=$x" --real "$data/dns.pcap" --html "$x"
refused "grow: the set" grow -m "$m" -w "$t" "$t"
refused "enroll: an example" enroll --label new -m "$m" -w "$x" "$x"
refused "calibrate: the set" calibrate -m "$m" -w "$t" "$t"

why='would be one file'
refused "eval: answers and page" eval -m "$m" --answers "$tmp/new.a" --html "$tmp/./new.a" "$t"
refused "train: model and log" train --config tiny -w "$tmp/new.a" --log "$tmp/new.a" "$t"
refused "train: log and checkpoint, by two names" train --config tiny -w "$tmp/new.m" --log "$tmp/hard" --checkpoint "$x" "$t"
# shellcheck disable=SC2094 # one file is the point
"$ws" generate -m "$m" -n 1 -w - --asked "$tmp/both" >"$tmp/both" 2>"$tmp/err.list"
[ $? = 2 ] && grep -q "both: .*$why" "$tmp/err.list" && [ ! -s "$tmp/both" ]
result $? "generate: standard output and the list"
unset why

# ---- what is no mistake ----

cp "$m" "$tmp/own.safetensors"
"$ws" enroll --label new -m "$tmp/own.safetensors" -w "$tmp/own.safetensors" "$x" >/dev/null 2>&1 && ! cmp -s "$m" "$tmp/own.safetensors"
result $? "enroll may write the model that it reads"
"$ws" tokenize -q -w "$t" "$x" && "$ws" forge -q -w "$tmp/in/deep/a.pcap" "$x"
result $? "files that are not read are replaced"
"$ws" classify -q -m "$m" -w /dev/null "$x" >/dev/null && "$ws" detokenize -q -w - "$t" | cmp -s - <("$ws" detokenize -q -w /dev/stdout "$t")
result $? "devices and pipes cannot be lost"
mkdir "$tmp/new" && cp "$x" "$tmp/new"
"$ws" classify -q -m "$m" -w "$tmp/new/out.pcapng" "$tmp/new" >/dev/null 2>"$tmp/err.list" && [ ! -s "$tmp/err.list" ] && [ -s "$tmp/new/out.pcapng" ]
result $? "a new file beside the captures is not read before it is there"
echo "1..$n"
exit $bad

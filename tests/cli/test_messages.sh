#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_messages.sh: what the program says in a line is one line, whatever the names in it, and tells what to do.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
model=$tmp/m.safetensors
python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "$data"/{dns,http,ntp}.pcap &&
    "$ws" train -q --config tiny --epochs 5 --batch-tokens 512 --val "$tmp/set.npz" -w "$model" "$tmp/set.npz"
result $? "a tiny model is trained"

# clean FILE: letters and line ends only, as a terminal sees it
clean() { ! LC_ALL=C grep -q '[[:cntrl:]]' <(LC_ALL=C tr -d '\n\t' <"$1"); }

# ---- names that would forge lines, or steer a terminal ----

forged=$'x\nwirespeak: all fine\e[2J\a\x7f\xc2\x9b31m.pcap'
mkdir "$tmp/names"
printf 'no capture\n' >"$tmp/names/$forged"
cp "$data/dns.pcap" "$tmp/names/"$'new\nline.pcap'
cp "$data/ntp.pcap" "$tmp/names/"$'new\tline.pcap'
for c in "tokenize -q --stats" "explain -q" "label -q" "split"; do
    # shellcheck disable=SC2086 # a command and its options
    "$ws" $c "$tmp/names" >"$tmp/out" 2>"$tmp/err"
    [ "$(grep -c 'x?wirespeak: all fine?\[2J???*31m.pcap: ' "$tmp/err")" = 1 ] && ! grep -q '^wirespeak: all fine' "$tmp/err" && clean "$tmp/err" && clean "$tmp/out"
    result $? "$c: a name with a line end in it is one line"
done
fails "a file that is not there" 1 tokenize --stats "$tmp/$forged"
fails "an operand that is no option" 2 tokenize --stats --no-such=$'a\nb' "$tmp/x"
fails "an argument that is no number" 2 tokenize --max-packets=$'1\n2' "$tmp/x"
"$ws" tokenize --stats "$tmp/caf"$'\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88' 2>&1 | grep -q $'caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88: '
result $? "letters of any language stay"
rm "$tmp/names/$forged"
"$ws" split "$tmp/names" >"$tmp/out" 2>/dev/null && [ "$(wc -l <"$tmp/out")" = 2 ] && [ "$(grep -c 'new?line.pcap$' "$tmp/out")" = 2 ]
result $? "a table has a row for each name"
"$ws" label -q "$tmp/names" | python3 -c '
import json, sys
names = {json.loads(l)["pcap_filename"].rsplit("/", 1)[1] for l in sys.stdin}
assert names == {"new\nline.pcap", "new\tline.pcap"}, names'
result $? "JSON escapes what is in names: they stay different"

for c in "classify -m $model" "classify -m $model --by-capture" "embed -m $model -w $tmp/e.npy"; do
    # shellcheck disable=SC2086 # a command and its options
    "$ws" ${c%% *} -q -o csv ${c#* } "$tmp/names" | python3 -c '
import csv, io, sys
rows = list(csv.DictReader(io.StringIO(sys.stdin.buffer.read().decode(), newline="")))
names = {r["pcap_filename"].rsplit("/", 1)[1] for r in rows}
assert names == {"new\nline.pcap", "new\tline.pcap"} and None not in rows[0], names'
    result $? "CSV quotes what is in names: $c"
done
cp "$data/ntp.pcap" "$tmp/names/"$'esc\e[2J\nape.pcap'
"$ws" classify -m "$model" --by-capture -q -o csv "$tmp/names" >"$tmp/out" && grep -q '/esc?\[2J$' "$tmp/out" && clean <(tr -d '\r' <"$tmp/out")
result $? "but nothing that steers a terminal"
rm "$tmp/names/"esc*

python3 - "$tmp" "$data/dns.pcap" <<'EOF'
import sys, tarfile, zipfile
names = "größe.pcap", "日本.pcap"
with zipfile.ZipFile(sys.argv[1] + "/utf8.zip", "w") as z, tarfile.open(sys.argv[1] + "/utf8.tar", "w") as t:
    for name in names:
        z.write(sys.argv[2], name)
        t.add(sys.argv[2], name)
EOF
for a in utf8.zip utf8.tar; do
    [ "$(LC_ALL=C "$ws" label -q "$tmp/$a" | grep -c "$a:größe.pcap\"")" = 13 ] && [ "$(LC_ALL=C "$ws" label -q "$tmp/$a" | grep -c "$a:日本.pcap\"")" = 13 ]
    result $? "$a: names of members have the letters of any language"
done

# ---- options ----

# says WHAT ARGUMENT...: status 2, and this in the one line
says() {
    local what=$1
    shift
    fails "$*" 2 "$@"
    [[ $said == *"$what"* ]]
    result $? "$* is told: $what"
}
says "--threads takes 1 to 256, or 0 for all CPUs; not '512'" classify --threads 512 -m m x
says "--snaplen takes 64 to 262144; not '10'" tag --snaplen 10 -m m -i lo
says "--ring takes 2Mi to 4Gi; not '1'" tag --ring 1 -m m -i lo
says "--memory takes whole numbers from 1 on" tag --memory 16Ei -m m -i lo
says "--max-lag takes 0.001 to 3600 seconds; not '0'" tag --max-lag 0 -m m -i lo
says "--records takes all, decisions or ends; not 'x'" tag --records x -m m -i lo
for option in "--fanout 3" --no-promiscuous "--snaplen 100" "--buffer 1Mi" "--max-lag 1" "--user nobody"; do
    # shellcheck disable=SC2086 # an option with its argument
    says "${option%% *} is for --interface" tag $option -m m -r "$data/dns.pcap"
done
says "--skip-bad is for --read" tag --skip-bad -m m -i lo
says "--plant-every is for --plant" forge --plant-every 3 -w "$tmp/x" x
says "--checkpoint-every is for --checkpoint" train --checkpoint-every 3 -w "$tmp/x" x
says "--output is for --stats" tokenize -o json -w "$tmp/x" x
says "--min-confidence takes 0 to 1; not '-0.5'" classify -m m --min-confidence -0.5 x
says "--min-confidence takes 0 to 1; not '-1'" tag -m m --min-confidence -1 -r x
says "there is no mask policy 'nope': identity-free, " train --policy nope -w "$tmp/x" x
says "leave nothing to learn" train --lm-weight 0 --head-weight 0 -w "$tmp/x" x
says "'' is none of addresses, ports" forge --only "" -w "$tmp/x" x
says "'none' stands alone" forge --only none,ports -w "$tmp/x" x
says "a share is a number above 0" generate -m "${top_srcdir:-.}/models/generator.safetensors" --label DNS=0 -w "$tmp/x"

# ---- what is a mistake on the command line ----

for sink in redis:HOST kafka:BROKER; do
    if "$ws" tag -q -m "$model" -r "$data/dns.pcap" -w "${sink%%:*}:" 2>&1 | grep -q 'built without it'; then
        skip "an address for ${sink%%:*}" "this program was built without it"
    else
        says "write it $sink" tag -m "$model" -r "$data/dns.pcap" -w "${sink%%:*}:"
    fi
done
for address in 0 99999 0.0.0.0:9999 no:where "unix:$(printf '%0200d' 1)"; do
    says "--metrics $address: " tag -q -m "$model" -r "$data/dns.pcap" -w "$tmp/x" --metrics "$address"
done
rm -f "$tmp/x"
for c in "classify -m $model" "tag -m $model -r" "embed -m $model -w $tmp/x" label explain "tokenize -w $tmp/x" "enroll -l new -m $model -w $tmp/x"; do
    # shellcheck disable=SC2086 # a command and its options
    says 'filter "foo bar": ' ${c%% *} -f 'foo bar' ${c#"${c%% *}"} "$data/dns.pcap"
done

# ---- another kind of file than is asked for ----

# one_line TEXT ARGUMENT...: status 1, and one line with the text
one_line() {
    local text=$1
    shift
    fails "$*" 1 "$@"
    [[ $said == *"$text"* ]]
    result $? "$* is told: $text"
}
one_line "dns.pcap: neither a model (.safetensors) nor a token file (.npz)" info "$data/dns.pcap"
one_line "-: standard input is not described" info -
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write(sys.argv[2])' "$tmp/zipped.zip" "$data/dns.pcap"
one_line "a zip of captures is for explain" info "$tmp/zipped.zip"
head -c 1000 "$model" >"$tmp/cut.safetensors"
one_line "cut short" info "$tmp/cut.safetensors"
for c in "classify -m $model" "tag -q -m $model -r" label explain "tokenize -w $tmp/x"; do
    # shellcheck disable=SC2086 # a command and its options
    one_line "set.npz: a token file (.npz), no capture" $c "$tmp/set.npz"
done
one_line "nofile: No such file" forge --plant "$tmp/nofile" -w "$tmp/x" "$data/dns.pcap"
one_line "nofile: No such file" eval -q --generated "$data/dns.pcap" --real "$data/dns.pcap" --canaries "$tmp/nofile"
says "--labels takes a file; $tmp is a folder" tokenize --labels "a=$tmp" -w "$tmp/l.npz" "$data/dns.pcap"
says "--plant takes a file; $tmp is a folder" forge --plant "$tmp" -w "$tmp/x" "$data/dns.pcap"
says "fields of payloads cannot be set" generate -n 1 -m "$model" --set dns.qtype=A -w "$tmp/x"
says "'dns.qtype' is no field of a header" generate -n 1 -m "$model" --set dns.qtype=A -w "$tmp/x"
printf 'path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\ndns.pcap\tDNS\tTCP\t10.0.0.1\t1\t10.0.0.2\t2\n' >"$tmp/words.tsv"
one_line "line 2: l4 is not a number of a protocol" tokenize --labels "a=$tmp/words.tsv" -w "$tmp/x" "$data/dns.pcap"
[ ! -e "$tmp/x" ] && [ ! -e "$tmp/l.npz" ]
result $? "and nothing is written"

# ---- which captures a list names ----

mkdir -p "$tmp/lists/a" "$tmp/lists/b" && cp "$data/dns.pcap" "$tmp/lists/a/x.pcap" && cp "$data/dns.pcap" "$tmp/lists/b/x.pcap"
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write(sys.argv[2], "x.pcap")' "$tmp/lists/c.zip" "$data/dns.pcap"
flows=$("$ws" label -q "$data/dns.pcap" | wc -l)
# names PATH N: of three captures, so many
names() {
    printf 'path\tlabel\n%s\tyes\n' "$1" >"$tmp/path.tsv"
    "$ws" tokenize -q --labels "a=$tmp/path.tsv" -w "$tmp/path.npz" "$tmp/lists" 2>/dev/null
    got=$("$ws" info "$tmp/path.npz" | awk '$1 == "yes" { print $2 }')
    [ "${got:-0}" = $(($2 * flows)) ]
    result $? "the path $1 names $2 of three captures"
}
names x.pcap 3
names a/x.pcap 1
names c.zip:x.pcap 1
names "$tmp/lists/b/x.pcap" 1
names ./lists/a/x.pcap 0
names /elsewhere/a/x.pcap 0
names pcap 0

# ---- what is told before anything is computed ----

early() {
    local what=$1 rc=0
    shift
    "$ws" "$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
    [ $rc = 1 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -e "$what" "$tmp/err"
    result $? "${*:1:2} ${*: -3:2}: $(cat "$tmp/err")"
}
for option in --html --answers; do
    early "$tmp/nodir/x" eval -m "$model" "$tmp/set.npz" $option "$tmp/nodir/x" -q
done
early "no.st: No such file" eval -m "$model" "$tmp/set.npz" --against "$tmp/no.st" -q
early "no.npz: No such file" eval -m "$model" "$tmp/set.npz" --baselines "$tmp/no.npz" -q
early "no.pcap: No such file" eval --real "$data" --generated "$tmp/no.pcap" -q
early "no.txt: No such file" eval --real "$data" --generated "mine=$data/dns.pcap" --canaries "$tmp/no.txt" -q
early "$tmp/nodir/x" calibrate -m "$model" "$tmp/set.npz" -w "$tmp/nodir/x" -q
early "$tmp/nodir/x" grow -m "$model" "$tmp/set.npz" -w "$tmp/nodir/x" -q
early "$tmp/nodir/x" enroll -l new -m "$model" "$data/ntp.pcap" -w "$tmp/nodir/x" -q

# ---- nothing to read ----

mkdir -p "$tmp/none/deep"
for c in "classify -m $model" "classify --by-capture -o csv -m $model" "classify -m $model -w $tmp/x" "tag -q -m $model -r" "embed -m $model -w $tmp/x" \
    label explain "tokenize -w $tmp/x" "tokenize --stats" "enroll -l new -m $model -w $tmp/x" split "split -w $tmp/x" "forge -w $tmp/x"; do
    # shellcheck disable=SC2086 # a command and its options
    said=$("$ws" $c "$tmp/none" 2>&1) && rc=0 || rc=$?
    [ "$rc" = 1 ] && [ "$said" = "wirespeak: $tmp/none: there is no capture in it" ]
    result $? "$c: an empty folder is status 1, and nothing but the line that says that there is no capture in it"
done
"$ws" label "$tmp/none" "$tmp/none/deep" 2>&1 | grep -q "^wirespeak: $tmp/none and the others: there is no capture in them$"
result $? "so of several"
[ ! -e "$tmp/x" ]
result $? "nothing is written"
"$ws" label -q "$tmp/none" "$data/dns.pcap" >/dev/null
result $? "an empty folder beside a capture is fine"
printf 'no capture\n' >"$tmp/none/text"
for c in "label" "tokenize -w $tmp/x" "classify -m $model -w $tmp/x" "embed -m $model -w $tmp/x" "tag -q -m $model -r" "split -w $tmp/x" "label --join"; do
    rc=0
    # shellcheck disable=SC2086 # a command and its options
    "$ws" ${c%% *} --skip-bad ${c#"${c%% *}"} "$tmp/none" >"$tmp/out" 2>"$tmp/err" || rc=$?
    [ $rc = 1 ] && grep -q "^wirespeak: $tmp/none: there is no capture in it$" "$tmp/err" && [ ! -s "$tmp/out" ] && [ ! -e "$tmp/x" ]
    result $? "$c: but not one where all was passed over: nobody asked for nothing"
done

# ---- captures that break off ----

head -c 1000 "$data/dns.pcap" >"$tmp/cut.pcap"
for c in "classify -m $model" "tag -m $model -r" "embed -m $model -w $tmp/e.npy" label explain "tokenize -w $tmp/t.npz" "enroll -l new -m $model -w $tmp/m8.safetensors" \
    "split -w $tmp/parts" "forge -w $tmp/f.pcap"; do
    rc=0
    # shellcheck disable=SC2086 # a command and its options
    "$ws" $c "$tmp/cut.pcap" >/dev/null 2>"$tmp/err" || rc=$?
    [ $rc = 1 ] && grep -q 'after [0-9]* packets' "$tmp/err"
    result $? "${c%% *}: a capture that breaks off is status 1"
done
[ -s "$tmp/m8.safetensors" ] && [ -s "$tmp/parts/train.npz" ] && [ -s "$tmp/e.npy" ] && [ -s "$tmp/t.npz" ] && [ -s "$tmp/f.pcap" ]
result $? "what came before the break is there"

# ---- the program itself, where it is or what it inherits counts ----

# libtool's wrapper is a shell, which has files of its own
program=$ws
[ -x "${top_builddir:-.}/.libs/wirespeak" ] && program=${top_builddir:-.}/.libs/wirespeak
program=$(realpath "$program")
libs=$(realpath "${top_builddir:-.}")/.libs
export LD_LIBRARY_PATH="$libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# ---- models and lists are files ----

for c in "enroll -l new -m $model -w -" "generate -n 1 -m $model -w $tmp/g.pcap --asked -" "train --config tiny --epochs 1 -w -" "train --config tiny --epochs 1 -w $tmp/t --log -"; do
    operand=$tmp/set.npz
    case $c in generate*) operand= ;; enroll*) operand=$(realpath "$data/dns.pcap") ;; esac
    rc=0
    # shellcheck disable=SC2086 # a command and its options
    (cd "$tmp" && "$program" $c $operand >"$tmp/out" 2>"$tmp/err") || rc=$?
    [ $rc = 1 ] && grep -q '^wirespeak: -: standard output has something else' "$tmp/err" && [ ! -s "$tmp/out" ] && [ ! -e "$tmp/-" ]
    result $? "${c%% *}: standard output is no file, nor is one made of its name"
    rm -f "$tmp/-"
done

# ---- streams that are closed: no file may get their numbers ----

for c in "tokenize -w $tmp/o" "forge --seed 1 -w $tmp/o" "classify -m $model -w $tmp/o" "embed -m $model -w $tmp/o" "tag -m $model --records ends -w $tmp/o -r"; do
    # shellcheck disable=SC2086 # a command and its options
    "$program" $c "$tmp/cut.pcap" >/dev/null 2>&1
    mv "$tmp/o" "$tmp/whole"
    # shellcheck disable=SC2086
    "$program" $c "$tmp/cut.pcap" >/dev/null 2>&-
    cmp -s "$tmp/o" "$tmp/whole"
    result $? "${c%% *}: messages are not written into a file when standard error is closed"
    rm -f "$tmp/o"
done
"$program" embed -q -m "$model" -w "$tmp/o" "$data/dns.pcap" >/dev/null && mv "$tmp/o" "$tmp/whole"
"$program" embed -q -m "$model" -w "$tmp/o" "$data/dns.pcap" 2>"$tmp/err" >&-
[ $? = 1 ] && grep -q 'standard output: Bad file descriptor' "$tmp/err" && { [ ! -e "$tmp/o" ] || cmp -s "$tmp/o" "$tmp/whole"; }
result $? "nor are results when standard output is"

# ---- labels ----

printf 'path\tlabel\ndns.pcap\tbad\033[31m\n' >"$tmp/list"
fails "a label list with control characters" 1 tokenize -w "$tmp/x" --labels "l=$tmp/list" "$data/dns.pcap"
"$ws" tokenize -w "$tmp/x" --labels "l=$tmp/list" "$data/dns.pcap" 2>&1 | grep -q "list: line 2: the label has control characters"
result $? "the line of the list is told"
printf 'path\tlabel\nelsewhere.pcap\tx\n' >"$tmp/list"
"$ws" tokenize -w "$tmp/o" --labels "l=$tmp/list" "$data/dns.pcap" 2>&1 | grep -q "list: none of the 13 flows is in this list$"
result $? "a list that no flow is in is told"
"$ws" split -w "$tmp/parts" --labels "l=$tmp/list" "$data/dns.pcap" "$data/ntp.pcap" 2>&1 >/dev/null | grep -q "list: none of the 18 flows is in this list$"
result $? "... and by split"
rm -rf "$tmp/parts"
rm -f "$tmp/o"
fails "a label with control characters" 2 enroll -l $'a\nb\e[31m' -m "$tmp/x" -w "$tmp/y" "$data/dns.pcap"
fails "a label that is not UTF-8" 2 enroll -l $'caf\xe9' -m "$tmp/x" -w "$tmp/y" "$data/dns.pcap"
mkdir -p "$tmp/classes/"$'a\nb' "$tmp/classes/c" && cp "$data/dns.pcap" "$tmp/classes/"$'a\nb' && cp "$data/ntp.pcap" "$tmp/classes/c"
fails "a folder with control characters as a class" 1 split -q -w "$tmp/split" "$tmp/classes"
[ ! -e "$tmp/x" ] && [ ! -e "$tmp/split" ]
result $? "what is refused leaves no file"

echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_manual.sh: examples of the manual that are programs or name the shipped models do what they say, as they stand.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
top=$(realpath "${top_srcdir:-.}")
program=$(realpath "$ws")
man=$top/man
python=${PYTHON_TORCH:-/usr/bin/python3} # as of test_torch.sh: a python of somebody's own seldom has numpy

# The example of wirespeak-model(5): it reads a model file without this program.
if ! "$python" -c 'import numpy' 2>/dev/null; then
    skip "the example of wirespeak-model(5) reads the shipped model" "python3-numpy is not installed"
else
    sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$man/wirespeak-model.5" | grep -v '^\.' >"$tmp/example.py"
    grep -q 'open("flows.safetensors", "rb")' "$tmp/example.py" &&
        (cd "$top/models" && "$python" "$tmp/example.py") >"$tmp/out" &&
        grep -q '^embed.weight ([0-9]*, [0-9]*) [0-9.]*$' "$tmp/out" && grep -q '^forest\.' "$tmp/out"
    result $? "the example of wirespeak-model(5) reads the shipped model"
fi

# Examples with a shipped model and one capture, which is one of ours.
export WIRESPEAK_MODELS=$top/models
ran=0
mkdir "$tmp/here" && ln -s "$top/models" "$tmp/here/models"
for name in trace capture lan; do cp "$data/http.pcap" "$tmp/here/$name.pcap"; done
while IFS= read -r line; do
    read -ra words <<<"${line#wirespeak }"
    (cd "$tmp/here" && "$program" "${words[@]}" >"$tmp/out" 2>"$tmp/err") && [ -s "$tmp/out" ]
    result $? "$line: $(tail -n 1 "$tmp/err")"
    ran=$((ran + 1))
done < <(sed -n 's/^\.Dl \(wirespeak classify .*\.pcap\)$/\1/p' "$man"/*.1 | grep -v ' -m mine')
[ "$ran" -gt 2 ]
result $? "there are such examples ($ran)"

# Those of wirespeak(1), in their order, each on what those before have written. Training has fewer epochs.
mkdir -p "$tmp"/here/captures/{one,two} && cp "$data"/{dns,http,ssh,tls,ping}.pcap "$tmp/here/captures/one" &&
    cp "$data"/{ntp,redis,snmp,smb,syslog}.pcap "$tmp/here/captures/two"
ran=0
while IFS= read -r line; do
    read -ra words <<<"${line#wirespeak }"
    [ "${words[0]}" = train ] && words+=(--config tiny --epochs 1)
    (cd "$tmp/here" && "$program" "${words[@]}" >"$tmp/out" 2>"$tmp/err")
    result $? "$line: $(tail -n 1 "$tmp/err")"
    ran=$((ran + 1))
done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$man/wirespeak.1" | grep '^wirespeak' | grep -v '^wirespeak tag .*eth0')
[ "$ran" -gt 8 ] && [ -s "$tmp/here/again.pcap" ] && [ -s "$tmp/here/new.pcap" ] && [ -n "$(ls "$tmp/here/seeds")" ]
result $? "wirespeak(1) has examples that follow each other ($ran)"
echo "1..$n"
exit $bad

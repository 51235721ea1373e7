#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_lab.sh: datasets/lab/record: a tiny recording of two recipes, its manifest and labels, and what it refuses.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
lab=${top_srcdir:-.}/datasets/lab

# check NAME COMMAND...: the command succeeds
check() {
    local name=$1
    shift
    n=$((n + 1))
    if "$@" >"$tmp/said" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name: $*"
        sed 's/^/# /' "$tmp/said"
        bad=1
    fi
}

# shellcheck disable=SC2317
# status WANTED COMMAND...: the command ends with that exit status
status() {
    local rc=0 want=$1
    shift
    "$@" || rc=$?
    [ "$rc" -eq "$want" ]
}

# shellcheck disable=SC2317
# manifest EXPRESSION: a Python expression over the lines of the manifest, and the packets of a capture
manifest() {
    python3 -c 'import json, sys
sys.path.insert(0, sys.argv[1])
from core import flows
lines = [json.loads(l) for l in open(sys.argv[2] + "/manifest.jsonl")]
read = lambda line: flows.read(sys.argv[2] + "/" + line["captures"][0]["path"])
sys.exit(0 if eval(sys.argv[3]) else 1)' "$lab" "$tmp/out" "$1"
}

# shellcheck disable=SC2317
# labelled: tokenize joins every flow of the list with a label
labelled() {
    local wanted
    wanted=$(($(wc -l <"$tmp/out/flows.tsv") - 1))
    "$ws" tokenize -q -w "$tmp/tokens.npz" --labels=application="$tmp/out/labels/application.tsv" "$tmp/out/pcap" &&
        python3 - "$tmp/tokens.npz" "$wanted" <<'PY'
import array, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    name = [m for m in z.namelist() if "label" in m and m.endswith("application.npy")][0]
    data = z.read(name)
size = int.from_bytes(data[8:10], "little")
values = array.array("i", data[10 + size:])
sys.exit(0 if sum(v >= 0 for v in values) >= int(sys.argv[2]) else 1)
PY
}

command -v python3 >/dev/null || {
    echo "python3 is not installed"
    exit 77
}
check "the recipes are listed" "$lab/record" --list
check "an unknown recipe is a usage error" status 2 "$lab/record" --out "$tmp/none" nothing-like-this
check "a take outside of the sandbox is refused" status 1 "$lab/record" --take dns 0 --out "$tmp"

# What is ready here of two recipes; Redis needs little.
mapfile -t recipes < <("$lab/record" --list dns redis 2>&1 | awk '/ready$/ { print $1 }')
[ "$(id -u)" -eq 0 ] || recipes=()
if [ ${#recipes[@]} = 0 ]; then
    n=$((n + 1))
    echo "ok $n - a recording # SKIP not root, or $("$lab/record" --list redis 2>&1 | tr -s ' \n' ' ')"
    echo "1..$n"
    exit $bad
fi
"$lab/record" --seed 36 --out "$tmp/out" "${recipes[@]}" >"$tmp/log" 2>&1
case $? in
0) ;;
*)
    if grep -q 'no namespaces, overlay mounts or veth here' "$tmp/log"; then
        n=$((n + 1))
        echo "ok $n - a recording # SKIP $(head -n 1 "$tmp/log")"
        echo "1..$n"
        exit $bad
    fi
    ;;
esac
check "recipes are recorded" manifest "[l['status'] for l in lines] == ['recorded'] * ${#recipes[@]}"
check "the manifest has versions and settings" manifest 'all(l["packages"]["tcpdump"] and l["settings"] for l in lines)'
check "the list has the flows of the captures" manifest \
    'all(l["captures"][0]["flows"] + l["captures"][0]["unlabelled_flows"] == len(read(l)[0]) for l in lines)'
check "both sides spoke" manifest 'all(f["packets"] > 1 for l in lines for f in read(l)[0] if f["l4"] == 6)'
check "tokenize joins every flow with its label" labelled
check "the relay delays" manifest 'all(f["seconds"] > 2e-3 * l["link"]["delay_ms"] > 0.05 for l in lines[-1:] for f in read(l)[0])'
check "a second run has nothing to do" "$lab/record" --seed 36 --out "$tmp/out" "${recipes[@]}"
cp "$tmp/said" "$tmp/second"
check "it recorded nothing again" status 1 grep -q 'packets, ' "$tmp/second"
echo "1..$n"
exit $bad

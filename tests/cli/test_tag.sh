#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_tag.sh: tag on captures gives classify's labels; records, limits and lost readers; live capture between two
# network namespaces where that is permitted.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
# shellcheck source=tests/cli/live
. "${top_srcdir:-.}/tests/cli/live"

# ---- captures ----

captures=("$data"/{dns,http,tls,ssh,ntp,redis,snmp,ping,syslog}.pcap)
reads=()
for c in "${captures[@]}"; do reads+=(-r "$c"); done

"$ws" classify -o jsonl --dtype f32 --head all -m "$model" "${captures[@]}" >"$tmp/classified"
"$ws" tag -q --dtype f32 --head all --all-packets --records ends -m "$model" "${reads[@]}" >"$tmp/ends"
python3 - "$tmp/classified" "$tmp/ends" <<'EOF'
import json, sys
def read(path):
    return {(j["pcap_filename"], j["flow_id"]): j for j in map(json.loads, open(path))}
a, b = read(sys.argv[1]), read(sys.argv[2])
assert a.keys() == b.keys() and len(a) > 30, (len(a), len(b))
for k, x in a.items():
    y = b[k]
    for part in ("timestamp", "event_type", "src_ip", "dest_port", "community_id", "flow"):
        assert x.get(part) == y.get(part), (k, part)
    x, y = x["wirespeak"], y["wirespeak"]
    assert x["packets"] == y["packets"] and x["heads"].keys() == y["heads"].keys(), k
    for h in x["heads"]:
        p, q = x["heads"][h], y["heads"][h]
        assert abs(p["confidence"] - q["confidence"]) < 1e-3, (k, p, q)
        assert p["label"] == q["label"] or "unknown" in (p["label"], q["label"]), (k, p, q)
EOF
result $? "with --all-packets every flow has the record and the labels of classify"

"$ws" tag -q -m "$model" "${reads[@]}" >"$tmp/all" 2>"$tmp/err"
python3 - "$tmp/all" <<'EOF'
import json, sys
decided, ended = {}, {}
for j in map(json.loads, open(sys.argv[1])):
    k, w = (j["pcap_filename"], j["flow_id"]), j["wirespeak"]
    if j["event_type"] == "tag":
        assert k not in decided and k not in ended and w["record"] == "decision", j
        assert w["reason"] in ("sure", "packets") and w["packets"] <= 24, j
        assert "end" not in j["flow"] and "reason" not in j["flow"] and j["flow"]["state"] in ("new", "established", "closed"), j
        decided[k] = w["label"]
    else:
        assert j["event_type"] == "flow" and w["record"] == "end" and k not in ended, j
        assert (w["reason"] == "end") == (k not in decided), j
        assert k not in decided or decided[k] == w["label"], j
        assert j["flow"]["end"] >= j["flow"]["start"] and j["flow"]["reason"] in ("shutdown", "timeout"), j
        ended[k] = w["label"]
assert len(decided) > 10 and len(ended) > len(decided), (len(decided), len(ended))
assert sum(l == "DNS" for l in decided.values()) >= 3, decided
EOF
result $? "a flow is decided at most once, and ends with the same label"

"$ws" tag -q -m "$model" --sure 0.5 --sure-packets 1 --records decisions "${reads[@]}" >"$tmp/fast" &&
    [ "$(wc -l <"$tmp/fast")" -gt "$(grep -c '"tag"' "$tmp/all")" ] && ! grep -q '"event_type":"flow"' "$tmp/fast"
result $? "who asks for less is told of more flows, and of decisions only"

"$ws" tag -m "$model" -r "$data/dns.pcap" -w "$tmp/a.jsonl" -w "$tmp/b.jsonl" 2>"$tmp/err"
[ -s "$tmp/a.jsonl" ] && cmp -s "$tmp/a.jsonl" "$tmp/b.jsonl"
result $? "two outputs get the same records"
grep -q 'lost: 0 by the kernel, 0 by interfaces, 0 between the threads' "$tmp/err" &&
    grep -q '0 flows given up for lack of time, 0 for lack of memory' "$tmp/err"
result $? "the summary says what was lost, also when that is nothing"

"$ws" tag -q -m "$model" -f 'tcp port 1' -r "$data/dns.pcap" >"$tmp/none" && [ ! -s "$tmp/none" ]
result $? "a filter that nothing passes gives no record"

size=$(wc -c <"$data/dns.pcap")
head -c $((size - 5)) "$data/dns.pcap" >"$tmp/cut.pcap"
rc=0
"$ws" tag -q -m "$model" -r "$tmp/cut.pcap" -r "$data/http.pcap" >"$tmp/cut" 2>"$tmp/err" || rc=$?
[ $rc = 1 ] && grep -q 'cut.pcap' "$tmp/err" && grep -q '"pcap_filename":"[^"]*http.pcap"' "$tmp/cut" &&
    grep -q '"label":"DNS"' "$tmp/cut"
result $? "a capture that breaks off is told, what came before and after it is labelled"

# ---- mistakes ----

fails "neither interface nor capture" 2 tag -m "$model"
fails "both of them" 2 tag -m "$model" -i lo -r "$data/dns.pcap"
fails "an interface twice" 2 tag -m "$model" -i lo -i lo
fails "all interfaces and one of them" 2 tag -m "$model" -i lo -i any
fails "a capture that is not there" 1 tag -q -m "$model" -r "$tmp/no.pcap"
fails "an interface that is not there" 1 tag -q -m "$model" -i nosuchif0
fails "a head that is not there" 1 tag -q -m "$model" --head nosuch -r "$data/dns.pcap"
fails "memory that is too little" 1 tag -q -m "$model" --memory 100Mi -r "$data/dns.pcap"
"$ws" tag -q -m "$model" --memory 100Mi -r "$data/dns.pcap" 2>&1 |
    grep -q 'of 100 MiB the program and its ring take [0-9]*: .* needs [0-9]* MiB'
result $? "which is told with what it takes"
fails "an output that cannot be opened" 1 tag -q -m "$model" -r "$data/dns.pcap" -w "$tmp/no/such/file"

rc=0
"$ws" tag -q -m "$model" "${reads[@]}" >/dev/full 2>"$tmp/err" || rc=$?
[ $rc = 1 ] && grep -q 'standard output: No space left' "$tmp/err" && grep -q 'records were lost' "$tmp/err"
result $? "a full disk is told, and what was lost is counted"

rc=0
{ "$ws" tag -m "$model" "${reads[@]}" 2>"$tmp/err" || echo $? >"$tmp/rc"; } | head -n 1 >/dev/null
# the pipe may hold all of it: then nobody notices
[ ! -e "$tmp/rc" ] || grep -q 'the reader has gone' "$tmp/err"
result $? "a reader that goes away is told"

# ---- live ----

live() {
    local pid rc=0
    ip netns exec "$b" "$ws" tag -m "$model" -i vb --max-lag 60 -w "$tmp/live" 2>"$tmp/live.err" &
    pid=$!
    wait_for 30 capturing
    result $? "tag captures from an interface"
    sent=("$data"/{dns,http,tls,ssh,redis}.pcap)
    ip netns exec "$a" python3 "$cli/send.py" va "${sent[@]}"
    # shellcheck disable=SC2016
    wait_for 30 grep -q '"label":"SSH"' "$tmp/live"
    result $? "decisions come while flows run"
    # of its capabilities that to open packet sockets is left (bit 13), and none can be gained
    ours=$(pgrep -P "$pid" || echo "$pid")
    grep -qE '^CapEff:\s0*2000$' "/proc/${ours%%[!0-9]*}/status" && grep -qE '^NoNewPrivs:\s1$' "/proc/${ours%%[!0-9]*}/status"
    result $? "it has given its privileges up"
    kill -USR1 $pid
    wait_for 10 grep -q 'packets in' "$tmp/live.err"
    result $? "SIGUSR1 prints a summary"
    mv "$tmp/live" "$tmp/live.1"
    kill -HUP $pid
    wait_for 10 test -e "$tmp/live"
    result $? "SIGHUP opens the file of records again"
    sleep 0.3 # packets that are still on their way
    kill -TERM $pid
    wait $pid || rc=$?
    result $rc "SIGTERM ends it with exit status 0"
    cat "$tmp/live.1" "$tmp/live" >"$tmp/both"
    grep -q 'lost: 0 by the kernel, 0 by interfaces, 0 between the threads' "$tmp/live.err" &&
        grep -q '0 flows given up for lack of time, 0 for lack of memory' "$tmp/live.err"
    result $? "nothing was lost or given up"
    "$ws" classify -o jsonl -m "$model" "${sent[@]}" >"$tmp/sent"
    seen "$tmp/both"
    result $? "every packet of every flow was seen"
}

# seen FILE: the flows of $tmp/sent, with as many packets
seen() {
    python3 - "$tmp/sent" "$1" <<'EOF'
import collections, json, sys
def flows(path):
    # packets of flows by their Community ID; the same one may have begun again
    d = collections.Counter()
    for j in map(json.loads, open(path)):
        if j["event_type"] == "flow" and "community_id" in j:
            d[j["community_id"]] += j["flow"]["pkts_toserver"] + j["flow"]["pkts_toclient"]
            assert "pcap_filename" not in j or path == sys.argv[1]
    return d
a, b = flows(sys.argv[1]), flows(sys.argv[2])
assert len(a) > 20 and a == b, (a - b, b - a)
assert all(j["in_iface"] == "vb" for j in map(json.loads, open(sys.argv[2])))
EOF
}

# Two processes share the interface; one of them sees each flow.
live_fanout() {
    local one two
    ip netns exec "$b" "$ws" tag -q -m "$model" -i vb --fanout 7 --max-lag 60 -w "$tmp/one" &
    one=$!
    ip netns exec "$b" "$ws" tag -q -m "$model" -i vb --fanout 7 --max-lag 60 -w "$tmp/two" &
    two=$!
    # shellcheck disable=SC2317
    both() { [ "$(ip netns exec "$b" cat /proc/net/packet | wc -l)" -gt 2 ]; }
    wait_for 30 both
    ip netns exec "$a" python3 "$cli/send.py" va "${sent[@]}"
    sleep 0.5
    kill $one $two
    wait $one && wait $two
    cat "$tmp/one" "$tmp/two" >"$tmp/shared"
    [ -s "$tmp/one" ] && [ -s "$tmp/two" ] && seen "$tmp/shared"
    result $? "two processes share an interface, flow by flow"
    ids() { grep -o '"flow_id":[0-9]*' "$1" | sort -u; }
    [ -z "$(comm -12 <(ids "$tmp/one") <(ids "$tmp/two"))" ]
    result $? "their flows have different numbers"
}

# The link goes down and comes up again: the program stays.
live_fault() {
    local pid rc=0
    ip netns exec "$b" "$ws" tag -m "$model" -i vb --max-lag 60 -w "$tmp/fault" 2>"$tmp/fault.err" &
    pid=$!
    wait_for 30 capturing
    # a record says that it has opened all it needs: before, a link that is down ends it with an error, as it should
    ip netns exec "$a" python3 "$cli/send.py" va "$data/http.pcap"
    wait_for 30 grep -q '"label":"HTTP"' "$tmp/fault"
    ip -n "$b" link set vb down
    wait_for 10 grep -q 'vb: .*; waiting for it to come back' "$tmp/fault.err"
    result $? "an interface that goes down is told"
    ip -n "$b" link set vb up
    ip netns exec "$a" python3 "$cli/send.py" va "$data/dns.pcap"
    wait_for 30 grep -q '"label":"DNS"' "$tmp/fault"
    grep -q 'vb: packets again' "$tmp/fault.err"
    result $? "and gives decisions as before when it is up again"
    kill $pid
    wait $pid || rc=$?
    [ $rc = 0 ] && grep -q '1 times an interface was away' "$tmp/fault.err"
    result $? "which the summary counts"
}

# named_twice: a link has a second name, where ip knows of such
named_twice() {
    if ! ip -n "$b" link property add dev vb altname vbtoo 2>/dev/null; then
        skip "an interface twice, by another name" "links have one name here"
        return
    fi
    in_b timeout 5 "$ws" tag -q -m "$model" -i vb -i vbtoo 2>"$tmp/err"
    [ $? = 2 ] && grep -q 'vbtoo: given twice' "$tmp/err"
    result $? "an interface twice, by another name"
}
if live_begin; then
    named_twice
    live
    live_fanout
    live_fault
else
    skip "tag captures from an interface" "no network namespaces here"
fi
echo "1..$n"
exit $bad

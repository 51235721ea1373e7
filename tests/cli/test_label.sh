#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_label.sh: lines and fields of `wirespeak label`, filters, captures that break off, non-IP flows, a full disk.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# check NAME COMMAND...: the command succeeds
check() {
    local name=$1
    shift
    n=$((n + 1))
    if "$@" >/dev/null 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name: $*"
        bad=1
    fi
}

# The functions below run through check, which shellcheck does not see.
# shellcheck disable=SC2317
# label STATUS ARGUMENT...: runs the command into $tmp/out and $tmp/err, with that exit status
label() {
    local status=$1 rc=0
    shift
    "$ws" label "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || rc=$?
    [ "$rc" -eq "$status" ]
}

# shellcheck disable=SC2317
# all REGEX: there are lines, and every one matches
all() { [ -s "$tmp/out" ] && ! grep -qvE "$1" "$tmp/out"; }
# shellcheck disable=SC2317
lines() { [ "$(wc -l <"$tmp/out")" -eq "$1" ]; }

stamp='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+0000'

check "a capture of DNS is labelled" label 0 -f 'udp port 53 or udp port 5353 or ip or ip6' "$data/dns.pcap"
check "DNS is found" grep -q '"protocol":"DNS"' "$tmp/out"
check "every line is a flow event with a time" all "^\{\"timestamp\":\"$stamp\",\"event_type\":\"flow\",\"flow_id\":[0-9]+,\"pcap_filename\":\".*dns.pcap\","
check "counts and times stand in flow" all "\"flow\":\{\"pkts_toserver\":[0-9]+,\"pkts_toclient\":[0-9]+,\"bytes_toserver\":[0-9]+,\"bytes_toclient\":[0-9]+,\"start\":\"$stamp\",\"end\":\"$stamp\",\"age\":[0-9]+,\"state\":\"(new|established|closed)\",\"reason\":\"(timeout|forced|shutdown)\"\}"
check "the verdict stands in ndpi" all '"ndpi":\{"version":"[0-9.]+","protocol":"[^"]*","service":"[^"]*","master":"[^"]*","app":"[^"]*","category":"[^"]*","source":"(none|port|address|cache|dpi)","packets":[0-9]+\}\}$'
check "UDP has ports and a Community ID" grep -qE '"src_ip":"[^"]+","src_port":[0-9]+,"dest_ip":"[^"]+","dest_port":[0-9]+,"proto":"UDP","community_id":"1:[A-Za-z0-9+/=]{28}"' "$tmp/out"
cp "$tmp/out" "$tmp/first"
label 0 -f 'udp port 53 or udp port 5353 or ip or ip6' "$data/dns.pcap"
check "a second run says the same" cmp "$tmp/out" "$tmp/first"

check "a capture of ping is labelled" label 0 "$data/ping.pcap"
cp "$tmp/out" "$tmp/ping"
check "ICMP has a type, a Community ID and no port" grep -qE '"proto":"(ICMP|IPv6-ICMP)","icmp_type":[0-9]+,"icmp_code":0,("response_icmp_type":[0-9]+,"response_icmp_code":0,)?"community_id":"1:' "$tmp/out"

check "a capture of radio is labelled" label 0 "$data/edge-radiotap.pcap"
check "its flows are those of the frames inside" grep -qE '"src_ip":"192.0.2.1","src_port":40000,"dest_ip":"192.0.2.2","dest_port":53,"proto":"UDP","community_id":"1:.*"pkts_toserver":7,.*"protocol":"DNS"' "$tmp/out"
check "and it is not told that it is not taken apart" test ! -s <(grep 'not taken apart' "$tmp/err")
label 0 "$data/edge-wrapped.pcap"
check "a frame in Geneve, in a VN-tag, has the flow inside" grep -qE '"src_ip":"192.0.2.1","src_port":40000,"dest_ip":"192.0.2.2","dest_port":53' "$tmp/out"

check "an echo has the type of its answer, too" grep -qE '"icmp_type":8,"icmp_code":0,"response_icmp_type":0,"response_icmp_code":0,' "$tmp/ping"
label 0 "$data/http.pcap"
check "TCP has the flags of both sides" grep -qE '\},"tcp":\{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","fin":true,"syn":true,"psh":true,"ack":true\},"ndpi"' "$tmp/out"
check "and nothing else has" test "$(grep -c '"tcp":' "$tmp/out")" = "$(grep -c '"proto":"TCP"' "$tmp/out")"

check "the table is printed" label 0 -o table "$data/dns.pcap"
check "its first line names the columns" grep -qE '^start +source +destination +proto' "$tmp/out"
check "a filter that nothing passes gives no line" label 0 -f 'tcp port 1' "$data/dns.pcap"
check "and nothing is printed" lines 0
check "a filter that is none fails" label 2 -f 'no such filter' "$data/dns.pcap"
check "a missing file fails" label 1 "$tmp/none.pcap"
check "an unknown form is a mistake" label 2 -o xml "$data/dns.pcap"

printf 'no capture' >"$tmp/text.pcap"
check "what is no capture fails" label 1 "$tmp/text.pcap" "$data/dns.pcap"
check "and the rest is labelled" grep -q '"protocol":"DNS"' "$tmp/out"
check "--skip-bad goes on behind it" label 0 --skip-bad "$tmp/text.pcap" "$data/dns.pcap"
check "and prints the rest" grep -q '"protocol":"DNS"' "$tmp/out"

size=$(wc -c <"$data/dns.pcap")
head -c $((size - 5)) "$data/dns.pcap" >"$tmp/cut.pcap"
check "a capture that breaks off fails" label 1 "$tmp/cut.pcap"
check "what was read of it is printed" grep -q '"protocol":"DNS"' "$tmp/out"
check "with a warning" grep -q warning "$tmp/err"

# One Ethernet frame of 60 bytes, LLDP: header of the file, header of the record, the frame.
{
    printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00'
    printf '\x00\x00\x00\x00\x01\x00\x00\x00\x3c\x00\x00\x00\x3c\x00\x00\x00'
    printf '\x01\x80\xc2\x00\x00\x0e\x02\x00\x00\x00\x00\x01\x88\xcc'
    head -c 46 /dev/zero
} >"$tmp/lldp.pcap"
check "a flow that is not IP is labelled" label 0 "$tmp/lldp.pcap"
check "it is one line" lines 1
check "with link addresses and the ethertype's name" grep -q '"ether":{"src_mac":"02:00:00:00:00:01","dest_mac":"01:80:c2:00:00:0e"},"proto":"LLDP"' "$tmp/out"
check "and without a verdict" test "$(grep -c ndpi "$tmp/out")" -eq 0
check "its time has microseconds" grep -q '"timestamp":"1970-01-01T00:00:00.000001+0000"' "$tmp/out"

if command -v zip >/dev/null; then
    (cd "$data" && zip -q -P infected "$tmp/sample.zip" dns.pcap)
    check "an encrypted archive is an error" label 1 "$tmp/sample.zip"
    check "which says what is missing" grep -q 'sample.zip:dns.pcap: it is encrypted, and no password was given (--password' "$tmp/err"
    check "with its password it is read" label 0 --password=infected "$tmp/sample.zip"
    check "and has its flows" lines "$("$ws" label "$data/dns.pcap" 2>/dev/null | wc -l)"
    check "an empty password is a mistake" label 2 --password= "$tmp/sample.zip"
else
    skip "an encrypted archive is read with its password" "no zip here"
fi

rc=0
"$ws" label "$data/dns.pcap" >/dev/full 2>/dev/null </dev/null || rc=$?
check "a full disk is an error" test "$rc" -eq 1
echo "1..$n"
exit $bad

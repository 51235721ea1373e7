#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# live.sh: tag on a veth link between two network namespaces of its own, at the sender's limit, beside a bare libpcap loop and
# ndpiReader; then in a flood of SYNs and with many flows that stay open, while real flows go on. Needs root and tcpreplay.
# BENCH_CORPUS: captures that the traffic is made of (tests/data); BENCH_BYTES: its size (200M); BENCH_SECONDS: 60;
# BENCH_RATE: packets a second (0: as fast as it goes); BENCH_MODEL; BENCH_FLOOD: flows of the flood (1000000).
set -uo pipefail
build=${top_builddir:-.} top=${top_srcdir:-.}
corpus=${BENCH_CORPUS:-$top/tests/data} bytes=${BENCH_BYTES:-200M} seconds=${BENCH_SECONDS:-60}
model=${BENCH_MODEL:-$top/models/flows.safetensors} rate=${BENCH_RATE:-0} flood=${BENCH_FLOOD:-1000000}
a=wirespeak-bench-a$$ b=wirespeak-bench-b$$
tmp=$(mktemp -d)
# shellcheck disable=SC2317 # run by the trap
clean() {
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null
    ip netns del "$a" 2>/dev/null
    ip netns del "$b" 2>/dev/null
    rm -rf "$tmp"
}
trap clean EXIT

command -v tcpreplay >/dev/null || {
    echo "live.sh: tcpreplay is not installed: left out"
    exit 0
}
if ! ip netns add "$a" 2>/dev/null || ! ip netns add "$b" 2>/dev/null ||
    ! ip link add va netns "$a" type veth peer name vb netns "$b" 2>/dev/null; then
    echo "live.sh: network namespaces are not permitted here: left out"
    exit 0
fi
for side in "$a va" "$b vb"; do
    ns=${side% *} dev=${side#* }
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip -n "$ns" link set "$dev" mtu 65535 up
done
"$build/bench_replicate" "$tmp/mix.pcap" "$bytes" 1 "$corpus" 2>/dev/null
"$build/wirespeak" version >/dev/null # libtool's wrapper makes the program on its first run

# send SECONDS CAPTURE: sends it again and again; prints packets sent and a second
send() {
    local how=(-t)
    [ "$rate" = 0 ] || how=(-p "$rate")
    timeout $(($1 + 30)) ip netns exec "$a" tcpreplay -q -K "${how[@]}" --loop 0 --duration "$1" -i va "$2" 2>&1 |
        awk '/^Actual:/ { sent = $2 } /^Rated:/ { rate = $(NF - 1) } END { printf "%d %.0f\n", sent, rate }'
}

# receive NAME COMMAND...: runs it in the other namespace while packets are sent
sent=0 persec=0
receive() {
    local name=$1 pid child
    shift
    ip netns exec "$b" /usr/bin/time -f '%U %S %M' -o "$tmp/time" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
    pid=$!
    sleep 3
    read -r sent persec < <(send "$seconds" "$tmp/mix.pcap")
    if [ "$sent" = 0 ]; then
        echo "live.sh: tcpreplay has sent nothing: nothing is measured" >&2
        exit 1
    fi
    sleep 2
    child=$(pgrep -P "$pid" -x time || echo "$pid")
    # shellcheck disable=SC2046
    kill -TERM $(pgrep -P "$child") 2>/dev/null
    wait "$pid" 2>/dev/null
    read -r user system memory < <(tail -n 1 "$tmp/time")
}

echo "live: $seconds s of a mix over veth, sent by tcpreplay -K; $(nproc) CPUs, which sender and receiver share"
echo
printf '%-14s %10s %9s %10s %10s %8s %8s\n' receiver sent pkt/s received lost 'cpu s' 'peak MB'
receive bare "$build/bench_pcaplive" vb 33554432
read -r got lost <"$tmp/bare.out"
printf '%-14s %10s %9s %10s %10s %8s %8s\n' 'libpcap loop' "$sent" "$persec" "$got" "$lost" "$(echo "$user + $system" | bc)" $((memory / 1024))
if command -v ndpiReader >/dev/null; then
    ndpi_seconds=$((seconds + 5))
    receive ndpi timeout -s INT "$ndpi_seconds" ndpiReader -i vb -s "$ndpi_seconds" -q
    got=$(sed -nE 's/^\s*IP packets:\s+([0-9]+).*/\1/p; s/.*Ethernet bytes.*//p' "$tmp/ndpi.out" | grep . | tail -n 1)
    printf '%-14s %10s %9s %10s %10s %8s %8s  (IP packets only)\n' 'ndpiReader' "$sent" "$persec" "${got:-?}" '?' "$(echo "$user + $system" | bc)" $((memory / 1024))
fi
receive tag "$build/wirespeak" tag -v -m "$model" -i vb -w "$tmp/records"
read -r got lost < <(awk '/packets in/ && / lost: / { for (i = 1; i <= NF; i++) if ($i == "lost:") print $1, $(i + 1) + $(i + 5) + $(i + 8) }' "$tmp/tag.err" | tail -n 1)
printf '%-14s %10s %9s %10s %10s %8s %8s\n' 'wirespeak tag' "$sent" "$persec" "$got" "$lost" "$(echo "$user + $system" | bc)" $((memory / 1024))
sed 's/^/    /' "$tmp/tag.err"

# ---- hard ones: real flows beside them must still be labelled ----

# hard NAME: $tmp/NAME.pcap, as fast as it goes, and DNS flows beside it
hard() {
    local name=$1 pid
    ip netns exec "$b" /usr/bin/time -f '%U %S %M' -o "$tmp/time" "$build/wirespeak" tag -m "$model" -i vb --memory 512Mi -w "$tmp/$name.out" 2>"$tmp/$name.err" &
    pid=$!
    sleep 3
    (for seed in 1 2 3; do
        sleep 1
        ip netns exec "$a" python3 "$top/tests/cli/send.py" va "$tmp/dns$seed.pcap"
    done) &
    timeout 120 ip netns exec "$a" tcpreplay -q -K -t -i va "$tmp/$name.pcap" >/dev/null 2>&1
    wait $!
    sleep 3
    # shellcheck disable=SC2046
    kill -TERM $(pgrep -P "$(pgrep -P "$pid" -x time || echo "$pid")") 2>/dev/null
    wait "$pid" 2>/dev/null
    read -r user system memory < <(tail -n 1 "$tmp/time")
    echo "$name: peak $((memory / 1024)) MB of 512, $(echo "$user + $system" | bc) s of CPU," \
        "$(grep -c '"event_type":"tag".*"label":"DNS"' "$tmp/$name.out") of 27 DNS flows beside it decided as DNS"
    sed 's/^/    /' "$tmp/$name.err"
}
echo
for seed in 1 2 3; do # the same DNS flows, from other hosts each time
    "$build/wirespeak" forge -q --seed $seed -w "$tmp/dns$seed.pcap" "$top/tests/data/dns.pcap"
done
"$build/bench_flood" "$tmp/syn.pcap" syn "$flood"
hard syn
"$build/bench_flood" "$tmp/drip.pcap" drip $((flood / 5)) 6
hard drip

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tokenize.sh: how fast tokenize is beside a bare libpcap loop and ndpiReader on the same capture, and where its time
# goes. BENCH_CORPUS: captures to make the large one of (tests/data); BENCH_BYTES: its size (400M); BENCH_ROUNDS: 5.
set -euo pipefail
build=${top_builddir:-.}
corpus=${BENCH_CORPUS:-${top_srcdir:-.}/tests/data}
bytes=${BENCH_BYTES:-400M} rounds=${BENCH_ROUNDS:-5}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
big=$tmp/big.pcap

"$build/bench_replicate" - "$bytes" 1 "$corpus" >"$big"
"$build/wirespeak" version >/dev/null # libtool's wrapper makes the program on its first run
read -r packets captured <<<"$("$build/bench_pcaploop" "$big")"

runs=(-- "libpcap, 1 MiB buffer" "$build/bench_pcaploop" "$big" 1048576
    -- "tokenize --stats" "$build/wirespeak" tokenize --stats "$big"
    -- "tokenize -w" "$build/wirespeak" tokenize -q -w "$tmp/tokens.npz" "$big")
if command -v ndpiReader >/dev/null; then
    runs+=(-- "ndpiReader -q" ndpiReader -q -i "$big")
else
    echo "ndpiReader is not installed (Debian: libndpi-bin): left out"
fi
echo
echo "tokenize: $packets packets of $captured bytes, $rounds rounds in turns; packets/s and MB/s are of the best round,"
echo "x: times the bare loop, by the clock and by the processor time (which other work on the machine hardly moves)"
echo
"$build/bench_race" "$rounds" -- "libpcap loop" "$build/bench_pcaploop" "$big" "${runs[@]}" >"$tmp/rows"
awk -F '\t' -v packets="$packets" -v bytes="$captured" '
    NR == 1 {
        wall = $2
        cpu = $4
        printf "%-22s %8s %8s %8s %11s %8s %8s %8s %8s\n", "program", "best s", "median s", "cpu s", "packets/s", "MB/s",
            "x wall", "x cpu", "peak MB"
    }
    { printf "%-22s %8.3f %8.3f %8.3f %11.0f %8.0f %8.1f %8.1f %8.1f\n", $1, $2, $3, $4, packets / $2,
        bytes / $2 / 1e6, $2 / wall, $4 / cpu, $5 / 1e3 }' "$tmp/rows"
echo
"$build/bench_stages" "$big" "$rounds"

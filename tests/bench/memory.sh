#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memory.sh: peak memory of tokenize on captures of one, two and four times a size: does it grow with the capture?
# BENCH_CORPUS: captures to make them of (tests/data); BENCH_BYTES: the largest (400M).
set -euo pipefail
build=${top_builddir:-.}
corpus=${BENCH_CORPUS:-${top_srcdir:-.}/tests/data}
largest=$(numfmt --from=si <<<"${BENCH_BYTES:-400M}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
big=$tmp/big.pcap

"$build/wirespeak" version >/dev/null # libtool's wrapper makes the program on its first run
echo
printf '%-22s %11s %10s %8s %8s %16s\n' "program" "capture MB" "packets" "seconds" "peak MB" "bytes per packet"
for part in 4 2 1; do
    "$build/bench_replicate" - $((largest / part)) 1 "$corpus" >"$big" 2>"$tmp/replicate" || {
        cat "$tmp/replicate" >&2
        exit 1
    }
    read -r packets _ <<<"$("$build/bench_pcaploop" "$big")"
    "$build/bench_race" 1 -- "libpcap loop" "$build/bench_pcaploop" "$big" \
        -- "tokenize --stats" "$build/wirespeak" tokenize --stats "$big" \
        -- "tokenize -w" "$build/wirespeak" tokenize -q -w "$tmp/tokens.npz" "$big" >"$tmp/rows"
    awk -F '\t' -v packets="$packets" -v size="$(wc -c <"$big")" '
        { printf "%-22s %11.1f %10d %8.3f %8.1f %16.1f\n", $1, size / 1e6, packets, $2, $5 / 1e3, $5 * 1024 / packets }
    ' "$tmp/rows"
done

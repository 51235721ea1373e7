#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# classify.sh: from capture to labels, beside ndpiReader, a pipeline in Python with PyTorch and a bare libpcap loop on the same file in the
# same run; and its peak memory.
# BENCH_MODEL: the model (models/flows.safetensors); BENCH_CORPUS: captures to make the large one of (tests/data); BENCH_BYTES: its size
# (50M); BENCH_ROUNDS: 3.
set -euo pipefail
build=${top_builddir:-.} top=${top_srcdir:-.}
model=${BENCH_MODEL:-$top/models/flows.safetensors}
corpus=${BENCH_CORPUS:-$top/tests/data}
bytes=${BENCH_BYTES:-50M} rounds=${BENCH_ROUNDS:-3}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
big=$tmp/big.pcap

"$build/bench_replicate" - "$bytes" 1 "$corpus" >"$big"
"$build/wirespeak" version >/dev/null # libtool's wrapper makes the program on its first run
read -r packets captured <<<"$("$build/bench_pcaploop" "$big")"
ws=("$build/wirespeak" classify -q -m "$model")
flows=$("${ws[@]}" --summary -o csv "$big" | awk -F, 'NR > 1 { n += $3 } END { print n }')
padded=0
runs=(-- "classify --summary" "${ws[@]}" --summary "$big"
    -- "classify -o jsonl" "${ws[@]}" -o jsonl "$big"
    -- "classify, one thread" "${ws[@]}" --threads 1 --summary "$big"
    -- "half of the flows" "${ws[@]}" --shard 1/2 --summary "$big")
if command -v ndpiReader >/dev/null; then
    runs+=(-- "ndpiReader -q" ndpiReader -q -i "$big")
else
    echo "ndpiReader is not installed (Debian: libndpi-bin): left out"
fi
python=(/usr/bin/python3 "$top/tests/bench/python_pipeline.py")
if /usr/bin/python3 -c 'import dpkt, torch, numpy' 2>/dev/null; then
    runs+=(-- "Python, features alone" "${python[@]}" --features "$model" "$big"
        -- "Python and PyTorch" "${python[@]}" "$model" "$big")
    # once, and on a small capture: it takes a minute for ten megabytes
    "$build/bench_replicate" - 5M 1 "$corpus" >"$tmp/small.pcap"
    read -r few _ <<<"$("$build/bench_pcaploop" "$tmp/small.pcap")"
    padded=$("$build/bench_race" 1 -- "padded" "${python[@]}" --padded "$model" "$tmp/small.pcap" | awk -F '\t' -v n="$few" '{ print n / $2 }')
else
    echo "python3-dpkt, python3-torch or python3-numpy is not installed: the pipeline in Python is left out"
fi
echo
echo "classify: $packets packets of $captured bytes, $flows flows, $rounds rounds in turns on $(nproc) CPUs; rates are of the best round"
echo
"$build/bench_race" "$rounds" -- "libpcap loop" "$build/bench_pcaploop" "$big" "${runs[@]}" >"$tmp/rows"
awk -F '\t' -v packets="$packets" -v bytes="$captured" -v flows="$flows" -v padded="$padded" '
    NR == 1 {
        cpu = $4
        printf "%-22s %8s %8s %8s %11s %9s %8s %8s %8s\n", "program", "best s", "median s", "cpu s", "packets/s", "flows/s",
            "MB/s", "x cpu", "peak MB"
    }
    { printf "%-22s %8.3f %8.3f %8.3f %11.0f %9.0f %8.1f %8.1f %8.1f\n", $1, $2, $3, $4, packets / $2, flows / $2,
        bytes / $2 / 1e6, $4 / cpu, $5 / 1e3 }
    $1 == "classify --summary" { ours = $2 }
    $1 == "Python and PyTorch" {
        printf "\nclassify --summary is %.1f times as fast as Python and PyTorch, and %.1f times as fast as such pipelines are mostly written\n", $2 / ours, packets / ours / padded
        printf "(padded, nothing tuned: %.0f packets a second, of a capture of 5 MB)\n", padded
    }' "$tmp/rows"

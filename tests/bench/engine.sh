#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# engine.sh: training and inference beside the machine's own peak and beside PyTorch, and classify from capture to label.
# BENCH_MODEL: the model (models/generator.safetensors, which has all stacks); BENCH_CLASSIFIER: that of classify
# (models/flows.safetensors); BENCH_CORPUS: captures to make the large one of (tests/data);
# BENCH_SECONDS: of each measurement (5); BENCH_LONG: packets of the long flow (1000000).
set -euo pipefail
build=${top_builddir:-.} top=${top_srcdir:-.}
model=${BENCH_MODEL:-$top/models/generator.safetensors}
classifier=${BENCH_CLASSIFIER:-$top/models/flows.safetensors}
corpus=${BENCH_CORPUS:-$top/tests/data}
seconds=${BENCH_SECONDS:-5} long=${BENCH_LONG:-1000000}
python=${PYTHON_TORCH:-/usr/bin/python3}
cores=$(nproc)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ws=$build/wirespeak

"$ws" generate -q -n 150 --seed 1 -m "$model" -w "$tmp/flows.pcap"
"$ws" tokenize -q --drop-residuals --max-packets 24 -w "$tmp/flows.npz" "$tmp/flows.pcap"

echo
echo "engine: $(basename "$model") on generated flows; share: of oneDNN's own product of 512 x 512 x 512, by processor time"
echo
: >"$tmp/rows"
for dtype in f32 bf16; do
    for threads in $(printf '1\n%s\n' "$cores" | sort -un); do
        "$build/bench_engine" speed $dtype "$threads" "$seconds" "$model" "$tmp/flows.npz" >>"$tmp/rows" || [ $? = 77 ]
        "$python" "$top/tests/bench/torch_peer.py" --threads "$threads" --dtype $dtype --seconds "$seconds" "$model" \
            "$tmp/flows.npz" >>"$tmp/rows" || [ $? = 77 ]
    done
done
for threads in $(printf '1\n%s\n' "$cores" | sort -un); do # its peer has none that is as plain
    "$build/bench_engine" speed int8 "$threads" "$seconds" "$model" "$tmp/flows.npz" >>"$tmp/rows" || [ $? = 77 ]
done
# the figures of the tuned and of the plain peer, which is what a careful user writes, are those of the better of two ways: one process or many
awk -F '\t' '
    $1 == "engine" && $2 == "gemm 512" { peak[$3, $4] = $7; next }
    $1 == "engine" { n++; what[n] = $2; threads[n] = $3; type[n] = $4; rate[n] = $5; cpu[n] = $6; share[n] = $8 }
    $1 == "torch" { k = $3 SUBSEP $4 SUBSEP $5; if ($2 == "as-found") found[k] = $6
        else if ($2 ~ /^plain/) { if ($6 > plain[k]) plain[k] = $6 } else if ($6 > tuned[k]) tuned[k] = $6 }
    function ratio(a, b) { return b > 0 ? sprintf("%.2f", a / b) : "-" }
    END {
        printf "%-6s %7s %5s %10s %12s %11s %6s %12s %6s %12s %6s %12s %6s\n", "what", "threads", "type", "tokens/s", "per cpu s",
            "peak GF/s", "share", "torch tuned", "x", "torch plain", "x", "as found", "x"
        for (i = 1; i <= n; i++) {
            k = what[i] SUBSEP threads[i] SUBSEP type[i]
            printf "%-6s %7d %5s %10d %12d %11.1f %6.2f %12s %6s %12s %6s %12s %6s\n", what[i], threads[i], type[i], rate[i], cpu[i],
                peak[threads[i], type[i]], share[i], tuned[k] ? tuned[k] : "-", ratio(rate[i], tuned[k]),
                plain[k] ? plain[k] : "-", ratio(rate[i], plain[k]), found[k] ? found[k] : "-", ratio(rate[i], found[k])
        }
    }' "$tmp/rows"

"$build/bench_replicate" - 20M 1 "$corpus" >"$tmp/big.pcap" 2>/dev/null
# end_to_end NAME ARGUMENT...: flows a second from capture to label, and what sharing spared
end_to_end() {
    local name=$1 start end flows
    shift
    start=$(date +%s.%N)
    "$ws" classify -v -m "$classifier" "$@" "$tmp/big.pcap" >"$tmp/labels" 2>"$tmp/said"
    end=$(date +%s.%N)
    flows=$(($(wc -l <"$tmp/labels") - 1))
    awk -v n="$flows" -v s="$start" -v e="$end" -v name="$name" \
        'BEGIN { printf "%-28s %7d flows, %7.0f flows a second\n", name, n, n / (e - s) }'
    sed 's/^/    /' "$tmp/said"
}
echo
echo "classify: capture to label on $cores cores, of $(basename "$corpus") replicated"
end_to_end "all packets"
end_to_end "all packets, one thread" --threads 1
end_to_end "a flood of TCP SYN" -f 'tcp[tcpflags] == tcp-syn'
echo
"$build/bench_engine" states 100000 "$model"
"$build/bench_engine" long "$long" "$model"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# valid.sh: what tshark finds wrong with generated packets: MODEL at several temperatures and a model of nearly random
# weights, and with real ones: [MODEL [CAPTURE...]]. PACKETS (100000), TEMPERATURES ("0.7 1.0 1.5"), WIRESPEAK as variables.
# Each line of the table is a message of tshark's expert information from "warning" on, with how often it came.
set -euo pipefail
model=${1:-${top_srcdir:-.}/models/generator.safetensors}
shift $(($# ? 1 : 0))
ws=${WIRESPEAK:-${top_builddir:-.}/wirespeak}
command -v tshark >/dev/null || {
    echo "valid.sh: tshark is not installed: left out"
    exit 0
}
packets=${PACKETS:-100000}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sums=(-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE)

# look NAME: a line "malformed checksums" and the counted messages of the capture on standard input.
look() {
    tshark -r - -n "${sums[@]}" -T fields -E separator=/t -E aggregator=\; -e frame.number -e _ws.malformed \
        -e ip.checksum.status -e tcp.checksum.status -e udp.checksum.status -e icmp.checksum.status -e icmpv6.checksum.status -e igmp.checksum.status \
        -e _ws.expert.severity -e _ws.expert.message 2>/dev/null |
        awk -F '\t' -v name="$1" '
            { packets++; malformed += $2 != "" }
            { for (i = 3; i <= 8; i++) if ($i ~ /(^|;)0(;|$)/) { checksums++; break } }
            { n = split($9, severity, ";"); m = split($10, message, ";")
              for (i = 1; i <= n && n == m; i++)
                  if (severity[i] >= 6291456) { gsub(/[0-9]+/, "N", message[i]); count[message[i]]++ } }
            END {
                printf "%s\t0\tpackets\t%d\n%s\t1\tmalformed\t%d\n%s\t2\tbad checksums\t%d\n", name, packets, name, malformed, name, checksums
                for (k in count) printf "%s\t3\t%s\t%d\n", name, k, count[k]
            }'
}

"$ws" tokenize -q -w "$tmp/some.npz" "$here/../data/dns.pcap"
"$ws" train -q --config tiny --epochs 0.01 --seed 5 -w "$tmp/random.safetensors" "$tmp/some.npz"
{
    for t in ${TEMPERATURES:-0.7 1.0 1.5}; do
        "$ws" generate -q -m "$model" --temperature "$t" --packets "$packets" --seed 1 -w - | look "T=$t"
    done
    "$ws" generate -q -m "$tmp/random.safetensors" --packets "$packets" --seed 1 -w - | look random
    for f in "$@"; do look real <"$f"; done
} | awk -F '\t' '
    !($1 in column) { column[$1] = ++columns; head[columns] = $1 }
    { key = $2 FS $3; if (!(key in row)) { row[key] = ++rows; name[rows] = $3; rank[rows] = $2 } value[row[key], column[$1]] += $4 }
    END {
        printf "%-72s", "tshark says"; for (c = 1; c <= columns; c++) printf " %8s", head[c]; print ""
        for (k = 0; k < 4; k++)
            for (r = 1; r <= rows; r++)
                if (rank[r] == k) { printf "%-72s", substr(name[r], 1, 72); for (c = 1; c <= columns; c++) printf " %8d", value[r, c]; print "" }
    }'

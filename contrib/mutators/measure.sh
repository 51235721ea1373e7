#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# measure.sh TARGETS WORK [CAPTURES]: the figures of README.md, with the programs that targets.sh has built in TARGETS, in the new folder
# WORK: of AFL++ with the mutator and without it (WORK/afl.*); or, with a folder of real captures, of real and generated inputs
# (WORK/seeds.*). WIRESPEAK, MODEL and LIBRARY say which program, model and plug-in.
set -euo pipefail

[ $# = 2 ] || [ $# = 3 ] || {
    echo "usage: $0 TARGETS WORK [CAPTURES]" >&2
    exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
targets=$(cd "$1" && pwd)
captures=${3:+$(cd "$3" && pwd)}
ws=${WIRESPEAK:-$here/../../build/wirespeak}
model=${MODEL:-$here/../../models/generator.safetensors}
library=${LIBRARY:-$here/../../build/.libs/wirespeak-afl.so}
mkdir "$2"
cd "$2"

# corpus FOLDER SEED FLOWS FILES OPTION... : seeds of the generator
corpus() { "$ws" generate -q -m "$model" --seed "$2" -n "$3" --fuzz 0.5 --corpus "$1" --files "$4" "${@:5}"; }
compare() { python3 "$here/compare.py" "$@"; }

dns=(--label DNS --label MDNS --label LLMNR --as payload)
snmp=(--label SNMP --as payload)
if [ -z "$captures" ]; then
    corpus in-pcap 0 2000 60 --label 'protocol:*'
    corpus in-dns 0 2000 60 "${dns[@]}"
    corpus in-snmp 0 2000 60 "${snmp[@]}"
    # afl NAME SEEDS INPUT SECONDS PROGRAM...
    afl() { compare afl --library "$library" --seeds "$2" --input "$3" --cpu "$4" -- "$targets/$5" "${@:6}" >"afl.$1"; }
    afl tcpdump in-pcap pcap 10 tcpdump -nvvvr @@
    afl ndpi in-pcap pcap 10 ndpi @@
    afl ldns in-dns udp:53 10 ldns @@
    afl net-snmp in-snmp udp:161 10 net-snmp @@
    afl ldns-30 in-dns udp:53 30 ldns @@
    exit 0
fi
compare real --captures "$captures" --to real-pcap >/dev/null
compare real --captures "$captures" --to real-dns --each 6 --ports 53,5353,5355 >/dev/null
compare real --captures "$captures" --to real-snmp --each 12 --ports 161,162 >/dev/null
for seed in 1 2 3 4 5; do
    corpus "pcap$seed" $seed 4000 200 --label 'protocol:*'
    corpus "dns$seed" $seed 4000 150 "${dns[@]}"
    corpus "snmp$seed" $seed 2000 80 "${snmp[@]}"
done
# seeds NAME KIND FILES SKIP PROGRAM...: real ones, mutated ones, generated ones
seeds()
{
    compare seeds -n "$3" --skip "$4" --real "real-$2" --generated "$2"1 --generated "$2"2 --generated "$2"3 --generated "$2"4 \
        --generated "$2"5 -- "$targets/$5" "${@:6}" >"seeds.$1"
}
seeds tcpdump pcap 200 40 tcpdump -nvvvr @@
seeds ndpi pcap 200 40 ndpi @@
seeds ldns dns 150 0 ldns @@
seeds net-snmp snmp 80 0 net-snmp @@

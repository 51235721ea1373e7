#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS FOLDER TARGET...: runs each libFuzzer target of the current folder; seeds are in seeds/TARGET and FOLDER/corpus/TARGET.
set -u

seconds=$1 folder=$2
shift 2
[ $# -gt 0 ] || {
    echo "no fuzz targets in tests/fuzz"
    exit 0
}
bad=0
for t in "$@"; do
    work=corpus/$t
    mkdir -p "$work"
    dirs=("$work")
    for d in "seeds/$t" "$folder/corpus/$t"; do
        [ -d "$d" ] && dirs+=("$d")
    done
    if "./$t" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$t-" "${dirs[@]}" >"$t.log" 2>&1; then
        echo "$t: $(sed -n 's/^stat::number_of_executed_units: *//p' "$t.log") runs in $seconds s, no fault"
    else
        bad=1
        echo "$t: FAULT; the input is kept beside $PWD/$t.log, to become a test:"
        grep -E -m 3 'ERROR|SUMMARY|runtime error|Test unit' "$t.log" || tail -n 20 "$t.log"
    fi
done
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_train_mpi.sh: training with several processes: the same model as with one, byte for byte, and the same log.
set -u
build=${top_builddir:-.}
if ! grep -q '^#define WSPI_MPI 1' "$build/config.h"; then
    echo "training with MPI: this build has none (configure --with-mpi)"
    exit 77
fi
if ! command -v mpirun >/dev/null; then
    echo "training with MPI: there is no mpirun (openmpi-bin)"
    exit 77
fi
ws=$build/wirespeak
data=${top_srcdir:-.}/tests/data
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
bad=0 n=0

result() {
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2" && bad=1; fi
}

python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
make_set() { "$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$@"; }
make_set "$tmp/train.npz" "$data"/{dns,http,tls}.pcap && make_set "$tmp/val.npz" "$data"/{dns,ssh,ntp,redis,snmp}.pcap
result $? "two sets"

# Three batches a step do not divide among two processes; windows, late starts, dropout, validation and the best weights are in it.
train=("$ws" train -q --config tiny --epochs 80 --batch-tokens 300 --accumulate 3 --lr 0.01 --dropout 0.1 --bptt 5 --skip 0.3 --val "$tmp/val.npz" --val-every 5
    --patience 50 --best-by f1)
processes() { timeout 250 mpirun -n "$1" --oversubscribe --bind-to none "${@:2}" </dev/null; }

"${train[@]}" --log "$tmp/1.log" -w "$tmp/1.safetensors" "$tmp/train.npz"
result $? "one process"
for p in 1 2 3; do
    processes $p "${train[@]}" --mpi --log "$tmp/$p.mpi.log" -w "$tmp/$p.mpi" "$tmp/train.npz" && cmp "$tmp/1.safetensors" "$tmp/$p.mpi"
    result $? "the model of $p under mpirun has the same bytes"
done
python3 - "$tmp"/1.log "$tmp"/*.mpi.log <<'PY'
import json, sys
def rows(path):
    return [{k: v for k, v in json.loads(line).items() if k not in ("seconds", "tokens_per_second")} for line in open(path)]
first, *others = map(rows, sys.argv[1:])
assert len(first) > 20 and len(others) == 3 and all(r == first for r in others)
assert any(r["kind"] == "validation" and r["best"] for r in first)
PY
result $? "and the same log, but for the times"

# begin LOG ARGUMENT...: two processes in the background, $pid is mpirun; comes back when nine steps are in the log
begin() {
    local log=$1
    mpirun -n 2 --oversubscribe --bind-to none "${train[@]}" --mpi --log "$log" -w "$tmp/no" "${@:2}" "$tmp/train.npz" >/dev/null 2>"$tmp/said" </dev/null &
    pid=$!
    for _ in $(seq 1000); do grep -qs '"step":9,' "$log" && break; sleep 0.02; done
}
begin "$tmp/stop.log" --epochs 2000 --checkpoint "$tmp/stop.ckpt"
kill -TERM $pid
wait $pid
grep -q 'stopped by a signal.*--resume' "$tmp/said" && [ -s "$tmp/stop.ckpt" ] && [ ! -e "$tmp/no" ]
result $? "a signal to mpirun ends the run after a checkpoint"
begin "$tmp/kill.log" --checkpoint "$tmp/ckpt" --checkpoint-every 4
pkill -KILL -P $pid # both of them
wait $pid
[ -s "$tmp/ckpt" ] && [ ! -e "$tmp/no" ] && processes 3 "${train[@]}" --mpi --checkpoint "$tmp/ckpt" --resume -w "$tmp/resumed" "$tmp/train.npz" && cmp "$tmp/1.safetensors" "$tmp/resumed"
result $? "what two processes began that were killed, three end with the same bytes"

# fails NAME PATTERN ARGUMENT...: not one process goes on, and one line says why (mpirun adds its own)
fails() {
    local name=$1 pattern=$2
    shift 2
    timeout 250 mpirun --oversubscribe "$@" >/dev/null 2>"$tmp/said" </dev/null
    [ $? = 1 ] && [ "$(grep -c '^wirespeak: ' "$tmp/said")" = 1 ] && grep '^wirespeak: ' "$tmp/said" | grep -q -- "$pattern"
    result $? "$name ($(grep '^wirespeak: ' "$tmp/said"))"
}
all=("${train[@]}" --mpi -w "$tmp/no")
fails "one process without its data" "process 1: .*none.npz: No such file" -n 1 "${all[@]}" "$tmp/train.npz" : -n 1 "${all[@]}" "$tmp/none.npz"
fails "one process with other data" "process 1 has other data" -n 1 "${all[@]}" "$tmp/train.npz" : -n 1 "${all[@]}" "$tmp/val.npz"
fails "one process that does not see the checkpoint" "process 1 stands at step 0 and process 0 at" \
    -n 1 "${all[@]}" --checkpoint "$tmp/ckpt" --resume "$tmp/train.npz" : -n 1 "${all[@]}" --checkpoint "$tmp/other" --resume "$tmp/train.npz"
fails "more processes than batches" "accumulate 4 or more" -n 4 "${all[@]}" "$tmp/train.npz"
fails "a full disk under the log" "/dev/full: the log cannot be written" -n 2 "${all[@]}" --log /dev/full "$tmp/train.npz"
[ ! -e "$tmp/no" ]
result $? "and no model is written"
echo "1..$n"
exit $bad

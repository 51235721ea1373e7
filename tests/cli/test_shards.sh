#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_shards.sh: the examples of contrib for GNU parallel and for Slurm (a controller and a node of its own on this machine): the union of
# the shards is the whole, no flow twice. Skips what is not installed; Slurm needs root.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
contrib=${top_srcdir:-.}/contrib
export WIRESPEAK=$ws
captures=("$data"/{dns,http,tls,ssh,edge-layers}.pcap)
python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "$data"/{dns,http,tls}.pcap &&
    "$ws" train -q --config tiny --epochs 2 --batch-tokens 512 --threads 1 -w "$tmp/m.safetensors" "$tmp/set.npz"
"$ws" classify -q -o jsonl --head all --threads 1 -m "$tmp/m.safetensors" "${captures[@]}" 2>/dev/null | sort >"$tmp/whole"
[ -s "$tmp/whole" ]
result $? "there is a whole"

# is_whole FOLDER N: N parts, which together are the whole
is_whole() {
    [ "$(find "$1" -name 'part-*.jsonl' | wc -l)" = "$2" ] && cat "$1"/part-*.jsonl | sort >"$tmp/union" && cmp -s "$tmp/union" "$tmp/whole"
}

if command -v parallel >/dev/null; then
    HOME=$tmp "$contrib/shards-parallel.sh" 3 "$tmp/m.safetensors" "$tmp/by parallel" "${captures[@]}" 2>/dev/null </dev/null && is_whole "$tmp/by parallel" 3
    result $? "GNU parallel: the union of the shards is the whole"
else
    skip "GNU parallel runs the shards" "GNU parallel is not installed"
fi

pids=()
# shellcheck disable=SC2317 # runs at the end
stop() {
    [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
    [ ${#pids[@]} = 0 ] || wait "${pids[@]}" 2>/dev/null
    rm -rf "$tmp"
}
trap stop EXIT

# A cluster of one: no munge, which would need a service of the system.
start_slurm() {
    local host
    host=$(hostname -s)
    mkdir -p "$tmp/state" "$tmp/spool"
    cat >"$tmp/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation=$tmp/state
SlurmdSpoolDir=$tmp/spool
SlurmctldPidFile=$tmp/ctld.pid
SlurmdPidFile=$tmp/d.pid
SlurmctldLogFile=$tmp/ctld.log
SlurmdLogFile=$tmp/d.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$tmp/slurm.conf
    slurmctld -D >/dev/null 2>&1 &
    pids+=($!)
    slurmd -D >/dev/null 2>&1 &
    pids+=($!)
    for _ in $(seq 40); do
        sinfo -h -t idle -o %D 2>/dev/null | grep -q 1 && return 0
        sleep 0.5
    done
    return 1
}

if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v sbatch >/dev/null; then
    skip "Slurm runs the shards" "Slurm is not installed"
elif [ "$(id -u)" != 0 ]; then
    skip "Slurm runs the shards" "a Slurm of its own needs root"
elif ! start_slurm; then
    skip "Slurm runs the shards" "Slurm does not start here"
else
    timeout 60 sbatch --wait --array=1-3 --cpus-per-task=1 --output="$tmp/%a.log" --export=ALL "$contrib/shards.sbatch" "$tmp/m.safetensors" \
        "$tmp/by slurm" "${captures[@]}" >/dev/null 2>&1 && is_whole "$tmp/by slurm" 3
    result $? "Slurm: the union of the tasks of a job array is the whole"
fi
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_train_log.sh: what a training run tells: its log, its progress, and one line when something fails or stops it.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# fails NAME PATTERN ARGUMENT...: exit status 1, and one line on standard error that has the pattern in it
fails() {
    local name=$1 pattern=$2 rc=0
    shift 2
    "$@" >/dev/null 2>"$tmp/said" </dev/null || rc=$?
    [ "$rc" = 1 ] && [ "$(wc -l <"$tmp/said")" = 1 ] && grep -q -- "$pattern" "$tmp/said"
    result $? "$name (exit $rc: $(head -c 200 "$tmp/said"))"
}

python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
"$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$tmp/set.npz" "$data"/{dns,http,tls,ssh,ntp,redis,snmp}.pcap
train() { "$ws" train --config tiny --epochs 20 --batch-tokens 512 --lr 0.01 --seed 5 "$@" "$tmp/set.npz"; }

train -q --log "$tmp/log" -w "$tmp/a.safetensors" 2>"$tmp/quiet"
[ -s "$tmp/log" ] && [ ! -s "$tmp/quiet" ]
result $? "a quiet run tells its log only"
python3 - "$tmp/log" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
kinds = [r["kind"] for r in rows]
steps = [r for r in rows if r["kind"] == "step"]
assert kinds[0] == "start" and kinds[-1] == "end" and len(steps) == len(rows) - 2 == rows[0]["steps"], kinds
assert [r["step"] for r in steps] == list(range(1, len(steps) + 1))
assert steps[-1]["bits_per_packet"] < steps[0]["bits_per_packet"] / 2, (steps[0], steps[-1])
for r in steps:
    for key in ("loss", "lm_nats_per_token", "grad_norm", "lr", "seconds", "tokens_per_second", "tokens", "packets", "flows", "epoch"):
        assert r[key] >= 0, (key, r)
    # the bits of all packets are the nats of all tokens
    assert abs(r["bits_per_packet"] * r["packets"] * 0.6931471806 - r["lm_nats_per_token"] * r["tokens"]) < 0.01, r
    want = r["lm_nats_per_token"] + r.get("head_loss", 0)
    assert abs(r["loss"] - want) < 1e-5, r
    for h in r["heads"].values():
        assert h["flows"] > 0 and 0 <= h["accuracy"] <= 1 and abs(h["loss"] - r["head_loss"]) < 1e-6, r
assert any(r["heads"] for r in steps) and any(not r["heads"] for r in steps)  # they take turns
PY
result $? "the log has the losses of every step, and they agree with one another"

# Two batches a step: each step has one batch of either kind, with labels and without.
train -q --accumulate 2 --batch-tokens 256 --log "$tmp/two.log" -w "$tmp/two.safetensors"
python3 - "$tmp/log" "$tmp/two.log" <<'PY'
import json, sys
one, two = ([json.loads(line) for line in open(path)] for path in sys.argv[1:])
assert one[0]["steps"] == two[0]["steps"], (one[0], two[0])  # the batches are half as long
def labelled(rows):
    steps = [bool(r["heads"]) for r in rows if r["kind"] == "step"]
    return sum(steps) / len(steps)
assert labelled(one) < 0.6 and labelled(two) > 0.7, (labelled(one), labelled(two))
PY
result $? "batches of a step are counted together"

train -w "$tmp/b.safetensors" 2>"$tmp/said" && [ "$(wc -l <"$tmp/said")" = 1 ] && grep -q 'written to' "$tmp/said"
result $? "without a terminal there is no progress, but a last line"
train --progress -w "$tmp/b.safetensors" 2>"$tmp/said" && grep -qE 'step ([0-9]+)/\1  loss .* bits/packet  .* tokens/s  0:00:00 left' "$tmp/said"
result $? "with --progress there is"

fails "a full disk under the log" "/dev/full: the log cannot be written: No space left" train -q --log /dev/full -w "$tmp/no"
fails "a log in a folder that does not exist" "no/such.log: cannot be written: No such file" train -q --log "$tmp/no/such.log" -w "$tmp/no"
fails "a model in a folder that does not exist" "no/such: cannot be written: No such file" train -q -w "$tmp/no/such"
fails "a model with a folder's name" "$tmp: cannot be written: Is a directory" train -q -w "$tmp"
fails "a checkpoint in a folder that does not exist" "no/ckpt: cannot be written: No such file" train -q --checkpoint "$tmp/no/ckpt" -w "$tmp/no"
# No room for the whole file: a limit on the size of files stands for a full disk.
# shellcheck disable=SC2317 # called through fails
small() { (trap '' XFSZ && ulimit -f 40 && train -q "$@"); }
fails "no room for a checkpoint" "File too large" small --checkpoint "$tmp/ckpt" --checkpoint-every 5 -w "$tmp/no"
fails "no room for the model" "File too large" small -w "$tmp/no"
[ ! -e "$tmp/no" ] && [ ! -e "$tmp/ckpt" ] && [ -z "$(find "$tmp" -name '*.tmp*')" ]
result $? "and no half file is left"

# A signal: a checkpoint, one line, and the run goes on from there to the same end.
stops() {
    local signal=$1 pid rc=0
    rm -f "$tmp/log" "$tmp/s.safetensors"
    # a shell starts its background jobs with SIGINT ignored, and the program leaves that so
    env --default-signal=INT "$ws" train --config tiny --epochs 1000 --batch-tokens 512 --seed 5 --log "$tmp/log" --checkpoint "$tmp/$signal.ckpt" \
        --checkpoint-every 100000 -w "$tmp/s.safetensors" "$tmp/set.npz" 2>"$tmp/said" &
    pid=$!
    for _ in $(seq 1000); do grep -qs '"step":9,' "$tmp/log" && break; sleep 0.02; done
    kill -s "$signal" $pid
    wait $pid || rc=$?
    [ $rc = 1 ] && [ "$(wc -l <"$tmp/said")" = 1 ] && grep -q 'stopped by a signal.*--resume' "$tmp/said" && [ -s "$tmp/$signal.ckpt" ] && [ ! -e "$tmp/s.safetensors" ]
    result $? "SIG$signal ends the run after a checkpoint (exit $rc: $(head -c 200 "$tmp/said"))"
}
stops INT
stops TERM
echo "1..$n"
exit $bad

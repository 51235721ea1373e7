#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_train_val.sh: validation, the best weights, patience; checkpoints: killed at random moments, resumed, refused.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# fails NAME STATUS PATTERN ARGUMENT...: exit status, and one line on standard error that has the pattern in it
fails() {
    local name=$1 status=$2 pattern=$3 rc=0
    shift 3
    "$@" >/dev/null 2>"$tmp/said" </dev/null || rc=$?
    [ "$rc" = "$status" ] && [ "$(wc -l <"$tmp/said")" = 1 ] && grep -q -- "$pattern" "$tmp/said"
    result $? "$name (exit $rc: $(head -c 300 "$tmp/said"))"
}

# Training on few kinds of flows and validation on others: the loss there soon rises again.
python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
make_set() { "$ws" tokenize -q --max-packets 16 --labels "protocol=$tmp/labels.tsv" -w "$@"; }
make_set "$tmp/train.npz" "$data"/{dns,http,tls}.pcap && make_set "$tmp/val.npz" "$data"/{dns,ssh,ntp,redis,snmp}.pcap
result $? "two sets"

options=(-q --config tiny --epochs 60 --batch-tokens 512 --lr 0.01 --lm-weight 0.2 --dropout 0.1 --bptt 5 --val "$tmp/val.npz" --val-every 10 --patience 3 --best-by f1)
train() { "$ws" train "${options[@]}" "$@" "$tmp/train.npz"; }

began=$(date +%s%N)
train --log "$tmp/log" -w "$tmp/a.safetensors"
result $? "a run with validation"
took=$((($(date +%s%N) - began) / 1000000))
"$ws" eval -o json -m "$tmp/a.safetensors" "$tmp/val.npz" >"$tmp/eval.json"
python3 - "$tmp/log" "$tmp/eval.json" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
val = [r for r in rows if r["kind"] == "validation"]
best = None
for i, r in enumerate(val):
    assert r["step"] == 10 * (i + 1), r
    assert r["best"] == (best is None or r["macro_f1"] > best["macro_f1"]), r
    best = r if r["best"] else best
    assert r["best_step"] == best["step"] and r["heads"]["protocol"]["macro_f1"] == r["macro_f1"], r
end = rows[-1]
assert end["kind"] == "end" and end["reason"] == "patience" and end["step"] < end["steps"], end
later = [r for r in val if r["step"] > best["step"]]
assert end["step"] == best["step"] + 30 == val[-1]["step"] and any(r["macro_f1"] != best["macro_f1"] for r in later), end
score = json.load(open(sys.argv[2]))
assert abs(score["macro_f1"] - best["macro_f1"]) < 1e-5 and score["flows"] == best["heads"]["protocol"]["flows"], (score, best)
PY
result $? "the best weights are kept, patience ends the run, eval agrees with the log"

train --best-by loss --log "$tmp/loss.log" -w "$tmp/loss.safetensors"
python3 - "$tmp/loss.log" <<'PY'
import json, sys
rows = list(map(json.loads, open(sys.argv[1])))
assert rows[-1]["kind"] == "end", rows[-1]
val = [r for r in rows if r["kind"] == "validation"]
losses = [r["loss"] for r in val]
assert val[-1]["best_step"] == val[losses.index(min(losses))]["step"] < val[-1]["step"], losses
PY
result $? "the least loss can be the best instead"
train --val-every 0 --patience 0 --best-by loss --log "$tmp/none.log" -w "$tmp/none.safetensors" && ! grep -q '"validation"' "$tmp/none.log" && ! cmp -s "$tmp/a.safetensors" "$tmp/none.safetensors"
result $? "without validations the last weights are written"

# Killed at random moments, again and again: the weights are those of the run that nobody disturbed.
python3 - "$took" "$tmp" "$ws" train "${options[@]}" --checkpoint "$tmp/kill.ckpt" --checkpoint-every 2 --resume --log "$tmp/kill.log" \
    -w "$tmp/kill.safetensors" "$tmp/train.npz" <<'PY'
import json, os, random, subprocess, sys, time
took, tmp, command = int(sys.argv[1]) / 1000, sys.argv[2], sys.argv[3:]
seed = time.time_ns()
rng = random.Random(seed)
kills = 0

def starts_of():
    try:
        return [r["step"] for r in map(json.loads, open(f"{tmp}/kill.log")) if r["kind"] == "start"]
    except FileNotFoundError:
        return []

# Six kills, or more where the machine is so busy that none of them came after a checkpoint.
while True:
    run = subprocess.Popen(command)
    try:
        run.wait(rng.uniform(0.05, 0.6 + kills / 20) * took if kills < 6 or (kills < 30 and max(starts_of(), default=0) == 0) else 300)
        break
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
        kills += 1
starts = starts_of()
print(f"# seed {seed}: {kills} kills, started at steps {starts}")
assert run.returncode == 0 and kills > 0 and max(starts) > 0, (run.returncode, kills, starts)
PY
result $? "a run survives kills at random moments"
cmp "$tmp/a.safetensors" "$tmp/kill.safetensors"
result $? "and gives the same bytes as the run that was not killed"
train --checkpoint "$tmp/kill.ckpt" --resume -w "$tmp/again.safetensors" && cmp "$tmp/a.safetensors" "$tmp/again.safetensors"
result $? "to go on from the end of a run gives its model again"

# What must not be taken up.
refused() { fails "$1" 1 "$2" train --checkpoint "$tmp/kill.ckpt" --resume -w "$tmp/no" "${@:3}"; }
refused "a checkpoint of a run with another rate is refused" 'kill.ckpt: a checkpoint of another run (lr was 0.01.* and is 0.02' --lr 0.02
refused "with another seed" '(seed was 1 and is 2)' --seed 2
refused "with another validation set" '(validation data was .* and is ' --val "$tmp/train.npz"
refused "and begun with another model's weights" '(model to start from was "none" and is ' --init "$tmp/a.safetensors"
refused "of another model" 'kill.ckpt: the checkpoint is of another model (config differs)' --config small
make_set "$tmp/other.npz" "$data"/{http,tls}.pcap
fails "of other data" 1 '(training data was .* and is ' "$ws" train "${options[@]}" --checkpoint "$tmp/kill.ckpt" --resume -w "$tmp/no" "$tmp/other.npz"
# The same flows in other captures: another draw of --per-capture.
moved() { python3 - "$tmp/train.npz" "$1" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    for name in old.namelist():
        data = old.read(name)
        if name == "capture.npy":
            at = 10 + int.from_bytes(data[8:10], "little")
            data = data[:at] + bytes(len(data) - at)
        new.writestr(name, data)
PY
}
drawn() { "$ws" train -q --config tiny --epochs 1 --per-capture 1 --checkpoint "$tmp/drawn.ckpt" -w "$tmp/no.drawn" "$@"; }
moved "$tmp/moved.npz" && drawn "$tmp/train.npz"
result $? "a run that draws by captures"
fails "does not go on with other captures" 1 '(training data was .* and is ' drawn --resume "$tmp/moved.npz"
cp "$tmp/kill.ckpt" "$tmp/whole.ckpt"
python3 - "$tmp/kill.ckpt" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[len(b) // 2] ^= 1
open(sys.argv[1], "wb").write(b)
PY
refused "one bit that turned is found" 'kill.ckpt: damaged: the checksum'
head -c 30000 "$tmp/whole.ckpt" >"$tmp/kill.ckpt"
refused "a checkpoint that is cut" 'kill.ckpt: safetensors: '
cp "$tmp/a.safetensors" "$tmp/kill.ckpt"
refused "a model is no checkpoint" 'kill.ckpt: not a checkpoint: '
echo text >"$tmp/kill.ckpt"
refused "nor is a text" 'kill.ckpt: not a .safetensors file'
[ ! -e "$tmp/no" ]
result $? "and no model is written"

awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = $2 == "DNS" ? "names" : "rest" } { print }' "$tmp/labels.tsv" >"$tmp/kind.tsv"
"$ws" tokenize -q --labels "protocol=$tmp/kind.tsv" -w "$tmp/kind.npz" "$data/dns.pcap"
fails "a validation set with other labels" 1 'other labels than the training set in its column protocol' train --val "$tmp/kind.npz" -w "$tmp/no"
fails "patience without validations" 2 'needs validations' train --val-every 0 -w "$tmp/no"
echo "1..$n"
exit $bad

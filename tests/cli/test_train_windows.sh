#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_train_windows.sh: long flows trained in windows (--bptt): what changes, what does not, memory, going on after a kill.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# Flows of one word each, for two sets; some are of one window, some of many, and one has a window of one packet.
flows() { python3 "${top_srcdir:-.}/tests/cli/flows.py" "$@"; }
flows "$tmp/train.pcap" 1 3 40 9 21 8 60 25 4 33 17 >"$tmp/words.tsv" && flows "$tmp/val.pcap" 2 30 8 41 5 | tail -n +2 >>"$tmp/words.tsv"
for part in train val; do
    "$ws" tokenize -q --max-packets 1000 --labels "word=$tmp/words.tsv" -w "$tmp/$part.npz" "$tmp/$part.pcap"
done
result $? "two sets of long flows"

train() { "$ws" train -q --config tiny --max-packets 1000 --batch-tokens 300 --epochs 30 --lr 0.01 --seed 3 --val "$tmp/val.npz" --val-every 10 "$@" "$tmp/train.npz"; }

same() { train --epochs 8 "$@"; } # equal bytes need no long runs
same --bptt 0 -w "$tmp/whole" && same --bptt 61 -w "$tmp/same" && cmp "$tmp/whole" "$tmp/same"
result $? "flows that fit a window are trained as ever, byte for byte"
more=(--skip 0.5 --token-drop 0.2 --dropout 0.1 --accumulate 3)
same --bptt 0 "${more[@]}" -w "$tmp/whole.more" && same --bptt 61 "${more[@]}" -w "$tmp/same.more" && cmp "$tmp/whole.more" "$tmp/same.more"
result $? "with flows that change and several batches a step, too"
same --bptt 8 -w "$tmp/8" && ! cmp -s "$tmp/8" "$tmp/whole" && same --bptt 8 -w "$tmp/8.again" && cmp "$tmp/8" "$tmp/8.again"
result $? "longer ones in windows, and again with the same bytes"
same --bptt 8 --threads 3 -w "$tmp/3" && same --bptt 8 --threads 3 -w "$tmp/3.again" && cmp "$tmp/3" "$tmp/3.again"
result $? "with several threads as well"

# Nothing is learned at this rate: a validation in windows of any length is one of whole flows.
for packets in 0 1 7 8 16 64; do
    train --epochs 1 --lr 1e-9 --bptt $packets --log "$tmp/frozen.$packets" -w "$tmp/no"
done
python3 - "$tmp" <<'PY'
import json, sys
def last(n):
    return [r for r in map(json.loads, open(f"{sys.argv[1]}/frozen.{n}")) if r["kind"] == "validation"][-1]
whole = last(0)
assert whole["flows"] == 4 and whole["heads"]["word"]["flows"] == 4, whole
for n in (1, 7, 8, 16, 64):
    r = last(n)
    for key in ("loss", "lm_nats_per_token", "bits_per_packet", "head_loss"):
        assert abs(r[key] - whole[key]) < 1e-5 * max(1, whole[key]), (n, key, r[key], whole[key])
    assert all(r[key] == whole[key] for key in ("flows", "packets", "tokens", "macro_f1")), (n, r, whole)
    assert r["heads"]["word"]["flows"] == 4 and r["heads"]["word"]["accuracy"] == whole["heads"]["word"]["accuracy"], (n, r)
PY
result $? "validation in windows has the loss of whole flows"

# Flows end about as often as they do in a run of whole ones.
train --bptt 8 --log "$tmp/8.log" -w "$tmp/no"
python3 - "$tmp/8.log" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
steps = [r for r in rows if r["kind"] == "step"]
assert 240 < sum(r["flows"] for r in steps) < 400, [r["flows"] for r in steps]
val = [r for r in rows if r["kind"] == "validation"]
assert val[-1]["bits_per_packet"] < 0.6 * steps[0]["bits_per_packet"], (val[-1], steps[0])
PY
result $? "flows in windows are read to their ends, and learned"

# Long flows under way, a late start and dropped tokens are all in what a kill leaves.
options=(--bptt 8 --skip 0.5 --token-drop 0.2 --dropout 0.1 --epochs 40)
train "${options[@]}" -w "$tmp/a"
for at in 5 14 23; do
    "$ws" train -q --config tiny --max-packets 1000 --batch-tokens 300 --lr 0.01 --seed 3 --val "$tmp/val.npz" --val-every 10 "${options[@]}" \
        --checkpoint "$tmp/ckpt" --checkpoint-every 1 --resume --log "$tmp/log" -w "$tmp/no" "$tmp/train.npz" &
    pid=$!
    for _ in $(seq 1000); do grep -qs "\"step\":$at," "$tmp/log" && break; sleep 0.01; done
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
done
python3 - "$tmp/ckpt" <<'PY'
import json, struct, sys
b = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", b[:8])[0]
first, last = json.loads(b[8:8 + n])["trainer.extra"]["data_offsets"]
text = b[8 + n + first:8 + n + last].split(b"\0", 1)[0]
rows = json.loads(text)["open"]
assert len(rows) > 1 and all(begin < at < end for _, _, begin, at, end in rows), rows
assert last - first > len(text) + 1, (first, last, len(text))
PY
result $? "a checkpoint has the flows that are between two windows"
train "${options[@]}" --checkpoint "$tmp/ckpt" --resume -w "$tmp/b" && cmp "$tmp/a" "$tmp/b"
result $? "a run that was killed between windows ends with the same bytes"
train "${options[@]}" --checkpoint "$tmp/ckpt" --resume --bptt 9 -w "$tmp/no2" 2>"$tmp/said"
[ $? = 1 ] && grep -q '(bptt was 8.0 and is 9.0)' "$tmp/said"
result $? "and does not go on with other windows"

# A flow of 6,000 packets: the memory of a window, not of the flow.
flows "$tmp/long.pcap" 1 6000 5 >"$tmp/list" && "$ws" tokenize -q --max-packets 10000 -w "$tmp/long.npz" "$tmp/long.pcap"
python3 - "$ws" "$tmp" <<'PY'
import os, subprocess, sys
ws, tmp = sys.argv[1:]
def peak(bptt):
    p = subprocess.Popen([ws, "train", "-q", "--config", "tiny", "--max-packets", "10000", "--epochs", "0.1", "--bptt", str(bptt),
                          "--val", f"{tmp}/long.npz", "-w", f"{tmp}/long", f"{tmp}/long.npz"])
    _, status, usage = os.wait4(p.pid, 0)
    assert status == 0, status
    return usage.ru_maxrss / 1024
windows, whole = peak(256), peak(0)
print(f"# {windows:.0f} MiB in windows of 256 packets, {whole:.0f} MiB whole")
assert windows < whole / 3, (windows, whole)
PY
result $? "the memory is that of a window"
echo "1..$n"
exit $bad

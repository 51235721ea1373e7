#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_bits.sh: what captures take when a model tells their tokens.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

captures=("$data"/{dns,http,ntp}.pcap)
"$ws" tokenize -q --max-packets 24 -w "$tmp/set.npz" "${captures[@]}" &&
    "$ws" train -q --config tiny --epochs 60 --batch-tokens 512 --lr 0.01 --lm-weight 1 --seed 5 -w "$tmp/m.safetensors" "$tmp/set.npz"
result $? "a model learns to speak"
"$ws" tokenize -q --stats --bits -o json -m "$tmp/m.safetensors" "${captures[@]}" >"$tmp/bits.json" &&
    python3 - "$tmp/bits.json" <<'PY'
import json, sys
b = json.load(open(sys.argv[1]))["bits"]
m = b["model"]
assert m["total"] == m["told"] + m["rest"] + m["residuals"] and m["residuals"] == b["order0"]["residuals"], b
assert m["told_tokens"] > m["rest_tokens"] > 0, b
assert m["told"] + m["rest"] < b["order0"]["tokens"] / 2, b  # it knows these flows by heart
assert abs(m["bits_per_packet"] - 8 * m["total"] / b["packets"]) < .01, b
PY
result $? "the tokens that it knows take less than half of what their frequencies make of them"
python3 - "$tmp/set.npz" "$tmp/bits.json" <<'PY'
import json, sys, zipfile, struct
m = json.load(open(sys.argv[2]))["bits"]["model"]
def array(name, kind):
    data = zipfile.ZipFile(sys.argv[1]).read(name + ".npy")
    head = struct.unpack_from("<H", data, 8)[0]
    body = data[10 + head:]
    return struct.unpack(f"<{len(body) // struct.calcsize(kind)}{kind}", body)
flows = len(array("capture", "I"))
# one token more for every flow: where it ends; and for every packet that may have been cut: where its others end
more = m["told_tokens"] + m["rest_tokens"] - len(array("ids", "H"))
assert 0 <= more <= len(array("packet_off", "Q")) and flows > 5, (more, flows)
PY
result $? "no token is left out"
"$ws" tokenize -q --stats --bits -m "$tmp/m.safetensors" "${captures[@]}" | grep -Eq '^ +model +[0-9]+ .*tokens by the model'
result $? "and the table has the row"
python3 "${top_srcdir:-.}/tests/cli/labels.py" "$ws" "$data" >"$tmp/labels.tsv"
"$ws" tokenize -q --labels "protocol=$tmp/labels.tsv" -w "$tmp/labelled.npz" "${captures[@]}" &&
    "$ws" train -q --config tiny --epochs 1 --lm-weight 0 -w "$tmp/mute.safetensors" "$tmp/labelled.npz"
result $? "a model learns to label only"
fails "a model that does not speak" 1 tokenize -q --stats --bits -m "$tmp/mute.safetensors" "$data/dns.pcap"
fails "a model without --bits" 2 tokenize --stats -m "$tmp/m.safetensors" "$data/dns.pcap"
echo "1..$n"
exit $bad

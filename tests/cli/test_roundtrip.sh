#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_roundtrip.sh: tokenize and detokenize through their files, and what they say to damaged input.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

"$ws" tokenize --max-packets 2 -w "$tmp/first.npz" "$data/dns.pcap" 2>&1 | grep -q '^the first 22 of 30 packets of 13 flows' &&
    "$ws" detokenize -w "$tmp/first.pcap" "$tmp/first.npz" 2>&1 | grep -q '^22 packets'
result $? "what --max-packets left out is not told as written"

# fails NAME STATUS ARGUMENT...: one line on stderr, this exit status, and no file left behind in out/
fails() {
    local name=$1 status=$2 rc=0
    shift 2
    mkdir -p "$tmp/out"
    said=$("$ws" "$@" 2>&1 >/dev/null </dev/null) || rc=$?
    [ "$rc" = "$status" ] && is_line "$said" && [ -z "$(ls -A "$tmp/out")" ]
    result $? "$name (exit $rc: $said)"
}

"${top_builddir:-.}/check_corpus" "$tmp" "$data" >"$tmp/corpus.txt"
result $? "every capture of tests/data comes back the same: $(tail -n 1 "$tmp/corpus.txt")"

"$ws" tokenize -q -w "$tmp/a.npz" "$data/http.pcap" && "$ws" detokenize -q -w - "$tmp/a.npz" >"$tmp/a.pcap" &&
    "$ws" tokenize -q -w "$tmp/b.npz" - <"$tmp/a.pcap" && "$ws" detokenize -q -w "$tmp/b.pcap" "$tmp/b.npz" &&
    cmp -s "$tmp/a.pcap" "$tmp/b.pcap"
result $? "pipes work, and a second round trip gives the same bytes"

"$ws" tokenize -q -w "$tmp/c.npz" "$data/http.pcap" && cmp -s "$tmp/a.npz" "$tmp/c.npz"
result $? "the same capture gives the same token file"

python3 - "$tmp/a.npz" <<'PY'
import sys, zipfile, json
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
meta = z.read("meta.npy")
head = 10 + int.from_bytes(meta[8:10], "little")
meta = json.loads(meta[head:])
assert meta["format"] == "wirespeak-tokens-1"
assert len(meta["vocab"]) == len(set(meta["vocab"])) == meta["vocab_size"] and "c2s first" in meta["vocab"]
assert {"ids.npy", "packet_off.npy", "flow_off.npy", "residuals.npy"} <= set(z.namelist())
PY
result $? "the token file is a ZIP of .npy arrays with a JSON description"

"$ws" explain -p everything "$data/dns.pcap" >"$tmp/dns.txt" && grep -q 'dns.flags=query.*dns.qname=' "$tmp/dns.txt" &&
    grep -q 's2c .*dns.flags=answer' "$tmp/dns.txt" && ! grep -q 's2c .*dns.qname=' "$tmp/dns.txt"
result $? "a DNS answer repeats its question, which costs no token"
"$ws" explain -p everything "$data/tls.pcap" >"$tmp/tls.txt" && grep -q 'tls.handshake=client-hello.*tls.cipher=.*tls.ext=groups' "$tmp/tls.txt" &&
    grep -q 's2c .*tls.handshake=server-hello' "$tmp/tls.txt" && ! grep 'tls.record=data' "$tmp/tls.txt" | grep -q "text="
result $? "TLS hellos are fields, application data has no bytes"
"$ws" explain -p everything "$data/ntp.pcap" | grep -q 'app=ntp ntp.mode=v4-client'
result $? "NTP is recognised"

fails "shares of parts are together 1 at most" 2 tokenize --part test --val 0.5 --test 0.6 -w "$tmp/x.npz" "$data/dns.pcap"
fails "a seed without parts" 2 tokenize --seed 3 -w "$tmp/x.npz" "$data/dns.pcap"
for part in train val test; do
    "$ws" split -q --skip-bad --seed 3 "$data" | sed -n "s/^$part\t//p" | sort >"$tmp/split-$part"
    "$ws" tokenize -q --skip-bad --part "$part" --seed 3 -w "$tmp/$part.npz" "$data" 2>"$tmp/err"
    python3 - "$tmp/$part.npz" <<'PY' | sort >"$tmp/captures-$part"
import json, sys, zipfile
meta = zipfile.ZipFile(sys.argv[1]).read("meta.npy")
print("\n".join(json.loads(meta[10 + int.from_bytes(meta[8:10], "little"):])["captures"]))
PY
done
[ "$(cat "$tmp"/split-* | wc -l)" -gt 15 ] && cmp -s "$tmp/split-train" "$tmp/captures-train" &&
    cmp -s "$tmp/split-test" "$tmp/captures-test"
result $? "split names the captures that tokenize --part takes"

"$ws" tokenize --stats -o json "$data/tls.pcap" | python3 -c 'import json,sys; d=json.load(sys.stdin); assert d["packets"] > 0 and d["tokens_per_packet"]["header"] > 0'
result $? "--stats -o json is JSON"

for f in dns http tls redis; do
    "$ws" tokenize -q --stats --bits -o json "$data/$f.pcap" >"$tmp/bits.json" || echo failed
    python3 -m json.tool "$tmp/bits.json" >/dev/null || echo "no JSON"
    "$ws" tokenize -q -w "$tmp/bits.npz" "$data/$f.pcap" && "$ws" detokenize -q -w "$tmp/bits.pcap" "$tmp/bits.npz"
    python3 - "$tmp/bits.json" "$tmp/bits.pcap" <<'PY' || echo "wrong sizes"
import json, shutil, subprocess, sys
d = json.load(open(sys.argv[1]))
b, o = d["bits"], d["bits"]["order0"]
pcap = open(sys.argv[2], "rb").read()
assert b["raw"] == len(pcap) == 24 + 16 * d["packets"] + d["bytes"] and b["packets"] == d["packets"]
assert 0 < o["total"] == o["tokens"] + o["residuals"] < b["raw"]
assert abs(o["token_share"] + o["residual_share"] - 1) < 0.001
assert abs(b["bits_per_packet"]["order0"] - 8 * o["total"] / b["packets"]) < 0.01
for name, level in ("gzip", "-9"), ("xz", "-6"), ("zstd", "-19"):
    if b[name] is not None and shutil.which(name):
        own = len(subprocess.run([name, level, "-c"], input=pcap, stdout=subprocess.PIPE, check=True).stdout)
        assert abs(b[name] - own) <= 16 + own / 50, (name, b[name], own)
PY
done >"$tmp/bits.txt" 2>&1
[ ! -s "$tmp/bits.txt" ]
result $? "--stats --bits gives the sizes that gzip, xz and zstd have: $(tail -n 1 "$tmp/bits.txt")"

gzip -c "$data/tls.pcap" >"$tmp/tls.gz"
"$ws" tokenize -q --stats --bits -o json "$data/tls.pcap" | sed 's/.*"bits"//' >"$tmp/bits-a"
"$ws" tokenize -q --stats --bits -o json - <"$tmp/tls.gz" | sed 's/.*"bits"//' >"$tmp/bits-b"
"$ws" tokenize -q --stats --bits -o json -w "$tmp/bits.npz" "$data/tls.pcap" | sed 's/.*"bits"//' >"$tmp/bits-c"
[ -s "$tmp/bits-a" ] && cmp -s "$tmp/bits-a" "$tmp/bits-b" && cmp -s "$tmp/bits-a" "$tmp/bits-c"
result $? "the container of a capture and writing its tokens change no size"

"$ws" tokenize --stats --bits "$data/tls.pcap" 2>"$tmp/err" | grep -q 'zstd .*level 19' && [ "$(wc -l <"$tmp/err")" = 1 ] &&
    ! "$ws" tokenize --stats -o json "$data/tls.pcap" | grep -q bits
result $? "sizes are in the table when asked for, with a line on stderr, and only then"

! "$ws" explain "$data/http.pcap" | grep -Eq '[^(](ipv4|eth|tcp)\.(src|dst|sport|dport)='
result $? "explain shows no address and no port outside parentheses"

"$ws" label -q -f 'tcp or udp' "$data/dns.pcap" "$data/tls.pcap" | python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    print("flow %d of %s, %d packets" % (o["flow_id"], o["pcap_filename"], o["flow"]["pkts_toserver"] + o["flow"]["pkts_toclient"]))' >"$tmp/labelled"
"$ws" explain -f 'tcp or udp' "$data/dns.pcap" "$data/tls.pcap" | grep '^flow' >"$tmp/explained"
tail -n 1 "$tmp/labelled" >"$tmp/last"
last=$(sed 's/flow \([0-9]*\) .*/\1/' "$tmp/last")
[ -s "$tmp/last" ] && cmp -s "$tmp/labelled" "$tmp/explained" &&
    "$ws" explain -f 'tcp or udp' --flow "$last" "$data/dns.pcap" "$data/tls.pcap" | grep '^flow' | cmp -s - "$tmp/last"
result $? "explain numbers flows as label does, and shows the one that is asked for"
fails "a flow that is not there" 1 explain --flow 99 "$data/dns.pcap"

later='import struct, sys
d = open(sys.argv[1], "rb").read()
out, at = d, 24
while at < len(d):
    sec, frac, caplen, wirelen = struct.unpack("<IIII", d[at:at + 16])
    out += struct.pack("<IIII", sec + 1000, frac, caplen, wirelen) + d[at + 16:at + 16 + caplen]
    at += 16 + caplen
sys.stdout.buffer.write(out)'
mkfifo "$tmp/goes-on"
(python3 -c "$later" "$data/dns.pcap" && exec sleep 60) >"$tmp/goes-on" &
writer=$!
timeout 30 "$ws" explain -c 2 "$tmp/goes-on" >"$tmp/two" && [ "$(grep -c '^flow' "$tmp/two")" = 2 ]
result $? "explain stops after so many flows, also where a pipe goes on"
kill $writer

python3 - "$tmp" <<'PY'
import struct, sys

def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

def interface(linktype):
    return block(1, struct.pack("<HHI", linktype, 0, 0) + struct.pack("<HHB7x", 9, 1, 9))

def udp(i):
    return bytes.fromhex("4500001d%04x0000401100000a0000010a000002%04x003500090000" % (i, 1000 + i % 3)) + b"x"

heads = {1: bytes(12) + b"\x08\x00", 101: b"", 113: struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x800)}
out = {t: open("%s/mixed.%d.pcap" % (sys.argv[1], t), "wb") for t in heads}
for t, f in out.items():
    f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, t))
with open(sys.argv[1] + "/mixed.pcapng", "wb") as f:
    f.write(block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + interface(1) + interface(101))
    for i in range(60):
        if i == 20: # an interface that comes late
            f.write(interface(113))
        t = (1, 101, 113)[i % (2 if i < 20 else 3)]
        p = heads[t] + udp(i)
        ns = 1700000000123456789 + i
        f.write(block(6, struct.pack("<IIIII", (1, 101, 113).index(t), ns >> 32, ns & 0xffffffff, len(p), len(p)) + p + bytes(-len(p) % 4)))
        out[t].write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(p), len(p)) + p)
PY
ok=0
"$ws" tokenize -q -w "$tmp/mixed.npz" - <"$tmp/mixed.pcapng" || ok=1
number=0
for type in 1 101 113; do
    number=$((number + 1))
    "$ws" detokenize -q --capture $number -w "$tmp/again.pcap" "$tmp/mixed.npz" && cmp -s "$tmp/again.pcap" "$tmp/mixed.$type.pcap" || ok=1
done
result $ok "a pcapng file with three link types comes back as a capture of each"
fails "which of them has to be said" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/mixed.npz"
fails "several link types do not fit into one pcap file" 1 forge -q -w "$tmp/out/x.pcap" "$tmp/mixed.pcapng"

: >"$tmp/empty"
printf 'no capture at all' >"$tmp/text"
head -c 300 "$tmp/a.npz" >"$tmp/cut.npz"
fails "a missing capture" 1 tokenize -w "$tmp/out/x.npz" "$tmp/missing.pcap"
fails "an empty capture" 1 tokenize -w "$tmp/out/x.npz" "$tmp/empty"
fails "a file that is no capture" 1 tokenize -w "$tmp/out/x.npz" "$tmp/text"
fails "a folder that does not exist" 1 tokenize -q -w "$tmp/none/x.npz" "$data/http.pcap"
fails "no output named" 2 tokenize "$data/http.pcap"
fails "sizes without --stats" 2 tokenize --bits -w "$tmp/out/x.npz" "$data/http.pcap"
fails "a missing token file" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/missing.npz"
"$ws" tokenize -q --part test --test 0 -w "$tmp/none.npz" "$data/http.pcap"
fails "a token file of no capture" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/none.npz"
[[ $said == *"none.npz holds no capture" ]]
result $? "by its reason"
fails "a cut token file" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/cut.npz"
fails "a token file that is text" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/text"
fails "a full disk" 1 detokenize -w /dev/full "$tmp/a.npz"
mkdir "$tmp/disk"
if mount -t tmpfs -o size=16k none "$tmp/disk" 2>/dev/null; then
    "$ws" tokenize -q -w "$tmp/disk/all.npz" "$data"/*.pcap 2>"$tmp/err"
    [ $? = 1 ] && grep -q 'disk/all.npz: cannot write what it will hold: No space left on device' "$tmp/err" && [ -z "$(ls -A "$tmp/disk")" ]
    result $? "a disk that is full on the way is told with its reason, and holds nothing then"
    umount "$tmp/disk"
else
    skip "a disk that is full on the way is told with its reason, and holds nothing then" "no mount here"
fi
fails "an unknown policy" 2 explain --policy nonsense "$data/http.pcap"

"$ws" tokenize -q --drop-residuals -w "$tmp/d.npz" "$data/http.pcap"
fails "a token file without residuals" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/d.npz"
"$ws" tokenize -q --drop-residuals -w "$tmp/two.npz" "$data/http.pcap" "$data/dns.pcap"
fails "which is said before a capture of it is asked for" 1 detokenize -w "$tmp/out/x.pcap" "$tmp/two.npz"
[[ $said == *"without residuals"* ]]
result $? "by its reason"
"$ws" tokenize --policy sizes-only -w "$tmp/sizes.npz" "$data/http.pcap" 2>"$tmp/err" && python3 - "$tmp" <<'PY'
import re, sys, zipfile
z = zipfile.ZipFile(f"{sys.argv[1]}/sizes.npz")
def length(name):
    head = z.read(name)[:128].decode("latin1")
    return int(re.search(r"'shape': \((\d+),\)", head).group(1))
said = re.search(r"^(\d+) packets of .*, ([0-9.]+) tokens per packet.*without residuals", open(f"{sys.argv[1]}/err").read())
assert said and abs(float(said.group(2)) - length("ids.npy") / int(said.group(1))) < 0.006, said
PY
result $? "what a policy leaves is counted, and that residuals are not there"

rc=0
"$ws" tokenize -q -w "$tmp/e.npz" "$data/edge-cut.pcap" 2>"$tmp/e.txt" || rc=$?
[ "$rc" = 1 ] && [ -s "$tmp/e.npz" ] && [ "$(wc -l <"$tmp/e.txt")" = 1 ]
result $? "a capture that breaks off is kept up to there, with one line and exit 1"

echo "1..$n"
exit $bad

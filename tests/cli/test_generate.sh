#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_generate.sh: generated captures are the same for a seed, come back through tokens, and are valid to tshark, also
# from a model that has learned nothing; info says what is in files.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
model=$top_srcdir/models/generator.safetensors

"$ws" tokenize -q -w "$tmp/some.npz" "$data/dns.pcap" &&
    "$ws" train -q --config tiny --epochs 0.01 --seed 5 -w "$tmp/random.safetensors" "$tmp/some.npz"
result $? "a model of nearly random weights"

generate() {
    case " $* " in *" -n "* | *" --packets "* | *" --like "*) "$ws" generate -q "$@" ;; *) "$ws" generate -q -n 40 "$@" ;; esac
}
generate -m "$model" --seed 3 -w "$tmp/a.pcap" && generate -m "$model" --seed 3 -w "$tmp/b.pcap" &&
    generate -m "$model" --seed 4 -w "$tmp/c.pcap"
result $? "generate writes captures"
cmp -s "$tmp/a.pcap" "$tmp/b.pcap"
result $? "the same seed gives the same capture"
! cmp -s "$tmp/a.pcap" "$tmp/c.pcap"
result $? "another seed gives another"
generate -m "$tmp/random.safetensors" -n 90 --seed 3 --threads 1 -w "$tmp/t1.pcap" &&
    generate -m "$tmp/random.safetensors" -n 90 --seed 3 --threads 4 -w "$tmp/t4.pcap" && cmp -s "$tmp/t1.pcap" "$tmp/t4.pcap"
result $? "any number of threads gives the same capture"
"$ws" tokenize -q -w "$tmp/a.npz" "$tmp/a.pcap" && "$ws" detokenize -q -w "$tmp/back.pcap" "$tmp/a.npz" &&
    cmp -s "$tmp/a.pcap" "$tmp/back.pcap"
result $? "a generated capture comes back through tokens"
generate -m "$tmp/random.safetensors" --seed 9 -w "$tmp/r.pcap"
result $? "random weights generate too"
generate -m "$model" --label DNS --temperature 0.7 --top-k 50 --top-p 0.95 --clients 192.168.7.0/24 -w - |
    "$ws" label -q - | python3 -c '
import json, sys
flows = [json.loads(line) for line in sys.stdin]
assert len(flows) >= 30, len(flows)
assert all(f["src_ip"].startswith(("192.168.7.", "2001:db8:")) for f in flows if "src_ip" in f and "." in f["src_ip"])
dns = sum(f["dest_port"] == 53 for f in flows if "dest_port" in f)
assert dns > len(flows) / 2, (dns, len(flows))
'
result $? "a label is followed, and clients are of the network that was given"
generate -m "$model" --label protocol:MQTT --label protocol:SMTP -n 150 --seed 5 -w "$tmp/full.pcap" &&
    generate -m "$model" --label protocol:DNS --temperature 2 -n 64 --max-packets 16 --seed 16 -w "$tmp/answers.pcap" && python3 - "$tmp/full.pcap" "$tmp/answers.pcap" <<'PY'
import struct, sys
for name in sys.argv[1:]:
    data, at, longest, full = open(name, "rb").read(), 24, 0, 0
    long = 1000 if "answers" in name else 1400
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        longest, full, at = max(longest, n), full + (n > long), at + 16 + n
    assert longest <= 1514 and full > (0 if "answers" in name else 10), (name, full, longest)
PY
result $? "messages that fill segments, and long answers, are no longer than a packet of Ethernet"
generate -m "$model" --label DNS --label NTP -n 150 --seed 3 --threads 1 -w "$tmp/l1.pcap" &&
    generate -m "$model" --label DNS --label NTP -n 150 --seed 3 --threads 4 -w "$tmp/l4.pcap" && cmp -s "$tmp/l1.pcap" "$tmp/l4.pcap"
result $? "any number of threads gives the same labelled capture"
# share W: how many of 40 flows that shall be NTP go to its port
share() { generate -m "$model" --label NTP --guide "$1" --seed 2 -w - | "$ws" label -q - | grep -c '"dest_port": \?123,'; }
[ "$(share 1)" -ge 32 ] && [ "$(share 1)" -ge "$(share 0)" ]
result $? "guided flows follow their label"
"$ws" generate -m "$model" --label Mosh --label DNS -n 40 --packets 300 -w "$tmp/bytes.pcap" 2>"$tmp/err" && grep -q 'most payloads of Mosh are no messages' "$tmp/err" && ! grep -q DNS "$tmp/err" &&
    "$ws" generate -m "$model" --label protocol:tinc -n 20 --seed 3 -w "$tmp/bytes.pcap" 2>"$tmp/err" && grep -q 'of tinc are no messages but likely bytes: over the transport that was drawn' "$tmp/err"
result $? "labels whose payloads have no grammar are told, others are not"
# Protocols without a grammar have dialogs: named as asked, the same for any number of threads, gone on with behind recorded packets.
named() { "$ws" label -q "$1" | grep -c "\"protocol\": *\"$2\""; }
for label in MySQL WireGuard; do
    for threads in 1 4; do
        generate -m "$model" --label "protocol:$label" -n 20 --seed 6 --threads "$threads" -w "$tmp/$label-$threads.pcap"
    done
done
[ "$(named "$tmp/MySQL-1.pcap" MySQL)" -ge 17 ] && [ "$(named "$tmp/WireGuard-1.pcap" WireGuard)" -ge 17 ] &&
    cmp -s "$tmp/MySQL-1.pcap" "$tmp/MySQL-4.pcap" && cmp -s "$tmp/WireGuard-1.pcap" "$tmp/WireGuard-4.pcap"
result $? "flows of protocols that have a dialog and no grammar are what they shall be"
generate -m "$model" --label protocol:HSRP -n 20 --seed 6 -w "$tmp/hsrp.pcap"
[ "$("$ws" label -q "$tmp/hsrp.pcap" | grep '"src_port": *1985,' | grep '"dest_port": *1985,' | grep -c '"dest_ip": *"224.0.0.2"')" -ge 18 ]
result $? "peers have one port, and speak to the group of their protocol"
generate -m "$model" --label protocol:RTSP --label protocol:LDAP --label protocol:Radius -n 90 --seed 5 -w "$tmp/odd.pcap"
[ $(($(named "$tmp/odd.pcap" RTSP) + $(named "$tmp/odd.pcap" LDAP) + $(named "$tmp/odd.pcap" RADIUS))) -ge 86 ]
result $? "a protocol that is asked for is spoken on ports of none, or has its own"
generate -m "$model" --label category:Mining -n 20 --seed 5 -w "$tmp/kind.pcap" && [ "$("$ws" label -q "$tmp/kind.pcap" | grep -c '"dest_port": *3333,')" -lt 10 ]
result $? "... but a label of another head that is called so is what it was"
generate -m "$model" --from "$tmp/MySQL-1.pcap" --after 6 --seed 7 -w "$tmp/on.pcap" && [ "$(named "$tmp/on.pcap" MySQL)" -ge 15 ]
result $? "... and are gone on with"
if command -v tshark >/dev/null; then
    ! tshark -r "$tmp/MySQL-1.pcap" -Y _ws.malformed 2>/dev/null | grep -q . && ! tshark -r "$tmp/on.pcap" -Y _ws.malformed 2>/dev/null | grep -q .
    result $? "... and tshark finds none malformed"
else
    skip "... and tshark finds none malformed" "tshark is not installed"
fi
generate -m "$model" --label protocol:DNS --label protocol:NTP=2 --seed 8 -w "$tmp/mix.pcap" --asked "$tmp/mix.tsv" &&
    "$ws" label -q "$tmp/mix.pcap" | python3 -c '
import json, sys
rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1])]
assert rows[0] == "path label l4 ip_a port_a ip_b port_b".split()
asked = {(r[3], int(r[4])): r[1] for r in rows[1:]}
assert 20 < len(asked) <= 40 and set(asked.values()) == {"DNS", "NTP"} and all(r[0] == "mix.pcap" for r in rows[1:]), rows
flows = [f for f in map(json.loads, sys.stdin) if f["proto"] in ("TCP", "UDP") and "src_port" in f]
assert all((f["src_ip"], f["src_port"]) in asked or (f["dest_ip"], f["dest_port"]) in asked for f in flows), flows
' "$tmp/mix.tsv"
result $? "flows are listed with what each was to be"
for c in edge-sll edge-raw-ip; do
    generate -m "$model" --from "$data/$c.pcap" --label protocol:DNS -w "$tmp/other.pcap" --asked "$tmp/$c.tsv"
done
[ "$(wc -l <"$tmp/edge-sll.tsv")" -gt 1 ] && [ "$(wc -l <"$tmp/edge-raw-ip.tsv")" -gt 1 ]
result $? "also those that go on with a capture of another link type"
# Requests of DHCP are all from 0.0.0.0 to everybody.
"$ws" generate -q -m "$model" --label protocol:DHCP -n 60 --seed 2 -w "$tmp/dhcp.pcap" --asked "$tmp/dhcp.tsv" &&
    [ "$(grep -c '0\.0\.0\.0' "$tmp/dhcp.tsv")" = 1 ] && [ -z "$(tail -n +2 "$tmp/dhcp.tsv" | sort | uniq -d)" ] && [ "$(wc -l <"$tmp/dhcp.tsv")" -gt 10 ]
result $? "what is one flow to who reads the capture is listed once"
# All labels of the head, and one of them as often as all others together.
labels=$("$ws" info -o json "$model" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["heads"][0]["labels"]))')
generate -m "$model" -n 240 --max-packets 1 --guide 0 --label 'protocol:*' --label "protocol:DNS=$labels" --seed 8 -w "$tmp/every.pcap" --asked "$tmp/every.tsv" &&
    cut -f2 "$tmp/every.tsv" | tail -n +2 | sort | uniq -c | sort -rn >"$tmp/every" &&
    [ "$(wc -l <"$tmp/every")" -gt $((labels / 2)) ] && read -r count name <"$tmp/every" && [ "$name" = DNS ] && [ "$count" -gt 80 ] && [ "$count" -lt 160 ]
result $? "a star is every label of a head"

# flaws CAPTURE: packets that tshark finds malformed, of a wrong length or with a wrong checksum.
flaws() {
    tshark -r "$1" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -Y '_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 || tcp.checksum.status == 0 ||
            udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || igmp.checksum.status == 0' 2>"$tmp/tshark.err"
}
if command -v tshark >/dev/null; then
    printf 'x' | dd of="$tmp/r.pcap" bs=1 seek=70 conv=notrunc status=none # an IPv4 or IPv6 header byte of the first packet
    [ -n "$(flaws "$tmp/r.pcap")" ]
    result $? "tshark sees one damaged byte"
    generate -m "$tmp/random.safetensors" -n 120 --seed 9 -w "$tmp/r.pcap" && [ -z "$(flaws "$tmp/r.pcap")" ]
    result $? "tshark finds nothing bad in 120 flows of random weights"
    generate -m "$model" -n 60 --seed 11 -w "$tmp/m.pcap" && [ -z "$(flaws "$tmp/m.pcap")" ]
    result $? "tshark finds nothing bad in 60 flows of the shipped model"
else
    skip "tshark checks generated captures" "no tshark here"
fi

generate -m "$model" --packets 200 --label TLS=3 --label category:Web -w "$tmp/t1.pcap" --threads 1 &&
    generate -m "$model" --packets 200 --label TLS=3 --label category:Web -w "$tmp/t3.pcap" --threads 3 && cmp -s "$tmp/t1.pcap" "$tmp/t3.pcap" &&
    [ "$("$ws" tokenize -o json --stats "$tmp/t1.pcap" | python3 -c 'import json, sys; print(json.load(sys.stdin)["packets"])')" -eq 200 ]
result $? "exactly so many packets, of a mix of labels, with any number of threads"
best=f32
! generate -m "$model" -n 1 -w "$tmp/int8.pcap" --dtype int8 2>/dev/null || best=int8
generate -m "$model" --packets 200 --label TLS=3 --label category:Web -w "$tmp/best.pcap" --dtype $best && cmp -s "$tmp/t1.pcap" "$tmp/best.pcap" &&
    generate -m "$model" --packets 200 --label TLS=3 --label category:Web -w "$tmp/f32.pcap" --dtype f32 --threads 1 &&
    generate -m "$model" --packets 200 --label TLS=3 --label category:Web -w "$tmp/f32-3.pcap" --dtype f32 --threads 3 && cmp -s "$tmp/f32.pcap" "$tmp/f32-3.pcap"
result $? "products are of bytes where the CPU sums them, or of float32 (here: $best)"
generate -m "$model" -n 30 --clients 2001:db8:77::/64 --servers 203.0.113.9 --client-mac 00:1b:21 --client-ports 3000-3099 -w - |
    "$ws" label -q - | python3 -c '
import json, sys
flows = [json.loads(line) for line in sys.stdin]
ends = [f[side] for f in flows for side in ("src_ip", "dest_ip") if side in f and ":" not in f[side]]
groups = lambda e: 224 <= int(e.split(".")[0]) < 240 or e in ("255.255.255.255", "0.0.0.0") # and who asks for an address
assert len(ends) > 10 and all(e.startswith("10.") or e == "203.0.113.9" or groups(e) for e in ends), ends
own = {67, 68, 123, 137, 546, 547, 5353} # of clients, too
assert all(3000 <= f["src_port"] < 3100 or f["src_port"] in own for f in flows if "src_port" in f)
assert sum(3000 <= f["src_port"] < 3100 for f in flows if "src_port" in f) > 10
'
result $? "hosts and ports are of the pools"

"$ws" tokenize -q -w "$tmp/http.npz" "$data/http.pcap" && "$ws" detokenize -q -w "$tmp/http.pcap" "$tmp/http.npz"
from() { "$ws" generate -q -m "$model" --from "$tmp/http.pcap" "$@"; }
from -w "$tmp/same.pcap" && cmp -s "$tmp/http.pcap" "$tmp/same.pcap"
result $? "flows of a capture that nothing changes are the same bytes"
from --after 4 --seed 3 -w "$tmp/after.pcap" && from --infill 4 --seed 3 -w "$tmp/infill.pcap" &&
    from --new-times --seed 3 -w "$tmp/times.pcap" && from --speed 2 -w "$tmp/speed.pcap" &&
    from --set ipv4.ttl=33 --set 2:tcp.flags=RA --set 4:tcp.cksum=7 -w "$tmp/set.pcap"
result $? "flows of a capture are gone on with, filled in, sent at other times, edited"
"$ws" generate -m "$model" --from "$tmp/http.pcap" --set ipv4.ttl=33 --set vlan.id=5 -w "$tmp/unset.pcap" 2>"$tmp/unset.err" &&
    grep -q 'has the field vlan.id: nothing is set' "$tmp/unset.err" && ! grep -q ipv4.ttl "$tmp/unset.err"
result $? "an edit of a field that no packet has is told"
generate -m "$model" --start 1764300000 -w "$tmp/today.pcap" && "$ws" label -q "$tmp/today.pcap" | head -n 1 | grep -q '"timestamp":"2025-11-28T'
result $? "flows start when they are told to"
python3 - "$tmp" <<'EOF'
import collections, re, struct, sys

def read(name):
    """Flows of TCP over IPv4 by their client's port: lists of (time, packet from the IPv4 header on)."""
    data, at, flows = open(f"{sys.argv[1]}/{name}.pcap", "rb").read(), 24, collections.defaultdict(list)
    while at < len(data):
        s, ns, n = struct.unpack("<3I", data[at:at + 12])
        p, at = data[at + 30:at + 16 + n], at + 16 + n
        if p[0] == 0x45 and p[9] == 6:
            flows[max(struct.unpack(">2H", p[20:24]))].append((s * 10**9 + ns, p))
    return flows

def payload(p):
    return p[20 + (p[32] >> 4) * 4:struct.unpack(">H", p[2:4])[0]]

real, after, infill, times, speed, edited = map(read, ("http", "after", "infill", "times", "speed", "set"))
assert real and all(set(f) == set(real) for f in (after, infill, times, speed, edited))
changed = 0
for port, flow in real.items():
    assert after[port][:4] == flow[:4]
    assert len(infill[port]) == len(flow) and [t for t, _ in infill[port]] == [t for t, _ in flow]
    assert infill[port][:3] == flow[:3]
    # a request that named the host and the agent of the one before still does
    same = lambda p: re.sub(rb"(Host|User-Agent): [^\r]*", b"", payload(p))
    assert all(same(a) == same(b) for (_, a), (_, b) in zip(infill[port][4:], flow[4:]))
    changed += infill[port][3] != flow[3]
    end = {}
    for _, p in infill[port]: # nothing is lost behind the packet that is new
        seq, ack = struct.unpack(">2I", p[24:32])
        assert end.get(p[12:16], seq) == seq
        end[p[12:16]] = seq + len(payload(p)) + (p[33] & 3 != 0) & 0xffffffff
    assert [payload(p) for _, p in times[port]] == [payload(p) for _, p in flow]
    assert [t for t, _ in times[port]] != [t for t, _ in flow]
    span = lambda f: f[port][-1][0] - f[port][0][0]
    assert abs(span(speed) * 2 - span(real)) <= 4
    assert all(p[8] == 33 for _, p in edited[port])
    assert edited[port][1][1][33] == 0x14 and edited[port][3][1][36:38] == b"\0\7"
assert changed
EOF
result $? "what was to stay stays, what follows a change follows it"
# Datagrams of both sides with four bytes behind the IP packet, as of a frame check sequence.
cat >"$tmp/pcap.py" <<'EOF'
import random, struct, sys

def read(name):
    data, at, frames = open(name, "rb").read(), 24, []
    while at < len(data):
        n = struct.unpack("<4I", data[at:at + 16])[2]
        frames.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return frames

def write(name, frames, step=1):
    with open(name, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for k, b in enumerate(frames):
            f.write(struct.pack("<4I", 1000 + k * step, 0, len(b), len(b)) + b)

def packet(d, k, proto, rest, net=10):
    """An Ethernet frame of one IPv4 packet, number k of its flow, from the client (d 0) or the server (1)."""
    ip = struct.pack(">BBHHHBBH4B4B", 0x45, 0, 20 + len(rest), k, 0, 64, proto, 0, net, 0, 0, 1 + d, net, 0, 0, 2 - d)
    s = sum(struct.unpack(">10H", ip))
    ip = ip[:10] + struct.pack(">H", ~((s & 0xffff) + (s >> 16)) & 0xffff) + ip[12:]
    return bytes([2, 0, 0, 0, 0, 2 - d, 2, 0, 0, 0, 0, 1 + d, 8, 0]) + ip + rest

def datagram(d, k, n=40, net=10):
    data = random.Random(k).randbytes(n)
    return packet(d, k, 17, struct.pack(">4H", (50000, 9999)[d], (9999, 50000)[d], 8 + n, 0) + data, net)

def segment(d, k, seq, ack, flags, data=b"", options=b""):
    return packet(d, k, 6, struct.pack(">2H2I2H2H", (50000, 80)[d], (80, 50000)[d], seq, ack, 5 + len(options) // 4 << 12 | flags, 64000, 0, 0) +
                  options + data)
EOF
pcap() { python3 -c "import sys; sys.path.insert(0, '$tmp'); from pcap import *
$1" "$tmp"; }
pcap 'write(sys.argv[1] + "/fcs.pcap", [datagram(k & 1, k) + b"\xde\xad\xbe\xef" for k in range(6)])'
"$ws" generate -q -m "$model" --from "$tmp/fcs.pcap" --infill 1 -w "$tmp/fcs1.pcap" &&
    "$ws" generate -q -m "$model" --from "$tmp/fcs.pcap" --infill 3 -w "$tmp/fcs3.pcap" &&
    "$ws" generate -q -m "$model" --from "$tmp/fcs.pcap" --after 2 -w "$tmp/fcs-after.pcap" && pcap '
real, one, three, after = (read(f"{sys.argv[1]}/{n}.pcap") for n in ("fcs", "fcs1", "fcs3", "fcs-after"))
assert one[1:] == real[1:] and one[0] != real[0]
assert three[:2] + three[3:] == real[:2] + real[3:] and three[2] != real[2]
assert after[:2] == real[:2]
assert all(len(b) <= max(60, 14 + struct.unpack(">H", b[16:18])[0]) for b in after[2:] + one[:1] + three[2:3])
'
result $? "packets with trailers are gone on with by packets without, and stay"
# Packets of three flows, all of one time, in turns.
pcap 'write(sys.argv[1] + "/ties.pcap", [datagram(k // 3 & 1, k, net=(10, 12, 11)[k % 3]) for k in range(12)], 0)'
"$ws" generate -q -m "$model" --from "$tmp/ties.pcap" -w "$tmp/ties-same.pcap" && cmp -s -i 24 "$tmp/ties.pcap" "$tmp/ties-same.pcap" &&
    "$ws" generate -q -m "$model" --from "$tmp/ties.pcap" --infill 2 --seed 3 -w "$tmp/ties-new.pcap" && pcap '
real, new = (read(f"{sys.argv[1]}/{n}.pcap") for n in ("ties", "ties-new"))
assert [b[26:34] for b in new] == [b[26:34] for b in real] and new != real
'
result $? "packets of one time stay in the order of the capture"
# IP in IP, and an error that quotes: the inner addresses are not the outer ones.
pcap '
inner = datagram(0, 1, net=172)[14:]
for name, b in ("ipip", packet(0, 1, 4, inner)), ("quote", packet(1, 1, 1, b"\3\3\0\0\0\0\0\0" + inner)):
    write(f"{sys.argv[1]}/{name}.pcap", [b])
'
for name in ipip quote; do
    "$ws" generate -q -m "$model" --from "$tmp/$name.pcap" --infill 1 -w "$tmp/$name-1.pcap" || break
done && pcap '
for name, at in ("ipip", 46), ("quote", 54):
    (was,), (now,) = (read(f"{sys.argv[1]}/{n}.pcap") for n in (name, name + "-1"))
    assert was != now and now[26:34] == was[26:34] and now[at:at + 8] == was[at:at + 8], (name, was, now)
'
result $? "a packet in a packet that is drawn anew keeps its own addresses"
# A segment is lost: the other side tells by a block that it has the one behind it, before and after a packet of another length.
pcap '
data, n = b"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n", 40
block = b"\1\1\5\12" + struct.pack(">2I", 1001 + 2 * n, 1001 + 3 * n)
write(sys.argv[1] + "/sack.pcap", [segment(0, 1, 1000, 0, 2), segment(1, 1, 5000, 1001, 18), segment(0, 2, 1001, 5001, 16),
    segment(0, 3, 1001, 5001, 24, data), segment(0, 5, 1001 + 2 * n, 5001, 24, data), segment(1, 2, 5001, 1001 + n, 16, b"", block),
    segment(0, 6, 1001 + n, 5001, 24, data), segment(1, 3, 5001, 1001 + 3 * n, 16)])
'
"$ws" generate -q -m "$model" --from "$tmp/sack.pcap" --infill 4 --seed 1 -w "$tmp/sack-4.pcap" && pcap '
real, now = (read(f"{sys.argv[1]}/{n}.pcap") for n in ("sack", "sack-4"))
seq, ack, left, right = (struct.unpack(">I", now[k][at:at + 4])[0] for k, at in ((4, 38), (5, 42), (5, 58), (5, 62)))
assert len(now[3]) != len(real[3]) and seq == left and right - left == 40 and left - ack == 40, (seq, ack, left, right)
'
result $? "blocks that are acknowledged selectively follow moved numbers"
"$ws" generate -q -m "$model" -n 8 --label DNS --clients 10.0.0.0/24 \
    --seed 3 --set udp.len=20 -w "$tmp/short.pcap" && pcap '
seen = 0
for b in read(sys.argv[1] + "/short.pcap"):
    if b[12:14] != b"\x08\0" or b[23] != 17:
        continue
    ip, udp = b[14:34], b[34:]
    assert ip[0] == 0x45 and udp[4:6] == b"\0\24" and len(udp) > 20
    s = sum(struct.unpack(">4H", ip[12:])) + 17 + 20 + sum(struct.unpack(">10H", udp[:20])) # RFC 768: so much is summed
    s = (s & 0xffff) + (s >> 16)
    assert (s & 0xffff) + (s >> 16) == 0xffff, b
    seen += 1
assert seen > 5, seen
'
result $? "checksums are over as much as a length that is set tells"
# A capture that began later than its flow: the server is who has the well-known port, though it is seen first.
pcap '
real = [b for b in read("'"$tmp/http.pcap"'") if b[12:14] == b"\x08\0" and b[23] == 6]
port = lambda b: struct.unpack(">2H", b[34:38])
first = max(port(real[0]))
flow = [b for b in real if first in port(b)]
late = next(k for k, b in enumerate(flow) if port(b)[0] == 80 and b[47] == 0x10) # its acknowledgement of the first request
write(sys.argv[1] + "/late.pcap", flow[late:])
'
"$ws" generate -q -m "$model" --from "$tmp/late.pcap" -w "$tmp/late-same.pcap" && cmp -s -i 24 "$tmp/late.pcap" "$tmp/late-same.pcap"
result $? "a flow that begins with its server is the same bytes, too"
"$ws" generate -q -m "$model" --from "$tmp/late.pcap" --corpus "$tmp/late" --unit client && grep -q '^GET /' "$tmp/late/client-0000000.bin" &&
    ! grep -aq 'HTTP/1.1 200' "$tmp/late/client-0000000.bin"
result $? "its client's messages are the client's"
for seed in 1 2 3 4 5 6 7 8; do
    "$ws" generate -q -m "$model" --from "$tmp/late.pcap" --after 3 --seed $seed -w "$tmp/late-$seed.pcap" || break
done && pcap '
said = [0, 0]
for seed in range(1, 9):
    for b in read(f"{sys.argv[1]}/late-{seed}.pcap")[3:]:
        data, server = b[34 + (b[46] >> 4) * 4:14 + struct.unpack(">H", b[16:18])[0]], b[34:36] == b"\0P"
        assert not data.startswith((b"GET ", b"POST ", b"HEAD ") if server else b"HTTP/"), (seed, server, data)
        said[server] += data.startswith((b"GET ", b"POST ", b"HTTP/"))
assert min(said) > 0, said
'
result $? "and it is gone on with as one of them"
# Reports of MLD have tokens that no sample has, before the place where the field would be.
kept() {
    "$ws" generate -q -m "$model" --from "$data/ping.pcap" --infill "$1:tcp.window" -w "$tmp/kept.pcap" && cmp -s "$tmp/ping.pcap" "$tmp/kept.pcap"
}
"$ws" generate -q -m "$model" --from "$data/ping.pcap" -w "$tmp/ping.pcap" && kept 1 && kept 2
result $? "packets without the field to draw anew stay"
# said SAYS OPTION...: which warning it is
said() { "$ws" generate -m "$model" --from "$data/dns.pcap" "${@:2}" -w "$tmp/said.pcap" 2>"$tmp/err" && grep -q "$1" "$tmp/err"; }
said 'no flow has a packet 99: nothing is drawn anew' --infill 99 && said 'udp.sport has no token in any packet 2' --infill 2:udp.sport &&
    ! said 'nothing is drawn anew' --infill 1
result $? "a packet or field that there is nothing to draw of is told"
# longest CAPTURE: packets of its longest flow
longest() { "$ws" label -q "$1" | python3 -c 'import json, sys
print(max(f["pkts_toserver"] + f["pkts_toclient"] for f in (json.loads(line)["flow"] for line in sys.stdin)))'; }
"$ws" tokenize -q -w "$tmp/smb.npz" "$data/smb.pcap" && "$ws" detokenize -q -w "$tmp/smb0.pcap" "$tmp/smb.npz" && [ "$(longest "$tmp/smb0.pcap")" -gt 12 ] &&
    generate -m "$model" --from "$tmp/smb0.pcap" --after 3 --max-packets 5 -w "$tmp/five.pcap" && [ "$(longest "$tmp/five.pcap")" -eq 5 ] &&
    generate -m "$model" --from "$tmp/smb0.pcap" --after 7 --max-packets 5 -w "$tmp/seven.pcap" && [ "$(longest "$tmp/seven.pcap")" -eq 7 ] &&
    generate -m "$model" --like "$tmp/smb0.pcap" --max-packets 5 -w "$tmp/like5.pcap" && [ "$(longest "$tmp/like5.pcap")" -le 5 ]
result $? "flows have no more packets than they may, but for what is told"
"$ws" generate -q -m "$model" --from "$tmp/sack.pcap" --start 2000 --speed 2 -w "$tmp/moved.pcap" &&
    python3 - "$tmp/moved.pcap" <<'EOF'
import struct, sys
data, at, times = open(sys.argv[1], "rb").read(), 24, []
while at < len(data):
    s, ns, n = struct.unpack_from("<3I", data, at)
    times, at = times + [s + ns / 1e9], at + 16 + n
assert times == [2000 + k / 2 for k in range(8)], times
EOF
result $? "flows of a capture are moved to another time"
for option in "--rate 3" "--clients 10.0.0.0/24" "--servers 10.0.0.0/24" "--client-mac 02" "--server-mac 02" "--client-ports 9-10" --service-ports "--max-packets 9" "--like $data/http.pcap"; do
    # shellcheck disable=SC2086 # words
    fails "what flows of a capture do not follow: $option" 2 generate -m "$model" --from "$data/http.pcap" $option -w "$tmp/x.pcap"
done
fails "a rate of flows that start as others do" 2 generate -m "$model" --like "$data/http.pcap" --rate 3 -w "$tmp/x.pcap"
generate -m "$model" --like "$data/http.pcap" --seed 4 -w "$tmp/like.pcap" && "$ws" label -q "$data/http.pcap" >"$tmp/real.jsonl" &&
    "$ws" label -q "$tmp/like.pcap" >"$tmp/like.jsonl" && python3 - "$tmp" <<'EOF'
import json, sys
real, like = ([json.loads(line) for line in open(f"{sys.argv[1]}/{n}.jsonl")] for n in ("real", "like"))
packets = lambda flows: [f["flow"]["pkts_toserver"] + f["flow"]["pkts_toclient"] for f in flows]
assert len(like) == len(real), (len(like), len(real))
assert all(a <= b for a, b in zip(sorted(packets(like)), sorted(packets(real))))
assert sum(packets(like)) >= sum(packets(real)) / 2, (packets(like), packets(real))
EOF
result $? "flows are as many and no longer than those of a capture that they shall be like"
"$ws" generate -m "$model" --like "$data/smb.pcap" --seed 4 -w "$tmp/smb.pcap" 2>"$tmp/smb.err" &&
    grep -q ' 3 of a class' "$tmp/smb.err" && [ "$("$ws" label -q "$tmp/smb.pcap" | grep -c '"app":"SMBv23"')" -ge 2 ]
result $? "and of the classes that nDPI names in other words: SMBv23 in NetBIOS"

"$ws" info -o json "$model" "$tmp/a.npz" | python3 -c '
import json, sys
model, tokens = [json.loads(line) for line in sys.stdin]
assert model["kind"] == "model" and model["vocabulary_matches"] and "DNS" in model["heads"][0]["labels"]
assert tokens["kind"] == "tokens" and tokens["captures"] == 1 and tokens["flows"] > 0
' && "$ws" info "$model" | grep -q '^parameters'
result $? "info describes a model and a token file"

fails "a label that the model has not" 1 generate -m "$model" --label Nonsense -w "$tmp/x.pcap"
fails "a model that is not there" 1 generate -m "$tmp/none" -w "$tmp/x.pcap"
fails "a folder that is not there" 1 generate -m "$model" -w "$tmp/none/x.pcap"
fails "a network that is none" 2 generate -m "$model" --clients 10.0.0.0/40 -w "$tmp/x.pcap"
fails "all labels of no head" 1 generate -m "$model" --label 'nonsense:*' -w "$tmp/x.pcap"
fails "all labels of a label" 1 generate -m "$model" --label 'protocol:DNS:*' -w "$tmp/x.pcap"
fails "a label that two heads have" 1 generate -m "$model" --label benign -w "$tmp/x.pcap"
fails "a header field that there is not" 2 generate -m "$model" --set ipv4.colour=1 -w "$tmp/x.pcap"
fails "a value that is none of the field" 2 generate -m "$model" --set ipv4.ttl=256 -w "$tmp/x.pcap"
met() { "$ws" generate -m "$model" -n 12 --label HTTP --max-packets 6 --rate 1000 --clients 10.0.0.1/32 --servers 10.0.0.2/32 "$@" -w "$tmp/met.pcap" 2>&1; }
met --client-ports 40000-40001 | grep -q 'warning: [1-9][0-9]* TCP connections begin while one between the same addresses and ports' && ! met | grep -q 'warning'
result $? "connections of too few ports that meet are told"
fails "packets after those of no capture" 2 generate -m "$model" --after 3 -w "$tmp/x.pcap"
fails "a capture without packets" 1 generate -m "$model" --from "$data/edge-nopackets.pcap" -w "$tmp/x.pcap"
fails "ports that are no range" 2 generate -m "$model" --client-ports 9-8 -w "$tmp/x.pcap"
fails "a MAC address that is none" 2 generate -m "$model" --client-mac 0:1 -w "$tmp/x.pcap"
fails "no model" 2 generate -w "$tmp/x.pcap"
fails "a list without a capture" 2 generate -m "$model" --asked "$tmp/x.tsv"
fails "a list and a capture in one file" 2 generate -m "$model" -n 1 -w "$tmp/x.pcap" --asked "$tmp/../${tmp##*/}/x.pcap"
fails "a log and a capture in one file" 2 generate -m "$model" -n 1 -w "$tmp/x.pcap" --fuzz 1 --fuzz-log "$tmp/x.pcap"
ln -s a.pcap "$tmp/link.tsv"
fails "a list and a capture in one file by a link" 2 generate -m "$model" -n 1 -w "$tmp/a.pcap" --asked "$tmp/link.tsv"
fails "no seconds" 2 generate -m "$model" --seconds 0 -w "$tmp/x.pcap"
for share in 0 -1 x ''; do
    fails "a share that is none" 2 generate -m "$model" -n 1 --label "DNS=$share" -w "$tmp/x.pcap"
    [[ $said == *'a share is a number above 0'* ]]
    result $? "and it says what one is ($share)"
done
fails "no output" 2 generate -m "$model"
fails "info of a text" 1 info "$0"
mkdir "$tmp/ended"
for signal in INT TERM; do # a shell's background has SIGINT ignored
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$ws" generate -q -m "$model" -n 1000000 -w "$tmp/ended/x.pcap" --asked "$tmp/ended/x.tsv" 2>"$tmp/err" &
    for ((i = 0; i < 300; i++)); do # it has its outputs open, whether they have names or not
        [ -z "$(find "/proc/$!/fd" -lname "$tmp/ended/*" 2>/dev/null)" ] || break
        sleep 0.1
    done
    kill -s "$signal" $!
    rc=0
    wait $! || rc=$?
    [ "$i" -lt 300 ] && [ "$rc" -eq 1 ] && [ -z "$(ls -A "$tmp/ended")" ] && grep -q 'stopped by a signal' "$tmp/err"
    result $? "SIG$signal ends a run, which leaves nothing behind"
done
rc=0
"$ws" generate -q -m "$model" -w - >/dev/full 2>"$tmp/err" || rc=$?
[ "$rc" -eq 1 ] && [ ! -e "$tmp/x.pcap" ]
result $? "a full disk is an error, and no half a file is left"
echo "1..$n"
exit "$bad"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_forge.sh: forged captures are other hosts' and say the same. CORPUS: a folder of captures to try as well.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# kept CAPTURE: what the model reads of it
kept() { "$ws" explain -q --kept "$1" 2>/dev/null; }

# same_view CAPTURE SEED...: the model reads the same of the capture and of its forged copies; counts them in all and differ
same_view() {
    local seed
    kept "$1" >"$tmp/a"
    for seed in "${@:2}"; do
        all=$((all + 1))
        "$ws" forge -q --seed "$seed" -w - "$1" 2>/dev/null | kept - >"$tmp/b"
        [ -s "$tmp/a" ] && cmp -s "$tmp/a" "$tmp/b" && continue
        differ=$((differ + 1))
        echo "# differs: $1"
    done
}

differ=0 all=0
for f in "$data"/*.pcap; do
    [ "$f" = "$data/edge-nopackets.pcap" ] || same_view "$f" 1 2
done
[ $differ -eq 0 ] && [ $all -gt 30 ]
result $? "identity-free reads the same of $all forged copies"

"$ws" forge -q -w "$tmp/1.pcap" "$data/tls.pcap" && "$ws" forge -q -w "$tmp/1b.pcap" "$data/tls.pcap" &&
    "$ws" forge -q --seed 2 -w "$tmp/2.pcap" "$data/tls.pcap" && cmp -s "$tmp/1.pcap" "$tmp/1b.pcap" &&
    ! cmp -s "$tmp/1.pcap" "$tmp/2.pcap"
result $? "the same seed gives the same bytes, another one others"

flows() { "$ws" label -q "$1" | python3 -c '
import json, sys
for line in sys.stdin:
    f = json.loads(line)
    print(*(f.get(k) for k in ("src_ip", "dest_ip", "src_port", "dest_port")))'; }
flows "$data/dns.pcap" >"$tmp/a" && "$ws" forge -q -w "$tmp/f.pcap" "$data/dns.pcap" && flows "$tmp/f.pcap" >"$tmp/b"
python3 - "$tmp/a" "$tmp/b" <<'PY'
import ipaddress, sys
a, b = ([line.split() for line in open(name)] for name in sys.argv[1:])
assert len(a) == len(b) > 1
maps = {}
for x, y in zip(a, b):
    for old, new in zip(x, y):
        assert maps.setdefault(old, new) == new
        if "." in old or ":" in old:
            i = ipaddress.ip_address(old)
            if not (i.is_loopback or i.is_multicast or i.is_unspecified or old == "None"):
                assert old != new, old
assert len(set(maps.values())) == len(maps)
PY
result $? "addresses and ports are others, one to one"

"$ws" forge -q --only ports -w "$tmp/p.pcap" "$data/dns.pcap" && flows "$tmp/p.pcap" | cut -d ' ' -f 1,2 >"$tmp/c" &&
    cut -d ' ' -f 1,2 "$tmp/a" | cmp -s - "$tmp/c" && ! flows "$tmp/p.pcap" | cmp -s - "$tmp/a"
result $? "--only ports leaves addresses alone"

# What ICMPv6 tells of hosts: a neighbor is asked for and answers, a router speaks of its net and redirects, a group is joined
cat >"$tmp/frames.py" <<'PY'
import ipaddress, struct
def total(b):
    b += bytes(len(b) % 2)
    s = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s
def ip(text):
    return ipaddress.ip_address(text).packed
def pseudo(a, b, proto, n):
    return a + b + (struct.pack(">IHBB", n, 0, 0, proto) if len(a) == 16 else struct.pack(">BBH", 0, proto, n))
def summed(a, b, proto, at, body):
    return body[:at] + struct.pack(">H", 0xffff ^ total(pseudo(a, b, proto, len(body)) + body) or 0xffff) + body[at + 2:]
def ip6(a, b, proto, body):
    return b"\x60\0\0\0" + struct.pack(">HBB", len(body), proto, 255) + a + b + body
def ip4(a, b, proto, body, fragment=0):
    h = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, fragment, 64, proto, 0) + a + b
    return h[:10] + struct.pack(">H", 0xffff ^ total(h)) + h[12:] + body
def write(name, frames, linktype=1, snap=65535):
    with open(name, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, snap, linktype))
        for i, b in enumerate(frames):
            f.write(struct.pack("<IIII", 1000 + i, 0, min(snap, len(b)), len(b)) + b[:snap])
def read(name):
    b, at, out = open(name, "rb").read(), 24, []
    while at < len(b):
        n = struct.unpack("<I", b[at + 8:at + 12])[0]
        out.append(b[at + 16:at + 16 + n])
        at += 16 + n
    return out
PY
cat >"$tmp/ndp.py" <<'PY'
import sys
from frames import *
A, B, R = (ip("2001:db8:1:2::" + x) for x in ("aa:1003", "bb:2004", "cc:3005"))
link = {A: b"\2\0\0\0\0\1", B: b"\2\0\0\0\0\2", R: b"\2\0\0\0\0\3"}
net, server, multicast = A[:8] + bytes(8), ip("2001:db8:9::53"), ip("ff02::1")
def node(a):
    return ip("ff02::1:ff00:0")[:13] + a[13:]
def to(a):
    return link.get(a) or b"\x33\x33" + a[12:]
def frame(a, b, body):
    return to(b) + link[a] + b"\x86\xdd" + ip6(a, b, 58, summed(a, b, 58, 2, body))
def messages(m):
    """Frames, with every address as it is mapped by m."""
    a, b, r, n, s = (m(x) for x in (A, B, R, net, server))
    return [frame(A, node(B), b"\x87\0\0\0" + bytes(4) + b + b"\1\1" + m(link[A])),
            frame(B, A, b"\x88\0\0\0\x60\0\0\0" + b + b"\2\1" + m(link[B])),
            frame(R, multicast, b"\x86\0\0\0\x40\0\7\x08" + bytes(8) + b"\1\1" + m(link[R]) + b"\3\4\x40\xc0" + bytes(12) + n + b"\x19\3" + bytes(6) + s),
            frame(R, A, b"\x89\0\0\0" + bytes(4) + r + b + b"\2\1" + m(link[B]) + b"\4\6" + bytes(6) + ip6(a, b, 59, b"")),
            frame(A, ip("ff02::16"), b"\x8f\0\0\0\0\0\0\1" + b"\4\0\0\1" + m(node(A)) + s)]
if sys.argv[1] == "make":
    write(sys.argv[2], messages(lambda x: x))
    sys.exit()
f = read(sys.argv[2])
seen = {A: f[0][22:38], B: f[1][22:38], R: f[2][22:38], node(A): None, server: None, net: None}
for x, at in ((A, f[0]), (B, f[1]), (R, f[2])):
    seen[link[x]] = at[6:12]
seen[node(A)] = node(seen[A])
seen[net] = seen[A][:8] + bytes(8)
seen[server] = f[2][-16:]
assert all(old != new for old, new in seen.items()) and len(set(seen.values())) == len(seen)
for i, (got, want) in enumerate(zip(f, messages(seen.get))):
    assert got[54:56] == want[54:56] and got[58:] == want[58:], i
    assert total(pseudo(got[22:38], got[38:54], 58, len(got) - 54) + got[54:]) == 0xffff, i
assert f[0][38:54] == node(seen[B]) and f[0][:6] == b"\x33\x33" + f[0][50:54]
assert f[4][38:54] == ip("ff02::16") and f[2][38:54] == multicast
PY
python3 "$tmp/ndp.py" make "$tmp/ndp.pcap" && "$ws" forge -q -w "$tmp/n.pcap" "$tmp/ndp.pcap" && python3 "$tmp/ndp.py" check "$tmp/n.pcap"
result $? "addresses that ICMPv6 tells of are those of the headers"
"$ws" forge -q --only ports -w "$tmp/n.pcap" "$tmp/ndp.pcap" && python3 - "$tmp/ndp.pcap" "$tmp/n.pcap" <<'PY'
import sys
a, b = (open(name, "rb").read() for name in sys.argv[1:])
assert a[24 + 16:24 + 16 + 86] == b[24 + 16:24 + 16 + 86]
PY
result $? "--only ports leaves them alone"

# Datagrams in two fragments, the first with a sum that is right, or wrong, or none, and segments that the capture cut
cat >"$tmp/frags.py" <<'PY'
import sys
from frames import *
E4, E6 = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", b"\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd"
def datagram(a, b, fault, size=1200):
    body = summed(a, b, 17, 6, b"\x13\x88\x14\x88" + struct.pack(">HH", size + 8, 0) + bytes(i % 251 for i in range(size)))
    if fault:
        body = body[:6] + (bytes(2) if fault == "none" else bytes(x ^ 0x55 for x in body[6:8])) + body[8:]
    return body
def segment(a, b):
    return summed(a, b, 6, 16, b"\x13\x88\x00\x50" + bytes(range(1, 9)) + b"\x50\x18\x20\0" + bytes(4) + bytes(range(200)))
a4, b4, a6, b6 = (ip(x) for x in ("192.0.2.1", "198.51.100.7", "2001:db8::5", "2001:db8:7::9"))
if sys.argv[1] == "make":
    frames = []
    for fault in ("", "wrong", "none"):
        d = datagram(a4, b4, fault)
        frames += [E4 + ip4(a4, b4, 17, d[:600], 0x2000), E4 + ip4(a4, b4, 17, d[600:], 75)]
        d = datagram(a6, b6, fault)
        for part, place in ((d[:600], 1), (d[600:], 600)):
            frames.append(E6 + ip6(a6, b6, 44, b"\x11\0" + struct.pack(">HI", place, 9) + part))
    for part, place in ((segment(a4, b4)[:104], 0x2000), (segment(a4, b4)[104:], 13)):
        frames.append(E4 + ip4(a4, b4, 6, part, place))
    write(sys.argv[2], frames)
    write(sys.argv[3], [E4 + ip4(a4, b4, 6, segment(a4, b4)), E6 + ip6(a6, b6, 6, segment(a6, b6))], snap=90)
    sys.exit()
old, new = read(sys.argv[2]), read(sys.argv[3])
assert len(old) == len(new)
def state(first, second):
    v4 = first[12] == 8
    at = 34 if v4 else 62
    proto = first[23] if v4 else first[54]
    addresses = first[26:34] if v4 else first[22:54]
    body = first[at:] + second[at:]
    sum_at = 6 if proto == 17 else 16
    if body[sum_at:sum_at + 2] == bytes(2):
        return "none"
    n = len(addresses) // 2
    return total(pseudo(addresses[:n], addresses[n:], proto, len(body)) + body) == 0xffff
assert old[0][26:38] != new[0][26:38]
states = [[state(*f[i:i + 2]) for i in range(0, len(f), 2)] for f in (old, new)]
assert states[0] == states[1] == [True, True, False, False, "none", "none", True], states
for i in range(1, len(old), 2):
    at = 34 if old[i][12] == 8 else 62
    assert old[i][at:] == new[i][at:], i
cut, forged = read(sys.argv[4]), read(sys.argv[5])
for o, f, body in zip(cut, forged, (segment(a4, b4), segment(a6, b6))):
    at, where, size = (34, 26, 4) if o[12] == 8 else (54, 22, 16)
    a, b = f[where:where + size], f[where + size:where + 2 * size]
    body = f[at:] + body[len(f) - at:]
    assert (a, b) != (a4, b4) and total(pseudo(a, b, 6, len(body)) + body) == 0xffff
PY
echo canary >"$tmp/lines"
python3 "$tmp/frags.py" make "$tmp/fragments.pcap" "$tmp/cut.pcap" &&
    "$ws" forge -q --plant "$tmp/lines" --plant-every 1 -w "$tmp/a" "$tmp/fragments.pcap" &&
    "$ws" forge -q -w "$tmp/b" "$tmp/cut.pcap" &&
    python3 "$tmp/frags.py" check "$tmp/fragments.pcap" "$tmp/a" "$tmp/cut.pcap" "$tmp/b"
result $? "checksums of fragments and of cut packets stay what they were: right, wrong, none"

# PPP that is not known, EtherIP, a bridge's hello, and a question that is all taken apart
cat >"$tmp/opaque.py" <<'PY'
import sys
from frames import *
a, b = ip("192.0.2.1"), ip("198.51.100.7")
E = b"\2\0\0\0\0\1\2\0\0\0\0\2"
question = ip4(a, b, 17, summed(a, b, 17, 6, b"\x13\x88\x14\x88\0\x0c\0\0data"))
write(sys.argv[1], [b"\x0b" + question] * 3, linktype=9)
write(sys.argv[2], [E + b"\x08\0" + question, E + b"\x08\0" + ip4(a, b, 97, b"\x30\0" + E + b"\x08\0" + question),
                    b"\1\x80\xc2\0\0\0" + E[6:] + b"\0\x26\x42\x42\3" + bytes(35)])
write(sys.argv[3], [E + b"\x08\0" + question])
PY
python3 "$tmp/opaque.py" "$tmp/ppp.pcap" "$tmp/lan.pcap" "$tmp/known.pcap"
opaque() { "$ws" forge -w "$tmp/a" "$1" 2>&1 | sed -n 's/.*: \([0-9]* of [0-9]*\) packets hold what is not taken apart: .*/\1/p'; }
[ "$(opaque "$tmp/ppp.pcap")" = "3 of 3" ] && [ "$(opaque "$tmp/lan.pcap")" = "2 of 3" ] && [ -z "$(opaque "$tmp/known.pcap")" ]
result $? "packets that hold what is not taken apart are counted"

if command -v tshark >/dev/null; then
    wrong() {
        tshark -r "$1" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
            -Y 'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0' 2>/dev/null | wc -l
    }
    [ "$(wrong "$tmp/1.pcap")" -eq "$(wrong "$data/tls.pcap")" ] &&
        "$ws" forge -q -w "$tmp/w.pcap" "$data/edge-checksum.pcap" && forged=$(wrong "$tmp/w.pcap") &&
        [ "$forged" -eq "$(wrong "$data/edge-checksum.pcap")" ] && [ "$forged" -gt 0 ]
    result $? "right checksums are right and wrong ones wrong"
    old=$(tshark -r "$data/tls.pcap" -Y tls.handshake.extensions_server_name -T fields -e tls.handshake.extensions_server_name 2>/dev/null | head -n 1)
    new=$(tshark -r "$tmp/1.pcap" -Y tls.handshake.extensions_server_name -d tcp.port==1-65535,tls -T fields -e tls.handshake.extensions_server_name 2>/dev/null | head -n 1)
    [ -z "$old" ] || { [ -n "$new" ] && [ "$old" != "$new" ] && [ ${#old} -eq ${#new} ]; }
    result $? "the server name is another of the same length"
else
    skip "checksums of forged captures" "no tshark here"
    skip "server names of forged captures" "no tshark here"
fi

if [ -n "${CORPUS:-}" ] && [ -d "$CORPUS" ]; then
    differ=0 all=0
    while IFS= read -r f; do
        same_view "$f" 1
    done < <(find "$CORPUS" -type f)
    [ $differ -eq 0 ]
    result $? "identity-free reads the same of $((all - differ)) of $all forged captures of the corpus"
else
    skip "forged captures of a corpus" "no CORPUS"
fi

fails "no output" 2 forge "$data/dns.pcap"
fails "a part that does not exist" 2 forge --only faces -w "$tmp/x.pcap" "$data/dns.pcap"
fails "a capture that is not there" 1 forge -w "$tmp/x.pcap" "$tmp/none.pcap"
fails "two link types in one file" 1 forge -q -w "$tmp/x.pcap" "$data/dns.pcap" "$data/edge-raw-ip.pcap"
[[ $said == *pcapng* ]]
result $? "it says what to do"
"$ws" forge -q -w "$tmp/two.pcapng" "$data/dns.pcap" "$data/edge-raw-ip.pcap" && "$ws" forge -q -w "$tmp/again.pcapng" "$tmp/two.pcapng" &&
    [ "$("$ws" explain --kept -q "$tmp/two.pcapng" | grep -c "^flow")" -gt 0 ] && kept "$tmp/two.pcapng" >"$tmp/a" && kept "$tmp/again.pcapng" | cmp -s - "$tmp/a" &&
    [ "$("$ws" label -q "$tmp/again.pcapng" | wc -l)" = "$("$ws" label -q "$data/dns.pcap" "$data/edge-raw-ip.pcap" | wc -l)" ]
result $? "a pcapng file takes them, and is forged again"
fails "a full disk" 1 forge -q -w /dev/full "$data/tls.pcap"
fails "no capture for a pcapng file" 1 forge -q -w "$tmp/x.pcapng" "$tmp/lines"
[ ! -e "$tmp/x.pcap" ] && [ ! -e "$tmp/x.pcapng" ]
result $? "nothing half-written is left"
echo "1..$n"
exit "$bad"

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the hand-made edge captures of this folder: frames no ordinary program sends, one theme a file.

Usage: make-edge.py OUTDIR. Standard library only; the same bytes on every run.
"""
import socket
import struct
import sys
from pathlib import Path

ETHERNET, RAW_IP, SLL, PRISM, RADIOTAP, PPI = 1, 101, 113, 119, 127, 192
MAC_A, MAC_B = bytes.fromhex("02005e100001"), bytes.fromhex("02005e100002")
A4, B4 = socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2")
A6, B6 = (socket.inet_pton(socket.AF_INET6, a) for a in ("2001:db8::1", "2001:db8::2"))
START = 1_700_000_000 * 10**9
TCP, UDP, ICMP6, GRE = 6, 17, 58, 47


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, proto, length):
    if len(src) == 4:
        return src + dst + struct.pack(">BBH", 0, proto, length)
    return src + dst + struct.pack(">II", length, proto)


def ether(payload, kind=0x0800, tags=()):
    tagged = b"".join(struct.pack(">HH", tpid, tci) for tpid, tci in tags)
    return MAC_B + MAC_A + tagged + struct.pack(">H", kind) + payload


def ipv4(payload, proto, options=b"", total=None, ihl=None, version=4, flags=0x4000, bad_sum=False, ident=1):
    words = 5 + len(options) // 4
    total = 4 * words + len(payload) if total is None else total
    first = version << 4 | (words if ihl is None else ihl)
    head = struct.pack(">BBHHHBBH", first, 0, total, ident, flags, 64, proto, 0) + A4 + B4 + options
    value = checksum(head) ^ (0x5555 if bad_sum else 0)
    return head[:10] + struct.pack(">H", value) + head[12:] + payload


def ipv6(payload, following, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">IHBB", 0x60012345, length, following, 64) + A6 + B6 + payload


def udp(payload, src=A4, dst=B4, ports=(40000, 53), length=None, value=None):
    size = 8 + len(payload)
    head = struct.pack(">HHHH", *ports, size if length is None else length, 0)
    if value is None:
        value = checksum(pseudo(src, dst, UDP, size) + head + payload) or 0xFFFF
    return head[:6] + struct.pack(">H", value) + payload


def tcp(payload=b"", flags=0x18, options=b"", offset=None, seq=1000, ack=2000, bad_sum=False, urgent=0, win=512):
    words = 5 + len(options) // 4
    first = (words if offset is None else offset) << 12 | flags
    head = struct.pack(">HHIIHHHH", 40001, 80, seq, ack, first, win, 0, urgent) + options
    value = checksum(pseudo(A4, B4, TCP, len(head) + len(payload)) + head + payload) ^ (0x1111 if bad_sum else 0)
    return head[:16] + struct.pack(">H", value) + head[18:] + payload


def write(path, frames, link=ETHERNET, snaplen=65535, order="<", nano=False):
    """frames: bytes, or (bytes, wire length or None, nanoseconds after START or None)."""
    unit = 1 if nano else 1000
    data = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link)
    for i, frame in enumerate(frames):
        body, wire, at = frame if isinstance(frame, tuple) else (frame, None, None)
        when = START + (i * 10**6 if at is None else at)
        data += struct.pack(order + "IIII", when // 10**9, when % 10**9 // unit, min(len(body), snaplen),
                            len(body) if wire is None else wire) + body[:snaplen]
    path.write_bytes(data)


QUERY = bytes.fromhex("123401000001000000000000076578616d706c65036f72670000010001")
TEXT = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"


def snaplen_frames():
    frame = ether(ipv4(tcp(TEXT), TCP))
    return [(frame[:cut], len(frame), None) for cut in (60, 54, 53, 40, 34, 33, 20, 14, 13, 12, 6, 1)]


def ip_malformed():
    good = udp(QUERY)
    return [ether(p) for p in (
        ipv4(good, UDP, ihl=4), ipv4(good, UDP, ihl=15), ipv4(good, UDP, version=6), ipv4(good, UDP, version=0),
        ipv4(good, UDP, total=0), ipv4(good, UDP, total=19), ipv4(good, UDP, total=1500),
        ipv4(udp(QUERY, length=7), UDP), ipv4(udp(QUERY, length=600), UDP), ipv4(udp(QUERY, length=12), UDP),
        ipv4(b"", UDP), ipv4(b"\x01", TCP), ipv4(good, 253), b"", b"\x45")]


def checksums():
    return [ether(p) for p in (
        ipv4(udp(QUERY), UDP, bad_sum=True), ipv4(udp(QUERY, value=0xDEAD), UDP), ipv4(udp(QUERY, value=0), UDP),
        ipv4(tcp(TEXT, bad_sum=True), TCP), ipv4(tcp(TEXT, bad_sum=True), TCP, bad_sum=True))]


def padding():
    ack = ether(ipv4(tcp(flags=0x10), TCP))
    arp = ether(struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + MAC_A + A4 + bytes(6) + B4, 0x0806)
    return [ack + bytes(6), ack + bytes.fromhex("deadbeef0102"), ack + bytes(6) + bytes.fromhex("a1b2c3d4"),
            arp + bytes(18), arp + b"\xff" * 18, ether(ipv4(udp(QUERY), UDP)) + b"trailer of 20 bytes!",
            ether(ipv6(udp(QUERY, A6, B6), UDP), 0x86DD) + bytes(4)]


def fragments():
    whole = udp(bytes(range(256)) * 4)
    return [ether(p) for p in (
        ipv4(whole[:512], UDP, flags=0x2000, ident=7), ipv4(whole[512:1024], UDP, flags=0x2000 | 64, ident=7),
        ipv4(whole[1024:], UDP, flags=128, ident=7), ipv4(whole[:8], UDP, flags=0x2000, ident=8),
        ipv4(whole[:3], UDP, flags=0x2000, ident=9), ipv4(whole[512:600], UDP, flags=0x1FFF, ident=10),
        ipv4(whole[:64], UDP, flags=0x8000, ident=11), ipv4(whole[:64], UDP, flags=0x6000, ident=12))]


def options():
    ts = bytes.fromhex("0101080a0000000100000002")
    syn = bytes.fromhex("020405b40402080a00000001000000000103030701010101")
    return [ether(p) for p in (
        ipv4(udp(QUERY), UDP, options=bytes.fromhex("94040000")),                      # router alert
        ipv4(udp(QUERY), UDP, options=bytes.fromhex("070704c000020100")),              # record route, end of list
        ipv4(udp(QUERY), UDP, options=bytes.fromhex("01010101") * 10),                 # forty bytes of NOP
        ipv4(udp(QUERY), UDP, options=bytes.fromhex("070004ff")),                      # length 0
        ipv4(udp(QUERY), UDP, options=bytes.fromhex("07ff0400")),                      # length past the header
        ipv4(tcp(flags=0x02, options=syn, ack=0), TCP), ipv4(tcp(TEXT, options=ts), TCP),
        ipv4(tcp(options=bytes.fromhex("0101050a0000100000002000")), TCP),             # SACK block
        ipv4(tcp(options=bytes.fromhex("02000000")), TCP),                             # length 0
        ipv4(tcp(options=bytes.fromhex("08ff0000")), TCP),                             # length past the header
        ipv4(tcp(options=bytes.fromhex("0303070000ffffff")), TCP),                     # bytes after the end
        ipv4(tcp(options=bytes.fromhex("fd06f989abcd0101")), TCP),                     # experiment, unknown magic
        ipv4(tcp(TEXT, offset=4), TCP), ipv4(tcp(offset=15), TCP),
        ipv4(tcp(flags=0x1FF), TCP), ipv4(tcp(flags=0), TCP), ipv4(tcp(TEXT, flags=0xE38, urgent=5, win=0), TCP),
        ipv4(tcp(TEXT, seq=0xFFFFFFF0), TCP))]


def other_layers():
    lldp = bytes.fromhex("0207040200 5e1000010403056e3106020078 0000".replace(" ", ""))
    stp = bytes.fromhex("424203000000000080000200 5e10000100000000800002005e1000018001000014000200 0f00".replace(" ", ""))
    return [ether(lldp, 0x88CC), ether(stp, len(stp)), ether(b"experiment", 0x88B5), ether(b"", 0xFFFF),
            ether(ipv4(udp(QUERY), UDP), tags=((0x8100, 42),)),
            ether(ipv4(udp(QUERY), UDP), tags=((0x88A8, 0x2064), (0x8100, 0xE02A))),
            ether(ipv4(udp(QUERY), UDP), tags=((0x8100, 1),) * 6), ether(b"", 0x8100),
            ether(bytes.fromhex("00010140") + ipv4(udp(QUERY), UDP), 0x8847),
            ether(ipv4(bytes.fromhex("00000800") + ipv4(udp(QUERY), UDP), GRE)),
            ether(ipv4(bytes.fromhex("3000080000000007000000 01".replace(" ", "")) + ipv4(udp(QUERY), UDP), GRE)),
            ether(ipv4(ipv4(udp(QUERY), UDP), 4)),
            ether(ipv4(udp(bytes.fromhex("0800000000002a00") + ether(ipv4(udp(QUERY), UDP)), ports=(50000, 4789)), UDP)),
            ether(bytes.fromhex("1100000100 0ac021010100 08050400".replace(" ", "")), 0x8864)]


def ipv6_frames():
    query = udp(QUERY, A6, B6)
    hop = bytes([UDP, 0]) + bytes.fromhex("050200000100")
    route = bytes([UDP, 2, 0, 1]) + bytes(4) + B6[:8] + B6[8:][:8]
    chain = query
    for _ in range(12):
        chain = bytes([UDP if chain is query else 60, 0]) + bytes.fromhex("010400000000") + chain
    mld = struct.pack(">BBHHH", 130, 0, 0, 1000, 0) + bytes(16)
    return [ether(p, 0x86DD) for p in (
        ipv6(query, UDP), ipv6(hop + query, 0), ipv6(route + query, 43), ipv6(chain, 60),
        ipv6(struct.pack(">BBHI", UDP, 0, 1, 99) + query[:16], 44),
        ipv6(struct.pack(">BBHI", UDP, 0, 16, 99) + query[16:], 44),
        ipv6(bytes([UDP, 255]) + hop[2:], 0), ipv6(b"", 59), ipv6(query, UDP, length=0), ipv6(query, UDP, length=9000),
        ipv6(mld, ICMP6), ipv6(struct.pack(">BBHII", 17, 4, 0, 1, 1) + query, 51), ipv6(b"\x3c", 60))]


def times():
    frame = ether(ipv4(udp(QUERY), UDP))
    return [(frame, None, at) for at in (0, 10**9, 10**9, 5 * 10**8, 3600 * 10**9, -86400 * 10**9, 1, 2, -START,
                                         (2**32 - 1) * 10**9 - START + 999999999)]


def lengths():
    frame = ether(ipv4(udp(QUERY), UDP))
    return [(b"", 0, None), (b"", 60, None), (frame, len(frame) - 10, None), (frame, 0, None), (frame, 2**31, None),
            frame]


def raw_ip():
    return [ipv4(udp(QUERY), UDP), ipv6(udp(QUERY, A6, B6), UDP), ipv4(tcp(TEXT), TCP), b"\x00" * 20, b"\x45", b""]


def cooked():
    def head(kind, direction, mac=MAC_A):
        return struct.pack(">HHH8sH", direction, 1, len(mac), mac, kind)
    return [head(0x0800, 4) + ipv4(udp(QUERY), UDP), head(0x0800, 0) + ipv4(tcp(TEXT), TCP),
            head(0x86DD, 2) + ipv6(udp(QUERY, A6, B6), UDP), head(0x8100, 4) + struct.pack(">HH", 42, 0x0800) +
            ipv4(udp(QUERY), UDP), head(0x0004, 1) + b"\x42\x42\x03", head(0x0800, 4)[:15]]


def wrapped():
    """Ethernet frames in Geneve, VXLAN-GPE, TZSP, ERSPAN I, II and III, E-tags and VN-tags, some of them in two of these, cut or wrong."""
    inner = ether(ipv4(udp(QUERY), UDP))
    tagged = ether(ipv4(udp(QUERY), UDP), tags=((0x8100, 42),))

    def geneve(frame, options=b"", kind=0x6558, first=0, network=7, tail=0):
        head = struct.pack(">BBHI", first | len(options) // 4, 0, kind, network << 8 | tail) + options
        return ether(ipv4(udp(head + frame, ports=(51234, 6081)), UDP))

    def over_udp(port, head, frame):
        return ether(ipv4(udp(bytes.fromhex(head) + frame, ports=(51234, port)), UDP))

    def mirror(gre, head, frame):
        return ether(ipv4(bytes.fromhex(gre) + bytes.fromhex(head) + frame, GRE))

    def port_tag(tag, frame):
        return frame[:12] + bytes.fromhex(tag) + frame[12:]

    many = inner
    for _ in range(6):
        many = port_tag("893f000100020000", many)
    return [geneve(inner), geneve(tagged, bytes.fromhex("010203010000002a")), geneve(ipv4(udp(QUERY), UDP), kind=0x0800),
            geneve(ipv6(udp(QUERY, A6, B6), UDP), kind=0x86DD), geneve(geneve(inner), network=8), geneve(inner[:20]),
            geneve(inner, first=0x40), geneve(inner, tail=1), geneve(b"no frame at all, but long enough for one"),
            over_udp(4790, "0c00000300000700", inner), over_udp(4790, "0c00000100000700", ipv4(udp(QUERY), UDP)),
            over_udp(4790, "0c00000400000700", inner), over_udp(37008, "0100000101", inner),
            over_udp(37008, "010000010a01c800120106" + "01", tagged), over_udp(37008, "010000010aff", inner),
            mirror("000088be", "", inner), mirror("100088be00000001", "100a006400000003", inner),
            mirror("100022eb00000002", "200a00640102030400000000", inner),
            mirror("100022eb00000003", "200a00640102030400000001" + "0c" * 8, tagged),
            mirror("100088be00000004", "300a006400000003", inner), mirror("100088be00000005", "100a0064", b""),
            port_tag("893f000100020000", inner), port_tag("892680010002", tagged), port_tag("893f0001", inner[:12]),
            port_tag("892680010002", geneve(port_tag("893f000100020000", inner))), many]


def radio(kind):
    """IEEE 802.11 data frames behind a receiver's header: to and from the DS, relayed, direct, of a quality; then what is opaque."""
    heads = {RADIOTAP: bytes.fromhex("0000190003000080" + "00000000" * 2 + "0102030405060708" + "10"),
             PPI: bytes.fromhex("00002400690000000500040000000000") + bytes.fromhex("02001000") + bytes(8) + b"\1" + bytes(7),
             PRISM: struct.pack("<II", 0x44, 144) + b"wlan0".ljust(16, b"\0") + bytes(120)}
    check = b"\xde\xad\xbe\xef" if kind != PRISM else b""
    cell, query = bytes.fromhex("02005e100009"), ipv4(udp(QUERY), UDP)
    arp = bytes.fromhex("0001080006040001") + MAC_A + A4 + bytes(6) + B4

    def data(payload, ethertype=0x0800, way=1, first=0x08, flags=0, number=0, middle=b"", snap="aaaa03000000"):
        addresses = {0: MAC_B + MAC_A + cell, 1: cell + MAC_A + MAC_B, 2: MAC_B + cell + MAC_A, 3: cell + cell + MAC_B}[way]
        head = struct.pack("<BBH", first, way | flags, 0) + addresses + struct.pack("<H", number)
        head += (MAC_A if way == 3 else b"") + middle
        return heads[kind] + head + bytes.fromhex(snap) + struct.pack(">H", ethertype) + payload + check

    frames = [data(query, way=way) for way in range(4)]
    frames += [data(query, first=0x88, middle=b"\0\0"), data(query, first=0x88, flags=0x80, middle=bytes(6)),
               data(arp, 0x0806, way=2), data(b"\2\3\0\x5f" + bytes(95), 0x888E), data(query, snap="aaaa030000f8"),
               data(query, flags=0x40), data(query, flags=4), data(query, number=1), data(query, first=0x48),
               data(query, first=0x88, middle=b"\x80\0"), data(query, snap="424203000000"), heads[kind] + b"\xd4\0\0\0" + MAC_A + check,
               heads[kind][:7], heads[kind], heads[kind] + b"\x08\1" + bytes(10)]
    whole = frames[0]
    return frames + [(whole[:n], len(whole), None) for n in range(len(heads[kind]) + 20, len(heads[kind]) + 60, 4)]


def main():
    out = Path(sys.argv[1])
    frame = ether(ipv4(udp(QUERY), UDP))
    write(out / "edge-snaplen.pcap", snaplen_frames(), snaplen=60)
    write(out / "edge-ip-malformed.pcap", ip_malformed())
    write(out / "edge-checksum.pcap", checksums())
    write(out / "edge-padding.pcap", padding())
    write(out / "edge-fragment.pcap", fragments())
    write(out / "edge-options.pcap", options())
    write(out / "edge-layers.pcap", other_layers())
    write(out / "edge-ipv6.pcap", ipv6_frames())
    write(out / "edge-time.pcap", times(), nano=True)
    write(out / "edge-length.pcap", lengths())
    write(out / "edge-raw-ip.pcap", raw_ip(), link=RAW_IP)
    write(out / "edge-sll.pcap", cooked(), link=SLL)
    write(out / "edge-wrapped.pcap", wrapped())
    for link, name in ((RADIOTAP, "radiotap"), (PPI, "ppi"), (PRISM, "prism")):
        write(out / f"edge-{name}.pcap", radio(link), link=link)
    write(out / "edge-bigendian.pcap", [frame] * 3, order=">")
    write(out / "edge-nopackets.pcap", [])
    write(out / "edge-cut.pcap", [frame] * 3)
    whole = (out / "edge-cut.pcap").read_bytes()
    (out / "edge-cut.pcap").write_bytes(whole[:-20])  # the file ends inside the third packet


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make-edge.py OUTDIR")
    main()

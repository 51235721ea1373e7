# SPDX-License-Identifier: Apache-2.0
"""flows.py OUT.pcap SEED PACKETS...: a flow of so many UDP packets each, which all say the same word; prints a list of labels."""
import os
import random
import struct
import sys

WORDS = [b"alpha", b"bravo", b"delta", b"gamma"]


def checksum(data):
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    s = (s & 0xFFFF) + (s >> 16)
    return ~(s + (s >> 16)) & 0xFFFF


def packet(port, number, word):
    a, b = b"\x0a\0\0\1", b"\x0a\0\0\2"
    ends = (port, 7777) if number % 2 == 0 else (7777, port)
    if number % 2:
        a, b = b, a
    body = word + b"!"
    udp = struct.pack(">HHHH", *ends, 8 + len(body), 0) + body
    udp = udp[:6] + struct.pack(">H", checksum(a + b + struct.pack(">HH", 17, len(udp)) + udp)) + udp[8:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0) + a + b
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + udp


rng = random.Random(int(sys.argv[2]))
with open(sys.argv[1], "wb") as out:
    print("path", "label", "l4", "ip_a", "port_a", "ip_b", "port_b", sep="\t")
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for flow, packets in enumerate(map(int, sys.argv[3:])):
        word = rng.choice(WORDS)
        print(os.path.basename(sys.argv[1]), word.decode(), 17, "10.0.0.1", 20000 + flow, "10.0.0.2", 7777, sep="\t")
        for i in range(packets):
            p = packet(20000 + flow, i, word)
            out.write(struct.pack("<IIII", 1000 + flow + i // 1000, i % 1000 * 1000, len(p), len(p)) + p)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""send.py INTERFACE CAPTURE...: sends the packets of classic Ethernet captures, with the gaps that they were captured with."""
import socket
import struct
import sys
import time


def packets(path):
    with open(path, "rb") as f:
        magic = f.read(24)[:4]
        unit = 1e-9 if magic == b"\x4d\x3c\xb2\xa1" else 1e-6
        while head := f.read(16):
            seconds, fraction, caplen, _ = struct.unpack("<IIII", head)
            yield seconds + fraction * unit, f.read(caplen)


out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
for path in sys.argv[2:]:
    first = start = None
    for at, data in packets(path):
        if first is None:
            first, start = at, time.monotonic()
        time.sleep(max(0, at - first - (time.monotonic() - start)))
        out.send(data)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""listen.py stream|datagram SOCKET FILE [MESSAGES]: writes what comes into the file; ends after so many lines or datagrams."""
import os
import socket
import sys

kind, path, out = sys.argv[1:4]
limit = int(sys.argv[4]) if len(sys.argv) > 4 else None
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM)
if os.path.exists(path):
    os.unlink(path)
s.bind(path)
seen = 0
with open(out, "ab", buffering=0) as f:
    if kind == "stream":
        s.listen(1)
        print("ready", flush=True)
        c, _ = s.accept()
        while (limit is None or seen < limit) and (data := c.recv(65536)):
            seen += data.count(b"\n")
            f.write(data)
    else:
        print("ready", flush=True)
        s.settimeout(30)
        while limit is None or seen < limit:
            f.write(s.recv(65536) + b"\n")
            seen += 1

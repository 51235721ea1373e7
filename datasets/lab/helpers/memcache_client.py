#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""memcache_client.py HOST COMMANDS SIZE SEED: one connection of the text protocol: set, get, delete,
counters, stats."""
import random
import socket
import sys
import time


def command(rng, size):
    key = f"user:{rng.randint(1, 200)}"
    data = rng.randbytes(rng.randint(1, size)).hex()[:size]
    return rng.choice(
        (f"set {key} 0 60 {len(data)}\r\n{data}\r\n", f"get {key}\r\n", f"get {key} other:{rng.randint(1, 9)}\r\n",
         f"delete {key}\r\n", f"add {key} 0 0 {len(data)}\r\n{data}\r\n", f"incr {key} 1\r\n", "stats\r\n",
         f"touch {key} 30\r\n"))


def answered(text, reply):
    if text.startswith(("get", "stats")):
        return reply.endswith(b"END\r\n")
    return reply.endswith(b"\r\n")


def main():
    host, count, size, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    with socket.create_connection((host, 11211), timeout=20) as s:
        for _ in range(count):
            text = command(rng, size)
            s.sendall(text.encode())
            reply = b""
            while not answered(text, reply):
                part = s.recv(65536)
                if not part:
                    return 1
                reply += part
            time.sleep(rng.choice((0, 0, 0.002, 0.05)))
        s.sendall(b"quit\r\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""nats_client.py HOST MESSAGES SIZE SEED: a subscriber and a publisher of the NATS text protocol."""
import random
import socket
import sys
import time


def connect(host):
    s = socket.create_connection((host, 4222), timeout=20)
    s.recv(65536)
    s.sendall(b'CONNECT {"verbose":false,"pedantic":false,"lang":"python3","version":"2.2.0","protocol":1}\r\nPING\r\n')
    while b"PONG" not in s.recv(65536):
        pass
    return s


def main():
    host, count, size, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    listener, speaker = connect(host), connect(host)
    listener.sendall(b"SUB orders.> 1\r\nPING\r\n")
    while b"PONG" not in listener.recv(65536):
        pass
    heard, sent = 0, 0
    for _ in range(count):
        data = rng.randbytes(rng.randint(1, size)).hex().encode()[:size]
        speaker.sendall(b"PUB orders.%d %d\r\n%s\r\n" % (rng.randint(1, 20), len(data), data))
        sent += len(data)
        time.sleep(rng.choice((0, 0, 0.01, 0.1)))
    while heard < sent:
        part = listener.recv(65536)
        if not part:
            return 1
        heard += len(part)
    return 0


if __name__ == "__main__":
    sys.exit(main())

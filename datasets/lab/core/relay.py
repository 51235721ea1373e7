#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""relay.py: a slow cable between two interfaces of its namespace: rate, queue, delay, jitter, loss, and routers that
take their part of the TTL. Used instead of netem, which many kernels lack: so every machine records alike."""
import argparse
import collections
import os
import random
import select
import socket
import time

OUTGOING = 4  # packet type: sent by this host, seen again
ETH_P_ALL = 3
BATCH = 64


def patch_ttl(frame, hops):
    """Takes hops off the TTL of IPv4 and the hop limit of IPv6, as that many routers would."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        ttl = frame[22]
        if ttl > hops and frame[30] < 224:
            frame[22] = ttl - hops
            total = int.from_bytes(frame[24:26], "big") + (hops << 8)  # RFC 1624
            total = (total & 0xFFFF) + (total >> 16)
            frame[24:26] = total.to_bytes(2, "big")
    elif kind == b"\x86\xdd" and len(frame) > 54:
        # Discovery insists on 255, and listener reports (behind a hop-by-hop header) on 1.
        neighbours = frame[20] == 0 or (frame[20] == 58 and 133 <= frame[54] <= 137)
        if not neighbours and frame[21] > hops and frame[38] != 0xFF:
            frame[21] -= hops
    return frame


class Way:
    """One direction: frames in, frames out later."""

    def __init__(self, source, sink, rate, link, rng):
        self.source, self.sink, self.rate, self.link, self.rng = source, sink, rate, link, rng
        self.queue = collections.deque()
        self.free_at = self.last_out = 0.0
        self.lost = self.overflowed = self.passed = 0

    def take_in(self):
        for _ in range(BATCH):
            try:
                frame, address = self.source.recvfrom(65535)
            except BlockingIOError:
                return
            if address[2] != OUTGOING:
                self.schedule(bytearray(frame), time.monotonic())

    def schedule(self, frame, now):
        if self.link.loss and self.rng.random() < self.link.loss:
            self.lost += 1
            return
        start = max(now, self.free_at)
        if start - now > self.link.queue_ms / 1e3:
            self.overflowed += 1
            return
        self.free_at = start + len(frame) * 8 / (self.rate * 1e6)
        late = self.link.delay_ms / 1e3 + self.rng.random() * self.link.jitter_ms / 1e3
        # A queue keeps its order: jitter never overtakes.
        self.last_out = max(self.last_out, self.free_at + late)
        self.queue.append((self.last_out, patch_ttl(frame, self.link.hops)))

    def let_out(self, now):
        while self.queue and self.queue[0][0] <= now:
            frame = self.queue.popleft()[1]
            try:
                self.sink.send(frame)
                self.passed += 1
            except OSError:
                self.overflowed += 1


def open_interface(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((name, ETH_P_ALL))
    s.setblocking(False)
    return s


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("near", help="interface on the client's side")
    p.add_argument("far", help="interface on the servers' side")
    for name, kind in (("delay-ms", float), ("jitter-ms", float), ("loss", float), ("up-mbit", float),
                       ("down-mbit", float), ("queue-ms", float), ("hops", int), ("seed", int)):
        p.add_argument("--" + name, type=kind, required=True)
    link = p.parse_args()
    # A delay is to be that of the link, whatever else the machine does; the relay needs little of it.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    near, far = open_interface(link.near), open_interface(link.far)
    rng = random.Random(link.seed)
    ways = {near: Way(near, far, link.up_mbit, link, rng), far: Way(far, near, link.down_mbit, link, rng)}
    print("relaying", flush=True)
    while True:
        now = time.monotonic()
        due = [w.queue[0][0] - now for w in ways.values() if w.queue]
        ready, _, _ = select.select([near, far], [], [], max(0.0, min(due)) if due else None)
        for s in ready:
            ways[s].take_in()
        now = time.monotonic()
        for w in ways.values():
            w.let_out(now)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""udp_sink.py PORT: takes datagrams and says nothing, as a screen does; the port above it too, for control packets."""
import select
import socket
import sys

if __name__ == "__main__":
    first = int(sys.argv[1])
    sockets = []
    for port in (first + 1, first):  # the first one last: it says that all is ready
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", port))
        sockets.append(s)
    while True:
        for s in select.select(sockets, [], [])[0]:
            s.recv(65536)

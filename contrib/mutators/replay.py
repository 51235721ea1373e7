#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions against a server: what `generate --unit client --as aflnet` has written, message by message, waiting for the answer to each.

replay.py [--wait 0.2] tcp:HOST:PORT|udp:HOST:PORT FILE... [-- SERVER [ARGUMENT...]]

A JSON line for each session: its file, how many of its messages were sent, how many bytes came back after each, and how it ended:
"answered"; "closed" by the server before all was sent; "refused", without a connection; or, of a server that is given, and so started
and started again, "signal N" or "status N" of which it died. The exit status is 1 when it died of one.
"""
import argparse, json, select, socket, struct, subprocess, sys, time

STARTS_S, MOST_BYTES = 10, 1 << 20


def messages_of(path):
    """Each has its length before it, in four bytes."""
    data, at, out = open(path, "rb").read(), 0, []
    while at + 4 <= len(data):
        n, = struct.unpack_from("<I", data, at)
        out.append(data[at + 4:at + 4 + n])
        at += 4 + n
    if at != len(data):
        sys.exit(f"replay.py: {path}: no sequence of messages (generate --as aflnet makes them)")
    return out


class Server:
    """The program, if there is one: started when it is not running."""

    def __init__(self, argv, kind, address):
        self.argv, self.kind, self.address, self.process = argv, kind, address, None

    def start(self):
        if not self.argv or (self.process and self.process.poll() is None):
            return
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + STARTS_S
        while self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
            if self.kind == socket.SOCK_DGRAM or self.listens():
                time.sleep(0.2 if self.kind == socket.SOCK_DGRAM else 0)
                return
        sys.exit(f"replay.py: {self.argv[0]}: it does not listen at {self.address[0]}, port {self.address[1]}")

    def listens(self):
        try:
            socket.create_connection(self.address, 1).close()
        except OSError:
            return False
        return True

    def death(self, wait):
        """How it has died, if it has; a moment later, too: None."""
        if not self.process:
            return None
        try:
            status = self.process.wait(wait)
        except subprocess.TimeoutExpired:
            return None
        return f"signal {-status}" if status < 0 else f"status {status}"

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def answer(s, wait):
    """Bytes that come until nothing does for so long; None: the server has closed."""
    n = 0
    while n < MOST_BYTES and select.select([s], [], [], wait)[0]:
        data = s.recv(65536)
        if not data and s.type == socket.SOCK_STREAM:
            return None
        n += len(data)
    return n


def session(kind, address, messages, wait):
    sent, answers = 0, []
    try:
        with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, kind) as s:
            s.settimeout(5)
            s.connect(address)
            for message in messages:
                s.sendall(message)
                sent += 1
                n = answer(s, wait)
                if n is None:
                    return sent, answers, "closed" if sent < len(messages) else "answered"
                answers.append(n)
    except OSError:
        return sent, answers, "closed" if sent else "refused"
    return sent, answers, "answered"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--wait", type=float, default=0.2, help="seconds without a byte after which an answer is over")
    p.add_argument("where")
    p.add_argument("file", nargs="+")
    argv = sys.argv[1:]
    at = argv.index("--") if "--" in argv else len(argv)
    a = p.parse_args(argv[:at])
    kind, _, where = a.where.partition(":")
    host, _, port = where.rpartition(":")
    if kind not in ("tcp", "udp") or not host or not port.isdigit():
        p.error(f"'{a.where}' is not tcp:HOST:PORT or udp:HOST:PORT")
    kind, address = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM, (host.strip("[]"), int(port))
    server, died = Server(argv[at + 1:], kind, address), False
    try:
        for path in a.file:
            messages = messages_of(path)
            server.start()
            sent, answers, end = session(kind, address, messages, a.wait)
            death = server.death(0.05 if end == "answered" else 0.5)
            died |= death is not None
            print(json.dumps({"file": path, "messages": len(messages), "sent": sent, "answers": answers, "end": death or end}), flush=True)
    finally:
        server.stop()
    sys.exit(died)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""irc_client.py HOST LINES PAUSE_MS SEED: two people meet in a channel, talk, and leave."""
import pathlib
import random
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from core.words import Words  # noqa: E402


class Person:

    def __init__(self, host, nick, channel):
        self.socket = socket.create_connection((host, 6667), timeout=20)
        self.say(f"NICK {nick}")
        self.say(f"USER {nick} 0 * :{nick}")
        self.hear(" 001 ")
        self.say(f"JOIN #{channel}")
        self.hear(" 366 ")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")

    def hear(self, sign):
        text = ""
        while sign not in text:
            part = self.socket.recv(65536).decode(errors="replace")
            if not part:
                raise OSError("the server closed")
            text += part
            for line in part.splitlines():
                if line.startswith("PING"):
                    self.say("PONG" + line[4:])


def main():
    host, lines, pause, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    words = Words(rng)
    channel = words.name()
    people = [Person(host, words.name(3), channel) for _ in range(2)]
    for _ in range(lines):
        speaker = rng.choice(people)
        sentence = words.sentence()
        speaker.say(f"PRIVMSG #{channel} :{sentence}")
        people[speaker is people[0]].hear(sentence)
        time.sleep(rng.expovariate(1000 / pause) if pause else 0)
        if rng.random() < 0.1:
            speaker.say(
                rng.choice((f"NAMES #{channel}", f"WHO #{channel}", f"TOPIC #{channel} :{words.sentence()}", "LUSERS")))
    for person in people:
        person.say("QUIT :" + words.name())
        while person.socket.recv(65536):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

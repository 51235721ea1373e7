#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A smaller input that a program fails with in the same way: packets are taken out, then parts of messages, with lengths and checksums that follow.

minimize.py --library wirespeak-afl.so [--input pcap] [--match TEXT] INPUT OUTPUT -- PROGRAM [ARGUMENT...] (@@ is the input)

In the same way: it dies of the same signal, or ends with the same status above 0; with --match, what it prints has this text, too
(of a sanitizer's report the line "SUMMARY: ..."). INPUT and what it holds are those of the mutator: pcap, frame, udp:PORT, tcp:PORT.
"""
import argparse, ctypes, os, struct, subprocess, sys, tempfile


def plugin(path, kind):
    """AFL++'s calls of the plug-in, and its state."""
    os.environ["WIRESPEAK_INPUT"], os.environ["WIRESPEAK_TRIM"] = kind, "1000000"
    lib = ctypes.CDLL(os.path.abspath(path))
    lib.afl_custom_init.restype = ctypes.c_void_p
    lib.afl_custom_init_trim.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    lib.afl_custom_trim.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
    lib.afl_custom_trim.restype = ctypes.c_size_t
    lib.afl_custom_post_trim.argtypes = [ctypes.c_void_p, ctypes.c_uint8]
    return lib, lib.afl_custom_init(None, 0)


class Program:
    def __init__(self, argv, match, seconds):
        self.argv, self.match, self.seconds, self.runs = argv, match, seconds, 0

    def run(self, data):
        """How it ends: a signal below 0, a status; None when it does not, or does not print what it should."""
        self.runs += 1
        with tempfile.NamedTemporaryFile() as f:
            f.write(data)
            f.flush()
            argv = [f.name if a == "@@" else a for a in self.argv]
            try:
                p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=self.seconds, check=False)
            except subprocess.TimeoutExpired:
                return None
        return p.returncode if self.match.encode() in p.stdout else None


def records(data):
    """A pcap file's header and packets; None of anything else."""
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    packets, at = [], 24
    while order and at + 16 <= len(data):
        end = at + 16 + struct.unpack_from(order + "I", data, at + 8)[0]
        packets.append(data[at:end])
        at = end
    return data[:24], packets if order else None


def fewer(data, fails):
    """A capture without packets that it fails without: the plug-in sees the first 64 alone."""
    head, packets = records(data)
    chunk = len(packets or []) // 2
    while chunk and len(packets) > 1:
        at = 0
        while at < len(packets):
            rest = packets[:at] + packets[at + chunk:]
            if rest and fails(head + b"".join(rest)):
                packets = rest
            else:
                at += chunk
        chunk //= 2
    return head + b"".join(packets) if packets else data


def trim(lib, state, data, fails):
    """The input after all steps, each of which is kept if it still fails."""
    steps, step, out = lib.afl_custom_init_trim(state, data, len(data)), 0, ctypes.c_void_p()
    while step < steps:
        n = lib.afl_custom_trim(state, ctypes.byref(out))
        smaller = ctypes.string_at(out, n)
        kept = fails(smaller)
        if kept:
            data = smaller
        step = lib.afl_custom_post_trim(state, kept)
    return data


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", required=True)
    p.add_argument("--input", default="pcap")
    p.add_argument("--match", default="")
    p.add_argument("--seconds", type=float, default=10, help="for one run")
    p.add_argument("source")
    p.add_argument("target")
    p.add_argument("program", nargs="+")
    a = p.parse_args()
    data = open(a.source, "rb").read()
    program = Program(a.program, a.match, a.seconds)
    want = program.run(data)
    if not want:
        sys.exit(f"minimize.py: {a.source}: {a.program[0]} does not fail with it" + (f", or does not print '{a.match}'" if a.match else ""))
    lib, state = plugin(a.library, a.input)
    fails = lambda smaller: program.run(smaller) == want
    size, before = len(data), None
    if a.input == "pcap":
        data = fewer(data, fails)
    while before is None or len(data) < before: # what had to stay may go now
        before = len(data)
        data = trim(lib, state, data, fails)
    with open(a.target, "wb") as f:
        f.write(data)
    print(f"{size} bytes before, {len(data)} now, after {program.runs} runs")


if __name__ == "__main__":
    main()

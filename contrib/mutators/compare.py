#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does it pay to fuzz with generated seeds and with the mutator? Edges that programs built with afl-clang-fast show.

compare.py real --captures DIR --to DIR [--each 2] [--ports 53,5353]
    Inputs from real captures: some packets of each, drawn, one a pcap file; with ports the payloads of UDP from or to one of them.
compare.py seeds --real DIR --generated DIR [--generated DIR...] [-n 200] [--skip BYTES] [--runs 5] -- PROGRAM [ARGUMENT...] (@@ is the input)
    Edges of n inputs each: drawn from real captures, those after random mutations, drawn from the generated corpus, of which each run may have its own.
compare.py afl --seeds DIR --library wirespeak-afl.so [--input pcap] [--cpu 10] [--runs 5] -- PROGRAM [ARGUMENT...]
    Edges that afl-fuzz has found after so many seconds of CPU time, with the mutator and without it.

One run after the other, medians and all runs as JSON lines. CPU time is that of the fuzzer and its children, so that
other work on the machine changes how long it takes and not what comes out.
"""
import argparse, json, os, random, shutil, signal, statistics, struct, subprocess, sys, tempfile, time

ENVIRONMENT = {"AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_NO_UI": "1", "AFL_QUIET": "1", "AFL_FAST_CAL": "1",
               "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_DISABLE_TRIM": "1"}


def havoc(data, rng, skip):
    """A few random changes of single bytes and blocks behind the first `skip` ones, as fuzzers without a grammar make them."""
    head, b = data[:skip], bytearray(data[skip:] or b"\0")
    for _ in range(rng.choice((1, 2, 4, 8, 16))):
        at, kind = rng.randrange(len(b)), rng.randrange(6)
        if kind == 0:
            b[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            b[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            b[at] = (b[at] + rng.randrange(-35, 36)) % 256
        elif kind == 3:
            b[at] = rng.randrange(256)
        elif kind == 4 and len(b) > 4:
            del b[at:at + rng.randrange(1, 16)]
            b = b or bytearray(1)
        else:
            b[at:at] = b[at:at + rng.randrange(1, 16)]
    return head + bytes(b)


def files_below(folder):
    return sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names)


def packets_of(path, scratch):
    """The link type, and packets with their headers in microseconds, of a capture that editcap reads: the first 20,000."""
    copy = os.path.join(scratch, "capture")
    if os.path.exists(copy):
        os.unlink(copy)
    subprocess.run(["editcap", "-F", "pcap", "-r", path, copy, "1-20000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    data, at, out = open(copy, "rb").read() if os.path.exists(copy) else b"", 24, []
    while at + 16 <= len(data):
        end = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
        out.append((data[at:at + 16], data[at + 16:end]))
        at = end
    return data[:24], out


def datagram(frame):
    """Ports and payload of UDP over IP over Ethernet, or None."""
    at = 12
    while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    kind, at = frame[at:at + 2], at + 2
    if kind == b"\x08\0" and len(frame) > at + 28 and frame[at + 9] == 17 and not (frame[at + 6] & 0x3F or frame[at + 7]):
        at += (frame[at] & 15) * 4
    elif kind == b"\x86\xdd" and len(frame) > at + 48 and frame[at + 6] == 17:
        at += 40
    else:
        return None
    source, to, length = struct.unpack_from(">3H", frame.ljust(at + 8, b"\0"), at)
    return source, to, frame[at + 8:at + length]


def make_real(a, scratch):
    rng, ports = random.Random(1), {int(p) for p in a.ports.split(",")} if a.ports else None
    n = 0
    os.makedirs(a.to)
    for path in files_below(a.captures):
        head, packets = packets_of(path, scratch)
        found = [head + b"".join(p) for p in packets]
        if ports:
            udp = [datagram(frame) for _, frame in packets if head[20:22] == b"\1\0"]
            found = [u[2] for u in udp if u and ports & set(u[:2]) and len(u[2]) > 8]
        for data in rng.sample(found, min(a.each, len(found))):
            with open(os.path.join(a.to, f"{n:06}"), "wb") as f:
                f.write(data)
            n += 1
    print(json.dumps({"inputs": n}))


def edges_of(program, folder):
    """Edges that all files of the folder have together."""
    with tempfile.TemporaryDirectory() as scratch:
        edges_file = os.path.join(scratch, "edges")
        subprocess.run(["afl-showmap", "-q", "-C", "-t", "2000", "-m", "none", "-i", folder, "-o", edges_file, "--", *program],
                       env={**os.environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        edges = len(open(edges_file).readlines()) if os.path.exists(edges_file) else 0
    if edges == 0:
        sys.exit(f"afl-showmap sees no edges of {program[0]}: is it built with afl-clang-fast?")
    return edges


def compare_seeds(a, scratch):
    real, made = files_below(a.real), [files_below(folder) for folder in a.generated]
    for folder, files in zip([a.real, *a.generated], [real, *made]):
        if len(files) < a.n:
            sys.exit(f"{a.n} inputs wanted; {folder} has {len(files)}")
    result = {"real": [], "mutated": [], "generated": []}
    for run in range(a.runs):
        rng = random.Random(run)
        contents = {"real": [open(f, "rb").read() for f in rng.sample(real, a.n)]}
        contents["mutated"] = [havoc(data, rng, a.skip) for data in contents["real"]]
        contents["generated"] = [open(f, "rb").read() for f in rng.sample(made[run % len(made)], a.n)]
        for name, inputs in contents.items():
            folder = os.path.join(scratch, name)
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
            for i, data in enumerate(inputs):
                with open(os.path.join(folder, f"{i:06}"), "wb") as f:
                    f.write(data)
            edges = edges_of(a.program, folder)
            result[name].append(edges)
            print(json.dumps({"run": run, "inputs": name, "n": a.n, "edges": edges}), flush=True)
    for name, edges in result.items():
        print(json.dumps({"inputs": name, "n": a.n, "median": statistics.median(edges), "all": edges}), flush=True)


def cpu_of(pid):
    """CPU seconds of a process, its waited-for children, and its living ones, which for afl-fuzz are the fork server."""
    ticks, todo = 0, [pid]
    while todo:
        try:
            p = todo.pop()
            with open(f"/proc/{p}/stat") as f:
                v = f.read().rpartition(")")[2].split()
            ticks += sum(int(v[i]) for i in (11, 12, 13, 14))
            with open(f"/proc/{p}/task/{p}/children") as f:
                todo += [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def fuzz(a, out, seed, library):
    environment = {**os.environ, **ENVIRONMENT}
    if library:
        environment.update(AFL_CUSTOM_MUTATOR_LIBRARY=os.path.abspath(library), WIRESPEAK_INPUT=a.input)
    p = subprocess.Popen(["afl-fuzz", "-s", str(seed), "-t", "2000", "-m", "none", "-i", a.seeds, "-o", out, "--", *a.program],
                         env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cpu = 0
    while p.poll() is None and cpu < a.cpu:
        time.sleep(0.1)
        cpu = max(cpu, cpu_of(p.pid))
    if p.poll() is None:
        p.send_signal(signal.SIGINT)
    elif p.returncode != 0:
        sys.exit(f"afl-fuzz ended after {cpu:.1f} s with status {p.returncode} (-s {seed}, {library or 'no mutator'}): run it by hand to see why")
    p.wait()
    try:
        with open(os.path.join(out, "default", "fuzzer_stats")) as f:
            stats = dict(line.split(":", 1) for line in f if ":" in line)
    except FileNotFoundError:
        sys.exit("afl-fuzz made no fuzzer_stats: run it by hand to see why")
    stats = {k.strip(): v.strip() for k, v in stats.items()}
    queue = os.path.join(out, "default", "queue")
    shutil.rmtree(os.path.join(queue, ".state"), ignore_errors=True)
    edges = edges_of(a.program, queue)
    return {"edges": edges, "execs": int(stats["execs_done"]), "crashes": int(stats["saved_crashes"]), "cpu": round(cpu, 1)}


def compare_afl(a, scratch):
    result = {"without": [], "with": []}
    for run in range(a.runs):
        for name, library in (("without", None), ("with", a.library)):
            out = os.path.join(scratch, f"{name}-{run}")
            row = fuzz(a, out, run + 1, library)
            shutil.rmtree(out)
            result[name].append(row["edges"])
            print(json.dumps({"run": run, "mutator": name, **row}), flush=True)
    for name, edges in result.items():
        print(json.dumps({"mutator": name, "median": statistics.median(edges), "all": edges}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="what", required=True)
    s = sub.add_parser("seeds")
    s.add_argument("--real", required=True)
    s.add_argument("--generated", required=True, action="append")
    s.add_argument("-n", type=int, default=200)
    s.add_argument("--skip", type=int, default=0, help="bytes that mutations leave alone: 40 of a capture of one packet")
    r = sub.add_parser("real")
    r.add_argument("--captures", required=True)
    r.add_argument("--to", required=True)
    r.add_argument("--each", type=int, default=2)
    r.add_argument("--ports")
    f = sub.add_parser("afl")
    f.add_argument("--seeds", required=True)
    f.add_argument("--library", required=True)
    f.add_argument("--input", default="pcap")
    f.add_argument("--cpu", type=float, default=10)
    for q in (s, f):
        q.add_argument("--runs", type=int, default=5)
        q.add_argument("program", nargs="+")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        {"real": make_real, "seeds": compare_seeds, "afl": compare_afl}[a.what](a, scratch)


if __name__ == "__main__":
    main()

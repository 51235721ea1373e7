# SPDX-License-Identifier: Apache-2.0
"""corpus.py: the command line: which takes there are to do, doing them, and the lists that are made of them."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

from core import registry, sandbox, take
from core.packages import install, lacking, needed, versions

CODE = pathlib.Path(__file__).resolve().parent.parent
HEADS = ("application", "carrier", "inside", "protocol", "purpose", "threat")
# Heads that other label lists have, as far as the lab knows their classes: head -> column, its values, theirs. "=" is
# the name of the recipe.
DERIVED = {
    "tunnel": ("application", {"dns": "benign-dns", "dns-tunnel": "="}), "threat_kind": ("application", {
        "port-scan": "scan", "web-scan": "scan", "flood": "ddos", "slow-http": "ddos", "dns-tunnel": "dns-tunnel"
    })
}
KEY = ("path", "l4", "ip_a", "port_a", "ip_b", "port_b")
GRACE_S = 60  # for a take's start and end, beside the recipe's own limit


def say(text):
    print("record: " + text, file=sys.stderr, flush=True)


def parse(arguments):
    p = argparse.ArgumentParser(prog="record", description="Records labelled traffic of real programs.")
    p.add_argument("apps", nargs="*", metavar="APP", help="recipes; all of them by default")
    p.add_argument("--seed", type=int, default=1, help="what is drawn follows from it (1)")
    p.add_argument("--rounds", type=int, default=1, help="takes of every recipe (1)")
    p.add_argument("--out", metavar="DIR", help="where captures, manifest and labels go")
    p.add_argument("--jobs", type=int, default=2, help="takes at a time (2)")
    p.add_argument("--max-bytes", type=int, default=2 << 30, help="stop when the captures are larger (2 GiB)")
    p.add_argument("--list", action="store_true", help="list the recipes and what they lack here")
    p.add_argument("--install", action="store_true", help="install the Debian packages of the recipes first")
    p.add_argument("--take", nargs=2, metavar=("APP", "ROUND"), help=argparse.SUPPRESS)
    return p, p.parse_args(arguments)


# ---- takes ----


def skip(out, recipe, seed, reason):
    """A recipe that cannot run here is named aloud and in the manifest."""
    say(f"SKIPPED {recipe.name}: {reason}")
    line = {
        "capture": f"{recipe.name}-s{seed}", "recipe": recipe.name, "seed": seed, "status": "skipped", "reason": reason
    }
    write(out / "takes" / f"{recipe.name}-s{seed}-skipped.json", json.dumps(line) + "\n")


def write(path, text):
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def able(recipes, here, out, seed):
    """Those whose packages are here."""
    good = []
    for recipe in recipes:
        old = out / "takes" / f"{recipe.name}-s{seed}-skipped.json"
        missing = lacking(recipe, here)
        if missing:
            skip(out, recipe, seed, missing)
        else:
            old.unlink(missing_ok=True)
            good.append(recipe)
    return good


def done(out, recipe, seed, number):
    path = out / "takes" / f"{recipe.name}-s{seed}-{number:04d}.json"
    return path.exists() and json.loads(path.read_text())["status"] == "recorded"


def packages_of(line, table, here):
    """Versions of what the take ran with, those of what it carried included."""
    names = {*needed(table[line["recipe"]])}
    inner = line.get("settings", {}).get("inside")
    if inner in table:
        names.update(needed(table[inner]))
    return {n: here[n] for n in sorted(names) if n in here}


def run_take(recipe, number, options, table, here):
    """One take in a process of its own. Whatever becomes of it, a line in takes/ says so."""
    name = f"{recipe.name}-s{options.seed}-{number:04d}"
    path = pathlib.Path(options.out) / "takes" / (name + ".json")
    path.unlink(missing_ok=True)
    # Should the recorder be killed, its takes go with it.
    command = ["setpriv", "--pdeathsig", "KILL"] + sandbox.command("/usr/bin/python3", str(
        CODE / "record"), "--take", recipe.name, str(number), "--seed", str(options.seed), "--out", options.out)
    problem = ""
    try:
        process = subprocess.run(command, env={**sandbox.plain_environment(), sandbox.INSIDE: "1"}, capture_output=True,
                                 text=True, timeout=recipe.seconds + GRACE_S)
        problem = process.stderr.strip()[-600:] or f"exit {process.returncode}"
    except subprocess.TimeoutExpired:
        problem = f"took more than {recipe.seconds + GRACE_S} s"
    if not path.exists():
        write(
            path,
            json.dumps({
                "capture": name, "recipe": recipe.name, "seed": options.seed, "round": number, "status": "failed",
                "reason": problem
            }) + "\n")
    line = json.loads(path.read_text())
    line["packages"] = packages_of(line, table, here)
    write(path, json.dumps(line) + "\n")
    if line["status"] != "recorded":
        set_aside(pathlib.Path(options.out), name)
        say(f"{line['status'].upper()} {name}: {line['reason']}")
    else:
        say(f"{name}: {sum(len(c['flows']) for c in line['captures'])} flows, "
            f"{sum(c['packets'] for c in line['captures'])} packets, {line['seconds']} s")
    return line


def set_aside(out, name):
    """What was recorded of a failed take helps to see why; it is no part of the corpus."""
    for part in out.glob(f"*/*/{name}.pcap.part"):
        (out / "failed").mkdir(exist_ok=True)
        part.replace(out / "failed" / f"{name}-{part.parent.parent.name}.pcap")


def size_of(out):
    return sum(f.stat().st_size for f in out.glob("*/*/*.pcap"))


# ---- lists ----


def derived(flow, recipe):
    """The labels of a flow in the terms of other lists; empty where they have none. What is no attack is benign."""
    found = {}
    for head, (column, names) in DERIVED.items():
        found[head] = names.get(flow[column], "").replace("=", recipe)
    if flow["threat"] == "benign":
        found["threat_kind"] = "benign"
    return found


def lists(out):
    """manifest.jsonl, flows.tsv and labels/HEAD.tsv from the lines of all takes in OUT."""
    lines = [json.loads(p.read_text()) for p in sorted((out / "takes").glob("*.json"))]
    rows = [{"path": c["path"], **f, **derived(f, line["recipe"])} for line in lines for c in line.get("captures", ())
            for f in c["flows"]]
    manifest = []
    for line in lines:
        short = [{**c, "flows": len(c["flows"])} for c in line.get("captures", ())]
        manifest.append(json.dumps({**line, "captures": short}, sort_keys=True))
    write(out / "manifest.jsonl", "".join(text + "\n" for text in manifest))
    columns = KEY + HEADS + ("packets", "bytes", "seconds")
    write(out / "flows.tsv", table_text(columns, rows))
    (out / "labels").mkdir(exist_ok=True)
    for head in HEADS + tuple(DERIVED):
        write(out / "labels" / (head + ".tsv"),
              table_text(("path", "label") + KEY[1:], [{**r, "label": r[head]} for r in rows if r[head]]))
    return lines


def table_text(columns, rows):
    body = ("\t".join(str(r[c]) for c in columns) + "\n" for r in rows)
    return "\t".join(columns) + "\n" + "".join(body)


def show_list(recipes):
    here = versions({p for r in recipes for p in needed(r)})
    for r in recipes:
        missing = lacking(r, here)
        kind = "carries " + r.carries if r.carries else "attack" if r.attack else r.purpose
        print(f"{r.name:<18} {r.application:<14} {kind:<16} {missing or 'ready'}")


# ---- the command ----


def inside(options, table):
    name, number = options.take
    out = pathlib.Path(options.out).resolve()
    sandbox.refuse_outside()
    sandbox.enter(str(out), str(CODE))
    take.record(table[name], table, options.seed, int(number), sandbox.ROOT + "/out")
    return 0


def record_all(recipes, options, table, here):
    out = pathlib.Path(options.out)
    stopped = False
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for number in range(options.rounds):  # round by round: what is there at any time is balanced
            todo = [r for r in recipes if not done(out, r, options.seed, number)]
            list(pool.map(lambda r, n=number: run_take(r, n, options, table, here), todo))
            lists(out)  # should the machine stop, what is there can be used
            if size_of(out) > options.max_bytes:
                say(f"the captures take more than {options.max_bytes} bytes: stopping after {number + 1} rounds")
                stopped = True
                break
    return stopped


def main(arguments):
    parser, options = parse(arguments)
    table = registry.load()
    if options.take:
        return inside(options, table)
    unknown = [a for a in options.apps if a not in table]
    if unknown:
        parser.error(f"no such recipe: {' '.join(unknown)} (--list lists them)")
    recipes = [table[a] for a in options.apps] or list(table.values())
    if options.list:
        show_list(recipes)
        return 0
    if options.install:
        install(recipes)
    if not options.out:
        if options.install:
            return 0
        parser.error("--out says where the captures go")
    problem = sandbox.probe()
    if problem:
        say(problem)
        return 1
    out = pathlib.Path(options.out).resolve()
    options.out = str(out)
    (out / "takes").mkdir(parents=True, exist_ok=True)
    here = versions({p for r in table.values() for p in needed(r)})
    record_all(able(recipes, here, out, options.seed), options, table, here)
    lines = [line for line in lists(out) if line["recipe"] in {r.name for r in recipes}]
    count = {s: sum(line["status"] == s for line in lines) for s in ("recorded", "failed", "skipped")}
    say(f"{count['recorded']} takes recorded, {count['failed']} failed, {count['skipped']} skipped; "
        f"{out}/manifest.jsonl, {out}/flows.tsv, {out}/labels/")
    return 1 if count["failed"] or not count["recorded"] else 0

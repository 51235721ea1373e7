#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sources.py MANIFEST: one line for each source of a collection of public captures, as in sources.tsv: the repository, the
commit that pins its contents, the licence it states, how many captures and flows are taken from it, their size, and the
SHA-256 over the sorted SHA-256 sums of the captures as published."""
import collections
import csv
import hashlib
import sys

COLUMNS = ("source", "commit", "licence", "captures", "flows", "bytes", "sha256_of_sums")


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    sources = collections.defaultdict(list)
    for row in rows:
        sources[row["source_repo"], row["commit"], row["licence"]].append(row)
    print("\t".join(COLUMNS))
    for (source, commit, licence), captures in sorted(sources.items()):
        sums = "".join(f"{s}\n" for s in sorted(c["orig_sha256"] for c in captures))
        print(source, commit, licence, len(captures), sum(int(c["flows"]) for c in captures),
              sum(int(c["bytes"]) for c in captures), hashlib.sha256(sums.encode()).hexdigest(), sep="\t")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: sources.py MANIFEST > sources.tsv")
    main()

# SPDX-License-Identifier: Apache-2.0
"""packages.py: what recipes need of the system: Debian packages and their versions, devices; what is missing; installing."""
import os
import pathlib
import subprocess
import sys

BASE = ("tcpdump", "ethtool", "iproute2", "util-linux", "openssl", "procps", "python3")


def versions(names):
    """Versions of those packages that are installed."""
    out = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", *names],
                         capture_output=True, text=True).stdout
    rows = [line.split() for line in out.splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def needed(recipe):
    return sorted({*BASE, *recipe.packages})


def install(recipes):
    """Installs what is missing, with nothing started."""
    missing = sorted({p for r in recipes for p in needed(r)} - set(versions({p for r in recipes for p in needed(r)})))
    if not missing:
        return
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    own = not policy.exists()
    if own:  # Debian's way to say that a package must not start its service
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
    try:
        print("record: installing " + " ".join(missing), file=sys.stderr, flush=True)
        for name in missing:  # one at a time: what cannot be installed skips only its recipes
            subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", name], check=False,
                           stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    finally:
        if own:
            policy.unlink()


def lacking(recipe, here=None):
    """In words, what this machine lacks for a recipe; empty when it has all."""
    here = versions(needed(recipe)) if here is None else here
    missing = [p for p in needed(recipe) if p not in here]
    if missing:
        return "not installed: " + " ".join(missing) + " (record --install installs packages)"
    devices = [d for d in recipe.devices if not os.path.exists(d)]
    return "the kernel has no " + " ".join(devices) if devices else ""

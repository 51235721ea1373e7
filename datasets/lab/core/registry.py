# SPDX-License-Identifier: Apache-2.0
"""registry.py: the table of recipes. A recipe is a function of a take that starts servers, calls take.begin(), and then
does what a client does. Its row says what it is, and with what it can be carried."""
import dataclasses
import importlib
import pathlib


@dataclasses.dataclass(frozen=True)
class Recipe:
    name: str
    run: object
    application: str  # the label
    purpose: str
    protocol: str  # what is on the wire, without TLS around it
    packages: tuple
    devices: tuple = ()  # files that say that the kernel has what it needs
    attack: bool = False
    place: str = ""  # "near" or "far": where its servers stand; empty: drawn
    carrier: str = "plain"  # of its own; a take may say "tls"
    v6: bool = True
    inside: bool = True  # a VPN may carry it
    forward: bool = False  # one TCP port is all it needs: a forwarder may carry it
    carries: str = ""  # for carriers: "packets" (a VPN), "tcp" (a forwarder)
    slow: bool = False  # of a carrier: only light recipes fit through
    without: tuple = ()  # of a carrier: what cannot run beside it
    light: bool = False  # a few kilobytes at most
    seconds: int = 90  # limit


TABLE = {}


def recipe(name, **row):
    """Decorator: the function below is the recipe of this row."""

    def add(function):
        if name in TABLE:
            raise ValueError(f"two recipes named {name}")
        row.setdefault("application", name)
        row.setdefault("protocol", row["application"])
        if row.get("carries") == "packets":
            row["devices"] = ("/dev/net/tun",)
        row["packages"] = tuple(row.get("packages", ()))
        TABLE[name] = Recipe(name=name, run=function, **row)
        return function

    return add


def load():
    """Reads every file of apps/; returns the table in the order of names."""
    folder = pathlib.Path(__file__).parent.parent / "apps"
    for file in sorted(folder.glob("*.py")):
        if file.stem != "__init__":
            importlib.import_module("apps." + file.stem)
    return dict(sorted(TABLE.items()))


def carried(carrier):
    """Names of the recipes that a carrier can carry."""
    return [
        r.name for r in TABLE.values() if not r.carries and not r.attack and r.name not in carrier.without and (
            r.light or not carrier.slow) and (r.inside if carrier.carries == "packets" else r.forward)
    ]

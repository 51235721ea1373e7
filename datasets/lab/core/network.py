# SPDX-License-Identifier: Apache-2.0
"""network.py: client -- relay -- router -- server, a namespace each, joined by veth pairs; addresses and link settings
are drawn from the take's seed. No interface leads out of the sandbox."""
import ipaddress
import math
import subprocess

from core import sandbox

SPACES = ("client", "relay", "router", "server")
NSENTER = {name: ["nsenter", "--net=/run/netns/" + name] for name in SPACES + ("user",)}

# Ranges of the lab's addresses: private ones for clients and for servers nearby, those of documentation and of
# benchmarks (RFC 5737, 2544, 3849) for servers far away.
CLIENT_NETS = ("192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12")
NEAR_NETS = ("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12")
FAR_NETS = ("198.18.0.0/15", "203.0.113.0/24", "198.51.100.0/24")
V6_NET = "2001:db8::/32"

# Offloads would leave frames of 64 KiB and checksums that are not finished in the captures.
OFFLOADS = ("tx", "rx", "sg", "tso", "gso", "gro")


def log_uniform(rng, low, high):
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def draw_link(rng, place):
    """Settings of the path: what a cable in the building or a way through the country would have."""
    if place == "near":
        delay, rate = log_uniform(rng, 0.05, 2), log_uniform(rng, 20, 100)
        loss, hops = 0.0, rng.choice((0, 0, 1, 2))
    else:
        delay, rate = log_uniform(rng, 1, 80), log_uniform(rng, 3, 80)
        loss = 0.0 if rng.random() < 0.65 else log_uniform(rng, 0.0005, 0.015)
        hops = rng.randint(2, 14)
    return {
        "place": place, "delay_ms": round(delay, 3), "jitter_ms": round(delay * rng.uniform(0, 0.15), 3), "loss": round(
            loss, 5), "down_mbit": round(rate, 2), "up_mbit": round(rate * rng.choice((1, 1, 0.5, 0.2)), 2),
        "queue_ms": round(rng.uniform(40, 250), 1), "hops": hops, "mtu": 1500 if place == "near" else rng.choice(
            (1500, 1500, 1500, 1492, 1420))
    }


def draw_subnet(rng, ranges):
    """A /24 of one of the ranges: its first host (the router) and another one."""
    whole = ipaddress.ip_network(rng.choice(ranges))
    size = max(24, whole.prefixlen)
    base = int(whole.network_address) + (rng.randrange(1 << (size - whole.prefixlen)) << (32 - size))
    return ipaddress.ip_address(base + 1), ipaddress.ip_address(base + rng.randint(2, 250))


def draw_addresses(rng, place):
    """Two different subnets of IPv4 and two of IPv6."""
    while True:
        c_gate, client = draw_subnet(rng, CLIENT_NETS)
        s_gate, server = draw_subnet(rng, NEAR_NETS if place == "near" else FAR_NETS)
        if int(c_gate) != int(s_gate):
            break
    six = [
        int(ipaddress.ip_network(V6_NET).network_address) + (rng.getrandbits(30) << 66) + (side << 64)
        for side in (0, 1)
    ]
    low = [rng.getrandbits(64) | 2 for _ in six]
    return {
        "client": str(client), "client_gate": str(c_gate), "server": str(server),
        "server_gate": str(s_gate), "client6": str(ipaddress.ip_address(six[0] + low[0])), "client6_gate": str(
            ipaddress.ip_address(six[0] + 1)), "server6": str(
                ipaddress.ip_address(six[1] + low[1])), "server6_gate": str(ipaddress.ip_address(six[1] + 1))
    }


def ip(space, *arguments):
    done = subprocess.run(["ip", "-n", space, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise sandbox.LabError(f"ip -n {space} {' '.join(arguments)}: {done.stderr.strip()}")


def inside(space, *arguments):
    done = subprocess.run(NSENTER[space] + list(arguments), capture_output=True, text=True)
    if done.returncode != 0:
        raise sandbox.LabError(f"{' '.join(arguments)} in {space}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def mac(rng):
    return ":".join(f"{b:02x}" for b in [0x02] + [rng.getrandbits(8) for _ in range(5)])


def cable(rng, space_a, name_a, space_b, name_b):
    """A veth pair between two namespaces, up, whole frames with finished checksums."""
    subprocess.run([
        "ip", "link", "add", "name", name_a, "netns", space_a, "address",
        mac(rng), "type", "veth", "peer", "name", name_b, "netns", space_b, "address",
        mac(rng)
    ], check=True)
    for space, name in ((space_a, name_a), (space_b, name_b)):
        inside(space, "ethtool", "-K", name, *[word for o in OFFLOADS for word in (o, "off")])
        ip(space, "link", "set", name, "up")


def add_space(name, forwards=False, six=True):
    subprocess.run(["ip", "netns", "add", name], check=True)
    settings = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] if forwards else []
    if not six:
        settings += ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"]
    else:
        settings += [
            "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.router_solicitations=0",
            "net.ipv6.conf.default.accept_ra=0"
        ]
    inside(name, "sysctl", "-qw", *settings)
    ip(name, "link", "set", "lo", "up")


def build(rng, link, at):
    """Makes the namespaces and the way between them; returns the relay's process."""
    for name in SPACES:
        add_space(name, forwards=name == "router", six=name != "relay")
    cable(rng, "client", "eth0", "relay", "near")
    cable(rng, "relay", "far", "router", "lan")
    cable(rng, "router", "wan", "server", "eth0")
    # A server may listen on an address that a tunnel brings later.
    inside("server", "sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1")
    for space, name, who in (("client", "eth0", "client"), ("router", "lan", "client_gate"),
                             ("router", "wan", "server_gate"), ("server", "eth0", "server")):
        v6 = who.replace("_gate", "") + "6" + ("_gate" if "_gate" in who else "")
        ip(space, "addr", "add", at[who] + "/24", "dev", name)
        ip(space, "addr", "add", at[v6] + "/64", "dev", name, "nodad")
        if space in ("client", "server"):
            ip(space, "route", "add", "default", "via", at[space + "_gate"])
            ip(space, "-6", "route", "add", "default", "via", at[space + "6_gate"])
            # A smaller path is told by what the ends offer, as it is where routers clamp the segment size.
            ip(space, "link", "set", "eth0", "mtu", str(link["mtu"]))
    options = [
        f"--{k.replace('_', '-')}={link[k]}"
        for k in ("delay_ms", "jitter_ms", "loss", "up_mbit", "down_mbit", "queue_ms", "hops")
    ]
    relay = subprocess.Popen(
        NSENTER["relay"] + [
            "/usr/bin/python3", sandbox.ROOT + "/code/core/relay.py", "near", "far", *options,
            f"--seed={rng.getrandbits(32)}"
        ], stdout=subprocess.PIPE, env=sandbox.plain_environment())
    if relay.stdout.readline() != b"relaying\n":
        raise sandbox.LabError("the relay did not start")
    return relay


def add_user(rng, at):
    """One more namespace behind the client, for programs that use a forwarder on the client."""
    add_space("user")
    cable(rng, "user", "eth0", "client", "desk")
    gate, user = draw_subnet(rng, ("192.168.0.0/16",))
    while str(gate) in (at["client_gate"], at["server_gate"]):
        gate, user = draw_subnet(rng, ("192.168.0.0/16",))
    ip("client", "addr", "add", f"{gate}/24", "dev", "desk")
    ip("user", "addr", "add", f"{user}/24", "dev", "eth0")
    ip("user", "route", "add", "default", "via", str(gate))
    return str(gate), str(user)

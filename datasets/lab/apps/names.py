# SPDX-License-Identifier: Apache-2.0
"""names.py: name servers and those who ask them: DNS over UDP and TCP, TLS and HTTPS; the clock and monitoring."""
from core import registry

KINDS = ("A", "A", "A", "AAAA", "MX", "TXT", "NS", "SOA", "PTR", "SRV")


def zone(t):
    """A zone with hosts, mail, text and services; returns its names and its file in the master format."""
    origin = f"{t.words.name()}.example"
    ttl = t.draw("ttl", 60, 300, 3600, 86400)
    rows = [f"$ORIGIN {origin}.", f"$TTL {ttl}",
            f"@ IN SOA ns1 {t.words.name()} {t.rng.randint(1, 2**31)} 7200 900 1209600 {ttl}", "@ IN NS ns1",
            "@ IN NS ns2", "ns1 IN A 198.18.0.53", "ns2 IN A 198.18.1.53", "@ IN MX 10 mail", "@ IN MX 20 mail2",
            "mail IN A 198.18.0.25", "mail2 IN A 198.18.1.25", f"@ IN TXT \"v=spf1 mx -all {t.words.name(6)}\""]
    names = ["", "mail.", "ns1."]
    for _ in range(t.rng.randint(10, 60)):
        name = t.words.name()
        names.append(name + ".")
        for _ in range(t.rng.choice((1, 1, 2, 6))):
            rows.append(f"{name} IN A 198.18.{t.rng.randint(0, 255)}.{t.rng.randint(1, 254)}")
        if t.chance(0.5):
            rows.append(f"{name} IN AAAA 2001:db8::{t.rng.randint(1, 65535):x}")
        if t.chance(0.3):
            rows.append(f"{name} IN TXT \"{t.words.sentence()[:180]}\"")
        if t.chance(0.3):
            rows.append(f"www.{name} IN CNAME {name}")
            names.append(f"www.{name}.")
    return origin, names, "\n".join(rows) + "\n"


def serve_bind(t, encrypted):
    origin, names, text = zone(t)
    t.write("/var/cache/bind/zone", text)
    t.folder("/run/named")
    extra, listen = "", "listen-on port 53 { any; };\nlisten-on-v6 port 53 { any; };\n"
    if encrypted:
        pki = t.certificate()
        extra = f"tls lab {{ cert-file \"{pki['cert']}\"; key-file \"{pki['key']}\"; }};\n"
        http = " http default" if encrypted == 443 else ""
        listen += f"listen-on port {encrypted} tls lab{http} {{ any; }};\nlisten-on-v6 port {encrypted} tls lab{http} {{ any; }};\n"
    config = t.write("named.conf", extra + "options { directory \"/var/cache/bind\"; recursion no;\n"
                     f"dnssec-validation no; minimal-responses {t.draw('minimal', 'yes', 'no')};\n"
                     f"pid-file \"/run/named/pid\"; {listen} }};\n"
                     f"zone \"{origin}\" {{ type master; file \"/var/cache/bind/zone\"; }};\n"
                     "controls {};\n")
    t.serve("named", "-f", "-c", config, "-n", "1", tcp=encrypted or 53, settle=0.3)
    return origin, names


def serve_unbound(t, encrypted):
    origin, names, text = zone(t)
    zone_file = t.write("zone", text)
    tls = ""
    if encrypted:
        pki = t.certificate()
        tls = (f"interface: 0.0.0.0@{encrypted}\ninterface: ::0@{encrypted}\ntls-service-key: {pki['key']}\n"
               f"tls-service-pem: {pki['cert']}\n" + ("https-port: 443\n" if encrypted == 443 else f"tls-port: {encrypted}\n"))
    config = t.write("unbound.conf", "server:\n do-daemonize: no\n chroot: \"\"\n username: \"\"\n use-syslog: no\n"
                     " pidfile: /run/unbound.pid\n interface: 0.0.0.0@53\n interface: ::0@53\n"
                     " access-control: 0.0.0.0/0 allow\n access-control: ::0/0 allow\n module-config: \"iterator\"\n"
                     f" minimal-responses: {t.draw('minimal', 'yes', 'no')}\n" + tls +
                     f"remote-control:\n control-enable: no\nauth-zone:\n name: {origin}\n zonefile: {zone_file}\n")
    t.serve("unbound", "-d", "-c", config, tcp=encrypted or 53, settle=0.2)
    return origin, names


def serve_dnsmasq(t, _encrypted):
    origin, names, _ = zone(t)
    rows = [f"host-record={n}{origin},198.18.{t.rng.randint(0, 255)}.{t.rng.randint(1, 254)}" for n in names if n]
    rows += [f"txt-record={origin},{t.words.name(5)}", f"mx-host={origin},mail.{origin},10"]
    config = t.write("dnsmasq.conf", f"keep-in-foreground\nno-resolv\nno-hosts\nuser=root\nlocal=/{origin}/\n"
                     f"auth-ttl={t.settings['ttl']}\n" + "\n".join(rows) + "\n")
    t.serve("dnsmasq", "-C", config, tcp=53)
    return origin, names


SERVERS = {"bind": serve_bind, "unbound": serve_unbound, "dnsmasq": serve_dnsmasq}


def ask(t, origin, names, options):
    """Queries with dig: for names that are there and for some that are not, a few at a time."""
    for _ in range(t.draw_int("bursts", 4, 16)):
        words = []
        for _ in range(t.rng.choice((1, 1, 2, 4))):
            name = t.rng.choice(names) + origin if t.chance(0.85) else t.words.name() + "." + origin
            words += [name, t.rng.choice(KINDS), *options]
        t.client("dig", f"@{t.addr}", "+tries=3", "+time=3", *words, ok=(0, 9))
        t.think(0.3)


@registry.recipe("dns", purpose="query", protocol="DNS",
                 packages=("bind9", "unbound", "dnsmasq-base", "bind9-dnsutils"))
def dns(t):
    origin, names = SERVERS[t.draw("server", *SERVERS)](t, 0)
    options = [t.draw("edns", "+edns", "+noedns"), t.draw("cookie", "+cookie", "+nocookie"), t.draw("adflag", "+adflag", "+noadflag")]
    if t.draw("transport", "udp", "udp", "udp", "tcp") == "tcp":
        options += ["+tcp", t.draw("keepopen", "+keepopen", "+nokeepopen")]
    t.begin()
    ask(t, origin, names, options)


def encrypted_dns(t, port, options):
    t.carrier = "tls"
    origin, names = SERVERS[t.draw("server", "bind", "unbound")](t, port)
    t.begin()
    if t.draw("client", "dig", "kdig") == "dig":
        ask(t, origin, names, options + [t.draw("keepopen", "+keepopen", "+nokeepopen")])
        return
    for _ in range(t.draw_int("bursts", 3, 12)):
        words = [w for _ in range(t.rng.choice((1, 2, 3))) for w in (t.rng.choice(names) + origin, t.rng.choice(KINDS))]
        t.client("kdig", f"@{t.addr}", options[0], *words, ok=(0, 1))
        t.think(0.3)


@registry.recipe("dot", purpose="query", protocol="DNS", packages=("bind9", "unbound", "bind9-dnsutils", "knot-dnsutils"),
                 forward=True)
def dot(t):
    encrypted_dns(t, 853, ["+tls"])


@registry.recipe("doh", purpose="query", protocol="DNS", packages=("bind9", "unbound", "bind9-dnsutils", "knot-dnsutils"),
                 forward=True)
def doh(t):
    encrypted_dns(t, 443, ["+https"])

# SPDX-License-Identifier: Apache-2.0
"""names.py: name servers and those who ask them: DNS over UDP and TCP, TLS and HTTPS; the clock and monitoring."""
from core import registry

KINDS = ("A", "A", "A", "AAAA", "MX", "TXT", "NS", "SOA", "PTR", "SRV")


def zone(t):
    """A zone with hosts, mail, text and services; returns its names and its file in the master format."""
    origin = f"{t.words.name()}.example"
    ttl = t.draw("ttl", 60, 300, 3600, 86400)
    rows = [
        f"$ORIGIN {origin}.", f"$TTL {ttl}",
        f"@ IN SOA ns1 {t.words.name()} {t.rng.randint(1, 2**31)} 7200 900 1209600 {ttl}", "@ IN NS ns1", "@ IN NS ns2",
        "ns1 IN A 198.18.0.53", "ns2 IN A 198.18.1.53", "@ IN MX 10 mail", "@ IN MX 20 mail2", "mail IN A 198.18.0.25",
        "mail2 IN A 198.18.1.25", f'@ IN TXT "v=spf1 mx -all {t.words.name(6)}"'
    ]
    names = ["", "mail.", "ns1."]
    for _ in range(t.rng.randint(10, 60)):
        name = t.words.name()
        names.append(name + ".")
        for _ in range(t.rng.choice((1, 1, 2, 6))):
            rows.append(f"{name} IN A 198.18.{t.rng.randint(0, 255)}.{t.rng.randint(1, 254)}")
        if t.chance(0.5):
            rows.append(f"{name} IN AAAA 2001:db8::{t.rng.randint(1, 65535):x}")
        if t.chance(0.3):
            rows.append(f'{name} IN TXT "{t.words.sentence()[:180]}"')
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
        listen += "".join(f"{on} port {encrypted} tls lab{http} {{ any; }};\n" for on in ("listen-on", "listen-on-v6"))
    config = t.write(
        "named.conf", extra + 'options { directory "/var/cache/bind"; recursion no;\n'
        f"dnssec-validation no; minimal-responses {t.draw('minimal', 'yes', 'no')};\n"
        f'pid-file "/run/named/pid"; {listen} }};\n'
        f'zone "{origin}" {{ type master; file "/var/cache/bind/zone"; }};\n'
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
               f"tls-service-pem: {pki['cert']}\n" +
               ("https-port: 443\n" if encrypted == 443 else f"tls-port: {encrypted}\n"))
    config = t.write(
        "unbound.conf", 'server:\n do-daemonize: no\n chroot: ""\n username: ""\n use-syslog: no\n'
        " pidfile: /run/unbound.pid\n interface: 0.0.0.0@53\n interface: ::0@53\n"
        ' access-control: 0.0.0.0/0 allow\n access-control: ::0/0 allow\n module-config: "iterator"\n'
        f" minimal-responses: {t.draw('minimal', 'yes', 'no')}\n" + tls +
        f"remote-control:\n control-enable: no\nauth-zone:\n name: {origin}\n zonefile: {zone_file}\n")
    t.serve("unbound", "-d", "-c", config, tcp=encrypted or 53, settle=0.2)
    return origin, names


def serve_dnsmasq(t, _encrypted):
    origin, names, _ = zone(t)
    rows = [f"host-record={n}{origin},198.18.{t.rng.randint(0, 255)}.{t.rng.randint(1, 254)}" for n in names if n]
    rows += [f"txt-record={origin},{t.words.name(5)}", f"mx-host={origin},mail.{origin},10"]
    config = t.write(
        "dnsmasq.conf", f"keep-in-foreground\nno-resolv\nno-hosts\nuser=root\nlocal=/{origin}/\n"
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


@registry.recipe("dns", light=True, purpose="query", protocol="DNS",
                 packages=("bind9", "unbound", "dnsmasq-base", "bind9-dnsutils"))
def dns(t):
    origin, names = SERVERS[t.draw("server", *SERVERS)](t, 0)
    options = [
        t.draw("edns", "+edns", "+noedns"),
        t.draw("cookie", "+cookie", "+nocookie"),
        t.draw("adflag", "+adflag", "+noadflag")
    ]
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


@registry.recipe("dot", light=True, purpose="query", protocol="DNS",
                 packages=("bind9", "unbound", "bind9-dnsutils", "knot-dnsutils"), forward=True)
def dot(t):
    encrypted_dns(t, 853, ["+tls"])


@registry.recipe("doh", purpose="query", protocol="DNS",
                 packages=("bind9", "unbound", "bind9-dnsutils", "knot-dnsutils"), forward=True)
def doh(t):
    encrypted_dns(t, 443, ["+https"])


@registry.recipe("ntp", light=True, protocol="NTP", purpose="time", packages=("chrony",))
def ntp(t):
    """chrony answers; clients ask once or a few times, with bursts or without."""
    t.folder("/run/chrony", mode=0o700)
    t.folder("/var/lib/chrony", owner="_chrony")
    config = t.write(
        "chrony.conf", f"local stratum {t.draw('stratum', 1, 2, 3, 8)}\nallow all\nport 123\ncmdport 0\n"
        f"bindcmdaddress /run/chrony/server.sock\npidfile /run/chrony/server.pid\n")
    t.serve("chronyd", "-d", "-x", "-u", "root", "-f", config, udp=123, settle=0.2)
    t.begin()
    for _ in range(t.draw_int("clients", 1, 5)):
        words = (f"server {t.addr} maxsamples {t.rng.choice((1, 2, 4))}{' iburst' if t.chance(0.8) else ''} "
                 f"minpoll -2 maxpoll {t.rng.choice((-1, 0))} version {t.rng.choice((4, 4, 3))}")
        t.client("chronyd", "-Q", "-t", str(t.rng.randint(3, 7)), "-f", "/dev/null", words, "cmdport 0",
                 "pidfile /run/chrony/client.pid", check=False, limit=20)
        t.think()


@registry.recipe("snmp", protocol="SNMP", purpose="monitoring", packages=("snmpd", "snmp"))
def snmp(t):
    version = t.draw("version", "1", "2c", "3")
    text = ("agentAddress udp:161,udp6:161\nrocommunity6 public\nrocommunity public\n"
            f"sysLocation {t.words.name()}\n")
    who = ["-v", version, "-c", "public"]
    if version == "3":
        level = t.draw("level", "noAuthNoPriv", "authNoPriv", "authPriv")
        least = {"noAuthNoPriv": "noauth", "authNoPriv": "auth", "authPriv": "priv"}[level]
        text += f"createUser lab SHA secretsecret AES secretsecret\nrouser lab {least}\n"
        who = [
            "-v", "3", "-u", "lab", "-l", level, "-a", "SHA", "-A", "secretsecret", "-x", "AES", "-X", "secretsecret"
        ]
    t.serve("snmpd", "-f", "-Lo", "-C", "-c", t.write("snmpd.conf", text), "-p", "/run/snmpd.pid", udp=161, settle=0.3)
    where = ("udp6:" if ":" in t.addr else "udp:") + t.url_host()
    t.begin()
    for _ in range(t.draw_int("polls", 2, 8)):
        tree = t.rng.choice(
            ("1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.5", "1.3.6.1.2.1.25.1", "1.3.6.1.2.1.11"))
        tool = t.rng.choice(("snmpget", "snmpwalk", "snmpgetnext") + (("snmpbulkwalk",) if version != "1" else ()))
        t.client(tool, *who, "-On", "-r", "3", "-t", "3", where, "1.3.6.1.2.1.1.5.0" if tool == "snmpget" else tree,
                 ok=(0, 2))
        t.think(0.5)


@registry.recipe("ldap", light=True, protocol="LDAP", purpose="directory", forward=True,
                 packages=("slapd", "ldap-utils"))
def ldap(t):
    """slapd with people in it: binds, searches, changes; in the clear, StartTLS, LDAPS."""
    tls = t.draw("tls", "none", "starttls", "on-connect")
    base = f"dc={t.words.name()},dc=example"
    text = ("include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n"
            "include /etc/ldap/schema/inetorgperson.schema\npidfile /run/slapd.pid\n"
            "modulepath /usr/lib/ldap\nmoduleload back_mdb\n")
    if tls != "none":
        pki = t.certificate()
        text += f"TLSCertificateFile {pki['cert']}\nTLSCertificateKeyFile {pki['key']}\n"
        t.carrier, t.upgraded = "tls", tls == "starttls"
    text += (f"database mdb\nsuffix \"{base}\"\nrootdn \"cn=admin,{base}\"\nrootpw secret\n"
             f"directory {t.folder('ldap')}\ndbnosync\n")
    config = t.write("slapd.conf", text)
    people = [t.words.name() for _ in range(t.draw_int("people", 5, 80))]
    rows = [f"dn: {base}\nobjectClass: dcObject\nobjectClass: organization\no: lab\ndc: {base[3:].split(',')[0]}\n"]
    rows += [
        f"dn: cn={p}{i},{base}\nobjectClass: inetOrgPerson\ncn: {p}{i}\nsn: {p}\nmail: {p}@{t.host}\n"
        f"description: {t.words.text(80).splitlines()[0]}\n" for i, p in enumerate(people)
    ]
    t.sh("slapadd", "-q", "-f", config, text="\n".join(rows))
    port = 636 if tls == "on-connect" else 389
    t.serve("slapd", "-d", "0", "-f", config, "-h", f"ldap{'s' if port == 636 else ''}://*:{port}/", tcp=port)
    t.files = {"LDAPTLS_REQCERT": "never"}
    who = ["-x", "-H", f"ldap{'s' if port == 636 else ''}://{t.url_host()}:{port}"
           ] + (["-ZZ"] if tls == "starttls" else [])
    admin = ["-D", f"cn=admin,{base}", "-w", "secret"]
    t.begin()
    for _ in range(t.draw_int("operations", 3, 15)):
        person = t.rng.choice(people)
        if t.chance(0.8):
            wanted = t.rng.choice((f"(sn={person})", f"(mail={person}@*)", "(objectClass=*)", f"(cn={person[:2]}*)",
                                   f"(&(objectClass=person)(!(sn={person})))"))
            t.client("ldapsearch", *who, *(admin if t.chance(0.5) else []), "-LLL", "-b", base, wanted,
                     *t.rng.choice(((), ("mail",), ("cn", "sn"))))
        else:
            name = t.words.name(4)
            t.client("ldapadd", *who, *admin,
                     text=f"dn: cn={name},{base}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: {name}\n", ok=(0, 68))
        t.think(0.4)


@registry.recipe("radius", light=True, protocol="Radius", purpose="authentication",
                 packages=("freeradius", "freeradius-utils"), v6=False)
def radius(t):
    home = "/etc/freeradius/3.0"
    t.write(f"{home}/clients.conf", "client lab {\n ipaddr = 0.0.0.0/0\n secret = testing\n}\n")
    t.write(
        f"{home}/mods-config/files/authorize", "".join(
            f'user{i} Cleartext-Password := "pass{i}"\n\tReply-Message = "{t.words.sentence()}"\n' for i in range(20)))
    t.folder("/var/run/freeradius", owner="freerad")
    t.sh("chown", "-R", "freerad", home)
    t.serve("freeradius", "-f", "-l", "stdout", udp=1812, settle=0.3)
    t.begin()
    for _ in range(t.draw_int("logins", 2, 20)):
        i = t.rng.randint(0, 19)
        word = f"pass{i}" if t.chance(0.8) else t.words.name()
        kind = t.rng.choice(("User-Password", "CHAP-Password", "MS-CHAP-Password"))
        t.client(
            "radclient", "-r", "3", "-t", "3", f"{t.addr}:1812", "auth", "testing",
            text=f"User-Name=user{i},{kind}={word},NAS-Port={t.rng.randint(0, 99)},"
            f"Calling-Station-Id={t.words.name()}", ok=(0, 1))
        t.think(0.5)

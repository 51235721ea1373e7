# SPDX-License-Identifier: Apache-2.0
"""tunnels.py: carriers: VPNs that carry packets and forwarders that carry TCP connections, with another recipe
inside. Their ports are none that a recipe inside listens on."""
import base64
import ipaddress
import os
import time

from core import network, registry
from core.sandbox import LabError
from apps import shell, web


def wait_for(condition, seconds, what):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise LabError(f"{what} did not come up within {seconds} s")
        time.sleep(0.1)


def reaches(t, address, interface):
    """A test: the tunnel's interface has its address, and the other end answers through it."""

    def answered():
        shown = t.finish(network.NSENTER["client"], ["ip", "-4", "-o", "addr", "show", "dev", interface, "up"], None,
                         False, None, 5)
        return bool(shown) and "1 received" in t.finish(
            network.NSENTER["client"], ["ping", "-c", "1", "-W", "1", "-I", interface, address], None, False, None, 3)

    return answered


def vpn_addresses(t):
    """The two ends inside."""
    while True:
        gate, other = network.draw_subnet(t.rng, ("10.0.0.0/8",))
        if str(gate) not in t.own and str(gate)[:str(gate).rindex(".")] not in {
                a[:a.rindex(".")]
                for a in t.own if "." in a
        }:
            break
    t.own.update((str(gate), str(other)))
    t.inner_source = str(other)
    return str(gate), str(other)


def carry_packets(t, tunnel, inner_server):
    """Runs what is carried, with the server's inner address as its target."""
    t.tunnel = tunnel
    t.addr = inner_server
    t.know_host()
    t.carry()


@registry.recipe("wireguard", protocol="WireGuard", purpose="", carrier="vpn", carries="packets", v6=False,
                 packages=("wireguard-go", "wireguard-tools", "iputils-ping"), seconds=210)
def wireguard(t):
    """WireGuard in user space: it speaks as the kernel's does, and every kernel runs it."""
    server, client = vpn_addresses(t)
    port = t.draw("port", 51820, 51820, 443, 53133)
    keys = {side: base64.b64encode(t.words.blob(32)).decode() for side in ("server", "client")}
    public = {side: t.sh("wg", "pubkey", text=key).strip() for side, key in keys.items()}
    keep = f"PersistentKeepalive = {t.draw('keepalive', 0, 10, 25)}\n"
    shared = (f"PresharedKey = {base64.b64encode(t.words.blob(32)).decode()}\n"
              if t.draw("preshared", "no", "yes") == "yes" else "")
    mtu = str(t.draw("tunnel_mtu", 1280, 1360))

    def up(space, config, address):
        name = "wg-" + space
        t.serve("wireguard-go", "-f", name, path=f"/run/wireguard/{name}.sock", space=space)
        t.finish(network.NSENTER[space],
                 ["wg", "setconf", name, t.write(name + ".conf", config, 0o600)], None, True, None, 10)
        network.ip(space, "addr", "add", address + "/24", "dev", name)
        network.ip(space, "link", "set", name, "mtu", mtu, "up")

    t.folder("/run/wireguard")
    up(
        "server",
        f"[Interface]\nPrivateKey = {keys['server']}\nListenPort = {port}\n[Peer]\nPublicKey = {public['client']}\n"
        f"{shared}AllowedIPs = {client}/32\n", server)

    def tunnel():
        up(
            "client", f"[Interface]\nPrivateKey = {keys['client']}\n[Peer]\nPublicKey = {public['server']}\n"
            f"{shared}AllowedIPs = {server}/32\n"
            f"Endpoint = {t.addresses['server']}:{port}\n{keep}", client)
        wait_for(reaches(t, server, "wg-client"), 15, "WireGuard")
        return "client", "wg-client"

    carry_packets(t, tunnel, server)


@registry.recipe("openvpn", protocol="OpenVPN", purpose="", carrier="vpn", carries="packets", v6=False,
                 packages=("openvpn", "iputils-ping"), seconds=210)
def openvpn(t):
    server, client = vpn_addresses(t)
    proto = t.draw("transport", "udp", "udp", "tcp")
    port = t.draw("port", 1194, 1194, 4911)
    pki = t.certificate()
    client_key = t.certificate_of("client")
    common = [
        "--dev", "tun0", "--dev-type", "tun", "--port",
        str(port), "--cipher", "AES-256-GCM", "--data-ciphers",
        t.draw("cipher", "AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305"), "--auth-nocache", "--ca", pki["ca"],
        "--verb", "1", "--topology", "subnet", "--ping", "10"
    ]
    shared = str(t.work / "ta.key")
    guard = t.draw("guard", "none", "tls-auth", "tls-crypt")
    if guard != "none":
        t.sh("openvpn", "--genkey", "secret", shared)
        if guard == "tls-crypt":
            common += ["--tls-crypt", shared]
    direction = (lambda d: ["--tls-auth", shared, d]) if guard == "tls-auth" else lambda d: []
    t.serve("openvpn", "--mode", "server", "--tls-server", "--proto", proto if proto == "udp" else "tcp-server",
            "--cert", pki["cert"], "--key", pki["key"], "--dh", "none", "--ifconfig", server, "255.255.255.0",
            "--ifconfig-pool", client, str(ipaddress.ip_address(client) + 1), "--push", "topology subnet",
            *direction("0"), *common, **{proto: port}, settle=0.3)

    def tunnel():
        t.start("openvpn", "--client", "--nobind", "--proto", proto if proto == "udp" else "tcp-client", "--remote",
                t.addresses["server"], str(port), "--cert", client_key["cert"], "--key", client_key["key"],
                *direction("1"), *[w for w in common if w not in ("--port", str(port))])
        wait_for(reaches(t, server, "tun0"), 30, "OpenVPN")
        return "client", "tun0"

    carry_packets(t, tunnel, server)


@registry.recipe("ssh-vpn", application="ssh-tunnel", protocol="SSH", purpose="", carrier="tunnel", carries="packets",
                 v6=False, packages=("openssh-server", "openssh-client", "iputils-ping"), seconds=210)
def ssh_vpn(t):
    """ssh -w: packets in an SSH channel."""
    server, client = vpn_addresses(t)
    port = t.draw("port", 2022, 8022)
    options = shell.serve_ssh(t, port)

    def tunnel():
        t.start("ssh", "-N", "-w", "0:0", "-p", str(port), *options, t.addresses["server"])
        for space, address in (("client", client), ("server", server)):
            wait_for(lambda s=space: "tun0" in network.inside(s, "ip", "-o", "link"), 20, "the tun device of ssh -w")
            network.ip(space, "addr", "add", address + "/24", "dev", "tun0")
            network.ip(space, "link", "set", "tun0", "up")
        wait_for(reaches(t, server, "tun0"), 10, "ssh -w")
        return "client", "tun0"

    carry_packets(t, tunnel, server)


@registry.recipe("openconnect", protocol="TLS", purpose="", carrier="vpn", carries="packets", without=("quic",),
                 v6=False, packages=("ocserv", "openconnect", "iputils-ping"), seconds=210)
def openconnect(t):
    """A VPN over TLS and DTLS, as AnyConnect's. Its packets are too small for the first ones of QUIC."""
    server, client = vpn_addresses(t)
    port = t.draw("port", 4443, 10443)
    t.label("udp", port, protocol="DTLS")
    pki = t.certificate()
    t.write("passwd", "lab:*:" + t.sh("openssl", "passwd", "-5", "secret").strip() + "\n")
    dtls = t.draw("dtls", "yes", "no")
    config = t.write(
        "ocserv.conf", f"auth = \"plain[passwd={t.work}/passwd]\"\ntcp-port = {port}\n"
        f"{f'udp-port = {port}' if dtls == 'yes' else ''}\nrun-as-user = nobody\nrun-as-group = daemon\n"
        f"socket-file = /run/ocserv.sock\nserver-cert = {pki['cert']}\nserver-key = {pki['key']}\n"
        f"isolate-workers = false\nmax-clients = 4\nkeepalive = 60\ndpd = 30\n"
        f"tls-priorities = \"NORMAL\"\ncookie-timeout = 60\ndevice = vpns\n"
        f"ipv4-network = {server.rsplit('.', 1)[0]}.0\nipv4-netmask = 255.255.255.0\nping-leases = false\n"
        f"mtu = 1300\ncisco-client-compat = true\ndtls-legacy = true\npid-file = /run/ocserv.pid\nuse-occtl = false\n")
    script = t.write(
        "vpnc.sh", "#!/bin/sh\ncase $reason in connect) ip addr add $INTERNAL_IP4_ADDRESS/24 dev $TUNDEV; "
        "ip link set $TUNDEV mtu ${INTERNAL_IP4_MTU:-1300} up;; esac\n", 0o755)
    t.serve("ocserv", "-f", "-c", config, tcp=port, settle=0.3)

    def tunnel():
        process = t.start("openconnect", "--protocol=anyconnect", "-u", "lab", "--passwd-on-stdin", "--interface=tun0",
                          "--script", script, "--non-inter", "--servercert", "pin-sha256:" + web.pin(t, pki["cert"]),
                          *(["--no-dtls"] if dtls == "no" else []), f"{t.addresses['server']}:{port}")
        process.stdin.write(b"secret\n")
        process.stdin.flush()
        wait_for(reaches(t, server, "tun0"), 30, "openconnect")
        t.inner_source = (network.inside("client", "ip", "-4", "-o", "addr", "show", "dev",
                                         "tun0").split()[3].split("/")[0])
        t.own.add(t.inner_source)
        return "client", "tun0"

    carry_packets(t, tunnel, server)


@registry.recipe("iodine", without=("dns", "dot", "doh"), application="dns-tunnel", protocol="DNS", purpose="",
                 carrier="tunnel", carries="packets", slow=True, attack=True, v6=False,
                 packages=("iodine", "iputils-ping"), seconds=210)
def iodine(t):
    """Packets in DNS queries: how data leaves a network that lets only names through."""
    server, client = vpn_addresses(t)
    domain = "t." + t.words.name() + ".example"
    os.makedirs("/var/run/iodine", exist_ok=True)
    t.serve("iodined", "-f", "-c", "-P", "secret", f"{server}/24", domain, udp=53, settle=0.3)

    def tunnel():
        words = (["-T" + t.draw("record", "NULL", "TXT", "CNAME", "MX", "SRV")] +
                 (["-O" + t.draw("codec", "base32", "base64", "base128")] if t.chance(0.5) else []) +
                 ["-L" + t.draw("lazy", "0", "1"), "-I2"])
        if t.draw("fragment", "probe", "small", "small") == "small":
            words += ["-m", str(t.draw("fragment_bytes", 150, 250, 500))]
        t.start("iodine", "-f", "-r", "-P", "secret", *words, t.addresses["server"], domain)
        wait_for(reaches(t, server, "dns0"), 45, "iodine")
        t.inner_source = (network.inside("client", "ip", "-4", "-o", "addr", "show", "dev",
                                         "dns0").split()[3].split("/")[0])
        t.own.add(t.inner_source)
        return "client", "dns0"

    carry_packets(t, tunnel, server)


# ---- forwarders: one TCP port; the program that uses them runs in a namespace behind the client ----


def carry_tcp(t, forward):
    """forward(gate, port) starts the client's side: it listens on gate:port and brings what comes to the
    server's port."""
    gate, user = network.add_user(t.rng, t.addresses)
    t.own.update((gate, user))
    t.inner_source = user
    t.addr, t.client_space = gate, "user"
    t.know_host()
    kept = list(t.tcp_ports)

    def tunnel():
        for port in [p for p in t.tcp_ports if p not in kept]:
            forward(gate, port)
            wait_for(lambda p=port: t.listens("client", p, None, None), 25, "the forwarder")
        return "user", "eth0"

    t.tunnel = tunnel
    t.carry()


@registry.recipe("ssh-forward", application="ssh-tunnel", protocol="SSH", purpose="", carrier="tunnel", carries="tcp",
                 v6=False, packages=("openssh-server", "openssh-client"), seconds=210)
def ssh_forward(t):
    """ssh -L."""
    ssh_port = t.draw("port", 2022, 8022)
    options = shell.serve_ssh(t, ssh_port)
    carry_tcp(
        t, lambda gate, port: t.start("ssh", "-N", "-g", "-p", str(
            ssh_port), "-L", f"{gate}:{port}:{t.addresses['server']}:{port}", *options, t.addresses["server"], space=
                                      "client"))


@registry.recipe("stunnel", application="tls-tunnel", protocol="TLS", purpose="", carrier="tunnel", carries="tcp",
                 v6=False, packages=("stunnel4",), seconds=210)
def stunnel(t):
    """Plain connections, each in TLS of its own."""
    pki = t.certificate()
    outer = t.draw("outer_port", 1443, 4443, 9443)
    version = t.draw("tls_version", "TLSv1.2", "TLSv1.3")

    def forward(gate, port):
        server = t.write(
            f"stunnel-s{port}.conf",
            f"foreground = yes\npid =\n[in]\naccept = {t.addresses['server']}:{outer}\nconnect = 127.0.0.1:{port}\n"
            f"cert = {pki['cert']}\nkey = {pki['key']}\nsslVersion = {version}\n")
        client = t.write(
            f"stunnel-c{port}.conf", f"foreground = yes\npid =\nclient = yes\n[out]\naccept = {gate}:{port}\n"
            f"connect = {t.addresses['server']}:{outer}\nsslVersion = {version}\n")
        t.serve("stunnel4", server, tcp=outer)
        t.start("stunnel4", client, space="client")

    carry_tcp(t, forward)


@registry.recipe("shadowsocks", protocol="Shadowsocks", purpose="", carrier="tunnel", carries="tcp", v6=False,
                 packages=("shadowsocks-libev",), seconds=210)
def shadowsocks(t):
    """Looks like random bytes from the first one on."""
    method = t.draw("method", "aes-256-gcm", "chacha20-ietf-poly1305", "aes-128-gcm")
    outer = t.draw("outer_port", 8388, 31234)
    common = ["-k", t.words.name(6), "-m", method]
    t.serve("ss-server", "-s", t.addresses["server"], "-p", str(outer), *common, tcp=outer)
    t.tcp_ports.clear()
    carry_tcp(
        t, lambda gate, port: t.start("ss-tunnel", "-s", t.addresses["server"], "-p", str(outer), "-b", gate, "-l",
                                      str(port), "-L", f"{t.addresses['server']}:{port}", *common, space="client"))


@registry.recipe("dns2tcp", without=("dns", "dot", "doh"), application="dns-tunnel", protocol="DNS", purpose="",
                 carrier="tunnel", carries="tcp", slow=True, attack=True, v6=False, packages=("dns2tcp", "socat"),
                 seconds=210)
def dns2tcp(t):
    domain = "d." + t.words.name() + ".example"

    def forward(gate, port):
        config = t.write(
            "dns2tcpd.conf",
            f"listen = {t.addresses['server']}\nport = 53\nuser = nobody\nchroot = /tmp\ndomain = {domain}\n"
            f"key = secret\nresources = app:127.0.0.1:{port}\n")
        t.serve("dns2tcpd", "-F", "-f", config, udp=53)
        t.start("dns2tcpc", "-z", domain, "-k", "secret", "-T", t.draw("record", "TXT", "KEY"), "-r", "app", "-l",
                str(port), t.addresses["server"], space="client")
        wait_for(lambda: t.listens("client", port, None, None), 20, "dns2tcp")
        t.start("socat", f"TCP-LISTEN:{port},bind={gate},reuseaddr,fork", f"TCP:127.0.0.1:{port}", space="client")

    carry_tcp(t, forward)


@registry.recipe("ptunnel", application="icmp-tunnel", protocol="ICMP", purpose="", carrier="tunnel", carries="tcp",
                 slow=True, attack=True, v6=False, packages=("ptunnel-ng",), seconds=210)
def ptunnel(t):
    """TCP in pings."""
    t.echo_is_own = True
    network.inside("server", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1")

    def forward(gate, port):
        t.serve("ptunnel-ng", "-r127.0.0.1", f"-R{port}", settle=0.5)
        t.start("ptunnel-ng", f"-p{t.addresses['server']}", f"-l{port}", "-r127.0.0.1", f"-R{port}", space="client")

    carry_tcp(t, forward)


@registry.recipe("http-proxy", protocol="HTTP", purpose="", carrier="tunnel", carries="tcp", v6=False,
                 packages=("tinyproxy", "socat"), seconds=210)
def http_proxy(t):
    """CONNECT through a proxy."""
    outer = t.draw("port", 8888, 3128)
    config = t.write("tinyproxy.conf",
                     f"Port {outer}\nTimeout 300\nMaxClients 50\nLogLevel Critical\nLogFile \"/dev/null\"\n")
    t.serve("tinyproxy", "-d", "-c", config, tcp=outer)

    def forward(gate, port):
        t.start("socat", f"TCP-LISTEN:{port},bind={gate},reuseaddr,fork",
                f"PROXY:{t.addresses['server']}:{t.addresses['server']}:{port},proxyport={outer}", space="client")

    carry_tcp(t, forward)


@registry.recipe("httptunnel", application="http-tunnel", protocol="HTTP", purpose="", carrier="tunnel", carries="tcp",
                 slow=True, attack=True, v6=False, packages=("httptunnel", "socat"), seconds=210)
def httptunnel(t):
    """A connection hidden in POST and GET requests that look like any other's; one at a time."""
    outer = t.draw("port", 8081, 8090)

    def forward(gate, port):
        t.serve("hts", "-w", "-F", f"127.0.0.1:{port}", str(outer), foreground=False, tcp=outer)
        t.start("htc", "-w", "-F", str(port), f"{t.addresses['server']}:{outer}", space="client")

    carry_tcp(t, forward)


@registry.recipe("tinc", purpose="", carrier="vpn", carries="packets", v6=False, packages=("tinc", "iputils-ping"),
                 seconds=210)
def tinc(t):
    """A mesh of two: a connection that keeps things together, and datagrams with the packets."""
    server, client = vpn_addresses(t)
    cipher = t.draw("cipher", "aes-256-cbc", "aes-128-cbc")
    compression = t.draw("compression", 0, 0, 9)
    for name, address in (("hub", server), ("leaf", client)):
        hosts = f"Subnet = {address}/32\nCipher = {cipher}\nCompression = {compression}\n" \
                + (f"Address = {t.addresses['server']}\n" if name == "hub" else "")
        for side in ("hub", "leaf"):
            t.write(f"tinc-{side}/hosts/{name}", hosts)
    for side, address in (("hub", server), ("leaf", client)):
        t.write(f"tinc-{side}/tinc.conf",
                f"Name = {side}\nInterface = tun0\n" + ("ConnectTo = hub\n" if side == "leaf" else ""))
        t.write(f"tinc-{side}/tinc-up",
                f"#!/bin/sh\nip addr add {address}/24 dev $INTERFACE\nip link set $INTERFACE up\n", 0o755)
        t.sh("tincd", "-c", str(t.work / f"tinc-{side}"), "-K2048", text="\n\n")
    for side, other in (("hub", "leaf"), ("leaf", "hub")):
        t.write(f"tinc-{other}/hosts/{side}", (t.work / f"tinc-{side}/hosts/{side}").read_text())
    t.serve("tincd", "-c", str(t.work / "tinc-hub"), "-D", "--pidfile=/run/tinc-hub.pid", tcp=655)

    leaf = str(t.work / "tinc-leaf")

    def tunnel():
        t.start("tincd", "-c", leaf, "-D", "--pidfile=/run/tinc-leaf.pid")
        wait_for(reaches(t, server, "tun0"), 20, "tinc")
        return "client", "tun0"

    carry_packets(t, tunnel, server)

# SPDX-License-Identifier: Apache-2.0
"""things.py: machines that are steered and measured: Modbus, iperf3, ping; screens and old terminals."""
import time

from core import registry
from apps import shell


@registry.recipe("modbus", light=True, protocol="Modbus", purpose="control", place="near", forward=True,
                 packages=("python3-pymodbus", "python3-serial", "python3-serial-asyncio", "mbpoll"))
def modbus(t):
    """A master that polls registers and coils, and writes now and then."""
    t.serve(*t.helper("modbus_server.py"), "::" if ":" in t.addr else "0.0.0.0", str(t.rng.getrandbits(30)), tcp=502)
    t.begin()
    rows = [("-t", kind, "-r", str(t.rng.randint(1, 200)), "-c", str(t.rng.randint(1, 40)))
            for kind in t.rng.sample(("0", "1", "3", "4", "3:hex"), 3)]
    for _ in range(t.draw_int("masters", 2, 10)):
        row = t.rng.choice(rows)
        if t.chance(0.3):
            values = [str(t.rng.randint(0, 1 if row[1] == "0" else 900)) for _ in range(t.rng.randint(1, 8))]
            t.client("mbpoll", "-m", "tcp", "-a", "1", "-t", t.rng.choice(("0", "4")), "-r", row[3], "-1", "-q", t.addr,
                     "--", *[str(min(1, int(v))) for v in values])
        else:
            t.client("mbpoll", "-m", "tcp", "-a", "1", *row, "-l", str(t.rng.choice((10, 50, 200, 500))),
                     *(["-1"] if t.chance(0.3) else []), "-q", t.addr, check=False, limit=t.rng.uniform(1, 5))
        t.think(0.3)


@registry.recipe("iperf3", protocol="iPerf", purpose="measurement", packages=("iperf3",))
def iperf3(t):
    t.serve("iperf3", "-s", "-p", "5201", tcp=5201)
    t.begin()
    words = {
        "tcp": [], "reverse": ["-R"], "udp": ["-u", "-l", str(t.rng.choice((160, 512, 1200)))], "parallel": ["-P", "3"]
    }[t.draw("kind", "tcp", "reverse", "udp", "parallel")]
    t.client("iperf3", "-c", t.addr, "-n", f"{t.draw_int('kbytes', 80, 1500)}K", "-b", t.draw(
        "rate", "2M", "8M", "20M"), *words)


@registry.recipe("ping", protocol="ICMP", purpose="measurement", packages=("iputils-ping",))
def ping(t):
    t.echo_is_own = True
    if ":" in t.addr:
        t.label_protocol = "ICMPV6"
    t.begin()
    for _ in range(t.draw_int("runs", 1, 5)):
        t.client("ping", "-n", "-c", str(t.rng.randint(2, 12)), "-i", str(t.rng.choice((0.2, 0.5, 1))), "-s",
                 str(t.rng.choice((56, 56, 32, 1000, 1400))), t.addr, ok=(0, 1))
        t.think()


@registry.recipe("telnet", light=True, protocol="Telnet", purpose="interactive", forward=True,
                 packages=("inetutils-telnetd", "inetutils-telnet", "socat"))
def telnet(t):
    t.draw_int("key_ms", 60, 260)
    login = t.write(
        "login.sh", "#!/bin/sh\nprintf 'login: '; read a; printf 'Password: '; stty -echo; read b; stty echo; echo; "
        "PS1='$ ' exec sh -i\n", 0o755)
    t.serve("socat", "TCP6-LISTEN:23,reuseaddr,fork,ipv6only=0", f"EXEC:/usr/sbin/telnetd -E {login}", tcp=23)
    t.begin()
    shell.session(t, "telnet", t.addr, login=(t.words.name(), t.words.name()))


@registry.recipe("mosh", protocol="Mosh", purpose="interactive", packages=("mosh", "openssh-server", "openssh-client"),
                 v6=False)
def mosh(t):
    """SSH starts the server; then keys and screens as datagrams."""
    options = shell.serve_ssh(t)
    t.draw_int("key_ms", 60, 260)
    t.label("tcp", 22, application="ssh-command", protocol="SSH", purpose="automation")
    t.must_have = ("udp",)
    t.begin()
    shell.session(t, "mosh", "--ssh=ssh " + " ".join(options), "--no-init", "--bind-server=any", t.addr)


@registry.recipe("vnc", protocol="VNC", purpose="remote-desktop", forward=True, v6=False,
                 packages=("tigervnc-standalone-server", "vncsnapshot", "xterm"))
def vnc(t):
    """A screen with a terminal that changes; the viewer takes pictures of it."""
    t.folder("/tmp/.X11-unix", mode=0o1777)
    t.serve("Xtigervnc", ":1", "-geometry", t.draw("picture", "400x300", "640x480", "800x600"), "-depth", "24",
            "-SecurityTypes", "None", "-rfbport", "5901", tcp=5901)
    t.start_server_program("xterm", "-display", ":1", "-geometry", "100x40", "-e", "sh", "-c",
                           "while :; do ls -la /usr/bin | tail -n $((RANDOM % 40 + 5)); date; sleep 0.7; done")
    time.sleep(0.7)
    t.begin()
    for i in range(t.draw_int("pictures", 1, 5)):
        t.client("vncsnapshot", "-quiet", "-count", str(t.rng.randint(1, 3)), "-fps", "1", "-encodings",
                 t.rng.choice(("raw", "tight copyrect hextile", "hextile", "zlib")), f"{t.url_host()}:1",
                 f"/tmp/shot-{i}.jpg", check=False, limit=15)
        t.think()

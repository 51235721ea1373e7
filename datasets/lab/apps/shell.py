# SPDX-License-Identifier: Apache-2.0
"""shell.py: SSH: a person at a terminal, single commands, copies; Telnet and mosh."""
import fcntl
import os
import pathlib
import pty
import struct
import termios
import time

from core import registry

COMMANDS = ("ls -la /usr/bin | head -{n}", "cat /etc/services | head -{n}", "ps aux | tail -{n}", "df -h", "uname -a",
            "date", "find /usr/share/doc -maxdepth 1 | tail -{n}", "grep -r the /etc/services | wc -l", "id", "uptime",
            "head -c {n}000 /usr/share/dict/words /etc/services 2>/dev/null", "echo {word} {word}", "cd /usr; pwd",
            "env")


def serve_ssh(t, port=22):
    """sshd with drawn keys, ciphers and compression, for root with a key; returns options for the clients."""
    kind = t.draw("host_key", "ed25519", "rsa", "ecdsa")
    cipher = t.draw("cipher", "default", "default", "aes128-ctr", "aes256-gcm@openssh.com",
                    "chacha20-poly1305@openssh.com")
    kex = t.draw("kex", "default", "default", "curve25519-sha256", "ecdh-sha2-nistp256",
                 "diffie-hellman-group14-sha256")
    t.folder("/run/sshd")
    t.sh("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(t.work / "host"))
    t.sh("ssh-keygen", "-q", "-t", t.draw("user_key", "ed25519", "rsa"), "-N", "", "-f", str(t.work / "id"))
    known = pathlib.Path("/root/.ssh/authorized_keys")
    others = known.read_text() if t.inner and known.exists() else ""
    t.write(known, others + (t.work / "id.pub").read_text(), 0o600)
    os.chmod("/root/.ssh", 0o700)
    os.chmod("/root", 0o700)
    text = (f"Port {port}\nHostKey {t.work}/host\nPermitRootLogin yes\nPidFile none\nUsePAM no\nUseDNS no\n"
            f"PermitTunnel yes\n"
            f"Subsystem sftp /usr/lib/openssh/sftp-server\nX11Forwarding no\nPrintMotd no\nAcceptEnv LANG\n"
            f"GatewayPorts yes\n"
            f"Compression {t.draw('compression', 'no', 'yes')}\nMaxStartups 200\nMaxAuthTries 20\n")
    config = t.write("sshd.conf", text)
    t.serve("/usr/sbin/sshd", "-D", "-e", "-f", config, tcp=port)
    options = [
        "-i",
        str(t.work / "id"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
        "LogLevel=ERROR", "-o", f"Compression={t.settings['compression']}", "-o", "ConnectTimeout=20", "-F", "none"
    ]
    if cipher != "default":
        options += ["-c", cipher]
    if kex != "default":
        options += ["-o", "KexAlgorithms=" + kex]
    return options


def drain(fd):
    """What the terminal has printed so far; False when it is closed."""
    try:
        while True:
            if not os.read(fd, 65536):
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def type_line(t, fd, line):
    """Key by key, as fast as the take's person types, with slips now and then."""
    for key in line:
        if t.chance(0.02):
            os.write(fd, b"x")
            time.sleep(t.settings["key_ms"] / 700)
            os.write(fd, b"\x7f")
        os.write(fd, key.encode())
        time.sleep(t.rng.gammavariate(3, t.settings["key_ms"] / 3e3))
        drain(fd)
    os.write(fd, b"\r")


def session(t, *command, login=()):
    """A person at a terminal: lines typed, answers read."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", t.draw("rows", 24, 40, 60), t.draw("columns", 80, 120), 0, 0))
    process = t.start(*command, tty=slave)
    os.close(slave)
    time.sleep(1.0 + 10 * t.link["delay_ms"] / 1e3)
    for line in login:
        drain(master)
        os.write(master, line.encode() + b"\r")
        time.sleep(0.8 + 4 * t.link["delay_ms"] / 1e3)
    until = time.monotonic() + 30
    for _ in range(t.draw_int("lines", 3, 12)):
        if not drain(master) or time.monotonic() > until:
            break
        line = t.rng.choice(COMMANDS).format(n=t.rng.randint(3, 60), word=t.words.name())
        type_line(t, master, line)
        t.think(0.8, 3)
    drain(master)
    os.write(master, b"exit\r")
    for _ in range(100):
        drain(master)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    process.wait()
    os.close(master)


@registry.recipe("ssh", light=True, application="ssh-shell", protocol="SSH", purpose="interactive", forward=True,
                 packages=("openssh-server", "openssh-client"))
def ssh(t):
    options = serve_ssh(t, t.draw("port", 22, 22, 2222))
    t.draw_int("key_ms", 60, 260)
    t.begin()
    session(t, "ssh", "-tt", "-p", str(t.settings["port"]), *options, t.addr)


@registry.recipe("ssh-command", light=True, application="ssh-command", protocol="SSH", purpose="automation",
                 forward=True, packages=("openssh-server", "openssh-client"))
def ssh_command(t):
    options = serve_ssh(t)
    t.begin()
    for _ in range(t.draw_int("commands", 1, 8)):
        line = t.rng.choice(COMMANDS).format(n=t.rng.randint(3, 60), word=t.words.name())
        t.client("ssh", *options, t.addr, line, ok=(0, 1, 141))
        t.think()


@registry.recipe("scp", protocol="SSH", purpose="file-transfer", forward=True,
                 packages=("openssh-server", "openssh-client"))
def scp(t):
    options = serve_ssh(t)
    old = t.draw("scp_protocol", "sftp", "rcp")
    t.begin()
    for i in range(t.draw_int("files", 1, 5)):
        path = t.write(f"copy-{i}.bin", t.words.blob(t.rng.randint(1000, 1_200_000)))
        ends = [path, f"[{t.addr}]:/tmp/got-{i}"]
        if t.draw("way", "up", "down") == "down":
            ends = [f"[{t.addr}]:{path}", f"/tmp/got-{i}"]
        t.client("scp", "-q", *(["-O"] if old == "rcp" else []), *options, *ends)
        t.think()


@registry.recipe("sftp", protocol="SSH", purpose="file-transfer", forward=True,
                 packages=("openssh-server", "openssh-client"))
def sftp(t):
    options = serve_ssh(t)
    lines = ["ls -la /usr/share"]
    for i in range(t.draw_int("files", 2, 14)):
        path = t.write(f"copy-{i}.txt", t.words.text(t.rng.randint(200, 150_000)))
        lines += t.rng.choice(([f"put {path} /tmp/{i}.txt"], [f"get {path} /tmp/{i}.got"], ["cd /etc", "ls -l"], [
            "df /"
        ], [f"put {path} /tmp/{i}.txt", f"rename /tmp/{i}.txt /tmp/{i}.bak"]))
    batch = t.write("batch", "\n".join(lines) + "\nquit\n")
    t.begin()
    t.client("sftp", "-q", "-b", batch, *options, f"[{t.addr}]")

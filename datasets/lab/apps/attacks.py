# SPDX-License-Identifier: Apache-2.0
"""attacks.py: scans, guessing, slow requests, floods. All against the take's own server, in a network that has nothing
else, bounded in count and time by what is drawn here."""
import time

from core import registry
from apps import shell, web


def serve_something(t):
    """A host with a few open ports, as scanners find them."""
    web.site(t, "site")
    t.serve(
        "nginx", "-c",
        t.write(
            "nginx.conf", f"error_log /dev/null;\npid /run/nginx.pid;\nevents {{}}\nhttp {{ access_log off; "
            f"server {{ listen 0.0.0.0:80; listen [::]:80; root {t.work}/site; }} }}\n"), "-g", "daemon off;", tcp=80)
    if t.chance(0.6):
        shell.serve_ssh(t)
    if t.chance(0.5):
        t.serve("redis-server", "--save", "", "--bind", "0.0.0.0", "::", "--protected-mode", "no", tcp=6379)


SCAN_PACKAGES = ("nginx-light", "openssh-server", "redis-server")


@registry.recipe("nmap", application="port-scan", protocol="", purpose="scan", attack=True,
                 packages=("nmap", *SCAN_PACKAGES), v6=False, seconds=120)
def nmap(t):
    """SYN, connect, FIN, NULL, Xmas, ACK and UDP scans, of versions too; at most 300 ports."""
    serve_something(t)
    kind = t.draw("kind", "-sS", "-sS", "-sT", "-sF", "-sN", "-sX", "-sA", "-sU", "-sV")
    count = t.draw_int("ports", 10, 40 if kind in ("-sU", "-sV") else 300)
    ports = sorted({80, 22, *t.rng.sample(range(1, 10000), count)})
    t.begin()
    t.attack(t.addr, "nmap", "-n", "-Pn", kind, f"-T{t.draw('speed', 3, 4, 5)}", "--max-retries", "1", "--host-timeout",
             "50s", "-p", ",".join(map(str, ports)), t.addr, limit=70)


@registry.recipe("hping3", application="port-scan", protocol="", purpose="scan", attack=True,
                 packages=("hping3", *SCAN_PACKAGES), v6=False)
def hping3(t):
    """A scan with hping3, packet by packet; at most 200 ports."""
    serve_something(t)
    first = t.rng.randint(1, 2000)
    last = first + t.draw_int("ports", 20, 200)
    t.begin()
    t.attack(t.addr, "hping3", t.draw("kind", "-S", "-F", "-A", "-X"), "-p", f"++{first}", "-c", str(last - first),
             "-i", t.draw("gap", "u5000", "u20000", "u50000"), "-q", t.addr, check=False, limit=30)


@registry.recipe("syn-flood", application="flood", protocol="", purpose="denial", attack=True,
                 packages=("hping3", *SCAN_PACKAGES), v6=False)
def syn_flood(t):
    """At most 600 packets in all: enough to be seen as one."""
    serve_something(t)
    t.echo_is_own = True
    kind = t.draw("kind", "syn", "syn", "udp", "icmp")
    words = {
        "syn": ["-S", "-p", "80"],
        "udp": ["-2", "-p", str(t.rng.choice((53, 123, 9999))), "-d",
                str(t.rng.choice((16, 200, 1000)))], "icmp": ["-1", "-d", "56"]
    }[kind]
    t.begin()
    t.attack(t.addr, "hping3", *words, "-c", str(t.draw_int("packets", 100, 600)), "-i",
             t.draw("gap", "u1000", "u3000", "u8000"), "-q", t.addr, check=False, limit=20)


@registry.recipe("slow-http", application="slow-http", protocol="HTTP", purpose="denial", attack=True,
                 packages=("slowhttptest", *SCAN_PACKAGES), v6=False, seconds=120)
def slow_http(t):
    """Headers, bodies or reads that never end; at most 40 connections for 25 seconds."""
    serve_something(t)
    kind = t.draw("kind", "-H", "-B", "-X", "-R")
    t.begin()
    extra = (["-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "1"]
             if kind == "-X" else ["-i", str(t.draw("every", 2, 3, 5)), "-x", "24"])
    t.attack(t.addr, "slowhttptest", kind, "-c", str(t.draw_int("connections", 4, 40)), "-r",
             str(t.draw("rate", 4, 10, 40)), "-l", str(t.draw_int("seconds", 6, 25)), *extra, "-t",
             t.rng.choice(("GET", "POST")), "-p", "3", "-u", f"http://{t.addr}/", check=False, limit=45)


def guess(t, service, port, words):
    users = t.write("users.txt", "\n".join(["root", "admin", *[t.words.name() for _ in range(3)]]) + "\n")
    guesses = t.write("guesses.txt", "\n".join(t.words.name() for _ in range(t.draw_int("guesses", 3, 16))) + "\n")
    t.begin()
    t.attack(t.addr, "hydra", "-I", "-q", "-L", users, "-P", guesses, "-t", str(t.draw("tasks", 1, 4, 8)), "-s",
             str(port), *words, t.addr, service, check=False, limit=40)


@registry.recipe("guess-ssh", application="password-guessing", protocol="SSH", purpose="guessing", attack=True,
                 packages=("hydra", "openssh-server", "openssh-client"), v6=False)
def guess_ssh(t):
    """hydra against sshd: at most 80 guesses in 40 seconds."""
    shell.serve_ssh(t)
    guess(t, "ssh", 22, [])


@registry.recipe("guess-ftp", application="password-guessing", protocol="FTP_CONTROL", purpose="guessing", attack=True,
                 packages=("hydra", "vsftpd"), v6=False)
def guess_ftp(t):
    t.folder("/var/run/vsftpd/empty")
    t.serve(
        "vsftpd",
        t.write(
            "vsftpd.conf", "listen=YES\nbackground=NO\nanonymous_enable=NO\nlocal_enable=YES\nseccomp_sandbox=NO\n"
            "isolate_network=NO\nmax_login_fails=3\n"), tcp=21)
    guess(t, "ftp", 21, [])


@registry.recipe("guess-web", application="password-guessing", protocol="HTTP", purpose="guessing", attack=True,
                 packages=("hydra", "nginx-light"), v6=False)
def guess_web(t):
    t.write("htpasswd", "admin:" + t.sh("openssl", "passwd", "-apr1", "long secret").strip() + "\n")
    t.write("site/index.html", t.words.page(900))
    config = t.write(
        "nginx.conf",
        f"error_log /dev/null;\npid /run/nginx.pid;\nevents {{}}\nhttp {{ access_log off; server {{ listen 80; "
        f"root {t.work}/site; auth_basic lab; auth_basic_user_file {t.work}/htpasswd; }} }}\n")
    t.serve("nginx", "-c", config, "-g", "daemon off;", tcp=80)
    guess(t, "http-get", 80, ["-m", "/"])


@registry.recipe("web-scan", application="web-scan", protocol="HTTP", purpose="scan", attack=True,
                 packages=("curl", *SCAN_PACKAGES), v6=False)
def web_scan(t):
    """Asks for paths that other servers have had; at most 120."""
    serve_something(t)
    t.begin()
    paths = [
        t.rng.choice(("admin", "backup", "wp-login.php", ".git/config", "phpmyadmin", "cgi-bin/test", "old", ".env",
                      "api/v1", "login")) + t.rng.choice(
                          ("", "/", ".php", ".bak", ".zip", "?id=1'--", "/../../etc/passwd"))
        for _ in range(t.draw_int("paths", 10, 120))
    ]
    per = t.draw("per_connection", 1, 5, 40)
    for at in range(0, len(paths), per):
        urls = [w for p in paths[at:at + per] for w in ("-o", "/dev/null", f"http://{t.addr}/{p}")]
        t.attack(t.addr, "curl", "-sS", "--path-as-is", "-g", "-A",
                 t.rng.choice(("Mozilla/5.0", "scanner/1.0", "python-requests/2.28")), *urls, check=False, limit=15)
        time.sleep(t.rng.choice((0, 0.02, 0.1)))

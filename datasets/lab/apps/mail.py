# SPDX-License-Identifier: Apache-2.0
"""mail.py: sending mail, and reading it with IMAP and POP3."""
import email.mime.multipart
import email.mime.text
import email.mime.application
import email.utils

from core import registry


def message(t, number):
    """A mail with a text and now and then an attachment."""
    parts = email.mime.multipart.MIMEMultipart()
    parts["From"] = f"{t.words.name()}@{t.words.host()}"
    parts["To"] = f"lab@{t.host}"
    parts["Subject"] = t.words.sentence()
    parts["Date"] = email.utils.formatdate(1.6e9 + number * 3600)
    parts["Message-ID"] = f"<{t.words.name(6)}@{t.words.host()}>"
    parts.attach(email.mime.text.MIMEText(t.words.text(t.rng.randint(50, 6000))))
    if t.chance(0.25):
        parts.attach(
            email.mime.application.MIMEApplication(t.words.blob(t.rng.randint(2000, 200_000)),
                                                   name=t.words.name() + ".pdf"))
    return parts.as_string()


EXIM = """primary_hostname = {host}
spool_directory = /var/spool/exim4
exim_user = Debian-exim
exim_group = Debian-exim
trusted_users = root
daemon_smtp_ports = {ports}
tls_on_connect_ports = 465
local_interfaces = <; 0.0.0.0 ; ::0
rfc1413_query_timeout = 0s
host_lookup =
acl_smtp_rcpt = accept
acl_smtp_data = accept
queue_only = true
pipelining_advertise_hosts = {pipelining}
{tls}
begin acl
accept:
  accept
begin routers
begin transports
"""


@registry.recipe("smtp", protocol="SMTP", purpose="mail", forward=True,
                 packages=("exim4-daemon-light", "swaks", "libnet-ssleay-perl", "libio-socket-inet6-perl", "curl"),
                 seconds=120)
def smtp(t):
    """Mails to exim: in the clear, after STARTTLS, or over TLS from the start."""
    kind = t.draw("tls", "none", "starttls", "on-connect")
    port = {"none": 25, "starttls": t.draw("port", 25, 587), "on-connect": 465}[kind]
    tls = "tls_advertise_hosts ="
    if kind != "none":
        pki = t.certificate()
        tls = f"tls_certificate = {pki['cert']}\ntls_privatekey = {pki['key']}\ntls_advertise_hosts = *"
        t.carrier, t.upgraded = "tls", kind == "starttls"
    config = t.write("/etc/exim4/lab.conf",
                     EXIM.format(host=t.host, ports=port, tls=tls, pipelining=t.draw("pipelining", "*", ":")))
    t.write("/etc/exim4/trusted_configs", config + "\n")
    for path in ("/var/spool/exim4", "/var/log/exim4"):
        t.folder(path, owner="Debian-exim")
    t.serve("exim4", "-bdf", "-C", config, "-oX", str(port), tcp=port)
    t.begin()
    client = t.draw("client", "curl", "swaks")
    for i in range(t.draw_int("mails", 1, 6)):
        path = t.write(f"mail-{i}", message(t, i).replace("\n", "\r\n"))
        to = [f"{t.words.name()}@{t.host}" for _ in range(t.rng.choice((1, 1, 1, 3)))]
        if client == "curl":
            scheme = "smtps" if kind == "on-connect" else "smtp"
            t.client("curl", "-sS", "-k", *(["--ssl-reqd"] if kind == "starttls" else []),
                     f"{scheme}://{t.url_host()}:{port}/{t.words.host()}", "--mail-from",
                     f"{t.words.name()}@{t.words.host()}", *[w for a in to
                                                             for w in ("--mail-rcpt", a)], "-T", path, limit=60)
        else:
            option = {"none": [], "starttls": ["-tls"], "on-connect": ["-tlsc"]}[kind]
            t.client("swaks",
                     "--server", t.addr, "--port", str(port), *option, "-4" if ":" not in t.addr else "-6", "--ehlo",
                     t.words.host(), "--from", f"{t.words.name()}@{t.words.host()}", "--to", ",".join(to), "--data",
                     "@" + path, "--hide-all", limit=60)
        t.think()


def serve_dovecot(t, kind, protocol):
    """Dovecot with a mailbox full of mails; returns the port."""
    plain, encrypted = (143, 993) if protocol == "imap" else (110, 995)
    port = encrypted if kind == "on-connect" else plain
    ssl = "ssl = no\n"
    if kind != "none":
        pki = t.certificate()
        ssl = (f"ssl = yes\nssl_cert = <{pki['cert']}\nssl_key = <{pki['key']}\n"
               f"ssl_min_protocol = TLSv{t.draw('tls_from', '1.2', '1.3')}\n")
        t.carrier, t.upgraded = "tls", kind == "starttls"
    for i in range(t.draw_int("mailbox", 3, 60)):
        t.write(f"/srv/mail/cur/{1_600_000_000 + i}.{i}.lab:2,", message(t, i))
    for name in ("new", "tmp"):
        t.folder("/srv/mail/" + name)
    t.folder("/srv/mail", owner="www-data", mode=0o700)
    t.write("users", "lab:{PLAIN}secret::::::\n")
    t.folder("/run/dovecot")
    listener = (f"inet_listener {protocol} {{\n port = {0 if kind == 'on-connect' else plain}\n}}\n"
                f"inet_listener {protocol}s {{\n port = {encrypted if kind == 'on-connect' else 0}\n ssl = yes\n}}\n")
    config = t.write(
        "dovecot.conf", f"protocols = {protocol}\nlisten = *, ::\nbase_dir = /run/dovecot\nlog_path = /dev/null\n"
        f"mail_location = maildir:/srv/mail\n"
        f"mail_uid = www-data\nmail_gid = www-data\nfirst_valid_uid = 1\ndisable_plaintext_auth = no\n{ssl}"
        f"passdb {{\n driver = passwd-file\n args = {t.work}/users\n}}\nuserdb {{\n driver = static\n"
        f" args = uid=www-data gid=www-data home=/srv/mail\n}}\n"
        f"service {protocol}-login {{\n{listener}}}\nservice anvil {{\n chroot =\n}}\n")
    t.serve("dovecot", "-F", "-c", config, tcp=port)
    return port


@registry.recipe("imap", protocol="IMAP", purpose="mail", forward=True, packages=("dovecot-imapd", "curl"))
def imap(t):
    kind = t.draw("tls", "none", "starttls", "on-connect")
    port = serve_dovecot(t, kind, "imap")
    t.begin()
    if t.draw("client", "curl", "imaplib") == "imaplib":
        t.python("imap_client.py", t.addr, str(port), kind, str(t.draw_int("mails", 1, 12)), str(t.rng.getrandbits(30)))
        return
    base = f"{'imaps' if kind == 'on-connect' else 'imap'}://{t.url_host()}:{port}/"
    options = ["-sS", "-k", "-o", "/dev/null", "-u", "lab:secret"] + (["--ssl-reqd"] if kind == "starttls" else [])
    for _ in range(t.draw_int("visits", 1, 4)):
        words = [
            base + f"INBOX;MAILINDEX={t.rng.randint(1, t.settings['mailbox'])}" for _ in range(t.rng.randint(1, 8))
        ]
        t.client("curl", *options, *[w for u in words for w in ("-o", "/dev/null", u)][2:])
        t.client(
            "curl", *options, base + "INBOX", "-X",
            t.rng.choice(
                ("SEARCH UNSEEN", "STATUS INBOX (MESSAGES UNSEEN)", "FETCH 1:* (FLAGS)", "FETCH 1:* (ENVELOPE)")))
        t.think(1)


@registry.recipe("pop3", light=True, protocol="POP3", purpose="mail", forward=True, packages=("dovecot-pop3d", "curl"))
def pop3(t):
    kind = t.draw("tls", "none", "starttls", "on-connect")
    port = serve_dovecot(t, kind, "pop3")
    base = f"{'pop3s' if kind == 'on-connect' else 'pop3'}://{t.url_host()}:{port}/"
    options = ["-sS", "-k", "-u", "lab:secret"] + (["--ssl-reqd"] if kind == "starttls" else [])
    t.begin()
    for _ in range(t.draw_int("visits", 1, 4)):
        t.client("curl", *options, base)
        for _ in range(t.rng.randint(0, 3)):
            urls = [f"{base}{t.rng.randint(1, t.settings['mailbox'])}" for _ in range(t.rng.randint(1, 5))]
            t.client("curl", *options, *urls)
        t.think(0.7)

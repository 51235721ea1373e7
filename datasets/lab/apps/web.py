# SPDX-License-Identifier: Apache-2.0
"""web.py: web servers and their clients: HTTP/1.1, HTTP/2, without TLS and with it."""
import base64

from core import registry

TLS_VERSIONS = ("1.2", "1.3")


def site(t, root):
    """A small site below root: pages, pictures, files; returns the paths of each kind."""
    made = {"page": [], "object": [], "file": []}
    for kind, ending, count, low, high in (("page", "html", 6, 1500, 60_000), ("object", "png", 12, 300, 60_000),
                                           ("object", "css", 4, 500, 20_000), ("file", "bin", 3, 100_000, 3_000_000)):
        for _ in range(count):
            size = int(2**t.rng.uniform(low.bit_length() - 1, high.bit_length() - 0.5))
            path = f"{t.words.name(2)}/{t.words.name()}.{ending}"
            text = (t.words.page(size)
                    if ending == "html" else t.words.text(size) if ending == "css" else t.words.blob(size))
            t.write(f"{root}/{path}", text)
            made[kind].append("/" + path)
    t.write(f"{root}/index.html", t.words.page(t.rng.randint(800, 20_000)))
    made["page"].append("/")
    return made


def pin(t, cert):
    """The hash of a certificate's key that clients may insist on."""
    key = t.work / "pin.der"
    t.sh(
        "sh", "-c", f"openssl x509 -in {cert} -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst "
        f"-sha256 -binary > {key}")
    return base64.b64encode(key.read_bytes()).decode()


def nginx_config(t, tls, port, root):
    """Of each setting that changes what is seen, one is drawn."""
    pki = t.certificate() if tls else None
    lines = [
        f"listen 0.0.0.0:{port}{' ssl http2' if tls else ''};", f"listen [::]:{port}{' ssl http2' if tls else ''};",
        f"root {root};", f"gzip {t.draw('gzip', 'on', 'off')};", f"keepalive_timeout {t.draw('keepalive', 0, 5, 65)};",
        f"server_tokens {t.draw('tokens', 'on', 'off')};"
    ]
    if tls:
        lines += [
            f"ssl_certificate {pki['cert']};", f"ssl_certificate_key {pki['key']};",
            f"ssl_protocols TLSv{t.settings['tls']};", f"ssl_session_tickets {t.draw('tickets', 'on', 'off')};",
            f"ssl_buffer_size {t.draw('tls_record', '4k', '16k')};"
        ]
    lines += [
        "location /api/ { default_type application/json; return 200 "
        f'\'{{"id":"{t.words.name()}","text":"{t.words.text(t.rng.randint(10, 400)).splitlines()[0]}"}}\'; }}',
        "location /put/ { dav_methods PUT; create_full_put_path on; client_max_body_size 20m; alias /var/put/; }"
    ]
    body = "\n        ".join(lines)
    return f"""worker_processes 1;
error_log /dev/null;
pid /run/nginx.pid;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    sendfile {t.draw('sendfile', 'on', 'off')};
    server {{
        {body}
    }}
}}
"""


def serve_nginx(t, tls, port):
    root = t.folder("site")
    made = site(t, "site")
    t.folder("/var/put", owner="www-data")
    config = t.write("nginx.conf", nginx_config(t, tls, port, root))
    t.serve("nginx", "-c", config, "-g", "daemon off;", tcp=port)
    return made


def serve_apache(t, tls, port):
    made = site(t, "site")
    t.folder("/var/log/apache2")
    t.folder("/var/put", owner="www-data")
    modules = [
        "mpm_event", "authz_core", "authz_host", "mime", "dir", "dav", "dav_fs", "alias", "rewrite", "headers",
        "filter", "deflate"
    ] + (["ssl", "socache_shmcb", "http2"] if tls else [])
    lines = [f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in modules]
    lines += [
        f"Listen 0.0.0.0:{port}", f"Listen [::]:{port}", "ServerName " + t.host, "PidFile /run/httpd.pid",
        "User www-data", "Group www-data", "ErrorLog /dev/null", "TypesConfig /etc/mime.types",
        f"DocumentRoot {t.folder('site')}", f"KeepAlive {t.draw('keepalive', 'On', 'Off')}",
        f"ServerTokens {t.draw('tokens', 'Full', 'Prod')}", "DAVLockDB /var/put/.lock", "Alias /put /var/put",
        "<Directory /var/put>\nDav On\n</Directory>", "RewriteEngine On", "RewriteRule ^/api/ /index.html [PT]"
    ]
    if t.draw("gzip", "on", "off") == "on":
        lines += ["AddOutputFilterByType DEFLATE text/html text/css"]
    if tls:
        pki = t.certificate()
        lines += [
            "SSLEngine On", f"SSLCertificateFile {pki['cert']}", f"SSLCertificateKeyFile {pki['key']}",
            f"SSLProtocol -all +TLSv{t.settings['tls']}", "Protocols h2 http/1.1"
        ]
    config = t.write("apache.conf", "\n".join(lines) + "\n")
    t.serve("apache2", "-f", config, "-DFOREGROUND", tcp=port)
    return made


def curl(t, *arguments):
    """curl, with what is drawn once for the take."""
    version = ["--http1.1"] if t.settings["http"] == "1.1" else ["--http2"]
    return t.client("curl", "-sS", "-o", "/dev/null", "--max-time", "40", "-k", *version, *arguments)


def browse(t, base, made):
    """Pages with the objects on them, a while for reading in between."""
    for _ in range(t.draw_int("pages", 1, 8)):
        objects = t.rng.sample(made["object"], t.rng.randint(0, 8))
        paths = [t.rng.choice(made["page"]), *objects]
        if t.settings["client"] == "wget":
            t.client("wget", "-q", "-O", "/dev/null", "--no-check-certificate", "-T", "30", *[base + p for p in paths])
        elif t.settings["parallel"] == "yes":
            curl(t, "--parallel", "--parallel-max", "6", *[w for p in paths for w in ("-o", "/dev/null", base + p)][2:])
        else:
            curl(t, *[w for p in paths for w in ("-o", "/dev/null", base + p)][2:])
        t.think(0.8, 3)


def download(t, base, made):
    for path in t.rng.choices(made["file"], k=t.rng.randint(1, 2)):
        if t.settings["client"] == "wget":
            t.client("wget", "-q", "-O", "/dev/null", "--no-check-certificate", "-T", "40", base + path)
        else:
            curl(t, base + path)
        t.think()


def upload(t, base, _made):
    for _ in range(t.rng.randint(1, 3)):
        size = t.draw_int("upload_bytes", 5_000, 1_500_000)
        path = t.write("up.bin", t.words.blob(size))
        curl(t, "-T", path, f"{base}/put/{t.words.name()}.bin")
        t.think()


def api(t, base, _made):
    for _ in range(t.draw_int("calls", 3, 25)):
        curl(t, "-H", "Accept: application/json", "-H", f"Authorization: Bearer {t.words.name(8)}",
             f"{base}/api/{t.words.name()}?{t.words.name()}={t.rng.randint(1, 9999)}")
        t.think(0.4)


PURPOSES = {"browsing": browse, "download": download, "upload": upload, "api": api}


def web(t, serve):
    purpose = t.draw("purpose", *PURPOSES)
    t.purpose = purpose
    tls = t.draw("tls", "none", *TLS_VERSIONS, *TLS_VERSIONS)
    t.draw("client", *(("curl", "wget") if purpose in ("browsing", "download") else ("curl",)))
    t.draw("http", "1.1", "2" if tls != "none" and t.settings["client"] == "curl" else "1.1")
    t.draw("parallel", "yes", "no")
    port = t.draw("port", *((443, 443, 8443) if tls != "none" else (80, 80, 8080)))
    if tls != "none":
        t.carrier = "tls"
    made = serve(t, tls != "none", port)
    t.begin()
    scheme = "https" if tls != "none" else "http"
    PURPOSES[purpose](t, f"{scheme}://{t.host}:{port}", made)


@registry.recipe("nginx", application="web", purpose="browsing", protocol="HTTP", forward=True,
                 packages=("nginx-light", "curl", "wget"))
def nginx(t):
    web(t, serve_nginx)


@registry.recipe("apache", application="web", purpose="browsing", protocol="HTTP", forward=True,
                 packages=("apache2", "curl", "wget"))
def apache(t):
    web(t, serve_apache)

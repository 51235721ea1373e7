# SPDX-License-Identifier: Apache-2.0
"""browser.py: a real browser without a screen: pages with all that is on them, over HTTP/1.1, HTTP/2 and QUIC; and what
pages keep open: WebSockets."""
from core import registry
from apps import web


def pages(t, made):
    """Pages that show objects of the site, so that the browser fetches them."""
    paths = []
    for _ in range(t.draw_int("pages", 1, 4)):
        shown = t.rng.sample(made["object"], t.rng.randint(1, 12))
        body = "".join(
            f"<link rel='stylesheet' href='{o}'>" if o.endswith("css") else f"<img src='{o}'>" for o in shown)
        path = f"/{t.words.name(3)}.html"
        t.write("site" + path, t.words.page(t.rng.randint(1000, 20_000)).replace("</body>", body + "</body>"))
        paths.append(path)
    return paths


def visit(t, urls, *options):
    for url in urls:
        t.client("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--user-data-dir=/tmp/profile", "--ignore-certificate-errors", "--disable-component-update",
                 "--disable-background-networking", "--timeout=15000", "--dump-dom", *options, url, limit=60)
        t.think(0.5)


@registry.recipe("chromium", application="web", purpose="browsing", protocol="HTTP", forward=True,
                 packages=("chromium", "nginx-light", "apache2"), seconds=180)
def chromium(t):
    """One profile for all pages of a take: what was fetched before comes from its cache."""
    tls = t.draw("tls", "none", *web.TLS_VERSIONS, *web.TLS_VERSIONS)
    port = t.draw("port", *((443, 443, 8443) if tls != "none" else (80, 80, 8080)))
    t.settings["http"] = "2" if tls != "none" else "1.1"
    if tls != "none":
        t.carrier = "tls"
    serve = {"nginx": web.serve_nginx, "apache": web.serve_apache}[t.draw("server", "nginx", "apache")]
    made = serve(t, tls != "none", port)
    paths = pages(t, made)
    t.begin()
    visit(t, [f"http{'' if tls == 'none' else 's'}://{t.host}:{port}{p}" for p in paths])


@registry.recipe("quic", application="web", purpose="browsing", protocol="QUIC", carrier="tls",
                 packages=("chromium", "caddy"), seconds=180)
def quic(t):
    """HTTP/3 from Caddy to Chromium. The key is one of an elliptic curve: a long chain would not fit a first answer."""
    made = web.site(t, "site")
    paths = pages(t, made)
    pki = t.certificate()
    config = t.write(
        "Caddyfile", "{\n auto_https off\n admin off\n log {\n output discard\n }\n}\n"
        f"https://{t.host}:443 {{\n tls {pki['cert']} {pki['key']}\n root * {t.work}/site\n file_server\n"
        f" encode {t.draw('encode', 'gzip', 'zstd')}\n}}\n")
    t.serve("caddy", "run", "--config", config, "--adapter", "caddyfile", udp=443)
    if not t.inner:  # the datagrams of QUIC are too large for some tunnels; browsers then take TCP
        t.must_have = ("udp",)
    t.upgraded = True
    t.label("tcp", 443, protocol="TLS")
    t.begin()
    visit(t, [f"https://{t.host}{p}" for p in paths], "--enable-quic", f"--origin-to-force-quic-on={t.host}:443",
          "--ignore-certificate-errors-spki-list=" + web.pin(t, pki["cert"]))


@registry.recipe("websocket", protocol="WebSocket", purpose="chat", forward=True, packages=("python3-websockets",))
def websocket(t):
    """Messages both ways over an upgraded connection, with and without compression."""
    tls = t.draw("tls", "no", "yes") == "yes"
    port = t.draw("port", *((443, 8443) if tls else (80, 8080)))
    words = []
    if tls:
        pki = t.certificate()
        words = [pki["cert"], pki["key"]]
        t.carrier = "tls"
    t.serve(*t.helper("websocket.py"), "serve", str(port), *words, tcp=port)
    t.begin()
    for _ in range(t.draw_int("sessions", 1, 4)):
        t.python("websocket.py", "speak", f"ws{'s' if tls else ''}://{t.host}:{port}/{t.words.name()}",
                 str(t.draw_int("messages", 3, 60)), str(t.draw_int("size", 10, 3000)), t.draw("deflate", "yes", "no"),
                 str(t.rng.getrandbits(30)))
        t.think()

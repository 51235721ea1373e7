# SPDX-License-Identifier: Apache-2.0
"""messages.py: queues, chats and telemetry."""
import time

from core import registry


@registry.recipe("mqtt", light=True, protocol="MQTT", purpose="telemetry", forward=True,
                 packages=("mosquitto", "mosquitto-clients"))
def mqtt(t):
    """A subscriber that stays and sensors that come, report and go, or stay."""
    tls = t.draw("tls", "no", "yes") == "yes"
    port = 8883 if tls else 1883
    lines = [f"listener {port}", "allow_anonymous true", "user root"]
    options = ["-h", t.addr, "-p", str(port), "-V", t.draw("version", "mqttv311", "mqttv311", "mqttv5")]
    if tls:
        pki = t.certificate()
        lines += [f"certfile {pki['cert']}", f"keyfile {pki['key']}"]
        options += ["--cafile", pki["ca"], "--insecure"]
        t.carrier = "tls"
    t.serve("mosquitto", "-c", t.write("mosquitto.conf", "\n".join(lines) + "\n"), tcp=port)
    t.begin()
    qos = ["-q", str(t.draw("qos", 0, 1, 2))]
    topic = t.words.name()
    listeners = [
        t.start("mosquitto_sub", *options, *qos, "-t", f"{topic}/#", "-k", str(t.draw("keepalive", 5, 30, 60)))
        for _ in range(t.rng.randint(0, 2))
    ]
    for _ in range(t.draw_int("sensors", 1, 8)):
        where = ["-t", f"{topic}/{t.words.name()}"]
        if t.chance(0.4):
            text = "\n".join(str(t.rng.uniform(0, 90)) for _ in range(t.rng.randint(2, 40))) + "\n"
            t.client("mosquitto_pub", *options, *qos, *where, "-l", text=text)
        else:
            text = t.rng.choice((str(t.rng.randint(
                0, 1000)), f'{{"t":{t.rng.uniform(-20, 40):.2f},"id":"{t.words.name()}"}}',
                                 t.words.text(t.rng.randint(20, 3000))))
            t.client("mosquitto_pub", *options, *qos, *where, *(["-r"] if t.chance(0.2) else []), "-s", text=text)
        t.think(0.6)
    for process in listeners:
        process.terminate()
        process.wait()


@registry.recipe("amqp", protocol="AMQP", purpose="queue", forward=True, packages=("rabbitmq-server", "amqp-tools"),
                 seconds=240, v6=False)
def amqp(t):
    tls = t.draw("tls", "no", "no", "yes") == "yes"
    listen = [
        "listeners.tcp.default = 5672", "loopback_users = none", "default_user = lab", "default_pass = secret",
        "log.console = true"
    ]
    if tls:
        pki = t.certificate()
        listen += [
            "listeners.ssl.default = 5671", f"ssl_options.certfile = {pki['cert']}",
            f"ssl_options.keyfile = {pki['key']}", f"ssl_options.cacertfile = {pki['ca']}",
            "ssl_options.verify = verify_none"
        ]
        t.carrier = "tls"
    t.write("/etc/rabbitmq/rabbitmq.conf", "\n".join(listen) + "\n")
    t.write("/etc/rabbitmq/enabled_plugins", "[].\n")
    t.folder("/var/lib/rabbitmq", owner="rabbitmq")
    t.folder("/var/log/rabbitmq", owner="rabbitmq")
    with open("/etc/hosts", "a", encoding="ascii") as f:
        f.write(f"127.0.0.1 {t.settings.setdefault('node', 'node')}\n")
    t.serve(
        "rabbitmq-server", tcp=5671 if tls else 5672, user="rabbitmq", settle=1.5, env={
            "RABBITMQ_NODENAME": "lab@localhost", "HOME": "/var/lib/rabbitmq", "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1", "LOGNAME": "rabbitmq", "USER": "rabbitmq"
        })
    url = f"amqp{'s' if tls else ''}://lab:secret@{t.host}:{5671 if tls else 5672}"
    where = ["-u", url] + (["--cacert", pki["ca"]] if tls else [])
    queue = t.words.name()
    t.begin()
    t.client("amqp-declare-queue", *where, "-q", queue, "-d")
    for _ in range(t.draw_int("messages", 2, 15)):
        for _ in range(t.rng.randint(1, 3)):
            t.client("amqp-publish", *where, "-r", queue, *(["-p"] if t.chance(0.5) else []), text=t.words.text(
                t.rng.randint(10, 6000)))
        if t.chance(0.5):
            t.client("amqp-get", *where, "-q", queue, ok=(0, 2))
        t.think(0.3)
    t.client("amqp-consume", *where, "-q", queue, "-c", "1", "cat", check=False, limit=6)


@registry.recipe("irc", light=True, protocol="IRC", purpose="chat", forward=True, packages=("ngircd",))
def irc(t):
    """Two people in a channel."""
    config = t.write(
        "ngircd.conf",
        f"[Global]\nName = {t.host.split('.')[0]}.example\nInfo = {t.words.name()}\nListen = ::,0.0.0.0\n"
        f"Ports = 6667\n"
        "ServerUID = irc\nServerGID = irc\n[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n[Options]\nDNS = no\n"
        "Ident = no\nPAM = no\n")
    t.serve("ngircd", "-n", "-f", config, tcp=6667)
    t.begin()
    t.python("irc_client.py", t.addr, str(t.draw_int("lines", 5, 40)), str(t.draw_int("pause_ms", 40, 900)),
             str(t.rng.getrandbits(30)))


@registry.recipe("syslog", light=True, protocol="Syslog", purpose="monitoring", packages=("rsyslog",))
def syslog(t):
    """Lines from logger, over UDP or TCP, in the old form or the new one."""
    config = t.write(
        "rsyslog.conf",
        'module(load="imudp")\nmodule(load="imtcp")\ninput(type="imudp" port="514")\ninput(type="imtcp" port="514")\n'
        "*.* /dev/null\n")
    t.serve("rsyslogd", "-n", "-f", config, "-i", "/run/rsyslog.pid", tcp=514, settle=0.3)
    t.begin()
    way = [t.draw("transport", "--udp", "--udp", "--tcp"), t.draw("form", "--rfc5424", "--rfc3164")]
    for _ in range(t.draw_int("bursts", 3, 20)):
        text = "\n".join(t.words.sentence() for _ in range(t.rng.choice((1, 1, 3, 12))))
        t.client("logger", "-n", t.addr, "-P", "514", *way, "-t", t.words.name(2), "-p",
                 t.rng.choice(("user.info", "daemon.err", "auth.notice", "cron.warning")), text=text + "\n")
        t.think(0.4)


@registry.recipe("coap", light=True, protocol="COAP", purpose="telemetry", packages=("libcoap3-bin",))
def coap(t):
    key = t.words.name(5)
    dtls = t.draw("dtls", "no", "no", "yes") == "yes"
    t.serve("coap-server-openssl", "-d", "50", *(["-k", key] if dtls else []), udp=5683)
    base = f"coap{'s' if dtls else ''}://{t.url_host()}"
    secret = ["-u", t.words.name(), "-k", key] if dtls else []
    if dtls:
        t.carrier = "tls"
    t.begin()
    for i in range(t.draw_int("requests", 4, 30)):
        name = f"{t.words.name()}" if i % 3 == 0 else "time"
        action = t.rng.choice((["-m", "get"], ["-m", "get"], ["-m", "put", "-e",
                                                              t.words.text(t.rng.randint(4, 400))], ["-m", "get",
                                                                                                     "-N"]))
        path = "/.well-known/core" if t.chance(0.2) else "/" + (name if "put" in action else "time")
        t.client("coap-client-openssl", "-B", "6", *secret, *action, base + path, check=False, limit=10)
        t.think(0.3)


@registry.recipe("nats", protocol="NATS", purpose="queue", forward=True, packages=("nats-server",))
def nats(t):
    t.serve("nats-server", "-a", "::", "-p", "4222", tcp=4222)
    t.begin()
    t.python("nats_client.py", t.addr, str(t.draw_int("messages", 5, 200)), str(t.draw_int("size", 8, 4000)),
             str(t.rng.getrandbits(30)))


@registry.recipe("etcd", application="etcd", protocol="HTTP", purpose="coordination", forward=True,
                 packages=("etcd-server", "etcd-client"), v6=False)
def etcd(t):
    """gRPC over HTTP/2."""
    t.serve("etcd", "--data-dir", t.folder("etcd", mode=0o700), "--listen-client-urls", "http://0.0.0.0:2379",
            "--advertise-client-urls", "http://0.0.0.0:2379", tcp=2379, settle=1)
    t.files = {"ETCDCTL_API": "3", "ETCDCTL_ENDPOINTS": f"http://{t.addr}:2379"}
    t.begin()
    for _ in range(t.draw_int("commands", 3, 14)):
        key = t.words.name()
        t.client(
            "etcdctl",
            *t.rng.choice((["put", key, t.words.text(t.rng.randint(
                5, 2000))], ["get", "", "--prefix"], ["get", key], ["del", key], ["member", "list"])))
        t.think(0.3)
    watch = t.start("etcdctl", "watch", "--prefix", "")
    time.sleep(0.5)
    for _ in range(t.rng.randint(1, 5)):
        t.client("etcdctl", "put", t.words.name(), t.words.sentence())
    watch.terminate()
    watch.wait()

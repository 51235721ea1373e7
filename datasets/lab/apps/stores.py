# SPDX-License-Identifier: Apache-2.0
"""stores.py: databases and caches."""
from core import registry


@registry.recipe("redis", protocol="Redis", purpose="database", forward=True, packages=("redis-server", "redis-tools"))
def redis(t):
    """Commands one by one from redis-cli, or the load of a benchmark, with TLS or without."""
    tls = t.draw("tls", "no", "no", "yes") == "yes"
    word = ["--requirepass", t.words.name(5)] if t.draw("password", "no", "yes") == "yes" else []
    options = ["-a", word[1], "--no-auth-warning"] if word else []
    port = ["--port", "6379"]
    if tls:
        pki = t.certificate()
        port = ["--port", "0", "--tls-port", "6379", "--tls-cert-file", pki["cert"], "--tls-key-file", pki["key"],
                "--tls-ca-cert-file", pki["ca"], "--tls-auth-clients", "no"]
        options += ["--tls", "--insecure"]
        t.carrier = "tls"
    t.serve("redis-server", *port, "--save", "", "--appendonly", "no", "--bind", "0.0.0.0", "::", "--protected-mode", "no", "--dir", str(t.work),
            *word, tcp=6379)
    t.begin()
    if t.draw("load", "commands", "commands", "benchmark") == "benchmark":
        t.client("redis-benchmark", "-h", t.addr, *[o for o in options if o != "--no-auth-warning"], "-q", "-t", "set,get,lpush,incr",
                 "-n", str(t.draw_int("requests", 50, 600)), "-c", str(t.draw_int("clients", 1, 6)),
                 "-d", str(t.draw_int("value", 3, 2000)))
        return
    for _ in range(t.draw_int("sessions", 1, 6)):
        lines = []
        for _ in range(t.rng.randint(1, 30)):
            key = f"{t.words.name()}:{t.rng.randint(1, 500)}"
            lines.append(t.rng.choice((f"SET {key} {t.words.name(6)}", f"GET {key}", f"HSET {key} f {t.words.name()} g 1", f"INCR c:{key}",
                                       f"LPUSH l:{key} {t.words.name()}", f"LRANGE l:{key} 0 -1", f"EXPIRE {key} 60", "PING", "INFO memory",
                                       f"ZADD z {t.rng.randint(1, 99)} {key}", f"SET {key} \"{t.words.blob(t.rng.randint(1, 1500)).hex()}\"")))
        t.client("redis-cli", "-h", t.addr, *options, text="\n".join(lines) + "\n")
        t.think()

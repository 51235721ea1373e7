# SPDX-License-Identifier: Apache-2.0
"""stores.py: databases and caches."""
from core import registry


@registry.recipe("redis", light=True, protocol="Redis", purpose="database", forward=True,
                 packages=("redis-server", "redis-tools"))
def redis(t):
    """Commands one by one from redis-cli, or the load of a benchmark, with TLS or without."""
    tls = t.draw("tls", "no", "no", "yes") == "yes"
    word = ["--requirepass", t.words.name(5)] if t.draw("password", "no", "yes") == "yes" else []
    options = ["-a", word[1], "--no-auth-warning"] if word else []
    port = ["--port", "6379"]
    if tls:
        pki = t.certificate()
        port = [
            "--port", "0", "--tls-port", "6379", "--tls-cert-file", pki["cert"], "--tls-key-file", pki["key"],
            "--tls-ca-cert-file", pki["ca"], "--tls-auth-clients", "no"
        ]
        options += ["--tls", "--insecure"]
        t.carrier = "tls"
    t.serve("redis-server", *port, "--save", "", "--appendonly", "no", "--bind", "0.0.0.0", "::", "--protected-mode",
            "no", "--dir", str(t.work), *word, tcp=6379)
    t.begin()
    if t.draw("load", "commands", "commands", "benchmark") == "benchmark":
        clients = t.draw_int("clients", 1, 6)
        answers = int(10 * clients / (2 * t.link["delay_ms"] / 1e3))  # in ten seconds
        t.client("redis-benchmark", "-h", t.addr, *[o for o in options if o != "--no-auth-warning"], "-q", "-t",
                 "set,get,lpush,incr", "-n", str(max(10, min(answers // 4, t.draw_int("requests", 50, 600)))), "-c",
                 str(clients), "-d", str(t.draw_int("value", 3, 2000)))
        return
    for _ in range(t.draw_int("sessions", 1, 6)):
        lines = []
        for _ in range(t.rng.randint(1, 30)):
            key = f"{t.words.name()}:{t.rng.randint(1, 500)}"
            lines.append(
                t.rng.choice((f"SET {key} {t.words.name(6)}", f"GET {key}", f"HSET {key} f {t.words.name()} g 1",
                              f"INCR c:{key}", f"LPUSH l:{key} {t.words.name()}", f"LRANGE l:{key} 0 -1",
                              f"EXPIRE {key} 60", "PING", "INFO memory", f"ZADD z {t.rng.randint(1, 99)} {key}",
                              f'SET {key} "{t.words.blob(t.rng.randint(1, 1500)).hex()}"')))
        t.client("redis-cli", "-h", t.addr, *options, text="\n".join(lines) + "\n")
        t.think()


@registry.recipe("memcached", protocol="Memcached", purpose="database", forward=True, packages=("memcached",))
def memcached(t):
    """The text protocol, many commands a connection, values of all sizes."""
    t.serve("memcached", "-u", "nobody", "-p", "11211", "-U", "0", "-l", "0.0.0.0,::", tcp=11211)
    t.begin()
    for _ in range(t.draw_int("connections", 1, 6)):
        words = [str(t.draw_int("commands", 2, 60)), str(t.draw_int("value", 8, 8000)), str(t.rng.getrandbits(30))]
        t.python("memcache_client.py", t.addr, *words)
        t.think()


def sql_work(t, rows):
    """Statements of a small shop."""
    name = t.words.name()
    lines = [f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, item VARCHAR(400), price NUMERIC(9,2));"]
    for i in range(rows):
        lines.append(f"INSERT INTO {name} VALUES ({i},"
                     f" '{t.words.text(t.rng.randint(5, 380))}', {t.rng.randint(1, 99999) / 100});")
    for _ in range(t.rng.randint(2, 15)):
        lines.append(
            t.rng.choice((f"SELECT * FROM {name} WHERE id = {t.rng.randrange(rows)};",
                          f"SELECT COUNT(*), SUM(price) FROM {name};",
                          f"SELECT item FROM {name} WHERE price > {t.rng.randint(1, 900)} ORDER BY price;",
                          f"UPDATE {name} SET price = price * 1.1 WHERE id < {t.rng.randrange(rows)};",
                          f"DELETE FROM {name} WHERE id = {t.rng.randrange(rows)};",
                          f"BEGIN; UPDATE {name} SET item = '{t.words.sentence()}' WHERE id = 1; COMMIT;")))
    return lines + [f"DROP TABLE {name};"]


@registry.recipe("postgresql", protocol="PostgreSQL", purpose="database", forward=True, packages=("postgresql",),
                 seconds=120)
def postgresql(t):
    binaries = t.sh("sh", "-c", "ls -d /usr/lib/postgresql/*/bin | tail -n 1").strip()
    data = t.folder("pg", owner="postgres", mode=0o700)
    t.folder("/run/postgresql", owner="postgres")
    t.write("pgpass", "secret-" + t.words.name())
    auth = t.draw("auth", "scram-sha-256", "md5")
    t.sh(binaries + "/initdb", "-D", data, "-U", "lab", "-A", auth, "--pwfile", str(t.work / "pgpass"), "--no-sync",
         "--no-locale", "-E", "UTF8", user="postgres")
    t.write(f"{data}/pg_hba.conf", f"local all all trust\nhost all all 0.0.0.0/0 {auth}\nhost all all ::/0 {auth}\n")
    options = ["listen_addresses=*", "fsync=off", "password_encryption=" + auth]
    if t.draw("tls", "no", "yes") == "yes":
        pki = t.certificate()
        t.write(f"{data}/server.crt", open(pki["cert"], "rb").read(), 0o600, "postgres")
        t.write(f"{data}/server.key", open(pki["key"], "rb").read(), 0o600, "postgres")
        options.append("ssl=on")
        t.carrier, t.upgraded = "tls", True
    t.serve(binaries + "/postgres", "-D", data, *[w for o in options for w in ("-c", o)], tcp=5432, user="postgres",
            settle=0.5)
    t.files = {
        "PGPASSWORD": (t.work / "pgpass").read_text(), "PGSSLMODE": "require" if t.carrier == "tls" else "disable"
    }
    t.begin()
    where = ["-h", t.addr, "-U", "lab", "postgres"]
    if t.draw("client", "psql", "psql", "pgbench") == "pgbench":
        t.client(binaries + "/pgbench", "-i", "-q", "-n", "-s", "1", "-I", "dtgp", *where)
        t.client(binaries + "/pgbench", "-S", "-n", "-t", str(t.draw_int("transactions", 5, 80)), "-c",
                 str(t.rng.randint(1, 4)), "-M", t.draw("mode", "simple", "extended", "prepared"), *where)
        return
    for _ in range(t.draw_int("sessions", 1, 4)):
        t.client("psql", "-q", "-X", *where, text="\n".join(sql_work(t, t.rng.randint(3, 40))) + "\n")
        t.think()


@registry.recipe("mariadb", protocol="MySQL", purpose="database", forward=True,
                 packages=("mariadb-server", "mariadb-client"), seconds=150)
def mariadb(t):
    data = t.folder("maria", owner="mysql")
    t.folder("/run/mysqld", owner="mysql")
    t.sh("mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}", "--skip-test-db",
         "--skip-name-resolve", "--innodb-log-file-size=4M", limit=90)
    options = [
        "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M", "--skip-name-resolve", "--bind-address=*",
        "--innodb-flush-log-at-trx-commit=0"
    ]
    wanted = ["--skip-ssl"]
    if t.draw("tls", "no", "yes") == "yes":
        pki = t.certificate()
        options += [f"--ssl-cert={pki['cert']}", f"--ssl-key={pki['key']}"]
        wanted = ["--ssl"]
        t.carrier, t.upgraded = "tls", True
    init = t.write(
        "init.sql",
        "CREATE DATABASE shop;\nCREATE USER 'lab'@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO 'lab'@'%';\n")
    t.serve("mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}", f"--init-file={init}",
            "--socket=/run/mysqld/s", *options, tcp=3306, settle=0.5)
    t.begin()
    extra = ["--compress"] if t.draw("compress", "no", "no", "yes") == "yes" else []
    for _ in range(t.draw_int("sessions", 1, 5)):
        t.client("mariadb", "--no-defaults", "-h", t.addr, "-ulab", "-psecret", *wanted, *extra, "shop",
                 text="\n".join(sql_work(t, t.rng.randint(3, 40))) + "\n")
        t.think()

# SPDX-License-Identifier: Apache-2.0
"""take.py: one take: the sandbox's network, servers, clients, the capture, and what is known of it. Recipes see only
this class."""
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

from core import flows, network, packages, registry, sandbox
from core.sandbox import LabError, LabSkip
from core.words import Words

READY_S = 60
PACKET_LIMIT = 120_000  # a capture breaks off there: no recipe needs as many
SNAPLEN = 2048  # above the MTU; the ring of tcpdump has a slot of this size for every packet
PROTO = {"tcp": 6, "udp": 17}


def seed_of(seed, name, number):
    return f"{seed}/{name}/{number}"


class Capture:
    """tcpdump on one interface."""

    def __init__(self, space, interface, path):
        self.path = path
        self.process = subprocess.Popen(
            network.NSENTER[space] + [
                "nice", "-n", "-15", "tcpdump", "-Z", "root", "-n", "-i", interface, "-w",
                str(path), "-U", "--immediate-mode", "--time-stamp-precision=nano", "-B", "16384", "-s",
                str(SNAPLEN), "-c",
                str(PACKET_LIMIT)
            ], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=sandbox.plain_environment())
        line = self.process.stderr.readline()
        while line and "listening on" not in line:
            line = self.process.stderr.readline()
        if not line:
            raise LabError(f"tcpdump did not start on {interface} in {space}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        words = self.process.communicate(timeout=20)[1]
        dropped = re.search(r"(\d+) packets? dropped by kernel", words)
        if dropped and int(dropped.group(1)):
            raise LabError(f"tcpdump lost {dropped.group(1)} packets")


class Take:

    def __init__(self, recipe, seed, number, out):
        self.recipe, self.seed, self.number, self.out = recipe, seed, number, pathlib.Path(out)
        self.name = f"{recipe.name}-s{seed}-{number:04d}"
        self.rng = random.Random(seed_of(seed, recipe.name, number))
        self.words = Words(self.rng)
        self.work = pathlib.Path(sandbox.ROOT + "/work")
        self.settings, self.files, self.captures, self.servers, self.tcp_ports = {}, {}, [], [], []
        self.carrier, self.overrides, self.inner = recipe.carrier, [], None
        self.application, self.purpose = recipe.application, recipe.purpose
        self.client_space = "client"
        self.opened = False
        self.tunnel = None  # of a carrier: called when the capture runs
        place = recipe.place or self.rng.choice(("near", "far", "far"))
        self.link = network.draw_link(self.rng, place)
        self.addresses = network.draw_addresses(self.rng, place)
        self.own = set(self.addresses.values())
        self.relay = network.build(self.rng, self.link, self.addresses)
        self.host = self.words.host()
        self.v6 = recipe.v6 and not recipe.carries and self.rng.random() < 0.2
        self.addr = self.addresses["server6" if self.v6 else "server"]
        self.know_host()
        socket.sethostname(self.words.name())

    # ---- what is drawn is written down ----

    def draw(self, name, *choices):
        self.settings[name] = self.rng.choice(choices)
        return self.settings[name]

    def draw_int(self, name, low, high):
        """Small ones are as likely as large ones: uniform in the logarithm."""
        self.settings[name] = (min(high, int(network.log_uniform(self.rng, low, high +
                                                                 1))) if low > 0 else self.rng.randint(low, high))
        return self.settings[name]

    def chance(self, share):
        return self.rng.random() < share

    def think(self, mean=0.3, most=2.0):
        """A person or a timer between two requests."""
        time.sleep(min(most, self.rng.expovariate(1 / mean)))

    # ---- files ----

    def write(self, path, content, mode=0o644, owner=None):
        """Writes a file below the take's own folder, or at an absolute path of the sandbox."""
        path = self.work / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        if owner:
            subprocess.run(["chown", owner, str(path)], check=True)
        return str(path)

    def folder(self, path, owner=None, mode=0o755):
        path = self.work / path
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if owner:
            subprocess.run(["chown", "-R", owner, str(path)], check=True)
        return str(path)

    def certificate(self):
        """A key and a certificate of the server's name: {key, cert, ca}. The kind of key is drawn."""
        kind = self.draw("key", "rsa:2048", "ec:P-256", "ec:P-384")
        new = (["-newkey", kind]
               if kind.startswith("rsa") else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + kind[3:]])
        pki = pathlib.Path(self.folder("pki"))
        name, far = self.host, [f"DNS:{self.host}", f"IP:{self.addr}"]
        if self.chance(0.3):
            far += [f"DNS:{self.words.host()}" for _ in range(self.rng.randint(1, 12))]
        self.sh("openssl", "req", "-x509", *new, "-nodes", "-keyout", str(pki / "ca.key"), "-out", str(pki / "ca.pem"),
                "-days", "3650", "-subj", f"/O={self.words.name()}/CN={self.words.name()} root")
        self.sh("openssl", "req", *new, "-nodes", "-keyout", str(pki / "key.pem"), "-out", str(pki / "csr.pem"),
                "-subj", f"/CN={name}")
        self.write("pki/ext.cnf", f"subjectAltName={','.join(far)}\nbasicConstraints=CA:FALSE\n")
        self.sh("openssl", "x509", "-req", "-in", str(pki / "csr.pem"), "-CA", str(pki / "ca.pem"), "-CAkey",
                str(pki / "ca.key"), "-CAcreateserial", "-days", str(self.rng.randint(30, 800)), "-extfile",
                str(pki / "ext.cnf"), "-out", str(pki / "cert.pem"))
        if self.chance(0.5):  # servers often send the chain
            self.write("pki/cert.pem", (pki / "cert.pem").read_bytes() + (pki / "ca.pem").read_bytes())
        for file in ("key.pem", "cert.pem", "ca.pem"):
            (pki / file).chmod(0o644)
        return {"key": str(pki / "key.pem"), "cert": str(pki / "cert.pem"), "ca": str(pki / "ca.pem")}

    def certificate_of(self, name):
        """One more certificate of the take's own authority: {key, cert}."""
        pki = self.work / "pki"
        self.sh("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", str(pki / (name + ".key")), "-out",
                str(pki / "csr.pem"), "-subj", "/CN=" + name)
        self.sh("openssl", "x509", "-req", "-in", str(pki / "csr.pem"), "-CA", str(pki / "ca.pem"), "-CAkey",
                str(pki / "ca.key"), "-CAcreateserial", "-days", "100", "-out", str(pki / (name + ".pem")))
        return {"key": str(pki / (name + ".key")), "cert": str(pki / (name + ".pem"))}

    def know_host(self):
        """The server's name, for all programs of the take."""
        with open("/etc/hosts", "w", encoding="ascii") as f:
            f.write(
                f"127.0.0.1 localhost\n::1 localhost\n{self.addr} {self.host}\n"
                f"{self.addresses['client']} {self.words.name()}\n{self.addresses['client6']} {self.words.name()}\n")
        # No resolver is there: names that are not known fail at once instead of after seconds.
        for path, line in (("/etc/resolv.conf", "nameserver 127.0.0.1"), ("/etc/nsswitch.conf", "hosts: files")):
            if os.path.islink(path):
                os.unlink(path)
            with open(path, "w", encoding="ascii") as f:
                f.write(line + "\npasswd: files\ngroup: files\nshadow: files\n" if "nss" in path else line + "\n")

    # ---- programs ----

    def url_host(self):
        return f"[{self.addr}]" if ":" in self.addr else self.addr

    def sh(self, *command, user=None, check=True, text=None, limit=60):
        """Runs a program without a network: makes keys, databases, files."""
        return self.finish(["nsenter", "--net=/proc/self/ns/net"], command, user, check, text, limit)

    def finish(self, prefix, command, user, check, text, limit, ok=(0,)):
        who = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        data = text.encode() if isinstance(text, str) else text
        try:
            done = subprocess.run(prefix + who + list(command), input=data, env=self.environment(), timeout=limit,
                                  capture_output=True, **({} if data is not None else {"stdin": subprocess.DEVNULL}))
        except subprocess.TimeoutExpired:
            if not check:
                return ""
            raise LabError(f"{command[0]} took more than {limit} s") from None
        except FileNotFoundError:
            raise LabError(f"{command[0]} is not installed") from None
        if check and done.returncode not in ok:
            said = (done.stderr + done.stdout).decode(errors="replace").strip()[-400:]
            raise LabError(f"{' '.join(command)[:200]}: exit {done.returncode}: {said}")
        return done.stdout.decode(errors="replace")

    def environment(self):
        return {**sandbox.plain_environment(), **self.files}

    def serve(self, *command, tcp=None, udp=None, path=None, user=None, space="server", env=None, foreground=True,
              text=None, settle=0.0):
        """Starts a server and waits until it listens. foreground=False: the program puts itself into the background."""
        who = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        log = open(self.work / f"log-{len(self.servers)}.txt", "wb")
        process = subprocess.Popen(
            network.NSENTER[space] + who + list(command), stdin=subprocess.PIPE if text else subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env={**self.environment(), **(env or {})})
        self.servers.append((process, log.name, command[0]))
        if tcp:
            self.tcp_ports.append(tcp)
        until = time.monotonic() + READY_S
        while not self.listens(space, tcp, udp, path):
            if process.poll() not in (None, 0) or (foreground and process.poll() == 0) or time.monotonic() > until:
                said = pathlib.Path(log.name).read_text(errors="replace").strip()[-500:]
                raise LabError(f"{' '.join(command)[:160]} does not listen: {said}")
            time.sleep(0.05)
        time.sleep(settle)
        return process

    @staticmethod
    def listens(space, tcp, udp, path):
        if path:
            return os.path.exists(path)
        if not (tcp or udp):
            return True
        option = "-Hlnt" if tcp else "-Hlnu"
        out = subprocess.run(network.NSENTER[space] + ["ss", option, f"sport = :{tcp or udp}"], capture_output=True,
                             env=sandbox.plain_environment()).stdout
        return bool(out.strip())

    def client(self, *command, user=None, check=True, text=None, limit=45, ok=(0,)):
        """Runs a client to its end; returns what it printed."""
        self.must_run()
        return self.finish(network.NSENTER[self.client_space], command, user, check, text, limit, ok)

    def start(self, *command, text_mode=False, tty=None, space=None):
        """Starts a client that goes on; returns its process."""
        self.must_run()
        log = open(self.work / f"client-{len(os.listdir(self.work))}.txt", "wb")
        return subprocess.Popen(network.NSENTER[space or self.client_space] + list(command), stdin=tty
                                or subprocess.PIPE, stdout=tty or log, stderr=tty or log, start_new_session=True,
                                env=self.environment())

    def start_server_program(self, *command):
        """Starts a program on the server's side that listens to nothing."""
        return self.serve(*command)

    def source(self):
        """The address that the client speaks from."""
        return self.inner_source or self.addresses["client6" if ":" in self.addr else "client"]

    inner_source = ""  # of a VPN: the client's address inside

    def attack(self, target, *command, **options):
        """A client that attacks: its target must be the lab's own server, and nothing else may be reachable."""
        if target not in self.own:
            raise LabError(f"refusing to attack {target}: not an address of this take")
        return self.client(*command, **options)

    def python(self, script, *arguments, **options):
        """Runs one of the lab's own clients (helpers/)."""
        return self.client("/usr/bin/python3", f"{sandbox.ROOT}/code/helpers/{script}", *arguments, **options)

    def helper(self, script):
        return ["/usr/bin/python3", f"{sandbox.ROOT}/code/helpers/{script}"]

    # ---- the capture ----

    def must_run(self):
        if not self.opened:
            raise LabError(f"{self.recipe.name}: a client before begin()")
        if self.relay.poll() is not None:
            raise LabError("the relay has died")

    def begin(self):
        """From here on all is recorded. A carrier opens its tunnel now, so that its handshake is in the capture."""
        self.opened = True
        folder = self.out / "pcap" / self.recipe.name
        folder.mkdir(parents=True, exist_ok=True)
        self.captures.append(Capture("client", "eth0", folder / (self.name + ".pcap.part")))
        time.sleep(0.1)
        if self.tunnel:
            space, interface = self.tunnel()
            folder = self.out / "inside" / self.recipe.name
            folder.mkdir(parents=True, exist_ok=True)
            self.captures.append(Capture(space, interface, folder / (self.name + ".pcap.part")))
            time.sleep(0.1)

    def label(self, l4, port, **labels):
        """Flows with this port at either end are not what the recipe's row says."""
        self.overrides.append((PROTO[l4], port, self.inner is not None, labels))

    def end(self):
        """Stops recording; returns the lines about the captures."""
        time.sleep(0.3 + 2.5 * self.link["delay_ms"] / 1e3)  # what is on its way arrives
        for capture in self.captures:
            capture.stop()
        if not self.captures:
            raise LabError(f"{self.recipe.name}: never began")
        lines = []
        for i, capture in enumerate(self.captures):
            found, other = flows.read(capture.path)
            own = [{**f, **self.labels_of(f, i == 1)} for f in found if self.is_own(f, i == 1)]
            missing = [
                l4 for l4 in self.must_have if i == len(self.captures) - 1 and all(f["l4"] != PROTO[l4] for f in own)
            ]
            if not own or missing:
                raise LabError(f"{self.recipe.name}: no {' '.join(missing) or 'own'} flow was recorded")
            final = capture.path.with_suffix("")
            os.replace(capture.path, final)
            lines.append({
                "path": str(final.relative_to(self.out)), "bytes": final.stat().st_size, "other_packets": other,
                "packets": other + sum(f["packets"] for f in found), "flows": own,
                "unlabelled_flows": len(found) - len(own)
            })
        return lines

    def is_own(self, flow, _inside):
        """Between hosts of the take; multicast and broadcast are nobody's."""
        ends = {flow["ip_a"], flow["ip_b"]}
        if not ends <= self.own:
            return False
        return flow["l4"] in (6, 17, 132) or (self.echo_is_own and flow["l4"] in (1, 58) and flow["port_a"])

    must_have = ()  # "udp": a take without such a flow has failed, whatever the client said
    echo_is_own = False
    upgraded = False  # TLS begins within the protocol (STARTTLS): on the wire it is still the protocol
    label_protocol = ""  # where it is not the recipe's

    def labels_of(self, flow, inside):
        """By construction: nothing but the recipe's programs runs here."""
        labels = {
            "application": self.application, "carrier": self.carrier, "purpose": self.purpose,
            "threat": "attack" if self.recipe.attack else "benign", "protocol": self.recipe.protocol, "inside": ""
        }
        if self.inner and inside:
            labels.update(application=self.inner.application, carrier=self.inner_carrier, purpose=self.inner_purpose(),
                          protocol=self.inner.protocol, threat="benign")
        elif self.inner:
            labels.update(inside=self.inner.application, purpose=self.inner_purpose())
        if labels["carrier"] == "tls" and not self.upgraded:
            labels["protocol"] = "TLS" if flow["l4"] == PROTO["tcp"] else "DTLS"
        elif self.label_protocol:
            labels["protocol"] = self.label_protocol
        for l4, port, of_inner, other in self.overrides:
            if flow["l4"] == l4 and port in (flow["port_a"], flow["port_b"]) and of_inner == inside:
                labels.update(other)
        return labels

    inner_carrier = "plain"

    def inner_purpose(self):
        """What a recipe with several purposes has drawn, else its row's."""
        return self.purpose or self.inner.purpose

    def carry(self):
        """For carriers: draws what is carried and runs it; the carrier has set tunnel, addr and client_space."""
        self.inner = self.table[self.draw("inside", *registry.carried(self.recipe))]
        missing = packages.lacking(self.inner)
        if missing:
            raise LabSkip(f"to carry {self.inner.name}: {missing}")
        outer, self.carrier = self.carrier, self.inner.carrier
        settings, self.settings = self.settings, {}
        settings["carried"] = self.settings
        self.work = self.work / "carried"  # keys and files of the two stay apart
        self.work.mkdir()
        try:
            self.inner.run(self)
        except LabError as problem:
            # Through a slow carrier a client may give up: that, too, is what such a carrier looks like.
            if not self.recipe.slow or len(self.captures) < 2:
                raise
            self.settings["gave_up"] = str(problem)[:200]
        self.inner_carrier, self.carrier, self.settings = self.carrier, outer, settings

    def keep_logs(self):
        """What the programs of a failed take said goes beside its capture."""
        parts = [
            f"== {f.name}\n{f.read_text(errors='replace')[-4000:]}\n"
            for f in sorted(pathlib.Path(sandbox.ROOT, "work").rglob("*-*.txt"))
        ]
        (self.out / "failed").mkdir(exist_ok=True)
        (self.out / "failed" / (self.name + ".log")).write_text("".join(parts), encoding="utf-8")

    def tidy(self):
        for process, _, _ in self.servers:
            if process.poll() is None:
                process.terminate()


def record(recipe, table, seed, number, out):
    """Runs one take inside of the sandbox and writes its line below OUT/takes."""
    sandbox.refuse_outside()
    took = time.time()
    take = Take(recipe, seed, number, out)
    take.table = table
    line = {"capture": take.name, "recipe": recipe.name, "seed": seed, "round": number}
    try:
        recipe.run(take)
        line["captures"] = take.end()
        line["status"] = "recorded"
    except (LabError, subprocess.SubprocessError, OSError, ValueError) as problem:
        line["status"], line["reason"] = "skipped" if isinstance(problem, LabSkip) else "failed", str(problem)
        take.keep_logs()
    line.update(application=take.application, carrier=take.carrier, purpose=take.purpose,
                inside=take.inner.application if take.inner else "",
                inside_carrier=take.inner_carrier if take.inner else "", threat="attack" if recipe.attack else "benign",
                settings=take.settings, link=take.link, seconds=round(time.time() - took, 1))
    take.tidy()
    path = pathlib.Path(out) / "takes" / (take.name + ".json")
    part = path.with_suffix(".part")
    part.write_text(json.dumps(line) + "\n", encoding="ascii")
    os.replace(part, path)

# SPDX-License-Identifier: Apache-2.0
"""files.py: file servers and copies: FTP, SMB, NFS, rsync, git, TFTP, iSCSI, BitTorrent."""
import time

from core import registry


def tree(t, root, count, largest):
    """Files below root, text and packed; returns their paths relative to root."""
    paths = []
    for _ in range(count):
        path = f"{t.words.name(2)}/{t.words.name()}.{t.rng.choice(('txt', 'gz', 'csv', 'jpg'))}"
        size = int(2**t.rng.uniform(6, largest.bit_length()))
        t.write(f"{root}/{path}", t.words.text(size) if path.endswith(("txt", "csv")) else t.words.blob(size))
        paths.append(path)
    return paths


@registry.recipe("ftp", protocol="FTP_DATA", purpose="file-transfer", packages=("vsftpd", "lftp", "curl"), v6=False)
def ftp(t):
    """vsftpd: active or passive, in the clear or with TLS; lftp and curl."""
    tls = t.draw("tls", "no", "no", "yes") == "yes"
    paths = tree(t, "/srv/ftp", t.draw_int("files", 3, 20), 600_000)
    t.folder("/srv/ftp/in", owner="ftp")
    t.folder("/var/run/vsftpd/empty")
    text = ("listen=YES\nbackground=NO\nanonymous_enable=YES\nlocal_enable=NO\nwrite_enable=YES\n"
            "anon_upload_enable=YES\nanon_mkdir_write_enable=YES\n"
            "anon_root=/srv/ftp\nno_anon_password=YES\nsecure_chroot_dir=/var/run/vsftpd/empty\nseccomp_sandbox=NO\n"
            "connect_from_port_20=YES\n"
            "pasv_min_port=30000\npasv_max_port=30100\nisolate_network=NO\n")
    options = "set xfer:clobber yes; set net:timeout 15; set net:max-retries 2; "
    if tls:
        pki = t.certificate()
        text += (f"ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n"
                 f"rsa_cert_file={pki['cert']}\n"
                 f"rsa_private_key_file={pki['key']}\nrequire_ssl_reuse=NO\n")
        options += ("set ssl:verify-certificate no; set ftp:ssl-allow-anonymous yes; set ftp:ssl-force yes; "
                    "set ftp:ssl-protect-data yes; ")
        t.carrier, t.upgraded = "tls", True
    t.serve("vsftpd", t.write("vsftpd.conf", text), tcp=21)
    t.label("tcp", 21, protocol="FTP_CONTROL")
    mode = t.draw("mode", "passive", "passive", "active")
    t.begin()
    for _ in range(t.draw_int("sessions", 1, 4)):
        picks = [t.rng.choice(paths) for _ in range(t.rng.randint(1, 5))]
        if not tls and mode == "passive" and t.chance(0.4):
            t.client("curl", "-sS", *[w for p in picks for w in ("-o", "/dev/null", f"ftp://{t.addr}/{p}")])
            continue
        local = t.write("put.bin", t.words.blob(t.rng.randint(500, 300_000)))
        steps = [
            t.rng.choice(("ls", f"cd {p.split('/')[0]}; ls; cd ..", f"get -O /tmp {p}",
                          f"put -O in {local} -o {t.words.name(4)}")) for p in picks
        ]
        t.client(
            "lftp", "-c", options + f"set ftp:passive-mode {'on' if mode == 'passive' else 'off'}; open {t.addr}; " +
            "; ".join(steps) + "; bye")
        t.think()


@registry.recipe("smb", protocol="SMBv23", purpose="file-sharing", place="near", forward=True,
                 packages=("samba", "smbclient"), seconds=120)
def smb(t):
    paths = tree(t, "/srv/share", t.draw_int("files", 3, 20), 600_000)
    t.folder("/srv/share", mode=0o777)
    for name in ("/var/lib/samba/private", "/var/cache/samba", "/run/samba", "/var/log/samba"):
        t.folder(name)
    level = t.draw("dialect", "SMB2", "SMB3", "SMB3", "NT1")
    encrypt = t.draw("encrypt", "if_required", "if_required", "required") if level == "SMB3" else "if_required"
    config = t.write(
        "smb.conf",
        f"[global]\nworkgroup = LAB\nserver role = standalone server\nmap to guest = Never\nload printers = no\n"
        f"printing = bsd\n"
        f"disable spoolss = yes\nserver min protocol = NT1\n"
        f"server signing = {t.draw('signing', 'auto', 'mandatory')}\n"
        f"log file = /dev/null\ndisable netbios = yes\nsmb ports = 445\n"
        f"server smb encrypt = {encrypt}\n"
        "[share]\npath = /srv/share\nread only = no\nforce user = root\n")
    t.sh("useradd", "-M", "-s", "/usr/sbin/nologin", "labuser")
    t.sh("smbpasswd", "-c", config, "-a", "-s", "labuser", text="secret\nsecret\n")
    t.serve("smbd", "-F", "-s", config, "--no-process-group", tcp=445, settle=0.5)
    t.write("/etc/samba/client.conf", "[global]\nclient min protocol = NT1\nclient use spnego = yes\n")
    where = [f"//{t.addr}/share", "-s", "/etc/samba/client.conf", "-U", "labuser%secret", "-m", level, "-p", "445"]
    t.begin()
    for _ in range(t.draw_int("sessions", 1, 4)):
        steps = []
        for p in [t.rng.choice(paths) for _ in range(t.rng.randint(1, 8))]:
            win = p.replace("/", "\\")
            local = t.write("put.bin", t.words.blob(t.rng.randint(100, 300_000)))
            steps.append(
                t.rng.choice(("ls", f"get {win} /dev/null", f"put {local} {t.words.name(4)}.bin",
                              f"cd {p.split('/')[0]}; ls; cd ..", "du", f"allinfo {win}")))
        t.client("smbclient", *where, "-c", "; ".join(steps), ok=(0, 1))
        t.think()


@registry.recipe("nfs", protocol="NFS", purpose="file-sharing", place="near",
                 packages=("nfs-ganesha", "nfs-ganesha-vfs", "libnfs-utils", "rpcbind"), v6=False, seconds=120)
def nfs(t):
    """NFSv3 or v4 from a server in user space; the client is a library in user space, too."""
    paths = tree(t, "export", t.draw_int("files", 3, 15), 500_000)
    root = t.folder("export", mode=0o777)
    t.folder("/run/ganesha")
    version = t.draw("version", 3, 4)
    config = t.write(
        "ganesha.conf", "NFS_CORE_PARAM { Protocols = 3, 4; MNT_Port = 20048; NLM_Port = 32803; Rquota_Port = 875; "
        "Enable_RQUOTA = false; Enable_NLM = false; }\n"
        "NFSv4 { Grace_Period = 5; Lease_Lifetime = 10; Graceless = true; RecoveryBackend = fs; }\n"
        f"EXPORT {{ Export_Id = 1; Path = {root}; Pseudo = {root}; Access_Type = RW; Squash = No_Root_Squash; "
        f"SecType = sys; Transports = TCP; Protocols = 3, 4;"
        " FSAL { Name = VFS; } }\nLOG { Default_Log_Level = WARN; }\n")
    t.folder("/var/lib/nfs/ganesha")
    t.serve("rpcbind", "-f", "-w", tcp=111)
    t.serve("ganesha.nfsd", "-F", "-f", config, "-L", "/dev/null", "-p", "/run/ganesha/pid", tcp=2049, settle=1)
    base = f"nfs://{t.addr}{root}"
    end = f"?version={version}"
    t.begin()
    for _ in range(t.draw_int("operations", 3, 20)):
        path = t.rng.choice(paths)
        local = t.write("put.bin", t.words.blob(t.rng.randint(100, 300_000)))
        t.client(*t.rng.choice((["nfs-ls", f"{base}{end}"], ["nfs-ls", f"{base}/{path.split('/')[0]}{end}"],
                                ["nfs-cat", f"{base}/{path}{end}"],
                                ["nfs-cp", local, f"{base}/{t.words.name(4)}{end}"] if version ==
                                3 else ["nfs-cp", f"{base}/{path}{end}", f"/tmp/{t.words.name(6)}"])))
        t.think(0.3)


@registry.recipe("rsync", protocol="RSYNC", purpose="backup", forward=True, packages=("rsync",))
def rsync(t):
    """A daemon; the tree changes between runs, so that deltas are seen."""
    paths = tree(t, "/srv/module", t.draw_int("files", 5, 60), 200_000)
    config = t.write("rsyncd.conf",
                     "uid = root\ngid = root\nuse chroot = no\n[backup]\npath = /srv/module\nread only = no\n")
    t.serve("rsync", "--daemon", "--no-detach", "--config=" + config, "--port=873", tcp=873)
    options = (["-a", "--timeout=30"] + (["-z"] if t.draw("compress", "no", "yes") == "yes" else []) +
               (["-c"] if t.draw("checksum", "no", "no", "yes") == "yes" else []))
    url = f"rsync://{t.url_host()}/backup/"
    t.folder("/tmp/copy")
    t.begin()
    for _ in range(t.draw_int("runs", 1, 5)):
        t.client("rsync", *options,
                 *t.rng.choice(([url, "/tmp/copy/"], [url, "/tmp/copy/"], ["/tmp/copy/", url], ["--list-only", url])),
                 limit=60)
        for path in t.rng.sample(paths, min(3, len(paths))):
            t.write("/srv/module/" + path, t.words.text(t.rng.randint(100, 50_000)))
        t.think()


@registry.recipe("git", protocol="Git", purpose="development", forward=True, packages=("git",))
def git(t):
    """git daemon: clone, fetch, push of a small history."""

    def run(*words, at="/srv/git/work"):
        t.sh("git", "-C", at, "-c", "user.name=lab", "-c", "user.email=lab@lab.example", *words)

    t.folder("/srv/git/work")
    run("init", "-q", "-b", "main")
    for _ in range(t.draw_int("commits", 2, 15)):
        tree(t, "/srv/git/work", t.rng.randint(1, 6), 60_000)
        run("add", "-A")
        run("commit", "-q", "-m", t.words.sentence())
    t.sh("git", "clone", "-q", "--bare", "/srv/git/work", "/srv/git/project.git")
    t.sh("git", "config", "--global", "--add", "safe.directory", "*")
    t.serve("git", "daemon", "--base-path=/srv/git", "--export-all", "--enable=receive-pack", "--reuseaddr",
            "--port=9418", tcp=9418)
    url = f"git://{t.url_host()}/project.git"
    version = ["-c", f"protocol.version={t.draw('version', 0, 1, 2)}"]
    t.begin()
    for i in range(t.draw_int("rounds", 1, 4)):
        copy = f"/tmp/clone-{i}"
        t.client("git", *version, "clone", "-q", *(["--depth", "1"] if t.chance(0.3) else []), url, copy)
        t.think()
        if t.chance(0.5):
            t.client("git", *version, "ls-remote", "-q", url)
        if t.chance(0.5) and i == 0:
            t.write(f"{copy}/{t.words.name()}", t.words.blob(t.rng.randint(100, 100_000)))
            run("add", "-A", at=copy)
            run("commit", "-q", "-m", "more", at=copy)
            t.client("git", *version, "-C", copy, "push", "-q", "origin", "HEAD:refs/heads/" + t.words.name(4))


@registry.recipe("tftp", protocol="TFTP", purpose="file-transfer", place="near", packages=("tftpd-hpa", "tftp-hpa"))
def tftp(t):
    """Every answer comes from a new port, so that the port says nothing."""
    paths = [t.words.name() for _ in range(4)]
    for path in paths:
        t.write("/srv/tftp/" + path, t.words.blob(t.draw_int("bytes", 300, 150_000)))
    t.folder("/srv/tftp", mode=0o777)
    t.serve("in.tftpd", "-L", "-u", "root", "-c", "-s", "/srv/tftp",
            *(["-B", "1468"] if t.draw("blocks", "small", "large") == "large" else []), udp=69)
    local = t.write("put.bin", t.words.blob(t.rng.randint(300, 60_000)))
    t.begin()
    for _ in range(t.draw_int("transfers", 1, 6)):
        step = ["get", t.rng.choice(paths), "/tmp/got"] if t.chance(0.7) else ["put", local, t.words.name()]
        t.client("tftp", t.addr, "-m", t.rng.choice(("binary", "octet")), "-c", *step)
        t.think()


@registry.recipe("iscsi", protocol="iSCSI", purpose="storage", place="near", packages=("tgt", "libiscsi-bin"), v6=False)
def iscsi(t):
    disk = t.write("disk", t.words.blob(1 << 20))
    t.serve("tgtd", "-f", "--iscsi", f"portal={t.addr}:3260", tcp=3260, settle=0.3)
    name = f"iqn.2020-01.example:{t.words.name()}"

    def admin(*words):
        t.finish(["nsenter", "--net=/run/netns/server"], ["tgtadm", "--lld", "iscsi", *words], None, True, None, 20)

    admin("--op", "new", "--mode", "target", "--tid", "1", "-T", name)
    admin("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", disk)
    admin("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")
    t.begin()
    for _ in range(t.draw_int("operations", 2, 8)):
        t.client(
            *t.rng.choice((["iscsi-ls", "-s", f"iscsi://{t.addr}"], ["iscsi-inq", f"iscsi://{t.addr}/{name}/1"], [
                "iscsi-readcapacity16", f"iscsi://{t.addr}/{name}/1"
            ], ["iscsi-perf", "-m", "4", "-b", "8", "-t", "1", f"iscsi://{t.addr}/{name}/1"])), ok=(0, 10))
        t.think()


@registry.recipe("bittorrent", protocol="BitTorrent", purpose="p2p", packages=("aria2", "transmission-cli"), v6=False,
                 seconds=120)
def bittorrent(t):
    """A tracker of ours, a seeder and a client; plain or with obfuscated handshakes."""
    path = t.write("share/" + t.words.name() + ".iso", t.words.blob(t.draw_int("bytes", 60_000, 4_000_000)))
    torrent = str(t.work / "file.torrent")
    t.sh("transmission-create", "-o", torrent, "-t", f"http://{t.addr}:6969/announce", "-s",
         str(t.draw("piece_kib", 32, 64, 256)), path)
    t.serve(*t.helper("tracker.py"), "6969", t.addr, tcp=6969)
    crypto = {
        "plain": ["--bt-require-crypto=false", "--bt-min-crypto-level=plain"],
        "arc4": ["--bt-require-crypto=true", "--bt-min-crypto-level=arc4"]
    }[t.draw("crypto", "plain", "plain", "arc4")]
    options = [
        "--enable-dht=false", "--bt-enable-lpd=false", "--enable-dht6=false", "--file-allocation=none",
        "--console-log-level=warn", "--bt-tracker-interval=5", *crypto
    ]
    t.serve("aria2c", *options, "--seed-ratio=0", "-V", f"--listen-port={t.draw('seed_port', 6881, 51413, 40123)}",
            f"--dir={t.work}/share", torrent, tcp=t.settings["seed_port"], settle=1.5)
    t.label("tcp", 6969, application="bittorrent-tracker", protocol="HTTP", carrier="plain")
    t.begin()
    up = [f"--max-overall-download-limit={t.draw('limit', '0', '200K', '800K')}"]
    t.client("aria2c", *options, *up, "--seed-time=0", "--listen-port=6890", "--dir=/tmp", "--bt-stop-timeout=40",
             torrent, limit=60)
    time.sleep(0.5)

# SPDX-License-Identifier: Apache-2.0
"""sandbox.py: the process's own view of the machine. Every take runs in fresh mount, network, process, host name and
IPC namespaces: it may write to /etc, /var and /run, and when it ends, nothing of it is left and nothing runs on."""
import os
import subprocess
import sys

ROOT = "/run/lab"
OVERLAID = ("/etc", "/var", "/root", "/home", "/srv", "/opt")
INSIDE = "WIRESPEAK_LAB_INSIDE"


class LabError(Exception):
    """Something that a take cannot do here; the text says what and what helps."""


class LabSkip(LabError):
    """Something that this machine lacks for what a take has drawn."""


def plain_environment():
    """What programs of the lab see: nothing of the caller's."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/bin", "HOME": "/root", "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8", "TERM": "xterm", "PYTHONDONTWRITEBYTECODE": "1", "USER": "root", "LOGNAME": "root"
    }


def command(*arguments):
    """The command line that runs arguments inside of fresh namespaces."""
    return [
        "unshare", "--mount", "--propagation", "private", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child",
        "--mount-proc", *arguments
    ]


def probe():
    """None, or what keeps this machine from recording."""
    if os.geteuid() != 0:
        return "not root: namespaces and raw sockets need it"
    test = subprocess.run(
        command(
            "sh", "-c", "mount -t tmpfs none /run && mkdir /run/u /run/w && mount -t overlay none "
            "-o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc && "
            "ip link add name probe0 type veth peer name probe1"), capture_output=True, text=True,
        env=plain_environment())
    if test.returncode != 0:
        return "no namespaces, overlay mounts or veth here: " + test.stderr.strip().replace("\n", "; ")
    return None


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def enter(out, code):
    """Called first inside of the namespaces: private /run, /tmp and writable copies of the system's folders."""
    mount("-t", "tmpfs", "-o", "mode=755", "none", "/mnt")
    os.mkdir("/mnt/out")
    os.mkdir("/mnt/code")
    mount("--bind", out, "/mnt/out")
    mount("--bind", code, "/mnt/code")
    mount("-t", "tmpfs", "-o", "mode=755", "none", "/run")
    for folder in ("lab", "lab/out", "lab/code", "lab/work", "netns", "lock", "user"):
        os.mkdir("/run/" + folder)
    os.chmod("/run/lock", 0o1777)
    mount("--move", "/mnt/out", ROOT + "/out")
    mount("--move", "/mnt/code", ROOT + "/code")
    for folder in OVERLAID:
        upper, work = ROOT + "/upper" + folder, ROOT + "/overlay" + folder
        os.makedirs(upper)
        os.makedirs(work)
        os.chmod(upper, os.stat(folder).st_mode & 0o7777)
        mount("-t", "overlay", "none", "-o", f"lowerdir={folder},upperdir={upper},workdir={work}", folder)
    mount("-t", "tmpfs", "-o", "mode=1777", "none", "/tmp")
    os.chdir(ROOT + "/work")
    os.umask(0o022)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def links():
    """Names of the interfaces of the namespace that this process is in."""
    text = subprocess.run(["ip", "-o", "link"], check=True, capture_output=True, text=True).stdout
    return [line.split(":")[1].strip().split("@")[0] for line in text.splitlines()]


def refuse_outside():
    """A take may attack what it can reach; so it must reach nothing. So by construction, and looked at all the same."""
    foreign = [name for name in links() if name != "lo"]
    if os.environ.get(INSIDE) != "1" or foreign:
        sys.exit("record: refusing to run: this network namespace is not the lab's own" +
                 (f" (it has {', '.join(foreign)})" if foreign else ""))

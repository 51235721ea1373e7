#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_tag_guard.sh: what tag gives up before it reads from strangers, in every thread; the one capability that it needs; what it says to
# systemd, and the unit.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
# shellcheck source=tests/cli/live
. "${top_srcdir:-.}/tests/cli/live"
chmod 755 "$tmp"

# ---- systemd ----

unit="${top_srcdir:-.}/contrib/systemd/wirespeak-tag@.service"
if ! command -v systemd-analyze >/dev/null; then
    skip "the unit is one that systemd takes" "no systemd-analyze here"
else
    # the program need not be installed: what the unit runs is checked below
    sed "s|/usr/local/bin/wirespeak|$(command -v true)|" "$unit" >"$tmp/wirespeak-tag@eth0.service"
    systemd-analyze verify --man=no "$tmp/wirespeak-tag@eth0.service" >"$tmp/verified" 2>&1
    ! grep -q wirespeak "$tmp/verified"
    result $? "the unit is one that systemd takes"
fi

! grep -q '^LogsDirectory=[^%]*$' "$unit" || grep -q '^User=[^%]*$' "$unit"
result $? "whose instances, which share a folder of records, share its user, too"

bound=$(sed -n 's/^BindsTo=//p' "$unit")
[ -z "$bound" ] || grep -qxF "WantedBy=$bound" "$unit"
result $? "what ends it when its interface goes away starts it when that comes back"

# shellcheck disable=SC2016 # as it stands there
quoted=$(sed -n 's/^# *Environment="MODEL=[^"]*" "OPTIONS=\([^"]*\)"$/\1/p' "$unit")
read -ra more <<<"$quoted"
[ ${#more[@]} -gt 2 ] && "$ws" tag -q -m "$model" -r "$data/dns.pcap" "${more[@]}" >"$tmp/more" && [ -s "$tmp/more" ]
result $? "its example of more options is one, in the quotes that several words need"

grep -qx 'RestartPreventExitStatus=2' "$unit" && ! "$ws" tag -q -m "$model" --nosuch 2>/dev/null
result $? "and a command line that makes no sense is not tried again and again"

# systemctl as it is where an interface is away: units that do not run cannot be reloaded
if ! command -v logrotate >/dev/null; then
    skip "records are rotated also while an interface is away" "no logrotate here"
else
    mkdir "$tmp/bin" "$tmp/rotated"
    # shellcheck disable=SC2016 # of the other script
    printf '#!/bin/sh\necho "$@" >>%s/bin/said\n[ "$1" != reload ]\n' "$tmp" >"$tmp/bin/systemctl"
    chmod 755 "$tmp/bin/systemctl"
    sed "s|/var/log/wirespeak|$tmp/rotated|" "${unit%@.service}.logrotate" >"$tmp/rotate"
    chmod 644 "$tmp/rotate"
    echo '{}' | tee "$tmp/rotated/eth0.jsonl" >"$tmp/rotated/eth1.jsonl"
    PATH=$tmp/bin:$PATH logrotate -f -s "$tmp/state" "$tmp/rotate" 2>"$tmp/err" &&
        [ -e "$tmp/rotated/eth0.jsonl.1" ] && [ -e "$tmp/rotated/eth1.jsonl.1" ] && [ "$(wc -l <"$tmp/bin/said")" = 1 ] &&
        grep -q '^[a-z-]*reload.* wirespeak-tag@' "$tmp/bin/said"
    result $? "records are rotated also while an interface is away, and files are opened again once for all"
fi

# The unit's options, with a capture in the place of its interface; systemd fills in the rest.
# shellcheck disable=SC2016 # what systemd fills in
mapfile -t words < <(sed -n 's/^ExecStart=[^ ]* //p' "$unit" | tr ' ' '\n' |
    sed -e "s|\${MODEL}|$model|" -e "s|\${[A-Z]*_DIRECTORY}|$tmp|" -e 's/^-i$/-r/' \
        -e "s|^%I$|$data/dns.pcap|" -e 's/%i/eth0/' -e '/^\$OPTIONS$/d')
NOTIFY_SOCKET=/nosuch/socket "$ws" "${words[@]}" 2>"$tmp/err" && grep -q '"label":"DNS"' "$tmp/eth0.jsonl"
result $? "what the unit runs is a command of this program, also where nobody listens for what it says"

# notified NAME: tag's words to the socket of this name, in their order
notified() {
    python3 - "$1" "$ws" tag -q -m "$model" -r "$data/dns.pcap" -w "$tmp/n.jsonl" <<'EOF'
import os, socket, subprocess, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.settimeout(30)
s.bind("\0" + name[1:] if name[0] == "@" else name)
subprocess.run(sys.argv[2:], check=True, env=dict(os.environ, NOTIFY_SOCKET=name))
print(*(s.recv(100).decode() for _ in range(2)))
EOF
}
[ "$(notified "@wirespeak-$$")" = "READY=1 STOPPING=1" ] && [ "$(notified "$tmp/n.sock")" = "READY=1 STOPPING=1" ]
result $? "systemd is told at an address of either kind"

# ---- privileges ----

seccomp=2
grep -q '^SECCOMP_CFLAGS = .*WITH_SECCOMP' "${top_builddir:-.}/Makefile" || seccomp=0
grep -q '^WSP_CFLAGS = .*-fsanitize=' "${top_builddir:-.}/Makefile" 2>/dev/null && seccomp=0

# given_up PID UID GID: all threads are of this user, with CAP_NET_RAW (bit 13) alone, which cannot be passed on, and can gain nothing
given_up() {
    python3 - "$@" "$seccomp" <<'EOF'
import glob, os, sys
pid, uid, gid, seccomp = sys.argv[1:]
want = {"Uid": [uid] * 4, "Gid": [gid] * 4, "CapPrm": ["0000000000002000"], "CapEff": ["0000000000002000"],
        "CapInh": ["0" * 16], "CapAmb": ["0" * 16], "NoNewPrivs": ["1"], "Seccomp": [seccomp]}
bounded = {"CapPrm", "CapEff"}  # a thread that captures nothing may have less
tasks = glob.glob(f"/proc/{pid}/task/*/status")
assert len(tasks) >= 3, tasks
for path in tasks:
    got = dict(line.split(":", 1) for line in open(path))
    for k, v in want.items():
        assert got[k].split() == v or (k in bounded and got[k].split() == ["0" * 16] and uid != "0"), (got["Name"], k, got[k])
    assert uid == "0" or "0" not in got["Groups"].split(), got["Groups"]
EOF
}
# told: a record of any flow; then everything is open, and its threads run
told() { grep -q '"label"' "$tmp/$1" 2>/dev/null; }
# It captures, and gets flows until it has told of one.
flows_come() {
    wait_for 30 capturing
    for ((i = 0; i < 10; i++)); do
        send "$data/dns.pcap"
        wait_for 2 told out && break
    done
}

# guarded NAME UID GID OPTION...: tag with these options gives up what it should and labels flows
guarded() {
    local name=$1 uid=$2 gid=$3 pid
    shift 3
    : >"$tmp/out"
    ip netns exec "$b" "$ws" tag -q -m "$model" -i vb --max-lag 60 -w "$tmp/out" "$@" 2>"$tmp/err" &
    pid=$!
    flows_come
    told out && given_up "$(program $pid)" "$uid" "$gid"
    result $? "$name"
    kill -KILL "$pid" # how it ends is tested elsewhere, and Kafka takes its time
    wait "$pid" 2>/dev/null
}

unprivileged() {
    local pid
    if ! command -v setpriv >/dev/null || ! setpriv --reuid "$uid" --clear-groups "$ws" version >/dev/null 2>&1; then
        skip "CAP_NET_RAW suffices" "no setpriv, or another user may not run the program where it is"
        skip "who may not capture is told what is needed" "the same"
        return
    fi
    install -d -o "$uid" "$tmp/of"
    ip netns exec "$b" setpriv --reuid "$uid" --regid "$gid" --clear-groups --inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw \
        --bounding-set=-all,+net_raw "$ws" tag -q -m "$model" -i vb --max-lag 60 -w "$tmp/of/out" 2>"$tmp/err" &
    pid=$!
    wait_for 30 capturing
    for ((i = 0; i < 10; i++)); do
        send "$data/dns.pcap"
        wait_for 2 told of/out && break
    done
    told of/out && given_up "$(program $pid)" "$uid" "$gid"
    result $? "CAP_NET_RAW suffices"
    kill "$pid"
    wait "$pid"
    in_b setpriv --reuid "$uid" --regid "$gid" --clear-groups --bounding-set=-all "$ws" tag -q -m "$model" -i vb 2>"$tmp/err"
    [ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q 'capturing needs CAP_NET_RAW' "$tmp/err"
    result $? "who may not capture is told what is needed"
}

# page SOCKET: the page for Prometheus is there
# shellcheck disable=SC2317 # run by wait_for
page() {
    python3 - "$1" 2>/dev/null <<'EOF'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
assert s.recv(15) == b"HTTP/1.1 200 OK"
EOF
}

# permitted FILE: the system calls of a run, as strace wrote them, are among those that the unit permits
permitted() {
    python3 - "$1" "$unit" <<'EOF'
import re, subprocess, sys
def expand(name):
    if name[0] != "@":
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True).stdout
    words = (line.strip() for line in text.splitlines()[1:])
    return set().union(*(expand(w) for w in words if w and w[0] != "#"))
allowed = expand("@default")
for line in re.findall(r"^SystemCallFilter=(.*)", open(sys.argv[2]).read(), re.M):
    names = set().union(*map(expand, line.lstrip("~").split()))
    allowed = allowed - names if line[0] == "~" else allowed | names
calls = set(re.findall(r"^\d+ +(\w+)\(", open(sys.argv[1]).read(), re.M))
assert "prctl" in calls and "bind" in calls and len(allowed) > 100, (len(calls), len(allowed))
assert calls <= allowed, calls - allowed
EOF
}

# All that the unit's program does: captures, writes, opens again, answers, ends.
system_calls() {
    local pid
    if ! command -v systemd-analyze >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
        skip "the unit permits what the program does" "no systemd-analyze or strace here"
        return
    fi
    : >"$tmp/out"
    ip netns exec "$b" strace -f -qq -o "$tmp/calls" "$ws" tag -q -m "$model" -i vb --max-lag 60 -w "$tmp/out" \
        --metrics "unix:$tmp/m.sock" 2>"$tmp/err" &
    pid=$!
    flows_come
    wait_for 10 page "$tmp/m.sock"
    rm "$tmp/out"
    kill -HUP "$(program $pid)"
    wait_for 10 test -e "$tmp/out"
    kill "$(program $pid)"
    wait "$pid"
    permitted "$tmp/calls"
    result $? "the unit permits what the program does"
}

# back FILE: another interface has got the name, and is captured from
back() {
    : >"$1"
    link_up
    # the old one's socket may still be there: so it is not waited for, but sent to
    for ((i = 0; i < 20; i++)); do
        send "$data/dns.pcap"
        wait_for 1 grep -q '"label"' "$1" && return
    done
    return 1
}

# The interface goes for good and another one gets its name: opened again with what was kept.
comes_back() {
    local pid rc=0 changing=()
    : >"$tmp/back"
    ip -n "$b" tuntap add dev vt mode tun 2>/dev/null && ip -n "$b" link set vt up && changing=(-i vt)
    ip netns exec "$b" "$ws" tag -m "$model" -i vb "${changing[@]}" --user nobody --max-lag 60 -w "$tmp/back" 2>"$tmp/back.err" &
    pid=$!
    wait_for 30 capturing $((1 + ${#changing[@]} / 2))
    for ((i = 0; i < 10; i++)); do
        send "$data/dns.pcap"
        wait_for 2 told back && break
    done
    if [ ${#changing[@]} -gt 0 ]; then
        ip -n "$b" link del vt && wait_for 10 grep -q 'vt: .*; waiting for it' "$tmp/back.err"
        ip -n "$b" link add vt type veth peer name vu && ip -n "$b" link set vt up
    fi
    ip -n "$b" link del vb
    wait_for 10 grep -q 'vb: .*; waiting for it to come back' "$tmp/back.err"
    result $? "an interface that vanishes is told"
    back "$tmp/back"
    result $? "one of its name is captured from, by the user that the program has become"
    ip -n "$b" link set vb down
    wait_for 10 grep -q 'vb: the interface is down; waiting' "$tmp/back.err"
    ip -n "$b" link del vb
    back "$tmp/back"
    result $? "also when it went down before it vanished"
    kill "$pid"
    wait "$pid" || rc=$?
    [ $rc = 0 ] && [ "$(grep -c 'vb: .*waiting for it' "$tmp/back.err")" = 2 ] &&
        grep -q "$((2 + ${#changing[@]} / 2)) times an interface was away" "$tmp/back.err"
    result $? "and counted once each"
    if [ ${#changing[@]} -gt 0 ]; then
        [ "$(grep -c 'vt: came back as another kind of link' "$tmp/back.err")" = 1 ]
        result $? "one that comes back as another kind of link is told once"
    else
        skip "one that comes back as another kind of link is told once" "no tun devices here"
    fi
}

# A socket that the program may not remove when it ends does not keep it from starting again.
socket_stays() {
    local rc=0 pid k
    install -d "$tmp/roots"
    for ((k = 0; k < 2; k++)); do
        ip netns exec "$b" "$ws" tag -q -m "$model" -i vb --user nobody --metrics "unix:$tmp/roots/m.sock" -w "$tmp/roots/out" 2>"$tmp/err" &
        pid=$!
        wait_for 30 page "$tmp/roots/m.sock" || rc=1
        kill "$pid"
        wait "$pid" || rc=1
    done
    [ $rc = 0 ]
    result $? "a socket that is left behind is in nobody's way"
}

if live_begin; then
    uid=$(id -u nobody) gid=$(id -g nobody)
    fails "a user that there is not" 1 tag -q -m "$model" -i lo --user nosuchuser
    guarded "as root it keeps one capability" 0 0
    guarded "with --user it is that user, in all of its threads" "$uid" "$gid" --user nobody
    if [ -x "${top_builddir:-.}/kafka_mock" ]; then
        ip -n "$b" link set lo up # a broker that is not there is an error
        ip netns exec "$b" "${top_builddir:-.}/kafka_mock" flows 1000 60 >"$tmp/kafka.out" 2>"$tmp/kafka.err" &
        broker=$!
        wait_for 20 grep -q : "$tmp/kafka.out"
        guarded "Kafka's threads have given it all up, too" "$uid" "$gid" --user nobody -w "kafka:$(head -n 1 "$tmp/kafka.out")/flows"
        kill "$broker"
    else
        skip "Kafka's threads have given it all up, too" "built without librdkafka"
    fi
    unprivileged
    system_calls
    comes_back
    socket_stays
else
    skip "it gives its privileges up" "no network namespaces here"
fi
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_tag_faults.sh: what goes wrong around a running tag: full disks, files that cannot be opened again, readers that go and come, clients of
# the page that take their time. One line says it, what is lost is counted, and it goes on.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
# shellcheck source=tests/cli/live
. "${top_srcdir:-.}/tests/cli/live"
# shellcheck disable=SC2317 # run by the trap
clean() {
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null
    umount "$tmp/disk" 2>/dev/null
    live_end
}

# whole FILE: all its lines but a cut last one are records; no line is torn in the middle
whole() {
    python3 - "$1" <<'EOF'
import json, sys
lines = open(sys.argv[1]).read().split("\n")
assert len(lines) > 1
for line in lines[:-1]:
    json.loads(line)
EOF
}

# lost_of FILE: how many records the summary of tag says that were lost
lost_of() { sed -nE 's/^[0-9]+ records, ([0-9]+) lost;.*/\1/p' "$1" | tail -n 1; }

# ---- captures ----

python3 - "$data/ntp.pcap" "$tmp" <<'EOF'
import io, sys, zipfile
inner, name = open(sys.argv[1], "rb").read(), "x.pcap"
for depth in range(4):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr(name, inner)
    inner, name = b.getvalue(), "x%d.zip" % depth
open(sys.argv[2] + "/deep.zip", "wb").write(inner)
EOF
rc=0
"$ws" tag -m "$model" -r "$data/ntp.pcap" -r "$tmp/deep.zip" -w "$tmp/records" 2>"$tmp/err" || rc=$?
[ $rc = 1 ] && grep -q 'archives are opened . deep at most' "$tmp/err" && whole "$tmp/records"
result $? "an archive that is nested too deep is told, and the exit status says so"

reads=()
for c in dns http tls ssh redis; do reads+=(-r "$data/$c.pcap"); done


# told_once ERRORS WHAT: one warning with the reason, one line with how many were lost, which with those written are all
told_once() {
    [ "$(grep -c 'records are lost until that is over' "$1")" = 1 ] && grep -q "$2; records are lost" "$1" &&
        grep -q "$(lost_of "$1") records were lost" "$1" && [ "$(lost_of "$1")" -gt 0 ]
}

rc=0
(ulimit -f 4 && exec "$ws" tag -m "$model" "${reads[@]}" -w "$tmp/short") 2>"$tmp/err" || rc=$?
[ $rc = 1 ] && told_once "$tmp/err" 'File too large' && whole "$tmp/short"
result $? "a file that may not grow is told, once"

mkdir "$tmp/disk"
if ! mount -t tmpfs -o size=16k none "$tmp/disk" 2>/dev/null; then
    skip "a full disk is told, once" "no mount here"
else
    rc=0
    "$ws" tag -m "$model" "${reads[@]}" -w "$tmp/disk/out" -w "$tmp/beside" 2>"$tmp/err" || rc=$?
    [ $rc = 1 ] && told_once "$tmp/err" 'No space left on device' && whole "$tmp/disk/out" && whole "$tmp/beside"
    result $? "a full disk is told, once"
    rm "$tmp/disk/out"
fi

# ---- a packet that the ring never has room for ----

python3 - "$tmp/dbus.pcap" <<'EOF'
import struct, sys
out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 27, 231)
for s, n in enumerate((100, 600000, 700000, 100)):
    out += struct.pack("<IIII", s, 0, n, n) + b"l" * n
open(sys.argv[1], "wb").write(out)
EOF
rc=0
timeout 20 "$ws" tag -v -m "$model" --ring 2Mi -r "$tmp/dbus.pcap" -w "$tmp/dbus.records" 2>"$tmp/err" || rc=$?
[ $rc = 0 ] && [ "$(grep -c 'packet of .* bytes is left out' "$tmp/err")" = 1 ] &&
    grep -q '^4 packets .* 2 between the threads' "$tmp/err" && python3 - "$tmp/dbus.records" <<'EOF'
import json, sys
ends = [json.loads(line)["flow"] for line in open(sys.argv[1]) if '"reason"' in line]
assert sum(flow["pkts_toserver"] + flow["pkts_toclient"] for flow in ends) == 2, ends
EOF
result $? "a packet larger than a quarter of the ring is left out, told once and counted (exit $rc)"

# ---- a rotation while it starts ----

mkfifo "$tmp/late"
"$ws" tag -q -m "$model" -r "$data/dns.pcap" -w "$tmp/late" 2>"$tmp/err" &
pid=$!
sleep 1 # it waits for the reader of its FIFO
kill -HUP $pid && kill -USR1 $pid
timeout 20 cat "$tmp/late" >"$tmp/late.out"
rc=0
wait $pid || rc=$?
[ $rc = 0 ] && grep -q '"label"' "$tmp/late.out"
result $? "SIGHUP and SIGUSR1 do not end a program that is starting (exit $rc)"

# ---- a reader that does not read: it holds the other end of a FIFO ----

mkfifo "$tmp/fifo"
exec 4<>"$tmp/fifo"
"$ws" tag -m "$model" --head all "${reads[@]}" "${reads[@]}" "${reads[@]}" -w "$tmp/fifo" 2>"$tmp/err" &
pid=$!
sleep 2 # more than the patience with sockets
kill -0 $pid && timeout 5 head -n 20 <&4 >"$tmp/some" && [ ! -s "$tmp/err" ]
result $? "who reads slowly is waited for"
kill $pid
# shellcheck disable=SC2317 # run by wait_for
ended() { ! kill -0 $pid 2>/dev/null; }
wait_for 20 ended
result $? "but not once the program is to end"
ended || kill -KILL $pid
rc=0
wait $pid || rc=$?
[ $rc = 1 ] && told_once "$tmp/err" 'its reader takes nothing'
result $? "and what was lost is counted"
exec 4<&-
# ---- the page: packets come from a pipe that is kept open ----

mkfifo "$tmp/pipe"
"$ws" tag -q -m "$model" -r "$tmp/pipe" --metrics "unix:$tmp/m.sock" -w "$tmp/m.out" 2>"$tmp/err" &
pid=$!
exec 3>"$tmp/pipe"
cat "$data/dns.pcap" >&3
wait_for 30 test -S "$tmp/m.sock"
timeout 60 python3 - "$tmp/m.sock" <<'EOF'
import socket, sys, threading, time
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s
def get(text):
    s = connect()
    s.sendall(text)
    got = b""
    while data := s.recv(65536):
        got += data
    return got
stop = time.monotonic() + 15
def trickle(s):  # a byte in less time than the program waits for one
    try:
        while time.monotonic() < stop:
            s.sendall(b"G")
            time.sleep(0.3)
    except OSError:
        pass
threading.Thread(target=trickle, args=(connect(),), daemon=True).start()
time.sleep(0.3)
start = time.monotonic()
assert get(b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
assert time.monotonic() < min(start + 10, stop), "one client holds up the next"
head = get(b"HEAD /metrics HTTP/1.1\r\n\r\n")
assert head.startswith(b"HTTP/1.1 200 OK") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, "the page without the page"
head = get(b"HEAD /other HTTP/1.1\r\n\r\n")
assert head.startswith(b"HTTP/1.1 404") and b"\r\nContent-Length: 13\r\n" in head and head.endswith(b"\r\n\r\n"), "nor a body of none"
assert get(b"GET /metrics?from=here HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
assert get(b"GET /metrics\0 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404"), "not that page"
assert get(b"\0\xff\n\n").startswith(b"HTTP/1.1 404")
for bad in b"A" * 4096, b"\0" * 100000, b"GET /metrics HTTP/1.1\r\n":
    try:
        assert get(bad) == b"", bad[:10]
    except (BrokenPipeError, ConnectionResetError):
        pass  # it hung up before all was sent
EOF
result $? "a client that takes its time holds nobody up, and what is no request is none"
exec 3>&-
wait $pid
result $? "and does not keep the program from ending"
for at in 1:9469 '[::1:9469' :9469 +9469 127.0.0.1: 65536; do
    "$ws" tag -q -m "$model" -r "$data/dns.pcap" --metrics="$at" >/dev/null 2>"$tmp/err"
    if [ $? != 2 ] || [ "$(wc -l <"$tmp/err")" != 1 ]; then break; fi
done
[ "$at" = 65536 ] && [ "$(wc -l <"$tmp/err")" = 1 ]
result $? "an address for the page is what the manual says, and nothing like it"
: >"$tmp/file"
fails "a socket for the page where a file is" 1 tag -q -m "$model" -r "$data/dns.pcap" --metrics "unix:$tmp/file"
[ -f "$tmp/file" ]
result $? "which stays there"

# ---- live ----

# started TARGET...: tag writes to these targets, and to $tmp/sure, which says when it is up; $pid
started() {
    local targets=()
    for t in "$@"; do targets+=(-w "$t"); done
    : >"$tmp/sure"
    ip netns exec "$b" "$ws" tag -m "$model" -i vb --max-lag 60 -w "$tmp/sure" "${targets[@]}" 2>"$tmp/err" &
    pid=$!
    wait_for 30 capturing
    sends_until grep -q '"label"' "$tmp/sure"
}
# sends_until COMMAND...: packets, until it succeeds
sends_until() {
    for ((i = 0; i < 10; i++)); do
        send "$data/dns.pcap"
        wait_for 2 "$@" && return
    done
    return 1
}
# lost_at NAME, goes_on_at NAME: what is said of an output, once
# shellcheck disable=SC2317 # run by sends_until
lost_at() { [ "$(grep -c "$1: .*; records are lost until that is over" "$tmp/err")" = 1 ]; }
# shellcheck disable=SC2317
goes_on_at() { [ "$(grep -c "$1: goes on, after [1-9][0-9]* lost records" "$tmp/err")" = 1 ]; }

listen() {
    python3 "$cli/listen.py" stream "$tmp/s.sock" "$tmp/s.out" >"$tmp/s.log" 2>&1 &
    reader=$!
    wait_for 20 grep -q ready "$tmp/s.log"
}

live_disk() {
    sends_until lost_at disk/out && grep -q 'disk/out: No space left on device' "$tmp/err"
    result $? "a disk that is full while packets come is told"
    rm "$tmp/disk/full"
    sends_until goes_on_at disk/out
    result $? "and when it has room again, records go on"
}

live_reopen() {
    mv "$tmp/logs" "$tmp/old"
    kill -HUP "$pid"
    sends_until grep -q 'logs/out: No such file or directory; the old file stays in use' "$tmp/err"
    result $? "a file that cannot be opened again stays in use"
    before=$(wc -l <"$tmp/old/out")
    # shellcheck disable=SC2317
    grown() { [ "$(wc -l <"$tmp/old/out")" -gt "$before" ]; }
    sends_until grown
    result $? "and is written to"
}

live_reader() {
    kill "$reader"
    wait "$reader" 2>/dev/null
    sends_until lost_at s.sock
    result $? "a reader that goes away while packets come is told"
    : >"$tmp/s.out"
    listen
    sends_until goes_on_at s.sock
    result $? "and another one in its place gets records"
}

# A second reader, of a FIFO
live_fifo() {
    kill "$fifo_reader"
    wait "$fifo_reader" 2>/dev/null
    sends_until grep -q 'live.fifo: the reader has gone' "$tmp/err"
    result $? "the reader of a FIFO that goes away is told"
    kill -HUP "$pid"
    sends_until grep -q 'live.fifo: No such device or address; the old file stays in use' "$tmp/err"
    result $? "and without one it is not opened again"
    cat "$tmp/live.fifo" >"$tmp/fifo.out" &
    fifo_reader=$!
    # shellcheck disable=SC2317 # run by sends_until
    fifo_filled() { kill -HUP "$pid" && [ -s "$tmp/fifo.out" ]; } # again and again: the reader may come later
    sends_until fifo_filled
    result $? "with the next one it is, and goes on"
}

live() {
    local disk=() rc=0
    mkfifo "$tmp/live.fifo"
    cat "$tmp/live.fifo" >"$tmp/fifo.out" &
    fifo_reader=$!
    mkdir "$tmp/logs"
    listen
    mountpoint -q "$tmp/disk" && head -c 16384 /dev/zero >"$tmp/disk/full" && disk=("$tmp/disk/out")
    started "$tmp/logs/out" "unix:$tmp/s.sock" "$tmp/live.fifo" "${disk[@]}"
    if [ ${#disk[@]} = 1 ]; then live_disk; else skip "a disk that is full while packets come is told" "no mount here"; fi
    live_reopen
    live_fifo
    live_reader
    kill "$pid"
    wait "$pid" || rc=$?
    wait "$reader"
    [ $rc = 1 ] && [ "$(lost_of "$tmp/err")" -gt 0 ] && grep -q "$(lost_of "$tmp/err") records were lost" "$tmp/err"
    result $? "what was lost is counted at the end"
    whole "$tmp/old/out" && whole "$tmp/s.out" && whole "$tmp/sure" && { [ ${#disk[@]} = 0 ] || whole "$tmp/disk/out"; }
    result $? "and no line is torn"
}

trap clean EXIT
if live_begin; then
    trap clean EXIT
    live
else
    skip "what goes wrong while packets come is told" "no network namespaces here"
fi
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_tag_outputs.sh: the outputs of tag that are not files: Unix sockets, syslog, Redis, Kafka; the page for Prometheus, and what it
# says to systemd.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
model=${top_srcdir:-.}/models/flows.safetensors
cli=${top_srcdir:-.}/tests/cli
# shellcheck disable=SC2317 # run by the trap
clean() {
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null
    rm -rf "$tmp"
}
trap clean EXIT

reads=()
for c in dns http tls ssh redis; do reads+=(-r "$data/$c.pcap"); done
# In which order records come is a matter of time, and with which other flows a flow is computed: the last digits of confidences.
plain() { sed -E 's/"confidence":[0-9.e-]+/"confidence":0/g' "$@" | sort; }
"$ws" tag -q -m "$model" "${reads[@]}" | plain >"$tmp/want"
# same FILE: the records of it are those wanted
same() { plain "$1" | cmp -s - "$tmp/want"; }
lines=$(wc -l <"$tmp/want")

# listen KIND NAME [LINES]: a listener at $tmp/NAME.sock that writes to $tmp/NAME.out
listen() {
    python3 "$cli/listen.py" "$1" "$tmp/$2.sock" "$tmp/$2.out" ${3:+"$3"} >"$tmp/$2.log" 2>&1 &
    wait_for 20 grep -q ready "$tmp/$2.log"
}

listen stream a
"$ws" tag -q -m "$model" "${reads[@]}" -w "unix:$tmp/a.sock" && wait $! && same "$tmp/a.out"
result $? "a Unix stream socket gets the lines of standard output"

listen datagram b "$lines"
"$ws" tag -q -m "$model" "${reads[@]}" -w "unix:$tmp/b.sock" && wait $! && same "$tmp/b.out"
result $? "a Unix datagram socket gets a datagram a record"

listen datagram c "$lines"
"$ws" tag -q -m "$model" "${reads[@]}" -w "syslog:$tmp/c.sock" && wait $! &&
    ! grep -qvE '^<29>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} wirespeak\[[0-9]+\]: \{"timestamp"' "$tmp/c.out" &&
    sed 's/^[^{]*//' "$tmp/c.out" >"$tmp/c" && same "$tmp/c"
result $? "syslog gets a message a record"

listen stream d 3
rc=0
"$ws" tag -m "$model" "${reads[@]}" -w "unix:$tmp/d.sock" 2>"$tmp/err" || rc=$?
wait $!
# the socket's buffer may hold all that is sent before the reader has gone
[ $rc = 0 ] || { grep -q 'd.sock: .*; records are lost' "$tmp/err" && grep -q 'records were lost' "$tmp/err"; }
result $? "a reader that goes away costs its own records, which is told"

fails "a socket that nobody listens at" 1 tag -q -m "$model" "${reads[@]}" -w "unix:$tmp/none.sock"

ws=$(realpath "$ws") model=$(realpath "$model") data=$(realpath "$data")
cd "$tmp" || exit 1
for t in foo:bar kafak:h/t syslo:; do
    fails "a kind of target that there is not: $t" 2 tag -q -m "$model" -r "$data/dns.pcap" -w before -w "$t"
done
[ ! -e before ] && [ ! -e foo:bar ]
result $? "no file is made then"
"$ws" tag -q -m "$model" -r "$data/dns.pcap" -w ./foo:bar -w 12:30.jsonl -w A:b && [ -s foo:bar ] && cmp -s foo:bar 12:30.jsonl && cmp -s foo:bar A:b
result $? "files may have a colon in their names"
ln -s 12:30.jsonl link
for t in ./A:b "$PWD/A:b" new; do fails "one file by two names: $t" 2 tag -q -m "$model" -r "$data/dns.pcap" -w A:b -w ./new -w "$t"; done
fails "one file by two names: a link" 2 tag -q -m "$model" -r "$data/dns.pcap" -w 12:30.jsonl -w link
# shellcheck disable=SC2094 # one file is the point
"$ws" tag -q -m "$model" -r "$data/dns.pcap" -w - -w A:b >>A:b 2>err
[ $? = 2 ] && grep -q 'A:b: given twice' err
result $? "one file by two names: standard output"
"$ws" tag -q -m "$model" -r "$data/dns.pcap" -w - -w out >/dev/null && [ -s out ]
result $? "standard output and a file are two"
cmp -s foo:bar A:b && cmp -s foo:bar 12:30.jsonl && [ ! -e new ]
result $? "and nothing is written then"
printf '{"cut' >half
"$ws" tag -q -m "$model" -r "$data/dns.pcap" -w half && "$ws" tag -q -m "$model" -r "$data/dns.pcap" -w half &&
    [ "$(head -n 1 half)" = '{"cut' ] && [ "$(grep -c '^{"timestamp.*}$' half)" = "$((2 * $(wc -l <12:30.jsonl)))" ] &&
    [ "$(wc -l <half)" = "$((2 * $(wc -l <12:30.jsonl) + 1))" ]
result $? "records do not go on with half a line that a file ends with"
cd "$OLDPWD" || exit 1

if ! "$ws" tag -q -m "$model" -r "$data/dns.pcap" -w redis:x 2>&1 | grep -q 'HOST'; then
    skip "Redis gets a stream of records" "built without hiredis"
elif ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null; then
    skip "Redis gets a stream of records" "no redis-server here"
else
    redis() { redis-cli -s "$tmp/redis.sock" "$@"; }
    redis-server --port 0 --unixsocket "$tmp/redis.sock" --save '' --appendonly no --dir "$tmp" >"$tmp/redis.log" 2>&1 &
    server=$!
    # shellcheck disable=SC2317
    up() { [ "$(redis ping 2>/dev/null)" = PONG ]; }
    wait_for 20 up
    "$ws" tag -q -m "$model" "${reads[@]}" -w "redis:$tmp/redis.sock/flows" &&
        [ "$(redis xlen flows)" = "$lines" ] &&
        redis xrange flows - + | grep '^{' >"$tmp/r" && same "$tmp/r"
    result $? "Redis gets a stream of records"
    # shellcheck disable=SC2317
    fed() { [ "$(redis xlen text)" -gt 0 ]; }
    mkfifo "$tmp/fed"
    "$ws" tag -m "$model" -r "$tmp/fed" -w "redis:$tmp/redis.sock/text" 2>"$tmp/err" &
    pid=$!
    exec 3>"$tmp/fed"
    cat "$data/dns.pcap" >&3
    wait_for 20 fed
    redis set text x >/dev/null
    exec 3>&-
    rc=0
    wait $pid || rc=$?
    [ $rc = 1 ] && grep -q ' records were lost' "$tmp/err" && grep -q 'WRONGTYPE.*; records are lost' "$tmp/err"
    result $? "what Redis refuses is counted, and told in its words"
    "$ws" tag -q -m "$model" "${reads[@]}" -w "redis:$tmp/redis.sock/text" 2>"$tmp/err"
    [ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q 'the server says: WRONGTYPE' "$tmp/err"
    result $? "a key that is another's is refused at the start, in its words"
    redis config set maxmemory 1 >/dev/null
    fails "a Redis server that is full" 1 tag -q -m "$model" "${reads[@]}" -w "redis:$tmp/redis.sock/more"
    redis config set maxmemory 0 >/dev/null
    [ "$(redis exists more)" = 0 ]
    result $? "and no stream is made by trying"
    redis config set requirepass secret >/dev/null
    "$ws" tag -q -m "$model" "${reads[@]}" -w "redis:$tmp/redis.sock/more" 2>"$tmp/err"
    [ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q 'NOAUTH' "$tmp/err"
    result $? "a Redis server that wants a password is refused at the start, in its words"
    kill $server
    wait $server
    # a label of more than 63 letters: no resolver is asked
    "$ws" tag -q -m "$model" -r "$data/dns.pcap" -w "redis:$(printf 'a%.0s' {1..70})/flows" 2>"$tmp/err"
    [ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && ! grep -q refused "$tmp/err" && grep -Eq '/flows: .*(known|resolution|name)' "$tmp/err"
    result $? "a Redis server whose name leads nowhere"
    fails "a Redis server that is away" 1 tag -q -m "$model" "${reads[@]}" -w "redis:$tmp/redis.sock/flows"
fi

if [ ! -x "${top_builddir:-.}/kafka_mock" ]; then
    skip "Kafka gets a message a record" "built without librdkafka"
else
    : >"$tmp/kafka.out"
    "${top_builddir:-.}/kafka_mock" flows "$lines" 60 >"$tmp/kafka.out" 2>"$tmp/kafka.err" &
    broker=$!
    wait_for 20 grep -q : "$tmp/kafka.out"
    "$ws" tag -q -m "$model" "${reads[@]}" -w "kafka:$(head -n 1 "$tmp/kafka.out")/flows" 2>"$tmp/err" &&
        wait $broker && tail -n +2 "$tmp/kafka.out" >"$tmp/k" && same "$tmp/k"
    result $? "Kafka gets a message a record"

    rc=0
    "$ws" tag -q -m "$model" "${reads[@]}" -w kafka:127.0.0.1:1/flows 2>"$tmp/err" || rc=$?
    [ $rc = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q 'kafka:127.0.0.1:1/flows: .*Connection refused' "$tmp/err"
    result $? "a Kafka broker that is away"

    : >"$tmp/kafka.out"
    "${top_builddir:-.}/kafka_mock" flows 1000 60 >"$tmp/kafka.out" 2>"$tmp/kafka.err" &
    broker=$!
    wait_for 20 grep -q : "$tmp/kafka.out"
    mkfifo "$tmp/gone"
    "$ws" tag -m "$model" --head all -r "$tmp/gone" -w "kafka:$(head -n 1 "$tmp/kafka.out")/flows" -w "$tmp/gone.out" 2>"$tmp/err" &
    pid=$!
    exec 3>"$tmp/gone"
    cat "$data/dns.pcap" >&3
    wait_for 30 grep -q '"label"' "$tmp/gone.out"
    kill $broker
    wait $broker 2>/dev/null
    # more than its queue holds: 40000 flows, of which no two have the same ports
    python3 - <<'EOF' >&3
import struct, sys
for i in range(40000):
    udp = struct.pack("!HHHH", 1024 + i, 9, 8, 0)
    ip = struct.pack("!BBHIBBHII", 69, 0, 28, 0, 64, 17, 0, 0x0A000001, 0x0A000002)
    sys.stdout.buffer.write(struct.pack("<IIII", 1500000000, 0, 42, 42) + bytes(12) + b"\10\0" + ip + udp)
EOF
    exec 3>&-
    rc=0
    wait $pid || rc=$?
    [ $rc = 1 ] && grep -q "kafka:.*/flows: .*: .*Connect" "$tmp/err" && grep -q 'records were lost' "$tmp/err"
    result $? "one that goes away is named, with the reason"
    grep -q 'No buffer space available; records are lost until that is over' "$tmp/err"
    result $? "what waits for it takes no more than its share of memory"
fi

# ---- while it runs: packets come from a pipe that is kept open ----

# unix_get SOCKET PATH: a page over HTTP
unix_get() {
    python3 - "$1" "$2" <<'EOF'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"GET %s HTTP/1.0\r\n\r\n" % sys.argv[2].encode())
while data := s.recv(65536):
    sys.stdout.buffer.write(data)
EOF
}

mkfifo "$tmp/pipe"
listen datagram notify
WATCHDOG_USEC=400000 NOTIFY_SOCKET=$tmp/notify.sock "$ws" tag -m "$model" -r "$tmp/pipe" --metrics "unix:$tmp/m.sock" -w "$tmp/m.out" 2>"$tmp/err" &
pid=$!
exec 3>"$tmp/pipe"
cat "$data/dns.pcap" >&3
# shellcheck disable=SC2317
decided() { unix_get "$tmp/m.sock" /metrics 2>/dev/null >"$tmp/page" && grep -q 'decisions_total{by="model"} [1-9]' "$tmp/page"; }
wait_for 30 decided
result $? "the page says how many flows were decided, while they run"
python3 - "$tmp/page" <<'EOF'
import re, sys
head, body = open(sys.argv[1]).read().replace("\r\n", "\n").split("\n\n", 1)
assert head.startswith("HTTP/1.1 200 OK\nContent-Type: text/plain; version=0.0.4"), head
assert f"Content-Length: {len(body)}" in head, head
names = set()
for line in body.splitlines():
    if line.startswith("#"):
        assert re.match(r"# (HELP wirespeak_\w+ .+\.|TYPE wirespeak_\w+ (counter|gauge|histogram))$", line), line
        names.add(line.split()[2])
    else:
        assert re.match(r'wirespeak_\w+(\{\w+="[^"]+"\})? [0-9.e+]+$', line), line
        assert re.sub("_(bucket|sum|count)$", "", re.match(r"\w+", line)[0]) in names, line
for want in 'packets_total 30', 'drops_total{stage="kernel"} 0', 'drops_total{stage="ring"} 0', 'shed_total{why="memory"} 0':
    assert "wirespeak_" + want in body, want
EOF
result $? "and is what Prometheus reads"
# the same packets 1000 seconds later end the flows of before
python3 - "$data/dns.pcap" >&3 <<'EOF'
import struct, sys
d = open(sys.argv[1], "rb").read()
at = 24
while at < len(d):
    sec, frac, caplen, wirelen = struct.unpack("<IIII", d[at:at + 16])
    sys.stdout.buffer.write(struct.pack("<IIII", sec + 1000, frac, caplen, wirelen) + d[at + 16:at + 16 + caplen])
    at += 16 + caplen
EOF
# shellcheck disable=SC2317
ended() {
    unix_get "$tmp/m.sock" /metrics 2>/dev/null | tr -d '\r' >"$tmp/page"
    [ "$(awk '/^wirespeak_ended_flows_total{label="/ {n += $NF} /^wirespeak_ended_bytes_total{label="/ {b += $NF} END {print n, b}' "$tmp/page")" = "13 2731" ]
}
wait_for 30 ended
result $? "flows that ended are counted by label, with their bytes"
unix_get "$tmp/m.sock" /other >"$tmp/page" && grep -q '404 Not Found' "$tmp/page"
result $? "there is no other page"
wait_for 20 grep -q 'WATCHDOG=1' "$tmp/notify.out" && [ "$(head -n 1 "$tmp/notify.out")" = 'READY=1' ]
result $? "systemd hears that it is ready, and that it lives"
exec 3>&-
wait $pid
result $? "it ends with its input"
wait_for 10 grep -q 'STOPPING=1' "$tmp/notify.out"
result $? "and tells systemd"
[ ! -e "$tmp/m.sock" ]
result $? "its socket is removed"
fails "a target that is named twice" 2 tag -q -m "$model" -r "$data/dns.pcap" -w "$tmp/twice" -w "$tmp/twice"
[ ! -e "$tmp/twice" ]
result $? "which is not made"
fails "figures are not for other machines" 2 tag -q -m "$model" -r "$data/dns.pcap" --metrics 0.0.0.0:9999
echo "1..$n"
exit $bad

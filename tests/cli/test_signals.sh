#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_signals.sh: SIGINT and SIGTERM end the reading also where a pipe is quiet or has no writer; what came before is labelled.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
model=${top_srcdir:-.}/models/flows.safetensors
mkfifo "$tmp/pipe"

# run ARGUMENT...: in the background, with SIGINT as it is in the foreground; $pid
run() {
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$ws" "$@" >"$tmp/out" 2>"$tmp/err" <"${from:-/dev/null}" &
    pid=$!
}
# catches: the program has set its handlers
# shellcheck disable=SC2317 # run by wait_for
catches() { [ $((0x$(sed -nE 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null || echo 0) & 1 << 14)) != 0 ]; }
# waits: and sleeps, time and again, for its input (on a busy machine it may take seconds to get there)
# shellcheck disable=SC2317
waits() {
    for _ in 1 2 3 4 5; do
        catches && grep -q '^State:[[:space:]]*S' "/proc/$pid/status" || return 1
        sleep 0.1
    done
}
# ends SIGNAL STATUS: sent to what waits for its input, it ends in a few seconds with this status
ends() {
    local rc=0
    wait_for 60 waits
    kill -s "$1" "$pid"
    # shellcheck disable=SC2317
    gone() { ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status" 2>/dev/null; }
    wait_for 10 gone || kill -s KILL "$pid"
    wait "$pid" || rc=$?
    [ $rc = "$2" ] && return
    echo "# exit $rc: $(cat "$tmp/err")"
    return 1
}
lines=$("$ws" classify -q -m "$model" "$data/dns.pcap" | wc -l)

for sig in INT TERM; do
    run classify -m "$model" "$tmp/pipe"
    ends $sig 1 && grep -q 'ended by a signal' "$tmp/err" && ! grep -q 'could not be read' "$tmp/err"
    result $? "SIG$sig: classify of a pipe without a writer"

    run tag -m "$model" -r "$tmp/pipe"
    ends $sig 0 && grep -q '^0 packets in' "$tmp/err" && ! grep -q 'could not be read' "$tmp/err"
    result $? "SIG$sig: tag of a pipe without a writer"
done

exec 3<>"$tmp/pipe"
for sig in INT TERM; do
    cat "$data/dns.pcap" >&3
    run classify -m "$model" "$tmp/pipe"
    ends $sig 1 && [ "$(wc -l <"$tmp/out")" = "$lines" ] && grep -q 'ended by a signal' "$tmp/err" && ! grep -q 'broke off' "$tmp/err"
    result $? "SIG$sig: classify labels what came through a pipe that is quiet"

    head -c -1 "$data/dns.pcap" | gzip >&3 # also where a packet and a stream are cut
    run embed -m "$model" -w "$tmp/e.npy" "$tmp/pipe"
    ends $sig 1 && [ -s "$tmp/e.npy" ] && ! grep -q 'broke off' "$tmp/err"
    result $? "SIG$sig: embed likewise, of a compressed one"

    cat "$data/dns.pcap" >&3
    run tag -m "$model" -r "$tmp/pipe"
    ends $sig 0 && grep -q '^30 packets in' "$tmp/err" && [ "$(grep -c '"event_type":"flow"' "$tmp/out")" = $((lines - 1)) ]
    result $? "SIG$sig: tag likewise"
done

from=/dev/fd/3 run tag -m "$model" -r -
ends INT 0
result $? "standard input likewise"
exec 3>&-

# ---- while the last words are said, to a reader that takes nothing ----

# with standard error a pipe that is full
python3 -c 'import fcntl, os, sys
r, w = os.pipe()
os.set_inheritable(r, True)
fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
os.write(w, bytes(4096))
os.dup2(w, 2)
os.execv(sys.argv[1], sys.argv[1:])' "$ws" tag -m "$model" -r "$data/dns.pcap" -w "$tmp/last" &
pid=$!
# mask NAME SIGNAL: whether /proc says so of the signal
# shellcheck disable=SC2317 # run by wait_for
mask() { [ $((0x$(sed -nE "s/^$1:[[:space:]]*//p" "/proc/$pid/status" 2>/dev/null || echo 0) >> ($2 - 1) & 1)) != 0 ]; }
# shellcheck disable=SC2317
last_words() { mask SigIgn 1 && mask SigIgn 10 && ! mask SigCgt 1 && ! mask SigCgt 2 && ! mask SigCgt 10 && ! mask SigCgt 15; }
wait_for 30 last_words && [ "$(grep -c '"event_type":"flow"' "$tmp/last")" = $((lines - 1)) ]
result $? "tag: at the end no signal meets what is gone"
kill -HUP $pid
kill -USR1 $pid
sleep 0.2
kill -0 $pid
result $? "those that end nothing still do not"
kill -TERM $pid
rc=0
wait_for 10 gone || kill -s KILL $pid
wait $pid || rc=$?
[ $rc = 143 ]
result $? "the others end what only waits for its reader"

# ---- a capture that had broken off before ----

head -c -1 "$data/dns.pcap" >"$tmp/cut.pcap"
run classify -m "$model" "$tmp/cut.pcap" "$tmp/pipe"
ends TERM 1 && grep -q '1 of 1 captures broke off' "$tmp/err" && tail -n 1 "$tmp/err" | grep -q 'ended by a signal'
result $? "what was interrupted says so, also when a capture had broken off"
# ---- what is not complete when the program is killed ----

mkdir "$tmp/folder"
if python3 -c 'import os, sys; os.open(sys.argv[1], os.O_TMPFILE | os.O_WRONLY)' "$tmp/folder" 2>/dev/null; then
    exec 3<>"$tmp/pipe"
    cat "$data/dns.pcap" >&3
    run tokenize -w "$tmp/folder/x.npz" "$tmp/pipe"
    wait_for 10 grep -q tokenize "/proc/$pid/cmdline"
    sleep 0.5
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    exec 3>&-
    [ -z "$(ls -A "$tmp/folder")" ]
    result $? "SIGKILL: nothing is left of a file that was not complete"
    "$ws" tokenize -q -w "$tmp/folder/x.npz" "$data/dns.pcap" && "$ws" tokenize -q -w "$tmp/folder/x.npz" "$data/tls.pcap" &&
        [ "$(ls -A "$tmp/folder")" = x.npz ]
    result $? "one that is complete has its name, and replaces what had it"
else
    skip "SIGKILL: nothing is left of a file that was not complete" "no files without a name here"
    skip "one that is complete has its name, and replaces what had it" "the same"
fi
echo "1..$n"
exit $bad

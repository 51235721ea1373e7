#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_mutators.sh: the plug-ins for AFL++ and libFuzzer, as those load them.
set -u
# shellcheck source-path=SCRIPTDIR source=common
. "${top_srcdir:?}/tests/cli/common"
plugin=$top_builddir/.libs/wirespeak-afl.so
[ -e "$plugin" ] || {
    echo "no shared library in this build"
    exit 77
}

python3 - "$plugin" "$data/dns.pcap" <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.afl_custom_init.restype = ctypes.c_void_p
lib.afl_custom_fuzz.restype = ctypes.c_size_t
lib.afl_custom_fuzz.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p),
                                ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
lib.afl_custom_deinit.argtypes = [ctypes.c_void_p]
data = open(sys.argv[2], "rb").read()
state = lib.afl_custom_init(None, 7)
seen = set()
for _ in range(200):
    out = ctypes.c_void_p()
    n = lib.afl_custom_fuzz(state, data, len(data), ctypes.byref(out), data, len(data), 4096)
    assert 0 < n <= 4096, n
    made = ctypes.string_at(out, n)
    assert made[:4] == data[:4]
    seen.add(made)
assert len(seen) > 180, len(seen)
lib.afl_custom_deinit(state)
END
result $? "AFL++'s calls give new captures"
python3 - "$plugin" "$data/dns.pcap" <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.afl_custom_init.restype = ctypes.c_void_p
lib.afl_custom_fuzz.restype = ctypes.c_size_t
lib.afl_custom_fuzz.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p),
                                ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
lib.afl_custom_describe.restype = ctypes.c_char_p
lib.afl_custom_describe.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
data, out, texts = open(sys.argv[2], "rb").read(), ctypes.c_void_p(), set()
state = lib.afl_custom_init(None, 7)
for _ in range(300):
    lib.afl_custom_fuzz(state, data, len(data), ctypes.byref(out), data, len(data), 4096)
    text = lib.afl_custom_describe(state, 100).decode()
    assert text and len(text) <= 100 and not set(text) & set("/ \n"), text
    short = lib.afl_custom_describe(state, 20).decode()
    assert len(short) <= 20 and text.startswith(short), (short, text)
    texts |= set(text.split("+"))
assert {"havoc", "drawn", "packets"} <= texts and any(t.startswith("value=dns.") for t in texts), texts
END
result $? "AFL++ is told for names of files what was changed"

cat >"$tmp/fails.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Dies of a datagram whose length and checksum are right and that has a name, in IPv4 or IPv6. */
int main(int argc, char **argv)
{
    static unsigned char b[1 << 20];
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t n = f ? fread(b, 1, sizeof b, f) : 0;
    for (size_t at = 24; at + 16 < n;) {
        unsigned len, sum = 17;
        memcpy(&len, b + at + 8, 4);
        unsigned char *p = b + at + 16, *ip = p + 14, *udp = ip + (p[12] == 8 ? 20 : 40);
        unsigned addresses = p[12] == 8 ? 8 : 32, told = udp[4] << 8 | udp[5];
        if (ip[p[12] == 8 ? 9 : 6] == 17 && udp + told == p + len) {
            for (unsigned char *a = udp - addresses; a < udp + told; a += 2)
                sum += a[0] << 8 | (a + 1 < udp + told ? a[1] : 0);
            sum += told;
            sum = (sum & 0xffff) + (sum >> 16);
            if ((sum & 0xffff) + (sum >> 16) == 0xffff && memmem(udp, told, "\7example\3org", 12))
                abort();
        }
        at += 16 + len;
    }
    return 0;
}
END
dies() { ! { "$tmp/fails" "$1"; } 2>/dev/null; }
minimize() { python3 "$top_srcdir/contrib/mutators/minimize.py" --library "$plugin" "$@"; }
"$ws" generate -q -m "$top_srcdir/models/generator.safetensors" -n 40 -w "$tmp/noise.pcap" && "${CC:-cc}" -w -D_GNU_SOURCE -o "$tmp/fails" "$tmp/fails.c" &&
    tail -c +25 "$data/dns.pcap" | cat "$tmp/noise.pcap" - >"$tmp/crash.pcap" &&
    ! dies "$tmp/noise.pcap" && dies "$tmp/crash.pcap" && minimize "$tmp/crash.pcap" "$tmp/small.pcap" -- "$tmp/fails" @@ >"$tmp/told" &&
    dies "$tmp/small.pcap" && [ "$(stat -c %s "$tmp/small.pcap")" -le $((24 + 16 + 62 + 12)) ] && grep -q "now, after" "$tmp/told"
result $? "what crashes a program becomes a packet that still does, checksum and all"
minimize "$tmp/noise.pcap" "$tmp/none.pcap" -- "$tmp/fails" @@ 2>"$tmp/err"
[ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && [ ! -e "$tmp/none.pcap" ]
result $? "what crashes nothing is told"

# A server that dies of its second message of a connection when that is a PUT.
cat >"$tmp/server.py" <<'END'
import os, signal, socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, seen = s.accept()[0], 0
    while data := c.recv(65536):
        seen += 1
        if seen == 2 and data.startswith(b"PUT"):
            os.kill(os.getpid(), signal.SIGSEGV)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
END
python3 - "$tmp" <<'END'
import struct, sys
for name, *messages in (("one", b"GET /1"), ("two", b"GET /2", b"PUT /2", b"GET /3"), ("three", b"PUT /4", b"GET /4")):
    with open(f"{sys.argv[1]}/{name}.aflnet", "wb") as f:
        f.write(b"".join(struct.pack("<I", len(m) + 13) + m + b" HTTP/1.1\r\n\r\n" for m in messages))
END
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
replay() { python3 "$top_srcdir/contrib/mutators/replay.py" "$@"; }
replay "tcp:127.0.0.1:$port" "$tmp"/{one,two,three}.aflnet -- python3 "$tmp/server.py" "$port" >"$tmp/replayed"
[ $? = 1 ] && python3 - "$tmp/replayed" <<'END'
import json, sys
one, two, three = (json.loads(line) for line in open(sys.argv[1]))
assert (one["sent"], one["answers"], one["end"]) == (1, [38], "answered"), one
assert (two["sent"], two["answers"], two["end"]) == (2, [38], "signal 11"), two
assert (three["sent"], three["answers"], three["end"]) == (2, [38, 38], "answered"), three
END
result $? "sessions are sent to a server that is started again, and the one it died of is told"
replay "tcp:127.0.0.1:$port" "$plugin" 2>"$tmp/err" >"$tmp/replayed"
[ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ]
result $? "what is no session is told"

WIRESPEAK_INPUT=udp:none python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1]).afl_custom_init(None, 7)' "$plugin" 2>"$tmp/err"
[ $? = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ]
result $? "an input that there is not ends the fuzzer with a line"

cat >"$tmp/target.c" <<'END'
#include <stddef.h>
#include <stdint.h>
static volatile int seen;
/* A DNS message with two questions is a path of its own. */
int LLVMFuzzerTestOneInput(const uint8_t *b, size_t n)
{
    if (n > 12 && b[5] == 2)
        seen = 1;
    return 0;
}
END
if command -v clang >/dev/null && clang -O1 -fsanitize=fuzzer -I"$top_srcdir/include" -o "$tmp/target" "$tmp/target.c" \
    "$top_srcdir/contrib/mutators/libfuzzer.c" -L"$top_builddir/.libs" -lwirespeak -Wl,-rpath,"$top_builddir/.libs" 2>"$tmp/err"; then
    mkdir "$tmp/seeds"
    printf '\22\64\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1' >"$tmp/seeds/query"
    WIRESPEAK_INPUT=udp:53 "$tmp/target" -runs=3000 -seed=1 "$tmp/seeds" >"$tmp/run" 2>&1
    result $? "a libFuzzer target runs with the mutator"
    grep -q 'Custom' "$tmp/run"
    result $? "and libFuzzer says that it has one"
    sed "s/^int LLVM/extern \"C\" int LLVM/" "$tmp/target.c" >"$tmp/target.cc" &&
        clang++ -w -O1 -fsanitize=fuzzer -I"$top_srcdir/include" -o "$tmp/target2" "$tmp/target.cc" "$top_srcdir/contrib/mutators/libfuzzer.c" \
            -L"$top_builddir/.libs" -lwirespeak -Wl,-rpath,"$top_builddir/.libs" &&
        WIRESPEAK_INPUT=udp:53 "$tmp/target2" -runs=3000 -seed=1 "$tmp/seeds" >"$tmp/run" 2>&1 && grep -q 'Custom' "$tmp/run"
    result $? "as it does when both are compiled as C++"
else
    skip "a libFuzzer target runs with the mutator" "no clang with libFuzzer here"
fi

if command -v afl-fuzz >/dev/null && command -v afl-clang-fast >/dev/null; then
    cat >"$tmp/program.c" <<'END'
#include <stdio.h>
int main(int argc, char **argv)
{
    unsigned char b[512];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    size_t n = f ? fread(b, 1, sizeof b, f) : 0;
    if (n > 60 && b[40 + 12] == 0x86 && b[40 + 13] == 0xdd) /* Ethernet says IPv6 */
        return 1;
    return n > 100;
}
END
    mkdir "$tmp/in" && cp "$data/dns.pcap" "$tmp/in"
    AFL_QUIET=1 afl-clang-fast -o "$tmp/program" "$tmp/program.c" 2>"$tmp/err" &&
        AFL_CUSTOM_MUTATOR_LIBRARY=$plugin AFL_CUSTOM_MUTATOR_ONLY=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 \
            AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 afl-fuzz -s 1 -E 2000 -i "$tmp/in" -o "$tmp/out" -- "$tmp/program" @@ >"$tmp/run" 2>&1
    grep -q 'wirespeak-afl' "$tmp/run" && [ "$(find "$tmp/out/default/queue" -name 'id:*' | wc -l)" -gt 1 ]
    result $? "afl-fuzz finds a new path with the mutator alone"
    find "$tmp/out/default/queue" -name 'id:000001*' | grep -qE 'execs:[0-9]+,.*(havoc|splice|drawn|packets|next|part|value|length|truncate|options|overlap|checksum)'
    result $? "its file is named after what was changed"
else
    skip "afl-fuzz finds a new path with the mutator alone" "no AFL++ here"
fi
echo "1..$n"
exit $bad

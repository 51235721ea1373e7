#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_fuzzing.sh: generate --fuzz and --corpus: deviations are those that the log has, folders appear whole, units and forms.
set -u
# shellcheck source-path=SCRIPTDIR source=common
. "${top_srcdir:?}/tests/cli/common"
model=$top_srcdir/models/generator.safetensors

generate() { "$ws" generate -q -m "$model" -n 40 --seed 3 --threads 1 "$@"; }

generate -w "$tmp/plain.pcap" && generate --fuzz 0 -w "$tmp/zero.pcap" && cmp -s "$tmp/plain.pcap" "$tmp/zero.pcap" &&
    [ "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["deviations"])' "$tmp/zero.pcap.fuzz.json")" = "[]" ]
result $? "at rate 0 nothing deviates and the log is empty"
generate --fuzz 0.2 -w "$tmp/a.pcap" && generate --fuzz 0.2 -w "$tmp/b.pcap" && cmp -s "$tmp/a.pcap" "$tmp/b.pcap" &&
    cmp -s "$tmp/a.pcap.fuzz.json" "$tmp/b.pcap.fuzz.json" && ! cmp -s "$tmp/a.pcap" "$tmp/plain.pcap"
result $? "the same seed gives the same deviations and the same log"
for seed in 9007199254740991 9007199254740992 18446744073709551615; do
    "$ws" generate -q -m "$model" -n 1 --seed $seed --fuzz 1 -w "$tmp/$seed.pcap"
done
python3 - "$tmp" <<'EOF'
import json, sys
for want in (2**53 - 1, 2**53, 2**64 - 1):
    seed = json.load(open("%s/%d.pcap.fuzz.json" % (sys.argv[1], want)))["seed"]
    assert seed == (want if want < 2**53 else str(want)), seed
EOF
result $? "the log has large seeds as they are"
python3 - "$tmp/a.pcap.fuzz.json" <<'END'
import json, sys
log = json.load(open(sys.argv[1]))
assert log["format"] == "wirespeak-deviations-1" and log["seed"] == 3 and log["rate"] == 0.2, log
kinds = {d["kind"] for d in log["deviations"]}
assert kinds == set(log["kinds"]), (kinds, log["kinds"])
assert all(d["packet"] > 0 and d["field"] and d["from"] != d["to"] for d in log["deviations"])
packets = [d["packet"] for d in log["deviations"]]
assert packets == sorted(set(packets)), "a packet has two"
END
result $? "the log has every kind, and says packet, field, from and to, once for a packet"

# Of kinds that add no packets, beside the same capture without them.
generate -n 60 -w "$tmp/clean.pcap" && for kind in value length checksum options truncate; do
    generate -n 60 --fuzz 0.5:$kind -w "$tmp/at-$kind.pcap" || break
done && python3 - "$tmp" <<'END'
import json, struct, sys
def read(path):
    data, at, packets = open(path, "rb").read(), 24, []
    while at < len(data):
        n = struct.unpack_from("<4I", data, at)[2]
        packets.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return packets
def says(text, b):
    if text.startswith("0x"):
        return text == "0x" + b.hex()
    v = int(text) # of a field of a few bits, b is the bytes that have them
    return v in (int.from_bytes(b, "big"), int.from_bytes(b, "little")) or v < 1 << 8 * len(b) - 1
clean, exact = read(sys.argv[1] + "/clean.pcap"), 0
for kind in ("value", "length", "checksum", "options", "truncate"):
    packets = read(f"{sys.argv[1]}/at-{kind}.pcap")
    log = json.load(open(f"{sys.argv[1]}/at-{kind}.pcap.fuzz.json"))["deviations"]
    assert len(packets) == len(clean) and len(log) > 40 and "..." not in json.dumps(log), kind
    assert max(map(len, packets)) == max(map(len, clean)) == 1514, kind # what was no longer can be replayed
    for d in log:
        was, now = (p[d["packet"] - 1] for p in (clean, packets))
        was_there, there = (p[d["at"]:d["at"] + d["bytes"]] for p in (was, now))
        if kind == "truncate":
            assert d["bytes"] == 0 and (len(now) == d["at"] or d["at"] < len(now) <= 60), d # or padded
        elif kind == "options" and d["to"].startswith("0x"):
            assert d["to"] == "0x" + there.hex(), d
        elif kind == "options": # elements, or headers, behind each other
            assert len(there) == d["bytes"] > 0, d
        else:
            assert was_there != there and says(d["from"], was_there) and says(d["to"], there), (d, was_there, there)
            exact += d["to"].startswith("0x") or int(d["to"]) == int.from_bytes(there, "big")
assert exact > 200, exact
END
result $? "the log says where: there is what it has, and was what it had; nothing is cut short, or too long to be sent"

# Copies and parts of packets count: the capture has the number that is said, and that which was asked for.
"$ws" generate -m "$model" -n 40 --seed 3 --fuzz 0.5 -w "$tmp/told.pcap" 2>"$tmp/told" &&
    "$ws" generate -m "$model" --packets 300 --seed 3 --fuzz 0.5 -w "$tmp/many.pcap" 2>"$tmp/many" &&
    python3 - "$tmp/told" "$tmp/many" <<'END'
import json, re, sys
for name, want in zip(sys.argv[1:], (None, 300)):
    data, at, n = open(name + ".pcap", "rb").read(), 24, 0
    while at < len(data):
        at, n = at + 16 + int.from_bytes(data[at + 8:at + 12], "little"), n + 1
    deviates, of, written = map(int, re.fullmatch(r"(\d+) of (\d+) packets deviate: .*\n(\d+) packets written to .*\n", open(name).read()).groups())
    log = [d["packet"] for d in json.load(open(name + ".pcap.fuzz.json"))["deviations"]]
    assert of == written == n and n == (want or n), (of, written, n)
    assert deviates == len(log) and log[-1] <= n, (deviates, log[-1])
END
result $? "packets that deviations add are counted, and no more are written than was asked for"

if command -v tshark >/dev/null; then
    generate --fuzz 0.3:checksum --fuzz-log "$tmp/sums.json" -w "$tmp/sums.pcap"
    wrong=$(tshark -r "$tmp/sums.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -Y 'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 ||
            icmpv6.checksum.status == 0 || igmp.checksum.status == 0' -T fields -e frame.number 2>/dev/null | tr '\n' ' ')
    logged=$(python3 -c 'import json, sys
print(*(d["packet"] for d in json.load(open(sys.argv[1]))["deviations"]), end=" ")' "$tmp/sums.json")
    [ -n "$wrong" ] && [ "$wrong" = "$logged" ]
    result $? "tshark finds wrong checksums in exactly the packets of the log"
else
    skip "tshark finds wrong checksums in exactly the packets of the log" "no tshark here"
fi

generate --fuzz 0.3:rare -w "$tmp/rare.pcap" && generate --threads 3 --fuzz 0.3:rare -w "$tmp/rare3.pcap" &&
    cmp -s "$tmp/rare.pcap" "$tmp/rare3.pcap" && cmp -s "$tmp/rare.pcap.fuzz.json" "$tmp/rare3.pcap.fuzz.json"
result $? "rare values are the same for any number of threads"
python3 - "$tmp/plain.pcap" "$tmp/rare.pcap" <<'END'
import collections, json, struct, sys
def read(path):
    """Each flow's packets: (number, time, bytes)."""
    data, at, flows, number = open(path, "rb").read(), 24, collections.defaultdict(list), 0
    while at < len(data):
        s, ns, n, _ = struct.unpack_from("<4I", data, at)
        p, number = data[at + 16:at + 16 + n], number + 1
        ends = p[26:38] if p[12:14] == b"\x08\0" and p[23] in (6, 17) and p[14] == 0x45 else b""
        if ends: # the client's port says which flow it is: none comes twice
            ports = struct.unpack(">HH", ends[8:])
            flows[next((q for q in ports if 49152 <= q < 54272), 0)].append((number, s * 10**9 + ns, p))
        at += 16 + n
    return flows, number
plain, _ = read(sys.argv[1])
rare, total = read(sys.argv[2])
log = {d["packet"]: d for d in json.load(open(sys.argv[2] + ".fuzz.json"))["deviations"]}
assert {d["kind"] for d in log.values()} == {"rare"} and 0.2 * total < len(log) < 0.4 * total, (len(log), total)
same = differ = ttls = 0
for port, packets in rare.items():
    if port == 0 or (port not in plain and packets[0][0] not in log):
        continue
    for (number, time, p), was in zip(packets, plain.get(port, [])):
        if number in log: # the first one: what comes after it is another flow
            assert (time, p) != was[1:], (number, log[number])
            differ += 1
            break
        assert (time, p) == was[1:], number
        same += 1
    for number, _, p in packets:
        if log.get(number, {}).get("field") == "ipv4.ttl": # "64..71 p=1e-05"
            low, *high = (int(v) for v in log[number]["to"].split()[0].split(".."))
            assert low <= p[22] <= (high or [low])[0], (number, p[22], log[number])
            ttls += 1
assert same > 20 and differ > 5 and ttls > 0, (same, differ, ttls)
odds = [float(d["to"].rsplit(" p=", 1)[1]) for d in log.values()]
assert max(odds) < 0.1 and sorted(odds)[len(odds) // 2] < 0.001, odds
END
result $? "up to its first rare packet, which the log numbers, a flow is as without"
"$ws" generate -q -m "$model" --from "$data/tls.pcap" --after 3 --fuzz 1:rare --fuzz-log "$tmp/after.json" -w "$tmp/after.pcap" &&
    "$ws" generate -q -m "$model" --from "$data/tls.pcap" --fuzz 0.5 --fuzz-log "$tmp/from.json" -w "$tmp/from.pcap" && python3 - "$tmp" <<'END'
import json, sys
after, whole = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("after", "from"))
assert after["deviations"] and {d["kind"] for d in after["deviations"]} == {"rare"}, after
assert whole["deviations"] and "rare" not in whole["kinds"] and all(d["kind"] != "rare" for d in whole["deviations"]), whole
END
result $? "packets of a capture are not rare, those that are drawn after them are"
fails "rare packets where none is drawn" 2 generate -m "$model" --from "$data/tls.pcap" --fuzz 0.5:rare -w "$tmp/x.pcap"
if command -v tshark >/dev/null; then
    # random bytes between ports of no protocol: tshark guesses what they are, and then finds fault with them
    generate -n 70 --fuzz 1:rare -w "$tmp/rare1.pcap" && bad=$(tshark -r "$tmp/rare1.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -Y '((_ws.malformed || _ws.expert.severity == error) && !(tcp.srcport >= 49152 && tcp.dstport >= 49152) &&
            !(udp.srcport >= 49152 && udp.dstport >= 49152)) || ip.checksum.status == 0 || tcp.checksum.status == 0 ||
            udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || igmp.checksum.status == 0' 2>/dev/null) && [ -z "$bad" ]
    result $? "tshark finds nothing bad where every packet is rare"
else
    skip "tshark finds nothing bad where every packet is rare" "no tshark here"
fi

generate --corpus "$tmp/packets" && [ "$(find "$tmp/packets" -name 'packet-*.pcap' | wc -l)" -gt 100 ] &&
    ! find "$tmp" -maxdepth 1 -name '*.tmp-*' | grep -q . && cat "$tmp"/packets/* >/dev/null
result $? "a corpus has a file for each packet"
"$ws" tokenize --stats -q -o json "$tmp/packets" | python3 -c 'import json, sys; s = json.load(sys.stdin); assert s["packets"] == s["captures"] > 100, s'
result $? "each is a capture of one packet"
generate --corpus "$tmp/flows" --unit flow && "$ws" tokenize --stats -q -o json "$tmp/flows" | python3 -c 'import json, sys
s = json.load(sys.stdin)
assert s["packets"] > s["captures"] > 20, s'
result $? "a file for each flow"
generate --corpus "$tmp/clients" --unit client && generate --corpus "$tmp/aflnet" --unit client --as aflnet &&
    generate --corpus "$tmp/frames" --as frame && python3 - "$tmp" <<'END'
import glob, os, struct, sys
tmp = sys.argv[1]
def name(path): return os.path.basename(path).split(".")[0]
whole = {name(p): open(p, "rb").read() for p in glob.glob(tmp + "/clients/*.bin")}
pieces = {name(p): open(p, "rb").read() for p in glob.glob(tmp + "/aflnet/*.aflnet")}
several = 0
for key, data in pieces.items():
    messages, at = [], 0
    while at < len(data):
        (n,) = struct.unpack_from("<I", data, at)
        messages.append(data[at + 4:at + 4 + n])
        at += 4 + n
    assert at == len(data) and all(messages), key
    several += len(messages) > 1
    assert whole.get(key, b"".join(messages)) == b"".join(messages), key
assert several > 1 and len(whole) > 10, (several, len(whole))
frames = [open(p, "rb").read() for p in glob.glob(tmp + "/frames/*.bin")]
captures = {open(p, "rb").read()[40:] for p in glob.glob(tmp + "/packets/*.pcap")}
assert len(frames) == len(set(frames)) and set(frames) == captures, (len(frames), len(captures))
END
result $? "what clients send, as one stream and as AFLNet's messages; frames; nothing twice"
generate --corpus "$tmp/deviating" --fuzz 1:value && [ -s "$tmp/deviating.fuzz.json" ]
result $? "a corpus that deviates has its log beside it"

generate --label DNS --label HTTP --fuzz 0.5 --corpus "$tmp/inside" --as payload -w "$tmp/inside.pcap" &&
    generate --label DNS --label HTTP --fuzz 0.5 --corpus "$tmp/asks" --unit client -w "$tmp/asks.pcap" && python3 - "$tmp" <<'END'
import json, os, struct, sys
def read(path):
    data, at, packets = open(path, "rb").read(), 24, [b""]
    while at < len(data):
        n = struct.unpack_from("<4I", data, at)[2]
        packets.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return packets
def log(name):
    whole = json.load(open(f"{sys.argv[1]}/{name}.pcap.fuzz.json"))
    return whole["kinds"], [d for d in whole["deviations"] if d["kind"] != "rare"], [d for d in whole["deviations"] if d["kind"] == "rare"]
def headers(d):
    return d["field"].split(".")[0] in ("start", "len", "stack", "eth", "ipv4", "ipv6", "tcp", "udp")
kinds, inside, rare = log("inside")
assert kinds == ["value", "length", "truncate", "options", "rare"], kinds
packets, files = read(sys.argv[1] + "/inside.pcap"), 0
for d in inside:
    path = f"{sys.argv[1]}/inside/packet-{d['packet']:07}.bin"
    if os.path.exists(path): # else it has what another one has
        data, files = open(path, "rb").read(), files + 1
        assert packets[d["packet"]].find(data) >= 34 and packets[d["packet"]][d["at"]:d["at"] + d["bytes"]] in data, d
assert files > 20, files
assert len(rare) > 3 and not any(map(headers, rare)), rare
kinds, asks, rare = log("asks")
packets = read(sys.argv[1] + "/asks.pcap")
assert kinds == ["value", "length", "order", "truncate", "options", "rare"], kinds
assert len(rare) > 3 and not any(map(headers, rare)), rare
ports = [struct.unpack_from(">HH", p, 34) for p in (packets[d["packet"]] for d in asks + rare) if p[12:15] == b"\x08\0\x45" and p[23] in (6, 17)]
assert len(ports) > 10 and all(p[1] in (53, 80) or p[0] not in (53, 80) for p in ports), ports
END
result $? "deviations of a corpus are where it shows them: in payloads, and of clients in what these send"
generate --unit client --as pcap --label DNS --label HTTP --fuzz 0.5:rare --corpus "$tmp/sent" -w "$tmp/sent.pcap" && python3 - "$tmp/sent.pcap" <<'END'
import json, struct, sys
data, at, packets = open(sys.argv[1], "rb").read(), 24, [b""]
while at < len(data):
    n = struct.unpack_from("<4I", data, at)[2]
    packets, at = packets + [data[at + 16:at + 16 + n]], at + 16 + n
log = json.load(open(sys.argv[1] + ".fuzz.json"))["deviations"]
assert {"start", "len"} & {d["field"] for d in log}, log # in headers, and when they come, too
ports = [struct.unpack_from(">HH", p, 34) for p in (packets[d["packet"]] for d in log) if p[12:15] == b"\x08\0\x45" and p[23] in (6, 17)]
assert len(ports) > 20 and all(p[1] in (53, 80) or p[0] not in (53, 80) for p in ports), ports
END
result $? "rare values of captures of clients are in any part of what they send"
fails "an order of packets that have a file each" 2 generate -m "$model" --fuzz 0.5:order --corpus "$tmp/x"
generate --fuzz 0.5:order,value --corpus "$tmp/one" --fuzz-log "$tmp/one.json" && ! grep -q order "$tmp/one.json" && grep -q value "$tmp/one.json"
result $? "other kinds have the rate of those that do not show"
fails "deviations that a corpus does not show" 2 generate -m "$model" --fuzz 0.5:checksum,overlap --corpus "$tmp/x" --as payload
"$ws" generate -q -m "$model" --from "$data/edge-sll.pcap" --corpus "$tmp/cooked" && [ "$(od -An -tu1 -j20 -N1 "$tmp/cooked/packet-0000002.pcap")" -eq 113 ]
result $? "files of a capture of another link type are of that"

generate --corpus "$tmp/novel" --novel && [ "$(find "$tmp/novel" -type f | wc -l)" -lt "$(($(find "$tmp/packets" -type f | wc -l) * 3 / 4))" ] &&
    (cd "$tmp/novel" && find . -type f -print0 | xargs -0 -I{} cmp {} ../packets/{})
result $? "a novel corpus is a part of the whole one"
# The first 20 of the novel files, beside the 20 that were chosen of all.
generate --corpus "$tmp/best" --files 20 && generate --corpus "$tmp/same" --files 20 --novel && diff -r "$tmp/best" "$tmp/same" &&
    (cd "$tmp/best" && find . -type f -print0 | xargs -0 -I{} cmp {} ../packets/{}) && mkdir "$tmp/first" &&
    find "$tmp/novel" -type f | sort | head -n 20 | xargs -I{} cp {} "$tmp/first" &&
    "$ws" tokenize -q -w "$tmp/best.npz" "$tmp/best" && "$ws" tokenize -q -w "$tmp/first.npz" "$tmp/first" &&
    python3 - "$tmp/best.npz" "$tmp/first.npz" <<'END'
import struct, sys, zipfile
def different(path):
    data = zipfile.ZipFile(path).read("ids.npy")
    data = data[10 + struct.unpack_from("<H", data, 8)[0]:]
    return len(set(struct.unpack(f"<{len(data) // 2}H", data)))
best, first = map(different, sys.argv[1:])
assert best > first * 1.3, (best, first)
END
result $? "few files are those that have most different tokens together"
generate --corpus "$tmp/flows2" --unit flow --files 1000 && [ "$(find "$tmp/flows2" -type f | wc -l)" -le 40 ] && [ "$(find "$tmp/flows2" -type f | wc -l)" -gt 3 ]
result $? "fewer files than were asked for when the others show nothing new"

fails "a folder that is not empty" 1 generate -q -m "$model" --corpus "$tmp/packets"
fails "a folder in none" 1 generate -q -m "$model" --corpus "$tmp/none/x"
fails "a kind that there is not" 2 generate -m "$model" --fuzz 0.1:chaos -w "$tmp/x.pcap"
"$ws" generate -m "$model" --fuzz 0.1:chaos -w "$tmp/x.pcap" 2>"$tmp/err"
python3 -c 'import json, sys; told = open(sys.argv[2]).read(); assert all(k in told for k in json.load(open(sys.argv[1]))["kinds"]), told' "$tmp/a.pcap.fuzz.json" "$tmp/err"
result $? "and which there are"
fails "a rate above 1" 2 generate -m "$model" --fuzz 1.1 -w "$tmp/x.pcap"
fails "deviations that nobody could know of" 2 generate -m "$model" --fuzz 0.1 -w -
fails "a log of nothing" 2 generate -m "$model" --fuzz-log "$tmp/x.json" -w "$tmp/x.pcap"
fails "units of no corpus" 2 generate -m "$model" --unit flow -w "$tmp/x.pcap"
fails "novelties of no corpus" 2 generate -m "$model" --novel -w "$tmp/x.pcap"
fails "so many files of no corpus" 2 generate -m "$model" --files 10 -w "$tmp/x.pcap"
fails "several frames in one file" 2 generate -m "$model" --corpus "$tmp/x" --unit flow --as frame
mkfifo "$tmp/pipe"
fails "a pipe is not replaced by a log" 1 generate -q -m "$model" --fuzz 0.1 --fuzz-log "$tmp/pipe" -w "$tmp/x.pcap"
[ -p "$tmp/pipe" ]
result $? "the pipe is still one"
fails "a log in no folder" 1 generate -q -m "$model" --fuzz 0.1 --fuzz-log "$tmp/none/x.json" -w "$tmp/x.pcap"
[ ! -e "$tmp/x.pcap" ] && [ ! -e "$tmp/x" ] && ! find "$tmp" -name '*.tmp*' | grep -q .
result $? "what fails leaves nothing behind"
echo "1..$n"
exit $bad

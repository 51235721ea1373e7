#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_forge.sh: forged captures are other hosts' and say the same. CORPUS: a folder of captures to try as well.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# same_view CAPTURE SEED...: the model reads the same of the capture and of its forged copies; counts them in all and differ
same_view() {
    local seed
    "$ws" explain -q --kept "$1" >"$tmp/a" 2>/dev/null
    for seed in "${@:2}"; do
        all=$((all + 1))
        "$ws" forge -q --seed "$seed" -w - "$1" 2>/dev/null | "$ws" explain -q --kept - >"$tmp/b" 2>/dev/null
        [ -s "$tmp/a" ] && cmp -s "$tmp/a" "$tmp/b" && continue
        differ=$((differ + 1))
        echo "# differs: $1"
    done
}

differ=0 all=0
for f in "$data"/*.pcap; do
    [ "$f" = "$data/edge-nopackets.pcap" ] || same_view "$f" 1 2
done
[ $differ -eq 0 ] && [ $all -gt 30 ]
result $? "identity-free reads the same of $all forged copies"

"$ws" forge -q -w "$tmp/1.pcap" "$data/tls.pcap" && "$ws" forge -q -w "$tmp/1b.pcap" "$data/tls.pcap" &&
    "$ws" forge -q --seed 2 -w "$tmp/2.pcap" "$data/tls.pcap" && cmp -s "$tmp/1.pcap" "$tmp/1b.pcap" &&
    ! cmp -s "$tmp/1.pcap" "$tmp/2.pcap"
result $? "the same seed gives the same bytes, another one others"

flows() { "$ws" label -q "$1" | python3 -c '
import json, sys
for line in sys.stdin:
    f = json.loads(line)
    print(*(f.get(k) for k in ("src_ip", "dest_ip", "src_port", "dest_port")))'; }
flows "$data/dns.pcap" >"$tmp/a" && "$ws" forge -q -w "$tmp/f.pcap" "$data/dns.pcap" && flows "$tmp/f.pcap" >"$tmp/b"
python3 - "$tmp/a" "$tmp/b" <<'PY'
import ipaddress, sys
a, b = ([line.split() for line in open(name)] for name in sys.argv[1:])
assert len(a) == len(b) > 1
maps = {}
for x, y in zip(a, b):
    for old, new in zip(x, y):
        assert maps.setdefault(old, new) == new
        if "." in old or ":" in old:
            i = ipaddress.ip_address(old)
            if not (i.is_loopback or i.is_multicast or i.is_unspecified or old == "None"):
                assert old != new, old
assert len(set(maps.values())) == len(maps)
PY
result $? "addresses and ports are others, one to one"

"$ws" forge -q --only ports -w "$tmp/p.pcap" "$data/dns.pcap" && flows "$tmp/p.pcap" | cut -d ' ' -f 1,2 >"$tmp/c" &&
    cut -d ' ' -f 1,2 "$tmp/a" | cmp -s - "$tmp/c" && ! flows "$tmp/p.pcap" | cmp -s - "$tmp/a"
result $? "--only ports leaves addresses alone"

if command -v tshark >/dev/null; then
    wrong() {
        tshark -r "$1" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
            -Y 'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0' 2>/dev/null | wc -l
    }
    [ "$(wrong "$tmp/1.pcap")" -eq "$(wrong "$data/tls.pcap")" ] &&
        "$ws" forge -q -w "$tmp/w.pcap" "$data/edge-checksum.pcap" && forged=$(wrong "$tmp/w.pcap") &&
        [ "$forged" -eq "$(wrong "$data/edge-checksum.pcap")" ] && [ "$forged" -gt 0 ]
    result $? "right checksums are right and wrong ones wrong"
    old=$(tshark -r "$data/tls.pcap" -Y tls.handshake.extensions_server_name -T fields -e tls.handshake.extensions_server_name 2>/dev/null | head -n 1)
    new=$(tshark -r "$tmp/1.pcap" -Y tls.handshake.extensions_server_name -d tcp.port==1-65535,tls -T fields -e tls.handshake.extensions_server_name 2>/dev/null | head -n 1)
    [ -z "$old" ] || { [ -n "$new" ] && [ "$old" != "$new" ] && [ ${#old} -eq ${#new} ]; }
    result $? "the server name is another of the same length"
else
    skip "checksums of forged captures" "no tshark here"
    skip "server names of forged captures" "no tshark here"
fi

if [ -n "${CORPUS:-}" ] && [ -d "$CORPUS" ]; then
    differ=0 all=0
    while IFS= read -r f; do
        same_view "$f" 1
    done < <(find "$CORPUS" -type f)
    [ $differ -eq 0 ]
    result $? "identity-free reads the same of $((all - differ)) of $all forged captures of the corpus"
else
    skip "forged captures of a corpus" "no CORPUS"
fi

fails "no output" 2 forge "$data/dns.pcap"
fails "a part that does not exist" 2 forge --only faces -w "$tmp/x.pcap" "$data/dns.pcap"
fails "a capture that is not there" 1 forge -w "$tmp/x.pcap" "$tmp/none.pcap"
fails "two link types in one file" 1 forge -q -w "$tmp/x.pcap" "$data/dns.pcap" "$data/edge-raw-ip.pcap"
fails "a full disk" 1 forge -q -w /dev/full "$data/tls.pcap"
[ ! -e "$tmp/x.pcap" ]
result $? "nothing half-written is left"
echo "1..$n"
exit "$bad"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# labels.sh: what nDPI calls generated flows: [MODEL [LABEL...]] (of the head "protocol"; else those that have a grammar or a dialog
# and that nDPI knows). FLOWS (100) of each, SEED (5), WIRESPEAK and ARGS (more options of generate) as variables. A line a label: the share
# that nDPI names so, then what it calls the others.
set -euo pipefail
model=${1:-${top_srcdir:-.}/models/generator.safetensors}
shift $(($# ? 1 : 0))
[ $# -gt 0 ] || set -- TLS DNS HTTP NTP DHCP Modbus SSH SMTP POP3 IMAP FTP_CONTROL MDNS LLMNR NetBIOS SSDP SIP RTSP SNMP LDAP Kerberos \
    Radius MQTT DHCPV6 COAP TFTP STUN S7Comm IGMP ICMP ICMPV6 QUIC DNP3 Syslog Redis NFS RTP RTCP DTLS \
    AMQP BGP BitTorrent BJNP EthernetIP Git Gnutella IEC60870 IRC Memcached Mining MsSQL-TDS MySQL NATS OpenVPN PostgreSQL RSYNC Telnet tinc VNC WireGuard WSD
ws=${WIRESPEAK:-${top_builddir:-.}/wirespeak}
for label in "$@"; do
    # shellcheck disable=SC2086
    "$ws" generate -q -m "$model" --label "protocol:$label" -n "${FLOWS:-100}" --seed "${SEED:-5}" ${ARGS:-} -w - |
        "$ws" label -q - | python3 -c '
import collections, json, sys
want, found = sys.argv[1], collections.Counter()
for line in sys.stdin:
    found[json.loads(line).get("ndpi", {}).get("protocol", "no IP")] += 1
n = sum(found.values())
names = {want.lower(), want.lower().replace("_control", ""), # other releases of nDPI write names otherwise
         {"EthernetIP": "ethernet/ip", "IEC60870": "iec-60870-5-104", "Mining": "cryptomining", "MsSQL-TDS": "tds"}.get(want)}
same = next((k for k in found if k.lower() in names), want)
found[want] = found.pop(same, 0)
others = [f"{k} {v}" for k, v in found.most_common() if k != want]
print(f"{want:<14} {100 * found[want] / n:5.1f} %  " + ", ".join(others[:6]))
print(f"{want}\t{found[want] / n}", file=sys.stderr)
' "$label"
done 2> >(awk -F '\t' '{ sum += $2; n++; good += $2 >= 0.9 } END { printf "mean of %d labels %.1f %%, %d with 90 %% or more\n", n, 100 * sum / n, good }')

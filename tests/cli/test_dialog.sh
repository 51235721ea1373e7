#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_dialog.sh: readers take what dialogs say for their protocols, and find nothing malformed, whoever speaks and however long it is.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

dialogs=${top_builddir:-.}/dialogs

# tshark_takes LABEL PROTOCOL: of the payloads nine of ten are in frames of PROTOCOL; none is malformed, or an error by tshark's experts
tshark_takes() {
    local all named
    tshark -r "$tmp/$1.pcap" -Y 'tcp.len > 0 || udp' -T fields -E separator=/t -e frame.protocols -e _ws.malformed -e _ws.expert.severity \
        2>/dev/null >"$tmp/$1.txt"
    all=$(wc -l <"$tmp/$1.txt")
    named=$(grep -cE ":(${2//,/|})" "$tmp/$1.txt")
    ! grep -qE 'malformed|8388608' "$tmp/$1.txt" && [ "$all" -ge 80 ] && [ $((10 * named)) -ge $((9 * all)) ]
}

# ndpi_takes LABEL NAME: nine of ten flows; of an application's protocol it says that it is a service
ndpi_takes() {
    local named
    named=$("$ws" label -q "$tmp/$1.pcap" | grep -cE "\"(protocol|service)\": *\"$2\"")
    [ "$named" -ge 18 ]
}

# Label, what tshark calls it, what nDPI calls it; -: it does not know it
while read -r label protocol name; do
    "$dialogs" "$tmp/$label.pcap" "$label" 20 1
    result $? "dialogs of $label"
    if [ "$protocol" = - ]; then
        :
    elif command -v tshark >/dev/null; then
        tshark_takes "$label" "$protocol"
        result $? "tshark takes $label for $protocol"
    else
        skip "tshark takes $label for $protocol" "tshark is not installed"
    fi
    [ "$name" = - ] && continue
    ndpi_takes "$label" "$name"
    result $? "nDPI takes $label for $name"
done <<'END'
AMQP amqp AMQP
BGP bgp BGP
BitTorrent bittorrent,bt-dht BitTorrent
BJNP bjnp BJNP
Discord data -
Dropbox db-lsp-disc Dropbox
EthernetIP enip EtherNet/IP
Git git Git
Gnutella gnutella,data Gnutella
HSRP hsrp -
IEC60870 iec60870_104 IEC-60870-5-104
iPerf - -
IRC irc IRC
iSCSI iscsi -
Memcached memcache Memcached
Mining - cryptomining
MsSQL-TDS tds TDS
MySQL mysql MySQL
NATS - -
OPC-UA opcua -
OpenVPN openvpn OpenVPN
PostgreSQL pgsql PostgreSQL
RSYNC rsync rsync
Telnet telnet Telnet
tinc - tinc
VNC vnc VNC
WhatsApp - -
WireGuard wg WireGuard
WSD - WSD
END
echo "1..$n"
exit $bad

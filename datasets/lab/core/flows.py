# SPDX-License-Identifier: Apache-2.0
"""flows.py: the flows of a pcap file that was just recorded: IP protocol, two addresses, two ports, counts."""
import ipaddress
import struct

MAGIC = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}
NANO = (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
ETHERNET, RAW = 1, (12, 101)
TCP, UDP, SCTP, ICMP, ICMP6 = 6, 17, 132, 1, 58
HAS_PORTS = (TCP, UDP, SCTP)
ECHO = {ICMP: (0, 8), ICMP6: (128, 129)}
V6_EXTENSIONS = (0, 43, 60)


def packets(path):
    """Link type, time in seconds and bytes of every packet."""
    with open(path, "rb") as f:
        header = f.read(24)
        order = MAGIC.get(header[:4])
        if order is None or len(header) < 24:
            raise ValueError(f"{path}: not a pcap file")
        unit = 1e-9 if header[:4] in NANO else 1e-6
        link = struct.unpack(order + "I", header[20:24])[0] & 0xFFFF
        while len(head := f.read(16)) == 16:
            seconds, fraction, size, _ = struct.unpack(order + "IIII", head)
            yield link, seconds + fraction * unit, f.read(size)


def network_layer(link, data):
    if link == ETHERNET:
        return data[14:] if data[12:14] in (b"\x08\x00", b"\x86\xdd") else b""
    if link in RAW:
        return data
    raise ValueError(f"link type {link} is not one that the lab records")


def transport(data):
    """Protocol, addresses and the bytes behind the IP header; None for what is no IP or a later fragment."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        if int.from_bytes(data[6:8], "big") & 0x1FFF:
            return None
        return data[9], data[12:16], data[16:20], data[(data[0] & 15) * 4:]
    if len(data) >= 40 and data[0] >> 4 == 6:
        proto, at = data[6], 40
        while proto in V6_EXTENSIONS and at + 8 <= len(data):
            proto, at = data[at], at + (data[at + 1] + 1) * 8
        return proto, data[8:24], data[24:40], data[at:]
    return None


def ports(proto, data):
    if proto in HAS_PORTS and len(data) >= 4:
        return struct.unpack(">HH", data[:4])
    if proto in ECHO and len(data) >= 6 and data[0] in ECHO[proto]:
        return (int.from_bytes(data[4:6], "big"),) * 2
    return 0, 0


def is_error(proto, data):
    """ICMP that is not echo: it speaks of other flows."""
    return proto in ECHO and (not data or data[0] not in ECHO[proto])


def read(path):
    """Flows in the order of their first packets, as {l4, ip_a, port_a, ip_b, port_b, packets, bytes, start, seconds}; a
    is the side that spoke first. And how many packets belong to none of them."""
    table, other = {}, 0
    for link, at, data in packets(path):
        found = transport(network_layer(link, data))
        if found is None or is_error(found[0], found[3]):
            other += 1
            continue
        proto, a, b, rest = found
        port_a, port_b = ports(proto, rest)
        key = (proto, *sorted(((a, port_a), (b, port_b))))
        flow = table.setdefault(
            key, {
                "l4": proto, "ip_a": str(ipaddress.ip_address(a)), "port_a": port_a, "ip_b": str(
                    ipaddress.ip_address(b)), "port_b": port_b, "packets": 0, "bytes": 0, "start": at
            })
        flow["packets"] += 1
        flow["bytes"] += len(data)
        flow["seconds"] = round(at - flow["start"], 6)
    return list(table.values()), other

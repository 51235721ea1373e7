# SPDX-License-Identifier: Apache-2.0
"""labels.py WIRESPEAK FOLDER: a list of labels for captures of tests/data: what `wirespeak label` says of their flows."""
import json
import subprocess
import sys

NUMBER = {"TCP": 6, "UDP": 17}
NAMES = ("dns", "http", "tls", "ssh", "ntp", "redis", "snmp")

print("path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b")
for name in NAMES:
    out = subprocess.run([sys.argv[1], "label", f"{sys.argv[2]}/{name}.pcap"], capture_output=True, text=True).stdout
    for r in map(json.loads, out.splitlines()):
        if r["proto"] in NUMBER and "src_port" in r and "ndpi" in r:
            print(f"{name}.pcap", r["ndpi"]["protocol"], NUMBER[r["proto"]], r["src_ip"], r["src_port"], r["dest_ip"],
                  r["dest_port"], sep="\t")

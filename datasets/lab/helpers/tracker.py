#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tracker.py PORT SEEDER: a BitTorrent tracker: who announces is a peer; one of this host is told as
SEEDER."""
import http.server
import ipaddress
import sys
import urllib.parse


class Tracker(http.server.BaseHTTPRequestHandler):
    peers = {}
    seeder = ""

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query, encoding="latin-1")
        swarm = self.peers.setdefault(query["info_hash"][0], set())
        host = self.client_address[0]
        host = self.seeder if host.startswith("127.") else host
        others = b"".join(ipaddress.ip_address(h).packed + p.to_bytes(2, "big") for h, p in swarm if h != host)
        swarm.add((host, int(query["port"][0])))
        body = b"d8:completei1e10:incompletei1e8:intervali5e5:peers%d:%be" % (len(others), others)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    Tracker.seeder = sys.argv[2]
    http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Tracker).serve_forever()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""imap_client.py HOST PORT none|starttls|on-connect MAILS SEED: reads a mailbox in one session, as mail
programs do."""
import imaplib
import random
import ssl
import sys
import time


def connect(host, port, kind):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if kind == "on-connect":
        return imaplib.IMAP4_SSL(host, port, ssl_context=context)
    box = imaplib.IMAP4(host, port)
    if kind == "starttls":
        box.starttls(context)
    return box


def main():
    host, port, kind, mails, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    rng = random.Random(seed)
    box = connect(host, port, kind)
    box.login("lab", "secret")
    box.list()
    count = int(box.select("INBOX")[1][0])
    box.fetch("1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])")
    for _ in range(mails):
        number = str(rng.randint(1, count))
        rng.choice((lambda: box.fetch(number, "(BODY[])"), lambda: box.fetch(number, "(BODYSTRUCTURE)"),
                    lambda: box.store(number, "+FLAGS", "\\Seen"), lambda: box.search(None, "SUBJECT", "report"),
                    lambda: box.noop()))()
        time.sleep(min(2, rng.expovariate(2)))
    box.close()
    box.logout()
    return 0


if __name__ == "__main__":
    sys.exit(main())

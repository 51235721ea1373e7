/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c: dialogs of peers that share files. */
#include "generate/dialog/dialog.h"

#include <stdio.h>

enum { HASH = 20, NODE = 26 };

/* SHA-1 of what is shared, or of who a side is: 20 bytes that stay the same. */
static void hash(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    for (unsigned i = 0; i < HASH / 4; i++)
        wspi_pen_be(p, wspi_dialog_number(d, 10 * k + i), 4);
}

/* ---- BitTorrent over TCP (BEP 3, "peer protocol") ---- */

enum bittorrent_message {
    UNCHOKE = 1,
    INTERESTED = 2,
    HAVE = 4,
    BITFIELD = 5,
    REQUEST = 6,
    PIECE = 7
};

static void bittorrent_hello(const wspi_dialog *d, wspi_pen *p, int dir)
{
    char name[WSPI_DIALOG_NAME];

    wspi_pen_text(p, "\023BitTorrent protocol");
    wspi_pen_be(p, 0x100005, 8); /* extensions (BEP 10), DHT (BEP 5), fast (BEP 6) */
    hash(d, p, 0);
    wspi_dialog_name(d, (unsigned)dir, name);
    wspi_pen_format(p, "-TR%u0-%.4s%08x", 300 + wspi_dialog_number(d, 5) % 100, name,
                    wspi_dialog_number(d, 6 + (unsigned)dir));
}

/* | length 32 | message 8 |; body: behind them. */
static void bittorrent_head(wspi_pen *p, size_t body, enum bittorrent_message m)
{
    wspi_pen_be(p, 1 + body, 4);
    wspi_pen_be(p, m, 1);
}

/* A block of a piece, or which pieces there are; small ones ask for a block, tell a piece, or unchoke. */
static void bittorrent_message(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { HEAD = 5, AT = 8, ASKED = 12, BLOCK = 16384, PIECES = 1000 };

    if (d->said[0] + d->said[1] <= 3 && want > HEAD) {
        bittorrent_head(p, want - HEAD, BITFIELD);
        wspi_pen_random(p, want - HEAD);
    } else if (want > HEAD + ASKED) {
        bittorrent_head(p, want - HEAD, PIECE);
        wspi_pen_be(p, wspi_pen_pick(p, PIECES), 4);
        wspi_pen_be(p, BLOCK * wspi_pen_pick(p, 16), 4);
        wspi_pen_random(p, want - HEAD - AT);
    } else if (want == HEAD + ASKED) {
        bittorrent_head(p, ASKED, REQUEST);
        wspi_pen_be(p, wspi_pen_pick(p, PIECES), 4);
        wspi_pen_be(p, BLOCK * wspi_pen_pick(p, 16), 4);
        wspi_pen_be(p, BLOCK, 4);
    } else if (want >= HEAD + 4) {
        bittorrent_head(p, 4, HAVE);
        wspi_pen_be(p, wspi_pen_pick(p, PIECES), 4);
    } else if (want >= HEAD) {
        bittorrent_head(p, 0, wspi_pen_pick(p, 2) ? UNCHOKE : INTERESTED);
    } else {
        wspi_pen_be(p, 0, 4); /* the connection stays */
    }
}

/* ---- BitTorrent's distributed table over UDP (BEP 5): bencoded ---- */

static void dht_ask(wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { PING, FIND_NODE, GET_PEERS, LEAST_FIND = 90 };
    static const char *const names[] = {"4:ping", "9:find_node", "9:get_peers"};

    d->kept[0] = want < LEAST_FIND ? PING : 1 + wspi_pen_pick(p, 2);
    d->kept[1]++;
    wspi_pen_text(p, "d1:ad2:id20:");
    hash(d, p, 1 + (unsigned)dir);
    if (d->kept[0] != PING) {
        wspi_pen_text(p, d->kept[0] == GET_PEERS ? "9:info_hash20:" : "6:target20:");
        hash(d, p, 0);
    }
    wspi_pen_format(p, "e1:q%s1:t2:", names[d->kept[0]]);
    wspi_pen_be(p, d->kept[1] & 0xffff, 2);
    wspi_pen_text(p, "1:y1:qe");
}

/* To a question for nodes, as many as there is room for: | who 160 | IPv4 32 | port 16 |. */
static void dht_answer(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { MOST = 16, END = 40 };
    size_t nodes = WSPI_MIN(want > 2 * END ? (want - 2 * END) / NODE : 0, (size_t)MOST);

    wspi_pen_text(p, "d1:rd2:id20:");
    hash(d, p, 1 + (unsigned)dir);
    if (d->kept[0]) {
        wspi_pen_format(p, "5:nodes%zu:", nodes * NODE);
        for (size_t i = 0; i < nodes; i++) {
            wspi_pen_random(p, HASH);
            wspi_pen_be(p, 0xc6336400 | wspi_pen_pick(p, 256), 4); /* 198.51.100.0/24 (RFC 5737) */
            wspi_pen_be(p, 6881 + wspi_pen_pick(p, 9), 2);
        }
    }
    wspi_pen_text(p, "e1:t2:");
    wspi_pen_be(p, d->kept[1] & 0xffff, 2);
    wspi_pen_text(p, "1:y1:re");
}

void wspi_say_bittorrent(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (d->tcp && d->said[dir] == 0)
        bittorrent_hello(d, p, dir);
    else if (d->tcp)
        bittorrent_message(d, p, want);
    else if (dir == 0)
        dht_ask(d, p, dir, want);
    else
        dht_answer(d, p, dir, want);
}

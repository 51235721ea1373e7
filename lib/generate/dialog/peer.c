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

/* Which pieces there are, first; then a block of a piece; small ones ask for a block, tell a piece, or unchoke. */
static void bittorrent_message(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { HEAD = 5, AT = 8, ASKED = 12, BLOCK = 16384, PIECES = 1000 };

    if (d->said[dir] == 1 && want > HEAD) { /* right behind the hello, or not at all */
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

/* kept: what was asked, and the number of the question */
enum dht_question { PING, FIND_NODE, GET_PEERS };

static void dht_ask(wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { LEAST_FIND = 90 };
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

/* To a question for nodes, as many as there is room for: | who 160 | IPv4 32 | port 16 |; to one for peers also a token. */
static void dht_answer(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { MOST = 16, END = 40, TOKEN = 50 };
    size_t nodes = WSPI_MIN(want > 2 * END ? (want - 2 * END) / NODE : 0, (size_t)MOST);

    wspi_pen_text(p, "d1:rd2:id20:");
    hash(d, p, 1 + (unsigned)dir);
    if (d->kept[0] != PING) {
        wspi_pen_format(p, "5:nodes%zu:", nodes * NODE);
        for (size_t i = 0; i < nodes; i++) {
            wspi_pen_random(p, HASH);
            wspi_pen_be(p, 0xc6336400 | wspi_pen_pick(p, 256), 4); /* 198.51.100.0/24 (RFC 5737) */
            wspi_pen_be(p, 6881 + wspi_pen_pick(p, 9), 2);
        }
    }
    if (d->kept[0] == GET_PEERS) {
        wspi_pen_text(p, "5:token4:");
        wspi_pen_be(p, wspi_dialog_number(d, TOKEN), 4);
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
        bittorrent_message(d, p, dir, want);
    else if (dir == 0)
        dht_ask(d, p, dir, want);
    else
        dht_answer(d, p, dir, want);
}

/*
 * ---- Gnutella 0.6 (RFC-Gnutella 0.6; extensions: GGEP 0.51) ----
 *
 *     | GUID 128 | type 8 | TTL 8 | hops 8 | length 32, low byte first | what the type has |
 *     pong  | port 16 | IPv4 | files 32 | kilobytes 32 |, numbers with the low byte first
 *     query | flags 16 | words | 0 |
 *     hit   | results 8 | port 16 | IPv4 | speed 32 | results | vendor 32 | 0 bytes more | GUID of the servent |
 *     result | index 32 | size 32 | name | 0 | extension | 0 |
 *
 * Over TCP lines like HTTP's come first, in which the sides agree on what they can.
 */
enum gnutella_type { GNUTELLA_PING, GNUTELLA_PONG, GNUTELLA_QUERY = 0x80, GNUTELLA_HIT };

enum { GUID = 16, GNUTELLA_HEAD = 23, GNUTELLA_PORT = 6346, ADDRESS_SIZE = 6 };

/* Kept, by side: what it has asked last and has got no answer to, one more than its type; how much it has asked. */
enum { ASKED = 0, QUESTIONS = 2 };

/* Byte 8 is 0xff and byte 15 is 0 (2.2.1); readers take those that begin with a set bit for RTP's or RTCP's datagrams. */
static void guid(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    wspi_pen_be(p, wspi_dialog_number(d, 1000 + 4 * k) & 0x7fffffff, 4);
    wspi_pen_be(p, wspi_dialog_number(d, 1001 + 4 * k), 4);
    wspi_pen_be(p, 0xff000000 | wspi_dialog_number(d, 1002 + 4 * k), 4);
    wspi_pen_be(p, wspi_dialog_number(d, 1003 + 4 * k) & 0xffffff00, 4);
}

/* The k-th host that someone tells of: 198.51.100.0/24 (RFC 5737). */
static uint32_t host(const wspi_dialog *d, unsigned k)
{
    return 0xc6336400 | (wspi_dialog_number(d, 30 + k) & 0xff);
}

static void host_text(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    wspi_pen_format(p, "198.51.100.%u:%u", host(d, k) & 0xff, GNUTELLA_PORT);
}

/* "X-Try-Ultrapeers" has as many hosts as there is room for (RFC-Gnutella 0.6, 2.1.2). */
static void gnutella_headers(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { MOST = 10, LINE = 60, HOST = 22 };

    wspi_pen_format(p, "User-Agent: LimeWire/4.%u.%u\r\n", 10 + wspi_dialog_number(d, 20) % 9,
                    wspi_dialog_number(d, 21 + (unsigned)dir) % 10);
    wspi_pen_format(p, "X-Ultrapeer: %s\r\nX-Query-Routing: 0.1\r\n", dir ? "True" : "False");
    if (wspi_pen_left(p, want, 2) > 130) {
        wspi_pen_text(p, "GGEP: 0.5\r\nPong-Caching: 0.1\r\nVendor-Message: 0.1\r\n"
                         "X-Ultrapeer-Query-Routing: 0.1\r\nX-Max-TTL: 3\r\nListen-IP: ");
        host_text(d, p, (unsigned)dir);
        wspi_pen_text(p, "\r\n");
    }
    if (!dir || wspi_pen_left(p, want, 2) < LINE)
        return;
    wspi_pen_text(p, "X-Try-Ultrapeers: ");
    for (unsigned k = 0; k < MOST && (k == 0 || wspi_pen_left(p, want, 4) > HOST); k++) {
        wspi_pen_text(p, k ? "," : "");
        host_text(d, p, 2 + k);
    }
    wspi_pen_text(p, "\r\n");
}

static void gnutella_hello(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    bool first = d->said[dir] == 0;

    wspi_pen_text(p, first && !dir ? "GNUTELLA CONNECT/0.6\r\n" : "GNUTELLA/0.6 200 OK\r\n");
    if (first)
        gnutella_headers(d, p, dir, want);
    else
        wspi_pen_format(p, "X-Ultrapeer: %s\r\n", dir ? "True" : "False");
    wspi_pen_text(p, "\r\n");
}

/* The length is written by gnutella_end. */
static size_t gnutella_begin(const wspi_dialog *d, wspi_pen *p, int asker, enum gnutella_type type)
{
    enum { TTL = 3 };
    size_t at = p->n;
    bool answer = type == GNUTELLA_PONG || type == GNUTELLA_HIT;

    guid(d, p, 2 * d->kept[QUESTIONS + asker] + (unsigned)asker);
    wspi_pen_be(p, type, 1);
    wspi_pen_be(p, type == GNUTELLA_QUERY || answer ? TTL : 1, 1);
    wspi_pen_be(p, answer ? wspi_pen_pick(p, TTL) : 0, 1);
    wspi_pen_zeros(p, 4);
    return at;
}

static void gnutella_end(wspi_pen *p, size_t at)
{
    wspi_pen_le_at(p, at + GNUTELLA_HEAD - 4, p->n - at - GNUTELLA_HEAD, 4);
}

/* GGEP: | 0xc3 | extensions |; an extension: | last 1, 0 0 0, bytes of its name 4 | name | length | data |, six bits of the length a byte. */
static void ggep(wspi_pen *p, const char *name, size_t length, bool last)
{
    wspi_pen_be(p, (last ? 0x80 : 0) | strlen(name), 1);
    wspi_pen_text(p, name);
    if (length >= 64)
        wspi_pen_be(p, 0x80 | length >> 6, 1);
    wspi_pen_be(p, 0x40 | (length & 63), 1);
}

enum { GGEP_MAGIC = 0xc3 };

/* Over UDP who asks for hosts says so: SCP, and DNA for those of the distributed table; or asks for a key to query with (GUESS: QK). */
static void gnutella_ping(const wspi_dialog *d, wspi_pen *p, int dir)
{
    size_t at = gnutella_begin(d, p, dir, GNUTELLA_PING);

    if (!d->tcp) {
        wspi_pen_be(p, GGEP_MAGIC, 1);
        if (d->said[dir] % 3 == 2) {
            ggep(p, "QK", 0, true);
        } else {
            ggep(p, "SCP", 0, false);
            ggep(p, "DNA", 0, true);
        }
    }
    gnutella_end(p, at);
}

static void gnutella_pong(const wspi_dialog *d, wspi_pen *p, int dir, unsigned k, size_t want)
{
    enum { MOST = 20, EXTENSION = 8 };
    size_t at = gnutella_begin(d, p, !dir, GNUTELLA_PONG), hosts;
    unsigned of = k ? 2 + k : (unsigned)dir;

    wspi_pen_le(p, GNUTELLA_PORT, 2);
    wspi_pen_be(p, host(d, of), 4);
    wspi_pen_le(p, wspi_dialog_number(d, 60 + of) % 2000, 4);
    wspi_pen_le(p, wspi_dialog_number(d, 90 + of) % 4000000, 4);
    hosts = d->tcp ? 0 : WSPI_MIN(wspi_pen_left(p, want, EXTENSION) / ADDRESS_SIZE, (size_t)MOST);
    if (hosts) { /* those that have free places: | IPv4 | port 16 |, low byte first */
        wspi_pen_be(p, GGEP_MAGIC, 1);
        ggep(p, "IPP", hosts * ADDRESS_SIZE, true);
        for (unsigned i = 0; i < hosts; i++) {
            wspi_pen_be(p, host(d, 2 + i), 4);
            wspi_pen_le(p, GNUTELLA_PORT, 2);
        }
    }
    gnutella_end(p, at);
}

static void gnutella_query(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { LONGEST = 80, FLAGS = 0x8000 };
    size_t at = gnutella_begin(d, p, dir, GNUTELLA_QUERY);

    wspi_pen_be(p, FLAGS, 2);
    wspi_pen_prose(p, WSPI_MIN(WSPI_MAX(wspi_pen_left(p, want, 1), 4u), (size_t)LONGEST));
    wspi_pen_zeros(p, 1);
    gnutella_end(p, at);
}

/* One result at least, then as many as there is room for; the last name is longer. */
static void gnutella_hit(const wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { FILE = 40, FIXED = 14, END = 7 + GUID, LONGEST = 200, MOST = 30 };
    static const char *const kinds[] = {".mp3", ".ogg", ".avi", ".pdf", ".zip"};
    size_t at = gnutella_begin(d, p, !dir, GNUTELLA_HIT), room, results = 0;

    wspi_pen_zeros(p, 1);
    wspi_pen_le(p, GNUTELLA_PORT, 2);
    wspi_pen_be(p, host(d, (unsigned)dir), 4);
    wspi_pen_le(p, 100 + wspi_dialog_number(d, 25) % 900, 4);
    do {
        room = wspi_pen_left(p, want, END + FIXED);
        wspi_pen_le(p, wspi_pen_pick(p, 5000), 4);
        wspi_pen_le(p, 100000 + wspi_pen_pick(p, 9000000), 4);
        wspi_pen_prose(p, room > (size_t)2 * FILE ? FILE
                                                  : WSPI_MIN(WSPI_MAX(room, 4u), (size_t)LONGEST));
        wspi_pen_text(p, kinds[wspi_pen_pick(p, WSPI_COUNT(kinds))]);
        wspi_pen_zeros(p, 2);
        results++;
    } while (results < MOST && wspi_pen_left(p, want, END + FIXED) > FILE / 2);
    wspi_pen_be_at(p, at + GNUTELLA_HEAD, results, 1);
    wspi_pen_text(p, "LIME");
    wspi_pen_add(p, "\2\x1c\x19", 3); /* flags: which count, and which are set: uploads, no push */
    guid(d, p, 100 + (unsigned)dir);
    gnutella_end(p, at);
}

/* What the other has asked is answered; else one asks: for hosts, or, if there is room, for files. */
static void gnutella_message(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LEAST_QUERY = GNUTELLA_HEAD + 20, PONG = GNUTELLA_HEAD + 14, MOST_PONGS = 10 };
    uint32_t asked = d->kept[ASKED + !dir];

    if (asked == 1 + GNUTELLA_QUERY) {
        gnutella_hit(d, p, dir, want);
    } else if (asked == 1 + GNUTELLA_PING) {
        gnutella_pong(d, p, dir, 0, want);
        for (unsigned k = 1; d->tcp && k < MOST_PONGS && wspi_pen_left(p, want, 0) >= PONG; k++)
            gnutella_pong(d, p, dir, k, want);
    } else {
        bool query = want >= LEAST_QUERY && d->said[dir] > 0;
        d->kept[QUESTIONS + dir]++;
        d->kept[ASKED + dir] = 1 + (query ? GNUTELLA_QUERY : GNUTELLA_PING);
        if (query)
            gnutella_query(d, p, dir, want);
        else
            gnutella_ping(d, p, dir);
    }
    if (asked)
        d->kept[ASKED + !dir] = 0;
}

void wspi_say_gnutella(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (d->tcp && d->said[dir] < 2 && d->said[!dir] < d->said[dir] + (unsigned)dir)
        return; /* connect, granted, agreed */
    if (d->tcp && d->said[dir] < 2 - (unsigned)dir)
        gnutella_hello(d, p, dir, want);
    else
        gnutella_message(d, dir, p, want);
}

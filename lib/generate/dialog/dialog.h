/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialog.h: what the two sides of a flow say in protocols that have no grammar here: messages by rule, of about the length that the
 * model has drawn, whose framing and order are the protocol's and whose values are made up. The model says that there is a payload,
 * of which side, when and how long; without a dialog it would be likely bytes.
 *
 * A protocol is a row of the table in dialog.c and one function; small ones of a kind share a file.
 */
#ifndef WSPI_DIALOG_H
#define WSPI_DIALOG_H

#include "base/base.h"

/* ---- a payload in the making ---- */

enum { WSPI_PEN_ROOM = 2048 };

/* What does not fit is not written, and `full` then says so. */
typedef struct wspi_pen {
    uint8_t bytes[WSPI_PEN_ROOM];
    size_t n;
    bool full;
    wspi_rng rng; /* of this payload */
} wspi_pen;

void wspi_pen_add(wspi_pen *p, const void *bytes, size_t n);
void wspi_pen_text(wspi_pen *p, const char *s); /* without its zero byte */
WSP_PRINTF(2, 3) void wspi_pen_format(wspi_pen *p, const char *format, ...); /* 255 bytes at most */
void wspi_pen_be(wspi_pen *p, uint64_t v, size_t bytes); /* 8 at most, the highest first */
void wspi_pen_le(wspi_pen *p, uint64_t v, size_t bytes); /* the lowest first */
/* Over what is written already: a length that was not known before. */
void wspi_pen_be_at(wspi_pen *p, size_t at, uint64_t v, size_t bytes);
void wspi_pen_le_at(wspi_pen *p, size_t at, uint64_t v, size_t bytes);
void wspi_pen_zeros(wspi_pen *p, size_t n);
void wspi_pen_random(wspi_pen *p, size_t n);
void wspi_pen_letters(wspi_pen *p, size_t n); /* small ones, as a word */
void wspi_pen_prose(wspi_pen *p, size_t n);   /* words with blanks between them: just n bytes */
/* One of [0, n), n > 0. */
unsigned wspi_pen_pick(wspi_pen *p, unsigned n);
/* How many bytes are left of `want`, `behind` of which come later; 0: none. */
size_t wspi_pen_left(const wspi_pen *p, size_t want, size_t behind);

/* ---- a flow's dialog ---- */

typedef struct wspi_dialog_kind wspi_dialog_kind;

/* Plain data, so that a payload can be tried on a copy. Zeroed, with kind and seed, where the flow begins. */
typedef struct wspi_dialog {
    const wspi_dialog_kind *kind; /* NULL: none */
    uint64_t seed;
    bool tcp;         /* the flow is TCP's, else UDP's */
    uint32_t said[2]; /* payloads that either side has sent: 0, who opened the flow; 1, the other */
    uint8_t spoke;    /* who sent the last one */
    bool speaks;      /* it has said something */
    bool off;         /* it has said something else */
    uint32_t kept[10]; /* the protocol's own; 0 at first */
} wspi_dialog;

/*
 * Writes what side `dir` says next: a whole message or several, of `want` bytes (1 to 1,460) if such messages can have that length,
 * else of less, or of the least that a message has: of more than `want` only where that is less than 900. Any side may be asked at any
 * time, also twice in a row, or first. Over TCP one that has to wait for the other writes nothing, and sends no payload then; the other
 * has something to say. Over UDP something is said, as fitting as may be. d->said and d->spoke are of the payloads before, and are
 * counted by the caller.
 */
typedef void wspi_dialog_say(wspi_dialog *d, int dir, wspi_pen *p, size_t want);

enum {
    WSPI_DIALOG_TCP = 1,
    WSPI_DIALOG_UDP = 2,
    WSPI_DIALOG_PEERS = 4, /* both sides have its port */
    WSPI_DIALOG_SHARED = 8 /* others are served there, too: its port alone does not tell it */
};

struct wspi_dialog_kind {
    const char *label; /* of a model's head */
    uint16_t port;     /* where its server listens */
    uint8_t over;      /* of the above */
    wspi_dialog_say *say;
};

/* NULL: there is none. */
const wspi_dialog_kind *wspi_dialog_of_label(const char *label);
const wspi_dialog_kind *wspi_dialog_of_port(uint16_t port, uint8_t over);
const wspi_dialog_kind *wspi_dialog_at(size_t i); /* of the table; NULL after the last */
/* A name that stays the same in the flow: its k-th, of 4 to 9 small letters. Writes the zero byte, too. */
enum { WSPI_DIALOG_NAME = 10 };
void wspi_dialog_name(const wspi_dialog *d, unsigned k, char name[WSPI_DIALOG_NAME]);
/* A number that stays the same in the flow: its k-th. */
uint32_t wspi_dialog_number(const wspi_dialog *d, unsigned k);

/* TLS 1.3 inside of another protocol: a side's hello if it is its first message, else data that cannot be read. tls.c */
void wspi_pen_tls(wspi_pen *p, int dir, bool first, size_t want);

/* ---- protocols ---- */

wspi_dialog_say wspi_say_iscsi;                                /* block.c */
wspi_dialog_say wspi_say_bjnp, wspi_say_dropbox, wspi_say_wsd; /* discovery.c */
wspi_dialog_say wspi_say_iec104;                               /* grid.c */
wspi_dialog_say wspi_say_ethernetip;                           /* industry.c */
wspi_dialog_say wspi_say_iperf;                                /* iperf.c */
wspi_dialog_say wspi_say_discord, wspi_say_whatsapp;           /* messenger.c */
wspi_dialog_say wspi_say_nats;                                 /* nats.c */
wspi_dialog_say wspi_say_opcua;                                /* opcua.c */
wspi_dialog_say wspi_say_bittorrent, wspi_say_gnutella;        /* peer.c */
wspi_dialog_say wspi_say_postgresql;                           /* postgresql.c */
wspi_dialog_say wspi_say_amqp;                                 /* queue.c */
wspi_dialog_say wspi_say_bgp, wspi_say_hsrp;                   /* route.c */
wspi_dialog_say wspi_say_rfb;                                  /* screen.c */
wspi_dialog_say wspi_say_memcached, wspi_say_mysql;            /* store.c */
wspi_dialog_say wspi_say_tds;                                  /* tds.c */
wspi_dialog_say wspi_say_git, wspi_say_irc, wspi_say_rsync, wspi_say_stratum,
    wspi_say_telnet;                                                 /* text.c */
wspi_dialog_say wspi_say_openvpn, wspi_say_tinc, wspi_say_wireguard; /* tunnel.c */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel.c: dialogs of protocols that carry others, encrypted. */
#include "generate/dialog/dialog.h"

/*
 * WireGuard (Donenfeld, 2017, section 5.4; https://www.wireguard.com/protocol/):
 *
 *     initiation | 1, 0 0 0 | sender 32 | ephemeral 256 | static 384 | timestamp 224 | MACs 128 128 |
 *     response   | 2, 0 0 0 | sender 32 | receiver 32 | ephemeral 256 | nothing 128 | MACs 128 128 |
 *     data       | 4, 0 0 0 | receiver 32 | counter 64 | multiples of 16 bytes, and a tag of 16 |
 */
void wspi_say_wireguard(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum {
        INITIATION = 1,
        RESPONSE,
        DATA = 4,
        INITIATED = 148,
        RESPONDED = 92,
        HEAD = 16,
        TAG = 16
    };
    unsigned type = d->said[dir] > 0 || want > INITIATED ? DATA : dir == 0 ? INITIATION : RESPONSE;

    wspi_pen_le(p, type, 4);
    if (type == DATA) {
        wspi_pen_le(p, wspi_dialog_number(d, !dir), 4);
        wspi_pen_le(p, d->kept[dir]++, 8);
        want = WSPI_MAX(want, (size_t)HEAD + TAG);
        wspi_pen_random(p, (want - HEAD) / TAG * TAG);
        return;
    }
    wspi_pen_le(p, wspi_dialog_number(d, (unsigned)dir), 4);
    if (type == RESPONSE)
        wspi_pen_le(p, wspi_dialog_number(d, 0), 4);
    wspi_pen_random(p, (type == INITIATION ? INITIATED : RESPONDED) - p->n);
}

/* ---- OpenVPN (draft-openvpn-wire-protocol-00) ---- */

enum { CONTROL = 4, ACKED = 5, CLIENT_RESET = 7, SERVER_RESET = 8, DATA_2 = 9, HELLOS = 2 };

/* | opcode 5, key 3 | session 64 | */
static void openvpn_head(const wspi_dialog *d, wspi_pen *p, unsigned opcode, int dir)
{
    wspi_pen_be(p, opcode << 3, 1);
    wspi_pen_be(p,
                (uint64_t)wspi_dialog_number(d, (unsigned)dir) << 32 |
                    wspi_dialog_number(d, 2 + (unsigned)dir),
                8);
}

/* | how many | the last message of the other side's | its session |; it has sent one. */
static void openvpn_acks(const wspi_dialog *d, wspi_pen *p, int dir)
{
    wspi_pen_be(p, 1, 1);
    wspi_pen_be(p, d->said[!dir] - 1, 4);
    wspi_pen_be(p, (uint64_t)wspi_dialog_number(d, !dir) << 32 | wspi_dialog_number(d, 2 + !dir),
                8);
}

/* | opcode, key | peer 24 | counter 32 | tag 128, ciphertext | */
static void openvpn_data(wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { TAG = 16 };

    wspi_pen_be(p, DATA_2 << 3, 1);
    wspi_pen_be(p, 0, 3);
    wspi_pen_be(p, ++d->kept[dir], 4);
    wspi_pen_random(p, WSPI_MAX(wspi_pen_left(p, want, 0), (size_t)TAG + 1));
}

/* Resets, the hellos of TLS, then data; acknowledgements where there is no room for them. */
static void openvpn_packet(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { ACK_ONLY = 24, LEAST_CONTROL = 160 };
    bool reset = d->said[dir] == 0, knows = d->said[!dir] > 0;
    unsigned opcode = reset                             ? (dir ? SERVER_RESET : CLIENT_RESET)
                      : want >= LEAST_CONTROL || !knows ? CONTROL
                                                        : ACKED;

    if (!reset && d->said[dir] > HELLOS && want > ACK_ONLY) {
        openvpn_data(d, p, dir, want);
        return;
    }
    openvpn_head(d, p, opcode, dir);
    if (knows)
        openvpn_acks(d, p, dir);
    else
        wspi_pen_be(p, 0, 1);
    if (opcode != ACKED)
        wspi_pen_be(p, d->said[dir], 4);
    if (opcode == CONTROL)
        wspi_pen_tls(p, dir, d->said[dir] == 1, want);
}

/* Over TCP with its length before it, in two bytes. */
void wspi_say_openvpn(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LENGTH = 2 };

    if (d->tcp)
        wspi_pen_zeros(p, LENGTH);
    openvpn_packet(d, dir, p, want);
    if (d->tcp)
        wspi_pen_be_at(p, 0, p->n - LENGTH, LENGTH);
}

/* ---- tinc 1.0 over TCP (doc/tinc.texi, "The meta-protocol") ---- */

/* Each side's first line: ID, name, version; and its key, METAKEY; all is encrypted behind them. */
void wspi_say_tinc(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { KEY = 64 };
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, (unsigned)dir, name);
    if (d->said[dir] == 0) {
        wspi_pen_format(p, "0 %s 17\n", name);
    } else if (d->said[dir] ==
               1) { /* cipher, digest, length of its code, compression, the key in hex */
        wspi_pen_text(p, "1 94 64 0 0 ");
        for (unsigned i = 0; i < KEY; i++)
            wspi_pen_format(p, "%02X", wspi_pen_pick(p, 256));
        wspi_pen_text(p, "\n");
    } else {
        wspi_pen_random(p, want);
    }
}

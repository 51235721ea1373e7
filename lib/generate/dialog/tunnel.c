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

enum opcode { CONTROL = 4, ACKED = 5, CLIENT_RESET = 7, SERVER_RESET = 8, DATA_2 = 9 };

/*
 * kept, of either side: control packets that it has sent, how many of the other side's it has acknowledged, packets of data, and whether
 * its last packet only acknowledged. Control packets have numbers from 0 on; the first is a reset, the second brings the hello of TLS.
 */
enum { CONTROLS, ACKNOWLEDGED = 2, COUNTER = 4, ONLY_ACKED = 6, HELLO = 1 };

/* | opcode 5, key 3 | session 64 | */
static void openvpn_head(const wspi_dialog *d, wspi_pen *p, unsigned opcode, int dir)
{
    wspi_pen_be(p, opcode << 3, 1);
    wspi_pen_be(p,
                (uint64_t)wspi_dialog_number(d, (unsigned)dir) << 32 |
                    wspi_dialog_number(d, 2 + (unsigned)dir),
                8);
}

static uint32_t openvpn_open(const wspi_dialog *d, int dir)
{
    return d->kept[CONTROLS + !dir] - d->kept[ACKNOWLEDGED + dir];
}

/* | how many | the other side's control packets | its session |, which is not there where nothing is to be acknowledged. */
static void openvpn_acks(wspi_dialog *d, wspi_pen *p, int dir)
{
    enum { MOST = 4 };
    uint32_t n = WSPI_MIN(openvpn_open(d, dir), (uint32_t)MOST);

    wspi_pen_be(p, n, 1);
    if (n == 0)
        return;
    for (; n > 0; n--)
        wspi_pen_be(p, d->kept[ACKNOWLEDGED + dir]++, 4);
    wspi_pen_be(p, (uint64_t)wspi_dialog_number(d, !dir) << 32 | wspi_dialog_number(d, 2 + !dir),
                8);
}

/* | opcode, key | peer 24 | counter 32 | tag 128, ciphertext | */
static void openvpn_data(wspi_dialog *d, wspi_pen *p, int dir, size_t want)
{
    enum { TAG = 16 };

    wspi_pen_be(p, DATA_2 << 3, 1);
    wspi_pen_be(p, 0, 3);
    wspi_pen_be(p, ++d->kept[COUNTER + dir], 4);
    wspi_pen_random(p, WSPI_MAX(wspi_pen_left(p, want, 0), (size_t)TAG + 1));
}

/* | number 32 | the reset's nothing, or TLS |; a reset that is sent again keeps its number. */
static void openvpn_control(wspi_dialog *d, wspi_pen *p, enum opcode opcode, int dir, size_t want)
{
    uint32_t number = opcode == CONTROL ? d->kept[CONTROLS + dir] : 0;

    openvpn_head(d, p, opcode, dir);
    openvpn_acks(d, p, dir);
    wspi_pen_be(p, number, 4);
    if (opcode == CONTROL)
        wspi_pen_tls(p, dir, number == HELLO, want);
    d->kept[CONTROLS + dir] = number + 1;
}

/*
 * Resets, TLS until a side has sent its hello and one more, and has got the other's hello; then data. What has come is acknowledged,
 * alone where there is no room for more, but not twice in a row before there are data. The server resets when it is asked to, and its
 * hello answers the client's: who waits says nothing over TCP, and its reset once more over UDP.
 */
static void openvpn_packet(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LEAST_CONTROL = 160, SETTLED = HELLO + 2 };
    const uint32_t *controls = d->kept + CONTROLS;
    bool waits = dir == 0 ? controls[0] == 1 && controls[1] == 0
                          : controls[0] <= HELLO && controls[0] <= controls[1];
    bool settled = controls[dir] >= SETTLED && controls[!dir] > HELLO, alone;

    if (!settled && waits && d->tcp)
        return;
    alone = openvpn_open(d, dir) > 0 && controls[dir] > 0 && want < LEAST_CONTROL &&
            (settled || !d->kept[ONLY_ACKED + dir]);
    d->kept[ONLY_ACKED + dir] = alone;
    if (alone) {
        openvpn_head(d, p, ACKED, dir);
        openvpn_acks(d, p, dir);
    } else if (settled) {
        openvpn_data(d, p, dir, want);
    } else if (controls[dir] == 0 || (waits && controls[dir] == 1)) {
        openvpn_control(d, p, dir ? SERVER_RESET : CLIENT_RESET, dir, want);
    } else {
        openvpn_control(d, p, CONTROL, dir, want);
    }
}

/* Over TCP with its length before it, in two bytes. */
void wspi_say_openvpn(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LENGTH = 2 };
    wspi_pen packet = {.rng = p->rng};

    openvpn_packet(d, dir, &packet, d->tcp ? want - WSPI_MIN(want, LENGTH) : want);
    if (d->tcp && packet.n > 0)
        wspi_pen_be(p, packet.n, LENGTH);
    wspi_pen_add(p, packet.bytes, packet.n);
    p->full |= packet.full;
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

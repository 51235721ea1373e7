/* SPDX-License-Identifier: Apache-2.0 */
/* messenger.c: dialogs of programs that people write or talk to each other with: most of it is encrypted. */
#include "generate/dialog/dialog.h"

/*
 * ---- WhatsApp over TCP ("WhatsApp Encryption Overview": Noise pipes, Curve25519, AES-GCM; Noise Protocol Framework, revision 34) ----
 *
 *     once, of the client | "ED" 0 1 | length 24 | which servers it is routed to | "WA" | version 8 | dictionary 8 |
 *     each message        | length 24 | ... |
 *
 * Those of the handshake are Protocol Buffers, a field of one that has up to three: ephemeral key, static key, payload. With XX the sides
 * tell their keys in turns, with IK the client knows the server's. What follows is ciphertext and its tag.
 */
enum { KEY = 32, TAG = 16, SEALED_KEY = KEY + TAG, LENGTH = 3, FIELDS = 3, MOST_SEALED = 1000 };

/* Kept: XX, or IK. */
enum { PATTERN };
enum { XX, IK };

enum hello { CLIENT_HELLO = 2, SERVER_HELLO, CLIENT_FINISH };

static size_t varint_size(size_t v)
{
    return v < 128 ? 1 : 2;
}

/* v < 2^14 */
static void varint(wspi_pen *p, size_t v)
{
    if (v >= 128)
        wspi_pen_be(p, 0x80 | (v & 0x7f), 1);
    wspi_pen_be(p, v < 128 ? v : v >> 7, 1);
}

/* Fields of bytes (wire type 2). */
static void field(wspi_pen *p, unsigned number, size_t n)
{
    wspi_pen_be(p, number << 3 | 2, 1);
    varint(p, n);
}

/* A field of a number (wire type 0). */
static void field_number(wspi_pen *p, unsigned number)
{
    wspi_pen_be(p, number << 3, 1);
}

static size_t field_size(size_t n)
{
    return n ? 1 + varint_size(n) + n : 0;
}

/* How many bytes the payload has so that the message is not longer than it shall be, and has a tag at least. */
static size_t sealed(const wspi_pen *p, size_t want, size_t keys, size_t most)
{
    enum { HEADS = 6 };

    return WSPI_MIN(WSPI_MAX(wspi_pen_left(p, want, LENGTH + keys + HEADS), TAG + 8u), most);
}

/* Its i-th field is number i + 1; of 0 bytes: there is none. */
static void handshake(wspi_pen *p, enum hello h, const size_t sizes[FIELDS])
{
    size_t inside = 0;

    for (size_t i = 0; i < FIELDS; i++)
        inside += field_size(sizes[i]);
    wspi_pen_be(p, field_size(inside), LENGTH);
    field(p, h, inside);
    for (size_t i = 0; i < FIELDS; i++) {
        if (!sizes[i])
            continue;
        field(p, (unsigned)i + 1, sizes[i]);
        wspi_pen_random(p, sizes[i]);
    }
}

static void client_hello(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_IK = 160, ROUTE = 4, MOST = 600 };
    bool ik = want >= LEAST_IK;

    d->kept[PATTERN] = ik ? IK : XX;
    wspi_pen_add(p, "ED\0\1", 4);
    wspi_pen_be(p, ROUTE, LENGTH);
    for (unsigned i = 0; i < ROUTE / 2; i++) { /* | number 1 | a small number | */
        field_number(p, 1);
        varint(p, 1 + wspi_pen_pick(p, 15));
    }
    wspi_pen_add(p, "WA\5\2", 4);
    handshake(p, CLIENT_HELLO,
              (size_t[FIELDS]){KEY, ik ? SEALED_KEY : 0,
                               ik ? sealed(p, want, KEY + SEALED_KEY, MOST) : 0});
}

void wspi_say_whatsapp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    bool xx = d->kept[PATTERN] != IK;

    if (d->said[dir] == 0 && dir == 0) {
        client_hello(d, p, want);
    } else if (d->said[!dir] == 0 || (dir && d->said[1] == 1 && xx && d->said[0] == 1)) {
        return; /* for the other's hello, or with XX for the client's key */
    } else if (d->said[dir] == 0) {
        handshake(p, SERVER_HELLO,
                  (size_t[FIELDS]){KEY, xx ? SEALED_KEY : 0,
                                   sealed(p, want, KEY + (xx ? SEALED_KEY : 0), MOST_SEALED)});
    } else if (d->said[dir] == 1 && dir == 0 && xx) {
        handshake(p, CLIENT_FINISH,
                  (size_t[FIELDS]){SEALED_KEY, sealed(p, want, SEALED_KEY, MOST_SEALED), 0});
    } else {
        size_t n = WSPI_MAX(wspi_pen_left(p, want, LENGTH), TAG + 1u);

        wspi_pen_be(p, n, LENGTH);
        wspi_pen_random(p, n);
    }
}

/*
 * ---- Discord's voice over UDP (its developers' documentation, "Voice Connections") ----
 *
 *     IP discovery | 1: asks, 2: answers, 16 | length 16 | SSRC 32 | address, 64 bytes of text | port 16 |
 *     alive        | 0x1337cafe | number 32, low byte first |, and the same back
 *     voice        | RTP with an extension of one word | ciphertext, and its tag of 16 bytes | nonce 32 |
 */
enum { ASKED, ALIVE, SENT };

static void discord_discovery(const wspi_dialog *d, int dir, wspi_pen *p)
{
    enum { SIZE = 70, ADDRESS = 64 };
    size_t at;

    wspi_pen_be(p, dir ? 2 : 1, 2);
    wspi_pen_be(p, SIZE, 2);
    wspi_pen_be(p, wspi_dialog_number(d, 0) & 0xffff, 4);
    at = p->n;
    if (dir) /* as the server sees the client: 198.51.100.0/24 (RFC 5737) */
        wspi_pen_format(p, "198.51.100.%u", wspi_dialog_number(d, 1) % 256);
    wspi_pen_zeros(p, at + ADDRESS - p->n);
    wspi_pen_be(p, dir ? 49152 + wspi_dialog_number(d, 2) % 16384 : 0, 2);
}

/* Opus at 48 kHz, 20 ms a packet. */
static void discord_voice(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { VERSION_2_EXTENDED = 0x90, OPUS = 120, SAMPLES = 960, HEAD = 16, LEAST = 44, NONCE = 4 };
    uint32_t k = d->kept[SENT + dir]++, of = 4 + 3 * (unsigned)dir;

    wspi_pen_be(p, VERSION_2_EXTENDED, 1);
    wspi_pen_be(p, OPUS, 1);
    wspi_pen_be(p, (wspi_dialog_number(d, of) + k) & 0xffff, 2);
    wspi_pen_be(p, (wspi_dialog_number(d, of + 1) + SAMPLES * k) & UINT32_MAX, 4);
    wspi_pen_be(p, dir ? wspi_dialog_number(d, of + 2) & 0xffff : wspi_dialog_number(d, 0) & 0xffff,
                4);
    wspi_pen_be(p, 0xbede0001, 4);
    wspi_pen_random(p, WSPI_MAX(want, (size_t)LEAST) - HEAD - NONCE);
    wspi_pen_be(p, k, NONCE);
}

void wspi_say_discord(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LEAST_VOICE = 44 };

    if (dir ? d->kept[ASKED] == 1 : d->said[0] == 0 && want >= LEAST_VOICE) {
        d->kept[ASKED]++;
        discord_discovery(d, dir, p);
    } else if (want >= LEAST_VOICE) {
        discord_voice(d, dir, p, want);
    } else {
        wspi_pen_be(p, 0x1337cafe, 4);
        wspi_pen_le(p, dir ? d->kept[ALIVE] : ++d->kept[ALIVE], 4);
    }
}

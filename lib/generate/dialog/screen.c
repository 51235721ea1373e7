/* SPDX-License-Identifier: Apache-2.0 */
/* screen.c: dialogs of screens that are seen elsewhere. */
#include "generate/dialog/dialog.h"

/* ---- RFB 3.8, of VNC (RFC 6143): without a password; then the server sends what has changed, the client keys and moves ---- */

enum { WIDTH = 1024, HEIGHT = 768 };

/* 7.3.2: | width 16 | height 16 | format: 32 bits a pixel, depth 24, true colour | length 32 | name | */
static void rfb_screen(const wspi_dialog *d, wspi_pen *p)
{
    static const uint8_t format[16] = {32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0};
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, 0, name);
    wspi_pen_be(p, WIDTH, 2);
    wspi_pen_be(p, HEIGHT, 2);
    wspi_pen_add(p, format, sizeof format);
    wspi_pen_be(p, strlen(name) + 2, 4);
    wspi_pen_format(p, "%s:1", name);
}

/* 7.6.1: | 0, 0 | one rectangle: x, y, width, height, each 16 | encoding 32 | pixels, raw, or where they are copied from |. */
static void rfb_update(wspi_pen *p, size_t want)
{
    enum { HEAD = 16, PIXEL = 4, RAW = 0, COPY = 1 };
    size_t pixels = want > HEAD + PIXEL ? (want - HEAD) / PIXEL : 1, width = pixels;
    unsigned rows = 1;

    while (width > 16 && width % 2 == 0) {
        width /= 2;
        rows *= 2;
    }
    wspi_pen_be(p, 1, 4);
    wspi_pen_be(p, wspi_pen_pick(p, WIDTH / 2), 2);
    wspi_pen_be(p, wspi_pen_pick(p, HEIGHT / 2), 2);
    wspi_pen_be(p, width, 2);
    wspi_pen_be(p, rows, 2);
    wspi_pen_be(p, pixels > 1 ? RAW : COPY, 4);
    if (pixels > 1)
        for (size_t i = 0; i < pixels; i++)
            wspi_pen_be(p, wspi_pen_pick(p, 4) ? 0xd0d0d000 : 0x20304000, PIXEL);
    else
        wspi_pen_be(p, (uint64_t)wspi_pen_pick(p, WIDTH / 2) << 16 | wspi_pen_pick(p, HEIGHT / 2),
                    4);
}

static void rfb_server(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    switch (d->said[1]) {
    case 0: wspi_pen_text(p, "RFB 003.008\n"); return;
    case 1: wspi_pen_add(p, "\1\1", 2); return; /* one way to log in: none */
    case 2: wspi_pen_be(p, 0, 4); return;       /* granted */
    case 3: rfb_screen(d, p); return;
    default: rfb_update(p, want); return;
    }
}

/* 7.5: a key, a move, a question for what has changed, as long as there is room; text that was cut, if there is much. */
static void rfb_events(wspi_pen *p, size_t want)
{
    enum { KEY = 4, MOVE = 5, CUT = 6, ASK = 3, CUT_HEAD = 8, MUCH = 64 };

    if (want > MUCH) {
        wspi_pen_be(p, CUT, 1);
        wspi_pen_zeros(p, 3);
        wspi_pen_be(p, want - CUT_HEAD, 4);
        wspi_pen_prose(p, want - CUT_HEAD);
        return;
    }
    do {
        size_t left = wspi_pen_left(p, want, 0);
        if (left >= 10 && left != 12 && left != 14) {
            wspi_pen_be(p, ASK << 8 | 1, 2);
            wspi_pen_be(p, 0, 4);
            wspi_pen_be(p, WIDTH << 16 | HEIGHT, 4);
        } else if (left == 8 || left == 14) {
            wspi_pen_be(p, KEY << 8 | wspi_pen_pick(p, 2), 2);
            wspi_pen_be(p, 'a' + wspi_pen_pick(p, 26), 6);
        } else {
            wspi_pen_be(p, MOVE, 1);
            wspi_pen_be(p, wspi_pen_pick(p, 2), 1);
            wspi_pen_be(p, wspi_pen_pick(p, WIDTH), 2);
            wspi_pen_be(p, wspi_pen_pick(p, HEIGHT), 2);
        }
    } while (wspi_pen_left(p, want, 0) >= 6 && !p->full);
}

/* 7.1 to 7.3: four messages of each side in turns, the server's first, then any. */
void wspi_say_rfb(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { IN_TURNS = 4 };

    if (d->said[dir] < IN_TURNS && d->said[!dir] < d->said[dir] + !dir)
        return;
    if (dir)
        rfb_server(d, p, want);
    else if (d->said[0] == 0)
        wspi_pen_text(p, "RFB 003.008\n");
    else if (d->said[0] <= 2)
        wspi_pen_be(p, 1, 1); /* none; others may look on, too */
    else
        rfb_events(p, want);
}

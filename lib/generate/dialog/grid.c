/* SPDX-License-Identifier: Apache-2.0 */
/* grid.c: dialogs of substations. */
#include "generate/dialog/dialog.h"

/*
 * IEC 60870-5-104 (section 5), and the ASDUs of IEC 60870-5-101 (section 7.2) in its I frames. All of it little-endian:
 *
 *     | 0x68 | length 8 | control 32 |    U: STARTDT, TESTFR   S: 1, received 15   I: sent 15, received 15
 *     ASDU | type 8 | sequence 1, count 7 | cause 16 | station 16 | objects: address 24, value |
 */
enum { APCI = 6, ASDU_HEAD = 6, ADDRESS = 3, ONE = APCI + ASDU_HEAD + ADDRESS, LONGEST_APDU = 255 };

enum { STARTDT = 0x07, STARTDT_CON = 0x0b, TESTFR = 0x43, TESTFR_CON = 0x83 };

/* causes of transmission */
enum {
    CYCLIC = 1,
    SPONTANEOUS = 3,
    REQUESTED = 5,
    ACTIVATED = 6,
    CONFIRMED = 7,
    ENDED = 10,
    INTERROGATED = 20
};

/*
 * kept: I frames that either side has sent, the U frame and the command (its row + 1) that wait, the command's number, and whether all
 * is being told that there is
 */
enum { SENT, ANSWERED = 2, ORDER, ORDERED, TELLING, STATION = 40, VALUES = 50 };

enum object_value {
    QUALITY,
    MEASURED,
    FLOATING,
    STAMPED = 4,
    QUALIFIED = 8,
    INTERROGATION = 16,
    DOUBLE = 32,
    BITS = 64
};

typedef struct object_type {
    uint8_t type, value, bytes;
} object_type;

/* M_SP_NA, M_DP_NA, M_ME_NA, M_ME_NC, M_SP_TB, M_DP_TB, M_ME_TF */
static const object_type monitored[] = {
    {1, QUALITY, 1},
    {3, DOUBLE, 1},
    {9, MEASURED | QUALIFIED, 3},
    {13, FLOATING | QUALIFIED, 5},
    {30, QUALITY | STAMPED, 8},
    {31, DOUBLE | STAMPED, 8},
    {36, FLOATING | STAMPED | QUALIFIED, 12},
};

/* C_RD, C_SC_NA, C_DC_NA, C_IC_NA, C_CI_NA, C_SE_NA, C_BO_NA, C_SE_NC, C_CS_NA, C_SC_TA */
static const object_type commands[] = {
    {102, QUALITY, 0},
    {45, QUALITY, 1},
    {46, DOUBLE, 1},
    {100, INTERROGATION, 1},
    {101, INTERROGATION, 1},
    {48, MEASURED | QUALIFIED, 3},
    {51, BITS, 4},
    {50, FLOATING | QUALIFIED, 5},
    {103, STAMPED | INTERROGATION, 7},
    {58, QUALITY | STAMPED, 8},
};

enum { C_RD = 0, C_IC = 3 };

static void apci_u(wspi_pen *p, unsigned function)
{
    wspi_pen_be(p, 0x6804, 2);
    wspi_pen_le(p, function, 4);
}

static void apci_s(const wspi_dialog *d, wspi_pen *p, int dir)
{
    wspi_pen_be(p, 0x6804, 2);
    wspi_pen_le(p, 1 | (d->kept[SENT + !dir] & 0x7fff) << 17, 4);
}

/* Of an ASDU up to its first object; n: bytes behind that. */
static void asdu_begin(wspi_dialog *d, wspi_pen *p, int dir, unsigned type, unsigned count,
                       unsigned cause, size_t n)
{
    wspi_pen_le(p, 0x68, 1);
    wspi_pen_le(p, APCI - 2 + ASDU_HEAD + n, 1);
    wspi_pen_le(p, (d->kept[SENT + dir]++ & 0x7fff) << 1, 2);
    wspi_pen_le(p, (d->kept[SENT + !dir] & 0x7fff) << 1, 2);
    wspi_pen_le(p, type | count << 8, 2);
    wspi_pen_le(p, cause, 2);
    wspi_pen_le(p, 1 + wspi_dialog_number(d, STATION) % 40, 2);
}

/* | milliseconds 16 | minute | hour | day | month | year | */
static void cp56(const wspi_dialog *d, wspi_pen *p, wspi_rng *rng)
{
    uint32_t day = wspi_dialog_number(d, STATION + 1);

    wspi_pen_le(p, wspi_rng_below(rng, 60000), 2);
    wspi_pen_le(p, (day + d->said[0]) % 60, 1);
    wspi_pen_le(p, day / 60 % 24, 1);
    wspi_pen_le(p, 1 + day / 1440 % 28, 1);
    wspi_pen_le(p, 1 + day / 40320 % 12, 1);
    wspi_pen_le(p, 18 + day / 483840 % 8, 1);
}

/* rng: a command's is its own, so that it is confirmed with the value that it had. */
static void object_write(const wspi_dialog *d, wspi_pen *p, const object_type *o, wspi_rng *rng)
{
    enum { STATION_CALLED = 20 };
    float value = (float)wspi_rng_below(rng, 50000) / 100.0f;
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (o->bytes == 0)
        return;
    if (o->value & FLOATING)
        wspi_pen_le(p, bits, 4);
    else if (o->value & MEASURED)
        wspi_pen_le(p, bits >> 8, 2);
    else if (o->value & BITS)
        wspi_pen_le(p, bits, 4);
    else if (o->value & INTERROGATION && !(o->value & STAMPED))
        wspi_pen_le(p, STATION_CALLED, 1);
    else if (!(o->value & INTERROGATION))
        wspi_pen_le(p, wspi_rng_below(rng, 2) + (o->value & DOUBLE ? 1 : 0), 1);
    if (o->value & QUALIFIED)
        wspi_pen_le(p, 0, 1);
    if (o->value & STAMPED)
        cp56(d, p, rng);
}

/* One frame of `count` objects; in_turn: their addresses follow one another, and only the first is written. */
static void objects(wspi_dialog *d, wspi_pen *p, const object_type *o, unsigned count, bool in_turn,
                    unsigned cause)
{
    enum { IN_TURN = 0x80 };
    unsigned at = 1 + wspi_pen_pick(p, 400);

    asdu_begin(d, p, 1, o->type, count | (in_turn ? IN_TURN : 0), cause,
               in_turn ? ADDRESS + (size_t)count * o->bytes
                       : (size_t)count * (ADDRESS + (size_t)o->bytes));
    for (unsigned k = 0; k < count; k++) {
        if (k == 0 || !in_turn)
            wspi_pen_le(p, at + k, 3);
        object_write(d, p, o, &p->rng);
    }
}

/* Frames of objects that fill up just what is left, if that is enough for one. */
static void report(wspi_dialog *d, wspi_pen *p, unsigned cause, size_t want)
{
    enum { LEAST = ONE + 1, SOME = 60, MANY = 12, PLAIN = 4 };
    size_t left;

    while ((left = wspi_pen_left(p, want, 0)) >= SOME && !p->full) {
        const object_type *o = &monitored[wspi_pen_pick(p, WSPI_COUNT(monitored))];
        size_t fit = (left - LEAST - APCI - ASDU_HEAD) / (ADDRESS + (size_t)o->bytes);
        objects(d, p, o, 1 + wspi_pen_pick(p, (unsigned)WSPI_MIN(fit, (size_t)MANY)), false, cause);
    }
    if (left >= LEAST) {
        const object_type *o = &monitored[wspi_pen_pick(p, PLAIN)];
        o = (left - ONE) % o->bytes ? &monitored[left % 2] : o; /* of one byte */
        objects(d, p, o, (unsigned)(left - ONE) / o->bytes, true, cause);
    }
}

/* A command, with a cause: asked, confirmed or at its end. */
static void command(wspi_dialog *d, wspi_pen *p, int dir, unsigned row, unsigned cause)
{
    const object_type *o = &commands[row];
    wspi_rng rng;

    wspi_rng_seed(&rng, d->seed + VALUES + d->kept[ORDERED]);
    asdu_begin(d, p, dir, o->type, 1, cause, (size_t)ADDRESS + o->bytes);
    wspi_pen_le(p, o->value & INTERROGATION ? 0 : 1 + wspi_rng_below(&rng, 400), 3);
    object_write(d, p, o, &rng);
}

/* | file 16 | section 8 | length 8 | segment | */
static void segment(wspi_dialog *d, wspi_pen *p, size_t n)
{
    enum { F_SG = 125, FILE_TRANSFER = 13, HEAD = 4 };
    size_t data = n - ONE - HEAD;

    asdu_begin(d, p, 0, F_SG, 1, FILE_TRANSFER, ADDRESS + HEAD + data);
    wspi_pen_le(p, 1 + wspi_dialog_number(d, STATION) % 400, 3);
    wspi_pen_le(p, 1, 2);
    wspi_pen_le(p, 1, 1);
    wspi_pen_le(p, data, 1);
    wspi_pen_random(p, data);
}

/* File segments that fill up just what is left. */
static void segments(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST = ONE + 5, MOST = LONGEST_APDU };
    size_t left;

    while ((left = wspi_pen_left(p, want, 0)) >= LEAST && !p->full)
        segment(d, p, left <= MOST ? left : left < MOST + LEAST ? MOST - LEAST : (size_t)MOST);
}

/* U or S: a start, a test, or what was received. */
static void iec104_short(wspi_dialog *d, wspi_pen *p)
{
    if (d->said[0] == 0)
        d->kept[ANSWERED] = STARTDT;
    else if (wspi_pen_pick(p, 2))
        d->kept[ANSWERED] = TESTFR;
    else {
        apci_s(d, p, 0);
        return;
    }
    apci_u(p, d->kept[ANSWERED]);
}

/* The row of a command that is not longer than want, but as long as may be. */
static unsigned command_of(wspi_pen *p, size_t want)
{
    unsigned best = 0, n = 0;

    for (unsigned i = 0; i < WSPI_COUNT(commands);
         i++) { /* the longer they are, the later they come */
        if ((size_t)ONE + commands[i].bytes > want)
            break;
        n = commands[i].bytes > commands[best].bytes ? 0 : n;
        if (wspi_pen_pick(p, ++n) == 0 || n == 1)
            best = i;
    }
    return best;
}

static void iec104_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { SHORT = 34 };
    unsigned k;

    if (d->said[0] == 0 || want < ONE) {
        iec104_short(d, p);
        return;
    }
    k = want > SHORT ? wspi_pen_pick(p, WSPI_COUNT(commands)) : command_of(p, want);
    d->kept[ORDER] = k + 1;
    d->kept[ORDERED]++;
    command(d, p, 0, k, k == C_RD ? REQUESTED : ACTIVATED);
    if (want > SHORT)
        segments(d, p, want);
}

/* Confirms the command that waits. Returns why what comes behind it is told. */
static unsigned confirm(wspi_dialog *d, wspi_pen *p, unsigned cause)
{
    unsigned row = d->kept[ORDER] - 1;

    d->kept[ORDER] = 0;
    if (row == C_RD)
        return REQUESTED;
    command(d, p, 1, row, CONFIRMED);
    d->kept[TELLING] |= row == C_IC;
    return cause;
}

/* What confirms a frame, then what it asked for; all that there is has an end behind it, when there is room. */
static void iec104_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { END = ONE + 1 };
    unsigned cause = wspi_pen_pick(p, 4) ? SPONTANEOUS : CYCLIC;
    size_t left;
    bool tells, ends;

    if (d->kept[ANSWERED]) {
        apci_u(p, d->kept[ANSWERED] == STARTDT ? STARTDT_CON : TESTFR_CON);
        d->kept[ANSWERED] = 0;
    }
    if (d->kept[ORDER] && (p->n == 0 || wspi_pen_left(p, want, 0) > (size_t)2 * ONE))
        cause = confirm(d, p, cause);
    left = wspi_pen_left(p, want, 0);
    tells = d->kept[TELLING] && cause != REQUESTED;
    ends = tells && (left == END || left >= (size_t)2 * END);
    report(d, p, tells ? INTERROGATED : cause, ends ? want - END : want);
    if (ends) {
        command(d, p, 1, C_IC, ENDED);
        d->kept[TELLING] = 0;
    }
    if (p->n == 0)
        apci_s(d, p, 1);
}

void wspi_say_iec104(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (dir == 0)
        iec104_ask(d, p, want);
    else if (d->said[0] == 0) /* nothing may be told before STARTDT */
        apci_u(p, TESTFR);
    else
        iec104_answer(d, p, want);
}

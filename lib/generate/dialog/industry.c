/* SPDX-License-Identifier: Apache-2.0 */
/* industry.c: dialogs of controllers in factories. */
#include "generate/dialog/dialog.h"

/*
 * EtherNet/IP (The CIP Networks Library, volume 2, chapter 2), which carries CIP (volume 1; services on tags: Rockwell 1756-PM020).
 * All of it little-endian:
 *
 *     | command 16 | length 16 | session 32 | status 32 | context 64 | options 32 | data |
 *     data of SendRRData and SendUnitData | interface 32 | timeout 16 | 2 items 16 | type 16 | length 16 | address | type 16 | length 16 | CIP |
 *     CIP  ask | service | words of path | path | data |    answer | service + 0x80 | 0 | status | words of more | data |
 */
enum eip_command {
    NOP = 0,
    LIST_SERVICES = 0x04,
    LIST_IDENTITY = 0x63,
    REGISTER = 0x65,
    RR_DATA = 0x6f,
    UNIT_DATA = 0x70
};

enum cip_service {
    GET_ALL = 0x01,
    GET_LIST = 0x03,
    GET_ONE = 0x0e,
    SET_ONE = 0x10,
    READ_TAG = 0x4c,
    WRITE_TAG = 0x4d,
    FORWARD_OPEN = 0x54
};

enum { EIP_HEAD = 24, CIP_AT = EIP_HEAD + 16, CONNECTED_MORE = 6, NO_SERVICE = 0 };

/* kept: the command and the service that wait for an answer, how much of what, its number, whether there is a connection */
enum { COMMAND, SERVICE, COUNT, CONTEXT, CONNECTED };

/* Numbers of the flow. */
enum { SESSION, SERIAL, PRODUCT, CONNECTION, BACK, CLOCK, TAG };

static const struct {
    const char *name;
    uint16_t vendor, device, code;
} products[] = {
    {"1756-L61/B LOGIX5561", 1, 14, 54},  {"1769-L24ER-QBFC1B LOGIX5324ER", 1, 14, 149},
    {"1756-ENBT/A", 1, 12, 58},           {"1766-L32BXB C/21.02", 1, 14, 90},
    {"PowerFlex 525 1P 110V", 1, 151, 9}, {"1734-AENTR Ethernet Adapter", 1, 12, 196},
};

static size_t eip_begin(const wspi_dialog *d, wspi_pen *p, unsigned command)
{
    wspi_pen_le(p, command, 2);
    wspi_pen_zeros(p, 2);
    wspi_pen_le(p, d->said[0] ? wspi_dialog_number(d, SESSION) : 0, 4);
    wspi_pen_zeros(p, 4);
    wspi_pen_le(p, command == UNIT_DATA ? 0 : wspi_dialog_number(d, CLOCK) + d->kept[CONTEXT], 4);
    wspi_pen_le(p, command == UNIT_DATA ? 0 : wspi_dialog_number(d, SESSION) >> 8, 4);
    wspi_pen_zeros(p, 4);
    return p->n - EIP_HEAD;
}

/* What a message of no CIP has behind its header. */
static void eip_plain(const wspi_dialog *d, wspi_pen *p, unsigned command, size_t want)
{
    size_t at = eip_begin(d, p, command);

    if (command == REGISTER)
        wspi_pen_le(p, 1, 4); /* version, no options */
    else if (command == NOP)
        wspi_pen_zeros(p, wspi_pen_left(p, want, 0));
    wspi_pen_le_at(p, at + 2, p->n - at - EIP_HEAD, 2);
}

static void cip_identity(const wspi_dialog *d, wspi_pen *p)
{
    unsigned k = wspi_dialog_number(d, PRODUCT) % WSPI_COUNT(products);

    wspi_pen_le(p, products[k].vendor, 2);
    wspi_pen_le(p, products[k].device, 2);
    wspi_pen_le(p, products[k].code, 2);
    wspi_pen_le(p, 11 + wspi_dialog_number(d, PRODUCT) % 22, 1);
    wspi_pen_le(p, 1 + wspi_dialog_number(d, SERIAL) % 11, 1);
    wspi_pen_le(p, 0x60, 2);
    wspi_pen_le(p, wspi_dialog_number(d, SERIAL), 4);
    wspi_pen_le(p, strlen(products[k].name), 1);
    wspi_pen_text(p, products[k].name);
}

/* One item of version 1: an identity behind a socket's address, or a service's name. */
static void eip_listed(const wspi_dialog *d, wspi_pen *p, unsigned command)
{
    enum { IDENTITY = 0x0c, SERVICES = 0x100, INET = 2, PORT = 44818, CIP_OVER_TCP = 0x20 };
    size_t at = eip_begin(d, p, command), item;

    wspi_pen_le(p, 1, 2);
    wspi_pen_le(p, command == LIST_IDENTITY ? IDENTITY : SERVICES, 2);
    wspi_pen_zeros(p, 2);
    item = p->n;
    wspi_pen_le(p, 1, 2);
    if (command == LIST_IDENTITY) {
        wspi_pen_be(p, INET, 2);
        wspi_pen_be(p, PORT, 2);
        wspi_pen_be(p, 0xc0a80a00u | wspi_dialog_number(d, SERIAL) % 254, 4);
        wspi_pen_zeros(p, 8);
        cip_identity(d, p);
        wspi_pen_le(p, 3, 1); /* operational */
    } else {
        wspi_pen_le(p, CIP_OVER_TCP, 2);
        wspi_pen_add(p, "Communications\0\0", 16);
    }
    wspi_pen_le_at(p, item - 2, p->n - item, 2);
    wspi_pen_le_at(p, at + 2, p->n - at - EIP_HEAD, 2);
}

/* All in front of CIP. */
static size_t cip_begin(const wspi_dialog *d, wspi_pen *p, int dir)
{
    enum { ADDRESS = 0xa1, CONNECTED_DATA = 0xb1, DATA = 0xb2, TIMEOUT = 10 };
    bool connected = d->kept[COMMAND] == UNIT_DATA;
    size_t at = eip_begin(d, p, d->kept[COMMAND]);

    wspi_pen_zeros(p, 4);
    wspi_pen_le(p, connected || dir ? 0 : TIMEOUT, 2);
    wspi_pen_le(p, 2, 2);
    if (connected) {
        wspi_pen_le(p, ADDRESS, 2);
        wspi_pen_le(p, 4, 2);
        wspi_pen_le(p, wspi_dialog_number(d, dir ? BACK : CONNECTION), 4);
        wspi_pen_le(p, CONNECTED_DATA, 2);
        wspi_pen_zeros(p, 2);
        wspi_pen_le(p, d->kept[CONTEXT], 2);
    } else {
        wspi_pen_zeros(p, 4);
        wspi_pen_le(p, DATA, 2);
        wspi_pen_zeros(p, 2);
    }
    return at;
}

static void cip_end(const wspi_dialog *d, wspi_pen *p, size_t at)
{
    bool connected = d->kept[COMMAND] == UNIT_DATA;
    size_t data = at + CIP_AT + (connected ? 4 : 0);

    wspi_pen_le_at(p, data - 2, p->n - data, 2);
    wspi_pen_le_at(p, at + 2, p->n - at - EIP_HEAD, 2);
}

/* | words | class 8 | instance 8 |, and an attribute if it is not 0. */
static void cip_path(wspi_pen *p, unsigned class, unsigned instance, unsigned attribute)
{
    enum { CLASS = 0x20, INSTANCE = 0x24, ATTRIBUTE = 0x30 };

    wspi_pen_le(p, attribute ? 3 : 2, 1);
    wspi_pen_le(p, CLASS | class << 8, 2);
    wspi_pen_le(p, INSTANCE | instance << 8, 2);
    if (attribute)
        wspi_pen_le(p, ATTRIBUTE | attribute << 8, 2);
}

static void cip_symbol(const wspi_dialog *d, wspi_pen *p)
{
    enum { SYMBOL = 0x91 };
    char name[WSPI_DIALOG_NAME];
    size_t n;

    wspi_dialog_name(d, TAG + wspi_pen_pick(p, 6), name);
    n = strlen(name);
    wspi_pen_le(p, 1 + (n + 1) / 2, 1);
    wspi_pen_le(p, SYMBOL | n << 8, 2);
    wspi_pen_text(p, name);
    wspi_pen_zeros(p, n % 2);
}

/* Values of a tag: small numbers, of four bytes each if such ones fit. counted: how many there are lies between type and values. */
static void cip_values(wspi_pen *p, bool counted, size_t want)
{
    enum { SINT = 0xc2, DINT = 0xc4 };
    size_t n = wspi_pen_left(p, want, counted ? 4 : 2);

    n = WSPI_MAX(n, 1u);
    wspi_pen_le(p, n % 4 ? SINT : DINT, 2);
    if (counted)
        wspi_pen_le(p, n % 4 ? n : n / 4, 2);
    for (size_t i = 0; n % 4 == 0 && i < n; i += 4)
        wspi_pen_le(p, wspi_pen_pick(p, 1u << (4 + wspi_pen_pick(p, 12))), 4);
    if (n % 4)
        wspi_pen_random(p, n);
}

/* A connection to the message router, of class 3, in both directions of 500 bytes. */
static void cip_forward_open(const wspi_dialog *d, wspi_pen *p)
{
    static const uint8_t router[] = {3, 1, 0, 0x20, 2, 0x24, 1};
    enum { INTERVAL = 8000000, SIZED = 0x43f4, CLASS_3 = 0xa3, VENDOR = 0x4d };

    cip_path(p, 6, 1, 0);
    wspi_pen_le(p, 0xf907, 2); /* priority, ticks */
    wspi_pen_zeros(p, 4);
    wspi_pen_le(p, wspi_dialog_number(d, BACK), 4);
    wspi_pen_le(p, wspi_dialog_number(d, SERIAL), 2);
    wspi_pen_le(p, VENDOR, 2);
    wspi_pen_le(p, wspi_dialog_number(d, SESSION), 4);
    wspi_pen_zeros(p, 4);
    for (int k = 0; k < 2; k++) {
        wspi_pen_le(p, INTERVAL, 4);
        wspi_pen_le(p, SIZED, 2);
    }
    wspi_pen_le(p, CLASS_3, 1);
    wspi_pen_add(p, router, sizeof router);
}

static void cip_forward_opened(const wspi_dialog *d, wspi_pen *p)
{
    enum { INTERVAL = 8000000, VENDOR = 0x4d };

    wspi_pen_le(p, wspi_dialog_number(d, CONNECTION), 4);
    wspi_pen_le(p, wspi_dialog_number(d, BACK), 4);
    wspi_pen_le(p, wspi_dialog_number(d, SERIAL), 2);
    wspi_pen_le(p, VENDOR, 2);
    wspi_pen_le(p, wspi_dialog_number(d, SESSION), 4);
    wspi_pen_le(p, INTERVAL, 4);
    wspi_pen_le(p, INTERVAL, 4);
    wspi_pen_zeros(p, 2);
}

/* A service whose request can have `room` bytes behind the service. */
static unsigned cip_choose(const wspi_dialog *d, wspi_pen *p, size_t room)
{
    static const struct {
        uint8_t service, least, most; /* most: what it can fill, 0: anything */
    } services[] = {
        {GET_ALL, 5, 5}, {GET_LIST, 9, 25}, {GET_ONE, 7, 7},
        {SET_ONE, 8, 0}, {READ_TAG, 9, 19}, {WRITE_TAG, 20, 0},
    };
    enum { OPENING = 47, LONG = 70 };
    unsigned fits = NO_SERVICE, n = 0;

    if (d->kept[COMMAND] == RR_DATA && room >= OPENING &&
        wspi_pen_pick(p, room < LONG ? 2 : 8) == 0)
        return FORWARD_OPEN;
    for (size_t k = 0; k < WSPI_COUNT(services); k++)
        if (services[k].least <= room && (services[k].most == 0 || services[k].most >= room) &&
            wspi_pen_pick(p, ++n) == 0)
            fits = services[k].service;
    return fits ? fits : GET_ALL;
}

static void cip_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { OWN_CLASS = 0x64, OWN_CLASSES = 0x60, ATTRIBUTES = 12 };
    unsigned class = OWN_CLASS + wspi_pen_pick(p, OWN_CLASSES);
    size_t at = cip_begin(d, p, 0);

    d->kept[SERVICE] = cip_choose(d, p, wspi_pen_left(p, want, 1));
    wspi_pen_le(p, d->kept[SERVICE], 1);
    switch (d->kept[SERVICE]) {
    case GET_ALL: cip_path(p, 1, 1, 0); break;
    case GET_LIST:
        cip_path(p, class, 1 + wspi_pen_pick(p, 3), 0);
        d->kept[COUNT] = (uint32_t)WSPI_MIN(wspi_pen_left(p, want, 2) / 2, (size_t)ATTRIBUTES);
        wspi_pen_le(p, d->kept[COUNT], 2);
        for (unsigned k = 0; k < d->kept[COUNT]; k++)
            wspi_pen_le(p, 1 + k, 2);
        break;
    case FORWARD_OPEN: cip_forward_open(d, p); break;
    case READ_TAG:
        cip_symbol(d, p);
        wspi_pen_le(p, 1, 2);
        break;
    case WRITE_TAG:
        cip_symbol(d, p);
        cip_values(p, true, want);
        break;
    default: /* GET_ONE, SET_ONE */
        cip_path(p, class, 1, 1 + wspi_pen_pick(p, 20));
        if (d->kept[SERVICE] == SET_ONE)
            wspi_pen_random(p, wspi_pen_left(p, want, 0));
    }
    cip_end(d, p, at);
}

static void cip_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { ANSWER = 0x80 };
    size_t at = cip_begin(d, p, 1);

    wspi_pen_le(p, d->kept[SERVICE] | ANSWER, 4);
    switch (d->kept[SERVICE]) {
    case GET_ALL: cip_identity(d, p); break;
    case GET_LIST:
        wspi_pen_le(p, d->kept[COUNT], 2);
        for (unsigned k = 0; k < d->kept[COUNT]; k++) {
            wspi_pen_le(p, 1 + k, 4); /* and that it is there */
            wspi_pen_le(p, wspi_pen_pick(p, 1000), 4);
        }
        break;
    case GET_ONE:
        wspi_pen_le(p, wspi_pen_pick(p, 256), 1);
        wspi_pen_random(p, wspi_pen_left(p, want, 0));
        break;
    case READ_TAG: cip_values(p, false, want); break;
    case FORWARD_OPEN:
        cip_forward_opened(d, p);
        d->kept[CONNECTED] = 1;
        break;
    default: break; /* SET_ONE, WRITE_TAG: that it is done */
    }
    cip_end(d, p, at);
}

static void eip_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_CIP = CIP_AT + 6 };
    static const uint8_t small[] = {LIST_IDENTITY, LIST_SERVICES, LIST_IDENTITY, NOP};
    bool connected = d->kept[CONNECTED] && want >= LEAST_CIP + CONNECTED_MORE;

    d->kept[CONTEXT]++;
    if (d->said[0] == 0) {
        d->kept[COMMAND] = REGISTER;
    } else if (want < LEAST_CIP) {
        d->kept[COMMAND] = small[wspi_pen_pick(p, WSPI_COUNT(small))];
    } else {
        d->kept[COMMAND] = connected ? UNIT_DATA : RR_DATA;
        cip_ask(d, p, want);
        return;
    }
    eip_plain(d, p, d->kept[COMMAND], want);
}

void wspi_say_ethernetip(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    unsigned asked = d->kept[COMMAND];

    if (dir == 0) {
        eip_ask(d, p, want);
        return;
    }
    if (asked == RR_DATA || asked == UNIT_DATA)
        cip_answer(d, p, want);
    else if (asked == LIST_SERVICES || asked == LIST_IDENTITY)
        eip_listed(d, p, asked);
    else
        eip_plain(d, p, asked, want);
    d->kept[COMMAND] = NOP; /* what comes unasked */
}

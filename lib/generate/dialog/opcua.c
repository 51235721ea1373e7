/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opcua.c: dialogs of OPC UA: parts 4 (services) and 6 (binary encoding, sections 5.2 and 6.7) of the specification, with no
 * security. All of it little-endian:
 *
 *     HEL, ACK | kind "HELF" | size 32 | version 32 | buffers 32 32 | longest message, chunks 32 32 | HEL: URL |
 *     OPN      | kind | size 32 | channel 32 | policy | certificate | thumbprint | sequence 32 | request 32 | service |
 *     MSG      | kind | size 32 | channel 32 | token 32 | sequence 32 | request 32 | service |
 *     service  | node id of its type | ask: session, time 64, handle 32, ...   answer: time 64, handle 32, result 32, ... | what it says |
 */
#include "generate/dialog/dialog.h"

/* Identifiers of encodings; an answer's is three more. */
enum ua_service {
    HELLO = 1, /* is none, but asks for an answer, too */
    OPEN_CHANNEL = 446,
    CREATE_SESSION = 461,
    ACTIVATE_SESSION = 467,
    BROWSE = 527,
    READ = 631,
    WRITE = 673,
    CREATE_SUBSCRIPTION = 787,
    PUBLISH = 826,
    ANSWER = 3
};

/*
 * kept: how much of the opening was said; the last request's number, which is also that of the client's message; the service that waits
 * for its answer, its request's number, and of how many items; the last number of the server's messages; notifications, and how many of
 * them the client has acknowledged; and requests for notifications that wait (publish_of), the oldest first.
 */
enum {
    OPENED,
    ASKED,
    SERVICE,
    REQUEST,
    COUNT,
    SEQUENCE,
    NOTIFIED,
    ACKNOWLEDGED,
    PUBLISHES,
    PUBLISHES_END = PUBLISHES + 2
};

/* Numbers and names of the flow. */
enum { CHANNEL, SESSION, CLOCK, SUBSCRIPTION, HOST = 10, APPLICATION };

enum { NAMESPACE = 2, VALUE_ATTRIBUTE = 13 };

/* Strings or arrays that there are none of. */
static void ua_none(wspi_pen *p, unsigned strings)
{
    for (unsigned k = 0; k < strings; k++)
        wspi_pen_le(p, UINT32_MAX, 4);
}

static void ua_string(wspi_pen *p, const char *s)
{
    wspi_pen_le(p, strlen(s), 4);
    wspi_pen_text(p, s);
}

/* Of n bytes, without its length: words with dots, the last of which says what it is. */
static void ua_name(wspi_pen *p, size_t n)
{
    static const char *const things[] = {
        "Temperature", "Pressure", "Level",    "FlowRate", "Speed",   "State",
        "Setpoint",    "Counter",  "Position", "Current",  "Voltage", "Torque",
    };
    enum { PART = 7 };
    const char *thing = things[wspi_pen_pick(p, WSPI_COUNT(things))];
    size_t last = strlen(thing) + 3 <= n ? strlen(thing) : 0;

    for (n -= last; n > PART + 3 && !p->full; n -= PART + 1) {
        wspi_pen_letters(p, PART);
        wspi_pen_text(p, ".");
    }
    wspi_pen_letters(p, n - (last && n ? 1 : 0));
    wspi_pen_text(p, last && n ? "." : "");
    wspi_pen_text(p, last ? thing : "");
}

/* A node by its name of n bytes; n = 0: by its number. */
static void ua_node(wspi_pen *p, size_t n)
{
    enum { BY_NUMBER = 1, BY_NAME = 3 };

    wspi_pen_le(p, n ? BY_NAME : BY_NUMBER, 1);
    wspi_pen_le(p, NAMESPACE, n ? 2 : 1);
    wspi_pen_le(p, n ? n : 1000 + wspi_pen_pick(p, 5000), n ? 4 : 2);
    if (n)
        ua_name(p, n);
}

static void ua_double(wspi_pen *p, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    wspi_pen_le(p, bits, 8);
}

/* A value of n bytes with its type, 2 at least, or of one less where no type has n. */
static void ua_value(wspi_pen *p, size_t n)
{
    enum { BOOLEAN = 1, INT16 = 4, INT32 = 6, DOUBLE = 11, STRING = 12 };

    if (n == 9) {
        wspi_pen_le(p, DOUBLE, 1);
        ua_double(p, wspi_pen_pick(p, 100000) / 100.0);
    } else if (n > 5) {
        wspi_pen_le(p, STRING, 1);
        wspi_pen_le(p, n - 5, 4);
        wspi_pen_prose(p, n - 5);
    } else {
        wspi_pen_le(p, n < 3 ? BOOLEAN : n < 5 ? INT16 : INT32, 1);
        wspi_pen_le(p, wspi_pen_pick(p, n < 3 ? 2 : 1000), n < 3 ? 1 : n < 5 ? 2 : 4);
    }
}

/* In units of 100 ns since 1601. */
static void ua_time(const wspi_dialog *d, wspi_pen *p)
{
    const uint64_t year_2023 = UINT64_C(133170048000000000);

    wspi_pen_le(p,
                year_2023 + wspi_dialog_number(d, CLOCK) * UINT64_C(70000) +
                    (d->said[0] + d->said[1]) * UINT64_C(501234),
                8);
}

/* One of `items` items that share what is left: how many bytes are its own, behind of which come later; the last takes the rest. */
static size_t share(wspi_pen *p, size_t want, size_t behind, unsigned items)
{
    size_t left = wspi_pen_left(p, want, behind) / items;

    return items > 1 && left > 16 ? left - wspi_pen_pick(p, 8) : left;
}

static unsigned items_of(const wspi_pen *p, size_t want, size_t each)
{
    return 1 + (unsigned)(wspi_pen_left(p, want, 0) / each);
}

/* ---- messages ---- */

/* A name of the flow, between what stands around it. */
static void ua_named(const wspi_dialog *d, wspi_pen *p, const char *before, unsigned k,
                     const char *behind)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    wspi_pen_le(p, strlen(before) + strlen(name) + strlen(behind), 4);
    wspi_pen_format(p, "%s%s%s", before, name, behind);
}

static void ua_hello(const wspi_dialog *d, wspi_pen *p, bool answer)
{
    enum { BUFFER = 65536 };

    wspi_pen_text(p, answer ? "ACKF" : "HELF");
    wspi_pen_zeros(p, 8);
    wspi_pen_le(p, BUFFER, 4);
    wspi_pen_le(p, BUFFER, 4);
    wspi_pen_zeros(p, 8);
    if (!answer)
        ua_named(d, p, "opc.tcp://", HOST, ":4840");
}

/* Up to the header that all requests have, and all answers: these have the request's number. */
static void ua_begin(wspi_dialog *d, wspi_pen *p, int dir, unsigned service, uint32_t request)
{
    enum { TIMEOUT = 10000, LEAST_IN_SESSION = 3 };
    uint32_t channel = 1 + wspi_dialog_number(d, CHANNEL) % 5000;
    bool open = service == OPEN_CHANNEL || service == OPEN_CHANNEL + ANSWER;

    wspi_pen_text(p, open ? "OPNF" : "MSGF");
    wspi_pen_zeros(p, 4);
    wspi_pen_le(p, service == OPEN_CHANNEL ? 0 : channel, 4);
    if (open) {
        ua_string(p, "http://opcfoundation.org/UA/SecurityPolicy#None");
        ua_none(p, 2);
    } else {
        wspi_pen_le(p, 1, 4);
    }
    wspi_pen_le(p, dir ? ++d->kept[SEQUENCE] : request, 4);
    wspi_pen_le(p, request, 4);
    wspi_pen_le(p, 1 | service << 16, 4);
    if (dir == 0) { /* the session, if there is one */
        bool in_session = request >= LEAST_IN_SESSION;
        wspi_pen_le(p, in_session ? 2 | 1 << 8 : 0, in_session ? 3 : 2);
        if (in_session)
            wspi_pen_le(p, wspi_dialog_number(d, SESSION), 4);
    }
    ua_time(d, p);
    wspi_pen_le(p, request, 4);
    wspi_pen_zeros(p, 4);
    if (dir == 0) {
        ua_none(p, 1);
        wspi_pen_le(p, TIMEOUT, 4);
    } else {
        wspi_pen_zeros(p, 5);
    }
    wspi_pen_zeros(p, 3);
}

static void ask_create_session(const wspi_dialog *d, wspi_pen *p)
{
    enum { CLIENT = 1, TIMEOUT = 1200000, LONGEST = 16 << 20 };

    ua_named(d, p, "urn:", APPLICATION, ":client");
    ua_none(p, 1);
    wspi_pen_zeros(p, 1);
    wspi_pen_le(p, CLIENT, 4);
    ua_none(p, 4);
    ua_named(d, p, "opc.tcp://", HOST, ":4840");
    ua_named(d, p, "", APPLICATION, "");
    ua_none(p, 2);
    ua_double(p, TIMEOUT);
    wspi_pen_le(p, LONGEST, 4);
}

static void answer_create_session(const wspi_dialog *d, wspi_pen *p)
{
    enum { TIMEOUT = 1200000, NONCE = 32 };

    for (int k = 0; k < 2; k++) { /* the session, and what it is authenticated with */
        wspi_pen_le(p, 2 | 1 << 8, 3);
        wspi_pen_le(p, wspi_dialog_number(d, SESSION) - (k == 0), 4);
    }
    ua_double(p, TIMEOUT);
    wspi_pen_le(p, NONCE, 4);
    wspi_pen_random(p, NONCE);
    ua_none(p, 5);
    wspi_pen_zeros(p, 4);
}

static void ask_activate(wspi_pen *p)
{
    enum { ANONYMOUS = 321 };

    ua_none(p, 4);
    wspi_pen_le(p, 1 | ANONYMOUS << 16, 4);
    wspi_pen_le(p, 1, 1);
    wspi_pen_le(p, 4 + strlen("Anonymous"), 4);
    ua_string(p, "Anonymous");
    ua_none(p, 2);
}

/* What is the same but for a number or two. */
static void say_fixed(const wspi_dialog *d, wspi_pen *p, unsigned service)
{
    enum { LIFETIME = 3600000, NONCE = 32, SUBSCRIBED = 1 };
    uint32_t subscription = 1 + wspi_dialog_number(d, SUBSCRIPTION) % 50;

    if (service == OPEN_CHANNEL) {
        wspi_pen_zeros(p, 8);
        wspi_pen_le(p, 1, 4); /* no security */
        ua_none(p, 1);
        wspi_pen_le(p, LIFETIME, 4);
    } else if (service == OPEN_CHANNEL + ANSWER) {
        wspi_pen_zeros(p, 4);
        wspi_pen_le(p, 1 + wspi_dialog_number(d, CHANNEL) % 5000, 4);
        wspi_pen_le(p, 1, 4);
        ua_time(d, p);
        wspi_pen_le(p, LIFETIME, 4);
        ua_none(p, 1);
    } else if (service == WRITE + ANSWER) { /* that all went well */
        wspi_pen_le(p, d->kept[COUNT], 4);
        wspi_pen_zeros(p, (size_t)4 * d->kept[COUNT]);
        ua_none(p, 1);
    } else if (service == ACTIVATE_SESSION + ANSWER) {
        wspi_pen_le(p, NONCE, 4);
        wspi_pen_random(p, NONCE);
        ua_none(p, 2);
    } else {
        if (service == CREATE_SUBSCRIPTION + ANSWER)
            wspi_pen_le(p, subscription, 4);
        ua_double(p, 100.0 + subscription * 50.0); /* ms */
        wspi_pen_le(p, 10000, 4);
        wspi_pen_le(p, 10, 4);
        if (service == CREATE_SUBSCRIPTION) {
            wspi_pen_zeros(p, 4);
            wspi_pen_le(p, SUBSCRIBED, 2); /* enabled, priority */
        }
    }
}

/* READ, WRITE: node, attribute, no range, and an encoding or a value. */
static void ask_values(wspi_dialog *d, wspi_pen *p, bool write, size_t want)
{
    enum { FIXED = 4 + 4, NAMED = 7, ENCODING = 6, LEAST_VALUE = 3, DOUBLE = 10, EACH = 70 };
    static const uint8_t any_encoding[ENCODING] = {0, 0, 0xff, 0xff, 0xff, 0xff};
    unsigned n;

    if (!write) {
        ua_double(p, 0); /* of what age */
        wspi_pen_le(p, wspi_pen_pick(p, 4), 4);
    }
    n = d->kept[COUNT] = items_of(p, want, EACH);
    wspi_pen_le(p, n, 4);
    for (; n > 0 && !p->full; n--) {
        size_t own = share(p, want, 0, n), value = write ? n > 1 ? DOUBLE : LEAST_VALUE : ENCODING;
        size_t name = own > FIXED + NAMED + value ? own - FIXED - NAMED - value : 0;
        size_t end = p->n + own;
        ua_node(p, write && n == 1 ? name / 2 : name);
        wspi_pen_le(p, VALUE_ATTRIBUTE, 4);
        ua_none(p, 1);
        if (write) {
            wspi_pen_le(p, 1, 1);
            ua_value(p, n > 1 ? DOUBLE - 1 : wspi_pen_left(p, end, 0));
        } else {
            wspi_pen_add(p, any_encoding, sizeof any_encoding);
        }
    }
}

static void answer_read(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST = 3, SMALL = 10, DIAGNOSTICS = 4 };

    wspi_pen_le(p, d->kept[COUNT], 4);
    for (unsigned n = d->kept[COUNT]; n > 0; n--) {
        size_t own = wspi_pen_left(p, want, DIAGNOSTICS + (size_t)LEAST * (n - 1));
        wspi_pen_le(p, 1, 1); /* nothing but the value */
        ua_value(p, own <= 1 ? 0 : n > 1 && own > SMALL ? SMALL - 1 : own - 1);
    }
    ua_none(p, 1);
}

static void ask_browse(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { NAMED = 7, BEHIND = 15, EACH = 200, HIERARCHICAL = 33, ALL = 63 };
    unsigned n;

    wspi_pen_zeros(p, 14 + 4);
    n = d->kept[COUNT] = items_of(p, want, EACH);
    wspi_pen_le(p, n, 4);
    for (; n > 0; n--) {
        size_t own = share(p, want, 0, n);
        ua_node(p, own > NAMED + BEHIND ? own - NAMED - BEHIND : 0);
        wspi_pen_zeros(p, 4); /* forward */
        wspi_pen_le(p, HIERARCHICAL << 8, 2);
        wspi_pen_le(p, 1, 1);
        wspi_pen_zeros(p, 4);
        wspi_pen_le(p, ALL, 4);
    }
}

/* | kind of reference | forward | node | namespace 16, name | text | class 32 | type | */
static void ua_reference(wspi_pen *p, size_t own)
{
    enum { HAS_COMPONENT = 47, VARIABLE = 2, BASE_VARIABLE = 63, FIXED = 27 };
    size_t names = own > FIXED ? own - FIXED : 3, name = names / 3, at;

    wspi_pen_le(p, HAS_COMPONENT << 8, 2);
    wspi_pen_le(p, 1, 1);
    ua_node(p, name);
    at = p->n - name;
    wspi_pen_le(p, NAMESPACE, 2);
    wspi_pen_le(p, name, 4);
    wspi_pen_add(p, p->bytes + at, name);
    wspi_pen_le(p, 2, 1);
    wspi_pen_le(p, names - 2 * name, 4);
    ua_name(p, names - 2 * name);
    wspi_pen_le(p, VARIABLE, 4);
    wspi_pen_le(p, BASE_VARIABLE << 8, 2);
}

/* The references of the first node; the others have none. */
static void answer_browse(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { EACH = 75, LEAST = 40, DIAGNOSTICS = 4, NOTHING = 12 };
    size_t behind = DIAGNOSTICS + (size_t)NOTHING * (d->kept[COUNT] - 1);
    size_t left;
    unsigned n;

    wspi_pen_le(p, d->kept[COUNT], 4);
    wspi_pen_zeros(p, 4);
    ua_none(p, 1);
    left = wspi_pen_left(p, want, behind + 4);
    n = left < LEAST ? 0 : 1 + (unsigned)(left / EACH);
    wspi_pen_le(p, n, 4);
    for (; n > 0; n--)
        ua_reference(p, share(p, want, behind, n));
    for (n = 1; n < d->kept[COUNT]; n++) {
        wspi_pen_zeros(p, 4);
        ua_none(p, 1);
        wspi_pen_zeros(p, 4);
    }
    ua_none(p, 1);
}

/* A request for notifications that waits: its number, and how many acknowledgements it has; 0: none waits. */
enum { ACKS = 8 };

static uint32_t publish_of(uint32_t request, uint32_t acks)
{
    return request * ACKS | acks;
}

static void ask_publish(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { MOST = 3, EACH = 8 };
    size_t open = d->kept[NOTIFIED] - d->kept[ACKNOWLEDGED];
    size_t n = WSPI_MIN(wspi_pen_left(p, want, 4) / EACH, WSPI_MIN(open, (size_t)MOST));

    d->kept[d->kept[PUBLISHES] ? PUBLISHES + 1 : PUBLISHES] =
        publish_of(d->kept[ASKED], (uint32_t)n);
    wspi_pen_le(p, n, 4);
    for (; n > 0; n--) {
        wspi_pen_le(p, 1 + wspi_dialog_number(d, SUBSCRIPTION) % 50, 4);
        wspi_pen_le(p, ++d->kept[ACKNOWLEDGED], 4);
    }
}

/* That each of what was acknowledged is known, and nothing more to say of it. */
static void publish_results(wspi_pen *p, uint32_t acks)
{
    if (acks > 0) {
        wspi_pen_le(p, acks, 4);
        wspi_pen_zeros(p, (size_t)4 * acks);
    }
    ua_none(p, acks > 0 ? 1 : 2);
}

/* Values that have changed; or that there are none: then the number is the next one's (part 4, section 5.13.1.1), and is not spent. */
static void answer_publish(wspi_dialog *d, wspi_pen *p, size_t want, uint32_t acks)
{
    enum { CHANGED = 811, LEAST = 40, EACH = 60, FIXED = 13, STAMPED = 5 };
    size_t behind = 12 + (size_t)4 * acks, at;
    unsigned n;

    wspi_pen_le(p, 1 + wspi_dialog_number(d, SUBSCRIPTION) % 50, 4);
    ua_none(p, 1);
    wspi_pen_zeros(p, 1);
    wspi_pen_le(p, d->kept[NOTIFIED] + 1, 4);
    ua_time(d, p);
    if (wspi_pen_left(p, want, behind) < LEAST) {
        ua_none(p, 1);
        publish_results(p, acks);
        return;
    }
    d->kept[NOTIFIED]++;
    wspi_pen_le(p, 1, 4);
    wspi_pen_le(p, 1 | CHANGED << 16, 4);
    wspi_pen_le(p, 1, 1);
    wspi_pen_zeros(p, 4);
    at = p->n;
    n = items_of(p, want, EACH);
    wspi_pen_le(p, n, 4);
    for (; n > 0; n--) {
        size_t own = share(p, want, behind, n);
        wspi_pen_le(p, 1 + n, 4);
        wspi_pen_le(p, STAMPED, 1); /* a value and its time */
        ua_value(p, own > FIXED ? own - FIXED : 0);
        ua_time(d, p);
    }
    ua_none(p, 1);
    wspi_pen_le_at(p, at - 4, p->n - at, 4);
    publish_results(p, acks);
}

/* ---- the dialog ---- */

/* What opens a session, in this order and each when the one before is answered; then anything. */
static const uint16_t first[] = {HELLO, OPEN_CHANNEL, CREATE_SESSION, ACTIVATE_SESSION,
                                 CREATE_SUBSCRIPTION};

/* 0: it waits. Beside a request that waits only notifications are asked for. */
static unsigned ua_choose(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const uint16_t others[] = {READ, READ, READ, WRITE, BROWSE};
    enum { LEAST_OTHER = 100 };
    bool opened = d->kept[OPENED] == WSPI_COUNT(first);
    bool publishes = opened && d->kept[PUBLISHES_END - 1] == 0;

    if (d->kept[SERVICE])
        return publishes && d->kept[SERVICE] != CREATE_SUBSCRIPTION ? PUBLISH : 0;
    if (!opened)
        return first[d->kept[OPENED]];
    return publishes && want < LEAST_OTHER ? PUBLISH : others[wspi_pen_pick(p, WSPI_COUNT(others))];
}

static void ua_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    unsigned service = ua_choose(d, p, want);

    if (!service)
        return;
    if (d->kept[OPENED] < WSPI_COUNT(first))
        d->kept[OPENED]++;
    if (service == HELLO) {
        d->kept[SERVICE] = HELLO;
        ua_hello(d, p, false);
        return;
    }
    ua_begin(d, p, 0, service, ++d->kept[ASKED]);
    if (service == PUBLISH) {
        ask_publish(d, p, want);
        return;
    }
    d->kept[SERVICE] = service;
    d->kept[REQUEST] = d->kept[ASKED];
    if (service == CREATE_SESSION)
        ask_create_session(d, p);
    else if (service == ACTIVATE_SESSION)
        ask_activate(p);
    else if (service == READ || service == WRITE)
        ask_values(d, p, service == WRITE, want);
    else if (service == BROWSE)
        ask_browse(d, p, want);
    else
        say_fixed(d, p, service);
}

/* What waits is answered; else there may be a request for what has changed. */
static void ua_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    unsigned service = d->kept[SERVICE];
    uint32_t publish = d->kept[PUBLISHES];

    d->kept[SERVICE] = 0;
    if (service == HELLO) {
        ua_hello(d, p, true);
    } else if (service) {
        ua_begin(d, p, 1, service + ANSWER, d->kept[REQUEST]);
        if (service == CREATE_SESSION)
            answer_create_session(d, p);
        else if (service == READ)
            answer_read(d, p, want);
        else if (service == BROWSE)
            answer_browse(d, p, want);
        else
            say_fixed(d, p, service + ANSWER);
    } else if (publish) {
        d->kept[PUBLISHES] = d->kept[PUBLISHES + 1];
        d->kept[PUBLISHES + 1] = 0;
        ua_begin(d, p, 1, PUBLISH + ANSWER, publish / ACKS);
        answer_publish(d, p, want, publish % ACKS);
    }
}

void wspi_say_opcua(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    (dir == 0 ? ua_ask : ua_answer)(d, p, want);
    wspi_pen_le_at(p, 4, p->n, 4);
}

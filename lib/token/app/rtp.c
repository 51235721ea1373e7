/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtp.c: RTP and RTCP over UDP, RFC 3550 5 and 6, also secured (RFC 3711: bodies differ) and on one port (RFC 5761):
 * | version 2 = 2 | padding 1 | extension 1 | sources 4 | marker 1 | type 7 | sequence 16 | time 32 | source 32 |
 * | sources | extension | body | extension: | profile 16 | words 16 | words |
 * RTCP: packets one after the other: | version 2 | padding 1 | count 5 | type 8 | words 16 | source 32 | contents |
 * There is no magic number: a flow remembers the last packets of its sources, and others have to be plausible.
 */
#include "token/app/rtp_lists.h"
#include "token/app/rtp_samples.h"

enum {
    STREAM,
    TYPE,
    FLAGS,
    COUNT,
    MARKER,
    LOST,
    STEP,
    PROFILE,
    ELEMENT,
    LENGTH,
    NUMBER,
    SSRC,
    PADDING,
    RTCP,
    ITEM,
    NAME,
    PAD,
    TAIL
};

enum {
    HEADER = 12,
    RTCP_HEADER = 8,
    SENDER = 20, /* bytes of a sender's clock */
    VERSION_2 = 2,
    MAX_RTCP = 16,
    MAX_ITEMS = 8,
    MAX_ELEMENTS = 14,
    SHOWN = 24
};
/* Whose packet it is: a source by how long ago its direction had it, or none. */
enum { STREAMS = 4, SAME = 0, NEW = STREAMS, CONTROL };
static const wspi_value stream_of[] = {{SAME, "same"}, {1, "second"}, {2, "third"},
                                       {3, "fourth"},  {NEW, "new"},  {CONTROL, "rtcp"},
                                       {0, NULL}};

static const wspi_field fields[] = {
    [STREAM] = {WSPI_ENUM("rtp.stream", 8, stream_of), .pred = WSPI_P_PREV},
    [TYPE] = {WSPI_ENUM("rtp.type", 7, type), .pred = WSPI_P_PREV},
    [FLAGS] = {WSPI_ENUM("rtp.flags", 2, flags), .pred = WSPI_P_PREV},
    [COUNT] = {WSPI_MAG("rtp.count", 5, WSPI_R_NONE, 2)},
    [MARKER] = {WSPI_ENUM("rtp.marker", 1, marker), .pred = WSPI_P_PREV},
    [LOST] = {WSPI_MAG("rtp.lost", 16, WSPI_R_NONE, 0)},
    [STEP] = {WSPI_MAG("rtp.step", 32, WSPI_R_NONE, 2), .pred = WSPI_P_PREV},
    [PROFILE] = {WSPI_ENUM("rtp.profile", 16, profile), .pred = WSPI_P_PREV},
    [ELEMENT] = {WSPI_ENUM("rtp.element", 4, element)},
    [LENGTH] = {WSPI_MAG("rtp.length", 16, WSPI_R_NONE, 1)},
    [NUMBER] = {WSPI_FREE("rtp.number", 32, WSPI_P_PREV, WSPI_R_NUMBER)},
    [SSRC] = {WSPI_FREE("rtp.ssrc", 32, WSPI_P_PREV, WSPI_R_NUMBER)},
    [PADDING] = {WSPI_MAG("rtp.padding", 8, WSPI_R_NONE, 1)},
    [RTCP] = {WSPI_ENUM("rtp.rtcp", 16, rtcp)},
    [ITEM] = {WSPI_ENUM("rtp.item", 8, item)},
    [NAME] = {WSPI_MAG("rtp.name", 8, WSPI_R_NAME, 0)},
    [PAD] = {WSPI_FREE("rtp.pad", 32, WSPI_P_CONST, WSPI_R_NONE)},
    [TAIL] = {WSPI_MAG("rtp.tail", 16, WSPI_R_NONE, 1)},
};

/* ---- what a direction remembers ---- */

/* The last packet of a source. */
typedef struct stream {
    uint32_t ssrc, time;
    uint32_t step; /* of the time, from packet to packet, but for packets of one time */
    uint16_t seq, profile, words;
    uint8_t type, flags, sources;
    bool marker, stepped;
    bool split;  /* several packets had one time: frames of a picture */
    uint64_t ns; /* when it came: for samples */
} stream;

typedef struct memory {
    stream s[STREAMS]; /* the last one first */
    unsigned n;
    bool control, sent; /* was the last packet RTCP; is there a sender */
    uint32_t sender;    /* of RTCP */
    /* For samples: the time of its last report, what that said, and how fast it counts; 0: there was none. */
    uint64_t report_ns;
    uint32_t report_time, rate;
} memory;

enum { SLOTS = 4, GENERAL = STREAMS * SLOTS };

/* In the values of fields, of which the walk has no other use from packet to packet. */
static void recall(const wspi_app_state *a, int dir, memory *m)
{
    const uint64_t *v = a->v[dir];

    memset(m, 0, sizeof *m);
    if (a->id[dir] != WSPI_APP_RTP)
        return;
    m->n = WSPI_MIN((unsigned)(v[GENERAL] & 255), (unsigned)STREAMS);
    m->control = v[GENERAL] >> 8 & 1;
    m->sent = v[GENERAL] >> 9 & 1;
    m->sender = (uint32_t)(v[GENERAL] >> 32);
    m->report_ns = v[GENERAL + 1];
    m->report_time = (uint32_t)v[GENERAL + 2];
    m->rate = (uint32_t)(v[GENERAL + 2] >> 32);
    for (unsigned i = 0; i < m->n; i++, v += SLOTS)
        m->s[i] = (stream){.ssrc = (uint32_t)(v[0] >> 32),
                           .seq = (uint16_t)(v[0] >> 16),
                           .profile = (uint16_t)v[0],
                           .time = (uint32_t)(v[1] >> 32),
                           .step = (uint32_t)v[1],
                           .words = (uint16_t)(v[2] >> 32),
                           .type = (uint8_t)(v[2] & 127),
                           .flags = v[2] >> 8 & 3,
                           .sources = v[2] >> 16 & 15,
                           .marker = v[2] >> 24 & 1,
                           .stepped = v[2] >> 25 & 1,
                           .split = v[2] >> 26 & 1,
                           .ns = v[3]};
}

static void remember(wspi_app_state *a, int dir, const memory *m)
{
    uint64_t *v = a->v[dir];

    memset(v, 0, sizeof a->v[dir]);
    v[GENERAL] =
        m->n | (unsigned)m->control << 8 | (unsigned)m->sent << 9 | (uint64_t)m->sender << 32;
    v[GENERAL + 1] = m->report_ns;
    v[GENERAL + 2] = m->report_time | (uint64_t)m->rate << 32;
    for (unsigned i = 0; i < m->n; i++, v += SLOTS) {
        const stream *s = &m->s[i];
        v[0] = (uint64_t)s->ssrc << 32 | (uint32_t)s->seq << 16 | s->profile;
        v[1] = (uint64_t)s->time << 32 | s->step;
        v[2] = (uint64_t)s->words << 32 | s->type | (unsigned)s->flags << 8 |
               (unsigned)s->sources << 16 | (unsigned)s->marker << 24 | (unsigned)s->stepped << 25 |
               (unsigned)s->split << 26;
        v[3] = s->ns;
    }
}

static unsigned find(const memory *m, uint64_t ssrc)
{
    unsigned i = 0;

    while (i < m->n && m->s[i].ssrc != ssrc)
        i++;
    return i < m->n ? i : NEW;
}

/* The source becomes the last one; a new one takes the place of the one that is longest ago. */
static void move_up(memory *m, unsigned i, const stream *s)
{
    if (i == NEW) {
        m->n = WSPI_MIN(m->n + 1, (unsigned)STREAMS);
        i = m->n - 1;
    }
    memmove(m->s + 1, m->s, i * sizeof *m->s);
    m->s[0] = *s;
    m->control = false;
}

/* ---- what it looks like ---- */

/* RFC 5761 4: second bytes of RTCP, which RTP on the same port leaves out. */
static bool is_control(uint8_t v)
{
    return v >= 192 && v <= 223;
}

static bool is_feedback(unsigned is)
{
    return is == RTPFB || is == PSFB;
}

static uint64_t kind_at(const uint8_t *b)
{
    return KIND((unsigned)b[1], is_feedback(b[1]) ? b[0] & 31u : 0u);
}

/* Bytes that a packet of this type and count has at least. */
static size_t least_of(unsigned is, unsigned count)
{
    switch (is) {
    case SR: return RTCP_HEADER + SENDER + 24 * (size_t)count;
    case RR: return RTCP_HEADER + 24 * (size_t)count;
    case APP: return RTCP_HEADER + 4;
    default: return is_feedback(is) ? RTCP_HEADER + 4 : RTCP_HEADER;
    }
}

/* Bytes of the packet of RTCP at b, of which n are captured and `wire` there; 0: it does not fit. */
static size_t control_len(const uint8_t *b, size_t n, size_t wire)
{
    size_t len = n >= RTCP_HEADER ? 4 + 4 * (size_t)wspi_load_be(b + 2, 2) : 0;

    if (len == 0 || b[0] >> 6 != VERSION_2 || !is_control(b[1]) || len > wire ||
        len < least_of(b[1], b[0] & 31) || (b[1] == APP && n < RTCP_HEADER + 4))
        return 0;
    return len;
}

/*
 * A datagram of RTCP: a report as long as its count says, or packets that fill it; where they are encrypted, the first one
 * is told and a tag is behind the rest.
 */
static bool looks_control(const uint8_t *b, size_t n, size_t wire)
{
    size_t at = control_len(b, n, wire), len = 1;

    if (at == 0 || !wspi_app_is_listed(rtcp, kind_at(b)))
        return false;
    if ((b[1] == SR || b[1] == RR) && at == least_of(b[1], b[0] & 31))
        return true;
    for (; at < n && len; at += len)
        len = control_len(b + at, n - at, wire - at);
    return at >= n && (at == wire || n < wire);
}

/* Bytes in front of the body, as far as they are captured; 0: they do not fit. */
static size_t head_of(const uint8_t *b, size_t n, size_t wire)
{
    size_t at = HEADER + 4 * (size_t)(b[0] & 15);

    if (b[0] & 0x10)
        at += at + 4 <= n ? 4 + 4 * (size_t)wspi_load_be(b + at + 2, 2) : 4;
    return at <= wire ? at : 0;
}

/* Bodies of types that have a length by their number (RFC 3551 4.5), with the tag of secured ones; of others any. */
typedef struct sizes {
    uint8_t type;
    uint16_t least, most;
} sizes;
static const sizes bodies[] = {{0, 40, 980},  {8, 40, 980},  {9, 40, 980},  {3, 33, 280},
                               {4, 4, 140},   {18, 2, 140},  {13, 1, 40},   {19, 1, 40},
                               {5, 20, 520},  {6, 40, 980},  {7, 14, 140},  {12, 1, 300},
                               {15, 10, 260}, {16, 40, 980}, {17, 40, 980}, {33, 188, 1400}};

static sizes sizes_of(unsigned of)
{
    for (size_t i = 0; i < WSPI_COUNT(bodies); i++)
        if (bodies[i].type == of)
            return bodies[i];
    return (sizes){(uint8_t)of, 1, UINT16_MAX};
}

static bool has_body(unsigned of, size_t n)
{
    sizes is = sizes_of(of);

    return n >= is.least && n <= is.most;
}

/*
 * The first packet of a source: a type that there is, an extension of a known kind, no sources and no padding yet. IAX
 * begins a call with a number 0 and a small one for the source; Mosh has 62 bits of a number there that counts from 0.
 */
static bool looks_first(const uint8_t *b, size_t n, size_t wire)
{
    size_t at = head_of(b, n, wire);
    uint64_t seq = wspi_load_be(b + 2, 2), ssrc = wspi_load_be(b + 8, 4);

    if (at == 0 || b[0] & 0x2f || ssrc == 0 || (seq == 0 && ssrc <= UINT16_MAX) ||
        wspi_load_be(b + 1, 5) == 0 || !wspi_app_is_listed(type, b[1] & 127u) ||
        !has_body(b[1] & 127u, wire - at))
        return false;
    return !(b[0] & 0x10) ||
           (n >= HEADER + 4 && wspi_app_is_listed(profile, wspi_load_be(b + HEADER, 2)));
}

/* Flows of other protocols do not change to it, but for those of STUN, which finds the way for it (RFC 7983). */
static bool may_begin(const wspi_coder *c)
{
    for (int dir = 0; dir < 2; dir++)
        if (c->ctx->app.id[dir] && c->ctx->app.id[dir] != WSPI_APP_RTP &&
            c->ctx->app.id[dir] != WSPI_APP_STUN)
            return false;
    return true;
}

/*
 * A source that the direction has, or a first packet. What went before may have been a handshake, or random bytes, of
 * which some packet looks like this one: then an extension has to be there, or the mark of a talk that begins.
 */
static bool is_late(const wspi_coder *c)
{
    return c->ctx->app.seen[c->dir] && c->ctx->app.id[c->dir] == 0;
}

static bool takes_media(const wspi_coder *c)
{
    const uint8_t *b = c->pay.in;
    size_t n = c->pay.end;
    memory m, theirs;

    if (n < HEADER || head_of(b, n, c->pay.wire) == 0)
        return false;
    recall(&c->ctx->app, c->dir, &m);
    recall(&c->ctx->app, !c->dir, &theirs);
    if (find(&m, wspi_load_be(b + 8, 4)) != NEW)
        return true;
    return looks_first(b, n, c->pay.wire) &&
           (!is_late(c) || theirs.n || b[0] & 0x10 || b[1] & 0x80) && may_begin(c);
}

static bool takes(const wspi_coder *c)
{
    const uint8_t *b = c->pay.in;

    if (b[0] >> 6 != VERSION_2 || c->pay.end < RTCP_HEADER)
        return false;
    if (is_control(b[1]))
        return looks_control(b, c->pay.end, c->pay.wire) && may_begin(c);
    return takes_media(c);
}

/* ---- RTP ---- */

static const stream nothing = {0};

/* A new source sends what the other direction does. */
static uint64_t code_type(wspi_coder *c, const memory *m, const stream *was, uint64_t v)
{
    memory theirs;

    if (was != &nothing) {
        wspi_app_only(c, 0, 0);
        return wspi_app_code(c, TYPE, true, was->type, v);
    }
    recall(&c->ctx->app, !c->dir, &theirs);
    wspi_app_only(c, 0, SAMPLED_TYPES);
    return wspi_app_code(c, TYPE, m->n == 0 && theirs.n > 0, theirs.s[0].type, v);
}

/* The number counts on. */
static uint64_t code_sequence(wspi_coder *c, const stream *was, uint64_t v)
{
    uint16_t next = (uint16_t)(was->seq + 1);

    if (was == &nothing)
        return wspi_app_code(c, NUMBER, false, 0, v) & 0xffff;
    wspi_app_only(c, 0, 0);
    return (uint16_t)(next + wspi_app_code(c, LOST, true, 0, (uint16_t)(v - next)));
}

/* The time goes on as it did, for each packet or, where several have one time, behind the last of them, which is marked. */
static uint64_t code_time(wspi_coder *c, const stream *was, uint16_t seq, uint64_t v)
{
    uint32_t by = (uint32_t)(int32_t)(int16_t)(seq - was->seq), want = was->step * by;
    unsigned m = fields[STEP].mantissa, from = wspi_bin(80, m);

    if (was == &nothing)
        return wspi_app_code(c, NUMBER, false, 0, v);
    if (was->split && !was->marker)
        want = 0;
    wspi_app_only(c, from, was->stepped ? 0 : wspi_bin(4096, m) - from);
    return (uint32_t)(was->time +
                      wspi_app_code(c, STEP, was->stepped, want, (uint32_t)(v - was->time)));
}

/* What the packet leaves for the next one of its source: a jump after a pause, marked, is no step. */
static void go_on(stream *now, const stream *was)
{
    uint32_t step = now->time - was->time;
    bool next = now->seq == (uint16_t)(was->seq + 1);

    now->step = was->step;
    now->split = was->split || (was != &nothing && step == 0);
    now->stepped = was != &nothing;
    if (was != &nothing && step && next && (!now->marker || was->split || was->step == 0))
        now->step = step;
    if (!(now->flags & EXTENDED)) {
        now->profile = was->profile;
        now->words = was->words;
    }
}

/* Elements of one byte and its data in n bytes: | number 4 | length - 1 4 |. Behind the first that does not fit, opaque. */
static void elements(wspi_coder *c, size_t n)
{
    uint64_t is = 0, len;

    for (unsigned k = 0; k < MAX_ELEMENTS && !wspi_app_stopped(c); k++) {
        const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
        bool there = c->enc && n > 0 && wspi_app_captured(c) > 0 &&
                     wspi_app_is_listed(element, b[0] >> 4) && 2u + (b[0] & 15) <= n;

        if (there)
            is = b[0] >> 4;
        wspi_app_only(c, 0, 0);
        if (!wspi_app_next(c, ELEMENT, there, &is))
            break;
        len = wspi_app_code(c, LENGTH, false, 0, wspi_app_get(c, 1) & 15);
        wspi_app_require(c, len < 16 && len + 2 <= n);
        wspi_app_put(c, 1, is << 4 | len);
        if (wspi_app_stopped(c))
            return;
        wspi_app_opaque(c, (size_t)len + 1);
        n -= (size_t)len + 2;
    }
    wspi_app_opaque(c, n);
}

/* Its elements are told where it is another one than the source had. */
static void extension(wspi_coder *c, const stream *was, stream *now)
{
    bool known = was->flags & EXTENDED;

    now->profile = (uint16_t)wspi_app_field(c, PROFILE, 2, known, was->profile);
    now->words = (uint16_t)wspi_app_field(c, LENGTH, 2, known, was->words);
    wspi_app_require(c, now->words <= UINT16_MAX / 4);
    if (now->profile == ONE_BYTE && (!known || now->words != was->words))
        elements(c, 4 * (size_t)now->words);
    else
        wspi_app_opaque(c, 4 * (size_t)now->words);
}

/* The body, whose last byte counts the padding. */
static void body(wspi_coder *c, const stream *is)
{
    size_t left = wspi_app_left(c);
    sizes may = sizes_of(is->type);

    if (wspi_app_stopped(c))
        return;
    if (c->fill)
        left = WSPI_MIN(WSPI_MAX(left, (size_t)may.least), (size_t)may.most);
    if (!(is->flags & PADDED) || left == 0 || (!c->fill && c->pay.end < c->pay.wire)) {
        wspi_app_opaque(c, left);
        return;
    }
    wspi_app_opaque(c, left - 1);
    (void)wspi_app_field(c, PADDING, 1, false, 0);
}

static uint32_t source(wspi_coder *c, bool known, uint64_t want, uint64_t v)
{
    v = wspi_app_code(c, SSRC, known, want, v);
    return c->fill && !known ? wspi_rtp_source(c, c->dir) : (uint32_t)v;
}

static void media(wspi_coder *c, memory *m, unsigned i)
{
    const stream *was = i < m->n ? &m->s[i] : &nothing;
    uint64_t first = wspi_app_get(c, 1), second = wspi_app_get(c, 1), seq = wspi_app_get(c, 2),
             time = wspi_app_get(c, 4), ssrc = wspi_app_get(c, 4);
    stream now = {0};

    wspi_app_require(c, i == NEW || i < m->n);
    now.type = (uint8_t)code_type(c, m, was, second & 127);
    wspi_app_only(c, 0, 0);
    now.flags = (uint8_t)wspi_app_code(c, FLAGS, true, was->flags, first >> 4 & 3);
    wspi_app_only(c, 0, 0);
    now.sources = wspi_app_code(c, COUNT, true, was->sources, first & 15) & 15;
    now.marker = wspi_app_code(c, MARKER, true, was->marker && !was->split, second >> 7);
    if (c->fill && i == NEW && is_late(c))
        now.marker = true;
    now.ns = c->p->time_ns;
    now.seq = (uint16_t)code_sequence(c, was, seq);
    now.time = (uint32_t)code_time(c, was, now.seq, time);
    now.ssrc = was->ssrc;
    if (i == NEW)
        now.ssrc = source(c, false, 0, ssrc);
    wspi_app_put(c, 1, VERSION_2 << 6 | (unsigned)now.flags << 4 | now.sources);
    wspi_app_put(c, 1, (unsigned)now.marker << 7 | now.type);
    wspi_app_put(c, 2, now.seq);
    wspi_app_put(c, 4, now.time);
    wspi_app_put(c, 4, now.ssrc);
    wspi_app_opaque(c, 4 * (size_t)now.sources);
    if (now.flags & EXTENDED)
        extension(c, was, &now);
    body(c, &now);
    go_on(&now, was);
    move_up(m, i, &now);
}

/* ---- RTCP ---- */

static void text_item(wspi_coder *c, uint64_t is)
{
    unsigned f = is == TOOL ? LENGTH : NAME, m = fields[f].mantissa;
    char s[WSPI_RTP_NAME];
    uint64_t n = wspi_app_get(c, 1);
    size_t len = c->fill && is == CNAME ? wspi_rtp_name(c, s) : 0;

    wspi_app_only(c, wspi_bin(len ? len : 4, m), len ? 1 : wspi_bin(32, m) - wspi_bin(4, m));
    n = wspi_app_code(c, f, false, 0, n);
    wspi_app_require(c, n <= 255);
    n = len && wspi_bin(n, m) == wspi_bin(len, m) ? len : n;
    wspi_app_put(c, 1, n);
    if (n == len)
        wspi_app_put_bytes(c, s, len);
    else if (!wspi_app_stopped(c))
        wspi_app_text(c, (size_t)n, is == TOOL ? SHOWN : 0,
                      is == TOOL ? WSPI_TEXT_LINE : WSPI_TEXT_NAME);
}

/* Items of the first chunk, up to `end`, which decoding does not know. */
static void description(wspi_coder *c, size_t end)
{
    uint64_t is = 0;

    for (unsigned n = 0; n < MAX_ITEMS && !wspi_app_stopped(c); n++) {
        const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
        size_t captured = c->enc ? WSPI_MIN(wspi_app_captured(c), end - c->pay.at) : 0;
        bool there = captured >= 2 && b[0] > 0 && b[0] <= PRIV && captured - 2 >= b[1];

        wspi_app_only(c, n, n < 2 ? 1 : 0);
        if (!wspi_app_element(c, ITEM, 1, there, &is)) {
            if (n == 0 && wspi_asked(c))
                c->need = true; /* RFC 3550 6.1: a name has to be there */
            return;
        }
        text_item(c, is);
    }
}

/* Bytes behind what is told of a packet that begins at `start`: zeros after items, an entry of feedback. */
static size_t usual_rest(const wspi_coder *c, size_t start, uint64_t kind, uint64_t count)
{
    switch (kind) {
    case KIND(SDES, 0): return 4 - (c->pay.at - start) % 4;
    case KIND(BYE, 0): return count > 1 ? 4 * (size_t)(count - 1) : 0;
    case KIND(RTPFB, 1):
    case KIND(RTPFB, 11): return 4;
    case KIND(RTPFB, 3):
    case KIND(RTPFB, 4):
    case KIND(PSFB, 4): return 8;
    default: return 0;
    }
}

static void rest(wspi_coder *c, size_t start, size_t end, uint64_t kind, uint64_t count)
{
    size_t usual = usual_rest(c, start, kind, count), n, words;

    wspi_app_only(c, 0, 0);
    n = (size_t)wspi_app_code(c, LENGTH, true, usual, c->enc ? end - c->pay.at : 0);
    words = (c->pay.at - start + n) / 4 - 1;
    wspi_app_require(c, (c->pay.at - start + n) % 4 == 0 && words <= UINT16_MAX);
    if (kind == KIND(SDES, 0) && n == usual && (c->fill || wspi_app_captured(c) >= n))
        (void)wspi_app_field(c, PAD, n, true, 0);
    else
        wspi_app_opaque(c, n);
    if (c->enc || wspi_app_stopped(c))
        return;
    c->pay.out->data[start + 2] = (uint8_t)(words >> 8);
    c->pay.out->data[start + 3] = (uint8_t)words;
}

/* Padding, the count, the sender. */
static uint64_t control_header(wspi_coder *c, memory *m, uint64_t kind, size_t *end)
{
    uint64_t first = wspi_app_get(c, 1), count = kind & 31, pad;
    unsigned is = (unsigned)(kind >> 8);
    size_t words;

    (void)wspi_app_get(c, 1);
    words = (size_t)wspi_app_get(c, 2);
    *end = c->pay.at + 4 * words;
    wspi_app_require(c, is_control((uint8_t)is) && (kind & 255) <= (is_feedback(is) ? 31 : 0));
    if (!is_feedback(is)) {
        wspi_app_only(c, 0, is == SR ? 2 : 0);
        count = wspi_app_code(c, COUNT, true, is == RR || is == SDES || is == BYE, first & 31);
    }
    wspi_app_only(c, 0, 0);
    pad = wspi_app_code(c, FLAGS, true, 0, first >> 4 & PADDED);
    wspi_app_require(c, !(pad & EXTENDED));
    wspi_app_put(c, 1, VERSION_2 << 6 | pad << 4 | count);
    wspi_app_put(c, 1, is);
    wspi_app_put(c, 2, 0);
    m->sender = source(c, m->sent || m->n, m->sent ? m->sender : m->s[0].ssrc, wspi_app_get(c, 4));
    wspi_app_put(c, 4, m->sender);
    m->sent = true;
    return count;
}

/* Times a second that the time of a type counts; of types that are agreed on elsewhere a usual one. */
static uint32_t rate_of(const stream *s)
{
    enum { VIDEO = 90000, SOUND = 48000, VOICE = 8000 };

    if (s->type >= 96)
        return s->split || s->step >= VIDEO / 60 ? VIDEO : SOUND;
    return s->type == 14 || (s->type >= 25 && s->type < 72) ? VIDEO : VOICE;
}

/* What a sender's time counts a second, and what it is: it goes on from its last report, else from its media (RFC 3550 6.4.1). */
static uint32_t sender_time(const wspi_coder *c, memory *m)
{
    enum { SECOND = 1000000000 };
    static const uint32_t rates[] = {8000, 48000, 90000};
    unsigned i = find(m, m->sender);
    bool media = i != NEW, reported = m->rate != 0;
    uint64_t from = reported ? m->report_ns : media ? m->s[i].ns : 0, gone;
    uint32_t then = reported ? m->report_time : media ? m->s[i].time : m->sender * 2654435761u;

    gone = c->p->time_ns > from ? c->p->time_ns - from : 0;
    if (!reported) /* where media are of another flow the number of the source decides */
        m->rate = media ? rate_of(&m->s[i]) : rates[m->sender % 3];
    return (uint32_t)(then + gone / SECOND * m->rate + gone % SECOND * m->rate / SECOND);
}

/* What a direction tells of itself, and reports of the other one. */
static void told(wspi_coder *c, memory *m, bool sends, uint64_t count)
{
    memory theirs;
    wspi_rtp_heard heard;

    recall(&c->ctx->app, !c->dir, &theirs);
    heard = (wspi_rtp_heard){.source = theirs.n      ? theirs.s[0].ssrc
                                       : theirs.sent ? theirs.sender
                                                     : wspi_rtp_source(c, !c->dir),
                             .seq = theirs.s[0].seq,
                             .media = theirs.n > 0,
                             .report_ns = theirs.report_ns};
    if (sends)
        wspi_rtp_clock(c, m->sender, sender_time(c, m));
    if (count) /* samples have one at most */
        wspi_rtp_report(c, &heard);
}

/* What a packet of this kind has at least behind its sender; of a report the clock is remembered. */
static void least_contents(wspi_coder *c, memory *m, uint64_t kind, uint64_t count)
{
    size_t n = least_of((unsigned)(kind >> 8), (unsigned)count) - RTCP_HEADER, at = c->pay.at;
    bool sends = kind >> 8 == SR;
    const uint8_t *b = c->enc ? c->pay.in : NULL;

    if (c->fill && (sends || kind >> 8 == RR) && count <= 1)
        told(c, m, sends, count);
    else
        wspi_app_opaque(c, n);
    if (wspi_app_stopped(c) || !sends || at + SENDER > (b ? c->pay.end : c->pay.out->len))
        return;
    (void)sender_time(c, m); /* how fast it counts */
    m->report_time = (uint32_t)wspi_load_be((b ? b : c->pay.out->data) + at + 8, 4);
    m->report_ns = c->p->time_ns;
}

static void control_packet(wspi_coder *c, memory *m, uint64_t kind)
{
    size_t start = c->pay.at, end = 0;
    uint64_t count = control_header(c, m, kind, &end);

    if (wspi_app_stopped(c))
        return;
    switch (kind >> 8) {
    case SDES: description(c, end); break;
    case APP: wspi_app_text(c, 4, 4, WSPI_TEXT_WORD); break;
    default: least_contents(c, m, kind, count);
    }
    if (!wspi_app_stopped(c))
        rest(c, start, end, kind, count);
}

static void control(wspi_coder *c, memory *m)
{
    uint64_t kind = 0;

    for (unsigned n = 0; n < MAX_RTCP && !wspi_app_stopped(c); n++) {
        const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
        bool there = c->enc && control_len(b, wspi_app_captured(c), wspi_app_left(c)) > 0;

        if (there)
            kind = kind_at(b);
        wspi_app_only(c, n ? DESCRIPTION : 0, n == 0 ? REPORTS : n == 1);
        if (!wspi_app_next(c, RTCP, there, &kind)) {
            if (n < 2 && wspi_asked(c))
                c->need = true; /* RFC 3550 6.1: a report and a description */
            break;
        }
        control_packet(c, m, kind);
    }
    m->control = true;
    if (wspi_app_stopped(c))
        return;
    wspi_app_only(c, 0, 0);
    wspi_app_opaque(c, (size_t)wspi_app_code(c, TAIL, true, 0, wspi_app_left(c)));
}

/* ---- the packet ---- */

/* A direction goes on with what it had, a new one with what the other has. */
static uint64_t which(wspi_coder *c, const memory *m)
{
    const uint8_t *b = c->enc && wspi_app_captured(c) >= 2 ? c->pay.in : NULL;
    uint64_t want = m->n ? SAME : m->control ? CONTROL : NEW, v = CONTROL;
    memory theirs;

    recall(&c->ctx->app, !c->dir, &theirs);
    if (!m->n && theirs.control && !theirs.n)
        want = CONTROL;
    if (b && !is_control(b[1]))
        v = wspi_app_captured(c) >= HEADER ? find(m, wspi_load_be(b + 8, 4)) : NEW;
    /* Samples: reports among media, but no media among reports. */
    wspi_app_only(c, CONTROL, 1);
    return wspi_app_code(c, STREAM, true, want, v);
}

static void walk(wspi_coder *c)
{
    uint64_t is;
    memory m;

    recall(&c->ctx->app, c->dir, &m);
    is = which(c, &m);
    wspi_app_require(c, is <= CONTROL);
    if (wspi_app_stopped(c))
        return;
    if (is == CONTROL)
        control(c, &m);
    else
        media(c, &m, (unsigned)is);
    if (!wspi_app_stopped(c))
        remember(&c->app, c->dir, &m);
}

const wspi_app wspi_app_rtp = {
    .proto = {.name = "rtp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .takes = takes,
    .walk = walk,
    .ports = {5004},
};

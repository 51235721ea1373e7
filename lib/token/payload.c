/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.c: payload bytes: an application protocol as far as it goes, then plain bytes: their kind, the first ones as
 * tokens, the others in the residuals.
 */
#include "token/app/app.h"

#include <math.h>

enum {
    HEAD_TEXT = 48,
    HEAD_BINARY = 32,
    HEAD_RANDOM = 8,
    WINDOW = 16,
    ZEROS = 256,
    LOOK = 64,
    STRIDE = 4
};

#define HIGH_BITS 0x8080808080808080u

/* step[c]: what one more occurrence of a value that was seen c times adds to the sum of n log2 n, in 2^-16. */
static uint32_t step[LOOK + 1], log_of[LOOK + 1];
static uint8_t is_text[256];

void wspi_payload_prepare(void)
{
    double before = 0, now;

    for (unsigned c = 0; c <= LOOK; c++) {
        now = (c + 1.0) * log2(c + 1.0);
        step[c] = (uint32_t)lround(65536 * (now - before));
        log_of[c] = c ? (uint32_t)lround(65536 * log2(c)) : 0;
        before = now;
    }
    for (unsigned b = 0; b < 256; b++)
        is_text[b] = (b >= 32 && b < 127) || b == '\r' || b == '\n' || b == '\t';
}

bool wspi_zeros(const uint8_t *b, size_t n)
{
    while (n && *b == 0)
        b++, n--;
    return n == 0;
}

/* Bytes of [0, n) that text has: 32 to 126, carriage return, line feed, tab. */
static size_t count_text(const uint8_t *b, size_t n)
{
    size_t text = 0;

    for (size_t i = 0; i < n; i++)
        text += is_text[b[i]];
    return text;
}

/* Order-0 entropy of [0, n) within 93 % of log2 n, its most: encrypted or compressed. n is at most LOOK. */
static bool looks_random(const uint8_t *b, size_t n)
{
    uint8_t count[256] = {0};
    uint64_t sum = 0;

    if (n < 32)
        return false;
    for (size_t i = 0; i < n; i++)
        sum += step[count[b[i]]++];
    return sum * 100 < (uint64_t)log_of[n] * n * 7;
}

static uint8_t payload_kind(const uint8_t *b, size_t n)
{
    size_t look = WSPI_MIN(n, (size_t)LOOK);

    n = WSPI_MIN(n, (size_t)ZEROS);
    if (b[0] == 0 && wspi_zeros(b, n))
        return WSPI_PAY_ZERO;
    if (count_text(b, look) * 10 >= look * 9)
        return WSPI_PAY_TEXT;
    return looks_random(b, look) ? WSPI_PAY_RANDOM : WSPI_PAY_BINARY;
}

/* All, or all but one, of a window are different. */
static bool window_varies(const uint8_t *b)
{
    uint64_t seen[4] = {0};
    unsigned distinct = 0;

    for (size_t k = 0; k < WINDOW; k++) {
        distinct += !(seen[b[k] >> 6] >> (b[k] & 63) & 1);
        seen[b[k] >> 6] |= UINT64_C(1) << (b[k] & 63);
    }
    return distinct >= WINDOW - 1;
}

/* Where a window of random bytes starts: there the head ends, what follows is not worth reading. */
static size_t structured_len(const uint8_t *b, size_t n, size_t want)
{
    uint64_t lo, hi;

    for (size_t i = 0; i < want && i + WINDOW <= n; i += STRIDE) {
        memcpy(&lo, b + i, 8);
        memcpy(&hi, b + i + 8, 8);
        if (__builtin_popcountll(lo & HIGH_BITS) + __builtin_popcountll(hi & HIGH_BITS) >= 5 &&
            window_varies(b + i))
            return i;
    }
    return want;
}

static size_t head_len(uint8_t kind, const uint8_t *b, size_t n)
{
    switch ((enum wspi_payload_kind)kind) {
    case WSPI_PAY_TEXT: return WSPI_MIN(n, HEAD_TEXT);
    case WSPI_PAY_RANDOM: return structured_len(b, n, HEAD_RANDOM);
    case WSPI_PAY_BINARY: return structured_len(b, n, WSPI_MIN(n, HEAD_BINARY));
    case WSPI_PAY_ZERO: break;
    }
    return 0;
}

uint8_t *wspi_payload_room(wspi_coder *c, size_t n)
{
    size_t at = c->pay.out->len;

    c->bad = (c->fill && at + n > WSPI_SAMPLE_MOST) ||
             wspi_buf_reserve(c->pay.out, n + !c->pay.out->data) < 0; /* no room is a place, too */
    if (c->bad)
        return NULL;
    c->pay.out->len = at + n;
    return c->pay.out->data + at;
}

void wspi_payload_bytes(wspi_coder *c, size_t n)
{
    uint8_t *b;

    if (c->bad || c->need || n == 0)
        return;
    if (c->enc) {
        wspi_residual_put(c, c->pay.in + c->pay.at, n);
    } else if (!c->fill && (size_t)(c->res_end - c->res) < n) {
        c->bad = true;
    } else {
        b = wspi_payload_room(c, n);
        if (b)
            wspi_residual_bytes(c, b, n);
    }
    c->pay.at += n;
}

static void zero_bytes(wspi_coder *c, size_t n)
{
    uint8_t *b = c->enc || c->bad ? NULL : wspi_payload_room(c, n);

    if (b)
        memset(b, 0, n);
    c->pay.at += n;
}

/* The last byte of the word becomes another, wherever the word is. */
static void break_word(uint8_t *b, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(b + i, word, len) == 0)
            b[i + len - 1] = '-';
}

/*
 * Samples: readers know some protocols on any port, and would find plain bytes malformed that look like them. Over TCP: HTTP by a
 * first line, FIX and VNC by their first word, DICOM, rpcapd and TDS by a small first byte, Thrift by a first byte or one behind a length. What
 * this codec would take for a protocol that has its ports (a word and a command of IMAP), the flow could not go on with.
 */
static void look_like_nothing(uint8_t *b, size_t n)
{
    enum { TDS_LAST = 0x12 };
    static const char *const begins[] = {"8=FIX", "RFB "};

    break_word(b, n, "HTTP/");
    for (size_t k = 0; k < WSPI_COUNT(begins); k++)
        break_word(b, WSPI_MIN(n, strlen(begins[k])), begins[k]);
    if (n > 0 && wspi_http_looks(b, n))
        *(uint8_t *)memchr(b, ' ', n) = '-';
    if (n >= 8 && *b <= TDS_LAST)
        *b |= 0x20;
    for (size_t at = 0; at < n && at <= 4; at += 4)
        if (b[at] == 0x80 || b[at] == 0x82)
            b[at] |= 0x20;
    for (size_t k = 0; k < n && wspi_app_is_out_of_place(b, n, WSPI_TCP); k++)
        b[k] = '-';
}

/* OCP.1, BitTorrent's DHT; and what this codec would take for a protocol, with which the flow went on. */
static bool begins_like_something(const uint8_t *b, size_t n)
{
    return *b == ';' || *b == 'd' || wspi_app_is_out_of_place(b, n, WSPI_UDP);
}

/* Over UDP: QUIC, RTP, STUN and DTLS by the first byte, ISO transport by the second, DNS by small counts, SIP by its name. */
static void begin_like_text(uint8_t *b, size_t n)
{
    static const char *const words[] = {"sip:", "SIP/", "sips:"};

    if (*b < 0x20 || *b > 0x7e)
        *b = (uint8_t)(0x20 | (*b & 0x1f));
    if (n > 1 && b[1] >> 4 == 4)
        b[1] ^= 0x30;
    if (n >= 12 && (b[4] | b[6] | b[8] | b[10]) == 0)
        b[4] = 0x20;
    for (size_t k = 0; k < WSPI_COUNT(words); k++)
        break_word(b, n, words[k]);
    for (unsigned k = 0x20; k < 0x7f && begins_like_something(b, n); k++)
        *b = *b < 0x7e ? *b + 1 : 0x20;
}

static void hide_from_readers(const wspi_coder *c, uint8_t *b, size_t n)
{
    uint8_t last = c->p->n_layers ? c->p->layers[c->p->n_layers - 1].id : WSPI_PAYLOAD;

    if (last >= WSPI_TCP && last <= WSPI_TCP_RAWOPT) /* TCP or an option of it */
        look_like_nothing(b, n);
    else if (last == WSPI_UDP)
        begin_like_text(b, n);
}

/* Samples: of what is quoted the kind is all that is drawn. */
static void shape(uint8_t *b, size_t n, unsigned kind)
{
    for (size_t i = 0; i < n; i++)
        b[i] = kind == WSPI_PAY_TEXT     ? (uint8_t)(0x20 + b[i] % 0x5f)
               : kind == WSPI_PAY_BINARY ? (uint8_t)(b[i] & 0x17)
                                         : b[i];
}

/*
 * What is left: its kind, the first bytes as text, the rest. A kind "zero" says it of the first 256 bytes. What follows
 * a header that an ICMP error quotes begins with ports and numbers of another flow: none of it is text.
 */
static void code_plain(wspi_coder *c)
{
    unsigned kind = 0;
    const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
    size_t n = c->pay.end - c->pay.at, head = 0;
    bool whole = c->pay.at == 0, quoted = wspi_own_layers(c->p) < c->p->n_layers;

    if (c->enc) {
        kind = payload_kind(b, n);
        if (!quoted)
            head = head_len((uint8_t)kind, b, n);
    }
    kind = wspi_must(c, wspi_group_base(WSPI_T_KIND), 4, kind);
    wspi_text_some(c, quoted && c->fill ? 0 : WSPI_MIN(n, HEAD_TEXT), head);
    if (c->bad || c->need)
        return;
    n = c->pay.end - c->pay.at;
    if (kind == WSPI_PAY_ZERO) {
        zero_bytes(c, c->fill ? n : WSPI_MIN(n, ZEROS));
        n = c->pay.end - c->pay.at;
    }
    wspi_payload_bytes(c, n);
    if (c->fill && quoted)
        shape(c->pay.out->data, c->pay.out->len, kind);
    if (c->fill && whole && c->pay.out->len)
        hide_from_readers(c, c->pay.out->data, c->pay.out->len);
}

void wspi_code_payload(wspi_coder *c)
{
    c->pay.at = 0;
    c->pay.more = false;
    if (c->bad || c->need || wspi_ndp_body(c) || wspi_cast_body(c) || wspi_ping_body(c) ||
        c->pay.wire == 0)
        return;
    if (c->fill && c->p->n_layers > 0 && c->p->layers[c->p->n_layers - 1].id == WSPI_IGMP)
        return; /* versions 1 and 2 */
    wspi_app_copy(&c->app, &c->ctx->app);
    if (wspi_browse(c))
        return;
    wspi_code_app(c);
    if (c->fill && c->pay.at && !c->pay.more)
        return; /* a sampled message is whole */
    if (!c->bad && !c->need && c->pay.end > c->pay.at)
        code_plain(c);
    wspi_ping_keep(c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order0.c: counts of symbols in a Fenwick tree (Fenwick, 1994: sums and updates in O(log n)), and a range coder
 * (Martin, 1979) whose interval is 56 bits wide, so that the shares of symbols are kept to 1 in 2^20 and better.
 */
#include "base/order0.h"

/*
 * A seen symbol counts STEP times what an unseen one does, so that a large alphabet of which few symbols come is not
 * paid for. Counts are halved after WINDOW symbols, or more for large alphabets, whose shares take longer to learn.
 */
enum { STEP = 32, WINDOW = 1 << 18, WINDOW_SYMBOLS = 64 };

#define TOP_BITS 48 /* below these is the byte that leaves next */
#define BOTTOM   ((uint64_t)1 << TOP_BITS)
#define WHOLE    (BOTTOM << 8)

struct wspi_order0 {
    uint32_t n, top; /* symbols; the highest power of two that is not above */
    uint32_t total, limit;
    uint32_t *count; /* [n] */
    uint32_t *tree;  /* [n + 1], Fenwick: item i sums the counts of the (i & -i) symbols before i */
    /* The interval. Writing: it starts at low, whose bit 56 is a carry; reading: low is code - start. */
    uint64_t low, range;
    /* A byte that a carry may still raise, and the 0xff bytes after it, which the carry would run through. */
    bool held;
    uint8_t byte;
    uint64_t run;
    uint64_t size;
    wspi_buf *to;
    wspi_cursor from;
};

/* ---- counts ---- */

static void build_tree(wspi_order0 *o)
{
    o->total = 0;
    memset(o->tree, 0, ((size_t)o->n + 1) * sizeof *o->tree);
    for (uint32_t i = 1; i <= o->n; i++) {
        uint32_t parent = i + (i & (0u - i));

        o->tree[i] += o->count[i - 1];
        o->total += o->count[i - 1];
        if (parent <= o->n)
            o->tree[parent] += o->tree[i];
    }
}

static uint32_t sum_before(const wspi_order0 *o, uint32_t symbol)
{
    uint32_t sum = 0;

    for (uint32_t i = symbol; i > 0; i &= i - 1)
        sum += o->tree[i];
    return sum;
}

/* The symbol whose share holds `at`; *before = the sum of the counts before it. */
static uint32_t symbol_at(const wspi_order0 *o, uint32_t at, uint32_t *before)
{
    uint32_t i = 0, left = at;

    for (uint32_t step = o->top; step; step >>= 1) {
        if (i + step <= o->n && o->tree[i + step] <= left) {
            i += step;
            left -= o->tree[i];
        }
    }
    *before = at - left;
    return i;
}

static void learn(wspi_order0 *o, uint32_t symbol)
{
    o->count[symbol] += STEP;
    o->total += STEP;
    if (o->total > o->limit) {
        for (uint32_t i = 0; i < o->n; i++)
            o->count[i] = (o->count[i] + 1) / 2; /* never 0 */
        build_tree(o);
        return;
    }
    for (uint32_t i = symbol + 1; i <= o->n; i += i & (0u - i))
        o->tree[i] += STEP;
}

wsp_status wspi_order0_new(wspi_order0 **out, uint32_t n)
{
    wspi_order0 *o;

    *out = NULL;
    if (n < 1 || n > WSPI_ORDER0_MAX)
        return WSP_ERR_ARG;
    o = wspi_new_array(1, sizeof *o);
    if (!o)
        return WSP_ERR_NOMEM;
    o->n = n;
    o->top = 1u << wspi_log2(n);
    o->limit = STEP * WSPI_MAX((uint32_t)WINDOW, n * WINDOW_SYMBOLS);
    o->range = WHOLE;
    o->count = wspi_new_array(n, sizeof *o->count);
    o->tree = wspi_new_array((size_t)n + 1, sizeof *o->tree);
    if (!o->count || !o->tree) {
        wspi_order0_free(o);
        return WSP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++)
        o->count[i] = 1;
    build_tree(o);
    *out = o;
    return WSP_OK;
}

void wspi_order0_free(wspi_order0 *o)
{
    if (!o)
        return;
    free(o->count);
    free(o->tree);
    free(o);
}

/* ---- writing ---- */

void wspi_order0_to(wspi_order0 *o, wspi_buf *to)
{
    o->to = to;
}

static wsp_status write_byte(wspi_order0 *o, uint8_t v)
{
    o->size++;
    return o->to ? wspi_buf_add_u8(o->to, v) : WSP_OK;
}

/* What is held leaves: as it is, or raised by the carry that came. */
static wsp_status release_held(wspi_order0 *o, bool carry)
{
    if (o->held)
        WSP_TRY(write_byte(o, (uint8_t)(o->byte + carry)));
    for (; o->run; o->run--)
        WSP_TRY(write_byte(o, carry ? 0x00 : 0xff));
    o->held = false;
    return WSP_OK;
}

/*
 * Takes the top byte off low. The end of the interval never passes the carry bit twice: what a carry has raised stays.
 */
static wsp_status shift(wspi_order0 *o)
{
    uint32_t v = (uint32_t)(o->low >> TOP_BITS);

    o->low = (o->low & (BOTTOM - 1)) << 8;
    if (v == 0xff) {
        o->run++;
        return WSP_OK;
    }
    WSP_TRY(release_held(o, v > 0xff));
    o->held = true;
    o->byte = (uint8_t)v;
    return WSP_OK;
}

/* Narrows the interval to the share of a symbol; the last one takes what the division leaves. */
static uint64_t narrow(wspi_order0 *o, uint64_t part, uint32_t before, uint32_t symbol)
{
    uint64_t start = part * before;

    o->range = symbol + 1 == o->n ? o->range - start : part * o->count[symbol];
    return start;
}

wsp_status wspi_order0_put(wspi_order0 *o, uint32_t symbol)
{
    if (symbol >= o->n)
        return WSP_ERR_ARG;
    o->low += narrow(o, o->range / o->total, sum_before(o, symbol), symbol);
    for (; o->range < BOTTOM; o->range <<= 8)
        WSP_TRY(shift(o));
    learn(o, symbol);
    return WSP_OK;
}

/* The number of the interval that has the fewest bytes: those after it are read as zeros. */
wsp_status wspi_order0_finish(wspi_order0 *o)
{
    unsigned zeros = TOP_BITS + 8;
    uint64_t v = 0;

    for (;; zeros -= 8) {
        uint64_t mask = ((uint64_t)1 << zeros) - 1;

        v = (o->low + mask) & ~mask;
        if (v - o->low < o->range)
            break;
    }
    o->low = v;
    for (unsigned bits = TOP_BITS + 8; bits > zeros; bits -= 8)
        WSP_TRY(shift(o));
    return release_held(o, o->low >= WHOLE);
}

uint64_t wspi_order0_size(const wspi_order0 *o)
{
    return o->size;
}

/* ---- reading ---- */

void wspi_order0_from(wspi_order0 *o, const uint8_t *p, size_t len)
{
    o->from = wspi_cur(p, len);
    o->low = 0;
    for (unsigned i = 0; i < TOP_BITS + 8; i += 8)
        o->low = o->low << 8 | wspi_cur_u8(&o->from);
}

uint32_t wspi_order0_get(wspi_order0 *o)
{
    uint64_t part = o->range / o->total;
    uint64_t at = WSPI_MIN(o->low / part, (uint64_t)o->total - 1);
    uint32_t before;
    uint32_t symbol = symbol_at(o, (uint32_t)at, &before);

    o->low -= narrow(o, part, before, symbol);
    for (; o->range < BOTTOM; o->range <<= 8)
        o->low = o->low << 8 | wspi_cur_u8(&o->from);
    learn(o, symbol);
    return symbol;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng_reader.c: a pcapng stream block by block: sections of both byte orders, interfaces of any link types, packets. libpcap refuses
 * files whose interfaces differ in type. Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html.
 *
 *     block: type 32 | length 32 | body, padded to 32 bits | options | length 32      option: code 16 | length 16 | value, padded
 */
#include "capture/input_int.h"

enum {
    SECTION = 0x0a0d0d0a,
    INTERFACE = 1,
    OLD_PACKET = 2,
    SIMPLE_PACKET = 3,
    PACKET = 6,
    OPT_END = 0,
    OPT_RESOLUTION = 9, /* 10^-n seconds, or with the high bit 2^-n */
    OPT_OFFSET = 14,    /* seconds to add */
    BLOCK_HEAD = 8,
    MIN_BLOCK = 12,
    MAX_BLOCK = 1 << 24, /* libpcap's too, where packets cannot be longer */
    MAX_EXTRA = 1 << 17, /* likewise: bytes of a packet's block beside it */
    MAX_INTERFACES = 1 << 16,
};

#define ORDER_MAGIC 0x1a2b3c4du
#define NS_PER_S    1000000000u

typedef struct interface {
    uint32_t snaplen;
    uint16_t linktype;
    uint8_t resolution;
    int64_t offset;
} interface;

struct wspi_pcapng {
    FILE *fp;
    bool big_endian;
    uint8_t *block; /* [cap] the body of the last one, without its second length */
    size_t len, cap, max_block;
    interface *interfaces; /* [n] of the section */
    size_t n, cap_interfaces;
    char why[96];
};

static wsp_status WSP_PRINTF(2, 3) bad(wspi_pcapng *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    return WSP_ERR_FORMAT;
}

static uint32_t get32(const wspi_pcapng *r, wspi_cursor *c)
{
    return r->big_endian ? wspi_cur_be32(c) : wspi_cur_le32(c);
}

static uint16_t get16(const wspi_pcapng *r, wspi_cursor *c)
{
    uint16_t v = wspi_cur_be16(c);

    return r->big_endian ? v : __builtin_bswap16(v);
}

static uint64_t get64(const wspi_pcapng *r, wspi_cursor *c)
{
    uint64_t first = get32(r, c), second = get32(r, c);

    return r->big_endian ? first << 32 | second : second << 32 | first;
}

/* ---- blocks ---- */

/* EOF: the stream ends here. */
static wsp_status fill(wspi_pcapng *r, uint8_t *to, size_t len)
{
    size_t got = fread(to, 1, len, r->fp);

    if (got == len)
        return WSP_OK;
    return got == 0 && feof(r->fp) ? WSP_EOF
                                   : bad(r, "a block ends after %zu of %zu bytes", got, len);
}

/* The body has the order in which the section's lengths are to be read. */
static wsp_status read_order(wspi_pcapng *r, uint8_t order[4])
{
    wspi_cursor c = wspi_cur(order, 4);
    wsp_status st = fill(r, order, 4);
    uint32_t magic;

    if (st != WSP_OK)
        return st < 0 ? st : bad(r, "a section ends in its head");
    magic = wspi_cur_be32(&c);
    if (magic != ORDER_MAGIC && magic != __builtin_bswap32(ORDER_MAGIC))
        return bad(r, "a section with an unknown byte order, 0x%08x", magic);
    r->big_endian = magic == ORDER_MAGIC;
    return WSP_OK;
}

static wsp_status read_body(wspi_pcapng *r, const uint8_t *begun, size_t n_begun, uint32_t length)
{
    size_t len = length - BLOCK_HEAD;
    wspi_cursor c;
    wsp_status st;

    WSP_TRY(wspi_grow(&r->block, &r->cap, len, 1));
    memcpy(r->block, begun, n_begun);
    st = fill(r, r->block + n_begun, len - n_begun);
    if (st != WSP_OK)
        return st < 0 ? st : bad(r, "a block of %u bytes ends after its head", length);
    r->len = len - 4;
    c = wspi_cur(r->block + r->len, 4);
    if (get32(r, &c) != length)
        return bad(r, "the two lengths of a block of %u bytes differ", length);
    return WSP_OK;
}

static wsp_status read_block(wspi_pcapng *r, uint32_t *type)
{
    uint8_t head[BLOCK_HEAD], order[4];
    wspi_cursor c = wspi_cur(head, sizeof head);
    wsp_status st = fill(r, head, sizeof head);
    size_t begun = 0;
    uint32_t length;

    if (st != WSP_OK)
        return st;
    *type = get32(r, &c);
    if (*type == SECTION) {
        WSP_TRY(read_order(r, order));
        begun = sizeof order;
    }
    length = get32(r, &c);
    if (length < MIN_BLOCK + begun || length % 4 || length > r->max_block)
        return bad(r, "a block of %u bytes", length);
    return read_body(r, order, begun, length);
}

/* ---- what blocks say ---- */

static wsp_status take_section(wspi_pcapng *r)
{
    wspi_cursor c = wspi_cur(r->block, r->len);
    uint16_t major;

    (void)wspi_cur_bytes(&c, 4);
    major = get16(r, &c);
    (void)wspi_cur_bytes(&c, 10); /* the minor version and the section's length */
    if (c.bad)
        return bad(r, "a section's head of %zu bytes", r->len);
    if (major != 1)
        return bad(r, "version %u of pcapng", major);
    r->n = 0;
    return WSP_OK;
}

static wsp_status take_option(wspi_pcapng *r, interface *i, uint16_t code, wspi_cursor o)
{
    if (code == OPT_RESOLUTION) {
        i->resolution = wspi_cur_u8(&o);
        if (o.bad || (i->resolution & 0x7f) > (i->resolution & 0x80 ? 63 : 19))
            return bad(r, "an interface with a resolution of 0x%02x", i->resolution);
    } else if (code == OPT_OFFSET) {
        i->offset = (int64_t)get64(r, &o);
        if (o.bad)
            return bad(r, "an interface with half a time offset");
    }
    return WSP_OK;
}

static wsp_status take_interface(wspi_pcapng *r)
{
    wspi_cursor c = wspi_cur(r->block, r->len);
    interface i = {.linktype = get16(r, &c), .resolution = 6};

    (void)get16(r, &c);
    i.snaplen = get32(r, &c);
    if (c.bad)
        return bad(r, "an interface of %zu bytes", r->len);
    while (wspi_cur_left(&c) >= 4) {
        uint16_t code = get16(r, &c), len = get16(r, &c);
        wspi_cursor o = wspi_cur_sub(&c, (len + 3u) & ~3u);

        if (code == OPT_END)
            break;
        if (o.bad)
            return bad(r, "an interface whose options leave it");
        o.end = o.p + len;
        WSP_TRY(take_option(r, &i, code, o));
    }
    if (r->n == MAX_INTERFACES)
        return bad(r, "more than %d interfaces", MAX_INTERFACES);
    WSP_TRY(wspi_grow(&r->interfaces, &r->cap_interfaces, r->n + 1, sizeof *r->interfaces));
    r->interfaces[r->n++] = i;
    r->max_block = WSPI_MAX(r->max_block, (size_t)wspi_linktype_most(i.linktype) + MAX_EXTRA);
    return WSP_OK;
}

/* What does not fit into 64 bits of nanoseconds is the end of time. */
static uint64_t time_of(const interface *i, uint64_t ticks)
{
    unsigned n = i->resolution & 0x7f;
    uint64_t scale = 1, sec, ns;

    if (i->resolution & 0x80) {
        uint64_t part = ticks & ((UINT64_C(1) << n) - 1);
        sec = ticks >> n;
        ns = n > 32 ? (part >> (n - 32)) * NS_PER_S >> 32 : part * NS_PER_S >> n;
    } else {
        for (unsigned k = 0; k < n; k++)
            scale *= 10;
        sec = ticks / scale;
        ns = n > 9 ? ticks % scale / (scale / NS_PER_S) : ticks % scale * (NS_PER_S / scale);
    }
    if (i->offset < 0 && sec < 0 - (uint64_t)i->offset)
        return 0;
    if ((i->offset > 0 && __builtin_add_overflow(sec, (uint64_t)i->offset, &sec)) ||
        __builtin_mul_overflow(sec + (i->offset < 0 ? (uint64_t)i->offset : 0), NS_PER_S, &sec) ||
        __builtin_add_overflow(sec, ns, &ns))
        return UINT64_MAX;
    return ns;
}

static void tell_interface(const interface *i, wsp_capture_info *info)
{
    info->linktype = i->linktype;
    info->snaplen = i->snaplen;
    info->nanosecond = i->resolution == 9;
}

static wsp_status take_packet(wspi_pcapng *r, uint32_t type, wsp_capture_info *of, wsp_frame *f)
{
    wspi_cursor c = wspi_cur(r->block, r->len);
    uint32_t id = type == PACKET ? get32(r, &c) : type == OLD_PACKET ? get16(r, &c) : 0;
    uint64_t ticks = 0;
    const interface *i;

    if (id >= r->n)
        return bad(r, "a packet of interface %u, and there are %zu", id, r->n);
    i = &r->interfaces[id];
    if (type == OLD_PACKET)
        (void)get16(r, &c); /* how many were lost */
    if (type != SIMPLE_PACKET) {
        ticks = (uint64_t)get32(r, &c) << 32;
        ticks |= get32(r, &c);
        f->caplen = get32(r, &c);
    }
    f->wirelen = get32(r, &c);
    if (type == SIMPLE_PACKET)
        f->caplen = i->snaplen ? WSPI_MIN(f->wirelen, i->snaplen) : f->wirelen;
    if (c.bad || f->caplen > wspi_cur_left(&c) || f->caplen > wspi_linktype_most(i->linktype))
        return bad(r, "a packet of %u bytes in a block of %zu", f->caplen, r->len);
    f->time_ns = type == SIMPLE_PACKET ? 0 : time_of(i, ticks);
    f->data = c.p;
    tell_interface(i, of);
    return WSP_OK;
}

/* Blocks up to the next of these; others go by, what sections and interfaces say is kept. */
static wsp_status next_block(wspi_pcapng *r, bool interface_wanted, uint32_t *type)
{
    for (;;) {
        wsp_status st = read_block(r, type);

        if (st != WSP_OK)
            return st;
        if (*type == PACKET || *type == OLD_PACKET || *type == SIMPLE_PACKET)
            return WSP_OK;
        if (*type == SECTION)
            WSP_TRY(take_section(r));
        if (*type != INTERFACE)
            continue;
        WSP_TRY(take_interface(r));
        if (interface_wanted)
            return WSP_OK;
    }
}

wsp_status wspi_pcapng_open(wspi_pcapng **out, FILE *fp, wsp_capture_info *info)
{
    wspi_pcapng *r = calloc(1, sizeof *r);
    wsp_status st;
    uint32_t type;

    *out = r;
    if (!r)
        return WSP_ERR_NOMEM;
    r->fp = fp;
    r->max_block = MAX_BLOCK;
    st = next_block(r, true, &type);
    if (st == WSP_EOF)
        return bad(r, "it ends before the first interface");
    if (st < 0)
        return st;
    if (type != INTERFACE)
        return bad(r, "a packet before the first interface");
    tell_interface(&r->interfaces[0], info);
    return WSP_OK;
}

wsp_status wspi_pcapng_next(wspi_pcapng *r, wsp_capture_info *of, wsp_frame *frame)
{
    uint32_t type;
    wsp_status st = next_block(r, false, &type);

    return st == WSP_OK ? take_packet(r, type, of, frame) : st;
}

const char *wspi_pcapng_why(const wspi_pcapng *r)
{
    return r->why[0] ? r->why : "out of memory";
}

void wspi_pcapng_free(wspi_pcapng *r)
{
    if (!r)
        return;
    free(r->block);
    free(r->interfaces);
    free(r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wifi.c: IEEE 802.11 data frames, bare or behind what the receiver says of them: radiotap (https://www.radiotap.org), PPI, Prism, AVS.
 *     | version 2 | type 2 | subtype 4 | to DS 1 | from DS 1 | more 1 | retry 1 | power 1 | data 1 | protected 1 | order 1 |
 *     | duration 16 | address 48 | address 48 | address 48 | fragment 4 | sequence 12 | [address 48] [QoS 16] [HT 32]
 *     | LLC and SNAP 48 | type 16 |
 * What is inside is the Ethernet frame that an access point would make of it. Frames that are protected, aggregated, in fragments or
 * without SNAP are taken apart no further, nor are those of management and control.
 */
#include "packet/packet_int.h"

enum {
    LINK_PRISM = 119,
    LINK_WIFI = 105,
    LINK_RADIOTAP = 127,
    LINK_AVS = 163,
    LINK_PPI = 192,
    FCS = 4,
    ADDRESS = 6,
    SNAP = 8,
    MAC_HEADER = 24
};

bool wspi_is_wifi(int linktype)
{
    return linktype == LINK_WIFI || linktype == LINK_RADIOTAP || linktype == LINK_PPI ||
           linktype == LINK_PRISM || linktype == LINK_AVS;
}

/* What stands before the frame, and what that says of it. */
typedef struct receiver {
    uint32_t len;
    bool fcs;    /* the frame ends with its check sequence */
    bool padded; /* its header is padded to 4 bytes */
} receiver;

/* ---- receivers' headers ---- */

/* Words that say which fields there are, then the fields: a clock of 8 bytes at a multiple of 8, if bit 0 says so, then flags. */
static bool read_radiotap(const uint8_t *h, uint32_t n, receiver *out)
{
    enum { CLOCK = 1, FLAGS = 2, HAS_FCS = 0x10, HAS_PAD = 0x20 };
    wspi_cursor c = wspi_cur(h, n);
    uint32_t present, word;

    if (wspi_cur_u8(&c) != 0)
        return false;
    (void)wspi_cur_u8(&c);
    out->len = wspi_cur_u8(&c);
    out->len |= (uint32_t)wspi_cur_u8(&c) << 8;
    present = word = wspi_cur_le32(&c);
    while (word >> 31 && !c.bad)
        word = wspi_cur_le32(&c);
    if (present & CLOCK)
        (void)wspi_cur_bytes(&c, (8 - (size_t)(c.p - h) % 8) % 8 + 8);
    if (present & FLAGS) {
        uint8_t flags = wspi_cur_u8(&c);
        out->fcs = flags & HAS_FCS;
        out->padded = flags & HAS_PAD;
    }
    return !c.bad && out->len <= n && (size_t)(c.p - h) <= out->len;
}

static uint32_t le16(wspi_cursor *c)
{
    uint32_t low = wspi_cur_u8(c);

    return low | (uint32_t)wspi_cur_u8(c) << 8;
}

/* | version 8 | flags 8 | length 16 | link type 32 |, then fields of  | type 16 | length 16 |; 2 has  | clock 64 | flags 16 | ... */
static bool read_ppi(const uint8_t *h, uint32_t n, receiver *out)
{
    enum { COMMON = 2, CLOCK = 8 };
    wspi_cursor c = wspi_cur(h, n);

    if (le16(&c) >> 8 & 1) /* fields are aligned: nobody writes that */
        return false;
    out->len = le16(&c);
    if (wspi_cur_le32(&c) != LINK_WIFI || c.bad || out->len > n)
        return false;
    c = wspi_cur(h, out->len);
    (void)wspi_cur_bytes(&c, 8);
    while (wspi_cur_left(&c) >= 4) {
        uint32_t type = le16(&c), len = le16(&c);
        wspi_cursor field = wspi_cur_sub(&c, len);
        if (type != COMMON)
            continue;
        (void)wspi_cur_bytes(&field, CLOCK);
        out->fcs = le16(&field) & 1;
        return !field.bad;
    }
    return !c.bad;
}

/* Both are written under the link type of the older one. Prism:  | message 32 | length 32 |  in the machine's order; AVS: in network order. */
static bool read_prism(const uint8_t *h, uint32_t n, receiver *out)
{
    wspi_cursor c = wspi_cur(h, n);
    uint32_t first = wspi_cur_be32(&c), second = wspi_cur_be32(&c);

    if (first >> 12 == 0x80211)
        out->len = second;
    else if (first == 0x44000000 || first == 0x41000000)
        out->len = __builtin_bswap32(second);
    else
        out->len = first == 0x44 || first == 0x41 ? second : UINT32_MAX;
    return !c.bad && out->len >= 8 && out->len <= n;
}

static bool read_receiver(const uint8_t *h, uint32_t n, int linktype, receiver *out)
{
    *out = (receiver){.len = 0};
    switch (linktype) {
    case LINK_RADIOTAP: return read_radiotap(h, n, out);
    case LINK_PPI: return read_ppi(h, n, out);
    case LINK_PRISM:
    case LINK_AVS: return read_prism(h, n, out);
    default: return true;
    }
}

/* ---- frames ---- */

enum { TO_DS = 1, FROM_DS = 2, MORE = 4, PROTECTED = 0x40, ORDER = 0x80 };

/* Bytes of a data frame's header; 0: it is not of a kind that is taken apart. */
static uint32_t header_len(const uint8_t *h, uint32_t left)
{
    enum { QOS = 0x80, NO_DATA = 0x40, AGGREGATE = 0x80 };
    uint32_t len = MAC_HEADER;

    if (left < MAC_HEADER || (h[0] & 0x0f) != 0x08 || h[0] & NO_DATA || h[1] & (MORE | PROTECTED) ||
        h[22] & 0x0f)
        return 0;
    if ((h[1] & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS))
        len += ADDRESS;
    if (!(h[0] & QOS))
        return len;
    if (left < len + 2 || h[len] & AGGREGATE)
        return 0;
    return len + 2 + (h[1] & ORDER ? 4 : 0);
}

/* RFC 1042, and bridged types that Ethernet has no other form of (IEEE 802.1H). */
static bool is_snap(const uint8_t *b)
{
    static const uint8_t heads[2][6] = {{0xaa, 0xaa, 3, 0, 0, 0}, {0xaa, 0xaa, 3, 0, 0, 0xf8}};

    return (memcmp(b, heads[0], 6) == 0 || memcmp(b, heads[1], 6) == 0) && b[6] >= 6;
}

/* Destination, source and type as Ethernet has them. */
static void make_header(uint8_t *to, const uint8_t *h, const uint8_t *snap)
{
    static const uint8_t destination[4] = {4, 16, 4, 16}, source[4] = {10, 10, 16, 24};
    unsigned way = h[1] & (TO_DS | FROM_DS);

    memcpy(to, h + destination[way], ADDRESS);
    memcpy(to + ADDRESS, h + source[way], ADDRESS);
    memcpy(to + 2 * ADDRESS, snap + 6, 2);
}

uint8_t wspi_wifi(wspi_region *r, int linktype)
{
    uint8_t header[WSPI_ETH_LEN];
    uint32_t n = WSPI_MIN(r->end, r->p->caplen), len;
    const uint8_t *h;
    receiver by;

    if (n == 0 || !read_receiver(r->p->data, n, linktype, &by))
        return WSPI_PAYLOAD;
    h = r->p->data + by.len;
    len = header_len(h, n - by.len);
    if (by.padded)
        len = (len + 3) & ~3u;
    if (len == 0 || !wspi_peek(r, by.len + len + SNAP) || !is_snap(h + len))
        return WSPI_PAYLOAD;
    make_header(header, h, h + len);
    if (!wspi_unwrap(r, by.len + len + SNAP, header, 0))
        return WSPI_PAYLOAD;
    if (by.fcs && r->end >= WSPI_ETH_LEN + FCS)
        r->end -= FCS;
    return WSPI_ETH;
}

size_t wspi_wifi_addresses(const wsp_packet *p, uint32_t at[4])
{
    const uint8_t *frame = p->wrap.frame;
    receiver by;

    if (!wspi_is_wifi(p->linktype) || !p->wrap.n ||
        !read_receiver(frame, p->wrap.len, p->linktype, &by))
        return 0;
    for (uint32_t i = 0; i < 3; i++)
        at[i] = by.len + 4 + i * ADDRESS;
    at[3] = by.len + MAC_HEADER;
    return (frame[by.len + 1] & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS) ? 4 : 3;
}

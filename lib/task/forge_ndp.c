/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge_ndp.c: addresses that ICMPv6 tells of. Neighbor Discovery (RFC 4861 4), whose messages have addresses and then options:
 *     | type 8 | code 8 | checksum 16 | flags 32 | addresses, or 64 of timers | type 8 | length in 8 bytes 8 | ...
 * and who listens to which group (RFC 2710 3, RFC 3810 5): a solicited-node group has the end of a host's address.
 */
#include "packet/packet_int.h"
#include "task/task_int.h"

enum { ADDRESS = 16, NET = 8, UNIT = 8 };
enum { MLD_QUERY = 130, MLD_REPORT, MLD_DONE, ROUTER_SOLICIT, ROUTER_ADVERT, NEIGHBOR_SOLICIT };
enum { NEIGHBOR_ADVERT = 136, REDIRECT, MLD2_REPORT = 143 };

/* Addresses one after the other, of a prefix that ends early its network half; returns where they end. */
static size_t forge_addresses(const wsp_forger *f, uint8_t *b, size_t n, size_t most)
{
    size_t at = 0;

    for (; most > 0 && at + ADDRESS <= n; at += ADDRESS, most--)
        wspi_forge_ip6(f, b + at, true);
    if (most > 0 && at + NET <= n)
        wspi_forge_ip6(f, b + at, false);
    return at;
}

/* ---- options ---- */

/* Where addresses begin in an option, and how many there are. */
static const struct {
    uint8_t type, at;
    size_t n;
} options[] = {
    {3, 16, 1},       /* prefix, RFC 4861 4.6.2 */
    {4, 16, 2},       /* the packet that is redirected, 4.6.3: those of its header */
    {24, 8, 1},       /* route, RFC 4191 2.3 */
    {25, 8, SIZE_MAX} /* servers of names, RFC 8106 5.1 */
};

/* b: n bytes that were captured of an option of `len`. */
static void forge_option(const wsp_forger *f, uint8_t *b, size_t n, size_t len)
{
    enum { SOURCE_LINK = 1, TARGET_LINK = 2, MAC_AT = 2 };

    if ((b[0] == SOURCE_LINK || b[0] == TARGET_LINK) && len == UNIT && n == len)
        wspi_forge_link(f, b + MAC_AT);
    for (size_t i = 0; i < WSPI_COUNT(options); i++)
        if (options[i].type == b[0] && n > options[i].at)
            (void)forge_addresses(f, b + options[i].at, n - options[i].at, options[i].n);
}

static void forge_options(const wsp_forger *f, uint8_t *b, size_t n)
{
    for (size_t at = 0, len; at + 2 <= n && b[at + 1] != 0; at += len) {
        len = (size_t)b[at + 1] * UNIT;
        forge_option(f, b + at, WSPI_MIN(len, n - at), len);
        if (len > n - at)
            return;
    }
}

/* ---- groups ---- */

/* | type 8 | length of the end in 4 bytes 8 | sources 16 | group 128 | sources | end, each. */
static void forge_records(const wsp_forger *f, uint8_t *b, size_t n)
{
    enum { HEAD = 4 };

    for (size_t at = 0, sources, end; at + HEAD <= n; at += end) {
        sources = (size_t)wspi_bits_get(b + at, 16, 16);
        end = HEAD + ADDRESS * (1 + sources) + (size_t)b[at + 1] * 4;
        (void)forge_addresses(f, b + at + HEAD, n - at - HEAD, 1 + sources);
        if (end > n - at)
            return;
    }
}

/* ---- messages ---- */

void wspi_forge_icmpv6(const wsp_forger *f, uint64_t type, uint8_t *b, size_t n)
{
    enum { TIMERS = 8, QUERY_MORE = 4 };
    size_t at = 0;

    switch (type) {
    case MLD_QUERY: /* of version 2 sources follow */
        at = forge_addresses(f, b, n, 1) + QUERY_MORE;
        if (at < n)
            (void)forge_addresses(f, b + at, n - at, SIZE_MAX);
        return;
    case MLD_REPORT:
    case MLD_DONE: (void)forge_addresses(f, b, n, 1); return;
    case MLD2_REPORT: forge_records(f, b, n); return;
    case ROUTER_SOLICIT: break;
    case ROUTER_ADVERT: at = TIMERS; break;
    case NEIGHBOR_SOLICIT:
    case NEIGHBOR_ADVERT: at = forge_addresses(f, b, n, 1); break;
    case REDIRECT: at = forge_addresses(f, b, n, 2); break;
    default: return;
    }
    if (at < n)
        forge_options(f, b + at, n - at);
}

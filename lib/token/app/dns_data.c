/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_data.c: names and data of records that samples make up: a row of a table for each type, with the bytes that its data may
 * have, and their form.
 *
 * A form is a word. These letters take the bytes that they say:
 *     0 to 9  a byte of that value     x  a random byte                'text'  as it is
 *     t  a type of records, 16 bits    e  a second of 2026, 32 bits    m  types that a name has, 8 bytes (RFC 4034 4.1.2)
 * and these share the bytes that are left, the last one has what cannot be shared:
 *     n  a name, whole, as data of newer types have it (RFC 2782, RFC 4034 6.2)
 *     h  a name in the domain of the message's first one
 *     s  letters behind their number (RFC 1035 3.3)    l  random bytes behind their number
 *     a  letters    o  random bytes    z  zeros        p  parameters of a service (RFC 9460 2.2)
 */
#include "token/app/dns_data.h"

/* ---- names ---- */

static uint8_t letter(wspi_coder *c)
{
    return (uint8_t)('a' + wspi_rng_u64(&c->rng) % 26);
}

void wspi_dns_name(wspi_coder *c, uint8_t *b, size_t n, bool local)
{
    static const uint8_t below[] = "\5local";
    size_t i = 0, label, tail = local && n > sizeof below + 1 ? 6 : 0;

    n -= tail;
    while (n - i > 1) {
        label = WSPI_MIN(n - i - 2, 15u);
        if (n - i - 2 == 16)
            label = 8; /* no label of length 0 may be left */
        b[i++] = (uint8_t)label;
        for (; label; label--)
            b[i++] = letter(c);
    }
    memcpy(b + i, below, tail);
    b[i + tail] = 0;
}

uint16_t wspi_dns_parent(const wspi_coder *c)
{
    size_t start = wspi_app_is_stream(c) ? 2 : 0;
    uint8_t label = c->pay.out->data[start + 12];

    return (uint16_t)(WSPI_DNS_POINTER + (label && label < 64 ? label + 1 : 0));
}

/* The domain that the message's first name is in, or a higher one, so that n bytes of labels in it make no name too long (RFC 1035 2.3.4). */
static uint16_t domain_for(const wspi_coder *c, size_t n)
{
    const uint8_t *end = c->pay.out->data + c->pay.out->len,
                  *b = c->pay.out->data + (wspi_app_is_stream(c) ? 2 : 0);
    uint16_t to = wspi_dns_parent(c);
    size_t len = 0;

    b += to & 0x3fff;
    while (b + len < end && b[len] && b[len] < 64)
        len += b[len] + 1u;
    for (; len && n + len >= WSPI_DNS_MAX_NAME; b += *b + 1u) {
        len -= *b + 1u;
        to = (uint16_t)(to + *b + 1);
    }
    return to;
}

void wspi_dns_host(wspi_coder *c, size_t n)
{
    uint8_t b[WSPI_DNS_MAX_NAME + 1];
    uint16_t domain = domain_for(c, n - 2);

    wspi_dns_name(c, b, n - 1, false);
    for (size_t i = 0; i < n - 2; i++)
        wspi_app_put(c, 1, b[i]);
    wspi_app_put(c, 2, domain);
}

/* ---- data ---- */

/* | key 16 | length 16 | data |, by ascending keys but for the last row, which takes what is left. */
typedef struct option {
    uint16_t key;
    uint8_t size; /* of its data */
    const char *form;
} option;

/* RFC 6891 6.1.2: NSID (RFC 5001), algorithms (RFC 6975), subnet of a client (RFC 7871), expiry (RFC 7314), cookie (RFC 7873), keepalive
   (RFC 7828), key tag (RFC 8145), extended error (RFC 8914), padding (RFC 7830). */
static const option edns[] = {
    {3, 0, ""},    {5, 2, "8o"},  {8, 5, "0180x"}, {9, 4, "xxxx"}, {10, 8, "o"},
    {11, 2, "xx"}, {14, 2, "xx"}, {15, 8, "09a"},  {12, 0, "z"},
};
/* RFC 9460 14.3.2: protocols, not the usual one, port, addresses; path of queries (RFC 9461 5) */
static const option service[] = {
    {1, 3, "2'h2'"}, {2, 0, ""}, {3, 2, "xx"}, {4, 4, "xxxx"}, {6, 16, "o"}, {7, 0, "a"},
};

typedef struct data {
    uint16_t type;
    uint8_t least, most; /* bytes */
    const char *form;
} data;

/* Numbers and RFCs: IANA, "Resource Record (RR) TYPEs". Those with a token come first. */
static const data types[] = {
    {WSPI_DNS_TXT, 2, 255, "s"},
    {WSPI_DNS_SPF, 2, 255, "s"},
    {WSPI_DNS_HINFO, 4, 255, "ss"},
    {WSPI_DNS_SOA, 32, 255, "hh'x'xxx00xx00xx0xxx00xx"},
    {WSPI_DNS_MX, 8, 255, "0xh"},
    {WSPI_DNS_SRV, 10, 255, "0000xxn"},
    {WSPI_DNS_SVCB, 10, 255, "010p"},
    {WSPI_DNS_HTTPS, 10, 255, "010p"},
    {WSPI_DNS_NAPTR, 20, 255, "0x0x1's'7'SIP+D2U'0n"},
    {WSPI_DNS_CAA, 12, 255, "05'issue'a"},
    {WSPI_DNS_DS, 24, 255, "xx82o"},
    {WSPI_DNS_KEY, 80, 255, "10383101o"},
    {WSPI_DNS_DNSKEY, 80, 255, "10383101o"},
    {WSPI_DNS_RRSIG, 80, 255, "t8200xxeexx0o"},
    {WSPI_DNS_NSEC, 12, 255, "nm"},
    {WSPI_DNS_NULL, 2, 255, "o"},
    {7 /* MB */, 6, 255, "h"},
    {8 /* MG */, 6, 255, "h"},
    {9 /* MR */, 6, 255, "h"},
    {11 /* WKS */, 6, 40, "xxxx6o"},
    {14 /* MINFO */, 12, 255, "hh"},
    {17 /* RP */, 6, 255, "nn"},
    {18 /* AFSDB */, 6, 255, "01n"},
    {19 /* X25 */, 5, 40, "s"},
    {20 /* ISDN */, 8, 40, "ss"},
    {21 /* RT */, 8, 255, "0xh"},
    {24 /* SIG */, 80, 255, "t8200xxeexx0o"},
    {26 /* PX */, 8, 255, "0xnn"},
    {29 /* LOC: a meter, 2^31 is the equator */, 16, 16, "0'222\x80'xxx'\x80'xxx0'\x98'xx"},
    {36 /* KX */, 6, 255, "0xn"},
    {37 /* CERT */, 40, 255, "01xx8o"},
    {39 /* DNAME */, 4, 255, "n"},
    {42 /* APL */, 8, 8, "0184xxxx"},
    {44 /* SSHFP */, 22, 22, "41o"},
    {45 /* IPSECKEY */, 40, 255, "x12xxxxo"},
    {49 /* DHCID */, 35, 35, "001o"},
    {50 /* NSEC3 */, 40, 80, "100xllm"},
    {51 /* NSEC3PARAM */, 6, 20, "100xl"},
    {52 /* TLSA */, 35, 35, "311o"},
    {53 /* SMIMEA */, 35, 35, "311o"},
    {56 /* NINFO */, 2, 255, "s"},
    {58 /* TALINK */, 6, 255, "nn"},
    {59 /* CDS */, 36, 36, "xx82o"},
    {60 /* CDNSKEY */, 80, 255, "10383101o"},
    {61 /* OPENPGPKEY */, 64, 255, "o"},
    {62 /* CSYNC */, 14, 14, "xxxx03m"},
    {63 /* ZONEMD */, 54, 54, "xxxx11o"},
    {104 /* NID */, 10, 10, "0xo"},
    {105 /* L32 */, 6, 6, "0xo"},
    {106 /* L64 */, 10, 10, "0xo"},
    {107 /* LP */, 6, 255, "0xn"},
    {108 /* EUI48 */, 6, 6, "o"},
    {109 /* EUI64 */, 8, 8, "o"},
    {256 /* URI */, 16, 255, "0x0x'http://'a"},
    {258 /* AVC */, 2, 255, "s"},
    {32769 /* DLV */, 36, 36, "xx82o"},
};
enum { WITH_TOKEN = 16 };

static void put_second(wspi_coder *c)
{
    enum { FIRST = 1767225600, SECONDS = 365 * 86400 };

    wspi_app_put(c, 4, FIRST + wspi_rng_below(&c->rng, SECONDS));
}

/* A window of types, its bytes, a bit for each: of the first 48. */
static void put_types(wspi_coder *c)
{
    enum { BYTES = 6, A_BIT = 0x40 };

    wspi_app_put(c, 1, 0);
    wspi_app_put(c, 1, BYTES);
    wspi_app_put(c, 1, A_BIT);
    for (size_t i = 2; i < BYTES; i++)
        wspi_app_put(c, 1, wspi_rng_u64(&c->rng) & wspi_rng_u64(&c->rng) & 0xff);
    wspi_app_put(c, 1, 1 | (wspi_rng_u64(&c->rng) & 0xff)); /* the last one is not zero */
}

static void put_letters(wspi_coder *c, size_t n)
{
    for (; n; n--)
        wspi_app_put(c, 1, letter(c));
}

static void put_options(wspi_coder *c, const option *of, size_t count, size_t n);

/* What shares the bytes that are left: n of them. */
static void put_part(wspi_coder *c, char part, size_t n, bool local)
{
    uint8_t name[WSPI_DNS_MAX_NAME + 1];

    switch (part) {
    case 'n':
        wspi_dns_name(c, name, n, local);
        for (size_t i = 0; i < n; i++)
            wspi_app_put(c, 1, name[i]);
        break;
    case 'h': wspi_dns_host(c, n); break;
    case 's':
        wspi_app_put(c, 1, n - 1);
        put_letters(c, n - 1);
        break;
    case 'l':
        wspi_app_put(c, 1, n - 1);
        wspi_app_opaque(c, n - 1);
        break;
    case 'a': put_letters(c, n); break;
    case 'o': wspi_app_opaque(c, n); break;
    case 'p': put_options(c, service, WSPI_COUNT(service), n); break;
    default: /* z */
        for (; n; n--)
            wspi_app_put(c, 1, 0);
    }
}

/* What has bytes of its own. */
static void put_fixed(wspi_coder *c, char what)
{
    switch (what) {
    case 't': wspi_app_put(c, 2, types[wspi_rng_below(&c->rng, WSPI_COUNT(types))].type); break;
    case 'e': put_second(c); break;
    case 'm': put_types(c); break;
    case 'x': wspi_app_put(c, 1, wspi_rng_u64(&c->rng) & 0xff); break;
    default: wspi_app_put(c, 1, (uint64_t)(what - '0'));
    }
}

static const char parts[] = "nhslaozp";

/* The bytes that a form has of its own; *shares: among how many the others are shared. */
static size_t form_size(const char *form, size_t *shares)
{
    size_t n = 0;
    bool text = false;

    for (*shares = 0; *form; form++) {
        if (*form == '\'')
            text = !text;
        else if (!text && strchr(parts, *form))
            ++*shares;
        else
            n += text ? 1 : *form == 't' ? 2 : *form == 'e' ? 4 : *form == 'm' ? 8 : 1;
    }
    return n;
}

/* n bytes, at least as many as the form has of its own. */
static void put_form(wspi_coder *c, const char *form, size_t n, bool local)
{
    size_t shares, left = n - form_size(form, &shares);
    bool text = false;

    for (; *form; form++) {
        if (*form == '\'') {
            text = !text;
        } else if (text) {
            wspi_app_put(c, 1, (uint8_t)*form);
        } else if (strchr(parts, *form)) {
            size_t share = left / shares--;

            put_part(c, *form, share, local);
            left -= share;
        } else {
            put_fixed(c, *form);
        }
    }
}

/* Each row by chance, where bytes for another one or none are left. n: 0, or WSPI_DNS_OPTION_LEAST at least */
static void put_options(wspi_coder *c, const option *of, size_t count, size_t n)
{
    for (const option *o = of; o < of + count && n >= WSPI_DNS_OPTION_LEAST; o++) {
        bool last = o == of + count - 1;
        size_t size = last ? n - WSPI_DNS_OPTION_LEAST : o->size,
               all = size + WSPI_DNS_OPTION_LEAST;

        if (n < all || (n > all && n < all + WSPI_DNS_OPTION_LEAST) ||
            (!last && wspi_rng_u64(&c->rng) & 1))
            continue;
        wspi_app_put(c, 2, o->key);
        wspi_app_put(c, 2, size);
        put_form(c, o->form, size, false);
        n -= all;
    }
}

static const data *data_of(uint64_t type)
{
    for (size_t i = 0; i < WSPI_COUNT(types); i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

uint64_t wspi_dns_drawn_type(wspi_coder *c, unsigned f, unsigned token, uint16_t other, uint64_t t)
{
    if (!c->fill || c->bad || c->need || !c->pos ||
        c->in[c->pos - 1] != wspi_field_base(c->pay.app, f) + token)
        return t;
    if (!other)
        other = types[WITH_TOKEN + wspi_rng_below(&c->rng, WSPI_COUNT(types) - WITH_TOKEN)].type;
    return c->app.v[c->dir][f] = other;
}

size_t wspi_dns_data_least(uint64_t type)
{
    const data *d = data_of(type);

    return d ? d->least : 0;
}

size_t wspi_dns_data_most(uint64_t type)
{
    const data *d = data_of(type);

    return d ? d->most : WSPI_DNS_MAX_NAME;
}

void wspi_dns_data(wspi_coder *c, uint64_t type, size_t n, bool local)
{
    put_form(c, data_of(type)->form, n, local);
}

void wspi_dns_address(wspi_coder *c, size_t n, bool local)
{
    enum { MULTICAST = 224, LOOPBACK = 127, GLOBAL = 0x20, LINK = 0xfe80 };
    uint64_t first;

    if (!c->fill) {
        wspi_app_opaque(c, n);
        return;
    }
    first = 1 + wspi_rng_below(&c->rng, MULTICAST - 2);
    if (n == 4)
        wspi_app_put(c, 1, first + (first >= LOOPBACK));
    else if (local)
        wspi_app_put(c, 8, (uint64_t)LINK << 48);
    else
        wspi_app_put(c, 1, GLOBAL | (first & 15));
    wspi_app_opaque(c, n == 4 ? 3 : local ? 8 : n - 1);
}

void wspi_dns_options(wspi_coder *c, size_t n)
{
    put_options(c, edns, WSPI_COUNT(edns), n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer.c: answers of samples that fit their questions. */
#include "token/app/dns_answer.h"

enum { NO_ERROR, NO_NAME = 3 };
enum { MESSAGE_HEADER = 12, MAX_LABELS = 16, MAX_JUMPS = 16, FLAG_DO = 0x8000 };
/* Bytes of a name: one that has all its labels is told from a pointer, and up to where names of samples go. */
enum { POINTER_SIZE = 2, WHOLE_LEAST = 4, WHOLE_END = 64 };

/* Types whose data name a host, and where in it the name stands (RFC 1035 3.3.9 and 3.3.11, RFC 2782). */
static const struct {
    uint16_t type;
    uint8_t at;
} naming[] = {{WSPI_DNS_NS, 0}, {WSPI_DNS_MX, 2}, {WSPI_DNS_SRV, 6}};

static bool names_a_host(uint64_t type)
{
    for (size_t i = 0; i < WSPI_COUNT(naming); i++)
        if (naming[i].type == type)
            return true;
    return false;
}

#define ONE(place) (UINT32_C(1) << (place))
static const uint32_t host_types = ONE(P_NS) | ONE(P_MX) | ONE(P_SRV);

/* ---- names that are written ---- */

static size_t start_of(const wspi_coder *c)
{
    return wspi_app_is_stream(c) ? 2 : 0;
}

/* The byte at an offset of the message, 0 where there is none yet. */
static uint8_t byte_at(const wspi_coder *c, size_t at)
{
    at += start_of(c);
    return at < c->pay.out->len ? c->pay.out->data[at] : 0;
}

static bool asks_for_root(const wspi_coder *c)
{
    return byte_at(c, MESSAGE_HEADER) == 0;
}

/* A pointer to the name at a place of the payload; where that is a pointer alone, to where it leads. */
static uint16_t pointer_to(const wspi_coder *c, size_t at)
{
    uint8_t first;

    at -= start_of(c);
    first = byte_at(c, at);
    if (first >> 6 == 3)
        return (uint16_t)(first << 8 | byte_at(c, at + 1));
    return (uint16_t)(0xc000 | at);
}

/* All labels of a name and its root; 0: they are too many. */
static size_t whole_name(const wspi_coder *c, uint16_t pointer, uint8_t *b)
{
    size_t at = pointer & 0x3fff, n = 0;

    for (unsigned jumps = 0; jumps < MAX_JUMPS;) {
        uint8_t label = byte_at(c, at);
        if (label >> 6 == 3) {
            at = (size_t)(label & 63) << 8 | byte_at(c, at + 1);
            jumps++;
            continue;
        }
        if (label > 63 || n + label + 1u >= WSPI_DNS_MAX_NAME)
            return 0;
        for (size_t i = 0; i <= label; i++)
            b[n++] = byte_at(c, at + i);
        at += label + 1u;
        if (label == 0)
            return n;
    }
    return 0;
}

/* The names that the record may be of, up to MAX_LABELS. */
static unsigned owners(const wspi_coder *c, const wspi_dns_answer *a, uint16_t *to)
{
    unsigned n = 0;

    if (a->section == WSPI_DNS_ANSWERS) {
        to[n++] = a->owner;
    } else if (a->section == WSPI_DNS_ADDITIONAL) {
        for (; n < a->n_hosts; n++)
            to[n] = a->hosts[n];
    } else {
        for (size_t at = MESSAGE_HEADER; n < MAX_LABELS && byte_at(c, at);
             at += byte_at(c, at) + 1u)
            to[n++] = (uint16_t)(0xc000 | at);
    }
    return n;
}

/* May it be a pointer, but none to the question's name? */
static bool owner_points(const wspi_coder *c, const wspi_dns_answer *a)
{
    if (a->section == WSPI_DNS_ANSWERS)
        return a->owner != WSPI_DNS_POINTER;
    return a->section == WSPI_DNS_ADDITIONAL ? a->n_hosts > 0 : !asks_for_root(c);
}

static uint16_t owner_pointer(wspi_coder *c, const wspi_dns_answer *a)
{
    uint16_t to[MAX_LABELS];
    unsigned n = owners(c, a, to), from = a->section == WSPI_DNS_AUTHORITY;

    return n > from ? to[from + wspi_rng_below(&c->rng, n - from)] : wspi_dns_parent(c);
}

/* The bytes of a name that has all its labels, and whose length has this bin; 0: there is none. */
static size_t whole_owner(const wspi_coder *c, const wspi_dns_answer *a, unsigned bin, uint8_t *b)
{
    uint16_t to[MAX_LABELS];
    unsigned n = owners(c, a, to);
    size_t len = 0;

    for (unsigned i = 0; i < n; i++) {
        len = whole_name(c, to[i], b);
        if (len >= WHOLE_LEAST && wspi_bin(len, 2) == bin)
            return len;
    }
    return 0;
}

static bool has_whole_owner(const wspi_coder *c, const wspi_dns_answer *a)
{
    uint8_t b[WSPI_DNS_MAX_NAME];

    for (unsigned k = wspi_bin(WHOLE_LEAST, 2); k < wspi_bin(WHOLE_END, 2); k++)
        if (whole_owner(c, a, k, b))
            return true;
    return false;
}

uint32_t wspi_dns_answer_forms(const wspi_coder *c, const wspi_dns_answer *a, uint32_t others)
{
    bool same = a->section == WSPI_DNS_ANSWERS ? a->owner == WSPI_DNS_POINTER
                                               : a->section == WSPI_DNS_AUTHORITY,
         labels = owner_points(c, a) || has_whole_owner(c, a);

    others |= (same ? ONE(NAME_POINTER) : 0) | (labels ? ONE(NAME_LABELS) : 0);
    return others ? others : ONE(NAME_POINTER);
}

/* Grammar: takes back lengths of which there is no owner; all are left where there is none at all. */
static void fitting_owners(const wspi_coder *c, const wspi_dns_answer *a, unsigned from,
                           unsigned end)
{
    unsigned base = wspi_field_base(c->pay.app, LENGTH);
    bool points = owner_points(c, a);
    uint8_t b[WSPI_DNS_MAX_NAME];

    if (!points && !has_whole_owner(c, a))
        return;
    for (unsigned k = from; k < end; k++)
        if (k == from ? !points : !whole_owner(c, a, k, b))
            c->legal[base + k] = 0;
}

void wspi_dns_answer_owner(wspi_coder *c, const wspi_dns_answer *a)
{
    unsigned from = POINTER_SIZE, end = wspi_bin(WHOLE_END, 2);
    uint8_t b[WSPI_DNS_MAX_NAME + 1];
    size_t n, len;

    wspi_app_only(c, from, end - from);
    n = (size_t)wspi_app_code(c, LENGTH, false, 0, 0);
    if (wspi_asked(c))
        fitting_owners(c, a, from, end);
    wspi_app_require(c, n <= WSPI_DNS_MAX_NAME);
    if (wspi_app_stopped(c))
        return;
    if (n == POINTER_SIZE) {
        wspi_app_put(c, 2, owner_pointer(c, a));
        return;
    }
    len = whole_owner(c, a, wspi_bin(n, 2), b);
    if (!len)
        wspi_dns_name(c, b, len = n, false);
    for (size_t i = 0; i < len; i++)
        wspi_app_put(c, 1, b[i]);
}

bool wspi_dns_answer_points(const wspi_coder *c, const wspi_dns_answer *a)
{
    uint8_t label;

    if (!a->on)
        return true;
    label = byte_at(c, MESSAGE_HEADER);
    return !a->aliased && label && byte_at(c, (size_t)MESSAGE_HEADER + 1 + label);
}

/* ---- numbers of records ---- */

/* Is the question one that an alias leads on from? One for aliases, or for all there is, is not; the root is none (RFC 1034 3.6.2). */
static bool may_be_alias(const wspi_coder *c, const wspi_dns_answer *a)
{
    return a->types & ONE(P_CNAME) && a->type != WSPI_DNS_CNAME && a->type != WSPI_DNS_ANY &&
           c->ctx->name[0];
}

void wspi_dns_answer_begin(const wspi_coder *c, wspi_dns_answer *a, uint64_t flags, bool repeats,
                           uint32_t types)
{
    uint64_t type = 0, more = 0, ttl = 0;

    *a = (wspi_dns_answer){.owner = WSPI_DNS_POINTER, .types = types, .code = flags & 15};
    if (!c->fill || !repeats || !(flags >> 15) || !c->ctx->name_len)
        return;
    a->on = wspi_app_last(c, false, QTYPE, &type) && type;
    a->type = (uint16_t)type;
    a->leads = may_be_alias(c, a);
    a->edns = wspi_app_last(c, false, ADDITIONALS, &more) && more;
    a->dnssec = a->edns && wspi_app_last(c, false, TTL, &ttl) && ttl & FLAG_DO;
}

/* Records of an address need one that names their host. */
static bool may_name_hosts(const wspi_dns_answer *a)
{
    return a->count[2] || (a->count[1] && a->code == NO_ERROR &&
                           (a->type == WSPI_DNS_ANY || names_a_host(a->type)));
}

/* The most of the i-th number. An error has no answers but those aliases whose end has no name (RFC 2308 2.1). */
static uint64_t most_of(const wspi_dns_answer *a, unsigned i)
{
    bool single = a->type == WSPI_DNS_CNAME || a->type == WSPI_DNS_SOA;

    if (i == 3)
        return may_name_hosts(a) ? UINT64_MAX : a->edns;
    if (i != 1)
        return UINT64_MAX;
    if (a->code != NO_ERROR && (a->code != NO_NAME || !a->leads))
        return 0;
    return single ? 1 : UINT64_MAX;
}

void wspi_dns_answer_count(wspi_coder *c, wspi_dns_answer *a, unsigned i, uint64_t n)
{
    unsigned f = QUESTIONS + i, base = wspi_field_base(c->pay.app, f),
             end = wspi_field_count(c->pay.app, f);
    uint64_t most = most_of(a, i);

    a->count[i] = n;
    for (unsigned k = 0; a->on && wspi_asked(c) && k < end; k++)
        if (wspi_bin_start(k, 2) > most)
            c->legal[base + k] = 0;
}

void wspi_dns_answer_record(wspi_dns_answer *a, unsigned section, uint64_t left)
{
    if (a->section != section)
        a->before = 0;
    a->section = (uint8_t)section;
    a->left = left;
}

/* ---- types ---- */

/* Is it the last record that can name a host whose address is to follow? */
static bool has_to_name(const wspi_dns_answer *a)
{
    return a->left == 1 && !a->n_hosts && a->count[3] > a->edns &&
           (a->section == WSPI_DNS_AUTHORITY || (!a->count[2] && may_name_hosts(a)));
}

/* Of all that a name has; the one alias that it may have is alone. */
static uint32_t types_of_any(const wspi_dns_answer *a)
{
    return has_to_name(a) ? host_types : a->types & ~(a->count[1] > 1 ? ONE(P_CNAME) : 0);
}

/* Signatures stand behind what they are of, where they are wanted (RFC 4035 3.1.1). */
static uint32_t types_of_answers(const wspi_dns_answer *a)
{
    uint32_t set = ONE(wspi_row_of(wspi_dns_types, a->type));

    if (a->type == WSPI_DNS_ANY)
        return types_of_any(a);
    if (a->code == NO_NAME)
        set = ONE(P_CNAME);
    if (has_to_name(a))
        return set;
    if (a->leads && !a->ends)
        set |= ONE(P_CNAME);
    return a->dnssec && a->before ? set | ONE(P_RRSIG) : set;
}

/* The zone's servers or, once, the beginning of its authority; with signatures what proves or continues it (RFC 4035 3.1). */
static uint32_t types_of_authority(const wspi_dns_answer *a)
{
    uint32_t set = ONE(P_NS);

    if (has_to_name(a))
        return set;
    if (a->before != WSPI_DNS_SOA)
        set |= ONE(P_SOA);
    if (a->dnssec)
        set |= ONE(P_DS) | ONE(P_NSEC) | (a->before ? ONE(P_RRSIG) : 0);
    return set;
}

uint32_t wspi_dns_answer_types(const wspi_dns_answer *a)
{
    uint32_t set = a->section == WSPI_DNS_ANSWERS     ? types_of_answers(a)
                   : a->section == WSPI_DNS_AUTHORITY ? types_of_authority(a)
                                                      : ONE(P_A) | ONE(P_AAAA);

    set &= a->types;
    return set ? set : a->types;
}

uint16_t wspi_dns_answer_other(const wspi_dns_answer *a)
{
    bool has = a->on && !wspi_dns_has_token(a->type) && wspi_dns_data_least(a->type);

    return has ? a->type : 0;
}

/* ---- records ---- */

/* What is signed is what stands before. */
static void cover(wspi_coder *c, const wspi_dns_answer *a, size_t at)
{
    if (!a->before || at + 2 > c->pay.out->len)
        return;
    c->pay.out->data[at] = (uint8_t)(a->before >> 8);
    c->pay.out->data[at + 1] = (uint8_t)a->before;
}

void wspi_dns_answer_took(wspi_coder *c, wspi_dns_answer *a, uint64_t type, size_t at)
{
    if (!a->on || wspi_app_stopped(c) || a->section == WSPI_DNS_ADDITIONAL)
        return;
    if (type == WSPI_DNS_RRSIG && a->type != WSPI_DNS_RRSIG) {
        cover(c, a, at);
        return;
    }
    a->before = (uint16_t)type;
    for (size_t i = 0; i < WSPI_COUNT(naming) && a->n_hosts < WSPI_DNS_HOSTS; i++)
        if (naming[i].type == type)
            a->hosts[a->n_hosts++] = pointer_to(c, at + naming[i].at);
    if (a->section != WSPI_DNS_ANSWERS)
        return;
    if (type != WSPI_DNS_CNAME) {
        a->ends = true;
    } else if (a->leads) {
        a->aliased = true;
        a->owner = pointer_to(c, at);
    }
}

static uint64_t untold_type(const wspi_dns_answer *a)
{
    if (a->section == WSPI_DNS_ADDITIONAL)
        return WSPI_DNS_A;
    if (a->section == WSPI_DNS_AUTHORITY || (a->type == WSPI_DNS_ANY && has_to_name(a)))
        return WSPI_DNS_NS;
    if (a->code == NO_NAME)
        return WSPI_DNS_CNAME;
    return !a->on || a->type == WSPI_DNS_ANY ? WSPI_DNS_A : a->type;
}

static void untold_data(wspi_coder *c, uint64_t type)
{
    enum { SPARE = 8 };
    size_t least = wspi_dns_data_least(type),
           most = WSPI_MIN(least + SPARE, wspi_dns_data_most(type));

    if (type == WSPI_DNS_A || type == WSPI_DNS_AAAA)
        wspi_dns_address(c, type == WSPI_DNS_A ? 4 : 16, false);
    else if (least)
        wspi_dns_data(c, type, least + wspi_rng_below(&c->rng, most - least + 1), false);
    else
        wspi_dns_host(c, WSPI_DNS_HOST_LEAST);
}

void wspi_dns_answer_untold(wspi_coder *c, wspi_dns_answer *a, uint64_t ttl)
{
    uint64_t type = untold_type(a);
    wspi_app_span s;

    wspi_app_put(c, 2, a->section == WSPI_DNS_ANSWERS ? a->owner : owner_pointer(c, a));
    wspi_app_put(c, 2, type);
    wspi_app_put(c, 2, 1 /* IN */);
    wspi_app_put(c, 4, ttl);
    s = wspi_app_open(c, 2);
    untold_data(c, type);
    wspi_app_close(c, s);
    wspi_dns_answer_took(c, a, type, s.at);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c: DNS, and what has its form (mDNS, LLMNR, NetBIOS names). RFC 1035 4.1; over TCP behind | length 16 |, 4.2.2:
 * | id 16 | flags 16 | questions 16 | answers 16 | authorities 16 | additionals 16 | questions | records |
 * question: | name | type 16 | class 16 |   record: | name | type 16 | class 16 | ttl 32 | length 16 | data |
 */
#include "token/app/dns_answer.h"

enum { MAX_NAME = WSPI_DNS_MAX_NAME, MAX_RECORDS = 64, POINTER = WSPI_DNS_POINTER };
enum { ONLY_POINTER = 2 /* bytes of a name, and its bin */ };
enum { IN = 1, FLUSH = 0x8001 }; /* classes */
enum { RECURSION = 0x0100 };     /* of flags */
enum { NBSTAT = WSPI_DNS_SRV };
enum { SIZES = 4, N_SIZES = 3, DNSSEC_OK = 0x8000 }; /* RFC 6891 6.1 */

/* What samples take of one service stands together: `services` has the places. */
static const wspi_value flags[] = {{0x0100, "query"},
                                   {0x0120, "query-ad"},
                                   {0x0000, "query-iter"},
                                   {0x8400, "answer-auth"},
                                   {0x8180, "answer"},
                                   {0x8183, "no-such-name"},
                                   {0x8580, "answer-aa"},
                                   {0x81a0, "answer-ad"},
                                   {0x8182, "failed"},
                                   {0x8000, "answer-plain"},
                                   {0x0110, "query-nb"},
                                   {0x2910, "register-nb"},
                                   {0x2810, "refresh-nb"},
                                   {0x0010, "query-cd"},
                                   {0x8500, "answer-aa-rd"},
                                   {0xad80, "registered-nb"},
                                   {0x8185, "refused"},
                                   {0x8583, "no-name-aa"},
                                   {0x8181, "format"},
                                   {0x8005, "refused-iter"},
                                   {0x8403, "no-name-auth"},
                                   {0x81a3, "no-name-ad"},
                                   {0x8184, "not-implemented"},
                                   {0x3010, "release-nb"},
                                   {0, NULL}};

/* Sets of them, and of types, that samples have. */
#define ONE(place)     (UINT32_C(1) << (place))
#define FROM(place, n) ((ONE(n) - 1) << (place))
enum {
    N_FLAGS = WSPI_COUNT(flags) - 1,
    ASKED = FROM(0, 3) | ONE(13),
    /* by RFC 1035 4.1.1 an answer says whether recursion was desired: so it was, so it was not */
    TOLD = FROM(4, 5) | ONE(14) | FROM(16, 3) | FROM(21, 2),
    TOLD_ITER = ONE(9) | FROM(19, 2),
};
enum {
    ADDRESSES = ONE(P_A) | ONE(P_AAAA),
    LOCAL = ADDRESSES | ONE(P_PTR) | ONE(P_TXT) | ONE(P_SRV) | ONE(P_HINFO) | ONE(P_NSEC),
    OTHER = ONE(N_TYPES), /* the token of what has none */
    QUESTIONED = (2 * OTHER - 1) & ~(ONE(P_NB) | ONE(P_OPT)),
    ANSWERED = QUESTIONED & ~ONE(P_ANY),
    AUTHORITATIVE = ONE(P_SOA) | ONE(P_NS) | ONE(P_DS) | ONE(P_RRSIG) | ONE(P_NSEC),
};

/*
 * The four that have this form: what samples have on their ports, and what is predicted where flags or questions tell them. NetBIOS
 * (RFC 1002 4.2) has three kinds of questions. Ranges are places in the lists above: first, how many.
 */
enum { NO_ID = 1, ECHOES = 2, CLAIMS = 4, EDNS = 8 };
typedef struct service {
    uint16_t port;
    uint32_t asks, answers; /* sets: of flags of a client, of a server */
    uint32_t types, data;   /* sets: of questions, of records */
    uint8_t classes;        /* the first ones */
    uint8_t records,
        others;       /* how many numbers of answers, of records behind them, an answer may have */
    uint8_t names[2]; /* shortest bins of names: from, below */
    uint8_t
        habits; /* an id of zero; answers repeat the question; a record comes with the question; RFC 6891 */
    uint8_t class; /* of a name's text */
} service;
static const service services[] = {
    {53,
     ASKED,
     TOLD | TOLD_ITER,
     QUESTIONED,
     ANSWERED,
     1,
     13,
     11,
     {4, 128},
     ECHOES | EDNS,
     WSPI_TEXT_LABELS},
    {5353,
     FROM(2, 2),
     ONE(3),
     LOCAL | ONE(P_ANY),
     LOCAL,
     2,
     5,
     0,
     {12, 49},
     NO_ID,
     WSPI_TEXT_LOCAL},
    {5355, ONE(2), ONE(9), ADDRESSES, ADDRESSES, 1, 5, 0, {4, 15}, ECHOES, WSPI_TEXT_LABEL},
    {137, ONE(10), ONE(14), ONE(P_NB), ONE(P_NB), 1, 0, 0, {32, 33}, 0, WSPI_TEXT_NETBIOS},
    {137, FROM(11, 2), ONE(15), ONE(P_NB), ONE(P_NB), 1, 0, 0, {32, 33}, CLAIMS, WSPI_TEXT_NETBIOS},
    {137, ONE(13), ONE(3), ONE(P_SRV), ONE(P_SRV), 1, 0, 0, {32, 33}, 0, WSPI_TEXT_NETBIOS},
};
enum { NETBIOS_NAME = 34 /* 32 letters, their length, and the root */ };

/* Samples of DNS: types of the other sections' records. */
enum {
    ANSWER = WSPI_DNS_ANSWERS,
    AUTHORITY = WSPI_DNS_AUTHORITY,
    ADDITIONAL = WSPI_DNS_ADDITIONAL
};
static const uint32_t behind[] = {[AUTHORITY] = AUTHORITATIVE, [ADDITIONAL] = ADDRESSES};

/* A record that is about to come. */
typedef struct record_place {
    const service *row;
    unsigned section;
    bool first; /* there is no name before it that it could point to */
    bool response;
    bool had_opt; /* there is one at most: RFC 6891 6.1.1 */
    wspi_dns_answer answer;
} record_place;

static const wspi_value class[] = {{IN, "IN"},     {FLUSH, "IN-flush"}, {255, "ANY"}, {3, "CH"},
                                   {4096, "4096"}, {1232, "1232"},      {512, "512"}, {0, NULL}};
static const wspi_value name_form[] = {
    {NAME_POINTER, "pointer"}, {NAME_ROOT, "root"}, {NAME_LABELS, "labels"}, {0, NULL}};

/* RFC 1002 4.2.1.3: of an owner of a name; a group has the highest bit. */
static const wspi_value nb_flags[] = {{0x0000, "B"},       {0x2000, "P"},       {0x4000, "M"},
                                      {0x6000, "H"},       {0x8000, "B-group"}, {0xa000, "P-group"},
                                      {0xc000, "M-group"}, {0xe000, "H-group"}, {0, NULL}};

static const wspi_field fields[] = {
    [ID] = {WSPI_FREE("dns.id", 16, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = ID},
    [FLAGS] = {WSPI_ENUM("dns.flags", 16, flags)},
    [QUESTIONS] = {WSPI_MAG("dns.questions", 16, WSPI_R_NONE, 1), .arg = 1},
    [ANSWERS] = {WSPI_MAG("dns.answers", 16, WSPI_R_NONE, 2)},
    [AUTHORITIES] = {WSPI_MAG("dns.authorities", 16, WSPI_R_NONE, 2)},
    [ADDITIONALS] = {WSPI_MAG("dns.additionals", 16, WSPI_R_NONE, 2)},
    [QNAME] = {WSPI_MAG("dns.qname", 8, WSPI_R_NAME, 2), .pred = WSPI_P_MIRROR},
    [QTYPE] = {WSPI_ENUM("dns.qtype", 16, wspi_dns_types), .pred = WSPI_P_MIRROR,
               .role = WSPI_R_REGISTERED, .arg = QTYPE},
    [QCLASS] = {WSPI_ENUM("dns.qclass", 16, class), .arg = 1},
    [NAME] = {WSPI_ENUM("dns.name", 8, name_form)},
    [TYPE] = {WSPI_ENUM("dns.type", 16, wspi_dns_types), .role = WSPI_R_REGISTERED},
    [CLASS] = {WSPI_ENUM("dns.class", 16, class), .arg = 1},
    [TTL] = {WSPI_MAG("dns.ttl", 32, WSPI_R_NONE, 0)},
    [LENGTH] = {WSPI_MAG("dns.length", 16, WSPI_R_NONE, 2)},
    [NB_FLAGS] = {WSPI_ENUM("dns.nb_flags", 16, nb_flags)},
    [NODES] = {WSPI_MAG("dns.nodes", 8, WSPI_R_NONE, 2)},
};

/* ---- which service ---- */

static uint16_t port_of(const wspi_coder *c, int k)
{
    return (uint16_t)c->p->layers[c->p->n_layers - 1].v[k];
}

static bool within(uint32_t set, unsigned k)
{
    return set >> k & 1;
}

enum { MDNS = 1, NETBIOS = 3, NETBIOS_CLAIM, NETBIOS_STATUS }; /* services */

/* Samples: the ports' row that has these flags, else their first one, else DNS, as over TCP. */
static const service *service_of_ports(const wspi_coder *c, uint64_t bits)
{
    const service *first = NULL;
    unsigned k = wspi_row_of(flags, bits);

    for (const service *s = services; s < services + WSPI_COUNT(services); s++) {
        if (wspi_app_is_stream(c) || (s->port != port_of(c, 0) && s->port != port_of(c, 1)))
            continue;
        if (within(s->asks, k) || (bits >> 15 && within(s->answers, k)))
            return s;
        first = first ? first : s;
    }
    return first ? first : services;
}

/* Questions of NetBIOS have flags of their own, but for those for the status of a node; others are taken for DNS. */
static const service *service_of_question(uint64_t bits)
{
    unsigned k = wspi_row_of(flags, bits);

    for (const service *s = services + NETBIOS; s <= services + NETBIOS_CLAIM; s++)
        if (within(s->asks, k))
            return s;
    return services;
}

/* What is recorded never goes by its ports, which nobody shall learn from. */
static const service *service_of(const wspi_coder *c, uint64_t bits)
{
    uint64_t asked, t;
    unsigned k = wspi_row_of(flags, bits);

    if (c->fill)
        return service_of_ports(c, bits);
    if (!(bits >> 15))
        return service_of_question(bits);
    if (wspi_app_last(c, false, FLAGS, &asked)) {
        (void)wspi_app_last(c, false, QTYPE,
                            &t); /* SRV has the same number, but is asked for with recursion */
        return t == NBSTAT && !(asked & RECURSION) ? &services[NETBIOS_STATUS]
                                                   : service_of_question(asked);
    }
    return within(services[MDNS].answers, k)            ? &services[MDNS]
           : within(services[NETBIOS_CLAIM].answers, k) ? &services[NETBIOS_CLAIM]
                                                        : services;
}

/*
 * Samples: the flags of any question of the service, or of an answer to the last one. Those of an answer of NetBIOS, whose question was
 * broadcast and so is of another flow, come next.
 */
static uint32_t sampled_flags(const wspi_coder *c)
{
    uint64_t asked = 0;
    const service *s;
    uint32_t set = 0;

    (void)wspi_app_last(c, false, FLAGS, &asked);
    s = service_of_ports(c, asked);
    if (c->dir)
        return s != services ? s->answers : asked & RECURSION ? TOLD : TOLD_ITER;
    s = service_of_ports(c, 0); /* rows of a port stand together */
    for (const service *more = s; more < services + WSPI_COUNT(services) && more->port == s->port;
         more++)
        set |= more->asks;
    return s == &services[NETBIOS] ? set | services[NETBIOS].answers : set;
}

/* Takes back what is not of the set. */
static void keep_set(wspi_coder *c, unsigned f, uint32_t set, unsigned n)
{
    unsigned base = wspi_field_base(c->pay.app, f);

    for (unsigned k = 0; c->legal && !c->deviations && k <= n; k++)
        if (!within(set, k))
            c->legal[base + k] = 0;
}

static uint64_t code_flags(wspi_coder *c, uint64_t bits)
{
    wspi_app_only(c, 0, N_FLAGS);
    bits = wspi_app_code(c, FLAGS, false, 0, bits);
    if (c->fill)
        keep_set(c, FLAGS, sampled_flags(c), N_FLAGS);
    return bits;
}

/* ---- names ---- */

/* Two additional records alone are none: so begins a call of ONC RPC. */
static bool is_message(const uint8_t *b, size_t n)
{
    static const uint8_t call[8] = {0, 0, 0, 0, 0, 0, 0, 2};

    if (n < 12 || (b[2] >> 3 & 15) > 8 || (b[2] >> 3 & 15) == 1)
        return false;
    for (size_t i = 4; i < 12; i += 2)
        if (b[i] || b[i + 1] > MAX_RECORDS)
            return false;
    return b[5] + b[7] + b[9] + b[11] > 0 && b[5] <= 8 && memcmp(b + 4, call, sizeof call) != 0;
}

/* As over UDP, or as one whole message over TCP: the walk knows which it has to be. */
static bool looks(const uint8_t *b, size_t n)
{
    return is_message(b, n) ||
           (n > 14 && ((size_t)b[0] << 8 | b[1]) == n - 2 && is_message(b + 2, n - 2));
}

/* Bytes of the name at b of at most n, its end included; 0 when it does not fit. Labels only, unless `pointers`. */
static size_t name_len(const uint8_t *b, size_t n, bool pointers)
{
    size_t i = 0;

    while (i < n && i <= MAX_NAME) {
        if (b[i] == 0)
            return i + 1;
        if (b[i] >> 6 == 3)
            return pointers && i + 2 <= n ? i + 2 : 0;
        if (b[i] >> 6)
            return 0;
        i += b[i] + 1u;
    }
    return 0;
}

void wspi_netbios_name(wspi_coder *c, uint8_t *b)
{
    b[0] = 32;
    for (unsigned i = 1; i < 31; i += 2) {
        b[i] = 'E';
        b[i + 1] = (uint8_t)('B' + wspi_rng_u64(&c->rng) % 15);
    }
    b[31] = b[32] = 'A'; /* a workstation */
    b[33] = 0;
}

/* Samples: names as long as the service has them, and where a DNS message has one already, a pointer. */
static void fitting_lengths(wspi_coder *c, bool first, const service *s)
{
    unsigned least = wspi_bin(s->names[0], 2), end = wspi_bin(64, 2);
    bool pointers = !first && s->class == WSPI_TEXT_LABELS;

    if (s->class == WSPI_TEXT_NETBIOS)
        end = least = 0;
    wspi_app_only(c, pointers ? ONLY_POINTER : least, end - (pointers ? ONLY_POINTER : least));
}

/*
 * n bytes of labels whose values are residuals: a token gives their length. first: no name is before it; points: samples may have a
 * pointer.
 */
static void hidden_name(wspi_coder *c, bool first, bool points, const service *s)
{
    bool netbios = s->class == WSPI_TEXT_NETBIOS;
    uint8_t b[MAX_NAME + 1];
    size_t n = 0;

    if (c->enc)
        n = name_len(c->pay.in + c->pay.at, wspi_app_captured(c), true);
    wspi_app_require(c, !c->enc || n > 0);
    fitting_lengths(c, first, s);
    n = (size_t)wspi_app_code(c, LENGTH, netbios, NETBIOS_NAME, n);
    if (c->legal && !c->deviations) /* a letter alone is no name */
        c->legal[wspi_field_base(c->pay.app, LENGTH) + ONLY_POINTER + 1] = 0;
    if (!points)
        wspi_app_take_back(c, LENGTH, ONLY_POINTER);
    wspi_app_require(c, n <= MAX_NAME);
    if (wspi_app_stopped(c))
        return;
    if (!c->fill) {
        wspi_app_opaque(c, n);
        return;
    }
    if (n == ONLY_POINTER && !first) {
        wspi_app_put(c, 2, wspi_dns_parent(c));
        return;
    }
    if (netbios)
        wspi_netbios_name(c, b);
    else
        wspi_dns_name(c, b, n, s->class == WSPI_TEXT_LOCAL);
    for (size_t i = 0; i < n; i++)
        wspi_app_put(c, 1, b[i]);
}

/*
 * The labels of a question, as on the wire, are text that the flow remembers; hidden where it is one of several. Samples of DNS
 * end where their text does, from `least` bytes on.
 */
static void spelled_name(wspi_coder *c, size_t least, size_t n, size_t shown, const service *s)
{
    size_t at = c->pay.at;

    if (c->fill && shown == n && s->class == WSPI_TEXT_LABELS)
        n = shown = wspi_text_labels(c, least, n);
    else
        wspi_app_text(c, n, shown, (enum wspi_text_class)s->class);
    if (wspi_app_stopped(c))
        return;
    if (shown < n)
        return;
    c->name_at = at;
    c->name_len = (uint16_t)n;
}

/* Samples: names as long as the service has them; the root is one of DNS. */
static void fitting_names(wspi_coder *c, unsigned base, unsigned count, const service *s)
{
    for (unsigned i = 0; c->legal && !c->deviations && i < count; i++) {
        uint64_t n = wspi_bin_start(i, 2);
        if ((n < s->names[0] || n >= s->names[1]) && !(n == 1 && s->class == WSPI_TEXT_LABELS))
            c->legal[base + i] = 0;
    }
}

/*
 * Samples: the bytes that a name may have, from *least on; its bin begins there and has so many bits. Models draw text that has an
 * end of its own, and do not count: were it kept to the bin, single letters and roots would have to stand in for what no longer
 * fits. Returns the most.
 */
static size_t text_decides(size_t *least, unsigned bits)
{
    enum { SHORTEST = 4, NEAR = 8 };
    size_t most = *least + ((size_t)1 << bits) - 1;

    if (most == 1) /* the root */
        return most;
    *least = *least > SHORTEST + NEAR ? *least - NEAR : SHORTEST;
    return WSPI_MIN(most + NEAR, (size_t)MAX_NAME);
}

/* Nothing when it is the only question and has the name of the flow's last one: of several, each is told, maybe as a pointer. */
static void question_name(wspi_coder *c, bool only, bool repeats, const service *row)
{
    const wsp_context *s = c->ctx;
    size_t at = c->pay.at, n = 0, least;
    bool known = only && s->name_len && (s->app.id[0] == c->pay.app || s->app.id[1] == c->pay.app),
         same = false;
    unsigned base = wspi_field_base(c->pay.app, QNAME), count = wspi_field_count(c->pay.app, QNAME),
             k = 0;

    if (wspi_app_stopped(c))
        return;
    if (c->enc) {
        n = name_len(c->pay.in + at, wspi_app_captured(c), !only);
        wspi_app_require(c, n > 0 && n <= MAX_NAME);
        if (c->pay.fail)
            return;
        same = known && n == s->name_len && memcmp(c->pay.in + at, s->name, n) == 0;
        k = wspi_bin(n, 2);
    }
    if (known) {
        same = !wspi_may(c, base, count, !same, false, &k);
        fitting_names(c, base, count, row);
        if (repeats)
            wspi_app_keep(c, QNAME, 0);
    }
    if (known && same) {
        for (size_t i = 0; i < s->name_len; i++)
            wspi_app_put(c, 1, s->name[i]);
        c->pay.at += c->enc ? n : 0;
        return;
    }
    if (!known) {
        k = wspi_must(c, base, count, k);
        fitting_names(c, base, count, row);
    }
    least = (size_t)wspi_bin_start(k, 2);
    if (c->fill && only && row->class == WSPI_TEXT_LABELS)
        n = text_decides(&least, wspi_bin_bits(k, 2));
    else
        n = least + (size_t)wspi_remainder(c, wspi_bin_bits(k, 2), n - (c->enc ? least : 0));
    if (c->fill && row->class == WSPI_TEXT_NETBIOS)
        n = NETBIOS_NAME;
    wspi_app_require(c, n <= MAX_NAME);
    spelled_name(c, least, n, only ? n : 0, row);
}

/* Samples: only types of the set; one that has no token is `other`, or drawn from those whose data can be made up. */
static uint64_t code_type(wspi_coder *c, unsigned f, uint32_t set, uint16_t other, bool known,
                          uint64_t want)
{
    uint64_t t;

    wspi_app_only(c, 0, N_TYPES + 1);
    t = wspi_app_code(c, f, known, want, wspi_app_get(c, 2));
    t = wspi_dns_drawn_type(c, f, N_TYPES, other, t);
    wspi_app_put(c, 2, t);
    keep_set(c, f, set, N_TYPES);
    return t;
}

static void question(wspi_coder *c, bool only, bool repeats, const service *s)
{
    uint64_t want;
    bool known;

    question_name(c, only, repeats, s);
    known = wspi_app_last(c, false, QTYPE, &want) && want; /* answers may have no question */
    if (!known)
        known = wspi_app_last(c, true, QTYPE, &want) && want;
    if (c->fill && (s->types & (s->types - 1)) == 0)
        known = false; /* the last one may have been of another kind */
    (void)code_type(c, QTYPE, repeats ? 0 : s->types, 0, known, want);
    wspi_app_only(c, 0, s->classes);
    (void)wspi_app_field(c, QCLASS, 2, true, IN);
}

/* ---- records ---- */

/* Is it the one that may be of EDNS: the root's? In a question of samples it has to be, and where no host has a name yet. */
static bool may_be_opt(const record_place *r)
{
    return r->row->habits & EDNS && r->section == ADDITIONAL && !r->had_opt &&
           (!r->answer.on || r->answer.edns);
}

static bool must_be_opt(const record_place *r)
{
    return may_be_opt(r) && (!r->response || (r->answer.on && !r->answer.n_hosts));
}

/*
 * Samples: the forms that a name may have. Pointers where a name stands before, labels, as servers add records of others in the DNS, and
 * the root for EDNS: what is the root's cannot be made up.
 */
static uint32_t fitting_forms(const wspi_coder *c, const record_place *r)
{
    uint32_t root = may_be_opt(r) ? ONE(NAME_ROOT) : 0;

    if (must_be_opt(r))
        return root;
    if (r->first)
        return ONE(NAME_LABELS);
    if (r->answer.on)
        return wspi_dns_answer_forms(c, &r->answer, root);
    return ONE(NAME_POINTER) | (r->row->class == WSPI_TEXT_LABELS ? ONE(NAME_LABELS) | root : 0);
}

static uint64_t record_name(wspi_coder *c, const record_place *r)
{
    uint64_t form = NAME_LABELS, want = r->first ? NAME_LABELS : NAME_POINTER;
    uint32_t may = c->fill ? fitting_forms(c, r) : 0;
    bool unfit = wspi_asked(c) && !within(may, (unsigned)want);

    if (c->enc && wspi_app_captured(c) >= 1) {
        form = c->pay.in[c->pay.at] == 0 ? NAME_ROOT : NAME_LABELS;
        if (wspi_app_captured(c) >= 2 && c->pay.in[c->pay.at] == POINTER >> 8 &&
            c->pay.in[c->pay.at + 1] == (POINTER & 0xff))
            form = NAME_POINTER;
    }
    form = wspi_app_code(c, NAME, !unfit, want, form);
    wspi_app_keep(c, NAME, may);
    if (form == NAME_POINTER) {
        (void)wspi_app_get(c, 2);
        wspi_app_put(c, 2, POINTER);
    } else if (form == NAME_ROOT) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, 0);
    } else {
        wspi_app_require(c, form == NAME_LABELS);
        if (r->answer.on)
            wspi_dns_answer_owner(c, &r->answer);
        else
            hidden_name(c, r->first, true, r->row);
    }
    return form;
}

/* RFC 1002 4.2.18: a count of names, | name 15 | its kind | flags 16 | each, statistics. */
static void node_status(wspi_coder *c, const wspi_app_span *s)
{
    enum { NODE = 18, ACTIVE = 0x0400, STATISTICS = 46 };
    uint64_t n;
    size_t rest;

    wspi_app_only(c, 1, 3);
    n = wspi_app_field(c, NODES, 1, false, 0);
    wspi_app_only(c, 0, 0);
    rest = (size_t)wspi_app_code(c, LENGTH, true, NODE * n + STATISTICS,
                                 c->enc ? s->end - c->pay.at : 0);
    if (!c->fill) {
        wspi_app_opaque(c, rest);
        return;
    }
    for (; n; n--) {
        for (unsigned i = 0; i < 15; i++)
            wspi_app_put(c, 1, 'A' + wspi_rng_u64(&c->rng) % 26);
        wspi_app_put(c, 3, ACTIVE);
    }
    for (unsigned i = 0; i < STATISTICS; i++)
        wspi_app_put(c, 1, 0);
}

/* Mostly one owner of the name: its flags, its address. */
static void netbios_owner(wspi_coder *c, const wspi_app_span *s)
{
    size_t n;

    wspi_app_only(c, 0, 0);
    n = (size_t)wspi_app_code(c, LENGTH, true, 6, c->enc ? s->end - s->at : 0);
    if (n == 6) {
        (void)wspi_app_field(c, NB_FLAGS, 2, true, 0);
        n = 4;
    }
    if (n == 4)
        wspi_dns_address(c, n, false);
    else
        wspi_app_opaque(c, n);
}

/* RFC 6762 10.2: the one owner of a name says so; of services there may be several. */
static uint64_t usual_class(const service *row, bool response, uint64_t t)
{
    return response && row->classes > 1 && t != WSPI_DNS_PTR ? FLUSH : IN;
}

/* Samples: types of the section; their data can be made up. */
static uint64_t record_type(wspi_coder *c, const record_place *r, bool root)
{
    uint32_t set = r->answer.on ? wspi_dns_answer_types(&r->answer)
                   : r->section == ANSWER || !(r->row->habits & EDNS) ? r->row->data
                                                                      : behind[r->section];

    return code_type(c, TYPE, root ? ONE(P_OPT) : set, wspi_dns_answer_other(&r->answer), false, 0);
}

/* RFC 6891 6.1.3: not a time, but flags; samples have no other. Else 31 bits: RFC 2181 8 */
static void record_ttl(wspi_coder *c, bool opt)
{
    unsigned base = wspi_field_base(c->pay.app, TTL), count = wspi_field_count(c->pay.app, TTL);
    bool asked = opt && wspi_asked(c);
    uint64_t v = wspi_app_get(c, 4);

    wspi_app_only(c, 0, count - 1);
    v = wspi_app_code(c, TTL, false, 0, v);
    for (unsigned k = 1; asked && k < count; k++)
        if (k != wspi_bin(DNSSEC_OK, 0))
            c->legal[base + k] = 0;
    wspi_app_put(c, 4, c->fill && opt && v & DNSSEC_OK ? DNSSEC_OK : v);
}

/* Data of n bytes that is told no further. Samples: of types whose data can be made up. */
static void other_data(wspi_coder *c, uint64_t t, const wspi_app_span *s, const service *row)
{
    size_t least = wspi_dns_data_least(t), most = wspi_dns_data_most(t), n;
    unsigned from = wspi_bin(least, 2);

    wspi_app_only(c, from, wspi_bin(most, 2) + 1 - from);
    n = (size_t)wspi_app_code(c, LENGTH, false, 0, c->enc ? s->end - s->at : 0);
    if (wspi_app_stopped(c))
        return;
    if (c->fill && least && n <= MAX_NAME) /* the bin's other numbers have the same token */
        wspi_dns_data(c, t, WSPI_MIN(WSPI_MAX(n, least), most), row->class == WSPI_TEXT_LOCAL);
    else
        wspi_app_opaque(c, n);
}

/* Data of OPT. Samples: none, or as much as has room for an option. */
static void options(wspi_coder *c, const wspi_app_span *s)
{
    unsigned base = wspi_field_base(c->pay.app, LENGTH);
    bool asked = wspi_asked(c);
    size_t n;

    wspi_app_only(c, 0, wspi_bin(MAX_NAME, 2) + 1);
    n = (size_t)wspi_app_code(c, LENGTH, false, 0, c->enc ? s->end - s->at : 0);
    for (unsigned k = 1; asked && k < WSPI_DNS_OPTION_LEAST; k++)
        c->legal[base + k] = 0;
    if (wspi_app_stopped(c))
        return;
    if (c->fill && n >= WSPI_DNS_OPTION_LEAST && n <= MAX_NAME)
        wspi_dns_options(c, n);
    else
        wspi_app_opaque(c, n);
}

/* Is this a record of DNS that samples have behind all that models read? */
static bool is_untold(const wspi_coder *c, const record_place *r)
{
    return c->fill && c->pos >= WSPI_READ && r->row->habits & EDNS;
}

/* What is usual of its section, as long to live as the one before. */
static void untold_record(wspi_coder *c, record_place *r)
{
    static const uint8_t opt[] = {0, 0, WSPI_DNS_OPT, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0};

    if (!must_be_opt(r)) {
        wspi_dns_answer_untold(c, &r->answer, c->app.v[c->dir][TTL]);
        return;
    }
    for (size_t i = 0; i < sizeof opt; i++)
        wspi_app_put(c, 1, opt[i]);
    r->had_opt = true;
}

static void record(wspi_coder *c, record_place *r)
{
    const service *row = r->row;
    wspi_app_span s;
    bool root, opt;
    uint64_t t;

    root = record_name(c, r) == NAME_ROOT;
    t = record_type(c, r, root && may_be_opt(r));
    opt = t == WSPI_DNS_OPT && may_be_opt(r);
    wspi_app_only(c, opt ? SIZES : 0, opt ? N_SIZES : row->classes);
    (void)wspi_app_field(c, CLASS, 2, !opt || !wspi_asked(c), usual_class(row, r->response, t));
    record_ttl(c, opt);
    r->had_opt = r->had_opt || opt;
    s = wspi_app_open(c, 2);
    if (t == WSPI_DNS_A || t == WSPI_DNS_AAAA)
        wspi_dns_address(c, t == WSPI_DNS_A ? 4 : 16, row->class == WSPI_TEXT_LOCAL);
    else if (t == WSPI_DNS_CNAME || t == WSPI_DNS_PTR || t == WSPI_DNS_NS)
        hidden_name(c, false, wspi_dns_answer_points(c, &r->answer), row);
    else if (t == WSPI_DNS_NB)
        netbios_owner(c, &s);
    else if (t == NBSTAT && row->class == WSPI_TEXT_NETBIOS)
        node_status(c, &s);
    else if (t == WSPI_DNS_OPT)
        options(c, &s);
    else
        other_data(c, t, &s, row);
    wspi_app_close(c, s);
    wspi_dns_answer_took(c, &r->answer, t, s.at);
}

/* ---- messages ---- */

/* What is predicted of the numbers of questions, answers, authorities and additionals. */
static uint64_t usual_count(const service *s, unsigned i, bool response)
{
    if (i == 0)
        return !response || s->habits & ECHOES;
    if (i == 1)
        return response && !(s->habits & ECHOES);
    return i == 3 && s->habits & CLAIMS && !response;
}

/* Samples: how many numbers of them there may be, from the usual one on. */
static unsigned counts(const service *s, unsigned i, bool response)
{
    if (i == 0)
        return 0;
    if (!response)
        return i == 3 && s->habits & EDNS ? 2 : 0;
    return i == 1 ? s->records : s->others;
}

static void records(wspi_coder *c, const uint64_t count[4], record_place *r)
{
    for (; r->section <= ADDITIONAL; r->section++)
        for (uint64_t left = count[r->section + 1]; left && !wspi_app_stopped(c); left--) {
            wspi_dns_answer_record(&r->answer, r->section, left);
            if (is_untold(c, r))
                untold_record(c, r);
            else
                record(c, r);
            r->first = false;
        }
}

static void message(wspi_coder *c)
{
    uint64_t id = wspi_app_get(c, 2), bits = wspi_app_get(c, 2), want, count[4];
    const service *s;
    record_place r = {0};
    bool known;

    bits = code_flags(c, bits);
    r.response = bits >> 15;
    r.row = s = service_of(c, bits);
    known = wspi_app_last(c, !r.response, ID, &want) && r.response;
    want = known ? want : 0;
    wspi_app_put(c, 2, wspi_app_code(c, ID, known || s->habits & NO_ID, want, id));
    wspi_app_put(c, 2, bits);
    wspi_dns_answer_begin(c, &r.answer, bits, s->habits & ECHOES, s->data);
    for (unsigned i = 0; i < 4; i++) {
        want = usual_count(s, i, r.response);
        wspi_app_only(c, (unsigned)want, counts(s, i, r.response));
        count[i] = wspi_app_field(c, QUESTIONS + i, 2, true, want);
        wspi_app_require(c, count[i] <= MAX_RECORDS);
        wspi_dns_answer_count(c, &r.answer, i, count[i]);
    }
    for (uint64_t i = 0; i < count[0] && !wspi_app_stopped(c); i++)
        question(c, count[0] == 1, r.answer.on, s);
    r.first = count[0] == 0;
    records(c, count, &r);
}

static void walk(wspi_coder *c)
{
    wspi_app_span s;

    if (!wspi_app_is_stream(c)) {
        message(c);
        return;
    }
    s = wspi_app_open(c, 2);
    message(c);
    wspi_app_close(c, s);
}

const wspi_app wspi_app_dns = {
    .proto = {.name = "dns", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP | WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {53, 5353, 5355, 137},
    .clients = {{5353, 5353}, {137, 137}, {53, 53}},
    .turns = WSPI_IN_TURN, /* over TCP: one answer for each question */
    .rests = true,
    .once = true,
};

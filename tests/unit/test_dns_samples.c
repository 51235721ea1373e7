/* SPDX-License-Identifier: Apache-2.0 */
/* test_dns_samples.c: what samples of DNS have: sections, records and their data, EDNS, names. */
#include "tests/unit/wire.h"

enum { ANY_TYPE = 512 };
typedef struct message_seen {
    unsigned count[4],
        types[4][ANY_TYPE]; /* by section: questions, answers, authorities, additionals */
    const uint8_t *opt;     /* behind its name, or NULL */
} message_seen;

static unsigned number(const uint8_t *b)
{
    return (unsigned)b[0] << 8 | b[1];
}

static const uint8_t *behind_name(const uint8_t *b)
{
    while (*b && *b < 0xc0)
        b += *b + 1u;
    return b + (*b ? 2 : 1);
}

/* ---- data of n bytes: where what is read of it ends ---- */

static const uint8_t *strings_end(const uint8_t *b, size_t n)
{
    const uint8_t *end = b + n;

    while (b < end)
        b += *b + 1u;
    return b;
}

static const uint8_t *soa_end(const uint8_t *b, size_t n)
{
    (void)n;
    return behind_name(behind_name(b)) + 20;
}

static const uint8_t *mx_end(const uint8_t *b, size_t n)
{
    (void)n;
    return behind_name(b + 2);
}

static const uint8_t *srv_end(const uint8_t *b, size_t n)
{
    (void)n;
    return behind_name(b + 6);
}

/* | key 16 | length 16 | data |, to the end. */
static const uint8_t *options_end(const uint8_t *b, const uint8_t *end, bool ascending)
{
    int last = -1;

    for (; b < end; b += 4 + number(b + 2)) {
        assert_true(!ascending || (int)number(b) > last);
        last = (int)number(b);
    }
    return b;
}

/* This name itself, with parameters by ascending keys (RFC 9460 2.2). */
static const uint8_t *svcb_end(const uint8_t *b, size_t n)
{
    assert_int_equal(number(b), 1);
    assert_int_equal(b[2], 0);
    return options_end(b + 3, b + n, true);
}

static const uint8_t *naptr_end(const uint8_t *b, size_t n)
{
    (void)n;
    b += 4;
    for (int i = 0; i < 3; i++)
        b += *b + 1u;
    return behind_name(b);
}

static const uint8_t *caa_end(const uint8_t *b, size_t n)
{
    assert_int_equal(b[1], 5);
    return b + n;
}

static const uint8_t *key_end(const uint8_t *b, size_t n)
{
    assert_int_equal(b[2], 3);
    assert_int_equal(b[4], 3);
    return b + n;
}

static const uint8_t *ds_end(const uint8_t *b, size_t n)
{
    assert_int_equal(b[2], 8);
    return b + n;
}

/* Behind the root's name the signature. */
static const uint8_t *rrsig_end(const uint8_t *b, size_t n)
{
    assert_ptr_equal(behind_name(b + 18), b + 19);
    return b + n;
}

/* A name, one window of types. */
static const uint8_t *nsec_end(const uint8_t *b, size_t n)
{
    (void)n;
    b = behind_name(b);
    assert_int_equal(b[0], 0);
    assert_true(b[1 + b[1]] != 0);
    return b + 2 + b[1];
}

static const uint8_t *any_end(const uint8_t *b, size_t n)
{
    return b + n;
}

static const uint8_t *name_end(const uint8_t *b, size_t n)
{
    (void)n;
    return behind_name(b);
}

static const uint8_t *two_names_end(const uint8_t *b, size_t n)
{
    (void)n;
    return behind_name(behind_name(b));
}

static const uint8_t *location_end(const uint8_t *b, size_t n)
{
    assert_int_equal(b[0], 0);
    (void)n;
    return b + 16;
}

/* Behind the salt and the hash, types. */
static const uint8_t *nsec3_end(const uint8_t *b, size_t n)
{
    (void)n;
    b += 4;
    b += *b + 1u;
    b += *b + 1u;
    return b + 2 + b[1];
}

static const uint8_t *digest_end(const uint8_t *b, size_t n)
{
    (void)n;
    return b + 3 + 32;
}

static const uint8_t *hardware_end(const uint8_t *b, size_t n)
{
    (void)n;
    return b + 6;
}

static const struct kind {
    unsigned type;
    const char *token;
    const uint8_t *(*end)(const uint8_t *b, size_t n);
} kinds[] = {
    {6, "dns.type=SOA", soa_end},        {10, "dns.type=NULL", any_end},
    {13, "dns.type=HINFO", strings_end}, {15, "dns.type=MX", mx_end},
    {16, "dns.type=TXT", strings_end},   {25, "dns.type=KEY", key_end},
    {33, "dns.type=SRV", srv_end},       {35, "dns.type=NAPTR", naptr_end},
    {43, "dns.type=DS", ds_end},         {46, "dns.type=RRSIG", rrsig_end},
    {47, "dns.type=NSEC", nsec_end},     {48, "dns.type=DNSKEY", key_end},
    {64, "dns.type=SVCB", svcb_end},     {65, "dns.type=HTTPS", svcb_end},
    {99, "dns.type=SPF", strings_end},   {257, "dns.type=CAA", caa_end},
};

/* Of those that have no token. */
static const struct kind others[] = {
    {9, "MR", name_end},        {14, "MINFO", two_names_end}, {17, "RP", two_names_end},
    {18, "AFSDB", mx_end},      {20, "ISDN", strings_end},    {29, "LOC", location_end},
    {39, "DNAME", name_end},    {50, "NSEC3", nsec3_end},     {52, "TLSA", digest_end},
    {53, "SMIMEA", digest_end}, {60, "CDNSKEY", key_end},     {108, "EUI48", hardware_end},
};

static void data_fits(unsigned type, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < WSPI_COUNT(kinds); i++)
        if (kinds[i].type == type)
            assert_ptr_equal(kinds[i].end(b, n), b + n);
    for (size_t i = 0; i < WSPI_COUNT(others); i++)
        if (others[i].type == type)
            assert_ptr_equal(others[i].end(b, n), b + n);
}

/* The last packet's message, which has all that it says it has, and nothing else. */
static message_seen message_of(const wire *w)
{
    const uint8_t *start = w->packet->data + w->packet->payload_off, *b = start + 12;
    message_seen m = {0};

    for (unsigned k = 0; k < 4; k++)
        m.count[k] = number(start + 4 + 2 * (size_t)k);
    for (unsigned i = 0; i < m.count[0]; i++)
        b = behind_name(b) + 4;
    for (unsigned k = 1; k < 4; k++)
        for (unsigned i = 0; i < m.count[k]; i++) {
            bool root = *b == 0;
            b = behind_name(b);
            m.types[k][number(b) & (ANY_TYPE - 1)]++;
            data_fits(number(b), b + 10, number(b + 8));
            assert_true(root == (number(b) == 41));
            m.opt = root ? b : m.opt;
            b += 10 + number(b + 8);
        }
    assert_ptr_equal(b, start + w->packet->payload_len);
    return m;
}

/* RFC 6891 6.1: in the additional section once, a size of UDP, no flag but DO, options that are whole. */
static void opt_fits(const message_seen *m)
{
    unsigned size = m->opt ? number(m->opt + 2) : 512;
    const uint8_t *end;

    assert_true(size == 512 || size == 1232 || size == 4096);
    assert_int_equal(m->types[1][41] + m->types[2][41], 0);
    assert_true(m->types[3][41] <= 1);
    if (!m->opt)
        return;
    assert_int_equal(number(m->opt + 4), 0);
    assert_int_equal(number(m->opt + 6) & 0x7fff, 0);
    end = m->opt + 10 + number(m->opt + 8);
    assert_ptr_equal(options_end(m->opt + 10, end, false), end);
}

#define ASKS                                                                             \
    "c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.dport=53", "udp.sport=dynamic", \
        "dns.flags=query", "len=48..49"
#define ANSWERS_WITH                                                                     \
    "s2c first", "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=53", "udp.dport=dynamic", \
        "dns.flags=answer", "len=48..49"

/* ---- answers and their questions ---- */

/* A name with all its labels; the place behind it is returned. */
static const uint8_t *read_name(const uint8_t *start, const uint8_t *b, uint8_t *name)
{
    const uint8_t *end = behind_name(b);
    unsigned jumps = 0;
    size_t n = 0;

    while (*b) {
        if (*b >= 0xc0) {
            assert_true(jumps++ < 16);
            b = start + (number(b) & 0x3fff);
            continue;
        }
        assert_true(n + *b + 2u < 256);
        memcpy(name + n, b, *b + 1u);
        n += *b + 1u;
        b += *b + 1u;
    }
    name[n] = 0;
    return end;
}

static bool same_name(const uint8_t *a, const uint8_t *b)
{
    size_t n = qname_len(a);

    return n == qname_len(b) && memcmp(a, b, n) == 0;
}

/* Is the name in the domain? */
static bool is_below(const uint8_t *name, const uint8_t *domain)
{
    while (*name && !same_name(name, domain))
        name += *name + 1u;
    return same_name(name, domain);
}

typedef struct fitting {
    const uint8_t *start;
    uint8_t chain[256], hosts[32][256];
    unsigned type, n_hosts;
    bool dnssec, ends;
} fitting;

/* RFC 1122 3.2.1.3, RFC 4291 2.4: of one host. */
static bool is_unicast(unsigned type, const uint8_t *b)
{
    return type == 1 ? *b && *b != 127 && *b < 224 : *b != 0xff;
}

static void host_of(fitting *f, unsigned type, const uint8_t *data)
{
    size_t at = type == 15 ? 2 : type == 33 ? 6 : 0;

    if ((type == 2 || type == 15 || type == 33) && f->n_hosts < 32)
        (void)read_name(f->start, data + at, f->hosts[f->n_hosts++]);
}

/* RFC 1034 4.3.2 */
static void answer_record_fits(fitting *f, const uint8_t *owner, unsigned type, const uint8_t *data)
{
    assert_true(same_name(owner, f->chain));
    if (type == 46 && f->dnssec)
        return;
    if (type == 5 && f->type != 5 && f->type != 255) {
        assert_false(f->ends);
        (void)read_name(f->start, data, f->chain);
        return;
    }
    assert_true(type == f->type || f->type == 255);
    f->ends = true;
}

static bool names_it(const fitting *f, const uint8_t *owner)
{
    for (unsigned i = 0; i < f->n_hosts; i++)
        if (same_name(owner, f->hosts[i]))
            return true;
    return false;
}

/* The answer has the question; its records are of it. */
static void fits_question(const uint8_t *q, const uint8_t *a, bool edns, bool dnssec)
{
    fitting f = {.start = a, .dnssec = dnssec};
    const uint8_t *b = behind_name(q + 12);
    uint8_t owner[256], asked[256];

    f.type = number(b);
    assert_memory_equal(q + 12, a + 12, (size_t)(b + 4 - (q + 12)));
    (void)read_name(a, a + 12, asked);
    memcpy(f.chain, asked, sizeof asked);
    b = a + 12 + (b + 4 - (q + 12));
    for (unsigned k = 1; k < 4; k++)
        for (unsigned i = 0; i < number(a + 4 + 2 * (size_t)k); i++, b += 10 + number(b + 8)) {
            b = read_name(a, b, owner);
            if (number(b) == 1 || number(b) == 28)
                assert_true(is_unicast(number(b), b + 10));
            host_of(&f, number(b), b + 10);
            if (k == 1)
                answer_record_fits(&f, owner, number(b), b + 10);
            else if (k == 2)
                assert_true(is_below(asked, owner));
            else
                assert_true(number(b) == 41 ? edns : names_it(&f, owner));
        }
}

typedef void (*checks)(const wire *w, const message_seen *asked, const message_seen *answered);

static void each_exchange(const char *const *asks, const char *const *answers, unsigned times,
                          checks check)
{
    wsp_filler fill = {.start_ns = 1, .client.ip = {10, 0, 0, 1}, .server.ip = {10, 0, 0, 2}};
    message_seen asked, answered;
    uint8_t question[512];
    bool edns, dnssec;
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 7);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < times; fill.seed++) {
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_DNS, &r);
        asked = message_of(&w);
        opt_fits(&asked);
        edns = asked.opt != NULL;
        dnssec = edns && asked.opt[6] & 0x80;
        memcpy(question, w.packet->data + w.packet->payload_off,
               WSPI_MIN((size_t)w.packet->payload_len, sizeof question));
        sample(&w, &fill, answers, 1, WSPI_APP_DNS, &r);
        answered = message_of(&w);
        opt_fits(&answered);
        fits_question(question, w.packet->data + w.packet->payload_off, edns, dnssec);
        check(&w, &asked, &answered);
    }
    wire_close(&w);
}

static void has_edns(const wire *w, const message_seen *asked, const message_seen *answered)
{
    assert_named(w, "dns.name=root");
    assert_non_null(asked->opt);
    assert_non_null(answered->opt);
    assert_int_equal(asked->count[3], 1);
    assert_int_equal(answered->count[3], 2);
}

static void samples_have_edns_where_it_belongs(void **state)
{
    static const char *const asks[] = {ASKS, "dns.additionals=1", "dns.qname=16..19", NULL};
    static const char *const answers[] = {ANSWERS_WITH,
                                          "dns.answers=1",
                                          "dns.authorities=1",
                                          "dns.additionals=2",
                                          "dns.qname=16..19",
                                          "dns.name=root",
                                          NULL};

    (void)state;
    each_exchange(asks, answers, 60, has_edns);
}

/* Types of the two sections behind the answers: name servers, an authority or what signs them; addresses. */
static void has_sections(const wire *w, const message_seen *asked, const message_seen *answered)
{
    (void)w;
    (void)asked;
    assert_int_equal(answered->count[2], 2);
    assert_int_equal(answered->count[3], 3);
    assert_int_equal(answered->types[2][2] + answered->types[2][6] + answered->types[2][43] +
                         answered->types[2][46] + answered->types[2][47],
                     2);
    assert_int_equal(answered->types[3][1] + answered->types[3][28] + answered->types[3][41], 3);
}

static void sampled_answers_have_records_behind_them(void **state)
{
    static const char *const asks[] = {ASKS, "dns.qtype=TXT", NULL};
    static const char *const answers[] = {ANSWERS_WITH, "dns.answers=1", "dns.authorities=2",
                                          "dns.additionals=3", NULL};
    static const char *const none[] = {ANSWERS_WITH,        "dns.answers=0", "dns.authorities=2",
                                       "dns.additionals=3", "dns.type=SOA",  NULL};
    static const char *const strings[] = {ANSWERS_WITH,        "dns.answers=2", "dns.authorities=2",
                                          "dns.additionals=3", "dns.type=TXT",  NULL};

    (void)state;
    each_exchange(asks, answers, 60, has_sections);
    each_exchange(asks, none, 60, has_sections);
    each_exchange(asks, strings, 60, has_sections);
}

static void has_type(const wire *w, const message_seen *asked, const message_seen *answered)
{
    size_t found = 0;

    (void)asked;
    for (size_t i = 0; i < WSPI_COUNT(kinds); i++)
        if (answered->types[1][kinds[i].type]) {
            assert_named(w, kinds[i].token);
            found++;
        }
    assert_int_equal(found, 1);
}

/* message_of looks at the data of each. */
static void sampled_records_of_many_types_have_data_of_their_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(kinds); i++) {
        char qtype[32];
        const char *const asks[] = {ASKS, qtype, NULL};
        const char *const answers[] = {ANSWERS_WITH,        "dns.answers=1", "dns.authorities=0",
                                       "dns.additionals=0", kinds[i].token,  NULL};
        (void)snprintf(qtype, sizeof qtype, "dns.q%s", kinds[i].token + 4);
        each_exchange(asks, answers, 15, has_type);
    }
}

static unsigned seen[ANY_TYPE];

static void has_other_type(const wire *w, const message_seen *asked, const message_seen *answered)
{
    (void)asked;
    assert_named(w, "dns.type=other");
    for (unsigned t = 0; t < ANY_TYPE; t++)
        seen[t] += answered->types[1][t] > 0;
}

/* The token of types that have none is any of many, and their data have their form, too. */
static void sampled_records_of_other_types_have_data_of_their_form(void **state)
{
    static const char *const asks[] = {ASKS, "dns.qtype=other", NULL};
    static const char *const answers[] = {ANSWERS_WITH,        "dns.answers=1",
                                          "dns.authorities=0", "dns.additionals=0",
                                          "dns.type=other",    NULL};
    unsigned different = 0;

    (void)state;
    memset(seen, 0, sizeof seen);
    each_exchange(asks, answers, 400, has_other_type);
    for (unsigned t = 0; t < ANY_TYPE; t++)
        different += seen[t] > 0;
    assert_true(different >= 35);
    for (size_t i = 0; i < WSPI_COUNT(kinds); i++)
        assert_int_equal(seen[kinds[i].type & (ANY_TYPE - 1)], 0);
    for (size_t i = 0; i < WSPI_COUNT(others); i++)
        assert_true(seen[others[i].type] > 0);
}

static unsigned with_options;

static void may_have_options(const wire *w, const message_seen *asked, const message_seen *answered)
{
    (void)w;
    (void)asked;
    assert_non_null(answered->opt);
    with_options += number(answered->opt + 8) > 4;
}

static void sampled_edns_has_options(void **state)
{
    static const char *const asks[] = {ASKS, "dns.additionals=1", NULL};
    static const char *const answers[] = {ANSWERS_WITH,        "dns.answers=0", "dns.authorities=0",
                                          "dns.additionals=1", "dns.name=root", NULL};

    (void)state;
    with_options = 0;
    each_exchange(asks, answers, 200, may_have_options);
    assert_true(with_options > 20);
}

static void is_long(const wire *w, const message_seen *asked, const message_seen *answered)
{
    (void)w;
    (void)asked;
    assert_true(answered->count[1] >= 16 && answered->count[2] >= 12 && answered->count[3] >= 12);
    assert_true(answered->types[2][2] > 0 && answered->types[3][1] > 0);
}

/* What no model reads is as usual, and as many records as there are said to be. */
static void sampled_answers_of_many_records_are_whole(void **state)
{
    static const char *const asks[] = {ASKS, "dns.qtype=AAAA", NULL};
    static const char *const answers[] = {ANSWERS_WITH, "dns.answers=16..19",
                                          "dns.authorities=12..13", "dns.additionals=12..13", NULL};

    (void)state;
    each_exchange(asks, answers, 60, is_long);
}

static unsigned aliases, whole_names, signatures;

static void counts_kinds(const wire *w, const message_seen *asked, const message_seen *answered)
{
    const char *name = strstr(w->names, " dns.name=labels ");

    (void)asked;
    aliases += answered->types[1][5] > 0;
    signatures += answered->types[1][46] > 0;
    whole_names += name && strncmp(name, " dns.name=labels dns.length=2 ", 30) != 0;
}

/* What is drawn freely: each record is of the question all the same (fits_question), in all the ways that there are. */
static void sampled_answers_fit_their_questions(void **state)
{
    static const char *const types[] = {"A",   "AAAA", "MX",  "HTTPS", "NS",  "PTR",
                                        "TXT", "SRV",  "SOA", "CNAME", "ANY", "other"};
    static const char *const answers[] = {ANSWERS_WITH, NULL};
    static const char *const failed[] = {"s2c first",          "s2c gap=0",
                                         "stack=eth/ipv4/udp", "udp.sport=53",
                                         "udp.dport=dynamic",  "dns.flags=no-such-name",
                                         "dns.answers=2",      "dns.additionals=2",
                                         "len=48..49",         NULL};
    static const char *const longer[] = {ANSWERS_WITH, "dns.answers=3", "dns.authorities=2",
                                         "dns.additionals=4..5", NULL};

    (void)state;
    aliases = whole_names = signatures = 0;
    for (size_t i = 0; i < WSPI_COUNT(types); i++) {
        char qtype[32];
        const char *const asks[] = {
            ASKS, "dns.additionals=1", "dns.ttl=32768..65535", "dns.qname=24..27", qtype, NULL};
        const char *const plainly[] = {ASKS, "dns.qname=16..19", qtype, NULL};
        (void)snprintf(qtype, sizeof qtype, "dns.qtype=%s", types[i]);
        each_exchange(asks, answers, 30, counts_kinds);
        each_exchange(asks, failed, 10, counts_kinds);
        each_exchange(asks, longer, 20, counts_kinds);
        each_exchange(plainly, answers, 30, counts_kinds);
        each_exchange(plainly, longer, 20, counts_kinds);
    }
    assert_true(aliases > 50 && whole_names > 20 && signatures > 10);
}

/* A name of DNS ends with its text, near the bin that was drawn; a hyphen is between letters. */
/* Over TCP the server owes one answer, before which nothing ends. */
static void each_question_has_one_answer_on_a_connection(void **state)
{
    static const char *const asks[] = {"c2s first",       "c2s gap=0",         "stack=eth/ipv4/tcp",
                                       "tcp.dport=53",    "tcp.sport=dynamic", "tcp.flags=PA",
                                       "dns.flags=query", "len=48..49",        NULL};
    static const char *const answers[] = {
        "s2c first",        "s2c gap=0",         "stack=eth/ipv4/tcp",
        "tcp.sport=53",     "tcp.dport=dynamic", "tcp.flags=PA",
        "dns.flags=answer", "len=48..49",        NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 19);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 10; flow++) {
        wsp_filler fill = filler_of(flow);

        wire_again(&w);
        for (int k = 0; k < 3; k++) {
            sample(&w, &fill, asks, 0, WSPI_APP_DNS, &r);
            assert_int_equal(wspi_app_owes(w.dec), 1);
            assert_false(wspi_app_may_end(w.dec) || wspi_app_ends_with(w.dec, 0));
            sample(&w, &fill, answers, 1, WSPI_APP_DNS, &r);
            assert_false(wspi_app_may_speak(w.dec, 1));
            assert_true(wspi_app_may_end(w.dec));
        }
    }
    wire_close(&w);
}

static void sampled_names_end_where_their_text_does(void **state)
{
    static const char *const asks[] = {ASKS, "dns.qname=24..27", "text=\\x03com\\x00", "text=-",
                                       NULL};
    wsp_filler fill = {.start_ns = 1, .client.ip = {10, 0, 0, 1}, .server.ip = {10, 0, 0, 2}};
    unsigned ends = 0, hyphens = 0;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 9);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 60; fill.seed++) {
        const uint8_t *b;
        size_t n;
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_DNS, &r);
        b = w.packet->data + w.packet->payload_off + 12;
        n = qname_len(b);
        assert_true(n >= 24 - 8 && n <= 27 + 8);
        ends += memcmp(b + n - 5, "\3com", 5) == 0;
        hyphens += memchr(b, '-', n) != NULL;
        for (size_t i = 0; i + 1 < n; i += b[i] + 1u)
            assert_true(b[i + 1] != '-' && b[i + b[i]] != '-');
    }
    assert_true(hyphens >= 30);
    assert_true(ends >= 50); /* where the last label fits a name of any of these lengths */
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_have_edns_where_it_belongs),
        cmocka_unit_test(sampled_answers_have_records_behind_them),
        cmocka_unit_test(sampled_records_of_many_types_have_data_of_their_form),
        cmocka_unit_test(sampled_records_of_other_types_have_data_of_their_form),
        cmocka_unit_test(sampled_edns_has_options),
        cmocka_unit_test(sampled_answers_of_many_records_are_whole),
        cmocka_unit_test(sampled_answers_fit_their_questions),
        cmocka_unit_test(each_question_has_one_answer_on_a_connection),
        cmocka_unit_test(sampled_names_end_where_their_text_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

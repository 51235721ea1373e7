/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.c: the token ids, laid out from the groups and the field tables in order, with their names. */
#include "token/app/app.h"

#include <pthread.h>
#include <stdio.h>

/* Ports that say what a service is (IANA, and habits of the field). Others are one of three classes. */
static const uint16_t ports[] = {
    7,     9,     13,    17,    19,    20,    21,    22,    23,    25,    37,    43,    49,
    53,    67,    68,    69,    70,    79,    80,    81,    88,    102,   110,   111,   113,
    119,   123,   135,   137,   138,   139,   143,   161,   162,   177,   179,   194,   199,
    389,   427,   443,   445,   464,   465,   500,   502,   512,   513,   514,   515,   520,
    521,   523,   524,   546,   547,   548,   554,   587,   593,   623,   631,   636,   646,
    789,   853,   873,   902,   989,   990,   992,   993,   995,   1080,  1099,  1153,  1194,
    1433,  1434,  1521,  1524,  1604,  1645,  1646,  1701,  1720,  1723,  1812,  1813,  1883,
    1900,  1911,  2000,  2049,  2123,  2152,  2222,  2323,  2404,  3128,  3283,  3306,  3389,
    3478,  3544,  3702,  4433,  4500,  4786,  4789,  4840,  5000,  5004,  5060,  5061,  5222,
    5269,  5351,  5353,  5355,  5432,  5555,  5671,  5672,  5683,  5684,  5900,  5938,  5985,
    6000,  6379,  6443,  6667,  6881,  7547,  8000,  8008,  8009,  8080,  8081,  8123,  8443,
    8883,  8888,  9000,  9042,  9092,  9100,  9200,  9600,  10001, 11211, 17500, 18245, 20000,
    27017, 27036, 30718, 34964, 37810, 44818, 47808, 51820, 55443, 62078};

size_t wspi_port_count(void)
{
    return WSPI_COUNT(ports);
}

uint16_t wspi_port_at(size_t i)
{
    return ports[i];
}

unsigned wspi_port_token(uint16_t port)
{
    size_t lo = 0, hi = WSPI_COUNT(ports);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (ports[mid] < port)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < WSPI_COUNT(ports) && ports[lo] == port)
        return WSPI_PORT_CLASSES + (unsigned)lo;
    return port < 1024 ? WSPI_PORT_SYSTEM : port < 32768 ? WSPI_PORT_REGISTERED : WSPI_PORT_DYNAMIC;
}

/* 0 zero, 1 broadcast, 2 multicast, 3 loopback, 4 link-local, 5 private, 6 locally given (MAC), 7 public */
static const char *const addr_classes[] = {"zero",      "broadcast", "multicast", "loopback",
                                           "linklocal", "private",   "local",     "public"};

static unsigned ipv4_class(uint32_t a)
{
    if (a == 0xffffffff)
        return 1;
    if (a >> 28 == 14)
        return 2;
    if (a >> 24 == 127)
        return 3;
    if (a >> 16 == 0xa9fe)
        return 4;
    return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ? 5 : 7;
}

unsigned wspi_addr_class(uint8_t role, unsigned width, uint64_t v)
{
    if (v == 0)
        return role == WSPI_R_IP_SRC && width == 64 ? 3 : 0;
    if (width == 32)
        return ipv4_class((uint32_t)v);
    if (width == 48)
        return v == 0xffffffffffff ? 1 : v >> 40 & 1 ? 2 : v >> 41 & 1 ? 6 : 7;
    if (v >> 56 == 0xff)
        return 2;
    if (v >> 54 == 0x3fa)
        return 4;
    return v >> 57 == 0x7e ? 5 : 7;
}

unsigned wspi_bin(uint64_t v, unsigned m)
{
    unsigned e;

    if (v < UINT64_C(1) << m)
        return (unsigned)v;
    e = wspi_log2(v);
    return ((e - m + 1) << m) + (unsigned)(v >> (e - m) & ((UINT64_C(1) << m) - 1));
}

unsigned wspi_bin_bits(unsigned bin, unsigned m)
{
    return bin < 1u << m ? 0 : (bin >> m) - 1;
}

uint64_t wspi_bin_start(unsigned bin, unsigned m)
{
    uint64_t low = bin & ((1u << m) - 1);

    return bin < 1u << m ? bin : (low | UINT64_C(1) << m) << ((bin >> m) - 1);
}

/* Names, and counts where they do not come from a table. */
static const struct {
    const char *name;
    uint16_t count;
} groups[WSPI_T_GROUPS] = {
    [WSPI_T_START] = {"start", WSPI_START_END + 1},
    [WSPI_T_LEN] = {"len", WSPI_LEN_BINS + 1},
    [WSPI_T_STACK] = {"stack", 0},
    [WSPI_T_KEEP] = {"stack.keep", WSPI_KEEPS},
    [WSPI_T_LAYER] = {"layer", WSPI_LAYER_COUNT},
    [WSPI_T_SNAP] = {"frame.snap", 2},
    [WSPI_T_ORIG] = {"frame.orig", 1},
    [WSPI_T_TRAILER] = {"frame.trailer", 3},
    [WSPI_T_AGAIN] = {"again", 1},
    [WSPI_T_APP] = {"app", 1 + WSPI_APP_END - WSPI_LAYER_COUNT},
    [WSPI_T_KIND] = {"payload", 4},
    [WSPI_T_TEXT] = {"text", 0},
    [WSPI_T_CHANGED] = {"changed", 1},
    [WSPI_T_END] = {"end", 1},
};

static unsigned enum_count(const wspi_field *f)
{
    unsigned n = 0;

    while (f->values[n].name)
        n++;
    return n;
}

static unsigned count_field(const wspi_field *f)
{
    switch ((enum wspi_kind)f->kind) {
    case WSPI_K_AUTO: return 3;
    case WSPI_K_ENUM: return enum_count(f) + 1;
    case WSPI_K_MAG: return (f->width - f->mantissa + 1u) << f->mantissa;
    case WSPI_K_FREE:
    case WSPI_K_TSVAL: return 1;
    case WSPI_K_ADDR: return WSPI_ADDR_CLASSES;
    case WSPI_K_PORT: return WSPI_PORT_CLASSES + WSPI_COUNT(ports);
    case WSPI_K_SEQ: return 2 * WSPI_SEQ_BINS;
    case WSPI_K_ACK: return 2 * WSPI_SEQ_BINS + 1;
    case WSPI_K_IPID: return 3;
    case WSPI_K_TSECR: return 2;
    }
    return 0;
}

/* About the root of the vocabulary's size: as many ranges as tokens in one make the least work. */
enum { RANGE_MOST = 96 };

wspi_vocab wspi_the_vocab;
static pthread_once_t vocab_once = PTHREAD_ONCE_INIT;

static uint16_t own(uint32_t from, uint32_t count, size_t group, uint8_t layer, size_t f)
{
    assert(from + count <= WSPI_VOCAB_MAX);
    for (uint32_t id = from; id < from + count; id++) {
        wspi_the_vocab.group_of[id] = (uint8_t)group;
        wspi_the_vocab.layer_of[id] = layer;
        wspi_the_vocab.field_of[id] = (uint8_t)f;
    }
    return (uint16_t)count;
}

static uint32_t group_size(size_t g)
{
    if (g == WSPI_T_STACK)
        return (uint32_t)(WSPI_RECALLS + wspi_common_stacks());
    return g == WSPI_T_TEXT ? (uint32_t)wspi_text_count() : groups[g].count;
}

static bool deviates(uint16_t id);

static void lay_out(void)
{
    wspi_vocab *v = &wspi_the_vocab;
    uint32_t at = 0;
    char name[96];

    _Static_assert((int)WSPI_APP_END <= (int)WSPI_PROTO_MAX, "room for all protocols");
    wspi_text_prepare();
    wspi_payload_prepare();
    wspi_app_prepare();
    wspi_stacks_prepare();
    wspi_http_prepare();
    wspi_tls_prepare();
    wspi_make_masks();
    for (size_t g = 0; g < WSPI_T_GROUPS; g++) {
        v->group_base[g] = (uint16_t)at;
        at += v->group_count[g] = own(at, group_size(g), g, 0, 0);
    }
    for (uint8_t l = 0; l < WSPI_APP_END; l++) {
        assert(wspi_proto_of(l)->n_fields <=
               (l < WSPI_LAYER_COUNT ? WSPI_MAX_FIELDS : WSPI_APP_FIELDS));
        for (size_t f = 0; f < wspi_proto_of(l)->n_fields; f++) {
            v->field_base[l][f] = (uint16_t)at;
            at += v->field_count[l][f] =
                own(at, count_field(&wspi_proto_of(l)->fields[f]), WSPI_T_GROUPS, l, f);
        }
    }
    v->size = at;
    v->version = WSPI_FNV_START;
    for (uint32_t id = 0; id < at; id++) {
        const char *s = wsp_vocab_name((uint16_t)id, name, sizeof name);
        v->version = wspi_fnv1a(s, strlen(s) + 1, v->version);
        v->usual[id] = !deviates((uint16_t)id);
    }
}

uint32_t wsp_vocab_size(void)
{
    (void)pthread_once(&vocab_once, lay_out);
    return wspi_the_vocab.size;
}

uint64_t wsp_vocab_version(void)
{
    (void)pthread_once(&vocab_once, lay_out);
    return wspi_the_vocab.version;
}

/* The ranges of a softmax in two steps, under construction. */
struct ranges {
    uint16_t *first;
    size_t n, max;
    uint32_t from, at; /* of the last range: its first token; the token after the last */
};

static void range_begin(struct ranges *r, uint32_t id)
{
    if (r->n < r->max)
        r->first[r->n] = (uint16_t)id;
    r->n++;
    r->from = id;
}

/* n more tokens that belong together: in the last range where there is room, else in pieces of about equal size. */
static void range_add(struct ranges *r, uint32_t n)
{
    uint32_t pieces = (n + RANGE_MOST - 1) / RANGE_MOST;

    if (r->n == 0 || r->at + n - r->from > RANGE_MOST)
        for (uint32_t i = 0; i < pieces; i++)
            range_begin(r, r->at + n * i / pieces);
    r->at += n;
}

/* Bytes: what does not print, what does, and the upper half; then learned strings, in the order of how common they are. */
static void range_add_text(struct ranges *r, uint32_t n)
{
    static const uint8_t bytes[] = {32, 96, 128};

    for (size_t i = 0; i < WSPI_COUNT(bytes); i++) {
        range_begin(r, r->at);
        r->at += bytes[i];
    }
    range_add(r, n - 256);
}

size_t wsp_vocab_ranges(uint16_t *first, size_t max)
{
    struct ranges r = {.first = first, .max = max};
    const wspi_vocab *v = &wspi_the_vocab;

    (void)wsp_vocab_size();
    for (size_t g = 0; g < WSPI_T_GROUPS; g++)
        if (g == WSPI_T_TEXT)
            range_add_text(&r, v->group_count[g]);
        else
            range_add(&r, v->group_count[g]);
    for (uint8_t l = 0; l < WSPI_APP_END; l++)
        for (size_t f = 0; f < wspi_proto_of(l)->n_fields; f++)
            range_add(&r, v->field_count[l][f]);
    return r.n;
}

const char *wspi_kind_name(const wspi_field *d)
{
    static const char *const kinds[] = {
        [WSPI_K_AUTO] = "computed",  [WSPI_K_ENUM] = "enumerated", [WSPI_K_MAG] = "magnitude",
        [WSPI_K_FREE] = "arbitrary", [WSPI_K_ADDR] = "address",    [WSPI_K_PORT] = "port",
        [WSPI_K_SEQ] = "distance",   [WSPI_K_ACK] = "distance",    [WSPI_K_IPID] = "step",
        [WSPI_K_TSVAL] = "step",     [WSPI_K_TSECR] = "step"};

    return kinds[d->kind];
}

const char *wspi_predictor_name(const wspi_field *d)
{
    static const char *const kinds[] = {[WSPI_K_AUTO] = "computed",
                                        [WSPI_K_SEQ] = "next in stream",
                                        [WSPI_K_ACK] = "end of the peer's stream",
                                        [WSPI_K_IPID] = "same or counting",
                                        [WSPI_K_TSVAL] = "last one",
                                        [WSPI_K_TSECR] = "peer's last"};
    static const char *const preds[] = {[WSPI_P_CONST] = "constant",
                                        [WSPI_P_PREV] = "last one",
                                        [WSPI_P_MIRROR] = "last one, or the peer's",
                                        [WSPI_P_FLAGS] = "last, by payload",
                                        [WSPI_P_ECHO] = "count, or the peer's",
                                        [WSPI_P_SELF] = "last one",
                                        [WSPI_P_COUNT] = "last one + 1",
                                        [WSPI_P_FRAG] = "end of the last fragment",
                                        [WSPI_P_NEXT] = "the next layer"};

    return d->kind < WSPI_COUNT(kinds) && kinds[d->kind] ? kinds[d->kind] : preds[d->pred];
}

static void bin_name(char *buf, size_t len, const char *group, unsigned bin, unsigned m)
{
    uint64_t lo = wspi_bin_start(bin, m);
    uint64_t hi = lo + (UINT64_C(1) << wspi_bin_bits(bin, m)) - 1;

    if (lo == hi)
        (void)snprintf(buf, len, "%s=%llu", group, (unsigned long long)lo);
    else
        (void)snprintf(buf, len, "%s=%llu..%llu", group, (unsigned long long)lo,
                       (unsigned long long)hi);
}

/* A stack in short: layers by slashes, their options by plus signs. */
static void stack_name(char *buf, size_t len, const wspi_stack *st)
{
    size_t at = (size_t)snprintf(buf, len, "stack=");

    for (size_t i = 0; i < st->n && at < len; i++) {
        const wspi_proto *p = wspi_protos[st->id[i]];
        const char *opt = strstr(p->name, ".opt.");
        at += (size_t)snprintf(buf + at, len - at, "%s%s",
                               i == 0 ? ""
                               : opt  ? "+"
                                      : "/",
                               opt ? opt + 5 : p->name);
    }
}

static void start_name(char *buf, size_t len, unsigned v)
{
    const char *dir = v < WSPI_STARTS ? "c2s" : "s2c";
    char gap[48] = "";

    v %= WSPI_STARTS;
    if (v >= WSPI_START_GAP && v < WSPI_START_BACK)
        bin_name(gap, sizeof gap, " gap", v - WSPI_START_GAP, WSPI_GAP_MANTISSA);
    (void)snprintf(buf, len, "%s%s", dir,
                   v == WSPI_START_FIRST  ? " first"
                   : v == WSPI_START_BACK ? " gap=back"
                   : v == WSPI_START_FAR  ? " gap=far"
                                          : gap);
}

/* Text as in C, so that every name is printable. */
static void text_name(char *buf, size_t len, unsigned v)
{
    size_t n, at = (size_t)snprintf(buf, len, "text=");
    const uint8_t *s = wspi_text_bytes(v, &n);

    for (size_t i = 0; i < n && at + 5 < len; i++)
        at += (size_t)snprintf(buf + at, len - at,
                               s[i] > 32 && s[i] < 127 && s[i] != '\\' ? "%c" : "\\x%02x", s[i]);
}

static void group_name(char *buf, size_t len, enum wspi_group g, unsigned v)
{
    static const char *const snap[] = {"whole", "cut"};
    static const char *const trailer[] = {"none", "pad", "data"};
    static const char *const kind[] = {"text", "binary", "random", "zero"};
    const char *word = g == WSPI_T_SNAP      ? snap[v]
                       : g == WSPI_T_TRAILER ? trailer[v]
                       : g == WSPI_T_KIND    ? kind[v]
                       : g == WSPI_T_LAYER   ? wspi_protos[v]->name
                       : g == WSPI_T_APP
                           ? v ? wspi_proto_of((uint8_t)(WSPI_LAYER_COUNT + v - 1))->name : "none"
                           : NULL;

    if (word)
        (void)snprintf(buf, len, "%s=%s", groups[g].name, word);
    else if (g == WSPI_T_START && v == WSPI_START_END)
        (void)snprintf(buf, len, "flow.end");
    else if (g == WSPI_T_START)
        start_name(buf, len, v);
    else if (g == WSPI_T_STACK && v >= WSPI_RECALLS)
        stack_name(buf, len, wspi_common_stack(v - WSPI_RECALLS));
    else if (g == WSPI_T_STACK)
        (void)snprintf(buf, len, "stack.recall=%u", v);
    else if (g == WSPI_T_LEN && v == WSPI_LEN_BINS)
        (void)snprintf(buf, len, "len=huge");
    else if (g == WSPI_T_LEN)
        bin_name(buf, len, "len", v, WSPI_LEN_MANTISSA);
    else if (g == WSPI_T_TEXT)
        text_name(buf, len, v);
    else if (groups[g].count == 1)
        (void)snprintf(buf, len, "%s", groups[g].name);
    else
        (void)snprintf(buf, len, "%s=%u", groups[g].name, v);
}

static void seq_name(char *buf, size_t len, const char *field, unsigned v)
{
    if (v == WSPI_ACK_SAME)
        (void)snprintf(buf, len, "%s=same", field);
    else
        (void)snprintf(buf, len, "%s=%s2^%u", field, v < WSPI_SEQ_BINS ? "-" : "+",
                       v % WSPI_SEQ_BINS);
}

static void field_name(char *buf, size_t len, const wspi_field *f, unsigned v)
{
    static const char *const states[] = {"computed", "zero", "value"};
    static const char *const ipid[] = {"same", "near", "free"};
    static const char *const port[] = {"system", "registered", "dynamic"};

    switch ((enum wspi_kind)f->kind) {
    case WSPI_K_AUTO: (void)snprintf(buf, len, "%s=%s", f->name, states[v]); break;
    case WSPI_K_ENUM:
        (void)snprintf(buf, len, "%s=%s", f->name, f->values[v].name ? f->values[v].name : "other");
        break;
    case WSPI_K_MAG: bin_name(buf, len, f->name, v, f->mantissa); break;
    case WSPI_K_FREE: (void)snprintf(buf, len, "%s=changed", f->name); break;
    case WSPI_K_TSVAL: (void)snprintf(buf, len, "%s=back", f->name); break;
    case WSPI_K_ADDR: (void)snprintf(buf, len, "%s=%s", f->name, addr_classes[v]); break;
    case WSPI_K_PORT:
        if (v < WSPI_PORT_CLASSES)
            (void)snprintf(buf, len, "%s=%s", f->name, port[v]);
        else
            (void)snprintf(buf, len, "%s=%u", f->name, ports[v - WSPI_PORT_CLASSES]);
        break;
    case WSPI_K_SEQ:
    case WSPI_K_ACK: seq_name(buf, len, f->name, v); break;
    case WSPI_K_IPID: (void)snprintf(buf, len, "%s=%s", f->name, ipid[v]); break;
    case WSPI_K_TSECR: (void)snprintf(buf, len, "%s=%s", f->name, v ? "other" : "same"); break;
    }
}

const char *wsp_vocab_name(uint16_t id, char *buf, size_t len)
{
    const wspi_vocab *v = &wspi_the_vocab;
    uint8_t layer;
    size_t f;

    if (len == 0)
        return buf;
    if (id >= v->size)
        (void)snprintf(buf, len, "token %u", id);
    else if (wspi_token_field(id, &layer, &f))
        field_name(buf, len, &wspi_proto_of(layer)->fields[f], id - wspi_field_base(layer, f));
    else
        group_name(buf, len, (enum wspi_group)v->group_of[id], id - v->group_base[v->group_of[id]]);
    return buf;
}

/* ---- what a valid generated packet does not use ---- */

static bool field_deviates(uint8_t layer, size_t f, unsigned v)
{
    const wspi_field *d = &wspi_proto_of(layer)->fields[f];

    switch ((enum wspi_kind)d->kind) {
    case WSPI_K_AUTO: return v != WSPI_AUTO_YES;
    case WSPI_K_ENUM:
        if (d->pred == WSPI_P_NEXT)
            return true;
        if (layer == WSPI_ICMP || layer == WSPI_ICMPV6) /* the bodies of others have no grammar */
            return !d->values[v].name || !wspi_icmp_sampled(layer, d->values[v].value);
        if (layer == WSPI_IGMP) /* of routing only the beginning is known */
            return v > 4;
        if (!d->values[v].name)
            return d->role != WSPI_R_SPELT && d->role != WSPI_R_REGISTERED;
        return layer == WSPI_TCP && v > 7;
    case WSPI_K_MAG:
        if (layer == WSPI_IPV4 && f == WSPI_IPV4_FLAGS)
            return v != 0 && v != 2;
        if (layer == WSPI_TCP && f == WSPI_TCP_WINDOW)
            return false;
        if (f == WSPI_IPV4_TTL && layer == WSPI_IPV4)
            return v < 8;
        if (layer == WSPI_ICMP || layer == WSPI_ICMPV6)
            return !wspi_icmp_code_sampled(layer, v);
        return (layer == WSPI_IPV4 && f == WSPI_IPV4_FRAG) || layer == WSPI_TCP ||
               layer == WSPI_SLL || (layer == WSPI_TCP_WSCALE && v > 14);
    case WSPI_K_ACK: return v >= WSPI_SEQ_BINS && v != WSPI_ACK_SAME; /* of what was never sent */
    case WSPI_K_FREE: /* but for flow labels, the sequence of pings, and what walks make up */
        return d->role != WSPI_R_IP_TOLD && d->role != WSPI_R_RENEWED &&
               !wspi_app_changes(layer, f) && !(layer == WSPI_IPV6 && f == WSPI_IPV6_LABEL) &&
               !((layer == WSPI_ICMP || layer == WSPI_ICMPV6) && f == WSPI_ICMP_SEQ);
    case WSPI_K_SEQ:
    case WSPI_K_TSVAL: return true;
    case WSPI_K_TSECR:
    case WSPI_K_ADDR:
    case WSPI_K_PORT:
    case WSPI_K_IPID: return false;
    }
    return false;
}

static bool group_deviates(enum wspi_group g, unsigned v)
{
    switch (g) {
    case WSPI_T_START: return v != WSPI_START_END && v % WSPI_STARTS >= WSPI_START_BACK;
    case WSPI_T_LEN: return v > wspi_bin(WSPI_LEN_SAMPLED, WSPI_LEN_MANTISSA);
    case WSPI_T_SNAP:
    case WSPI_T_ORIG:
    case WSPI_T_CHANGED: return true;
    case WSPI_T_TRAILER: return v == WSPI_TRAILER_DATA;
    case WSPI_T_LAYER: return v != WSPI_PAYLOAD && !wspi_protos[v]->samples;
    default: return false;
    }
}

static bool deviates(uint16_t id)
{
    const wspi_vocab *v = &wspi_the_vocab;
    uint8_t layer;
    size_t f;

    if (wspi_token_field(id, &layer, &f))
        return field_deviates(layer, f, id - wspi_field_base(layer, f));
    return group_deviates((enum wspi_group)v->group_of[id], id - v->group_base[v->group_of[id]]);
}

bool wsp_vocab_deviates(uint16_t id)
{
    return id >= wsp_vocab_size() || !wspi_the_vocab.usual[id];
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.c: mask policies: what a model may see of the tokens. A policy is a row of one table: subject x treatment. Every
 * token has one subject; text has that of the field before it.
 */
#include <pthread.h>
#include <stdio.h>

#include "token/app/app.h"

/* What a token speaks of. */
enum subject {
    S_FRAME, /* direction, end of packet and flow: always kept */
    S_TIME,
    S_SIZE,
    S_LAYERS, /* which headers and options there are */
    S_LINK,   /* where the capture was made: link layer, captured length, padding */
    S_HEADER, /* header fields that say nothing of below */
    S_ADDRESS,
    S_PORT,
    S_TTL,
    S_CHECKSUM,
    S_TAG,    /* VLANs and tunnels */
    S_NUMBER, /* counters, identifiers, clocks: always told against what was before */
    S_NAME,
    S_APP,     /* fields of application protocols */
    S_TEXT,    /* other payload bytes, and what kind they are */
    S_CONTROL, /* payload bytes that no transport carries: of neighbour discovery, routing, bridges, whose matter are hosts */
    SUBJECTS
};

static const char *const subject_names[SUBJECTS] = {
    "frame", "time",  "size", "layers", "link", "header", "address", "port",
    "ttl",   "cksum", "tag",  "number", "name", "app",    "text",    "control"};

/* KEEP the token; a coarser CLASS of it; DROP it; RELATIVE: of each direction drop the first, then say only "changed". */
enum treatment { KEEP, CLASS, DROP, RELATIVE };
static const char *const treatment_names[] = {"keep", "class", "drop", "relative"};

struct wsp_policy {
    const char *name, *summary;
    uint8_t treat[SUBJECTS];
};

#define NO_HOSTS                                                                               \
    [S_LINK] = DROP, [S_ADDRESS] = DROP, [S_CHECKSUM] = DROP, [S_TAG] = DROP, [S_NAME] = DROP, \
    [S_CONTROL] = DROP
#define NO_PAYLOAD [S_APP] = DROP, [S_TEXT] = DROP

/* What is not named is kept. */
static const struct wsp_policy policies[] = {
    {"identity-free",
     "no address, port, VLAN, TTL, checksum, name or link layer (the default for classification)",
     {NO_HOSTS, [S_PORT] = DROP, [S_TTL] = DROP}},
    {"headers-only",
     "as identity-free, and nothing of the payload",
     {NO_HOSTS, NO_PAYLOAD, [S_PORT] = DROP, [S_TTL] = DROP}},
    {"sizes-only",
     "direction, time and payload length only",
     {NO_HOSTS, NO_PAYLOAD, [S_PORT] = DROP, [S_TTL] = DROP, [S_LAYERS] = DROP, [S_HEADER] = DROP,
      [S_NUMBER] = DROP}},
    {"time-free",
     "as identity-free, and no times",
     {NO_HOSTS, [S_PORT] = DROP, [S_TTL] = DROP, [S_TIME] = DROP}},
    {"coarse",
     "as identity-free, with times, sizes and TTLs by classes",
     {NO_HOSTS, [S_PORT] = DROP, [S_TTL] = CLASS, [S_TIME] = CLASS, [S_SIZE] = CLASS}},
    {"port-class",
     "as identity-free, with ports as system, registered or dynamic, and changes of the TTL",
     {NO_HOSTS, [S_PORT] = CLASS, [S_TTL] = RELATIVE}},
    {"everything", "all tokens (generation; leaks identity into a classifier)", {0}},
};

static uint8_t subjects[WSPI_VOCAB_MAX];
static uint16_t linkless[WSPI_VOCAB_MAX]; /* of common stacks, by their numbers */
static pthread_once_t subjects_once = PTHREAD_ONCE_INIT;

/* Layers that say how a packet came to where it was captured. */
static bool is_link(uint8_t layer)
{
    static const bool link[WSPI_LAYER_COUNT] = {
        [WSPI_ETH] = true,   [WSPI_VLAN] = true, [WSPI_SLL] = true,   [WSPI_SLL2] = true,
        [WSPI_NULL] = true,  [WSPI_HDLC] = true, [WSPI_CHDLC] = true, [WSPI_PPP] = true,
        [WSPI_PPPOE] = true, [WSPI_MPLS] = true,
    };

    return layer < WSPI_LAYER_COUNT && link[layer];
}

/*
 * Whose the bytes behind a layer are: of those that carry what applications say, of hosts and networks themselves (bridges, routing,
 * discovery), or as the type says (ICMP).
 */
enum payload { CONTROL, CARRIED, BY_TYPE };
static enum payload payload_of(uint8_t layer)
{
    static const uint8_t of[WSPI_LAYER_COUNT] = {
        [WSPI_UDP] = CARRIED,        [WSPI_TCP] = CARRIED,      [WSPI_TCP_EOL] = CARRIED,
        [WSPI_TCP_NOP] = CARRIED,    [WSPI_TCP_MSS] = CARRIED,  [WSPI_TCP_WSCALE] = CARRIED,
        [WSPI_TCP_SACKOK] = CARRIED, [WSPI_TCP_SACK] = CARRIED, [WSPI_TCP_TS] = CARRIED,
        [WSPI_TCP_RAWOPT] = CARRIED, [WSPI_SCTP] = CARRIED,     [WSPI_SCTP_DATA] = CARRIED,
        [WSPI_SCTP_CHUNK] = CARRIED, [WSPI_ESP] = CARRIED,      [WSPI_ICMP] = BY_TYPE,
        [WSPI_ICMPV6] = BY_TYPE,
    };

    return layer < WSPI_LAYER_COUNT ? (enum payload)of[layer] : CARRIED;
}

/* Of ICMP echoes carry what applications say, and errors quote it. */
static enum payload payload_of_type(uint8_t layer, unsigned value)
{
    static const uint32_t icmp[] = {0, 3, 4, 5, 8, 11, 12}, icmpv6[] = {1, 2, 3, 4, 128, 129};
    const bool v6 = layer == WSPI_ICMPV6;
    const wspi_value *v = &wspi_protos[layer]->fields[WSPI_ICMP_TYPE].values[value];

    for (size_t i = 0; v->name && i < (v6 ? WSPI_COUNT(icmpv6) : WSPI_COUNT(icmp)); i++)
        if (v->value == (v6 ? icmpv6 : icmp)[i])
            return CARRIED;
    return CONTROL; /* also of the last value, which is any other */
}

static enum subject subject_of_role(uint8_t role, uint8_t layer)
{
    switch ((enum wspi_role)role) {
    case WSPI_R_MAC_SRC:
    case WSPI_R_MAC_DST:
    case WSPI_R_IP_SRC:
    case WSPI_R_IP_DST:
    case WSPI_R_IP_SRC_LOW:
    case WSPI_R_IP_DST_LOW:
    case WSPI_R_IP_TOLD: return S_ADDRESS;
    case WSPI_R_PORT_SRC:
    case WSPI_R_PORT_DST: return S_PORT;
    case WSPI_R_TTL: return S_TTL;
    case WSPI_R_CHECKSUM: return S_CHECKSUM;
    case WSPI_R_TAG: return S_TAG;
    case WSPI_R_NAME: return S_NAME;
    case WSPI_R_NUMBER:
    case WSPI_R_RENEWED: return S_NUMBER;
    case WSPI_R_SPELT:
    case WSPI_R_REGISTERED:
    case WSPI_R_NONE: break;
    }
    return layer >= WSPI_LAYER_COUNT ? S_APP : is_link(layer) ? S_LINK : S_HEADER;
}

static enum subject subject_of_group(enum wspi_group g)
{
    switch (g) {
    case WSPI_T_START: return S_TIME;
    case WSPI_T_LEN: return S_SIZE;
    case WSPI_T_STACK:
    case WSPI_T_KEEP:
    case WSPI_T_LAYER:
    case WSPI_T_AGAIN: return S_LAYERS;
    case WSPI_T_SNAP:
    case WSPI_T_ORIG:
    case WSPI_T_TRAILER: return S_LINK;
    case WSPI_T_APP: return S_APP;
    case WSPI_T_KIND:
    case WSPI_T_TEXT: return S_TEXT;
    default: return S_FRAME;
    }
}

/* How many layers come before what the packet is about; none where it is about nothing else. */
static size_t link_layers(const wspi_stack *st)
{
    size_t n = 0;

    while (n < st->n && is_link(st->id[n]))
        n++;
    return n < st->n ? n : 0;
}

/* The first of the common stacks that is the same but for the link: a stack without its link. */
static size_t without_link(size_t stack)
{
    const wspi_stack *st = wspi_common_stack(stack), *first;
    size_t skip = link_layers(st), n = st->n - skip, at;

    for (size_t i = 0; i < stack; i++) {
        first = wspi_common_stack(i);
        at = link_layers(first);
        if (first->n - at == n && memcmp(first->id + at, st->id + skip, n) == 0)
            return i;
    }
    return stack;
}

static void find_subjects(void)
{
    unsigned layers = wspi_group_base(WSPI_T_LAYER);
    uint8_t layer;
    size_t f;

    for (uint32_t id = 0; id < wsp_vocab_size(); id++)
        subjects[id] =
            (uint8_t)(wspi_token_field((uint16_t)id, &layer, &f)
                          ? subject_of_role(wspi_proto_of(layer)->fields[f].role, layer)
                          : subject_of_group((enum wspi_group)wspi_the_vocab.group_of[id]));
    for (uint8_t l = 0; l < WSPI_LAYER_COUNT; l++)
        if (is_link(l))
            subjects[layers + l] = S_LINK;
    for (size_t i = 0; i < wspi_common_stacks(); i++)
        linkless[i] = (uint16_t)without_link(i);
}

const wsp_policy *wsp_policy_at(size_t i)
{
    return i < WSPI_COUNT(policies) ? &policies[i] : NULL;
}

const wsp_policy *wsp_policy_get(const char *name)
{
    for (size_t i = 0; i < WSPI_COUNT(policies); i++)
        if (!name || strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}

const char *wsp_policy_name(const wsp_policy *p)
{
    return p->name;
}

const char *wsp_policy_summary(const wsp_policy *p)
{
    return p->summary;
}

const char *wsp_policy_subject(size_t i)
{
    return i + 1 < SUBJECTS ? subject_names[i + 1] : NULL; /* the frame is no choice */
}

const char *wsp_policy_treatment(const wsp_policy *p, size_t i)
{
    return i + 1 < SUBJECTS ? treatment_names[p->treat[i + 1]] : NULL;
}

bool wsp_field_get(size_t i, wsp_field_info *info)
{
    uint8_t l = 0;
    const wspi_proto *p;

    (void)wsp_vocab_size();
    for (; l < WSPI_APP_END && i >= wspi_proto_of(l)->n_fields; l++)
        i -= wspi_proto_of(l)->n_fields;
    if (l == WSPI_APP_END)
        return false;
    p = wspi_proto_of(l);
    *info = (wsp_field_info){.protocol = p->name,
                             .field = p->fields[i].name,
                             .kind = wspi_kind_name(&p->fields[i]),
                             .predictor =
                                 l < WSPI_LAYER_COUNT ? wspi_predictor_name(&p->fields[i]) : "",
                             .subject = subject_names[subject_of_role(p->fields[i].role, l)],
                             .bits = p->fields[i].width,
                             .n_tokens = wspi_field_count(l, i),
                             .first_token = wspi_field_base(l, i)};
    return true;
}

/* ---- classes ---- */

enum { TIME_STEP = 4 << WSPI_GAP_MANTISSA, SIZE_STEP = 1 << WSPI_LEN_MANTISSA };

/* Gaps by factors of sixteen, sizes by factors of two, each shown by its smallest. */
static uint16_t class_of_group(uint16_t id)
{
    unsigned v = id - wspi_the_vocab.group_base[wspi_the_vocab.group_of[id]];

    if (wspi_in_group(id, WSPI_T_START) && v % WSPI_STARTS >= WSPI_START_GAP &&
        v % WSPI_STARTS < WSPI_START_BACK)
        return (uint16_t)(id - (v % WSPI_STARTS - WSPI_START_GAP) % TIME_STEP);
    if (wspi_in_group(id, WSPI_T_LEN) && v < WSPI_LEN_BINS)
        return (uint16_t)(id - v % SIZE_STEP);
    return id;
}

/* Ports by their range; TTLs by the start value that they have come down from. */
static uint16_t class_of_field(uint16_t id, const wspi_field *d, unsigned base)
{
    unsigned v = id - base;

    if (d->kind == WSPI_K_PORT && v >= WSPI_PORT_CLASSES) {
        uint16_t port = wspi_port_at(v - WSPI_PORT_CLASSES);
        return (uint16_t)(base + (port < 1024    ? WSPI_PORT_SYSTEM
                                  : port < 32768 ? WSPI_PORT_REGISTERED
                                                 : WSPI_PORT_DYNAMIC));
    }
    if (d->role == WSPI_R_TTL && d->kind == WSPI_K_MAG) {
        uint64_t ttl = wspi_bin_start(v, d->mantissa);
        uint64_t from = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
        return (uint16_t)(base + wspi_bin(from, d->mantissa));
    }
    return id;
}

static uint16_t class_of(uint16_t id)
{
    uint8_t layer;
    size_t f;

    if (!wspi_token_field(id, &layer, &f))
        return class_of_group(id);
    return class_of_field(id, &wspi_proto_of(layer)->fields[f], wspi_field_base(layer, f));
}

/* ---- applying ---- */

/* A direction without its time. */
static uint16_t only_direction(uint16_t id)
{
    unsigned base = wspi_group_base(WSPI_T_START), v = id - base;

    return v == WSPI_START_END ? id : (uint16_t)(base + v / WSPI_STARTS * WSPI_STARTS);
}

/* A common stack without its link. */
static uint16_t stack_without_link(uint16_t id)
{
    unsigned first = wspi_group_base(WSPI_T_STACK) + WSPI_RECALLS;

    return id < first ? id : (uint16_t)(first + linkless[id - first]);
}

/* What is seen of a token; false: nothing. `known`: the flow's direction has been seen before. */
static bool view(const wsp_policy *p, uint16_t *id, enum subject s, bool known)
{
    if (p->treat[S_LINK] != KEEP && wspi_in_group(*id, WSPI_T_STACK))
        *id = stack_without_link(*id);
    switch ((enum treatment)p->treat[s]) {
    case KEEP: return true;
    case CLASS: *id = class_of(*id); return true;
    case DROP:
        if (s != S_TIME)
            return false;
        *id = only_direction(*id);
        return true;
    case RELATIVE: *id = (uint16_t)wspi_group_base(WSPI_T_CHANGED); return known;
    }
    return true;
}

/* Of a flow: which of its directions have had a packet, and whose the bytes behind the last one's headers were. */
enum { SEEN = 1, BYTES_OF_CONTROL = 4 };

/* The next token says whose the bytes of the packet are, or leaves it as it is. */
static bool is_of_control(bool before, uint16_t id)
{
    unsigned stack = id - wspi_group_base(WSPI_T_STACK) - WSPI_RECALLS,
             layer = id - wspi_group_base(WSPI_T_LAYER);
    enum payload of = BY_TYPE;
    uint8_t l;
    size_t f;

    if (wspi_in_group(id, WSPI_T_STACK) && stack < wspi_common_stacks()) {
        const wspi_stack *st = wspi_common_stack(stack);
        of = st->n ? payload_of(st->id[st->n - 1]) : CONTROL;
    } else if (wspi_in_group(id, WSPI_T_LAYER) && layer != WSPI_PAYLOAD) {
        of = payload_of((uint8_t)layer);
    } else if (wspi_token_field(id, &l, &f) && (l == WSPI_ICMP || l == WSPI_ICMPV6) &&
               f == WSPI_ICMP_TYPE) {
        of = payload_of_type(l, id - wspi_field_base(l, f));
    }
    return of == BY_TYPE ? before : of == CONTROL;
}

size_t wsp_policy_apply(const wsp_policy *p, const uint16_t *ids, size_t n, size_t max_payload,
                        size_t max_tokens, uint8_t *seen, uint16_t *out)
{
    size_t kept = 0, text = 0;
    enum subject of_text = S_TEXT;
    bool known = true, control = false, s2c = false;

    (void)wsp_vocab_size();
    (void)pthread_once(&subjects_once, find_subjects);
    if (n && seen) {
        s2c = (unsigned)ids[0] - wspi_group_base(WSPI_T_START) >= WSPI_STARTS;
        known = *seen & SEEN << s2c;
        control = *seen & BYTES_OF_CONTROL << (known ? s2c : !s2c);
        *seen |= (uint8_t)(SEEN << s2c);
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t id = ids[i];
        bool is_text = wspi_in_group(id, WSPI_T_TEXT), last = i + 1 == n;
        enum subject s = is_text ? of_text : (enum subject)subjects[id];
        of_text = s;
        control = is_of_control(control, id);
        if (is_text && s == S_TEXT && control)
            s = S_CONTROL;
        if (!view(p, &id, s, known) || (kept + 1 >= max_tokens && !last))
            continue;
        if (is_text && text++ >= max_payload)
            continue;
        if (kept < max_tokens)
            out[kept++] = id;
    }
    if (n && seen)
        *seen = (uint8_t)((*seen & ~(unsigned)(BYTES_OF_CONTROL << s2c)) |
                          (control ? BYTES_OF_CONTROL << s2c : 0));
    return kept;
}

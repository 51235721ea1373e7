/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: payload bytes as tokens: one for each byte value, and one for each string that was learned from training
 * captures (learned.h). Coding takes the longest token at each place, so that it depends on the bytes alone.
 */
#include "token/json.h"
#include "token/token_int.h"

#include "token/learned.h"

enum { EDGES = 8192, EDGE_BITS = 13, NONE = 0xffff };

/*
 * The learned strings as a tree. An edge leads from a node by a byte to a node; edges are kept in a hash table keyed by
 * both. Nodes 1 to 256 are the first bytes. `token` is the string that a node stands for, NONE when it is but a prefix.
 */
static struct {
    uint32_t key[EDGES]; /* node << 8 | byte, plus one; 0: free */
    uint16_t to[EDGES];
    uint16_t token[EDGES];
    uint16_t nodes;
    uint16_t pair[65536]; /* node of two first bytes, 0: none begins so */
} tree;

static uint8_t single[256]; /* each byte value, as a string of one */

/* What a text of a class can have at all: bytes, and tokens, most of which are none of a name and need not be gone through. */
static struct {
    bool byte[256];
    uint16_t n, token[256 + WSPI_COUNT(learned_text)];
    uint8_t len[256 + WSPI_COUNT(learned_text)]; /* their bytes */
} of_class[WSPI_TEXT_ARCS + 1];

static size_t edge_slot(uint32_t node, uint8_t byte)
{
    uint32_t key = (node << 8 | byte) + 1;
    size_t i = (size_t)(key * 0x9e3779b1u >> (32 - EDGE_BITS));

    while (tree.key[i] && tree.key[i] != key)
        i = (i + 1) & (EDGES - 1);
    return i;
}

static void add_string(const uint8_t *s, size_t len, uint16_t token)
{
    uint32_t node = s[0] + 1u;

    for (size_t k = 1; k < len; k++) {
        size_t i = edge_slot(node, s[k]);
        if (!tree.key[i]) {
            tree.key[i] = (node << 8 | s[k]) + 1;
            tree.to[i] = tree.nodes;
            tree.token[tree.nodes++] = NONE;
            if (k == 1)
                tree.pair[s[0] << 8 | s[1]] = tree.to[i];
        }
        node = tree.to[i];
    }
    tree.token[node] = token;
}

/* Common stacks by a hash of their layers; entries are numbers plus one. */
static uint8_t stack_slots[512];

static size_t stack_slot(const uint8_t *id, size_t n)
{
    uint32_t h = (uint32_t)n;

    for (size_t i = 0; i < n; i++)
        h = (h ^ id[i]) * 0x01000193u;
    return (h ^ h >> 15) & (WSPI_COUNT(stack_slots) - 1);
}

static void prepare_stacks(void)
{
    _Static_assert(WSPI_COUNT(learned_stacks) < WSPI_COUNT(stack_slots) / 2, "room in the table");
    for (size_t k = 0; k < WSPI_COUNT(learned_stacks); k++) {
        size_t i = stack_slot(learned_stacks[k].id, learned_stacks[k].n);
        while (stack_slots[i])
            i = (i + 1) % WSPI_COUNT(stack_slots);
        stack_slots[i] = (uint8_t)(k + 1);
    }
}

size_t wspi_find_common_stack(const uint8_t *id, size_t n)
{
    for (size_t i = stack_slot(id, n); stack_slots[i]; i = (i + 1) % WSPI_COUNT(stack_slots)) {
        const wspi_stack *st = &learned_stacks[stack_slots[i] - 1];
        if (st->n == n && memcmp(st->id, id, n) == 0)
            return stack_slots[i] - 1u;
    }
    return WSPI_COUNT(learned_stacks);
}

static void prepare_classes(void);

void wspi_text_prepare(void)
{
    _Static_assert(WSPI_COUNT(learned_text) * WSPI_LEARNED_LONGEST < EDGES / 2 ||
                       WSPI_COUNT(learned_text) < EDGES / 4,
                   "the hash table is large enough");
    prepare_stacks();
    tree.nodes = 257;
    for (size_t b = 0; b < 256; b++) {
        single[b] = (uint8_t)b;
        tree.token[b + 1] = (uint16_t)b;
    }
    for (size_t k = 0; k < WSPI_COUNT(learned_text); k++)
        add_string((const uint8_t *)learned_text[k].s, learned_text[k].len, (uint16_t)(256 + k));
    prepare_classes();
}

size_t wspi_text_count(void)
{
    return 256 + WSPI_COUNT(learned_text);
}

const uint8_t *wspi_text_bytes(unsigned k, size_t *len)
{
    *len = k < 256 ? 1 : learned_text[k - 256].len;
    return k < 256 ? &single[k] : (const uint8_t *)learned_text[k - 256].s;
}

size_t wspi_common_stacks(void)
{
    return WSPI_COUNT(learned_stacks);
}

const wspi_stack *wspi_common_stack(size_t i)
{
    return i < WSPI_COUNT(learned_stacks) ? &learned_stacks[i] : NULL;
}

/* The longest token that b begins with, n > 0. Most places have none but their byte: the table of pairs says so. */
static unsigned longest(const uint8_t *b, size_t n, size_t *len)
{
    uint32_t node = n > 1 ? tree.pair[b[0] << 8 | b[1]] : 0;
    unsigned best = b[0];

    *len = 1;
    for (size_t k = 2; node; k++) {
        size_t i;
        if (tree.token[node] != NONE) {
            best = tree.token[node];
            *len = k;
        }
        if (k == n)
            break;
        i = edge_slot(node, b[k]);
        if (!tree.key[i])
            break;
        node = tree.to[i];
    }
    return best;
}

/* ---- what samples may be made of ---- */

typedef struct rule {
    enum wspi_text_class class;
    uint8_t before; /* the byte before, 0 at the start */
    size_t
        label;   /* LABELS: bytes of the label that are still to come; FQDN: bytes that are there */
    size_t left; /* bytes that are still to come */
    size_t spare;         /* LABELS: of these, how many need not */
    const uint8_t *given; /* GIVEN: the bytes that are still to come */
    wspi_json json;       /* JSON: where its text is; `spare` bytes come behind those with tokens */
} rule;

enum { LONGEST_LABEL = 15 }; /* of samples */

static bool letter(uint8_t b)
{
    return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9');
}

/* Half bytes of a NetBIOS name's characters, 'A' and up (RFC 1001 14.1): letters and digits, then spaces; its kind comes last. */
typedef struct half {
    uint8_t high, from, to;
} half;

static bool netbios_step(const rule *r, size_t pos, uint8_t b)
{
    static const half body[] = {{'C', 'A', 'A'}, {'D', 'B', 'J'}, {'E', 'B', 'P'}, {'F', 'B', 'K'}};
    static const half kind[] = {{'A', 'A', 'A'}, {'B', 'L', 'O'}, {'C', 'A', 'A'}};
    bool last = pos >= 30, high = pos % 2 == 0, space = pos == 0 || r->before == 'A';
    const half *h = last ? kind : body;

    if (high && !last && space)
        return pos ? b == 'C' : b >= 'D' && b <= 'F';
    for (size_t k = 0; k < (last ? WSPI_COUNT(kind) : WSPI_COUNT(body)); k++)
        if (high ? h[k].high == b : h[k].high == r->before && b >= h[k].from && b <= h[k].to)
            return true;
    return false;
}

/*
 * RFC 4702 2.1: | flags 8 | codes 16 | name |: nobody has flags or codes, or a server, in whose flags the name is in the DNS
 * and whose codes are 255; the name is in letters.
 */
static bool fqdn_step(rule *r, uint8_t b)
{
    switch (r->label++) {
    case 0: return b == 0 || b == 3;
    case 1: return b == (r->before ? 255 : 0);
    case 2: return b == r->before;
    case 3: return letter(b);
    default: return letter(b) || (letter(r->before) && r->left > 1 && (b == '-' || b == '.'));
    }
}

/*
 * Labels of 1 to 15 letters that fill the name, up to its tail: the root, or a last label before it. A name of LABEL has
 * only one; that of NETBIOS has 32 bytes; one with bytes to spare may have its root before them. Hyphens stand between letters:
 * RFC 1123 2.1.
 */
static bool label_step(rule *r, uint8_t b)
{
    static const char local[] = "\5local";
    size_t tail = r->class == WSPI_TEXT_LOCAL ? sizeof local : 1, rest;

    if (r->left <= tail)
        return b == (uint8_t)local[sizeof local - r->left] && r->label == 0;
    if (r->label) {
        r->label--;
        return r->class == WSPI_TEXT_NETBIOS
                   ? netbios_step(r, 31 - r->label, b)
                   : letter(b) || (b == '-' && r->label && r->before > LONGEST_LABEL);
    }
    if (b == 0 && r->left <= r->spare + 1) {
        r->left = 1;
        return true;
    }
    r->label = b;
    rest = r->left - 1 - tail;
    if (r->class == WSPI_TEXT_NETBIOS)
        return b == 32 && rest == b;
    return b >= 1 && b <= LONGEST_LABEL &&
           (b == rest || (b + 1u < rest + (r->spare > 0) && r->class != WSPI_TEXT_LABEL));
}

static bool word_byte(uint8_t b)
{
    return letter(b) || (b >= 'A' && b <= 'Z') || (b && strchr("-._", b));
}

/* A comma ends a word, a space may follow it; a word comes last. */
static bool list_step(const rule *r, uint8_t b)
{
    if (b == ',')
        return word_byte(r->before) && r->left > 1;
    return b != ' ' || (r->before == ',' && r->left > 1);
}

/* Can a text of this class have the byte at all? */
static bool has_byte(enum wspi_text_class class, uint8_t b)
{
    switch (class) {
    case WSPI_TEXT_ANY: return true;
    case WSPI_TEXT_LINE: return b >= 0x20 && b <= 0x7e;
    case WSPI_TEXT_WORD: return b > 0x20 && b <= 0x7e;
    case WSPI_TEXT_FIELD: return letter(b) || (b >= 'A' && b <= 'Z') || b == '-';
    case WSPI_TEXT_NAME: return letter(b) || b == '-' || b == '.';
    case WSPI_TEXT_URI: return letter(b) || (b >= 'A' && b <= 'Z') || (b && strchr("-._~/&=+", b));
    case WSPI_TEXT_BODY: return (b >= 0x20 && b <= 0x7e && b != '%') || (b && strchr("\t\r\n", b));
    case WSPI_TEXT_LIST: return word_byte(b) || b == ',' || b == ' ';
    case WSPI_TEXT_REASON: return b >= 0x20 && b <= 0x7e;
    case WSPI_TEXT_JSON: return (b >= 0x20 && b <= 0x7e) || (b && strchr("\t\r\n", b));
    case WSPI_TEXT_GIVEN: return true;
    case WSPI_TEXT_LABELS:
    case WSPI_TEXT_LOCAL:
    case WSPI_TEXT_LABEL: return letter(b) || b == '-' || b <= LONGEST_LABEL;
    case WSPI_TEXT_NETBIOS: return b == 0 || b == 32 || (b >= 'A' && b <= 'P');
    case WSPI_TEXT_FQDN: return letter(b) || b == '-' || b == '.' || b == 0 || b == 3 || b == 255;
    case WSPI_TEXT_ARCS: return b < 0x80;
    }
    return false;
}

static void prepare_classes(void)
{
    for (enum wspi_text_class class = 0; class < WSPI_COUNT(of_class); class ++)
        for (unsigned b = 0; b < 256; b++)
            of_class[class].byte[b] = has_byte(class, (uint8_t)b);
    for (unsigned k = 0; k < wspi_text_count(); k++) {
        size_t len;
        const uint8_t *s = wspi_text_bytes(k, &len);
        for (enum wspi_text_class class = 0; class < WSPI_COUNT(of_class); class ++) {
            bool all = true;
            for (size_t i = 0; i < len; i++)
                all = all && of_class[class].byte[s[i]];
            if (!all)
                continue;
            of_class[class].len[of_class[class].n] = (uint8_t)len;
            of_class[class].token[of_class[class].n++] = (uint16_t)k;
        }
    }
}

/* A carriage return is half the end of a line. What begins with <? readers take for XML, which it would not be for long. */
static bool body_step(const rule *r, uint8_t b)
{
    if (r->before == '\r' || b == '\r')
        return r->before == '\r' ? b == '\n' : r->left > 1;
    return r->before != '<' || b != '?';
}

static bool step(rule *r, uint8_t b)
{
    bool ok = of_class[r->class].byte[b];

    switch (r->class) {
    case WSPI_TEXT_NAME:
        ok = letter(b) || (ok && letter(r->before) && r->left > 1);
        ok = ok && !(r->before == '-' && b == '.');
        break;
    case WSPI_TEXT_FIELD: ok = ok && (b != '-' || r->before); break;
    case WSPI_TEXT_BODY: ok = ok && body_step(r, b); break;
    case WSPI_TEXT_LIST: ok = ok && list_step(r, b); break;
    case WSPI_TEXT_REASON: ok = r->before ? ok && (b != ' ' || r->left > 1) : b == ' '; break;
    case WSPI_TEXT_GIVEN: ok = b == *r->given++; break;
    case WSPI_TEXT_JSON: ok = wspi_json_step(&r->json, b, r->left - 1 + r->spare); break;
    case WSPI_TEXT_ANY:
    case WSPI_TEXT_LINE:
    case WSPI_TEXT_WORD:
    case WSPI_TEXT_URI:
    case WSPI_TEXT_ARCS: break;
    case WSPI_TEXT_LABELS:
    case WSPI_TEXT_LOCAL:
    case WSPI_TEXT_LABEL:
    case WSPI_TEXT_NETBIOS: ok = label_step(r, b); break;
    case WSPI_TEXT_FQDN: ok = fqdn_step(r, b); break;
    }
    r->before = b;
    r->left--;
    return ok;
}

/* Classes whose bytes stand in any order. */
static bool has_no_order(enum wspi_text_class class)
{
    return class == WSPI_TEXT_ANY || class == WSPI_TEXT_LINE || class == WSPI_TEXT_WORD ||
           class == WSPI_TEXT_URI || class == WSPI_TEXT_ARCS;
}

/* Does a token of the rule's class, no longer than the text, go on with it? */
static bool fits(rule r, unsigned k)
{
    size_t len;
    const uint8_t *s = wspi_text_bytes(k, &len);

    for (size_t i = 0; i < len; i++)
        if (r.left == 0 || !step(&r, s[i]))
            return false;
    return true;
}

/* Grammar: tokens that are too long never fit; samples keep to their class. */
static void forbid_text(wspi_coder *c, unsigned base, const rule *r)
{
    const rule any = {.class = WSPI_TEXT_ANY, .left = r->left}, now = c->deviations ? any : *r;

    if (!c->legal || !c->legal[base] ||
        (now.class == WSPI_TEXT_ANY && now.left >= WSPI_LEARNED_LONGEST))
        return;
    memset(c->legal + base, 0, wspi_text_count());
    for (unsigned i = 0; i < of_class[now.class].n; i++) {
        unsigned k = of_class[now.class].token[i];
        c->legal[base + k] =
            of_class[now.class].len[i] <= now.left && (has_no_order(now.class) || fits(now, k));
    }
}

/* ---- coding ---- */

/* Writes (decoding) or passes (encoding) the bytes of a token. */
static void take(wspi_coder *c, unsigned k, rule *r)
{
    size_t len;
    const uint8_t *s = wspi_text_bytes(k, &len);
    uint8_t *out;

    if (c->bad || c->need)
        return;
    if (len > r->left) {
        c->bad = true;
        return;
    }
    for (size_t i = 0; c->fill && r->left && i < len; i++)
        (void)step(r, s[i]);
    r->left -= c->fill ? 0 : len;
    c->pay.at += len;
    if (c->enc)
        return;
    out = wspi_payload_room(c, len);
    if (out)
        memcpy(out, s, len);
}

static void code_text(wspi_coder *c, rule *r)
{
    unsigned base = wspi_group_base(WSPI_T_TEXT), count = (unsigned)wspi_text_count(), k = 0;
    size_t len;

    while (r->left && !c->bad && !c->need) {
        if (c->enc)
            k = longest(c->pay.in + c->pay.at, r->left, &len);
        k = wspi_must(c, base, count, k);
        if (c->need)
            forbid_text(c, base, r);
        take(c, k, r);
    }
}

void wspi_text_exact(wspi_coder *c, size_t n, enum wspi_text_class class)
{
    code_text(c, &(rule){.class = class, .left = n});
}

void wspi_text_json(wspi_coder *c, size_t n, size_t shown)
{
    rule r = {.class = WSPI_TEXT_JSON, .left = shown, .spare = n - shown};

    code_text(c, &r);
    for (size_t left = n - shown; left && !c->bad && !c->need; left--) {
        uint8_t b = wspi_json_fill(&r.json, left, &c->rng), *out = wspi_payload_room(c, 1);
        (void)wspi_json_step(&r.json, b, left - 1);
        c->pay.at++;
        if (out)
            *out = b;
    }
}

void wspi_text_given(wspi_coder *c, const uint8_t *b, size_t n)
{
    code_text(c, &(rule){.class = WSPI_TEXT_GIVEN, .left = n, .given = b});
}

size_t wspi_text_labels(wspi_coder *c, size_t least, size_t most)
{
    size_t at = c->pay.at;

    code_text(c, &(rule){.class = WSPI_TEXT_LABELS, .left = most, .spare = most - least});
    return c->pay.at - at;
}

void wspi_text_some(wspi_coder *c, size_t n, size_t head)
{
    unsigned base = wspi_group_base(WSPI_T_TEXT), count = (unsigned)wspi_text_count(), k = 0;
    rule r = {.class = WSPI_TEXT_ANY, .left = c->enc ? head : n};
    size_t len;

    while (r.left && !c->bad && !c->need) {
        if (c->enc)
            k = longest(c->pay.in + c->pay.at, r.left, &len);
        if (!wspi_may(c, base, count, c->enc, false, &k)) {
            if (c->pos == c->n)
                forbid_text(c, base, &r);
            if (c->legal && c->pos == c->n && c->pay.at == 0 && !c->deviations)
                memset(c->legal + base + 256, 0, count - 256); /* no words of other protocols */
            return;
        }
        take(c, k, &r);
    }
}

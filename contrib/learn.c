/* SPDX-License-Identifier: Apache-2.0 */
/*
 * learn.c: writes lib/token/learned.h from training captures: stacks that are common, and strings that payload text is
 * made of (byte-pair encoding: Gage, 1994; Sennrich et al., 2016). Of the captures only those of the training part of
 * the split by capture are read. usage: learn STACKS STRINGS CAPTURE...
 */
#include <stdio.h>

#include "token/token_int.h"
#include "wirespeak/task.h"

enum { LONGEST = 16, PER_CAPTURE = 32, SLOTS = 1 << 21, SYMBOLS = 4096 };

/* A text run of some packet: its bytes are in the pool. */
typedef struct run {
    uint64_t hash;
    uint32_t at, len, count, here; /* here: in this capture */
    uint32_t capture;
} run;

typedef struct stack_count {
    wspi_stack stack;
    uint32_t count;
} stack_count;

typedef struct learner {
    run *runs; /* [SLOTS], open addressing by hash */
    size_t n_runs;
    wspi_buf pool;
    stack_count *stacks;
    size_t n_stacks, cap_stacks;
    uint32_t capture;
} learner;

static void die(const char *what)
{
    (void)fprintf(stderr, "learn: %s\n", what);
    exit(1);
}

/* Runs that one capture repeats are counted a few times only, so that no capture decides alone. */
static void add_run(learner *l, const uint8_t *s, size_t len)
{
    uint64_t h = wspi_fnv1a(s, len, WSPI_FNV_START) | 1;
    size_t i = (size_t)(h & (SLOTS - 1));

    while (l->runs[i].hash && l->runs[i].hash != h)
        i = (i + 1) & (SLOTS - 1);
    if (!l->runs[i].hash) {
        if (++l->n_runs > SLOTS * 3 / 4)
            die("too many different texts");
        l->runs[i] = (run){.hash = h, .at = (uint32_t)l->pool.len, .len = (uint32_t)len};
        if (wspi_buf_add(&l->pool, s, len) < 0)
            die("out of memory");
    }
    if (l->runs[i].capture != l->capture) {
        l->runs[i].capture = l->capture;
        l->runs[i].here = 0;
    }
    l->runs[i].count += l->runs[i].here++ < PER_CAPTURE;
}

static void add_stack(learner *l, const wsp_packet *p)
{
    wspi_stack st = {.n = (uint8_t)p->n_layers};
    size_t i = 0;

    if (p->n_layers > WSPI_STACK_MAX)
        return;
    for (size_t k = 0; k < p->n_layers; k++)
        st.id[k] = p->layers[k].id;
    while (i < l->n_stacks && memcmp(&l->stacks[i].stack, &st, sizeof st) != 0)
        i++;
    if (i == l->n_stacks) {
        if (wspi_grow(&l->stacks, &l->cap_stacks, i + 1, sizeof *l->stacks) < 0)
            die("out of memory");
        l->stacks[l->n_stacks++] = (stack_count){.stack = st};
    }
    l->stacks[i].count++;
}

static void read_tokens(learner *l, const wsp_packet *p, const uint16_t *ids, size_t n)
{
    uint8_t text[WSP_MAX_PACKET_TOKENS * LONGEST];
    size_t len = 0, k;
    bool told = false;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && wspi_in_group(ids[i], WSPI_T_TEXT)) {
            const uint8_t *s = wspi_text_bytes(ids[i] - wspi_group_base(WSPI_T_TEXT), &k);
            memcpy(text + len, s, k);
            len += k;
            continue;
        }
        if (len > 1)
            add_run(l, text, len);
        len = 0;
        told = told || (i < n && (wspi_in_group(ids[i], WSPI_T_KEEP) ||
                                  (wspi_in_group(ids[i], WSPI_T_STACK) &&
                                   ids[i] >= wspi_group_base(WSPI_T_STACK) + WSPI_RECALLS)));
    }
    if (told)
        add_stack(l, p);
}

static void release(void *arg, wsp_flow *flow)
{
    (void)arg;
    free(flow->user);
}

static void read_capture(learner *l, wsp_input *in, int linktype)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table;
    wsp_packet *p;
    wsp_residual *r;
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_frame f;
    wsp_flow *flow;
    size_t n;
    int dir;

    opt.release = release;
    if (wsp_flow_table_new(&table, &opt) < 0 || wsp_packet_new(&p) < 0 || wsp_residual_new(&r) < 0)
        die("out of memory");
    l->capture++;
    for (uint64_t number = 0; wsp_input_next(in, &f, NULL) == WSP_OK; number++) {
        wsp_packet_dissect(p, linktype, &f);
        if (wsp_flow_table_add(table, wsp_packet_key(p), f.time_ns, f.wirelen,
                               wsp_packet_tcp_flags(p), &flow, &dir) < 0)
            die("out of memory");
        if (!flow->user) {
            flow->user = calloc(1, wsp_context_size());
            if (!flow->user)
                die("out of memory");
            wsp_context_init(flow->user, linktype);
        }
        wsp_residual_reset(r);
        if (wsp_encode_packet(flow->user, p, dir, number, ids, &n, r) < 0)
            die("a packet cannot be coded");
        read_tokens(l, p, ids, n);
    }
    wsp_flow_table_free(table);
    wsp_packet_free(p);
    wsp_residual_free(r);
}

/* ---- byte pairs ---- */

typedef struct pairs {
    uint16_t *symbols; /* all runs one behind the other, each ended by END */
    uint32_t *weight;  /* of the run of each symbol */
    size_t n;
    uint8_t text[SYMBOLS][LONGEST];
    uint8_t len[SYMBOLS];
    uint64_t *count; /* [SYMBOLS * SYMBOLS] */
} pairs;

enum { END = 0xffff };

static void fill_pairs(pairs *p, const learner *l)
{
    p->symbols = wspi_new_array(l->pool.len + l->n_runs + 1, sizeof *p->symbols);
    p->weight = wspi_new_array(l->pool.len + l->n_runs + 1, sizeof *p->weight);
    p->count = wspi_new_array((size_t)SYMBOLS * SYMBOLS, sizeof *p->count);
    if (!p->symbols || !p->weight || !p->count)
        die("out of memory");
    for (size_t i = 0; i < SLOTS; i++) {
        const run *r = &l->runs[i];
        for (uint32_t k = 0; r->hash && k < r->len; k++, p->n++) {
            p->symbols[p->n] = l->pool.data[r->at + k];
            p->weight[p->n] = r->count;
        }
        if (r->hash)
            p->symbols[p->n++] = END;
    }
    for (unsigned b = 0; b < 256; b++) {
        p->text[b][0] = (uint8_t)b;
        p->len[b] = 1;
    }
}

/* The heaviest pair of neighbours that is not too long together; 0 when none comes twice. */
static uint64_t best_pair(pairs *p, unsigned n, unsigned *a, unsigned *b)
{
    uint64_t best = 1;

    memset(p->count, 0, (size_t)SYMBOLS * SYMBOLS * sizeof *p->count);
    for (size_t i = 0; i + 1 < p->n; i++)
        if (p->symbols[i] != END && p->symbols[i + 1] != END)
            p->count[(size_t)p->symbols[i] * SYMBOLS + p->symbols[i + 1]] += p->weight[i];
    for (unsigned x = 0; x < n; x++)
        for (unsigned y = 0; y < n; y++)
            if (p->count[(size_t)x * SYMBOLS + y] > best && p->len[x] + p->len[y] <= LONGEST) {
                best = p->count[(size_t)x * SYMBOLS + y];
                *a = x;
                *b = y;
            }
    return best > 1 ? best : 0;
}

static void join(pairs *p, unsigned a, unsigned b, unsigned to)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++, n++) {
        bool both = p->symbols[i] == a && i + 1 < p->n && p->symbols[i + 1] == b;
        p->symbols[n] = both ? (uint16_t)to : p->symbols[i];
        p->weight[n] = p->weight[i];
        i += both;
    }
    p->n = n;
    memcpy(p->text[to], p->text[a], p->len[a]);
    memcpy(p->text[to] + p->len[a], p->text[b], p->len[b]);
    p->len[to] = (uint8_t)(p->len[a] + p->len[b]);
}

/* ---- output ---- */

/* The at-th string, four on a line. */
static void print_string(const uint8_t *s, size_t len, size_t at)
{
    printf("%s{%zu, \"", at % 4 ? " " : "    ", len);
    for (size_t i = 0; i < len; i++)
        if (s[i] > 32 && s[i] < 127 && s[i] != '"' && s[i] != '\\' && s[i] != '?')
            printf("%c", s[i]);
        else
            printf("\\%03o", s[i]);
    printf("\"},%s", at % 4 == 3 ? "\n" : "");
}

static void print_strings(learner *l, unsigned n)
{
    static pairs p;
    unsigned a = 0, b = 0, at = 256;
    size_t printed = 0;

    fill_pairs(&p, l);
    printf("enum { WSPI_LEARNED_LONGEST = %d };\n\n", LONGEST);
    printf("static const struct {\n    uint8_t len;\n    const char *s;\n} learned_text[] = {\n");
    for (; at < 256 + n && best_pair(&p, at, &a, &b); at++) {
        bool known = false;
        join(&p, a, b, at);
        for (unsigned k = 256; k < at && !known; k++)
            known = p.len[k] == p.len[at] && memcmp(p.text[k], p.text[at], p.len[k]) == 0;
        if (!known) /* two ways to one string */
            print_string(p.text[at], p.len[at], printed++);
    }
    printf("%s};\n\n", printed % 4 ? "\n" : "");
}

static int by_count(const void *a, const void *b)
{
    const stack_count *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1)
                                : memcmp(&x->stack, &y->stack, sizeof x->stack);
}

static void print_stacks(learner *l, size_t n)
{
    if (l->n_stacks)
        qsort(l->stacks, l->n_stacks, sizeof *l->stacks, by_count);
    printf("/* Ids of layers, most frequent first. */\nstatic const wspi_stack learned_stacks[] = "
           "{\n");
    for (size_t i = 0; i < n && i < l->n_stacks; i++) {
        printf("    {%d, {%s", l->stacks[i].stack.n, l->stacks[i].stack.n ? "" : "0");
        for (size_t k = 0; k < l->stacks[i].stack.n; k++)
            printf("%s%d", k ? ", " : "", l->stacks[i].stack.id[k]);
        printf("}}, /*");
        for (size_t k = 0; k < l->stacks[i].stack.n; k++)
            printf(" %s", wspi_protos[l->stacks[i].stack.id[k]]->name);
        printf(" */\n");
    }
    printf("};\n");
}

int main(int argc, char **argv)
{
    learner l = {.runs = calloc(SLOTS, sizeof(run))};
    wsp_input_options opt = wsp_input_options_default();
    wsp_capture_info info;
    wsp_split part;
    wsp_input *in;
    wsp_error err;

    if (argc < 4)
        die("usage: learn STACKS STRINGS CAPTURE...");
    (void)wsp_vocab_size();
    opt.skip_bad = true;
    wspi_buf_init(&l.pool, UINT32_MAX);
    if (!l.runs ||
        wsp_input_new(&in, (const char *const *)(argv + 3), (size_t)argc - 3, &opt, &err) < 0)
        die("the captures cannot be read");
    while (wsp_input_open_next(in, &info, &err) == WSP_OK)
        if (wsp_split_of(info.name, 1, 0.1, 0.25, &part) == WSP_OK && part == WSP_SPLIT_TRAIN)
            read_capture(&l, in, info.linktype);
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n"
           "/*\n * learned.h: made by contrib/learn.c (`make learned CORPUS=DIR`); do not edit. "
           "From the training part, seed 1, of\n"
           " * %u captures: %zu different texts, %zu different stacks.\n */\n"
           "#ifndef WSPI_LEARNED_H\n#define WSPI_LEARNED_H\n\n#include \"token/token_int.h\"\n\n"
           "/* clang-format off */\n",
           l.capture, l.n_runs, l.n_stacks);
    print_strings(&l, (unsigned)WSPI_MIN(strtoul(argv[2], NULL, 10), SYMBOLS - 256u));
    print_stacks(&l, strtoul(argv[1], NULL, 10));
    printf("/* clang-format on */\n\n#endif\n");
    wsp_input_free(in);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen.c: which flows a model was trained on, without keeping them: the smallest hashes of what it saw of them (bottom-k, Cohen and
 * Kaplan, 2007). Flows of another set whose hashes are as small were trained on if they are among these: a fair sample of the set.
 */
#include <stdio.h>

#include "task/task_int.h"

enum { MOST = 1024, DIGITS = 8 };

#define META_KEY "seen"

/* Hashes up to `limit` are all there, in rising order, each once. */
typedef struct sketch {
    uint32_t limit;
    size_t n;
    uint32_t *hash;
} sketch;

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Of the flow's packets, as the model reads them. FNV-1a mixes its last bytes badly; the seeded generator spreads them. */
static uint32_t hash_of(const wspi_view *v, size_t flow)
{
    uint64_t from = v->flow_off[flow], to = WSPI_MIN(v->flow_off[flow + 1], from + WSP_MAX_READ);
    uint64_t h = WSPI_FNV_START;
    wspi_rng rng;

    for (uint64_t p = from; p < to; p++) {
        uint64_t n = v->packet_off[p + 1] - v->packet_off[p];
        h = wspi_fnv1a(&n, sizeof n, h);
        h = wspi_fnv1a(v->ids + v->packet_off[p], (size_t)n * sizeof *v->ids, h);
    }
    wspi_rng_seed(&rng, h);
    return (uint32_t)(wspi_rng_u64(&rng) >> 32);
}

/* Sorts, and leaves each hash up to the limit once, MOST of them at most; the limit is lowered to what is left. */
static void shrink(sketch *s)
{
    size_t n = 0;

    qsort(s->hash, s->n, sizeof *s->hash, by_number);
    for (size_t i = 0; i < s->n && s->hash[i] <= s->limit && n < MOST; i++)
        if (n == 0 || s->hash[i] != s->hash[n - 1])
            s->hash[n++] = s->hash[i];
    if (n == MOST)
        s->limit = s->hash[n - 1];
    s->n = n;
}

static bool read_number(const char *text, uint32_t *v)
{
    *v = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *v = *v << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

/* What the model keeps; s->hash has room for `more` others. n = 0 and no limit: it does not say. */
static wsp_status load(sketch *s, const wsp_model *m, size_t more, bool *says, wsp_error *err)
{
    const char *text = m ? wsp_model_meta_get(m, META_KEY) : NULL;
    size_t n = text ? strlen(text) / DIGITS : 0;
    bool right = !text || (n >= 1 && n <= MOST + 1 && strlen(text) % DIGITS == 0);

    *s = (sketch){.limit = UINT32_MAX, .hash = wspi_new_array(n + more + 1, sizeof *s->hash)};
    *says = text != NULL;
    if (!s->hash)
        return wspi_nomem(err, "hashes of flows", n + more);
    right = right && (!text || read_number(text, &s->limit));
    for (size_t i = 1; right && i < n; i++)
        right = read_number(text + i * DIGITS, &s->hash[s->n++]) && s->hash[i - 1] <= s->limit &&
                (i < 2 || s->hash[i - 2] < s->hash[i - 1]);
    if (right)
        return WSP_OK;
    free(s->hash);
    return wspi_fail(err, WSP_ERR_FORMAT, 0,
                     "the model's list of flows that it has seen is damaged");
}

static wsp_status store(const sketch *s, wsp_model *m)
{
    char *text = wspi_new_array(DIGITS * (s->n + 1) + 1, 1);
    wsp_status st = text ? WSP_OK : WSP_ERR_NOMEM;

    if (text)
        (void)snprintf(text, DIGITS + 1, "%08x", s->limit);
    for (size_t i = 0; text && i < s->n; i++)
        (void)snprintf(text + DIGITS * (i + 1), DIGITS + 1, "%08x", s->hash[i]);
    if (text)
        st = wsp_model_meta_set(m, META_KEY, text);
    free(text);
    return st;
}

static bool has_label(const wsp_tokens *t, size_t flow)
{
    for (size_t h = 0; h < t->n_heads; h++)
        if (t->labels[h][flow] >= 0)
            return true;
    return false;
}

wsp_status wspi_seen_learn(wsp_model *m, const wsp_model *before, const wspi_view *v,
                           const wsp_tokens *t, bool labelled_only, wsp_error *err)
{
    sketch s;
    bool says;

    WSP_TRY(load(&s, before, v->n_flows, &says, err));
    for (size_t f = 0; f < v->n_flows; f++)
        if (!labelled_only || has_label(t, f))
            s.hash[s.n++] = hash_of(v, f);
    shrink(&s);
    if (store(&s, m) < 0) {
        free(s.hash);
        return wspi_nomem(err, "hashes of flows", s.n);
    }
    free(s.hash);
    return WSP_OK;
}

wsp_status wsp_seen_of(const wsp_model *m, const wsp_tokens *t, wsp_seen *out, wsp_error *err)
{
    const wsp_view_options opt = wsp_view_options_of(m);
    wspi_view v;
    sketch s;
    bool says;
    wsp_status st;

    *out = (wsp_seen){.flows = 0};
    WSP_TRY(wspi_vocab_check(m, err));
    WSP_TRY(load(&s, m, 0, &says, err));
    if (!says) {
        free(s.hash);
        return WSP_OK;
    }
    st = wspi_view_make(&v, t, &opt, wsp_model_config_get(m)->max_tokens, false, err);
    for (size_t f = 0; st == WSP_OK && f < v.n_flows; f++) {
        uint32_t h = hash_of(&v, f);
        out->flows += h <= s.limit;
        out->seen += h <= s.limit && bsearch(&h, s.hash, s.n, sizeof h, by_number);
    }
    if (st == WSP_OK)
        wspi_view_clear(&v);
    free(s.hash);
    return st;
}

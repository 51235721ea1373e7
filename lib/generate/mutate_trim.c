/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate_trim.c: an input made smaller, as delta debugging does (Zeller and Hildebrandt, 2002): first half of its packets are
 * taken out, then quarters, ..., then single ones; then the parts of each packet's payload likewise. Each time somebody else says
 * whether what is left still shows what it is to show. Lengths and checksums follow, so that a parser does not give up earlier.
 */
#include "generate/mutate_int.h"

enum { LONG_PART = 8, PIECES = 16 }; /* a part of more bytes is taken out in so many pieces */

/* Where parts of the draft's payload begin, and its end: at most WSPI_DRAFT_MAX + 1, in order. How many. */
static size_t cuts_of(const wspi_draft *d, uint8_t *is, uint32_t *cut)
{
    uint32_t len = (uint32_t)d->payload.len, last = 0;
    size_t n = 0;

    memset(is, 0, (size_t)len + 1);
    for (size_t i = 0; i < d->spans.n; i++) {
        const wspi_span *s = &d->spans.v[i];
        is[WSPI_MIN(s->at, len)] = 1;
        is[WSPI_MIN(s->at + s->len, len)] = 1;
    }
    is[0] = is[len] = 1;
    for (uint32_t i = 1; i <= len; i++) {
        if (is[i] && i - last > LONG_PART)
            for (uint32_t k = 1; k < PIECES; k++)
                is[last + (uint64_t)(i - last) * k / PIECES] = 1;
        if (is[i])
            last = i;
    }
    for (uint32_t i = 0; i <= len; i++)
        if (is[i])
            cut[n++] = i;
    return n;
}

/* The next chunk: behind this one, or the first one of half the size. false: there are no smaller ones. */
static bool next_chunk(wspi_trim *t, size_t n)
{
    if (t->at < n && t->chunk <= n)
        return true;
    t->chunk = WSPI_MIN(t->chunk / 2, n);
    t->at = 0;
    return t->chunk > 0;
}

/* m->in without some packets. false: as few as there can be. */
static bool fewer_packets(wsp_mutator *m)
{
    wspi_trim *t = &m->trim;

    if (m->in.n < 2 || !next_chunk(t, m->in.n))
        return false;
    for (size_t i = 0; i < t->chunk && t->at < m->in.n && m->in.n > 1; i++)
        wspi_input_remove(&m->in, t->at);
    return true;
}

/* m->in with a shorter payload in packet k. false: it has no parts that were not tried. */
static bool fewer_parts(wsp_mutator *m)
{
    wspi_trim *t = &m->trim;
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    uint8_t *is = NULL;
    uint32_t *cut = NULL;
    size_t n, parts;
    bool ok = false;
    int dir;

    if (!wspi_mutator_open(m, t->k, ids, &n, &dir) || m->draft.payload.len == 0 || m->draft.cut)
        return false;
    is = wspi_new_array(m->draft.payload.len + 1, 1);
    cut = wspi_new_array(m->draft.payload.len + 1, sizeof *cut);
    if (is && cut) {
        parts = cuts_of(&m->draft, is, cut) - 1;
        if (t->chunk == SIZE_MAX)
            t->chunk = parts / 2 + 1;
        ok = next_chunk(t, parts) &&
             wspi_draft_replace(&m->draft, cut[t->at], cut[WSPI_MIN(t->at + t->chunk, parts)], NULL,
                                0);
        if (ok)
            wspi_mutator_close(m, t->k);
    }
    free(is);
    free(cut);
    return ok;
}

static void next_packet(wspi_trim *t)
{
    t->k = t->packets ? 0 : t->k + 1;
    t->packets = false;
    t->chunk = SIZE_MAX; /* not known yet */
    t->at = 0;
}

/* Makes the next smaller input in m->out. false: there is none. */
static bool make_next(wsp_mutator *m)
{
    const wsp_mutator_options *o = &m->opt;
    wspi_trim *t = &m->trim;

    while (t->steps < t->most &&
           wspi_input_read(&m->in, o->form, o->port, o->stream, t->best.data, t->best.len) &&
           (t->packets || t->k < m->in.n)) {
        bool ok = t->packets ? fewer_packets(m) : fewer_parts(m);

        if (!ok) {
            next_packet(t);
            continue;
        }
        if (wspi_input_write(&m->in, SIZE_MAX, &m->out) < 0)
            return false;
        if (m->out.len > 0 && m->out.len < t->best.len)
            return true;
        t->at += t->chunk;
    }
    return false;
}

wsp_status wsp_mutator_trim(wsp_mutator *m, const uint8_t *in, size_t len, size_t most,
                            size_t *steps)
{
    wspi_trim *t = &m->trim;
    wspi_buf best = t->best;

    *steps = 0;
    *t = (wspi_trim){.best = best, .packets = true, .most = most};
    t->best.len = 0;
    WSP_TRY(wspi_buf_add(&t->best, in, len));
    if (wspi_input_read(&m->in, m->opt.form, m->opt.port, m->opt.stream, in, len))
        t->chunk = (m->in.n + 1) / 2;
    if (!make_next(m))
        t->most = 0;
    *steps = t->most;
    return WSP_OK;
}

void wsp_mutator_trim_next(const wsp_mutator *m, const uint8_t **out, size_t *out_len)
{
    *out = m->out.data;
    *out_len = m->out.len;
}

size_t wsp_mutator_trim_told(wsp_mutator *m, bool kept)
{
    wspi_trim *t = &m->trim;

    t->steps++;
    t->best.len = kept ? 0 : t->best.len;
    if (kept && wspi_buf_add(&t->best, m->out.data, m->out.len) < 0)
        t->steps = t->most;
    t->at += kept ? 0 : t->chunk;
    if (!make_next(m))
        t->steps = t->most;
    return t->steps;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* unseen.c: tokens that have been seen. Text is left out: generated text is random. */
#include "unseen.h"

#include <stdlib.h>
#include <string.h>

#include "wirespeak/token.h"

struct unseen {
    int linktype;
    wsp_packet *packet;
    wsp_residual *resid;
    uint8_t *seen, *is_text, *here; /* by token; here: of the unit at hand, zeros between them */
};

wsp_status unseen_new(unseen **out, int linktype)
{
    unseen *v = calloc(1, sizeof *v);
    char name[128];

    *out = v;
    if (!v)
        return WSP_ERR_NOMEM;
    v->linktype = linktype;
    v->seen = calloc(wsp_vocab_size(), 1);
    v->is_text = calloc(wsp_vocab_size(), 1);
    v->here = calloc(wsp_vocab_size(), 1);
    for (uint32_t i = 0; v->is_text && i < wsp_vocab_size(); i++)
        v->is_text[i] = strncmp(wsp_vocab_name((uint16_t)i, name, sizeof name), "text", 4) == 0;
    if (v->seen && v->is_text && v->here && wsp_packet_new(&v->packet) == WSP_OK &&
        wsp_residual_new(&v->resid) == WSP_OK)
        return WSP_OK;
    unseen_free(v);
    *out = NULL;
    return WSP_ERR_NOMEM;
}

void unseen_free(unseen *v)
{
    if (!v)
        return;
    wsp_packet_free(v->packet);
    wsp_residual_free(v->resid);
    free(v->seen);
    free(v->is_text);
    free(v->here);
    free(v);
}

static bool room(unseen_unit *u, size_t more)
{
    size_t cap = u->cap ? u->cap : 64;
    uint16_t *p;

    if (u->n + more <= u->cap)
        return true;
    while (cap < u->n + more)
        cap *= 2;
    p = realloc(u->ids, cap * sizeof *p);
    if (!p)
        return false;
    u->ids = p;
    u->cap = cap;
    return true;
}

wsp_status unseen_add(unseen *v, unseen_unit *u, const wsp_frame *frame, int dir)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n = 0;

    if (!u->context) {
        u->context = calloc(1, wsp_context_size());
        if (!u->context)
            return WSP_ERR_NOMEM;
        wsp_context_init(u->context, v->linktype);
    }
    wsp_packet_dissect(v->packet, v->linktype, frame);
    wsp_residual_reset(v->resid);
    if (wsp_encode_packet(u->context, v->packet, dir, u->packets++, ids, &n, v->resid) < 0 ||
        !room(u, n))
        return WSP_ERR_NOMEM;
    memcpy(u->ids + u->n, ids, n * sizeof *ids);
    u->n += n;
    return WSP_OK;
}

/* The codec's context goes, and so does every token that is text or was there before. */
static void settle(const unseen *v, unseen_unit *u)
{
    size_t n = 0;

    free(u->context);
    u->context = NULL;
    for (size_t i = 0; i < u->n; i++) {
        uint16_t id = u->ids[i];
        if (v->is_text[id] || v->here[id])
            continue;
        v->here[id] = 1;
        u->ids[n++] = id;
    }
    u->n = n;
    for (size_t i = 0; i < n; i++)
        v->here[u->ids[i]] = 0;
}

bool unseen_take(unseen *v, unseen_unit *u)
{
    bool is_new = false;

    settle(v, u);
    for (size_t i = 0; i < u->n; i++) {
        is_new = is_new || !v->seen[u->ids[i]];
        v->seen[u->ids[i]] = 1;
    }
    if (!is_new)
        unseen_unit_clear(u);
    return is_new;
}

static size_t count_unseen(const unseen_unit *u, const uint8_t *seen)
{
    size_t n = 0;

    for (size_t i = 0; i < u->n; i++)
        n += !seen[u->ids[i]];
    return n;
}

size_t unseen_best(const unseen_unit *const *unit, size_t n, uint8_t *seen)
{
    size_t best = SIZE_MAX, most = 0;

    for (size_t i = 0; i < n; i++) {
        size_t adds = count_unseen(unit[i], seen);
        if (adds > most) {
            most = adds;
            best = i;
        }
    }
    for (size_t i = 0; best != SIZE_MAX && i < unit[best]->n; i++)
        seen[unit[best]->ids[i]] = 1;
    return best;
}

void unseen_unit_clear(unseen_unit *u)
{
    free(u->context);
    free(u->ids);
    *u = (unseen_unit){.n = 0};
}

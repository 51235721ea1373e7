/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unseen.c: tokens and pairs of them that have been seen, as features: a token's own number, or one behind all of these that a
 * pair is hashed to. Text is left out: generated text is random.
 */
#include "unseen.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "wirespeak/token.h"

struct unseen {
    int linktype;
    wsp_packet *packet;
    wsp_residual *resid;
    uint8_t *is_text;     /* by token */
    uint8_t *seen, *here; /* by feature; here: of the unit at hand, zeros between them */
};

enum { PAIR_BITS = 20, PAIRS = 1 << PAIR_BITS, TOKEN_WEIGHT = 16 };

size_t unseen_features(void)
{
    return wsp_vocab_size() + (size_t)PAIRS;
}

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static uint32_t pair_of(uint16_t before, uint16_t id)
{
    uint32_t both = (uint32_t)before << 16 | id;

    return wsp_vocab_size() + (both * 2654435769u >> (32 - PAIR_BITS));
}

wsp_status unseen_new(unseen **out, int linktype)
{
    unseen *v = calloc(1, sizeof *v);
    char name[128];

    *out = v;
    if (!v)
        return WSP_ERR_NOMEM;
    v->linktype = linktype;
    v->seen = calloc(unseen_features(), 1);
    v->is_text = calloc(wsp_vocab_size(), 1);
    v->here = calloc(unseen_features(), 1);
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

static bool keep(unseen_unit *u, uint32_t feature)
{
    if (cli_grow(&u->features, &u->cap, u->n + 1, sizeof *u->features) < 0)
        return false;
    u->features[u->n++] = feature;
    return true;
}

/* The packet's tokens, and every pair of neighbours, text left out. */
static bool keep_all(const unseen *v, unseen_unit *u, const uint16_t *ids, size_t n)
{
    const uint16_t *before = NULL;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        if (v->is_text[ids[i]])
            continue;
        ok = keep(u, ids[i]) && (!before || keep(u, pair_of(*before, ids[i])));
        before = &ids[i];
    }
    return ok;
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
        !keep_all(v, u, ids, n))
        return WSP_ERR_NOMEM;
    return WSP_OK;
}

/* The codec's context goes, and so does every feature that was there before. */
static void settle(const unseen *v, unseen_unit *u)
{
    size_t n = 0;

    free(u->context);
    u->context = NULL;
    for (size_t i = 0; i < u->n; i++) {
        uint32_t feature = u->features[i];
        if (v->here[feature])
            continue;
        v->here[feature] = 1;
        u->features[n++] = feature;
    }
    u->n = n;
    for (size_t i = 0; i < n; i++)
        v->here[u->features[i]] = 0;
}

bool unseen_take(unseen *v, unseen_unit *u, bool pairs)
{
    const uint32_t end = pairs ? (uint32_t)unseen_features() : wsp_vocab_size();
    bool is_new = false;

    settle(v, u);
    for (size_t i = 0; i < u->n; i++) {
        uint32_t feature = u->features[i];
        is_new = is_new || (feature < end && !v->seen[feature]);
        v->seen[feature] = 1;
    }
    if (!is_new)
        unseen_unit_clear(u);
    return is_new;
}

/* How much a unit adds. Tokens weigh more: pairs alone would give most files to the protocols that have most to say. */
static size_t count_unseen(const unseen_unit *u, const uint8_t *seen)
{
    const uint32_t tokens = wsp_vocab_size();
    size_t n = 0;

    for (size_t i = 0; i < u->n; i++)
        if (!seen[u->features[i]])
            n += u->features[i] < tokens ? TOKEN_WEIGHT : 1;
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
        seen[unit[best]->features[i]] = 1;
    return best;
}

void unseen_unit_clear(unseen_unit *u)
{
    free(u->context);
    free(u->features);
    *u = (unseen_unit){.n = 0};
}

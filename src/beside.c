/* SPDX-License-Identifier: Apache-2.0 */
/* beside.c: nDPI beside the model. */
#include "beside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { REPORTED = 5 }; /* pairs of labels that are told */

typedef struct beside_pair {
    const char *ours, *theirs;
    bool same; /* they mean the same, in whatever words */
    uint64_t flows;
} beside_pair;

/* ---- flows ---- */

static void free_flows(beside *b)
{
    for (size_t i = 0; i < b->cap; i++)
        wsp_labeller_flow_free(b->flow[i]);
    free(b->flow);
    b->flow = NULL;
    b->cap = 0;
}

wsp_status beside_capture(beside *b, wsp_error *err)
{
    free_flows(b);
    wsp_labeller_free(b->labeller);
    b->labeller = NULL;
    return wsp_labeller_new(&b->labeller, NULL, err);
}

static bool make_room(beside *b, uint64_t id)
{
    size_t before = b->cap;

    if (cli_grow(&b->flow, &b->cap, (size_t)id + 1, sizeof *b->flow) < 0)
        return false;
    memset(b->flow + before, 0, (b->cap - before) * sizeof *b->flow);
    return true;
}

wsp_status beside_packet(beside *b, const wsp_flow *flow, const wsp_packet *p, uint64_t time_ns)
{
    const uint8_t *ip;
    size_t len;
    wsp_status st;

    if (!wsp_packet_ip(p, &ip, &len))
        return WSP_OK;
    if (!make_room(b, flow->id))
        return WSP_ERR_NOMEM;
    if (!b->flow[flow->id]) {
        st = wsp_labeller_flow_new(b->labeller, &b->flow[flow->id]);
        if (st < 0)
            return st;
    }
    st = wsp_labeller_push(b->flow[flow->id], ip, len, time_ns);
    return st < 0 ? st : WSP_OK;
}

/* The string, kept for good: nDPI's own may go with the capture. NULL: no memory. */
static const char *keep(beside *b, const char *s)
{
    for (size_t i = 0; i < b->n_words; i++)
        if (strcmp(b->word[i], s) == 0)
            return b->word[i];
    if (cli_grow(&b->word, &b->cap_words, b->n_words + 1, sizeof *b->word) < 0)
        return NULL;
    b->word[b->n_words] = strdup(s);
    return b->word[b->n_words] ? b->word[b->n_words++] : NULL;
}

wsp_status beside_end(beside *b, const wsp_flow *flow, beside_word *out)
{
    wsp_labeller_flow *f = flow->id < b->cap ? b->flow[flow->id] : NULL;
    wsp_verdict v;

    *out = (beside_word){.protocol = NULL};
    if (!f)
        return WSP_OK;
    wsp_labeller_verdict(f, &v);
    *out = (beside_word){.protocol = keep(b, v.protocol),
                         .service = keep(b, v.service),
                         .master = keep(b, v.master),
                         .app = keep(b, v.app),
                         .category = keep(b, v.category),
                         .source = wsp_label_source_name(v.source),
                         .packets = v.packets};
    wsp_labeller_flow_free(f);
    b->flow[flow->id] = NULL;
    return out->protocol && out->service && out->master && out->app && out->category
               ? WSP_OK
               : WSP_ERR_NOMEM;
}

void beside_clear(beside *b)
{
    free_flows(b);
    wsp_labeller_free(b->labeller);
    for (size_t i = 0; i < b->n_words; i++)
        free(b->word[i]);
    free(b->word);
    free(b->pair);
    *b = (beside){.cap = 0};
}

void beside_put(linebuf *l, const beside_word *w)
{
    const struct {
        const char *name, *word;
    } members[] = {{",\"protocol\":", w->protocol}, {",\"service\":", w->service},
                   {",\"master\":", w->master},     {",\"app\":", w->app},
                   {",\"category\":", w->category}, {",\"source\":", w->source}};

    LINE(l, ",\"ndpi\":{\"version\":");
    line_text(l, wsp_labeller_version());
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        line_raw(l, members[i].name, strlen(members[i].name));
        line_text(l, members[i].word);
    }
    LINE(l, ",\"packets\":");
    line_number(l, w->packets);
    LINE(l, "}");
}

/* ---- comparison ---- */

wsp_status beside_compare(beside *b, const char *ours, const beside_word *w)
{
    const wsp_verdict said = {
        .protocol = w->protocol, .service = w->service, .master = w->master, .app = w->app};
    const char *theirs = w->protocol ? w->protocol : "unknown";
    bool same = w->protocol && wsp_verdict_is(&said, ours);

    for (size_t i = 0; i < b->n_pairs; i++) {
        beside_pair *p = &b->pair[i];
        if (p->same == same && strcmp(p->ours, ours) == 0 && strcmp(p->theirs, theirs) == 0) {
            p->flows++;
            return WSP_OK;
        }
    }
    if (cli_grow(&b->pair, &b->cap_pairs, b->n_pairs + 1, sizeof *b->pair) < 0)
        return WSP_ERR_NOMEM;
    b->pair[b->n_pairs++] = (beside_pair){.ours = ours, .theirs = theirs, .same = same, .flows = 1};
    return WSP_OK;
}

static int by_flows(const void *pa, const void *pb)
{
    const beside_pair *a = pa, *b = pb;

    return a->flows != b->flows ? (a->flows < b->flows ? 1 : -1) : strcmp(a->ours, b->ours);
}

typedef struct counts {
    uint64_t same, other, only_ours, only_theirs, neither;
} counts;

static bool named(const char *label)
{
    return strcmp(label, "unknown") != 0;
}

static counts count(const beside *b)
{
    counts c = {.same = 0};

    if (b->n_pairs)
        qsort(b->pair, b->n_pairs, sizeof *b->pair, by_flows);
    for (size_t i = 0; i < b->n_pairs; i++) {
        const beside_pair *p = &b->pair[i];
        uint64_t *n = !named(p->ours) && !named(p->theirs) ? &c.neither
                      : !named(p->ours)                    ? &c.only_theirs
                      : !named(p->theirs)                  ? &c.only_ours
                      : p->same                            ? &c.same
                                                           : &c.other;
        *n += p->flows;
    }
    return c;
}

static bool disagree(const beside_pair *p)
{
    return named(p->ours) && named(p->theirs) && !p->same;
}

void beside_report(const beside *b, const char *head)
{
    counts c = count(b);
    uint64_t both = c.same + c.other;

    cli_note("nDPI %s and head %s: both name %" PRIu64 " flows and disagree on %" PRIu64
             " (%.1f%%); only nDPI names %" PRIu64 ", only the model %" PRIu64 ", neither %" PRIu64,
             wsp_labeller_version(), head, both, c.other,
             both ? 100 * (double)c.other / (double)both : 0.0, c.only_theirs, c.only_ours,
             c.neither);
    for (size_t i = 0, told = 0; i < b->n_pairs && told < REPORTED; i++)
        if (disagree(&b->pair[i])) {
            cli_note("  %" PRIu64 " flows: %s here, %s by nDPI", b->pair[i].flows, b->pair[i].ours,
                     b->pair[i].theirs);
            told++;
        }
}

json_t *beside_summary(const beside *b, const char *head)
{
    counts c = count(b);
    json_t *pairs = json_array();

    for (size_t i = 0; i < b->n_pairs; i++)
        if (disagree(&b->pair[i]) &&
            json_array_append_new(pairs, json_pack("{s:s, s:s, s:I}", "label", b->pair[i].ours,
                                                   "ndpi", b->pair[i].theirs, "flows",
                                                   (json_int_t)b->pair[i].flows)) < 0) {
            json_decref(pairs);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "head", head, "ndpi",
                     wsp_labeller_version(), "agree", (json_int_t)c.same, "disagree",
                     (json_int_t)c.other, "only_ndpi", (json_int_t)c.only_theirs, "only_model",
                     (json_int_t)c.only_ours, "neither", (json_int_t)c.neither, "pairs", pairs);
}

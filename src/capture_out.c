/* SPDX-License-Identifier: Apache-2.0 */
/* capture_out.c: flows vote for their capture, and a capture is printed when it has ended. */
#include "capture_out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "eve.h"

/* ---- votes ---- */

static void votes_clear(capture_votes *v, const flow_out *o)
{
    for (size_t k = 0; v->head && k < o->q->n; k++)
        wsp_poll_clear(&v->head[k]);
    free(v->head);
    free(v->name);
    free(v->given);
}

int capture_out_begin(capture_out *c, const flow_out *o, const char *name)
{
    capture_votes v = {.given = strdup(name),
                       .name = eve_name(name, o->format != OUT_TABLE),
                       .more = !c->hosts && c->n && strcmp(c->open[c->n - 1].given, name) == 0,
                       .head = calloc(o->q->n + 1, sizeof *v.head)};

    if (!v.given || !v.name || !v.head ||
        cli_grow(&c->open, &c->cap, c->n + 1, sizeof *c->open) < 0) {
        votes_clear(&v, o);
        return cli_fail("no memory for a capture");
    }
    c->open[c->n++] = v;
    return CLI_OK;
}

/* The capture at `i`, or the one that it is more of: it is open, too. */
static size_t row_of(const capture_out *c, size_t i)
{
    while (i > 0 && c->open[i].more)
        i--;
    return i;
}

int capture_out_flow(capture_out *c, const flow_out *o, const flow_record *r, size_t capture)
{
    capture_votes *v = &c->open[row_of(c, capture - c->first)];

    for (size_t k = 0; k < o->q->n; k++) {
        size_t head = o->q->head[k], L = wsp_model_head(o->q->m, head)->n_labels;
        if (wsp_poll_add(&v->head[k], r->a->prob[head] + r->at * L, L,
                         r->a->outside[r->at] >> head & 1) < 0)
            return cli_fail("no memory for the votes of %zu labels", L);
    }
    v->flows++;
    v->packets += r->flow->packets[0] + r->flow->packets[1];
    v->bytes += r->flow->bytes[0] + r->flow->bytes[1];
    return CLI_OK;
}

/* What one head says of a capture. */
typedef struct counted {
    verdict v;
    size_t votes, agree; /* agree: flows among the votes whose own answer is the likeliest label */
    ranked *top;         /* [n_top] */
    size_t n_top;
} counted;

/* A capture without flows is unknown, and has no likeliest label. */
static int count(const flow_out *o, const capture_votes *c, size_t k, counted *out)
{
    const wsp_head *h = wsp_model_head(o->q->m, o->q->head[k]);
    const wsp_poll *p = &c->head[k];
    float *prob = calloc(h->n_labels + 1, sizeof *prob);

    *out = (counted){.v = {.head = h->name, .label = "unknown"},
                     .votes = p->votes,
                     .top = calloc(o->top, sizeof *out->top)};
    if (!prob || !out->top) {
        free(prob);
        return cli_fail("no memory for %zu labels", h->n_labels);
    }
    if (p->flows) {
        wsp_poll_answer(p, prob);
        out->v = verdict_of(o->q, o->q->head[k], prob, p->votes == 0);
        out->n_top = verdict_top(o->q, o->q->head[k], prob, o->top, out->top);
        for (size_t l = 0; p->votes && l < h->n_labels; l++)
            if (h->labels[l] == out->top[0].label)
                out->agree = p->said[l];
    }
    free(prob);
    return CLI_OK;
}

/* The name of the name, in JSON and CSV. */
static const char *name_of(const capture_out *c)
{
    return c->hosts ? "host" : "pcap_filename";
}

/* ---- table ---- */

static void table_title(const capture_out *c, const flow_out *o, FILE *to)
{
    flow_out_table_heads(o, to, "    AGREE ");
    (void)fprintf(to, "%6s  %s\n", "FLOWS", c->hosts ? "HOST" : "CAPTURE");
}

static void table_row(const flow_out *o, const capture_votes *c, const counted *heads, FILE *to)
{
    for (size_t k = 0; k < o->q->n; k++) {
        char agree[48];

        (void)snprintf(agree, sizeof agree, "%zu/%zu", heads[k].agree, heads[k].votes);
        (void)fprintf(to, "%-*s %5.1f%% %9s ", columns_pad(heads[k].v.label, 20), heads[k].v.label,
                      100 * heads[k].v.confidence, agree);
    }
    (void)fprintf(to, "%6" PRIu64 "  %s\n", c->flows, c->name);
    for (size_t k = 0; o->top > 1 && k < o->q->n; k++) {
        (void)fprintf(to, "    %s:", heads[k].v.head);
        for (size_t i = 0; i < heads[k].n_top; i++)
            (void)fprintf(to, "%s %s %.1f%%", i ? "," : "", heads[k].top[i].label,
                          100 * heads[k].top[i].confidence);
        (void)fputc('\n', to);
    }
}

/* ---- CSV ---- */

/* rank 0: of the answer itself. */
static void csv_name(FILE *to, const char *head, size_t rank, const char *member)
{
    char name[96];

    if (rank)
        (void)snprintf(name, sizeof name, "%s_%zu%s", head, rank, member);
    else
        (void)snprintf(name, sizeof name, "%s%s", head, member);
    (void)fputc(',', to);
    flow_out_csv_text(to, name);
}

static void csv_title(const capture_out *c, const flow_out *o, FILE *to)
{
    static const char *const members[] = {"", "_confidence", "_outside", "_votes", "_agree"};

    (void)fprintf(to, "%s,flows,packets,bytes", name_of(c));
    for (size_t k = 0; k < o->q->n; k++) {
        const char *head = wsp_model_head(o->q->m, o->q->head[k])->name;

        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            csv_name(to, head, 0, members[i]);
        for (size_t rank = 1; o->top > 1 && rank <= o->top; rank++) {
            csv_name(to, head, rank, "");
            csv_name(to, head, rank, "_confidence");
        }
    }
    (void)fputs("\r\n", to);
}

static void csv_row(const flow_out *o, const capture_votes *c, const counted *heads, FILE *to)
{
    flow_out_csv_text(to, c->name);
    (void)fprintf(to, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, c->flows, c->packets, c->bytes);
    for (size_t k = 0; k < o->q->n; k++) {
        const counted *h = &heads[k];

        (void)fputc(',', to);
        flow_out_csv_text(to, h->v.label);
        (void)fprintf(to, ",%.6g,%s,%zu,%zu", h->v.confidence, h->v.outside ? "1" : "", h->votes,
                      h->agree);
        for (size_t i = 0; o->top > 1 && i < o->top; i++) {
            (void)fputc(',', to);
            if (i < h->n_top)
                flow_out_csv_text(to, h->top[i].label);
            (void)fputc(',', to);
            if (i < h->n_top)
                (void)fprintf(to, "%.6g", h->top[i].confidence);
        }
    }
    (void)fputs("\r\n", to);
}

/* ---- JSON ---- */

static json_t *top_json(const counted *h)
{
    json_t *top = json_array();
    bool good = top != NULL;

    for (size_t i = 0; good && i < h->n_top; i++)
        good = json_array_append_new(top, json_pack("{s:s, s:f}", "label", h->top[i].label,
                                                    "confidence", h->top[i].confidence)) == 0;
    if (good)
        return top;
    json_decref(top);
    return NULL;
}

/* NULL: no memory, also below. A value that could not be made is NULL, which the setters refuse. */
static json_t *head_json(const flow_out *o, const counted *h)
{
    json_t *object =
        json_pack("{s:s, s:f, s:I, s:I}", "label", h->v.label, "confidence", h->v.confidence,
                  "votes", (json_int_t)h->votes, "agree", (json_int_t)h->agree);
    bool good = object != NULL;

    if (good && h->v.outside)
        good = json_object_set_new(object, "outside", json_true()) == 0;
    if (good && o->top > 1)
        good = json_object_set_new(object, "top", top_json(h)) == 0;
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *record(const flow_out *o, const char *name, const capture_votes *c,
                      const counted *heads)
{
    json_t *of = json_object();
    bool good = of != NULL;

    for (size_t k = 0; good && k < o->q->n; k++)
        good = json_object_set_new(of, heads[k].v.head, head_json(o, &heads[k])) == 0;
    if (!good) {
        json_decref(of);
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:{s:s, s:f, s:I, s:I, s:o}}", name, c->name, "flows",
                     (json_int_t)c->flows, "packets", (json_int_t)c->packets, "bytes",
                     (json_int_t)c->bytes, "wirespeak", "label", heads[0].v.label, "confidence",
                     heads[0].v.confidence, "votes", (json_int_t)heads[0].votes, "agree",
                     (json_int_t)heads[0].agree, "heads", of);
}

static int json_row(const flow_out *o, const char *name, const capture_votes *c,
                    const counted *heads, FILE *to)
{
    json_t *object = record(o, name, c, heads);

    if (!object)
        return cli_fail("no memory for a record");
    if (json_dumpf(object, to, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0)
        (void)fputc('\n', to);
    json_decref(object);
    return CLI_OK;
}

/* ---- captures ---- */

static void print_title(const capture_out *c, const flow_out *o, FILE *to)
{
    if (o->format == OUT_TABLE)
        table_title(c, o, to);
    else if (o->format == OUT_CSV)
        csv_title(c, o, to);
}

static int print_capture(const flow_out *o, const char *name, const capture_votes *c, FILE *to)
{
    counted *heads = calloc(o->q->n + 1, sizeof *heads);
    int rc = heads ? CLI_OK : cli_fail("no memory for the answers of %zu heads", o->q->n);

    for (size_t k = 0; rc == CLI_OK && k < o->q->n; k++)
        rc = count(o, c, k, &heads[k]);
    if (rc == CLI_OK && o->format == OUT_JSONL)
        rc = json_row(o, name, c, heads, to);
    else if (rc == CLI_OK)
        (o->format == OUT_TABLE ? table_row : csv_row)(o, c, heads, to);
    for (size_t k = 0; heads && k < o->q->n; k++)
        free(heads[k].top);
    free(heads);
    return rc;
}

int capture_out_print(capture_out *c, const flow_out *o, size_t going, FILE *to)
{
    size_t ended = c->n > going ? c->n - going : 0;
    int rc = CLI_OK;

    if (ended < c->n) /* what goes on may be more of one that ended */
        ended = row_of(c, ended);
    if (!c->titled)
        print_title(c, o, to);
    c->titled = true;
    for (size_t i = 0; i < ended; i++) {
        if (rc == CLI_OK && !c->open[i].more)
            rc = print_capture(o, name_of(c), &c->open[i], to);
        (void)cli_stdout_lost();
        votes_clear(&c->open[i], o);
    }
    if (ended)
        memmove(c->open, c->open + ended, (c->n - ended) * sizeof *c->open);
    c->n -= ended;
    c->first += ended;
    return rc;
}

void capture_out_clear(capture_out *c, const flow_out *o)
{
    for (size_t i = 0; i < c->n; i++)
        votes_clear(&c->open[i], o);
    free(c->open);
    *c = (capture_out){.n = 0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* flow_sums.c: flows, packets and bytes by class. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "flow_out.h"

enum { BRIEF = 6 };

static size_t classes(const question *q, size_t k)
{
    return wsp_model_head(q->m, q->head[k])->n_labels + 1;
}

static const char *class_name(const question *q, size_t k, size_t i)
{
    const wsp_head *h = wsp_model_head(q->m, q->head[k]);

    return i < h->n_labels ? h->labels[i] : "unknown";
}

int flow_sums_add(flow_sums *s, const question *q, const flow_record *r)
{
    uint64_t packets = r->flow->packets[0] + r->flow->packets[1];
    uint64_t bytes = r->flow->bytes[0] + r->flow->bytes[1];

    for (size_t k = 0; k < q->n; k++) {
        verdict v = answers_verdict(q, r->a, q->head[k], r->at);
        class_tally *c;

        if (!s->of[k] && !(s->of[k] = calloc(classes(q, k), sizeof *s->of[k])))
            return cli_fail("no memory for the summary");
        c = &s->of[k][v.number];
        c->flows++;
        c->packets += packets;
        c->bytes += bytes;
        c->confidence += v.confidence;
    }
    s->flows++;
    s->packets += packets;
    s->bytes += bytes;
    return CLI_OK;
}

/* The class with the most flows that `done` does not have yet, or n. */
static size_t next_class(const class_tally *of, size_t n, const bool *done)
{
    size_t best = n;

    for (size_t i = 0; i < n; i++)
        if (!done[i] && of[i].flows && (best == n || of[i].flows > of[best].flows))
            best = i;
    return best;
}

static void print_class(const flow_sums *s, const char *head, const char *label,
                        const class_tally *c, out_format format)
{
    double mean = c->confidence / (double)c->flows;

    if (format == OUT_TABLE) {
        printf("%-12s %-*s %9" PRIu64 " %5.1f%% %10" PRIu64 " %14" PRIu64 " %8.1f%%\n", head,
               columns_pad(label, 20), label, c->flows, 100 * (double)c->flows / (double)s->flows,
               c->packets, c->bytes, 100 * mean);
    } else if (format == OUT_CSV) {
        flow_out_csv_text(stdout, head);
        (void)putchar(',');
        flow_out_csv_text(stdout, label);
        printf(",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.6g\r\n", c->flows, c->packets, c->bytes,
               mean);
    } else {
        json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:f}", "head", head, "label", label,
                              "flows", (json_int_t)c->flows, "packets", (json_int_t)c->packets,
                              "bytes", (json_int_t)c->bytes, "mean_confidence", mean);
        (void)json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        (void)putchar('\n');
        json_decref(o);
    }
}

int flow_sums_print(const flow_sums *s, const question *q, out_format format)
{
    if (format == OUT_TABLE)
        printf("%-12s %-20s %9s %6s %10s %14s %9s\n", "HEAD", "LABEL", "FLOWS", "SHARE", "PACKETS",
               "BYTES", "MEAN CONF");
    else if (format == OUT_CSV)
        (void)fputs("head,label,flows,packets,bytes,mean_confidence\r\n", stdout);
    for (size_t k = 0; k < q->n && s->flows; k++) {
        size_t n = classes(q, k);
        bool *done = calloc(n, sizeof *done);

        if (!done)
            return cli_fail("no memory for the summary");
        for (size_t i; (i = next_class(s->of[k], n, done)) < n; done[i] = true)
            print_class(s, wsp_model_head(q->m, q->head[k])->name, class_name(q, k, i),
                        &s->of[k][i], format);
        free(done);
    }
    return CLI_OK;
}

void flow_sums_brief(const flow_sums *s, const question *q, char *buf, size_t size)
{
    size_t n = classes(q, 0), at = 0, told = 0;
    bool *done = calloc(n, sizeof *done);

    buf[0] = '\0';
    for (size_t i; done && s->flows && at < size && (i = next_class(s->of[0], n, done)) < n;
         done[i] = true) {
        if (told++ == BRIEF) {
            (void)snprintf(buf + at, size - at, ", ...");
            break;
        }
        at += (size_t)snprintf(buf + at, size - at, "%s%" PRIu64 " %s", told > 1 ? ", " : "",
                               s->of[0][i].flows, class_name(q, 0, i));
    }
    free(done);
}

void flow_sums_clear(flow_sums *s)
{
    for (size_t k = 0; k < CLI_LIST_MAX; k++)
        free(s->of[k]);
    *s = (flow_sums){.flows = 0};
}

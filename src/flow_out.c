/* SPDX-License-Identifier: Apache-2.0 */
/* flow_out.c: a labelled flow as a row, as a JSON object, or as CSV made of that object. */
#include "flow_out.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "eve.h"

/* ---- JSON ---- */

static void put_top(linebuf *l, const flow_out *o, const flow_record *r, size_t head)
{
    ranked *top = o->ranks;
    size_t n = answers_top(o->q, r->a, head, r->at, o->top, top);

    LINE(l, ",\"top\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            LINE(l, ",");
        eve_answer(l, top[i].label, top[i].confidence);
        LINE(l, "}");
    }
    LINE(l, "]");
}

static void put_early(linebuf *l, const flow_out *o, const flow_record *r, size_t head)
{
    LINE(l, ",\"decided\":");
    line_number(l, answers_decided(o->q, r->a, head, r->at));
    LINE(l, ",\"per_packet\":[");
    for (size_t p = 0; p < r->a->packets[r->at]; p++) {
        verdict v = answers_early(o->q, r->a, head, r->at, p);
        if (p)
            LINE(l, ",");
        eve_answer(l, v.label, v.confidence);
        LINE(l, "}");
    }
    LINE(l, "]");
}

static void put_head(linebuf *l, const flow_out *o, const flow_record *r, size_t head)
{
    verdict v = answers_verdict(o->q, r->a, head, r->at);

    line_text(l, wsp_model_head(o->q->m, head)->name);
    LINE(l, ":");
    eve_answer(l, v.label, v.confidence);
    if (v.outside)
        LINE(l, ",\"outside\":true");
    if (o->top > 1)
        put_top(l, o, r, head);
    if (o->q->early)
        put_early(l, o, r, head);
    LINE(l, "}");
}

/* Label, confidence and packets of the first head, and what each head says. */
static void put_ours(linebuf *l, const flow_out *o, const flow_record *r)
{
    verdict first = answers_verdict(o->q, r->a, o->q->head[0], r->at);

    LINE(l, ",\"wirespeak\":");
    eve_answer(l, first.label, first.confidence);
    if (first.outside)
        LINE(l, ",\"outside\":true");
    LINE(l, ",\"packets\":");
    line_number(l, r->a->packets[r->at]);
    if (o->q->surprise &&
        isfinite(r->a->surprise[r->at])) { /* weights may be so large that it is not */
        LINE(l, ",\"surprise\":");
        line_real(l, (double)r->a->surprise[r->at]);
    }
    LINE(l, ",\"heads\":{");
    for (size_t i = 0; i < o->q->n; i++) {
        if (i)
            LINE(l, ",");
        put_head(l, o, r, o->q->head[i]);
    }
    LINE(l, "}}");
}

static void put_record(linebuf *l, const flow_out *o, const flow_record *r)
{
    eve_flow(
        l, r->flow,
        &(eve_event){
            .type = "flow", .time_ns = r->flow->last_ns, .flow_id = r->id, .capture = r->capture});
    put_ours(l, o, r);
    if (o->ndpi && r->ndpi->protocol)
        beside_put(l, r->ndpi);
    LINE(l, "}\n");
}

/* ---- CSV: RFC 4180, the values of the object by their place in it ---- */

enum { DEPTH = 6 };

typedef struct column {
    const char *name, *path[DEPTH];
} column;

static const column fixed[] = {
    {"timestamp", {"timestamp"}},
    {"flow_id", {"flow_id"}},
    {"pcap_filename", {"pcap_filename"}},
    {"vlan", {"vlan"}},
    {"src_ip", {"src_ip"}},
    {"src_port", {"src_port"}},
    {"dest_ip", {"dest_ip"}},
    {"dest_port", {"dest_port"}},
    {"src_mac", {"ether", "src_mac"}},
    {"dest_mac", {"ether", "dest_mac"}},
    {"proto", {"proto"}},
    {"community_id", {"community_id"}},
    {"pkts_toserver", {"flow", "pkts_toserver"}},
    {"pkts_toclient", {"flow", "pkts_toclient"}},
    {"bytes_toserver", {"flow", "bytes_toserver"}},
    {"bytes_toclient", {"flow", "bytes_toclient"}},
    {"start", {"flow", "start"}},
    {"end", {"flow", "end"}},
    {"age", {"flow", "age"}},
    {"state", {"flow", "state"}},
    {"reason", {"flow", "reason"}},
    {"tcp_flags_ts", {"tcp", "tcp_flags_ts"}},
    {"tcp_flags_tc", {"tcp", "tcp_flags_tc"}},
    {"icmp_type", {"icmp_type"}},
    {"icmp_code", {"icmp_code"}},
    {"response_icmp_type", {"response_icmp_type"}},
    {"response_icmp_code", {"response_icmp_code"}},
    {"packets_read", {"wirespeak", "packets"}},
};
static const column surprise = {"surprise", {"wirespeak", "surprise"}};
static const column ndpi[] = {
    {"ndpi_protocol", {"ndpi", "protocol"}},
    {"ndpi_service", {"ndpi", "service"}},
    {"ndpi_source", {"ndpi", "source"}},
};

/* Quotes make line ends harmless, but not what steers a terminal. */
static char csv_letter(char c)
{
    return (unsigned char)c < ' ' && !strchr("\t\r\n", c) ? '?' : c;
}

void flow_out_csv_text(FILE *to, const char *s)
{
    bool quoted = s[strcspn(s, ",\"\r\n")] != 0;

    if (quoted)
        (void)fputc('"', to);
    for (; *s; s++) {
        if (*s == '"')
            (void)fputc('"', to);
        (void)fputc(csv_letter(*s), to);
    }
    if (quoted)
        (void)fputc('"', to);
}

/* An array of objects has no form in CSV but its own. */
static void csv_json(FILE *to, const json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(6));

    if (text)
        flow_out_csv_text(to, text);
    free(text);
}

/* The value at a path; a step of digits counts in an array. Nothing when it is not there; numbers of an array with a blank between. */
static void csv_value(FILE *to, const json_t *v, const char *const *path)
{
    for (size_t i = 0; i < DEPTH && path[i]; i++)
        v = json_is_array(v) ? json_array_get(v, strtoul(path[i], NULL, 10))
                             : json_object_get(v, path[i]);
    if (json_is_string(v))
        flow_out_csv_text(to, json_string_value(v));
    else if (json_is_integer(v))
        (void)fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        (void)fprintf(to, "%.6g", json_real_value(v));
    else if (json_is_true(v))
        (void)fputs("1", to);
    else if (json_is_object(json_array_get(v, 0)))
        csv_json(to, v);
    for (size_t i = 0; json_is_integer(json_array_get(v, i)); i++)
        (void)fprintf(to, "%s%" JSON_INTEGER_FORMAT, i ? " " : "",
                      json_integer_value(json_array_get(v, i)));
}

/* The titles (object NULL) or the values of columns. */
static void csv_columns(FILE *to, const json_t *object, const column *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (c + i != fixed)
            (void)fputc(',', to);
        if (object)
            csv_value(to, object, c[i].path);
        else
            flow_out_csv_text(to, c[i].name);
    }
}

static void csv_head(const flow_out *o, FILE *to, const json_t *object, const char *head)
{
    static const char *const members[] = {"label", "confidence", "outside", "decided",
                                          "per_packet"};
    char name[96], rank[24];

    for (size_t i = 0; i < (o->q->early ? 5u : 3u); i++) {
        column c = {name, {"wirespeak", "heads", head, members[i]}};
        (void)snprintf(name, sizeof name, i ? "%s_%s" : "%s", head, members[i]);
        csv_columns(to, object, &c, 1);
    }
    for (size_t k = 0; k < o->top && o->top > 1; k++)
        for (size_t i = 0; i < 2; i++) {
            column c = {name, {"wirespeak", "heads", head, "top", rank, members[i]}};
            (void)snprintf(rank, sizeof rank, "%zu", k);
            (void)snprintf(name, sizeof name, i ? "%s_%zu_%s" : "%s_%zu", head, k + 1, members[i]);
            csv_columns(to, object, &c, 1);
        }
}

static void csv_line(const flow_out *o, FILE *to, const json_t *object)
{
    csv_columns(to, object, fixed, sizeof fixed / sizeof fixed[0]);
    for (size_t i = 0; i < o->q->n; i++)
        csv_head(o, to, object, wsp_model_head(o->q->m, o->q->head[i])->name);
    if (o->q->surprise)
        csv_columns(to, object, &surprise, 1);
    if (o->ndpi)
        csv_columns(to, object, ndpi, sizeof ndpi / sizeof ndpi[0]);
    (void)fputs("\r\n", to);
}

/* ---- table ---- */

void flow_out_table_heads(const flow_out *o, FILE *to, const char *behind)
{
    for (size_t k = 0; k < o->q->n; k++) {
        char name[40];

        (void)snprintf(name, sizeof name, "%s",
                       o->q->n > 1 ? wsp_model_head(o->q->m, o->q->head[k])->name : "label");
        for (char *c = name; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        (void)fprintf(to, "%-20s %6s %s", name, "CONF", behind);
    }
}

static void table_title(const flow_out *o, FILE *to)
{
    flow_out_table_heads(o, to, "");
    if (o->q->surprise)
        (void)fprintf(to, "%8s ", "SURPRISE");
    if (o->ndpi)
        (void)fprintf(to, "%-14s ", "NDPI");
    (void)fprintf(to, "%4s  %-9s %s\n", "PKTS", "PROTO", "FLOW");
}

static void table_early(const flow_out *o, const flow_record *r, FILE *to)
{
    for (size_t k = 0; k < o->q->n; k++) {
        const char *last = NULL;

        for (size_t p = 0; p < r->a->packets[r->at]; p++) {
            verdict v = answers_early(o->q, r->a, o->q->head[k], r->at, p);
            if (last && strcmp(last, v.label) == 0)
                continue;
            (void)fprintf(to, "    packet %-3zu %s: %s %.1f%%\n", p + 1, v.head, v.label,
                          100 * v.confidence);
            last = v.label;
        }
    }
}

static void table_top(const flow_out *o, const flow_record *r, FILE *to)
{
    ranked *top = o->ranks;

    for (size_t k = 0; k < o->q->n; k++) {
        size_t n = answers_top(o->q, r->a, o->q->head[k], r->at, o->top, top);

        (void)fprintf(to, "    %s:", wsp_model_head(o->q->m, o->q->head[k])->name);
        for (size_t i = 0; i < n; i++)
            (void)fprintf(to, "%s %s %.1f%%", i ? "," : "", top[i].label, 100 * top[i].confidence);
        (void)fputc('\n', to);
    }
}

static void table_row(const flow_out *o, const flow_record *r, FILE *to)
{
    char src[EVE_ENDPOINT_SIZE], dst[EVE_ENDPOINT_SIZE], proto[EVE_PROTO_SIZE];

    eve_endpoint(&r->flow->key, 0, src, sizeof src);
    eve_endpoint(&r->flow->key, 1, dst, sizeof dst);
    eve_proto(&r->flow->key, proto, sizeof proto);
    for (size_t k = 0; k < o->q->n; k++) {
        verdict v = answers_verdict(o->q, r->a, o->q->head[k], r->at);
        (void)fprintf(to, "%-*s %5.1f%% ", columns_pad(v.label, 20), v.label, 100 * v.confidence);
    }
    if (o->q->surprise)
        (void)fprintf(to, "%8.1f ", (double)r->a->surprise[r->at]);
    if (o->ndpi)
        (void)fprintf(to, "%-14s ", r->ndpi->protocol ? r->ndpi->protocol : "-");
    (void)fprintf(to, "%4" PRIu32 "  %-9s %s -> %s\n", r->a->packets[r->at], proto, src, dst);
    if (o->top > 1)
        table_top(o, r, to);
    if (o->q->early)
        table_early(o, r, to);
}

/* ---- flows ---- */

int flow_out_make_room(flow_out *o)
{
    size_t most = 1;

    for (size_t i = 0; i < o->q->n; i++) {
        size_t n = wsp_model_head(o->q->m, o->q->head[i])->n_labels;
        most = n > most ? n : most;
    }
    o->top = o->top < most ? o->top : most;
    o->ranks = calloc(o->top, sizeof *o->ranks);
    return o->ranks ? CLI_OK : cli_fail("no memory for %zu labels", o->top);
}

int flow_out_title(const flow_out *o, FILE *to)
{
    if (o->format == OUT_TABLE)
        table_title(o, to);
    else if (o->format == OUT_CSV)
        csv_line(o, to, NULL);
    return CLI_OK;
}

int flow_out_flow(const flow_out *o, const flow_record *r, FILE *to)
{
    linebuf *l = o->line;
    json_t *object;

    if (o->format == OUT_TABLE) {
        table_row(o, r, to);
        return CLI_OK;
    }
    l->len = 0;
    l->failed = false;
    put_record(l, o, r);
    if (!l->failed && o->format == OUT_JSONL) {
        (void)fwrite(l->text, 1, l->len, to);
        return CLI_OK;
    }
    object = l->failed ? NULL : json_loadb(l->text, l->len, 0, NULL);
    if (!object)
        return cli_fail("no memory for a record");
    csv_line(o, to, object);
    json_decref(object);
    return CLI_OK;
}

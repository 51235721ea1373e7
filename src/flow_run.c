/* SPDX-License-Identifier: Apache-2.0 */
/* flow_run.c: flows are read, kept until their set is full, and asked about; nDPI sees their packets on the way. */
#include "flow_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "eve.h"

/* Flows that are labelled at a time, and what open flows may take: with them memory is bounded. */
enum { SET_FLOWS = 32768, STEP_PACKETS = 4096 };
static const size_t OPEN_BYTES = (size_t)320 << 20;

static wsp_input *to_stop; /* by SIGINT and SIGTERM */

static void on_signal(int number)
{
    (void)number;
    wsp_input_stop(to_stop);
}

/* ---- what the tokenizer calls ---- */

static bool start_capture(void *arg, const char *capture)
{
    flow_run *r = arg;

    if (r->annotator) {
        free(r->name);
        r->name = eve_printable(capture);
    }
    if (r->by_capture && r->rc == CLI_OK)
        r->rc = capture_out_begin(&r->captures, &r->out, capture);
    r->base = r->stats.flows;
    if (r->out.ndpi && beside_capture(&r->ndpi, &r->err) < 0)
        r->rc = cli_fail_error(&r->err);
    return true;
}

/* The capture's first packet makes an interface of it in the file with comments. */
static void start_interface(flow_run *r, size_t capture, int linktype)
{
    if (!r->name)
        r->rc = cli_fail("no memory for a capture's name");
    else if (wsp_annotator_capture(r->annotator, r->name, linktype, &r->err) < 0)
        r->rc = cli_fail_error(&r->err);
    r->n_captures = capture + 1;
}

static wsp_status see_packet(void *arg, size_t capture, int linktype, const wsp_frame *frame,
                             const wsp_packet *packet, const wsp_flow *flow)
{
    flow_run *r = arg;

    if (r->annotator && r->rc == CLI_OK && r->n_captures <= capture)
        start_interface(r, capture, linktype);
    if (r->rc != CLI_OK)
        return WSP_ERR_IO;
    if (r->stats.packets % STEP_PACKETS == 0)
        progress_step(&r->progress, r->stats.packets, r->stats.flows);
    if (r->shard.n && !flow->user && wsp_flow_key_hash(&flow->key) % r->shard.n + 1 != r->shard.i)
        return WSP_EOF;
    if (r->annotator && wsp_annotator_packet(r->annotator, frame, r->base + flow->id,
                                             flow->packets[0] + flow->packets[1] - 1, &r->err) < 0)
        r->rc = cli_fail_error(&r->err);
    return r->out.ndpi ? beside_packet(&r->ndpi, flow, packet, frame->time_ns) : WSP_OK;
}

static wsp_status keep_flow(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t index)
{
    flow_run *r = arg;

    (void)set;
    if (cli_grow(&r->kept, &r->cap_kept, index + 1, sizeof *r->kept) < 0)
        return WSP_ERR_NOMEM;
    r->kept[index] = (kept){.flow = *flow, .id = r->base + flow->id + 1};
    r->n_kept = index + 1;
    return r->out.ndpi ? beside_end(&r->ndpi, flow, &r->kept[index].ndpi) : WSP_OK;
}

/* ---- sets ---- */

/* The head whose labels are nDPI's, or the first that is asked. */
static size_t compared_head(const question *q)
{
    for (size_t k = 0; k < q->n; k++)
        if (strcmp(wsp_model_head(q->m, q->head[k])->name, "protocol") == 0)
            return q->head[k];
    return q->head[0];
}

static int compare(flow_run *r, const flow_record *f)
{
    verdict v = answers_verdict(&r->q, f->a, compared_head(&r->q), f->at);

    if (!r->out.ndpi || beside_compare(&r->ndpi, v.label, f->ndpi) == WSP_OK)
        return CLI_OK;
    return cli_fail("no memory for the comparison with nDPI");
}

static int print_flow(flow_run *r, const flow_record *f, size_t capture)
{
    if (r->summary)
        return CLI_OK;
    if (r->by_capture)
        return capture_out_flow(&r->captures, &r->out, f, capture);
    if (r->by_host)
        return host_out_flow(&r->hosts, &r->out, f);
    if (r->rank.n_max)
        return ranking_add(&r->rank, &r->out, f, (double)f->a->surprise[f->at]);
    if (!r->titled)
        (void)flow_out_title(&r->out, stdout);
    r->titled = true;
    return flow_out_flow(&r->out, f, stdout);
}

static void add_stats(wsp_runner_stats *sum, const wsp_runner_stats *more)
{
    sum->packets += more->packets;
    sum->packets_read += more->packets_read;
    sum->rows += more->rows;
    sum->rows_run += more->rows_run;
}

/* ---- comments ---- */

enum { COMMENT = 160 };

/* What all heads say, for the flow's first packet. */
static void comment_flow(const flow_run *r, const flow_record *f, char *buf, size_t size)
{
    size_t at = (size_t)snprintf(buf, size, "wirespeak flow %" PRIu64 ":", f->id);

    for (size_t k = 0; k < r->q.n && at < size; k++) {
        verdict v = answers_verdict(&r->q, f->a, r->q.head[k], f->at);
        at += (size_t)snprintf(buf + at, size - at, "%s %s=%s %.1f%%", k ? "," : "", v.head,
                               v.label, 100 * v.confidence);
    }
    if (r->q.surprise && at < size)
        (void)snprintf(buf + at, size - at, ", surprise=%.1f", (double)f->a->surprise[f->at]);
}

/* One comment for all packets, or with --per-packet one for each that was read. */
static int comment(flow_run *r, const flow_record *f)
{
    size_t n = r->q.early ? f->a->packets[f->at] : 1;
    char first[COMMENT * (CLI_LIST_MAX + 1)], *text = malloc(n * COMMENT);
    const char **each = calloc(n, sizeof *each);
    wsp_status st = text && each ? WSP_OK : WSP_ERR_NOMEM;

    if (st < 0)
        (void)snprintf(r->err.text, sizeof r->err.text, "no memory for comments");
    comment_flow(r, f, first, sizeof first);
    for (size_t i = 0; st == WSP_OK && i < n; i++) {
        verdict v = r->q.early ? answers_early(&r->q, f->a, r->q.head[0], f->at, i)
                               : answers_verdict(&r->q, f->a, r->q.head[0], f->at);
        each[i] = text + i * COMMENT;
        (void)snprintf(text + i * COMMENT, COMMENT, "wirespeak: %s %.1f%%", v.label,
                       100 * v.confidence);
    }
    if (st == WSP_OK)
        st = wsp_annotator_flow(r->annotator, f->id - 1, first, each, n, &r->err);
    free(text);
    free(each);
    return st < 0 ? cli_fail_error(&r->err) : CLI_OK;
}

/* Flows of one file mostly come one after the other. */
static int show_file(flow_run *r, const char *file)
{
    if (file == r->shown_file)
        return CLI_OK;
    free(r->shown);
    r->shown = eve_name(file, r->out.format != OUT_TABLE);
    r->shown_file = file;
    return r->shown ? CLI_OK : cli_fail("no memory for a capture's name");
}

/* Asks the model about a set of flows and prints what it says. */
static wsp_status label_set(void *arg, const wsp_tokens *t)
{
    flow_run *r = arg;
    answers a = {.prob = NULL};

    if (r->rc != CLI_OK)
        return WSP_ERR_IO;
    if (t->n_flows == 0)
        return WSP_OK;
    r->rc = answers_ask(&r->q, t, &a);
    progress_hide(&r->progress);
    for (size_t i = 0; r->rc == CLI_OK && i < t->n_flows && !cli_stdout_lost(); i++) {
        const kept *k = &r->kept[i];
        flow_record f = {.a = &a, .at = i, .id = k->id, .flow = &k->flow, .ndpi = &k->ndpi};

        if (!only_wants(&r->only, &r->q, &a, i)) {
            r->left_out++;
            continue;
        }
        r->rc = show_file(r, k->flow.file);
        f.capture = r->shown;
        if (r->rc == CLI_OK)
            r->rc = compare(r, &f);
        if (r->rc == CLI_OK)
            r->rc = flow_sums_add(&r->sums, &r->q, &f);
        if (r->rc == CLI_OK && r->annotator)
            r->rc = comment(r, &f);
        if (r->rc == CLI_OK)
            r->rc = print_flow(r, &f, t->capture[i]);
    }
    if (r->rc == CLI_OK && r->by_capture) /* the last one may have more flows */
        r->rc = capture_out_print(&r->captures, &r->out, 1, stdout);
    if (r->rc == CLI_OK && r->vectors &&
        wsp_npy_writer_add(r->vectors, a.context, t->n_flows, &r->err) < 0)
        r->rc = cli_fail_error(&r->err);
    add_stats(&r->shared, &a.shared);
    answers_clear(&r->q, &a);
    if (cli_stdout_lost()) /* a full disk, or a reader that has gone: nobody would see the rest */
        r->rc = CLI_FAILED;
    return r->rc == CLI_OK ? WSP_OK : WSP_ERR_IO;
}

/* ---- the run ---- */

static int print_end(flow_run *r)
{
    int rc = CLI_OK;

    if (r->summary)
        rc = flow_sums_print(&r->sums, &r->q, r->out.format);
    else if (r->by_capture)
        rc = capture_out_print(&r->captures, &r->out, 0, stdout);
    else if (r->by_host)
        rc = host_out_print(&r->hosts, &r->out, stdout);
    else if (!r->titled)
        rc = flow_out_title(&r->out, stdout);
    if (rc == CLI_OK && r->rank.n_max)
        ranking_print(&r->rank, stdout);
    if (rc == CLI_OK && r->summary && r->out.ndpi && r->out.format == OUT_JSONL) {
        json_t *o = beside_summary(&r->ndpi, wsp_model_head(r->q.m, compared_head(&r->q))->name);
        if (!o)
            return cli_fail("no memory for the comparison with nDPI");
        (void)json_dumpf(o, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(o);
    }
    return rc;
}

/* What was read, what it was, and what was not seen. */
static void note_end(const flow_run *r, size_t skipped)
{
    double s = progress_seconds(&r->progress);
    char brief[512], joined[48] = "";

    flow_sums_brief(&r->sums, &r->q, brief, sizeof brief);
    if (r->stats.joined)
        (void)snprintf(joined, sizeof joined, " (%" PRIu64 " files)", r->stats.joined);
    cli_note("%" PRIu64 " flows of %" PRIu64 " captures%s labelled in %.1f s, %.0f packets/s%s%s",
             r->sums.flows, r->stats.captures, joined, s,
             s > 0 ? (double)r->stats.packets / s : 0.0, brief[0] ? ": " : "", brief);
    if (r->only.n)
        cli_note("%" PRIu64 " other flows are called something else and left out", r->left_out);
    if (r->out.ndpi)
        beside_report(&r->ndpi, wsp_model_head(r->q.m, compared_head(&r->q))->name);
    if (r->stats.evicted)
        cli_note("%" PRIu64 " flows ended early to bound memory; their later packets are new flows",
                 r->stats.evicted);
    if (skipped)
        cli_note("%zu files were no captures", skipped);
    if (cli_is_verbose())
        cli_note("%" PRIu64 " of %" PRIu64 " packets read, %" PRIu64 " of %" PRIu64
                 " packets of flows computed: the rest was the same",
                 r->shared.packets_read, r->shared.packets, r->shared.rows_run, r->shared.rows);
}

/* The files appear; what is not ended here is thrown away. */
static int end_files(flow_run *r)
{
    wsp_annotator *a = r->annotator;
    wsp_npy_writer *v = r->vectors;

    r->annotator = NULL;
    if (a && wsp_annotator_close(a, &r->err) < 0)
        return cli_fail_error(&r->err);
    r->vectors = NULL;
    if (v && wsp_npy_writer_close(v, &r->err) < 0)
        return cli_fail_error(&r->err);
    return CLI_OK;
}

int flow_run_input(flow_run *r, wsp_input *in)
{
    wsp_tokenize_options how = {.keep = true,
                                .drop_residuals = true,
                                .only_kept = true,
                                .max_packets = r->q.max_packets,
                                .max_flows = r->max_flows,
                                .max_open_bytes = OPEN_BYTES,
                                .drain_flows = SET_FLOWS,
                                .want = start_capture,
                                .on_packet = see_packet,
                                .on_flow = keep_flow,
                                .drain = label_set,
                                .arg = r};
    struct sigaction act = {.sa_handler = on_signal}, old[2];
    wsp_tokens *t = NULL;
    wsp_status st;

    r->out.line = &r->line;
    to_stop = in;
    (void)sigaction(SIGINT, &act, &old[0]);
    (void)sigaction(SIGTERM, &act, &old[1]);
    progress_start(&r->progress, in);
    st = wsp_tokenize(in, &how, &t, &r->stats, &r->err);
    progress_hide(&r->progress);
    (void)sigaction(SIGINT, &old[0], NULL);
    (void)sigaction(SIGTERM, &old[1], NULL);
    wsp_tokens_free(t);
    if (r->rc != CLI_OK)
        return r->rc;
    if (st < 0) {
        if (r->stats.captures) /* else nothing was a capture: there is no title of nothing */
            (void)print_end(r);
        return cli_fail_error(&r->err);
    }
    r->rc = print_end(r);
    if (r->rc == CLI_OK)
        r->rc = end_files(r);
    note_end(r, wsp_input_skipped(in));
    if (r->rc != CLI_OK)
        return r->rc;
    r->rc = captures_end(&r->stats, "labelled");
    if (wsp_input_stopped(in)) /* also when captures had broken off before: that is less */
        r->rc = cli_fail("ended by a signal; what came before is labelled");
    return r->rc;
}

void flow_run_clear(flow_run *r)
{
    wsp_annotator_discard(r->annotator);
    wsp_npy_writer_discard(r->vectors);
    ranking_clear(&r->rank);
    capture_out_clear(&r->captures, &r->out);
    host_out_clear(&r->hosts, &r->out);
    flow_sums_clear(&r->sums);
    beside_clear(&r->ndpi);
    line_clear(&r->line);
    free(r->out.ranks);
    free(r->kept);
    free(r->name);
    free(r->shown);
}

bool flow_run_shard(const char *text, shard *s)
{
    int used = 0;

    return sscanf(text, "%" SCNu64 "/%" SCNu64 "%n", &s->i, &s->n, &used) == 2 && !text[used] &&
           text[0] != '-' && s->i >= 1 && s->i <= s->n && s->n <= 1000000;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_label.c: what nDPI says of every flow, as JSON lines with Suricata's names or as a table. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "captures.h"
#include "cli.h"
#include "eve.h"
#include "wirespeak/capture.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "label",
    .operands = "[OPTION]... FILE...",
    .summary =
        "Prints what nDPI says of every flow of captures (files, folders, archives, - for "
        "standard\n"
        "input), one line a flow in the order of their ends. Such labels are a weak teacher and a\n"
        "baseline, not the truth.",
    .examples =
        "  wirespeak label trace.pcap\n  wirespeak label -o table -f 'udp port 53' captures/\n",
    .min_operands = 1,
    .max_operands = -1,
};

typedef struct label_run {
    bool table;
    wsp_input *in;
    const char *name; /* of the open capture */
    const char *file; /* where the flow at hand begins */
    char *capture;    /* its name, fit to be printed */
    linebuf line;     /* records are made in it */
    wsp_labeller *labeller;
    wsp_packet *packet;
    wsp_tokenize_stats stats; /* captures, flows, broken, unread, joined and opaque alone */
    uint64_t id_base; /* flows of the captures before this one, so that ids are unique in a run */
    wsp_status st;    /* of the release callback, which cannot return one */
} label_run;

/* ---- output ---- */

/* Flows of one file mostly come one after the other. */
static bool show_file(label_run *l, const char *file)
{
    if (file == l->file)
        return true;
    free(l->capture);
    l->capture = eve_name(file, !l->table);
    l->file = file;
    return l->capture != NULL;
}

static void print_json(label_run *l, const wsp_flow *f, const wsp_verdict *v)
{
    eve_event event = {.type = "flow", .time_ns = f->last_ns, .flow_id = l->id_base + f->id + 1};

    l->line.len = 0;
    l->line.failed = !show_file(l, f->file);
    event.capture = l->capture;
    eve_flow(&l->line, f, &event);
    if (v)
        beside_put(&l->line, &(beside_word){.protocol = v->protocol,
                                            .service = v->service,
                                            .master = v->master,
                                            .app = v->app,
                                            .category = v->category,
                                            .source = wsp_label_source_name(v->source),
                                            .packets = v->packets});
    LINE(&l->line, "}\n");
    if (l->line.failed)
        l->st = WSP_ERR_NOMEM;
    else
        (void)fwrite(l->line.text, 1, l->line.len, stdout);
}

static void print_row(const wsp_flow *f, const wsp_verdict *v)
{
    char ends[2][EVE_ENDPOINT_SIZE], proto[EVE_PROTO_SIZE], start[EVE_TIME_SIZE];

    eve_time(f->first_ns, start);
    eve_proto(&f->key, proto, sizeof proto);
    for (int side = 0; side < 2; side++)
        eve_endpoint(&f->key, side, ends[side], sizeof ends[side]);
    printf("%.26s  %-21s  %-21s  %-9s  %7" PRIu64 "  %10" PRIu64 "  %-14s  %-7s  %s\n", start,
           ends[0], ends[1], proto, f->packets[0] + f->packets[1], f->bytes[0] + f->bytes[1],
           v ? v->protocol : "-", v ? wsp_label_source_name(v->source) : "-",
           v && v->service[0] ? v->service : "-");
}

/* ---- flows ---- */

static void release(void *arg, wsp_flow *f)
{
    label_run *l = arg;
    wsp_verdict v;

    l->stats.flows++;
    if (f->user)
        wsp_labeller_verdict(f->user, &v);
    if (l->st == WSP_OK && l->table)
        print_row(f, f->user ? &v : NULL);
    else if (l->st == WSP_OK)
        print_json(l, f, f->user ? &v : NULL);
    wsp_labeller_flow_free(f->user);
}

static wsp_status add_frame(label_run *l, wsp_flow_table *table, int linktype,
                            const wsp_frame *frame)
{
    wsp_labeller_flow *ndpi;
    const uint8_t *ip;
    wsp_flow *f;
    wsp_status st;
    size_t len;
    int dir;

    wsp_packet_dissect(l->packet, linktype, frame);
    st = wsp_flow_table_add(table, wsp_packet_key(l->packet), frame->time_ns, frame->wirelen,
                            wsp_packet_tcp_flags(l->packet), &f, &dir);
    if (st < 0)
        return st;
    wsp_flow_note(f, l->packet, dir);
    if (!f->file)
        f->file = wsp_input_file(l->in) ? wsp_input_file(l->in) : l->name;
    if (!wsp_packet_ip(l->packet, &ip, &len))
        return l->st;
    if (!f->user) {
        st = wsp_labeller_flow_new(l->labeller, &ndpi);
        if (st < 0)
            return st;
        f->user = ndpi;
    }
    st = wsp_labeller_push(f->user, ip, len, frame->time_ns);
    return st < 0 ? st : l->st;
}

static wsp_status read_frames(label_run *l, wsp_flow_table *table, int linktype, wsp_error *err)
{
    wsp_frame frame;
    uint64_t number = 0;
    wsp_status st = WSP_OK;

    while (st == WSP_OK) {
        st = wsp_input_next(l->in, &frame, err);
        if (st == WSP_ERR_FORMAT || st == WSP_ERR_IO) {
            cli_warn("%s (the %" PRIu64 " packets before it are labelled)", err->text, number);
            l->stats.broken++;
            return WSP_OK;
        }
        if (st < 0 || st == WSP_EOF || cli_stdout_lost())
            break;
        st = add_frame(l, table, linktype, &frame);
        if (st < 0)
            (void)cli_error(err, st, "%s: packet %" PRIu64 ": %s", l->name, number,
                            wsp_status_name(st));
        number++;
    }
    return st < 0 ? st : WSP_OK;
}

/* One labeller a capture: nDPI remembers across flows, and what it says shall not hang on other captures. */
static wsp_status label_capture(label_run *l, const wsp_capture_info *info, wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table = NULL;
    uint64_t before = l->stats.flows;
    wsp_status st;

    opt.release = release;
    opt.arg = l;
    l->stats.captures++;
    l->stats.opaque += !wsp_packet_link(info->name, info->linktype);
    l->id_base = before;
    l->name = info->name;
    st = wsp_labeller_new(&l->labeller, NULL, err); /* it says why it is none */
    if (st < 0)
        return st;
    st = wsp_flow_table_new(&table, &opt);
    if (st < 0)
        (void)cli_error(err, st, "%s: %s", info->name, wsp_status_name(st));
    else
        st = read_frames(l, table, info->linktype, err);
    wsp_flow_table_free(table);
    if (st >= 0 && l->st < 0) {
        st = l->st;
        (void)cli_error(err, st, "%s: %s", l->name, wsp_status_name(st));
    }
    wsp_labeller_free(l->labeller);
    free(l->capture);
    l->labeller = NULL;
    l->capture = NULL;
    l->file = NULL; /* the name goes with the capture */
    return st;
}

static wsp_status label_all(label_run *l, wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st = wsp_packet_new(&l->packet);

    if (st < 0)
        (void)cli_error(err, st, "%s", wsp_status_name(st));
    while (st == WSP_OK && !cli_stdout_lost()) {
        st = wsp_input_open_next(l->in, &info, err);
        if (st != WSP_OK)
            break;
        if (l->table && l->stats.captures == 0)
            printf("%-26s  %-21s  %-21s  %-9s  %7s  %10s  %-14s  %-7s  %s\n", "start", "source",
                   "destination", "proto", "packets", "bytes", "label", "by", "service");
        st = label_capture(l, &info, err);
    }
    wsp_packet_free(l->packet);
    line_clear(&l->line);
    return st;
}

int cmd_label(int argc, char **argv)
{
    static const char *const formats[] = {"jsonl", "table", NULL};
    const char *format = "jsonl", *filter = NULL, *password = NULL;
    bool skip_bad = false, join = false;
    const cli_option options[] = {
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "form of the lines (default jsonl)"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "join", .kind = CLI_FLAG, .value = &join, .help = CAPTURES_JOIN},
        {.name = "password",
         .kind = CLI_TEXT,
         .value = &password,
         .arg = "TEXT",
         .help = CAPTURES_PASSWORD},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &skip_bad,
         .help = "skip what is no capture, with a warning"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_input_options opt;
    label_run l = {0};
    wsp_error err;
    wsp_status st;

    l.table = format[0] == 't';
    opt = captures_options(filter, skip_bad);
    opt.join = join;
    opt.password = password;
    if (wsp_input_new(&l.in, (const char *const *)(argv + first), (size_t)(argc - first), &opt,
                      &err) < 0)
        return captures_refused(page.name, &err);
    st = label_all(&l, &err);
    l.stats.unread = wsp_input_unread(l.in);
    l.stats.joined = wsp_input_joined(l.in);
    wsp_input_free(l.in);
    if (st < 0)
        return cli_fail_error(&err);
    cli_note("%" PRIu64 " flows of %" PRIu64 " captures labelled by nDPI %s", l.stats.flows,
             l.stats.captures, wsp_labeller_version());
    return captures_end(&l.stats, "labelled");
}

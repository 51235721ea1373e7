/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_generate.c: a capture of new flows, drawn from a model. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asked.h"
#include "cli.h"
#include "corpus.h"
#include "fuzzing.h"
#include "shipped.h"
#include "stop.h"
#include "wirespeak/generate.h"

/* What has no say in flows of a capture, and in when flows start that are like some. */
static const cli_rule rules[] = {
    {"from", CLI_NEVER_WITH, "like"},          {"rate", CLI_NEVER_WITH, "from"},
    {"rate", CLI_NEVER_WITH, "like"},          {"clients", CLI_NEVER_WITH, "from"},
    {"servers", CLI_NEVER_WITH, "from"},       {"client-mac", CLI_NEVER_WITH, "from"},
    {"server-mac", CLI_NEVER_WITH, "from"},    {"client-ports", CLI_NEVER_WITH, "from"},
    {"service-ports", CLI_NEVER_WITH, "from"}, {NULL, CLI_NEVER_WITH, NULL},
};

static const cli_page page = {
    .name = "generate",
    .operands = "[OPTION]... -w OUT.pcap",
    .summary =
        "Writes a capture of new flows, drawn from a model token by token within the grammar of "
        "the "
        "protocols.\n"
        "Lengths, checksums and sequence numbers are computed; addresses come from the networks "
        "given.",
    .examples = "  wirespeak generate -n 100 --label DNS -w dns.pcap\n"
                "  wirespeak generate --like office.pcap -w more.pcap\n"
                "  wirespeak generate --from a.pcap --after 6 -w b.pcap\n"
                "  wirespeak generate --label TLS=3 --label DNS --packets 10k "
                "-w mix.pcap\n"
                "  wirespeak generate -n 1000 --fuzz 0.2 --corpus seeds\n",
    .min_operands = 0,
    .max_operands = 0,
    .rules = rules,
};

enum { MAX_NETWORKS = 16, MAX_SHARES = 4096 };
#define NOT_GIVEN UINT64_MAX

typedef struct arguments {
    const char *like, *from, *infill;
    cli_list sets;
    wsp_edit edits[CLI_LIST_MAX];
    wsp_prompt *prompt;
    const char *model, *out, *asked, *ports, *mac[2];
    cli_list labels, networks[2]; /* of clients, of servers */
    size_t threads;
    const char *dtype;
    wsp_network network[2][MAX_NETWORKS];
    wsp_share mix[MAX_SHARES];
    wsp_generate_options opt;
    fuzzing_options fuzz;
} arguments;

/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    wsp_generate_options *o = &a->opt;
    fuzzing_options *f = &a->fuzz;
    const cli_option options[] = {
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a->model, .arg = "MODEL", .file = CLI_READS, .help = "the model (default the one that is installed)"},
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "FILE", .file = CLI_WRITES, .help = "the capture to write"},
        {.name = "asked", .kind = CLI_TEXT, .value = &a->asked, .arg = "FILE", .file = CLI_WRITES,
         .help = "also write a list of the flows and of what each was to be,\nfor wirespeak eval --asked"},
        {.kind = CLI_HEADING, .help = "How much"},
        {.name = "count", .letter = 'n', .kind = CLI_U64, .value = &o->flows, .arg = "N", .min = 1, .max = 100000000,
         .help = "number of flows (default 10, or as many as --packets and --seconds take)"},
        {.name = "packets", .kind = CLI_SIZE, .value = &o->packets, .arg = "N", .min = 1, .help = "number of packets in all"},
        {.name = "seconds", .kind = CLI_SECONDS, .value = &o->duration_ns, .arg = "SECONDS", .help = "time from the first packet to the last"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &o->max_packets, .arg = "N", .min = 1, .max = 1000000,
         .help = "packets of a flow at most (default 64, or as many as the flow\nhas that it is like, or goes on with)"},
        {.kind = CLI_HEADING, .help = "What"},
        {.name = "label", .letter = 'l', .kind = CLI_LIST, .value = &a->labels, .arg = "[HEAD:]NAME[=N]",
         .help = "what the flows shall be: a label of the model (default whatever),\nHEAD:* for all labels of a head; may be repeated: each flow is\none of them, by shares N (default 1)"},
        {.name = "seed", .kind = CLI_U64, .value = &o->seed, .arg = "N", .help = "the same seed gives the same capture (default 0)"},
        {.name = "temperature", .kind = CLI_REAL, .value = &o->temperature, .arg = "T", .rmax = 100,
         .help = "below 1 more of the usual, above 1 more of the rare (default 1)"},
        {.name = "top-k", .kind = CLI_SIZE, .value = &o->top_k, .arg = "K", .help = "draw among the K likeliest tokens"},
        {.name = "top-p", .kind = CLI_REAL, .value = &o->top_p, .arg = "P", .rmin = 0.000001, .rmax = 1,
         .help = "draw among the likeliest tokens that have the share P of the odds"},
        {.name = "guide", .kind = CLI_REAL, .value = &o->guide, .arg = "W", .rmax = 100,
         .help = "follow labels more closely than the model would: what the label changes of\nports counts W times more, and flows that do not gain by it begin again (default 1)"},
        {.name = "like", .kind = CLI_TEXT, .value = &a->like, .arg = "FILE", .file = CLI_READS,
         .help = "flows that start as those of this capture, are as long, and of the classes that\nnDPI names"},
        {.name = "set", .kind = CLI_LIST, .value = &a->sets, .arg = "[K:]FIELD=VALUE",
         .help = "a header field of all packets, or of packet K of each flow; may be repeated"},
        {.kind = CLI_HEADING, .help = "From a capture"},
        {.name = "from", .kind = CLI_TEXT, .value = &a->from, .arg = "FILE", .file = CLI_READS, .help = "its flows in the place of new ones: as they are, but for"},
        {.name = "after", .kind = CLI_SIZE, .value = &o->from.after, .arg = "K", .help = "new packets after the first K of each flow"},
        {.name = "infill", .kind = CLI_TEXT, .value = &a->infill, .arg = "K[:FIELD]",
         .help = "a new packet in the place of packet K, new from this field on"},
        {.name = "new-times", .kind = CLI_FLAG, .value = &o->from.times, .help = "new gaps between the packets of each flow"},
        {.kind = CLI_HEADING, .help = "When and between whom"},
        {.name = "rate", .kind = CLI_REAL, .value = &o->rate, .arg = "N", .rmin = 0.000001, .rmax = 1e9,
         .help = "new flows a second on average (default 10)"},
        {.name = "speed", .kind = CLI_REAL, .value = &o->speed, .arg = "X", .rmin = 0.000001, .rmax = 1e9,
         .help = "times run X times as fast (default 1)"},
        {.name = "start", .kind = CLI_SECONDS, .value = &o->start_ns, .arg = "SECONDS", .rmax = 4294967295.0, /* what a pcap file can hold */
         .help = "time of the first flow since 1970 (default 1700000000); flows of --from are moved"},
        {.name = "clients", .kind = CLI_LIST, .value = &a->networks[0], .arg = "CIDR",
         .help = "network of the clients, IPv4 or IPv6; may be repeated\n(default 10.0.0.0/16 and 198.18.0.0/16)"},
        {.name = "servers", .kind = CLI_LIST, .value = &a->networks[1], .arg = "CIDR",
         .help = "network of the servers, likewise (default 10.1.0.0/24 and 198.51.100.0/24)"},
        {.name = "client-mac", .kind = CLI_TEXT, .value = &a->mac[0], .arg = "XX:XX:XX",
         .help = "first bytes of the clients' MAC addresses, 1 to 6 (default 02:00 or 00:16:3e)"},
        {.name = "server-mac", .kind = CLI_TEXT, .value = &a->mac[1], .arg = "XX:XX:XX", .help = "likewise of the servers"},
        {.name = "client-ports", .kind = CLI_TEXT, .value = &a->ports, .arg = "FIRST-LAST", .help = "ports of the clients (default 49152-54271)"},
        {.name = "service-ports", .kind = CLI_FLAG, .value = &o->service_ports,
         .help = "servers have the usual ports of protocols that have no grammar, too (MongoDB, X11, ...):\nreaders take them for these, and find some packets malformed"},
        {.kind = CLI_HEADING, .help = "For fuzzing"},
        {.name = "fuzz", .kind = CLI_TEXT, .value = &f->fuzz, .arg = "RATE[:KIND,...]", .help = "that share of the packets deviates: the manual lists the kinds"},
        {.name = "fuzz-log", .kind = CLI_TEXT, .value = &f->log, .arg = "FILE", .file = CLI_WRITES, .help = "what deviates and how, as JSON (default beside the output, .fuzz.json)"},
        {.name = "corpus", .kind = CLI_TEXT, .value = &f->corpus, .arg = "DIR", .file = CLI_WRITES, .help = "a new folder of inputs for a fuzzer, one file a unit"},
        {.name = "unit", .kind = CLI_CHOICE, .value = &f->unit, .arg = "UNIT", .choices = corpus_units, .help = "what a file holds (default packet)"},
        {.name = "as", .kind = CLI_CHOICE, .value = &f->as, .arg = "FORM", .choices = corpus_forms, .help = "and how (default pcap, and payload for clients)"},
        {.name = "novel", .kind = CLI_FLAG, .value = &f->novel, .help = "leave files out that have nothing that those before have not"},
        {.name = "files", .kind = CLI_SIZE, .value = &f->most, .arg = "N", .min = 1,
         .help = "keep the N files that show most together"},
        {.kind = CLI_HEADING, .help = "Machine"},
        {.name = "threads", .kind = CLI_SIZE, .value = &a->threads, .arg = "N", .min = 1, .max = 256, .zero = "all CPUs",
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "dtype", .kind = CLI_CHOICE, .value = &a->dtype, .arg = "TYPE", .choices = cli_dtypes,
         .help = "of matrix products: auto is int8 where the CPU has VNNI, else f32 (default auto)"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

/* ---- what the options say ---- */

static int read_networks(arguments *a, int side)
{
    wsp_pool *pool = side ? &a->opt.servers : &a->opt.clients;

    for (size_t i = 0; i < a->networks[side].n; i++) {
        const char *text = a->networks[side].items[i];

        if (pool->n == MAX_NETWORKS)
            return cli_usage(page.name, "more than %d networks of a side", MAX_NETWORKS);
        if (wsp_network_parse(text, &a->network[side][pool->n++]) < 0)
            return cli_usage(page.name, "'%s' is no network such as 10.0.0.0/16 or 2001:db8:1::/64",
                             text);
    }
    pool->networks = a->network[side];
    return CLI_OK;
}

static int read_mac(arguments *a, int side)
{
    wsp_pool *pool = side ? &a->opt.servers : &a->opt.clients;
    const char *at = a->mac[side];
    char *end;

    for (; at && *at; at = *end ? end + 1 : end) {
        unsigned long v = strtoul(at, &end, 16);

        if (end != at + 2 || v > 255 || (*end && *end != ':') || pool->mac_len == 6)
            return cli_usage(page.name,
                             "'%s' is no MAC address or beginning of one, such as 00:1b:21",
                             a->mac[side]);
        pool->mac[pool->mac_len++] = (uint8_t)v;
    }
    if (pool->mac_len && pool->mac[0] & 1)
        return cli_usage(page.name, "'%s' is of a group, not of a host", a->mac[side]);
    return CLI_OK;
}

static int read_ports(arguments *a)
{
    unsigned long first, last;
    char *end = NULL;

    if (!a->ports)
        return CLI_OK;
    first = strtoul(a->ports, &end, 10);
    last = *end == '-' && end > a->ports ? strtoul(end + 1, &end, 10) : 0;
    if (*end || first < 1 || last < first || last > 65535)
        return cli_usage(page.name, "'%s' is no range of ports such as 49152-65535", a->ports);
    a->opt.port_first = (uint16_t)first;
    a->opt.port_last = (uint16_t)last;
    return CLI_OK;
}

/* "protocol:DNS=3": its name and its share. A label may have an equals sign itself. */
static double read_share(const char *text, char *name, size_t size)
{
    const char *eq = strrchr(text, '=');
    char *end = NULL;
    double share = eq ? strtod(eq + 1, &end) : 1;

    if (eq && (end == eq + 1 || *end || !(share > 0) || share > 1e9)) {
        share = 1;
        eq = NULL;
    }
    (void)snprintf(name, size, "%.*s", eq ? (int)(eq - text) : (int)strlen(text), text);
    return share;
}

/* The labels that a name stands for. What may be a share at its end is told where that is wrong. */
static int find_labels(const arguments *a, const wsp_model *m, const char *name, int32_t *condition,
                       size_t *n)
{
    const char *eq = strrchr(name, '=');
    char before[256];
    wsp_error err, other;

    if (wsp_find_conditions(m, name, condition, MAX_SHARES, n, &err) == WSP_OK)
        return CLI_OK;
    (void)snprintf(before, sizeof before, "%.*s", eq ? (int)(eq - name) : 0, name);
    if (eq && wsp_find_conditions(m, before, condition, MAX_SHARES, n, &other) == WSP_OK)
        return cli_usage(page.name, "--label %s: a share is a number above 0, up to 1e9", name);
    if (err.status == WSP_ERR_UNSUPPORTED) /* the label is there */
        return cli_fail("%s: %s", a->model, err.text);
    return cli_fail("%s: %s; wirespeak info %s lists them", a->model, err.text, a->model);
}

static int read_labels(arguments *a, const wsp_model *m)
{
    for (size_t i = 0; i < a->labels.n; i++) {
        int32_t condition[MAX_SHARES];
        char name[256];
        double share = read_share(a->labels.items[i], name, sizeof name);
        size_t n;
        int rc = find_labels(a, m, name, condition, &n);

        if (rc != CLI_OK)
            return rc;
        if (n > MAX_SHARES - a->opt.n_mix)
            return cli_fail("--label %s: more than %d labels in all", name, MAX_SHARES);
        for (size_t k = 0; k < n; k++)
            a->mix[a->opt.n_mix++] = (wsp_share){.condition = condition[k], .weight = share};
    }
    a->opt.mix = a->mix;
    return CLI_OK;
}

static int read_edits(arguments *a)
{
    wsp_from *from = &a->opt.from;
    const char *colon = a->infill ? strchr(a->infill, ':') : NULL;
    char *end = NULL;
    wsp_error err;

    for (size_t i = 0; i < a->sets.n; i++)
        if (wsp_edit_parse(a->sets.items[i], &a->edits[i], &err) < 0)
            return cli_usage(page.name, "--set: %s", err.text);
    a->opt.edits = a->edits;
    a->opt.n_edits = a->sets.n;
    if (a->infill) {
        from->infill = (size_t)strtoull(a->infill, &end, 10);
        if (from->infill == 0 || *a->infill == '-' || (*end && end != colon))
            return cli_usage(page.name, "--infill: '%s' is not K or K:FIELD", a->infill);
        if (colon && wsp_edit_field(colon + 1, &from->field, &err) < 0)
            return cli_usage(page.name, "--infill: %s", err.text);
        from->infill_field = colon;
    }
    if (!a->from && (from->infill || from->times || from->after != SIZE_MAX))
        return cli_usage(page.name,
                         "--after, --infill and --new-times change a capture: give --from FILE");
    if (a->from && a->opt.max_packets && from->after == SIZE_MAX)
        return cli_usage(page.name,
                         "--max-packets is for flows that are drawn: of --from only with --after");
    if (from->infill > from->after)
        return cli_usage(page.name, "packet %zu is drawn anyway: it comes after %zu", from->infill,
                         from->after);
    return CLI_OK;
}

/* The capture of --from or --like. */
static wsp_status read_prompt(arguments *a, const wsp_model *m, wsp_error *err)
{
    const char *path = a->from ? a->from : a->like;
    const wsp_prompt_options want = {.packets = a->from, .label = a->like && !a->labels.n};
    size_t known;

    if (!path)
        return WSP_OK;
    if (wsp_prompt_read(&a->prompt, path, &want, err) < 0)
        return err->status;
    if (a->from) {
        a->opt.from.flows = a->prompt;
        return WSP_OK;
    }
    a->opt.like = a->prompt;
    if (want.label) {
        known = wsp_prompt_conditions(a->prompt, m, "protocol");
        cli_note("%s: %zu flows, %zu of a class that the model knows", path,
                 wsp_prompt_flows(a->prompt), known);
    }
    return WSP_OK;
}

/* ---- generating ---- */

static wsp_status show_progress(void *arg, uint64_t flows, uint64_t packets)
{
    const wsp_generate_options *o = &((const arguments *)arg)->opt;

    if (stop_asked())
        return WSP_ERR_IO; /* any will do: generate() says why */
    if (!isatty(2) || cli_is_quiet())
        return WSP_OK;
    (void)fprintf(stderr, "\r%" PRIu64, flows);
    if (o->flows)
        (void)fprintf(stderr, " of %" PRIu64, o->flows);
    (void)fprintf(stderr, " flows, %" PRIu64, packets);
    if (o->packets)
        (void)fprintf(stderr, " of %" PRIu64, o->packets);
    (void)fprintf(stderr, " packets ");
    return WSP_OK;
}

/* What the list of flows is written with. */
typedef struct listing {
    asked *to;
    const wsp_model *m;
    const fuzzing *fuzz; /* or NULL */
} listing;

/* Conditions count through the labels of all heads. */
static const char *label_of(const wsp_model *m, int32_t condition)
{
    size_t at = (size_t)condition;

    for (size_t h = 0; condition >= 0 && h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);
        if (at < head->n_labels)
            return head->labels[at];
        at -= head->n_labels;
    }
    return NULL;
}

static wsp_status list_flow(void *arg, const wsp_frame *first, int32_t condition, wsp_error *err)
{
    const listing *l = arg;

    (void)err;
    if (!l->fuzz || !fuzzing_full(l->fuzz))
        asked_add(l->to, first, label_of(l->m, condition));
    return WSP_OK;
}

static int generate(arguments *a, const wsp_model *m)
{
    listing list = {.m = m};
    const char *payload = wsp_model_meta_get(m, "max_payload");
    int linktype = 1;
    wsp_pcap_writer *w = NULL;
    fuzzing *fuzz = NULL;
    uint64_t packets = 0;
    wsp_error err;
    wsp_status st;
    int rc = read_labels(a, m);

    if (rc != CLI_OK)
        return rc;
    if (payload)
        a->opt.max_payload = strtoul(payload, NULL, 10);
    st = read_prompt(a, m, &err);
    if (st == WSP_OK && a->from)
        linktype = wsp_prompt_linktype(a->prompt);
    a->fuzz.linktype = linktype;
    stop_on_signals(); /* from here on there are files that would stay */
    if (st == WSP_OK && a->out)
        st = wsp_pcap_writer_open(&w, a->out, linktype, &err);
    if (st == WSP_OK && fuzzing_wanted(&a->fuzz)) {
        st = fuzzing_open(&fuzz, &a->fuzz, w, &err);
        a->opt.take = fuzzing_take;
        a->opt.deviates = fuzzing_has;
        a->opt.take_arg = a->opt.deviates_arg = fuzz;
        if (st == WSP_OK)
            fuzzing_rare(fuzz, &a->opt);
    }
    if (st == WSP_OK && a->asked) {
        st = asked_open(&list.to, a->asked, a->out, linktype, &err);
        list.fuzz = fuzz;
        a->opt.begins = list_flow;
        a->opt.begins_arg = &list;
    }
    if (st == WSP_OK)
        st = wsp_generate(m, &a->opt, w, &packets, &err);
    if (isatty(2) && !cli_is_quiet())
        (void)fputc('\n', stderr);
    if (st == WSP_OK && fuzz)
        st = fuzzing_close(fuzz, &packets, &err);
    else
        fuzzing_discard(fuzz);
    if (st == WSP_OK && list.to)
        st = asked_close(list.to, &err);
    else
        asked_discard(list.to);
    if (st == WSP_OK && w)
        st = wsp_pcap_writer_close(w, &err);
    else
        wsp_pcap_writer_discard(w);
    wsp_prompt_free(a->prompt);
    if (st < 0 && stop_asked())
        return cli_fail("stopped by a signal: nothing is written");
    if (st < 0)
        return cli_fail_error(&err);
    if (a->out)
        cli_note("%" PRIu64 " packets written to %s", packets, a->out);
    return CLI_OK;
}

int cmd_generate(int argc, char **argv)
{
    arguments a = {.opt = wsp_generate_options_default(), .dtype = "auto"};
    wsp_model *m = NULL;
    wsp_error err;
    int rc = CLI_OK;

    a.opt.flows = 0;
    a.opt.duration_ns = a.opt.start_ns = NOT_GIVEN;
    (void)parse(&a, argc, argv);
    if (shipped_model(&a.model, page.name, "generator") != CLI_OK)
        return CLI_USAGE;
    if (!a.out && !a.fuzz.corpus)
        return cli_usage(page.name, "where to? give -w OUT.pcap or --corpus DIR");
    if (a.asked && !a.out)
        return cli_usage(page.name, "--asked lists the flows of a capture: give -w OUT.pcap");
    if (a.opt.duration_ns == 0)
        return cli_usage(page.name, "in --seconds 0 no flow begins");
    if (a.opt.duration_ns == NOT_GIVEN)
        a.opt.duration_ns = 0;
    a.opt.from.moved = a.from && a.opt.start_ns != NOT_GIVEN;
    if (a.opt.start_ns == NOT_GIVEN)
        a.opt.start_ns = wsp_generate_options_default().start_ns;
    a.fuzz.out = a.out;
    a.fuzz.seed = a.opt.seed;
    a.fuzz.packets = a.opt.packets;
    a.fuzz.drawn = !a.from || a.infill || a.opt.from.after != SIZE_MAX;
    if (fuzzing_mistake(&a.fuzz))
        return cli_usage(page.name, "%s", fuzzing_mistake(&a.fuzz));
    for (int side = 0; side < 2 && rc == CLI_OK; side++)
        if ((rc = read_networks(&a, side)) == CLI_OK)
            rc = read_mac(&a, side);
    if (rc == CLI_OK)
        rc = read_ports(&a);
    if (rc == CLI_OK)
        rc = read_edits(&a);
    if (rc != CLI_OK)
        return rc;
    if (!a.opt.flows && !a.opt.packets && !a.opt.duration_ns && !a.from && !a.like)
        a.opt.flows = 10;
    a.opt.threads = (unsigned)a.threads;
    a.opt.dtype = cli_dtype(a.dtype);
    a.opt.report = show_progress;
    a.opt.arg = &a;
    if (wsp_model_load(&m, a.model, &err) < 0)
        return cli_fail_error(&err);
    rc = generate(&a, m);
    wsp_model_free(m);
    return rc;
}

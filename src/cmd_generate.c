/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_generate.c: a capture of new flows, drawn from a model. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "generate",
    .operands = "[OPTION]... -m MODEL -w OUT.pcap",
    .summary =
        "Writes a capture of new flows, drawn from a model token by token within the grammar of "
        "the "
        "protocols.\n"
        "Lengths, checksums and sequence numbers are computed; addresses come from two networks.",
    .examples = "  wirespeak generate -m model.safetensors -n 100 --label DNS -w dns.pcap\n",
    .min_operands = 0,
    .max_operands = 0,
};

typedef struct arguments {
    const char *model, *out, *label, *clients, *servers;
    size_t threads;
    wsp_generate_options opt;
} arguments;

/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    wsp_generate_options *o = &a->opt;
    const cli_option options[] = {
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a->model, .arg = "MODEL", .help = "the model"},
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "FILE", .help = "the capture to write"},
        {.name = "count", .letter = 'n', .kind = CLI_U64, .value = &o->flows, .arg = "N", .min = 1, .max = 100000000,
         .help = "number of flows (default 10)"},
        {.name = "label", .letter = 'l', .kind = CLI_TEXT, .value = &a->label, .arg = "NAME",
         .help = "what the flows shall be: a label of the model (default whatever)"},
        {.name = "seed", .kind = CLI_U64, .value = &o->seed, .arg = "N", .help = "the same seed gives the same capture (default 0)"},
        {.name = "temperature", .kind = CLI_REAL, .value = &o->temperature, .arg = "T", .rmax = 100,
         .help = "below 1 more of the usual, above 1 more of the rare (default 1)"},
        {.name = "top-k", .kind = CLI_SIZE, .value = &o->top_k, .arg = "K", .help = "draw among the K likeliest tokens"},
        {.name = "top-p", .kind = CLI_REAL, .value = &o->top_p, .arg = "P", .rmin = 0.000001, .rmax = 1,
         .help = "draw among the likeliest tokens that have the share P of the odds"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &o->max_packets, .arg = "N", .min = 1, .max = 1000000,
         .help = "packets of a flow at most (default 64)"},
        {.name = "rate", .kind = CLI_REAL, .value = &o->rate, .arg = "N", .rmin = 0.000001, .rmax = 1e9,
         .help = "new flows a second on average (default 10)"},
        {.name = "start", .kind = CLI_SECONDS, .value = &o->start_ns, .arg = "SECONDS", .help = "time of the first flow since 1970"},
        {.name = "threads", .kind = CLI_SIZE, .value = &a->threads, .arg = "N", .min = 0, .max = 256,
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "clients", .kind = CLI_TEXT, .value = &a->clients, .arg = "CIDR", .help = "network of the clients (default 10.0.0.0/16)"},
        {.name = "servers", .kind = CLI_TEXT, .value = &a->servers, .arg = "CIDR", .help = "network of the servers (default 198.51.100.0/24)"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

/* The condition of a label: labels of all heads count through. */
static int32_t find_label(const wsp_model *m, const char *name)
{
    int32_t at = 0;

    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);
        for (size_t l = 0; l < head->n_labels; l++, at++)
            if (strcmp(head->labels[l], name) == 0)
                return at;
    }
    return -1;
}

static bool read_cidr(const char *text, uint8_t net[4], unsigned *bits)
{
    char addr[32];
    const char *slash = strchr(text, '/');
    char *end = NULL;
    unsigned long n = slash ? strtoul(slash + 1, &end, 10) : 32;

    if (slash && (end == slash + 1 || *end))
        return false;
    (void)snprintf(addr, sizeof addr, "%.*s", slash ? (int)(slash - text) : (int)strlen(text),
                   text);
    *bits = (unsigned)n;
    return n <= 32 && inet_pton(AF_INET, addr, net) == 1;
}

static wsp_status progress(void *arg, uint64_t flows, uint64_t packets)
{
    const arguments *a = arg;

    if (isatty(2) && !cli_is_quiet())
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " flows, %" PRIu64 " packets ", flows,
                      a->opt.flows, packets);
    if (isatty(2) && !cli_is_quiet() && flows == a->opt.flows)
        (void)fputc('\n', stderr);
    return WSP_OK;
}

static int generate(arguments *a, const wsp_model *m)
{
    const char *payload = wsp_model_meta_get(m, "max_payload");
    wsp_pcap_writer *w = NULL;
    uint64_t packets = 0;
    wsp_error err;
    wsp_status st;

    if (a->label && (a->opt.condition = find_label(m, a->label)) < 0)
        return cli_fail("%s has no label '%s': wirespeak info %s lists them", a->model, a->label,
                        a->model);
    if (payload)
        a->opt.view.max_payload = strtoul(payload, NULL, 10);
    st = wsp_pcap_writer_open(&w, a->out, 1, &err);
    if (st == WSP_OK)
        st = wsp_generate(m, &a->opt, w, &packets, &err);
    if (st == WSP_OK)
        st = wsp_pcap_writer_close(w, &err);
    else
        wsp_pcap_writer_discard(w);
    if (st < 0)
        return cli_fail_error(&err);
    cli_note("%" PRIu64 " packets of %" PRIu64 " flows written to %s", packets, a->opt.flows,
             a->out);
    return CLI_OK;
}

int cmd_generate(int argc, char **argv)
{
    arguments a = {.opt = wsp_generate_options_default()};
    wsp_model *m = NULL;
    wsp_error err;
    int rc;

    a.opt.flows = 10;
    (void)parse(&a, argc, argv);
    if (!a.model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    if (!a.out)
        return cli_usage(page.name, "where to? give -w OUT.pcap");
    if (a.clients && !read_cidr(a.clients, a.opt.clients, &a.opt.client_bits))
        return cli_usage(page.name, "'%s' is no IPv4 network such as 10.0.0.0/16", a.clients);
    if (a.servers && !read_cidr(a.servers, a.opt.servers, &a.opt.server_bits))
        return cli_usage(page.name, "'%s' is no IPv4 network such as 198.51.100.0/24", a.servers);
    a.opt.threads = (unsigned)a.threads;
    a.opt.report = progress;
    a.opt.arg = &a;
    if (wsp_model_load(&m, a.model, &err) < 0)
        return cli_fail_error(&err);
    rc = generate(&a, m);
    wsp_model_free(m);
    return rc;
}

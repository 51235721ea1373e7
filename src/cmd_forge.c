/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_forge.c: captures again, from other hosts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "eve.h"
#include "wirespeak/task.h"

static const cli_rule rules[] = {{"plant-every", CLI_ONLY_WITH, "plant"},
                                 {NULL, CLI_ONLY_WITH, NULL}};

static const cli_page page = {
    .name = "forge",
    .operands = "[OPTION]... -w OUT.pcap FILE...",
    .summary =
        "Writes captures again as if other hosts had sent them: addresses, ports, TTLs, TCP's "
        "sequence numbers\n"
        "and timestamps, and server names in TLS hellos are mapped one to one, checksums made "
        "right. A classifier\n"
        "that does not look at hosts gives the same labels.",
    .examples = "  wirespeak forge -w forged.pcap trace.pcap\n"
                "  wirespeak forge --only ports,ttl --seed 7 -w forged.pcap trace.pcap\n",
    .rules = rules,
    .min_operands = 1,
    .max_operands = -1,
};

static const struct {
    const char *name;
    unsigned bit;
} parts[] = {{"addresses", WSP_FORGE_ADDRESSES},
             {"ports", WSP_FORGE_PORTS},
             {"ttl", WSP_FORGE_TTL},
             {"numbers", WSP_FORGE_NUMBERS},
             {"timestamps", WSP_FORGE_TIMESTAMPS},
             {"names", WSP_FORGE_NAMES},
             {"none", 0}};

static unsigned parse_parts(const char *list)
{
    const char *const all = list;
    unsigned what = 0;
    bool none = false;

    do { /* an empty list (of a variable that nobody set) is none that anybody meant */
        size_t n = strcspn(list, ","), i = 0;
        while (i < sizeof parts / sizeof parts[0] &&
               (strlen(parts[i].name) != n || strncmp(parts[i].name, list, n) != 0))
            i++;
        if (i == sizeof parts / sizeof parts[0])
            cli_die_usage(
                page.name,
                "'%.*s' is none of addresses, ports, ttl, numbers, timestamps, names, none", (int)n,
                list);
        what |= parts[i].bit;
        none |= parts[i].bit == 0;
        list += n + (list[n] == ',');
    } while (*list);
    if (none && what)
        cli_die_usage(page.name, "--only %s: 'none' stands alone", all);
    return what;
}

/* ---- canaries ---- */

enum { MAX_CANARIES = 4096 };

typedef struct canaries {
    char *line[MAX_CANARIES];
    size_t n;
} canaries;

/* The lines of a file that are not empty. */
static wsp_status canaries_read(canaries *c, const char *path, wsp_error *err)
{
    FILE *f = fopen(path, "re");
    size_t room = 0;
    char *line = NULL;
    const char *wrong = f ? NULL : strerror(errno);

    while (!wrong && getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (!*line)
            continue;
        if (c->n == MAX_CANARIES)
            wrong = "more lines than 4096";
        else if (!(c->line[c->n] = strdup(line)))
            wrong = "no memory for its lines";
        else
            c->n++;
    }
    if (!wrong && ferror(f))
        wrong = strerror(errno);
    free(line);
    if (f)
        (void)fclose(f);
    if (!wrong && c->n == 0)
        wrong = "no line to plant";
    return wrong ? cli_error(err, WSP_ERR_IO, "%s: %s", path, wrong) : WSP_OK;
}

static void canaries_clear(canaries *c)
{
    while (c->n > 0)
        free(c->line[--c->n]);
}

/* ---- what is written ---- */

typedef struct job {
    const char *out;
    wsp_forge_options opt;
    wsp_pcap_writer *pcap; /* of one link type, or */
    wsp_pcapng_writer *ng; /* an interface for each capture; neither: nothing was opened yet */
    int linktype;
    uint32_t interface;
    uint64_t packets, broken;
} job;

static bool ends_with(const char *name, const char *tail)
{
    size_t n = strlen(name), t = strlen(tail);

    return n >= t && strcmp(name + n - t, tail) == 0;
}

static wsp_status begin_interface(job *j, const wsp_capture_info *info, wsp_error *err)
{
    char *name = eve_printable(info->name);
    wsp_status st = WSP_OK;

    if (!name)
        return cli_error(err, WSP_ERR_NOMEM, "no memory for a capture's name");
    if (!j->ng)
        st = wsp_pcapng_writer_open(&j->ng, j->out, err);
    if (st == WSP_OK)
        st = wsp_pcapng_writer_interface(j->ng, info->linktype, name, &j->interface, err);
    free(name);
    return st;
}

/* The next capture begins. */
static wsp_status begin_capture(job *j, const wsp_capture_info *info, wsp_error *err)
{
    if (ends_with(j->out, ".pcapng"))
        return begin_interface(j, info, err);
    if (j->pcap && info->linktype != j->linktype)
        return cli_error(err, WSP_ERR_UNSUPPORTED,
                         "%s has link type %d, what comes before it %d: a pcap file has one, a "
                         "pcapng several: write one (-w OUT.pcapng)",
                         info->name, info->linktype, j->linktype);
    j->linktype = info->linktype;
    return j->pcap ? WSP_OK : wsp_pcap_writer_open(&j->pcap, j->out, info->linktype, err);
}

static wsp_status add(job *j, const wsp_frame *frame, wsp_error *err)
{
    return j->ng ? wsp_pcapng_writer_add(j->ng, j->interface, frame, NULL, 0, err)
                 : wsp_pcap_writer_add(j->pcap, frame, err);
}

static wsp_status finish(job *j, wsp_error *err)
{
    wsp_pcapng_writer *ng = j->ng;
    wsp_pcap_writer *pcap = j->pcap;

    j->ng = NULL;
    j->pcap = NULL;
    return ng ? wsp_pcapng_writer_close(ng, err) : wsp_pcap_writer_close(pcap, err);
}

/* ---- captures ---- */

/* What is not mapped is told: of a link type that is not taken apart of all packets at once. */
static void warn_opaque(const job *j, const char *name, bool link, const wsp_forger *f,
                        uint64_t packets)
{
    if (!link)
        cli_warn("%s: no address in it is mapped: its hosts are in %s as they were", name, j->out);
    else if (f && wsp_forger_opaque(f))
        cli_warn("%s: %" PRIu64 " of %" PRIu64
                 " packets hold what is not taken apart: addresses in it are in %s as they were",
                 name, wsp_forger_opaque(f), packets, j->out);
}

static wsp_status forge_capture(job *j, wsp_input *in, const wsp_capture_info *info, wsp_error *err)
{
    bool link = wsp_packet_link(info->name, info->linktype);
    uint64_t before = j->packets;
    wsp_forger *f = NULL;
    wsp_frame frame, forged;
    wsp_status st = wsp_forger_new(&f, info->linktype, &j->opt);

    while (st == WSP_OK) {
        st = wsp_input_next(in, &frame, err);
        if (st == WSP_ERR_FORMAT || st == WSP_ERR_IO) { /* broken off: what came before is forged */
            cli_warn("%s (the packets before it are kept)", err->text);
            j->broken++;
            st = WSP_EOF;
        }
        if (st == WSP_OK)
            st = wsp_forger_frame(f, &frame, &forged);
        if (st == WSP_OK)
            st = add(j, &forged, err);
        j->packets += st == WSP_OK;
    }
    if (st >= 0)
        warn_opaque(j, info->name, link, f, j->packets - before);
    wsp_forger_free(f);
    return st;
}

static wsp_status forge_all(job *j, wsp_input *in, wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st;

    while ((st = wsp_input_open_next(in, &info, err)) == WSP_OK) {
        st = begin_capture(j, &info, err);
        if (st == WSP_OK)
            st = forge_capture(j, in, &info, err);
        if (st < 0)
            return st;
    }
    return st;
}

int cmd_forge(int argc, char **argv)
{
    job j = {.opt = wsp_forge_options_default()};
    const char *only = NULL, *plant = NULL;
    wsp_input_options how = wsp_input_options_default();
    canaries planted = {.n = 0};
    const cli_option options[] = {
        {.name = "write",
         .letter = 'w',
         .kind = CLI_TEXT,
         .value = &j.out,
         .arg = "OUT.pcap",
         .file = CLI_WRITES,
         .help = "the capture to write; - is standard output; with a name that\nends in .pcapng "
                 "captures may have different link types"},
        {.name = "only",
         .kind = CLI_TEXT,
         .value = &only,
         .arg = "LIST",
         .help = "of addresses,ports,ttl,numbers,timestamps,names, or none (default all)"},
        {.name = "plant",
         .kind = CLI_TEXT,
         .value = &plant,
         .arg = "FILE",
         .file = CLI_READS_LIST,
         .help = "write the lines of this file into payloads: canaries, which\nwirespeak eval "
                 "--canaries looks for in what was generated"},
        {.name = "plant-every",
         .kind = CLI_SIZE,
         .value = &j.opt.plant_every,
         .arg = "N",
         .min = 1,
         .help = "into every N-th packet with room for one (default 100)"},
        {.name = "password",
         .kind = CLI_TEXT,
         .value = &how.password,
         .arg = "TEXT",
         .help = CAPTURES_PASSWORD},
        {.name = "seed",
         .kind = CLI_U64,
         .value = &j.opt.seed,
         .arg = "N",
         .help = "which other hosts (default 1)"},
    };
    wsp_input *in = NULL;
    wsp_error err = {.text = "out of memory"};
    wsp_status st;
    int first;

    j.opt.plant_every = 100;
    first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    if (!j.out)
        return cli_usage(page.name, "where to? give -w OUT.pcap");
    if (only)
        j.opt.what = parse_parts(only);
    if (plant && canaries_read(&planted, plant, &err) < 0)
        return cli_fail_error(&err);
    j.opt.plant = (const char *const *)planted.line;
    j.opt.n_plant = planted.n;
    st =
        wsp_input_new(&in, (const char *const *)(argv + first), (size_t)(argc - first), &how, &err);
    if (st == WSP_OK)
        st = forge_all(&j, in, &err);
    if (st >= 0 && !j.pcap && !j.ng)
        st = cli_error(&err, WSP_ERR_FORMAT, "no capture in what was named");
    if (st >= 0)
        st = finish(&j, &err);
    wsp_pcap_writer_discard(j.pcap);
    wsp_pcapng_writer_discard(j.ng);
    wsp_input_free(in);
    canaries_clear(&planted);
    if (st < 0)
        return captures_refused(page.name, &err);
    cli_note("%" PRIu64 " packets written to %s", j.packets, j.out);
    return j.broken ? 1 : CLI_OK;
}

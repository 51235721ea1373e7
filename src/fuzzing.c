/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzing.c: generated packets through a deviator into a capture, with a JSON file of what deviates, and into a corpus. */
#include "fuzzing.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "corpus.h"

struct fuzzing {
    fuzzing_options opt;
    wsp_pcap_writer *w;
    corpus *files;
    wsp_deviator *deviator;
    wsp_deviation has; /* of the next packet, when it has one */
    bool next_has;
    double rate;
    unsigned kinds;
    char *log; /* name of the side file */
    json_t *deviations;
    uint64_t packets, count[WSP_DEVIATIONS];
};

bool fuzzing_wanted(const fuzzing_options *o)
{
    return o->fuzz || o->corpus;
}

static corpus_view view_of(const fuzzing_options *o)
{
    return o->corpus ? corpus_shows(o->unit, o->as) : (corpus_view){.single = false};
}

/*
 * Without drawn packets there are no rare ones, and what does not show in the files of a corpus (in payloads; the order of packets
 * where each has a file) is not in it: the other kinds have the whole rate.
 */
static wsp_status read_kinds(const fuzzing_options *o, double *rate, unsigned *kinds)
{
    wsp_status st = wsp_deviate_parse(o->fuzz, rate, kinds);
    corpus_view view = view_of(o);

    if (!o->drawn)
        *kinds &= ~(1u << WSP_DEVIATE_RARE);
    if (view.payloads)
        *kinds &= ~(1u << WSP_DEVIATE_CHECKSUM | 1u << WSP_DEVIATE_OVERLAP);
    if (view.single)
        *kinds &= ~(1u << WSP_DEVIATE_ORDER);
    return st;
}

const char *fuzzing_mistake(const fuzzing_options *o)
{
    unsigned kinds = 1;
    unsigned asked = 0;
    double rate;

    if (o->fuzz &&
        (wsp_deviate_parse(o->fuzz, &rate, &asked) < 0 || read_kinds(o, &rate, &kinds) < 0))
        return "--fuzz is RATE or RATE:KIND[,KIND...], a rate from 0 to 1 and kinds of value, "
               "checksum, length, overlap, order, truncate, options, rare";
    if (kinds == 0 && view_of(o).single && asked >> WSP_DEVIATE_ORDER & 1)
        return "the order of packets does not show in files of one each: give --unit flow or "
               "client, or other kinds";
    if (kinds == 0 && view_of(o).payloads)
        return "these kinds do not show in a corpus of payloads: give others, or --as pcap";
    if (kinds == 0)
        return "rare values come in packets that are drawn: give --after or --infill, or other "
               "kinds";
    if (o->log && !o->fuzz)
        return "--fuzz-log without --fuzz has nothing to log";
    if (o->fuzz && !o->log && !o->corpus && (!o->out || strcmp(o->out, "-") == 0))
        return "where to log deviations? give --fuzz-log FILE";
    if ((o->unit || o->as || o->novel || o->most) && !o->corpus)
        return "--unit, --as, --novel and --files are for the files of --corpus DIR";
    return o->corpus ? corpus_mistake(o->unit, o->as) : NULL;
}

/* ---- what comes out of the deviator ---- */

bool fuzzing_full(const fuzzing *f)
{
    return f->opt.packets && f->packets >= f->opt.packets;
}

static wsp_status on_packet(void *arg, const wsp_frame *frame, uint64_t flow, int dir,
                            wsp_error *err)
{
    fuzzing *f = arg;
    wsp_status st = WSP_OK;

    if (fuzzing_full(f))
        return WSP_OK;
    f->packets++;
    if (f->w)
        st = wsp_pcap_writer_add(f->w, frame, err);
    if (st == WSP_OK && f->files)
        st = corpus_add(f->files, frame, f->packets, flow, dir, err);
    return st;
}

static wsp_status on_deviation(void *arg, const wsp_deviation *d, wsp_error *err)
{
    fuzzing *f = arg;
    json_t *row;

    if (fuzzing_full(f))
        return WSP_OK;
    row = json_pack("{s:I,s:I,s:s,s:s,s:s,s:s}", "packet", (json_int_t)d->packet, "flow",
                    (json_int_t)d->flow, "kind", wsp_deviation_name(d->kind), "field", d->field,
                    "from", d->from, "to", d->to);
    if (row && d->kind != WSP_DEVIATE_RARE) {
        (void)json_object_set_new(row, "at", json_integer(d->at));
        (void)json_object_set_new(row, "bytes", json_integer(d->bytes));
    }

    f->count[d->kind]++;
    return json_array_append_new(f->deviations, row) == 0
               ? WSP_OK
               : cli_error(err, WSP_ERR_NOMEM, "out of memory for a corpus");
}

void fuzzing_rare(const fuzzing *f, wsp_generate_options *o)
{
    const corpus_view view = view_of(&f->opt);

    o->rare = wsp_deviate_rare(f->rate, f->kinds);
    o->rare_clients = view.clients;
    o->rare_payloads = view.payloads;
}

wsp_status fuzzing_has(void *arg, const wsp_deviation *d, wsp_error *err)
{
    fuzzing *f = arg;

    (void)err;
    f->has = *d;
    f->next_has = true;
    return WSP_OK;
}

wsp_status fuzzing_take(void *arg, const wsp_frame *frame, wsp_error *err)
{
    fuzzing *f = arg;
    const wsp_deviation *has = f->next_has ? &f->has : NULL;

    f->next_has = false;
    return wsp_deviator_add(f->deviator, frame, has, err);
}

/* ---- the side file ---- */

static json_t *kinds_of(unsigned kinds)
{
    json_t *list = json_array();

    for (size_t k = 0; k < WSP_DEVIATIONS; k++)
        if (kinds >> k & 1)
            (void)json_array_append_new(list, json_string(wsp_deviation_name(k)));
    return list;
}

/* Beyond 2^53 readers of JSON round numbers: then it is a string. */
static json_t *seed_of(uint64_t seed)
{
    char digits[24];

    if (seed < UINT64_C(1) << 53)
        return json_integer((json_int_t)seed);
    (void)snprintf(digits, sizeof digits, "%" PRIu64, seed);
    return json_string(digits);
}

/* One deviation a line. */
static bool print_log(const fuzzing *f, FILE *to)
{
    json_t *head = json_pack("{s:s,s:o,s:f,s:o}", "format", "wirespeak-deviations-1", "seed",
                             seed_of(f->opt.seed), "rate", f->rate, "kinds", kinds_of(f->kinds));
    char *text = head ? json_dumps(head, JSON_REAL_PRECISION(6)) : NULL;
    size_t i, n = json_array_size(f->deviations);
    json_t *row;
    bool ok = text && fprintf(to, "%.*s, \"deviations\": [\n", (int)strlen(text) - 1, text) > 0;

    json_array_foreach(f->deviations, i, row) ok =
        ok && json_dumpf(row, to, 0) == 0 && fputs(i + 1 < n ? ",\n" : "\n", to) >= 0;
    free(text);
    json_decref(head);
    return ok && fputs("]}\n", to) >= 0;
}

static wsp_status write_log(const fuzzing *f, wsp_error *err)
{
    wsp_outfile to;

    if (wsp_outfile_open(&to, f->log, false, err) < 0)
        return WSP_ERR_IO;
    if (!print_log(f, to.fp) && !ferror(to.fp)) { /* what cannot be written is told by commit */
        wsp_outfile_discard(&to);
        return cli_error(err, WSP_ERR_NOMEM, "out of memory for a corpus");
    }
    return wsp_outfile_commit(&to, err);
}

/* ---- the run ---- */

static char *log_name(const fuzzing_options *o)
{
    const char *beside = o->out && strcmp(o->out, "-") != 0 ? o->out : o->corpus;
    size_t len = beside ? strlen(beside) : 0;
    char *name;

    if (o->log)
        return strdup(o->log);
    while (len > 1 && beside[len - 1] == '/')
        len--;
    name = malloc(len + sizeof ".fuzz.json");
    if (name)
        (void)snprintf(name, len + sizeof ".fuzz.json", "%.*s.fuzz.json", (int)len,
                       beside ? beside : "");
    return name;
}

void fuzzing_discard(fuzzing *f)
{
    if (!f)
        return;
    corpus_discard(f->files);
    wsp_deviator_free(f->deviator);
    json_decref(f->deviations);
    free(f->log);
    free(f);
}

wsp_status fuzzing_open(fuzzing **out, const fuzzing_options *o, wsp_pcap_writer *w, wsp_error *err)
{
    fuzzing *f = calloc(1, sizeof *f);
    wsp_deviate_options opt = {.seed = o->seed,
                               .linktype = o->linktype,
                               .packet = on_packet,
                               .log = on_deviation,
                               .arg = f};
    wsp_status st = WSP_OK;

    *out = NULL;
    if (!f)
        return cli_error(err, WSP_ERR_NOMEM, "out of memory for a corpus");
    f->opt = *o;
    f->w = w;
    if (o->fuzz)
        st = read_kinds(o, &f->rate, &f->kinds);
    opt.rate = f->rate;
    opt.kinds = f->kinds;
    opt.clients = view_of(o).clients;
    opt.payloads = view_of(o).payloads;
    f->log = o->fuzz ? log_name(o) : NULL;
    f->deviations = json_array();
    if ((o->fuzz && !f->log) || !f->deviations ||
        (st == WSP_OK && wsp_deviator_new(&f->deviator, &opt) < 0))
        st = cli_error(err, WSP_ERR_NOMEM, "out of memory for a corpus");
    if (st == WSP_OK && o->corpus)
        st = corpus_open(&f->files,
                         &(corpus_options){.folder = o->corpus,
                                           .unit = o->unit,
                                           .as = o->as,
                                           .novel = o->novel,
                                           .most = o->most,
                                           .linktype = opt.linktype},
                         err);
    if (st < 0) {
        fuzzing_discard(f);
        return st;
    }
    *out = f;
    return WSP_OK;
}

static void tell(const fuzzing *f)
{
    uint64_t all = 0;

    for (size_t k = 0; k < WSP_DEVIATIONS; k++)
        all += f->count[k];
    if (f->log)
        cli_note("%" PRIu64 " of %" PRIu64 " packets deviate: %s says how", all, f->packets,
                 f->log);
}

wsp_status fuzzing_close(fuzzing *f, uint64_t *packets, wsp_error *err)
{
    wsp_status st = wsp_deviator_finish(f->deviator, err);
    uint64_t files = 0;

    *packets = f->packets;
    if (st == WSP_OK && f->log)
        st = write_log(f, err);
    if (st == WSP_OK && f->files) {
        st = corpus_close(f->files, &files, err);
        f->files = NULL;
    }
    if (st == WSP_OK)
        tell(f);
    if (st == WSP_OK && f->opt.corpus)
        cli_note("%" PRIu64 " files written to %s", files, f->opt.corpus);
    fuzzing_discard(f);
    return st;
}

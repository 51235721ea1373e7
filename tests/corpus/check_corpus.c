/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_corpus.c: the whole way there and back for every capture of folders: tokenize, write a token file, load it,
 * detokenize to a pcap, read that, and compare every packet (bytes, lengths, nanoseconds, order) with the original.
 * usage: check_corpus SCRATCH-FOLDER PATH...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wirespeak/token.h"

static bool same_frame(const wsp_frame *a, const wsp_frame *b)
{
    return a->time_ns == b->time_ns && a->caplen == b->caplen && a->wirelen == b->wirelen &&
           (a->caplen == 0 || memcmp(a->data, b->data, a->caplen) == 0);
}

/* Reads the open capture of `in` and the file `again` in step; false at the first difference. */
static bool compare(wsp_input *in, const char *again, uint64_t *packets, wsp_error *err)
{
    wsp_capture_info info;
    wsp_frame a, b;
    wsp_input *other;
    wsp_status sa, sb;
    bool same;

    if (wsp_input_new(&other, &again, 1, NULL, err) < 0 ||
        wsp_input_open_next(other, &info, err) != WSP_OK)
        return false;
    do {
        sa = wsp_input_next(in, &a, err);
        sb = wsp_input_next(other, &b, err);
        same = sa == WSP_OK ? sb == WSP_OK && same_frame(&a, &b)
                            : sb == WSP_EOF; /* a broken end is an end */
        *packets += sa == WSP_OK;
    } while (same && sa == WSP_OK);
    wsp_input_free(other);
    return same;
}

static bool rebuild(const wsp_tokens *t, size_t i, const char *path, wsp_error *err)
{
    wsp_pcap_writer *w;
    uint64_t n;

    if (wsp_pcap_writer_open(&w, path, t->linktype[i], err) < 0)
        return false;
    if (wsp_detokenize(t, i, w, &n, err) < 0) {
        wsp_pcap_writer_discard(w);
        return false;
    }
    return wsp_pcap_writer_close(w, err) == WSP_OK;
}

static wsp_tokens *through_a_file(const char *path, wsp_input *in, wsp_tokenize_stats *stats,
                                  wsp_error *err)
{
    wsp_tokenize_options how = {.keep = true};
    wsp_tokens *t, *loaded = NULL;
    wsp_status st = wsp_tokenize(in, &how, &t, stats, err);

    if (st < 0)
        return NULL;
    st = wsp_tokens_save(t, path, false, err);
    wsp_tokens_free(t);
    if (st == WSP_OK)
        st = wsp_tokens_load(&loaded, path, err);
    return st == WSP_OK ? loaded : NULL;
}

int main(int argc, char **argv)
{
    wsp_input_options opt = wsp_input_options_default();
    char npz[1024], pcap[1024];
    wsp_tokenize_stats stats;
    wsp_capture_info info;
    uint64_t packets = 0;
    size_t i = 0, differ = 0;
    wsp_error err = {.text = ""};
    wsp_tokens *t;
    wsp_input *in;

    if (argc < 3)
        return 2;
    opt.skip_bad = true;
    (void)snprintf(npz, sizeof npz, "%s/corpus.npz", argv[1]);
    (void)snprintf(pcap, sizeof pcap, "%s/again.pcap", argv[1]);
    if (wsp_input_new(&in, (const char *const *)(argv + 2), (size_t)(argc - 2), &opt, &err) < 0)
        return 1;
    t = through_a_file(npz, in, &stats, &err);
    wsp_input_free(in);
    if (!t ||
        wsp_input_new(&in, (const char *const *)(argv + 2), (size_t)(argc - 2), &opt, &err) < 0) {
        printf("not ok - %s\n", err.text);
        return 1;
    }
    for (; wsp_input_open_next(in, &info, &err) == WSP_OK; i++)
        if (!rebuild(t, i, pcap, &err) || !compare(in, pcap, &packets, &err)) {
            printf("not ok - %s differs: %s\n", info.name, err.text);
            differ++;
        }
    printf("%s - %zu captures, %" PRIu64
           " packets come back the same, %zu captures differ; %.2f header tokens per packet\n",
           differ || i != t->n_captures ? "not ok" : "ok", i - differ, packets, differ,
           stats.packets ? (double)stats.header_tokens / (double)stats.packets : 0.0);
    wsp_input_free(in);
    (void)unlink(npz);
    (void)unlink(pcap);
    differ += i != t->n_captures;
    wsp_tokens_free(t);
    return differ ? 1 : 0;
}

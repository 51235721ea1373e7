/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotate.c: the packets of a run again, with what was said of their flows as comments. A flow is labelled when it has ended, its
 * packets come before: they wait in a file without a name beside the output, and so do the texts, of which memory holds the places.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "capture/capture_int.h"
#include "task/task_int.h"

/* What a waiting packet has before its bytes. */
typedef struct waiting {
    uint64_t time_ns, flow, packet;
    uint32_t caplen, wirelen, interface;
} waiting;

/* What waiting texts begin with: the text of the first packet, then those of the packets; each ends with a zero byte. */
typedef struct texts {
    uint32_t n, len;
} texts;

struct wsp_annotator {
    wsp_pcapng_writer *writer;
    FILE *packets, *said;
    uint64_t n_packets, said_len;
    uint64_t *place; /* [cap] by flow: where its texts begin, plus one; 0: none */
    size_t cap;
    uint32_t interface;
    bool told_only;
    char *path;
};

static wsp_status spool_fail(const wsp_annotator *a, wsp_error *err)
{
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: the file where packets wait: %s", a->path,
                     strerror(errno ? errno : EIO));
}

wsp_status wsp_annotator_open(wsp_annotator **out, const char *path, bool told_only, wsp_error *err)
{
    wsp_annotator *a = wspi_new_array(1, sizeof *a);
    wsp_status st;

    *out = NULL;
    if (!a || !(a->path = strdup(path))) {
        wsp_annotator_discard(a);
        return wspi_nomem(err, "an annotator", sizeof *a);
    }
    a->told_only = told_only;
    st = wsp_pcapng_writer_open(&a->writer, path, err);
    if (st == WSP_OK &&
        (!(a->packets = wspi_spool_open(path)) || !(a->said = wspi_spool_open(path))))
        st = spool_fail(a, err);
    if (st < 0) {
        wsp_annotator_discard(a);
        return st;
    }
    *out = a;
    return WSP_OK;
}

wsp_status wsp_annotator_capture(wsp_annotator *a, const char *name, int linktype, wsp_error *err)
{
    return wsp_pcapng_writer_interface(a->writer, linktype, name, &a->interface, err);
}

wsp_status wsp_annotator_packet(wsp_annotator *a, const wsp_frame *frame, uint64_t flow,
                                uint64_t packet, wsp_error *err)
{
    const waiting w = {.time_ns = frame->time_ns,
                       .flow = flow,
                       .packet = packet,
                       .caplen = frame->caplen,
                       .wirelen = frame->wirelen,
                       .interface = a->interface};

    if (fwrite(&w, sizeof w, 1, a->packets) != 1 ||
        (w.caplen && fwrite(frame->data, w.caplen, 1, a->packets) != 1))
        return spool_fail(a, err);
    a->n_packets++;
    return WSP_OK;
}

static wsp_status make_place(wsp_annotator *a, uint64_t flow)
{
    size_t cap = (size_t)flow + (size_t)flow / 2 + 1024;
    uint64_t *p;

    if (flow < a->cap)
        return WSP_OK;
    p = realloc(a->place, cap * sizeof *p);
    if (!p)
        return WSP_ERR_NOMEM;
    memset(p + a->cap, 0, (cap - a->cap) * sizeof *p);
    a->place = p;
    a->cap = cap;
    return WSP_OK;
}

wsp_status wsp_annotator_flow(wsp_annotator *a, uint64_t flow, const char *first,
                              const char *const *each, size_t n, wsp_error *err)
{
    texts t = {.n = (uint32_t)n, .len = (uint32_t)strlen(first) + 1};
    bool good;

    if (make_place(a, flow) < 0)
        return wspi_nomem(err, "places of texts", (size_t)flow);
    for (size_t i = 0; i < n; i++)
        t.len += (uint32_t)strlen(each[i]) + 1;
    a->place[flow] = a->said_len + 1;
    good =
        fwrite(&t, sizeof t, 1, a->said) == 1 && fwrite(first, strlen(first) + 1, 1, a->said) == 1;
    for (size_t i = 0; good && i < n; i++)
        good = fwrite(each[i], strlen(each[i]) + 1, 1, a->said) == 1;
    a->said_len += sizeof t + t.len;
    return good ? WSP_OK : spool_fail(a, err);
}

static bool is_told(const wsp_annotator *a, uint64_t flow)
{
    return flow < a->cap && a->place[flow];
}

/* The comments of a packet: of its flow if it is the first one, and of itself; returns how many. */
static size_t comments_of(const wsp_annotator *a, const char *said, const waiting *w,
                          const char *comments[2])
{
    const char *at;
    size_t n = 0;
    texts t;

    if (!is_told(a, w->flow))
        return 0;
    memcpy(&t, said + a->place[w->flow] - 1, sizeof t);
    at = said + a->place[w->flow] - 1 + sizeof t;
    if (w->packet == 0)
        comments[n++] = at;
    at += strlen(at) + 1;
    for (uint64_t i = 0; i < w->packet && i + 1 < t.n; i++)
        at += strlen(at) + 1;
    if (t.n)
        comments[n++] = at;
    return n;
}

static wsp_status write_packets(wsp_annotator *a, const char *said, wsp_error *err)
{
    wspi_buf b;
    wsp_status st = WSP_OK;

    wspi_buf_init(&b, SIZE_MAX / 2);
    errno = 0;
    if (fflush(a->packets) != 0 || fseeko(a->packets, 0, SEEK_SET) != 0)
        return spool_fail(a, err);
    for (uint64_t i = 0; st == WSP_OK && i < a->n_packets; i++) {
        const char *comments[2];
        wsp_frame f;
        waiting w;

        if (fread(&w, sizeof w, 1, a->packets) != 1)
            st = spool_fail(a, err);
        else if (wspi_buf_reserve(&b, (size_t)w.caplen + 1) < 0)
            st = wspi_nomem(err, "a packet", w.caplen);
        else if (w.caplen && fread(b.data, w.caplen, 1, a->packets) != 1)
            st = spool_fail(a, err);
        if (st < 0)
            break;
        if (a->told_only && !is_told(a, w.flow))
            continue;
        f = (wsp_frame){
            .time_ns = w.time_ns, .caplen = w.caplen, .wirelen = w.wirelen, .data = b.data};
        st = wsp_pcapng_writer_add(a->writer, w.interface, &f, comments,
                                   comments_of(a, said, &w, comments), err);
    }
    wspi_buf_clear(&b);
    return st;
}

wsp_status wsp_annotator_close(wsp_annotator *a, wsp_error *err)
{
    char *said = NULL;
    wsp_status st = WSP_OK;

    errno = 0;
    if (fflush(a->said) != 0)
        st = spool_fail(a, err);
    if (st == WSP_OK && a->said_len) {
        said = mmap(NULL, (size_t)a->said_len, PROT_READ, MAP_PRIVATE, fileno(a->said), 0);
        if (said == MAP_FAILED) {
            said = NULL;
            st = spool_fail(a, err);
        }
    }
    if (st == WSP_OK)
        st = write_packets(a, said, err);
    if (said)
        (void)munmap(said, (size_t)a->said_len);
    if (st == WSP_OK) {
        st = wsp_pcapng_writer_close(a->writer, err);
        a->writer = NULL;
    }
    wsp_annotator_discard(a);
    return st;
}

void wsp_annotator_discard(wsp_annotator *a)
{
    if (!a)
        return;
    wsp_pcapng_writer_discard(a->writer);
    if (a->packets)
        (void)fclose(a->packets);
    if (a->said)
        (void)fclose(a->said);
    free(a->place);
    free(a->path);
    free(a);
}

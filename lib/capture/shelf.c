/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.c: captures of archives whose turn has not come wait in one file without a name, packets behind each other: an archive can
 * only be read from front to back, and to begin again for each capture takes as many times as long as there are captures.
 */
#include "capture/input_int.h"

#include <unistd.h>

/* Bytes; what finds no room is read from its archive again. */
static const uint64_t MOST = UINT64_C(4) << 30;

/* Before each packet; only this process reads it. */
typedef struct packet_head {
    uint64_t time_ns;
    uint32_t caplen, wirelen, snaplen;
    int linktype;
    bool nanosecond;
} packet_head;

/* False: there is no room. */
static bool put_packet(wspi_shelf *s, const wsp_capture_info *of, const wsp_frame *f, uint64_t *end)
{
    packet_head head;

    memset(&head, 0, sizeof head); /* its padding, too */
    head.time_ns = f->time_ns;
    head.caplen = f->caplen;
    head.wirelen = f->wirelen;
    head.snaplen = of->snaplen;
    head.linktype = of->linktype;
    head.nanosecond = of->nanosecond;
    *end += sizeof head + f->caplen;
    return *end <= MOST && fwrite(&head, sizeof head, 1, s->fp) == 1 &&
           fwrite(f->data, 1, f->caplen, s->fp) == f->caplen;
}

/* At the end of what is in use; when nothing is, at the beginning. */
static bool begin(wspi_shelf *s)
{
    if (s->n == 0) {
        s->end = 0;
        s->full = false;
    }
    if (!s->fp && !s->full)
        s->fp = tmpfile();
    s->full = s->full || !s->fp || fseeko(s->fp, (off_t)s->end, SEEK_SET) != 0;
    return !s->full;
}

wsp_status wspi_shelf_put(wspi_shelf *s, wspi_shelved *to, wsp_input *in)
{
    bool room = begin(s);
    uint64_t end = s->end;
    wsp_frame f;
    wsp_status st = WSP_OK;

    *to = (wspi_shelved){.at = s->end};
    while (room && (st = wsp_input_next(in, &f, &to->fault)) == WSP_OK)
        room = put_packet(s, wspi_input_interface(in), &f, &end);
    s->full = !room || fflush(s->fp) != 0;
    if (s->full || st == WSP_ERR_NOMEM)
        return st == WSP_ERR_NOMEM ? st : WSP_EOF;
    if (st == WSP_EOF)
        to->fault.status = WSP_OK;
    to->there = true;
    to->end = s->end = end;
    s->n++;
    return WSP_OK;
}

/* All n bytes at this place. */
static bool read_at(const wspi_shelf *s, uint64_t at, void *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fileno(s->fp), (uint8_t *)p + done, n - done, (off_t)(at + done));

        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

wsp_status wspi_shelf_next(const wspi_shelf *s, wspi_shelved *c, const char *name,
                           wsp_capture_info *of, wsp_frame *f, wsp_error *err)
{
    packet_head head;

    if (c->at == c->end && c->fault.status < 0)
        *err = c->fault;
    if (c->at == c->end)
        return c->fault.status < 0 ? c->fault.status : WSP_EOF;
    errno = 0;
    if (!read_at(s, c->at, &head, sizeof head))
        return wspi_fail(err, WSP_ERR_IO, c->at, "%s: packets that waited cannot be read: %s", name,
                         strerror(errno));
    if (wspi_grow(&c->data, &c->cap, (size_t)head.caplen + 1, 1) < 0)
        return wspi_nomem(err, "a packet", head.caplen);
    if (!read_at(s, c->at + sizeof head, c->data, head.caplen))
        return wspi_fail(err, WSP_ERR_IO, c->at, "%s: packets that waited cannot be read: %s", name,
                         strerror(errno));
    c->at += sizeof head + head.caplen;
    *of = (wsp_capture_info){
        .linktype = head.linktype, .snaplen = head.snaplen, .nanosecond = head.nanosecond};
    *f = (wsp_frame){
        .time_ns = head.time_ns, .caplen = head.caplen, .wirelen = head.wirelen, .data = c->data};
    return WSP_OK;
}

void wspi_shelf_done(wspi_shelf *s, wspi_shelved *c)
{
    s->n -= c->there;
    free(c->data);
    *c = (wspi_shelved){.there = false};
}

void wspi_shelf_clear(wspi_shelf *s)
{
    if (s->fp)
        (void)fclose(s->fp);
    *s = (wspi_shelf){.fp = NULL};
}

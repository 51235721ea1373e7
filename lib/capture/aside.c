/* SPDX-License-Identifier: Apache-2.0 */
/* aside.c: packets of other link types than their capture's wait in files without a name, one a type, to be captures after it. */
#include "capture/input_int.h"

enum { MAX_TYPES = 16 }; /* a file descriptor each */

/* Before each packet; only this process reads it. */
typedef struct packet_head {
    uint64_t time_ns;
    uint32_t caplen, wirelen;
    const char *file;
} packet_head;

static wspi_aside *find(wspi_asides *a, const wsp_capture_info *of)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->items[i].info.linktype == of->linktype)
            return &a->items[i];
    return NULL;
}

static wsp_status begin(wspi_asides *a, const char *name, const wsp_capture_info *of,
                        wsp_error *err)
{
    FILE *fp;

    if (a->n == MAX_TYPES)
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: more than %d link types", name,
                         MAX_TYPES + 1);
    if (wspi_grow(&a->items, &a->cap, a->n + 1, sizeof *a->items) < 0)
        return wspi_nomem(err, "packets of another link type", sizeof *a->items);
    fp = tmpfile();
    if (!fp)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: no room for packets of another link type: %s",
                         name, strerror(errno));
    wspi_log(WSP_LOG_INFO,
             "%s: packets of link type %d, too: they are read as a capture of their own", name,
             of->linktype);
    a->items[a->n++] = (wspi_aside){.info = *of, .fp = fp};
    return WSP_OK;
}

wsp_status wspi_aside_add(wspi_asides *a, const char *name, const wsp_capture_info *of,
                          const wsp_frame *f, const char *file, wsp_error *err)
{
    const packet_head head = {
        .time_ns = f->time_ns, .caplen = f->caplen, .wirelen = f->wirelen, .file = file};
    wspi_aside *to;

    if (!find(a, of))
        WSP_TRY(begin(a, name, of, err));
    to = find(a, of);
    if (fwrite(&head, sizeof head, 1, to->fp) == 1 &&
        fwrite(f->data, 1, f->caplen, to->fp) == f->caplen)
        return WSP_OK;
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: no room for packets of another link type: %s", name,
                     strerror(errno));
}

wsp_status wspi_aside_rewind(wspi_aside *a)
{
    return fflush(a->fp) == 0 && fseeko(a->fp, 0, SEEK_SET) == 0 ? WSP_OK : WSP_ERR_IO;
}

wsp_status wspi_aside_next(wspi_aside *a, wsp_frame *f)
{
    packet_head head;

    if (fread(&head, sizeof head, 1, a->fp) != 1)
        return ferror(a->fp) ? WSP_ERR_IO : WSP_EOF;
    if (wspi_grow(&a->data, &a->cap, head.caplen, 1) < 0)
        return WSP_ERR_NOMEM;
    if (fread(a->data, 1, head.caplen, a->fp) != head.caplen)
        return WSP_ERR_IO;
    a->file = head.file;
    *f = (wsp_frame){
        .time_ns = head.time_ns, .caplen = head.caplen, .wirelen = head.wirelen, .data = a->data};
    return WSP_OK;
}

void wspi_aside_close(wspi_aside *a)
{
    if (a->fp)
        (void)fclose(a->fp);
    free(a->data);
    *a = (wspi_aside){.fp = NULL};
}

void wspi_asides_clear(wspi_asides *a)
{
    for (size_t i = 0; i < a->n; i++)
        wspi_aside_close(&a->items[i]);
    free(a->items);
    *a = (wspi_asides){.n = 0};
}

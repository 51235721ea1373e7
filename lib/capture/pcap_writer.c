/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap_writer.c: pcap files with nanoseconds, little-endian on every machine. Format:
 * https://www.tcpdump.org/manpages/pcap-savefile.5.html. Writes what it is given: no check of
 * packets.
 */
#include "capture/capture_int.h"

#define MAGIC_NANOSECONDS 0xa1b23c4du
#define NS_PER_S          1000000000u

struct wsp_pcap_writer {
    wsp_outfile file;
    uint32_t most; /* bytes of a packet */
    uint64_t packets;
};

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        *p++ = (uint8_t)(v >> 8 * i);
    return p;
}

uint32_t wspi_linktype_most(int linktype)
{
    static const struct {
        int linktype;
        uint32_t most;
    } longer[] = {
        {231, 128u << 20}, /* D-Bus */
        {249, 1u << 20},   /* USB, of USBPcap */
        {279, 8u << 20},   /* Elektrobit's interfaces of vehicles */
    };

    for (size_t i = 0; i < WSPI_COUNT(longer); i++)
        if (longer[i].linktype == linktype)
            return longer[i].most;
    return 262144;
}

void wspi_pcap_file_head(uint8_t head[WSPI_PCAP_FILE_HEAD], int linktype)
{
    uint8_t *p = put32(head, MAGIC_NANOSECONDS);

    p = put32(p, 2 | 4u << 16); /* version 2.4 */
    p = put32(p, 0);            /* two unused fields */
    p = put32(p, 0);
    p = put32(p, wspi_linktype_most(linktype));
    (void)put32(p, (uint32_t)linktype);
}

void wspi_pcap_packet_head(uint8_t head[WSPI_PCAP_PACKET_HEAD], const wsp_frame *frame)
{
    uint8_t *p = put32(head, (uint32_t)(frame->time_ns / NS_PER_S));

    p = put32(p, (uint32_t)(frame->time_ns % NS_PER_S));
    p = put32(p, frame->caplen);
    (void)put32(p, frame->wirelen);
}

static wsp_status put(wsp_pcap_writer *w, const void *p, size_t len, wsp_error *err)
{
    if (len == 0 || fwrite(p, 1, len, w->file.fp) == len)
        return WSP_OK;
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot write after %llu packets: %s", w->file.path,
                     (unsigned long long)w->packets, strerror(errno));
}

wsp_status wsp_pcap_writer_open(wsp_pcap_writer **out, const char *path, int linktype,
                                wsp_error *err)
{
    uint8_t head[WSPI_PCAP_FILE_HEAD];
    wsp_pcap_writer *w;
    wsp_status st;

    *out = NULL;
    if (linktype < 0 || linktype > 0xffff)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s: link type %d is outside 0..65535", path,
                         linktype);
    w = calloc(1, sizeof *w);
    if (!w)
        return wspi_nomem(err, "a pcap writer", sizeof *w);
    w->most = wspi_linktype_most(linktype);
    st = wsp_outfile_open(&w->file, path, true, err);
    if (st == WSP_OK) {
        wspi_pcap_file_head(head, linktype);
        st = put(w, head, sizeof head, err);
    }
    if (st < 0) {
        wsp_pcap_writer_discard(w);
        return st;
    }
    *out = w;
    return WSP_OK;
}

wsp_status wsp_pcap_writer_add(wsp_pcap_writer *w, const wsp_frame *frame, wsp_error *err)
{
    uint64_t sec = frame->time_ns / NS_PER_S;
    uint8_t head[WSPI_PCAP_PACKET_HEAD];

    if (frame->caplen > w->most)
        return wspi_fail(err, WSP_ERR_LIMIT, 0,
                         "%s: a packet of %u bytes; pcap of this link type holds %u at most",
                         w->file.path, frame->caplen, w->most);
    if (sec > UINT32_MAX)
        return wspi_fail(err, WSP_ERR_LIMIT, 0,
                         "%s: a packet %llu seconds after 1970; pcap ends in 2106", w->file.path,
                         (unsigned long long)sec);
    wspi_pcap_packet_head(head, frame);
    WSP_TRY(put(w, head, sizeof head, err));
    WSP_TRY(put(w, frame->data, frame->caplen, err));
    w->packets++;
    return WSP_OK;
}

wsp_status wsp_pcap_writer_close(wsp_pcap_writer *w, wsp_error *err)
{
    wsp_status st = wsp_outfile_commit(&w->file, err);

    free(w);
    return st;
}

void wsp_pcap_writer_discard(wsp_pcap_writer *w)
{
    if (!w)
        return;
    wsp_outfile_discard(&w->file);
    free(w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * savefile.c: one pcap or pcapng stream, read by libpcap with nanoseconds; what its header says;
 * the BPF filter.
 */
#include "capture/input_int.h"

#define IOBUF_LEN 65536
#define NS_PER_S  1000000000u

enum { MAGIC_US = 0, MAGIC_NS, MAGIC_NG };

static const struct {
    uint8_t b[4];
    uint8_t kind;
    bool big_endian;
} magics[] = {
    {{0xd4, 0xc3, 0xb2, 0xa1}, MAGIC_US, false},
    {{0xa1, 0xb2, 0xc3, 0xd4}, MAGIC_US, true},
    {{0x4d, 0x3c, 0xb2, 0xa1}, MAGIC_NS, false},
    {{0xa1, 0xb2, 0x3c, 0x4d}, MAGIC_NS, true},
    {{0x34, 0xcd, 0xb2, 0xa1}, MAGIC_US, false},
    {{0xa1, 0xb2, 0xcd, 0x34}, MAGIC_US, true}, /* Kuznetzov's patch */
    {{0x0a, 0x0d, 0x0d, 0x0a}, MAGIC_NG, false},
};

static int find_magic(const uint8_t *p, size_t len)
{
    for (size_t i = 0; len >= 4 && i < WSPI_COUNT(magics); i++)
        if (memcmp(p, magics[i].b, 4) == 0)
            return (int)i;
    return -1;
}

bool wspi_savefile_magic(const uint8_t *p, size_t len)
{
    return find_magic(p, len) >= 0;
}

static uint32_t get32(wspi_cursor *c, bool be)
{
    return be ? wspi_cur_be32(c) : wspi_cur_le32(c);
}

static uint16_t get16(wspi_cursor *c, bool be)
{
    uint16_t v = wspi_cur_be16(c);

    return be ? v : __builtin_bswap16(v);
}

/*
 * pcapng begins with a section header block, mostly followed by the first interface: link type,
 * snaplen, options, of which 9 is the resolution (9 = nanoseconds). Looks ahead no further than the
 * blocks say, so that a live pipe does not hang here; what does not fit into the look-ahead stays
 * unknown.
 */
static void read_ng_head(wspi_source *src, wsp_capture_info *info)
{
    wspi_cursor c = wspi_cur(src->head, wspi_source_peek(src, 12));
    uint32_t shb, idb;
    bool be;

    (void)wspi_cur_bytes(&c, 4);
    shb = wspi_cur_be32(&c);
    be = wspi_cur_be32(&c) == 0x1a2b3c4d;
    if (!be)
        shb = __builtin_bswap32(shb);
    if (c.bad || shb < 28 || shb > WSPI_SOURCE_HEAD - 8)
        return;
    c = wspi_cur(src->head, wspi_source_peek(src, shb + 8));
    (void)wspi_cur_bytes(&c, shb);
    if (get32(&c, be) != 1)
        return;
    idb = get32(&c, be);
    if (c.bad || idb < 20 || idb > WSPI_SOURCE_HEAD - shb)
        return;
    c = wspi_cur(src->head, wspi_source_peek(src, shb + idb));
    (void)wspi_cur_bytes(&c, shb + 12);
    info->snaplen = get32(&c, be);
    while (!c.bad && wspi_cur_left(&c) > 4) {
        uint16_t code = get16(&c, be), len = get16(&c, be);
        wspi_cursor o = wspi_cur_sub(&c, (len + 3u) & ~3u);

        if (code == 0)
            break;
        if (code == 9)
            info->nanosecond = wspi_cur_u8(&o) == 9;
    }
}

static void read_head(wspi_source *src, wsp_capture_info *info, bool *classic)
{
    int m = find_magic(src->head, wspi_source_peek(src, 4));
    wspi_cursor c;

    *classic = m >= 0 && magics[m].kind != MAGIC_NG;
    if (m < 0)
        return;
    if (!*classic) {
        read_ng_head(src, info);
        return;
    }
    c = wspi_cur(src->head, wspi_source_peek(src, 24));
    (void)wspi_cur_bytes(&c, 16);
    info->snaplen = get32(&c, magics[m].big_endian);
    info->nanosecond = magics[m].kind == MAGIC_NS;
}

/* libpcap turns the file's LINKTYPE_ into the system's DLT_; the two differ only in these. */
int wspi_linktype_of_dlt(int dlt)
{
    static const struct {
        int dlt, linktype;
    } differ[] = {
        {DLT_ATM_RFC1483, 100}, {DLT_RAW, 101},    {DLT_SLIP_BSDOS, 102}, {DLT_PPP_BSDOS, 103},
        {DLT_ATM_CLIP, 106},    {DLT_PFSYNC, 246}, {DLT_PKTAP, 258},
    };

    for (size_t i = 0; i < WSPI_COUNT(differ); i++)
        if (differ[i].dlt == dlt)
            return differ[i].linktype;
    return dlt;
}

static wsp_status compile(wspi_savefile *sf, const char *name, const char *filter, wsp_error *err)
{
    const char *dlt;

    if (!filter)
        return WSP_OK;
    if (pcap_compile(sf->pc, &sf->prog, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        dlt = pcap_datalink_val_to_name(pcap_datalink(sf->pc));
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "%s: the filter \"%s\" does not fit its link type %s: %s", name, filter,
                         dlt ? dlt : "(unnamed)", pcap_geterr(sf->pc));
    }
    sf->has_prog = true;
    return WSP_OK;
}

wsp_status wspi_savefile_open(wspi_savefile *sf, wspi_source *src, const char *name,
                              const char *filter, wsp_capture_info *info, wsp_error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    wsp_status st;
    FILE *fp;

    *sf = (wspi_savefile){0};
    read_head(src, info, &sf->classic);
    sf->iobuf = malloc(IOBUF_LEN);
    if (!sf->iobuf)
        return wspi_nomem(err, "a read buffer", IOBUF_LEN);
    fp = wspi_source_stdio(src);
    if (!fp) {
        wspi_savefile_close(sf);
        return wspi_nomem(err, "a stream", 1);
    }
    (void)setvbuf(fp, sf->iobuf, _IOFBF, IOBUF_LEN);
    sf->pc = pcap_fopen_offline_with_tstamp_precision(fp, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!sf->pc) {
        (void)fclose(fp);
        wspi_savefile_close(sf);
        st = src->fault.status < 0 ? src->fault.status : WSP_ERR_FORMAT;
        return wspi_fail(err, st, src->pos, "%s: %s", name,
                         src->fault.status < 0 ? src->fault.text : why);
    }
    st = compile(sf, name, filter, err);
    if (st < 0) {
        wspi_savefile_close(sf);
        return st;
    }
    /* The bits above 16 say how many checksum bytes end each frame, and some writers leave garbage there. */
    info->linktype = wspi_linktype_of_dlt(pcap_datalink(sf->pc)) & 0xffff;
    sf->src = src;
    return WSP_OK;
}

/*
 * Files lie about time too: seconds are unsigned in pcap, and a fraction outside [0, 1 s) must not
 * wrap around.
 */
static uint64_t time_of(const wspi_savefile *sf, const struct timeval *tv)
{
    uint64_t sec = sf->classic ? (uint32_t)tv->tv_sec : (uint64_t)tv->tv_sec;
    uint64_t frac = tv->tv_usec < 0 ? 0 : (uint64_t)tv->tv_usec;
    uint64_t ns;

    if (__builtin_mul_overflow(sec, NS_PER_S, &ns) || __builtin_add_overflow(ns, frac, &ns))
        return UINT64_MAX;
    return ns;
}

static wsp_status broken_off(wspi_savefile *sf, const char *name, wsp_error *err)
{
    const wsp_error *f = &sf->src->fault;
    off_t at = ftello(pcap_file(sf->pc));

    if (f->status < 0) {
        errno = f->sys_errno;
        return wspi_fail(err, f->status, sf->src->pos, "%s: after %llu packets: %s", name,
                         (unsigned long long)sf->packets, f->text);
    }
    return wspi_fail(err, WSP_ERR_FORMAT, at < 0 ? sf->src->pos : (uint64_t)at,
                     "%s: after %llu packets: %s", name, (unsigned long long)sf->packets,
                     pcap_geterr(sf->pc));
}

wsp_status wspi_savefile_next(wspi_savefile *sf, const char *name, wsp_frame *frame, wsp_error *err)
{
    struct pcap_pkthdr *h = NULL;
    const u_char *data = NULL;
    int rc;

    for (;;) {
        rc = pcap_next_ex(sf->pc, &h, &data);
        if (rc == PCAP_ERROR_BREAK)
            return WSP_EOF;
        if (rc < 0)
            return broken_off(sf, name, err);
        sf->packets++;
        if (!sf->has_prog || pcap_offline_filter(&sf->prog, h, data))
            break;
    }
    *frame = (wsp_frame){
        .time_ns = time_of(sf, &h->ts), .caplen = h->caplen, .wirelen = h->len, .data = data};
    return WSP_OK;
}

void wspi_savefile_close(wspi_savefile *sf)
{
    if (sf->has_prog)
        pcap_freecode(&sf->prog);
    if (sf->pc)
        pcap_close(sf->pc); /* closes the stdio stream too */
    free(sf->iobuf);
    wspi_source_free(sf->src);
    *sf = (wspi_savefile){0};
}

wsp_status wspi_filter_check(const char *filter, wsp_error *err)
{
    static const int dlts[] = {DLT_EN10MB, DLT_RAW, DLT_IEEE802_11_RADIO, DLT_LINUX_SLL, DLT_PPP};
    struct bpf_program prog;
    char first[PCAP_ERRBUF_SIZE] = "";

    for (size_t i = 0; i < WSPI_COUNT(dlts); i++) {
        pcap_t *pc = pcap_open_dead(dlts[i], 262144);
        int rc;

        if (!pc)
            return wspi_nomem(err, "a filter", 1);
        rc = pcap_compile(pc, &prog, filter, 1, PCAP_NETMASK_UNKNOWN);
        if (rc == 0)
            pcap_freecode(&prog);
        else if (i == 0)
            (void)snprintf(first, sizeof first, "%s", pcap_geterr(pc));
        pcap_close(pc);
        if (rc == 0)
            return WSP_OK;
    }
    return wspi_fail(err, WSP_ERR_ARG, 0, "filter \"%s\": %s", filter, first);
}

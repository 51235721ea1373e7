/* SPDX-License-Identifier: Apache-2.0 */
/*
 * savefile.c: one capture: a pcap stream, read by libpcap with nanoseconds, a pcapng stream, packets that were put aside
 * of one, or several captures joined; what its header says; the BPF filter.
 */
#include "capture/input_int.h"

#define IOBUF_LEN 65536
#define NS_PER_S  1000000000u
#define SNAPLEN   262144

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

/*
 * False: no pcap. How much of packets was to be captured is told, and kept from libpcap, which cuts longer ones without a word: some
 * writers are wrong about it, and what network cards put together has 65535 bytes without its link layer.
 */
static bool take_header(wspi_source *src, wsp_capture_info *info)
{
    enum { SNAPLEN_AT = 16, HEAD = 24 };
    int m = find_magic(src->head, wspi_source_peek(src, 4));
    wspi_cursor c;

    if (m < 0 || magics[m].kind == MAGIC_NG)
        return false;
    c = wspi_cur(src->head, wspi_source_peek(src, HEAD));
    (void)wspi_cur_bytes(&c, SNAPLEN_AT);
    info->snaplen = get32(&c, magics[m].big_endian);
    info->nanosecond = magics[m].kind == MAGIC_NS;
    if (!c.bad)
        memset(src->head + SNAPLEN_AT, 0, sizeof info->snaplen);
    return true;
}

/* libpcap turns the file's LINKTYPE_ into the system's DLT_; the two differ only in these. */
static const struct {
    int dlt, linktype;
} differ[] = {
    {DLT_ATM_RFC1483, 100}, {DLT_RAW, 101},    {DLT_SLIP_BSDOS, 102}, {DLT_PPP_BSDOS, 103},
    {DLT_ATM_CLIP, 106},    {DLT_PFSYNC, 246}, {DLT_PKTAP, 258},
};

int wspi_linktype_of_dlt(int dlt)
{
    for (size_t i = 0; i < WSPI_COUNT(differ); i++)
        if (differ[i].dlt == dlt)
            return differ[i].linktype;
    return dlt;
}

static int dlt_of_linktype(int linktype)
{
    for (size_t i = 0; i < WSPI_COUNT(differ); i++)
        if (differ[i].linktype == linktype)
            return differ[i].dlt;
    return linktype;
}

const char *wspi_linktype_name(int linktype)
{
    return pcap_datalink_val_to_name(dlt_of_linktype(linktype));
}

static wsp_status compile(wspi_savefile *sf, const char *name, const char *filter, wsp_error *err)
{
    wsp_status st = WSP_OK;
    const char *dlt;
    pcap_t *pc;

    if (!filter)
        return WSP_OK;
    pc = pcap_open_dead(dlt_of_linktype(sf->linktype), SNAPLEN);
    if (!pc)
        return wspi_nomem(err, "a filter", 1);
    sf->has_prog = pcap_compile(pc, &sf->prog, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!sf->has_prog) {
        dlt = pcap_datalink_val_to_name(pcap_datalink(pc));
        st = wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                       "%s: the filter \"%s\" does not fit its link type %s: %s", name, filter,
                       dlt ? dlt : "(unnamed)", pcap_geterr(pc));
    }
    pcap_close(pc);
    return st;
}

/* Why the stream could not be begun. */
static wsp_status refuse(const wspi_source *src, const char *name, wsp_status st, const char *why,
                         wsp_error *err)
{
    if (st == WSP_ERR_NOMEM)
        return wspi_nomem(err, "a capture", 1);
    return wspi_fail(err, src->fault.status < 0 ? src->fault.status : st, src->pos, "%s: %s", name,
                     src->fault.status < 0 ? src->fault.text : why);
}

static wsp_status open_pcap(wspi_savefile *sf, const wspi_source *src, const char *name,
                            wsp_capture_info *info, wsp_error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";

    sf->pc = pcap_fopen_offline_with_tstamp_precision(sf->fp, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!sf->pc)
        return refuse(src, name, WSP_ERR_FORMAT, why, err);
    /* The bits above 16 say how many checksum bytes end each frame, and some writers leave garbage there. */
    info->linktype = wspi_linktype_of_dlt(pcap_datalink(sf->pc)) & 0xffff;
    return WSP_OK;
}

static wsp_status open_stream(wspi_savefile *sf, wspi_source *src, const char *name,
                              wsp_capture_info *info, wsp_error *err)
{
    wsp_status st;

    sf->iobuf = malloc(IOBUF_LEN);
    if (!sf->iobuf)
        return wspi_nomem(err, "a read buffer", IOBUF_LEN);
    sf->fp = wspi_source_stdio(src);
    if (!sf->fp)
        return wspi_nomem(err, "a stream", 1);
    (void)setvbuf(sf->fp, sf->iobuf, _IOFBF, IOBUF_LEN);
    if (sf->classic)
        return open_pcap(sf, src, name, info, err);
    st = wspi_pcapng_open(&sf->ng, sf->fp, info);
    return st < 0 ? refuse(src, name, st, sf->ng ? wspi_pcapng_why(sf->ng) : "", err) : WSP_OK;
}

wsp_status wspi_savefile_open(wspi_savefile *sf, wspi_source *src, const char *name,
                              const char *filter, wsp_capture_info *info, wsp_error *err)
{
    wsp_status st;

    *sf = (wspi_savefile){.classic = take_header(src, info)};
    st = open_stream(sf, src, name, info, err);
    sf->linktype = info->linktype;
    sf->of = *info;
    if (st == WSP_OK)
        st = compile(sf, name, filter, err);
    if (st < 0) {
        wspi_savefile_close(sf);
        return st;
    }
    sf->src = src;
    return WSP_OK;
}

wsp_status wspi_savefile_open_join(wspi_savefile *sf, wspi_join *j, const char *filter,
                                   const wsp_capture_info *info, wsp_error *err)
{
    wsp_status st;

    *sf = (wspi_savefile){.join = j, .linktype = info->linktype, .of = *info};
    st = compile(sf, info->name, filter, err);
    if (st < 0)
        wspi_savefile_close(sf);
    return st;
}

wsp_status wspi_savefile_open_aside(wspi_savefile *sf, wspi_aside *a, const char *name,
                                    const char *filter, wsp_capture_info *info, wsp_error *err)
{
    wsp_status st;

    *sf = (wspi_savefile){.aside = *a, .linktype = a->info.linktype, .of = a->info};
    *a = (wspi_aside){.fp = NULL};
    *info = sf->aside.info;
    st = wspi_aside_rewind(&sf->aside);
    if (st < 0)
        (void)wspi_fail(err, st, 0, "%s: packets of link type %d: %s", name, sf->linktype,
                        strerror(errno));
    else
        st = compile(sf, name, filter, err);
    if (st < 0)
        wspi_savefile_close(sf);
    return st;
}

bool wspi_savefile_is_open(const wspi_savefile *sf)
{
    return sf->pc || sf->ng || sf->aside.fp || sf->join;
}

const char *wspi_savefile_file(const wspi_savefile *sf)
{
    return sf->join ? wspi_join_file(sf->join) : sf->aside.file;
}

/*
 * Files lie about time too: seconds are unsigned in pcap, and a fraction outside [0, 1 s) must not
 * wrap around.
 */
static uint64_t time_of(const struct timeval *tv)
{
    uint64_t frac = tv->tv_usec < 0 ? 0 : (uint64_t)tv->tv_usec;
    uint64_t ns;

    if (__builtin_add_overflow((uint64_t)(uint32_t)tv->tv_sec * NS_PER_S, frac, &ns))
        return UINT64_MAX;
    return ns;
}

static wsp_status broken_off(wspi_savefile *sf, const char *name, wsp_status st, wsp_error *err)
{
    const char *why = sf->pc   ? pcap_geterr(sf->pc)
                      : sf->ng ? wspi_pcapng_why(sf->ng)
                               : strerror(errno);
    const wsp_error *f = sf->src ? &sf->src->fault : NULL;
    off_t at = ftello(sf->fp ? sf->fp : sf->aside.fp);

    if (f && f->status < 0) {
        errno = f->sys_errno;
        return wspi_fail(err, f->status, sf->src->pos, "%s: after %llu packets: %s", name,
                         (unsigned long long)sf->packets, f->text);
    }
    return wspi_fail(err, st, at < 0 ? 0 : (uint64_t)at, "%s: after %llu packets: %s", name,
                     (unsigned long long)sf->packets, st == WSP_ERR_NOMEM ? "no memory" : why);
}

static wsp_status next_pcap(wspi_savefile *sf, wsp_frame *frame)
{
    struct pcap_pkthdr *h = NULL;
    const u_char *data = NULL;
    int rc = pcap_next_ex(sf->pc, &h, &data);

    if (rc < 0)
        return rc == PCAP_ERROR_BREAK ? WSP_EOF : WSP_ERR_FORMAT;
    *frame = (wsp_frame){
        .time_ns = time_of(&h->ts), .caplen = h->caplen, .wirelen = h->len, .data = data};
    return WSP_OK;
}

/* Where packets may be of any link type, the next of the one that is wanted. *told: what failed is in err. */
static wsp_status next_mixed(wspi_savefile *sf, const char *name, wsp_frame *frame, bool *told,
                             wsp_error *err)
{
    for (;;) {
        wsp_status st = sf->join ? wspi_join_next(sf->join, &sf->of, frame, err)
                                 : wspi_pcapng_next(sf->ng, &sf->of, frame);

        *told = sf->join != NULL;
        if (st != WSP_OK || sf->any_type || sf->of.linktype == sf->linktype)
            return st;
        *told = true;
        WSP_TRY(wspi_aside_add(&sf->others, name, &sf->of, frame, wspi_savefile_file(sf), err));
        sf->packets++;
    }
}

static bool fits_filter(const wspi_savefile *sf, const wsp_frame *f)
{
    const struct pcap_pkthdr h = {.caplen = f->caplen, .len = f->wirelen};

    return !sf->has_prog || pcap_offline_filter(&sf->prog, &h, f->data);
}

wsp_status wspi_savefile_next(wspi_savefile *sf, const char *name, wsp_frame *frame, wsp_error *err)
{
    bool told = false;
    wsp_status st;

    for (;;) {
        if (sf->pc)
            st = next_pcap(sf, frame);
        else if (sf->aside.fp)
            st = wspi_aside_next(&sf->aside, frame);
        else
            st = next_mixed(sf, name, frame, &told, err);
        if (st != WSP_OK)
            return st < 0 && !told ? broken_off(sf, name, st, err) : st;
        sf->packets++;
        if (fits_filter(sf, frame))
            return WSP_OK;
    }
}

void wspi_savefile_close(wspi_savefile *sf)
{
    if (sf->has_prog)
        pcap_freecode(&sf->prog);
    if (sf->pc)
        pcap_close(sf->pc); /* closes the stdio stream too */
    else if (sf->fp)
        (void)fclose(sf->fp);
    wspi_pcapng_free(sf->ng);
    wspi_aside_close(&sf->aside);
    wspi_asides_clear(&sf->others);
    free(sf->iobuf);
    wspi_source_free(sf->src);
    *sf = (wspi_savefile){.pc = NULL};
}

wsp_status wspi_filter_check(const char *filter, wsp_error *err)
{
    static const int dlts[] = {DLT_EN10MB, DLT_RAW, DLT_IEEE802_11_RADIO, DLT_LINUX_SLL, DLT_PPP};
    struct bpf_program prog;
    char first[PCAP_ERRBUF_SIZE] = "";

    for (size_t i = 0; i < WSPI_COUNT(dlts); i++) {
        pcap_t *pc = pcap_open_dead(dlts[i], SNAPLEN);
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

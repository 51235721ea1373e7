/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.c: live capture. Neither libpcap's blocking read, which on an idle link does not come back, nor its immediate
 * mode, which gives up the ring of blocks and loses packets: non-blocking reads, and the caller polls.
 */
#include "capture/device_int.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include "capture/input_int.h"

struct wspi_device {
    pcap_t *pc;
    char *name;
    int linktype;
    uint32_t drop, ifdrop; /* as libpcap counted them last */
    wspi_device_fn *fn;    /* of the read at work */
    void *arg;
};

/* libpcap's words say what failed; ours say what to do. */
static const char *advice(int rc)
{
    static const struct {
        int rc;
        const char *text;
    } table[] = {
        {PCAP_ERROR_PERM_DENIED,
         "capturing needs CAP_NET_RAW: be root, or setcap cap_net_raw+ep on the program"},
        {PCAP_ERROR_PROMISC_PERM_DENIED, "promiscuous mode is not permitted: --no-promiscuous"},
        {PCAP_ERROR_NO_SUCH_DEVICE, "there is no such interface: ip link lists them"},
        {PCAP_ERROR_IFACE_NOT_UP, "the interface is down: ip link set it up"},
    };

    for (size_t i = 0; i < WSPI_COUNT(table); i++)
        if (table[i].rc == rc)
            return table[i].text;
    return NULL;
}

static wsp_status refused(const wspi_device *d, int rc, wsp_error *err)
{
    const char *text = advice(rc);

    return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", d->name,
                     text                  ? text
                     : *pcap_geterr(d->pc) ? pcap_geterr(d->pc)
                                           : pcap_statustostr(rc));
}

static wsp_status join_fanout(const wspi_device *d, uint32_t group, wsp_error *err)
{
    /* by flow, both directions alike; fragments are put together first, so that they go where their flow does */
    uint32_t how = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG,
             arg = (group & 0xffff) | how << 16;

    if (!group || setsockopt(pcap_fileno(d->pc), SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg) == 0)
        return WSP_OK;
    return wspi_fail(err, WSP_ERR_IO, 0,
                     "%s: cannot join fanout group %u: %s (all its members must capture alike)",
                     d->name, group, strerror(errno));
}

static wsp_status filter(const wspi_device *d, const char *text, wsp_error *err)
{
    struct bpf_program prog;
    int rc;

    if (!text)
        return WSP_OK;
    if (pcap_compile(d->pc, &prog, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s: filter \"%s\": %s", d->name, text,
                         pcap_geterr(d->pc));
    rc = pcap_setfilter(d->pc, &prog);
    pcap_freecode(&prog);
    return rc < 0 ? refused(d, rc, err) : WSP_OK;
}

static wsp_status activate(wspi_device *d, const wspi_device_options *opt, wsp_error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    size_t buffer = WSPI_MIN(opt->buffer, (size_t)INT32_MAX);
    int rc;

    d->pc = pcap_create(d->name, why);
    if (!d->pc)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", d->name, why);
    if (pcap_set_snaplen(d->pc, (int)opt->snaplen) < 0 ||
        pcap_set_promisc(d->pc, opt->promiscuous) < 0 ||
        pcap_set_timeout(d->pc, (int)opt->retire_ms) < 0 ||
        pcap_set_buffer_size(d->pc, (int)buffer) < 0 ||
        pcap_set_tstamp_precision(d->pc, PCAP_TSTAMP_PRECISION_NANO) < 0)
        return refused(d, PCAP_ERROR, err);
    rc = pcap_activate(d->pc);
    if (rc < 0)
        return refused(d, rc, err);
    if (rc > 0)
        wspi_log(WSP_LOG_WARNING, "%s: %s", d->name,
                 *pcap_geterr(d->pc) ? pcap_geterr(d->pc) : pcap_statustostr(rc));
    d->linktype = wspi_linktype_of_dlt(pcap_datalink(d->pc));
    WSP_TRY(filter(d, opt->filter, err));
    if (pcap_setnonblock(d->pc, 1, why) < 0 || pcap_get_selectable_fd(d->pc) < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot be polled: %s", d->name, why);
    return join_fanout(d, opt->fanout, err);
}

wsp_status wspi_device_open(wspi_device **out, const char *name, const wspi_device_options *opt,
                            wsp_error *err)
{
    wspi_device *d = wspi_new_array(1, sizeof *d);
    wsp_status st;

    *out = NULL;
    if (d)
        d->name = strdup(name);
    if (!d || !d->name) {
        wspi_device_close(d);
        return wspi_nomem(err, "an interface", sizeof *d);
    }
    st = activate(d, opt, err);
    if (st < 0)
        wspi_device_close(d);
    else
        *out = d;
    return st;
}

void wspi_device_close(wspi_device *d)
{
    if (!d)
        return;
    if (d->pc)
        pcap_close(d->pc);
    free(d->name);
    free(d);
}

int wspi_device_fd(const wspi_device *d)
{
    return pcap_get_selectable_fd(d->pc);
}

int wspi_device_linktype(const wspi_device *d)
{
    return d->linktype;
}

bool wspi_device_gone(const wspi_device *d)
{
    struct sockaddr_ll at;
    socklen_t len = sizeof at;

    return getsockname(pcap_fileno(d->pc), (struct sockaddr *)&at, &len) == 0 && at.sll_ifindex < 0;
}

static void hand_over(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    const wspi_device *d = (const wspi_device *)(const void *)user;
    const wsp_frame frame = {.time_ns =
                                 (uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec,
                             .caplen = h->caplen,
                             .wirelen = h->len,
                             .data = bytes};

    d->fn(d->arg, &frame);
}

wsp_status wspi_device_read(wspi_device *d, int max, wspi_device_fn *fn, void *arg, wsp_error *err)
{
    int rc;

    d->fn = fn;
    d->arg = arg;
    rc = pcap_dispatch(d->pc, max, hand_over, (u_char *)d);
    return rc < 0 ? refused(d, rc, err) : WSP_OK;
}

void wspi_device_drops(wspi_device *d, uint64_t *kernel, uint64_t *interface)
{
    struct pcap_stat s;

    *kernel = *interface = 0;
    if (pcap_stats(d->pc, &s) < 0)
        return;
    /* libpcap's counters are of 32 bits: differences survive their wrapping */
    *kernel = s.ps_drop - d->drop;
    *interface = s.ps_ifdrop - d->ifdrop;
    d->drop = s.ps_drop;
    d->ifdrop = s.ps_ifdrop;
}

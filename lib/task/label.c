/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label.c: labels from nDPI, the only file that includes it. Written for the C interface of nDPI
 * 4.2 to 4.4, which changed in 4.6, 4.10 and 5.0.
 */
#include "base/base.h"
#include "task/label_names.h"
#include "wirespeak/task.h"

#include <ndpi_api.h>

#if NDPI_MAJOR != 4 || NDPI_MINOR < 2 || NDPI_MINOR > 4
#error "nDPI 4.2 to 4.4 is needed"
#endif

#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define NS_PER_MS   1000000u

struct wsp_labeller {
    struct ndpi_detection_module_struct *module;
    const label_row **rows; /* by nDPI's protocol number; NULL: not in the table */
    uint32_t n_rows;
    wsp_labeller_options opt;
};

struct wsp_labeller_flow {
    wsp_labeller *labeller;
    struct ndpi_flow_struct *flow; /* NULL once decided */
    ndpi_protocol proto;           /* what nDPI said last */
    ndpi_confidence_t confidence;
    uint32_t packets;
};

static int compare_row(const void *name, const void *row)
{
    return strcmp(name, ((const label_row *)row)->ndpi);
}

static const label_row *find_row(const char *ndpi_name)
{
    return bsearch(ndpi_name, label_rows, WSPI_COUNT(label_rows), sizeof(label_rows[0]),
                   compare_row);
}

const char *wsp_label_name(const char *ndpi_name, bool *service)
{
    const label_row *row = find_row(ndpi_name);

    if (service)
        *service = row && row->kind == SERVICE;
    return row ? row->ours : NULL;
}

bool wsp_label_same(const char *a, const char *b)
{
    const char *x = wsp_label_name(a, NULL), *y = wsp_label_name(b, NULL);

    return strcasecmp(x ? x : a, y ? y : b) == 0;
}

bool wsp_verdict_is(const wsp_verdict *v, const char *label)
{
    const char *const said[] = {v->protocol, v->service, v->master, v->app};

    for (size_t i = 0; i < WSPI_COUNT(said); i++)
        if (*said[i] && wsp_label_same(said[i], label))
            return true;
    return false;
}

wsp_labeller_options wsp_labeller_options_default(void)
{
    return (wsp_labeller_options){.max_packets = 32, .guess = true};
}

const char *wsp_labeller_version(void)
{
    return ndpi_revision();
}

/*
 * nDPI has nearly no return codes here; the order matters, and without the bitmask it silently only
 * guesses.
 */
static bool start_module(wsp_labeller *l)
{
    NDPI_PROTOCOL_BITMASK all;

    l->module = ndpi_init_detection_module(ndpi_no_prefs);
    if (!l->module)
        return false;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(l->module, &all);
    ndpi_finalize_initialization(l->module);
    l->n_rows = ndpi_get_num_supported_protocols(l->module);
    l->rows = wspi_new_array(l->n_rows, sizeof(*l->rows));
    if (!l->rows)
        return false;
    for (uint32_t i = 0; i < l->n_rows; i++)
        l->rows[i] = find_row(ndpi_get_proto_name(l->module, (uint16_t)i));
    return true;
}

wsp_status wsp_labeller_new(wsp_labeller **out, const wsp_labeller_options *opt, wsp_error *err)
{
    wsp_labeller *l;

    *out = NULL;
    if (opt && opt->max_packets == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "a labeller must see at least one packet of a flow");
    l = calloc(1, sizeof(*l));
    if (!l)
        return wspi_nomem(err, "a labeller", sizeof(*l));
    l->opt = opt ? *opt : wsp_labeller_options_default();
    if (!start_module(l)) {
        wsp_labeller_free(l);
        return wspi_nomem(err, "the nDPI detection module", 0);
    }
    *out = l;
    return WSP_OK;
}

void wsp_labeller_free(wsp_labeller *l)
{
    if (!l)
        return;
    if (l->module)
        ndpi_exit_detection_module(l->module);
    free(l->rows);
    free(l);
}

wsp_status wsp_labeller_flow_new(wsp_labeller *l, wsp_labeller_flow **out)
{
    /* The size that the library at run time has, not the header. */
    size_t size = ndpi_detection_get_sizeof_ndpi_flow_struct();
    wsp_labeller_flow *f;

    *out = NULL;
    f = calloc(1, sizeof(*f));
    if (!f)
        return WSP_ERR_NOMEM;
    f->flow = ndpi_flow_malloc(size);
    if (!f->flow) {
        free(f);
        return WSP_ERR_NOMEM;
    }
    memset(f->flow, 0, size);
    f->labeller = l;
    *out = f;
    return WSP_OK;
}

/* The flow is decided: its memory goes, what is needed of it stays. */
static void release_flow(wsp_labeller_flow *f)
{
    if (!f->flow)
        return;
    f->confidence = f->flow->confidence;
    ndpi_flow_free(f->flow);
    f->flow = NULL;
}

void wsp_labeller_flow_free(wsp_labeller_flow *f)
{
    if (!f)
        return;
    release_flow(f);
    free(f);
}

static bool is_named(ndpi_protocol p)
{
    return p.master_protocol != NDPI_PROTOCOL_UNKNOWN || p.app_protocol != NDPI_PROTOCOL_UNKNOWN;
}

static void decide(wsp_labeller_flow *f)
{
    struct ndpi_detection_module_struct *module = f->labeller->module;
    uint8_t guessed = 0;

    if (!f->flow)
        return;
    if (!is_named(f->proto))
        f->proto = ndpi_detection_giveup(module, f->flow, f->labeller->opt.guess, &guessed);
    release_flow(f);
}

static bool looks_like_ip(const uint8_t *ip, size_t len)
{
    if (len < IPV4_HEADER)
        return false;
    return ip[0] >> 4 == 4 || (ip[0] >> 4 == 6 && len >= IPV6_HEADER);
}

wsp_status wsp_labeller_push(wsp_labeller_flow *f, const uint8_t *ip, size_t len, uint64_t time_ns)
{
    struct ndpi_detection_module_struct *module = f->labeller->module;
    uint16_t shown = (uint16_t)WSPI_MIN(
        len, UINT16_MAX); /* nDPI's lengths have 16 bits: offloaded packets are larger */

    if (!f->flow)
        return WSP_EOF;
    if (!looks_like_ip(ip, len))
        return WSP_OK;
    f->proto = ndpi_detection_process_packet(module, f->flow, ip, shown, time_ns / NS_PER_MS);
    f->packets++;
    /*
     * A protocol can be known while what it carries (the server's name, the service) is still to
     * come.
     */
    if ((ndpi_is_protocol_detected(module, f->proto) &&
         !ndpi_extra_dissection_possible(module, f->flow)) ||
        f->packets >= f->labeller->opt.max_packets)
        decide(f);
    return f->flow ? WSP_OK : WSP_EOF;
}

static wsp_label_source source_of(const wsp_labeller_flow *f)
{
    if (!is_named(f->proto))
        return WSP_LABEL_NONE;
    switch (f->confidence) {
    case NDPI_CONFIDENCE_MATCH_BY_PORT: return WSP_LABEL_PORT;
    case NDPI_CONFIDENCE_MATCH_BY_IP: return WSP_LABEL_ADDRESS;
    case NDPI_CONFIDENCE_DPI_CACHE: return WSP_LABEL_CACHE;
    case NDPI_CONFIDENCE_DPI: return WSP_LABEL_DPI;
    default: return WSP_LABEL_PORT; /* by IP protocol number: named without a reason given */
    }
}

/*
 * nDPI says (TLS, Google), (Unknown, TLS), (Unknown, Google) or (HTTP, RTP): the protocol is the
 * outer one that is known.
 */
static void name_verdict(const wsp_labeller *l, ndpi_protocol p, wsp_verdict *out)
{
    uint16_t ids[2] = {p.master_protocol, p.app_protocol};

    out->protocol = "unknown";
    out->service = "";
    for (int i = 1; i >= 0; i--) {
        const label_row *row = ids[i] < l->n_rows ? l->rows[ids[i]] : NULL;
        if (ids[i] == NDPI_PROTOCOL_UNKNOWN)
            continue;
        if (!row)
            out->protocol = "other";
        else if (row->kind == SERVICE)
            out->service = row->ours;
        else
            out->protocol = row->ours;
    }
}

void wsp_labeller_verdict(wsp_labeller_flow *f, wsp_verdict *out)
{
    const wsp_labeller *l = f->labeller;

    decide(f);
    name_verdict(l, f->proto, out);
    out->master = ndpi_get_proto_name(l->module, f->proto.master_protocol);
    out->app = ndpi_get_proto_name(l->module, f->proto.app_protocol);
    out->category = ndpi_category_get_name(l->module, f->proto.category);
    out->source = source_of(f);
    out->packets = f->packets;
}

const char *wsp_label_source_name(wsp_label_source source)
{
    static const char *const names[] = {"none", "port", "address", "cache", "dpi"};

    return (unsigned)source < WSPI_COUNT(names) ? names[source] : "none";
}

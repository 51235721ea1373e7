/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.c: captures as they would have been recorded under worse circumstances: from other hosts, cut packets, late, one way,
 * with losses. The flows of a changed capture are those that its packets make; what they were called before is remembered for the
 * labels.
 */
#include <stdio.h>

#include "packet/packet_int.h"
#include "task/task_int.h"

static const struct {
    const char *name;
    wsp_change_kind kind;
    bool number; /* =N follows */
} kinds[] = {{"none", WSP_CHANGE_NONE, false},       {"forged", WSP_CHANGE_FORGED, false},
             {"headers", WSP_CHANGE_HEADERS, false}, {"snaplen", WSP_CHANGE_SNAPLEN, true},
             {"skip", WSP_CHANGE_SKIP, true},        {"client", WSP_CHANGE_CLIENT, false},
             {"server", WSP_CHANGE_SERVER, false},   {"lost", WSP_CHANGE_LOST, true}};

/* Those that ask whose packet it is, or which of its flow. */
static bool follows_flows(wsp_change_kind k)
{
    return k == WSP_CHANGE_SKIP || k == WSP_CHANGE_CLIENT || k == WSP_CHANGE_SERVER;
}

wsp_status wsp_change_parse(const char *text, wsp_change *out)
{
    size_t n = strcspn(text, "=");
    char *end;

    for (size_t i = 0; i < WSPI_COUNT(kinds); i++) {
        if (strlen(kinds[i].name) != n || strncmp(kinds[i].name, text, n) != 0 ||
            kinds[i].number != (text[n] == '='))
            continue;
        *out = (wsp_change){.kind = kinds[i].kind, .n = 0};
        if (!kinds[i].number)
            return WSP_OK;
        out->n = strtoul(text + n + 1, &end, 10);
        if (text[n + 1] >= '0' && text[n + 1] <= '9' && *end == 0 && out->n > 0 &&
            (out->kind != WSP_CHANGE_LOST || out->n < 100))
            return WSP_OK;
    }
    *out = (wsp_change){.kind = WSP_CHANGE_NONE};
    return WSP_ERR_ARG;
}

/* A key as it is after forging, and as it was: both with the smaller side first. */
typedef struct renamed {
    wsp_flow_key now, before;
    bool used;
} renamed;

struct wsp_changer {
    wsp_change change;
    size_t capture; /* number of the one at work + 1; 0: none yet */
    wsp_packet *packet;
    wsp_flow_table *flows; /* where follows_flows() */
    wspi_rng rng;          /* of LOST */
    wsp_forger *forger;    /* of FORGED */
    renamed *names;        /* [cap], a power of two: open addressing */
    size_t n, cap;
};

wsp_status wsp_changer_new(wsp_changer **out, const wsp_change *change)
{
    wsp_changer *c = wspi_new_array(1, sizeof *c);

    *out = NULL;
    if (!c)
        return WSP_ERR_NOMEM;
    c->change = *change;
    if (wsp_packet_new(&c->packet) < 0) {
        wsp_changer_free(c);
        return WSP_ERR_NOMEM;
    }
    *out = c;
    return WSP_OK;
}

void wsp_changer_free(wsp_changer *c)
{
    if (!c)
        return;
    wsp_packet_free(c->packet);
    wsp_flow_table_free(c->flows);
    wsp_forger_free(c->forger);
    free(c->names);
    free(c);
}

/* ---- names of flows ---- */

/* Where the key is, or where it would go; there is always room. */
static renamed *find(const wsp_changer *c, const wsp_flow_key *now)
{
    size_t at = (size_t)wspi_fnv1a(now, sizeof *now, WSPI_FNV_START) & (c->cap - 1);

    while (c->names[at].used && memcmp(&c->names[at].now, now, sizeof *now) != 0)
        at = (at + 1) & (c->cap - 1);
    return &c->names[at];
}

static wsp_status grow(wsp_changer *c)
{
    renamed *old = c->names;
    size_t n = c->cap;

    c->names = wspi_new_array(n ? 2 * n : 1024, sizeof *c->names);
    if (!c->names) {
        c->names = old;
        return WSP_ERR_NOMEM;
    }
    c->cap = n ? 2 * n : 1024;
    for (size_t i = 0; i < n; i++)
        if (old[i].used)
            *find(c, &old[i].now) = old[i];
    free(old);
    return WSP_OK;
}

static wsp_status remember(wsp_changer *c, wsp_flow_key now, wsp_flow_key before)
{
    renamed *r;

    (void)wsp_flow_key_order(&now);
    if (2 * (c->n + 1) > c->cap)
        WSP_TRY(grow(c));
    r = find(c, &now);
    if (!r->used) {
        *r = (renamed){now, before, true};
        c->n++;
    }
    return WSP_OK;
}

wsp_flow_key wsp_changer_key(const wsp_changer *c, const wsp_flow_key *key)
{
    wsp_flow_key now = *key;

    (void)wsp_flow_key_order(&now);
    if (c->cap && find(c, &now)->used)
        return find(c, &now)->before;
    return *key;
}

/* ---- frames ---- */

static wsp_status begin_capture(wsp_changer *c, size_t capture, int linktype)
{
    if (c->capture == capture + 1)
        return WSP_OK;
    c->capture = capture + 1;
    wsp_flow_table_free(c->flows);
    wsp_forger_free(c->forger);
    c->flows = NULL;
    c->forger = NULL;
    c->n = 0;
    if (c->cap)
        memset(c->names, 0, c->cap * sizeof *c->names);
    wspi_rng_seed(&c->rng, 1); /* a capture loses the same packets whatever was read before it */
    if (follows_flows(c->change.kind))
        return wsp_flow_table_new(&c->flows, NULL);
    if (c->change.kind == WSP_CHANGE_FORGED)
        return wsp_forger_new(&c->forger, linktype, NULL);
    return WSP_OK;
}

static wsp_status forge(wsp_changer *c, int linktype, const wsp_frame *in, wsp_frame *out)
{
    wsp_flow_key before;

    wsp_packet_dissect(c->packet, linktype, in);
    before = *wsp_packet_key(c->packet);
    WSP_TRY(wsp_forger_frame(c->forger, in, out));
    wsp_packet_dissect(c->packet, linktype, out);
    return remember(c, *wsp_packet_key(c->packet), before);
}

/* The flow's first packet is a client's: so a flow that a capture has the second half of has its ends reversed, here as elsewhere. */
static wsp_status keep_some(wsp_changer *c, int linktype, const wsp_frame *frame)
{
    wsp_flow *flow;
    int dir;
    bool kept;

    wsp_packet_dissect(c->packet, linktype, frame);
    WSP_TRY(wsp_flow_table_add(c->flows, wsp_packet_key(c->packet), frame->time_ns, frame->wirelen,
                               wsp_packet_tcp_flags(c->packet), &flow, &dir));
    if (c->change.kind == WSP_CHANGE_SKIP)
        kept = flow->packets[0] + flow->packets[1] > c->change.n;
    else
        kept = dir == (c->change.kind == WSP_CHANGE_SERVER);
    return kept ? WSP_OK : WSP_EOF;
}

static void cut_payload(wsp_changer *c, int linktype, const wsp_frame *in, wsp_frame *out)
{
    const wsp_packet *p = c->packet;

    wsp_packet_dissect(c->packet, linktype, in);
    if (p->payload_len && p->caplen > p->payload_off)
        out->caplen = wspi_frame_at(p, p->payload_off);
}

wsp_status wsp_changer_frame(wsp_changer *c, size_t capture, int linktype, const wsp_frame *in,
                             wsp_frame *out)
{
    wsp_frame frame = *in;

    WSP_TRY(begin_capture(c, capture, linktype));
    *out = frame;
    switch (c->change.kind) {
    case WSP_CHANGE_NONE: break;
    case WSP_CHANGE_FORGED: return forge(c, linktype, &frame, out);
    case WSP_CHANGE_SNAPLEN:
        out->caplen = (uint32_t)WSPI_MIN((uint64_t)frame.caplen, (uint64_t)c->change.n);
        break;
    case WSP_CHANGE_SKIP:
    case WSP_CHANGE_CLIENT:
    case WSP_CHANGE_SERVER: return keep_some(c, linktype, &frame);
    case WSP_CHANGE_LOST: return wspi_rng_below(&c->rng, 100) < c->change.n ? WSP_EOF : WSP_OK;
    case WSP_CHANGE_HEADERS: cut_payload(c, linktype, &frame, out); break;
    }
    return WSP_OK;
}

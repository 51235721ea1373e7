/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.c: what is wrong with the packets of a flow: headers that do not parse, values that are not what they should be
 * computed to, and a TCP that no TCP would speak (RFC 9293, RFC 7323). Lost and repeated packets of real captures are
 * counted too: what matters is how much more generated ones have.
 */
#include "realism/realism_int.h"

static const char *const names[WSP_FAULTS] = {
    [WSP_FAULT_UNPARSED] = "not parsed",
    [WSP_FAULT_CHECKSUM] = "wrong checksum",
    [WSP_FAULT_LENGTH] = "wrong length",
    [WSP_FAULT_NO_SYN] = "TCP flow without SYN",
    [WSP_FAULT_GAP] = "TCP gap",
    [WSP_FAULT_BACK] = "TCP data again",
    [WSP_FAULT_ACK_AHEAD] = "TCP ack of what was not sent",
    [WSP_FAULT_ACK_BACK] = "TCP ack going back",
    [WSP_FAULT_AFTER_FIN] = "TCP data behind FIN",
    [WSP_FAULT_TSVAL] = "TCP timestamp going back",
    [WSP_FAULT_TSECR] = "TCP echo of no timestamp",
    [WSP_FAULT_SYN_OPTION] = "TCP option of SYN elsewhere",
};

const char *wsp_fault_name(wsp_fault fault)
{
    return (unsigned)fault < WSP_FAULTS ? names[fault] : "";
}

/* a - b of numbers that wrap around */
static int32_t ahead(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* ---- computed fields ---- */

static bool may_be_zero(const wspi_layer *l, size_t f)
{
    return l->id == WSPI_UDP && f == WSPI_UDP_CKSUM && l->v[f] == 0;
}

static void check_computed(const wsp_packet *p, size_t *fault)
{
    size_t n = wspi_own_layers(p);
    bool checksum = false, length = false;

    if (p->caplen < p->wirelen)
        return; /* what is missing cannot be summed */
    for (size_t i = 0; i < n; i++) {
        const wspi_layer *l = &p->layers[i];
        const wspi_proto *proto = wspi_protos[l->id];
        for (size_t f = 0; f < proto->n_fields; f++) {
            uint64_t v;
            if (proto->fields[f].kind != WSPI_K_AUTO || l->autos >> f & 1 || may_be_zero(l, f))
                continue;
            if (!proto->computed || !wspi_auto_value(p, p->data, i, f, &v))
                continue;
            if (proto->fields[f].role == WSPI_R_CHECKSUM)
                checksum = true;
            else
                length = true;
        }
    }
    fault[WSP_FAULT_CHECKSUM] += checksum;
    fault[WSP_FAULT_LENGTH] += length;
}

/* ---- TCP ---- */

static const wspi_layer *tcp_of(const wsp_packet *p, size_t *at)
{
    for (size_t i = wspi_own_layers(p); i-- > 0;)
        if (p->layers[i].id == WSPI_TCP) {
            *at = i;
            return &p->layers[i];
        }
    return NULL;
}

static void check_options(wspi_notes *f, const wsp_packet *p, size_t at, const wspi_step *s,
                          size_t *fault)
{
    wspi_side *mine = &f->side[s->dir], *theirs = &f->side[!s->dir];
    bool syn = s->flags & WSPI_TH_SYN;

    for (size_t i = at + 1; i < p->n_layers && wspi_is_part(p->layers[i].id, WSPI_TCP); i++) {
        const wspi_layer *l = &p->layers[i];
        bool of_syn = l->id == WSPI_TCP_MSS || l->id == WSPI_TCP_WSCALE || l->id == WSPI_TCP_SACKOK;
        fault[WSP_FAULT_SYN_OPTION] += of_syn && !syn;
        if (l->id != WSPI_TCP_TS)
            continue;
        fault[WSP_FAULT_TSVAL] += mine->has_ts && ahead((uint32_t)l->v[0], mine->ts) < 0;
        /* of what the capture has not seen nothing can be said */
        fault[WSP_FAULT_TSECR] += theirs->has_ts && s->flags & WSPI_TH_ACK && l->v[1] &&
                                  ahead((uint32_t)l->v[1], theirs->ts) > 0;
        if (!mine->has_ts || ahead((uint32_t)l->v[0], mine->ts) > 0)
            mine->ts = (uint32_t)l->v[0];
        mine->has_ts = true;
    }
}

static void check_sequence(wspi_notes *f, const wspi_layer *l, wspi_step *s, size_t *fault)
{
    wspi_side *mine = &f->side[s->dir];
    uint32_t seq = (uint32_t)l->v[WSPI_TCP_SEQ], start = seq;
    uint32_t len = s->data + (s->flags & WSPI_TH_SYN ? 1u : 0u);

    if (s->flags & WSPI_TH_SYN)
        mine->open = mine->has_ack = mine->has_ts = mine->fin = false; /* a new connection */
    if (mine->open) {
        bool alive = s->data == 1 && ahead(seq, mine->next) == -1; /* keep-alive */
        fault[WSP_FAULT_GAP] += ahead(seq, mine->next) > 0 && !(s->flags & WSPI_TH_RST);
        s->again = s->data && ahead(seq + len, mine->next) <= 0 && !alive;
        fault[WSP_FAULT_BACK] += s->again;
        fault[WSP_FAULT_AFTER_FIN] += mine->fin && s->data && ahead(seq + len, mine->fin_at) > 0;
    }
    if (s->flags & WSPI_TH_FIN) {
        mine->fin = true;
        mine->fin_at = start + len;
        len++;
    }
    if (!mine->open || ahead(seq + len, mine->next) > 0)
        mine->next = seq + len;
    mine->open = true;
}

static void check_ack(wspi_notes *f, const wspi_layer *l, const wspi_step *s, size_t *fault)
{
    wspi_side *mine = &f->side[s->dir], *theirs = &f->side[!s->dir];
    uint32_t ack = (uint32_t)l->v[WSPI_TCP_ACK];

    if (!(s->flags & WSPI_TH_ACK) || s->flags & WSPI_TH_RST)
        return;
    fault[WSP_FAULT_ACK_AHEAD] += theirs->open && ahead(ack, theirs->next) > 0;
    fault[WSP_FAULT_ACK_BACK] += mine->has_ack && ahead(ack, mine->ack) < 0;
    if (!mine->has_ack || ahead(ack, mine->ack) > 0)
        mine->ack = ack;
    mine->has_ack = true;
}

void wspi_check_packet(wspi_notes *f, const wsp_packet *p, size_t *fault)
{
    wspi_step *s = &f->step[f->n_steps - 1];
    const wspi_layer *l;
    size_t at;

    fault[WSP_FAULT_UNPARSED] += p->n_layers < 2 && p->linktype == 1;
    check_computed(p, fault);
    l = p->fragment ? NULL : tcp_of(p, &at);
    if (!l)
        return;
    f->tcp = true;
    if (f->n_steps == 1 && !(s->flags & WSPI_TH_SYN))
        fault[WSP_FAULT_NO_SYN]++;
    check_sequence(f, l, s, fault);
    check_options(f, p, at, s, fault);
    check_ack(f, l, s, fault);
}

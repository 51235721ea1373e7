/* SPDX-License-Identifier: Apache-2.0 */
/* wrap.c: what a frame came in is taken off: see wspi_wrap. */
#include "packet/packet_int.h"

/* VLAN tags of the layers so far, behind those of wraps before. */
static void keep_vlans(wsp_packet *p)
{
    wspi_wrap *w = &p->wrap;

    w->n_vlans = (uint8_t)wsp_packet_vlans(p, w->vlan, WSPI_WRAP_VLANS);
}

/* The inner frame of n captured bytes from `at` on, behind a header that was not captured so. */
static void make_frame(wsp_packet *p, uint32_t at, uint32_t n, const uint8_t *header)
{
    memcpy(p->room, header, WSPI_ETH_LEN);
    if (n)
        memcpy(p->room + WSPI_ETH_LEN, p->wrap.frame + at, n);
    p->data = p->room;
}

bool wspi_unwrap(wspi_region *r, uint32_t head, const uint8_t *header, uint64_t scope)
{
    wsp_packet *p = r->p;
    wspi_wrap *w = &p->wrap;
    uint32_t at = wspi_frame_at(p, r->off + head), made = header ? WSPI_ETH_LEN : 0;
    uint32_t caplen = wspi_frame_at(p, p->caplen), wirelen = wspi_frame_at(p, p->wirelen);
    uint32_t left = r->end - r->off - head;

    if (w->n >= w->most || p->fragment || at > UINT16_MAX || at > wirelen || at > caplen ||
        wspi_own_layers(p) < p->n_layers ||
        (header && (!p->room || caplen - at > WSPI_MADE_FRAME - WSPI_ETH_LEN)))
        return false;
    wspi_key_fill(p);
    if (scope)
        wspi_key_scope(&p->key, scope);
    w->scope = p->key.scope;
    keep_vlans(p);
    w->len = at;
    w->made = (uint8_t)made;
    w->n++;
    p->n_layers = 0;
    p->caplen = caplen - at + made;
    p->wirelen = wirelen - at + made;
    p->wire = WSPI_MAX(p->caplen, p->wirelen);
    if (header)
        make_frame(p, at, caplen - at, header);
    else
        p->data = w->frame + at;
    r->off = 0;
    r->end = left + made;
    return true;
}

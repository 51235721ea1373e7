/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_dialog.c: flows whose protocol has no grammar say what their dialog has (dialog.h), in the place of the likely bytes that
 * were drawn: which protocol that is says the server's port, or the label that was asked for.
 */
#include "generate/generate_speaker.h"
#include "token/app/app.h"
#include "token/token_int.h"

/* Of labels, most of which are such names: elsewhere a name means another thing (a category RPC, a carrier TLS). */
static bool is_of_protocols(const wsp_head *head)
{
    size_t names = 0;

    for (size_t l = 0; l < head->n_labels; l++)
        names += wspi_dialog_of_label(head->labels[l]) || wspi_app_named(head->labels[l]);
    return 2 * names > head->n_labels;
}

wsp_status wspi_dialogs_find(wspi_speaker *g)
{
    size_t n = 0;

    for (size_t h = 0; h < wsp_model_head_count(g->m); h++)
        n += wsp_model_head(g->m, h)->n_labels;
    g->dialog_of = wspi_new_array(n + 1, sizeof *g->dialog_of);
    g->app_of = wspi_new_array(n + 1, sizeof *g->app_of);
    if (!g->dialog_of || !g->app_of)
        return WSP_ERR_NOMEM;
    n = 0;
    for (size_t h = 0; h < wsp_model_head_count(g->m); h++) {
        const wsp_head *head = wsp_model_head(g->m, h);
        bool told = is_of_protocols(head);
        for (size_t l = 0; l < head->n_labels; l++, n++) {
            g->dialog_of[n] = told ? wspi_dialog_of_label(head->labels[l]) : NULL;
            g->app_of[n] = told ? wspi_app_named(head->labels[l]) : 0;
        }
    }
    return wspi_draft_init(&g->draft);
}

void wspi_dialogs_clear(wspi_speaker *g)
{
    free(g->dialog_of);
    free(g->app_of);
    wspi_draft_clear(&g->draft);
}

static uint8_t over(uint8_t layer)
{
    return layer == WSPI_TCP ? WSPI_DIALOG_TCP : layer == WSPI_UDP ? WSPI_DIALOG_UDP : 0;
}

bool wspi_dialog_serves(uint16_t port, bool tcp)
{
    return wspi_dialog_of_port(port, tcp ? WSPI_DIALOG_TCP : WSPI_DIALOG_UDP) != NULL;
}

void wspi_dialog_begin(const wspi_speaker *g, wspi_flow_drawn *f)
{
    int32_t condition = f->start.condition;

    f->fill.serves = wspi_dialog_serves;
    f->fill.app = condition < 0 ? 0 : g->app_of[condition];
    f->dialog =
        (wspi_dialog){.seed = f->fill.seed, .kind = condition < 0 ? NULL : g->dialog_of[condition]};
    f->dialog_tried = f->dialog;
}

/* The layer that a dialog is over; NULL: there is none of the packet's own. */
static wspi_layer *ports_of(const wspi_speaker *g)
{
    wspi_layer *tcp = wspi_draft_layer(&g->draft, WSPI_TCP);

    return tcp ? tcp : wspi_draft_layer(&g->draft, WSPI_UDP);
}

/* A server of the protocol that was asked for listens where such ones do, wherever the model has it; a peer sends from there, too. */
static bool claim_port(const wspi_dialog *d, wspi_layer *l)
{
    enum { SRC, DST };
    bool peer = d->kind->over & WSPI_DIALOG_PEERS;
    uint16_t port = d->kind->port;

    if (!(d->kind->over & over(l->id)) || (l->v[DST] == port && (!peer || l->v[SRC] == port)))
        return false;
    l->v[DST] = port;
    if (peer)
        l->v[SRC] = port;
    return true;
}

/* Writes the payload, or takes it away from a side that waits; false: it stays as it was drawn. */
static bool say(wspi_speaker *g, wspi_flow_drawn *f, wspi_layer *l, int dir)
{
    wspi_dialog *d = &f->dialog_tried;
    const wspi_dialog_kind *here = wspi_dialog_of_port((uint16_t)l->v[dir ? 0 : 1], over(l->id));
    wspi_pen pen = {.n = 0};

    if (here) /* readers go by ports */
        d->kind = here;
    if (d->off || !d->kind || !(d->kind->over & over(l->id)))
        return false;
    d->tcp = l->id == WSPI_TCP;
    wspi_rng_seed(&pen.rng, d->seed + ((f->packets + 1) << 8) + f->longer);
    d->kind->say(d, dir, &pen, g->draft.payload.len);
    if (pen.full || (pen.n == 0 && !d->tcp))
        return false;
    if (pen.n == 0) /* nothing is pushed (RFC 9293 3.9.1.2) */
        l->v[WSPI_TCP_FLAGS] &= ~(uint64_t)WSPI_TH_PSH;
    d->speaks = wspi_draft_replace(&g->draft, 0, (uint32_t)g->draft.payload.len, pen.bytes, pen.n);
    return d->speaks;
}

wsp_status wspi_dialog_frame(wspi_speaker *g, wspi_flow_drawn *f, enum wspi_content drawn, int dir,
                             wsp_frame *frame)
{
    bool first = f->packets == 0 && dir == 0 && f->dialog.kind, changed;
    wspi_layer *l;

    if (drawn == WSPI_CONTENT_MESSAGE || (drawn == WSPI_CONTENT_NONE && !first))
        return WSP_OK;
    WSP_TRY(wspi_draft_read(&g->draft, g->linktype, frame));
    l = ports_of(g);
    if (!l || g->draft.cut)
        return WSP_OK;
    changed = first && claim_port(&f->dialog, l);
    if (changed)
        wspi_cast_settle(g->draft.p);
    f->says = drawn == WSPI_CONTENT_BYTES && g->draft.payload.len > 0 && say(g, f, l, dir);
    if (!changed && !f->says)
        return WSP_OK;
    WSP_TRY(wspi_draft_build(&g->draft));
    frame->data = g->draft.frame.data;
    frame->caplen = (uint32_t)g->draft.frame.len;
    frame->wirelen = g->draft.wirelen;
    return WSP_OK;
}

/* The packet is the flow's. message: of a protocol that has a grammar. */
void wspi_dialog_keep(wspi_flow_drawn *f, bool message, bool payload, int dir)
{
    f->dialog = f->dialog_tried;
    f->dialog.off |= message;
    if (!payload)
        return;
    f->dialog.said[dir]++;
    f->dialog.spoke = (uint8_t)dir;
}

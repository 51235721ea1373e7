/* SPDX-License-Identifier: Apache-2.0 */
/* generate_speaker.c: what a speaker has from its model, and its slots for flows: made and freed. */
#include "generate/generate_speaker.h"

typedef struct wspi_speaker speaker;

/* Where a flow begins that nothing is said of. */
static wsp_status start_plain(speaker *g, wsp_error *err)
{
    float *state = g->flows[0].state; /* of no flow yet */

    return wsp_state_start(g->runner, &state, NULL, 1, g->plain, err);
}

/*
 * Unless a type is asked for: bytes, where the CPU sums their products itself, else float32. What rounding changes of the odds
 * is small beside what is drawn anyhow (generator.md).
 */
static wsp_status make_runner(speaker *g, wsp_dtype type, wsp_error *err)
{
    wsp_status st =
        wsp_runner_new(&g->runner, g->m, type == WSP_DTYPE_AUTO ? WSP_DTYPE_INT8 : type, err);

    if (st == WSP_ERR_UNSUPPORTED && type == WSP_DTYPE_AUTO)
        st = wsp_runner_new(&g->runner, g->m, WSP_DTYPE_F32, err);
    return st;
}

static wsp_status make(speaker *g, const wsp_model *m, const wsp_generate_options *o,
                       wsp_error *err)
{
    const wsp_model_config *cfg = wsp_model_config_get(m);
    const size_t v = cfg->vocab, width = cfg->channels, tokens = cfg->max_tokens;
    bool ok;

    g->m = m;
    g->o = o;
    g->cfg = cfg;
    g->linktype = o->from.flows ? wsp_prompt_linktype(o->from.flows) : 1;
    wspi_buf_init(&g->frames.bytes, SIZE_MAX / 2);
    g->context = wspi_new_array(SLOTS * width, sizeof *g->context);
    g->plain = wspi_new_array(width, sizeof *g->plain);
    g->gathered = wspi_new_array(SLOTS * width, sizeof *g->gathered);
    g->logits = wspi_new_array(2 * SLOTS * v, sizeof *g->logits);
    g->pushed = wspi_new_array(v, sizeof *g->pushed);
    g->legal = wspi_new_array(v, 1);
    g->barred = wspi_new_array(v, 1);
    g->choices = wspi_new_array(SLOTS * v, sizeof *g->choices);
    g->wide = wspi_new_array(SLOTS * v, sizeof *g->wide);
    g->prefix = wspi_new_array(SLOTS * tokens, sizeof *g->prefix);
    g->scratch = wspi_new_array(v, sizeof *g->scratch);
    ok = g->plain && g->pushed && g->context && g->gathered && g->logits && g->legal && g->barred &&
         g->choices && g->wide && g->prefix && g->scratch &&
         wspi_guide_make(&g->guide, v) == WSP_OK;
    if (ok)
        wspi_rare_bar(g->barred, v, o->rare_clients);
    for (size_t i = 0; i < SLOTS && ok; i++) {
        g->flows[i].ctx = wspi_new_array(1, wsp_context_size());
        g->flows[i].walk = wspi_new_array(1, sizeof *g->flows[i].walk);
        g->flows[i].trial = wspi_new_array(1, wsp_context_size());
        g->flows[i].state = wspi_new_array(1, wsp_state_size(g->m));
        g->flows[i].memory = wspi_new_array(1, wsp_memory_size(g->m));
        g->flows[i].plain_memory = wspi_new_array(1, wsp_memory_size(g->m));
        g->flows[i].script.before = wspi_new_array(1, wsp_context_size());
        wspi_buf_init(&g->flows[i].script.resid, SIZE_MAX / 2);
        ok = g->flows[i].ctx && g->flows[i].walk && g->flows[i].trial && g->flows[i].state &&
             g->flows[i].memory && g->flows[i].script.before && g->flows[i].plain_memory;
    }
    if (!ok || wspi_dialogs_find(g) < 0 || wsp_decoder_new(&g->decoder) < 0 ||
        wsp_packet_new(&g->packet) < 0 || wsp_residual_new(&g->resid) < 0)
        return wspi_nomem(err, "flows", SLOTS);
    WSP_TRY(make_runner(g, o->dtype, err));
    return start_plain(g, err);
}

void wspi_speaker_free(wspi_speaker *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        free(g->flows[i].ctx);
        free(g->flows[i].walk);
        free(g->flows[i].trial);
        free(g->flows[i].state);
        free(g->flows[i].memory);
        free(g->flows[i].plain_memory);
        free(g->flows[i].script.before);
        wspi_buf_clear(&g->flows[i].script.resid);
    }
    free(g->context);
    free(g->gathered);
    free(g->plain);
    free(g->logits);
    free(g->pushed);
    free(g->legal);
    free(g->barred);
    wspi_guide_clear(&g->guide);
    free(g->choices);
    free(g->wide);
    free(g->prefix);
    free(g->scratch);
    free(g->frames.ref);
    wspi_buf_clear(&g->frames.bytes);
    wsp_decoder_free(g->decoder);
    wsp_packet_free(g->packet);
    wsp_residual_free(g->resid);
    wspi_editor_clear(&g->editor);
    wspi_dialogs_clear(g);
    wsp_runner_free(g->runner);
    free(g);
}

wsp_status wspi_speaker_new(wspi_speaker **out, const wsp_model *m, const wsp_generate_options *o,
                            wsp_error *err)
{
    wspi_speaker *g = wspi_new_array(1, sizeof *g);
    wsp_status st;

    *out = NULL;
    if (!g)
        return wspi_nomem(err, "flows", SLOTS);
    st = make(g, m, o, err);
    if (st < 0)
        wspi_speaker_free(g);
    else
        *out = g;
    return st;
}

const wspi_frames *wspi_speaker_frames(const wspi_speaker *g)
{
    return &g->frames;
}

size_t wspi_speaker_undrawn(const wspi_speaker *g)
{
    return g->undrawn;
}

uint64_t wspi_speaker_edited(const wspi_speaker *g)
{
    return g->editor.set;
}

wspi_infill wspi_speaker_infill(const speaker *g)
{
    return g->infill;
}

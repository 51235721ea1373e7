/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tag.c: any packets through the tagger, in a small memory: every flow is decided at most once and ends once. The input is a
 * byte of options, then what happens: a byte that says what, for packets one of length and the frame.
 */
#include "target.h"
#include "wirespeak/live.h"

enum { FLOWS = 4096 };
enum what {
    PUSH = 5,
    RUN,
    STEP,
    EXPIRE,
    SHED,
    REFUSE,
    ADMIT,
    HOLD,
    LET_GO,
    FLUSH,
    WHATS
}; /* below PUSH: a packet, too */

static const int linktypes[] = {1, 101, 113, 228, 229, 105};

typedef struct heard {
    uint8_t decided[FLOWS], ended[FLOWS]; /* by flow_id - 1 */
} heard;

static void on_record(void *arg, const wsp_tag_record *r)
{
    heard *h = arg;

    must(r->flow_id >= 1 && r->n_answers >= 1);
    must(r->answers[0].label >= -1 && r->answers[0].label < 3);
    if (r->flow_id > FLOWS)
        return;
    must(!h->ended[r->flow_id - 1]);
    must(r->kind != WSP_TAG_DECISION || !h->decided[r->flow_id - 1]++);
    must(r->kind != WSP_TAG_UPDATE || h->decided[r->flow_id - 1]);
    h->ended[r->flow_id - 1] = r->kind == WSP_TAG_END;
}

static wsp_tagger *tagger_of(uint8_t how, heard *h)
{
    static wsp_model *m;
    wsp_tag_options o = wsp_tag_options_default();
    wsp_tagger *t;

    if (!m)
        m = small_model(0);
    o.memory = (size_t)(how & 1 ? 4 : 8) << 20; /* the least is between 3 and 4 */
    o.follow = how & 2;
    o.sure = how & 4 ? 0.35 : 0.9; /* weights are random: of three labels few reach more */
    o.run = 1 + (how >> 3 & 3u);
    o.max_packets = how >> 5;
    o.dtype = WSP_DTYPE_F32;
    o.record = on_record;
    o.arg = h;
    must(wsp_tagger_new(&t, m, &o, NULL) == WSP_OK);
    return t;
}

static void push(wsp_tagger *t, wspi_cursor *c, uint8_t what, uint64_t now)
{
    size_t len = wspi_cur_u8(c);
    wsp_frame f = {.caplen = (uint32_t)WSPI_MIN(len, wspi_cur_left(c)), .time_ns = now};

    f.data = wspi_cur_bytes(c, f.caplen);
    f.wirelen = f.caplen + (what & 16u);
    must(wsp_tagger_push(t, what >> 5 & 1, linktypes[(what >> 5) % WSPI_COUNT(linktypes)], &f,
                         NULL) == WSP_OK);
}

static void step(wsp_tagger *t, wspi_cursor *c, uint64_t *now)
{
    uint8_t what = wspi_cur_u8(c);

    *now += (uint64_t)what << 20;
    switch ((what & 15) % WHATS) {
    case RUN: must(wsp_tagger_run(t, NULL) == WSP_OK); break;
    case STEP: must(wsp_tagger_step(t, NULL) == WSP_OK); break;
    case EXPIRE: must(wsp_tagger_expire(t, *now += 200000000000u, NULL) == WSP_OK); break;
    case HOLD: wsp_tagger_hold(t, true); break;
    case LET_GO: wsp_tagger_hold(t, false); break;
    case SHED: wsp_tagger_shed(t); break;
    case REFUSE: wsp_tagger_admit(t, false); break;
    case ADMIT: wsp_tagger_admit(t, true); break;
    case FLUSH: must(wsp_tagger_flush(t, NULL) == WSP_OK); break;
    default: push(t, c, what, *now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static heard h;
    wspi_cursor c = wspi_cur(data, size);
    wsp_tagger *t;
    uint64_t now = 1000000000;
    wsp_tag_stats s;

    memset(&h, 0, sizeof h);
    t = tagger_of(wspi_cur_u8(&c), &h);
    for (size_t n = 0; n < 64 && wspi_cur_left(&c) > 0; n++)
        step(t, &c, &now);
    must(wsp_tagger_flush(t, NULL) == WSP_OK);
    s = wsp_tagger_stats(t);
    must(s.flows_now == 0 && s.undecided_now == 0);
    for (size_t i = 0; i < s.flows && i < FLOWS; i++)
        must(h.ended[i]);
    wsp_tagger_free(t);
    return 0;
}

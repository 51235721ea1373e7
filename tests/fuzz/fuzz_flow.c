/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_flow.c: any sequence of packets through a small flow table, beside a plain list of what must
 * be open: every flow is released once, ids count up, counters add up, the limit holds, a key has
 * one flow.
 */
#include "base/base.h"
#include "wirespeak/flow.h"

#define MAX_FLOWS 8

typedef struct model {
    struct {
        uint64_t id;
        wsp_flow_key ordered;
    } open[MAX_FLOWS];
    size_t n;
    uint64_t released, packets, evicted;
    size_t max;
    bool flushing;
} model;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_release(void *arg, wsp_flow *flow)
{
    model *m = arg;
    size_t i = 0;

    while (i < m->n && m->open[i].id != flow->id)
        i++;
    assert(i < m->n);
    assert(!m->flushing || i == 0); /* oldest first */
    assert(flow->end != WSP_FLOW_OPEN);
    assert(flow->first_ns <= flow->last_ns && flow->packets[0] + flow->packets[1] > 0);
    m->packets += flow->packets[0] + flow->packets[1];
    m->released++;
    m->evicted += flow->end == WSP_FLOW_EVICTED;
    memmove(&m->open[i], &m->open[i + 1], (m->n - i - 1) * sizeof m->open[0]);
    m->n--;
}

static void note(model *m, const wsp_flow_key *key, const wsp_flow *flow, int dir)
{
    wsp_flow_key ordered = *key, of_flow = flow->key;
    size_t i = 0;

    (void)wsp_flow_key_order(&ordered);
    (void)wsp_flow_key_order(&of_flow);
    assert(memcmp(&ordered, &of_flow, sizeof ordered) == 0);
    assert(memcmp(flow->key.addr[0], key->addr[dir], sizeof key->addr[0]) == 0);
    assert(flow->key.port[0] == key->port[dir]);
    while (i < m->n && memcmp(&m->open[i].ordered, &ordered, sizeof ordered) != 0)
        i++;
    if (i < m->n) {
        assert(m->open[i].id == flow->id);
        return;
    }
    assert(m->n < m->max && flow->packets[0] + flow->packets[1] == 1);
    m->open[m->n].id = flow->id;
    m->open[m->n++].ordered = ordered;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wspi_cursor c = wspi_cur(data, size);
    uint8_t conf = wspi_cur_u8(&c);
    model m = {.max = 1u + conf % MAX_FLOWS};
    wsp_flow_table_options opt = {.max_flows = m.max,
                                  .idle_ns = conf >> 3 & 7u,
                                  .active_ns = conf >> 6,
                                  .release = on_release,
                                  .arg = &m};
    wsp_flow_table *t;
    uint64_t added = 0, ids = 0, now = 100;

    if (wsp_flow_table_new(&t, &opt) < 0)
        return 0;
    while (wspi_cur_left(&c) >= 3) {
        uint8_t ends = wspi_cur_u8(&c), flags = wspi_cur_u8(&c), step = wspi_cur_u8(&c);
        wsp_flow_key key = {.ethertype = 0x0800, .proto = step & 0x80 ? 17 : 6, .addr_len = 4};
        wsp_flow *flow;
        int dir;

        key.addr[0][0] = ends & 3;
        key.addr[1][0] = ends >> 2 & 3;
        key.port[0] = ends >> 4 & 3;
        key.port[1] = ends >> 6;
        now = now + (step & 15u) - (step >> 4 & 1u) * 8; /* mostly on, at times back */
        if (wsp_flow_table_add(t, &key, now, 60, flags, &flow, &dir) < 0)
            break;
        added++;
        note(&m, &key, flow, dir);
        assert(flow->id <= ids);
        ids += flow->id == ids;
        assert(wsp_flow_table_count(t) == m.n);
        if (step == 0xff)
            wsp_flow_table_flush(t);
    }
    m.flushing = true;
    wsp_flow_table_flush(t);
    assert(m.n == 0 && m.released == ids && m.packets == added &&
           m.evicted == wsp_flow_table_evictions(t));
    wsp_flow_table_free(t);
    return 0;
}

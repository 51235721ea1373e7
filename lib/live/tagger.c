/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tagger.c: flows on their way to a decision. A flow that is read has a context (the codec's) and stands on a node of the
 * tree of beginnings; one that is decided keeps the answers only, and its packets cost a look into the flow table.
 */
#include "live/crowd_int.h"
#include "live/prefix_int.h"
#include "task/task_int.h"

/*
 * Something is done about the queue when so many nodes wait (while computing is held, so many) or so many flows wait on them. The
 * memory is shared out in SHARES parts.
 */
enum { BATCH = 64, HELD_BATCH = 512, MAX_WAITS = 8192, SHARES = 20 };
/* So many flows are looked at for one whose end makes room: while memory is short, for each packet. */
enum { LOOKS = 64 };
enum { FLOW_SHARE = 8, CONTEXT_SHARE = 6, NODE_SHARE = 3, STATE_SHARE = 3 };
enum { LEAST_STATES = 512 };

/* Bytes of a flow in the table: its entry, and its places among the slots, which are at most half full. */
enum { TABLE_ENTRY = 320 };

typedef enum flow_state {
    UNDECIDED,
    FOLLOWED, /* decided, and read on */
    DECIDED,  /* decided or given up: read no more */
} flow_state;

typedef struct tag_flow tag_flow;

struct tag_flow {
    wsp_flow *flow;
    wspi_node *at;           /* after the last packet that was read; NULL: it is read no more */
    wsp_context *ctx;        /* while it is read */
    tag_flow *older, *newer; /* in its line */
    wspi_wait *waits;        /* at nodes that it has been led to and that are not known yet */
    uint32_t source, packets;
    uint8_t seen; /* of wsp_policy_apply */
    uint8_t state, reason;
    bool crowd;            /* began in one */
    wsp_tag_answer said[]; /* [heads], of the last decision */
};

/* Flows that are read, in the order of first packets. */
typedef struct tag_line {
    tag_flow *oldest, *newest;
} tag_line;

/* The flow as it was with the packet: others come before it is known what that decides. */
struct wspi_wait {
    wspi_wait *older, *newer; /* at the node, in a ring: n->waits is the oldest */
    wspi_wait *next;          /* of the flow */
    wspi_node *node;
    tag_flow *flow;
    uint64_t time_ns;
    wsp_flow then;
};

struct wsp_tagger {
    wsp_tag_options opt;
    const wsp_policy *policy;
    size_t max_payload, max_tokens;
    size_t *heads;
    wspi_prefix prefix;
    wsp_flow_table *table;
    wspi_pool flows, contexts, waits;
    wspi_crowd crowd;
    tag_line read[2]; /* those of crowds second */
    wsp_packet *packet;
    wsp_residual *resid;
    int linktype; /* of the first packet; flows of others are told apart */
    bool has_linktype, refuse, held;
    wsp_tag_stats stats;
    wsp_status st; /* first failure inside a callback, with err */
    wsp_error err;
};

const char *wsp_tag_reason_name(wsp_tag_reason r)
{
    static const char *const names[] = {"sure", "packets", "end", "shed"};

    return (unsigned)r < WSPI_COUNT(names) ? names[r] : "none";
}

wsp_tag_options wsp_tag_options_default(void)
{
    return (wsp_tag_options){.sure = 0.9,
                             .run = 2,
                             .min_confidence = -1,
                             .memory = (size_t)512 << 20,
                             .idle_ns = UINT64_C(120) * 1000000000,
                             .active_ns = UINT64_C(1800) * 1000000000};
}

/* ---- what is said ---- */

static void say(const wsp_tagger *t, const tag_flow *f, const wsp_flow *flow, wsp_tag_kind kind,
                uint64_t time_ns)
{
    if (t->opt.record)
        t->opt.record(t->opt.arg, &(wsp_tag_record){.kind = kind,
                                                    .reason = (wsp_tag_reason)f->reason,
                                                    .flow = flow,
                                                    .flow_id = f->flow->id + 1,
                                                    .source = f->source,
                                                    .packets = f->packets,
                                                    .time_ns = time_ns,
                                                    .n_answers = t->prefix.rules.n_heads,
                                                    .answers = f->said});
}

/* What the nearest node that knows something knows becomes the flow's last word. */
static void take_answers(const wsp_tagger *t, tag_flow *f, const wspi_node *n)
{
    while (!n->known)
        n = n->parent;
    memcpy(f->said, n->said, t->prefix.rules.n_heads * sizeof *f->said);
    f->packets = n->depth;
}

/* The same when no packet will follow. */
static void take_last_answers(const wsp_tagger *t, tag_flow *f)
{
    size_t n_heads = t->prefix.rules.n_heads;

    take_answers(t, f, f->at);
    if (f->at->known)
        memcpy(f->said, f->at->said + n_heads, n_heads * sizeof *f->said);
}

/* ---- those who wait for a node ---- */

/* To be told when the flow's node is known. */
static wsp_status wait_for(wsp_tagger *t, tag_flow *f, uint64_t time_ns)
{
    wspi_wait *w = wspi_pool_take(&t->waits), *oldest = f->at->waits;

    if (!w)
        return WSP_ERR_NOMEM;
    *w = (wspi_wait){
        .next = f->waits, .node = f->at, .flow = f, .time_ns = time_ns, .then = *f->flow};
    w->newer = oldest ? oldest : w;
    w->older = oldest ? oldest->older : w;
    w->older->newer = w;
    w->newer->older = w;
    f->at->waits = oldest ? oldest : w;
    f->waits = w;
    return WSP_OK;
}

static void wait_end(wsp_tagger *t, wspi_wait *w)
{
    wspi_wait **of_flow = &w->flow->waits;

    while (*of_flow != w)
        of_flow = &(*of_flow)->next;
    *of_flow = w->next;
    w->older->newer = w->newer;
    w->newer->older = w->older;
    if (w->node->waits == w)
        w->node->waits = w->newer == w ? NULL : w->newer;
    wspi_pool_give(&t->waits, w);
}

/* ---- flows that are read ---- */

static void join(tag_line *l, tag_flow *f)
{
    f->older = l->newest;
    if (l->newest)
        l->newest->newer = f;
    else
        l->oldest = f;
    l->newest = f;
}

static void leave(tag_line *l, tag_flow *f)
{
    if (f->older)
        f->older->newer = f->newer;
    else
        l->oldest = f->newer;
    if (f->newer)
        f->newer->older = f->older;
    else
        l->newest = f->older;
    f->older = f->newer = NULL;
}

static void start_reading(wsp_tagger *t, tag_flow *f, wsp_context *ctx, int linktype)
{
    f->ctx = ctx;
    wsp_context_init(ctx, linktype);
    f->at = t->prefix.root;
    wspi_prefix_hold(&t->prefix, f->at);
    join(&t->read[f->crowd], f);
}

static void stop_reading(wsp_tagger *t, tag_flow *f)
{
    if (!f->ctx)
        return;
    while (f->waits)
        wait_end(t, f->waits);
    wspi_pool_give(&t->contexts, f->ctx);
    f->ctx = NULL;
    wspi_prefix_drop(&t->prefix, f->at);
    f->at = NULL;
    leave(&t->read[f->crowd], f);
}

static void give_up(wsp_tagger *t, tag_flow *f, uint64_t *counter)
{
    if (f->state == UNDECIDED) {
        take_answers(t, f, f->at);
        f->reason = WSP_TAG_SHED;
        (*counter)++;
    }
    f->state = DECIDED;
    stop_reading(t, f);
}

/* The flow that has been read for the longest time, of crowds first; NULL: there is none. */
static tag_flow *oldest_of(const wsp_tagger *t)
{
    return t->read[1].oldest ? t->read[1].oldest : t->read[0].oldest;
}

static bool shed_oldest(wsp_tagger *t, uint64_t *counter)
{
    tag_flow *f = oldest_of(t);

    if (f)
        give_up(t, f, counter);
    return f != NULL;
}

/* The first to go, of those before f, that makes room for a node of n tokens; f itself if none does. */
static tag_flow *one_in_the_way(const wsp_tagger *t, tag_flow *f, size_t n)
{
    tag_flow *g = oldest_of(t);

    for (unsigned i = 0; i < LOOKS && g != f; i++) {
        if (wspi_prefix_makes_room(g->at, n))
            return g;
        g = g->newer ? g->newer : t->read[0].oldest; /* f is in the line of the oldest, or behind */
    }
    return f;
}

/* The flow, as it was then, has come to a node that decides; *by counts first decisions. */
static void decide(wsp_tagger *t, tag_flow *f, const wsp_flow *then, const wspi_node *n,
                   uint64_t time_ns, uint64_t *by)
{
    bool first = f->state == UNDECIDED, news = first || f->said->label != n->said->label;

    take_answers(t, f, n);
    f->reason = n->run >= t->opt.run ? WSP_TAG_SURE : WSP_TAG_PACKETS;
    f->state = n->last || !t->opt.follow ? DECIDED : FOLLOWED;
    *by += first;
    t->stats.updates += news && !first;
    if (f->state == DECIDED)
        stop_reading(t, f);
    if (news)
        say(t, f, then, first ? WSP_TAG_DECISION : WSP_TAG_UPDATE, time_ns);
}

/* A node of the queue is known, or nobody wants it: those who waited go on. */
static void on_known(void *arg, wspi_node *n)
{
    wsp_tagger *t = arg;
    uint64_t *by = &t->stats.by_model;

    while (n->waits) {
        wspi_wait w = *n->waits;

        wait_end(t, n->waits);
        if (n->known && n->decided) {
            decide(t, w.flow, &w.then, n, w.time_ns, by);
            by = &t->stats.by_prefix;
        }
    }
}

wsp_status wsp_tagger_run(wsp_tagger *t, wsp_error *err)
{
    return wspi_prefix_run(&t->prefix, err);
}

wsp_status wsp_tagger_step(wsp_tagger *t, wsp_error *err)
{
    return t->held ? WSP_OK : wspi_prefix_step(&t->prefix, err);
}

size_t wsp_tagger_waiting(const wsp_tagger *t)
{
    return t->prefix.n_queue;
}

/* ---- the ends of flows ---- */

static void release(void *arg, wsp_flow *flow)
{
    wsp_tagger *t = arg;
    tag_flow *f = flow->user;

    if (!f)
        return;
    if (f->waits && t->held)
        give_up(t, f, &t->stats.shed_time);
    if (f->waits && t->st == WSP_OK)
        t->st = wspi_prefix_run(&t->prefix, &t->err);
    if (f->state == UNDECIDED) {
        take_last_answers(t, f);
        f->reason = WSP_TAG_ENDED;
        t->stats.at_end++;
    }
    t->stats.evicted += flow->end == WSP_FLOW_EVICTED;
    stop_reading(t, f);
    say(t, f, flow, WSP_TAG_END, flow->last_ns);
    wspi_pool_give(&t->flows, f);
    flow->user = NULL;
}

/* A failure that happened in a callback of the flow table. */
static wsp_status check(const wsp_tagger *t, wsp_error *err)
{
    if (t->st < 0 && err)
        *err = t->err;
    return t->st;
}

wsp_status wsp_tagger_expire(wsp_tagger *t, uint64_t now_ns, wsp_error *err)
{
    wsp_flow_table_expire(t->table, now_ns);
    return check(t, err);
}

wsp_status wsp_tagger_flush(wsp_tagger *t, wsp_error *err)
{
    WSP_TRY(wsp_tagger_run(t, err));
    wsp_flow_table_flush(t->table);
    t->has_linktype = false;
    return check(t, err);
}

void wsp_tagger_shed(wsp_tagger *t)
{
    for (size_t n = (t->contexts.used + 3) / 4; n > 0; n--)
        (void)shed_oldest(t, &t->stats.shed_time);
}

void wsp_tagger_admit(wsp_tagger *t, bool new_flows)
{
    t->refuse = !new_flows;
}

void wsp_tagger_hold(wsp_tagger *t, bool held)
{
    t->held = held;
}

/* ---- packets ---- */

/* A flow that nobody reads: its answers are those of the root, which knows nothing. */
static void refuse(wsp_tagger *t, tag_flow *f, uint64_t *counter)
{
    take_answers(t, f, t->prefix.root);
    f->state = DECIDED;
    f->reason = WSP_TAG_SHED;
    (*counter)++;
}

/* Where a crowd is what there is too much of, the flows beside it are read on. */
static bool refused(const wsp_tagger *t, const tag_flow *f)
{
    bool full = t->held && t->prefix.n_queue >= BATCH;

    return (t->refuse || full) && (f->crowd || !wspi_crowd_rules(&t->crowd));
}

static wsp_status begin(wsp_tagger *t, wsp_flow *flow, uint32_t source, int linktype,
                        uint32_t wirelen)
{
    tag_flow *f = wspi_pool_take(&t->flows);
    wsp_context *ctx;

    if (!f)
        return WSP_ERR_NOMEM;
    memset(f, 0, t->flows.size);
    f->flow = flow;
    f->source = source;
    f->crowd = wspi_crowd_add(&t->crowd, flow->key.proto, (uint8_t)wsp_packet_tcp_flags(t->packet),
                              wirelen);
    flow->user = f;
    t->stats.flows++;
    if (refused(t, f)) {
        refuse(t, f, &t->stats.shed_time);
        return WSP_OK;
    }
    ctx = wspi_pool_take(&t->contexts);
    if (!ctx && shed_oldest(t, &t->stats.shed_memory))
        ctx = wspi_pool_take(&t->contexts);
    if (ctx)
        start_reading(t, f, ctx, linktype);
    else
        refuse(t, f, &t->stats.shed_memory);
    return WSP_OK;
}

/* NULL: there is no room for the packet, and the flow is given up: another one whose end makes room goes first. */
static wspi_node *next_node(wsp_tagger *t, tag_flow *f, const uint16_t *ids, size_t len)
{
    wspi_node *n = wspi_prefix_next(&t->prefix, f->at, ids, len);

    for (bool again = false; !n && f->ctx; again = true) {
        wspi_prefix_sweep(&t->prefix);
        n = wspi_prefix_next(&t->prefix, f->at, ids, len);
        if (!n)
            give_up(t, again ? f : one_in_the_way(t, f, len), &t->stats.shed_memory);
    }
    return n;
}

static wsp_status read_packet(wsp_tagger *t, tag_flow *f, int dir, uint64_t time_ns)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wspi_node *n;
    size_t len;

    wsp_residual_reset(t->resid);
    wsp_packet_check(t->packet);
    WSP_TRY(wsp_encode_packet(f->ctx, t->packet, dir, t->stats.packets, ids, &len, t->resid));
    len = wsp_policy_apply(t->policy, ids, len, t->max_payload, t->max_tokens, &f->seen, ids);
    n = next_node(t, f, ids, len);
    if (!n)
        return WSP_OK;
    wspi_prefix_drop(&t->prefix, f->at);
    f->at = n;
    if (!n->known)
        return wait_for(t, f, time_ns);
    if (n->decided)
        decide(t, f, f->flow, n, time_ns, &t->stats.by_prefix);
    return WSP_OK;
}

static wsp_status take_packet(wsp_tagger *t, uint32_t source, int linktype, const wsp_frame *frame)
{
    wsp_flow_key key;
    wsp_flow *flow;
    int dir;

    wsp_packet_peek(t->packet, linktype, frame);
    key = *wsp_packet_key(t->packet);
    if (!t->has_linktype)
        t->linktype = linktype;
    t->has_linktype = true;
    /* a context is of one link type, and so are the packets of a flow */
    key.scope ^= (uint32_t)(linktype - t->linktype) * 0x9e3779b1u;
    WSP_TRY(wsp_flow_table_add(t->table, &key, frame->time_ns, frame->wirelen,
                               wsp_packet_tcp_flags(t->packet), &flow, &dir));
    WSP_TRY(t->st);
    wsp_flow_note(flow, t->packet, dir);
    if (!flow->user)
        WSP_TRY(begin(t, flow, source, linktype, frame->wirelen));
    t->stats.packets++;
    return ((tag_flow *)flow->user)->ctx ? read_packet(t, flow->user, dir, frame->time_ns) : WSP_OK;
}

/* Keeps the queue and those who wait for it short; while packets come first, by giving flows up. */
static wsp_status make_room(wsp_tagger *t, wsp_error *err)
{
    size_t most = t->held ? HELD_BATCH : BATCH;
    bool full = t->prefix.n_queue >= most || t->waits.used >= MAX_WAITS;

    if (full && t->held) {
        wsp_tagger_shed(t);
        wspi_prefix_sweep(&t->prefix);
        full = t->prefix.n_queue >= most || t->waits.used >= MAX_WAITS;
    }
    return full ? wspi_prefix_step(&t->prefix, err) : WSP_OK;
}

wsp_status wsp_tagger_push(wsp_tagger *t, uint32_t source, int linktype, const wsp_frame *frame,
                           wsp_error *err)
{
    wsp_status st;

    WSP_TRY(make_room(t, err));
    st = take_packet(t, source, linktype, frame);
    if (st == t->st)
        return check(t, err);
    return wspi_fail(err, st, 0, "packet %llu: %s", (unsigned long long)t->stats.packets + 1,
                     wsp_status_name(st));
}

/* ---- making ---- */

wsp_tag_stats wsp_tagger_stats(const wsp_tagger *t)
{
    const wspi_prefix *p = &t->prefix;
    wsp_tag_stats s = t->stats;

    s.flows_now = wsp_flow_table_count(t->table);
    s.undecided_now = s.flows - s.by_model - s.by_prefix - s.at_end - s.shed_time - s.shed_memory;
    s.rows = p->rows;
    s.rows_known = p->rows_known;
    s.rows_again = p->rows_again;
    s.beginnings_now = p->n_nodes;
    s.states_now = p->states.used;
    s.memory_now = p->nodes[0].made * p->nodes[0].size + p->nodes[1].made * p->nodes[1].size +
                   p->states.made * p->states.size + t->contexts.made * t->contexts.size +
                   t->flows.made * t->flows.size + (size_t)s.flows_now * TABLE_ENTRY;
    return s;
}

/* What the model was trained to see, and the rules of decisions. */
static wsp_status read_options(wsp_tagger *t, const wsp_model *m, wsp_error *err)
{
    wsp_view_options view = wsp_view_options_of(m);
    size_t n = t->opt.n_heads;

    if (wsp_model_head_count(m) == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "the model has no head to classify with");
    t->policy = wsp_policy_get(view.policy);
    if (!t->policy)
        return wspi_fail(err, WSP_ERR_ARG, 0, "there is no mask policy '%s'", view.policy);
    t->max_payload = view.max_payload;
    t->max_tokens = wsp_model_config_get(m)->max_tokens;
    t->heads = wspi_new_array(WSPI_MAX(n, (size_t)1), sizeof *t->heads);
    if (!t->heads)
        return wspi_nomem(err, "heads", n);
    for (size_t i = 0; i < n; i++) {
        if (t->opt.heads[i] >= wsp_model_head_count(m))
            return wspi_fail(err, WSP_ERR_ARG, 0, "the model has no head %zu", t->opt.heads[i]);
        t->heads[i] = t->opt.heads[i];
    }
    t->opt.run = WSPI_MAX(t->opt.run, 1u);
    if (t->opt.max_packets == 0 || t->opt.max_packets > view.max_packets)
        t->opt.max_packets = (uint32_t)view.max_packets;
    t->prefix.rules = (wspi_prefix_rules){.heads = t->heads,
                                          .n_heads = WSPI_MAX(n, (size_t)1),
                                          .sure = t->opt.sure,
                                          .min_confidence = t->opt.min_confidence,
                                          .run = t->opt.run,
                                          .max_packets = t->opt.max_packets,
                                          .follow = t->opt.follow};
    t->prefix.on_known = on_known;
    t->prefix.arg = t;
    return WSP_OK;
}

/* Every kind of memory has its share, so that all of them together never pass the limit. */
static wsp_status share_memory(wsp_tagger *t, const wsp_model *m, wsp_error *err)
{
    size_t part = t->opt.memory / SHARES;
    size_t flow = sizeof(tag_flow) + t->prefix.rules.n_heads * sizeof(wsp_tag_answer);
    size_t states = part * STATE_SHARE / wsp_state_size(m);
    wsp_flow_table_options o = {
        .idle_ns = t->opt.idle_ns, .active_ns = t->opt.active_ns, .release = release, .arg = t};

    if (states < LEAST_STATES)
        return wspi_fail(err, WSP_ERR_LIMIT, 0,
                         "%zu MiB of memory for flows are too little: this model needs %zu MiB",
                         t->opt.memory >> 20,
                         (LEAST_STATES * wsp_state_size(m) / STATE_SHARE * SHARES >> 20) + 1);
    o.max_flows = part * FLOW_SHARE / (TABLE_ENTRY + flow + 64);
    wspi_pool_init(&t->flows, flow, o.max_flows + 1);
    wspi_pool_init(&t->contexts, wsp_context_size(),
                   part * CONTEXT_SHARE / (wsp_context_size() + 64));
    wspi_pool_init(&t->waits, sizeof(wspi_wait), 2 * MAX_WAITS);
    if (wsp_flow_table_new(&t->table, &o) < 0 || wsp_packet_new(&t->packet) < 0 ||
        wsp_residual_new(&t->resid) < 0)
        return wspi_nomem(err, "a flow table", o.max_flows);
    return wspi_prefix_init(&t->prefix, m, t->opt.dtype, part * NODE_SHARE, states, err);
}

wsp_status wsp_tagger_new(wsp_tagger **out, const wsp_model *m, const wsp_tag_options *opt,
                          wsp_error *err)
{
    wsp_tagger *t;
    wsp_status st;

    *out = NULL;
    WSP_TRY(wspi_vocab_check(m, err));
    t = wspi_new_array(1, sizeof *t);
    if (!t)
        return wspi_nomem(err, "a tagger", sizeof *t);
    t->opt = opt ? *opt : wsp_tag_options_default();
    st = read_options(t, m, err);
    if (st == WSP_OK)
        st = share_memory(t, m, err);
    if (st == WSP_OK)
        *out = t;
    else
        wsp_tagger_free(t);
    return st;
}

void wsp_tagger_free(wsp_tagger *t)
{
    if (!t)
        return;
    /* the flows' own memory goes with the pools: nothing is said of them */
    t->opt.record = NULL;
    t->st = WSP_EOF;
    wsp_flow_table_free(t->table);
    wspi_prefix_clear(&t->prefix);
    wspi_pool_clear(&t->flows);
    wspi_pool_clear(&t->contexts);
    wspi_pool_clear(&t->waits);
    wsp_packet_free(t->packet);
    wsp_residual_free(t->resid);
    free(t->heads);
    free(t);
}

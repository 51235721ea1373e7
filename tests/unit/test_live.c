/* SPDX-License-Identifier: Apache-2.0 */
/* test_live.c: the ring between threads, pools, the tree of beginnings, and the tagger against wsp_classify. */
#include "models.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture_int.h"
#include "live/crowd_int.h"
#include "live/prefix_int.h"
#include "live/ring_int.h"
#include "wirespeak/task.h"

/* How far the clock that can be set is ahead of the kernel's: as if it had been put back after it was read. */
static time_t ahead_s;

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    t->tv_sec += clock == CLOCK_REALTIME ? ahead_s : 0;
    return rc;
}

/* ---- ring ---- */

enum { RECORDS = 20000 };

static void fill(uint8_t *p, size_t len, uint32_t number)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(number * 31 + i);
}

static size_t length_of(uint32_t number)
{
    return number * 7919u % 700;
}

static void *write_records(void *arg)
{
    wspi_ring *r = arg;
    uint8_t bytes[700];

    for (uint32_t i = 0; i < RECORDS; i++) {
        wspi_ring_record head = {.len = (uint32_t)length_of(i), .wirelen = i, .kind = 1};
        fill(bytes, head.len, i);
        while (!wspi_ring_put(r, &head, bytes))
            wspi_ring_wait_space(r);
    }
    wspi_ring_close(r);
    return NULL;
}

static void records_arrive_whole_and_in_order(void **state)
{
    const wspi_ring_record *record;
    uint8_t want[700];
    pthread_t thread;
    uint32_t n = 0;
    bool closed;
    wspi_ring r;

    (void)state;
    assert_int_equal(wspi_ring_init(&r, 8192), WSP_OK);
    assert_int_equal(pthread_create(&thread, NULL, write_records, &r), 0);
    for (;;) {
        record = wspi_ring_take(&r, 50, &closed);
        if (!record && closed)
            break;
        if (!record)
            continue;
        assert_int_equal(record->wirelen, n);
        assert_int_equal(record->len, length_of(n));
        fill(want, record->len, n);
        assert_memory_equal(record + 1, want, record->len);
        n++;
    }
    assert_int_equal(n, RECORDS);
    assert_int_equal(pthread_join(thread, NULL), 0);
    wspi_ring_clear(&r);
}

static void a_full_ring_refuses_and_goes_on(void **state)
{
    uint8_t bytes[1000] = {7};
    wspi_ring_record head = {.len = sizeof bytes, .kind = 1};
    wspi_ring_record large = {.len = 4096, .kind = 1};
    size_t put = 0;
    bool closed;
    wspi_ring r;

    (void)state;
    assert_int_equal(wspi_ring_init(&r, 8192), WSP_OK);
    assert_true(wspi_ring_takes(&r, 2048 - sizeof large));
    assert_false(wspi_ring_takes(&r, 2049 - sizeof large));
    assert_false(wspi_ring_put(&r, &large, bytes)); /* more than a quarter */
    assert_null(wspi_ring_take(&r, 0, &closed));
    assert_false(closed);
    for (; wspi_ring_put(&r, &head, bytes); put++)
        ;
    assert_int_equal(put, 8);
    assert_true(wspi_ring_fill(&r) > 0.9);
    for (int i = 0; i < 100; i++) {
        assert_non_null(wspi_ring_take(&r, 0, &closed));
        assert_non_null(wspi_ring_take(&r, 0, &closed)); /* gives the one before back */
        assert_true(wspi_ring_put(&r, &head, bytes));
        while (wspi_ring_put(&r, &head, bytes))
            ;
    }
    wspi_ring_close(&r);
    while (wspi_ring_take(&r, 0, &closed))
        put--;
    assert_true(closed);
    assert_true(wspi_ring_fill(&r) == 0);
    wspi_ring_clear(&r);
}

static void a_clock_that_is_put_back_makes_no_wait_longer(void **state)
{
    struct timespec before, after;
    wspi_ring r;
    bool closed;

    (void)state;
    assert_int_equal(wspi_ring_init(&r, 8192), WSP_OK);
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    ahead_s = 4;
    assert_null(wspi_ring_take(&r, 5, &closed));
    wspi_ring_wait_space(&r);
    ahead_s = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 3);
    wspi_ring_clear(&r);
}

static void a_pool_keeps_its_limit(void **state)
{
    wspi_pool p;
    void *item[10], *more;

    (void)state;
    wspi_pool_init(&p, 100, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_non_null(item[i] = wspi_pool_take(&p));
        memset(item[i], (int)i, 100);
    }
    more = wspi_pool_take(&p);
    assert_null(more);
    wspi_pool_give(&p, item[4]);
    assert_int_equal(p.used, 9);
    more = wspi_pool_take(&p);
    assert_ptr_equal(more, item[4]);
    assert_int_equal(*(uint8_t *)item[5], 5);
    wspi_pool_clear(&p);
}

static void a_kind_is_a_crowd_while_it_comes_often(void **state)
{
    wspi_crowd c = {0};
    size_t crowds = 0;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) { /* all apart, and there is no crowd after the first few */
        crowds += wspi_crowd_add(&c, 17, 0, i);
        assert_true(i < 100 || !wspi_crowd_rules(&c));
    }
    assert_true(crowds < 40);
    for (uint32_t i = 0; i < 3000; i++) {
        bool crowd = wspi_crowd_add(&c, 6, 2, 54);
        assert_true(i < 100 || crowd);
        if (i % 100 == 99)
            assert_false(wspi_crowd_add(&c, 17, 0, 5000 + i));
    }
    assert_true(wspi_crowd_rules(&c));
    for (uint32_t i = 0; i < 40000; i++)
        (void)wspi_crowd_add(&c, 17, 0, i);
    assert_false(wspi_crowd_rules(&c));
    assert_false(wspi_crowd_add(&c, 6, 2, 54));
}

/* ---- tagger ---- */

static wsp_model *model_of_tokens(void)
{
    wsp_model_config cfg;
    wsp_model *m;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    cfg.output_layers = 0;
    assert_int_equal(wsp_model_new(&m, &cfg, heads, 2, 7, NULL), WSP_OK);
    return m;
}

/* What was said of one flow. */
typedef struct said {
    uint64_t id;
    wsp_tag_kind kind;
    wsp_tag_reason reason;
    uint32_t packets;
    wsp_tag_answer answers[2];
} said;

typedef struct heard {
    said items[4096];
    size_t n;
} heard;

static void hear(void *arg, const wsp_tag_record *r)
{
    heard *h = arg;
    said *s = &h->items[h->n++];

    assert_true(h->n <= 4096);
    assert_int_equal(r->n_answers, 2);
    *s = (said){.id = r->flow_id, .kind = r->kind, .reason = r->reason, .packets = r->packets};
    memcpy(s->answers, r->answers, sizeof s->answers);
}

static const size_t both[] = {0, 1};

static wsp_tag_options options(heard *h)
{
    wsp_tag_options o = wsp_tag_options_default();

    o.heads = both;
    o.n_heads = 2;
    o.dtype = WSP_DTYPE_F32;
    o.min_confidence = 0;
    o.active_ns = 0;
    o.record = hear;
    o.arg = h;
    h->n = 0;
    return o;
}

/*
 * UDP flows that go on in turns; flows of one kind begin alike and part with their third packet. More packets than a
 * model reads, so that some are not.
 */
enum { FLOWS = 60, PACKETS = 30 };

static size_t make_frame(uint8_t *p, size_t flow, size_t packet)
{
    size_t len = 14 + 28 + 20 + (packet < 2 ? flow % 3 : flow % 7) * 40 + packet % 5, at = 42;

    memset(p, 0, len);
    memcpy(p, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
    p[14] = 0x45;
    p[16] = (uint8_t)((len - 14) >> 8);
    p[17] = (uint8_t)(len - 14);
    p[22] = 64;
    p[23] = 17;
    memcpy(p + 26, "\x0a\0\0\x01\x0a\0\0\x02", 8);
    p[34] = 0x40;
    p[35] = (uint8_t)flow;
    p[36] = 0x13;
    p[38] = (uint8_t)((len - 34) >> 8);
    p[39] = (uint8_t)(len - 34);
    for (; at < len; at++)
        p[at] = (uint8_t)(at * (packet + 3));
    return len;
}

static void push_one(wsp_tagger *t, size_t flow, size_t packet)
{
    uint8_t bytes[1024];
    wsp_frame f = {.time_ns = 1000000000u + (packet * 100 + flow) * 1000000u, .data = bytes};

    f.caplen = f.wirelen = (uint32_t)make_frame(bytes, flow, packet);
    assert_int_equal(wsp_tagger_push(t, 0, 1, &f, NULL), WSP_OK);
}

static void push_all(wsp_tagger *t, size_t flows, size_t packets)
{
    for (size_t i = 0; i < packets; i++)
        for (size_t k = 0; k < flows; k++)
            push_one(t, k, i);
}

static const said *end_of(const heard *h, uint64_t id)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->items[i].kind == WSP_TAG_END && h->items[i].id == id)
            return &h->items[i];
    fail_msg("flow %llu has no end", (unsigned long long)id);
    return NULL;
}

static void the_answers_are_those_of_classify(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    wsp_tokenize_options how = {.keep = true, .max_packets = 64};
    wsp_tokenize_stats stats;
    float *prob[2] = {calloc(FLOWS, 3 * sizeof(float)), calloc(FLOWS, 2 * sizeof(float))};
    uint32_t packets[FLOWS];
    wsp_pcap_writer *w;
    wsp_tokens *set;
    wsp_tagger *t;
    wsp_input *in;
    uint8_t bytes[1024];
    static const char *const path = "test_live.pcap";

    (void)state;
    o.sure = 2; /* never */
    assert_int_equal(wsp_pcap_writer_open(&w, path, 1, NULL), WSP_OK);
    for (size_t i = 0; i < PACKETS; i++)
        for (size_t k = 0; k < FLOWS; k++) {
            wsp_frame f = {.time_ns = 1000000000u + (i * 100 + k) * 1000000u, .data = bytes};
            f.caplen = f.wirelen = (uint32_t)make_frame(bytes, k, i);
            assert_int_equal(wsp_pcap_writer_add(w, &f, NULL), WSP_OK);
        }
    assert_int_equal(wsp_pcap_writer_close(w, NULL), WSP_OK);
    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_tokenize(in, &how, &set, &stats, NULL), WSP_OK);
    assert_int_equal(set->n_flows, FLOWS);
    assert_int_equal(wsp_classify(m, set, &(wsp_classify_options){.dtype = WSP_DTYPE_F32}, prob,
                                  packets, NULL, NULL),
                     WSP_OK);

    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    push_all(t, FLOWS, PACKETS);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    assert_int_equal(h.n, 2 * FLOWS); /* all decide after their 24th packet, and end */
    for (size_t k = 0; k < FLOWS; k++) {
        const said *s = end_of(&h, k + 1);

        assert_int_equal(s->packets, packets[k]);
        assert_int_equal(s->reason, WSP_TAG_PACKETS);
        for (size_t i = 0; i < 2; i++) {
            const float *p = prob[i] + k * heads[i].n_labels;
            float mine = s->answers[i].confidence, label = p[s->answers[i].label];
            assert_near(&mine, &label, 1, 1e-4);
            for (size_t l = 0; l < heads[i].n_labels; l++)
                assert_true(p[l] <= label + 1e-4f);
        }
    }
    assert_int_equal(wsp_tagger_stats(t).by_model + wsp_tagger_stats(t).by_prefix, FLOWS);
    assert_true(wsp_tagger_stats(t).rows_known > FLOWS);
    wsp_tagger_free(t);
    wsp_tokens_free(set);
    wsp_input_free(in);
    (void)remove(path);
    free(prob[0]);
    free(prob[1]);
    wsp_model_free(m);
}

static void a_sure_flow_is_decided_once_and_read_no_more(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    wsp_tagger *t;

    (void)state;
    o.sure = 0.01;
    o.run = 3;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    push_all(t, FLOWS, 20);
    assert_int_equal(wsp_tagger_run(t, NULL), WSP_OK);
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 0);
    for (size_t i = 0; i < h.n; i++) {
        assert_int_equal(h.items[i].kind, WSP_TAG_DECISION);
        assert_int_equal(h.items[i].reason, WSP_TAG_SURE);
        assert_true(h.items[i].packets >= 3);
    }
    assert_int_equal(h.n, FLOWS);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    assert_int_equal(h.n, 2 * FLOWS);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

static void a_followed_flow_tells_only_changes(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    int32_t last[FLOWS + 1];
    size_t decisions = 0, updates = 0;
    wsp_tagger *t;

    (void)state;
    o.sure = 0.01;
    o.run = 1;
    o.follow = true;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    push_all(t, FLOWS, PACKETS);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    for (size_t i = 0; i < h.n; i++) {
        const said *s = &h.items[i];

        decisions += s->kind == WSP_TAG_DECISION;
        updates += s->kind == WSP_TAG_UPDATE;
        if (s->kind == WSP_TAG_UPDATE)
            assert_int_not_equal(s->answers->label, last[s->id]);
        if (s->kind == WSP_TAG_END)
            assert_int_equal(s->packets, 24);
        last[s->id] = s->answers->label;
    }
    assert_int_equal(decisions, FLOWS);
    assert_int_equal(updates, wsp_tagger_stats(t).updates);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

static void a_followed_flow_is_decided(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    wsp_tagger *t;

    (void)state;
    o.sure = 0.01;
    o.run = 1;
    o.follow = true;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    push_all(t, FLOWS, 2);
    assert_int_equal(wsp_tagger_run(t, NULL), WSP_OK);
    assert_int_equal(h.n, FLOWS);
    assert_int_equal(wsp_tagger_stats(t).flows_now, FLOWS);
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 0);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

static void what_is_given_up_is_counted_and_still_ends(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    size_t shed = 0;
    wsp_tagger *t;

    (void)state;
    o.sure = 2;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    push_all(t, 40, 2);
    wsp_tagger_shed(t); /* ten, with nodes that still wait to be computed */
    assert_int_equal(wsp_tagger_stats(t).shed_time, 10);
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 30);
    wsp_tagger_admit(t, false);
    push_all(t, 50, 3);
    assert_int_equal(wsp_tagger_stats(t).shed_time, 20);
    wsp_tagger_admit(t, true);
    push_all(t, 60, 4);
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 40);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    for (size_t i = 0; i < h.n; i++)
        shed += h.items[i].reason == WSP_TAG_SHED;
    assert_int_equal(h.n, 60);
    assert_int_equal(shed, 20);
    assert_int_equal(end_of(&h, 1)->reason, WSP_TAG_SHED);
    assert_int_equal(end_of(&h, 11)->reason, WSP_TAG_ENDED);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

/* While computing is held, a batch that waits is enough; then nothing is begun, and a queue that is long all the same is cut. */
static void packets_come_first_while_computing_is_held(void **state)
{
    enum {
        READ = 21,
        WAITING = 64,
        MOST = 512
    }; /* of 21 flows each has packets of its own, from the third on */
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    wsp_tag_stats s;
    wsp_tagger *t;
    size_t n = 0;

    (void)state;
    o.sure = 2;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    wsp_tagger_hold(t, true);
    for (; wsp_tagger_waiting(t) < WAITING; n++)
        push_one(t, n % READ, n / READ);
    assert_int_equal(wsp_tagger_step(t, NULL), WSP_OK);
    assert_int_equal(wsp_tagger_waiting(t), WAITING); /* nothing was computed */
    for (size_t i = 0; i < 10; i++)
        push_one(t, 100 + i, 0);
    s = wsp_tagger_stats(t);
    assert_int_equal(s.shed_time, 10);
    assert_int_equal(s.undecided_now, READ);
    for (; s.shed_time == 10; n++) { /* those that are read go on, until it is too much */
        push_one(t, n % READ, n / READ);
        s = wsp_tagger_stats(t);
        assert_true(wsp_tagger_waiting(t) <= MOST);
    }
    assert_int_equal(s.undecided_now, READ - (READ + 3) / 4);
    wsp_tagger_hold(t, false);
    assert_int_equal(wsp_tagger_step(t, NULL), WSP_OK);
    assert_true(wsp_tagger_waiting(t) < MOST);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    assert_int_equal(end_of(&h, 1)->reason, WSP_TAG_SHED);
    assert_int_not_equal(end_of(&h, READ)->reason, WSP_TAG_SHED);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

/* Sixty flows whose first packets are alike, and four beside them. */
static void a_crowd_is_given_up_before_what_is_beside_it(void **state)
{
    enum { CROWD = 60, BESIDE = 200 };
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    wsp_tagger *t;

    (void)state;
    o.sure = 2;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    for (size_t k = 0; k < CROWD; k++)
        push_one(t, 3 * k, 0);
    push_one(t, BESIDE, 2); /* the 61st flow */
    push_one(t, BESIDE + 1, 2);
    for (int i = 0; i < 20; i++)
        wsp_tagger_shed(t);
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 0); /* the last ones, too, in the end */
    wsp_tagger_admit(t, false);
    push_one(t, 3 * CROWD, 0);
    push_one(t, BESIDE + 2, 2);
    push_one(t, BESIDE + 3, 2);
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 2);
    wsp_tagger_admit(t, true);
    push_one(t, 3 * CROWD + 3, 0);
    wsp_tagger_shed(t); /* the youngest, but of the crowd */
    assert_int_equal(wsp_tagger_stats(t).undecided_now, 2);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    assert_int_equal(end_of(&h, 63)->reason, WSP_TAG_SHED);
    assert_int_equal(end_of(&h, 64)->reason, WSP_TAG_ENDED);
    assert_int_equal(end_of(&h, 65)->reason, WSP_TAG_ENDED);
    assert_int_equal(end_of(&h, 66)->reason, WSP_TAG_SHED);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

/* A flood: every flow new, and none ends. */
static void memory_stays_within_its_limit(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    uint8_t bytes[1024];
    wsp_tag_stats s;
    wsp_tagger *t;
    wsp_error err;

    (void)state;
    o.memory = 1;
    assert_int_equal(wsp_tagger_new(&t, m, &o, &err), WSP_ERR_LIMIT);
    assert_non_null(strstr(err.text, "MiB"));
    o.memory = (1024 * wsp_state_size(m)) * 5 + 4096;
    o.record = NULL;
    assert_int_equal(wsp_tagger_new(&t, m, &o, &err), WSP_OK);
    for (uint32_t i = 0; i < 100000; i++) {
        wsp_frame f = {.time_ns = 1000000000u + i, .data = bytes};
        f.caplen = f.wirelen = (uint32_t)make_frame(bytes, i % 7, i % 5);
        memcpy(bytes + 28, &i, sizeof i);
        assert_int_equal(wsp_tagger_push(t, 0, 1, &f, &err), WSP_OK);
        if (i % 1000 == 0)
            assert_true(wsp_tagger_stats(t).memory_now <= o.memory);
    }
    s = wsp_tagger_stats(t);
    assert_true(s.memory_now <= o.memory);
    assert_true(s.shed_memory > 0);
    assert_int_equal(s.flows, 100000);
    assert_int_equal(s.flows, s.flows_now + s.evicted);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

/* A TCP packet with n bytes, which are alike for equal seeds. */
static void push_tcp(wsp_tagger *t, uint16_t port, uint8_t flags, size_t n, uint32_t seed)
{
    uint8_t bytes[1024] = "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0\x45";
    wsp_frame f = {.time_ns = 1000000000u, .data = bytes};

    f.caplen = f.wirelen = (uint32_t)(14 + 40 + n);
    bytes[17] = (uint8_t)(40 + n);
    bytes[22] = 64;
    bytes[23] = 6;
    memcpy(bytes + 26, "\x0a\0\0\x01\x0a\0\0\x02", 8);
    bytes[34] = (uint8_t)(port >> 8);
    bytes[35] = (uint8_t)port;
    bytes[36] = 0x27;
    bytes[46] = 0x50;
    bytes[47] = flags;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[54 + i] = (uint8_t)(seed >> 24);
    }
    assert_int_equal(wsp_tagger_push(t, 0, 1, &f, NULL), WSP_OK);
}

enum { SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* When nodes are out of room, it is in vain to give up flows that stand on one node. */
static void only_flows_that_make_room_are_given_up_for_it(void **state)
{
    enum { ALIKE = 300, UNLIKE = 400, PACKETS_EACH = 20 };
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    uint32_t seed = 1;
    wsp_tag_stats s;
    wsp_tagger *t;

    (void)state;
    o.sure = 2;
    o.memory = (1024 * wsp_state_size(m)) * 5 + 4096;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    for (uint16_t k = 0; k < ALIKE; k++)
        push_tcp(t, k, SYN, 0, 0);
    for (uint16_t k = ALIKE; k < ALIKE + UNLIKE; k++)
        for (int i = 0; i < PACKETS_EACH; i++) {
            seed = seed * 1664525u + 1013904223u;
            s = wsp_tagger_stats(t);
            push_tcp(t, k, PSH | ACK, (seed >> 16) % 200, 0);
            assert_true(wsp_tagger_stats(t).rows <= s.rows + 1); /* tries that fail do not count */
        }
    s = wsp_tagger_stats(t);
    assert_in_range(s.shed_memory, 1, UNLIKE);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    for (uint64_t id = 1; id <= ALIKE; id++)
        assert_int_equal(end_of(&h, id)->reason, WSP_TAG_ENDED);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

/* What was said of the decisions of flows, in the order in which it was said. */
typedef struct decisions {
    wsp_flow flow[8];
    size_t n;
} decisions;

static void note_decision(void *arg, const wsp_tag_record *r)
{
    decisions *d = arg;

    if (r->kind == WSP_TAG_DECISION)
        d->flow[d->n++] = *r->flow;
}

/* It does not matter when it is computed what a packet decides. */
static void a_decision_has_the_flow_as_it_was_with_its_packet(void **state)
{
    enum { ALIKE = 4 };
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    decisions soon = {.n = 0}, late = {.n = 0};

    (void)state;
    o.sure = 2;
    o.max_packets = 2;
    o.record = note_decision;
    for (int how = 0; how < 2; how++) {
        wsp_tagger *t;

        o.arg = how ? &late : &soon;
        assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
        for (int packet = 0; packet < 4; packet++)
            for (uint16_t k = 0; k < ALIKE; k++) {
                push_tcp(t, k, (uint8_t[]){SYN, ACK, PSH | ACK, RST}[packet], 0, 0);
                if (how == 0)
                    assert_int_equal(wsp_tagger_run(t, NULL), WSP_OK);
            }
        assert_int_equal(wsp_tagger_run(t, NULL), WSP_OK);
        wsp_tagger_free(t);
    }
    assert_int_equal(soon.n, ALIKE);
    assert_int_equal(late.n, ALIKE);
    for (size_t k = 0; k < ALIKE; k++) {
        assert_int_equal(soon.flow[k].id, k);
        assert_int_equal(late.flow[k].id, k);
        assert_int_equal(soon.flow[k].tcp_flags[0], SYN | ACK);
        assert_int_equal(late.flow[k].tcp_flags[0], SYN | ACK);
        assert_int_equal(late.flow[k].end, soon.flow[k].end);
        assert_int_equal(late.flow[k].packets[0], 2);
    }
    wsp_model_free(m);
}

/* A flow that ends while packets come first costs no time: what is known of it is said. */
static void an_end_computes_nothing_while_computing_is_held(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    size_t waiting;
    wsp_tagger *t;

    (void)state;
    o.sure = 2;
    for (int held = 0; held < 2; held++) {
        h.n = 0;
        assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
        push_tcp(t, 1, SYN, 0, 0);
        assert_int_equal(wsp_tagger_run(t, NULL), WSP_OK);
        wsp_tagger_hold(t, held);
        for (uint16_t k = 0; k < 20; k++)
            push_tcp(t, (uint16_t)(100 + k), SYN, 10, k);
        push_tcp(t, 1, RST, 0, 0);
        push_tcp(t, 1, RST | ACK, 0, 0);
        waiting = wsp_tagger_waiting(t);
        assert_true(waiting >= 20);
        push_tcp(t, 1, SYN, 0, 0); /* which ends the one before */
        assert_int_equal(h.n, 1);
        assert_int_equal(h.items[0].kind, WSP_TAG_END);
        assert_int_equal(h.items[0].reason, held ? WSP_TAG_SHED : WSP_TAG_ENDED);
        assert_int_equal(h.items[0].packets, held ? 1 : 3);
        assert_int_equal(wsp_tagger_stats(t).shed_time, held);
        assert_int_equal(wsp_tagger_waiting(t), held ? waiting : 0);
        wsp_tagger_hold(t, false);
        assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
        assert_int_equal(h.n, 22);
        wsp_tagger_free(t);
    }
    wsp_model_free(m);
}

static void idle_flows_end_without_packets(void **state)
{
    wsp_model *m = model_of_tokens();
    static heard h;
    wsp_tag_options o = options(&h);
    wsp_tagger *t;

    (void)state;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    push_all(t, 5, 1);
    assert_int_equal(wsp_tagger_expire(t, 100u * 1000000000u, NULL), WSP_OK);
    assert_int_equal(h.n, 0);
    assert_int_equal(wsp_tagger_expire(t, 200u * (uint64_t)1000000000u, NULL), WSP_OK);
    assert_int_equal(h.n, 5);
    assert_int_equal(wsp_tagger_stats(t).flows_now, 0);
    wsp_tagger_free(t);
    wsp_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_whole_and_in_order),
        cmocka_unit_test(a_full_ring_refuses_and_goes_on),
        cmocka_unit_test(a_clock_that_is_put_back_makes_no_wait_longer),
        cmocka_unit_test(a_pool_keeps_its_limit),
        cmocka_unit_test(a_kind_is_a_crowd_while_it_comes_often),
        cmocka_unit_test(the_answers_are_those_of_classify),
        cmocka_unit_test(a_sure_flow_is_decided_once_and_read_no_more),
        cmocka_unit_test(a_followed_flow_tells_only_changes),
        cmocka_unit_test(a_followed_flow_is_decided),
        cmocka_unit_test(what_is_given_up_is_counted_and_still_ends),
        cmocka_unit_test(packets_come_first_while_computing_is_held),
        cmocka_unit_test(a_crowd_is_given_up_before_what_is_beside_it),
        cmocka_unit_test(memory_stays_within_its_limit),
        cmocka_unit_test(only_flows_that_make_room_are_given_up_for_it),
        cmocka_unit_test(a_decision_has_the_flow_as_it_was_with_its_packet),
        cmocka_unit_test(an_end_computes_nothing_while_computing_is_held),
        cmocka_unit_test(idle_flows_end_without_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_snmp_samples.c: what messages of sampled SNMP owe to those before: names, communities, engines. */
#include "tests/unit/wire.h"

#include "token/app/ber.h"

enum { MOST_NAMES = 72 };
typedef struct bytes {
    const uint8_t *b;
    size_t n;
} bytes;

/* Of a packet, which is kept. */
typedef struct message {
    uint8_t packet[ROOM];
    uint8_t version, pdu;
    bytes key, context; /* a community, or engines */
    bytes boots, time, user;
    bytes names[MOST_NAMES];
    size_t n;
} message;

/* The contents of the element at b, of the tag if that is not 0; the next one is behind them. */
static bytes element_at(const uint8_t *b, uint8_t tag)
{
    wspi_ber_head h;

    assert_true(wspi_ber_peek(b, ROOM, &h));
    assert_true(tag == 0 || h.tag == tag);
    return (bytes){b + 1 + h.width, h.len};
}

static const uint8_t *behind(bytes of)
{
    return of.b + of.n;
}

static bool same(bytes a, bytes b)
{
    return a.n == b.n && memcmp(a.b, b.b, a.n) == 0;
}

/* RFC 3418 2: what the system tells of itself is there once, with the number 0, and of its type if it has one (asked for: null). */
static void assert_of_its_kind(bytes name, uint8_t type)
{
    static const uint8_t system_of[] = {0x2b, 6, 1, 2, 1, 1}, types[] = {0, 4, 6, 0x43, 4, 4, 4, 2};

    if (name.n < 7 || memcmp(name.b, system_of, sizeof system_of) != 0 || name.b[6] == 0 ||
        name.b[6] >= sizeof types)
        return;
    assert_int_equal(name.n, 8);
    assert_int_equal(name.b[7], 0);
    assert_true(type == 5 || type == types[name.b[6]]);
}

/* RFC 3416 4.2.6: what is told unasked has the time and its name. */
static void assert_notice(const message *m)
{
    static const uint8_t up[] = {0x2b, 6, 1, 2, 1, 1, 3, 0},
                         is[] = {0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0};

    assert_true(m->n >= 2);
    assert_true(same(m->names[0], (bytes){up, sizeof up}));
    assert_true(same(m->names[1], (bytes){is, sizeof is}));
}

static void read_pdu(message *m, const uint8_t *b)
{
    bytes is = element_at(b, 0), name;
    const uint8_t *end;

    m->pdu = *b;
    b = is.b;
    for (unsigned i = 0; i < 3; i++)
        b = behind(element_at(b, 2));
    is = element_at(b, 0x30);
    end = behind(is);
    for (b = is.b; b < end; b = behind(element_at(b, 0x30))) {
        name = element_at(element_at(b, 0x30).b, 6);
        assert_true(m->n < MOST_NAMES);
        assert_ptr_equal(behind(element_at(behind(name), 0)), behind(element_at(b, 0x30)));
        assert_of_its_kind(name, *behind(name));
        m->names[m->n++] = name;
    }
    assert_ptr_equal(b, end);
    if (m->pdu == 0xa6 || m->pdu == 0xa7)
        assert_notice(m);
}

static void read_message(message *m, const wire *w)
{
    const uint8_t *b;
    bytes is;

    memset(m, 0, sizeof *m);
    assert_true(w->packet->payload_len <= sizeof m->packet);
    memcpy(m->packet, w->packet->data + w->packet->payload_off, w->packet->payload_len);
    is = element_at(element_at(m->packet, 0x30).b, 2);
    m->version = *is.b;
    b = behind(is);
    if (m->version == 3) {
        b = behind(element_at(b, 0x30));
        is = element_at(b, 4);
        m->key = element_at(element_at(is.b, 0x30).b, 4);
        m->boots = element_at(behind(m->key), 2);
        m->time = element_at(behind(m->boots), 2);
        m->user = element_at(behind(m->time), 4);
        b = element_at(behind(is), 0x30).b;
        m->context = element_at(b, 4);
        b = behind(element_at(behind(m->context), 4));
    } else {
        m->key = element_at(b, 4);
        b = behind(m->key);
    }
    read_pdu(m, b);
}

static bool is_behind(bytes name, bytes base)
{
    int order = memcmp(name.b, base.b, WSPI_MIN(name.n, base.n));

    return order > 0 || (order == 0 && name.n > base.n);
}

/* RFC 3416 4.2: those of the request for get, set and inform; the next ones for get-next, behind each other for get-bulk. */
static void names_fit(const message *q, const message *a)
{
    if (q->pdu != 0xa5)
        assert_int_equal(q->n, a->n);
    for (size_t i = 0; i < WSPI_MIN(a->n, 3u) || (i < a->n && q->pdu != 0xa5); i++) {
        if (q->pdu == 0xa1)
            assert_true(is_behind(a->names[i], q->names[i]));
        else if (q->pdu == 0xa5)
            assert_true(is_behind(a->names[i], i < q->n ? q->names[i] : a->names[i - q->n]));
        else
            assert_true(same(a->names[i], q->names[i]));
    }
}

static unsigned long number_of(bytes is)
{
    unsigned long v = 0;

    for (size_t i = 0; i < is.n; i++)
        v = v << 8 | is.b[i];
    return v;
}

/* RFC 3414 4: an empty question is reported, then the engine, its starts and its time are those of the answer, and there is a user. */
static void engines_fit(const message *q, const message *a, int k)
{
    const message *first = a - k;

    assert_int_equal(a->pdu, k ? 0xa2 : 0xa8);
    assert_true(same(a->context, a->key) && same(a->key, first->key));
    assert_true(same(a->boots, first->boots) && number_of(a->boots) > 0);
    assert_in_range(number_of(a->time), number_of(first->time), number_of(first->time) + (1 << 18));
    assert_true(same(a->user, q->user) && same(q->key, q->context));
    if (k) {
        assert_true(same(q->key, a->key) && q->user.n >= 4 && same(q->boots, a->boots));
        assert_in_range(number_of(q->time), number_of(first->time), number_of(a->time));
    } else {
        assert_true(q->key.n + q->user.n + number_of(q->boots) + number_of(q->time) == 0);
    }
}

static size_t most;

/* Two exchanges of a flow. */
static void exchange(wire *w, const char *port, const char *version, const char *pdu,
                     const char *more, wspi_rng *r, uint64_t flow)
{
    static message q[2], a[2];
    char dport[16], sport[16];
    const char *const asks[] = {"c2s first",
                                "c2s gap=0",
                                "stack=eth/ipv4/udp",
                                "udp.sport=dynamic",
                                dport,
                                version,
                                pdu,
                                "snmp.element=binding",
                                more,
                                "len=80..83",
                                NULL};
    const char *const answers[] = {"s2c first",
                                   "s2c gap=0",
                                   "stack=eth/ipv4/udp",
                                   sport,
                                   "udp.dport=dynamic",
                                   "snmp.pdu=response",
                                   "snmp.element=binding",
                                   "len=80..83",
                                   NULL};
    wsp_filler fill = filler_of(flow);

    (void)snprintf(dport, sizeof dport, "udp.dport=%s", port);
    (void)snprintf(sport, sizeof sport, "udp.sport=%s", port);
    wire_again(w);
    for (int k = 0; k < 2; k++) {
        sample(w, &fill, asks, 0, WSPI_APP_SNMP, r);
        read_message(&q[k], w);
        assert_false(q[k].version == 0 && q[k].pdu == 0xa5); /* RFC 1157 has none */
        sample(w, &fill, answers, 1, WSPI_APP_SNMP, r);
        read_message(&a[k], w);
        assert_int_equal(a[k].version, q[k].version);
        if (q[k].version == 3)
            engines_fit(&q[k], &a[k], k);
        else
            assert_int_equal(a[k].pdu, 0xa2);
        if (a[k].pdu == 0xa2)
            names_fit(&q[k], &a[k]);
        most = WSPI_MAX(most, a[k].n);
        assert_true(q[k].version == 3 || same(q[k].key, a[k].key));
    }
    assert_int_equal(q[1].version, q[0].version);
    assert_true(same(a[1].key, a[0].key) && (q[0].version == 3 || same(q[1].key, q[0].key)));
}

static void sampled_responses_are_of_their_requests(void **state)
{
    static const struct {
        const char *port, *version, *pdu;
    } all[] = {{"161", "snmp.version=1", "snmp.pdu=get"},
               {"161", "snmp.version=1", "snmp.pdu=get-bulk"},
               {"161", "snmp.version=2c", "snmp.pdu=get-next"},
               {"161", "snmp.version=2c", "snmp.pdu=get-bulk"},
               {"161", "snmp.version=2c", "snmp.pdu=set"},
               {"162", "snmp.version=2c", "snmp.pdu=inform"},
               {"161", "snmp.version=3", "snmp.pdu=get"}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 21);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(all); i++) {
        most = 0;
        for (uint64_t flow = 0; flow < 200; flow++)
            exchange(&w, all[i].port, all[i].version, all[i].pdu,
                     flow % 2 ? "snmp.element=bindings-end" : "snmp.type=null", &r, flow);
        assert_true(most > 5);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampled_responses_are_of_their_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

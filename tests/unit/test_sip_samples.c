/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_samples.c: samples of SIP: transactions, dialogs and credentials, message by message. */
#include "tests/unit/wire.h"

#include "token/app/http.h"

enum { VALUE_ROOM = 384, TURNS = 14 };

/* A message's lines that tie it to others. */
typedef struct sip_message {
    char method[16], target[VALUE_ROOM], via[VALUE_ROOM], from[VALUE_ROOM], to[VALUE_ROOM],
        call[VALUE_ROOM], contact[VALUE_ROOM];
    char authorization[VALUE_ROOM];
    unsigned long sequence;
} sip_message;

/* What was said in the flow so far, and how often. */
typedef struct sip_seen {
    sip_message asked, meant; /* the last request, and the one before where that confirms it */
    unsigned answer;          /* the last status to it */
    char user[VALUE_ROOM], place[VALUE_ROOM]; /* who calls all the time, and from where */
    char agreed[VALUE_ROOM];                  /* where he is who has agreed */
    char tag[VALUE_ROOM], confirmed[VALUE_ROOM], challenge[VALUE_ROOM];
    bool any, dialog, refused;
} sip_seen;
static struct {
    unsigned confirmed, refused, agreed, byes, again, renewed, new_calls;
} counts;

/* The value of a header, whose name is in any case; empty: there is none. */
static void get(const char *s, const char *name, char value[VALUE_ROOM])
{
    size_t n = strlen(name), len;

    value[0] = 0;
    while ((s = strstr(s, "\r\n")) != NULL && strncmp(s, "\r\n\r\n", 4) != 0) {
        s += 2;
        if (strncasecmp(s, name, n) != 0 || s[n] != ':')
            continue;
        s += n + 1;
        s += *s == ' ';
        len = strcspn(s, "\r");
        assert_true(len < VALUE_ROOM);
        (void)snprintf(value, VALUE_ROOM, "%.*s", (int)len, s);
    }
}

static void read_message(const char *s, sip_message *m)
{
    char sequence[VALUE_ROOM], method[16];

    assert_int_equal(sscanf(s, "%15s %383s", m->method, m->target), 2);
    get(s, "Via", m->via);
    get(s, "From", m->from);
    get(s, "To", m->to);
    get(s, "Call-ID", m->call);
    get(s, "CSeq", sequence);
    get(s, "Contact", m->contact);
    get(s, "Authorization", m->authorization);
    assert_true(*m->via && *m->from && *m->to && *m->call);
    assert_int_equal(sscanf(sequence, "%lu %15s", &m->sequence, method), 2);
    if (strcmp(m->method, "SIP/2.0") != 0)
        assert_string_equal(method, m->method);
}

static bool is_method(const sip_message *m, const char *method)
{
    return strcmp(m->method, method) == 0;
}

static const char *tag_of(const char *to)
{
    const char *s = strstr(to, ";tag=");

    return s ? s + 5 : "";
}

/* RFC 3261 17.1.1.3, 13.2.2.4 */
static void sees_a_confirmation(sip_seen *h, const sip_message *m)
{
    assert_true(is_method(&h->asked, "INVITE") && h->answer >= 200);
    assert_int_equal(m->sequence, h->asked.sequence);
    assert_string_equal(m->from, h->asked.from);
    assert_string_equal(m->call, h->asked.call);
    assert_string_equal(m->target, h->asked.target);
    if (h->answer < 300) { /* 12.2.1.1 */
        assert_memory_equal(h->agreed + 1, m->target, strlen(m->target));
        assert_int_equal(h->agreed[1 + strlen(m->target)], '>');
    }
    assert_string_equal(tag_of(m->to), h->tag);
    assert_int_equal(strcmp(m->via, h->asked.via) == 0, h->answer >= 300);
    h->dialog = h->answer < 300;
    (void)snprintf(h->confirmed, sizeof h->confirmed, "%s", m->to);
    counts.confirmed++;
}

/* RFC 3261 22.2 */
static void sees_it_again(const sip_seen *h, const sip_message *m)
{
    const char *nonce = strstr(h->challenge, "nonce=");

    assert_string_equal(m->method, h->meant.method);
    assert_string_equal(m->target, h->meant.target);
    assert_string_equal(m->from, h->meant.from);
    assert_string_equal(m->to, h->meant.to);
    assert_string_equal(m->call, h->meant.call);
    assert_memory_equal(m->authorization, "Digest ", 7);
    assert_non_null(nonce);
    assert_non_null(strstr(m->authorization, nonce));
    counts.again++;
}

/* The same who and where in all calls; who registers does it for himself (10.2). */
static void sees_a_user(sip_seen *h, const sip_message *m)
{
    size_t user = strcspn(m->from, ";"), place = strcspn(strstr(m->via, " "), ";");

    if (!*h->user) {
        (void)snprintf(h->user, sizeof h->user, "%.*s", (int)user, m->from);
        (void)snprintf(h->place, sizeof h->place, "%.*s", (int)place, strstr(m->via, " "));
    }
    assert_int_equal(user, strlen(h->user));
    assert_memory_equal(m->from, h->user, user);
    assert_int_equal(place, strlen(h->place));
    assert_memory_equal(strstr(m->via, " "), h->place, place);
    assert_memory_equal(m->via, "SIP/2.0/UDP ", 12);
    if (is_method(m, "REGISTER"))
        assert_memory_equal(m->to, h->user, user);
    if (is_method(m, "INVITE"))
        assert_memory_equal(m->to + 1, m->target, strlen(m->target));
}

/* RFC 3261 8.1.1, 12.2.1.1 */
static void sees_a_request(sip_seen *h, const char *s)
{
    sip_message m;
    bool same;

    read_message(s, &m);
    sees_a_user(h, &m);
    if (is_method(&m, "ACK")) {
        sees_a_confirmation(h, &m);
        h->asked = m;
        h->answer = 0;
        return;
    }
    assert_false(h->any && is_method(&h->asked, "INVITE") && h->answer >= 100);
    same = h->any && strcmp(m.call, h->asked.call) == 0;
    assert_true(!h->any || m.sequence == h->asked.sequence + 1);
    assert_true(!h->any || strcmp(m.via, h->asked.via) != 0);
    assert_int_equal(same, h->any && strcmp(m.from, h->asked.from) == 0);
    if (h->refused)
        sees_it_again(h, &m);
    else if (same && h->dialog)
        assert_string_equal(m.to, h->confirmed);
    else
        assert_string_equal(tag_of(m.to), "");
    if (is_method(&m, "BYE")) {
        assert_true(same && h->dialog);
        counts.byes++;
    }
    counts.renewed += same && is_method(&m, "REGISTER");
    counts.new_calls += h->any && !same;
    if (!same)
        h->tag[0] = 0;
    h->dialog = h->dialog && same && !is_method(&m, "BYE");
    h->meant = h->asked = m;
    h->any = true;
    h->refused = false;
    h->answer = 0;
}

/* RFC 3261 8.2.6.2 */
static void sees_an_answer(sip_seen *h, const char *s)
{
    unsigned status = (unsigned)strtoul(s + 8, NULL, 10);
    bool tagged = *tag_of(h->asked.to);
    sip_message m;

    read_message(s, &m);
    assert_true(h->any && !is_method(&h->asked, "ACK") && h->answer < 200);
    assert_true(status != 100 || h->answer == 0);
    assert_string_equal(m.via, h->asked.via);
    assert_string_equal(m.from, h->asked.from);
    assert_string_equal(m.call, h->asked.call);
    assert_int_equal(m.sequence, h->asked.sequence);
    assert_memory_equal(m.to, h->asked.to, strlen(h->asked.to));
    assert_true(*tag_of(m.to));
    if (tagged)
        assert_string_equal(m.to, h->asked.to);
    if (*h->tag)
        assert_string_equal(tag_of(m.to), h->tag);
    (void)snprintf(h->tag, sizeof h->tag, "%s", tag_of(m.to));
    if (status == 180 || status == 183 || status == 486)
        assert_true(is_method(&h->asked, "INVITE"));
    if (status == 401) {
        assert_true(!tagged && !*h->asked.authorization);
        h->refused = true;
        get(s, "WWW-Authenticate", h->challenge);
        counts.refused++;
    }
    if (status == 200 && is_method(&h->asked, "INVITE")) {
        counts.agreed++, memcpy(h->agreed, m.contact, sizeof h->agreed);
        assert_non_null(strstr(s, "\r\n\r\nv=0\r\n")); /* RFC 3261 13.3.1.4: to which session */
    }
    h->answer = status;
}

/* Flows in which one that may send does. */
static void sip_flows(const char *const *asks_for, const char *const *answers_with)
{
    wspi_rng r;
    wire w;

    memset(&counts, 0, sizeof counts);
    wspi_rng_seed(&r, 23);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 150; flow++) {
        static sip_seen h;
        wsp_filler fill = filler_of(flow);
        memset(&h, 0, sizeof h);
        wire_again(&w);
        for (int k = 0; k < TURNS; k++) {
            int dir = k > 0 && k % 3 != 0;
            char s[ROOM];
            if (k && !wspi_app_may_send(w.dec, dir))
                dir = !dir;
            if (k)
                assert_true(wspi_app_may_send(w.dec, dir));
            sample(&w, &fill, dir ? answers_with : asks_for, dir, WSPI_APP_SIP, &r);
            assert_true(w.packet->payload_len < sizeof s);
            memcpy(s, w.packet->data + w.packet->payload_off, w.packet->payload_len);
            s[w.packet->payload_len] = 0;
            if (dir)
                sees_an_answer(&h, s);
            else
                sees_a_request(&h, s);
            assert_int_equal(wspi_app_may_stop(w.dec),
                             !(is_method(&h.asked, "INVITE") && h.answer >= 200));
        }
    }
    wire_close(&w);
}

#define ASKS                                                                               \
    "c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5060", \
        "len=512..543"
#define ANSWERS                                                                            \
    "s2c first", "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5060", "udp.dport=dynamic", \
        "len=512..543"

static void samples_of_sip_confirm_and_keep_to_their_dialogs(void **state)
{
    static const char *const asks_for[] = {ASKS, NULL}, *const answers_with[] = {ANSWERS, NULL};

    (void)state;
    sip_flows(asks_for, answers_with);
    assert_true(counts.confirmed && counts.refused && counts.again && counts.agreed &&
                counts.byes && counts.new_calls && counts.renewed);
}

/* And as most calls go, whose lines are those of the last request where they may be. */
static void samples_of_sip_make_calls(void **state)
{
    static const char *const asks_for[] = {ASKS,          "sip.start=INVITE", "sip.again=4",
                                           "sip.again=3", "sip.again=2",      NULL},
                             *const answers_with[] = {ANSWERS,       "sip.status=200 OK",
                                                      "sip.again=4", "sip.again=3",
                                                      "sip.again=2", NULL};

    (void)state;
    sip_flows(asks_for, answers_with);
    assert_true(counts.confirmed && counts.agreed && counts.new_calls);
}

/* RFC 3261 22.2, 22.4 */
static void samples_of_sip_come_again_with_credentials(void **state)
{
    static const char *const asks_for[] = {ASKS, NULL}, *const answers_with[] = {
                                                            ANSWERS, "sip.status=401 Unauthorized",
                                                            NULL};

    (void)state;
    sip_flows(asks_for, answers_with);
    assert_true(counts.refused > 100 && counts.again > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_sip_confirm_and_keep_to_their_dialogs),
        cmocka_unit_test(samples_of_sip_make_calls),
        cmocka_unit_test(samples_of_sip_come_again_with_credentials),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

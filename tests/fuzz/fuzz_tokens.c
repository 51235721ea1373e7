/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tokens.c: any bytes as a token file. The first byte says whether they are the whole ZIP or, since a ZIP is hard to guess,
 * its members: a byte that says which, two of length and the items, before which we write the array's header. What is
 * accepted goes where token files go: views, selections, forests' features, and back to packets.
 */
#include "target.h"
#include "task/features.h"
#include "token/token_int.h"

enum { RAW = 128 };

static const char *const names[] = {
    "ids",          "packet_off", "flow_off",  "capture",   "flow_end", "linktype",    "residuals",
    "residual_off", "meta",       "label_one", "label_two", "nonsense", "../../../tmp"};
static const char *const kinds[] = {"<u2", "<u8", "<u8", "<u4", "|u1", "<i4", "|u1",
                                    "<u8", "|u1", "<i4", "<i4", "|u1", "|u1"};
static const size_t sizes[] = {2, 8, 8, 4, 1, 4, 1, 8, 1, 4, 4, 1, 1};

/* A fresh array; raw: the bytes as they are. */
static uint8_t *array_of(const uint8_t *items, size_t len, size_t which, bool raw, size_t *total)
{
    uint8_t *p = calloc(1, len + 200);
    int head = raw ? 0
                   : snprintf((char *)p + 10, 180,
                              "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,), }\n",
                              kinds[which], len / sizes[which]);

    if (!raw) {
        memcpy(p, "\x93NUMPY\x01\x00", 8);
        p[8] = (uint8_t)head;
        head += 10;
        len = len / sizes[which] * sizes[which];
    }
    memcpy(p + head, items, len);
    *total = (size_t)head + len;
    return realloc(p, *total ? *total : 1); /* so that a byte too many is seen */
}

static wsp_status members(void *from, wspi_member_fn *fn, void *arg, wsp_error *err)
{
    wspi_cursor c = *(wspi_cursor *)from;

    while (wspi_cur_left(&c) >= 3) {
        uint8_t how = wspi_cur_u8(&c);
        size_t which = (how & 15) % WSPI_COUNT(names), len = wspi_cur_be16(&c), total;
        uint8_t *data;
        char name[32];

        len = WSPI_MIN(len, wspi_cur_left(&c));
        data = array_of(wspi_cur_bytes(&c, len), len, which, how & RAW, &total);
        (void)snprintf(name, sizeof name, "%s.npy", names[which]);
        WSP_TRY(fn(arg, name, data, total, err));
    }
    return WSP_OK;
}

/* ---- what becomes of it ---- */

static void view(const wsp_tokens *t)
{
    const wsp_policy *p;

    for (size_t i = 0; (p = wsp_policy_at(i)); i++) {
        wsp_view_options o = {.policy = wsp_policy_name(p), .max_packets = 4, .max_payload = 5};
        wspi_view v;

        must(wspi_view_make(&v, t, &o, 8, i & 1, NULL) == WSP_OK);
        must(v.packet_off[v.flow_off[v.n_flows]] <= t->n_tokens);
        wspi_view_clear(&v);
    }
}

static void select_and_count(const wsp_tokens *t)
{
    const wsp_selection s = {.max_packets = 3, .policy = "identity-free"};
    static wspi_features f;
    wsp_tokens *some;
    float *x;

    must(wsp_tokens_select(&some, t, &s, NULL) == WSP_OK);
    wspi_features_set(&f, true, (const uint16_t[]){0, 1}, 2);
    x = calloc(t->n_flows + 1, wspi_features_count(&f) * sizeof *x);
    must(x && wspi_features_make(&f, some, x) == WSP_OK);
    free(x);
    wsp_tokens_free(some);
}

static void back(const wsp_tokens *t)
{
    for (size_t i = 0; i < t->n_captures && i < 4; i++) {
        wsp_pcap_writer *w;
        uint64_t n;
        wsp_error err;

        must(wsp_pcap_writer_open(&w, "/dev/null", 1, &err) == WSP_OK);
        (void)!wsp_detokenize(t, i, w, &n, &err);
        must(wsp_pcap_writer_close(w, &err) == WSP_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wspi_cursor c = wspi_cur(data, size);
    bool zip = wspi_cur_u8(&c) & 1;
    wsp_error err = {.text = ""};
    wsp_tokens *t = NULL;
    wsp_status st;

    if (size == 0)
        return 0;
    st = zip ? wsp_tokens_load(&t, path_of(c.p, wspi_cur_left(&c)), &err)
             : wspi_tokens_take(&t, "members", members, &c, &err);
    if (st == WSP_OK) {
        view(t);
        select_and_count(t);
        back(t);
    } else
        must(!t && err.text[0]);
    wsp_tokens_free(t);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features.c: flow statistics for tree classifiers, from the tokens that a mask policy leaves: of the first packets
 * direction, length, time gap, TCP flags and window, and totals; with payload, also the first payload bytes, and how often
 * the tokens occur that tell classes apart best (application protocols are tokens, not bytes). Values are the numbers of
 * tokens in their group, which grow with what they stand for; -1: not told, because it was as predicted.
 */
#include <math.h>

#include "task/features.h"
#include "token/token_int.h"

enum {
    PACKETS = 16, /* of a flow that are looked at one by one */
    COLUMNS = 5,
    DATA_PACKETS = 2,
    BYTES = 16,
    TOTALS = 7, /* for each direction */
    HEADERS = PACKETS * (COLUMNS + 1) + 1 + 2 * TOTALS,
};
enum { DIR, LEN, GAP, FLAGS, WINDOW };

/* Where the tokens of flags and window are. */
typedef struct span {
    unsigned base, count;
} span;

static span span_of(size_t field)
{
    return (span){wspi_field_base(WSPI_TCP, field), wspi_field_count(WSPI_TCP, field)};
}

typedef struct reader {
    span flags, window;
} reader;

static void put(float *row, size_t column, unsigned v)
{
    if (row[column] < 0) /* the first of a kind */
        row[column] = (float)v;
}

static void read_token(const reader *r, uint16_t id, float *row)
{
    unsigned v;

    if (wspi_in_group(id, WSPI_T_START)) {
        v = id - wspi_group_base(WSPI_T_START);
        put(row, DIR, v >= WSPI_STARTS);
        put(row, GAP, v % WSPI_STARTS);
    } else if (wspi_in_group(id, WSPI_T_LEN)) {
        put(row, LEN, id - wspi_group_base(WSPI_T_LEN));
    } else if (id - r->flags.base < r->flags.count) {
        put(row, FLAGS, id - r->flags.base);
    } else if (id - r->window.base < r->window.count) {
        put(row, WINDOW, id - r->window.base);
    }
}

static void read_packet(const reader *r, const wspi_said *p, float row[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++)
        row[i] = -1;
    for (size_t i = 0; i < p->n; i++)
        read_token(r, p->ids[i], row);
}

typedef struct total {
    float packets, data, sum, most, squares, gaps;
} total;

static void add_packet(total *s, const float *row)
{
    s->packets++;
    s->gaps += row[GAP];
    s->most = WSPI_MAX(s->most, row[LEN]);
    if (row[LEN] > 0) {
        s->data++;
        s->sum += row[LEN];
        s->squares += row[LEN] * row[LEN];
    }
}

static float *put_totals(float *x, const total *s)
{
    float mean = s->data > 0 ? s->sum / s->data : -1;

    *x++ = s->packets;
    *x++ = s->data;
    *x++ = s->sum;
    *x++ = s->most;
    *x++ = mean;
    *x++ = s->data > 0 ? sqrtf(WSPI_MAX(s->squares / s->data - mean * mean, 0)) : -1;
    *x++ = s->packets > 0 ? s->gaps / s->packets : -1;
    return x;
}

static void header_features(const reader *r, const wspi_said *packet, size_t n, float *x)
{
    total sums[2] = {{.most = -1}, {.most = -1}};

    for (size_t i = 0; i < PACKETS * (COLUMNS + 1); i++)
        x[i] = -1;
    for (size_t p = 0; p < n; p++) {
        float row[COLUMNS];
        read_packet(r, &packet[p], row);
        add_packet(&sums[row[DIR] > 0], row);
        if (p >= PACKETS)
            continue;
        memcpy(x + p * COLUMNS, row, sizeof row);
        x[PACKETS * COLUMNS + p] = row[DIR] > 0 ? -row[LEN] : row[LEN];
    }
    x[PACKETS * (COLUMNS + 1)] = (float)n;
    put_totals(put_totals(x + PACKETS * (COLUMNS + 1) + 1, &sums[0]), &sums[1]);
}

static size_t packet_bytes(const wspi_said *p, float *x)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        size_t len;
        const uint8_t *s;
        if (!wspi_in_group(p->ids[i], WSPI_T_TEXT))
            continue;
        s = wspi_text_bytes(p->ids[i] - wspi_group_base(WSPI_T_TEXT), &len);
        for (size_t b = 0; b < len && n < BYTES; b++)
            x[n++] = s[b];
    }
    return n;
}

static void byte_features(const wspi_said *packet, size_t n, float *x)
{
    size_t done = 0;

    for (size_t i = 0; i < DATA_PACKETS * BYTES; i++)
        x[i] = -1;
    for (size_t p = 0; p < n && done < DATA_PACKETS; p++)
        done += packet_bytes(&packet[p], x + done * BYTES) > 0;
}

/* ---- tokens that tell classes apart ---- */

/* Calls for each token of the first packets, but the bytes of text. */
static void count_flow(const wsp_tokens *t, size_t flow, float *count)
{
    uint64_t end = WSPI_MIN(t->flow_off[flow + 1], t->flow_off[flow] + PACKETS);

    for (uint64_t i = t->packet_off[t->flow_off[flow]]; i < t->packet_off[end]; i++)
        if (!wspi_in_group(t->ids[i], WSPI_T_TEXT))
            count[t->ids[i]]++;
}

typedef struct worth {
    float
        most; /* largest difference between a class's share of flows with the token and that of all */
    uint32_t id;
} worth;

static int by_worth(const void *a, const void *b)
{
    const worth *x = a, *y = b;

    if (x->most < y->most || x->most > y->most)
        return x->most > y->most ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* seen [n_labels + 1][V]: flows of the label that have the token; the last row is of all. */
static void rank_tokens(wspi_features *f, const float *seen, const float *size, size_t n_labels,
                        worth *w)
{
    size_t V = wsp_vocab_size();

    for (uint32_t id = 0; id < V; id++) {
        double all = (double)seen[n_labels * V + id] / (double)WSPI_MAX(size[n_labels], 1.0f);
        w[id] = (worth){0, id};
        for (size_t l = 0; l < n_labels; l++)
            if (size[l] > 0)
                w[id].most = WSPI_MAX(
                    w[id].most, (float)fabs((double)seen[l * V + id] / (double)size[l] - all));
    }
    qsort(w, V, sizeof *w, by_worth);
    for (f->n_bag = 0; f->n_bag < WSPI_BAG && w[f->n_bag].most > 0; f->n_bag++)
        f->bag[f->n_bag] = (uint16_t)w[f->n_bag].id;
}

void wspi_features_set(wspi_features *f, bool payload, const uint16_t *bag, size_t n_bag)
{
    memset(f, 0, sizeof *f);
    f->payload = payload;
    f->n_bag = n_bag;
    for (size_t k = 0; k < n_bag; k++) {
        f->bag[k] = bag[k];
        f->place[bag[k]] = (uint16_t)(k + 1);
    }
}

wsp_status wspi_features_choose(wspi_features *f, const wsp_tokens *t, const int32_t *label,
                                size_t n_labels, bool payload)
{
    size_t V = wsp_vocab_size();
    float *seen, *size, *count;
    worth *w;

    wspi_features_set(f, payload, NULL, 0);
    if (!payload)
        return WSP_OK;
    seen = wspi_new_array((n_labels + 1) * V, sizeof *seen);
    size = wspi_new_array(n_labels + 1, sizeof *size);
    count = wspi_new_array(V, sizeof *count);
    w = wspi_new_array(V, sizeof *w);
    for (size_t i = 0; seen && size && count && w && i < t->n_flows; i++) {
        if (label[i] < 0)
            continue;
        memset(count, 0, V * sizeof *count);
        count_flow(t, i, count);
        size[label[i]]++;
        size[n_labels]++;
        for (size_t id = 0; id < V; id++)
            if (count[id] > 0) {
                seen[(size_t)label[i] * V + id]++;
                seen[n_labels * V + id]++;
            }
    }
    if (seen && size && count && w) {
        rank_tokens(f, seen, size, n_labels, w);
        for (size_t k = 0; k < f->n_bag; k++)
            f->place[f->bag[k]] = (uint16_t)(k + 1);
    }
    free(seen);
    free(size);
    free(count);
    free(w);
    return seen && size && count && w ? WSP_OK : WSP_ERR_NOMEM;
}

size_t wspi_features_count(const wspi_features *f)
{
    return HEADERS + (f->payload ? DATA_PACKETS * BYTES + f->n_bag : 0);
}

static void bag_features(const wspi_features *f, const wspi_said *packet, size_t n, float *x)
{
    memset(x, 0, f->n_bag * sizeof *x);
    for (size_t p = 0; p < n && p < PACKETS; p++)
        for (size_t i = 0; i < packet[p].n; i++)
            if (f->place[packet[p].ids[i]])
                x[f->place[packet[p].ids[i]] - 1]++;
}

void wspi_features_flow(const wspi_features *f, const wspi_said *packet, size_t n, float *x)
{
    const reader r = {span_of(WSPI_TCP_FLAGS), span_of(WSPI_TCP_WINDOW)};

    header_features(&r, packet, n, x);
    if (!f->payload)
        return;
    byte_features(packet, n, x + HEADERS);
    bag_features(f, packet, n, x + HEADERS + DATA_PACKETS * BYTES);
}

wsp_status wspi_said_of(const wsp_tokens *t, size_t flow, wspi_said **packet, size_t *cap,
                        size_t *n)
{
    *n = wsp_tokens_packets(t, flow);
    WSP_TRY(wspi_grow(packet, cap, *n + 1, sizeof **packet));
    for (size_t p = 0; p < *n; p++) {
        uint64_t at = t->packet_off[t->flow_off[flow] + p];
        (*packet)[p] =
            (wspi_said){t->ids + at, (size_t)(t->packet_off[t->flow_off[flow] + p + 1] - at)};
    }
    return WSP_OK;
}

wsp_status wspi_features_make(const wspi_features *f, const wsp_tokens *t, float *x)
{
    size_t count = wspi_features_count(f), cap = 0, n;
    wspi_said *packet = NULL;
    wsp_status st = WSP_OK;

    for (size_t i = 0; st == WSP_OK && i < t->n_flows; i++, x += count) {
        st = wspi_said_of(t, i, &packet, &cap, &n);
        if (st == WSP_OK)
            wspi_features_flow(f, packet, n, x);
    }
    free(packet);
    return st;
}

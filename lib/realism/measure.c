/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.c: the measures by which captures are compared, each with bins that are the same for all captures: what every
 * packet has, the fields of all protocols' tables, and what describes whole flows.
 */
#include <math.h>

#include "realism/realism_int.h"

enum {
    SIZE_STEP = 16,
    SIZE_BINS = 4097,
    COUNT_BINS = 4097,
    TIME_BINS = 40, /* of equal width in log10 from 1 us to 1000 s; and three more */
    HASH_BINS = 65521,
    PORTS = 32768, /* from here on systems draw the ports of clients */
    OCTAVES = 66,
    SHARES = 22,
    HALVES = 130,
    CHANGES = 2 * OCTAVES,
};

/* ---- the table ---- */

typedef struct fixed {
    const char *name;
    wsp_distance_kind kind;
    wspi_binning how;
} fixed;

static const fixed of_packets[WSPI_M_FIELDS] = {
    [WSPI_M_LENGTH] = {"length", WSP_DISTANCE_HEADER, WSPI_BIN_SIZE},
    [WSPI_M_GAP] = {"gap", WSP_DISTANCE_HEADER, WSPI_BIN_TIME},
    [WSPI_M_SPORT] = {"source port", WSP_DISTANCE_HEADER, WSPI_BIN_PORT},
    [WSPI_M_DPORT] = {"destination port", WSP_DISTANCE_HEADER, WSPI_BIN_PORT},
    [WSPI_M_TTL] = {"TTL", WSP_DISTANCE_HEADER, WSPI_BIN_EXACT},
    [WSPI_M_FLAGS] = {"TCP flags", WSP_DISTANCE_HEADER, WSPI_BIN_EXACT},
    [WSPI_M_WINDOW] = {"TCP window", WSP_DISTANCE_HEADER, WSPI_BIN_OCTAVE},
    [WSPI_M_STACK] = {"layers", WSP_DISTANCE_HEADER, WSPI_BIN_HASH},
    [WSPI_M_SRC] = {"source network", WSP_DISTANCE_ADDRESS, WSPI_BIN_NET},
    [WSPI_M_DST] = {"destination network", WSP_DISTANCE_ADDRESS, WSPI_BIN_NET},
};

/*
 * TrafficGPT's six features of flows are the first five: its sixth, the sum of the alternative concentrations of
 * k-fingerprinting, is the number of packets out again.
 */
enum flow_feature {
    PACKETS_IN,
    PACKETS_OUT,
    SHARE_IN,
    SHARE_OUT,
    ORDER_OUT,
    DURATION,
    BYTES_OUT,
    BYTES_IN,
    DATA_OUT,
    DATA_IN,
    DATA_SHARE,
    SIZE_MIN_OUT,
    SIZE_MEDIAN_OUT,
    SIZE_MAX_OUT,
    SIZE_MIN_IN,
    SIZE_MEDIAN_IN,
    SIZE_MAX_IN,
    FIRST_DATA_OUT,
    FIRST_DATA_IN,
    GAP_MIN,
    GAP_MEDIAN,
    GAP_P90,
    GAP_MAX,
    RATE,
    BURSTS,
    LONGEST_BURST,
    TURN_TIME,
    TCP_PATTERN,
    HANDSHAKE,
    AGAIN_SHARE,
    PACKETS_ALL,
};
_Static_assert(PACKETS_ALL + 1 == WSPI_FLOW_FEATURES, "a row for each feature");

static const fixed of_flows[WSPI_FLOW_FEATURES] = {
    [PACKETS_IN] = {"packets in", WSP_DISTANCE_FLOW, WSPI_BIN_COUNT},
    [PACKETS_OUT] = {"packets out", WSP_DISTANCE_FLOW, WSPI_BIN_COUNT},
    [SHARE_IN] = {"share of packets in", WSP_DISTANCE_FLOW, WSPI_BIN_SHARE},
    [SHARE_OUT] = {"share of packets out", WSP_DISTANCE_FLOW, WSPI_BIN_SHARE},
    [ORDER_OUT] = {"spread of packets out", WSP_DISTANCE_FLOW, WSPI_BIN_HALVES},
    [DURATION] = {"duration", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [BYTES_OUT] = {"bytes out", WSP_DISTANCE_FLOW, WSPI_BIN_OCTAVE},
    [BYTES_IN] = {"bytes in", WSP_DISTANCE_FLOW, WSPI_BIN_OCTAVE},
    [DATA_OUT] = {"payload out", WSP_DISTANCE_FLOW, WSPI_BIN_OCTAVE},
    [DATA_IN] = {"payload in", WSP_DISTANCE_FLOW, WSPI_BIN_OCTAVE},
    [DATA_SHARE] = {"share with payload", WSP_DISTANCE_FLOW, WSPI_BIN_SHARE},
    [SIZE_MIN_OUT] = {"least size out", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [SIZE_MEDIAN_OUT] = {"median size out", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [SIZE_MAX_OUT] = {"largest size out", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [SIZE_MIN_IN] = {"least size in", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [SIZE_MEDIAN_IN] = {"median size in", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [SIZE_MAX_IN] = {"largest size in", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [FIRST_DATA_OUT] = {"first payload out", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [FIRST_DATA_IN] = {"first payload in", WSP_DISTANCE_FLOW, WSPI_BIN_SIZE},
    [GAP_MIN] = {"least gap", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [GAP_MEDIAN] = {"median gap", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [GAP_P90] = {"90 % gap", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [GAP_MAX] = {"largest gap", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [RATE] = {"packets a second", WSP_DISTANCE_FLOW, WSPI_BIN_OCTAVE},
    [BURSTS] = {"bursts", WSP_DISTANCE_FLOW, WSPI_BIN_COUNT},
    [LONGEST_BURST] = {"longest burst", WSP_DISTANCE_FLOW, WSPI_BIN_COUNT},
    [TURN_TIME] = {"time to the first answer", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [TCP_PATTERN] = {"SYN, FIN and RST", WSP_DISTANCE_FLOW, WSPI_BIN_EXACT},
    [HANDSHAKE] = {"handshake", WSP_DISTANCE_FLOW, WSPI_BIN_TIME},
    [AGAIN_SHARE] = {"share sent again", WSP_DISTANCE_FLOW, WSPI_BIN_SHARE},
    [PACKETS_ALL] = {"packets", WSP_DISTANCE_FLOW, WSPI_BIN_COUNT},
};

static uint32_t bins_of(wspi_binning how, unsigned width)
{
    static const uint32_t bins[] = {[WSPI_BIN_EXACT] = 0,
                                    [WSPI_BIN_COUNT] = COUNT_BINS,
                                    [WSPI_BIN_HASH] = HASH_BINS,
                                    [WSPI_BIN_SIZE] = SIZE_BINS + 1,
                                    [WSPI_BIN_TIME] = TIME_BINS + 3,
                                    [WSPI_BIN_OCTAVE] = OCTAVES,
                                    [WSPI_BIN_SHARE] = SHARES,
                                    [WSPI_BIN_HALVES] = HALVES,
                                    [WSPI_BIN_PORT] = PORTS + 1,
                                    [WSPI_BIN_NET] = 2 << 16,
                                    [WSPI_BIN_CHANGE] = CHANGES,
                                    [WSPI_BIN_RIGHT] = 2};

    return how == WSPI_BIN_EXACT ? UINT32_C(1) << width : bins[how];
}

static bool is_ordered(wspi_binning how)
{
    return how == WSPI_BIN_COUNT || how == WSPI_BIN_SIZE || how == WSPI_BIN_TIME ||
           how == WSPI_BIN_OCTAVE || how == WSPI_BIN_SHARE || how == WSPI_BIN_HALVES;
}

static void add(wspi_measures *t, const char *name, wsp_distance_kind kind, wspi_binning how,
                unsigned width)
{
    assert(t->n < WSPI_MEASURES);
    t->m[t->n++] = (wspi_measure){.name = name,
                                  .kind = kind,
                                  .how = how,
                                  .bins = bins_of(how, width),
                                  .ordered = is_ordered(how)};
}

static wspi_binning binning_of_role(const wspi_field *d)
{
    switch (d->role) {
    case WSPI_R_CHECKSUM: return WSPI_BIN_RIGHT;
    case WSPI_R_NUMBER: return WSPI_BIN_CHANGE;
    case WSPI_R_IP_SRC:
    case WSPI_R_IP_DST: return d->width == 32 ? WSPI_BIN_NET : WSPI_BIN_HASH;
    case WSPI_R_PORT_SRC:
    case WSPI_R_PORT_DST: return WSPI_BIN_PORT;
    default: return d->kind == WSPI_K_ADDR || d->width > 16 ? WSPI_BIN_HASH : WSPI_BIN_EXACT;
    }
}

static wspi_binning binning_of(const wspi_field *d)
{
    if (d->kind == WSPI_K_SEQ || d->kind == WSPI_K_ACK)
        return WSPI_BIN_CHANGE;
    if (d->role == WSPI_R_NONE && d->width > 8 && d->kind == WSPI_K_MAG)
        return WSPI_BIN_OCTAVE;
    if (d->role == WSPI_R_NONE && d->width > 8 && d->kind == WSPI_K_AUTO)
        return WSPI_BIN_SIZE; /* lengths */
    return binning_of_role(d);
}

static bool is_identity(uint8_t role)
{
    return (role >= WSPI_R_MAC_SRC && role <= WSPI_R_IP_DST_LOW) || role == WSPI_R_TAG;
}

void wspi_measures_make(wspi_measures *t)
{
    uint8_t numbers = 0;

    *t = (wspi_measures){.n = 0};
    for (size_t i = 0; i < WSPI_M_FIELDS; i++)
        add(t, of_packets[i].name, of_packets[i].kind, of_packets[i].how, 8);
    for (size_t l = 0; l < WSPI_LAYER_COUNT; l++)
        for (size_t f = 0; f < wspi_protos[l]->n_fields; f++) {
            const wspi_field *d = &wspi_protos[l]->fields[f];
            t->field[l][f] = -1;
            if (d->role == WSPI_R_IP_SRC_LOW || d->role == WSPI_R_IP_DST_LOW)
                continue; /* nothing but who it is */
            t->field[l][f] = (int16_t)t->n;
            add(t, d->name, is_identity(d->role) ? WSP_DISTANCE_IDENTITY : WSP_DISTANCE_FIELD,
                binning_of(d), d->width);
            if (t->m[t->n - 1].how == WSPI_BIN_CHANGE)
                t->m[t->n - 1].number = numbers++;
        }
    assert(numbers <= WSPI_NUMBERS);
    t->flows = t->n;
    for (size_t i = 0; i < WSPI_FLOW_FEATURES; i++)
        add(t, of_flows[i].name, of_flows[i].kind, of_flows[i].how, 8);
}

/* ---- bins ---- */

static uint32_t octave(uint64_t v)
{
    return v == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(v);
}

/* Bin 0: none; 1: below a microsecond; 2 to 41: a fortieth of nine decades each; 42: 1000 s and more. */
static uint32_t time_bin(double seconds)
{
    double at;

    if (seconds < 1e-6)
        return 1;
    at = floor((log10(seconds) + 6) / 9 * TIME_BINS + 1e-9); /* borders fall into the upper bin */
    return 2 + (uint32_t)WSPI_MIN(at, (double)TIME_BINS);
}

uint32_t wspi_bin_of(wspi_binning how, double v)
{
    if (isnan(v))
        return how == WSPI_BIN_SHARE ? SHARES - 1 : how == WSPI_BIN_HALVES ? HALVES - 1 : 0;
    switch (how) {
    case WSPI_BIN_TIME: return time_bin(v);
    case WSPI_BIN_SIZE: return 1 + (uint32_t)WSPI_MIN(v / SIZE_STEP, (double)(SIZE_BINS - 1));
    case WSPI_BIN_COUNT: return (uint32_t)WSPI_MIN(v, (double)(COUNT_BINS - 1));
    case WSPI_BIN_SHARE: return (uint32_t)(v * 20 + 1e-9);
    case WSPI_BIN_HALVES: return (uint32_t)WSPI_MIN(v * 2, (double)(HALVES - 2));
    case WSPI_BIN_OCTAVE: return octave((uint64_t)v);
    case WSPI_BIN_PORT: return (uint32_t)WSPI_MIN(v, (double)PORTS);
    default: return (uint32_t)v;
    }
}

static uint32_t hash_bin(uint64_t v)
{
    return (uint32_t)(wspi_fnv1a(&v, sizeof v, WSPI_FNV_START) % HASH_BINS);
}

static uint32_t change_bin(uint64_t v, uint64_t last, unsigned width)
{
    uint64_t half = UINT64_C(1) << (width - 1), mask = half | (half - 1);
    uint64_t up = (v - last) & mask;

    return up < half ? octave(up) : OCTAVES + octave((last - v) & mask);
}

/* ---- packets ---- */

static wsp_status observe(wspi_notes *f, size_t measure, uint32_t bin)
{
    WSP_TRY(wspi_grow(&f->obs, &f->cap_obs, f->n_obs + 1, sizeof *f->obs));
    f->obs[f->n_obs++] = WSPI_OBS(measure, bin);
    return WSP_OK;
}

/* The bin of a field's value; false where it has none. */
static bool field_bin(const wspi_measure *m, wspi_notes *f, int dir, const wspi_layer *l, size_t k,
                      uint32_t *bin)
{
    const wspi_field *d = &wspi_protos[l->id]->fields[k];
    uint64_t v = l->v[k], last;
    bool known;

    switch (m->how) {
    case WSPI_BIN_RIGHT: *bin = l->autos >> k & 1; return true;
    case WSPI_BIN_NET: *bin = (uint32_t)(v >> 16 & 0xffff) | (uint32_t)dir << 16; return true;
    case WSPI_BIN_HASH: /* of addresses what a network or a maker has */
        *bin = hash_bin(d->kind == WSPI_K_ADDR ? v >> d->width / 2 : v);
        return true;
    case WSPI_BIN_CHANGE:
        last = f->last[dir][m->number];
        known = f->known[dir] >> m->number & 1;
        f->last[dir][m->number] = v;
        f->known[dir] |= UINT64_C(1) << m->number;
        *bin = change_bin(v, last, d->width);
        return known;
    default: *bin = wspi_bin_of(m->how, (double)v); return *bin < m->bins;
    }
}

/* The header measures that a field of a layer stands for; -1: none. */
static int header_measure(uint8_t role)
{
    switch (role) {
    case WSPI_R_PORT_SRC: return WSPI_M_SPORT;
    case WSPI_R_PORT_DST: return WSPI_M_DPORT;
    case WSPI_R_TTL: return WSPI_M_TTL;
    case WSPI_R_IP_SRC: return WSPI_M_SRC;
    case WSPI_R_IP_DST: return WSPI_M_DST;
    default: return -1;
    }
}

static wsp_status observe_header(wspi_notes *f, const wspi_field *d, uint64_t v, int dir)
{
    int at = header_measure(d->role);

    if (at < 0)
        return WSP_OK;
    if (at == WSPI_M_SRC || at == WSPI_M_DST) /* of IPv6 the prefix that is given out */
        return observe(f, (size_t)at,
                       (uint32_t)(d->width == 32 ? v >> 16 & 0xffff : hash_bin(v >> 32)) |
                           (uint32_t)dir << 16);
    return observe(f, (size_t)at, wspi_bin_of(of_packets[at].how, (double)v));
}

static wsp_status observe_layer(const wspi_measures *t, wspi_notes *f, const wspi_layer *l, int dir)
{
    const wspi_proto *proto = wspi_protos[l->id];

    for (size_t k = 0; k < proto->n_fields; k++) {
        int at = t->field[l->id][k];
        uint32_t bin;
        if (at < 0)
            continue;
        if (field_bin(&t->m[at], f, dir, l, k, &bin))
            WSP_TRY(observe(f, (size_t)at, bin));
        WSP_TRY(observe_header(f, &proto->fields[k], l->v[k], dir));
    }
    if (l->id == WSPI_TCP) {
        WSP_TRY(observe(f, WSPI_M_FLAGS, (uint32_t)l->v[WSPI_TCP_FLAGS]));
        WSP_TRY(observe(f, WSPI_M_WINDOW, octave(l->v[WSPI_TCP_WINDOW])));
    }
    return WSP_OK;
}

wsp_status wspi_measure_packet(const wspi_measures *t, wspi_notes *f, const wsp_packet *p)
{
    const wspi_step *s = &f->step[f->n_steps - 1];
    uint64_t stack = WSPI_FNV_START;
    size_t n = wspi_own_layers(p);

    WSP_TRY(observe(f, WSPI_M_LENGTH, wspi_bin_of(WSPI_BIN_SIZE, s->size)));
    if (f->n_steps > 1 && s->time_ns >= s[-1].time_ns)
        WSP_TRY(observe(f, WSPI_M_GAP,
                        wspi_bin_of(WSPI_BIN_TIME, (double)(s->time_ns - s[-1].time_ns) * 1e-9)));
    for (size_t i = 0; i < n; i++) {
        stack = wspi_fnv1a(&p->layers[i].id, 1, stack);
        WSP_TRY(observe_layer(t, f, &p->layers[i], s->dir));
    }
    return observe(f, WSPI_M_STACK, hash_bin(stack));
}

/* ---- flows ---- */

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* least, median, 90 %, largest of n numbers, which are sorted; NaN of none */
static void quantiles(double *v, size_t n, double q[4])
{
    qsort(v, n, sizeof *v, by_number);
    q[0] = n ? v[0] : (double)NAN;
    q[1] = n ? v[(n - 1) / 2] : (double)NAN;
    q[2] = n ? v[(n - 1) * 9 / 10] : (double)NAN;
    q[3] = n ? v[n - 1] : (double)NAN;
}

static void count_side(const wspi_notes *f, unsigned dir, double *scratch, double *x)
{
    double bytes = 0, data = 0, first = (double)NAN, q[4];
    size_t n = 0;

    for (size_t i = 0; i < f->n_steps; i++) {
        const wspi_step *s = &f->step[i];
        if (s->dir != dir)
            continue;
        scratch[n++] = s->size;
        bytes += s->size;
        data += s->data;
        if (isnan(first) && s->data)
            first = s->data;
    }
    quantiles(scratch, n, q);
    x[dir ? PACKETS_IN : PACKETS_OUT] = (double)n;
    x[dir ? SHARE_IN : SHARE_OUT] = (double)n / (double)f->n_steps;
    x[dir ? BYTES_IN : BYTES_OUT] = bytes;
    x[dir ? DATA_IN : DATA_OUT] = data;
    x[dir ? SIZE_MIN_IN : SIZE_MIN_OUT] = q[0];
    x[dir ? SIZE_MEDIAN_IN : SIZE_MEDIAN_OUT] = q[1];
    x[dir ? SIZE_MAX_IN : SIZE_MAX_OUT] = q[3];
    x[dir ? FIRST_DATA_IN : FIRST_DATA_OUT] = first;
}

static double seconds_between(uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) * 1e-9 : 0;
}

static void count_times(const wspi_notes *f, double *scratch, double *x)
{
    const wspi_step *s = f->step;
    double q[4];

    for (size_t i = 1; i < f->n_steps; i++)
        scratch[i - 1] = seconds_between(s[i - 1].time_ns, s[i].time_ns);
    quantiles(scratch, f->n_steps - 1, q);
    for (size_t i = 0; i < 4; i++)
        x[GAP_MIN + i] = q[i];
    if (f->n_steps > 1) {
        x[DURATION] = seconds_between(s[0].time_ns, s[f->n_steps - 1].time_ns);
        x[RATE] = (double)(f->n_steps - 1) / WSPI_MAX(x[DURATION], 1e-6);
    }
    for (size_t i = 1; i < f->n_steps && isnan(x[TURN_TIME]); i++)
        if (s[i].dir != s[0].dir)
            x[TURN_TIME] = seconds_between(s[0].time_ns, s[i].time_ns);
}

static void count_order(const wspi_notes *f, double *x)
{
    double sum = 0, squares = 0, out = 0, run = 0, bursts = 0, longest = 0, with_data = 0;

    for (size_t i = 0; i < f->n_steps; i++) {
        const wspi_step *s = &f->step[i];
        bool turn = i == 0 || s->dir != s[-1].dir;
        run = turn ? 1 : run + 1;
        bursts += turn;
        longest = WSPI_MAX(longest, run);
        with_data += s->data > 0;
        if (s->dir == 0) {
            out++;
            sum += (double)i;
            squares += (double)i * (double)i;
        }
    }
    x[BURSTS] = bursts;
    x[LONGEST_BURST] = longest;
    x[DATA_SHARE] = with_data / (double)f->n_steps;
    if (out > 0)
        x[ORDER_OUT] = sqrt(WSPI_MAX(squares / out - sum * sum / (out * out), 0));
}

/* Bits: SYN out, SYN in, FIN out, FIN in, RST out, RST in; and one that it is TCP at all. */
static void count_tcp(const wspi_notes *f, double *x)
{
    unsigned pattern = f->tcp ? 64 : 0;
    uint64_t syn = 0;
    double data = 0, again = 0;

    x[TCP_PATTERN] = pattern;
    if (!f->tcp)
        return;
    for (size_t i = 0; i < f->n_steps; i++) {
        const wspi_step *s = &f->step[i];
        if (s->dir == 0 && (s->flags & (WSPI_TH_SYN | WSPI_TH_ACK)) == WSPI_TH_SYN && !syn)
            syn = s->time_ns;
        if (s->dir == 1 && s->flags & WSPI_TH_SYN && syn && isnan(x[HANDSHAKE]))
            x[HANDSHAKE] = seconds_between(syn, s->time_ns);
        pattern |= (s->flags & WSPI_TH_SYN ? 1u : 0u) << s->dir;
        pattern |= (s->flags & WSPI_TH_FIN ? 4u : 0u) << s->dir;
        pattern |= (s->flags & WSPI_TH_RST ? 16u : 0u) << s->dir;
        data += s->data > 0;
        again += s->again;
    }
    x[TCP_PATTERN] = pattern;
    if (data > 0)
        x[AGAIN_SHARE] = again / data;
}

wsp_status wspi_measure_flow(const wspi_measures *t, wspi_notes *f,
                             float features[WSPI_FLOW_FEATURES])
{
    double x[WSPI_FLOW_FEATURES], *scratch = wspi_new_array(f->n_steps + 1, sizeof *scratch);

    if (!scratch)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < WSPI_FLOW_FEATURES; i++)
        x[i] = (double)NAN;
    x[PACKETS_ALL] = (double)f->n_steps;
    count_side(f, 0, scratch, x);
    count_side(f, 1, scratch, x);
    count_times(f, scratch, x);
    count_order(f, x);
    count_tcp(f, x);
    free(scratch);
    for (size_t i = 0; i < WSPI_FLOW_FEATURES; i++) {
        features[i] = isnan(x[i]) ? -1 : (float)x[i];
        WSP_TRY(observe(f, t->flows + i, wspi_bin_of(of_flows[i].how, x[i])));
    }
    return WSP_OK;
}

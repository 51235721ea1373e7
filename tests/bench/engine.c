/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c: tokens a second of training and inference, and how much of the machine's own peak that is.
 *
 *   bench_engine speed [f32|bf16|int8] THREADS SECONDS MODEL TOKENS.npz
 *   bench_engine share MODEL TOKENS.npz      what equal packets and flows that begin alike spare
 *   bench_engine states COUNT MODEL          so many flows at once: bytes, and packets a second
 *   bench_engine long PACKETS MODEL          one flow of so many packets
 *
 * speed: the flows of the file as one batch, their lengths as they are and their tokens drawn at random before every
 * round, so that nothing repeats and nothing can be shared. The peak is oneDNN's product of 512 x 512 x 512 in the same
 * type on as many threads at once. The share is taken by processor time, which other work on the machine moves less than
 * the clock. Peak, training and inference take turns, five rounds of a fifth of SECONDS each after a warm-up: a share is
 * of the peak of its own round, since the speed of a machine drifts, and every figure is the median of the rounds'.
 * Counted are the operations that the model cannot do without: attention and the recurrence at their least, the top
 * packet layer for one row a packet. Rows are tab-separated:
 *
 *   engine  WHAT  THREADS  DTYPE  TOKENS/S  TOKENS/CPU S  GFLOP/CPU S  SHARE OF THE PEAK
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "model/model_int.h"
#include "wirespeak/token.h"

enum { MAX_THREADS = 64, ROUNDS = 5 };

/* A batch that owns its memory. */
typedef struct flows {
    wsp_batch b;
    uint16_t *ids;
    uint32_t *packet_off, *flow_off;
    int32_t *labels;
} flows;

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "bench_engine: %s\n", what);
    exit(1);
}

static void check(wsp_status st, const wsp_error *err)
{
    if (st < 0)
        die(err->text[0] ? err->text : wsp_status_name(st));
}

static void *room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    if (!p)
        die("no memory");
    return p;
}

static double now(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Flows [f0, f1) of the file, packets cut to max_tokens; labels are the flow's number modulo those of a head. */
static flows take(const wsp_model *m, const wsp_tokens *t, size_t f0, size_t f1)
{
    size_t p0 = t->flow_off[f0], P = t->flow_off[f1] - p0, F = f1 - f0, H = m->n_heads, N = 0;
    flows f = {.ids = room(t->n_tokens, sizeof *f.ids),
               .packet_off = room(P + 1, sizeof *f.packet_off),
               .flow_off = room(F + 1, sizeof *f.flow_off),
               .labels = room(F * H, sizeof *f.labels)};

    for (size_t p = 0; p < P; p++) {
        size_t from = t->packet_off[p0 + p], n = t->packet_off[p0 + p + 1] - from;

        n = WSPI_MIN(n, (size_t)m->cfg.max_tokens);
        memcpy(f.ids + N, t->ids + from, n * sizeof *f.ids);
        N += n;
        f.packet_off[p + 1] = (uint32_t)N;
    }
    for (size_t i = 0; i <= F; i++)
        f.flow_off[i] = (uint32_t)(t->flow_off[f0 + i] - p0);
    for (size_t i = 0; i < F * H; i++)
        f.labels[i] = (int32_t)((f0 + i / H) % m->head[i % H].n_labels);
    f.b = (wsp_batch){.n_flows = F,
                      .n_packets = P,
                      .n_tokens = N,
                      .ids = f.ids,
                      .packet_off = f.packet_off,
                      .flow_off = f.flow_off,
                      .labels = f.labels};
    return f;
}

static void flows_clear(flows *f)
{
    free(f->ids);
    free(f->packet_off);
    free(f->flow_off);
    free(f->labels);
}

static void scramble(flows *f, uint32_t vocab, wspi_rng *rng)
{
    for (size_t i = 0; i < f->b.n_tokens; i++)
        f->ids[i] = (uint16_t)wspi_rng_below(rng, vocab);
}

/* ---- necessary operations ---- */

/* Rows of weights that the likelihoods of all tokens take. */
static double next_products(const wsp_model *m, const wsp_batch *b)
{
    const wsp_model_config *c = &m->cfg;
    double sum = (double)b->n_tokens * (c->ranges ? c->ranges : c->vocab);

    for (size_t i = 0; c->ranges && i < b->n_tokens; i++)
        sum += wspi_range_size(c, m->range_of[b->ids[i]]);
    return sum;
}

/* Forward passes, in floating-point operations. */
static double operations(const wsp_model *m, const wsp_batch *b, bool output)
{
    const wsp_model_config *c = &m->cfg;
    double C = c->channels, ff = c->ff, N = (double)b->n_tokens, P = (double)b->n_packets,
           R = P + (double)b->n_flows, mlp = 4 * C * ff, causal = 0, sum = 0, labels = 0;
    double H = c->flow_heads, dk = c->flow_dk, dv = c->flow_dv, Q = H * (2 * dk + dv);

    for (size_t p = 0; p < b->n_packets; p++) {
        double T = b->packet_off[p + 1] - b->packet_off[p];
        causal += 4 * C * T * (T + 1) / 2; /* scores and mixing */
    }
    for (size_t h = 0; h < m->n_heads; h++)
        labels += (double)m->head[h].n_labels;
    sum += (c->packet_layers - 1.0) * (N * (8 * C * C + mlp) + causal);
    sum += N * (4 * C * C + 4 * C) + P * (4 * C * C + mlp);
    sum += c->flow_layers * R *
           (2 * C * (Q + H * dv + H) + 2 * H * dv * C + mlp + 5 * H * dk * dv + 2 * c->conv * Q);
    sum += P * 2 * C * labels;
    if (output)
        sum += c->output_layers * (N * (8 * C * C + mlp) + causal) + P * 2 * C * C +
               2 * C * next_products(m, b);
    return sum;
}

static wsp_dtype dtype_of(const char *type)
{
    return strcmp(type, "int8") == 0   ? WSP_DTYPE_INT8
           : strcmp(type, "bf16") == 0 ? WSP_DTYPE_BF16
                                       : WSP_DTYPE_F32;
}

static wspi_nn *peak_new(wsp_dtype dtype)
{
    static const wspi_nn_kind kind[] = {[WSP_DTYPE_F32] = WSPI_NN_F32,
                                        [WSP_DTYPE_BF16] = WSPI_NN_BF16,
                                        [WSP_DTYPE_INT8] = WSPI_NN_INT8};
    wsp_error err;
    wspi_nn *nn;

    check(wspi_nn_new(&nn, kind[dtype], &err), &err);
    return nn;
}

/* ---- threads, each with its part ---- */

/* Tokens by the clock and by processor time. */
typedef struct measure {
    double tokens, wall, cpu;
} measure;

static void measure_start(measure *m, clockid_t cpu)
{
    m->wall -= now(CLOCK_MONOTONIC);
    m->cpu -= now(cpu);
}

static void measure_stop(measure *m, clockid_t cpu, size_t tokens)
{
    m->wall += now(CLOCK_MONOTONIC);
    m->cpu += now(cpu);
    m->tokens += (double)tokens;
}

/* A thread's part of the flows, with what lives over the rounds; peak and got are of the last one. */
typedef struct part {
    const wsp_model *m;
    flows f;
    wspi_nn *nn;
    wsp_runner *r;
    float *logits[WSPI_MAX_HEADS];
    wspi_rng rng;
    double seconds, peak;
    measure got;
    pthread_t thread;
} part;

static part part_new(const wsp_model *m, const wsp_tokens *t, size_t f0, size_t f1, wsp_dtype dtype)
{
    part p = {.m = m, .f = take(m, t, f0, f1), .nn = peak_new(dtype)};
    wsp_error err;

    wspi_rng_seed(&p.rng, 1);
    check(wsp_runner_new(&p.r, m, dtype, &err), &err);
    for (size_t h = 0; h < m->n_heads; h++)
        p.logits[h] = room(p.f.b.n_packets * m->head[h].n_labels, sizeof **p.logits);
    return p;
}

static void part_clear(part *p)
{
    for (size_t h = 0; h < p->m->n_heads; h++)
        free(p->logits[h]);
    wsp_runner_free(p->r);
    wspi_nn_free(p->nn);
    flows_clear(&p->f);
}

static void *peak_main(void *arg)
{
    part *p = arg;

    p->peak = wspi_nn_peak(p->nn, p->seconds);
    return NULL;
}

static void *infer_main(void *arg)
{
    part *p = arg;
    wsp_error err;

    p->got = (measure){.tokens = 0};
    do {
        scramble(&p->f, p->m->cfg.vocab, &p->rng);
        measure_start(&p->got, CLOCK_THREAD_CPUTIME_ID);
        check(wsp_runner_classify(p->r, &p->f.b, NULL, p->logits, &err), &err);
        measure_stop(&p->got, CLOCK_THREAD_CPUTIME_ID, p->f.b.n_tokens);
    } while (p->got.wall < p->seconds);
    return NULL;
}

/* What is measured: all flows by a trainer, and the threads' parts of them. */
typedef struct bench {
    wsp_model *m;
    flows all;
    wsp_trainer *t; /* NULL: int8 trains not */
    wspi_rng rng;
    unsigned threads;
    part p[MAX_THREADS];
} bench;

static void all_at_once(bench *b, double seconds, void *(*run)(void *))
{
    for (unsigned i = 0; i < b->threads; i++) {
        b->p[i].seconds = seconds;
        if (pthread_create(&b->p[i].thread, NULL, run, &b->p[i]) != 0)
            die("no thread");
    }
    for (unsigned i = 0; i < b->threads; i++)
        (void)pthread_join(b->p[i].thread, NULL);
}

static bench *bench_new(wsp_model *m, const wsp_tokens *t, wsp_dtype dtype, unsigned threads)
{
    bench *b = room(1, sizeof *b);
    wsp_train_options o = wsp_train_options_default();
    wsp_error err;

    if (!threads || t->n_flows < threads || threads > MAX_THREADS)
        die("as many flows as threads are needed, and at most 64 threads");
    b->m = m;
    b->threads = threads;
    b->all = take(m, t, 0, t->n_flows);
    wspi_rng_seed(&b->rng, 1);
    for (size_t i = 0, f = 0; i < threads; i++) {
        double until = (double)b->all.b.n_tokens * (double)(i + 1) / (double)threads;
        size_t end = f;

        while (end < t->n_flows &&
               (i + 1 == threads || b->all.packet_off[b->all.flow_off[end + 1]] <= until))
            end++;
        b->p[i] = part_new(m, t, f, end, dtype);
        f = end;
    }
    o.dtype = dtype;
    o.threads = threads;
    o.lm_weight = m->cfg.output_layers ? 1 : 0;
    if (dtype != WSP_DTYPE_INT8)
        check(wsp_trainer_new(&b->t, m, &o, &err), &err);
    return b;
}

static void bench_free(bench *b)
{
    for (unsigned i = 0; i < b->threads; i++)
        part_clear(&b->p[i]);
    wsp_trainer_free(b->t);
    flows_clear(&b->all);
    free(b);
}

/* GFLOP a second of processor time, the mean of threads. */
static double peak_round(bench *b, double seconds)
{
    double peak = 0;

    all_at_once(b, seconds, peak_main);
    for (unsigned i = 0; i < b->threads; i++)
        peak += b->p[i].peak / b->threads;
    return peak;
}

/* Tokens a second, by the clock and by processor time, and the share of the peak. */
typedef struct figures {
    double rate, cpu_rate, share;
} figures;

static figures train_round(bench *b, double seconds)
{
    measure got = {.tokens = 0};
    wsp_error err;

    do {
        scramble(&b->all, b->m->cfg.vocab, &b->rng);
        measure_start(&got, CLOCK_PROCESS_CPUTIME_ID);
        check(wsp_trainer_accumulate(b->t, &b->all.b, NULL, &err), &err);
        check(wsp_trainer_update(b->t, NULL, &err), &err);
        measure_stop(&got, CLOCK_PROCESS_CPUTIME_ID, b->all.b.n_tokens);
    } while (got.wall < seconds);
    return (figures){.rate = got.tokens / got.wall, .cpu_rate = got.tokens / got.cpu};
}

static figures infer_round(bench *b, double seconds)
{
    figures f = {.rate = 0};

    all_at_once(b, seconds, infer_main);
    for (unsigned i = 0; i < b->threads; i++) {
        f.rate += b->p[i].got.tokens / b->p[i].got.wall;
        f.cpu_rate += b->p[i].got.tokens / b->p[i].got.cpu / b->threads;
    }
    return f;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The middle one of the rounds', which are sorted. */
static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

/* flops: operations a token. */
static void row(const char *what, unsigned threads, const char *dtype, const figures f[ROUNDS],
                double flops)
{
    double rate[ROUNDS], cpu_rate[ROUNDS], share[ROUNDS], middle;

    for (size_t i = 0; i < ROUNDS; i++) {
        rate[i] = f[i].rate;
        cpu_rate[i] = f[i].cpu_rate;
        share[i] = f[i].share;
    }
    middle = median(cpu_rate);
    printf("engine\t%s\t%u\t%s\t%.0f\t%.0f\t%.1f\t%.3f\n", what, threads, dtype, median(rate),
           middle, middle * flops * 1e-9, median(share));
    (void)fflush(stdout);
}

static void speed(wsp_model *m, const wsp_tokens *t, const char *type, unsigned threads,
                  double seconds)
{
    bench *b = bench_new(m, t, dtype_of(type), threads);
    const wsp_batch *all = &b->all.b;
    double flops = operations(m, all, false) / (double)all->n_tokens, peak[ROUNDS],
           train_flops = 3 * operations(m, all, m->cfg.output_layers > 0) / (double)all->n_tokens;
    figures train[ROUNDS], infer[ROUNDS];

    for (int i = -1; i < ROUNDS; i++) { /* round -1 warms up, and is written over */
        int to = i < 0 ? 0 : i;
        double part_of = i < 0 ? 0 : seconds / ROUNDS;

        peak[to] = peak_round(b, i < 0 ? 0.2 : part_of);
        if (b->t) {
            train[to] = train_round(b, part_of);
            train[to].share = train[to].cpu_rate * train_flops * 1e-9 / peak[to];
        }
        infer[to] = infer_round(b, part_of);
        infer[to].share = infer[to].cpu_rate * flops * 1e-9 / peak[to];
    }
    printf("engine\tgemm 512\t%u\t%s\t\t\t%.1f\t1\n", threads, type, median(peak));
    if (b->t)
        row("train", threads, type, train, train_flops);
    row("infer", threads, type, infer, flops);
    bench_free(b);
}

/* ---- the other modes ---- */

static void share(const wsp_model *m, const wsp_tokens *t)
{
    flows f = take(m, t, 0, t->n_flows);
    float *logits[WSPI_MAX_HEADS] = {NULL};
    wsp_runner_stats s;
    wsp_runner *r;
    wsp_error err;

    check(wsp_runner_new(&r, m, WSP_DTYPE_AUTO, &err), &err);
    check(wsp_runner_classify(r, &f.b, NULL, logits, &err), &err);
    s = wsp_runner_stats_get(r);
    printf("%" PRIu64 " packets, %.1f %% of them read; %.1f %% of the steps of flows computed\n",
           s.packets, 100.0 * (double)s.packets_read / (double)s.packets,
           100.0 * (double)s.rows_run / (double)s.rows);
    wsp_runner_free(r);
    flows_clear(&f);
}

/* Random packets of 8 tokens, one for each of n flows. */
static void random_step(flows *f, size_t n, uint32_t vocab, wspi_rng *rng)
{
    for (size_t i = 0; i <= n; i++) {
        f->packet_off[i] = (uint32_t)(8 * i);
        f->flow_off[i] = (uint32_t)i;
    }
    f->b = (wsp_batch){.n_flows = n,
                       .n_packets = n,
                       .n_tokens = 8 * n,
                       .ids = f->ids,
                       .packet_off = f->packet_off,
                       .flow_off = f->flow_off};
    scramble(f, vocab, rng);
}

static void states(const wsp_model *m, size_t n)
{
    size_t size = wsp_state_size(m);
    float **state = room(n, sizeof *state);
    flows f = {.ids = room(8 * n, sizeof *f.ids),
               .packet_off = room(n + 1, sizeof *f.packet_off),
               .flow_off = room(n + 1, sizeof *f.flow_off)};
    struct rusage used;
    double start;
    wsp_runner *r;
    wsp_error err;
    wspi_rng rng;

    wspi_rng_seed(&rng, 1);
    check(wsp_runner_new(&r, m, WSP_DTYPE_AUTO, &err), &err);
    for (size_t i = 0; i < n; i++)
        state[i] = room(size / sizeof(float), sizeof **state);
    check(wsp_state_start(r, state, NULL, n, NULL, &err), &err);
    start = now(CLOCK_MONOTONIC);
    for (int step = 0; step < 4; step++) {
        random_step(&f, n, m->cfg.vocab, &rng);
        check(wsp_state_step(r, state, &f.b, NULL, NULL, &err), &err);
    }
    start = now(CLOCK_MONOTONIC) - start;
    (void)getrusage(RUSAGE_SELF, &used);
    printf("%zu flows at once: %.1f KiB a state, %.0f MiB in all, %.0f packets a second on one "
           "thread\n",
           n, (double)size / 1024, (double)used.ru_maxrss / 1024, 4 * (double)n / start);
    for (size_t i = 0; i < n; i++)
        free(state[i]);
    free(state);
    flows_clear(&f);
    wsp_runner_free(r);
}

static void give_step(wsp_runner *r, float *state, const flows *f, size_t at, size_t n, float *c)
{
    const uint32_t flow_off[2] = {0, (uint32_t)n};
    const wsp_batch b = {.n_flows = 1,
                         .n_packets = n,
                         .n_tokens = 8 * n,
                         .ids = f->ids + 8 * at,
                         .packet_off = f->packet_off,
                         .flow_off = flow_off};
    wsp_error err;

    check(wsp_state_step(r, &state, &b, c, NULL, &err), &err);
}

/* The flow by wsp_runner_classify, in steps of 1 and in steps of 64 packets: the largest difference of contexts. */
static void long_flow(const wsp_model *m, size_t n)
{
    static const size_t steps[] = {1, 64};
    size_t C = m->cfg.channels;
    flows f = {.ids = room(8 * n, sizeof *f.ids),
               .packet_off = room(n + 1, sizeof *f.packet_off),
               .flow_off = room(n + 1, sizeof *f.flow_off)};
    float *want = room(n * C, sizeof *want), *c = room(64 * C, sizeof *c),
          *state = room(wsp_state_size(m) / sizeof(float), sizeof *state);
    wsp_runner *r;
    wsp_error err;
    wspi_rng rng;

    wspi_rng_seed(&rng, 1);
    random_step(&f, n, m->cfg.vocab, &rng);
    f.flow_off[1] = (uint32_t)n;
    f.b.n_flows = 1;
    check(wsp_runner_new(&r, m, WSP_DTYPE_F32, &err), &err);
    check(wsp_runner_classify(r, &f.b, want, NULL, &err), &err);
    for (size_t i = 0; i < n * C; i++)
        if (!isfinite(want[i]))
            die("a context is not finite");
    for (size_t s = 0; s < WSPI_COUNT(steps); s++) {
        double off = 0;

        check(wsp_state_start(r, &state, NULL, 1, NULL, &err), &err);
        for (size_t p = 0; p < n; p += steps[s]) {
            size_t k = WSPI_MIN(n - p, steps[s]);
            give_step(r, state, &f, p, k, c);
            for (size_t i = 0; i < k * C; i++)
                off = fmax(off, fabs((double)c[i] - (double)want[p * C + i]));
        }
        printf("one flow of %zu packets, in steps of %zu beside the whole: contexts differ by at "
               "most %.1e\n",
               n, steps[s], off);
        if (!(off < 1e-3))
            die("that is too much");
    }
    free(want);
    free(c);
    free(state);
    flows_clear(&f);
    wsp_runner_free(r);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    bool is_speed = strcmp(mode, "speed") == 0 && argc == 7,
         is_share = strcmp(mode, "share") == 0 && argc == 4,
         is_states = strcmp(mode, "states") == 0 && argc == 4,
         is_long = strcmp(mode, "long") == 0 && argc == 4;
    wsp_model *m = NULL;
    wsp_tokens *t = NULL;
    wsp_error err;

    if (!is_speed && !is_share && !is_states && !is_long)
        die("usage: bench_engine speed f32|bf16|int8 THREADS SECONDS MODEL TOKENS.npz | share "
            "MODEL "
            "TOKENS.npz | states COUNT MODEL | long PACKETS MODEL");
    if (is_speed && strcmp(argv[2], "bf16") == 0 && !wspi_nn_has_bf16())
        return 77;
    if (is_speed && strcmp(argv[2], "int8") == 0 && !wspi_nn_has_int8())
        return 77;
    check(wsp_model_load(&m, is_speed ? argv[5] : is_share ? argv[2] : argv[3], &err), &err);
    if (is_speed || is_share)
        check(wsp_tokens_load(&t, argv[argc - 1], &err), &err);
    if (is_speed)
        speed(m, t, argv[2], (unsigned)strtoul(argv[3], NULL, 10), strtod(argv[4], NULL));
    else if (is_share)
        share(m, t);
    else if (is_states)
        states(m, strtoul(argv[2], NULL, 10));
    else
        long_flow(m, strtoul(argv[2], NULL, 10));
    wsp_tokens_free(t);
    wsp_model_free(m);
    return 0;
}

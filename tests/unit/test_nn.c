/* SPDX-License-Identifier: Apache-2.0 */
/* test_nn.c: every kernel against its reference and its gradient against finite differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "nn/ops.h"

enum { MAX = 1 << 16 };

static wspi_rng rng;

static float *randoms(size_t n, double sigma)
{
    float *p = wspi_new_floats(n);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(sigma * wspi_rng_normal(&rng));
    return p;
}

static double distance(const float *a, const float *b, size_t n)
{
    double e = 0, m = 1e-3;

    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)a[i] - (double)b[i]), size = fabs((double)b[i]);
        if (!isfinite(off)) /* fmax would pass it over; and GCC 12 for arm64 falls over two of it */
            return INFINITY;
        e = off > e ? off : e;
        m = size > m ? size : m;
    }
    return e / m;
}

/* sum of out * weight, the loss of every gradient check */
static double weigh(const float *out, const float *weight, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += (double)out[i] * (double)weight[i];
    return s;
}

/* Checks grad of loss() with regard to x[n] by central differences. */
static void check_gradient(const char *what, double (*loss)(void *), void *arg, float *x,
                           const float *grad, size_t n)
{
    double scale = 0.05;

    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs((double)grad[i]));
    for (size_t i = 0; i < n; i += 1 + n / 97) {
        float keep = x[i];
        double up, down, slope;

        x[i] = keep + 5e-3f;
        up = loss(arg);
        x[i] = keep - 5e-3f;
        down = loss(arg);
        x[i] = keep;
        slope = (up - down) / 1e-2;
        if (fabs(slope - (double)grad[i]) > 4e-3 * scale)
            fail_msg("%s[%zu]: gradient %g, finite difference %g", what, i, (double)grad[i], slope);
    }
}

static void products_equal_the_reference(void **state)
{
    static const size_t size[] = {1, 3, 16, 33, 70};
    wspi_nn *nn;

    (void)state;
    assert_int_equal(wspi_nn_new(&nn, WSPI_NN_F32, NULL), WSP_OK);
    for (size_t c = 0; c < 5 * 5 * 5 * 6; c++) {
        size_t M = size[c % 5] * (c % 7 == 0 ? 23 : 1), N = size[c / 5 % 5], K = size[c / 25 % 5];
        static const unsigned flags[] = {
            0, WSPI_TA, WSPI_TB, WSPI_ADD, WSPI_ADD | WSPI_TA, WSPI_ADD | WSPI_TB};
        float *a = randoms(M * K, 1), *b = randoms(K * N, 1), *y = randoms(M * N, 1),
              *z = randoms(M * N, 1);

        memcpy(z, y, M * N * sizeof *y);
        wspi_gemm(nn, y, a, b, M, N, K, flags[c / 125]);
        wspi_ref_gemm(z, a, b, M, N, K, flags[c / 125]);
        assert_true(distance(y, z, M * N) < 1e-5);
        free(a);
        free(b);
        free(y);
        free(z);
    }
    wspi_gemm(nn, NULL, NULL, NULL, 0, 5, 5, 0);
    assert_int_equal(wspi_nn_status(nn), WSP_OK);
    wspi_nn_free(nn);
}

/* Weights are packed: a change is seen when it is told, and two matrices at one address but of other shapes are two. */
static void weights_are_packed_again_when_they_changed(void **state)
{
    enum { M = 20, N = 48, K = 33 };
    float *a = randoms(M * N, 1), *w = randoms(N * K, 1), *y = randoms(M * N, 1),
          *z = randoms(M * N, 1), *g = randoms(N * K, 1), *h = wspi_new_floats(N * K);
    wspi_nn *nn;

    (void)state;
    assert_int_equal(wspi_nn_new(&nn, WSPI_NN_F32, NULL), WSP_OK);
    for (int round = 0; round < 2; round++) {
        wspi_gemm(nn, y, a, w, M, N, K, WSPI_TB | WSPI_WEIGHT);
        wspi_ref_gemm(z, a, w, M, N, K, WSPI_TB);
        assert_true(distance(y, z, M * N) < 1e-5);
        wspi_gemm(nn, y, a, w, M, K, N, WSPI_WEIGHT);
        wspi_ref_gemm(z, a, w, M, K, N, 0);
        assert_true(distance(y, z, M * K) < 1e-5);
        memcpy(h, g, N * K * sizeof *h);
        wspi_linear_bwd(nn, g, y, a, z, w, M, N, K);
        wspi_ref_gemm(h, a, z, N, K, M, WSPI_TA | WSPI_ADD);
        assert_true(distance(g, h, N * K) < 1e-5);
        wspi_ref_gemm(z, a, w, M, K, N, 0);
        assert_true(distance(y, z, M * K) < 1e-5);
        for (size_t i = 0; i < N * K; i++)
            w[i] = 1 - 2 * w[i];
        wspi_nn_weights_changed(nn);
    }
    assert_int_equal(wspi_nn_status(nn), WSP_OK);
    wspi_nn_free(nn);
    free(a);
    free(w);
    free(y);
    free(z);
    free(g);
    free(h);
}

static void many_weights_find_their_own_packed_copies(void **state)
{
    enum { COUNT = 200, N = 16 };
    float *w = randoms(COUNT * N * N, 1), *a = randoms(3 * N, 1), y[3 * N], z[3 * N];
    wspi_nn *nn;

    (void)state;
    assert_int_equal(wspi_nn_new(&nn, WSPI_NN_F32, NULL), WSP_OK);
    for (size_t i = 0; i < 2 * COUNT; i++) {
        const float *at = w + i % COUNT * N * N;
        wspi_gemm(nn, y, a, at, 3, N, N, WSPI_WEIGHT);
        wspi_ref_gemm(z, a, at, 3, N, N, 0);
        assert_true(distance(y, z, 3 * N) < 1e-5);
    }
    assert_int_equal(wspi_nn_status(nn), WSP_OK);
    wspi_nn_free(nn);
    free(w);
    free(a);
}

static void bfloat16_rounds_to_nearest_and_ties_to_even(void **state)
{
    static const uint32_t in[] = {0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff,
                                  0xbf818000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
                                  0x00000000, 0x80000000, 0x7f7fffff};
    static const uint16_t want[] = {0x3f80, 0x3f80, 0x3f82, 0x3f81, 0x3f80, 0xbf82, 0x7f80,
                                    0xff80, 0x7fc0, 0x7fc0, 0x0000, 0x8000, 0x7f80};
    float x[WSPI_COUNT(in)];
    uint16_t y[WSPI_COUNT(in)];

    (void)state;
    memcpy(x, in, sizeof in);
    wspi_to_bf16(y, x, WSPI_COUNT(in));
    for (size_t i = 0; i < WSPI_COUNT(in); i++)
        assert_int_equal(y[i], want[i]);
}

/* Skipped where the CPU has none; there the refusal is checked. */
static void bfloat16_products_are_near_or_refused(void **state)
{
    enum { M = 70, N = 96, K = 64 };
    wspi_nn *nn;
    float *a = randoms(M * N, 1), *b = randoms(M * N, 1), *y = randoms(M * N, 1),
          *z = randoms(M * N, 1);

    (void)state;
    if (wspi_nn_has_bf16()) {
        static const unsigned flags[] = {0,
                                         WSPI_TA,
                                         WSPI_TB,
                                         WSPI_ADD,
                                         WSPI_WEIGHT,
                                         WSPI_TB | WSPI_WEIGHT,
                                         WSPI_TB | WSPI_ADD | WSPI_WEIGHT};

        assert_int_equal(wspi_nn_new(&nn, WSPI_NN_BF16, NULL), WSP_OK);
        for (size_t i = 0; i < WSPI_COUNT(flags); i++) {
            memcpy(z, y, M * N * sizeof *y);
            wspi_gemm(nn, y, a, b, M, N, K, flags[i]);
            wspi_ref_gemm(z, a, b, M, N, K, flags[i]);
            assert_true(distance(y, z, M * N) < 1e-2);
            assert_true(distance(y, z, M * N) > 1e-7); /* it did round */
        }
        memcpy(z, y, M * N * sizeof *y);
        wspi_linear_bwd(nn, y, z, a, b, b, K, N, M);
        assert_int_equal(wspi_nn_status(nn), WSP_OK);
        wspi_nn_free(nn);
    } else {
        assert_int_equal(wspi_nn_new(&nn, WSPI_NN_BF16, NULL), WSP_ERR_UNSUPPORTED);
        assert_null(nn);
    }
    free(a);
    free(b);
    free(y);
    free(z);
}

/* Rows of bytes keep their results whatever lies beside them; few columns stay in float32. */
static void bytes_are_near_float32_or_refused(void **state)
{
    enum { M = 147, K = 64 };
    static const struct {
        size_t N;
        unsigned flags;
        double least, most;
    } c[] = {{96, WSPI_TB | WSPI_WEIGHT, 1e-5, 3e-2},
             {96, WSPI_TB | WSPI_ADD | WSPI_WEIGHT, 1e-5, 3e-2},
             {12, WSPI_TB | WSPI_WEIGHT, 0, 1e-5},
             {96, WSPI_WEIGHT, 0, 1e-5},
             {96, WSPI_TB, 0, 1e-5}};
    float *a = randoms(M * K, 1), *b = randoms(96 * K, 1), *y = randoms(M * 96, 1),
          *z = randoms(M * 96, 1);
    wspi_nn *nn;

    (void)state;
    if (wspi_nn_has_int8()) {
        assert_int_equal(wspi_nn_new(&nn, WSPI_NN_INT8, NULL), WSP_OK);
        for (size_t i = 0; i < WSPI_COUNT(c); i++)
            for (size_t m = 1; m <= M; m += 73) {
                memcpy(z, y, M * 96 * sizeof *y);
                wspi_nn_weights_changed(nn);
                wspi_gemm(nn, y, a, b, m, c[i].N, K, c[i].flags);
                wspi_ref_gemm(z, a, b, m, c[i].N, K, c[i].flags);
                assert_true(distance(y, z, m * c[i].N) < c[i].most);
                assert_true(distance(y, z, m * c[i].N) >= c[i].least);
            }
        wspi_gemm(nn, y, a, b, M, 96, K, WSPI_TB | WSPI_WEIGHT);
        wspi_gemm(nn, z, a + 100 * K, b, 3, 96, K, WSPI_TB | WSPI_WEIGHT);
        assert_memory_equal(y + 100 * 96, z, 3 * 96 * sizeof *y);
        assert_int_equal(wspi_nn_status(nn), WSP_OK);
        wspi_nn_free(nn);
    } else {
        assert_int_equal(wspi_nn_new(&nn, WSPI_NN_INT8, NULL), WSP_ERR_UNSUPPORTED);
        assert_null(nn);
    }
    free(a);
    free(b);
    free(y);
    free(z);
}

static void numbers_become_bytes_and_come_back(void **state)
{
    const float x[2][3] = {{1.27f, -0.5f, 0}, {0, 0, 0}}, odd[3] = {NAN, INFINITY, 1};
    int8_t y[6];
    float scale[2];

    (void)state;
    wspi_to_int8(y, scale, x[0], 2, 3);
    assert_float_equal(scale[0], 0.01f, 1e-6f);
    assert_int_equal(y[0], 127);
    assert_int_equal(y[1], -50);
    assert_int_equal(y[2], 0);
    assert_float_equal(scale[1], 0, 0);
    assert_int_equal(y[3], 0);
    wspi_to_int8(y, scale, odd, 1, 3); /* anything, but no undefined conversion */
    assert_true(y[0] >= -127 && y[1] >= -127);
}

static void activations_equal_libm(void **state)
{
    float *x = randoms(4096, 6), *y = randoms(4096, 1), *z = randoms(4096, 1);

    (void)state;
    x[0] = 80;
    x[1] = -80;
    wspi_gelu_fwd(y, x, 4096);
    wspi_ref_gelu_fwd(z, x, 4096);
    for (size_t i = 0; i < 4096; i++)
        assert_true(fabsf(y[i] - z[i]) < 2e-6f + 2e-6f * fabsf(z[i]));
    wspi_silu_fwd(y, x, 4096);
    wspi_ref_silu_fwd(z, x, 4096);
    for (size_t i = 0; i < 4096; i++)
        assert_true(fabsf(y[i] - z[i]) < 2e-6f + 2e-6f * fabsf(z[i]));
    free(x);
    free(y);
    free(z);
}

static void cross_entropy_equals_the_reference(void **state)
{
    enum { N = 5, V = 301 };
    float *x = randoms(N * V, 3), *keep = randoms(N * V, 1), *z = randoms(V, 1), loss[N], one;
    static const uint32_t target[N] = {0, 7, 300, 12, 5};
    static const float scale[N] = {1, 0.5f, 2, 1, 0.1f};

    (void)state;
    memcpy(keep, x, N * V * sizeof *x);
    wspi_xent(x, loss, target, scale, 0.1f, N, V);
    for (size_t i = 0; i < N; i++) {
        wspi_ref_xent(z, &one, keep + i * V, target[i], 0.1f, V);
        assert_true(fabsf(one - loss[i]) < 1e-5f);
        for (size_t j = 0; j < V; j++)
            assert_true(fabsf(x[i * V + j] - scale[i] * z[j]) < 1e-6f);
    }
    free(x);
    free(keep);
    free(z);
}

/* Inputs, outputs and gradients of whichever kernel is under test. */
struct probe {
    float *x, *w, *z, *y, *aux, *weight, *dx, *dw, *dz;
    size_t N, C, H, K;
    const uint32_t *off;
    const float *past; /* what goes before the rows: of a convolution rows, of a scan the state */
    wspi_scan s;
};

static void probe_make(struct probe *p, size_t n)
{
    p->x = randoms(n, 1);
    p->w = randoms(n, 1);
    p->z = randoms(n, 1);
    p->y = randoms(n, 1);
    p->weight = randoms(n, 1);
    p->aux = wspi_new_floats(n);
    p->dx = wspi_new_floats(n);
    p->dw = wspi_new_floats(n);
    p->dz = wspi_new_floats(n);
}

static void probe_clear(struct probe *p)
{
    float *all[] = {p->x, p->w, p->z, p->y, p->aux, p->weight, p->dx, p->dw, p->dz};

    for (size_t i = 0; i < WSPI_COUNT(all); i++)
        free(all[i]);
}

static double norm_loss(void *arg)
{
    struct probe *p = arg;

    wspi_rmsnorm_fwd(p->y, p->aux, p->x, p->w, p->N, p->C);
    return weigh(p->y, p->weight, p->N * p->C);
}

static void rows_by_number_are_multiplied_alone(void **state)
{
    static const uint16_t rows[] = {7, 0, 3, 3, 12};
    enum { N = 13 };

    (void)state;
    for (size_t C = 1; C < 70; C += 23) {
        float *a = randoms(C, 1), *b = randoms(N * C, 1), y[N], z[N], one;
        uint16_t *half = calloc(N * C, sizeof *half);

        wspi_to_bf16(half, b, N * C);

        for (size_t n = 1; n <= N; n++) {
            wspi_products(y, a, b, false, NULL, n, C);
            wspi_ref_gemm(z, a, b, 1, n, C, WSPI_TB);
            assert_true(distance(y, z, n) < 1e-5);
            wspi_products(y, a, half, true, NULL, n, C);
            assert_true(distance(y, z, n) < 2e-2);
        }
        wspi_products(y, a, b, false, NULL, N, C);
        wspi_products(z, a, b, false, rows, WSPI_COUNT(rows), C);
        for (size_t i = 0; i < WSPI_COUNT(rows); i++) {
            assert_true(z[i] == y[rows[i]]); /* whatever its neighbours are */
            wspi_products(&one, a, b + rows[i] * C, false, NULL, 1, C);
            assert_true(one == z[i]);
        }
        free(a);
        free(b);
        free(half);
    }
}

/* Any numbers of rows and of columns, in any order; outputs that are not asked for stay. */
static void small_products_equal_the_reference(void **state)
{
    enum { ROWS = 11, MOST = 9 };
    static const uint32_t rows[MOST] = {10, 0, 3, 7, 2, 9, 1, 5, 8};

    (void)state;
    for (size_t C = 1; C < 140; C += 23)
        for (size_t n = 1; n <= MOST; n++) {
            size_t k = 1 + wspi_rng_below(&rng, MOST);
            float *x = randoms(ROWS * C, 1), *w = randoms(k * C, 1), *dy = randoms(n * k, 1),
                  *dw = randoms(k * C, 1), *dx = randoms(ROWS * C, 1), *a = randoms(n * C, 1),
                  *want_dw = randoms(k * C, 0), *want_dx = randoms(ROWS * C, 0), y[MOST * MOST],
                  want[MOST * MOST];

            memcpy(want_dw, dw, k * C * sizeof *dw);
            memcpy(want_dx, dx, ROWS * C * sizeof *dx);
            for (size_t i = 0; i < n; i++)
                memcpy(a + i * C, x + rows[i] * C, C * sizeof *a);
            wspi_ref_gemm(want, a, w, n, k, C, WSPI_TB);
            wspi_ref_gemm(want_dw, dy, a, k, C, n, WSPI_TA | WSPI_ADD);
            for (size_t i = 0; i < n; i++)
                wspi_ref_gemm(want_dx + rows[i] * C, dy + i * k, w, 1, C, k, WSPI_ADD);
            wspi_small_fwd(y, x, rows, w, n, k, C);
            assert_true(distance(y, want, n * k) < 1e-5);
            wspi_small_bwd(dw, dx, dy, x, rows, w, n, k, C);
            assert_true(distance(dw, want_dw, k * C) < 1e-5);
            assert_true(distance(dx, want_dx, ROWS * C) < 1e-5);
            free(x), free(w), free(dy), free(dw), free(dx), free(a), free(want_dw), free(want_dx);
        }
}

static void odds_are_exponentials_below_the_largest(void **state)
{
    float x[37], y[37], max, sum;
    double want = 0, top = -1e9;

    (void)state;
    for (size_t i = 0; i < 37; i++) {
        x[i] = y[i] = (float)(5 * wspi_rng_normal(&rng));
        top = fmax(top, (double)x[i]);
    }
    sum = wspi_odds(y, 37, &max);
    assert_true((double)max == top);
    for (size_t i = 0; i < 37; i++) {
        assert_true(fabs((double)y[i] - exp((double)x[i] - top)) < 1e-6);
        want += exp((double)x[i] - top);
    }
    assert_true(fabs((double)sum - want) < 1e-4);
}

static void rmsnorm_has_the_right_gradient(void **state)
{
    struct probe p = {.N = 5, .C = 19};

    (void)state;
    probe_make(&p, 128);
    (void)norm_loss(&p);
    wspi_rmsnorm_bwd(p.dx, p.dw, p.weight, p.x, p.w, p.aux, p.N, p.C);
    check_gradient("x", norm_loss, &p, p.x, p.dx, p.N * p.C);
    check_gradient("w", norm_loss, &p, p.w, p.dw, p.C);
    probe_clear(&p);
}

static double gated_loss(void *arg)
{
    struct probe *p = arg;

    wspi_gated_norm_fwd(p->y, p->aux, p->x, p->z, p->C + 3, p->w, p->N, p->H, p->C);
    return weigh(p->y, p->weight, p->N * p->C);
}

static void gated_norm_has_the_right_gradient(void **state)
{
    struct probe p = {.N = 5, .C = 18, .H = 3};

    (void)state;
    probe_make(&p, 128);
    (void)gated_loss(&p);
    wspi_gated_norm_bwd(p.dx, p.dz, p.dw, p.weight, p.x, p.z, p.C + 3, p.w, p.aux, p.N, p.H, p.C);
    check_gradient("x", gated_loss, &p, p.x, p.dx, p.N * p.C);
    check_gradient("z", gated_loss, &p, p.z, p.dz, p.N * (p.C + 3) - 3);
    check_gradient("w", gated_loss, &p, p.w, p.dw, p.C);
    probe_clear(&p);
}

static double gelu_loss(void *arg)
{
    struct probe *p = arg;

    wspi_gelu_fwd(p->y, p->x, p->N);
    return weigh(p->y, p->weight, p->N);
}

static double silu_loss(void *arg)
{
    struct probe *p = arg;

    wspi_silu_fwd(p->y, p->x, p->N);
    return weigh(p->y, p->weight, p->N);
}

static void activations_have_the_right_gradients(void **state)
{
    struct probe p = {.N = 97};

    (void)state;
    probe_make(&p, 128);
    memcpy(p.dx, p.weight, p.N * sizeof(float));
    wspi_gelu_bwd(p.dx, p.x, p.N);
    check_gradient("gelu", gelu_loss, &p, p.x, p.dx, p.N);
    memcpy(p.dx, p.weight, p.N * sizeof(float));
    wspi_silu_bwd(p.dx, p.x, p.N);
    check_gradient("silu", silu_loss, &p, p.x, p.dx, p.N);
    probe_clear(&p);
}

/* Packets of one row, and with rows that end in, at and after a column of 16; the widths take both kinds of loops. */
static const uint32_t packets[] = {0, 1, 4, 20, 37, 90};
enum { PACKETS = 5, ROWS = 90 };
static const struct {
    size_t H, C;
} widths[] = {{3, 12}, {2, 64}, {1, 40}, {1, WSPI_MAX_HEAD_WIDTH}};

static double attention_loss(void *arg)
{
    struct probe *p = arg;

    wspi_attention_fwd(p->y, p->x, p->off, PACKETS, p->H, p->C);
    return weigh(p->y, p->weight, ROWS * p->C);
}

static void attention_equals_the_reference_and_has_the_right_gradient(void **state)
{
    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(widths); i++) {
        struct probe p = {.C = widths[i].C, .H = widths[i].H, .off = packets};

        probe_make(&p, ROWS * 3 * p.C);
        (void)attention_loss(&p);
        wspi_ref_attention_fwd(p.z, p.x, packets, PACKETS, p.H, p.C);
        assert_true(distance(p.y, p.z, ROWS * p.C) < 1e-5);
        wspi_attention_bwd(p.dx, p.weight, p.x, packets, PACKETS, p.H, p.C);
        check_gradient("qkv", attention_loss, &p, p.x, p.dx, ROWS * 3 * p.C);
        probe_clear(&p);
    }
}

static double last_attention_loss(void *arg)
{
    struct probe *p = arg;

    wspi_last_attention_fwd(p->y, p->w, p->x, p->off, PACKETS, p->H, p->C);
    return weigh(p->y, p->weight, PACKETS * p->C);
}

/* q of the last rows, k and v of all: what the whole attention gives at the last rows. */
static void attention_of_last_rows_equals_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(widths); i++) {
        struct probe p = {.C = widths[i].C, .H = widths[i].H, .off = packets};
        size_t C = p.C;

        probe_make(&p, ROWS * 3 * C);
        for (size_t r = 0; r < ROWS; r++) { /* z: q, k, v; x: k, v */
            memcpy(p.z + r * 3 * C + C, p.x + r * 2 * C, 2 * C * sizeof(float));
            for (size_t t = 0; t < PACKETS; t++)
                if (r + 1 == packets[t + 1])
                    memcpy(p.z + r * 3 * C, p.w + t * C, C * sizeof(float));
        }
        (void)last_attention_loss(&p);
        wspi_ref_attention_fwd(p.aux, p.z, packets, PACKETS, p.H, C);
        for (size_t t = 0; t < PACKETS; t++)
            assert_true(distance(p.y + t * C, p.aux + (packets[t + 1] - 1) * C, C) < 1e-5);
        wspi_last_attention_bwd(p.dw, p.dx, p.weight, p.w, p.x, packets, PACKETS, p.H, C);
        check_gradient("q", last_attention_loss, &p, p.w, p.dw, PACKETS * C);
        check_gradient("kv", last_attention_loss, &p, p.x, p.dx, ROWS * 2 * C);
        probe_clear(&p);
    }
}

/* A packet in two pieces, the second beside the keys and values of the first. */
static void attention_goes_on_from_kept_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(widths); i++) {
        enum { T = 37 };
        const uint32_t off[] = {0, T};
        size_t C = widths[i].C, H = widths[i].H;
        float *qkv = randoms(T * 3 * C, 1), *o = wspi_new_floats(T * C),
              *want = wspi_new_floats(T * C), *k = wspi_new_floats(T * C),
              *v = wspi_new_floats(T * C);

        wspi_ref_attention_fwd(want, qkv, off, 1, H, C);
        for (size_t cut = 0; cut <= T; cut += 9)
            for (int half = 0; half < 2; half++) {
                wspi_attention_step(o, k, v, half, qkv, 0, cut, H, C);
                wspi_attention_step(o + cut * C, k, v, half, qkv + cut * 3 * C, cut, T - cut, H, C);
                assert_true(distance(o, want, T * C) < (half ? 1e-2 : 1e-5));
            }
        free(qkv);
        free(o);
        free(want);
        free(k);
        free(v);
    }
}

static double conv_loss(void *arg)
{
    struct probe *p = arg;

    wspi_conv_fwd(p->y, p->x, p->C + 2, p->past, p->w, p->z, p->N, p->C, p->K);
    return weigh(p->y, p->weight, p->N * p->C);
}

static void convolution_has_the_right_gradient(void **state)
{
    float *past = randoms(3 * 5, 1);

    (void)state;
    for (size_t i = 0; i < 32; i++) {
        size_t K = 1 + i % 4, N = 1 + i / 4 % 4 * 2;
        struct probe p = {.N = N, .C = 5, .K = K, .past = i < 16 ? past : NULL};

        probe_make(&p, 64);
        wspi_conv_bwd(p.dx, p.dw, p.dz, p.weight, p.x, p.C + 2, p.past, p.w, N, p.C, K);
        check_gradient("x", conv_loss, &p, p.x, p.dx, N * (p.C + 2));
        check_gradient("w", conv_loss, &p, p.w, p.dw, K * p.C);
        check_gradient("bias", conv_loss, &p, p.z, p.dz, p.C);
        probe_clear(&p);
    }
    free(past);
}

static double gate_loss(void *arg)
{
    struct probe *p = arg;

    wspi_gate_fwd(p->y, p->x, p->H + 1, p->w, p->z, p->N, p->H);
    return weigh(p->y, p->weight, p->N * p->H);
}

static void gate_has_the_right_gradient(void **state)
{
    struct probe p = {.N = 9, .H = 3};

    (void)state;
    probe_make(&p, 64);
    (void)gate_loss(&p);
    wspi_gate_bwd(p.dx, p.dw, p.dz, p.weight, p.y, p.x, p.H + 1, p.w, p.z, p.N, p.H);
    check_gradient("x", gate_loss, &p, p.x, p.dx, p.N * (p.H + 1) - 1);
    check_gradient("b", gate_loss, &p, p.w, p.dw, p.H);
    check_gradient("rate", gate_loss, &p, p.z, p.dz, p.H);
    probe_clear(&p);
}

static double scan_loss(void *arg)
{
    struct probe *p = arg;
    float S[2 * 3 * 5];

    if (p->past)
        memcpy(S, p->past, sizeof S);
    wspi_scan_fwd(p->y, p->past ? S : NULL, p->aux, p->w, p->x, p->z, &p->s, p->N);
    return weigh(p->y, p->weight, p->N * p->s.H * p->s.dv);
}

static void scan_has_the_right_gradient(void **state)
{
    static const size_t chunk[] = {1, 5, 7, 16, 64};
    float *past = randoms(2 * 3 * 5, 1);

    (void)state;
    for (size_t i = 0; i < 4 * WSPI_COUNT(chunk); i++) { /* of one row, too */
        struct probe p = {.N = i % 2 ? 23 : 1,
                          .past = i % 4 < 2 ? past : NULL,
                          .s = {.H = 2, .dk = 3, .dv = 5, .chunk = chunk[i / 4]}};
        size_t Q = wspi_scan_width(&p.s);

        probe_make(&p, 23 * 40);
        for (size_t j = 0; j < p.N * p.s.H; j++)
            p.z[j] = -0.3f * fabsf(p.z[j]) - 0.01f;
        (void)scan_loss(&p);
        wspi_scan_bwd(p.dx, p.dz, p.w, p.weight, p.x, p.z, p.aux, &p.s, p.N);
        check_gradient("qkv", scan_loss, &p, p.x, p.dx, p.N * Q);
        check_gradient("g", scan_loss, &p, p.z, p.dz, p.N * p.s.H);
        probe_clear(&p);
    }
    free(past);
}

static void chunked_scan_equals_recurrent(void **state)
{
    static const size_t chunk[] = {1, 2, 7, 16, 32, 64};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(chunk); i++)
        for (size_t T = 1; T < 150; T += 37) {
            struct probe p = {.N = T, .s = {.H = 3, .dk = 8, .dv = 12, .chunk = chunk[i]}};
            size_t Q = wspi_scan_width(&p.s), V = p.s.H * p.s.dv;
            float *S = wspi_new_floats(3 * 8 * 12);

            probe_make(&p, 150 * 3 * 8 * 12);
            for (size_t j = 0; j < T * p.s.H; j++)
                p.z[j] = j % 3 ? -0.01f * fabsf(p.z[j]) : -20;
            (void)scan_loss(&p);
            for (size_t t = 0; t < T; t++)
                wspi_scan_step(p.dx + t * V, S, p.x + t * Q, p.z + t * p.s.H, &p.s);
            assert_true(distance(p.y, p.dx, T * V) < 1e-5);
            memset(S, 0,
                   3 * 8 * 12 * sizeof *S); /* the same in two pieces with the state carried */
            wspi_scan_fwd(p.dx, S, NULL, NULL, p.x, p.z, &p.s, T / 3);
            wspi_scan_fwd(p.dx + T / 3 * V, S, NULL, NULL, p.x + T / 3 * Q, p.z + T / 3 * p.s.H,
                          &p.s, T - T / 3);
            assert_true(distance(p.y, p.dx, T * V) < 1e-5);
            free(S);
            probe_clear(&p);
        }
}

static void dropout_keeps_the_mean_and_repeats(void **state)
{
    float *a = wspi_new_floats(MAX), *b = wspi_new_floats(MAX);
    double sum = 0;

    (void)state;
    for (size_t i = 0; i < MAX; i++)
        a[i] = b[i] = 1;
    wspi_dropout(a, MAX, 0.25f, 77);
    wspi_dropout(b, MAX, 0.25f, 77);
    assert_memory_equal(a, b, MAX * sizeof *a);
    for (size_t i = 0; i < MAX; i++)
        sum += (double)a[i];
    assert_true(fabs(sum / MAX - 1) < 0.02);
    free(a);
    free(b);
}

/* A program of many threads uses the library from one of them: its own loops stay as wide as they were. */
static void products_leave_the_callers_openmp_alone(void **state)
{
#ifdef _OPENMP
    static float a[64 * 64], y[64 * 64], z[64 * 64];
    int before = omp_get_max_threads();
    wspi_nn *nn;

    (void)state;
    assert_int_equal(wspi_nn_new(&nn, WSPI_NN_F32, NULL), WSP_OK);
    omp_set_num_threads(3);
    wspi_gemm(nn, y, a, a, 64, 64, 64, WSPI_TB | WSPI_WEIGHT);
    assert_int_equal(omp_get_max_threads(), 3);
    wspi_linear_bwd(nn, y, z, a, a, a, 64, 64, 64);
    assert_int_equal(omp_get_max_threads(), 3);
    omp_set_num_threads(before);
    wspi_nn_free(nn);
#else
    (void)state;
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_the_reference),
        cmocka_unit_test(weights_are_packed_again_when_they_changed),
        cmocka_unit_test(many_weights_find_their_own_packed_copies),
        cmocka_unit_test(bfloat16_rounds_to_nearest_and_ties_to_even),
        cmocka_unit_test(bfloat16_products_are_near_or_refused),
        cmocka_unit_test(bytes_are_near_float32_or_refused),
        cmocka_unit_test(numbers_become_bytes_and_come_back),
        cmocka_unit_test(activations_equal_libm),
        cmocka_unit_test(cross_entropy_equals_the_reference),
        cmocka_unit_test(rows_by_number_are_multiplied_alone),
        cmocka_unit_test(small_products_equal_the_reference),
        cmocka_unit_test(odds_are_exponentials_below_the_largest),
        cmocka_unit_test(rmsnorm_has_the_right_gradient),
        cmocka_unit_test(gated_norm_has_the_right_gradient),
        cmocka_unit_test(activations_have_the_right_gradients),
        cmocka_unit_test(attention_equals_the_reference_and_has_the_right_gradient),
        cmocka_unit_test(attention_of_last_rows_equals_the_whole),
        cmocka_unit_test(attention_goes_on_from_kept_rows),
        cmocka_unit_test(convolution_has_the_right_gradient),
        cmocka_unit_test(gate_has_the_right_gradient),
        cmocka_unit_test(scan_has_the_right_gradient),
        cmocka_unit_test(chunked_scan_equals_recurrent),
        cmocka_unit_test(dropout_keeps_the_mean_and_repeats),
        cmocka_unit_test(products_leave_the_callers_openmp_alone),
    };

    wspi_rng_seed(&rng, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

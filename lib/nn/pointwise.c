/* SPDX-License-Identifier: Apache-2.0 */
/* pointwise.c: norms, activations, dropout, softmax with cross-entropy, AdamW. */
#include "nn/ops.h"

#include "nn/fast_int.h"

static const float EPS = 1e-6f;

FAST void wspi_rmsnorm_fwd(float *y, float *rstd, const float *x, const float *w, size_t N,
                           size_t C)
{
    for (size_t i = 0; i < N; i++, x += C, y += C) {
        float r = 1.0f / sqrtf(dot(x, x, C) / (float)C + EPS);

        rstd[i] = r;
        for (size_t c = 0; c < C; c++)
            y[c] = x[c] * r * w[c];
    }
}

FAST void wspi_rmsnorm_bwd(float *restrict dx, float *restrict dw, const float *restrict dy,
                           const float *restrict x, const float *restrict w,
                           const float *restrict rstd, size_t N, size_t C)
{
    for (size_t i = 0; i < N; i++, x += C, dy += C, dx += C) {
        float r = rstd[i], mean = 0;

        for (size_t c = 0; c < C; c++)
            mean += dy[c] * w[c] * x[c];
        mean *= r * r / (float)C;
        for (size_t c = 0; c < C; c++) {
            dw[c] += dy[c] * x[c] * r;
            dx[c] += r * (dy[c] * w[c] - x[c] * mean);
        }
    }
}

FAST void wspi_gated_norm_fwd(float *restrict y, float *restrict rstd, const float *restrict x,
                              const float *restrict z, size_t ldz, const float *restrict w,
                              size_t N, size_t H, size_t C)
{
    size_t D = C / H;

    for (size_t i = 0; i < N * H; i++) {
        const float *xi = x + i * D, *zi = z + i / H * ldz + i % H * D, *wi = w + i % H * D;
        float r = 1.0f / sqrtf(dot(xi, xi, D) / (float)D + EPS);

        rstd[i] = r;
        for (size_t d = 0; d < D; d++)
            y[i * D + d] = xi[d] * r * wi[d] * zi[d] * fast_sigmoid(zi[d]);
    }
}

FAST void wspi_gated_norm_bwd(float *restrict dx, float *restrict dz, float *restrict dw,
                              const float *restrict dy, const float *restrict x,
                              const float *restrict z, size_t ldz, const float *restrict w,
                              const float *restrict rstd, size_t N, size_t H, size_t C)
{
    size_t D = C / H;

    for (size_t i = 0; i < N * H; i++) {
        size_t at = i % H * D;
        const float *xi = x + i * D, *zi = z + i / H * ldz + at, *wi = w + at, *dyi = dy + i * D;
        float *dzi = dz + i / H * ldz + at, *dwi = dw + at, *dxi = dx + i * D;
        float r = rstd[i], mean = 0;

        for (size_t d = 0; d < D; d++)
            mean += dyi[d] * zi[d] * fast_sigmoid(zi[d]) * wi[d] * xi[d];
        mean *= r * r / (float)D;
        for (size_t d = 0; d < D; d++) {
            float s = fast_sigmoid(zi[d]), gate = zi[d] * s, xh = xi[d] * r;
            dwi[d] += dyi[d] * gate * xh;
            dzi[d] += dyi[d] * xh * wi[d] * (s + gate * (1.0f - s));
            dxi[d] += r * (dyi[d] * gate * wi[d] - xi[d] * mean);
        }
    }
}

/* 0.5 (1 + tanh(u)) = sigmoid(2 u) */
INLINE float gelu_gate(float x)
{
    return fast_sigmoid(1.5957691216f * (x + 0.044715f * x * x * x));
}

FAST void wspi_gelu_fwd(float *y, const float *x, size_t n)
{
    EACH_BY_ITSELF
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * gelu_gate(x[i]);
}

FAST void wspi_gelu_bwd(float *restrict d, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float s = gelu_gate(x[i]);
        d[i] *= s + x[i] * s * (1.0f - s) * (1.5957691216f + 0.2140644488f * x[i] * x[i]);
    }
}

FAST void wspi_silu_fwd(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * fast_sigmoid(x[i]);
}

FAST void wspi_silu_bwd(float *restrict d, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float s = fast_sigmoid(x[i]);
        d[i] *= s + x[i] * s * (1.0f - s);
    }
}

FAST void wspi_add(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

FAST double wspi_squares(const float *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

FAST void wspi_adamw_step(float *restrict w, float *restrict g, float *restrict a,
                          float *restrict b, size_t n, const wspi_adamw *o, float rate, float decay)
{
    const wspi_adamw k = *o;

    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * k.scale;

        a[i] += (1.0f - k.beta1) * (gi - a[i]);
        b[i] += (1.0f - k.beta2) * (gi * gi - b[i]);
        w[i] -= decay * w[i] + rate * (a[i] * k.unbias1) / (sqrtf(b[i] * k.unbias2) + k.eps);
        g[i] = 0;
    }
}

FAST void wspi_to_bf16(uint16_t *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;

        memcpy(&u, x + i, sizeof u);
        /* a NaN must not be rounded up to infinity */
        y[i] = (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? u >> 16 | 64
                                                          : (u + 0x7fff + (u >> 16 & 1)) >> 16);
    }
}

FAST void wspi_dropout(float *x, size_t n, float p, uint64_t key)
{
    uint32_t limit = (uint32_t)((double)p * 4294967295.0), base = (uint32_t)(key ^ key >> 32);
    float keep = 1.0f / (1.0f - p);

    for (size_t i = 0; i < n; i++) {
        uint32_t h = base + (uint32_t)i * 0x9e3779b9u; /* lowbias32 (Wellons, 2018) of a counter */
        h = (h ^ h >> 16) * 0x7feb352du;
        h = (h ^ h >> 15) * 0x846ca68bu;
        h ^= h >> 16;
        x[i] = h < limit ? 0.0f : x[i] * keep;
    }
}

FAST float wspi_odds(float *x, size_t n, float *max)
{
    float top = maximum(x, n), sum = 0;

    for (size_t j = 0; j < n; j++) {
        x[j] = fast_exp(x[j] - top);
        sum += x[j];
    }
    *max = top;
    return sum;
}

FAST void wspi_xent(float *logits, float *loss, const uint32_t *target, const float *scale,
                    float smooth, size_t N, size_t V)
{
    for (size_t i = 0; i < N; i++, logits += V) {
        float max = maximum(logits, V), sum = 0, mean = 0, at = logits[target[i]],
              even = smooth / (float)V, k;

        for (size_t j = 0; j < V; j++) {
            float x = logits[j] - max;
            mean += x;
            logits[j] = fast_exp(x);
            sum += logits[j];
        }
        loss[i] = logf(sum) - (1.0f - smooth) * (at - max) - even * mean;
        if (!scale)
            continue;
        k = scale[i] / sum;
        for (size_t j = 0; j < V; j++)
            logits[j] = k * logits[j] - scale[i] * even;
        logits[target[i]] -= scale[i] * (1.0f - smooth);
    }
}

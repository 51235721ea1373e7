/* SPDX-License-Identifier: Apache-2.0 */
/* attention.c: causal softmax attention inside packets of a ragged batch; probabilities are recomputed backward. */
#include "nn/ops.h"

#include "nn/fast_int.h"

/* p[0..i] = softmax of q . k_j / sqrt(D) */
INLINE void probabilities(float *p, const float *q, const float *k, size_t ld, size_t i, size_t D)
{
    float max = -INFINITY, sum = 0, scale = 1.0f / sqrtf((float)D);

    for (size_t j = 0; j <= i; j++) {
        p[j] = dot(q, k + j * ld, D) * scale;
        max = p[j] > max ? p[j] : max;
    }
    for (size_t j = 0; j <= i; j++) {
        p[j] = fast_exp(p[j] - max);
        sum += p[j];
    }
    for (size_t j = 0; j <= i; j++)
        p[j] /= sum;
}

FAST void wspi_attention_fwd(float *o, const float *qkv, const uint32_t *off, size_t n, size_t H,
                             size_t C)
{
    size_t D = C / H, ld = 3 * C;
    float p[WSPI_MAX_T];

    for (size_t t = 0; t < n; t++)
        for (size_t h = 0; h < H; h++) {
            const float *q = qkv + off[t] * ld + h * D, *k = q + C, *v = k + C;
            float *oh = o + off[t] * C + h * D;

            for (size_t i = 0; i < off[t + 1] - off[t]; i++) {
                probabilities(p, q + i * ld, k, ld, i, D);
                for (size_t d = 0; d < D; d++)
                    oh[i * C + d] = 0;
                for (size_t j = 0; j <= i; j++)
                    axpy(oh + i * C, p[j], v + j * ld, D);
            }
        }
}

FAST void wspi_attention_bwd(float *dqkv, const float *d_o, const float *qkv, const uint32_t *off,
                             size_t n, size_t H, size_t C)
{
    size_t D = C / H, ld = 3 * C;
    float p[WSPI_MAX_T], dp[WSPI_MAX_T], scale = 1.0f / sqrtf((float)D);

    for (size_t t = 0; t < n; t++)
        for (size_t h = 0; h < H; h++) {
            size_t at = off[t] * ld + h * D;
            const float *q = qkv + at, *k = q + C, *v = k + C, *go = d_o + off[t] * C + h * D;
            float *dq = dqkv + at, *dk = dq + C, *dv = dk + C;

            for (size_t i = 0; i < off[t + 1] - off[t]; i++) {
                float mean = 0;

                probabilities(p, q + i * ld, k, ld, i, D);
                for (size_t j = 0; j <= i; j++) {
                    dp[j] = dot(go + i * C, v + j * ld, D);
                    mean += p[j] * dp[j];
                }
                for (size_t j = 0; j <= i; j++) {
                    float ds = p[j] * (dp[j] - mean) * scale;
                    axpy(dv + j * ld, p[j], go + i * C, D);
                    axpy(dq + i * ld, ds, k + j * ld, D);
                    axpy(dk + j * ld, ds, q + i * ld, D);
                }
            }
        }
}

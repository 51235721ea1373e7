/* SPDX-License-Identifier: Apache-2.0 */
/* ref.c: plain versions of the kernels that have a fast one, for tests and for empty matrices. Kept plain. */
#include <math.h>

#include "nn/ops.h"

void wspi_ref_gemm(float *y, const float *a, const float *b, size_t M, size_t N, size_t K,
                   unsigned flags)
{
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) {
            double sum = flags & WSPI_ADD ? (double)y[i * N + j] : 0.0;
            for (size_t k = 0; k < K; k++)
                sum += (double)(flags & WSPI_TA ? a[k * M + i] : a[i * K + k]) *
                       (double)(flags & WSPI_TB ? b[j * K + k] : b[k * N + j]);
            y[i * N + j] = (float)sum;
        }
}

void wspi_ref_gelu_fwd(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] =
            0.5f * x[i] * (1.0f + tanhf(0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i])));
}

void wspi_ref_silu_fwd(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] / (1.0f + expf(-x[i]));
}

void wspi_ref_xent(float *dlogits, float *loss, const float *logits, uint32_t target, float smooth,
                   size_t V)
{
    double max = -INFINITY, sum = 0, mean = 0;

    for (size_t i = 0; i < V; i++)
        max = fmax(max, (double)logits[i]);
    for (size_t i = 0; i < V; i++) {
        sum += exp((double)logits[i] - max);
        mean += (double)logits[i] / (double)V;
    }
    for (size_t i = 0; i < V; i++)
        dlogits[i] = (float)(exp((double)logits[i] - max) / sum) - smooth / (float)V -
                     (i == target ? 1.0f - smooth : 0.0f);
    *loss = (float)(max + log(sum) - (1.0 - (double)smooth) * (double)logits[target] -
                    (double)smooth * mean);
}

void wspi_ref_attention_fwd(float *o, const float *qkv, const uint32_t *off, size_t n, size_t H,
                            size_t C)
{
    size_t D = C / H;

    for (size_t p = 0; p < n; p++)
        for (size_t h = 0; h < H; h++)
            for (size_t i = off[p]; i < off[p + 1]; i++) {
                const float *q = qkv + i * 3 * C + h * D;
                double den = 0;

                memset(o + i * C + h * D, 0, D * sizeof *o);
                for (size_t j = off[p]; j <= i; j++) {
                    const float *k = qkv + j * 3 * C + C + h * D, *v = k + C;
                    double s = 0;
                    for (size_t d = 0; d < D; d++)
                        s += (double)q[d] * (double)k[d];
                    s = exp(s / sqrt((double)D));
                    den += s;
                    for (size_t d = 0; d < D; d++)
                        o[i * C + h * D + d] += (float)s * v[d];
                }
                for (size_t d = 0; d < D; d++)
                    o[i * C + h * D + d] /= (float)den;
            }
}

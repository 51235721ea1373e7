/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnnl.c: matrix products through oneDNN, the only file that knows it; its C APIs of 2.x and 3.x. A ragged size is cut
 * into powers of two, so that a few primitives serve every batch.
 */
#include <oneapi/dnnl/dnnl.h>

#include "nn/ops.h"

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
extern void omp_set_num_threads(int n);
#endif

enum { SLOTS = 4096, FULL = 3000, BLOCK = 512 };

struct product {
    size_t M, N, K;
    unsigned flags;
    dnnl_primitive_t prim; /* NULL: free slot */
    dnnl_memory_t a, b, y;
};

struct wspi_nn {
    bool plain;
    wsp_status status;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    size_t count;
    struct product slot[SLOTS];
};

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t matrix_md;

static dnnl_status_t md_init(matrix_md *md, dnnl_dim_t rows, dnnl_dim_t cols, bool transposed)
{
    dnnl_dims_t dims = {rows, cols};
    return dnnl_memory_desc_create_with_tag(md, 2, dims, dnnl_f32, transposed ? dnnl_ba : dnnl_ab);
}

static void md_clear(matrix_md *md)
{
    if (*md)
        dnnl_memory_desc_destroy(*md);
}

static dnnl_status_t memory_new(dnnl_memory_t *m, matrix_md *md, dnnl_engine_t engine)
{
    return dnnl_memory_create(m, *md, engine, DNNL_MEMORY_NONE);
}

static dnnl_status_t append_sum(dnnl_post_ops_t po)
{
    return dnnl_post_ops_append_sum(po, 1.0f, 0, dnnl_data_type_undef);
}

static dnnl_status_t matmul_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, matrix_md *md,
                               dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(pd, engine, md[0], md[1], NULL, md[2], attr);
}
#else
typedef dnnl_memory_desc_t matrix_md;

static dnnl_status_t md_init(matrix_md *md, dnnl_dim_t rows, dnnl_dim_t cols, bool transposed)
{
    dnnl_dims_t dims = {rows, cols};
    return dnnl_memory_desc_init_by_tag(md, 2, dims, dnnl_f32, transposed ? dnnl_ba : dnnl_ab);
}

static void md_clear(matrix_md *md)
{
    (void)md;
}

static dnnl_status_t memory_new(dnnl_memory_t *m, matrix_md *md, dnnl_engine_t engine)
{
    return dnnl_memory_create(m, md, engine, DNNL_MEMORY_NONE);
}

static dnnl_status_t append_sum(dnnl_post_ops_t po)
{
    return dnnl_post_ops_append_sum(po, 1.0f);
}

static dnnl_status_t matmul_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, matrix_md *md,
                               dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t d;
    dnnl_status_t st = dnnl_matmul_desc_init(&d, &md[0], &md[1], NULL, &md[2]);

    return st != dnnl_success ? st : dnnl_primitive_desc_create(pd, &d, attr, engine, NULL);
}
#endif

void wspi_nn_single_thread(void)
{
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
    omp_set_num_threads(1);
#endif
}

static void product_clear(struct product *p)
{
    if (p->prim)
        dnnl_primitive_destroy(p->prim);
    if (p->a)
        dnnl_memory_destroy(p->a);
    if (p->b)
        dnnl_memory_destroy(p->b);
    if (p->y)
        dnnl_memory_destroy(p->y);
    *p = (struct product){0};
}

static void cache_clear(wspi_nn *nn)
{
    for (size_t i = 0; i < SLOTS; i++)
        product_clear(&nn->slot[i]);
    nn->count = 0;
}

wsp_status wspi_nn_new(wspi_nn **out, bool plain, wsp_error *err)
{
    wspi_nn *nn = wspi_new_array(1, sizeof *nn);

    *out = NULL;
    if (!nn)
        return wspi_nomem(err, "matrix products", sizeof *nn);
    nn->plain = plain;
    if (!plain &&
        (dnnl_engine_create(&nn->engine, dnnl_cpu, 0) != dnnl_success ||
         dnnl_stream_create(&nn->stream, nn->engine, dnnl_stream_default_flags) != dnnl_success)) {
        wspi_nn_free(nn);
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "oneDNN has no CPU engine here");
    }
    *out = nn;
    return WSP_OK;
}

void wspi_nn_free(wspi_nn *nn)
{
    if (!nn)
        return;
    cache_clear(nn);
    if (nn->stream)
        dnnl_stream_destroy(nn->stream);
    if (nn->engine)
        dnnl_engine_destroy(nn->engine);
    free(nn);
}

wsp_status wspi_nn_status(wspi_nn *nn)
{
    wsp_status st = nn->status;

    nn->status = WSP_OK;
    return st;
}

/* Fills the primitive and the three memory objects of a free slot. */
static dnnl_status_t product_make(wspi_nn *nn, struct product *p)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t po = NULL;
    dnnl_primitive_desc_t pd = NULL;
    matrix_md md[3];
    dnnl_status_t st;

    memset(md, 0, sizeof md);
    if ((st = md_init(&md[0], (dnnl_dim_t)p->M, (dnnl_dim_t)p->K, p->flags & WSPI_TA)) !=
            dnnl_success ||
        (st = md_init(&md[1], (dnnl_dim_t)p->K, (dnnl_dim_t)p->N, p->flags & WSPI_TB)) !=
            dnnl_success ||
        (st = md_init(&md[2], (dnnl_dim_t)p->M, (dnnl_dim_t)p->N, false)) != dnnl_success ||
        (st = dnnl_primitive_attr_create(&attr)) != dnnl_success)
        goto out;
    if (p->flags & WSPI_ADD)
        if ((st = dnnl_post_ops_create(&po)) != dnnl_success ||
            (st = append_sum(po)) != dnnl_success ||
            (st = dnnl_primitive_attr_set_post_ops(attr, po)) != dnnl_success)
            goto out;
    if ((st = matmul_pd(&pd, nn->engine, md, attr)) != dnnl_success ||
        (st = memory_new(&p->a, &md[0], nn->engine)) != dnnl_success ||
        (st = memory_new(&p->b, &md[1], nn->engine)) != dnnl_success ||
        (st = memory_new(&p->y, &md[2], nn->engine)) != dnnl_success)
        goto out;
    st = dnnl_primitive_create(&p->prim, pd);
out:
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (po)
        dnnl_post_ops_destroy(po);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    for (int i = 0; i < 3; i++)
        md_clear(&md[i]);
    return st;
}

static struct product *product_find(wspi_nn *nn, size_t M, size_t N, size_t K, unsigned flags)
{
    size_t i = (M * 31 + N * 7919 + K * 104729 + flags * 1299709) % SLOTS;
    struct product *p;

    if (nn->count > FULL)
        cache_clear(nn);
    for (; (p = &nn->slot[i])->prim; i = (i + 1) % SLOTS)
        if (p->M == M && p->N == N && p->K == K && p->flags == flags)
            return p;
    *p = (struct product){.M = M, .N = N, .K = K, .flags = flags};
    if (product_make(nn, p) != dnnl_success) {
        product_clear(p);
        return NULL;
    }
    nn->count++;
    return p;
}

static void *unconst(const float *p)
{
    return (void *)(uintptr_t)p; /* oneDNN's handles are not const; inputs are only read */
}

static void product_run(wspi_nn *nn, float *y, const float *a, const float *b, size_t M, size_t N,
                        size_t K, unsigned flags)
{
    struct product *p = product_find(nn, M, N, K, flags);

    if (p && dnnl_memory_set_data_handle(p->a, unconst(a)) == dnnl_success &&
        dnnl_memory_set_data_handle(p->b, unconst(b)) == dnnl_success &&
        dnnl_memory_set_data_handle(p->y, y) == dnnl_success) {
        dnnl_exec_arg_t arg[] = {
            {DNNL_ARG_SRC, p->a}, {DNNL_ARG_WEIGHTS, p->b}, {DNNL_ARG_DST, p->y}};
        if (dnnl_primitive_execute(p->prim, nn->stream, 3, arg) == dnnl_success &&
            dnnl_stream_wait(nn->stream) == dnnl_success)
            return;
    }
    nn->status = WSP_ERR_UNSUPPORTED;
}

void wspi_gemm(wspi_nn *nn, float *y, const float *a, const float *b, size_t M, size_t N, size_t K,
               unsigned flags)
{
    size_t ragged = flags & WSPI_TA ? K : M;

    assert(!(flags & WSPI_TA && flags & WSPI_TB));
    /* oneDNN 2.6 dies of empty matrices */
    if (nn->plain || M == 0 || N == 0 || K == 0) {
        wspi_ref_gemm(y, a, b, M, N, K, flags);
        return;
    }
    while (ragged > 0) {
        size_t n = ragged >= BLOCK ? BLOCK : (size_t)1 << wspi_log2(ragged);

        if (flags & WSPI_TA) {
            product_run(nn, y, a, b, M, N, n, flags);
            a += n * M;
            b += n * N;
            flags |= WSPI_ADD;
        } else {
            product_run(nn, y, a, b, n, N, K, flags);
            a += n * K;
            y += n * N;
        }
        ragged -= n;
    }
}

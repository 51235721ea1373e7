/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnnl.c: matrix products through oneDNN, the only file that knows it; its C APIs of 2.x and 3.x. A ragged size is cut
 * into sizes of which there are few, so that a few primitives serve every batch. Weights are packed once, into the layout that oneDNN
 * likes best, and found again by their address.
 */
#include <time.h>

#include <oneapi/dnnl/dnnl.h>

#include "nn/ops.h"

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int n);
#else
static int omp_get_max_threads(void)
{
    return 1;
}

static void omp_set_num_threads(int n)
{
    (void)n;
}
#endif

enum { SLOTS = 4096, FULL = 3000, BLOCK = 512, BYTES_BLOCK = 64, FEW = 8 };
enum { KEY = WSPI_TA | WSPI_TB | WSPI_ADD | WSPI_WEIGHT, BYTES = WSPI_TB | WSPI_WEIGHT };

/* A primitive and its memory objects; b is NULL where the weights bring their own. */
struct product {
    size_t M, N, K;
    unsigned flags;
    dnnl_primitive_t prim; /* NULL: free slot */
    dnnl_memory_t a, b, y;
};

/* The packed copy of a weight matrix. */
struct packed {
    const float *from; /* NULL: free slot */
    size_t N, K;
    unsigned flags; /* WSPI_TB or 0 */
    uint64_t version;
    dnnl_memory_t plain, mem;
    dnnl_primitive_t pack;
    int8_t *byte; /* as bytes [N][K], and the scales of its rows [N]; or NULL */
    float *scale;
};

struct wspi_nn {
    wspi_nn_kind kind;
    wsp_status status;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    uint64_t version; /* of the weights */
    size_t n_products, n_packed, packed_cap;
    struct packed *packed; /* a hash table, packed_cap is a power of two */
    uint16_t *half[2];     /* bfloat16 copies of activations */
    int8_t *byte;          /* rows as bytes, and their scales */
    float *scale;
    int32_t *sum; /* of their products */
    size_t half_cap[2], byte_cap, scale_cap, sum_cap;
    struct product slot[SLOTS];
};

/* ---- what differs between 2.x and 3.x ---- */

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t matrix_md; /* a handle */
typedef const_dnnl_memory_desc_t md_ref;

static dnnl_status_t md_plain(matrix_md *md, dnnl_dims_t dims, dnnl_data_type_t type,
                              dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(md, 2, dims, type, tag);
}

static dnnl_status_t md_copy(matrix_md *md, md_ref from)
{
    return dnnl_memory_desc_clone(md, from);
}

static void md_clear(matrix_md *md)
{
    if (*md)
        dnnl_memory_desc_destroy(*md);
}

static md_ref md_of(const matrix_md *md)
{
    return *md;
}

static dnnl_status_t md_of_memory(const_dnnl_memory_t m, md_ref *md)
{
    return dnnl_memory_get_memory_desc(m, md);
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
typedef dnnl_memory_desc_t matrix_md; /* a struct */
typedef const dnnl_memory_desc_t *md_ref;

static dnnl_status_t md_plain(matrix_md *md, dnnl_dims_t dims, dnnl_data_type_t type,
                              dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(md, 2, dims, type, tag);
}

static dnnl_status_t md_copy(matrix_md *md, md_ref from)
{
    *md = *from;
    return dnnl_success;
}

static void md_clear(matrix_md *md)
{
    (void)md;
}

static md_ref md_of(const matrix_md *md)
{
    return md;
}

static dnnl_status_t md_of_memory(const_dnnl_memory_t m, md_ref *md)
{
    return dnnl_memory_get_memory_desc(m, md);
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

/* ---- contexts ---- */

/* What oneDNN makes and runs until leave() has this thread alone; how many threads OpenMP has for the caller's own work is left as it was. */
static int enter(void)
{
    int threads = omp_get_max_threads();

    omp_set_num_threads(1);
    return threads;
}

static void leave(int threads)
{
    omp_set_num_threads(threads);
}

/* The values are sets of features. */
static bool has_isa(unsigned want)
{
    return ((unsigned)dnnl_get_effective_cpu_isa() & want) == want;
}

bool wspi_nn_has_bf16(void)
{
    return has_isa(dnnl_cpu_isa_avx512_core_bf16);
}

bool wspi_nn_prefers_bf16(void)
{
    return has_isa(dnnl_cpu_isa_avx512_core_amx);
}

bool wspi_nn_has_int8(void)
{
    return has_isa(dnnl_cpu_isa_avx512_core_vnni) || has_isa(dnnl_cpu_isa_avx2_vnni);
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

static void products_clear(wspi_nn *nn)
{
    for (size_t i = 0; i < SLOTS; i++)
        product_clear(&nn->slot[i]);
    nn->n_products = 0;
}

static void packed_clear(struct packed *w)
{
    if (w->pack)
        dnnl_primitive_destroy(w->pack);
    if (w->plain)
        dnnl_memory_destroy(w->plain);
    if (w->mem)
        dnnl_memory_destroy(w->mem);
    free(w->byte);
    free(w->scale);
    *w = (struct packed){0};
}

bool wspi_nn_rounds(const wspi_nn *nn)
{
    return nn->kind == WSPI_NN_BF16 || nn->kind == WSPI_NN_INT8;
}

wsp_status wspi_nn_new(wspi_nn **out, wspi_nn_kind kind, wsp_error *err)
{
    wspi_nn *nn;

    *out = NULL;
    if (kind == WSPI_NN_BF16 && !wspi_nn_has_bf16())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "this CPU has no bfloat16 products (AVX512_BF16): use f32");
    if (kind == WSPI_NN_INT8 && !wspi_nn_has_int8())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "this CPU has no sums of bytes (AVX512_VNNI, AVX_VNNI): use f32");
    nn = wspi_new_array(1, sizeof *nn);
    if (!nn)
        return wspi_nomem(err, "matrix products", sizeof *nn);
    nn->kind = kind;
    if (kind != WSPI_NN_PLAIN &&
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
    products_clear(nn);
    for (size_t i = 0; i < nn->packed_cap; i++)
        packed_clear(&nn->packed[i]);
    free(nn->packed);
    free(nn->half[0]);
    free(nn->half[1]);
    free(nn->byte);
    free(nn->scale);
    free(nn->sum);
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

void wspi_nn_weights_changed(wspi_nn *nn)
{
    nn->version++;
}

/* ---- primitives ---- */

/* Not of a few columns, the labels of a head: these stay exact, and oneDNN is slow with them. */
static bool in_bytes(const wspi_nn *nn, unsigned flags, size_t N)
{
    return nn->kind == WSPI_NN_INT8 && (flags & BYTES) == BYTES && N >= 64;
}

static dnnl_data_type_t input_type(const wspi_nn *nn, unsigned flags, size_t N)
{
    return in_bytes(nn, flags, N) ? dnnl_s8 : nn->kind == WSPI_NN_BF16 ? dnnl_bf16 : dnnl_f32;
}

static dnnl_data_type_t sum_type(const wspi_nn *nn, unsigned flags, size_t N)
{
    return in_bytes(nn, flags, N) ? dnnl_s32 : dnnl_f32;
}

/* The descriptors of a, b and y. b: the packed weights' where there are some, else as stored. */
static dnnl_status_t product_mds(const wspi_nn *nn, matrix_md *md, const struct product *p,
                                 const struct packed *w)
{
    dnnl_dims_t a = {(dnnl_dim_t)p->M, (dnnl_dim_t)p->K}, b = {(dnnl_dim_t)p->K, (dnnl_dim_t)p->N},
                y = {(dnnl_dim_t)p->M, (dnnl_dim_t)p->N};
    const dnnl_data_type_t type = input_type(nn, p->flags, p->N);
    dnnl_status_t st;
    md_ref packed;

    if ((st = md_plain(&md[0], a, type, p->flags & WSPI_TA ? dnnl_ba : dnnl_ab)) != dnnl_success ||
        (st = md_plain(&md[2], y, sum_type(nn, p->flags, p->N), dnnl_ab)) != dnnl_success)
        return st;
    if (!w)
        return md_plain(&md[1], b, type, p->flags & WSPI_TB ? dnnl_ba : dnnl_ab);
    st = md_of_memory(w->mem, &packed);
    return st != dnnl_success ? st : md_copy(&md[1], packed);
}

static dnnl_status_t attributes(dnnl_primitive_attr_t *attr, bool add)
{
    dnnl_post_ops_t po = NULL;
    dnnl_status_t st = dnnl_primitive_attr_create(attr);

    if (st != dnnl_success || !add)
        return st;
    if ((st = dnnl_post_ops_create(&po)) == dnnl_success && (st = append_sum(po)) == dnnl_success)
        st = dnnl_primitive_attr_set_post_ops(*attr, po);
    if (po)
        dnnl_post_ops_destroy(po);
    return st;
}

/* Fills the primitive and the memory objects of a free slot. */
static dnnl_status_t product_make(wspi_nn *nn, struct product *p, const struct packed *w)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    matrix_md md[3];
    dnnl_status_t st;

    memset(md, 0, sizeof md);
    if ((st = product_mds(nn, md, p, w)) == dnnl_success &&
        (st = attributes(&attr, p->flags & WSPI_ADD)) == dnnl_success &&
        (st = matmul_pd(&pd, nn->engine, md, attr)) == dnnl_success &&
        (st = dnnl_memory_create(&p->a, md_of(&md[0]), nn->engine, DNNL_MEMORY_NONE)) ==
            dnnl_success &&
        (st = dnnl_memory_create(&p->y, md_of(&md[2]), nn->engine, DNNL_MEMORY_NONE)) ==
            dnnl_success &&
        (w || (st = dnnl_memory_create(&p->b, md_of(&md[1]), nn->engine, DNNL_MEMORY_NONE)) ==
                  dnnl_success))
        st = dnnl_primitive_create(&p->prim, pd);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    for (int i = 0; i < 3; i++)
        md_clear(&md[i]);
    return st;
}

/* The first failure stays. What oneDNN has no memory for is no fault of this CPU. */
static void fail(wspi_nn *nn, dnnl_status_t st)
{
    if (nn->status == WSP_OK)
        nn->status = st == dnnl_out_of_memory ? WSP_ERR_NOMEM : WSP_ERR_UNSUPPORTED;
}

/* NULL: it has failed. */
static struct product *product_find(wspi_nn *nn, size_t M, size_t N, size_t K, unsigned flags,
                                    const struct packed *w)
{
    size_t i = (M * 31 + N * 7919 + K * 104729 + flags * 1299709) % SLOTS;
    struct product *p;
    dnnl_status_t st;

    if (nn->n_products > FULL)
        products_clear(nn);
    for (; (p = &nn->slot[i])->prim; i = (i + 1) % SLOTS)
        if (p->M == M && p->N == N && p->K == K && p->flags == flags)
            return p;
    *p = (struct product){.M = M, .N = N, .K = K, .flags = flags};
    st = product_make(nn, p, w);
    if (st != dnnl_success) {
        product_clear(p);
        fail(nn, st);
        return NULL;
    }
    nn->n_products++;
    return p;
}

/* ---- packed weights ---- */

/* What oneDNN wants b to look like for large products: the layout is the same for all M. */
static dnnl_status_t packed_layout(wspi_nn *nn, matrix_md *md, const struct packed *w)
{
    dnnl_dims_t a = {BLOCK, (dnnl_dim_t)w->K}, b = {(dnnl_dim_t)w->K, (dnnl_dim_t)w->N},
                y = {BLOCK, (dnnl_dim_t)w->N};
    const dnnl_data_type_t type = input_type(nn, w->flags | WSPI_WEIGHT, w->N);
    dnnl_primitive_desc_t pd = NULL;
    matrix_md m[3];
    dnnl_status_t st;

    memset(m, 0, sizeof m);
    if ((st = md_plain(&m[0], a, type, dnnl_ab)) == dnnl_success &&
        (st = md_plain(&m[1], b, type, dnnl_format_tag_any)) == dnnl_success &&
        (st = md_plain(&m[2], y, sum_type(nn, w->flags | WSPI_WEIGHT, w->N), dnnl_ab)) ==
            dnnl_success &&
        (st = matmul_pd(&pd, nn->engine, m, NULL)) == dnnl_success)
        st = md_copy(md, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0));
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    for (int i = 0; i < 3; i++)
        md_clear(&m[i]);
    return st;
}

static dnnl_status_t packed_make(wspi_nn *nn, struct packed *w)
{
    dnnl_dims_t dims = {(dnnl_dim_t)w->K, (dnnl_dim_t)w->N};
    const bool bytes = in_bytes(nn, w->flags | WSPI_WEIGHT, w->N);
    dnnl_primitive_desc_t pd = NULL;
    matrix_md plain, packed;
    dnnl_status_t st;

    memset(&plain, 0, sizeof plain);
    memset(&packed, 0, sizeof packed);
    if (bytes && (!(w->byte = wspi_new_array(w->N * w->K, 1)) ||
                  !(w->scale = wspi_new_array(w->N, sizeof *w->scale))))
        return dnnl_out_of_memory;
    if ((st = md_plain(&plain, dims, bytes ? dnnl_s8 : dnnl_f32,
                       w->flags & WSPI_TB ? dnnl_ba : dnnl_ab)) == dnnl_success &&
        (st = packed_layout(nn, &packed, w)) == dnnl_success &&
        (st = dnnl_memory_create(&w->plain, md_of(&plain), nn->engine, DNNL_MEMORY_NONE)) ==
            dnnl_success &&
        (st = dnnl_memory_create(&w->mem, md_of(&packed), nn->engine, DNNL_MEMORY_ALLOCATE)) ==
            dnnl_success &&
        (st = dnnl_reorder_primitive_desc_create(&pd, md_of(&plain), nn->engine, md_of(&packed),
                                                 nn->engine, NULL)) == dnnl_success)
        st = dnnl_primitive_create(&w->pack, pd);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    md_clear(&plain);
    md_clear(&packed);
    return st;
}

/* oneDNN's handles are not const; inputs are only read */
static void *unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

static dnnl_status_t packed_fill(wspi_nn *nn, struct packed *w)
{
    dnnl_exec_arg_t arg[] = {{DNNL_ARG_FROM, w->plain}, {DNNL_ARG_TO, w->mem}};
    dnnl_status_t st = dnnl_memory_set_data_handle(w->plain, w->byte ? w->byte : unconst(w->from));

    if (w->byte)
        wspi_to_int8(w->byte, w->scale, w->from, w->N, w->K);
    if (st == dnnl_success)
        st = dnnl_primitive_execute(w->pack, nn->stream, 2, arg);
    if (st == dnnl_success)
        st = dnnl_stream_wait(nn->stream);
    if (st == dnnl_success)
        w->version = nn->version;
    return st;
}

static struct packed *packed_slot(struct packed *table, size_t cap, const struct packed *key)
{
    size_t i = ((uintptr_t)key->from / sizeof(float) * 31 + key->flags * 7) & (cap - 1);
    struct packed *w;

    for (; (w = &table[i])->from; i = (i + 1) & (cap - 1))
        if (w->from == key->from && w->N == key->N && w->K == key->K && w->flags == key->flags)
            break;
    return w;
}

static bool packed_grow(wspi_nn *nn)
{
    size_t cap = nn->packed_cap ? 2 * nn->packed_cap : 64;
    struct packed *table = wspi_new_array(cap, sizeof *table);

    if (!table)
        return false;
    for (size_t i = 0; i < nn->packed_cap; i++)
        if (nn->packed[i].from)
            *packed_slot(table, cap, &nn->packed[i]) = nn->packed[i];
    free(nn->packed);
    nn->packed = table;
    nn->packed_cap = cap;
    return true;
}

/* NULL: it has failed. */
static struct packed *packed_find(wspi_nn *nn, const float *b, size_t N, size_t K, unsigned flags)
{
    const struct packed key = {.from = b, .N = N, .K = K, .flags = flags & WSPI_TB};
    dnnl_status_t st = dnnl_success;
    struct packed *w;

    if (2 * nn->n_packed >= nn->packed_cap && !packed_grow(nn)) {
        fail(nn, dnnl_out_of_memory);
        return NULL;
    }
    w = packed_slot(nn->packed, nn->packed_cap, &key);
    if (!w->from) {
        *w = key;
        st = packed_make(nn, w);
        if (st == dnnl_success)
            st = packed_fill(nn, w);
        if (st == dnnl_success)
            nn->n_packed++;
        else
            packed_clear(w);
    } else if (w->version != nn->version) {
        st = packed_fill(nn, w);
    }
    if (st == dnnl_success)
        return w;
    fail(nn, st);
    return NULL;
}

static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- products ---- */

/* False: it has failed. */
static bool product_run(wspi_nn *nn, void *y, const void *a, const void *b, const struct packed *w,
                        size_t M, size_t N, size_t K, unsigned flags)
{
    struct product *p = product_find(nn, M, N, K, flags & KEY, w);
    dnnl_status_t st;

    if (!p)
        return false;
    dnnl_exec_arg_t arg[] = {
        {DNNL_ARG_SRC, p->a}, {DNNL_ARG_WEIGHTS, w ? w->mem : p->b}, {DNNL_ARG_DST, p->y}};
    if ((st = dnnl_memory_set_data_handle(p->a, unconst(a))) == dnnl_success &&
        (st = dnnl_memory_set_data_handle(p->y, y)) == dnnl_success &&
        (w || (st = dnnl_memory_set_data_handle(p->b, unconst(b))) == dnnl_success) &&
        (st = dnnl_primitive_execute(p->prim, nn->stream, 3, arg)) == dnnl_success)
        st = dnnl_stream_wait(nn->stream);
    if (st != dnnl_success)
        fail(nn, st);
    return st == dnnl_success;
}

/* The next cut of a ragged size: powers of two, then a multiple of 8, then the rest. */
static size_t next_cut(size_t n, size_t block)
{
    if (n >= block)
        return block;
    if (n >= 64)
        return (size_t)1 << wspi_log2(n);
    return n >= 8 ? n & ~(size_t)7 : n;
}

/*
 * The same of rows that are bytes, whose scales `row` has. oneDNN 2.6 takes its slow reference for less than 8 rows: there
 * is room for that behind the last one.
 */
static bool bytes_run(wspi_nn *nn, float *y, const void *a, const float *row,
                      const struct packed *w, size_t M, size_t N, size_t K, unsigned flags)
{
    size_t rows = WSPI_MAX(M, (size_t)FEW);

    if (wspi_grow(&nn->sum, &nn->sum_cap, rows * N, sizeof *nn->sum) < 0) {
        fail(nn, dnnl_out_of_memory);
        return false;
    }
    if (!product_run(nn, nn->sum, a, NULL, w, rows, N, K, flags & ~(unsigned)WSPI_ADD))
        return false;
    wspi_from_int8(y, nn->sum, row, w->scale, M, N, flags & WSPI_ADD);
    return true;
}

static size_t width_of(dnnl_data_type_t type)
{
    return type == dnnl_s8 ? 1 : type == dnnl_bf16 ? 2 : sizeof(float);
}

/* The product of inputs in the context's own type (a, and b without w), cut along the ragged size. */
static void cut_product(wspi_nn *nn, float *y, const void *a, const void *b, const struct packed *w,
                        size_t M, size_t N, size_t K, unsigned flags)
{
    const bool bytes = in_bytes(nn, flags, N);
    size_t ragged = flags & WSPI_TA ? K : M, width = width_of(input_type(nn, flags, N)),
           block = bytes ? BYTES_BLOCK : BLOCK;
    const char *pa = a, *pb = b;
    const float *row = nn->scale;
    bool good = true;

    while (ragged > 0 && good) {
        size_t n = next_cut(ragged, block);

        if (flags & WSPI_TA) {
            good = product_run(nn, y, pa, pb, w, M, N, n, flags);
            pa += n * M * width;
            pb += n * N * width;
            flags |= WSPI_ADD;
        } else {
            good = bytes ? bytes_run(nn, y, pa, row, w, n, N, K, flags)
                         : product_run(nn, y, pa, pb, w, n, N, K, flags);
            pa += n * K * width;
            row = row ? row + n : NULL;
            y += n * N;
        }
        ragged -= n;
    }
}

/* x [N][C] as bytes; NULL: it has failed. */
static const void *bytes_of(wspi_nn *nn, const float *x, size_t N, size_t C)
{
    if (wspi_grow(&nn->byte, &nn->byte_cap, (N + FEW) * C, 1) < 0 ||
        wspi_grow(&nn->scale, &nn->scale_cap, N, sizeof *nn->scale) < 0) {
        fail(nn, dnnl_out_of_memory);
        return NULL;
    }
    wspi_to_int8(nn->byte, nn->scale, x, N, C);
    return nn->byte;
}

/* x itself, or its bfloat16 copy number `which`; NULL: it has failed. */
static const void *input(wspi_nn *nn, const float *x, size_t n, int which)
{
    if (nn->kind != WSPI_NN_BF16)
        return x;
    if (wspi_grow(&nn->half[which], &nn->half_cap[which], n, sizeof *nn->half[which]) < 0) {
        fail(nn, dnnl_out_of_memory);
        return NULL;
    }
    wspi_to_bf16(nn->half[which], x, n);
    return nn->half[which];
}

/* a comes in the context's own type. */
static void product(wspi_nn *nn, float *y, const void *a, const float *b, size_t M, size_t N,
                    size_t K, unsigned flags)
{
    struct packed *w = NULL;
    const void *plain = NULL;
    int threads = enter();

    if (flags & WSPI_WEIGHT)
        w = packed_find(nn, b, N, K, flags);
    else
        plain = input(nn, b, K * N, 1);
    if (a && (w || plain))
        cut_product(nn, y, a, plain, w, M, N, K, flags);
    leave(threads);
}

void wspi_gemm(wspi_nn *nn, float *y, const float *a, const float *b, size_t M, size_t N, size_t K,
               unsigned flags)
{
    assert(!(flags & WSPI_TA && flags & (WSPI_TB | WSPI_WEIGHT)));
    /* oneDNN 2.6 dies of empty matrices */
    if (nn->kind == WSPI_NN_PLAIN || M == 0 || N == 0 || K == 0)
        wspi_ref_gemm(y, a, b, M, N, K, flags);
    else
        product(nn, y, in_bytes(nn, flags, N) ? bytes_of(nn, a, M, K) : input(nn, a, M * K, 0), b,
                M, N, K, flags);
}

void wspi_linear_bwd(wspi_nn *nn, float *dw, float *din, const float *dy, const float *in,
                     const float *w, size_t N, size_t out, size_t K)
{
    const void *half;

    if (nn->kind == WSPI_NN_PLAIN || N == 0 || out == 0 || K == 0) {
        wspi_ref_gemm(dw, dy, in, out, K, N, WSPI_TA | WSPI_ADD);
        wspi_ref_gemm(din, dy, w, N, K, out, 0);
        return;
    }
    half = input(nn, dy, N * out, 0); /* rounded once for both */
    product(nn, dw, half, in, out, K, N, WSPI_TA | WSPI_ADD);
    product(nn, din, half, w, N, K, out, WSPI_WEIGHT);
}

double wspi_nn_peak(wspi_nn *nn, double seconds)
{
    enum { N = 512, FLAGS = BYTES };
    float *a = wspi_new_floats(3 * N * N);
    int threads = enter();
    const void *in = !a                       ? NULL
                     : in_bytes(nn, FLAGS, N) ? bytes_of(nn, a, N, N)
                                              : input(nn, a, N * N, 0);
    struct packed *w = a ? packed_find(nn, a + N * N, N, N, FLAGS) : NULL;
    double start = cpu_seconds(), spent = 0, rounds = 0;

    for (; in && w && spent < seconds; spent = cpu_seconds() - start, rounds++)
        cut_product(nn, a + 2 * N * N, in, NULL, w, N, N, N, FLAGS);
    nn->n_packed = 0; /* the weights are gone: so are their packed copies */
    for (size_t i = 0; i < nn->packed_cap; i++)
        packed_clear(&nn->packed[i]);
    leave(threads);
    free(a);
    return spent > 0 ? rounds * 2e-9 * N * N * N / spent : 0;
}

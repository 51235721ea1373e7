/* SPDX-License-Identifier: Apache-2.0 */
/* base.c: errors, log callback, checked memory, growable buffers, random numbers. Knows nothing of networks. */
#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    wsp_log_fn *fn;
    void *arg;
    wsp_log_level level;
} log_sink;

void wsp_log_set(wsp_log_fn *fn, void *arg, wsp_log_level level)
{
    log_sink.fn = fn;
    log_sink.arg = arg;
    log_sink.level = level;
}

void wspi_log(wsp_log_level level, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!log_sink.fn || level > log_sink.level)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    wsp_make_printable(text);
    log_sink.fn(log_sink.arg, level, text);
}

const char *wsp_status_name(wsp_status st)
{
    switch (st) {
    case WSP_EOF: return "end";
    case WSP_OK: return "ok";
    case WSP_ERR_ARG: return "bad argument";
    case WSP_ERR_NOMEM: return "out of memory";
    case WSP_ERR_IO: return "input/output error";
    case WSP_ERR_FORMAT: return "bad format";
    case WSP_ERR_LIMIT: return "limit reached";
    case WSP_ERR_UNSUPPORTED: return "unsupported";
    }
    return "unknown status";
}

const char *wsp_version(void)
{
#ifdef PACKAGE_VERSION
    return PACKAGE_VERSION;
#else
    return "unconfigured";
#endif
}

wsp_status wspi_fail(wsp_error *err, wsp_status st, uint64_t offset, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return st;
    err->status = st;
    err->sys_errno = st == WSP_ERR_IO ? errno : 0;
    err->offset = offset;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    wsp_make_printable(err->text);
    return st;
}

wsp_status wspi_nomem(wsp_error *err, const char *what, size_t size)
{
    return wspi_fail(err, WSP_ERR_NOMEM, 0, "no memory for %s (%zu bytes)", what, size);
}

bool wspi_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

void *wspi_new_array(size_t n, size_t size)
{
    size_t total;

    if (!wspi_mul(n, size, &total))
        return NULL;
    return calloc(1, total ? total : 1);
}

float *wspi_new_floats(size_t n)
{
    size_t total;
    float *p;

    if (!wspi_mul(n, sizeof(float), &total) || total > SIZE_MAX - 128)
        return NULL;
    total = (total + 127) & ~(size_t)63;
    p = aligned_alloc(64, total);
    if (p)
        memset(p, 0, total);
    return p;
}

void wspi_buf_init(wspi_buf *b, size_t max)
{
    *b = (wspi_buf){.max = max};
}

void wspi_buf_clear(wspi_buf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

wsp_status wspi_buf_reserve(wspi_buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 64;
    uint8_t *p;

    if (more > b->max || b->len > b->max - more)
        return WSP_ERR_LIMIT;
    if (b->len + more <= b->cap)
        return WSP_OK;
    while (cap < b->len + more)
        cap += cap / 2 + 64;
    p = realloc(b->data, cap);
    b->refused = !p;
    if (!p)
        return WSP_ERR_NOMEM;
    b->data = p;
    b->cap = cap;
    return WSP_OK;
}

wsp_status wspi_buf_add(wspi_buf *b, const void *p, size_t n)
{
    WSP_TRY(wspi_buf_reserve(b, n));
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    return WSP_OK;
}

wsp_status wspi_buf_add_u8(wspi_buf *b, uint8_t v)
{
    return wspi_buf_add(b, &v, 1);
}

wsp_status wspi_grow(void *array, size_t *cap, size_t need, size_t size)
{
    void **pp = array;
    size_t n = *cap ? *cap : 16;
    size_t total;
    void *p;

    if (need <= *cap)
        return WSP_OK;
    while (n < need)
        n += n / 2 + 1;
    if (!wspi_mul(n, size, &total))
        return WSP_ERR_NOMEM;
    p = realloc(*pp, total);
    if (!p)
        return WSP_ERR_NOMEM;
    *pp = p;
    *cap = n;
    return WSP_OK;
}

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void wspi_rng_seed(wspi_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix64(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t wspi_rng_u64(wspi_rng *r)
{
    uint64_t *s = r->s;
    uint64_t out = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

double wspi_rng_unit(wspi_rng *r)
{
    return (double)(wspi_rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t wspi_rng_below(wspi_rng *r, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* rejects the biased tail */
    uint64_t v;

    do
        v = wspi_rng_u64(r);
    while (v >= limit);
    return v % n;
}

double wspi_rng_normal(wspi_rng *r)
{
    double u = 1.0 - wspi_rng_unit(r); /* Box and Muller, 1958; u in (0, 1] */
    double v = wspi_rng_unit(r);

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void wspi_rng_shuffle(wspi_rng *r, uint32_t *x, size_t n) /* Fisher and Yates; Durstenfeld, 1964 */
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)wspi_rng_below(r, i);
        uint32_t swap = x[i - 1];
        x[i - 1] = x[k];
        x[k] = swap;
    }
}

uint64_t wspi_fnv1a(const void *p, size_t len, uint64_t seed)
{
    const uint8_t *b = p;
    uint64_t h = seed;

    for (size_t i = 0; i < len; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

/* ---- threads ---- */

unsigned wspi_thread_count(unsigned asked, unsigned most)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (asked == 0)
        asked = cpus > 0 ? (unsigned)cpus : 1;
    return WSPI_MIN(asked, most);
}

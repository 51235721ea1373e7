/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h: the private floor under every folder: config.h, failing with a message, checked sizes, growable arrays,
 * the byte cursor that alone reads outside bytes, the bounded writer, the seeded random numbers, bit tricks.
 */
#ifndef WSPI_BASE_H
#define WSPI_BASE_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "wirespeak/base.h"

#define WSPI_COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define WSPI_MIN(a, b) ((a) < (b) ? (a) : (b))
#define WSPI_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Returns the status of `call` from the calling function when it is negative. For functions that hold nothing. */
#define WSP_TRY(call)                \
    do {                             \
        wsp_status try_st_ = (call); \
        if (try_st_ < 0)             \
            return try_st_;          \
    } while (0)

/* Fills *err (if not NULL) and returns `st`, so that failing is one statement. errno is recorded for WSP_ERR_IO. */
wsp_status wspi_fail(wsp_error *err, wsp_status st, uint64_t offset, const char *fmt, ...)
    WSP_PRINTF(4, 5);

/* Out of memory for `what`, with the size. */
wsp_status wspi_nomem(wsp_error *err, const char *what, size_t size);

void wspi_log(wsp_log_level level, const char *fmt, ...) WSP_PRINTF(2, 3);

/* ---- memory ---- */

/* *out = a * b; false when it does not fit. */
bool wspi_mul(size_t a, size_t b, size_t *out);

/* A zeroed array of n items, or NULL (also when n * size overflows). n = 0 gives a valid pointer. */
void *wspi_new_array(size_t n, size_t size) WSP_MUST_USE;

/* A zeroed block of n floats aligned to 64 bytes, or NULL. Free with free(). */
float *wspi_new_floats(size_t n) WSP_MUST_USE;

/* The place of the largest of n numbers, the first of equal ones; 0 when n is. */
static inline size_t wspi_argmax(const float *x, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

/*
 * Growable byte buffer with a hard maximum given at init. Zero-initialised with a max is empty and valid. Every add
 * may fail with NOMEM or LIMIT; after a failure the content is unchanged. `refused` tells those who hear of the failure
 * later that there was no memory.
 */
typedef struct wspi_buf {
    uint8_t *data;
    size_t len, cap, max;
    bool refused;
} wspi_buf;

void wspi_buf_init(wspi_buf *b, size_t max);
void wspi_buf_clear(wspi_buf *b); /* frees the memory; the buffer is empty and usable again */
wsp_status wspi_buf_reserve(wspi_buf *b, size_t more);
wsp_status wspi_buf_add(wspi_buf *b, const void *p, size_t n);
wsp_status wspi_buf_add_u8(wspi_buf *b, uint8_t v);

/* Grows *array (of items of `size` bytes) so that it holds at least `need` items. *cap is updated. */
wsp_status wspi_grow(void *array, size_t *cap, size_t need, size_t size);

/* ---- numbers in texts, as the C locale has them: those of files mean the same whatever locale the program has ---- */

/* What text begins with, and where it ends. false: it begins with no number, or no memory. */
bool wspi_number_read(const char *text, const char **end, double *v) WSP_MUST_USE;
/* Of so many significant digits. false: no room, or no memory. */
bool wspi_number_write(char *to, size_t size, int digits, double v) WSP_MUST_USE;

/* ---- cursor: reads outside bytes; a read past the end gives 0 and sets bad ---- */

typedef struct wspi_cursor {
    const uint8_t *p, *end;
    bool bad;
} wspi_cursor;

static inline wspi_cursor wspi_cur(const uint8_t *p, size_t len)
{
    return (wspi_cursor){.p = p, .end = len ? p + len : p, .bad = false}; /* nothing may be NULL */
}

static inline size_t wspi_cur_left(const wspi_cursor *c)
{
    return (size_t)(c->end - c->p);
}

static inline const uint8_t *wspi_cur_bytes(wspi_cursor *c, size_t n)
{
    const uint8_t *p = c->p;
    if (wspi_cur_left(c) < n) {
        c->bad = true;
        c->p = c->end;
        return NULL;
    }
    c->p += n;
    return p;
}

/* The number of n <= 8 bytes at p, which are there, the highest first. */
static inline uint64_t wspi_load_be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* A number of n <= 8 bytes with its bytes the other way round. */
static inline uint64_t wspi_turned(uint64_t v, size_t n)
{
    uint64_t to = 0;

    for (size_t i = 0; i < n; i++)
        to |= (v >> 8 * i & 255) << 8 * (n - 1 - i);
    return to;
}

static inline uint8_t wspi_cur_u8(wspi_cursor *c)
{
    const uint8_t *p = wspi_cur_bytes(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t wspi_cur_be16(wspi_cursor *c)
{
    const uint8_t *p = wspi_cur_bytes(c, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t wspi_cur_be32(wspi_cursor *c)
{
    const uint8_t *p = wspi_cur_bytes(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint32_t wspi_cur_le32(wspi_cursor *c)
{
    const uint8_t *p = wspi_cur_bytes(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t wspi_cur_le64(wspi_cursor *c)
{
    uint64_t lo = wspi_cur_le32(c);
    return lo | (uint64_t)wspi_cur_le32(c) << 32;
}

/* A cursor over the next n bytes, which are skipped here: inner reads cannot leave them. */
static inline wspi_cursor wspi_cur_sub(wspi_cursor *c, size_t n)
{
    const uint8_t *p = wspi_cur_bytes(c, n);
    return p ? wspi_cur(p, n) : (wspi_cursor){.p = c->end, .end = c->end, .bad = true};
}

/* ---- random numbers: xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64 ---- */

typedef struct wspi_rng {
    uint64_t s[4];
} wspi_rng;

void wspi_rng_seed(wspi_rng *r, uint64_t seed);
uint64_t wspi_rng_u64(wspi_rng *r);
double wspi_rng_unit(wspi_rng *r);                         /* uniform in [0, 1) */
uint64_t wspi_rng_below(wspi_rng *r, uint64_t n);          /* uniform in [0, n), n > 0 */
double wspi_rng_normal(wspi_rng *r);                       /* mean 0, variance 1 */
void wspi_rng_shuffle(wspi_rng *r, uint32_t *x, size_t n); /* every order alike likely */

/* ---- small hashes and bits ---- */

/* FNV-1a, 64 bits: stable across machines and versions (vocabulary version, split assignment). */
uint64_t wspi_fnv1a(const void *p, size_t len, uint64_t seed);
#define WSPI_FNV_START 0xcbf29ce484222325u

/* Numbers that were loaded in network order. */
static inline uint16_t wspi_from_be16(uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return v;
#else
    return __builtin_bswap16(v);
#endif
}

static inline uint64_t wspi_from_be64(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return v;
#else
    return __builtin_bswap64(v);
#endif
}

/* A number to be stored with its low byte first. */
static inline uint64_t wspi_to_le64(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(v);
#else
    return v;
#endif
}

/* Whether an entry of a folder is what wsp_outfile_open makes until it is complete. */
bool wspi_is_unfinished(const char *name);

/* Threads to work with: `asked`, or as many as the machine has CPUs for 0; from 1 to `most`. */
unsigned wspi_thread_count(unsigned asked, unsigned most);

static inline unsigned wspi_log2(uint64_t v) /* floor(log2 v), v > 0 */
{
    return 63u - (unsigned)__builtin_clzll(v);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_other.c: what "other" stands for in samples of client hellos, and how lists go on that tokens do not tell whole. All
 * of it is registered (IANA, TLS Parameters), so that readers know it, and none of it is from a capture.
 */
#include "token/app/tls_other.h"

/* RFC 5246 A.5, RFC 5288, RFC 5289, RFC 4492 6, RFC 4132, RFC 4162: in the order that OpenSSL offered them in */
static const uint16_t ciphers[] = {
    0x00a3, 0x0088, 0x0087, 0xc032, 0xc02e, 0xc02a, 0xc026, 0xc00f, 0xc005, 0x00a2, 0x009a, 0x0099,
    0x0045, 0x0044, 0xc031, 0xc02d, 0xc029, 0xc025, 0xc00e, 0xc004, 0x0096, 0x0007, 0xc00c, 0xc002,
    0xc00d, 0xc003, 0x0015, 0x0012, 0x0009, 0x0014, 0x0011, 0x0008, 0x0006, 0x0003};
/* RFC 4492 5.1.1: curves that RFC 8422 has done away with */
static const uint16_t groups[] = {8, 6, 7, 20, 4, 5, 18, 1, 2, 3, 15, 16, 17};

static const struct {
    const uint16_t *v;
    size_t n;
} lists[WSPI_TLS_LISTS] = {[WSPI_TLS_CIPHERS] = {ciphers, WSPI_COUNT(ciphers)},
                           [WSPI_TLS_GROUPS] = {groups, WSPI_COUNT(groups)}};

/* RFC 8701 2: 0x0a0a, 0x1a1a ... 0xfafa; no two alike in a list, and each list has its own */
static uint16_t reserved(uint64_t seed, enum wspi_tls_list list, size_t nth)
{
    wspi_rng r;

    wspi_rng_seed(&r, seed * WSPI_TLS_LISTS + list);
    return (uint16_t)(0x0a0a + 0x1010 * ((wspi_rng_below(&r, 16) + nth) % 16));
}

size_t wspi_tls_others(enum wspi_tls_list list)
{
    return lists[list].n ? lists[list].n : 16;
}

uint16_t wspi_tls_other(uint64_t seed, enum wspi_tls_list list, bool first, size_t nth)
{
    return first || !lists[list].n ? reserved(seed, list, nth) : lists[list].v[nth % lists[list].n];
}

size_t wspi_tls_usual(enum wspi_tls_list list, const uint16_t **v)
{
    /* The end of OpenSSL's list, whose beginning is told; its curves, of 163 to 571 bits, and signatures: 1.0 and 1.1. */
    static const uint16_t last_ciphers[] = {
        0xc030, 0xc02c, 0xc028, 0xc024, 0xc014, 0xc00a, 0x009f, 0x006b, 0x0039, 0x0088, 0xc032,
        0xc02e, 0xc02a, 0xc026, 0xc00f, 0xc005, 0x009d, 0x003d, 0x0035, 0x0084, 0xc02f, 0xc02b,
        0xc027, 0xc023, 0xc013, 0xc009, 0x009e, 0x0067, 0x0033, 0x009a, 0x0045, 0xc031, 0xc02d,
        0xc029, 0xc025, 0xc00e, 0xc004, 0x009c, 0x003c, 0x002f, 0x0096, 0x0041, 0x0007, 0xc011,
        0xc007, 0xc00c, 0xc002, 0x0005, 0x0004, 0xc012, 0xc008, 0x0016, 0x0013, 0xc00d, 0xc003,
        0x000a, 0x0015, 0x0012, 0x0009, 0x0014, 0x0011, 0x0008, 0x0006, 0x0003, 0x00ff};
    static const uint16_t curves[] = {14, 13, 25, 11, 12, 24, 9, 10, 22, 23, 8,  6, 7,
                                      20, 21, 4,  5,  18, 19, 1, 2,  3,  15, 16, 17};
    static const uint16_t signatures[] = {0x0601, 0x0602, 0x0603, 0x0501, 0x0502,
                                          0x0503, 0x0401, 0x0402, 0x0403, 0x0301,
                                          0x0302, 0x0303, 0x0201, 0x0202, 0x0203};
    static const struct {
        const uint16_t *v;
        size_t n;
    } usual[WSPI_TLS_LISTS] = {[WSPI_TLS_CIPHERS] = {last_ciphers, WSPI_COUNT(last_ciphers)},
                               [WSPI_TLS_GROUPS] = {curves, WSPI_COUNT(curves)},
                               [WSPI_TLS_SIGALGS] = {signatures, WSPI_COUNT(signatures)}};

    *v = usual[list].v;
    return usual[list].n;
}

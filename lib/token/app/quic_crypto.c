/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic_crypto.c: the protection of QUIC's Initial packets: RFC 9001 5, RFC 9369 3.3 and the drafts, whose salts differ.
 *   secret = HKDF-Extract(salt, destination id); of a side: HKDF-Expand-Label(secret, "client in" or "server in")
 *   packet: AES-128-GCM, the header with its number is authenticated; header: the low bits of its first byte and the
 *   number are masked with AES-128 of 16 bytes of the packet.
 */
#include "token/app/quic_crypto.h"

#include <gcrypt.h>

#include "base/crypto.h"

enum { HASH = 32, BLOCK = 16, INFO = 64 };

enum { OF_1, OF_2, OF_22, OF_23, OF_29 };

/* Of the two versions, and of the drafts that had a new one. */
static const uint8_t salts[][20] = {
    [OF_1] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
              0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
    [OF_2] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
              0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
    [OF_22] = {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
               0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a},
    [OF_23] = {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
               0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
    [OF_29] = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
               0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
};

/* Which versions have which; those of mvfst are the drafts 22 and 27. */
static const struct version {
    uint32_t from, to;
    uint8_t salt;
} versions[] = {
    {1, 1, OF_1},
    {0x6b3343cf, 0x6b3343cf, OF_2},
    {0xff00001d, 0xff000020, OF_29},
    {0xff000021, 0xff000022, OF_1},
    {0xff000017, 0xff00001c, OF_23},
    {0xff000016, 0xff000016, OF_22},
    {0xfaceb001, 0xfaceb001, OF_22},
    {0xfaceb002, 0xfaceb002, OF_23},
};

/* ---- keys ---- */

static bool hmac(uint8_t out[HASH], const uint8_t *key, size_t key_len, const void *b, size_t n)
{
    gcry_md_hd_t h;
    bool ok;

    if (gcry_md_open(&h, GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC))
        return false;
    ok = gcry_md_setkey(h, key, key_len) == 0;
    if (ok) {
        gcry_md_write(h, b, n);
        memcpy(out, gcry_md_read(h, GCRY_MD_SHA256), HASH);
    }
    gcry_md_close(h);
    return ok;
}

/* HKDF-Expand-Label of TLS (RFC 8446 7.1) without a context; n is at most a hash: one round. */
static bool expand(uint8_t *out, size_t n, const uint8_t secret[HASH], const char *label)
{
    uint8_t info[INFO], hash[HASH];
    size_t len = strlen(label);

    info[0] = 0;
    info[1] = (uint8_t)n;
    info[2] = (uint8_t)(6 + len);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, len);
    info[9 + len] = 0;
    info[10 + len] = 1;
    if (!hmac(hash, secret, HASH, info, 11 + len))
        return false;
    memcpy(out, hash, n);
    return true;
}

bool wspi_quic_make_keys(wspi_quic_keys *k, uint64_t version, const uint8_t *first,
                         size_t first_len, bool server)
{
    uint8_t initial[HASH], secret[HASH];
    const struct version *v = versions, *end = versions + WSPI_COUNT(versions);
    bool second;

    while (v < end && (version < v->from || version > v->to))
        v++;
    if (v == end || !wspi_crypto_ready())
        return false;
    second = v->salt == OF_2; /* its labels differ too */
    return hmac(initial, salts[v->salt], sizeof salts[0], first, first_len) &&
           expand(secret, HASH, initial, server ? "server in" : "client in") &&
           expand(k->key, sizeof k->key, secret, second ? "quicv2 key" : "quic key") &&
           expand(k->iv, sizeof k->iv, secret, second ? "quicv2 iv" : "quic iv") &&
           expand(k->hp, sizeof k->hp, secret, second ? "quicv2 hp" : "quic hp");
}

/* ---- packets ---- */

/* The header is masked with what AES makes of the 16 bytes from the fourth behind the number's first on. */
static bool header_mask(const wspi_quic_keys *k, const wspi_quic_packet *p, uint8_t mask[BLOCK])
{
    gcry_cipher_hd_t h;
    bool ok;

    if (gcry_cipher_open(&h, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_ECB, 0))
        return false;
    ok = gcry_cipher_setkey(h, k->hp, sizeof k->hp) == 0 &&
         gcry_cipher_encrypt(h, mask, BLOCK, p->b + p->number_at + WSPI_QUIC_SAMPLE, BLOCK) == 0;
    gcry_cipher_close(h);
    return ok;
}

static void mask_number(const wspi_quic_packet *p, const uint8_t *mask)
{
    for (size_t i = 0; i < p->number_len; i++)
        p->b[p->number_at + i] ^= mask[1 + i];
}

/* A cipher that has the nonce of the packet's number, and has seen its header. */
static bool start_packet(gcry_cipher_hd_t h, const wspi_quic_keys *k, const wspi_quic_packet *p)
{
    uint8_t nonce[sizeof k->iv];

    memcpy(nonce, k->iv, sizeof nonce);
    for (size_t i = 0; i < 8; i++)
        nonce[sizeof nonce - 1 - i] ^= (uint8_t)(p->number >> 8 * i);
    return gcry_cipher_setkey(h, k->key, sizeof k->key) == 0 &&
           gcry_cipher_setiv(h, nonce, sizeof nonce) == 0 &&
           gcry_cipher_authenticate(h, p->b, p->number_at + p->number_len) == 0;
}

static bool run_packet(const wspi_quic_keys *k, const wspi_quic_packet *p, bool seal)
{
    uint8_t *body = p->b + p->number_at + p->number_len, *tag = p->b + p->len - WSPI_QUIC_TAG;
    size_t n = (size_t)(tag - body);
    gcry_cipher_hd_t h;
    bool ok;

    if (gcry_cipher_open(&h, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_GCM, 0))
        return false;
    ok = start_packet(h, k, p);
    if (ok && seal)
        ok = gcry_cipher_encrypt(h, body, n, NULL, 0) == 0 &&
             gcry_cipher_gettag(h, tag, WSPI_QUIC_TAG) == 0;
    else if (ok)
        ok = gcry_cipher_decrypt(h, body, n, NULL, 0) == 0 &&
             gcry_cipher_checktag(h, tag, WSPI_QUIC_TAG) == 0;
    gcry_cipher_close(h);
    return ok;
}

/* The bytes of the mask, and a tag behind the number. */
static bool long_enough(const wspi_quic_packet *p)
{
    return p->number_at > 0 && p->len >= p->number_at + WSPI_QUIC_SAMPLE + BLOCK;
}

bool wspi_quic_protect(const wspi_quic_keys *k, const wspi_quic_packet *p)
{
    uint8_t mask[BLOCK];

    if (!long_enough(p) || p->number_len < 1 || p->number_len > 4 || !wspi_crypto_ready())
        return false;
    for (size_t i = 0; i < p->number_len; i++)
        p->b[p->number_at + i] = (uint8_t)(p->number >> 8 * (p->number_len - 1 - i));
    p->b[0] = (uint8_t)((p->b[0] & 0xfc) | (p->number_len - 1));
    if (!run_packet(k, p, true) || !header_mask(k, p, mask))
        return false;
    p->b[0] ^= mask[0] & 15;
    mask_number(p, mask);
    return true;
}

/* Numbers are small here: what comes before a flow's first ones is not there, so that what is left out is zeros. */
bool wspi_quic_open(const wspi_quic_keys *k, wspi_quic_packet *p)
{
    uint8_t mask[BLOCK];

    if (!long_enough(p) || !wspi_crypto_ready() || !header_mask(k, p, mask))
        return false;
    p->b[0] ^= mask[0] & 15;
    p->number_len = (p->b[0] & 3) + 1u;
    mask_number(p, mask);
    p->number = 0;
    for (size_t i = 0; i < p->number_len; i++)
        p->number = p->number << 8 | p->b[p->number_at + i];
    return run_packet(k, p, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ike_sa.c: what IKE offers, RFC 7296 3.3 and RFC 2408 3.4 to 3.6:
 * proposal: | last 8 | 0 8 | length 16 | number 8 | protocol 8 | length of SPI 8 | transforms 8 | SPI | transforms |
 * IKEv2: | last 8 | 0 8 | length 16 | type 8 | 0 8 | id 16 | key length |     IKEv1: | last 8 | 0 8 | length 16 | number 8 |
 * id 8 | 0 16 | attributes |, behind 8 bytes of domain and situation. Where all of it is so, what is told is the list.
 */
#include "token/app/ike_sa.h"

/*
 * Protocol of a proposal, and times 256 how far its number is from the one that is next. RAW: an SA payload of another
 * form; AGAIN: the flow's last one once more.
 */
enum { P_IKE = 1, P_AH = 2, P_ESP = 3, P_IPCOMP = 4, RAW = 254, AGAIN = 255 };
const wspi_value wspi_ike_proposal[] = {{P_IKE, "ike"},
                                        {P_ESP, "esp"},
                                        {P_AH, "ah"},
                                        {P_IPCOMP, "ipcomp"},
                                        {AGAIN, "again"},
                                        {P_IKE + 0xff00, "ike-zero"},
                                        {P_IKE + 0x100, "ike-second"},
                                        {P_IKE + 0x200, "ike-third"},
                                        {P_IKE + 0x300, "ike-fourth"},
                                        {RAW, "raw"},
                                        {0, NULL}};

/*
 * A transform of IKEv2 is one token: its type, number and key length, or LIKE: those of this type are as in the last
 * proposal. In IKEv1 it is a mark, its number and how far it is from the one that is next, and then attributes: all of
 * them, or those which differ from the last transform (CHANGED).
 */
#define OF_V1   (UINT64_C(1) << 48)
#define ANEW    (UINT64_C(2) << 48)
#define CHANGED (UINT64_C(3) << 48)
#define LIKE    (UINT64_C(4) << 48)
/* Here the number of a token has less than 32 bits, where it fits. */
enum { S_V1 = 1, S_LONG, S_ANEW, S_CHANGED, S_LIKE };
#define UNFIT                (UINT64_C(1) << 55)
#define SHORT(class, n)      ((uint32_t)(class) << 28 | (n))
#define V2(type, id, bits)   SHORT(0, (type) << 20 | (id) << 8 | (bits) / 8)
#define V1(type, value)      SHORT(S_V1, (type) << 16 | (value))
#define V1_LONG(type, value) SHORT(S_LONG, (type) << 24 | (value))
/* Samples of IKEv2 have one to all of each of the groups [from, to) of places; of IKEv1 one of each. */
static const uint8_t groups[2][7] = {{33, 36, 40, 44, 46, 48, 50}, {1, 9, 16, 24, 33, 33, 33}};
const wspi_value wspi_ike_transform[] = {{SHORT(S_ANEW, 0x100), "v1-new"},
                                         {V2(1, 12, 128), "aes-cbc-128"},
                                         {V2(1, 12, 192), "aes-cbc-192"},
                                         {V2(1, 12, 256), "aes-cbc-256"},
                                         {V2(1, 20, 128), "aes-gcm16-128"},
                                         {V2(1, 20, 256), "aes-gcm16-256"},
                                         {V2(1, 3, 0), "3des"},
                                         {V2(1, 28, 0), "chacha20-poly1305"},
                                         {V2(1, 23, 256), "camellia-cbc-256"},
                                         {V2(2, 2, 0), "prf-sha1"},
                                         {V2(2, 5, 0), "prf-sha256"},
                                         {V2(2, 6, 0), "prf-sha384"},
                                         {V2(2, 7, 0), "prf-sha512"},
                                         {V2(2, 1, 0), "prf-md5"},
                                         {V2(2, 4, 0), "prf-aes-xcbc"},
                                         {V2(2, 8, 0), "prf-aes-cmac"},
                                         {V2(3, 2, 0), "sha1-96"},
                                         {V2(3, 12, 0), "sha256-128"},
                                         {V2(3, 13, 0), "sha384-192"},
                                         {V2(3, 14, 0), "sha512-256"},
                                         {V2(3, 1, 0), "md5-96"},
                                         {V2(3, 5, 0), "aes-xcbc-96"},
                                         {V2(3, 8, 0), "aes-cmac-96"},
                                         {V2(3, 0, 0), "integrity-none"},
                                         {V2(4, 2, 0), "modp1024"},
                                         {V2(4, 5, 0), "modp1536"},
                                         {V2(4, 14, 0), "modp2048"},
                                         {V2(4, 15, 0), "modp3072"},
                                         {V2(4, 16, 0), "modp4096"},
                                         {V2(4, 19, 0), "ecp256"},
                                         {V2(4, 20, 0), "ecp384"},
                                         {V2(4, 21, 0), "ecp521"},
                                         {V2(4, 31, 0), "curve25519"},
                                         {V1(1, 7), "v1-aes"},
                                         {V1(1, 5), "v1-3des"},
                                         {V1(1, 1), "v1-des"},
                                         {V1(2, 1), "v1-md5"},
                                         {V1(2, 2), "v1-sha1"},
                                         {V1(2, 4), "v1-sha256"},
                                         {V1(2, 6), "v1-sha512"},
                                         {V1(3, 1), "v1-psk"},
                                         {V1(3, 3), "v1-rsa"},
                                         {V1(3, 0xfde9), "v1-xauth-psk"},
                                         {V1(3, 0xfdeb), "v1-hybrid-rsa"},
                                         {V1(4, 2), "v1-modp1024"},
                                         {V1(4, 14), "v1-modp2048"},
                                         {V1(11, 1), "v1-seconds"},
                                         {V1(11, 2), "v1-kilobytes"},
                                         {V1(12, 3600), "v1-life-3600"},
                                         {V1(12, 28800), "v1-life-28800"},
                                         {V1_LONG(12, 86400), "v1-long-life-86400"},
                                         {V1_LONG(12, 28800), "v1-long-life-28800"},
                                         {V1_LONG(12, 3600), "v1-long-life-3600"},
                                         {V1(12, 10800), "v1-life-10800"},
                                         {V1(12, 14400), "v1-life-14400"},
                                         {V1(14, 128), "v1-key-128"},
                                         {V1(14, 192), "v1-key-192"},
                                         {V1(14, 256), "v1-key-256"},
                                         {V1(1, 3), "v1-blowfish"},
                                         {V1(1, 6), "v1-cast"},
                                         {V1(1, 8), "v1-camellia"},
                                         {V1(1, 65005), "v1-twofish"},
                                         {V1(1, 65004), "v1-serpent"},
                                         {V1(2, 5), "v1-sha384"},
                                         {V1(2, 3), "v1-tiger"},
                                         {V1(3, 2), "v1-dss"},
                                         {V1(3, 4), "v1-rsa-encryption"},
                                         {V1(3, 5), "v1-rsa-revised"},
                                         {V1(3, 9), "v1-ecdsa256"},
                                         {V1(3, 10), "v1-ecdsa384"},
                                         {V1(3, 0xfdea), "v1-xauth-psk-responder"},
                                         {V1(3, 0xfded), "v1-xauth-rsa"},
                                         {V1(4, 1), "v1-modp768"},
                                         {V1(4, 5), "v1-modp1536"},
                                         {V1(4, 15), "v1-modp3072"},
                                         {V1(4, 16), "v1-modp4096"},
                                         {V1(4, 18), "v1-modp8192"},
                                         {V1(4, 19), "v1-ecp256"},
                                         {V1(4, 20), "v1-ecp384"},
                                         {V1(4, 24), "v1-modp2048-256"},
                                         {SHORT(S_CHANGED, 0x100), "v1-changed"},
                                         {SHORT(S_ANEW, 0x1ff), "v1-new-zero"},
                                         {SHORT(S_ANEW, 0x101), "v1-new-second"},
                                         {SHORT(S_ANEW, 0x102), "v1-new-third"},
                                         {SHORT(S_LIKE, 1), "encryption-alike"},
                                         {SHORT(S_LIKE, 2), "prf-alike"},
                                         {SHORT(S_LIKE, 3), "integrity-alike"},
                                         {SHORT(S_LIKE, 4), "group-alike"},
                                         {V2(1, 2, 0), "des"},
                                         {V2(1, 11, 0), "null"},
                                         {V2(1, 13, 128), "aes-ctr-128"},
                                         {V2(1, 13, 192), "aes-ctr-192"},
                                         {V2(1, 13, 256), "aes-ctr-256"},
                                         {V2(1, 14, 128), "aes-ccm8-128"},
                                         {V2(1, 14, 256), "aes-ccm8-256"},
                                         {V2(1, 15, 128), "aes-ccm12-128"},
                                         {V2(1, 16, 128), "aes-ccm16-128"},
                                         {V2(1, 16, 192), "aes-ccm16-192"},
                                         {V2(1, 16, 256), "aes-ccm16-256"},
                                         {V2(1, 18, 128), "aes-gcm8-128"},
                                         {V2(1, 18, 192), "aes-gcm8-192"},
                                         {V2(1, 18, 256), "aes-gcm8-256"},
                                         {V2(1, 19, 128), "aes-gcm12-128"},
                                         {V2(1, 19, 192), "aes-gcm12-192"},
                                         {V2(1, 19, 256), "aes-gcm12-256"},
                                         {V2(1, 20, 192), "aes-gcm16-192"},
                                         {V2(1, 23, 128), "camellia-cbc-128"},
                                         {V2(1, 23, 192), "camellia-cbc-192"},
                                         {V2(1, 7, 128), "blowfish-128"},
                                         {V2(1, 7, 256), "blowfish-256"},
                                         {V2(1, 6, 128), "cast-128"},
                                         {V2(3, 6, 0), "md5-128"},
                                         {V2(3, 7, 0), "sha1-160"},
                                         {V2(4, 1, 0), "modp768"},
                                         {V2(4, 17, 0), "modp6144"},
                                         {V2(4, 18, 0), "modp8192"},
                                         {V2(4, 22, 0), "modp1024-160"},
                                         {V2(4, 23, 0), "modp2048-224"},
                                         {V2(4, 24, 0), "modp2048-256"},
                                         {V2(4, 25, 0), "ecp192"},
                                         {V2(4, 26, 0), "ecp224"},
                                         {V2(4, 27, 0), "brainpool224"},
                                         {V2(4, 28, 0), "brainpool256"},
                                         {V2(4, 29, 0), "brainpool384"},
                                         {V2(4, 30, 0), "brainpool512"},
                                         {V2(4, 32, 0), "curve448"},
                                         {V2(4, 0, 0), "group-none"},
                                         {V2(5, 0, 0), "short-numbers"},
                                         {V2(5, 1, 0), "long-numbers"},
                                         {V2(6, 35, 0), "ml-kem-512"},
                                         {V2(6, 36, 0), "ml-kem-768"},
                                         {V2(6, 37, 0), "ml-kem-1024"},
                                         {0, NULL}};

enum { HEAD = 8, MORE_PROPOSALS = 2, MORE_TRANSFORMS = 3, MOST = 255, MOST_ATTRIBUTES = 16 };
enum {
    MAX_PROPOSALS = 64,
    DOMAIN = 8,
    KEY_LENGTH = 0x800e,
    SAMPLED_PROPOSALS = 2,
    SAMPLED_V1 = 18
};
#define DOMAIN_IPSEC UINT64_C(0x0000000100000001)

/* Transforms of a proposal, or attributes of a transform. */
typedef struct list {
    uint64_t v[MOST];
    unsigned n;
} list;

/* What the lists of both sides have had: of the proposal, or transform, before this one. */
typedef struct offer {
    list now, was;
    size_t
        last; /* IKEv1: 1 + place of the last transform, to set its mark when another one comes */
    uint8_t number;  /* IKEv1: of the last transform */
    uint64_t marked; /* the mark of the transform that is open */
    bool open;
} offer;

void wspi_ike_fixed(wspi_coder *c, size_t n, uint64_t v)
{
    (void)wspi_app_get(c, n);
    wspi_app_put(c, n, v);
}

void wspi_ike_set(wspi_coder *c, size_t at, size_t n, uint64_t v)
{
    if (c->enc || wspi_app_stopped(c))
        return;
    for (size_t i = 0; i < n; i++)
        c->pay.out->data[at + i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

void wspi_ike_sized(wspi_coder *c, bool known, size_t want, size_t n)
{
    wspi_app_opaque(c, (size_t)wspi_app_code(c, SIZE, known, want, n));
}

/* A transform of IKEv2, an attribute of IKEv1 or a mark, as the token's number; and back. */
static uint64_t short_of(uint64_t v)
{
    uint64_t class = v >> 48, type = v >> 32 & UINT16_MAX, id = v >> 16 & UINT16_MAX;
    uint64_t low = v & UINT16_MAX;

    if (class == 0 && type < 16 && id < 4096 && low % 8 == 0 && low < 2048)
        return type << 20 | id << 8 | low / 8;
    if (class == OF_V1 >> 48 && type >> 4 == 0x800)
        return SHORT(S_V1, (type & 15) << 16 | low);
    if (class == OF_V1 >> 48 && type < 16 && (v & UINT32_MAX) >> 24 == 0)
        return SHORT(S_LONG, type << 24 | (v & 0xffffff));
    if (class > OF_V1 >> 48)
        return SHORT(S_ANEW + class - (ANEW >> 48), low);
    return v | UNFIT;
}

static uint64_t long_of(uint64_t n)
{
    uint64_t class = n >> 28, type = n >> 16 & 15;

    if (n & UNFIT)
        return n & (LIKE | ANEW | OF_V1 | (OF_V1 - 1));
    if (class == 0)
        return (n >> 20 & 15) << 32 | (n >> 8 & 4095) << 16 | (n & 255) * 8;
    if (class == S_V1)
        return OF_V1 | (0x8000 | type) << 32 | (n & UINT16_MAX);
    if (class == S_LONG)
        return OF_V1 | (n >> 24 & 15) << 32 | (n & 0xffffff);
    return WSPI_MIN(class - S_ANEW + (ANEW >> 48), LIKE >> 48) << 48 | (n & UINT16_MAX);
}

/* An element of the list of transforms. */
static bool next_transform(wspi_coder *c, bool there, uint64_t *v)
{
    uint64_t n = short_of(*v);

    if (!wspi_app_next(c, TRANSFORM, there, &n))
        return false;
    *v = long_of(n);
    return true;
}

/* ---- does it fit? ---- */

static size_t spi_len(uint64_t protocol)
{
    return protocol == P_AH || protocol == P_ESP ? 4 : protocol == P_IPCOMP ? 2 : 0;
}

/* The bytes of an item of at least `least`, of n: its mark says whether it is the last one. 0: it is none. */
static size_t item_len(const uint8_t *b, size_t n, size_t least, uint8_t more)
{
    size_t len = n >= least ? (size_t)wspi_load_be(b + 2, 2) : 0;

    return len >= least && len <= n && b[1] == 0 && b[0] == (len < n ? more : 0) ? len : 0;
}

static bool attributes_fit(const uint8_t *b, size_t n)
{
    unsigned count = 0;

    for (size_t at = 0; at < n; count++) {
        if (n - at < 4)
            return false;
        if (b[at] & 0x80)
            at += 4;
        else if (wspi_load_be(b + at + 2, 2) == 4 && n - at >= 8)
            at += 8;
        else
            return false;
    }
    return count <= MOST_ATTRIBUTES;
}

static bool transform_fits(const uint8_t *b, size_t n, bool v2)
{
    if (!v2)
        return b[6] == 0 && b[7] == 0 && attributes_fit(b + HEAD, n - HEAD);
    return b[5] == 0 && (n == HEAD || (n == HEAD + 4 && wspi_load_be(b + 8, 2) == KEY_LENGTH &&
                                       wspi_load_be(b + 10, 2) > 0));
}

static bool proposal_fits(const uint8_t *b, size_t n, bool v2)
{
    size_t spi = spi_len(b[5]), at = HEAD + spi, len = 0;
    unsigned count = 0;

    if (b[5] < P_IKE || b[5] > P_IPCOMP || b[6] != spi || n < at)
        return false;
    for (; at < n; at += len, count++) {
        len = item_len(b + at, n - at, HEAD, MORE_TRANSFORMS);
        if (!len || !transform_fits(b + at, len, v2))
            return false;
    }
    return count == b[7];
}

static bool all_fits(const uint8_t *b, size_t n, bool v2)
{
    size_t at = v2 ? 0 : DOMAIN, len = 0;
    unsigned count = 0;

    if (n < at || (!v2 && wspi_load_be(b, DOMAIN) != DOMAIN_IPSEC))
        return false;
    for (; at < n; at += len, count++) {
        len = item_len(b + at, n - at, HEAD, MORE_PROPOSALS);
        if (!len || !proposal_fits(b + at, len, v2))
            return false;
    }
    return count > 0 && count <= MAX_PROPOSALS;
}

/* ---- samples ---- */

/*
 * Samples: the groups of the list one after the other, in IKEv1 one of each, then another transform or none. `last` is
 * what the n tokens so far ended with. Is there one to come?
 */
static bool only_sampled(wspi_coder *c, bool v2, unsigned n, uint64_t last)
{
    const uint8_t *g = groups[v2];
    unsigned place = wspi_row_of(wspi_ike_transform, short_of(last)), k = 0, end = v2 ? 4 : 6, from;

    while (n && k < end && place >= g[k])
        k++;
    from = v2 && n ? place + 1 : g[k];
    if (v2)
        wspi_app_only(c, from, g[WSPI_MIN(k + 1, end)] - from);
    else if (n == 0 || k == end)
        wspi_app_only(c, 0, n < SAMPLED_V1);
    else
        wspi_app_only(c, from, g[k + 1] - from);
    return n == 0 || k < end;
}

/* ---- IKEv2 ---- */

static uint64_t transform_at(const uint8_t *b)
{
    return (uint64_t)b[4] << 32 | wspi_load_be(b + 6, 2) << 16 |
           (wspi_load_be(b + 2, 2) > HEAD ? wspi_load_be(b + 10, 2) : 0);
}

static void add(list *l, uint64_t v)
{
    if (l->n < MOST)
        l->v[l->n++] = v;
}

/* How many of a type are in a row from k on. */
static unsigned in_a_row(const list *l, unsigned k)
{
    unsigned n = 0;

    while (k + n < l->n && l->v[k + n] >> 32 == l->v[k] >> 32)
        n++;
    return n;
}

static unsigned first_of(const list *l, uint64_t type)
{
    unsigned k = 0;

    while (k < l->n && l->v[k] >> 32 != type)
        k++;
    return k;
}

/* Encoding: the next transforms, as many as are of one type, are those of the last proposal, at least two. */
static bool alike(const wspi_coder *c, size_t end, const offer *o)
{
    uint64_t type = transform_at(c->pay.in + c->pay.at) >> 32;
    list next = {.n = 0};
    size_t at = c->pay.at;
    unsigned k, n;

    if (o->now.n && o->now.v[o->now.n - 1] >> 32 == type)
        return false;
    for (; at < end; at += (size_t)wspi_load_be(c->pay.in + at + 2, 2))
        add(&next, transform_at(c->pay.in + at));
    k = first_of(&o->was, type);
    n = in_a_row(&next, 0);
    return n > 1 && k < o->was.n && in_a_row(&o->was, k) == n &&
           memcmp(next.v, o->was.v + k, n * sizeof *next.v) == 0;
}

static void put_transform(wspi_coder *c, offer *o, uint64_t v)
{
    size_t len = v & UINT16_MAX ? HEAD + 4 : HEAD;

    if (o->last)
        wspi_ike_set(c, o->last - 1, 1, MORE_TRANSFORMS);
    o->last = c->pay.at + 1;
    wspi_ike_fixed(c, 4, len);
    wspi_ike_fixed(c, 4, (v >> 32 & 255) << 24 | (v >> 16 & UINT16_MAX));
    if (len > HEAD)
        wspi_ike_fixed(c, 4, (uint64_t)KEY_LENGTH << 16 | (v & UINT16_MAX));
    add(&o->now, v);
}

static void put_alike(wspi_coder *c, offer *o, uint64_t type)
{
    unsigned k = first_of(&o->was, type);
    unsigned n = k < o->was.n ? in_a_row(&o->was, k) : 0;

    for (unsigned i = 0; i < n && !wspi_app_stopped(c); i++)
        put_transform(c, o, o->was.v[k + i]);
}

static void transforms(wspi_coder *c, size_t end, offer *o)
{
    uint64_t v = 0;

    for (unsigned n = 0; n < MOST && !wspi_app_stopped(c); n++) {
        bool there = c->enc && c->pay.at < end, must;

        if (there) {
            v = transform_at(c->pay.in + c->pay.at);
            v = alike(c, end, o) ? LIKE | v >> 32 : v;
        }
        must = only_sampled(c, true, n, v);
        if (!next_transform(c, there, &v)) {
            if (must && wspi_asked(c))
                c->need = true;
            return;
        }
        if (v >> 48 == LIKE >> 48)
            put_alike(c, o, v & UINT16_MAX);
        else
            put_transform(c, o, v);
    }
}

/* ---- IKEv1 ---- */

static void read_attributes(const uint8_t *b, size_t n, list *l)
{
    l->n = 0;
    for (size_t at = 0; at < n; at += b[at] & 0x80 ? 4 : 8)
        add(l, OF_V1 | wspi_load_be(b + at, 2) << 32 |
                   (b[at] & 0x80 ? wspi_load_be(b + at + 2, 2) : wspi_load_be(b + at + 4, 4)));
}

/* The attributes of a transform have the types of the last one, each once. */
static bool same_types(const list *a, const list *b)
{
    for (unsigned i = 0; i < a->n && a->n == b->n; i++)
        if (a->v[i] >> 32 != b->v[i] >> 32 || first_of(a, a->v[i] >> 32) != i)
            return false;
    return a->n == b->n && a->n > 0;
}

/* Encoding: the tokens of the transform at b. */
static void tokens_of(const uint8_t *b, const offer *o, list *q)
{
    uint64_t mark = (uint64_t)b[5] << 8 | (uint8_t)(b[4] - (uint8_t)(o->number + 1));
    list l;
    bool changed;

    read_attributes(b + HEAD, (size_t)wspi_load_be(b + 2, 2) - HEAD, &l);
    changed = same_types(&l, &o->now);
    q->n = 0;
    add(q, (changed ? CHANGED : ANEW) | mark);
    for (unsigned i = 0; i < l.n; i++)
        if (!changed || l.v[i] != o->now.v[i])
            add(q, l.v[i]);
}

/* The transform that is open is complete. */
static void finish(wspi_coder *c, offer *o)
{
    size_t at = c->pay.at;

    if (!o->open || c->enc)
        return;
    wspi_app_put(c, 4, 0);
    wspi_app_put(c, 4, (uint64_t)o->number << 24 | (o->marked >> 8 & 255) << 16);
    for (unsigned i = 0; i < o->now.n; i++) {
        uint64_t v = o->now.v[i], type = v >> 32 & UINT16_MAX;
        wspi_app_put(c, 2, type);
        wspi_app_put(c, 2, type & 0x8000 ? v & UINT16_MAX : 4);
        if (!(type & 0x8000))
            wspi_app_put(c, 4, v & UINT32_MAX);
    }
    wspi_ike_set(c, at + 2, 2, c->pay.at - at);
    if (o->last)
        wspi_ike_set(c, o->last - 1, 1, MORE_TRANSFORMS);
    o->last = at + 1;
}

/* A mark, which completes the transform before it, or an attribute. */
static void take(wspi_coder *c, offer *o, uint64_t v, unsigned *count)
{
    unsigned k;

    if (v >> 48 == CHANGED >> 48 || v >> 48 == ANEW >> 48) {
        finish(c, o);
        o->open = true;
        o->marked = v;
        o->number = (uint8_t)(o->number + 1 + (v & 255));
        o->now.n = v >> 48 == ANEW >> 48 ? 0 : o->now.n;
        (*count)++;
        return;
    }
    k = o->marked >> 48 == CHANGED >> 48 ? first_of(&o->now, v >> 32) : o->now.n;
    if (k < o->now.n)
        o->now.v[k] = v;
    else if (o->now.n < MOST_ATTRIBUTES)
        add(&o->now, v);
}

static unsigned transforms_v1(wspi_coder *c, size_t end, offer *o)
{
    size_t at = c->pay.at;
    unsigned count = 0, k = 0;
    uint64_t v = 0;
    list q = {.n = 0};

    for (unsigned n = 0; n < WSPI_APP_TOKENS && !wspi_app_stopped(c); n++) {
        bool there, must;

        if (c->enc && k == q.n && at < end) {
            tokens_of(c->pay.in + at, o, &q);
            at += (size_t)wspi_load_be(c->pay.in + at + 2, 2);
            k = 0;
        }
        there = k < q.n;
        v = there ? q.v[k++] : v;
        must = only_sampled(c, false, n, v);
        if (!next_transform(c, there, &v)) {
            if (must && wspi_asked(c))
                c->need = true;
            break;
        }
        take(c, o, v, &count);
    }
    finish(c, o);
    while (c->enc && c->pay.at < end && !wspi_app_stopped(c))
        (void)wspi_app_get(c, 1);
    return count;
}

/* ---- proposals ---- */

static void one_proposal(wspi_coder *c, bool v2, offer *o, uint64_t protocol, uint64_t number)
{
    size_t at = c->pay.at, end = at;
    unsigned count;

    if (c->enc)
        end += (size_t)wspi_load_be(c->pay.in + at + 2, 2);
    wspi_ike_fixed(c, 4, 0);
    wspi_ike_fixed(c, 4, number << 24 | protocol << 16 | spi_len(protocol) << 8);
    wspi_app_opaque(c, spi_len(protocol));
    o->was = o->now;
    o->now.n = 0;
    o->last = 0;
    o->number = 0;
    o->open = false;
    if (v2)
        transforms(c, end, o);
    count = v2 ? o->now.n : transforms_v1(c, end, o);
    wspi_ike_set(c, at + 2, 2, c->pay.at - at);
    wspi_ike_set(c, at + 7, 1, count);
}

/* Samples: one or two, of IKE; of IKEv1 one. */
static void only_proposed(wspi_coder *c, bool v2, unsigned n)
{
    wspi_app_only(c, 0, n < (v2 ? SAMPLED_PROPOSALS : 1));
}

static void proposals(wspi_coder *c, bool v2, size_t end, uint64_t first)
{
    offer o = {.last = 0};
    size_t last = 0, at;
    uint8_t number = 0;

    for (unsigned n = 0; n < MAX_PROPOSALS && !wspi_app_stopped(c); n++) {
        bool there = c->enc && c->pay.at < end;
        uint64_t v = first;

        if (there && n)
            v = c->pay.in[c->pay.at + 5] |
                (uint64_t)(uint8_t)(c->pay.in[c->pay.at + 4] - (uint8_t)(number + 1)) << 8;
        only_proposed(c, v2, n);
        if (n && !wspi_app_next(c, PROPOSAL, there, &v))
            return;
        if (n)
            wspi_ike_set(c, last, 1, MORE_PROPOSALS);
        last = at = c->pay.at;
        number = (uint8_t)(number + 1 + (v >> 8));
        one_proposal(c, v2, &o, v & 255, number);
        if (!c->enc && c->pay.at == at)
            return;
    }
}

/* The flow's last offer, once more: the client asks again with a cookie, or because no answer came. */
static const uint8_t *last_offer(const wspi_coder *c, size_t *n)
{
    const wsp_context *s = c->ctx;
    bool mine = s->app.id[0] == c->pay.app || s->app.id[1] == c->pay.app;

    *n = mine ? s->name_len : 0;
    return s->name;
}

static uint64_t first_token(const wspi_coder *c, bool v2, size_t n)
{
    const uint8_t *b = c->pay.in + c->pay.at, *last;
    size_t len;

    last = last_offer(c, &len);
    if (n && len == n && memcmp(b, last, n) == 0)
        return AGAIN;
    if (!all_fits(b, n, v2))
        return RAW;
    b += v2 ? 0 : DOMAIN;
    return b[5] | (uint64_t)(uint8_t)(b[4] - 1) << 8;
}

void wspi_ike_sa(wspi_coder *c, bool v2, size_t n)
{
    size_t at = c->pay.at, len;
    const uint8_t *last = last_offer(c, &len);
    uint64_t v;

    only_proposed(c, v2, 0);
    v = wspi_app_code(c, PROPOSAL, false, 0, c->enc ? first_token(c, v2, n) : 0);
    if (wspi_app_stopped(c))
        return;
    if (v == RAW) {
        wspi_ike_sized(c, false, 0, n);
    } else if (v == AGAIN) {
        for (size_t i = 0; i < len && !wspi_app_stopped(c); i++)
            wspi_ike_fixed(c, 1, last[i]);
    } else {
        if (!v2)
            wspi_ike_fixed(c, DOMAIN, DOMAIN_IPSEC);
        proposals(c, v2, at + n, v);
    }
    if (c->pay.at - at <= WSPI_NAME_MAX) {
        c->name_at = at;
        c->name_len = (uint16_t)(c->pay.at - at);
    }
}

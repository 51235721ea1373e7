/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_samples.c: what samples offer in SSH's lists. Both sides have something in common in each of them: X25519, with which lists of key
 * exchanges begin, but for a hybrid one, a key that can be made up, a cipher and a code of usual programs. No name comes twice, and all
 * lists of an offer fit in a segment.
 */
#include "token/app/ssh.h"

#include <stdio.h>

#define PLAIN  "curve25519-sha256"
#define LIBSSH "curve25519-sha256@libssh.org"
#define CHACHA "chacha20-poly1305@openssh.com"

/* An offer is no longer; a name is at most as long; models read what a list is after so many tokens only. */
enum { OFFER_MOST = 1340, NAME_MOST = 64, READ_MOST = WSPI_READ - 8 };

/*
 * By kind: how often a list of it is in the offer, what the kinds behind it take at least with the names that they need, and names
 * of which it has one, wherever it would end else.
 */
static const struct {
    uint8_t times;
    uint16_t rest;
    const char *needs[5];
} kinds[WSPI_SSH_KINDS] = {
    [WSPI_SSH_KEX] = {1, 340, {LIBSSH}},
    [WSPI_SSH_HOST_KEY] =
        {1, 290, {"ssh-ed25519", "ssh-rsa", "rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256"}},
    [WSPI_SSH_CIPHER] = {2, 200, {"aes256-ctr"}},
    [WSPI_SSH_MAC] = {2, 110, {"hmac-sha2-256"}},
    [WSPI_SSH_COMPRESSION] = {2, 30, {"none"}},
};

/* What one side alone says (RFC 8308 2.1, and OpenSSH's PROTOCOL 1.10). */
static const char *const of_side[2][2] = {{"ext-info-c", "kex-strict-c-v00@openssh.com"},
                                          {"ext-info-s", "kex-strict-s-v00@openssh.com"}};

/* Which one of the names in [b, b + n), which have commas between them; 0: none. */
static unsigned place_of(const char *name, const char *b, size_t n)
{
    size_t len = strlen(name), from = 0;

    for (unsigned nth = 1; from < n; nth++) {
        const char *comma = memchr(b + from, ',', n - from);
        size_t end = comma ? (size_t)(comma - b) : n;

        if (end - from == len && memcmp(b + from, name, len) == 0)
            return nth;
        from = end + 1;
    }
    return 0;
}

unsigned wspi_ssh_has(const wspi_coder *c, size_t at, const char *name)
{
    const uint8_t *b = c->enc ? c->pay.in : c->pay.out->data;
    size_t end = c->enc ? c->pay.end : c->pay.out->len;

    end = WSPI_MIN(end, c->pay.at);
    return end > at ? place_of(name, (const char *)b + at, end - at) : 0;
}

/* Keys of X25519 beside those of another kind. */
static bool is_hybrid(const char *name)
{
    return strncmp(name, "sntrup", 6) == 0 || strncmp(name, "mlkem", 5) == 0;
}

static bool has_hybrid(const char *b, size_t n)
{
    unsigned nth = place_of(SSH_HYBRID, b, n);

    return nth == 1 || nth == 2;
}

static bool has_need(unsigned kind, const char *b, size_t n)
{
    for (size_t i = 0; i < WSPI_COUNT(kinds[kind].needs) && kinds[kind].needs[i]; i++)
        if (place_of(kinds[kind].needs[i], b, n))
            return true;
    return false;
}

/* For n more bytes of the list from `at` on (0: it has nothing yet). */
static bool has_room(const wspi_coder *c, unsigned kind, size_t at, size_t n)
{
    size_t own = at ? c->pay.at - at : 0;

    return c->pay.at + (kinds[kind].times - 1u) * own + kinds[kind].times * n + kinds[kind].rest <=
           OFFER_MOST;
}

/*
 * Samples' packets are random and may be short: so they do not agree on a cipher that leaves lengths open, or on a code of 64 bytes.
 * Whoever has such a name has one before it that the other side has as well, if it has the first.
 */
static const struct {
    uint8_t kind;
    const char *name, *before;
} seconds[] = {
    {WSPI_SSH_CIPHER, "aes128-gcm@openssh.com", CHACHA},
    {WSPI_SSH_CIPHER, "aes256-gcm@openssh.com", CHACHA},
    {WSPI_SSH_CIPHER, "AEAD_AES_128_GCM", CHACHA},
    {WSPI_SSH_CIPHER, "AEAD_AES_256_GCM", CHACHA},
    {WSPI_SSH_MAC, "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"},
    {WSPI_SSH_MAC, "hmac-sha2-512", "hmac-sha2-256"},
};

/* Are these names, or the list that begins at `at` before them, in that order? */
static bool has_first(const wspi_coder *c, unsigned kind, const char *s, size_t at)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < WSPI_COUNT(seconds); i++) {
        unsigned nth = seconds[i].kind == kind ? place_of(seconds[i].name, s, n) : 0;
        if (nth && !(at && wspi_ssh_has(c, at, seconds[i].before)) &&
            place_of(seconds[i].before, s, n) - 1u >= nth)
            return false;
    }
    return true;
}

static bool is_of_peer(const wspi_coder *c, const char *name)
{
    return strcmp(name, of_side[!c->dir][0]) == 0 || strcmp(name, of_side[!c->dir][1]) == 0;
}

static bool is_needed(const wspi_coder *c, unsigned kind, const char *name, size_t at)
{
    return has_need(kind, name, strlen(name)) && !wspi_ssh_may_end(c, kind, at);
}

/* Has the list that begins at `at` one of these names? */
static bool has_one_of(const wspi_coder *c, size_t at, const char *names)
{
    const char *b = (const char *)c->pay.out->data + at;
    size_t n = c->pay.at - at;

    for (size_t from = 0, end; from < n; from = end + 1) {
        const char *comma = memchr(b + from, ',', n - from);
        char name[NAME_MOST];

        end = comma ? (size_t)(comma - b) : n;
        (void)snprintf(name, sizeof name, "%.*s", (int)(end - from), b + from);
        if (place_of(name, names, strlen(names)))
            return true;
    }
    return false;
}

/* May a list begin with these names? A whole one has what it needs. */
static bool may_begin(const wspi_coder *c, unsigned kind, const char *s, bool whole)
{
    uint64_t peer = c->app.v[!c->dir][SSH_OFFERS] & SSH_OFFERS_HYBRID;
    size_t n = strlen(s);

    if (!has_room(c, kind, 0, n) || !has_first(c, kind, s, 0) ||
        (whole ? !has_need(kind, s, n) : c->pos >= READ_MOST))
        return false;
    return kind != WSPI_SSH_KEX || place_of(PLAIN, s, n) == 1 ||
           (whole && (place_of(LIBSSH, s, n) == 1 || (has_hybrid(s, n) && !peer)));
}

/* May the list that begins at `at` go on with these? Of key exchanges the second one is that of the first's older name. */
static bool may_follow(const wspi_coder *c, unsigned kind, const char *s, bool whole, size_t at)
{
    bool kex = kind == WSPI_SSH_KEX;

    if ((kex && whole) || has_one_of(c, at, s) || is_of_peer(c, s) || !has_first(c, kind, s, at))
        return false;
    if (!whole && is_needed(c, kind, s, at))
        return true;
    if (kex && (!wspi_ssh_may_end(c, kind, at) || is_hybrid(s)))
        return false;
    return c->pos < READ_MOST && has_room(c, kind, at, strlen(s));
}

static bool may_come(const wspi_coder *c, unsigned kind, unsigned row, size_t at)
{
    const wspi_ssh_names *t = &wspi_ssh_kinds[kind];
    bool whole = row < t->n_lists;
    const char *s = whole ? t->lists[row] : t->rows[row].name;

    if (!whole && row < t->n_lists + SSH_SPECIALS)
        return false;
    return at ? may_follow(c, kind, s, whole, at) : may_begin(c, kind, s, whole);
}

uint64_t wspi_ssh_sampled(const wspi_coder *c, unsigned kind, size_t at)
{
    const wspi_ssh_names *t = &wspi_ssh_kinds[kind];
    uint64_t rows = 0;

    if (!wspi_asked(c))
        return 0;
    for (unsigned k = 0; k < t->n && k < 64; k++)
        if (may_come(c, kind, k, at))
            rows |= UINT64_C(1) << k;
    return rows;
}

bool wspi_ssh_may_end(const wspi_coder *c, unsigned kind, size_t at)
{
    return c->pay.at > at && has_need(kind, (const char *)c->pay.out->data + at, c->pay.at - at);
}

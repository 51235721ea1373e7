/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh.c: SSH over TCP until it is encrypted. RFC 4253 4.2, 6, 7.1, 8; RFC 4419, 5656, 8731:
 * banner:   "SSH-" version "-" software [SP comments] CR LF
 * packet:   | length 32 | padding length 8 | message 8 | body | padding |
 * KEXINIT:  | cookie 128 | ten name-lists | first packet follows 8 | 0 32 |
 * string:   | length 32 | bytes |      name-list: a string of names with commas between
 * A packet that its segment does not hold whole is a list of what is there; its rest, in the next segments, is opaque, and so
 * is everything after NEWKEYS. app.left is one more than the bytes of the packet that are still to come, 0 before the
 * banner: so all of a flow that began with a banner comes here, whatever it looks like.
 */
#include "token/app/ssh.h"

enum {
    PROTOCOL,
    SOFTWARE,
    TEXT,
    LINE,
    MESSAGE,
    BODY,
    NUMBER,
    STRING,
    KEY,
    PADDING,
    FOLLOWS,
    LISTS, /* one field a kind of names */
    FIELDS = LISTS + WSPI_SSH_KINDS,
    OFFERS = SSH_OFFERS /* no field: what a direction's lists have that later messages depend on */
};
/* Of OFFERS, beside SSH_OFFERS_HYBRID: host keys. */
enum { OFFERS_ED25519 = 2, OFFERS_RSA = 4, OFFERS_P256 = 8 };
#define BIT(row) (UINT64_C(1) << (row))

/* mode: how far a direction is; samples follow it. */
enum { BANNER, OPENED, OFFERED, AGREED, SEALED };
enum { CRLF, LF, NO_LINE };
enum { HEAD = 6, COOKIE = 16, LONGEST = 65536, TEXT_SHOWN = 24, NAME_SHOWN = 16, TEXT_MAX = 253 };
enum { SAMPLED_TEXTS = 14 }; /* from 2 to 31 bytes, a version and comments (RFC 4253 4.2) */

static const wspi_value version[] = {{0, "2.0"}, {1, "1.99"}, {2, "1.5"}, {0, NULL}};
enum { VERSION_1_5 = 2, VERSIONS };
/* What software calls itself, up to where its version begins. */
static const wspi_value software[] = {{0, "OpenSSH_"},
                                      {1, "dropbear_"},
                                      {2, "libssh_"},
                                      {3, "libssh2_"},
                                      {4, "paramiko_"},
                                      {5, "unknown"},
                                      {6, "libssh-"},
                                      {7, "PuTTY_Release_"},
                                      {8, "WinSCP_release_"},
                                      {9, "OpenSSH_for_Windows_"},
                                      {10, "Cisco-"},
                                      {11, "JSCH-"},
                                      {12, "Go"},
                                      {13, "AsyncSSH_"},
                                      {14, "Erlang"},
                                      {15, "FileZilla_"},
                                      {16, "TTSSH"},
                                      {17, "ROSSSH"},
                                      {18, "mod_sftp"},
                                      {19, "SSHJ_"},
                                      {20, "APACHE-SSHD-"},
                                      {21, "russh_"},
                                      {22, "Twisted_"},
                                      {23, "HUAWEI-"},
                                      {24, "Comware-"},
                                      {25, "Cisco_server-"},
                                      {26, "Zyxel SSH server"},
                                      {0, NULL}};
enum { SOFTWARE_UNKNOWN = 5, SOFTWARES = 27 };
static const wspi_value line[] = {{CRLF, "crlf"}, {LF, "lf"}, {NO_LINE, "none"}, {0, NULL}};

/*
 * Messages and their bodies: k KEXINIT, n a number of 32 bits, b a byte, s a string, h a host key, g a signature. The first row
 * whose number and body fit. A number means different things in different key exchanges.
 */
enum { KEXINIT, KEXINIT_CUT, PACKET, NEWKEYS, KEX_INIT, KEX_REPLY, IGNORE };
typedef struct form {
    uint8_t number, mode;
    const char *body;
} form;
static const form forms[] = {[KEXINIT] = {20, OFFERED, "k"},
                             [KEXINIT_CUT] = {20, OFFERED, NULL},
                             [PACKET] = {0, 0, NULL},
                             [NEWKEYS] = {21, SEALED, ""},
                             [KEX_INIT] = {30, AGREED, "s"},
                             [KEX_REPLY] = {31, AGREED, "hsg"},
                             [IGNORE] = {2, 0, "s"},
                             {31, AGREED, "ss"},
                             {34, AGREED, "nnn"},
                             {30, AGREED, "n"},
                             {32, AGREED, "s"},
                             {33, AGREED, "hsg"},
                             {1, 0, "nss"},
                             {3, 0, "n"},
                             {4, 0, "bss"}};
static const wspi_value message[] = {{KEXINIT, "kexinit"},
                                     {KEXINIT_CUT, "kexinit-cut"},
                                     {PACKET, "other-packet"},
                                     {NEWKEYS, "newkeys"},
                                     {KEX_INIT, "kex-init"},
                                     {KEX_REPLY, "kex-reply"},
                                     {IGNORE, "ignore"},
                                     {7, "gex-group"},
                                     {8, "gex-request"},
                                     {9, "gex-request-old"},
                                     {10, "gex-init"},
                                     {11, "gex-reply"},
                                     {12, "disconnect"},
                                     {13, "unimplemented"},
                                     {14, "debug"},
                                     {0, NULL}};
/* Lengths: of keys and signatures first, as samples have them. */
enum {
    LENGTHS_32 = 0,
    LENGTHS_64 = 1,
    LENGTHS_3 = 2,
    LENGTHS_RSA = 3,
    LENGTHS_SIG = 7,
    LENGTHS_65 = 11,
    LENGTHS_8 = 16,
    LENGTHS_72 = 22
};
static const wspi_value lengths[] = {
    {32, "32"},     {64, "64"},     {3, "3"},       {257, "257"},   {385, "385"},   {513, "513"},
    {129, "129"},   {256, "256"},   {384, "384"},   {512, "512"},   {128, "128"},   {65, "65"},
    {97, "97"},     {133, "133"},   {0, "0"},       {1, "1"},       {8, "8"},       {20, "20"},
    {21, "21"},     {40, "40"},     {70, "70"},     {71, "71"},     {72, "72"},     {73, "73"},
    {74, "74"},     {104, "104"},   {192, "192"},   {193, "193"},   {768, "768"},   {769, "769"},
    {1024, "1024"}, {1025, "1025"}, {1039, "1039"}, {1071, "1071"}, {1120, "1120"}, {1158, "1158"},
    {1190, "1190"}, {1216, "1216"}, {1249, "1249"}, {1153, "1153"}, {0, NULL}};
/* Kinds of keys and signatures. */
enum { ED25519, RSA, P256 = 4, KEYS = 9, P256_NUMBER = 32 };
static const wspi_value key[] = {{ED25519, "ssh-ed25519"},   {RSA, "ssh-rsa"},
                                 {2, "rsa-sha2-512"},        {3, "rsa-sha2-256"},
                                 {4, "ecdsa-sha2-nistp256"}, {5, "ecdsa-sha2-nistp384"},
                                 {6, "ecdsa-sha2-nistp521"}, {7, "ssh-dss"},
                                 {8, "ssh-ed448"},           {0, NULL}};
static const uint8_t key_strings[KEYS] = {1, 2, 2, 2, 2, 2, 2, 4, 1};
static const wspi_value follows[] = {{0, "no"}, {1, "yes"}, {0, NULL}};

/* Names are of programs, not of hosts: all of it may be learned from. */
static const wspi_field fields[] = {
    [PROTOCOL] = {WSPI_ENUM("ssh.version", 8, version)},
    [SOFTWARE] = {WSPI_ENUM("ssh.software", 8, software)},
    [TEXT] = {WSPI_MAG("ssh.text", 8, WSPI_R_NONE, 2)},
    [LINE] = {WSPI_ENUM("ssh.line-end", 8, line)},
    [MESSAGE] = {WSPI_ENUM("ssh.message", 8, message)},
    [BODY] = {WSPI_MAG("ssh.length", 17, WSPI_R_NONE, 2)},
    [NUMBER] = {WSPI_MAG("ssh.number", 32, WSPI_R_NONE, 0)},
    [STRING] = {WSPI_ENUM("ssh.string", 32, lengths)},
    [KEY] = {WSPI_ENUM("ssh.key", 8, key)},
    [PADDING] = {WSPI_MAG("ssh.padding", 8, WSPI_R_NONE, 2)},
    [FOLLOWS] = {WSPI_ENUM("ssh.kex-follows", 8, follows)},
    [LISTS + WSPI_SSH_KEX] = {WSPI_ENUM("ssh.kex", 16, wspi_ssh_kex_rows)},
    [LISTS + WSPI_SSH_HOST_KEY] = {WSPI_ENUM("ssh.host-key", 16, wspi_ssh_host_key_rows)},
    [LISTS + WSPI_SSH_CIPHER] = {WSPI_ENUM("ssh.cipher", 16, wspi_ssh_cipher_rows)},
    [LISTS + WSPI_SSH_MAC] = {WSPI_ENUM("ssh.mac", 16, wspi_ssh_mac_rows)},
    [LISTS + WSPI_SSH_COMPRESSION] = {WSPI_ENUM("ssh.compression", 16, wspi_ssh_compression_rows)},
};

static bool looks(const uint8_t *b, size_t n)
{
    return n >= 8 && memcmp(b, "SSH-", 4) == 0 && (b[4] == '1' || b[4] == '2') && b[5] == '.';
}

static uint64_t told(wspi_coder *c, unsigned f, unsigned rows, uint64_t v)
{
    v = wspi_app_code(c, f, false, 0, v);
    wspi_app_require(c, v < rows);
    return wspi_app_stopped(c) ? 0 : v;
}

/* ---- banner ---- */

static bool begins(const uint8_t *b, size_t n, const char *s)
{
    return n >= strlen(s) && memcmp(b, s, strlen(s)) == 0;
}

/* Encoding: the longest name that the software's begins with. */
static unsigned software_at(const uint8_t *b, size_t n)
{
    unsigned best = SOFTWARE_UNKNOWN;
    size_t len = 0;

    for (unsigned k = 0; software[k].name; k++)
        if (k != SOFTWARE_UNKNOWN && strlen(software[k].name) > len &&
            begins(b, n, software[k].name)) {
            best = k;
            len = strlen(software[k].name);
        }
    return best;
}

/* Encoding: how the line ends; *n: its bytes before that. */
static unsigned line_end(const wspi_coder *c, size_t *n)
{
    size_t all = wspi_app_captured(c);
    const uint8_t *b = wspi_app_here(c), *lf = all ? memchr(b, '\n', all) : NULL;

    *n = lf ? (size_t)(lf - b) : all;
    if (!lf)
        return NO_LINE;
    if (*n == 0 || lf[-1] != '\r')
        return LF;
    --*n;
    return CRLF;
}

static void software_of(wspi_coder *c)
{
    static const char *const ends[] = {"\r\n", "\n", ""};
    size_t n = 0;
    uint64_t k = 0, end = CRLF;

    if (c->enc && !wspi_app_stopped(c)) {
        end = line_end(c, &n);
        k = software_at(wspi_app_here(c), n);
    }
    k = told(c, SOFTWARE, SOFTWARES, k);
    wspi_app_keep(c, SOFTWARE, ~(UINT64_C(1) << SOFTWARE_UNKNOWN));
    if (k != SOFTWARE_UNKNOWN && !wspi_app_stopped(c)) {
        wspi_app_literal(c, software[k].name);
        n -= c->enc ? strlen(software[k].name) : 0;
    }
    wspi_app_require(c, n <= TEXT_MAX);
    wspi_app_only(c, 2, SAMPLED_TEXTS);
    n = (size_t)wspi_app_code(c, TEXT, false, 0, n);
    wspi_app_text(c, n, TEXT_SHOWN, WSPI_TEXT_LINE);
    wspi_app_only(c, 0, 0);
    end = wspi_app_code(c, LINE, true, CRLF, end);
    wspi_app_require(c, end < WSPI_COUNT(ends));
    if (!wspi_app_stopped(c))
        wspi_app_literal(c, ends[end]);
}

static void banner(wspi_coder *c)
{
    uint64_t k = VERSIONS;

    wspi_app_literal(c, "SSH-");
    for (unsigned i = 0; c->enc && !wspi_app_stopped(c) && i < VERSIONS; i++)
        if (begins(wspi_app_here(c), wspi_app_captured(c), version[i].name))
            k = i;
    wspi_app_only(c, 0, 1);
    k = told(c, PROTOCOL, VERSIONS, k);
    if (wspi_app_stopped(c))
        return;
    wspi_app_literal(c, version[k].name);
    wspi_app_literal(c, "-");
    software_of(c);
    c->app.mode[c->dir] = OPENED;
}

/* ---- what a body is, before it is coded ---- */

/* The string that [0, n) begins with, with its length; 0: none. */
static size_t string_at(const uint8_t *b, size_t n)
{
    return n >= 4 && wspi_load_be(b, 4) <= n - 4 ? wspi_load_be(b, 4) + 4 : 0;
}

static unsigned key_at(const uint8_t *b, size_t n)
{
    unsigned k = 0;

    while (key[k].name && !(strlen(key[k].name) == n && memcmp(key[k].name, b, n) == 0))
        k++;
    return k;
}

/* A key or signature of a known kind, with its length; 0: none. */
static size_t key_blob_at(const uint8_t *b, size_t n, bool host)
{
    size_t all = string_at(b, n), at = 4, len = 0;
    unsigned k, count;

    if (all)
        len = string_at(b + 4, all - 4);
    k = len ? key_at(b + 8, len - 4) : KEYS;
    count = k == KEYS ? 0 : host ? key_strings[k] : 1;
    for (at += len; count && len; at += len, count--)
        len = string_at(b + at, all - at);
    return k < KEYS && len && at == all ? all : 0;
}

static size_t kexinit_at(const uint8_t *b, size_t n)
{
    size_t at = COOKIE, len = 1;

    for (int i = 0; i < 10 && at < n && len; i++, at += len) {
        len = string_at(b + at, n - at);
        if (i >= 8 && len != 4) /* languages */
            return 0;
    }
    return len && n == at + 5 && b[at] <= 1 && wspi_load_be(b + at + 1, 4) == 0 ? n : 0;
}

static size_t part_at(char part, const uint8_t *b, size_t n)
{
    switch (part) {
    case 'k': return kexinit_at(b, n);
    case 'n': return n >= 4 ? 4 : 0;
    case 'b': return n >= 1;
    case 's': return string_at(b, n);
    default: return key_blob_at(b, n, part == 'h');
    }
}

static bool fits(const char *body, const uint8_t *b, size_t n)
{
    size_t at = 0, len = 1;

    for (; *body && len; body++, at += len)
        len = part_at(*body, b + at, n - at);
    return len && at == n;
}

/* Encoding: the row of the packet that comes next; PACKET if its form is none. */
static unsigned next_packet(wspi_coder *c)
{
    const uint8_t *b = wspi_app_here(c);
    size_t n = wspi_app_captured(c), len;
    bool whole;

    if (n < HEAD || wspi_load_be(b, 4) < 5 || wspi_load_be(b, 4) > LONGEST ||
        b[4] + 2u > wspi_load_be(b, 4) || b[4] < 4 || b[5] == 0 || (b[5] > 7 && b[5] < 20) ||
        b[5] > 41) {
        wspi_app_fail(c);
        return PACKET;
    }
    len = wspi_load_be(b, 4) + 4;
    whole = len <= n;
    if (!whole && b[5] == 20 && n >= HEAD + COOKIE)
        return KEXINIT_CUT;
    for (unsigned k = 0; whole && k < WSPI_COUNT(forms); k++)
        if (forms[k].body && forms[k].number == b[5] &&
            fits(forms[k].body, b + HEAD, len - b[4] - HEAD))
            return k;
    return PACKET;
}

/* ---- name-lists ---- */

/* Encoding: the row that [0, n) begins with, whole names only; the longest. */
static unsigned row_at(const wspi_ssh_names *t, const uint8_t *b, size_t n)
{
    unsigned best = t->n_lists + SSH_UNKNOWN;
    size_t longest = 0;

    for (unsigned k = 0; k < t->n; k++) {
        const char *s = k < t->n_lists ? t->lists[k] : t->rows[k].name;
        size_t len = strlen(s);
        if ((k >= t->n_lists && k < t->n_lists + SSH_SPECIALS) || len <= longest ||
            !begins(b, n, s) || (n > len && b[len] != ','))
            continue;
        best = k;
        longest = len;
    }
    return best;
}

static unsigned first_row(const wspi_coder *c, const wspi_ssh_names *t)
{
    size_t n = wspi_app_captured(c), len = string_at(wspi_app_here(c), n);

    if (len == 0)
        return t->n_lists + SSH_CUT;
    return len == 4 ? t->n_lists + SSH_EMPTY : row_at(t, wspi_app_here(c) + 4, len - 4);
}

static void row(wspi_coder *c, const wspi_ssh_names *t, uint64_t k, size_t end)
{
    size_t n = 0;

    if (wspi_app_stopped(c))
        return;
    if (k == t->n_lists + SSH_UNKNOWN) {
        while (c->enc && c->pay.at + n < end && wspi_app_here(c)[n] != ',')
            n++;
        wspi_app_require(c, n <= TEXT_MAX);
        n = (size_t)wspi_app_code(c, TEXT, false, 0, n);
        wspi_app_text(c, n, NAME_SHOWN, WSPI_TEXT_NAME);
    } else if (k < t->n_lists) {
        wspi_app_literal(c, t->lists[k]);
    } else if (k >= t->n_lists + SSH_SPECIALS) {
        wspi_app_literal(c, t->rows[k].name);
    } else {
        wspi_app_require(c, k == t->n_lists + SSH_EMPTY);
    }
}

/* The names from `at` on, as far as they are here, and what of them later messages depend on. */
static void note_offers(wspi_coder *c, unsigned kind, size_t at)
{
    static const struct {
        const char *name;
        uint8_t offers;
    } keys[] = {{"ssh-ed25519", OFFERS_ED25519},
                {"ssh-rsa", OFFERS_RSA},
                {"rsa-sha2-512", OFFERS_RSA},
                {"rsa-sha2-256", OFFERS_RSA},
                {"ecdsa-sha2-nistp256", OFFERS_P256}};
    uint64_t *v = &c->app.v[c->dir][OFFERS];

    if (wspi_app_stopped(c) || c->pay.at <= at)
        return;
    if (kind == WSPI_SSH_KEX)
        *v = wspi_ssh_has(c, at, SSH_HYBRID) ? SSH_OFFERS_HYBRID : 0;
    if (kind == WSPI_SSH_HOST_KEY)
        for (size_t i = 0; i < WSPI_COUNT(keys); i++)
            *v |= wspi_ssh_has(c, at, keys[i].name) ? keys[i].offers : 0u;
}

/*
 * A list. `other`: the other way's list follows and is not the same. Returns how it ended: with SSH_CUT the segment ends within
 * it; SSH_OTHER_WAY: the other way's list comes as rows.
 */
static unsigned names(wspi_coder *c, unsigned kind, bool other)
{
    const wspi_ssh_names *t = &wspi_ssh_kinds[kind];
    unsigned f = LISTS + kind, special = t->n_lists;
    uint64_t k = c->enc && !wspi_app_stopped(c) ? first_row(c, t) : 0;
    bool more = true, asked;
    wspi_app_span s;

    k = told(c, f, t->n, k);
    wspi_app_keep(c, f, wspi_ssh_sampled(c, kind, 0));
    if (wspi_app_stopped(c) || k == special + SSH_CUT)
        return SSH_CUT;
    s = wspi_app_open(c, 4);
    row(c, t, k, s.end);
    while (!wspi_app_stopped(c)) {
        bool inside = c->enc && wspi_app_inside(c, &s);
        k = special + SSH_OTHER_WAY;
        if (inside)
            k = row_at(t, wspi_app_here(c) + 1, s.end - c->pay.at - 1);
        asked = wspi_asked(c);
        more = wspi_app_next(c, f, inside || (c->enc && other), &k);
        wspi_app_keep(c, f, wspi_ssh_sampled(c, kind, s.at));
        c->need = c->need || (asked && !more && !wspi_ssh_may_end(c, kind, s.at));
        if (!more || k == special + SSH_OTHER_WAY)
            break;
        wspi_app_require(c, k < t->n);
        wspi_app_literal(c, ",");
        row(c, t, k, s.end);
    }
    note_offers(c, kind, s.at);
    wspi_app_close(c, s);
    return more ? SSH_OTHER_WAY : SSH_EMPTY;
}

/* The bytes [from, at) again. */
static void again(wspi_coder *c, size_t from)
{
    size_t n = c->pay.at - from;
    uint8_t *b;

    if (wspi_app_stopped(c))
        return;
    if (!c->fill && wspi_app_captured(c) < n) {
        wspi_app_fail(c);
        return;
    }
    if (c->enc) {
        c->pay.at += n;
        return;
    }
    b = wspi_payload_room(c, n);
    if (b)
        memcpy(b, c->pay.out->data + from, n);
    c->pay.at += n;
}

/* Is the list behind the next one another one, or not all there? */
static bool differs(const wspi_coder *c)
{
    size_t all = wspi_app_captured(c), n = string_at(wspi_app_here(c), all);

    return n && (all < 2 * n || memcmp(wspi_app_here(c), wspi_app_here(c) + n, n) != 0);
}

/* Both ways of a kind; false: the segment ends before. */
static bool both_ways(wspi_coder *c, unsigned kind)
{
    size_t from = c->pay.at;
    unsigned end = names(c, kind, c->enc && !wspi_app_stopped(c) && differs(c));

    if (end == SSH_EMPTY)
        again(c, from);
    return end == SSH_EMPTY || (end == SSH_OTHER_WAY && names(c, kind, false) == SSH_EMPTY);
}

/* false: the segment ends before the last list does. */
static bool lists(wspi_coder *c)
{
    for (unsigned kind = 0; kind < WSPI_SSH_KINDS; kind++) {
        bool all = kind < WSPI_SSH_CIPHER ? names(c, kind, false) == SSH_EMPTY : both_ways(c, kind);
        if (!all || wspi_app_stopped(c))
            return false;
    }
    return true;
}

/* A number of n bytes that both sides know. */
static void constant(wspi_coder *c, size_t n, uint64_t v)
{
    uint64_t got = wspi_app_get(c, n);

    wspi_app_require(c, !c->enc || got == v);
    wspi_app_put(c, n, v);
}

static void kexinit(wspi_coder *c)
{
    wspi_app_opaque(c, COOKIE);
    wspi_app_require(c, lists(c) || c->need);
    constant(c, 8, 0); /* no languages */
    wspi_app_only(c, 0, 0);
    (void)wspi_app_field(c, FOLLOWS, 1, true, 0);
    constant(c, 4, 0);
}

/* ---- bodies ---- */

static void string(wspi_coder *c, unsigned from, unsigned count)
{
    wspi_app_only(c, from, count);
    wspi_app_opaque(c, (size_t)wspi_app_field(c, STRING, 4, false, 0));
}

/* Samples: rows of keys of the kinds that the server has offered; of a signature, that the key makes. */
static uint64_t sampled_keys(const wspi_coder *c, bool host)
{
    uint64_t offers = c->app.v[c->dir][OFFERS], key_is = c->app.v[c->dir][KEY], rows = 0;

    if (host) {
        rows |= (offers & OFFERS_RSA ? BIT(RSA) : 0) | (offers & OFFERS_P256 ? BIT(P256) : 0);
        return rows | (offers & OFFERS_ED25519 || !rows ? BIT(ED25519) : 0);
    }
    return key_is == RSA ? BIT(RSA) | BIT(RSA + 1) | BIT(RSA + 2) : BIT(key_is);
}

/* Samples: a string of the row's length, whose beginning is known. */
static void known_string(wspi_coder *c, unsigned length, const char *begin, size_t n)
{
    size_t len;

    wspi_app_only(c, length, 1);
    len = (size_t)wspi_app_field(c, STRING, 4, false, 0);
    wspi_app_put_bytes(c, begin, n);
    wspi_app_opaque(c, len - WSPI_MIN(n, len));
}

/* Samples (RFC 5656 3.1): a curve and an uncompressed point; two numbers, which have 32 bytes in samples. */
static void p256(wspi_coder *c, bool host)
{
    if (host) {
        known_string(c, LENGTHS_8, "nistp256", 8);
        known_string(c, LENGTHS_65, "\x04", 1);
        return;
    }
    wspi_app_only(c, LENGTHS_72, 1);
    (void)wspi_app_field(c, STRING, 4, false, 0);
    for (int i = 0; i < 2; i++) {
        wspi_app_put(c, 4, P256_NUMBER);
        wspi_app_put(c, 1, 0x40 | (wspi_rng_u64(&c->rng) & 0x3f));
        wspi_app_opaque(c, P256_NUMBER - 1);
    }
}

static void key_blob(wspi_coder *c, bool host)
{
    wspi_app_span all = wspi_app_open(c, 4), s = wspi_app_open(c, 4);
    uint64_t k = ED25519, rows;
    unsigned count;

    if (c->enc && !wspi_app_stopped(c))
        k = key_at(wspi_app_here(c), s.end - s.at);
    rows = c->fill ? sampled_keys(c, host) : 0;
    k = told(c, KEY, KEYS, k);
    wspi_app_keep(c, KEY, rows);
    if (wspi_app_stopped(c))
        return;
    wspi_app_literal(c, key[k].name);
    wspi_app_close(c, s);
    count = k == P256 && c->fill ? 0 : host ? key_strings[k] : 1;
    if (count == 0)
        p256(c, host);
    for (unsigned i = 0; i < count; i++) {
        if (k == ED25519)
            string(c, host ? LENGTHS_32 : LENGTHS_64, 1);
        else if (host)
            string(c, i ? LENGTHS_RSA : LENGTHS_3, i ? 3 : 1);
        else
            string(c, LENGTHS_SIG, 3);
    }
    wspi_app_close(c, all);
}

static void part(wspi_coder *c, char what)
{
    switch (what) {
    case 'k': kexinit(c); break;
    case 'n': (void)wspi_app_field(c, NUMBER, 4, false, 0); break;
    case 'b': (void)wspi_app_field(c, NUMBER, 1, false, 0); break;
    case 's': string(c, LENGTHS_32, 1); break;
    default: key_blob(c, what == 'h'); break;
    }
}

/* ---- packets ---- */

/* A packet of which a part may be missing, after its length was told: what is here of it is opaque from `lists` on. */
static void broken(wspi_coder *c, bool offer)
{
    size_t left = wspi_app_left(c);
    uint64_t len = wspi_app_field(c, BODY, 4, true, left > 4 ? left - 4 : 0);
    size_t start = c->pay.at, passed, rest;

    if (offer && !wspi_app_stopped(c)) {
        wspi_app_opaque(c, 1);
        constant(c, 1, 20);
        wspi_app_opaque(c, COOKIE);
        (void)lists(c);
    }
    passed = c->pay.at - start;
    wspi_app_require(c, len <= LONGEST && passed <= len);
    if (wspi_app_stopped(c))
        return;
    rest = (size_t)WSPI_MIN(len - passed, (uint64_t)wspi_app_left(c));
    wspi_app_opaque(c, rest);
    c->app.left[c->dir] = (uint32_t)(len - passed - rest) + 1;
}

/* A packet that is whole: lengths follow from what is in it. */
static void whole(wspi_coder *c, const form *m)
{
    size_t start = c->pay.at, end, want;
    uint64_t len = wspi_app_get(c, 4), padding = wspi_app_get(c, 1);

    wspi_app_put(c, 4, 0);
    wspi_app_put(c, 1, 0);
    constant(c, 1, m->number);
    for (const char *p = m->body; *p && !wspi_app_stopped(c); p++)
        part(c, *p);
    want = 8 - (c->pay.at - start) % 8;
    want += want < 4 ? 8 : 0;
    wspi_app_only(c, 0, 0);
    padding = wspi_app_code(c, PADDING, true, want, padding);
    wspi_app_opaque(c, (size_t)padding);
    end = c->pay.at - start - 4;
    wspi_app_require(c, !c->enc || len == end);
    for (size_t i = 0; !c->enc && !wspi_app_stopped(c) && i < 4; i++)
        c->pay.out->data[start + i] = (uint8_t)(end >> 8 * (3 - i));
    if (!c->enc && !wspi_app_stopped(c))
        c->pay.out->data[start + 4] = (uint8_t)padding;
}

/* The message that a sample's direction sends now: what it waits for comes first, and meanwhile it sends IGNORE. */
static unsigned turn(const wspi_coder *c)
{
    unsigned mine = c->app.mode[c->dir], theirs = c->app.mode[!c->dir];

    if (mine == OPENED)
        return theirs >= OPENED ? KEXINIT : IGNORE;
    if (mine == OFFERED)
        return theirs >= (c->dir ? AGREED : OFFERED) ? (c->dir ? KEX_REPLY : KEX_INIT) : IGNORE;
    return theirs >= AGREED ? NEWKEYS : IGNORE;
}

static void packet(wspi_coder *c, uint64_t k)
{
    wspi_app_require(c, k < WSPI_COUNT(forms));
    if (wspi_app_stopped(c))
        return;
    if (k == PACKET || k == KEXINIT_CUT)
        broken(c, k == KEXINIT_CUT);
    else
        whole(c, &forms[k]);
    if (k != PACKET && forms[k].mode)
        c->app.mode[c->dir] = forms[k].mode;
}

/* Is this direction encrypted, or of version 1, whose packets are others? */
static bool sealed(const wspi_coder *c)
{
    return c->app.mode[c->dir] == SEALED || c->app.v[c->dir][PROTOCOL] == VERSION_1_5 ||
           (c->app.id[!c->dir] == c->pay.app && c->app.v[!c->dir][PROTOCOL] == VERSION_1_5);
}

static void packets(wspi_coder *c)
{
    uint64_t k = 0;

    while (!wspi_app_stopped(c) && !sealed(c) && c->app.left[c->dir] == 1) {
        bool first = c->pay.at == 0, there = c->enc && wspi_app_captured(c) > 0;

        if (there)
            k = next_packet(c);
        wspi_app_only(c, turn(c), first || turn(c) != IGNORE);
        if (first)
            k = wspi_app_code(c, MESSAGE, false, 0, k);
        else if (!wspi_app_next(c, MESSAGE, there, &k))
            return;
        packet(c, k);
    }
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir], n;

    if (*left == 0) {
        banner(c);
        *left = 1;
    } else if (*left > 1 && !c->fill) {
        n = (uint32_t)WSPI_MIN(*left - 1, wspi_app_left(c));
        *left -= n;
        wspi_app_opaque(c, n);
    }
    packets(c);
    if (wspi_app_stopped(c) || !sealed(c))
        return;
    if (!c->fill)
        wspi_app_opaque(c, wspi_app_left(c));
    else if (c->pay.at == 0)
        wspi_app_opaque(c, (WSPI_MAX(wspi_app_left(c), (size_t)36) + 3) & ~(size_t)3);
}

const wspi_app wspi_app_ssh = {
    .proto = {.name = "ssh", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {22},
};

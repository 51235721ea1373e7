/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_samples.c: what is opaque in samples of LDAP: filters (RFC 4511 4.5.1.7), attributes and their values; of the search for a
 * domain controller SIDs and GUIDs ([MS-ADTS] 6.3.3, [MS-DTYP] 2.4.2) and the controller (6.3.1.9). Lengths are below 128, and
 * those of what holds elements are written as the message's are.
 */
#include "token/app/ldap_samples.h"

#include "token/app/dns_data.h"

enum { NT_VERSION = 81, DOMAIN_SID = 84, DOMAIN_GUID = 85 }; /* words of attributes */
enum { GUID = 16, SID = 24, PIECE = 60 };
enum { CONSTRUCTED = 0x20, OCTETS = 4, SEQUENCE = 0x30, SET = 0x31, EQUAL = 0xa3, ANY = 0x81 };

static void noise(wspi_coder *c, size_t n)
{
    for (; n; n--)
        wspi_app_put(c, 1, wspi_rng_u64(&c->rng) & 255);
}

static void letters(wspi_coder *c, size_t n)
{
    for (; n; n--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&c->rng, 26));
}

/* Bytes of tag and length: the second one takes one byte, two more or four more behind one that says so. */
static size_t head_len(const wspi_coder *c, unsigned tag)
{
    uint8_t form = c->app.mode[c->dir];

    return !(tag & CONSTRUCTED) ? 2u : form == WSPI_FORM_3 ? 4u : form == WSPI_FORM_5 ? 6u : 2u;
}

/* Of an element of n bytes: how many its contents have. */
static size_t head(wspi_coder *c, unsigned tag, size_t n)
{
    size_t len = head_len(c, tag);

    wspi_app_put(c, 1, tag);
    if (len > 2)
        wspi_app_put(c, 1, 0x80 + len - 2);
    wspi_app_put(c, len > 2 ? len - 2 : 1, n - len);
    return n - len;
}

static void octets(wspi_coder *c, const char *s)
{
    (void)head(c, OCTETS, 2 + strlen(s));
    wspi_app_put_bytes(c, s, strlen(s));
}

/* Of n bytes that are filled by pieces of `least` and more: the next piece. */
static size_t piece(size_t n, size_t least)
{
    return n < PIECE + least ? n : PIECE;
}

/* ---- values ---- */

size_t wspi_ldap_asserted(uint64_t attribute)
{
    return attribute == NT_VERSION    ? 4
           : attribute == DOMAIN_SID  ? SID
           : attribute == DOMAIN_GUID ? GUID
                                      : 0;
}

/* S-1-5-21 and three numbers. */
static void sid(wspi_coder *c)
{
    static const char begins[] = "\x01\x04\0\0\0\0\0\x05\x15\0\0\0";

    wspi_app_put_bytes(c, begins, sizeof begins - 1);
    noise(c, SID - (sizeof begins - 1));
}

void wspi_ldap_assertion(wspi_coder *c, uint64_t attribute, size_t n)
{
    if (attribute == NT_VERSION)
        wspi_app_put_bytes(c, "\x16\0\0\x20", 4); /* versions 1, 5, 5EX; by its IP address */
    else if (attribute == DOMAIN_SID)
        sid(c);
    else if (attribute == DOMAIN_GUID)
        noise(c, GUID);
    else
        letters(c, n);
}

bool wspi_ldap_is_netlogon(uint64_t attribute)
{
    return attribute == 79 || attribute == 80;
}

/* One label and the root, or, where it is not empty, a pointer behind it. */
static void label(wspi_coder *c, size_t n, unsigned pointer)
{
    wspi_app_put(c, 1, n);
    letters(c, n);
    wspi_app_put(c, pointer ? 2 : 1, pointer ? 0xc000 | pointer : 0);
}

/* NETLOGON_SAM_LOGON_RESPONSE_EX: the forest, then the same domain, the host in it, NetBIOS names, nobody, the sites. */
void wspi_ldap_controller(wspi_coder *c, size_t n)
{
    enum { FOREST = 24, WITHOUT = 24 + 2 + 9 + 9 + 9 + 1 + 9 + 2 + 8 };
    uint8_t forest[64];
    size_t most = WSPI_MAX(n, (size_t)WITHOUT + 3) - WITHOUT, len = WSPI_MIN(most, sizeof forest);

    wspi_app_put_bytes(c, "\x17\0\0\0\xfd\xf3\0\0", 8); /* the answer, and what it is good for */
    noise(c, GUID);
    wspi_dns_name(c, forest, len, false);
    wspi_app_put_bytes(c, (const char *)forest, len);
    wspi_app_put(c, 2, 0xc000 | FOREST);
    label(c, 6, FOREST);
    label(c, 7, 0);
    label(c, 7, 0);
    wspi_app_put(c, 1, 0);
    label(c, 7, 0);
    wspi_app_put(c, 2, 0xc000 | (FOREST + len + 2 + 9 + 9 + 9 + 1));
    wspi_app_put_bytes(c, "\x05\0\0\0\xff\xff\xff\xff", 8); /* version, tokens */
}

/* ---- more of a list ---- */

/* A string of n bytes with its head. */
static void string(wspi_coder *c, unsigned tag, size_t n)
{
    letters(c, head(c, tag, n));
}

/* (cn=...), or of a search for a controller the domain's SID; n: 12 at least. */
void wspi_ldap_filters(wspi_coder *c, uint64_t attribute, size_t n)
{
    if (wspi_ldap_asserted(attribute) && wspi_bin(n, 1) == wspi_bin(39, 1)) {
        (void)head(c, EQUAL, head_len(c, EQUAL) + 11 + 2 + SID);
        octets(c, "DomainSid");
        (void)head(c, OCTETS, 2 + SID);
        sid(c);
        return;
    }
    for (size_t k; n >= 12 && !c->bad; n -= k) {
        k = piece(n, 12);
        size_t in = head(c, EQUAL, k);
        octets(c, "cn");
        string(c, OCTETS, in - 4);
    }
}

void wspi_ldap_substring(wspi_coder *c, size_t n)
{
    string(c, ANY, WSPI_MAX(n, 3u));
}

void wspi_ldap_words(wspi_coder *c, size_t n)
{
    for (size_t k; n >= 3 && !c->bad; n -= k) {
        k = piece(n, 3);
        string(c, OCTETS, k);
    }
}

/* | type | { value } | */
void wspi_ldap_attributes(wspi_coder *c, size_t n)
{
    const size_t least = 2 * head_len(c, SEQUENCE) + 12;

    for (size_t k; n >= least && !c->bad; n -= k) {
        k = piece(n, least);
        size_t in = head(c, SEQUENCE, k);
        octets(c, "mail");
        string(c, OCTETS, head(c, SET, in - 6));
    }
}

/* ---- names of entries ---- */

enum { OF_DOMAIN, DOMAIN_ROOM = 32, NAME_MANTISSA = 1 };

/* "dc=...,dc=example", 18 to 21 bytes; 0: the root. */
static size_t domain(const wspi_coder *c, char s[DOMAIN_ROOM])
{
    static const char begin[] = "dc=", end[] = ",dc=example";
    wspi_rng r = wspi_app_of_flow(c, OF_DOMAIN);
    size_t n = sizeof begin - 1, letters = 4 + (size_t)wspi_rng_below(&r, 4);

    if (!wspi_app_is_stream(c))
        return 0;
    memcpy(s, begin, n);
    for (; letters; letters--)
        s[n++] = (char)('a' + wspi_rng_below(&r, 26));
    memcpy(s + n, end, sizeof end - 1);
    return n + sizeof end - 1;
}

void wspi_ldap_which_base(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    char s[DOMAIN_ROOM];

    *from = c->fill ? (uint8_t)wspi_bin(domain(c, s), NAME_MANTISSA) : 0;
    *count = 1;
}

void wspi_ldap_base(wspi_coder *c, size_t n)
{
    char s[DOMAIN_ROOM];
    size_t len = domain(c, s);

    if (wspi_bin(n, NAME_MANTISSA) == wspi_bin(len, NAME_MANTISSA))
        wspi_app_put_bytes(c, s, len);
    else
        wspi_app_text(c, n, 0, WSPI_TEXT_NAME);
}

/* "cn=...," before the domain: 26 to 31 bytes. */
enum { ENTRY_LEAST = 24, ENTRY_LETTERS = 4 };

void wspi_ldap_which_entry(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    char s[DOMAIN_ROOM];

    *from = c->fill && domain(c, s) ? (uint8_t)wspi_bin(ENTRY_LEAST, NAME_MANTISSA) : 0;
    *count = 1;
}

void wspi_ldap_entry(wspi_coder *c, size_t n)
{
    char s[DOMAIN_ROOM];
    size_t len = domain(c, s), letters = ENTRY_LETTERS + (size_t)wspi_rng_below(&c->rng, 3);

    if (len == 0 || wspi_bin(n, NAME_MANTISSA) != wspi_bin(ENTRY_LEAST, NAME_MANTISSA)) {
        wspi_app_text(c, n, 0, WSPI_TEXT_NAME);
        return;
    }
    wspi_app_put_bytes(c, "cn=", 3);
    for (; letters; letters--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&c->rng, 26));
    wspi_app_put_bytes(c, ",", 1);
    wspi_app_put_bytes(c, s, len);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* http_words.c: looking up words of HTTP and its dialects; what they share; numbers and dates. */
#include "token/app/http.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

const wspi_value wspi_http_forms[] = {
    {0, "usual"}, {1, "no-space"}, {2, "bare-lf"}, {3, "compact"},  {4, "raw"},
    {5, "cut"},   {6, "rest"},     {7, "anew"},    {8, "no-slash"}, {0, NULL}};

const wspi_value wspi_http_bodies[] = {{1, "text"}, {0, NULL}};

/* ---- looking up ---- */

enum { SLOTS = WSPI_HTTP_SLOTS };

static size_t slot_of(const uint8_t *b, size_t n)
{
    uint32_t h = (uint32_t)n << 24 | (uint32_t)b[0] << 16 | (uint32_t)b[n / 2] << 8 | b[n - 1];

    return (size_t)(h * 0x9e3779b1u >> 23);
}

static void add_words(wspi_http_table *w, const wspi_value *list, unsigned count)
{
    memset(w->slot, ABSENT, sizeof w->slot);
    for (unsigned k = 0; k < count; k++) {
        size_t n = strlen(list[k].name), i = n ? slot_of((const uint8_t *)list[k].name, n) : 0;
        while (w->slot[i] != ABSENT)
            i = (i + 1) % SLOTS;
        w->slot[i] = (uint8_t)k;
        w->len[k] = (uint8_t)n;
    }
}

static unsigned find_word(const wspi_http_table *w, const wspi_value *list, const uint8_t *b,
                          size_t n)
{
    size_t i = n ? slot_of(b, n) : 0;
    unsigned k = n ? w->slot[i] : ABSENT;

    while (k != ABSENT && (w->len[k] != n || memcmp(list[k].name, b, n) != 0)) {
        i = (i + 1) % SLOTS;
        k = w->slot[i];
    }
    return k;
}

/* Which headers have the same name as each other, whatever the case of its letters. */
static void find_alike(wspi_http_words *w, const wspi_value *list, unsigned count)
{
    for (unsigned k = 0; k < count; k++)
        for (unsigned i = 0; i < count; i++)
            if (strcasecmp(list[i].name, list[k].name) == 0)
                w->alike[k][i / 64] |= UINT64_C(1) << i % 64;
}

void wspi_http_prepare(void)
{
    static const wspi_http_dialect *const all[] = {&wspi_http, &wspi_ssdp, &wspi_sip, &wspi_rtsp};

    _Static_assert((int)ABSENT == (int)H_OTHER, "what is not found");
    for (size_t k = 0; k < WSPI_COUNT(all); k++) {
        const wspi_http_dialect *d = all[k];
        assert(d->n_commons < SLOTS / 4 &&
               d->n_headers < SLOTS / 4); /* the tables are large enough */
        add_words(&d->words->commons, d->commons, d->n_commons);
        add_words(&d->words->headers, d->headers, d->n_headers);
        find_alike(d->words, d->headers, d->n_headers);
        for (const wspi_value *s = d->starts; s->name; s++) {
            d->words->begins[(uint8_t)s->name[0]] |= 1;
            d->words->begins[(uint8_t)s->name[1]] |= 2;
        }
    }
}

unsigned wspi_http_common(const wspi_http_dialect *d, const uint8_t *b, size_t n)
{
    return find_word(&d->words->commons, d->commons, b, n);
}

unsigned wspi_http_header(const wspi_http_dialect *d, const uint8_t *b, size_t n)
{
    return find_word(&d->words->headers, d->headers, b, n);
}

unsigned wspi_http_prefix(const wspi_http_dialect *d, const uint8_t *b, size_t n)
{
    for (unsigned k = 0; n > 2 && k < d->n_prefixes; k++) {
        const char *name = d->prefixes[k].name;
        if (name[0] == (char)b[0] && name[1] == (char)b[1]) {
            size_t len = strlen(name);
            if (len <= n && memcmp(b, name, len) == 0)
                return k;
        }
    }
    return ABSENT;
}

/* ---- numbers and dates ---- */

uint64_t wspi_http_decimal(const uint8_t *b, size_t n)
{
    uint64_t v = 0;

    if (n == 0 || n > 12 || (n > 1 && b[0] == '0'))
        return NO_NUMBER;
    for (size_t i = 0; i < n; i++) {
        if (b[i] < '0' || b[i] > '9')
            return NO_NUMBER;
        v = v * 10 + (b[i] - '0');
    }
    return WSPI_MIN(v, NO_NUMBER);
}

enum { DAY = 86400 };
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static unsigned month_days(unsigned year, unsigned m)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[m] + (unsigned)(m == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

void wspi_http_date_write(char s[DATE_LEN + 1], uint32_t secs)
{
    static const char names[] = "ThuFriSatSunMonTueWed";
    unsigned day = secs / DAY, week = day % 7, year = 1970, m = 0, t = secs % DAY;

    for (; day >= 365u + (month_days(year, 1) == 29); year++)
        day -= 365u + (month_days(year, 1) == 29);
    for (; day >= month_days(year, m); m++)
        day -= month_days(year, m);
    (void)snprintf(s, DATE_LEN + 1, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", names + 3 * week,
                   (day + 1) % 100, months + 3 * m, year % 10000, t / 3600 % 100, t / 60 % 60,
                   t % 60);
}

bool wspi_http_date_read(const uint8_t b[DATE_LEN], uint64_t *secs)
{
    uint64_t day = b[5] == '0' ? wspi_http_decimal(b + 6, 1) : wspi_http_decimal(b + 5, 2),
             year = wspi_http_decimal(b + 12, 4);
    unsigned m = 0;
    char s[DATE_LEN + 1];

    if (day == 0 || day > 31 || year < 1970 || year > 2105)
        return false;
    while (m < 12 && memcmp(months + (size_t)3 * m, b + 8, 3) != 0)
        m++;
    if (m == 12)
        return false;
    day--;
    for (unsigned y = 1970; y < year; y++)
        day += 365u + (month_days(y, 1) == 29);
    while (m-- > 0)
        day += month_days((unsigned)year, m);
    *secs = day * DAY + ((b[17] - 48u) * 10 + b[18] - 48u) % 24 * 3600 +
            ((b[20] - 48u) * 10 + b[21] - 48u) % 60 * 60 + ((b[23] - 48u) * 10 + b[24] - 48u) % 60;
    wspi_http_date_write(s, (uint32_t)*secs);
    return *secs <= UINT32_MAX && memcmp(s, b, DATE_LEN) == 0;
}

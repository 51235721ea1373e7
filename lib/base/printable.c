/* SPDX-License-Identifier: Apache-2.0 */
/* printable.c: what of a text may be shown: names of files and labels are bytes of others, and a terminal obeys some of them. */
#include "base/base.h"

/*
 * Bytes of the character at s if it may be shown, else 0: UTF-8 as RFC 3629 has it, and no control character, neither those of
 * ASCII nor those behind it (U+0080 to U+009F), which terminals obey, too.
 */
static size_t shown(const uint8_t *s)
{
    static const struct {
        uint8_t first, last; /* of the lead byte */
        uint8_t low,
            high; /* of the byte behind it: what is not overlong, no surrogate, at most U+10FFFF */
        uint8_t len;
    } forms[] = {
        {0x20, 0x7e, 0x00, 0xff, 1}, {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;

    while (i < WSPI_COUNT(forms) && (s[0] < forms[i].first || s[0] > forms[i].last))
        i++;
    if (i == WSPI_COUNT(forms) || s[1] < forms[i].low || s[1] > forms[i].high)
        return 0;
    for (size_t k = 2; k < forms[i].len; k++)
        if (s[k] >> 6 != 2)
            return 0;
    return forms[i].len;
}

bool wsp_is_printable(const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t n = 1;

    while (*s && n) {
        n = shown(s);
        s += n;
    }
    return !*s;
}

void wsp_make_printable(char *text)
{
    for (size_t n; *text; text += n) {
        n = shown((const uint8_t *)text);
        if (n)
            continue;
        *text = '?';
        n = 1;
    }
}

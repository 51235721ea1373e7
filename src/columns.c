/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c: a letter of UTF-8 is its first byte; the others are 10xxxxxx. */
#include "columns.h"

#include <stdbool.h>

static bool goes_on(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

int columns_pad(const char *text, int columns)
{
    int width = columns;

    for (; *text; text++)
        width += goes_on(*text);
    return width;
}

int columns_cut(const char *text, int columns)
{
    int bytes = 0;

    for (; text[bytes]; bytes++)
        if (!goes_on(text[bytes]) && columns-- == 0)
            break;
    return bytes;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* number.c: numbers in texts that other machines read: as the C locale has them, whatever the locale of the program is. */
#include "base/base.h"

#include <locale.h>
#include <stdio.h>

/* The thread's locale is C until leave(). false: no memory. */
static bool enter(locale_t *c, locale_t *before)
{
    *c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (*c)
        *before = uselocale(*c);
    return *c != (locale_t)0;
}

static void leave(locale_t c, locale_t before)
{
    (void)uselocale(before);
    freelocale(c);
}

bool wspi_number_read(const char *text, const char **end, double *v)
{
    locale_t c, before;
    char *stop = NULL;

    *v = 0;
    *end = text;
    if (!enter(&c, &before))
        return false;
    *v = strtod(text, &stop);
    leave(c, before);
    *end = stop;
    return stop != text;
}

bool wspi_number_write(char *to, size_t size, int digits, double v)
{
    locale_t c, before;
    int n;

    if (!enter(&c, &before))
        return false;
    n = snprintf(to, size, "%.*g", digits, v);
    leave(c, before);
    return n > 0 && (size_t)n < size;
}

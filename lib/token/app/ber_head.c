/* SPDX-License-Identifier: Apache-2.0 */
/* ber_head.c: identifiers and lengths of BER (X.690 8.1), and the forms in which those of a message are written. */
#include "token/app/ber_head.h"

enum { CONSTRUCTED = 0x20 };

bool wspi_ber_peek(const uint8_t *b, size_t n, wspi_ber_head *h)
{
    unsigned more;

    if (n < 2 || (b[0] & 31) == 31 || b[1] == 0x80 || b[1] > 0x84)
        return false;
    more = b[1] > 0x80 ? b[1] & 15u : 0;
    if (n < 2 + more)
        return false;
    *h = (wspi_ber_head){.tag = b[0], .width = (uint8_t)(1 + more), .len = more ? 0 : b[1]};
    for (unsigned i = 0; i < more; i++)
        h->len = h->len << 8 | b[2 + i];
    return true;
}

/* Does width have room for the length? */
bool wspi_ber_width_fits(unsigned width, size_t len)
{
    return width == 1 ? len < 0x80 : width >= 2 && width <= 5 && len >> 8 * (width - 1) == 0;
}

unsigned wspi_ber_width(unsigned form, uint8_t tag, size_t len)
{
    unsigned width = 1;

    if (form == WSPI_FORM_3 && tag & CONSTRUCTED)
        return 3;
    if (form == WSPI_FORM_5 && tag & CONSTRUCTED)
        return 5;
    while (width < 5 && !wspi_ber_width_fits(width, len))
        width++;
    return width;
}

uint64_t wspi_ber_octets(unsigned width, size_t len)
{
    return width == 1 ? len : (uint64_t)(0x7f + width) << 8 * (width - 1) | len;
}

bool wspi_ber_minimal(const uint8_t *b, size_t n)
{
    return n == 1 || (n > 1 && !(b[0] == 0 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80));
}

/* Is the element itself one that has others in it? An octet string may hold a sequence. */
static bool has_elements(const wspi_ber_head *h, const uint8_t *b)
{
    wspi_ber_head in;

    if (h->tag & CONSTRUCTED)
        return true;
    return h->tag == 4 && h->len > 2 && b[0] == 0x30 && wspi_ber_peek(b, h->len, &in) &&
           1 + in.width + in.len == h->len;
}

/* The forms, as bits, in which all lengths and integers of [0, n) can be. */
unsigned wspi_ber_survey(const uint8_t *b, size_t n, unsigned depth)
{
    unsigned forms = 1u << WSPI_FORM_MIXED | 7;
    wspi_ber_head h;

    while (wspi_ber_peek(b, n, &h) && h.len <= n - 1 - h.width) {
        const uint8_t *in = b + 1 + h.width;

        for (unsigned f = 0; f < WSPI_FORM_MIXED; f++)
            if (wspi_ber_width(f, h.tag, h.len) != h.width)
                forms &= ~(1u << f);
        if ((h.tag == 2 || h.tag == 10 || h.tag >> 5 == 2) && h.len > 1 && h.len <= 8 &&
            !wspi_ber_minimal(in, h.len))
            forms = 1u << WSPI_FORM_MIXED;
        if (depth && has_elements(&h, in))
            forms &= wspi_ber_survey(in, h.len, depth - 1);
        b = in + h.len;
        n -= 1 + h.width + h.len;
    }
    return forms;
}

bool wspi_ber_sealed(const uint8_t *b, size_t n)
{
    static const char *const begins[] = {"\x05\x04", "\x01\x00\x00\x00", "\x60"};
    static const uint8_t lens[] = {2, 4, 1};

    for (size_t k = 0; k < WSPI_COUNT(begins); k++)
        if (n >= 4u + lens[k] && b[0] == 0 && (b[1] | b[2] | b[3]) &&
            memcmp(b + 4, begins[k], lens[k]) == 0)
            return true;
    return false;
}

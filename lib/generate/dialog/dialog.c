/* SPDX-License-Identifier: Apache-2.0 */
/* dialog.c: which protocols have a dialog, and the pen that its messages are written with. */
#include "generate/dialog/dialog.h"

#include <stdarg.h>
#include <stdio.h>

static const wspi_dialog_kind kinds[] = {
    {"AMQP", 5672, WSPI_DIALOG_TCP, wspi_say_amqp},
    {"BGP", 179, WSPI_DIALOG_TCP, wspi_say_bgp},
    {"BitTorrent", 6881, WSPI_DIALOG_TCP | WSPI_DIALOG_UDP, wspi_say_bittorrent},
    {"BJNP", 8612, WSPI_DIALOG_UDP, wspi_say_bjnp},
    {"Discord", 50004, WSPI_DIALOG_UDP, wspi_say_discord},
    {"Dropbox", 17500, WSPI_DIALOG_UDP | WSPI_DIALOG_PEERS, wspi_say_dropbox},
    {"EthernetIP", 44818, WSPI_DIALOG_TCP, wspi_say_ethernetip},
    {"Git", 9418, WSPI_DIALOG_TCP, wspi_say_git},
    {"Gnutella", 6346, WSPI_DIALOG_TCP | WSPI_DIALOG_UDP, wspi_say_gnutella},
    {"HSRP", 1985, WSPI_DIALOG_UDP | WSPI_DIALOG_PEERS, wspi_say_hsrp},
    {"IEC60870", 2404, WSPI_DIALOG_TCP, wspi_say_iec104},
    {"iPerf", 5201, WSPI_DIALOG_TCP | WSPI_DIALOG_UDP, wspi_say_iperf},
    {"IRC", 6667, WSPI_DIALOG_TCP, wspi_say_irc},
    {"iSCSI", 3260, WSPI_DIALOG_TCP, wspi_say_iscsi},
    {"Memcached", 11211, WSPI_DIALOG_TCP, wspi_say_memcached},
    {"Mining", 3333, WSPI_DIALOG_TCP, wspi_say_stratum},
    {"MsSQL-TDS", 1433, WSPI_DIALOG_TCP, wspi_say_tds},
    {"MySQL", 3306, WSPI_DIALOG_TCP, wspi_say_mysql},
    {"NATS", 4222, WSPI_DIALOG_TCP, wspi_say_nats},
    {"OPC-UA", 4840, WSPI_DIALOG_TCP, wspi_say_opcua},
    {"OpenVPN", 1194, WSPI_DIALOG_TCP | WSPI_DIALOG_UDP, wspi_say_openvpn},
    {"PostgreSQL", 5432, WSPI_DIALOG_TCP, wspi_say_postgresql},
    {"RSYNC", 873, WSPI_DIALOG_TCP, wspi_say_rsync},
    {"Telnet", 23, WSPI_DIALOG_TCP, wspi_say_telnet},
    {"tinc", 655, WSPI_DIALOG_TCP, wspi_say_tinc},
    {"VNC", 5900, WSPI_DIALOG_TCP, wspi_say_rfb},
    {"WhatsApp", 5222, WSPI_DIALOG_TCP | WSPI_DIALOG_SHARED, wspi_say_whatsapp},
    {"WireGuard", 51820, WSPI_DIALOG_UDP, wspi_say_wireguard},
    {"WSD", 3702, WSPI_DIALOG_UDP, wspi_say_wsd},
};

const wspi_dialog_kind *wspi_dialog_of_label(const char *label)
{
    for (size_t i = 0; i < WSPI_COUNT(kinds); i++)
        if (strcmp(kinds[i].label, label) == 0)
            return &kinds[i];
    return NULL;
}

const wspi_dialog_kind *wspi_dialog_of_port(uint16_t port, uint8_t over)
{
    for (size_t i = 0; i < WSPI_COUNT(kinds); i++)
        if (kinds[i].port == port && kinds[i].over & over && !(kinds[i].over & WSPI_DIALOG_SHARED))
            return &kinds[i];
    return NULL;
}

const wspi_dialog_kind *wspi_dialog_at(size_t i)
{
    return i < WSPI_COUNT(kinds) ? &kinds[i] : NULL;
}

uint32_t wspi_dialog_number(const wspi_dialog *d, unsigned k)
{
    wspi_rng rng;

    wspi_rng_seed(&rng, d->seed + k);
    return (uint32_t)wspi_rng_u64(&rng);
}

/* Consonants and vowels in turns can be spoken. */
static void spell(wspi_rng *rng, uint8_t *to, size_t n)
{
    static const char consonants[] = "bdfghklmnprstvz", vowels[] = "aeiou";

    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(i % 2 ? vowels[wspi_rng_below(rng, sizeof vowels - 1)]
                                : consonants[wspi_rng_below(rng, sizeof consonants - 1)]);
}

void wspi_dialog_name(const wspi_dialog *d, unsigned k, char name[WSPI_DIALOG_NAME])
{
    enum { LEAST = 4 };
    wspi_rng rng;
    size_t n;

    wspi_rng_seed(&rng, d->seed + k);
    n = LEAST + (size_t)wspi_rng_below(&rng, WSPI_DIALOG_NAME - LEAST);
    spell(&rng, (uint8_t *)name, n);
    name[n] = '\0';
}

/* ---- the pen ---- */

/* Room for n bytes more; NULL: there is none. */
static uint8_t *room(wspi_pen *p, size_t n)
{
    uint8_t *at = p->bytes + p->n;

    if (n > sizeof p->bytes - p->n) {
        p->full = true;
        return NULL;
    }
    p->n += n;
    return at;
}

void wspi_pen_add(wspi_pen *p, const void *bytes, size_t n)
{
    uint8_t *at = room(p, n);

    if (at && n)
        memcpy(at, bytes, n);
}

void wspi_pen_text(wspi_pen *p, const char *s)
{
    wspi_pen_add(p, s, strlen(s));
}

void wspi_pen_format(wspi_pen *p, const char *format, ...)
{
    char text[256];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        p->full = true;
    else
        wspi_pen_add(p, text, (size_t)n);
}

static void put(uint8_t *to, uint64_t v, size_t bytes, bool highest_first)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> 8 * (highest_first ? bytes - 1 - i : i));
}

void wspi_pen_be(wspi_pen *p, uint64_t v, size_t bytes)
{
    uint8_t *at = room(p, bytes);

    if (at)
        put(at, v, bytes, true);
}

void wspi_pen_le(wspi_pen *p, uint64_t v, size_t bytes)
{
    uint8_t *at = room(p, bytes);

    if (at)
        put(at, v, bytes, false);
}

void wspi_pen_be_at(wspi_pen *p, size_t at, uint64_t v, size_t bytes)
{
    if (at + bytes <= p->n)
        put(p->bytes + at, v, bytes, true);
}

void wspi_pen_le_at(wspi_pen *p, size_t at, uint64_t v, size_t bytes)
{
    if (at + bytes <= p->n)
        put(p->bytes + at, v, bytes, false);
}

void wspi_pen_zeros(wspi_pen *p, size_t n)
{
    uint8_t *at = room(p, n);

    if (at && n)
        memset(at, 0, n);
}

void wspi_pen_random(wspi_pen *p, size_t n)
{
    uint8_t *at = room(p, n);

    for (size_t i = 0; at && i < n; i++)
        at[i] = (uint8_t)wspi_rng_u64(&p->rng);
}

void wspi_pen_letters(wspi_pen *p, size_t n)
{
    uint8_t *at = room(p, n);

    if (at)
        spell(&p->rng, at, n);
}

void wspi_pen_prose(wspi_pen *p, size_t n)
{
    enum { LONGEST = 9 };

    while (n > 0 && !p->full) {
        size_t word = 2 + (size_t)wspi_pen_pick(p, LONGEST - 1);

        if (word + 1 >= n) { /* no blank at the end */
            wspi_pen_letters(p, n);
            return;
        }
        wspi_pen_letters(p, word);
        wspi_pen_text(p, " ");
        n -= word + 1;
    }
}

unsigned wspi_pen_pick(wspi_pen *p, unsigned n)
{
    return (unsigned)wspi_rng_below(&p->rng, n);
}

size_t wspi_pen_left(const wspi_pen *p, size_t want, size_t behind)
{
    return want > p->n + behind ? want - p->n - behind : 0;
}

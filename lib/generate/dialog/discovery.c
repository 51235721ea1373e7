/* SPDX-License-Identifier: Apache-2.0 */
/* discovery.c: dialogs of protocols by which devices find each other. */
#include "generate/dialog/dialog.h"

/* ---- WS-Discovery (OASIS, 2009; SOAP 1.2 over UDP) ---- */

#define DISCOVERY  "http://schemas.xmlsoap.org/ws/2005/04/discovery"
#define ADDRESSING "http://schemas.xmlsoap.org/ws/2004/08/addressing"

typedef struct wsd_message {
    const char *action, *before, *after; /* in the body: before and behind what names the device */
} wsd_message;

static const wsd_message probe = {"/Probe", "<d:Probe><d:Types>wsdp:Device</d:Types>",
                                  "</d:Probe>"};
static const wsd_message resolve = {"/Resolve", "<d:Resolve>", "</d:Resolve>"};
static const wsd_message hello = {"/Hello", "<d:Hello>",
                                  "<d:MetadataVersion>1</d:MetadataVersion></d:Hello>"};
static const wsd_message probe_match = {
    "/ProbeMatches", "<d:ProbeMatches><d:ProbeMatch>",
    "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>"};

/* RFC 4122, version 4; k: the flow's k-th, or one more (0) */
static void uuid(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    uint32_t part[4];

    for (unsigned i = 0; i < WSPI_COUNT(part); i++)
        part[i] = k ? wspi_dialog_number(d, 8 * k + i) : (uint32_t)wspi_rng_u64(&p->rng);
    wspi_pen_format(p, "urn:uuid:%08x-%04x-4%03x-%04x-%08x%04x", part[0], part[1] >> 16,
                    part[1] & 0xfff, 0x8000 | (part[2] >> 16 & 0x3fff), part[3], part[2] & 0xffff);
}

static void wsd_write(const wspi_dialog *d, wspi_pen *p, const wsd_message *m, size_t want)
{
    static const char end[] = "</s:Body></s:Envelope>", scopes[] = "<d:Scopes></d:Scopes>";

    wspi_pen_text(
        p,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope"
        " xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"" ADDRESSING
        "\" xmlns:d=\"" DISCOVERY "\" xmlns:wsdp=\"http://schemas.xmlsoap.org/ws/2006/02/devprof\">"
        "<s:Header><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To><a:Action>" DISCOVERY);
    wspi_pen_text(p, m->action);
    wspi_pen_text(p, "</a:Action><a:MessageID>");
    uuid(d, p, 0);
    wspi_pen_text(p, "</a:MessageID></s:Header><s:Body>");
    wspi_pen_text(p, m->before);
    if (m != &probe) {
        wspi_pen_text(p, "<a:EndpointReference><a:Address>");
        uuid(d, p, m == &resolve ? 2 : 1);
        wspi_pen_text(p, "</a:Address></a:EndpointReference>");
    }
    if (wspi_pen_left(p, want, strlen(m->after) + strlen(end) + strlen(scopes)) > 0) {
        wspi_pen_text(p, "<d:Scopes>");
        wspi_pen_prose(
            p, wspi_pen_left(p, want, strlen("</d:Scopes>") + strlen(m->after) + strlen(end)));
        wspi_pen_text(p, "</d:Scopes>");
    }
    wspi_pen_text(p, m->after);
    wspi_pen_text(p, end);
}

/* Who opens the flow asks for devices, or says that it is there; who answers is one. */
void wspi_say_wsd(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    static const wsd_message *const asked[] = {&probe, &probe, &resolve, &hello};

    wsd_write(d, p, dir ? &probe_match : asked[wspi_dialog_number(d, 0) % WSPI_COUNT(asked)], want);
}

/* ---- BJNP, of Canon's printers and scanners (as tshark and SANE have it) ---- */

/* | "BJNP" | device 8, 0x80: it answers | code 8 | sequence 32 | session 16 | length 32 | */
void wspi_say_bjnp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum {
        SCANNER = 2,
        ANSWER = 0x80,
        DISCOVER = 1,
        JOB = 0x10,
        IDENTITY = 0x30,
        LENGTH_AT = 12,
        HEAD = 16
    };
    unsigned code;

    if (!dir) /* kept: what was asked last */
        d->kept[0] = d->said[0] == 0 ? DISCOVER : d->said[0] % 2 ? IDENTITY : JOB;
    code = d->kept[0] ? d->kept[0] : DISCOVER;
    wspi_pen_text(p, "BJNP");
    wspi_pen_be(p, SCANNER | (dir ? ANSWER : 0), 1);
    wspi_pen_be(p, code, 1);
    wspi_pen_be(p, d->said[dir] + 1, 4);
    wspi_pen_be(p, code == DISCOVER ? 0 : 1 + wspi_dialog_number(d, 0) % 100, 2);
    wspi_pen_zeros(p, 4);
    if (dir && code == DISCOVER) { /* | 0 1 8 0 | lengths of what follows | MAC | IPv4 | */
        wspi_pen_add(p, "\0\1\x08\0\6\4", 6);
        wspi_pen_be(p, 0x001e8f000000 | (wspi_dialog_number(d, 1) & 0xffffff), 6);
        wspi_pen_be(p, 0x0a000000 | (wspi_dialog_number(d, 2) & 0xffff), 4);
    } else if (dir && code == IDENTITY) {
        char name[WSPI_DIALOG_NAME];
        size_t at = p->n;

        wspi_dialog_name(d, 1, name);
        wspi_pen_zeros(p, 2);
        wspi_pen_format(p, "MFG:Canon;CMD:MultiPass 2.1;MDL:%s;CLS:IMAGE;DES:", name);
        wspi_pen_prose(p, wspi_pen_left(p, want, 1));
        wspi_pen_text(p, ";");
        wspi_pen_be_at(p, at, p->n - at, 2);
    }
    wspi_pen_be_at(p, LENGTH_AT, p->n - HEAD, 4);
}

/* ---- Dropbox' LAN sync: where each tells the network of itself, in JSON, and of the folders that it has (as tshark has it) ---- */

/* 128 bits, in digits */
static void dropbox_host(const wspi_dialog *d, wspi_pen *p, int dir)
{
    enum { PARTS = 4, DIGITS = 1000000000 };

    wspi_pen_format(p, "%u", 1 + wspi_dialog_number(d, 10 * (unsigned)dir) % 300);
    for (unsigned i = 1; i <= PARTS; i++)
        wspi_pen_format(p, "%09u", wspi_dialog_number(d, 10 * (unsigned)dir + i) % DIGITS);
}

/* One folder, then as many as there is room for. */
void wspi_say_dropbox(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { FOLDERS = 100, FOLDER = 12, END = 2 };
    unsigned k = 0;

    wspi_pen_text(p, "{\"host_int\": ");
    dropbox_host(d, p, dir);
    wspi_pen_text(p, ", \"version\": [2, 0], \"displayname\": \"\", \"port\": 17500, "
                     "\"namespaces\": [");
    do {
        wspi_pen_format(p, "%s%u", k ? ", " : "",
                        1000000 +
                            wspi_dialog_number(d, FOLDERS * (1 + (unsigned)dir) + k) % 900000000);
        k++;
    } while (k < FOLDERS && wspi_pen_left(p, want, END) >= FOLDER);
    wspi_pen_text(p, "]}");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* discovery.c: dialogs of protocols by which devices find each other. */
#include "generate/dialog/dialog.h"

/* ---- WS-Discovery (2005/04, before OASIS had it; SOAP 1.2 over UDP) ---- */

#define DISCOVERY   "http://schemas.xmlsoap.org/ws/2005/04/discovery"
#define ADDRESSING  "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define WSD_VERSION "<d:MetadataVersion>1</d:MetadataVersion>"

typedef struct wsd_message {
    const char *action, *before, *after; /* in the body: before and behind what names the device */
} wsd_message;

enum wsd_kind { PROBE, RESOLVE, HELLO, PROBE_MATCHES, RESOLVE_MATCHES };

static const wsd_message wsd_messages[] = {
    [PROBE] = {"/Probe", "<d:Probe><d:Types>wsdp:Device</d:Types>", "</d:Probe>"},
    [RESOLVE] = {"/Resolve", "<d:Resolve>", "</d:Resolve>"},
    [HELLO] = {"/Hello", "<d:Hello>", WSD_VERSION "</d:Hello>"},
    [PROBE_MATCHES] = {"/ProbeMatches", "<d:ProbeMatches><d:ProbeMatch>",
                       WSD_VERSION "</d:ProbeMatch></d:ProbeMatches>"},
    [RESOLVE_MATCHES] = {"/ResolveMatches", "<d:ResolveMatches><d:ResolveMatch>",
                         "<d:XAddrs>http://device.example:5357/</d:XAddrs>" WSD_VERSION
                         "</d:ResolveMatch></d:ResolveMatches>"},
};

/* kept: the last question, who asked it, and the number of its message; 0: there was none */
enum { ASKED, ASKER, QUESTION };

/* The device, and the messages from the first on: numbers of what has a name. */
enum { DEVICE = 1, MESSAGES };

/* RFC 4122, version 4; the flow's k-th */
static void uuid(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    uint32_t part[4];

    for (unsigned i = 0; i < WSPI_COUNT(part); i++)
        part[i] = wspi_dialog_number(d, 8 * k + i);
    wspi_pen_format(p, "urn:uuid:%08x-%04x-4%03x-%04x-%08x%04x", part[0], part[1] >> 16,
                    part[1] & 0xfff, 0x8000 | (part[2] >> 16 & 0x3fff), part[3], part[2] & 0xffff);
}

/* An answer goes to who has asked, and says to which message. */
static void wsd_header(const wspi_dialog *d, wspi_pen *p, enum wsd_kind kind)
{
    bool answers = kind >= PROBE_MATCHES;

    wspi_pen_text(p, "<s:Header><a:To>");
    wspi_pen_text(p, answers ? ADDRESSING "/role/anonymous"
                             : "urn:schemas-xmlsoap-org:ws:2005:04:discovery");
    wspi_pen_text(p, "</a:To><a:Action>" DISCOVERY);
    wspi_pen_text(p, wsd_messages[kind].action);
    wspi_pen_text(p, "</a:Action><a:MessageID>");
    uuid(d, p, MESSAGES + d->said[0] + d->said[1]);
    wspi_pen_text(p, "</a:MessageID>");
    if (answers) {
        wspi_pen_text(p, "<a:RelatesTo>");
        uuid(d, p, d->kept[QUESTION]);
        wspi_pen_text(p, "</a:RelatesTo>");
    }
    wspi_pen_text(p, "</s:Header>");
}

static void wsd_write(const wspi_dialog *d, wspi_pen *p, enum wsd_kind kind, size_t want)
{
    static const char end[] = "</s:Body></s:Envelope>", scopes[] = "<d:Scopes></d:Scopes>";
    const wsd_message *m = &wsd_messages[kind];

    wspi_pen_text(p, "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope"
                     " xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"" ADDRESSING
                     "\" xmlns:d=\"" DISCOVERY
                     "\" xmlns:wsdp=\"http://schemas.xmlsoap.org/ws/2006/02/devprof\">");
    wsd_header(d, p, kind);
    wspi_pen_text(p, "<s:Body>");
    wspi_pen_text(p, m->before);
    if (kind != PROBE) {
        wspi_pen_text(p, "<a:EndpointReference><a:Address>");
        uuid(d, p, DEVICE);
        wspi_pen_text(p, "</a:Address></a:EndpointReference>");
    }
    if (kind != RESOLVE && /* which has none */
        wspi_pen_left(p, want, strlen(m->after) + strlen(end) + strlen(scopes)) > 0) {
        wspi_pen_text(p, "<d:Scopes>");
        wspi_pen_prose(
            p, wspi_pen_left(p, want, strlen("</d:Scopes>") + strlen(m->after) + strlen(end)));
        wspi_pen_text(p, "</d:Scopes>");
    }
    wspi_pen_text(p, m->after);
    wspi_pen_text(p, end);
}

/*
 * Who opens the flow asks for devices, where one is, or says that it is there. The other answers what was asked, and asks where one is
 * that has only said hello, which has no answer; before it has heard anything, it says hello itself.
 */
static enum wsd_kind wsd_choose(const wspi_dialog *d, int dir)
{
    static const enum wsd_kind opens[] = {PROBE, PROBE, RESOLVE, HELLO};
    enum wsd_kind opening = opens[wspi_dialog_number(d, 0) % WSPI_COUNT(opens)];

    if (d->kept[QUESTION] && d->kept[ASKER] != (unsigned)dir)
        return d->kept[ASKED] == PROBE ? PROBE_MATCHES : RESOLVE_MATCHES;
    return dir == 0 ? opening : opening == HELLO && d->said[0] > 0 ? RESOLVE : HELLO;
}

void wspi_say_wsd(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum wsd_kind kind = wsd_choose(d, dir);

    wsd_write(d, p, kind, want);
    if (kind > RESOLVE)
        return;
    d->kept[ASKED] = kind;
    d->kept[ASKER] = (unsigned)dir;
    d->kept[QUESTION] = MESSAGES + d->said[0] + d->said[1];
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

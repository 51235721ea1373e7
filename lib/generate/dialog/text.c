/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: dialogs in lines of text. */
#include "generate/dialog/dialog.h"

#include <stdio.h>

/* ---- IRC (RFC 2812) ---- */

enum irc_asked { REGISTER = 1, JOIN, PING, TALK };

typedef struct irc_names {
    char nick[WSPI_DIALOG_NAME], other[WSPI_DIALOG_NAME], room[WSPI_DIALOG_NAME],
        net[WSPI_DIALOG_NAME];
} irc_names;

static irc_names irc_of(const wspi_dialog *d)
{
    irc_names n;

    wspi_dialog_name(d, 0, n.nick);
    wspi_dialog_name(d, 1, n.other);
    wspi_dialog_name(d, 2, n.room);
    wspi_dialog_name(d, 3, n.net);
    return n;
}

/* ":server 001 nick :text" and the like, the text as long as there is room for (3.1: 512 bytes a line). */
static void irc_reply(wspi_pen *p, const irc_names *n, const char *what, size_t want)
{
    enum { LONGEST = 400 };

    wspi_pen_format(p, ":irc.%s.example %s :", n->net, what);
    wspi_pen_prose(p, WSPI_MIN(WSPI_MAX(wspi_pen_left(p, want, 2), 4u), (size_t)LONGEST));
    wspi_pen_text(p, "\r\n");
}

static void irc_say(wspi_pen *p, const char *from, const char *to, size_t want)
{
    enum { LONGEST = 400 };

    wspi_pen_format(p, "%sPRIVMSG #%s :", from, to);
    wspi_pen_prose(p, WSPI_MIN(WSPI_MAX(wspi_pen_left(p, want, 2), 1u), (size_t)LONGEST));
    wspi_pen_text(p, "\r\n");
}

static void irc_client(wspi_dialog *d, wspi_pen *p, const irc_names *n, size_t want)
{
    enum { LEAST_TALK = 40 };

    if (d->said[0] == 0) {
        d->kept[0] = REGISTER;
        wspi_pen_format(p, "NICK %s\r\nUSER %s 0 * :", n->nick, n->nick);
        wspi_pen_prose(p, WSPI_MIN(WSPI_MAX(wspi_pen_left(p, want, 2), 6u), (size_t)64));
        wspi_pen_text(p, "\r\n");
    } else if (d->said[0] == 1) {
        d->kept[0] = JOIN;
        wspi_pen_format(p, "JOIN #%s\r\n", n->room);
    } else if (want < LEAST_TALK) {
        d->kept[0] = PING;
        wspi_pen_format(p, "PING irc.%s.example\r\n", n->net);
    } else {
        d->kept[0] = TALK;
        irc_say(p, "", n->room, want);
    }
}

static void irc_welcome(wspi_pen *p, const irc_names *n, size_t want)
{
    static const char *const numbers[] = {"002", "003", "251", "255", "375", "372", "376"};
    enum { LINE = 70 };
    char what[32];

    wspi_pen_format(p, ":irc.%s.example 001 %s :Welcome to the network %s\r\n", n->net, n->nick,
                    n->nick);
    for (size_t i = 0; i < WSPI_COUNT(numbers) && wspi_pen_left(p, want, 0) > LINE; i++) {
        (void)snprintf(what, sizeof what, "%s %s", numbers[i], n->nick);
        irc_reply(p, n, what, i + 1 < WSPI_COUNT(numbers) ? p->n + LINE : want);
    }
}

void wspi_say_irc(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    irc_names n = irc_of(d);
    char from[64], what[64];

    if (dir == 0) {
        irc_client(d, p, &n, want);
        return;
    }
    switch (d->spoke == 0 ? (int)d->kept[0] : TALK) {
    case REGISTER: irc_welcome(p, &n, want); return;
    case JOIN:
        wspi_pen_format(p, ":%s!%s@host.example JOIN #%s\r\n", n.nick, n.nick, n.room);
        (void)snprintf(what, sizeof what, "332 %s #%s", n.nick, n.room);
        irc_reply(p, &n, what, want);
        return;
    case PING: wspi_pen_format(p, ":irc.%s.example PONG irc.%s.example\r\n", n.net, n.net); return;
    default: break;
    }
    if (d->said[1] == 0) {
        irc_reply(p, &n, "NOTICE AUTH", want);
        return;
    }
    (void)snprintf(from, sizeof from, ":%s!%s@host.example ", n.other, n.other);
    irc_say(p, from, n.room, want);
}

/* ---- Telnet (RFC 854, RFC 855): options, a login, then commands of a shell ---- */

static void telnet_options(wspi_pen *p, int dir, size_t want)
{
    enum { IAC = 255, DO = 253, WILL = 251 };
    static const uint8_t options[2][6] = {{3, 24, 31, 32, 33, 39}, {3, 1, 24, 31, 32, 35}};

    for (size_t i = 0; i < sizeof options[0] && (i == 0 || wspi_pen_left(p, want, 0) >= 3); i++) {
        wspi_pen_be(p, IAC, 1);
        wspi_pen_be(p, i % 3 == (size_t)dir ? WILL : DO, 1);
        wspi_pen_be(p, options[dir][i], 1);
    }
}

static void telnet_client(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char *const commands[] = {"ls -l",          "uptime", "ps",
                                           "cat /etc/hosts", "id",     "df -h"};
    char user[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, 0, user);
    if (d->said[0] == 1)
        wspi_pen_text(p, user);
    else if (want > 20)
        wspi_pen_prose(p, WSPI_MIN(want - 2, (size_t)200));
    else if (want == 1) { /* a key */
        wspi_pen_letters(p, 1);
        return;
    } else
        wspi_pen_text(p, commands[wspi_pen_pick(p, WSPI_COUNT(commands))]);
    wspi_pen_text(p, "\r\n");
}

void wspi_say_telnet(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    char host[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, 1, host);
    if (d->said[dir] == 0)
        telnet_options(p, dir, want);
    else if (dir == 0)
        telnet_client(d, p, want);
    else if (d->said[1] == 1)
        wspi_pen_format(p, "%s login: ", host);
    else if (d->said[1] == 2)
        wspi_pen_text(p, "Password: ");
    else {
        while (wspi_pen_left(p, want, 6 + strlen(host)) > 60) {
            wspi_pen_prose(p, 20 + wspi_pen_pick(p, 38));
            wspi_pen_text(p, "\r\n");
        }
        wspi_pen_prose(p, wspi_pen_left(p, want, 6 + strlen(host)));
        wspi_pen_format(p, "\r\n%s:~$ ", host);
    }
}

/* ---- Git (Documentation/gitprotocol-pack.txt): lines with their length in four hex digits before them ---- */

enum { PKT = 4 };

/* Over the four bytes at `at`, which were left for it. */
static void pkt_end(wspi_pen *p, size_t at)
{
    char length[PKT + 1];

    (void)snprintf(length, sizeof length, "%04x", (unsigned)(p->n - at) & 0xffff);
    if (!p->full)
        memcpy(p->bytes + at, length, PKT);
}

static size_t pkt_begin(wspi_pen *p)
{
    wspi_pen_zeros(p, PKT);
    return p->n - PKT;
}

static void object_name(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    for (unsigned i = 0; i < 5; i++) /* SHA-1: 40 digits */
        wspi_pen_format(p, "%08x", wspi_dialog_number(d, 100 + 5 * k + i));
}

/* What there is: the first with what the server can, then as many as there is room for. kept: how many objects that are. */
static void git_refs(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { MOST = 16, LINE = 70, LINE_HEAD = 45 };
    char name[WSPI_DIALOG_NAME];
    size_t at = pkt_begin(p);

    d->kept[0] = 1; /* HEAD's is that of the first branch */
    object_name(d, p, 0);
    wspi_pen_text(p, " HEAD");
    wspi_pen_zeros(p, 1);
    wspi_pen_text(p, "multi_ack thin-pack side-band side-band-64k ofs-delta shallow no-progress "
                     "include-tag agent=git/2.39.2\n");
    pkt_end(p, at);
    for (unsigned k = 0; k < MOST && wspi_pen_left(p, want, PKT) > LINE; k++) {
        at = pkt_begin(p);
        wspi_dialog_name(d, 10 + k, name);
        object_name(d, p, k);
        wspi_pen_format(p, " refs/%s/%s\n", k ? "tags" : "heads", k ? name : "main");
        pkt_end(p, at);
        d->kept[0] = k + 1;
    }
    wspi_pen_text(p, "0000");
}

/* Objects that the server has told of, as many as there is room for. */
static void git_wants(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LINE = 50 };
    size_t at;

    for (unsigned k = 0; k < d->kept[0] && (k == 0 || wspi_pen_left(p, want, PKT + 9) >= LINE);
         k++) {
        at = pkt_begin(p);
        wspi_pen_text(p, "want ");
        object_name(d, p, k);
        wspi_pen_text(p, k ? "\n" : " thin-pack side-band-64k ofs-delta agent=git/2.39.2\n");
        pkt_end(p, at);
    }
    wspi_pen_text(p, "00000009done\n");
}

/* Side-band 1 is the pack, 2 what is said of the progress. */
static void git_pack(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    bool first = d->said[1] == 1;
    size_t at;

    if (first)
        wspi_pen_text(p, "0008NAK\n");
    at = pkt_begin(p);
    wspi_pen_be(p, 1, 1);
    if (first) /* version 2, so many objects */
        wspi_pen_add(p, "PACK\0\0\0\2\0\0\0\x2a", 12);
    wspi_pen_random(p, WSPI_MAX(wspi_pen_left(p, want, 0), 8u));
    pkt_end(p, at);
}

void wspi_say_git(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    char name[WSPI_DIALOG_NAME], host[WSPI_DIALOG_NAME];
    size_t at;

    if (d->said[dir] < 2 && d->said[!dir] < d->said[dir] + (unsigned)dir)
        return; /* request, references, wants, pack */
    wspi_dialog_name(d, 0, name);
    wspi_dialog_name(d, 1, host);
    if (dir == 1) {
        if (d->said[1] == 0)
            git_refs(d, p, want);
        else
            git_pack(d, p, want);
    } else if (d->said[0] == 0) {
        at = pkt_begin(p);
        wspi_pen_format(p, "git-upload-pack /%s.git", name);
        wspi_pen_zeros(p, 1);
        wspi_pen_format(p, "host=%s.example", host);
        wspi_pen_zeros(p, 1);
        pkt_end(p, at);
    } else if (d->said[0] == 1) {
        git_wants(d, p, want);
    } else {
        wspi_pen_text(p, "0000"); /* flush */
    }
}

/* ---- rsync's daemon (clientserver.c, io.c of rsync 3.2): a line with the version of each side, a module, arguments, then the stream ---- */

/* Multiplexed: | length 24, low byte first | 7: data | bytes | */
static void rsync_data(wspi_pen *p, size_t want)
{
    enum { DATA = 7, HEAD = 4 };
    size_t n = want > HEAD ? want - HEAD : 1;

    wspi_pen_le(p, n, 3);
    wspi_pen_le(p, DATA, 1);
    wspi_pen_random(p, n);
}

void wspi_say_rsync(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    static const char arguments[] = "--server\0--sender\0-logDtpre.iLsfxCIvu\0.";
    char module[WSPI_DIALOG_NAME];

    if (d->said[dir] < 2 && d->said[!dir] < d->said[dir] + (unsigned)dir)
        return; /* version, version, module, granted */
    wspi_dialog_name(d, 0, module);
    if (d->said[dir] == 0) {
        wspi_pen_text(p, "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n");
    } else if (d->said[dir] == 1) {
        if (dir)
            wspi_pen_text(p, "@RSYNCD: OK\n");
        else
            wspi_pen_format(p, "%s\n", module);
    } else if (dir == 0 && d->said[0] == 2) { /* each with a zero behind it, and one more */
        wspi_pen_add(p, arguments, sizeof arguments);
        wspi_pen_format(p, "%s/", module);
        wspi_pen_zeros(p, 2);
    } else {
        rsync_data(p, want);
    }
}

/* ---- Stratum, of mining pools: a JSON object a line ---- */

static void stratum_hex(wspi_pen *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        wspi_pen_format(p, "%02x", wspi_pen_pick(p, 256));
}

static void stratum_ask(wspi_dialog *d, wspi_pen *p)
{
    char worker[WSPI_DIALOG_NAME];
    unsigned id = d->said[0] + 1;

    wspi_dialog_name(d, 0, worker);
    if (d->said[0] == 0) {
        wspi_pen_format(
            p,
            "{\"id\": %u, \"method\": \"mining.subscribe\", \"params\": [\"cpuminer/2.5.%u\"]}\n",
            id, wspi_dialog_number(d, 1) % 10);
    } else if (d->said[0] == 1) {
        wspi_pen_format(
            p, "{\"id\": %u, \"method\": \"mining.authorize\", \"params\": [\"%s.1\", \"x\"]}\n",
            id, worker);
    } else {
        wspi_pen_format(
            p, "{\"id\": %u, \"method\": \"mining.submit\", \"params\": [\"%s.1\", \"%x\", \"", id,
            worker, d->kept[0]);
        stratum_hex(p, 4);
        wspi_pen_text(p, "\", \"");
        stratum_hex(p, 4);
        wspi_pen_text(p, "\", \"");
        stratum_hex(p, 4);
        wspi_pen_text(p, "\"]}\n");
    }
}

/* A block to work at, with as many branches of its tree as there is room for. */
static void stratum_notify(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { HASH = 32, BRANCH = 2 * HASH + 4, END = 100, MOST = 12 };

    wspi_pen_format(p, "{\"id\": null, \"method\": \"mining.notify\", \"params\": [\"%x\", \"",
                    ++d->kept[0]);
    stratum_hex(p, HASH);
    wspi_pen_text(p, "\", \"");
    stratum_hex(p, 60);
    wspi_pen_text(p, "\", \"");
    stratum_hex(p, 50);
    wspi_pen_text(p, "\", [");
    for (unsigned k = 0; k < MOST && wspi_pen_left(p, want, END) > BRANCH; k++) {
        wspi_pen_text(p, k ? ", \"" : "\"");
        stratum_hex(p, HASH);
        wspi_pen_text(p, "\"");
    }
    wspi_pen_text(p, "], \"20000000\", \"1703");
    stratum_hex(p, 2);
    wspi_pen_text(p, "\", \"");
    stratum_hex(p, 4);
    wspi_pen_text(p, "\", true]}\n");
}

void wspi_say_stratum(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (dir == 0) {
        stratum_ask(d, p);
    } else if (d->spoke == 1 || d->said[0] == 0) {
        stratum_notify(d, p, want);
    } else if (d->said[0] == 1) {
        wspi_pen_format(p,
                        "{\"id\": 1, \"result\": [[[\"mining.set_difficulty\", \"1\"], "
                        "[\"mining.notify\", \"%08x\"]], \"%08x\", 4], \"error\": null}\n",
                        wspi_dialog_number(d, 2), wspi_dialog_number(d, 3));
    } else {
        wspi_pen_format(p, "{\"id\": %u, \"result\": true, \"error\": null}\n", d->said[0]);
    }
}

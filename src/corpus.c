/* SPDX-License-Identifier: Apache-2.0 */
/* corpus.c: a folder of inputs for fuzzers. Units are kept in memory until they are complete; empty ones are no input. */
#include "corpus.h"
#include "unseen.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "wirespeak/packet.h"
#include "wirespeak/token.h"

enum unit { UNIT_PACKET, UNIT_FLOW, UNIT_CLIENT };
enum form { FORM_PCAP, FORM_FRAME, FORM_PAYLOAD, FORM_AFLNET };

const char *const corpus_units[] = {"packet", "flow", "client", NULL};
const char *const corpus_forms[] = {"pcap", "frame", "payload", "aflnet", NULL};

static const char *const endings[] = {"pcap", "bin", "bin", "aflnet"};

/* One file to be. */
typedef struct item {
    uint64_t number; /* of its packet or flow */
    uint8_t *data;
    size_t len, cap, message; /* where the last message of AFLNet's form begins */
    int dir;                  /* of the last packet that had a payload; -1: none yet */
    unseen_unit tokens;
} item;

struct corpus {
    char *folder, *work; /* work: where the files are until the end */
    int linktype;
    enum unit unit;
    enum form form;
    wsp_packet *packet;
    item *items; /* flows, by number */
    size_t n_items, cap_items;
    uint64_t *seen; /* hashes of contents: open addressing, 0 is free */
    size_t n_seen, cap_seen;
    uint64_t *written; /* numbers of files */
    size_t n_written, cap_written;
    unseen *unseen; /* or NULL: every unit is wanted */
    size_t most;    /* files, 0: no limit */
    item *kept;     /* new ones, to be chosen from */
    size_t n_kept, cap_kept;
};

/* ---- options ---- */

static int index_of(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static enum unit unit_of(const char *unit)
{
    return unit ? (enum unit)index_of(corpus_units, unit) : UNIT_PACKET;
}

static enum form form_of(enum unit unit, const char *as)
{
    return as                    ? (enum form)index_of(corpus_forms, as)
           : unit == UNIT_CLIENT ? FORM_PAYLOAD
                                 : FORM_PCAP;
}

const char *corpus_mistake(const char *unit, const char *as)
{
    enum unit u = unit_of(unit);
    enum form f = form_of(u, as);

    if (f == FORM_FRAME && u != UNIT_PACKET)
        return "--as frame is for --unit packet: several frames in a row cannot be told apart";
    if (f == FORM_AFLNET && u == UNIT_PACKET)
        return "--as aflnet is for --unit client or flow: it is a sequence of messages";
    return NULL;
}

corpus_view corpus_shows(const char *unit, const char *as)
{
    enum unit u = unit_of(unit);
    enum form f = form_of(u, as);

    return (corpus_view){.single = u == UNIT_PACKET,
                         .clients = u == UNIT_CLIENT,
                         .payloads = f == FORM_PAYLOAD || f == FORM_AFLNET};
}

/* ---- files ---- */

static void item_clear(item *i)
{
    free(i->data);
    i->data = NULL;
    i->len = i->cap = 0;
    unseen_unit_clear(&i->tokens);
}

static char *path_of(const corpus *c, uint64_t number)
{
    size_t len = strlen(c->work) + 64;
    char *path = malloc(len);

    if (path)
        (void)snprintf(path, len, "%s/%s-%07" PRIu64 ".%s", c->work, corpus_units[c->unit], number,
                       endings[c->form]);
    return path;
}

/* Has this content a file already? Remembers it. A collision costs one input. */
static bool known(corpus *c, const uint8_t *data, size_t len, bool *nomem)
{
    uint64_t h = 0xcbf29ce484222325u;
    size_t cap = c->cap_seen ? c->cap_seen * 2 : 1024, at;
    uint64_t *old = c->seen;

    *nomem = false;
    for (size_t i = 0; i < len; i++)
        h = (h ^ data[i]) * 0x100000001b3u;
    h += h == 0;
    if (c->n_seen * 2 >= c->cap_seen) {
        c->seen = calloc(cap, sizeof *c->seen);
        if (!c->seen) {
            c->seen = old;
            *nomem = true;
            return false;
        }
        for (size_t i = 0; i < c->cap_seen; i++) {
            for (at = old[i] & (cap - 1); old[i] && c->seen[at]; at = (at + 1) & (cap - 1))
                ;
            if (old[i])
                c->seen[at] = old[i];
        }
        c->cap_seen = cap;
        free(old);
    }
    for (at = h & (c->cap_seen - 1); c->seen[at]; at = (at + 1) & (c->cap_seen - 1))
        if (c->seen[at] == h)
            return true;
    c->seen[at] = h;
    c->n_seen++;
    return false;
}

static wsp_status write_file(corpus *c, const item *i, wsp_error *err)
{
    char *path = path_of(c, i->number);
    bool ok = false;
    FILE *f;

    if (!path || cli_grow(&c->written, &c->cap_written, c->n_written + 1, sizeof *c->written) < 0) {
        free(path);
        return cli_error(err, WSP_ERR_NOMEM, "%s: out of memory", c->folder);
    }
    f = fopen(path, "wb");
    if (f) {
        c->written[c->n_written++] = i->number;
        ok = fwrite(i->data, 1, i->len, f) == i->len;
        ok = fclose(f) == 0 && ok;
    }
    free(path);
    return ok ? WSP_OK : cli_error(err, WSP_ERR_IO, "%s: %s", c->folder, strerror(errno));
}

/* A unit is complete: a file, or kept to be chosen from, or neither if it is empty or shows nothing new. Empties it. */
static wsp_status finish(corpus *c, item *i, wsp_error *err)
{
    bool nomem = false;
    wsp_status st = WSP_OK;

    if (i->len == 0 || (c->unseen && !unseen_take(c->unseen, &i->tokens, c->most > 0)) ||
        known(c, i->data, i->len, &nomem))
        goto out;
    if (nomem ||
        (c->most && cli_grow(&c->kept, &c->cap_kept, c->n_kept + 1, sizeof *c->kept) < 0)) {
        st = cli_error(err, WSP_ERR_NOMEM, "%s: out of memory", c->folder);
    } else if (c->most) {
        c->kept[c->n_kept++] = *i;
        *i = (item){.number = i->number};
    } else {
        st = write_file(c, i, err);
    }
out:
    item_clear(i);
    return st;
}

/* Of the kept ones as many as are wanted: always the one that adds most to those before. */
static wsp_status write_best(corpus *c, wsp_error *err)
{
    const unseen_unit **unit = calloc(c->n_kept + 1, sizeof *unit);
    uint8_t *seen = calloc(unseen_features(), 1);
    wsp_status st =
        unit && seen ? WSP_OK : cli_error(err, WSP_ERR_NOMEM, "%s: out of memory", c->folder);

    for (size_t i = 0; unit && i < c->n_kept; i++)
        unit[i] = &c->kept[i].tokens;
    while (st == WSP_OK && c->n_written < c->most) {
        size_t best = unseen_best(unit, c->n_kept, seen);
        if (best == SIZE_MAX)
            break;
        st = write_file(c, &c->kept[best], err);
    }
    free(unit);
    free(seen);
    return st;
}

/* ---- contents ---- */

static bool append(item *i, const void *p, size_t n)
{
    if (cli_grow(&i->data, &i->cap, i->len + n + 1, 1) < 0)
        return false;
    if (n)
        memcpy(i->data + i->len, p, n);
    i->len += n;
    return true;
}

static bool append32(item *i, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

    return append(i, b, sizeof b);
}

/* Little-endian pcap with nanoseconds (https://www.tcpdump.org/manpages/pcap-savefile.5.html). */
static bool append_pcap(const corpus *c, item *i, const wsp_frame *f)
{
    const uint32_t head[] = {0xa1b23c4du, 2u | 4u << 16, 0, 0, 262144, (uint32_t)c->linktype};
    const uint32_t packet[] = {(uint32_t)(f->time_ns / 1000000000u),
                               (uint32_t)(f->time_ns % 1000000000u), f->caplen, f->wirelen};
    bool ok = true;

    for (size_t k = 0; i->len < sizeof head && k < sizeof head / sizeof *head; k++)
        ok = ok && append32(i, head[k]);
    for (size_t k = 0; k < sizeof packet / sizeof *packet; k++)
        ok = ok && append32(i, packet[k]);
    return ok && append(i, f->data, f->caplen);
}

/*
 * AFLNet's sequence of messages: a length of four bytes, as its machine has them (we write little-endian), and the
 * message. What one side sends on a stream until the other answers is one message; a datagram is one.
 */
static bool append_message(item *i, const uint8_t *data, size_t n, bool stream, int dir)
{
    uint32_t len;

    if (!stream || dir != i->dir) {
        i->message = i->len;
        if (!append32(i, 0))
            return false;
    }
    if (!append(i, data, n))
        return false;
    len = (uint32_t)(i->len - i->message - 4);
    for (size_t k = 0; k < 4; k++)
        i->data[i->message + k] = (uint8_t)(len >> 8 * k);
    return true;
}

static bool append_packet(const corpus *c, item *i, const wsp_frame *f, int dir)
{
    size_t caplen, wirelen;
    const uint8_t *data;
    bool stream, ok = true;

    if (c->form == FORM_PCAP && (c->unit != UNIT_CLIENT || dir == 0))
        return append_pcap(c, i, f);
    if (c->form == FORM_FRAME)
        return append(i, f->data, f->caplen);
    wsp_packet_dissect(c->packet, c->linktype, f);
    wsp_packet_payload(c->packet, &data, &caplen, &wirelen);
    if (caplen == 0)
        return true;
    stream = wsp_packet_key(c->packet)->proto == 6;
    if (c->form == FORM_AFLNET && (c->unit != UNIT_CLIENT || dir == 0))
        ok = append_message(i, data, caplen, stream, dir);
    else if (c->form == FORM_PAYLOAD && (c->unit != UNIT_CLIENT || dir == 0))
        ok = append(i, data, caplen);
    i->dir = dir;
    return ok;
}

/* Of a client, tokens are counted of what the server sends, too: it says what the client's next message answers. */
static bool take_packet(corpus *c, item *i, const wsp_frame *f, int dir)
{
    return (!c->unseen || unseen_add(c->unseen, &i->tokens, f, dir) == WSP_OK) &&
           append_packet(c, i, f, dir);
}

wsp_status corpus_add(corpus *c, const wsp_frame *frame, uint64_t packet, uint64_t flow, int dir,
                      wsp_error *err)
{
    item one = {.number = packet, .dir = -1};
    wsp_status st = WSP_OK;
    bool ok;

    if (c->unit == UNIT_PACKET) {
        ok = take_packet(c, &one, frame, dir);
        if (ok)
            st = finish(c, &one, err);
        else
            item_clear(&one);
    } else {
        ok = cli_grow(&c->items, &c->cap_items, (size_t)flow + 1, sizeof *c->items) == WSP_OK;
        for (; ok && c->n_items <= flow; c->n_items++)
            c->items[c->n_items] = (item){.number = c->n_items, .dir = -1};
        ok = ok && take_packet(c, &c->items[flow], frame, dir);
    }
    return ok ? st : cli_error(err, WSP_ERR_NOMEM, "%s: out of memory", c->folder);
}

/* ---- the folder ---- */

static wsp_status check_folder(const char *folder, wsp_error *err)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    size_t n = 0;

    if (!d)
        return errno == ENOENT ? WSP_OK
                               : cli_error(err, WSP_ERR_IO, "%s: %s", folder, strerror(errno));
    while (n < 3 && (e = readdir(d)))
        n++;
    (void)closedir(d);
    return n < 3
               ? WSP_OK
               : cli_error(err, WSP_ERR_ARG, "%s: the folder is not empty: give a new one", folder);
}

wsp_status corpus_open(corpus **out, const corpus_options *o, wsp_error *err)
{
    const char *folder = o->folder;
    size_t len = strlen(folder);
    corpus *c;
    wsp_status st;

    *out = NULL;
    while (len > 1 && folder[len - 1] == '/')
        len--;
    c = calloc(1, sizeof *c);
    if (c) {
        c->unit = unit_of(o->unit);
        c->form = form_of(c->unit, o->as);
        c->linktype = o->linktype;
        c->most = o->most;
        c->folder = strndup(folder, len);
        c->work = malloc(len + sizeof ".tmp-XXXXXX");
    }
    if (!c || !c->folder || !c->work || wsp_packet_new(&c->packet) < 0 ||
        ((o->novel || o->most) && unseen_new(&c->unseen, o->linktype) < 0)) {
        if (c)
            free(c->work);
        if (c)
            c->work = NULL;
        corpus_discard(c);
        return cli_error(err, WSP_ERR_NOMEM, "%s: out of memory", folder);
    }
    (void)snprintf(c->work, len + sizeof ".tmp-XXXXXX", "%s.tmp-XXXXXX", c->folder);
    st = check_folder(c->folder, err);
    if (st == WSP_OK && !mkdtemp(c->work))
        st = cli_error(err, WSP_ERR_IO, "%s: %s", folder, strerror(errno));
    if (st < 0) {
        free(c->work);
        c->work = NULL;
        corpus_discard(c);
        return st;
    }
    *out = c;
    return WSP_OK;
}

void corpus_discard(corpus *c)
{
    char *path;

    if (!c)
        return;
    for (size_t i = 0; c->work && i < c->n_written; i++) {
        path = path_of(c, c->written[i]);
        if (path)
            (void)unlink(path);
        free(path);
    }
    if (c->work)
        (void)rmdir(c->work);
    for (size_t i = 0; i < c->n_items; i++)
        item_clear(&c->items[i]);
    for (size_t i = 0; i < c->n_kept; i++)
        item_clear(&c->kept[i]);
    wsp_packet_free(c->packet);
    unseen_free(c->unseen);
    free(c->items);
    free(c->kept);
    free(c->seen);
    free(c->written);
    free(c->folder);
    free(c->work);
    free(c);
}

wsp_status corpus_close(corpus *c, uint64_t *files, wsp_error *err)
{
    mode_t mask = umask(0);
    wsp_status st = WSP_OK;

    (void)umask(mask);
    for (size_t i = 0; i < c->n_items && st == WSP_OK; i++)
        st = finish(c, &c->items[i], err);
    if (st == WSP_OK && c->most)
        st = write_best(c, err);
    *files = c->n_written;
    if (st == WSP_OK && (chmod(c->work, 0777 & ~mask) != 0 || rename(c->work, c->folder) != 0))
        st = cli_error(err, WSP_ERR_IO, "%s: %s", c->folder, strerror(errno));
    if (st == WSP_OK) { /* the files are the user's now */
        free(c->work);
        c->work = NULL;
    }
    corpus_discard(c);
    return st;
}

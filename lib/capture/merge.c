/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c: all captures of an input as one. A first walk sees when each begins; then packets are taken in the order of their
 * times. A capture is opened when its first packet is due: files that follow one another are read one after the other, and only
 * those that overlap are open at a time. Captures of an archive that come before the one that is due wait on a shelf.
 */
#include "capture/input_int.h"

enum { MAX_OPEN = 128 };

/* A file on disk; an archive has several captures. */
typedef struct place {
    char *path;
    size_t first;      /* of its captures, in the order of the walk */
    size_t left;       /* captures of it that were not opened yet */
    wsp_input *parked; /* an archive that is being read, between two of its captures, or NULL */
    size_t n_parked;   /* captures that it has opened */
} place;

typedef struct item {
    char *name;
    size_t place, nth; /* the nth capture there */
    uint64_t first_ns; /* time of the first packet; the end of time: there is none */
    size_t order;      /* of the walk */
    wsp_capture_info info;
    wspi_shelved shelved; /* if it has been passed over */
} item;

/* An open capture and its next packet. */
typedef struct cursor {
    wsp_input *in;         /* NULL: it is on the shelf */
    size_t item, n_opened; /* n_opened: captures that `in` has opened */
    wsp_capture_info of;
    wsp_frame frame;
} cursor;

struct wspi_join {
    wsp_input *in; /* the one that is joined, borrowed */
    place *places;
    size_t n_places, cap_places;
    item *items; /* by their first packets */
    size_t n_items, cap_items, next;
    size_t *walked; /* [n_items] where the item is that was there then */
    wspi_shelf shelf;
    cursor open[MAX_OPEN];
    size_t n_open;
    cursor
        *given; /* the one that the last packet came from: it moves on when the next is asked for */
    const char *file;
    wsp_error fault; /* of the last capture that broke off */
};

/* ---- the first walk ---- */

static wsp_status take_place(wspi_join *j, const char *path, size_t nth)
{
    place *p;

    if (nth == 0) {
        WSP_TRY(wspi_grow(&j->places, &j->cap_places, j->n_places + 1, sizeof *j->places));
        p = &j->places[j->n_places];
        *p = (place){.path = strdup(path), .first = j->n_items};
        if (!p->path)
            return WSP_ERR_NOMEM;
        j->n_places++;
    }
    j->places[j->n_places - 1].left++;
    return WSP_OK;
}

/* What is wrong with the packet is told when it is read again. */
static wsp_status take_item(wspi_join *j, wsp_input *walk, const wsp_capture_info *info)
{
    item it = {.first_ns = UINT64_MAX, .order = j->n_items, .info = *info};
    const char *path = wspi_input_place(walk, &it.nth);
    wsp_frame frame;

    WSP_TRY(take_place(j, path, it.nth));
    it.place = j->n_places - 1;
    WSP_TRY(wspi_grow(&j->items, &j->cap_items, j->n_items + 1, sizeof *j->items));
    it.info.name = it.name = strdup(info->name);
    if (!it.name)
        return WSP_ERR_NOMEM;
    if (wsp_input_next(walk, &frame, NULL) == WSP_OK) {
        it.first_ns = frame.time_ns;
        it.info.linktype = wspi_input_interface(walk)->linktype;
    }
    j->items[j->n_items++] = it;
    return WSP_OK;
}

static int by_time(const void *a, const void *b)
{
    const item *x = a, *y = b;

    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static wsp_status walk_over(wspi_join *j, wsp_input *walk, wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st;

    while ((st = wsp_input_open_next(walk, &info, err)) == WSP_OK)
        if (take_item(j, walk, &info) < 0)
            return wspi_nomem(err, "names of captures", j->n_items);
    wspi_input_count(j->in, walk);
    if (st < 0 || j->n_items == 0)
        return st;
    qsort(j->items, j->n_items, sizeof *j->items, by_time);
    j->walked = wspi_new_array(j->n_items, sizeof *j->walked);
    if (!j->walked)
        return wspi_nomem(err, "an order of captures", j->n_items);
    for (size_t i = 0; i < j->n_items; i++)
        j->walked[j->items[i].order] = i;
    return WSP_OK;
}

wsp_status wspi_join_new(wspi_join **out, wsp_input *in, wsp_capture_info *info, wsp_error *err)
{
    wspi_join *j = calloc(1, sizeof *j);
    wsp_input *walk = NULL;
    const char *const *paths;
    wsp_status st;
    size_t n;

    *out = j;
    if (!j)
        return wspi_nomem(err, "joined captures", sizeof *j);
    j->in = in;
    paths = wspi_input_paths(in, &n);
    st = wspi_input_part(&walk, in, paths, n, false, err);
    if (st == WSP_OK)
        st = walk_over(j, walk, err);
    wsp_input_free(walk);
    if (st == WSP_OK)
        *info = j->items[0].info;
    return st;
}

/* ---- captures that are open ---- */

/* The next capture that the cursor's input has. */
static wsp_status open_one(wspi_join *j, cursor *c, wsp_error *err)
{
    const place *p = &j->places[j->items[c->item].place];
    wsp_status st = wsp_input_open_next(c->in, &c->of, err);

    c->n_opened++;
    if (st != WSP_EOF || wsp_input_stopped(j->in))
        return st;
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: it has changed since it was first looked at",
                     p->path);
}

/* The capture that was opened last is not the one that is due. Where the shelf is full it is read again, later. */
static wsp_status pass_over(wspi_join *j, const place *p, cursor *c, wsp_error *err)
{
    size_t i = j->walked[p->first + c->n_opened - 1];
    wspi_shelved *to = &j->items[i].shelved;

    if (i < j->next || to->there || wspi_shelf_put(&j->shelf, to, c->in) != WSP_ERR_NOMEM)
        return WSP_OK;
    return wspi_nomem(err, "packets that wait", 1);
}

/* An archive goes on from where it is, if that is before what is wanted. */
static wsp_status open_place(wspi_join *j, cursor *c, wsp_error *err)
{
    const item *it = &j->items[c->item];
    place *p = &j->places[it->place];
    const char *path = p->path;
    wsp_status st = WSP_OK;

    p->left--;
    if (it->shelved.there)
        return WSP_OK;
    if (p->parked && p->n_parked <= it->nth) {
        c->in = p->parked;
        c->n_opened = p->n_parked;
        p->parked = NULL;
    } else {
        st = wspi_input_part(&c->in, j->in, &path, 1, true, err);
    }
    while (st == WSP_OK && c->n_opened <= it->nth) {
        st = open_one(j, c, err);
        if (st == WSP_OK && c->n_opened <= it->nth)
            st = pass_over(j, p, c, err);
    }
    return st;
}

/* An archive that has captures left waits for them. */
static void close_place(wspi_join *j, cursor *c)
{
    place *p = &j->places[j->items[c->item].place];

    wspi_shelf_done(&j->shelf, &j->items[c->item].shelved);
    if (p->left && c->in) {
        wsp_input_free(p->parked);
        p->parked = c->in;
        p->n_parked = c->n_opened;
        return;
    }
    wsp_input_free(c->in);
    if (!p->left) {
        wsp_input_free(p->parked);
        p->parked = NULL;
    }
}

static void note_fault(wspi_join *j, const wsp_error *err)
{
    if (j->fault.status < 0)
        wspi_log(WSP_LOG_WARNING, "%s", j->fault.text);
    j->fault = *err;
}

static wsp_status read_next(wspi_join *j, cursor *c, wsp_error *err)
{
    item *it = &j->items[c->item];
    wsp_status st;

    if (!c->in)
        return wspi_shelf_next(&j->shelf, &it->shelved, it->name, &c->of, &c->frame, err);
    st = wsp_input_next(c->in, &c->frame, err);
    if (st == WSP_OK)
        c->of = *wspi_input_interface(c->in);
    return st;
}

/* Reads the cursor's next packet, or closes it: an error of one capture is the end of that one alone. */
static wsp_status move_on(wspi_join *j, cursor *c, wsp_status st, wsp_error *err)
{
    if (st == WSP_OK)
        st = read_next(j, c, err);
    if (st == WSP_OK)
        return st;
    if (st < 0 && st != WSP_ERR_NOMEM)
        note_fault(j, err);
    close_place(j, c);
    j->n_open--;
    memmove(c, c + 1, (size_t)(j->open + j->n_open - c) * sizeof *c);
    return st == WSP_ERR_NOMEM ? st : WSP_OK;
}

static wsp_status open_next(wspi_join *j, wsp_error *err)
{
    cursor *c = &j->open[j->n_open];

    if (j->n_open == MAX_OPEN)
        return wspi_fail(err, WSP_ERR_LIMIT, 0,
                         "%s: the times of more than %d captures overlap here, too many to join",
                         j->items[j->next].name, MAX_OPEN);
    j->n_open++;
    *c = (cursor){.item = j->next++};
    return move_on(j, c, open_place(j, c, err), err);
}

/* The open one whose packet comes first, of several the one that began first; NULL when none is open. */
static cursor *earliest(wspi_join *j)
{
    cursor *first = NULL;

    for (cursor *c = j->open; c < j->open + j->n_open; c++)
        if (!first || c->frame.time_ns < first->frame.time_ns)
            first = c;
    return first;
}

wsp_status wspi_join_next(wspi_join *j, wsp_capture_info *of, wsp_frame *frame, wsp_error *err)
{
    cursor *c = j->given;
    wsp_error local;

    err = err ? err : &local;
    j->given = NULL;
    if (c)
        WSP_TRY(move_on(j, c, WSP_OK, err));
    c = earliest(j);
    while (j->next < j->n_items && (!c || j->items[j->next].first_ns < c->frame.time_ns)) {
        WSP_TRY(open_next(j, err));
        c = earliest(j);
    }
    if (!c && j->fault.status < 0) {
        *err = j->fault;
        return j->fault.status;
    }
    if (!c)
        return WSP_EOF;
    j->given = c;
    j->file = j->items[c->item].name;
    *of = c->of;
    *frame = c->frame;
    return WSP_OK;
}

const char *wspi_join_file(const wspi_join *j)
{
    return j->file;
}

size_t wspi_join_count(const wspi_join *j)
{
    return j->n_items;
}

void wspi_join_free(wspi_join *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->n_open; i++)
        wsp_input_free(j->open[i].in);
    for (size_t i = 0; i < j->n_places; i++) {
        wsp_input_free(j->places[i].parked);
        free(j->places[i].path);
    }
    for (size_t i = 0; i < j->n_items; i++) {
        wspi_shelf_done(&j->shelf, &j->items[i].shelved);
        free(j->items[i].name);
    }
    wspi_shelf_clear(&j->shelf);
    free(j->walked);
    free(j->places);
    free(j->items);
    free(j);
}

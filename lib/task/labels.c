/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.c: lists of labels (tab-separated, with a header line: path, label, l4, ip_a, port_a, ip_b, port_b in any
 * order) and the join with flows: by the end of the capture's path, protocol, addresses and ports in either order.
 * Of several rows the one whose path says most counts.
 * A list that has only path and label is of whole captures: its rows have no flow, and all flows of the capture the label.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "capture/capture_int.h"
#include "task/task_int.h"

enum { COLUMNS = 7, CAPTURE_COLUMNS = 2, MAX_FIELDS = 32 };
static const char *const column_names[COLUMNS] = {"path",   "label", "l4",    "ip_a",
                                                  "port_a", "ip_b",  "port_b"};
static const size_t MAX_FILE = (size_t)1 << 30;

typedef struct row {
    uint64_t hash;
    const char *path;
    int32_t label;
} row;

struct wsp_labels {
    char *text; /* the file; paths and names point into it */
    bool whole; /* the rows are of captures, not of flows */
    row *rows;
    size_t n_rows, cap_rows;
    const char **names;
    size_t n_names, cap_names;
    int32_t *slots; /* [n_slots], at most half full: numbers of names by their hash; -1: free */
    size_t n_slots; /* a power of two */
};

static uint64_t hash_text(const char *path)
{
    return wspi_fnv1a(path, strlen(path), WSPI_FNV_START);
}

/* The same for both directions of a flow; ports are masked to 16 bits. */
static uint64_t hash_flow(const char *path, wsp_flow_key key)
{
    key.ethertype = 0;
    key.scope = 0;
    (void)wsp_flow_key_order(&key);
    return wspi_fnv1a(&key, sizeof key, hash_text(path));
}

static bool read_address(wsp_flow_key *key, size_t side, const char *text)
{
    if (inet_pton(AF_INET, text, key->addr[side]) == 1)
        key->addr_len = 4;
    else if (inet_pton(AF_INET6, text, key->addr[side]) == 1)
        key->addr_len = 16;
    else
        return false;
    return true;
}

/* Where the name is, or would be. */
static int32_t *slot_of(const wsp_labels *l, const char *name)
{
    size_t i = (size_t)hash_text(name) & (l->n_slots - 1);

    while (l->slots[i] >= 0 && strcmp(l->names[l->slots[i]], name) != 0)
        i = (i + 1) & (l->n_slots - 1);
    return &l->slots[i];
}

static wsp_status grow_slots(wsp_labels *l)
{
    size_t n = l->n_slots ? l->n_slots * 2 : 64;
    int32_t *slots;

    if (l->n_names < l->n_slots / 2)
        return WSP_OK;
    slots = wspi_new_array(n, sizeof *slots);
    if (!slots)
        return WSP_ERR_NOMEM;
    memset(slots, 0xff, n * sizeof *slots);
    free(l->slots);
    l->slots = slots;
    l->n_slots = n;
    for (size_t i = 0; i < l->n_names; i++)
        *slot_of(l, l->names[i]) = (int32_t)i;
    return WSP_OK;
}

static wsp_status name_index(wsp_labels *l, const char *name, int32_t *index)
{
    int32_t *slot;

    WSP_TRY(grow_slots(l));
    slot = slot_of(l, name);
    if (*slot < 0) {
        WSP_TRY(wspi_grow(&l->names, &l->cap_names, l->n_names + 1, sizeof *l->names));
        *slot = (int32_t)l->n_names;
        l->names[l->n_names++] = name;
    }
    *index = *slot;
    return WSP_OK;
}

/* Splits a line at tabs in place. */
static size_t split_line(char *line, char **fields)
{
    size_t n = 0;

    while (n < MAX_FIELDS) {
        char *tab = strchr(line, '\t');
        fields[n++] = line;
        if (!tab)
            break;
        *tab = 0;
        line = tab + 1;
    }
    return n;
}

/* Digits alone. */
static bool read_number(const char *text, uint16_t most, uint16_t *v)
{
    uint32_t sum = 0;

    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        sum = sum * 10 + (uint32_t)(*p - '0');
        if (sum > most)
            return false;
    }
    *v = (uint16_t)sum;
    return *text != '\0';
}

/* What is wrong with it, or NULL. */
static const char *read_flow(wsp_flow_key *key, char **fields, const size_t *at)
{
    const char *a = fields[at[4]], *b = fields[at[6]];
    uint16_t proto;

    memset(key, 0, sizeof *key);
    if (!read_address(key, 0, fields[at[3]]) || !read_address(key, 1, fields[at[5]]))
        return "ip_a or ip_b is not an IP address";
    if (!read_number(fields[at[2]], UINT8_MAX, &proto))
        return "l4 is not a number of a protocol, 0 to 255";
    if ((*a && !read_number(a, UINT16_MAX, &key->port[0])) ||
        (*b && !read_number(b, UINT16_MAX, &key->port[1]))) /* nothing: it has none */
        return "port_a or port_b is not a number from 0 to 65535";
    key->proto = (uint8_t)proto;
    return NULL;
}

/* What is wrong with a row, or NULL: then *r has its path and hash. */
static const char *read_row(const wsp_labels *l, char **fields, size_t n, const size_t *at, row *r)
{
    size_t columns = l->whole ? CAPTURE_COLUMNS : COLUMNS;
    const char *why = NULL;
    wsp_flow_key key;

    for (size_t i = 0; i < columns; i++)
        if (at[i] >= n)
            return l->whole ? "not a path and a label" : "not a path, a label and a flow";
    r->path = fields[at[0]];
    if (!*r->path)
        return "the path is empty";
    if (!*fields[at[1]])
        return "the label is empty: leave out what has no label";
    if (!wsp_is_printable(fields[at[1]]))
        return "the label has control characters, or is not UTF-8";
    if (!l->whole)
        why = read_flow(&key, fields, at);
    if (!why)
        r->hash = l->whole ? hash_text(r->path) : hash_flow(r->path, key);
    return why;
}

static wsp_status add_row(wsp_labels *l, char **fields, size_t n, const size_t *at,
                          const char **why)
{
    row r;

    *why = read_row(l, fields, n, at, &r);
    if (*why)
        return WSP_ERR_FORMAT;
    *why = "no memory";
    WSP_TRY(name_index(l, fields[at[1]], &r.label));
    WSP_TRY(wspi_grow(&l->rows, &l->cap_rows, l->n_rows + 1, sizeof *l->rows));
    l->rows[l->n_rows++] = r;
    return WSP_OK;
}

/* All columns, or of those only the first ones: a list of captures. Some of a flow's are a mistake. */
static bool find_columns(wsp_labels *l, char **fields, size_t n, size_t *at)
{
    size_t found[2] = {0};

    for (size_t i = 0; i < COLUMNS; i++) {
        at[i] = SIZE_MAX;
        for (size_t k = 0; k < n; k++) {
            if (strcmp(fields[k], column_names[i]) != 0)
                continue;
            if (at[i] != SIZE_MAX) /* which one is meant? */
                return false;
            at[i] = k;
        }
        found[i >= CAPTURE_COLUMNS] += at[i] != SIZE_MAX;
    }
    l->whole = found[1] == 0;
    return found[0] == CAPTURE_COLUMNS && (l->whole || found[1] == COLUMNS - CAPTURE_COLUMNS);
}

/* The line ends here, also one that Windows has written; returns where the next one begins, or NULL. */
static char *end_line(char *line)
{
    char *end = strchr(line, '\n');

    if (end)
        *end = 0;
    if (end && end > line && end[-1] == '\r')
        end[-1] = 0;
    return end ? end + 1 : NULL;
}

static wsp_status parse(wsp_labels *l, const char *path, wsp_error *err)
{
    static const char byte_order[] = "\xef\xbb\xbf"; /* spreadsheets begin UTF-8 with it */
    bool marked = strncmp(l->text, byte_order, sizeof byte_order - 1) == 0;
    char *line = marked ? l->text + sizeof byte_order - 1 : l->text, *fields[MAX_FIELDS];
    size_t at[COLUMNS];

    for (size_t number = 1; number == 1 || (line && *line); number++) {
        char *next = end_line(line);
        size_t n = split_line(line, fields);
        wsp_status st = WSP_OK;
        const char *why;

        if (number > 1)
            st = add_row(l, fields, n, at, &why);
        else if (!find_columns(l, fields, n, at))
            return wspi_fail(err, WSP_ERR_FORMAT, 0,
                             "%s: the first line must name the columns path, label, l4, ip_a, "
                             "port_a, ip_b, port_b, or for whole captures path and label alone, "
                             "each once",
                             path);
        if (st < 0)
            return wspi_fail(err, st, 0, "%s: line %zu: %s", path, number, why);
        line = next;
    }
    return WSP_OK;
}

static int by_hash(const void *a, const void *b)
{
    const row *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : strcmp(x->path, y->path);
}

/* Sorts the rows to be looked up; the same flow, or capture, has one label. */
static wsp_status sort_rows(wsp_labels *l, const char *path, wsp_error *err)
{
    if (l->n_rows)
        qsort(l->rows, l->n_rows, sizeof *l->rows, by_hash);
    for (size_t i = 1; i < l->n_rows; i++) {
        const row *a = &l->rows[i - 1], *b = &l->rows[i];

        if (a->label != b->label && by_hash(a, b) == 0)
            return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: two labels of %s%s: %s and %s", path,
                             l->whole ? "" : "a flow of ", a->path,
                             l->names[WSPI_MIN(a->label, b->label)],
                             l->names[WSPI_MAX(a->label, b->label)]);
    }
    return WSP_OK;
}

/* A zero byte would end the list without a word. */
static wsp_status refuse_zeros(const char *text, size_t len, const char *path, wsp_error *err)
{
    const char *zero = memchr(text, 0, len);
    size_t line = 1;

    for (const char *p = text; zero && p < zero; p++)
        line += *p == '\n';
    return zero ? wspi_fail(err, WSP_ERR_FORMAT, (uint64_t)(zero - text),
                            "%s: line %zu: a zero byte, which no text has", path, line)
                : WSP_OK;
}

wsp_status wsp_labels_load(wsp_labels **out, const char *path, wsp_error *err)
{
    wsp_labels *l = wspi_new_array(1, sizeof *l);
    uint8_t *data = NULL;
    size_t len;
    wsp_status st;

    *out = NULL;
    if (!l)
        return wspi_nomem(err, "labels", sizeof *l);
    st = wspi_file_read(path, MAX_FILE, &data, &len, err);
    if (st == WSP_OK) {
        l->text = realloc(data, len + 1);
        if (!l->text) {
            free(data);
            st = wspi_nomem(err, "labels", len);
        } else {
            l->text[len] = 0;
            st = refuse_zeros(l->text, len, path, err);
            if (st == WSP_OK)
                st = parse(l, path, err);
            if (st == WSP_OK)
                st = sort_rows(l, path, err);
        }
    }
    if (st < 0) {
        wsp_labels_free(l);
        return st;
    }
    *out = l;
    return WSP_OK;
}

void wsp_labels_free(wsp_labels *l)
{
    if (!l)
        return;
    free(l->text);
    free(l->rows);
    free(l->names);
    free(l->slots);
    free(l);
}

static const row *row_of(const wsp_labels *l, uint64_t hash, const char *path)
{
    size_t lo = 0, hi = l->n_rows;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (l->rows[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < l->n_rows && l->rows[lo].hash == hash; lo++)
        if (strcmp(path, l->rows[lo].path) == 0)
            return &l->rows[lo];
    return NULL;
}

/* The path without its first part, or NULL: folders end with a slash, archives with a colon. */
static const char *next_end(const char *path)
{
    path += strcspn(path, "/:");
    return *path ? path + 1 : NULL;
}

int32_t wsp_labels_find(const wsp_labels *l, const char *capture, const wsp_flow_key *key)
{
    if (!l->whole && !key)
        return -1;
    for (const char *end = capture; end; end = next_end(end)) {
        const row *r = row_of(l, l->whole ? hash_text(end) : hash_flow(end, *key), end);

        if (r)
            return r->label;
    }
    return -1;
}

const char *wsp_labels_name(const wsp_labels *l, int32_t label)
{
    return label >= 0 && (size_t)label < l->n_names ? l->names[label] : NULL;
}

/* What is wrong with a new head of the set, or NULL. */
static const char *misfit(const wsp_tokens *t, const char *head, const char *const *labels,
                          size_t n_labels, const int32_t *column)
{
    if (!*head || strlen(head) >= WSP_HEAD_NAME || !wsp_is_printable(head))
        return "its name is empty, longer than 31 bytes or not printable";
    for (size_t h = 0; h < t->n_heads; h++)
        if (strcmp(t->heads[h], head) == 0)
            return "the set has one of this name";
    for (size_t i = 0; i < n_labels; i++)
        if (!wsp_is_printable(labels[i]))
            return "a label has control characters, or is not UTF-8";
    for (size_t i = 0; i < t->n_flows; i++)
        if (column[i] < -1 || column[i] >= (int64_t)n_labels)
            return "a flow has a label that is none";
    return NULL;
}

/* Takes name, names and column once there is room for them all. */
static wsp_status add_head(wsp_tokens *t, char *name, char **names, size_t n_labels,
                           int32_t *column)
{
    size_t n = t->n_heads, caps[4] = {n, n, n, n};

    if (!name || !names || wspi_grow(&t->heads, &caps[0], n + 1, sizeof *t->heads) < 0 ||
        wspi_grow(&t->n_labels, &caps[1], n + 1, sizeof *t->n_labels) < 0 ||
        wspi_grow(&t->label_names, &caps[2], n + 1, sizeof *t->label_names) < 0 ||
        wspi_grow(&t->labels, &caps[3], n + 1, sizeof *t->labels) < 0)
        return WSP_ERR_NOMEM;
    t->heads[n] = name;
    t->n_labels[n] = n_labels;
    t->label_names[n] = names;
    t->labels[n] = column;
    t->n_heads++;
    return WSP_OK;
}

wsp_status wsp_tokens_label(wsp_tokens *t, const char *head, const char *const *labels,
                            size_t n_labels, int32_t *column, wsp_error *err)
{
    const char *why = misfit(t, head, labels, n_labels, column);
    char *name = why ? NULL : strdup(head);
    char **names = why ? NULL : wspi_copy_names(labels, n_labels);
    wsp_status st =
        why ? wspi_fail(err, WSP_ERR_ARG, 0, "the head '%s' cannot be added: %s", head, why)
            : add_head(t, name, names, n_labels, column);

    if (st == WSP_OK)
        return st;
    if (st == WSP_ERR_NOMEM)
        (void)wspi_nomem(err, "labels", n_labels);
    wspi_free_names(names, n_labels);
    free(name);
    free(column);
    return st;
}

wsp_status wsp_labels_attach(const wsp_labels *l, wsp_tokens *t, const char *head, int32_t *column,
                             wsp_error *err)
{
    return wsp_tokens_label(t, head, l->names, l->n_names, column, err);
}

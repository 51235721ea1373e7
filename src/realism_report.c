/* SPDX-License-Identifier: Apache-2.0 */
/* realism_report.c: what was measured of generated captures, as a table for people and as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "columns.h"
#include "realism.h"

enum { SHOWN_CLASSES = 30, SHOWN_COPIES = 10, SHOWN_MESSAGES = 8, SHOWN_BYTES = 48 };
enum { LEAST_WIDTH = 14, MOST_WIDTH = 32, NAME_END = 18 };

/* ---- table ---- */

static int letters(const char *name)
{
    return (int)strlen(name) - columns_pad(name, 0);
}

/* As wide as its name, within limits. */
static int width_of(const realism_column *c)
{
    int n = letters(c->name);

    return n < LEAST_WIDTH ? LEAST_WIDTH : n > MOST_WIDTH ? MOST_WIDTH : n;
}

static void print_value(const realism_row *row, double v, int width)
{
    if (isnan(v))
        printf(" %*s", width, "-");
    else if (row->unit == REALISM_NUMBER)
        printf(" %*.0f", width, v);
    else
        printf(" %*.4f", width, v);
}

/* Of a name that is too long, both ends: names of files differ at the end. */
static void print_name(const realism_column *c)
{
    const char *name = c->name;
    int n = letters(name);

    if (n > MOST_WIDTH)
        printf(" %.*s..%s", columns_cut(name, MOST_WIDTH - NAME_END - 2), name,
               name + columns_cut(name, n - NAME_END));
    else
        printf(" %*s", columns_pad(name, width_of(c)), name);
}

static void print_heads(const realism_report *r)
{
    printf("%-34s", "");
    for (size_t c = 0; c < r->n_columns; c++)
        print_name(&r->column[c]);
    printf("\n");
}

static void print_counts(const realism_report *r)
{
    static const char *const names[] = {"captures", "flows", "packets", "classes"};

    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        printf("%-34s", names[k]);
        for (size_t c = 0; c < r->n_columns; c++) {
            const wsp_traffic_counts *n = &r->column[c].counts;
            const size_t v[] = {n->captures, n->flows, n->packets, n->classes};
            if (n->flows)
                printf(" %*zu", width_of(&r->column[c]), v[k]);
            else
                printf(" %*s", width_of(&r->column[c]), "-");
        }
        printf("\n");
    }
}

static void print_agreement(const realism_column *c)
{
    printf("\nnDPI on %s, the largest classes\n  %-24s %7s %8s %8s %8s  %s\n", c->name, "class",
           "flows", "right", "by port", "named", "mostly called");
    for (size_t i = 0; i < c->n_agreement && i < SHOWN_CLASSES; i++) {
        const wsp_agreement *a = &c->agreement[i];
        double n = (double)a->flows;
        printf("  %-24s %7zu %8.3f %8.3f %8.3f  ", a->name, a->flows, (double)a->right / n,
               (double)a->guessed / n, (double)a->named / n);
        if (a->other)
            printf("%s (%zu)\n", a->other, a->n_other);
        else
            printf("-\n");
    }
}

static void print_text(FILE *f, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && i < SHOWN_BYTES; i++)
        if (data[i] >= ' ' && data[i] < 127 && data[i] != '\\')
            (void)fputc(data[i], f);
        else
            (void)fprintf(f, "\\x%02x", data[i]);
    if (len > SHOWN_BYTES)
        (void)fputs("...", f);
}

static void print_copies(const realism_report *r, const realism_column *c)
{
    printf("\npayload of training captures in %s, the rarest first\n  %6s %6s %9s  %s\n", c->name,
           "bytes", "times", "captures", "");
    for (size_t i = 0; i < c->n_copies && i < SHOWN_COPIES; i++) {
        const wsp_copy *k = &c->copies[i];
        printf("  %6zu %6zu %9zu%s ", k->len, k->times, k->captures,
               k->captures < r->common ? " !" : "  ");
        print_text(stdout, k->data, k->len);
        printf("\n");
    }
}

static void print_messages(const realism_column *c)
{
    if (!c->shark.ran || c->shark.n == 0)
        return;
    printf("\ntshark on %s, warnings and errors in %zu packets\n", c->name, c->shark.packets);
    for (size_t i = 0; i < c->shark.n && i < SHOWN_MESSAGES; i++)
        printf("  %8zu  %s%s\n", c->shark.messages[i].packets,
               c->shark.messages[i].error ? "error: " : "", c->shark.messages[i].text);
}

static bool is_floor_copy(size_t column)
{
    return column == 1; /* the same captures as column 0 */
}

void realism_table(const realism_report *r, bool all)
{
    const char *section = "";

    print_heads(r);
    print_counts(r);
    for (size_t i = 0; i < r->n_rows; i++) {
        const realism_row *row = &r->row[i];
        if (row->detail && !all)
            continue;
        if (strcmp(row->section, section) != 0)
            printf("\n%s\n", row->section);
        section = row->section;
        printf("%s%-32s", row->mean ? "= " : "  ", row->name);
        for (size_t c = 0; c < r->n_columns; c++)
            print_value(row, row->v[c], width_of(&r->column[c]));
        printf("\n");
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        if (is_floor_copy(c))
            continue;
        if (r->column[c].n_agreement)
            print_agreement(&r->column[c]);
        print_messages(&r->column[c]);
        if (r->column[c].n_copies && !r->column[c].floor)
            print_copies(r, &r->column[c]);
    }
}

/* ---- JSON ---- */

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *agreement_json(const realism_column *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->n_agreement; i++) {
        const wsp_agreement *a = &c->agreement[i];
        (void)json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:s?, s:I}", "class", a->name, "flows",
                            (json_int_t)a->flows, "right", (json_int_t)a->right, "named",
                            (json_int_t)a->named, "by_port_too", (json_int_t)a->guessed,
                            "mostly_other", a->other, "other_flows", (json_int_t)a->n_other));
    }
    return list;
}

/* As hexadecimal digits: payload is no text. */
static json_t *bytes_json(const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char text[512];
    size_t n = 0;

    for (size_t i = 0; i < len && n + 2 < sizeof text; i++) {
        text[n++] = digits[data[i] >> 4];
        text[n++] = digits[data[i] & 15];
    }
    return json_stringn(text, n);
}

static json_t *copies_json(const realism_report *r, const realism_column *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->n_copies; i++) {
        const wsp_copy *k = &c->copies[i];
        (void)json_array_append_new(
            list, json_pack("{s:o, s:I, s:I, s:I, s:b}", "hex", bytes_json(k->data, k->len),
                            "bytes", (json_int_t)k->len, "times", (json_int_t)k->times, "captures",
                            (json_int_t)k->captures, "rare", k->captures < r->common));
    }
    return list;
}

static json_t *messages_json(const realism_column *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->shark.n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:I, s:b, s:b}", "text", c->shark.messages[i].text, "packets",
                            (json_int_t)c->shark.messages[i].packets, "error",
                            c->shark.messages[i].error, "tcp", c->shark.messages[i].tcp));
    return list;
}

/* Measures by section and name. */
static json_t *measures_json(const realism_report *r, size_t column)
{
    json_t *sections = json_object();

    for (size_t i = 0; i < r->n_rows; i++) {
        const realism_row *row = &r->row[i];
        json_t *s = json_object_get(sections, row->section);
        if (!s) {
            s = json_object();
            (void)json_object_set_new(sections, row->section, s);
        }
        (void)json_object_set_new(s, row->name, number(row->v[column]));
    }
    return sections;
}

static json_t *column_json(const realism_report *r, size_t column)
{
    const realism_column *c = &r->column[column];

    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "name", c->name, "floor",
                     c->floor, "captures", (json_int_t)c->counts.captures, "flows",
                     (json_int_t)c->counts.flows, "packets", (json_int_t)c->counts.packets,
                     "classes", (json_int_t)c->counts.classes, "measures", measures_json(r, column),
                     "ndpi", agreement_json(c), "tshark", messages_json(c), "copies",
                     copies_json(r, c));
}

bool realism_json(const realism_report *r, FILE *to)
{
    json_t *sets = json_array(), *all;
    bool ok;

    for (size_t c = 0; c < r->n_columns; c++)
        (void)json_array_append_new(sets, column_json(r, c));
    all = json_pack("{s:I, s:I, s:b, s:b, s:o}", "max_packets", (json_int_t)r->max_packets,
                    "common", (json_int_t)r->common, "with_tshark", r->tshark, "with_training",
                    r->train, "sets", sets);
    ok = all && json_dumpf(all, to, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0 &&
         fputc('\n', to) != EOF;
    json_decref(all);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* realism_html.c: what was measured of generated captures, as one page with pictures that needs nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "page.h"
#include "realism.h"

enum { SHOWN = 40 };

static const char more_style[] =
    "td.worse{color:var(--miss)}tr.mean td{font-weight:700}td.text{text-align:left;font-family:"
    "ui-monospace,monospace;font-size:12px}\n"
    ".s0{--dot:#8a94a3}.s1{--dot:#b9c0ca}.s2{--dot:#2e9e6b}.s3{--dot:#1f6feb}.s4{--dot:#d4492f}.s5{"
    "--dot:#b7791f}.s6{--dot:#8b5cf6}.s7{--dot:#0ea5b7}\n"
    "svg.lines{max-width:760px}svg .dot{fill:var(--dot)}svg "
    ".floor{fill:var(--soft);fill-opacity:.3}\n"
    ".key.dot{background:var(--dot)}\n";

/* ---- pictures: a line a measure, a dot a set ---- */

enum { LINE = 19, LEFT = 190, PLOT = 420, TOP = 8, FOOT = 34 };

static bool in_figure(const realism_row *row, const char *section)
{
    return strcmp(row->section, section) == 0 && row->unit == REALISM_SHARE;
}

static double at(double v)
{
    return LEFT + PLOT * fmin(fmax(v, 0), 1);
}

static void print_axis(FILE *f, int height)
{
    for (int i = 0; i <= 5; i++) {
        double x = at(i / 5.0);
        (void)fprintf(f,
                      "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text "
                      "x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f</text>\n",
                      x, x, TOP, height - FOOT, x, height - FOOT + 15, i / 5.0);
    }
    (void)fprintf(f,
                  "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">Jensen-Shannon "
                  "divergence</text>\n",
                  LEFT + PLOT / 2, height - 4);
}

static void print_line(FILE *f, const realism_report *r, const realism_row *row, int y)
{
    (void)fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + 4);
    figure_text(f, row->name);
    (void)fputs("</text>\n", f);
    if (isfinite(row->v[1])) /* up to here real captures differ among themselves */
        (void)fprintf(f,
                      "<rect class=\"floor\" x=\"%d\" y=\"%d\" width=\"%.1f\" "
                      "height=\"10\"><title>real captures in halves: %.4f</title></rect>\n",
                      LEFT, y - 5, at(row->v[1]) - LEFT, row->v[1]);
    for (size_t c = 2; c < r->n_columns; c++) {
        if (!isfinite(row->v[c]))
            continue;
        (void)fprintf(f, "<circle class=\"dot s%zu\" cx=\"%.1f\" cy=\"%d\" r=\"5\"><title>", c % 8,
                      at(row->v[c]), y);
        figure_text(f, r->column[c].name);
        (void)fprintf(f, ": %.4f</title></circle>\n", row->v[c]);
    }
}

static void print_figure(FILE *f, const realism_report *r, const char *section)
{
    int lines = 0, y = TOP, height;

    for (size_t i = 0; i < r->n_rows; i++)
        lines += in_figure(&r->row[i], section);
    height = TOP + lines * LINE + FOOT;
    (void)fprintf(f, "<svg class=\"lines\" viewBox=\"0 0 %d %d\" role=\"img\">\n", LEFT + PLOT + 20,
                  height);
    print_axis(f, height);
    for (size_t i = 0; i < r->n_rows; i++)
        if (in_figure(&r->row[i], section)) {
            print_line(f, r, &r->row[i], y + LINE / 2);
            y += LINE;
        }
    (void)fputs("</svg>\n", f);
}

static void print_key(FILE *f, const realism_report *r)
{
    (void)fputs("<p>Grey bars: how far two halves of the real captures are apart.", f);
    for (size_t c = 2; c < r->n_columns; c++) {
        if (r->column[c].counts.flows == 0)
            continue;
        (void)fprintf(f, " <span class=\"key dot s%zu\"></span>", c % 8);
        figure_text(f, r->column[c].name);
    }
    (void)fputs("</p>\n", f);
}

/* ---- tables ---- */

static void print_value(FILE *f, const realism_row *row, double v)
{
    if (isnan(v))
        (void)fputs("<td>–</td>", f);
    else
        (void)fprintf(f, row->unit == REALISM_NUMBER ? "<td>%.0f</td>" : "<td>%.4f</td>", v);
}

static void print_heads(FILE *f, const realism_report *r, const char *first)
{
    (void)fprintf(f, "<table><tr><th>%s</th>", first);
    for (size_t c = 0; c < r->n_columns; c++) {
        (void)fputs("<th>", f);
        figure_text(f, r->column[c].name);
        (void)fputs("</th>", f);
    }
    (void)fputs("</tr>\n", f);
}

static void print_rows(FILE *f, const realism_report *r, const char *section)
{
    (void)fputs("<div class=\"card\">", f);
    print_heads(f, r, "");
    for (size_t i = 0; i < r->n_rows; i++) {
        const realism_row *row = &r->row[i];
        if (strcmp(row->section, section) != 0)
            continue;
        (void)fputs(row->mean ? "<tr class=\"mean\"><td>" : "<tr><td>", f);
        figure_text(f, row->name);
        (void)fputs("</td>", f);
        for (size_t c = 0; c < r->n_columns; c++)
            print_value(f, row, row->v[c]);
        (void)fputs("</tr>\n", f);
    }
    (void)fputs("</table></div><br>\n", f);
}

static void print_summary(FILE *f, const realism_report *r)
{
    static const char *const names[] = {"flows", "packets"};

    (void)fputs("<div class=\"card\">", f);
    print_heads(f, r, "");
    for (size_t k = 0; k < 2; k++) {
        (void)fprintf(f, "<tr><td>%s</td>", names[k]);
        for (size_t c = 0; c < r->n_columns; c++)
            (void)fprintf(f, "<td>%zu</td>",
                          k ? r->column[c].counts.packets : r->column[c].counts.flows);
        (void)fputs("</tr>\n", f);
    }
    for (size_t i = 0; i < r->n_rows; i++) {
        const realism_row *row = &r->row[i];
        if (!row->mean && row->unit != REALISM_SCORE)
            continue;
        if (row->detail)
            continue;
        (void)fputs("<tr><td>", f);
        figure_text(f, row->mean ? "" : row->section);
        (void)fputs(row->mean ? "" : ": ", f);
        figure_text(f, row->name);
        (void)fputs("</td>", f);
        for (size_t c = 0; c < r->n_columns; c++)
            print_value(f, row, row->v[c]);
        (void)fputs("</tr>\n", f);
    }
    (void)fputs("</table></div>\n", f);
}

static void print_agreement(FILE *f, const realism_column *c)
{
    (void)fputs("<div class=\"card\"><h3>", f);
    figure_text(f, c->name);
    (void)fputs("</h3><table><tr><th>class</th><th>flows</th><th>right</th><th></th><th>by port "
                "too</th><th>mostly called</th></tr>\n",
                f);
    for (size_t i = 0; i < c->n_agreement; i++) {
        const wsp_agreement *a = &c->agreement[i];
        double n = (double)a->flows, right = (double)a->right / n;
        (void)fputs("<tr><td>", f);
        figure_text(f, a->name);
        (void)fprintf(f,
                      "</td><td>%zu</td><td>%.3f</td><td><span class=\"meter\"><i "
                      "style=\"width:%.1f%%\"></i></span></td><td>%.3f</td><td "
                      "class=\"text\">",
                      a->flows, right, 100 * right, (double)a->guessed / n);
        if (a->other) {
            figure_text(f, a->other);
            (void)fprintf(f, " (%zu)", a->n_other);
        }
        (void)fputs("</td></tr>\n", f);
    }
    (void)fputs("</table></div><br>\n", f);
}

static void print_messages(FILE *f, const realism_column *c)
{
    if (!c->shark.ran)
        return;
    (void)fputs("<div class=\"card\"><h3>", f);
    figure_text(f, c->name);
    (void)fprintf(f, ": %zu packets</h3><table><tr><th>packets</th><th></th></tr>\n",
                  c->shark.packets);
    for (size_t i = 0; i < c->shark.n && i < SHOWN; i++) {
        (void)fprintf(f, "<tr><td>%zu</td><td class=\"text\">%s", c->shark.messages[i].packets,
                      c->shark.messages[i].error ? "error: " : "");
        figure_text(f, c->shark.messages[i].text);
        (void)fputs("</td></tr>\n", f);
    }
    (void)fputs("</table></div><br>\n", f);
}

static void print_bytes(FILE *f, const uint8_t *data, size_t len)
{
    char text[5];

    for (size_t i = 0; i < len && i < 96; i++) {
        (void)snprintf(text, sizeof text, data[i] >= ' ' && data[i] < 127 ? "%c" : "\\x%02x",
                       data[i]);
        figure_text(f, text);
    }
    (void)fputs(len > 96 ? "…" : "", f);
}

static void print_copies(FILE *f, const realism_report *r, const realism_column *c)
{
    (void)fputs("<div class=\"card\"><h3>", f);
    figure_text(f, c->name);
    (void)fputs("</h3><table><tr><th>bytes</th><th>times</th><th>training "
                "captures</th><th></th></tr>\n",
                f);
    for (size_t i = 0; i < c->n_copies && i < SHOWN; i++) {
        const wsp_copy *k = &c->copies[i];
        (void)fprintf(f, "<tr><td>%zu</td><td>%zu</td><td%s>%zu</td><td class=\"text\">", k->len,
                      k->times, k->captures < r->common ? " class=\"worse\"" : "", k->captures);
        print_bytes(f, k->data, k->len);
        (void)fputs("</td></tr>\n", f);
    }
    (void)fputs("</table></div><br>\n", f);
}

/* ---- the page ---- */

static void print_sections(FILE *f, const realism_report *r)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const char *section = r->row[i].section;
        bool distances = false;
        if (i > 0 && strcmp(section, r->row[i - 1].section) == 0)
            continue;
        for (size_t k = i; k < r->n_rows && strcmp(r->row[k].section, section) == 0; k++)
            distances = distances || r->row[k].mean;
        (void)fputs("<h2>", f);
        figure_text(f, section);
        (void)fputs("</h2>\n", f);
        if (distances) {
            print_key(f, r);
            (void)fputs("<div class=\"card\">", f);
            print_figure(f, r, section);
            (void)fputs("</div><br>\n", f);
        }
        print_rows(f, r, section);
    }
}

/* Lists that sets have: heading, and what prints one. */
static void print_lists(FILE *f, const realism_report *r)
{
    (void)fputs("<h2>nDPI, class by class</h2>\n", f);
    for (size_t c = 0; c < r->n_columns; c++)
        if (r->column[c].n_agreement)
            print_agreement(f, &r->column[c]);
    (void)fputs("<h2>tshark: warnings and errors</h2>\n", f);
    if (!r->tshark)
        (void)fputs("<p>There was no tshark.</p>\n", f);
    for (size_t c = 0; c < r->n_columns; c++)
        print_messages(f, &r->column[c]);
    if (!r->train)
        return;
    (void)fprintf(
        f,
        "<h2>Payload that training captures have, too</h2>\n<p>The rarest first: 16 bytes "
        "or more. What stands in fewer than %zu captures is red.</p>\n",
        r->common);
    for (size_t c = 0; c < r->n_columns; c++)
        if (r->column[c].n_copies)
            print_copies(f, r, &r->column[c]);
}

static void print_page(FILE *f, const void *arg)
{
    const realism_report *r = arg;

    page_head(f, "Generated captures beside real ones", more_style);
    (void)fputs("<h1>Generated captures beside real ones</h1>\n", f);
    (void)fprintf(f, "<p>The first %zu packets of each flow; wirespeak %s</p>\n", r->max_packets,
                  wsp_version());
    print_summary(f, r);
    print_sections(f, r);
    print_lists(f, r);
    (void)fputs("</body></html>\n", f);
}

int realism_html(const realism_report *r, const char *path)
{
    return page_write(path, print_page, r);
}

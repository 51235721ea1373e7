/* SPDX-License-Identifier: Apache-2.0 */
/* report_html.c: scores as one page that needs nothing else: style sheet and pictures are inside, there is no script. */
#include <math.h>
#include <string.h>

#include "figure.h"
#include "page.h"
#include "trained.h"

/* Four digits, or a dash where there is no number. */
static void print_number(FILE *f, double v)
{
    if (isfinite(v))
        (void)fprintf(f, "%.4f", v);
    else
        (void)fputs("–", f);
}

static void print_cell(FILE *f, double v)
{
    (void)fputs("<td>", f);
    print_number(f, v);
    (void)fputs("</td>", f);
}

static void print_meter(FILE *f, double v)
{
    (void)fprintf(f, "<td><span class=\"meter\"><i style=\"width:%.1f%%\"></i></span></td>",
                  isfinite(v) ? 100 * v : 0.0);
}

static void print_text(FILE *f, const char *before, const char *text, const char *after)
{
    (void)fputs(before, f);
    figure_text(f, text);
    (void)fputs(after, f);
}

/* ---- parts of the page ---- */

static const report_row *best_baseline(const report_head *h)
{
    const report_row *best = NULL;

    for (size_t i = 0; i < h->n_rows; i++)
        if (h->rows[i].kind == REPORT_BASELINE && (!best || h->rows[i].macro_f1 > best->macro_f1))
            best = &h->rows[i];
    return best;
}

static void print_summary(FILE *f, const report *r)
{
    (void)fprintf(f,
                  "<table><tr><th>head</th><th>%s</th><th>classes</th><th>accuracy</th>"
                  "<th>macro-F1</th><th></th><th>best baseline's</th><th>always the "
                  "commonest</th><th>ECE</th></tr>\n",
                  r->by_capture ? "captures" : "flows");
    for (size_t i = 0; i < r->n_heads; i++) {
        const report_head *h = &r->heads[i];
        const report_row *best = best_baseline(h);
        print_text(f, "<tr><td><a href=\"#", h->head->name, "\">");
        print_text(f, "", h->head->name, "</a></td>");
        (void)fprintf(f, "<td>%zu</td><td>%zu</td>", h->score->flows, h->score->classes);
        print_cell(f, h->score->accuracy);
        print_cell(f, h->score->macro_f1);
        print_meter(f, h->score->macro_f1);
        print_cell(f, best ? best->macro_f1 : (double)NAN);
        print_cell(f, h->score->majority_macro_f1);
        print_cell(f, h->score->ece);
        (void)fputs("</tr>\n", f);
    }
    (void)fputs("</table>\n", f);
}

static void print_tiles(FILE *f, const wsp_metrics *s)
{
    const struct {
        const char *name;
        double value;
    } tiles[] = {{"accuracy", s->accuracy},
                 {"macro-F1", s->macro_f1},
                 {"weighted F1", s->weighted_f1},
                 {"ECE", s->ece},
                 {"ECE by chance", s->ece_perfect},
                 {"Brier score", s->brier},
                 {"AUROC, right over wrong", s->auroc_right},
                 {"AUROC, known over other", s->auroc_known}};

    (void)fputs("<div class=\"tiles\">", f);
    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
        if (!isfinite(tiles[i].value))
            continue;
        (void)fputs("<div class=\"tile\"><b>", f);
        print_number(f, tiles[i].value);
        (void)fprintf(f, "</b><span>%s</span></div>", tiles[i].name);
    }
    (void)fputs("</div>\n", f);
}

/* "0.81 to 0.86", or with signs; empty where there are no draws. */
static void print_interval(FILE *f, const wsp_estimate *e, bool sign)
{
    if (isnan(e->low))
        (void)fputs("<td></td>", f);
    else
        (void)fprintf(f, sign ? "<td>%+.3f to %+.3f</td>" : "<td>%.3f to %.3f</td>", e->low,
                      e->high);
}

/* s: NULL where there is nothing to draw; which: of its scores. */
static void print_row(FILE *f, const char *name, const double value[2], const wsp_spread *s,
                      int which)
{
    (void)fprintf(f, "<tr class=\"%s\">", which == 0 && s ? "model" : "");
    print_text(f, "<td>", name, "</td>");
    print_cell(f, value[0]);
    print_cell(f, value[1]);
    print_meter(f, value[1]);
    if (s) {
        print_interval(f, &s->accuracy[which], which == 2);
        print_interval(f, &s->macro_f1[which], which == 2);
    } else
        (void)fputs("<td></td><td></td>", f);
    (void)fputs("</tr>\n", f);
}

static void print_rows(FILE *f, const report_head *h)
{
    const double mine[] = {h->score->accuracy, h->score->macro_f1};
    const double always[] = {h->score->majority_accuracy, h->score->majority_macro_f1};
    char name[128];

    (void)fputs("<div class=\"card\"><h3>Beside others</h3><table><tr><th></th><th>accuracy</th>"
                "<th>macro-F1</th><th></th><th>accuracy, 95 %</th><th>macro-F1, 95 %</th></tr>\n",
                f);
    print_row(f, "the model", mine, &h->spread, 0);
    (void)snprintf(name, sizeof name, "always '%s'", h->head->labels[h->score->most]);
    print_row(f, name, always, NULL, 0);
    for (size_t i = 0; i < h->n_rows; i++)
        if (h->rows[i].paired)
            print_row(f, h->rows[i].name,
                      (const double[]){h->rows[i].accuracy, h->rows[i].macro_f1},
                      &h->rows[i].spread, 2);
    (void)fputs("</table><p>In 95 % of the draws of captures the model's scores are between these; "
                "with a sign: how far the model is before the other one.</p></div><br>\n",
                f);
}

static void print_change(FILE *f, const report_row *row, bool ndpi)
{
    print_text(f, "<tr><td>", row->name, "</td>");
    (void)fprintf(f, "<td>%zu</td>", row->flows);
    print_cell(f, row->accuracy);
    print_cell(f, row->macro_f1);
    print_meter(f, row->macro_f1);
    if (row->compared)
        (void)fprintf(f, "<td>%zu</td>", row->moved);
    else
        (void)fputs("<td></td>", f);
    if (ndpi) {
        print_cell(f, report_told(&row->ndpi));
        print_cell(f, report_right(&row->ndpi));
    }
    (void)fputs("</tr>\n", f);
}

static void print_changes(FILE *f, const report *r, const report_head *h)
{
    bool ndpi = report_speaks_of_ndpi(r, h), any = false;
    report_row whole = {.name = "as they are",
                        .flows = h->score->flows,
                        .accuracy = h->score->accuracy,
                        .macro_f1 = h->score->macro_f1,
                        .ndpi = r->ndpi};

    for (size_t i = 0; i < h->n_rows; i++)
        any = any || h->rows[i].kind == REPORT_CHANGE;
    if (!any)
        return;
    (void)fprintf(
        f,
        "<div class=\"card\"><h3>When captures or tokens are</h3><table><tr><th></th><th>%s</th>"
        "<th>accuracy</th><th>macro-F1</th><th></th><th>moved</th>",
        h->unit);
    (void)fputs(ndpi ? "<th>nDPI names</th><th>and right</th></tr>\n" : "</tr>\n", f);
    print_change(f, &whole, ndpi);
    for (size_t i = 0; i < h->n_rows; i++)
        if (h->rows[i].kind == REPORT_CHANGE)
            print_change(f, &h->rows[i], ndpi);
    (void)fputs("</table></div><br>\n", f);
}

static void print_figures(FILE *f, const report *r, const report_head *h)
{
    bool early = false;

    for (size_t i = 0; i < h->n_rows; i++)
        early = early || h->rows[i].kind == REPORT_EARLY;
    (void)fputs("<div class=\"grid3\"><div class=\"card\"><h3>Reliability</h3>\n", f);
    figure_reliability(f, h);
    (void)fprintf(f,
                  "<p>On the dashed line an answer is right as often as it is confident. Thin "
                  "bars: how many %s.</p></div>\n"
                  "<div class=\"card\"><h3>Leaving doubtful answers out</h3>\n",
                  h->unit);
    figure_abstention(f, h);
    (void)fprintf(
        f,
        "<p><span class=\"key\"></span>right answers; the dot is the model's own threshold, "
        "%.3f.%s</p></div>\n",
        h->score->unknown.threshold,
        h->score->outside
            ? " <span class=\"key second\"></span>those of other classes that get an answer."
            : "");
    if (early) {
        (void)fputs("<div class=\"card\"><h3>Early decisions</h3>\n", f);
        figure_early(f, h);
        (void)fputs(
            "<p><span class=\"key\"></span>macro-F1 <span class=\"key second\"></span>accuracy, of "
            "the same after so many packets of each flow.</p></div>\n",
            f);
    }
    (void)fputs("</div>\n", f);
    print_rows(f, h);
    print_changes(f, r, h);
}

/* What the class is most often taken for; NULL: nothing. */
static const char *taken_for(const report_head *h, size_t l)
{
    const uint32_t *row = h->score->confusion + l * h->score->n_labels;
    size_t most = l;

    for (size_t k = 0; k < h->score->n_labels; k++)
        if (k != l && row[k] > (most == l ? 0 : row[most]))
            most = k;
    return most == l ? NULL : h->head->labels[most];
}

static void print_classes(FILE *f, const report_head *h)
{
    (void)fprintf(f,
                  "<div class=\"card\"><h3>Classes</h3><table><tr><th>class</th><th>%s</th>"
                  "<th>said</th><th>precision</th><th>recall</th><th>F1</th><th></th>"
                  "<th>mostly taken for</th></tr>\n",
                  h->unit);
    for (size_t l = 0; l < h->score->n_labels; l++) {
        const wsp_class_score *c = &h->score->label[l];
        const char *other = taken_for(h, l);
        if (!c->support && !c->said)
            continue;
        print_text(f, "<tr><td>", h->head->labels[l], "</td>");
        (void)fprintf(f, "<td>%zu</td><td>%zu</td>", c->support, c->said);
        print_cell(f, c->precision);
        print_cell(f, c->recall);
        print_cell(f, c->f1);
        print_meter(f, c->f1);
        print_text(f, "<td style=\"text-align:left\">", other ? other : "", "</td></tr>\n");
    }
    (void)fputs("</table></div>\n", f);
}

static void print_head(FILE *f, const report *r, const report_head *h)
{
    const wsp_metrics *s = h->score;

    print_text(f, "<h2 id=\"", h->head->name, "\">");
    print_text(f, "", h->head->name, "</h2>\n");
    (void)fprintf(f, "<p>%zu %s of %zu classes", s->flows, h->unit, s->classes);
    if (r->by_capture)
        (void)fprintf(f, ", by the votes of %zu flows", h->captures.flows);
    if (s->outside)
        (void)fprintf(f, ", and %zu of classes that the model does not know", s->outside);
    if (h->captures.mixed)
        (void)fprintf(f, ", and %zu left out whose flows have different labels", h->captures.mixed);
    (void)fprintf(f,
                  ". Below a confidence of %.3f an answer is “unknown”: %.1f %% of the %s keep "
                  "theirs.</p>\n",
                  s->unknown.threshold, 100 * s->unknown.coverage, h->unit);
    print_tiles(f, s);
    print_figures(f, r, h);
    (void)fprintf(
        f,
        "<div class=\"card\"><h3>Confusions</h3><p>Rows are what %s are, columns what was said; "
        "the darker, the larger the share of the row. Point at a cell for its numbers.</p>\n",
        h->unit);
    figure_confusion(f, h);
    (void)fputs("</div><br>\n", f);
    print_classes(f, h);
}

static void print_page(FILE *f, const void *arg)
{
    const report *r = arg;
    char title[256];

    (void)snprintf(title, sizeof title, "%s: scores", r->model);
    page_head(f, title, "");
    print_text(f, "<h1>", r->model, "</h1>\n");
    print_text(f, "<p>scored on ", r->test, "");
    (void)fprintf(f, ": %zu flows, %.0f a second; %zu parameters; wirespeak %s</p>\n", r->flows,
                  r->seconds > 0 ? (double)r->flows / r->seconds : 0.0, r->parameters,
                  wsp_version());
    if (r->seen.flows)
        (void)fprintf(f,
                      "<p>About %.0f %% of the flows are, to the model, as flows that it was "
                      "trained on.</p>\n",
                      100 * trained_share(&r->seen));
    print_summary(f, r);
    for (size_t i = 0; i < r->n_heads; i++)
        print_head(f, r, &r->heads[i]);
    (void)fputs("</body></html>\n", f);
}

int report_html(const report *r, const char *path)
{
    return page_write(path, print_page, r);
}

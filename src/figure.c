/* SPDX-License-Identifier: Apache-2.0 */
/* figure.c: pictures of scores as SVG. Every figure has its numbers as tool tips too (title elements). */
#include "figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void figure_text(FILE *f, const char *text)
{
    static const struct {
        char c;
        const char *as;
    } special[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};

    for (; *text; text++) {
        size_t i = 0;
        while (i < sizeof special / sizeof special[0] && special[i].c != *text)
            i++;
        if (i < sizeof special / sizeof special[0])
            (void)fputs(special[i].as, f);
        else if ((unsigned char)*text >= ' ')
            (void)fputc(*text, f);
    }
}

/* ---- a plot of numbers between 0 and 1 ---- */

enum {
    WIDTH = 340,
    HEIGHT = 260,
    LEFT = 54, /* the axis, and two digits behind the point */
    RIGHT = 12,
    TOP = 12,
    BOTTOM = 42,
    INNER_W = WIDTH - LEFT - RIGHT,
    INNER_H = HEIGHT - TOP - BOTTOM,
};

static double at_x(double v)
{
    return LEFT + v * INNER_W;
}

/* Heights from `low` (at the bottom) to 1. */
static double at_height(double low, double v)
{
    return TOP + (1 - v) / (1 - low) * INNER_H;
}

static double at_y(double v)
{
    return at_height(0, v);
}

static void open_plot(FILE *f, const char *what, const char *x, const char *y, double low)
{
    (void)fprintf(f, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
                  what);
    for (int i = 0; i <= 5; i++) {
        double v = low + i * (1 - low) / 5, at = at_height(low, v);
        (void)fprintf(f,
                      "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                      "<text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%.*f</text>\n",
                      LEFT, LEFT + INNER_W, at, at, LEFT - 6, at + 4, low > 0 ? 2 : 1, v);
    }
    (void)fprintf(f,
                  "<text class=\"axis\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">%s</text>"
                  "<text class=\"axis\" text-anchor=\"middle\" "
                  "transform=\"translate(12 %d) rotate(-90)\">%s</text>\n",
                  LEFT + INNER_W / 2, HEIGHT - 6, x, TOP + INNER_H / 2, y);
}

static void tick_x(FILE *f, double x, const char *text)
{
    (void)fprintf(f, "<text class=\"tick\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                  x, TOP + INNER_H + 16, text);
}

static void ticks_x(FILE *f)
{
    for (int i = 0; i <= 5; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%.1f", i / 5.0);
        tick_x(f, at_x(i / 5.0), text);
    }
}

static void dot(FILE *f, const char *class, double x, double y, const char *title)
{
    (void)fprintf(
        f, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s</title></circle>\n",
        class, x, y, title);
}

/* ---- reliability ---- */

void figure_reliability(FILE *f, const report_head *h)
{
    const wsp_metrics *s = h->score;
    size_t most = 1;

    open_plot(f, "reliability", "confidence", "share of right answers", 0);
    ticks_x(f);
    for (size_t i = 0; i < WSP_RELIABILITY; i++)
        most = s->reliability[i].n > most ? s->reliability[i].n : most;
    for (size_t i = 0; i < WSP_RELIABILITY; i++) {
        const wsp_reliability_bin *b = &s->reliability[i];
        double x = at_x((double)i / WSP_RELIABILITY), w = (double)INNER_W / WSP_RELIABILITY;
        double share = (double)b->n / (double)most;
        if (!b->n)
            continue;
        (void)fprintf(f,
                      "<g><title>%zu %s, mean confidence %.3f, %.3f of them right</title>"
                      "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
                      "<rect class=\"count\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
                      "</g>\n",
                      b->n, h->unit, b->confidence, b->accuracy, x + 1, at_y(b->accuracy), w - 2,
                      at_y(0) - at_y(b->accuracy), x + w / 2 - 1.5, at_y(0) - share * 60, 3.0,
                      share * 60);
    }
    (void)fprintf(f, "<line class=\"ideal\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                  at_x(0), at_y(0), at_x(1), at_y(1));
    for (size_t i = 0; i < WSP_RELIABILITY; i++) {
        const wsp_reliability_bin *b = &s->reliability[i];
        char title[96];
        (void)snprintf(title, sizeof title, "confidence %.3f, right %.3f, %zu %s", b->confidence,
                       b->accuracy, b->n, h->unit);
        if (b->n)
            dot(f, "point", at_x(b->confidence), at_y(b->accuracy), title);
    }
    (void)fputs("</svg>\n", f);
}

/* ---- abstention ---- */

void figure_abstention(FILE *f, const report_head *h)
{
    const wsp_metrics *s = h->score;
    char title[128], across[64];
    /* the curve starts at the accuracy without a threshold, and mostly rises from there */
    double low = s->outside ? 0 : floor(9 * s->accuracy) / 10;

    (void)snprintf(across, sizeof across, "share of %s that keep an answer", h->unit);
    open_plot(f, "abstention", across, "share of right answers", low);
    ticks_x(f);
    for (int outside = 0; outside <= (s->outside > 0); outside++) {
        (void)fprintf(f, "<polyline class=\"%s\" points=\"", outside ? "line second" : "line");
        for (size_t i = 0; i < WSP_THRESHOLDS; i++) {
            const wsp_abstention *a = &s->abstention[i];
            double y = outside ? a->outside_passed : a->accuracy;
            if (isfinite(y) && y >= low && isfinite(a->coverage))
                (void)fprintf(f, "%.1f,%.1f ", at_x(a->coverage), at_height(low, y));
        }
        (void)fputs("\"/>\n", f);
    }
    (void)snprintf(title, sizeof title, "threshold %.3f: %.3f keep an answer, %.3f of those right",
                   s->unknown.threshold, s->unknown.coverage, s->unknown.accuracy);
    if (isfinite(s->unknown.accuracy) && s->unknown.accuracy >= low)
        dot(f, "point", at_x(s->unknown.coverage), at_height(low, s->unknown.accuracy), title);
    if (s->outside)
        dot(f, "point second", at_x(s->unknown.coverage), at_height(low, s->unknown.outside_passed),
            "those of other classes that get an answer");
    (void)fputs("</svg>\n", f);
}

/* ---- early decisions ---- */

static void early_line(FILE *f, const report_head *h, size_t n, bool accuracy)
{
    size_t k = 0;

    (void)fprintf(f, "<polyline class=\"%s\" points=\"", accuracy ? "line second" : "line");
    for (size_t i = 0; i < h->n_rows; i++) {
        const report_row *r = &h->rows[i];
        if (r->kind == REPORT_EARLY)
            (void)fprintf(f, "%.1f,%.1f ", at_x(((double)k++ + 0.5) / (double)(n + 1)),
                          at_y(accuracy ? r->accuracy : r->macro_f1));
    }
    (void)fprintf(f, "%.1f,%.1f\"/>\n", at_x(((double)n + 0.5) / (double)(n + 1)),
                  at_y(accuracy ? h->score->accuracy : h->score->macro_f1));
}

static void early_point(FILE *f, double x, const char *when, double accuracy, double macro_f1)
{
    char title[96];

    (void)snprintf(title, sizeof title, "accuracy %.4f", accuracy);
    dot(f, "point second", x, at_y(accuracy), title);
    (void)snprintf(title, sizeof title, "macro-F1 %.4f", macro_f1);
    dot(f, "point", x, at_y(macro_f1), title);
    tick_x(f, x, when);
}

void figure_early(FILE *f, const report_head *h)
{
    size_t n = 0, k = 0;

    for (size_t i = 0; i < h->n_rows; i++)
        n += h->rows[i].kind == REPORT_EARLY;
    open_plot(f, "early decisions", "packets seen", "score", 0);
    early_line(f, h, n, true);
    early_line(f, h, n, false);
    for (size_t i = 0; i < h->n_rows; i++) {
        const report_row *r = &h->rows[i];
        char when[24];
        if (r->kind != REPORT_EARLY)
            continue;
        (void)snprintf(when, sizeof when, "%zu", r->packets);
        early_point(f, at_x(((double)k++ + 0.5) / (double)(n + 1)), when, r->accuracy, r->macro_f1);
    }
    early_point(f, at_x(((double)n + 0.5) / (double)(n + 1)), "all", h->score->accuracy,
                h->score->macro_f1);
    (void)fputs("</svg>\n", f);
}

/* ---- confusions ---- */

typedef struct shown {
    size_t *label; /* [n] the commonest first */
    size_t n;
    const wsp_metrics *s;
} shown;

static size_t support(const shown *c, size_t i)
{
    return c->s->label[c->label[i]].support;
}

/* Insertion: labels of equal support stay in their order. */
static void by_support(shown *c)
{
    for (size_t i = 1; i < c->n; i++)
        for (size_t k = i; k > 0 && support(c, k) > support(c, k - 1); k--) {
            size_t swap = c->label[k];
            c->label[k] = c->label[k - 1];
            c->label[k - 1] = swap;
        }
}

static size_t longest_name(const shown *c, const wsp_head *head)
{
    size_t most = 0;

    for (size_t i = 0; i < c->n; i++) {
        size_t n = strlen(head->labels[c->label[i]]);
        most = n > most ? n : most;
    }
    return most;
}

static void print_name(FILE *f, const char *name, const char *place)
{
    (void)fprintf(f, "<text class=\"tick\" %s>", place);
    figure_text(f, name);
    (void)fputs("</text>", f);
}

static void print_cell(FILE *f, const shown *c, const report_head *h, size_t row, size_t col,
                       const char *place)
{
    const wsp_head *head = h->head;
    size_t is = c->label[row], said = c->label[col];
    uint32_t n = c->s->confusion[is * c->s->n_labels + said];
    double share = support(c, row) ? n / (double)support(c, row) : 0;

    if (!n)
        return;
    /* the root makes rare confusions visible */
    (void)fprintf(f, "<rect class=\"%s\" %s fill-opacity=\"%.3f\"><title>",
                  is == said ? "hit" : "miss", place, 0.12 + 0.88 * sqrt(share));
    figure_text(f, head->labels[is]);
    (void)fputs(is == said ? " called " : " taken for ", f);
    figure_text(f, head->labels[said]);
    (void)fprintf(f, ": %u of %zu %s (%.1f %%)</title></rect>\n", n, support(c, row), h->unit,
                  100 * share);
}

static void print_matrix(FILE *f, const shown *c, const report_head *h)
{
    const wsp_head *head = h->head;
    const int cell = c->n > 40 ? 13 : c->n > 20 ? 16 : 22;
    const int margin = 12 + (int)(longest_name(c, head) * 13 / 2), side = cell * (int)c->n;
    char place[128];

    (void)fprintf(f,
                  "<svg class=\"matrix\" viewBox=\"0 0 %d %d\" style=\"max-width:%dpx\" "
                  "role=\"img\" aria-label=\"confusions\">\n",
                  margin + side + 4, margin + side + 4, margin + side + 4);
    (void)fprintf(f, "<rect class=\"field\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                  margin, margin, side, side);
    for (size_t i = 0; i < c->n; i++) {
        const char *name = head->labels[c->label[i]];
        int at = margin + (int)i * cell + cell / 2;
        (void)snprintf(place, sizeof place, "text-anchor=\"end\" x=\"%d\" y=\"%d\"", margin - 5,
                       at + 4);
        print_name(f, name, place);
        (void)snprintf(place, sizeof place, "transform=\"translate(%d %d) rotate(-90)\"", at + 4,
                       margin - 5);
        print_name(f, name, place);
    }
    for (size_t row = 0; row < c->n; row++)
        for (size_t col = 0; col < c->n; col++) {
            (void)snprintf(place, sizeof place, "x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"",
                           margin + (int)col * cell, margin + (int)row * cell, cell - 1, cell - 1);
            print_cell(f, c, h, row, col, place);
        }
    (void)fputs("</svg>\n", f);
}

void figure_confusion(FILE *f, const report_head *h)
{
    shown c = {.s = h->score, .label = calloc(h->score->n_labels, sizeof *c.label)};

    for (size_t l = 0; c.label && l < c.s->n_labels; l++)
        if (c.s->label[l].support || c.s->label[l].said)
            c.label[c.n++] = l;
    by_support(&c);
    print_matrix(f, &c, h);
    free(c.label);
}

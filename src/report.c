/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: scores as a table for people and as JSON lines. */
#include "report.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "columns.h"
#include "trained.h"

void report_add(report_head *h, const report_row *row, const wsp_metrics *score)
{
    if (h->n_rows == REPORT_ROWS)
        return;
    h->rows[h->n_rows] = *row;
    h->rows[h->n_rows].flows = score->flows;
    h->rows[h->n_rows].accuracy = score->accuracy;
    h->rows[h->n_rows].macro_f1 = score->macro_f1;
    h->n_rows++;
}

void report_add_spread(report_head *h, const report_row *row)
{
    report_row r = *row;

    r.flows = row->spread.items;
    r.accuracy = row->spread.accuracy[1].value;
    r.macro_f1 = row->spread.macro_f1[1].value;
    if (h->n_rows < REPORT_ROWS)
        h->rows[h->n_rows++] = r;
}

double report_told(const wsp_label_rate *r)
{
    return r->flows ? (double)r->told / (double)r->flows : (double)NAN;
}

double report_right(const wsp_label_rate *r)
{
    return r->flows ? (double)r->right / (double)r->flows : (double)NAN;
}

bool report_speaks_of_ndpi(const report *r, const report_head *h)
{
    return r->ndpi.flows && strcmp(h->head->name, "protocol") == 0;
}

/* ---- table ---- */

static void print_scores(const char *name, double accuracy, double macro_f1)
{
    printf("  %-*s %9.4f %9.4f", columns_pad(name, 28), name, accuracy, macro_f1);
}

static void print_row(const char *name, double accuracy, double macro_f1)
{
    print_scores(name, accuracy, macro_f1);
    printf("\n");
}

/* The model's own intervals, and behind another's scores those of how far the model is before it. */
static void print_own(const wsp_spread *s)
{
    if (!isnan(s->accuracy[0].low))
        printf("  %.4f to %.4f  %.4f to %.4f", s->accuracy[0].low, s->accuracy[0].high,
               s->macro_f1[0].low, s->macro_f1[0].high);
    printf("\n");
}

static void print_ahead(const report_row *row, const report_head *h)
{
    const wsp_estimate *a = &row->spread.accuracy[2], *f = &row->spread.macro_f1[2];

    if (!isnan(a->low))
        printf("  %+.3f to %+.3f  %+.3f to %+.3f", a->low, a->high, f->low, f->high);
    if (row->flows != h->score->flows)
        printf("  (%zu %s that both know: model %.4f %.4f)", row->flows, h->unit,
               row->spread.accuracy[0].value, row->spread.macro_f1[0].value);
    printf("\n");
}

/* "-" where there is no number. */
static void print_number(const char *name, double v)
{
    if (isnan(v))
        printf("  %s -", name);
    else
        printf("  %s %.4f", name, v);
}

/* The row of the confusion matrix, without what is right and what does not occur. */
static void print_confusions(const report_head *h, size_t is)
{
    const uint32_t *row = h->score->confusion + is * h->score->n_labels;
    const char *between = "  ";

    for (size_t said = 0; said < h->score->n_labels; said++) {
        if (said == is || !row[said])
            continue;
        printf("%s%s %u", between, h->head->labels[said], row[said]);
        between = ", ";
    }
}

static void print_classes(const report_head *h)
{
    printf("  %-24s %8s %6s %9s %9s %9s  %s\n", "class", h->unit, "said", "precision", "recall",
           "F1", "taken for");
    for (size_t l = 0; l < h->score->n_labels; l++) {
        const wsp_class_score *c = &h->score->label[l];
        const char *label = h->head->labels[l];
        if (!c->support && !c->said)
            continue;
        printf("  %-*s %8zu %6zu %9.4f %9.4f %9.4f", columns_pad(label, 24), label, c->support,
               c->said, c->precision, c->recall, c->f1);
        print_confusions(h, l);
        printf("\n");
    }
}

static void print_unknown(const report_head *h)
{
    const wsp_abstention *u = &h->score->unknown;

    printf("  unknown below %.4f: %.1f %% of the %s get an answer, %.1f %% of those right",
           u->threshold, 100 * u->coverage, h->unit, isnan(u->accuracy) ? 0 : 100 * u->accuracy);
    if (h->score->outside)
        printf("; of %zu %s of other classes %.1f %%, AUROC %.4f", h->score->outside, h->unit,
               100 * u->outside_passed, h->score->auroc_known);
    printf("\n");
}

static void print_change(const report_row *row, bool ndpi)
{
    printf("  %-32s %8zu %9.4f %9.4f", row->name, row->flows, row->accuracy, row->macro_f1);
    if (row->compared)
        printf(" %7zu", row->moved);
    else
        printf(" %7s", "-");
    if (ndpi && row->ndpi.flows)
        printf(" %11.4f %11.4f", report_told(&row->ndpi), report_right(&row->ndpi));
    printf("\n");
}

static void print_changes(const report *r, const report_head *h)
{
    bool heading = false, ndpi = report_speaks_of_ndpi(r, h);

    for (size_t i = 0; i < h->n_rows; i++) {
        const report_row *row = &h->rows[i];
        if (row->kind != REPORT_CHANGE)
            continue;
        if (!heading) {
            report_row whole = {.name = "as they are",
                                .flows = h->score->flows,
                                .accuracy = h->score->accuracy,
                                .macro_f1 = h->score->macro_f1,
                                .ndpi = r->ndpi};
            printf("  %-32s %8s %9s %9s %7s%s\n", "when captures or tokens are", h->unit,
                   "accuracy", "macro-F1", "moved", ndpi ? "  nDPI names   and right" : "");
            print_change(&whole, ndpi);
        }
        heading = true;
        print_change(row, ndpi);
    }
}

/* Other classifiers, with how far the model is before each in draws of the same captures. */
static void print_rivals(const report_head *h)
{
    bool heading = false;

    for (size_t i = 0; i < h->n_rows; i++) {
        const report_row *row = &h->rows[i];
        if (!row->paired)
            continue;
        if (!heading && !isnan(row->spread.accuracy[2].low))
            printf("  %-28s %9s %9s  the model is before it, in 95 %% of the draws\n", "others", "",
                   "");
        heading = true;
        print_scores(row->name, row->accuracy, row->macro_f1);
        print_ahead(row, h);
    }
}

static void print_title(const report *r, const report_head *h)
{
    printf("%s: %zu %s of %zu classes", h->head->name, h->score->flows, h->unit, h->score->classes);
    if (r->by_capture)
        printf(", by the votes of %zu flows", h->captures.flows);
    if (h->captures.mixed)
        printf("; %zu captures left out: their flows have different labels", h->captures.mixed);
    printf("\n");
}

static void print_head(const report *r, const report_head *h, bool per_class)
{
    const wsp_metrics *s = h->score;
    const char *most = h->head->labels[s->most];
    char always[128];

    print_title(r, h);
    printf("  %-28s %9s %9s%s\n", "", "accuracy", "macro-F1",
           isnan(h->spread.accuracy[0].low) ? "" : "  both in 95 % of draws of captures");
    print_scores("model", s->accuracy, s->macro_f1);
    print_own(&h->spread);
    (void)snprintf(always, sizeof always, "always '%.*s'", columns_cut(most, 18), most);
    print_row(always, s->majority_accuracy, s->majority_macro_f1);
    for (size_t i = 0; i < h->n_rows; i++)
        if (h->rows[i].kind == REPORT_EARLY)
            print_row(h->rows[i].name, h->rows[i].accuracy, h->rows[i].macro_f1);
    print_rivals(h);
    print_changes(r, h);
    print_number("weighted F1", s->weighted_f1);
    print_number("ECE", s->ece);
    print_number("(by chance", s->ece_perfect);
    printf(")");
    print_number("Brier", s->brier);
    print_number("NLL", s->nll);
    print_number("AUROC of being right", s->auroc_right);
    printf("\n");
    print_unknown(h);
    if (per_class)
        print_classes(h);
}

void report_table(const report *r, bool per_class)
{
    for (size_t i = 0; i < r->n_heads; i++)
        print_head(r, &r->heads[i], per_class);
    if (r->seen.flows)
        printf("about %.0f %% of the flows are, to the model, as flows that it was trained on\n",
               100 * trained_share(&r->seen));
    printf("%zu flows in %.1f s: %.0f flows/s\n", r->flows, r->seconds,
           r->seconds > 0 ? (double)r->flows / r->seconds : 0.0);
}

/* ---- JSON ---- */

/* Numbers with six digits behind the point; null where there is none. */
static json_t *number(double v)
{
    return isfinite(v) ? json_real(round(v * 1e6) / 1e6) : json_null();
}

/* A share of n, which nothing has told where n is 0. */
static json_t *share(double v, uint64_t n)
{
    return number(n ? v : (double)NAN);
}

static json_t *ndpi_json(const wsp_label_rate *n)
{
    return json_pack("{s:I, s:o, s:o}", "flows", (json_int_t)n->flows, "told",
                     number(report_told(n)), "right", number(report_right(n)));
}

static json_t *estimate_json(const wsp_estimate *e)
{
    return json_pack("{s:o, s:o, s:o}", "value", number(e->value), "low", number(e->low), "high",
                     number(e->high));
}

static json_t *spread_json(const wsp_spread *s, int which)
{
    return json_pack("{s:I, s:o, s:o}", "captures", (json_int_t)s->groups, "accuracy",
                     estimate_json(&s->accuracy[which]), "macro_f1",
                     estimate_json(&s->macro_f1[which]));
}

static json_t *rows_json(const report *r, const report_head *h, report_kind kind)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < h->n_rows; i++) {
        const report_row *row = &h->rows[i];
        json_t *o;
        if (row->kind != kind)
            continue;
        o = json_pack("{s:s, s:I, s:o, s:o}", "name", row->model ? row->model : row->name, h->unit,
                      (json_int_t)row->flows, "accuracy", number(row->accuracy), "macro_f1",
                      number(row->macro_f1));
        if (row->paired)
            (void)json_object_set_new(o, "ahead", spread_json(&row->spread, 2));
        if (kind == REPORT_EARLY)
            (void)json_object_set_new(
                o, "packets", row->packets ? json_integer((json_int_t)row->packets) : json_null());
        if (row->compared)
            (void)json_object_set_new(o, "moved", json_integer((json_int_t)row->moved));
        if (row->ndpi.flows && report_speaks_of_ndpi(r, h))
            (void)json_object_set_new(o, "ndpi", ndpi_json(&row->ndpi));
        (void)json_array_append_new(rows, o);
    }
    return rows;
}

static json_t *classes_json(const report_head *h)
{
    json_t *list = json_array();

    for (size_t l = 0; l < h->score->n_labels; l++) {
        const wsp_class_score *c = &h->score->label[l];
        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "label", h->head->labels[l], "support",
                      (json_int_t)c->support, "said", (json_int_t)c->said, "right",
                      (json_int_t)c->right, "precision", share(c->precision, c->said), "recall",
                      share(c->recall, c->support), "f1", share(c->f1, c->said + c->support)));
    }
    return list;
}

static json_t *confusion_json(const wsp_metrics *s)
{
    json_t *rows = json_array();

    for (size_t is = 0; is < s->n_labels; is++) {
        json_t *row = json_array();
        for (size_t said = 0; said < s->n_labels; said++)
            (void)json_array_append_new(
                row, json_integer((json_int_t)s->confusion[is * s->n_labels + said]));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *reliability_json(const report_head *h)
{
    const wsp_metrics *s = h->score;
    json_t *bins = json_array();

    for (size_t i = 0; i < WSP_RELIABILITY; i++)
        (void)json_array_append_new(
            bins, json_pack("{s:I, s:o, s:o}", h->unit, (json_int_t)s->reliability[i].n,
                            "confidence", share(s->reliability[i].confidence, s->reliability[i].n),
                            "accuracy", share(s->reliability[i].accuracy, s->reliability[i].n)));
    return bins;
}

static json_t *abstention_json(const wsp_abstention *a)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "threshold", number(a->threshold), "coverage",
                     number(a->coverage), "accuracy", number(a->accuracy), "outside_passed",
                     number(a->outside_passed));
}

static json_t *curve_json(const wsp_metrics *s)
{
    json_t *curve = json_array();

    for (size_t i = 0; i < WSP_THRESHOLDS; i++)
        (void)json_array_append_new(curve, abstention_json(&s->abstention[i]));
    return curve;
}

static json_t *head_json(const report *r, const report_head *h)
{
    const wsp_metrics *s = h->score;
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"accuracy", s->accuracy},
        {"macro_f1", s->macro_f1},
        {"weighted_f1", s->weighted_f1},
        {"majority_accuracy", s->majority_accuracy},
        {"majority_macro_f1", s->majority_macro_f1},
        {"auroc_right", s->auroc_right},
        {"auroc_known", s->auroc_known},
        {"ece", s->ece},
        {"ece_perfect", s->ece_perfect},
        {"brier", s->brier},
        {"nll", s->nll},
        {"temperature", (double)h->head->temperature},
        {"trained_on", trained_share(&r->seen)},
        {"flows_per_second", r->seconds > 0 ? (double)r->flows / r->seconds : (double)NAN},
    };
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "head", h->head->name, "model", r->model,
                  "test", r->test, h->unit, (json_int_t)s->flows, "outside", (json_int_t)s->outside,
                  "classes", (json_int_t)s->classes, "majority", h->head->labels[s->most]);

    if (r->by_capture) {
        (void)json_object_set_new(o, "flows", json_integer((json_int_t)h->captures.flows));
        (void)json_object_set_new(o, "mixed", json_integer((json_int_t)h->captures.mixed));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)json_object_set_new(o, numbers[i].key, number(numbers[i].value));
    (void)json_object_set_new(o, "unknown", abstention_json(&h->score->unknown));
    (void)json_object_set_new(o, "interval", spread_json(&h->spread, 0));
    (void)json_object_set_new(o, "against", rows_json(r, h, REPORT_RIVAL));
    (void)json_object_set_new(o, "baselines", rows_json(r, h, REPORT_BASELINE));
    (void)json_object_set_new(o, "early", rows_json(r, h, REPORT_EARLY));
    (void)json_object_set_new(o, "changes", rows_json(r, h, REPORT_CHANGE));
    if (report_speaks_of_ndpi(r, h))
        (void)json_object_set_new(o, "ndpi", ndpi_json(&r->ndpi));
    (void)json_object_set_new(o, "reliability", reliability_json(h));
    (void)json_object_set_new(o, "abstention", curve_json(s));
    (void)json_object_set_new(o, "per_class", classes_json(h));
    (void)json_object_set_new(o, "confusion", confusion_json(s));
    return o;
}

bool report_json(const report *r, FILE *to)
{
    for (size_t i = 0; i < r->n_heads; i++) {
        json_t *o = head_json(r, &r->heads[i]);
        bool written = o && json_dumpf(o, to, JSON_COMPACT | JSON_REAL_PRECISION(7)) == 0 &&
                       fputc('\n', to) != EOF;
        json_decref(o);
        if (!written)
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* trees_baseline.c: what trees make of the flows that a model is scored on, from the same training flows under the same masks. */
#include "task/features.h"

/* Known flows of a set (or all) as the policy leaves them, their numbers in it, and their labels. */
typedef struct known {
    uint32_t *flow;
    int32_t *label;
    size_t n;
    wsp_tokens *tokens;
} known;

static void known_clear(known *k)
{
    free(k->flow);
    free(k->label);
    wsp_tokens_free(k->tokens);
}

static wsp_status known_make(known *k, const wsp_model *m, size_t head, const wsp_tokens *t,
                             bool all, wsp_error *err)
{
    const char *policy = wsp_model_meta_get(m, "policy");
    int32_t *label = wspi_new_array(t->n_flows, sizeof *label);
    wsp_selection s = {.policy = policy ? policy : "identity-free"};
    wsp_status st;

    *k = (known){.flow = wspi_new_array(t->n_flows, sizeof *k->flow),
                 .label = wspi_new_array(t->n_flows, sizeof *k->label)};
    if (!label || !k->flow || !k->label) {
        free(label);
        return wspi_nomem(err, "known flows", t->n_flows);
    }
    (void)wsp_match_labels(m, head, t, label);
    for (size_t i = 0; i < t->n_flows; i++)
        if (all || label[i] >= 0) {
            k->flow[k->n] = (uint32_t)i;
            k->label[k->n++] = label[i];
        }
    free(label);
    s.flows = k->flow;
    s.n = k->n;
    st = wsp_tokens_select(&k->tokens, t, &s, err);
    return st;
}

static wsp_status run(const wsp_baseline *b, const known *train, const known *test, size_t n_labels,
                      float *prob)
{
    wspi_features *f = wspi_new_array(1, sizeof *f);
    wsp_trees_options opt = wsp_trees_options_default(b->kind);
    float *x = NULL, *y = NULL;
    size_t n, cells[2];
    wsp_status st = f ? wspi_features_choose(f, train->tokens, train->label, n_labels, b->payload)
                      : WSP_ERR_NOMEM;

    opt.seed = b->seed;
    opt.rounds = b->rounds ? b->rounds : opt.rounds;
    if (st == WSP_OK) {
        n = wspi_features_count(f);
        if (wspi_mul(n, train->n, &cells[0]) && wspi_mul(n, test->n, &cells[1])) {
            x = wspi_new_array(cells[0], sizeof *x);
            y = wspi_new_array(cells[1], sizeof *y);
        }
        st = x && y ? wspi_features_make(f, train->tokens, x) : WSP_ERR_NOMEM;
        if (st == WSP_OK)
            st = wspi_features_make(f, test->tokens, y);
        if (st == WSP_OK)
            st = wsp_trees(&opt, &(wsp_rows){x, train->n, n}, train->label, n_labels,
                           &(wsp_rows){y, test->n, n}, prob);
    }
    free(f);
    free(x);
    free(y);
    return st;
}

/* said[row[i]] = what answer i says; row = NULL: said[i]. */
static void tell(const wsp_answers *a, const uint32_t *row, int32_t *said)
{
    for (size_t i = 0; said && i < a->n; i++)
        said[row ? row[i] : i] = (int32_t)wspi_argmax(a->prob + i * a->n_labels, a->n_labels);
}

/* Of flows, or of captures by their votes. */
static wsp_status score(const wsp_baseline *b, const known *test, size_t n_labels,
                        const float *prob, int32_t *said, wsp_metrics **out)
{
    const wsp_answers a = {.n = test->n, .n_labels = n_labels, .prob = prob, .label = test->label};
    wsp_answers together;
    wspi_polled p;
    wsp_status st;

    if (!b->by_capture) {
        tell(&a, test->flow, said);
        return wsp_metrics_new(out, &a);
    }
    st = wspi_polled_make(&p, &a, test->tokens, NULL, 0);
    together = wspi_polled_answers(&p, &a);
    if (st == WSP_OK)
        st = wsp_metrics_new(out, &together);
    if (st == WSP_OK)
        tell(&together, NULL, said);
    wspi_polled_clear(&p);
    return st;
}

wsp_status wsp_baseline_score(const wsp_model *m, size_t head, const wsp_tokens *train,
                              const wsp_tokens *test, const wsp_baseline *b, int32_t *said,
                              wsp_metrics **out, wsp_error *err)
{
    known from = {.n = 0}, to = {.n = 0};
    float *prob = NULL;
    size_t L, cells;
    wsp_status st;

    *out = NULL;
    if (head >= wsp_model_head_count(m))
        return wspi_fail(err, WSP_ERR_ARG, 0, "the model has no head number %zu", head);
    L = wsp_model_head(m, head)->n_labels;
    st = known_make(&from, m, head, train, false, err);
    for (size_t i = 0; said && i < test->n_flows; i++)
        said[i] = WSP_UNLABELLED;
    if (st == WSP_OK)
        st = known_make(&to, m, head, test, b->by_capture, err);
    if (st == WSP_OK && (from.n == 0 || to.n == 0))
        st = wspi_fail(err, WSP_ERR_ARG, 0, "the baselines have no flow with a label of head %s",
                       wsp_model_head(m, head)->name);
    if (st == WSP_OK) {
        if (wspi_mul(to.n, L, &cells))
            prob = wspi_new_array(cells, sizeof *prob);
        st = prob ? run(b, &from, &to, L, prob) : WSP_ERR_NOMEM;
        if (st == WSP_OK)
            st = score(b, &to, L, prob, said, out);
        if (st < 0)
            st = wspi_nomem(err, "a baseline", from.n);
    }
    free(prob);
    known_clear(&from);
    known_clear(&to);
    return st;
}

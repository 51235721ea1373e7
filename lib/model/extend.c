/* SPDX-License-Identifier: Apache-2.0 */
/* extend.c: a model with one label more, and the reference contexts that a model carries. */
#include <math.h>

#include "model/model_int.h"

static const char CONTEXT[] = "reference.context", LABEL[] = "reference.label";

/* ---- one label more ---- */

/* A model without weights like m, but for the head's new label. */
static wsp_status make_larger(wsp_model **out, const wsp_model *m, size_t head, const char *label,
                              wsp_error *err)
{
    size_t n = m->head[head].n_labels;
    const char **labels = wspi_new_array(n + 1, sizeof *labels);
    wsp_head heads[WSPI_MAX_HEADS];
    wsp_status st;

    if (!labels)
        return wspi_nomem(err, "labels", n);
    memcpy(heads, m->head, m->n_heads * sizeof *heads);
    memcpy(labels, m->head[head].labels, n * sizeof *labels);
    labels[n] = label;
    heads[head].labels = labels;
    heads[head].n_labels = n + 1;
    st = wspi_model_make(out, &m->cfg, heads, m->n_heads, err);
    free(labels);
    return st;
}

/* Weights of m; a tensor with more values than there has them, all zero, from `gap` on. */
static void copy_weights(wsp_model *to, const wsp_model *m, size_t gap)
{
    for (size_t i = 0; i < m->n_entries; i++) {
        const wspi_entry *from = &m->entry[i], *e = &to->entry[i];
        size_t more = e->count - from->count;
        size_t head = strcmp(e->name, "flow.condition.weight") == 0 && more ? gap : from->count;

        memcpy(to->w + e->at, m->w + from->at, head * sizeof *m->w);
        memset(to->w + e->at + head, 0, more * sizeof *m->w);
        memcpy(to->w + e->at + head + more, m->w + from->at + head,
               (from->count - head) * sizeof *m->w);
    }
}

wsp_status wsp_model_add_label(wsp_model **out, const wsp_model *m, size_t head, const char *label,
                               const float *weight, float bias, wsp_error *err)
{
    size_t C = m->cfg.channels, conditions = 0, n;
    const wsp_references r = wsp_model_references(m);
    wsp_model *to = NULL;
    wsp_status st;

    *out = NULL;
    if (head >= m->n_heads || !label[0])
        return wspi_fail(err, WSP_ERR_ARG, 0, "a label needs a name and a head");
    n = m->head[head].n_labels;
    for (size_t l = 0; l < n; l++)
        if (strcmp(m->head[head].labels[l], label) == 0)
            return wspi_fail(err, WSP_ERR_ARG, 0, "head %s has a label %s already",
                             m->head[head].name, label);
    for (size_t h = 0; h <= head; h++)
        conditions += m->head[h].n_labels;
    st = make_larger(&to, m, head, label, err);
    if (st == WSP_OK)
        st = wspi_model_alloc(to, err);
    if (st == WSP_OK && json_object_update(to->meta, m->meta))
        st = wspi_nomem(err, "a model's notes", 0);
    if (st == WSP_OK)
        st = wsp_model_references_set(to, &r, err);
    if (st == WSP_OK)
        st = wsp_model_forest_set(to, &m->forest, err);
    if (st < 0) {
        wsp_model_free(to);
        return st;
    }
    copy_weights(to, m, conditions * C);
    memcpy(to->w + to->at.head_w[head] + n * C, weight, C * sizeof *weight);
    to->w[to->at.head_b[head] + n] = bias;
    *out = to;
    return WSP_OK;
}

/* ---- references ---- */

wsp_references wsp_model_references(const wsp_model *m)
{
    return (wsp_references){
        .n = m->n_references, .context = m->reference, .label = m->reference_label};
}

static bool references_are_right(const wsp_model *m, const wsp_references *r)
{
    for (size_t i = 0; i < r->n * m->cfg.channels; i++)
        if (!isfinite(r->context[i]))
            return false;
    for (size_t i = 0; i < r->n; i++)
        for (size_t h = 0; h < m->n_heads; h++)
            if (r->label[i * m->n_heads + h] < -1 ||
                r->label[i * m->n_heads + h] >= (int64_t)m->head[h].n_labels)
                return false;
    return r->n <= WSP_MAX_REFERENCES;
}

wsp_status wsp_model_references_set(wsp_model *m, const wsp_references *r, wsp_error *err)
{
    size_t C = m->cfg.channels, H = m->n_heads;
    float *context;
    int32_t *label;

    if (!references_are_right(m, r))
        return wspi_fail(err, WSP_ERR_ARG, 0, "%zu reference contexts that are not of this model",
                         r->n);
    context = wspi_new_array(r->n * C, sizeof *context);
    label = wspi_new_array(r->n * H, sizeof *label);
    if (!context || !label) {
        free(context);
        free(label);
        return wspi_nomem(err, "reference contexts", r->n * C * sizeof *context);
    }
    if (r->n) {
        memcpy(context, r->context, r->n * C * sizeof *context);
        memcpy(label, r->label, r->n * H * sizeof *label);
    }
    wspi_model_forget_references(m);
    m->n_references = r->n;
    m->reference = context;
    m->reference_label = label;
    return WSP_OK;
}

void wspi_model_forget_references(wsp_model *m)
{
    free(m->reference);
    free(m->reference_label);
    m->reference = NULL;
    m->reference_label = NULL;
    m->n_references = 0;
}

/* ---- references in files ---- */

static wspi_st_tensor matrix(const char *name, const float *data, size_t rows, size_t cols)
{
    return (wspi_st_tensor){.name = name,
                            .dtype = "F32",
                            .rank = 2,
                            .dim = {rows, cols},
                            .data = data,
                            .len = rows * cols * sizeof *data};
}

wsp_status wspi_references_list(const wsp_model *m, wspi_st_tensor *t, float **numbers)
{
    size_t n = m->n_references, H = m->n_heads;

    *numbers = wspi_new_array(n * H, sizeof **numbers);
    if (!*numbers)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < n * H; i++)
        (*numbers)[i] = (float)m->reference_label[i];
    t[0] = matrix(CONTEXT, m->reference, n, m->cfg.channels);
    t[1] = matrix(LABEL, *numbers, n, H);
    return WSP_OK;
}

size_t wspi_references_tensors(const wspi_st_file *f)
{
    return (wspi_st_find(f, CONTEXT) != NULL) + (size_t)(wspi_st_find(f, LABEL) != NULL);
}

/* A tensor of that many columns; *rows are its own. */
static const wspi_st_tensor *find_matrix(const wspi_st_file *f, const char *name, size_t cols)
{
    const wspi_st_tensor *t = wspi_st_find(f, name);

    return t && t->dtype[0] == 'F' && t->rank == 2 && t->dim[1] == cols &&
                   t->dim[0] <= WSP_MAX_REFERENCES
               ? t
               : NULL;
}

wsp_status wspi_references_load(wsp_model *m, const wspi_st_file *f, wsp_error *err)
{
    const wspi_st_tensor *c = find_matrix(f, CONTEXT, m->cfg.channels),
                         *l = find_matrix(f, LABEL, m->n_heads);
    size_t n = c ? c->dim[0] : 0, cells = n * m->n_heads;
    float *context, *number;
    int32_t *label;
    wsp_status st = WSP_OK;

    if (wspi_references_tensors(f) == 0)
        return WSP_OK;
    if (!c || !l || l->dim[0] != n)
        return wspi_fail(err, WSP_ERR_FORMAT, 8,
                         "the reference contexts and their labels do not fit together");
    context = wspi_new_array(n * m->cfg.channels, sizeof *context);
    number = wspi_new_array(cells, sizeof *number);
    label = wspi_new_array(cells, sizeof *label);
    if (!context || !number || !label)
        st = wspi_nomem(err, "reference contexts", c->len);
    if (st == WSP_OK && n) { /* copied: the file's bytes are not aligned */
        memcpy(context, c->data, c->len);
        memcpy(number, l->data, l->len);
    }
    for (size_t i = 0; st == WSP_OK && i < cells; i++) {
        if (!(number[i] >= -1 && number[i] < 65536))
            st = wspi_fail(err, WSP_ERR_FORMAT, 8, "a reference context has no valid label");
        else
            label[i] = (int32_t)number[i];
    }
    if (st == WSP_OK)
        st = wsp_model_references_set(m, &(wsp_references){n, context, label}, err);
    free(context);
    free(number);
    free(label);
    return wspi_of_file(st, err);
}

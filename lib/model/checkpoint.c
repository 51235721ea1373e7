/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c: a trainer as a .safetensors file: the model's tensors, moments, step, and the caller's bytes. */
#include <stdio.h>

#include "model/train_int.h"

enum { EXTRA_TENSORS = 3 };

static json_t *meta_json(const wsp_trainer *t)
{
    json_t *meta = wspi_model_meta_json(t->m);
    char step[24];

    (void)snprintf(step, sizeof step, "%llu", (unsigned long long)t->step);
    if (json_object_set_new(meta, "trainer.step", json_string(step))) {
        json_decref(meta);
        return NULL;
    }
    return meta;
}

wsp_status wsp_trainer_save(const wsp_trainer *t, const char *path, const void *extra,
                            size_t extra_len, wsp_error *err)
{
    size_t n = t->m->n_entries, size = t->m->n_params * sizeof(float);
    wspi_st_tensor *list;
    json_t *meta;
    wsp_status st;

    if (t->accumulated)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s: a checkpoint between accumulation and update",
                         path);
    list = wspi_new_array(n + EXTRA_TENSORS, sizeof *list);
    meta = meta_json(t);
    if (!list || !meta) {
        st = wspi_nomem(err, "a checkpoint's header", n * sizeof *list);
    } else {
        wspi_model_tensor_list(t->m, list);
        list[n] = (wspi_st_tensor){.name = "trainer.moment1",
                                   .dtype = "F32",
                                   .rank = 1,
                                   .dim = {t->m->n_params},
                                   .data = t->moment1,
                                   .len = size};
        list[n + 1] = (wspi_st_tensor){.name = "trainer.moment2",
                                       .dtype = "F32",
                                       .rank = 1,
                                       .dim = {t->m->n_params},
                                       .data = t->moment2,
                                       .len = size};
        list[n + 2] = (wspi_st_tensor){.name = "trainer.extra",
                                       .dtype = "U8",
                                       .rank = 1,
                                       .dim = {extra_len},
                                       .data = extra,
                                       .len = extra_len};
        st = wspi_st_write(path, meta, list, n + EXTRA_TENSORS, err);
    }
    json_decref(meta);
    free(list);
    return st;
}

/* The file's model must be this one in configuration and heads. */
static wsp_status same_model(const wsp_model *m, const wspi_st_file *f, wsp_error *err)
{
    json_t *mine = wspi_model_meta_json(m);
    static const char *const keys[] = {"format", "config"};
    wsp_model *other = NULL;
    wsp_status st = wspi_model_from_file(&other, f, err);

    for (size_t i = 0; i < WSPI_COUNT(keys) && st == WSP_OK; i++)
        if (!json_equal(json_object_get(mine, keys[i]), json_object_get(f->meta, keys[i])))
            st = wspi_fail(err, WSP_ERR_FORMAT, 8,
                           "the checkpoint is of another model (%s differs)", keys[i]);
    if (st == WSP_OK && other->n_heads != m->n_heads)
        st = wspi_fail(err, WSP_ERR_FORMAT, 8, "the checkpoint has %zu heads, not %zu",
                       other->n_heads, m->n_heads);
    for (size_t h = 0; st == WSP_OK && h < m->n_heads; h++)
        for (size_t l = 0; st == WSP_OK && l < m->head[h].n_labels; l++)
            if (other->head[h].n_labels != m->head[h].n_labels ||
                strcmp(other->head[h].name, m->head[h].name) != 0 ||
                strcmp(other->head[h].labels[l], m->head[h].labels[l]) != 0)
                st = wspi_fail(err, WSP_ERR_FORMAT, 8, "the checkpoint has other labels in head %s",
                               m->head[h].name);
    json_decref(mine);
    wsp_model_free(other);
    return st;
}

static const wspi_st_tensor *moments(const wsp_trainer *t, const wspi_st_file *f, const char *name)
{
    const wspi_st_tensor *m = wspi_st_find(f, name);

    return m && m->dtype[0] == 'F' && m->len == t->m->n_params * sizeof(float) ? m : NULL;
}

/* Changes nothing unless all of it is right. */
static wsp_status take_over(wsp_trainer *t, const wspi_st_file *f, void **extra, size_t *extra_len,
                            wsp_error *err)
{
    const wspi_st_tensor *a = moments(t, f, "trainer.moment1"),
                         *b = moments(t, f, "trainer.moment2");
    const wspi_st_tensor *x = wspi_st_find(f, "trainer.extra");
    const char *step = json_string_value(json_object_get(f->meta, "trainer.step"));
    float *w;
    wsp_status st;

    if (!a || !b || !x || x->dtype[0] != 'U' || !step || !step[0] || strlen(step) > 19 ||
        step[strspn(step, "0123456789")])
        return wspi_fail(err, WSP_ERR_FORMAT, 8,
                         "not a checkpoint: moments, extra or step are missing");
    WSP_TRY(same_model(t->m, f, err));
    w = wspi_new_floats(t->m->n_params);
    if (!w)
        return wspi_nomem(err, "weights", t->m->n_params * sizeof *w);
    st = wspi_model_copy_weights(t->m, w, f, EXTRA_TENSORS, err);
    if (st == WSP_OK && extra && !(*extra = malloc(x->len + 1)))
        st = wspi_nomem(err, "a checkpoint's extra", x->len);
    if (st == WSP_OK) {
        memcpy(t->m->w, w, t->m->n_params * sizeof *w);
        memcpy(t->moment1, a->data, a->len);
        memcpy(t->moment2, b->data, b->len);
        memset(t->grad, 0, a->len);
        t->step = strtoull(step, NULL, 10);
        t->accumulated = 0;
        if (extra && x->len)
            memcpy(*extra, x->data, x->len);
        if (extra_len)
            *extra_len = x->len;
    }
    free(w);
    return st;
}

wsp_status wsp_trainer_load(wsp_trainer *t, const char *path, void **extra, size_t *extra_len,
                            wsp_error *err)
{
    wspi_st_file f;
    wsp_status st;
    void *data;
    size_t len;

    if (extra)
        *extra = NULL;
    if (extra_len)
        *extra_len = 0;
    WSP_TRY(wspi_read_file(&data, &len, path, err));
    st = wspi_st_parse(&f, data, len, err);
    if (st == WSP_OK)
        st = take_over(t, &f, extra, extra_len, err);
    wspi_st_clear(&f);
    free(data);
    return st;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c: a trainer as a .safetensors file: the model's tensors, moments, weights put aside, the caller's bytes;
 * the step and a checksum of all data in the metadata.
 */
#include <stdio.h>

#include "model/train_int.h"

enum { EXTRA_TENSORS = 4 };

static json_t *meta_json(const wsp_trainer *t, uint64_t sum)
{
    json_t *meta = wspi_model_meta_json(t->m);
    char step[24], hex[24];

    (void)snprintf(step, sizeof step, "%llu", (unsigned long long)t->step);
    (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)sum);
    if (json_object_set_new(meta, "trainer.step", json_string(step)) ||
        json_object_set_new(meta, "trainer.sum", json_string(hex))) {
        json_decref(meta);
        return NULL;
    }
    return meta;
}

static wspi_st_tensor vector(const char *name, const char *dtype, const void *data, size_t n)
{
    return (wspi_st_tensor){.name = name,
                            .dtype = dtype,
                            .rank = 1,
                            .dim = {n},
                            .data = data,
                            .len = dtype[0] == 'F' ? n * sizeof(float) : n};
}

wsp_status wsp_trainer_save(const wsp_trainer *t, const char *path, const void *extra,
                            size_t extra_len, wsp_error *err)
{
    size_t n = t->m->n_entries, n_params = t->m->n_params;
    uint64_t sum = WSPI_FNV_START;
    wspi_st_tensor *list;
    json_t *meta;
    wsp_status st;

    if (t->accumulated)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s: a checkpoint between accumulation and update",
                         path);
    list = wspi_new_array(n + EXTRA_TENSORS, sizeof *list);
    if (!list)
        return wspi_nomem(err, "a checkpoint's header", n * sizeof *list);
    wspi_model_tensor_list(t->m, list);
    list[n] = vector("trainer.moment1", "F32", t->moment1, n_params);
    list[n + 1] = vector("trainer.moment2", "F32", t->moment2, n_params);
    list[n + 2] = vector("trainer.kept", "F32", t->kept, t->kept ? n_params : 0);
    list[n + 3] = vector("trainer.extra", "U8", extra, extra_len);
    for (size_t i = 0; i < n + EXTRA_TENSORS; i++)
        sum = wspi_fnv1a(list[i].data, list[i].len, sum);
    meta = meta_json(t, sum);
    st = meta ? wspi_st_write(path, meta, list, n + EXTRA_TENSORS, err)
              : wspi_nomem(err, "a checkpoint's header", n * sizeof *list);
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

/* Tensor `name` if it has n floats (kept weights may have none), or NULL. */
static const float *floats(const wspi_st_file *f, const char *name, size_t n)
{
    const wspi_st_tensor *m = wspi_st_find(f, name);

    return m && m->dtype[0] == 'F' && m->len == n * sizeof(float) ? m->data : NULL;
}

/* Everything that take_over needs is there, whole, and of this model; w: room for the weights. */
static wsp_status check(const wsp_trainer *t, const wspi_st_file *f, float *w, wsp_error *err)
{
    const char *step = json_string_value(json_object_get(f->meta, "trainer.step"));
    const char *sum = json_string_value(json_object_get(f->meta, "trainer.sum"));
    const wspi_st_tensor *x = wspi_st_find(f, "trainer.extra");
    size_t n = t->m->n_params;
    char hex[24];

    if (!wspi_st_find(f, "trainer.moment1") || !wspi_st_find(f, "trainer.kept") || !x ||
        x->dtype[0] != 'U' || !sum || !step || !step[0] || strlen(step) > 19 ||
        step[strspn(step, "0123456789")])
        return wspi_fail(err, WSP_ERR_FORMAT, 8,
                         "not a checkpoint: moments, kept weights, extra, step or sum are missing");
    (void)snprintf(hex, sizeof hex, "%016llx",
                   (unsigned long long)wspi_fnv1a(f->tensor[0].data, f->n_data, WSPI_FNV_START));
    if (strcmp(hex, sum) != 0)
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "damaged: the checksum of its data is %s, not %s",
                         hex, sum);
    WSP_TRY(same_model(t->m, f, err));
    if (!floats(f, "trainer.moment1", n) || !floats(f, "trainer.moment2", n) ||
        !(floats(f, "trainer.kept", n) || floats(f, "trainer.kept", 0)))
        return wspi_fail(err, WSP_ERR_FORMAT, 8, "moments or kept weights of another size");
    return wspi_model_copy_weights(t->m, w, f, EXTRA_TENSORS, err);
}

/* Changes nothing unless all of it is right. */
static wsp_status take_over(wsp_trainer *t, const wspi_st_file *f, void **extra, size_t *extra_len,
                            wsp_error *err)
{
    size_t n = t->m->n_params, size = n * sizeof(float);
    const wspi_st_tensor *x = wspi_st_find(f, "trainer.extra");
    const float *kept = floats(f, "trainer.kept", n);
    float *w = wspi_new_floats(n), *copy = kept ? wspi_new_floats(n) : NULL;
    uint8_t *bytes = x ? wspi_new_array(x->len + 1, 1) : NULL;
    wsp_status st = w && (copy || !kept) && (bytes || !x) ? check(t, f, w, err)
                                                          : wspi_nomem(err, "a checkpoint", size);

    if (st == WSP_OK) {
        memcpy(t->m->w, w, size);
        memcpy(t->moment1, floats(f, "trainer.moment1", n), size);
        memcpy(t->moment2, floats(f, "trainer.moment2", n), size);
        memset(t->grad, 0, size);
        if (kept)
            memcpy(copy, kept, size);
        free(t->kept);
        t->kept = copy;
        copy = NULL;
        t->step = strtoull(json_string_value(json_object_get(f->meta, "trainer.step")), NULL, 10);
        t->accumulated = 0;
        memcpy(bytes, x->data, x->len);
        if (extra_len)
            *extra_len = x->len;
        if (extra) {
            *extra = bytes;
            bytes = NULL;
        }
    }
    free(w);
    free(copy);
    free(bytes);
    return st;
}

wsp_status wsp_trainer_load(wsp_trainer *t, const char *path, void **extra, size_t *extra_len,
                            wsp_error *err)
{
    wsp_error inner = {.text = ""};
    wspi_st_file f;
    wsp_status st;
    void *data;
    size_t len;

    if (extra)
        *extra = NULL;
    if (extra_len)
        *extra_len = 0;
    WSP_TRY(wspi_read_file(&data, &len, path, err));
    st = wspi_st_parse(&f, data, len, &inner);
    if (st == WSP_OK)
        st = take_over(t, &f, extra, extra_len, &inner);
    wspi_st_clear(&f);
    free(data);
    return st < 0 ? wspi_fail(err, st, inner.offset, "%s: %s", path, inner.text) : st;
}

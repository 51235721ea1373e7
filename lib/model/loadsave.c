/* SPDX-License-Identifier: Apache-2.0 */
/* loadsave.c: a model as a .safetensors file; configuration, heads and the user's strings are its metadata. */
#include <math.h>

#include "model/model_int.h"

static const char FORMAT[] = "wirespeak-model-1";

enum { REFERENCE_TENSORS = 2 };

json_t *wspi_model_meta_json(const wsp_model *m)
{
    json_t *o = json_copy(m->meta), *cfg = wspi_config_to_json(&m->cfg),
           *heads = wspi_heads_to_json(m);
    char *c = cfg ? json_dumps(cfg, JSON_COMPACT) : NULL,
         *h = heads ? json_dumps(heads, JSON_COMPACT) : NULL;

    if (!c || !h || json_object_set_new(o, "format", json_string(FORMAT)) ||
        json_object_set_new(o, "config", json_string(c)) ||
        json_object_set_new(o, "heads", json_string(h))) {
        json_decref(o);
        o = NULL;
    }
    json_decref(cfg);
    json_decref(heads);
    free(c);
    free(h);
    return o;
}

void wspi_model_tensor_list(const wsp_model *m, wspi_st_tensor *t)
{
    for (size_t i = 0; i < m->n_entries; i++) {
        const wspi_entry *e = &m->entry[i];
        t[i] = (wspi_st_tensor){.name = e->name,
                                .dtype = "F32",
                                .rank = e->rank,
                                .data = m->w + e->at,
                                .len = e->count * sizeof(float)};
        memcpy(t[i].dim, e->dim, sizeof t[i].dim);
    }
}

wsp_status wsp_model_save(const wsp_model *m, const char *path, wsp_error *err)
{
    size_t n = m->n_entries, more = m->n_references ? REFERENCE_TENSORS : 0;
    size_t trees = m->forest.features ? WSPI_FOREST_TENSORS : 0;
    wspi_st_tensor *t = wspi_new_array(n + more + trees, sizeof *t);
    json_t *meta = wspi_model_meta_json(m);
    float *numbers = NULL;
    wsp_status st;

    if (!t || !meta || (more && wspi_references_list(m, t + n, &numbers) < 0)) {
        st = wspi_nomem(err, "a model's header", n * sizeof *t);
    } else {
        wspi_model_tensor_list(m, t);
        if (trees)
            wspi_forest_list(m, t + n + more);
        st = wspi_st_write(path, meta, t, n + more + trees, err);
    }
    free(numbers);
    json_decref(meta);
    free(t);
    return st;
}

wsp_status wspi_model_from_file(wsp_model **out, const wspi_st_file *f, wsp_error *err)
{
    const char *format = json_string_value(json_object_get(f->meta, "format"));
    const char *config = json_string_value(json_object_get(f->meta, "config"));
    const char *heads = json_string_value(json_object_get(f->meta, "heads"));
    wsp_model_config cfg;
    const char *key;
    json_t *v;

    *out = NULL;
    if (!format || strcmp(format, FORMAT) != 0 || !config || !heads)
        return wspi_fail(err, WSP_ERR_FORMAT, 8,
                         "not a wirespeak model: format, config or heads are missing");
    WSP_TRY(wspi_config_from_json(&cfg, config, err));
    WSP_TRY(wspi_heads_from_json(out, &cfg, heads, err));
    json_object_foreach(f->meta, key, v)
    {
        if (!wspi_meta_reserved(key) && json_object_set((*out)->meta, key, v))
            return wspi_nomem(err, "a model's notes", json_object_size(f->meta));
    }
    return WSP_OK;
}

wsp_status wspi_model_copy_weights(const wsp_model *m, float *w, const wspi_st_file *f,
                                   size_t extra, wsp_error *err)
{
    if (f->n != m->n_entries + extra)
        return wspi_fail(err, WSP_ERR_FORMAT, 8, "%zu tensors instead of %zu", f->n,
                         m->n_entries + extra);
    for (size_t i = 0; i < m->n_entries; i++) {
        const wspi_entry *e = &m->entry[i];
        const wspi_st_tensor *t = wspi_st_find(f, e->name);

        if (!t || t->dtype[0] != 'F' || t->rank != e->rank ||
            memcmp(t->dim, e->dim, sizeof t->dim) != 0)
            return wspi_fail(err, WSP_ERR_FORMAT, 8, "tensor %s is missing or has another shape",
                             e->name);
        if (!w)
            continue;
        memcpy(w + e->at, t->data, t->len);
        for (size_t j = 0; j < e->count; j++)
            if (!isfinite(w[e->at + j]))
                return wspi_fail(err, WSP_ERR_FORMAT, 0,
                                 "tensor %s holds numbers that are not finite", e->name);
    }
    return WSP_OK;
}

wsp_status wsp_model_load_memory(wsp_model **out, const void *data, size_t len, wsp_error *err)
{
    wspi_st_file f;
    wsp_model *m = NULL;
    size_t extra = 0;
    wsp_status st = wspi_st_parse(&f, data, len, err);

    *out = NULL;
    if (st == WSP_OK)
        extra = wspi_references_tensors(&f) + wspi_forest_tensors(&f);
    if (st < 0 || (st = wspi_model_from_file(&m, &f, err)) < 0 ||
        (st = wspi_model_copy_weights(m, NULL, &f, extra, err)) < 0 || /* shapes before memory */
        (st = wspi_model_alloc(m, err)) < 0 ||
        (st = wspi_model_copy_weights(m, m->w, &f, extra, err)) < 0 ||
        (st = wspi_references_load(m, &f, err)) < 0 || (st = wspi_forest_load(m, &f, err)) < 0)
        wsp_model_free(m);
    else
        *out = m;
    wspi_st_clear(&f);
    return st;
}

wsp_status wsp_model_load(wsp_model **out, const char *path, wsp_error *err)
{
    wsp_error inner;
    wsp_status st;
    void *data;
    size_t len;

    *out = NULL;
    WSP_TRY(wspi_read_file(&data, &len, path, err));
    st = wsp_model_load_memory(out, data, len, &inner);
    free(data);
    return st < 0 ? wspi_fail(err, st, inner.offset, "%s: %s", path, inner.text) : st;
}

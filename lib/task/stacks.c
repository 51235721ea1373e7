/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stacks.c: which protocols a flow is made of, and which of these combinations a head was trained on. A head is a softmax: it
 * answers for any flow, also where its question makes no sense (which mobile app is this ARP?), and is often sure. So the
 * combinations of its training flows are kept with the model, and flows of another one are outside of the head's field. TCP that
 * has carried nothing yet is one of its own: attempts and scans, of which a DPI names few, by their ports.
 */
#include <stdio.h>

#include "base/json.h"
#include "task/task_int.h"
#include "token/app/app.h"

/* A combination counts when the head has seen it so often: once is an odd packet in a tunnel, or a wrong label. */
enum { AT_LEAST = 2, MAX_STACKS = 256 };

/* Silent TCP has to have a label of the head this often, measured by how often TCP with payloads has one. */
static const double AS_OFTEN = 0.5;
#define SILENT "silent"

#define META_KEY "stacks"

typedef struct stack_list {
    size_t n;
    wsp_stack items[MAX_STACKS];
    size_t count[MAX_STACKS];
} stack_list;

struct wsp_stacks {
    size_t n_heads;
    stack_list **head; /* [n_heads], NULL: the model does not say */
};

/* ---- of a flow ---- */

static void set(wsp_stack *s, uint8_t id)
{
    s->layers[id / 64] |= UINT64_C(1) << id % 64;
}

static bool has(const wsp_stack *s, uint8_t id)
{
    return s->layers[id / 64] >> id % 64 & 1;
}

/* Options, and what follows a header in pieces, are no protocols of their own. */
static bool is_part(uint8_t id)
{
    return strchr(wspi_protos[id]->name, '.') != NULL;
}

/* The innermost protocol with a header; link layers and tunnels around it say where it was captured, not what it is. */
static void add_innermost(wsp_stack *s, const uint16_t *ids, size_t n)
{
    uint8_t last = WSPI_PAYLOAD;
    const wspi_stack *common;

    for (size_t i = 0; i < n; i++) {
        unsigned stack = ids[i] - wspi_group_base(WSPI_T_STACK);
        unsigned layer = ids[i] - wspi_group_base(WSPI_T_LAYER);

        if (layer < WSPI_PAYLOAD && !is_part((uint8_t)layer))
            last = (uint8_t)layer;
        if (!wspi_in_group(ids[i], WSPI_T_STACK) || stack < WSPI_RECALLS)
            continue;
        common = wspi_common_stack(stack - WSPI_RECALLS);
        for (size_t k = 0; k < common->n; k++)
            if (!is_part(common->id[k]))
                last = common->id[k];
    }
    if (last != WSPI_PAYLOAD)
        set(s, last);
}

void wsp_stack_add(wsp_stack *s, const uint16_t *ids, size_t n)
{
    (void)wsp_vocab_size(); /* lays the vocabulary out */
    if (!s->begun)
        add_innermost(s, ids, n);
    s->begun = true;
    for (size_t i = 0; i < n; i++) {
        s->said =
            s->said || (wspi_in_group(ids[i], WSPI_T_LEN) && ids[i] != wspi_group_base(WSPI_T_LEN));
        if (wspi_in_group(ids[i], WSPI_T_APP) && ids[i] != wspi_group_base(WSPI_T_APP))
            set(s, (uint8_t)(WSPI_LAYER_COUNT + ids[i] - wspi_group_base(WSPI_T_APP) - 1));
    }
}

static bool is_silent(const wsp_stack *s)
{
    return has(s, WSPI_TCP) && !s->said;
}

static bool same(const wsp_stack *a, const wsp_stack *b)
{
    return a->layers[0] == b->layers[0] && a->layers[1] == b->layers[1] &&
           is_silent(a) == is_silent(b);
}

/* "tcp+tls", "tcp+silent"; "none" when nothing was to be seen. */
static void name_of(const wsp_stack *s, char *buf, size_t size)
{
    size_t at = (size_t)snprintf(buf, size, "none");

    for (uint8_t id = 0, first = 1; id < WSPI_APP_END; id++)
        if (has(s, id) && at < size) {
            at = first ? 0 : at;
            at += (size_t)snprintf(buf + at, size - at, "%s%s", first ? "" : "+",
                                   wspi_proto_of(id)->name);
            first = 0;
        }
    if (is_silent(s) && at < size)
        (void)snprintf(buf + at, size - at, "+" SILENT);
}

/* The protocol of this name, WSPI_APP_END when there is none. */
static uint8_t proto_named(const char *text, size_t len)
{
    uint8_t id = 0;

    while (id < WSPI_APP_END &&
           (strncmp(wspi_proto_of(id)->name, text, len) != 0 || wspi_proto_of(id)->name[len]))
        id++;
    return len ? id : WSPI_APP_END;
}

static bool parse_name(const char *text, wsp_stack *s)
{
    bool silent = false;

    *s = (wsp_stack){.begun = true};
    if (strcmp(text, "none") == 0)
        return true;
    while (*text && !silent) {
        size_t len = strcspn(text, "+");
        uint8_t id = proto_named(text, len);

        silent = strcmp(text, SILENT) == 0;
        if (id < WSPI_APP_END)
            set(s, id);
        else if (!silent)
            return false;
        text += len + (text[len] == '+');
    }
    s->said = !silent;
    return is_silent(s) == silent;
}

/* ---- of a model ---- */

static size_t find(const stack_list *l, const wsp_stack *s)
{
    size_t i = 0;

    while (i < l->n && !same(&l->items[i], s))
        i++;
    return i;
}

static wsp_stack flow_stack(const wspi_view *v, size_t flow)
{
    wsp_stack s = {.begun = false};

    for (uint64_t p = v->flow_off[flow]; p < v->flow_off[flow + 1]; p++)
        wsp_stack_add(&s, v->ids + v->packet_off[p],
                      (size_t)(v->packet_off[p + 1] - v->packet_off[p]));
    return s;
}

/* How many flows of TCP there are without and with payloads, and how many of them have a label of the head. */
typedef struct talk {
    size_t flows[2], labelled[2]; /* [said] */
} talk;

static void count_talk(talk *k, const wsp_stack *s, bool labelled)
{
    if (!has(s, WSPI_TCP))
        return;
    k->flows[s->said]++;
    k->labelled[s->said] += labelled;
}

static double share_labelled(const talk *k, bool said)
{
    return k->flows[said] ? (double)k->labelled[said] / (double)k->flows[said] : 0;
}

static void count_stack(stack_list *l, const wsp_stack *s)
{
    size_t at = find(l, s);

    if (at == MAX_STACKS)
        return;
    if (at == l->n) {
        l->items[l->n] = *s;
        l->count[l->n++] = 0;
    }
    l->count[at]++;
}

static bool counts(const stack_list *l, size_t i, const talk *k)
{
    if (is_silent(&l->items[i]) && share_labelled(k, false) < AS_OFTEN * share_labelled(k, true))
        return false;
    return l->count[i] >= AT_LEAST;
}

/* Of the flows that have a label of the head, but for "unknown"; a list that is full takes no further ones. */
static json_t *learn_head(const wspi_view *v, const wsp_tokens *t, size_t head, stack_list *l)
{
    const int32_t *label = t->labels[head];
    int32_t background = (int32_t)wspi_background_of(t, head);
    json_t *names = json_array();
    talk k = {{0}, {0}};
    char name[256];

    l->n = 0;
    for (size_t i = 0; i < v->n_flows; i++) {
        wsp_stack s = flow_stack(v, i);
        bool labelled = label[i] >= 0 && label[i] != background;

        count_talk(&k, &s, labelled);
        if (labelled)
            count_stack(l, &s);
    }
    for (size_t i = 0; i < l->n; i++) {
        name_of(&l->items[i], name, sizeof name);
        if (counts(l, i, &k) && json_array_append_new(names, json_string(name)) < 0) {
            json_decref(names);
            return NULL;
        }
    }
    return names;
}

/* NULL where the model has none. */
static wsp_status read_meta(json_t **all, const char *text, wsp_error *err)
{
    *all = NULL;
    return text ? wspi_json_read(all, text, strlen(text), "the model's metadata \"" META_KEY "\"",
                                 err)
                : WSP_OK;
}

static bool listed(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

/* Whether a head of this name has labels whose flows the set does not have, since they were enrolled. */
static bool has_enrolled(const wsp_model *m, const bool *apart, const char *name)
{
    bool any = false;

    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);
        for (size_t l = 0; l < head->n_labels; l++)
            any = *apart++ && strcmp(head->name, name) == 0 ? true : any;
    }
    return any;
}

/* What is in the old list and not in the new one comes behind it. */
static bool keep_old(json_t *names, const json_t *old)
{
    for (size_t i = 0; i < json_array_size(old) && json_array_size(names) < MAX_STACKS; i++) {
        const char *name = json_string_value(json_array_get(old, i));
        if (name && !listed(names, name) && json_array_append_new(names, json_string(name)) < 0)
            return false;
    }
    return true;
}

/* In `all` the lists of the set's heads become new. A head that was enrolled into keeps its own, too: it has what the examples brought. */
static bool learn_heads(const wsp_model *m, const wspi_view *v, const wsp_tokens *t, json_t *all)
{
    stack_list *l = wspi_new_array(1, sizeof *l);
    bool *apart = wspi_enrolled_apart(m, t), good = l && apart && all;

    for (size_t h = 0; good && h < t->n_heads; h++) {
        json_t *names = learn_head(v, t, h, l);

        good = names && (!has_enrolled(m, apart, t->heads[h]) ||
                         keep_old(names, json_object_get(all, t->heads[h])));
        good = json_object_set_new(all, t->heads[h], names) == 0 && good;
    }
    free(apart);
    free(l);
    return good;
}

wsp_status wspi_stacks_learn(wsp_model *m, const wspi_view *v, const wsp_tokens *t)
{
    const char *old = wsp_model_meta_get(m, META_KEY);
    json_t *all = NULL;
    char *text = NULL;
    wsp_status st = WSP_ERR_NOMEM;

    if (read_meta(&all, old, NULL) < 0 || !json_is_object(all)) { /* none, or one that is damaged */
        json_decref(all);
        all = json_object();
    }
    if (learn_heads(m, v, t, all) && (text = json_dumps(all, JSON_COMPACT)))
        st = wsp_model_meta_set(m, META_KEY, text);
    free(text);
    json_decref(all);
    return st;
}

wsp_status wsp_stacks_learn(wsp_model *m, const wsp_tokens *train, wsp_error *err)
{
    wsp_view_options o = wsp_view_options_of(m);
    wspi_view v;
    wsp_status st;

    WSP_TRY(wspi_view_make(&v, train, &o, wsp_model_config_get(m)->max_tokens, false, err));
    st = wspi_stacks_learn(m, &v, train);
    wspi_view_clear(&v);
    return st < 0 ? wspi_nomem(err, "a model's protocols", 1) : WSP_OK;
}

static bool extend_list(json_t *names, const wspi_view *v)
{
    char name[256];

    for (size_t i = 0; i < v->n_flows && json_array_size(names) < MAX_STACKS; i++) {
        wsp_stack s = flow_stack(v, i);
        name_of(&s, name, sizeof name);
        if (!listed(names, name) && json_array_append_new(names, json_string(name)) < 0)
            return false;
    }
    return true;
}

wsp_status wspi_stacks_extend(wsp_model *m, size_t head, const wsp_tokens *t, wsp_error *err)
{
    const char *old = wsp_model_meta_get(m, META_KEY);
    wsp_view_options o = wsp_view_options_of(m);
    wsp_status st = WSP_OK;
    json_t *all, *names;
    char *text = NULL;
    wspi_view v;

    WSP_TRY(read_meta(&all, old, err));
    names = json_object_get(all, wsp_model_head(m, head)->name);
    if (names) { /* without a list nothing is outside of the head's field. The model was used: the list is right */
        st = wspi_view_make(&v, t, &o, wsp_model_config_get(m)->max_tokens, false, err);
        if (st == WSP_OK) {
            text = extend_list(names, &v) ? json_dumps(all, JSON_COMPACT) : NULL;
            st = text ? wsp_model_meta_set(m, META_KEY, text) : WSP_ERR_NOMEM;
            wspi_view_clear(&v);
        }
        if (st == WSP_ERR_NOMEM)
            (void)wspi_nomem(err, "a model's protocols", 1);
    }
    free(text);
    json_decref(all);
    return st;
}

static wsp_status read_list(const json_t *names, stack_list *l)
{
    if (!json_is_array(names) || json_array_size(names) > MAX_STACKS)
        return WSP_ERR_FORMAT;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *text = json_string_value(json_array_get(names, i));
        if (!text || !parse_name(text, &l->items[l->n++]))
            return WSP_ERR_FORMAT;
    }
    return WSP_OK;
}

/* A head that the list does not have was trained before there was one: nothing is outside of its field. */
static wsp_status read_heads(wsp_stacks *s, const wsp_model *m, const json_t *all)
{
    s->n_heads = wsp_model_head_count(m);
    s->head = wspi_new_array(s->n_heads, sizeof *s->head);
    for (size_t h = 0; s->head && h < s->n_heads; h++) {
        const json_t *names = json_object_get(all, wsp_model_head(m, h)->name);
        if (!names)
            continue;
        if (!(s->head[h] = wspi_new_array(1, sizeof **s->head)))
            return WSP_ERR_NOMEM;
        WSP_TRY(read_list(names, s->head[h]));
    }
    return s->head ? WSP_OK : WSP_ERR_NOMEM;
}

wsp_status wsp_stacks_new(wsp_stacks **out, const wsp_model *m, wsp_error *err)
{
    const char *text = wsp_model_meta_get(m, META_KEY);
    wsp_stacks *s;
    wsp_status st;
    json_t *all;

    (void)wsp_vocab_size();
    *out = NULL;
    WSP_TRY(read_meta(&all, text, err));
    s = wspi_new_array(1, sizeof *s);
    st = !s ? WSP_ERR_NOMEM : text && !json_is_object(all) ? WSP_ERR_FORMAT : WSP_OK;
    if (st == WSP_OK)
        st = read_heads(s, m, all);
    json_decref(all);
    if (st == WSP_OK) {
        *out = s;
        return WSP_OK;
    }
    wsp_stacks_free(s);
    return st == WSP_ERR_NOMEM ? wspi_nomem(err, "a model's protocols", 1)
                               : wspi_fail(err, st, 0,
                                           "the model's metadata \"" META_KEY
                                           "\" is no list of protocols for each head");
}

bool wsp_stacks_know(const wsp_stacks *s, size_t head, const wsp_stack *flow)
{
    const stack_list *l = head < s->n_heads ? s->head[head] : NULL;

    return !l || find(l, flow) < l->n;
}

uint32_t wspi_stacks_outside(const wsp_stacks *s, const wspi_view *v, size_t flow)
{
    wsp_stack of = flow_stack(v, flow);
    uint32_t outside = 0;

    for (size_t h = 0; h < s->n_heads; h++)
        if (!wsp_stacks_know(s, h, &of))
            outside |= UINT32_C(1) << h;
    return outside;
}

void wsp_stacks_free(wsp_stacks *s)
{
    if (!s)
        return;
    for (size_t h = 0; s->head && h < s->n_heads; h++)
        free(s->head[h]);
    free(s->head);
    free(s);
}

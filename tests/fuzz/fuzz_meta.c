/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_meta.c: any text as metadata of a model, as pairs of key and value that end with 0, and what reads metadata: which protocols a
 * head knows, what a flow's view is, questions, the tagger, coding, enrolling.
 */
#include "model/model_int.h"
#include "target.h"
#include "task/task_int.h"
#include "wirespeak/live.h"

static uint16_t ids[] = {0, 1, 2, 3, 4, 5, 6, 7};
static uint64_t packet_off[] = {0, 2, 4, 8}, flow_off[] = {0, 2, 3};
static uint32_t capture[] = {0, 0};
static wsp_tokens flows = {.n_captures = 1,
                           .n_flows = 2,
                           .n_packets = 3,
                           .n_tokens = 8,
                           .ids = ids,
                           .packet_off = packet_off,
                           .flow_off = flow_off,
                           .capture = capture};

static void put_pairs(wsp_model *m, const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 3), *key = text, *end = text + size;

    must(text != NULL);
    memcpy(text, data, size);
    while (key < end) {
        char *value = key + strlen(key) + 1;
        (void)!wsp_model_meta_set(m, key, value);
        key = value < end ? value + strlen(value) + 1 : end;
    }
    free(text);
}

static void know(const wsp_model *m)
{
    wsp_stacks *s = NULL;
    wsp_stack flow = {.begun = false};

    if (wsp_stacks_new(&s, m, NULL) < 0)
        must(!s);
    for (size_t p = 0; s && p < flows.n_packets; p++) {
        wsp_stack_add(&flow, ids + packet_off[p], (size_t)(packet_off[p + 1] - packet_off[p]));
        for (size_t h = 0; h < 3; h++)
            (void)wsp_stacks_know(s, h, &flow);
    }
    wsp_stacks_free(s);
}

static void ask(const wsp_model *m)
{
    const wsp_classify_options o = {.dtype = WSP_DTYPE_F32, .threads = 1};
    size_t P = wsp_view_options_of(m).max_packets;
    wsp_early *early[2] = {calloc(flows.n_flows, P * sizeof **early), NULL};
    float one[6], two[4], *prob[2] = {one, two};
    wsp_error err = {.text = ""};

    must(P >= 1 && P <= WSP_MAX_READ && early[0]);
    if (wsp_ask(m, &flows, &o, &(wsp_wanted){.prob = prob, .early = early}, NULL, &err) < 0)
        must(err.text[0]);
    free(early[0]);
}

static void begin(const wsp_model *m)
{
    wsp_tag_options o = wsp_tag_options_default();
    wsp_coding *coding = NULL;
    wsp_tagger *t = NULL;

    o.memory = 8u << 20;
    if (wsp_tagger_new(&t, m, &o, NULL) < 0)
        must(!t);
    wsp_tagger_free(t);
    if (wsp_coding_new(&coding, m, NULL, NULL) < 0)
        must(!coding);
    wsp_coding_free(coding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static wsp_model *m;
    wsp_stacks *s;

    if (!m)
        m = small_model(0);
    (void)json_object_clear(m->meta);
    put_pairs(m, data, size);
    for (size_t i = 0; i < wsp_model_meta_count(m); i++)
        must(wsp_model_meta_get(m, wsp_model_meta_key(m, i)) != NULL);
    know(m);
    if (size % 4 == 1) /* these are slow */
        ask(m);
    if (size % 8 == 2)
        begin(m);
    if (wsp_stacks_new(&s, m, NULL) ==
        WSP_OK) { /* enrolling comes after asking: the list is right */
        wsp_stacks_free(s);
        (void)!wspi_stacks_extend(m, 0, &flows, NULL);
    }
    return 0;
}

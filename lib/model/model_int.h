/* SPDX-License-Identifier: Apache-2.0 */
/* model_int.h: the inside of a model: its table of tensors in one block, and the engine that runs a part of a batch. */
#ifndef WSPI_MODEL_INT_H
#define WSPI_MODEL_INT_H

#include "base/base.h"
#include "base/json.h"
#include "nn/ops.h"
#include "wirespeak/model.h"

enum {
    WSPI_MAX_LAYERS = 64,
    WSPI_MAX_HEADS = WSP_MAX_HEADS,
};

/* Offsets of a layer's tensors in the parameter block. */
typedef struct wspi_mlp_at {
    size_t norm, up, down;
} wspi_mlp_at;

typedef struct wspi_block_at { /* packet and output stacks */
    size_t norm, qkv, out;
    wspi_mlp_at mlp;
} wspi_block_at;

typedef struct wspi_mix_at { /* flow stack */
    size_t norm, in, conv, conv_bias, gate_bias, gate_rate, head_norm, out;
    wspi_mlp_at mlp;
} wspi_mix_at;

typedef struct wspi_layout {
    size_t embed, packet_position, packet_norm, start, condition, flow_norm;
    size_t bos, output_position, output_context, output_norm, output_range;
    size_t packet_text, output_text; /* with text ids */
    size_t head_w[WSPI_MAX_HEADS], head_b[WSPI_MAX_HEADS];
    wspi_block_at packet[WSPI_MAX_LAYERS], output[WSPI_MAX_LAYERS];
    wspi_mix_at flow[WSPI_MAX_LAYERS];
} wspi_layout;

typedef enum wspi_init {
    WSPI_INIT_NORMAL,
    WSPI_INIT_RESIDUAL,
    WSPI_INIT_ONE,
    WSPI_INIT_ZERO,
    WSPI_INIT_RATE,
} wspi_init;

typedef struct wspi_entry {
    char name[64];
    size_t rank, dim[4], at, count;
    wspi_init init;
    bool decay; /* weight decay applies */
    bool head;  /* of a head */
} wspi_entry;

struct wsp_model {
    wsp_model_config cfg;
    wsp_head head[WSPI_MAX_HEADS];
    size_t n_heads, n_conditions;
    uint16_t *range_of; /* [vocab] the token's range; NULL: there are none */
    wspi_layout at;
    wspi_entry *entry;
    size_t n_entries, entries_cap, n_params;
    float *w;
    float *grad; /* the attached trainer's, or NULL */
    json_t *meta;
    size_t n_references;
    float *reference;         /* [n_references][C] */
    int32_t *reference_label; /* [n_references][n_heads] */
    wsp_forest forest;        /* its arrays are the model's */
};

/* How many tokens range r has. */
static inline uint32_t wspi_range_size(const wsp_model_config *c, uint32_t r)
{
    return (r + 1 < c->ranges ? c->range_first[r + 1] : c->vocab) - c->range_first[r];
}

/* Model without weights: configuration and heads checked, table made. */
wsp_status wspi_model_make(wsp_model **out, const wsp_model_config *cfg, const wsp_head *heads,
                           size_t n_heads, wsp_error *err);
wsp_status wspi_model_alloc(wsp_model *m, wsp_error *err);
wsp_status wspi_model_table(wsp_model *m, wsp_error *err); /* fills the table and the offsets */

/* Configuration and heads as JSON objects, new references, NULL without memory; and back (labels copied). */
json_t *wspi_config_to_json(const wsp_model_config *cfg);
wsp_status wspi_config_from_json(wsp_model_config *cfg, const char *text, wsp_error *err);
json_t *wspi_heads_to_json(const wsp_model *m);
wsp_status wspi_heads_from_json(wsp_model **out, const wsp_model_config *cfg, const char *text,
                                wsp_error *err);

/* ---- .safetensors ---- */

typedef struct wspi_st_tensor {
    const char *name, *dtype; /* dtype "F32" or "U8" */
    size_t rank, dim[4];
    const void *data;
    size_t len; /* bytes */
} wspi_st_tensor;

typedef struct wspi_st_file {
    json_t *header;
    json_t *meta; /* borrowed from header: object of strings */
    wspi_st_tensor *tensor;
    size_t n;
    size_t n_data; /* bytes of data */
} wspi_st_file;

/* Checks everything and fills f; data points into `data`. Clear it in any case. */
wsp_status wspi_st_parse(wspi_st_file *f, const void *data, size_t len, wsp_error *err);
void wspi_st_clear(wspi_st_file *f);
const wspi_st_tensor *wspi_st_find(const wspi_st_file *f, const char *name);
wsp_status wspi_st_write(const char *path, json_t *meta, const wspi_st_tensor *t, size_t n,
                         wsp_error *err);
/* What is wrong with an argument is, of a file, its format: in err, too. */
wsp_status wspi_of_file(wsp_status st, wsp_error *err);
wsp_status wspi_read_file(void **out, size_t *len, const char *path, wsp_error *err);

json_t *wspi_model_meta_json(
    const wsp_model *m);                  /* metadata of a file of this model; new reference */
bool wspi_meta_reserved(const char *key); /* what the library says itself, or no key at all */
void wspi_model_tensor_list(const wsp_model *m, wspi_st_tensor *t); /* n_entries items */
/* Checks names and shapes; `extra` other tensors are allowed. Copies the weights to w. */
wsp_status wspi_model_copy_weights(const wsp_model *m, float *w, const wspi_st_file *f,
                                   size_t extra, wsp_error *err);
wsp_status wspi_model_from_file(wsp_model **out, const wspi_st_file *f,
                                wsp_error *err); /* without weights */

/* Reference contexts: two tensors more for a file (*numbers is freed after writing), how many a file has, and back. */
void wspi_model_forget_references(wsp_model *m);
wsp_status wspi_references_list(const wsp_model *m, wspi_st_tensor *t, float **numbers);
size_t wspi_references_tensors(const wspi_st_file *f);
wsp_status wspi_references_load(wsp_model *m, const wspi_st_file *f, wsp_error *err);

/* The same of the forest. */
enum { WSPI_FOREST_TENSORS = 6 };
void wspi_model_forget_forest(wsp_model *m);
void wspi_forest_list(const wsp_model *m, wspi_st_tensor *t); /* WSPI_FOREST_TENSORS items */
size_t wspi_forest_tensors(const wspi_st_file *f);
wsp_status wspi_forest_load(wsp_model *m, const wspi_st_file *f, wsp_error *err);

/* ---- the different packets of many ---- */

/* Packets by content: tokens of number i at ids[off[i]..off[i + 1]); vector[i] where i < n_vectors. */
typedef struct wspi_packets {
    size_t n, n_tokens, n_vectors;
    uint16_t *ids;
    uint32_t *off;
    float *vector;  /* [n][C] */
    uint32_t *slot; /* a hash table of numbers + 1; `slots` is a power of two */
    size_t slots, ids_cap, off_cap, vector_cap;
} wspi_packets;

/* The number of a packet: the next free one when it was not met before. */
wsp_status wspi_packets_number(wspi_packets *p, const uint16_t *ids, size_t len, uint32_t *number);
void wspi_packets_forget(wspi_packets *p);
void wspi_packets_clear(wspi_packets *p);

/* ---- the engine: one part of a batch forward, and backward, on one thread ---- */

typedef struct wspi_mlp_act {
    float *x, *rstd, *n, *u, *h;
} wspi_mlp_act;

typedef struct wspi_block_act {
    float *x, *rstd, *n, *qkv, *o;
    wspi_mlp_act mlp;
} wspi_block_act;

/* The top packet layer, whose output only the last row of each packet needs: last_n is those rows of n. */
typedef struct wspi_top_act {
    float *rstd, *n, *kv, *last_n, *q, *o;
    wspi_mlp_act mlp;
} wspi_top_act;

typedef struct wspi_mix_act {
    float *x, *rstd, *n, *in, *pre, *qkv, *g, *o, *rstd_o, *y, *saved;
    wspi_mlp_act mlp;
} wspi_mix_act;

/* Rows of a ragged batch: packet i is rows off[i]..off[i + 1] of N. */
typedef struct wspi_ragged {
    const uint32_t *off;
    size_t n, N;
} wspi_ragged;

/* What the output stack remembers of a packet that is being spoken: rows of keys and values in each layer. */
typedef struct wspi_memory {
    uint32_t rows;  /* 0: nothing; row 0 stands before the first token, row i after token i - 1 */
    uint16_t *ids;  /* [max_tokens] */
    float *context; /* [C] c_(t-1) */
    float *added;   /* [C] what it adds to every row */
    void *keys[WSPI_MAX_LAYERS],
        *values
            [WSPI_MAX_LAYERS]; /* [max_tokens][C], in room for floats: of a runner whose products round, bfloat16 */
} wspi_memory;

/* A packet that goes on: rows from memory->rows up to len are computed. */
typedef struct wspi_speech {
    wspi_memory *memory;
    const float *context;
    const uint16_t *ids;
    uint32_t len;
} wspi_speech;

/* What a row of the flow stack is of, where it is no packet. */
enum {
    WSPI_ROW_START = -1,
    WSPI_ROW_PAST = -2, /* of a window that goes on: the context after the window before */
};

/* The windows among the flows of a part: what each began with, and what it is at. */
typedef struct wspi_windows {
    const wsp_window *of; /* [F], or NULL: all flows are whole */
    int32_t *number;      /* [F] of the window, -1: a whole flow */
    float *past, *now;    /* [windows] of wsp_window_size() bytes; a flow begins with zeros */
    size_t number_cap, past_cap, now_cap;
} wspi_windows;

typedef struct wspi_engine {
    const wsp_model *m;
    wspi_nn *nn;
    float *grad; /* where gradients are added */
    bool train;  /* keep activations */
    float dropout;
    uint64_t key; /* of the dropout masks */
    /* the part of the batch at work */
    size_t N, P, F,
        R; /* tokens, packets, flows, rows of the flow stack (P + F, or P with states) */
    const uint16_t *ids;
    uint32_t *poff, *roff; /* packets in tokens, flows in rows */
    int32_t *row_packet;   /* [R] the row's packet by its number in met, or WSPI_ROW_* */
    uint32_t *number;      /* [P] the packets by their numbers in met */
    int32_t *condition;    /* [F] */
    size_t *chunk0;        /* [F] first saved chunk */
    size_t n_chunks, poff_cap, roff_cap, row_cap, number_cap, cond_cap, chunk_cap, target_cap,
        order_cap;
    uint32_t *target;
    uint32_t *order;                       /* [N] rows by the ranges of their tokens */
    uint32_t range_at[WSP_MAX_RANGES + 1]; /* where each begins in order */
    float *const *state;                   /* streaming: a row per flow */
    wspi_windows windows;                  /* training */
    wspi_packets met; /* the part's different packets; without train also those of earlier parts */
    uint32_t *cut;    /* offsets of the packets in the packet stack */
    size_t cut_cap;
    /* activations: one block */
    float *block;
    size_t cap, used;
    wspi_block_act packet[WSPI_MAX_LAYERS + 1], output[WSPI_MAX_LAYERS + 1];
    wspi_mix_act
        flow[WSPI_MAX_LAYERS + 1]; /* [layers]: only x, the residual after the last layer */
    wspi_top_act top;
    float *last,
        *last_rstd; /* what the packet stack gives, a row per packet, before the last norm */
    float *f_rstd, *c, *o_rstd, *o_n, *wc, *branch;
    float *dx, *dn, *dc, *dlast, *dwide, *ddeep, *logits, *loss, *nll, *scale, *work;
} wspi_engine;

/* Rows of next-token logits at a time; tokens of packets at a time in inference (a packet more may come on top). */
enum { WSPI_LM_ROWS = 128, WSPI_CUT_TOKENS = 256 };

wsp_status wspi_engine_init(wspi_engine *e, const wsp_model *m, bool train, wsp_dtype dtype,
                            wsp_error *err);
void wspi_engine_clear(wspi_engine *e);
void wspi_engine_weights_changed(wspi_engine *e);

/*
 * Flows [f0, f1) of a batch become the part at work. With states: the packets that follow, without the start.
 * select_start: the start rows of n flows alone. select_rows: one packet for each of n states, by numbers in met.
 * select_speech: rows of the output stack alone, that go on with n packets.
 */
wsp_status wspi_engine_select(wspi_engine *e, const wsp_batch *b, size_t f0, size_t f1, bool output,
                              wsp_error *err);
wsp_status wspi_engine_select_start(wspi_engine *e, const int32_t *condition, size_t n,
                                    wsp_error *err);
wsp_status wspi_engine_select_rows(wspi_engine *e, const uint32_t *packet, size_t n,
                                   wsp_error *err);
wsp_status wspi_engine_select_speech(wspi_engine *e, const wspi_speech *s, size_t n,
                                     wsp_error *err);

/* number[n] of the packets p0.. of a batch, with room for their vectors. Without train, old packets may be forgotten first. */
wsp_status wspi_engine_number_packets(wspi_engine *e, const wsp_batch *b, size_t p0, size_t n,
                                      uint32_t *number, wsp_error *err);

/* Vectors of the packets in met that have none yet. Not with train. */
wsp_status wspi_vectors_fwd(wspi_engine *e, wsp_error *err);

/* The stacks in their order. With train, packet_fwd runs them all; without, vectors_fwd came first. */
void wspi_packet_fwd(wspi_engine *e); /* tokens of met -> vectors */
void wspi_rows_fwd(wspi_engine *e);   /* vectors, starts -> flow[0].x */
void wspi_flow_fwd(wspi_engine *e);   /* flow[0].x -> c [R][C] */
void wspi_output_fwd(wspi_engine *e, const uint32_t *context_row); /* c, tokens -> o_n [N][C] */
void wspi_speech_fwd(wspi_engine *e,
                     const wspi_speech *s); /* the last rows of the packets -> o_n [P][C] */
/*
 * nll[N] of the tokens from o_n. scale above 0: gradients of scale times their sum, dn (set) and the weights'. See
 * softmax.c.
 */
void wspi_next_loss(wspi_engine *e, float *nll, float scale);
void wspi_output_bwd(wspi_engine *e, const uint32_t *context_row); /* dn -> dc and gradients */
void wspi_flow_bwd(wspi_engine *e); /* dc -> gradients, wc[R][C] = gradient of flow[0].x */
void wspi_packet_bwd(wspi_engine *e);

wsp_status wspi_batch_check(const wsp_model *m, const wsp_batch *b, wsp_error *err);
/* End of a part that starts at flow f0: about `budget` tokens, at least one flow. */
size_t wspi_part_end(const wsp_batch *b, size_t f0, size_t end, size_t budget);

/*
 * Windows of the flows f0.. of a batch (windows.c). Of flow f in the part, NULL where it is whole: its state in layer l, and
 * the convolution's rows before its first. pass: after the flow stack, contexts come in from the window before, and all
 * goes out to the next.
 */
wsp_status wspi_windows_select(wspi_engine *e, const wsp_batch *b, size_t f0, wsp_error *err);
bool wspi_window_goes_on(const wspi_engine *e, size_t f);
float *wspi_window_state(const wspi_engine *e, size_t f, size_t l);
const float *wspi_window_history(const wspi_engine *e, size_t f, size_t l);
void wspi_windows_pass(wspi_engine *e);
void wspi_windows_clear(wspi_windows *w);

/* Floats of one flow layer's streaming state: S [H][dk][dv], then the last conv - 1 rows of q, k, v. */
size_t wspi_state_layer_size(const wsp_model_config *cfg);

#endif

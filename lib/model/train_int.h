/* SPDX-License-Identifier: Apache-2.0 */
/* train_int.h: the inside of a trainer. */
#ifndef WSPI_TRAIN_INT_H
#define WSPI_TRAIN_INT_H

#include <pthread.h>

#include "model/group_int.h"
#include "model/model_int.h"

/* A row of the flow stack, and the flow of the part that it belongs to. */
typedef struct picked {
    uint32_t row, flow;
} picked;

struct worker {
    wsp_trainer *t;
    wspi_engine e;
    float *own;    /* gradients; the first worker has none while it writes to the sum */
    uint32_t *row; /* context row of each packet */
    picked *pick;  /* rows that a head learns from */
    size_t row_cap, pick_cap;
    const wsp_batch *b;
    size_t f0, f1; /* its flows */
    uint64_t key;
    bool backward, started;
    float lm_scale, head_scale;
    void (*work)(struct worker *);
    pthread_t thread;
    wsp_status st;
    double lm_nats;
    wsp_head_stats head[WSPI_MAX_HEADS]; /* loss: the sum */
};

struct wsp_trainer {
    wsp_model *m;
    wsp_train_options opt;
    float *grad, *moment1, *moment2; /* one block */
    uint64_t step;
    uint64_t accumulated; /* batches since the last update, of all processes */
    wsp_train_stats sum;  /* of them */
    wsp_train_stats
        *round;    /* [size of the group] of the batches that its processes have just run */
    bool *present; /* [size of the group] who had a batch */
    struct worker *worker;
    unsigned n_workers;
    double *squares;  /* [parts of wspi_each_part] of the gradient */
    wspi_adamw adamw; /* of the step at work */
    float lr;
    float *kept;   /* [n_params] weights put aside, or NULL */
    int32_t *said; /* [n_flows][n_heads] of the last batch */
    size_t said_cap;
    bool answered;                       /* the last batch had labels */
    float *label_weight[WSPI_MAX_HEADS]; /* [n_labels], or NULL: 1 each */
};

/* Has all workers do it at once. */
void wspi_all_workers(wsp_trainer *t, void (*work)(struct worker *));
/*
 * The weights come in parts of WSPI_PART, the same whoever does what: how many there are; which of them are a worker's, [*from, *to).
 */
enum { WSPI_PART = 1 << 15 };
size_t wspi_param_parts(const wsp_trainer *t);
void wspi_param_parts_of(const struct worker *w, size_t *from, size_t *to);

/* Of the labelled flows of two heads (or of one head twice) together: means by how many they are. */
void wspi_head_stats_add(wsp_head_stats *sum, const wsp_head_stats *more);

#endif

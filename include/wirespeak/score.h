/* SPDX-License-Identifier: Apache-2.0 */
/* score.h: how good the answers of a classifier are, how far such scores can be believed, and what trees make of the same flows. */
#ifndef WIRESPEAK_SCORE_H
#define WIRESPEAK_SCORE_H

#include "wirespeak/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- metrics: how good the answers of any classifier are ---- */

enum {
    WSP_UNLABELLED = -1,  /* nobody knows what it is: left out of every score */
    WSP_OUTSIDE = -2,     /* of a class that the classifier does not know */
    WSP_RELIABILITY = 15, /* bins of equal width */
    WSP_THRESHOLDS = 101, /* 0, 0.01, ... 1 */
};

/* What was said of n flows, and what they are. Borrowed for the call. */
typedef struct wsp_answers {
    size_t n, n_labels;
    const float *
        prob; /* [n][n_labels], each in [0, 1], rows sum to 1, or to less where something else is likely, too */
    const int32_t *label; /* [n] 0 to n_labels - 1, WSP_UNLABELLED or WSP_OUTSIDE */
    double unknown_below; /* answers under it are "unknown" */
    const uint32_t
        *outside; /* [n], or NULL: bit `bit` is set for answers that are "unknown" in any case */
    unsigned bit;
} wsp_answers;

/* The likeliest label of row i, the first of equal ones. */
WSP_API size_t wsp_answers_said(const wsp_answers *a, size_t i);

typedef struct wsp_class_score {
    size_t support, said, right;  /* flows of the class, called so, and both */
    double precision, recall, f1; /* 0 where the divisor is */
} wsp_class_score;

typedef struct wsp_reliability_bin {
    size_t n;
    double confidence, accuracy; /* means over the bin; 0 when it is empty */
} wsp_reliability_bin;

/* What happens when answers under the threshold are "unknown". Numbers without anything to divide by are NaN. */
typedef struct wsp_abstention {
    double threshold;
    double coverage;       /* share of the known flows that keep an answer */
    double accuracy;       /* right ones among those */
    double outside_passed; /* share of the flows from outside that get an answer all the same */
} wsp_abstention;

/*
 * All scores but those that say so are of known flows: those with a label of the classifier. The confidence of an answer
 * is its top probability. ECE, Brier, NLL and reliability take as given that the flow is known: probabilities are those of rows that sum
 * to 1. Where it is told from confidences what is known, answers that are "unknown" in any case have none. Scores that the flows cannot tell (no flow, no wrong one) are NaN.
 */
typedef struct wsp_metrics {
    size_t flows, outside;          /* known flows, and flows from outside */
    size_t n_labels, classes, most; /* labels, those that occur, the commonest one */
    double accuracy;                /* share of right answers */
    double macro_f1;                /* mean F1 of the classes that occur */
    double weighted_f1;             /* the same, weighted by support */
    double majority_accuracy;       /* of always saying the commonest class */
    double majority_macro_f1;       /* likewise */
    double auroc_right;             /* that a right answer is more confident than a wrong one */
    double auroc_known; /* that a known flow's is more confident than one from outside */
    double ece;         /* expected calibration error over the reliability bins */
    double
        ece_perfect; /* that answers with these confidences would have, were they as often right as they say */
    double brier; /* mean squared error of the probabilities, summed over labels: 0 to 2 */
    double nll;   /* mean negative log of the right label's probability, in nats */
    wsp_class_score *label; /* [n_labels] */
    uint32_t *confusion;    /* [n_labels][n_labels]: row is, column said */
    wsp_reliability_bin reliability[WSP_RELIABILITY];
    wsp_abstention unknown; /* at the answers' own threshold */
    wsp_abstention abstention[WSP_THRESHOLDS];
} wsp_metrics;

/* The first of equal probabilities is the answer. ARG for a label or a probability that is none. Free with wsp_metrics_free. */
WSP_MUST_USE WSP_API wsp_status wsp_metrics_new(wsp_metrics **out, const wsp_answers *a);
WSP_API void wsp_metrics_free(wsp_metrics *m);

/* What answers under `threshold` being "unknown" brings. */
WSP_API wsp_abstention wsp_abstain(const wsp_answers *a, double threshold);

/*
 * The largest threshold that leaves at least `keep` (0 to 1) of the known flows their answer, those among the others that are "unknown"
 * in any case; where these alone are more, `keep` of the flows that are not. 0 without known flows.
 */
WSP_MUST_USE WSP_API wsp_status wsp_threshold_keeping(const wsp_answers *a, double keep,
                                                      double *threshold);

/* The least threshold under which all but a share `pass` (0 to 1) of the flows from outside stay; 1 when that is no flow. */
WSP_MUST_USE WSP_API wsp_status wsp_threshold_refusing(const wsp_answers *a, double pass,
                                                       double *threshold);

/* ---- how far scores can be believed ---- */

/* What one or two classifiers said of the same n items. Borrowed for the call. */
typedef struct wsp_trials {
    size_t n, n_labels;
    const int32_t *is; /* [n] 0 to n_labels - 1; items below 0 are left out */
    const int32_t
        *said[2]; /* [n] 0 to n_labels - 1, or n_labels for anything else; said[1]: or NULL */
    const uint32_t *group; /* [n] items of a group (a capture) are drawn together */
} wsp_trials;

/* A value, and the middle 95 % of what it is in the draws; NaN where there is nothing to draw from. */
typedef struct wsp_estimate {
    double value, low, high;
} wsp_estimate;

/* [0]: of the first classifier, [1]: of the second, [2]: of the first less the second, in the same draws. NaN without a second. */
typedef struct wsp_spread {
    size_t items, groups;
    wsp_estimate accuracy[3], macro_f1[3]; /* as in wsp_metrics */
} wsp_spread;

/*
 * The bootstrap over groups: as many groups as there are, drawn with replacement, `draws` times. The same seed gives the same
 * numbers. With fewer than two groups there are values alone. ARG for a label that is none.
 */
WSP_MUST_USE WSP_API wsp_status wsp_spread_of(const wsp_trials *t, size_t draws, uint64_t seed,
                                              wsp_spread *out);

/* ---- scoring a model ---- */

/*
 * The set's labels for a head of the model, by the names of head and labels: label [n_flows] gets a number of the head's,
 * WSP_UNLABELLED, or WSP_OUTSIDE for a label that the head does not have, and for "unknown". Returns how many flows have one of the head's.
 */
WSP_API size_t wsp_match_labels(const wsp_model *m, size_t head, const wsp_tokens *t,
                                int32_t *label);

/* Captures that were scored as one: how many flows they have, and how many more are not scored as their flows have different labels. */
typedef struct wsp_captures {
    size_t flows, mixed;
} wsp_captures;

/*
 * What a model says of a set, in one pass, beside what the set's labels say. Rows are the set's flows in their order, or with by_capture
 * the captures that have flows: all of their flows vote (wsp_poll), those without a label too, and their label is that of
 * their flows. opt may be NULL. ARG when no flow has a label of a head, or the flows of every capture have different ones.
 */
typedef struct wsp_replies wsp_replies;
WSP_MUST_USE WSP_API wsp_status wsp_replies_new(wsp_replies **out, const wsp_model *m,
                                                const wsp_tokens *t,
                                                const wsp_classify_options *opt, bool by_capture,
                                                wsp_error *err);
/* Of a head of the model; NULL: nothing to score, or no such head. Lives as long as the replies, as does what follows. */
WSP_API const wsp_answers *wsp_replies_get(const wsp_replies *r, size_t head);
/* The capture of each of its rows, a number in the set. */
WSP_API const uint32_t *wsp_replies_capture(const wsp_replies *r, size_t head);
/* Zeros where the rows are flows. */
WSP_API wsp_captures wsp_replies_captures(const wsp_replies *r, size_t head);
/* That the model took. */
WSP_API double wsp_replies_seconds(const wsp_replies *r);
WSP_API void wsp_replies_free(wsp_replies *r);

/*
 * The scores of such replies alone: metrics [heads of the model], NULL where there is nothing to score; free each. What is said of flows in the
 * metrics is of captures in the second one. captures [heads of the model], may be NULL. ARG as above.
 */
WSP_MUST_USE WSP_API wsp_status wsp_score(const wsp_model *m, const wsp_tokens *t,
                                          const wsp_classify_options *opt, wsp_metrics **metrics,
                                          wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_score_captures(const wsp_model *m, const wsp_tokens *t,
                                                   const wsp_classify_options *opt,
                                                   wsp_metrics **metrics, wsp_captures *captures,
                                                   wsp_error *err);

/* ---- what the model was trained on ---- */

/* Of a sample of a set's flows, how many the model was trained on. */
typedef struct wsp_seen {
    size_t flows, seen;
} wsp_seen;

/*
 * Flows count as seen when all that the model reads of them is what it read of a training flow, so that short flows of common protocols mostly
 * do. A model keeps the hashes of a thousand training flows, those of the models that it was trained on from included; the sample is of the set's flows
 * whose hashes lie among these. Zeros for a model that does not say (of an earlier version). FORMAT when its list is damaged.
 */
WSP_MUST_USE WSP_API wsp_status wsp_seen_of(const wsp_model *m, const wsp_tokens *t, wsp_seen *out,
                                            wsp_error *err);

/* ---- baselines: trees ---- */

typedef enum wsp_trees_kind { WSP_FOREST, WSP_BOOSTING } wsp_trees_kind;

typedef struct wsp_trees_options {
    wsp_trees_kind kind;
    size_t rounds; /* trees of a forest; rounds of boosting, one tree for each label in each */
    uint64_t seed; /* the same seed and rows give the same answers */
} wsp_trees_options;

/* 400 trees, grown until leaves are pure, or 100 rounds of trees of 31 leaves; seed 1. */
WSP_API wsp_trees_options wsp_trees_options_default(wsp_trees_kind kind);

typedef struct wsp_rows {
    const float *x; /* [n][features] */
    size_t n, features;
} wsp_rows;

/*
 * Learns from the training rows with their labels [train->n], all of them 0 to n_labels - 1, and says the probabilities of the rows that are asked for:
 * prob [ask->n][n_labels].
 */
WSP_MUST_USE WSP_API wsp_status wsp_trees(const wsp_trees_options *opt, const wsp_rows *train,
                                          const int32_t *label, size_t n_labels,
                                          const wsp_rows *ask, float *prob);

typedef struct wsp_baseline {
    wsp_trees_kind kind;
    bool payload;  /* false: sizes, directions, gaps, TCP flags and windows only */
    size_t rounds; /* 0: the default */
    uint64_t seed;
    bool
        by_capture; /* all flows of the test set are asked, and those of a capture vote, as in wsp_score_captures */
} wsp_baseline;

/*
 * Scores trees on the known flows of a test set, for a head of a model: they learn from the training set's flows with the
 * same labels, and see what the model's mask policy leaves of either. said [test->n_flows], or NULL: the label that they say of each
 * row of wsp_replies, WSP_UNLABELLED where they were not asked.
 */
WSP_MUST_USE WSP_API wsp_status wsp_baseline_score(const wsp_model *m, size_t head,
                                                   const wsp_tokens *train, const wsp_tokens *test,
                                                   const wsp_baseline *b, int32_t *said,
                                                   wsp_metrics **out, wsp_error *err);

#ifdef __cplusplus
}
#endif
#endif

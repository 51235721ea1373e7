/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.c: the library from a program of one's own: what the first head of a model says of every flow of captures.
 *
 *     cc -o labels labels.c $(pkg-config --cflags --libs libwirespeak)
 *     ./labels /usr/local/share/wirespeak/flows.safetensors capture.pcap...
 *
 * All flows are in memory until the end; `drain` of wsp_tokenize_options bounds that, as `wirespeak classify` does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <wirespeak/wirespeak.h>

/* What is kept of flow i of the set, in the order of the set. */
typedef struct flows {
    wsp_flow *flow;
    size_t cap;
} flows;

static wsp_status keep(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t i)
{
    flows *f = arg;

    (void)set;
    if (i >= f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 1024;
        wsp_flow *more = realloc(f->flow, cap * sizeof *more);

        if (!more)
            return WSP_ERR_NOMEM;
        f->flow = more;
        f->cap = cap;
    }
    f->flow[i] = *flow;
    return WSP_OK;
}

static wsp_status read_captures(const wsp_model *m, char **paths, size_t n, flows *f,
                                wsp_tokens **t, wsp_error *err)
{
    const wsp_input_options how = wsp_input_options_default();
    const wsp_tokenize_options opt = {.keep = true,
                                      .drop_residuals = true,
                                      .only_kept = true,
                                      .max_packets = wsp_view_options_of(m).max_packets,
                                      .on_flow = keep,
                                      .arg = f};
    wsp_tokenize_stats stats;
    wsp_input *in = NULL;
    wsp_status st = wsp_input_new(&in, (const char *const *)paths, n, &how, err);

    if (st >= 0)
        st = wsp_tokenize(in, &opt, t, &stats, err);
    wsp_input_free(in);
    return st;
}

/* A line: time of the first packet, packets of either direction, label, confidence. */
static void print(const wsp_head *h, const wsp_flow *f, const float *prob, bool outside)
{
    wsp_early said = wsp_likeliest(h, prob, outside);

    printf("%" PRIu64 ".%06" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%.3f\n",
           f->first_ns / 1000000000, f->first_ns / 1000 % 1000000, f->packets[0], f->packets[1],
           wsp_is_unknown(h, said, -1) ? "unknown" : h->labels[said.label],
           (double)said.confidence);
}

static wsp_status label(const wsp_model *m, const wsp_tokens *t, const flows *f, wsp_error *err)
{
    const wsp_head *h = wsp_model_head(m, 0);
    float *prob[WSP_MAX_HEADS] = {NULL}; /* heads that nobody wants have none */
    uint32_t *outside = calloc(t->n_flows + 1, sizeof *outside);
    wsp_status st = WSP_ERR_NOMEM;

    prob[0] = calloc(t->n_flows + 1, h->n_labels * sizeof *prob[0]);
    if (prob[0] && outside)
        st = wsp_ask(m, t, NULL, &(wsp_wanted){.prob = prob, .outside = outside}, NULL, err);
    for (size_t i = 0; st >= 0 && i < t->n_flows; i++)
        print(h, &f->flow[i], prob[0] + i * h->n_labels, outside[i] & 1);
    free(prob[0]);
    free(outside);
    return st;
}

int main(int argc, char **argv)
{
    wsp_error err = {.text = "out of memory"};
    flows f = {NULL, 0};
    wsp_model *m = NULL;
    wsp_tokens *t = NULL;
    wsp_status st;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: labels MODEL CAPTURE...\n");
        return 2;
    }
    st = wsp_model_load(&m, argv[1], &err);
    if (st >= 0 && !wsp_model_head(m, 0)) {
        st = WSP_ERR_ARG;
        (void)snprintf(err.text, sizeof err.text, "%s has no heads", argv[1]);
    }
    if (st >= 0)
        st = read_captures(m, argv + 2, (size_t)argc - 2, &f, &t, &err);
    if (st >= 0)
        st = label(m, t, &f, &err);
    if (st < 0)
        (void)fprintf(stderr, "labels: %s\n", err.text);
    wsp_tokens_free(t);
    wsp_model_free(m);
    free(f.flow);
    return st < 0 ? 1 : 0;
}

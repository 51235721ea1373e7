/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: labelled flows from a token file or from captures. */
#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "token_sets.h"

int source_take(source *s, const char *command, char **operands, int n)
{
    size_t len = strlen(operands[0]);
    bool tokens = len > 4 && strcmp(operands[0] + len - 4, ".npz") == 0;

    s->paths = (const char *const *)operands;
    s->n_paths = (size_t)n;
    s->captures = !tokens;
    s->command = command;
    if (tokens && n > 1)
        return cli_usage(command, "one token file, or captures");
    if (tokens && (s->lists.n || s->part))
        return cli_usage(command, "--labels and --part are for captures; a token file has labels");
    if (!tokens && !s->lists.n)
        return cli_usage(command, "captures need --labels HEAD=FILE");
    if (s->split.val + s->split.test > 1)
        return cli_usage(command, "--val and --test are together more than 1");
    return CLI_OK;
}

wsp_status source_open(source *s, wsp_error *err)
{
    return labelling_load(&s->labels, s->command, &s->lists, err);
}

void source_close(source *s)
{
    labelling_clear(&s->labels);
}

static bool wanted(void *arg, const char *capture)
{
    const source *s = arg;
    wsp_split part = WSP_SPLIT_TRAIN;

    return !s->part ||
           (wsp_split_of(capture, s->split.seed, s->split.val, s->split.test, &part) == WSP_OK &&
            strcmp(wsp_split_name(part), s->part) == 0);
}

/* ---- flows ---- */

typedef struct reading {
    source *s;
    wsp_changer *changer;
} reading;

static bool wanted_here(void *arg, const char *capture)
{
    const reading *r = arg;

    return wanted(r->s, capture);
}

static wsp_status label_flow(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t at)
{
    reading *r = arg;
    wsp_flow_key key = wsp_changer_key(r->changer, &flow->key);

    return labelling_flow(&r->s->labels, set->captures[set->capture[at]], &key);
}

static wsp_status change_frame(void *arg, size_t capture, int linktype, const wsp_frame *in,
                               wsp_frame *out)
{
    reading *r = arg;

    return wsp_changer_frame(r->changer, capture, linktype, in, out);
}

static wsp_status read_captures(source *s, const wsp_change *change, wsp_tokens **out,
                                wsp_error *err)
{
    reading r = {.s = s};
    wsp_tokenize_options how = {.keep = true,
                                .drop_residuals = true,
                                .max_packets = WSP_MAX_READ, /* whatever model asks */
                                .want = wanted_here,
                                .change = change_frame,
                                .on_flow = label_flow,
                                .arg = &r};
    wsp_input_options opt = captures_options(NULL, false);
    wsp_input *in = NULL;
    wsp_status st = wsp_changer_new(&r.changer, change);

    if (st < 0)
        return cli_no_memory(err);
    st = wsp_input_new(&in, s->paths, s->n_paths, &opt, err);
    if (st == WSP_OK)
        st = wsp_tokenize(in, &how, out, &s->stats, err);
    if (st == WSP_OK)
        st = labelling_attach(&s->labels, *out, err);
    wsp_input_free(in);
    wsp_changer_free(r.changer);
    return st;
}

wsp_status source_read(source *s, const wsp_change *change, wsp_tokens **out, wsp_error *err)
{
    wsp_status st =
        s->captures ? read_captures(s, change, out, err) : wsp_tokens_load(out, s->paths[0], err);
    wsp_status background = st >= 0 ? token_sets_background(*out, &s->background, err) : WSP_OK;

    if (background == WSP_OK)
        return st;
    wsp_tokens_free(*out);
    *out = NULL;
    return background;
}

/* ---- nDPI ---- */

wsp_status source_ndpi(source *s, const wsp_change *change, wsp_label_rate *rate, wsp_error *err)
{
    wsp_input_options opt = captures_options(NULL, false);
    wsp_rate_options how = {.change = *change, .want = wanted, .arg = s};
    wsp_input *in = NULL;
    wsp_status st;

    *rate = (wsp_label_rate){.flows = 0};
    for (size_t i = 0; i < s->labels.n; i++)
        if (strcmp(s->labels.head[i], "protocol") == 0)
            how.labels = s->labels.lists[i];
    if (!how.labels)
        return WSP_OK;
    st = wsp_input_new(&in, s->paths, s->n_paths, &opt, err);
    if (st == WSP_OK)
        st = wsp_label_rate_of(in, &how, rate, err);
    wsp_input_free(in);
    return st;
}

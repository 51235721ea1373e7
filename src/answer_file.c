/* SPDX-License-Identifier: Apache-2.0 */
/* answer_file.c: answers as JSON lines. */
#include "answer_file.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "line.h"

/* The set's label of each row of a head, also of those that the head has not got; NULL: none. */
static const char **labels_of(const answer_file *a, const wsp_head *head, size_t n_rows,
                              const uint32_t *capture)
{
    const wsp_tokens *t = a->t;
    const char **of = calloc(t->n_flows + t->n_captures + 1, sizeof *of);
    const char **is = calloc(n_rows + 1, sizeof *is);
    size_t c = 0;

    while (c < t->n_heads && strcmp(t->heads[c], head->name) != 0)
        c++;
    for (size_t i = 0; of && c < t->n_heads && i < t->n_flows; i++)
        if (t->labels[c][i] >= 0)
            of[a->by_capture ? t->capture[i] : i] = t->label_names[c][t->labels[c][i]];
    for (size_t i = 0; of && is && i < n_rows; i++)
        is[i] = of[a->by_capture ? capture[i] : i];
    free(of);
    if (!of) {
        free(is);
        return NULL;
    }
    return is;
}

static void put_text(linebuf *l, const char *name, const char *text)
{
    line_raw(l, name, strlen(name));
    line_text(l, text);
}

static void put_odds(linebuf *l, const wsp_head *head, const float *p)
{
    const char *between = "";

    LINE(l, ",\"prob\":{");
    for (size_t k = 0; k < head->n_labels; k++) {
        if (k == head->background)
            continue;
        line_raw(l, between, strlen(between));
        line_text(l, head->labels[k]);
        LINE(l, ":");
        line_real(l, (double)p[k]);
        between = ",";
    }
    LINE(l, "}}\n");
}

static void put_bool(linebuf *l, const char *name, bool v)
{
    line_raw(l, name, strlen(name));
    line_raw(l, v ? "true" : "false", v ? 4 : 5);
}

static void put_row(linebuf *l, const answer_file *a, const wsp_head *head, const wsp_answers *said,
                    size_t row, const char *is)
{
    const float *p = said->prob + row * said->n_labels;
    bool outside = said->outside && said->outside[row] >> said->bit & 1;
    wsp_early best = wsp_likeliest(head, p, outside);

    if (!a->by_capture) {
        LINE(l, ",\"flow\":");
        line_number(l, a->flow[row]);
    }
    put_text(l, ",\"label\":", is);
    put_bool(l, ",\"known\":", said->label[row] >= 0);
    put_text(l, ",\"said\":", head->labels[best.label]);
    LINE(l, ",\"confidence\":");
    line_real(l, (double)best.confidence);
    put_bool(l, ",\"unknown\":", wsp_is_unknown(head, best, said->unknown_below));
    put_bool(l, ",\"outside\":", outside);
    put_odds(l, head, p);
}

static wsp_status write_head(const answer_file *a, size_t head, FILE *to)
{
    const wsp_head *h = wsp_model_head(a->m, head);
    const wsp_answers *said = wsp_replies_get(a->said, head);
    const uint32_t *capture = wsp_replies_capture(a->said, head);
    const char **is = said ? labels_of(a, h, said->n, capture) : NULL;
    linebuf l = {.len = 0};

    if (!said)
        return WSP_OK;
    for (size_t i = 0; is && !l.failed && i < said->n; i++) {
        if (said->label[i] == WSP_UNLABELLED)
            continue;
        l.len = 0;
        put_text(&l, "{\"head\":", h->name);
        put_text(&l, ",\"capture\":", a->t->captures[capture[i]]);
        put_row(&l, a, h, said, i, is[i]);
        (void)fwrite(l.text, 1, l.len, to);
    }
    free(is);
    line_clear(&l);
    return is && !l.failed ? WSP_OK : WSP_ERR_NOMEM;
}

wsp_status answer_file_write(const answer_file *a, const char *path, wsp_error *err)
{
    wsp_outfile f;
    wsp_status st = wsp_outfile_open(&f, path, false, err);

    if (st < 0)
        return st;
    for (size_t h = 0; st == WSP_OK && h < wsp_model_head_count(a->m); h++)
        st = write_head(a, h, f.fp);
    if (st == WSP_OK)
        return wsp_outfile_commit(&f, err);
    wsp_outfile_discard(&f);
    return cli_no_memory(err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_info.c: what is in a model or a token file. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "columns.h"
#include "eve.h"
#include "wirespeak/model.h"
#include "wirespeak/token.h"

static const cli_page page = {
    .name = "info",
    .operands = "[OPTION]... FILE...",
    .summary =
        "Prints what is in models (.safetensors) and token files (.npz): sizes, labels, origin.",
    .examples = "  wirespeak info models/flows.safetensors\n",
    .min_operands = 1,
    .max_operands = -1,
};

static json_t *heads_of(const wsp_model *m)
{
    json_t *heads = json_array();

    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);
        json_t *labels = json_array();
        for (size_t l = 0; l < head->n_labels; l++)
            (void)json_array_append_new(labels, json_string(head->labels[l]));
        (void)json_array_append_new(heads, json_pack("{s:s, s:f, s:f, s:o}", "name", head->name,
                                                     "temperature", (double)head->temperature,
                                                     "unknown_below", (double)head->unknown_below,
                                                     "labels", labels));
    }
    return heads;
}

static json_t *describe_model(const char *path, const wsp_model *m)
{
    const wsp_model_config *c = wsp_model_config_get(m);
    json_t *meta = json_object();
    json_int_t seen = 0;
    char version[24];

    for (size_t i = 0; i < wsp_model_meta_count(m); i++) {
        const char *key = wsp_model_meta_key(m, i), *value = wsp_model_meta_get(m, key);
        if (strcmp(key, "seen") == 0) /* hashes of flows are nothing to look at */
            seen = (json_int_t)(strlen(value) / 8) - 1;
        else
            (void)json_object_set_new(meta, key, json_string(value));
    }
    (void)snprintf(version, sizeof version, "%016" PRIx64, c->vocab_version);
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:i, s:s, s:b, s:i, s:i, s:i, s:i, s:s, s:i, s:I, s:I, s:I, s:I, "
        "s:o, "
        "s:o}",
        "file", path, "kind", "model", "size", c->name, "parameters",
        (json_int_t)wsp_model_parameters(m), "vocabulary", (int)c->vocab, "vocabulary_version",
        version, "vocabulary_matches", c->vocab_version == wsp_vocab_version(), "channels",
        (int)c->channels, "packet_layers", (int)c->packet_layers, "flow_layers",
        (int)c->flow_layers, "output_layers", (int)c->output_layers, "softmax",
        c->ranges ? "grouped" : "flat", "max_tokens", (int)c->max_tokens, "state_bytes",
        (json_int_t)wsp_state_size(m), "references", (json_int_t)wsp_model_references(m).n, "trees",
        (json_int_t)wsp_model_forest(m).trees, "seen", seen, "heads", heads_of(m), "metadata",
        meta);
}

static json_t *counts_of(const wsp_tokens *t)
{
    json_t *heads = json_object();

    for (size_t h = 0; h < t->n_heads; h++) {
        json_t *counts = json_object();
        for (size_t l = 0; l < t->n_labels[h]; l++) {
            json_int_t n = 0;
            for (size_t f = 0; f < t->n_flows; f++)
                n += t->labels[h][f] == (int32_t)l;
            if (n)
                (void)json_object_set_new(counts, t->label_names[h][l], json_integer(n));
        }
        (void)json_object_set_new(heads, t->heads[h], counts);
    }
    return heads;
}

static json_t *describe_tokens(const char *path, const wsp_tokens *t)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "file", path, "kind", "tokens",
                     "captures", (json_int_t)t->n_captures, "flows", (json_int_t)t->n_flows,
                     "packets", (json_int_t)t->n_packets, "tokens", (json_int_t)t->n_tokens,
                     "residual_bytes", (json_int_t)t->n_residuals, "labelled_flows", counts_of(t));
}

static void print_text(const char *text, int width)
{
    char *s = eve_printable(text);

    printf("%-*s", columns_pad(s ? s : "", width), s ? s : "");
    free(s);
}

/* Objects and arrays indented by their depth, one value a line; arrays of strings on one. */
static void print_value(const char *key, json_t *v, int depth)
{
    const char *k;
    size_t i;
    json_t *x;

    if (key) {
        printf("%*s", 2 * depth, "");
        print_text(key, 20);
    }
    if (json_is_object(v)) {
        printf("\n");
        json_object_foreach(v, k, x) print_value(k, x, depth + 1);
    } else if (json_is_array(v) && json_is_string(json_array_get(v, 0))) {
        json_array_foreach(v, i, x)
        {
            printf(i ? ", " : " ");
            print_text(json_string_value(x), 0);
        }
        printf("\n");
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, x) print_value(NULL, x, depth);
    } else if (json_is_string(v)) {
        printf(" ");
        print_text(json_string_value(v), 0);
        printf("\n");
    } else {
        char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
        printf(" %s\n", text ? text : "");
        free(text);
    }
}

/* By the first bytes: of a zip, or of a model: the length of its header (8 bytes), which begins with a brace. */
typedef enum content { CONTENT_TOKENS, CONTENT_MODEL, CONTENT_OTHER, CONTENT_UNREADABLE } content;

static content content_of(const char *path)
{
    char head[9] = {0};
    FILE *f = fopen(path, "rb");
    bool good = f && fread(head, 1, sizeof head, f) > 0;

    if (f)
        (void)fclose(f);
    if (!good)
        return CONTENT_UNREADABLE;
    if (memcmp(head, "PK", 2) == 0)
        return CONTENT_TOKENS;
    return head[8] == '{' ? CONTENT_MODEL : CONTENT_OTHER;
}

static int describe(const char *path, bool json)
{
    wsp_tokens *t = NULL;
    wsp_model *m = NULL;
    json_t *o = NULL;
    wsp_error err;
    wsp_status st;
    char *text;
    content is = content_of(path);

    if (strcmp(path, "-") == 0)
        return cli_fail("-: standard input is not described: name a file (./- is one)");
    if (is == CONTENT_OTHER)
        return cli_fail("%s: neither a model (.safetensors) nor a token file (.npz); what is in a "
                        "capture, explain and classify say",
                        path);
    st = is == CONTENT_TOKENS ? wsp_tokens_load(&t, path, &err) : wsp_model_load(&m, path, &err);
    if (st == WSP_OK)
        o = t ? describe_tokens(path, t) : describe_model(path, m);
    wsp_tokens_free(t);
    wsp_model_free(m);
    if (st < 0)
        return cli_fail_error(&err);
    if (!o)
        return cli_fail("%s: cannot be described (a name that is not UTF-8?)", path);
    if (json) {
        text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
        (void)puts(text ? text : "");
        (void)cli_stdout_lost();
        free(text);
    } else {
        const char *k;
        json_t *x;
        json_object_foreach(o, k, x) print_value(k, x, 0);
    }
    json_decref(o);
    return CLI_OK;
}

int cmd_info(int argc, char **argv)
{
    static const char *const formats[] = {"text", "json", NULL};
    const char *format = "text";
    const cli_option options[] = {
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "text or json (one line a file)"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    int rc = CLI_OK;

    for (int i = first; i < argc; i++)
        if (describe(argv[i], strcmp(format, "json") == 0) != CLI_OK)
            rc = CLI_FAILED;
    return rc;
}

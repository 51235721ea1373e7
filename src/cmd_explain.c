/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c: what a model sees of every packet under a mask policy, next to what is withheld. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "cli.h"
#include "eve.h"
#include "wirespeak/token.h"

static const cli_rule rules[] = {
    {"flow", CLI_NEVER_WITH, "count"},
    {NULL, CLI_NEVER_WITH, NULL},
};

static const cli_page page = {
    .name = "explain",
    .operands = "[OPTION]... [FILE]...",
    .summary = "Prints, flow by flow and packet by packet, the tokens that a model reads under a "
               "mask policy; tokens that\n"
               "the policy withholds stand in parentheses.",
    .examples =
        "  wirespeak explain trace.pcap\n  wirespeak explain --policy everything -c 2 trace.pcap\n",
    .min_operands = 0,
    .max_operands = -1,
    .rules = rules,
};

/* Kept tokens plain, withheld ones in parentheses; a token that the policy puts in another's place follows an arrow. */
static void print_packet(const wsp_policy *policy, const uint16_t *ids, size_t n,
                         size_t max_payload, uint8_t *seen)
{
    uint16_t kept[WSP_MAX_PACKET_TOKENS], one;
    uint8_t before = *seen, copy;
    size_t n_kept =
        wsp_policy_apply(policy, ids, n, max_payload, WSP_MAX_PACKET_TOKENS, seen, kept);
    size_t k = 0;
    char name[96], other[96];

    printf(" ");
    for (size_t i = 0; i < n; i++) {
        const char *text = wsp_vocab_name(ids[i], name, sizeof name);
        bool changed = false;
        if (k < n_kept && kept[k] != ids[i]) { /* is it this one's substitute, or a later token? */
            copy = before | 3;
            changed = wsp_policy_apply(policy, &ids[i], 1, 1, 2, &copy, &one) == 1 &&
                      one == kept[k] && one != ids[i];
        }
        if (k < n_kept && kept[k] == ids[i])
            printf(" %s", text);
        else if (changed)
            printf(" (%s)->%s", text, wsp_vocab_name(kept[k], other, sizeof other));
        else
            printf(" (%s)", text);
        k += changed || (k < n_kept && kept[k] == ids[i]);
    }
    printf("\n");
}

static void print_policies(void)
{
    printf("%-14s", "");
    for (size_t s = 0; wsp_policy_subject(s); s++)
        printf(" %-8s", wsp_policy_subject(s));
    printf("\n");
    for (size_t i = 0; wsp_policy_at(i); i++) {
        printf("%-14s", wsp_policy_name(wsp_policy_at(i)));
        for (size_t s = 0; wsp_policy_subject(s); s++)
            printf(" %-8s", wsp_policy_treatment(wsp_policy_at(i), s));
        printf("\n%14s %s\n", "", wsp_policy_summary(wsp_policy_at(i)));
    }
}

static void print_fields(void)
{
    wsp_field_info f;

    printf("%-22s %4s %-10s %-26s %-8s %s\n", "field", "bits", "kind", "predicted by", "subject",
           "tokens");
    for (size_t i = 0; wsp_field_get(i, &f); i++)
        printf("%-22s %4u %-10s %-26s %-8s %u\n", f.field, f.bits, f.kind, f.predictor, f.subject,
               f.n_tokens);
}

/* Without the one token that ends a flow, which stands in a packet's place. */
static uint64_t count_packets(const wsp_tokens *t, size_t f)
{
    uint64_t last = t->flow_off[f + 1] - 1;
    char name[96];
    bool end =
        t->packet_off[last + 1] - t->packet_off[last] == 1 &&
        strcmp(wsp_vocab_name(t->ids[t->packet_off[last]], name, sizeof name), "flow.end") == 0;

    return last + 1 - t->flow_off[f] - end;
}

/* What the model reads and nothing else, so that two captures can be compared by it. */
static void print_kept(const wsp_policy *policy, const uint16_t *ids, size_t n, size_t max_payload,
                       uint8_t *seen)
{
    uint16_t kept[WSP_MAX_PACKET_TOKENS];
    size_t k = wsp_policy_apply(policy, ids, n, max_payload, WSP_MAX_PACKET_TOKENS, seen, kept);
    char name[96];

    printf(" ");
    for (size_t i = 0; i < k; i++)
        printf(" %s", wsp_vocab_name(kept[i], name, sizeof name));
    printf("\n");
}

/* ---- flows, as they end ---- */

typedef struct shown {
    wsp_input *in;
    const wsp_policy *policy;
    size_t max_flows, max_payload, only; /* only: the flow of this number; 0: all */
    bool kept;
    wsp_tokenize_stats stats;
    uint64_t base, id; /* flows of earlier captures; the flow that has ended */
    const char *file;  /* where that one begins */
    size_t flows;      /* so far */
} shown;

static bool start_capture(void *arg, const char *capture)
{
    shown *s = arg;

    (void)capture;
    s->base = s->stats.flows;
    return true;
}

/* Numbers are those of classify. */
static wsp_status number_flow(void *arg, const wsp_flow *flow, const wsp_tokens *t, size_t index)
{
    shown *s = arg;

    (void)t;
    (void)index;
    s->id = s->base + flow->id + 1;
    s->file = flow->file;
    return WSP_OK;
}

static wsp_status print_flow(const shown *s, const wsp_tokens *t, size_t f)
{
    void (*print)(const wsp_policy *, const uint16_t *, size_t, size_t, uint8_t *) =
        s->kept ? print_kept : print_packet;
    char *name = eve_printable(s->kept ? "a capture" : s->file);
    uint8_t seen = 0;

    if (!name)
        return WSP_ERR_NOMEM;
    printf("flow %" PRIu64 " of %s, %" PRIu64 " packets\n", s->id, name, count_packets(t, f));
    for (uint64_t p = t->flow_off[f]; p < t->flow_off[f + 1]; p++)
        print(s->policy, t->ids + t->packet_off[p],
              (size_t)(t->packet_off[p + 1] - t->packet_off[p]), s->max_payload, &seen);
    free(name);
    return WSP_OK;
}

/* The set has one flow, or at the end none. What is not to be shown need not be read, either. */
static wsp_status print_set(void *arg, const wsp_tokens *t)
{
    shown *s = arg;
    wsp_status st = WSP_OK;

    if (t->n_flows && (!s->max_flows || s->flows < s->max_flows) &&
        (!s->only || s->id == s->only)) {
        s->flows++;
        st = print_flow(s, t, 0);
    }
    if (cli_stdout_lost() || (s->flows && (s->only || s->flows == s->max_flows)))
        wsp_input_stop(s->in);
    return st;
}

static int explain(shown *s, const char *const *files, size_t n, const wsp_input_options *opt)
{
    const wsp_tokenize_options how = {.keep = true,
                                      .drop_residuals = true,
                                      .drain_flows = 1,
                                      .want = start_capture,
                                      .on_flow = number_flow,
                                      .drain = print_set,
                                      .arg = s};
    wsp_tokens *t = NULL;
    wsp_error err;
    wsp_status st;

    if (wsp_input_new(&s->in, files, n, opt, &err) < 0)
        return captures_refused(page.name, &err);
    st = wsp_tokenize(s->in, &how, &t, &s->stats, &err);
    wsp_tokens_free(t);
    wsp_input_free(s->in);
    if (st < 0)
        return cli_fail_error(&err);
    if (s->only && !s->flows)
        return cli_fail("there is no flow %zu: there are %" PRIu64, s->only, s->stats.flows);
    return captures_end(&s->stats, "shown");
}

int cmd_explain(int argc, char **argv)
{
    const char *name = "identity-free", *filter = NULL, *password = NULL;
    shown s = {.max_payload = WSP_MAX_PACKET_TOKENS};
    bool list = false, fields = false, join = false;
    const cli_option options[] = {
        {.name = "policy",
         .letter = 'p',
         .kind = CLI_TEXT,
         .value = &name,
         .arg = "NAME",
         .help = "the mask policy (default identity-free)"},
        {.name = "list-policies",
         .kind = CLI_FLAG,
         .value = &list,
         .help = "print the table of policies"},
        {.name = "kept",
         .kind = CLI_FLAG,
         .value = &s.kept,
         .help = "print only what the model reads, without the names of captures"},
        {.name = "fields",
         .kind = CLI_FLAG,
         .value = &fields,
         .help = "print the table of fields: bits, kind, predictor, subject, tokens"},
        {.name = "count",
         .letter = 'c',
         .kind = CLI_SIZE,
         .value = &s.max_flows,
         .arg = "N",
         .help = "stop after N flows"},
        {.name = "flow",
         .kind = CLI_SIZE,
         .value = &s.only,
         .min = 1,
         .arg = "N",
         .help = "only flow N: the flow_id of classify and label"},
        {.name = "payload",
         .kind = CLI_SIZE,
         .value = &s.max_payload,
         .arg = "N",
         .help = "text tokens of a packet that the model reads (default all)"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "join", .kind = CLI_FLAG, .value = &join, .help = CAPTURES_JOIN},
        {.name = "password",
         .kind = CLI_TEXT,
         .value = &password,
         .arg = "TEXT",
         .help = CAPTURES_PASSWORD},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_input_options opt;

    s.policy = wsp_policy_get(name);
    if (!s.policy)
        return cli_usage(page.name, "there is no policy '%s': see --list-policies", name);
    if (list)
        print_policies();
    if (fields)
        print_fields();
    if ((list || fields) && first == argc)
        return CLI_OK;
    if (first == argc)
        return cli_usage(page.name,
                         "nothing to explain: name a capture, or --list-policies, or --fields");
    opt = captures_options(filter, false);
    opt.join = join;
    opt.password = password;
    return explain(&s, (const char *const *)(argv + first), (size_t)(argc - first), &opt);
}

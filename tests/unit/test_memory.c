/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory.c: every allocation of ours is refused in turn: the call says that there is no memory, in words, and loses none. The
 * linker puts the functions here in the place of malloc and the like where our own code calls them, and nowhere else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "wirespeak/wirespeak.h"

/* ---- refusing ---- */

enum { SLOTS = 1 << 16, NEVER = -1 };

static struct {
    bool on;
    long n, refuse; /* allocations so far, and the one that is refused */
    size_t held;
    const void
        *slot[SLOTS]; /* what is held, by its address; no tombstones: what is behind moves up */
} heap;

static size_t place_of(const void *p)
{
    size_t i = ((uintptr_t)p >> 4) * 40503 % SLOTS;

    while (heap.slot[i] && heap.slot[i] != p)
        i = (i + 1) % SLOTS;
    return i;
}

static void *take(void *p)
{
    if (heap.on && p) {
        assert_true(heap.held++ < SLOTS / 2);
        heap.slot[place_of(p)] = p;
    }
    return p;
}

static void drop(const void *p)
{
    size_t i = place_of(p);

    if (!p || !heap.slot[i])
        return;
    heap.slot[i] = NULL;
    heap.held--;
    for (i = (i + 1) % SLOTS; heap.slot[i]; i = (i + 1) % SLOTS) {
        const void *moved = heap.slot[i];
        heap.slot[i] = NULL;
        heap.slot[place_of(moved)] = moved;
    }
}

static bool refused(void)
{
    return heap.on && heap.n++ == heap.refuse;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t to, size_t n);
char *__real_strdup(const char *s);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t to, size_t n);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n)
{
    return refused() ? NULL : take(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : take(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (refused())
        return NULL;
    drop(p);
    return take(__real_realloc(p, n));
}

void *__wrap_aligned_alloc(size_t to, size_t n)
{
    return refused() ? NULL : take(__real_aligned_alloc(to, n));
}

char *__wrap_strdup(const char *s)
{
    return refused() ? NULL : take(__real_strdup(s));
}

void __wrap_free(void *p)
{
    drop(p);
    __real_free(p);
}

/* ---- what is tried ---- */

static char file[] = "test_memory_XXXXXX";
static wsp_tokens *set;
static wsp_model *model;

static wsp_status read_capture(wsp_tokens **t, wsp_error *err)
{
    const char *top = getenv("top_srcdir");
    const wsp_tokenize_options o = {.keep = true};
    wsp_tokenize_stats stats;
    wsp_input *in;
    char path[512];
    const char *const paths[] = {path};
    wsp_status st;

    *t = NULL;
    (void)snprintf(path, sizeof path, "%s/tests/data/ping.pcap", top ? top : ".");
    WSP_TRY(wsp_input_new(&in, paths, 1, NULL, err));
    st = wsp_tokenize(in, &o, t, &stats, err);
    wsp_input_free(in);
    return st;
}

static wsp_status tokenize(wsp_error *err)
{
    wsp_tokens *t;
    wsp_status st = read_capture(&t, err);

    wsp_tokens_free(t);
    return st;
}

static wsp_status load_tokens(wsp_error *err)
{
    wsp_tokens *t;
    wsp_status st = wsp_tokens_load(&t, file, err);

    wsp_tokens_free(t);
    return st;
}

/* A copy of the set with a head more. */
static wsp_status select_and_label(wsp_error *err)
{
    static const char *const labels[] = {"x", "y"};
    wsp_tokens *t;
    wsp_status st = wsp_tokens_select(&t, set, &(wsp_selection){.n = 0}, err);
    int32_t *column = st == WSP_OK ? calloc(t->n_flows, sizeof *column) : NULL;

    if (st == WSP_OK)
        st = column ? wsp_tokens_label(t, "more", labels, 2, column, err)
                    : wspi_nomem(err, "a column", t->n_flows);
    wsp_tokens_free(t);
    return st;
}

static wsp_status decode_flow(wsp_error *err)
{
    const uint8_t *resid = set->residuals;
    wsp_context *ctx = __real_malloc(wsp_context_size());
    wsp_decoder *d;
    wsp_decoded out;
    size_t used;
    wsp_status st = wsp_decoder_new(&d);

    wsp_context_init(ctx, set->linktype[0]);
    if (st < 0)
        (void)wspi_nomem(err, "a decoder", 1);
    else
        st = wsp_decode_packet(d, ctx, set->ids, (size_t)set->packet_off[1], &used, &resid,
                               set->residuals + set->n_residuals, &out, err);
    wsp_decoder_free(d);
    __real_free(ctx);
    return st;
}

static wsp_status classify(wsp_error *err)
{
    const wsp_classify_options o = {.dtype = WSP_DTYPE_F32, .threads = 1};
    float prob[64], *probs[] = {prob};

    assert_true(set->n_flows * 2 <= WSPI_COUNT(prob));
    return wsp_classify(model, set, &o, probs, NULL, NULL, err);
}

static wsp_status load_model(wsp_error *err)
{
    wsp_model *m;
    wsp_status st = wsp_model_load(&m, file, err);

    wsp_model_free(m);
    return st;
}

/* ---- the tests ---- */

static void refuse_each(wsp_status (*call)(wsp_error *err))
{
    wsp_error err;
    wsp_status st = call(&err); /* once before: what is made once in a process is */
    long n = 0;

    assert_int_equal(st, WSP_OK);
    memset(&heap, 0, sizeof heap);
    do {
        memset(&err, 0xa5, sizeof err);
        heap.refuse = n;
        heap.n = 0;
        heap.on = true;
        st = call(&err);
        heap.on = false;
        if (st < 0 && (st != WSP_ERR_NOMEM || err.status != st || !strstr(err.text, "memory")))
            fail_msg("allocation %ld: status %d, which says \"%.80s\"", n, st, err.text);
        if (heap.held)
            fail_msg("allocation %ld: %zu blocks are lost", n, heap.held);
    } while (heap.n > n++);
    assert_int_equal(st, WSP_OK); /* the last one was not refused any more */
    assert_true(n > 2);
}

static void without_memory_nothing_is_tokenised(void **state)
{
    (void)state;
    refuse_each(tokenize);
}

static void without_memory_no_token_file_is_read(void **state)
{
    (void)state;
    assert_int_equal(wsp_tokens_save(set, file, false, NULL), WSP_OK);
    refuse_each(load_tokens);
}

static void without_memory_nothing_is_selected_or_labelled(void **state)
{
    (void)state;
    refuse_each(select_and_label);
}

static void without_memory_no_packet_is_decoded(void **state)
{
    (void)state;
    refuse_each(decode_flow);
}

static void without_memory_nothing_is_classified(void **state)
{
    (void)state;
    refuse_each(classify);
}

static void without_memory_no_model_is_read(void **state)
{
    const uint32_t edge_end[] = {1}, labels[] = {2}, root[] = {0}, node[] = {WSP_NODE_LEAF};
    const float edge[] = {0.5f};
    const wsp_forest f = {.features = 1,
                          .edge_end = edge_end,
                          .edge = edge,
                          .trees = 1,
                          .labels = labels,
                          .root = root,
                          .n_nodes = 1,
                          .node = node};

    (void)state;
    assert_int_equal(wsp_model_forest_set(model, &f, NULL), WSP_OK);
    assert_int_equal(wsp_model_save(model, file, NULL), WSP_OK);
    refuse_each(load_model);
}

static int start(void **state)
{
    static const char *const labels[] = {"a", "b"};
    const wsp_head head = {.name = "one", .n_labels = 2, .labels = labels, .temperature = 1};
    wsp_model_config cfg;
    int fd = mkstemp(file);

    (void)state;
    if (fd < 0 || close(fd) != 0 || read_capture(&set, NULL) < 0 ||
        wsp_model_config_named(&cfg, "tiny") < 0)
        return -1;
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    return wsp_tokens_label(set, "one", labels, 2, calloc(set->n_flows, sizeof(int32_t)), NULL) <
                       0 ||
                   wsp_model_new(&model, &cfg, &head, 1, 1, NULL) < 0
               ? -1
               : 0;
}

static int end(void **state)
{
    (void)state;
    wsp_tokens_free(set);
    wsp_model_free(model);
    return unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_nothing_is_tokenised),
        cmocka_unit_test(without_memory_no_token_file_is_read),
        cmocka_unit_test(without_memory_nothing_is_selected_or_labelled),
        cmocka_unit_test(without_memory_no_packet_is_decoded),
        cmocka_unit_test(without_memory_nothing_is_classified),
        cmocka_unit_test(without_memory_no_model_is_read),
    };

    return cmocka_run_group_tests(tests, start, end);
}

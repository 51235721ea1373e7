/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_seeds.c: make_seeds FOLDER CAPTURE...: what the targets begin with, FOLDER/TARGET/NAME, made from our own captures: a format that
 * is not known has to be guessed, byte by byte.
 */
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "capture/capture_int.h"
#include "target.h"
#include "token/token_int.h"
#include "wirespeak/task.h"

enum { MOST_PACKETS = 16, MOST_BYTES = 255 };

static const char *folder;

static void path_to(char path[1024], const char *target, const char *name)
{
    (void)snprintf(path, 1024, "%s/%s", folder, target);
    (void)mkdir(path, 0755); /* it may be there */
    (void)snprintf(path, 1024, "%s/%s/%s", folder, target, name);
}

static void put(const char *target, const char *name, const void *data, size_t len)
{
    char path[1024];
    FILE *f;

    path_to(path, target, name);
    f = fopen(path, "wb");
    must(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

static void put_text(const char *target, const char *name, const char *text)
{
    put(target, name, text, strlen(text));
}

static void add(wspi_buf *b, const void *p, size_t len)
{
    must(wspi_buf_add(b, p, len) == WSP_OK);
}

static void add_byte(wspi_buf *b, size_t v)
{
    const uint8_t byte = (uint8_t)v;

    add(b, &byte, 1);
}

/* ---- packets: before the first some bytes, before each its length and a byte ---- */

static void add_frame(wspi_buf *b, const char *target, const wsp_frame *f, size_t number)
{
    size_t len = WSPI_MIN(f->caplen, (uint32_t)MOST_BYTES);

    if (strcmp(target, "fuzz_ndpi") == 0) {
        if (len <= 14)
            return;
        add_byte(b, (len - 14 + 1) / 2 & 0xfe); /* of flow 0 */
        add(b, f->data + 14, WSPI_MIN(len - 14, (size_t)(((len - 13) / 2 & 0xfe) * 2)));
        return;
    }
    if (strcmp(target, "fuzz_tag") == 0)
        add_byte(b, 0); /* a packet */
    add_byte(b, len);
    if (strcmp(target, "fuzz_tag") != 0)
        add_byte(b, number & 1); /* its direction, more or less */
    add(b, f->data, len);
}

/* The byte by which fuzz_codec takes a link type; Ethernet's for those that it has not. */
static uint8_t link_byte(const char *target, int linktype)
{
    static const int linktypes[] = {1, 101, 113, 228, 229, 105, 127, 192, 119};

    for (uint8_t i = 0; i < WSPI_COUNT(linktypes) && strcmp(target, "fuzz_codec") == 0; i++)
        if (linktypes[i] == linktype)
            return i;
    return 0;
}

static void put_frames(const char *target, const char *name, const char *path, size_t before)
{
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;
    wspi_buf b;

    wspi_buf_init(&b, 1 << 20);
    must(wsp_input_new(&in, &path, 1, NULL, NULL) == WSP_OK);
    must(wsp_input_open_next(in, &info, NULL) == WSP_OK);
    while (before-- > 0) /* options and the link type */
        add_byte(&b, link_byte(target, info.linktype));
    for (size_t i = 0; i < MOST_PACKETS && wsp_input_next(in, &f, NULL) == WSP_OK; i++)
        add_frame(&b, target, &f, i);
    put(target, name, b.data ? b.data : (const uint8_t *)"", b.len);
    wspi_buf_clear(&b);
    wsp_input_free(in);
}

/* ---- captures as they are, and as token files ---- */

/* The capture once more, packed: alone under gzip, and as a member of archives. */
static void put_packed(const char *name, const uint8_t *data, size_t len)
{
    static const struct {
        const char *tail;
        int format, filter;
    } ways[] = {{"gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP},
                {"tgz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP},
                {"zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE}};
    static uint8_t room[1 << 16];

    for (size_t i = 0; i < WSPI_COUNT(ways); i++) {
        struct archive *a = archive_write_new();
        struct archive_entry *e = archive_entry_new();
        char packed[256];
        size_t n = 0;

        archive_entry_set_pathname(e, name);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)len);
        must(archive_write_set_format(a, ways[i].format) == ARCHIVE_OK &&
             archive_write_add_filter(a, ways[i].filter) == ARCHIVE_OK &&
             archive_write_open_memory(a, room, sizeof room, &n) == ARCHIVE_OK &&
             archive_write_header(a, e) == ARCHIVE_OK &&
             archive_write_data(a, data, len) == (la_ssize_t)len &&
             archive_write_close(a) == ARCHIVE_OK);
        (void)snprintf(packed, sizeof packed, "%s.%s", name, ways[i].tail);
        put("fuzz_capture", packed, room, n);
        archive_entry_free(e);
        must(archive_write_free(a) == ARCHIVE_OK);
    }
}

static void put_capture(const char *name, const char *path)
{
    uint8_t *data;
    size_t len;

    must(wspi_file_read(path, 1 << 24, &data, &len, NULL) == WSP_OK);
    if (len <= 1 << 14) {
        put("fuzz_capture", name, data, len);
        if (len <= 8192)
            put_packed(name, data, len);
        put("fuzz_traffic", name, data, len);
    }
    free(data);
}

/* Sections of both byte orders with three link types, and every kind of packet. */
static void put_pcapng(void)
{
    static const uint8_t bytes[] = {
        0x0a, 0x0d, 0x0d, 0x0a, 0x1c, 0x00, 0x00, 0x00, 0x4d, 0x3c, 0x2b, 0x1a, 0x01, 0x00, 0x00,
        0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1c, 0x00, 0x00, 0x00, 0x01, 0x00,
        0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x14,
        0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x65, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x01, 0x00, 0x09, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x08,
        0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00,
        0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x4c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7e,
        0x8d, 0x03, 0x00, 0x00, 0x80, 0xc6, 0xa4, 0x2b, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x45,
        0x00, 0x00, 0x1d, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04,
        0x05, 0x06, 0x07, 0x08, 0x10, 0x00, 0x00, 0x35, 0x00, 0x09, 0x00, 0x00, 0x78, 0x00, 0x4c,
        0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x4c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
        0xb3, 0xb6, 0xe0, 0x0d, 0x00, 0x00, 0x64, 0xa7, 0x1d, 0x00, 0x00, 0x00, 0x1d, 0x00, 0x00,
        0x00, 0x45, 0x00, 0x00, 0x1d, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11, 0x00, 0x00, 0x01, 0x02,
        0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x10, 0x00, 0x00, 0x35, 0x00, 0x09, 0x00, 0x00, 0x78,
        0x00, 0x00, 0x00, 0x01, 0x00, 0x02, 0x00, 0x68, 0x69, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x4c, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x4c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x3c, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08,
        0x00, 0x45, 0x00, 0x00, 0x1d, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11, 0x00, 0x00, 0x01, 0x02,
        0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x10, 0x00, 0x00, 0x35, 0x00, 0x09, 0x00, 0x00, 0x78,
        0x00, 0x4c, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x0a, 0x0d, 0x0d, 0x0a, 0x00,
        0x00, 0x00, 0x1c, 0x1a, 0x2b, 0x3c, 0x4d, 0x00, 0x01, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
        0x20, 0x00, 0x71, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x01, 0x9e, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x03, 0x00,
        0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20,
    };

    put("fuzz_capture", "mixed.pcapng", bytes, sizeof bytes);
}

/* fuzz_tokens.c says what a member is. */
static void add_member(wspi_buf *b, size_t which, const void *items, size_t len)
{
    len = WSPI_MIN(len, (size_t)UINT16_MAX);
    add_byte(b, which);
    add_byte(b, len >> 8);
    add_byte(b, len);
    add(b, items, len);
}

static void add_set(wspi_buf *b, wsp_tokens *t)
{
    wspi_column c[WSPI_COLUMNS];
    int32_t *label = calloc(t->n_flows + 1, sizeof *label);
    char meta[512];

    must(label != NULL);
    (void)snprintf(
        meta, sizeof meta,
        "{\"format\":\"" WSPI_TOKENS_FORMAT "\",\"vocab_version\":\"%016llx\","
        "\"captures\":[\"a.pcap\"],\"heads\":[{\"name\":\"one\",\"labels\":[\"x\",\"y\"]}]}",
        (unsigned long long)wsp_vocab_version());
    add_byte(b, 0);
    add_member(b, WSPI_COLUMNS, meta, strlen(meta));
    wspi_columns_of(t, c);
    for (size_t i = 0; i < WSPI_COLUMNS; i++)
        add_member(b, i, *c[i].data ? *c[i].data : "", c[i].count * c[i].size);
    add_member(b, WSPI_COLUMNS + 1, label, t->n_flows * sizeof *label);
    free(label);
}

static void put_tokens(const char *name, const char *path)
{
    const wsp_tokenize_options how = {.keep = true, .max_packets = 4};
    wsp_tokenize_stats stats;
    wsp_tokens *t;
    wsp_input *in;
    wspi_buf b;
    char zip[1024];

    wspi_buf_init(&b, 1 << 24);
    must(wsp_input_new(&in, &path, 1, NULL, NULL) == WSP_OK);
    must(wsp_tokenize(in, &how, &t, &stats, NULL) == WSP_OK);
    add_set(&b, t);
    put("fuzz_tokens", name, b.data, b.len);
    path_to(zip, "fuzz_tokens", "whole.npz"); /* of the last one alone: a byte goes before it */
    must(wsp_tokens_save(t, zip, false, NULL) == WSP_OK);
    wspi_buf_clear(&b);
    wsp_tokens_free(t);
    wsp_input_free(in);
}

static void mark_zip(void)
{
    char path[1024];
    uint8_t *data;
    size_t len;
    wspi_buf b;

    path_to(path, "fuzz_tokens", "whole.npz");
    must(wspi_file_read(path, 1 << 24, &data, &len, NULL) == WSP_OK);
    wspi_buf_init(&b, 1 << 24);
    add_byte(&b, 1);
    add(&b, data, len);
    put("fuzz_tokens", "whole.npz", b.data, b.len);
    wspi_buf_clear(&b);
    free(data);
}

static void put_packets(const char *path)
{
    static const struct {
        const char *target;
        size_t before;
    } row[] = {{"fuzz_codec", 1},
               {"fuzz_deviate", 2},
               {"fuzz_mutate", 2},
               {"fuzz_tag", 1},
               {"fuzz_ndpi", 0}};
    const char *name = strrchr(path, '/');

    name = name ? name + 1 : path;
    for (size_t i = 0; i < WSPI_COUNT(row); i++)
        put_frames(row[i].target, name, path, row[i].before);
    put_capture(name, path);
    put_tokens(name, path);
}

/* ---- models ---- */

static void add_forest(wsp_model *m)
{
    static const uint16_t bag[] = {7};
    static const uint32_t edge_end[] = {1, 3, 4}, labels[] = {3, 0}, root[] = {0, 3, 0, 0},
                          node[] = {2,
                                    WSP_NODE_LEAF | 2,
                                    WSP_NODE_LEAF | 1,
                                    2u << 22 | 2,
                                    WSP_NODE_LEAF,
                                    WSP_NODE_LEAF | 1};
    static const float edge[] = {0.5f, -1, 2, 0.5f};
    const wsp_forest f = {.features = 3,
                          .n_bag = 1,
                          .bag = bag,
                          .edge_end = edge_end,
                          .edge = edge,
                          .trees = 2,
                          .labels = labels,
                          .root = root,
                          .n_nodes = 6,
                          .node = node};

    must(wsp_model_forest_set(m, &f, NULL) == WSP_OK);
}

static void put_models(void)
{
    const float context[32] = {0};
    const int32_t label[2] = {1, -1};
    wsp_train_options o = wsp_train_options_default();
    wsp_model *m = small_model(8);
    wsp_trainer *t;
    char path[1024];

    path_to(path, "fuzz_model", "plain");
    must(wsp_model_save(m, path, NULL) == WSP_OK);
    o.threads = 1;
    must(wsp_trainer_new(&t, m, &o, NULL) == WSP_OK);
    path_to(path, "fuzz_checkpoint", "first");
    must(wsp_trainer_save(t, path, "{}", 2, NULL) == WSP_OK);
    wsp_trainer_free(t);
    must(wsp_model_references_set(m, &(wsp_references){1, context, label}, NULL) == WSP_OK);
    add_forest(m);
    must(wsp_model_meta_set(m, "stacks", "{\"one\":[\"tcp\"]}") == WSP_OK);
    path_to(path, "fuzz_model", "forest");
    must(wsp_model_save(m, path, NULL) == WSP_OK);
    wsp_model_free(m);
}

/* ---- text ---- */

static void put_texts(void)
{
    static const char meta[] = "stacks\0{\"one\":[\"none\",\"udp+dns\",\"tcp+tls\"],\"two\":[]}\0"
                               "policy\0identity-free\0max_packets\0"
                               "24\0max_payload\0"
                               "24\0";

    put("fuzz_meta", "all", meta, sizeof meta - 1);
    put_text("fuzz_http", "get", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    put_text("fuzz_http", "other", "POST / HTTP/1.0\n\n");
    put_text("fuzz_labels", "list",
             "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n"
             "a.pcap\tDNS\t17\t0.0.0.0\t53\t0.0.0.1\t1024\nb.pcap\tTLS\t6\t::1\t443\t::2\t5\n");
    put_text("fuzz_labels", "captures", "label\tpath\nx\ta.pcap\ny\tfolder/a.pcap\n");
    put_text("fuzz_words", "edit", "3:tcp.flags=RA");
    put_text("fuzz_words", "address", "ipv4.src=10.0.0.1");
    put_text("fuzz_words", "network", "2001:db8::/32");
    put_text("fuzz_words", "deviation", "0.1:length,options");
    put_text("fuzz_words", "change", "snaplen=64");
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    folder = argv[1];
    (void)mkdir(folder, 0755); /* it may be there */
    put_models();
    put_texts();
    put_pcapng();
    for (int i = 2; i < argc; i++)
        put_packets(argv[i]);
    mark_zip();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* captures.h: captures, archives and a folder for them, for tests of what reads them. */
#ifndef WSP_TEST_CAPTURES_H
#define WSP_TEST_CAPTURES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture_int.h"

static char dir[] = "/tmp/wirespeak-test-XXXXXX";

static inline const char *in_dir(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];

    (void)snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static inline void write_bytes(const char *path, const void *p, size_t len)
{
    FILE *fp = fopen(path, "wb");

    assert_non_null(fp);
    assert_int_equal(fwrite(p, 1, len, fp), len);
    assert_int_equal(fclose(fp), 0);
}

/*
 * n packets of 60 bytes, one nanosecond apart; byte 12..13 say IPv4, so that "ip" matches the even
 * ones only.
 */
static inline void write_capture(const char *path, unsigned n)
{
    wsp_pcap_writer *w;
    uint8_t data[60] = {0};
    wsp_error err;

    assert_int_equal(wsp_pcap_writer_open(&w, path, 1, &err), WSP_OK);
    for (unsigned i = 0; i < n; i++) {
        wsp_frame f = {
            .time_ns = 1700000000123456789u + i, .caplen = 60, .wirelen = 1500, .data = data};

        data[12] = i % 2 ? 0x86 : 0x08;
        data[13] = i % 2 ? 0xdd : 0x00;
        data[20] = (uint8_t)i;
        assert_int_equal(wsp_pcap_writer_add(w, &f, &err), WSP_OK);
    }
    assert_int_equal(wsp_pcap_writer_close(w, &err), WSP_OK);
}

typedef struct outcome {
    unsigned captures, packets, errors;
    wsp_status last;
    wsp_error err;
    char names[1024];
    size_t skipped;
} outcome;

static inline outcome read_paths(const char *const *paths, size_t n, const wsp_input_options *opt)
{
    outcome o = {0};
    wsp_input *in;
    wsp_capture_info info;
    wsp_frame f;
    wsp_status st;

    assert_int_equal(wsp_input_new(&in, paths, n, opt, &o.err), WSP_OK);
    while ((st = wsp_input_open_next(in, &info, &o.err)) != WSP_EOF) {
        if (st < 0) {
            o.errors++;
            o.last = st;
            continue;
        }
        o.captures++;
        (void)snprintf(o.names + strlen(o.names), sizeof o.names - strlen(o.names), "%s|",
                       strncmp(info.name, dir, strlen(dir)) == 0 ? info.name + strlen(dir) + 1
                                                                 : info.name);
        while ((st = wsp_input_next(in, &f, &o.err)) == WSP_OK)
            o.packets++;
        if (st < 0) {
            o.errors++;
            o.last = st;
        }
    }
    o.skipped = wsp_input_skipped(in);
    wsp_input_free(in);
    return o;
}

static inline outcome read_one(const char *path, const wsp_input_options *opt)
{
    return read_paths(&path, 1, opt);
}

typedef struct member {
    const char *name;
    const void *data;
    size_t len;
} member;

/* Takes an archive whose format is set. */
static inline void fill_archive(struct archive *a, const char *path, const member *m, size_t n)
{
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *e = archive_entry_new();

        archive_entry_set_pathname(e, m[i].name);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)m[i].len);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, m[i].data, m[i].len), (la_ssize_t)m[i].len);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    (void)archive_write_free(a);
}

/*
 * An archive of these members; filter 0 is no compression; format RAW takes the first member only.
 */
static inline void write_archive(const char *path, int format, int filter, const member *m,
                                 size_t n)
{
    struct archive *a = archive_write_new();

    assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
    if (filter)
        assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
    fill_archive(a, path, m, n);
}

static inline uint8_t *slurp(const char *path, size_t *len)
{
    uint8_t *data;

    assert_int_equal(wspi_file_read(path, 1u << 24, &data, len, NULL), WSP_OK);
    return data;
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline void remove_tree(const char *path)
{
    struct stat sb;
    char *paths[256];
    size_t n = 0;
    DIR *d;

    if (lstat(path, &sb) < 0 || !S_ISDIR(sb.st_mode) || !(d = opendir(path))) {
        (void)unlink(path);
        return;
    }
    for (const struct dirent *e; n < 256 && (e = readdir(d));) {
        size_t len = strlen(path) + strlen(e->d_name) + 2;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        paths[n] = malloc(len);
        if (paths[n])
            (void)snprintf(paths[n++], len, "%s/%s", path, e->d_name);
    }
    (void)closedir(d);
    for (size_t i = 0; i < n; i++) {
        remove_tree(paths[i]);
        free(paths[i]);
    }
    (void)rmdir(path);
}

static inline int remove_folder(void **state)
{
    (void)state;
    remove_tree(dir);
    return 0;
}

#endif

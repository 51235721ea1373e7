/* SPDX-License-Identifier: Apache-2.0 */
/* file.c: small files read whole, files without a name. */
#include "capture/capture_int.h"

#include <fcntl.h>
#include <unistd.h>

static wsp_status read_all(int fd, wspi_buf *b)
{
    uint8_t block[16384];
    ssize_t got;

    for (;;) {
        got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return WSP_ERR_IO;
        if (got == 0)
            return WSP_OK;
        WSP_TRY(wspi_buf_add(b, block, (size_t)got));
    }
}

wsp_status wspi_file_read(const char *path, size_t max, uint8_t **data, size_t *len, wsp_error *err)
{
    bool std = strcmp(path, "-") == 0;
    int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    wspi_buf b;
    wsp_status st;

    *data = NULL;
    *len = 0;
    if (fd < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", path, strerror(errno));
    wspi_buf_init(&b, max);
    st = read_all(fd, &b);
    if (st == WSP_OK && !b.data && !(b.data = malloc(1)))
        st = WSP_ERR_NOMEM;
    if (st == WSP_ERR_IO)
        (void)wspi_fail(err, st, b.len, "%s: %s", path, strerror(errno));
    else if (st == WSP_ERR_LIMIT)
        (void)wspi_fail(err, st, b.len, "%s: more than %zu bytes", path, max);
    else if (st < 0)
        (void)wspi_nomem(err, path, b.len);
    if (!std)
        (void)close(fd);
    if (st < 0) {
        wspi_buf_clear(&b);
        return st;
    }
    *data = b.data;
    *len = b.len;
    return WSP_OK;
}

/* Where the folder cannot have files without a name, or is none (a pipe), the system's folder for temporary files does. */
FILE *wspi_spool_open(const char *beside)
{
    FILE *fp = NULL;
#ifdef O_TMPFILE
    const char *slash = strrchr(beside, '/');
    char *dir = slash ? strndup(beside, (size_t)(slash - beside) + 1) : strdup(".");
    int fd = dir && strcmp(beside, "-") != 0 && strncmp(beside, "/dev/", 5) != 0
                 ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
                 : -1;

    free(dir);
    if (fd >= 0 && !(fp = fdopen(fd, "w+b")))
        (void)close(fd);
#endif
    return fp ? fp : tmpfile();
}

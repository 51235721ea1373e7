/* SPDX-License-Identifier: Apache-2.0 */
/* outfile.c: files that appear whole or not at all, and small files read whole. */
#include "capture/capture_int.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static wsp_status open_fail(wspi_outfile *f, const char *path, wsp_error *err)
{
    wsp_status st = wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot write: %s", path, strerror(errno));

    wspi_outfile_discard(f);
    return st;
}

/* The stream over fd, which it takes. */
static wsp_status wrap(wspi_outfile *f, int fd, wsp_error *err)
{
    if (fd < 0)
        return open_fail(f, f->path, err);
    f->fp = fdopen(fd, "wb");
    if (f->fp)
        return WSP_OK;
    (void)close(fd);
    return open_fail(f, f->path, err);
}

/*
 * A fresh file in the folder of `path`, with the permissions that open() would give or the old file
 * has. Not mkstemp: that makes files that only the owner may read.
 */
static int open_temporary(wspi_outfile *f, const struct stat *old)
{
    const char *slash = strrchr(f->path, '/');
    int dir_len = slash ? (int)WSPI_MIN(slash - f->path + 1, (ptrdiff_t)PATH_MAX) : 0;
    size_t cap = (size_t)dir_len + 64;
    int fd = -1;

    f->tmp = malloc(cap);
    if (!f->tmp)
        return -1;
    for (unsigned i = 0; i < 1000 && fd < 0; i++) {
        (void)snprintf(f->tmp, cap, "%.*s.wirespeak-%ld-%u.tmp", dir_len, f->path, (long)getpid(),
                       i);
        fd = open(f->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0) { /* not ours, so not to be removed */
        free(f->tmp);
        f->tmp = NULL;
    } else if (old) {
        (void)fchmod(fd, old->st_mode & 0777);
    }
    return fd;
}

wsp_status wspi_outfile_open(wspi_outfile *f, const char *path, wsp_error *err)
{
    struct stat sb;
    bool there;

    *f = (wspi_outfile){0};
    f->path = strdup(path);
    if (!f->path)
        return wspi_nomem(err, "a path", strlen(path));
    if (strcmp(path, "-") == 0)
        return wrap(f, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), err);
    there = stat(path, &sb) == 0;
    if (there && S_ISDIR(sb.st_mode)) {
        errno = EISDIR;
        return open_fail(f, path, err);
    }
    if (there && !S_ISREG(sb.st_mode)) /* a device or a pipe cannot be replaced */
        return wrap(f, open(path, O_WRONLY | O_CLOEXEC), err);
    if (there) { /* through a link: replace what it names, not the link */
        char *real = realpath(path, NULL);

        if (!real)
            return open_fail(f, path, err);
        free(f->path);
        f->path = real;
    }
    return wrap(f, open_temporary(f, there ? &sb : NULL), err);
}

/* So that the new name survives a power cut; a file system that cannot do this is no error. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(dir);
}

wsp_status wspi_outfile_commit(wspi_outfile *f, wsp_error *err)
{
    wsp_status st = WSP_OK;
    int bad;

    errno = 0;
    bad = fflush(f->fp) != 0 || ferror(f->fp) || (f->tmp && fsync(fileno(f->fp)) != 0);
    if (bad && errno == 0)
        errno = EIO; /* an earlier write failed, and its reason is gone */
    if (bad)
        st = wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot write: %s", f->path, strerror(errno));
    if (fclose(f->fp) != 0 && st == WSP_OK)
        st = wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot close: %s", f->path, strerror(errno));
    f->fp = NULL;
    if (st == WSP_OK && f->tmp) {
        if (rename(f->tmp, f->path) == 0) {
            free(f->tmp);
            f->tmp = NULL;
            sync_folder(f->path);
        } else {
            st = wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot rename %s: %s", f->path, f->tmp,
                           strerror(errno));
        }
    }
    wspi_outfile_discard(f);
    return st;
}

void wspi_outfile_discard(wspi_outfile *f)
{
    if (f->fp)
        (void)fclose(f->fp);
    if (f->tmp)
        (void)unlink(f->tmp);
    free(f->tmp);
    free(f->path);
    *f = (wspi_outfile){0};
}

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

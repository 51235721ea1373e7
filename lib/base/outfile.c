/* SPDX-License-Identifier: Apache-2.0 */
/* outfile.c: files that appear whole or not at all. */
#include "base/base.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static wsp_status open_fail(wsp_outfile *f, const char *path, wsp_error *err)
{
    wsp_status st =
        wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot be written: %s", path, strerror(errno));

    wsp_outfile_discard(f);
    return st;
}

/* The stream over fd, which it takes. */
static wsp_status wrap(wsp_outfile *f, int fd, wsp_error *err)
{
    if (fd < 0)
        return open_fail(f, f->path, err);
    f->fp = fdopen(fd, "wb");
    if (f->fp)
        return WSP_OK;
    (void)close(fd);
    return open_fail(f, f->path, err);
}

/* What such files are called; the name in between is of the process and a number. */
#define TMP_HEAD ".wirespeak-"
#define TMP_TAIL ".tmp"

bool wspi_is_unfinished(const char *name)
{
    size_t len = strlen(name), tail = sizeof TMP_TAIL - 1;

    return strncmp(name, TMP_HEAD, sizeof TMP_HEAD - 1) == 0 && len > tail &&
           strcmp(name + len - tail, TMP_TAIL) == 0;
}

/* How a temporary name is given: to a new file, or to one that has none. -1: errno is EEXIST if the name is taken. */
typedef int give_name(const char *name, int fd);

static int create(const char *name, int fd)
{
    (void)fd;
    return open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
}

/* The way of open(2): a link to what the process has open. */
static int link_to(const char *name, int fd)
{
    char open_file[64];

    (void)snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, open_file, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* f->tmp: a name in the folder of the path that no other file has. What `give` returned. */
static int name_temporary(wsp_outfile *f, give_name *give, int fd)
{
    const char *slash = strrchr(f->path, '/');
    int dir_len = slash ? (int)WSPI_MIN(slash - f->path + 1, (ptrdiff_t)PATH_MAX) : 0;
    size_t cap = (size_t)dir_len + 64;
    int rc = -1;

    f->tmp = malloc(cap);
    if (!f->tmp)
        return -1;
    for (unsigned i = 0; i < 1000 && rc < 0; i++) {
        (void)snprintf(f->tmp, cap, "%.*s" TMP_HEAD "%ld-%u" TMP_TAIL, dir_len, f->path,
                       (long)getpid(), i);
        rc = give(f->tmp, fd);
        if (rc < 0 && errno != EEXIST)
            break;
    }
    if (rc < 0) { /* not ours, so not to be removed */
        free(f->tmp);
        f->tmp = NULL;
    }
    return rc;
}

/* A file without a name in the folder of the path, of which nothing is left if the process is killed; -1 where there is no such thing. */
static int open_nameless(const wsp_outfile *f)
{
    int fd = -1;
#ifdef O_TMPFILE
    const char *slash = strrchr(f->path, '/');
    char *dir = slash ? strndup(f->path, (size_t)(slash - f->path) + 1) : strdup(".");

    if (dir && access("/proc/self/fd", X_OK) == 0)
        fd = open(dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    free(dir);
#endif
    return fd;
}

/*
 * A fresh file in the folder of `path`, with the permissions that open() would give or the old file
 * has. Not mkstemp: that makes files that only the owner may read.
 */
static int open_temporary(wsp_outfile *f, const struct stat *old)
{
    int fd = open_nameless(f);

    f->nameless = fd >= 0;
    if (fd < 0)
        fd = name_temporary(f, create, -1);
    if (fd >= 0 && old)
        (void)fchmod(fd, old->st_mode & 0777);
    return fd;
}

/* A link to what is not there: a new file would take the link's place, where the file that it names was meant. */
static bool leads_nowhere(const char *path)
{
    struct stat sb;

    return lstat(path, &sb) == 0 && S_ISLNK(sb.st_mode);
}

wsp_status wsp_outfile_open(wsp_outfile *f, const char *path, bool stream, wsp_error *err)
{
    struct stat sb;
    bool there;

    *f = (wsp_outfile){0};
    f->path = strdup(path);
    if (!f->path)
        return wspi_nomem(err, "a path", strlen(path));
    if (stream && strcmp(path, "-") == 0)
        return wrap(f, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), err);
    if (strcmp(path, "-") == 0) {
        wsp_outfile_discard(f);
        return wspi_fail(err, WSP_ERR_IO, 0,
                         "-: standard output has something else: name a file (./- is one)");
    }
    if (!*path) {
        errno = ENOENT;
        return open_fail(f, path, err);
    }
    there = stat(path, &sb) == 0;
    if (!there && leads_nowhere(path)) {
        wsp_outfile_discard(f);
        return wspi_fail(err, WSP_ERR_IO, 0,
                         "%s: cannot be written: it is a link to what is not there", path);
    }
    if (there && S_ISDIR(sb.st_mode)) {
        errno = EISDIR;
        return open_fail(f, path, err);
    }
    if (there && !S_ISREG(sb.st_mode) && !stream) { /* nor may it be replaced */
        wsp_outfile_discard(f);
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot be written: what is there is no file",
                         path);
    }
    if (there && !S_ISREG(sb.st_mode))
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

wsp_status wsp_outfile_commit(wsp_outfile *f, wsp_error *err)
{
    wsp_status st = WSP_OK;
    int bad;

    errno = 0;
    bad = fflush(f->fp) != 0 || ferror(f->fp) ||
          ((f->tmp || f->nameless) && fsync(fileno(f->fp)) != 0) ||
          (f->nameless && name_temporary(f, link_to, fileno(f->fp)) < 0);
    if (bad && errno == 0)
        errno = EIO; /* an earlier write failed, and its reason is gone */
    if (bad)
        st = wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot be written: %s", f->path, strerror(errno));
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
    wsp_outfile_discard(f);
    return st;
}

void wsp_outfile_discard(wsp_outfile *f)
{
    if (f->fp)
        (void)fclose(f->fp);
    if (f->tmp)
        (void)unlink(f->tmp);
    free(f->tmp);
    free(f->path);
    *f = (wsp_outfile){0};
}

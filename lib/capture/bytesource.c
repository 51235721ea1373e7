/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytesource.c: one stream of bytes over a file descriptor, memory, an archive member or gzip, with a
 * look ahead.
 */
#include "capture/input_int.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 100 }; /* how often a stream that is quiet looks whether it is to stop */

static wspi_source *new_source(void)
{
    wspi_source *s = calloc(1, sizeof *s);

    if (s)
        s->fd = -1;
    return s;
}

wspi_source *wspi_source_fd(int fd, bool own)
{
    wspi_source *s = new_source();
    struct stat sb;

    if (s) {
        s->fd = fd;
        s->own_fd = own;
        s->waits = fstat(fd, &sb) < 0 || !S_ISREG(sb.st_mode);
        s->seekable = lseek(fd, 0, SEEK_CUR) == 0; /* positions are counted from here */
    }
    return s;
}

wspi_source *wspi_source_memory(const void *p, size_t len)
{
    wspi_source *s = new_source();

    if (s) {
        s->mem = p;
        s->mem_len = len;
        s->seekable = true;
    }
    return s;
}

wspi_source *wspi_source_member(struct archive *ar)
{
    wspi_source *s = new_source();

    if (s)
        s->ar = ar;
    return s;
}

wspi_source *wspi_source_gunzip(wspi_source *from)
{
    wspi_source *s = new_source();

    if (!s || wspi_gunzip_new(&s->gz, from) < 0) {
        free(s);
        return NULL;
    }
    return s;
}

void wspi_source_free(wspi_source *s)
{
    if (!s)
        return;
    wspi_gunzip_free(s->gz);
    if (s->own_fd)
        (void)close(s->fd);
    free(s);
}

/*
 * False: it is to stop. A signal may come between the look and a read, which would not hear of it: so nothing is read before there
 * is something. What poll cannot say, read will.
 */
static bool wait_for_bytes(const wspi_source *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    int rc = s->waits ? 0 : 1;

    while (!atomic_load(s->stop)) {
        if (rc > 0 || (rc < 0 && errno != EINTR))
            return true;
        rc = poll(&p, 1, LOOK_MS);
    }
    return false;
}

static ssize_t pull_fd(wspi_source *s, void *buf, size_t n)
{
    ssize_t got;

    do {
        if (s->stop && !wait_for_bytes(s))
            return 0;
        got = read(s->fd, buf, n);
    } while (got < 0 && (errno == EINTR || (errno == EAGAIN && s->stop)));
    if (got < 0)
        (void)wspi_fail(&s->fault, WSP_ERR_IO, s->pos, "cannot read: %s", strerror(errno));
    else if (s->meter)
        *s->meter += (uint64_t)got;
    return got;
}

static ssize_t pull_memory(wspi_source *s, void *buf, size_t n)
{
    size_t left = s->mem_len - s->mem_pos;

    n = WSPI_MIN(n, left);
    if (n)
        memcpy(buf, s->mem + s->mem_pos, n);
    s->mem_pos += n;
    return (ssize_t)n;
}

/* What libarchive says, but of passwords what to do. One of 256 wrong ones is not seen as such, and then the bytes are. */
static wsp_status tell(wspi_source *s)
{
    static const struct {
        const char *said, *means;
    } words[] = {{"Passphrase required",
                  "it is encrypted, and no password was given (--password=TEXT of classify, label, "
                  "embed, explain, tokenize and forge)"},
                 {"ncorrect passphrase", "it is encrypted with another password"}};
    const char *why = archive_error_string(s->ar);
    bool zip = (archive_format(s->ar) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;

    for (size_t i = 0; why && i < WSPI_COUNT(words); i++)
        if (strstr(why, words[i].said))
            return wspi_fail(&s->fault, WSP_ERR_FORMAT, s->pos, "%s", words[i].means);
    return wspi_fail(&s->fault, WSP_ERR_FORMAT, s->pos, "%s%s",
                     why ? why : "the archive is damaged",
                     zip && archive_read_has_encrypted_entries(s->ar) > 0
                         ? " (it is encrypted, perhaps with another password)"
                         : "");
}

/* Fetches the next block of the member: 1 = there is one, 0 = end, -1 = fault. */
static int next_block(wspi_source *s)
{
    const void *p = NULL;
    la_int64_t off = 0;
    size_t len = 0;
    int rc, tries = 0;

    do
        rc = archive_read_data_block(s->ar, &p, &len, &off);
    while (rc == ARCHIVE_RETRY && ++tries < 10);
    if (rc == ARCHIVE_EOF)
        return 0;
    if (rc != ARCHIVE_OK) {
        s->fatal = rc == ARCHIVE_FATAL;
        (void)tell(s);
        return -1;
    }
    s->blk = p;
    s->blk_len = len;
    s->blk_off = off < 0 ? 0 : (uint64_t)off;
    return 1;
}

/*
 * Not archive_read_data: that drops what it has copied when an error follows, and we owe the
 * packets before it.
 */
static ssize_t pull_member(wspi_source *s, void *buf, size_t n)
{
    uint64_t at = s->pos + (s->head_len - s->head_pos); /* pulled so far */
    int rc;

    while (s->blk_len == 0) {
        rc = next_block(s);
        if (rc <= 0)
            return rc;
    }
    if (s->blk_off > at) { /* a hole in a sparse member */
        n = (size_t)WSPI_MIN((uint64_t)n, s->blk_off - at);
        memset(buf, 0, n);
        return (ssize_t)n;
    }
    n = WSPI_MIN(n, s->blk_len);
    memcpy(buf, s->blk, n);
    s->blk += n;
    s->blk_len -= n;
    s->blk_off += n;
    return (ssize_t)n;
}

static ssize_t pull(wspi_source *s, void *buf, size_t n)
{
    if (s->fault.status < 0)
        return -1;
    if (s->fd >= 0)
        return pull_fd(s, buf, n);
    if (s->gz)
        return wspi_gunzip_pull(s->gz, buf, n, s);
    return s->ar ? pull_member(s, buf, n) : pull_memory(s, buf, n);
}

size_t wspi_source_peek(wspi_source *s, size_t n)
{
    assert(n <= sizeof s->head && s->head_pos == 0);
    while (s->head_len < n) {
        ssize_t got = pull(s, s->head + s->head_len, n - s->head_len);

        if (got <= 0)
            break;
        s->head_len += (size_t)got;
    }
    return WSPI_MIN(n, s->head_len);
}

ssize_t wspi_source_read(wspi_source *s, void *buf, size_t n)
{
    size_t left = s->head_len - s->head_pos;
    ssize_t got;

    if (left > 0) {
        n = WSPI_MIN(n, left);
        memcpy(buf, s->head + s->head_pos, n);
        s->head_pos += n;
        got = (ssize_t)n;
    } else {
        got = pull(s, buf, n);
    }
    if (got > 0)
        s->pos += (uint64_t)got;
    return got;
}

int64_t wspi_source_seek(wspi_source *s, int64_t off, int whence)
{
    int64_t base, to;

    assert(s->seekable);
    if (whence == SEEK_END && s->fd >= 0) {
        to = lseek(s->fd, off, SEEK_END);
    } else {
        base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->pos : (int64_t)s->mem_len;
        if (__builtin_add_overflow(base, off, &to) || to < 0)
            return -1;
        if (s->fd >= 0)
            to = lseek(s->fd, to, SEEK_SET);
        else if ((uint64_t)to > s->mem_len)
            return -1;
        else
            s->mem_pos = (size_t)to;
    }
    if (to < 0)
        return -1;
    if (s->fd < 0)
        s->mem_pos = (size_t)WSPI_MIN((uint64_t)to, s->mem_len);
    s->head_pos = s->head_len = 0;
    s->pos = (uint64_t)to;
    return to;
}

static ssize_t cookie_read(void *arg, char *buf, size_t n)
{
    return wspi_source_read(arg, buf, n);
}

/* Only tells: stdio asks with (0, SEEK_CUR), and libpcap never seeks. */
static int cookie_seek(void *arg, off64_t *off, int whence)
{
    const wspi_source *s = arg;

    if (whence != SEEK_CUR || *off != 0)
        return -1;
    *off = (off64_t)s->pos;
    return 0;
}

FILE *wspi_source_stdio(wspi_source *s)
{
    return fopencookie(s, "rb", (cookie_io_functions_t){.read = cookie_read, .seek = cookie_seek});
}

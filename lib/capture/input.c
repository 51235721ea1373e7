/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.c: the walk over paths, folders and archives from capture to capture. The open folders and
 * archives lie on a stack; the innermost one gives the next thing to visit.
 */
#include "capture/input_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* An open folder (unpack is NULL) or archive. */
typedef struct level {
    char *name;
    wspi_unpack *unpack;
    char **names; /* sorted */
    size_t n, cap, next;
} level;

struct wsp_input {
    char **paths;
    size_t n_paths, next_path;
    wsp_input_options opt;
    char *filter, *password;
    level *stack;
    size_t depth, cap;
    size_t archives;     /* levels of the stack that are archives */
    wspi_source *memory; /* to be visited first, or NULL */
    char *name;          /* of the open capture */
    char *place;         /* the file on disk that was visited last */
    size_t n_there;      /* captures of it that were opened */
    wspi_savefile file;
    wspi_join *join; /* of all, or NULL: not wanted, or not begun */
    bool any_type;   /* packets of all link types come as they are */
    bool quiet;      /* silent about what is no capture */
    size_t next_other;
    wspi_asides
        others; /* packets of the capture before that had other link types: visited before all else */
    size_t skipped, unread;
    bool opened, has_held;
    bool told;          /* it was said why nothing was opened */
    wsp_error held;     /* keep_going: what was wrong last, until something else is met */
    uint64_t read, all; /* bytes of files: so far, in all (0: not known, or not asked yet) */
    uint64_t *meter;    /* what counts them: `read`, or that of the input that this is a part of */
    bool measured;
    atomic_bool stopped;     /* by a signal, or by another thread */
    const atomic_bool *stop; /* what ends this: `stopped`, likewise */
};

wsp_input_options wsp_input_options_default(void)
{
    return (wsp_input_options){.max_depth = 3};
}

/* A name that leads nowhere is a slip of the hand: better said before hours of work than after. */
static wsp_status check_paths(const char *const *paths, size_t n, wsp_error *err)
{
    struct stat sb;

    for (size_t i = 0; i < n; i++)
        if (strcmp(paths[i], "-") != 0 && stat(paths[i], &sb) < 0)
            return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", paths[i], strerror(errno));
    return WSP_OK;
}

/* What is joined is opened twice, to see when it begins and to read it. */
static wsp_status check_joinable(const char *const *paths, size_t n, wsp_error *err)
{
    struct stat sb;

    for (size_t i = 0; i < n; i++)
        if (strcmp(paths[i], "-") == 0 ||
            (stat(paths[i], &sb) == 0 && !S_ISREG(sb.st_mode) && !S_ISDIR(sb.st_mode)))
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "%s can be read only once, and what is joined is read twice: name "
                             "files, folders or archives",
                             strcmp(paths[i], "-") == 0 ? "standard input" : paths[i]);
    return WSP_OK;
}

wsp_status wsp_input_new(wsp_input **out, const char *const *paths, size_t n,
                         const wsp_input_options *opt, wsp_error *err)
{
    wsp_input *in;

    *out = NULL;
    if (opt && opt->filter)
        WSP_TRY(wspi_filter_check(opt->filter, err));
    if (opt && opt->password && !*opt->password)
        return wspi_fail(err, WSP_ERR_ARG, 0, "an empty password opens no archive");
    if (opt && opt->join)
        WSP_TRY(check_joinable(paths, n, err));
    if (opt && opt->keep_going)
        WSP_TRY(check_paths(paths, n, err));
    in = calloc(1, sizeof *in);
    if (!in)
        return wspi_nomem(err, "an input", sizeof *in);
    in->opt = opt ? *opt : wsp_input_options_default();
    in->opt.filter = in->opt.password = NULL; /* ours are in->filter and in->password */
    in->meter = &in->read;
    in->stop = &in->stopped;
    in->paths = wspi_new_array(n, sizeof *in->paths);
    if (!in->paths)
        goto nomem;
    for (; in->n_paths < n; in->n_paths++)
        if (!(in->paths[in->n_paths] = strdup(paths[in->n_paths])))
            goto nomem;
    if (opt && opt->filter && !(in->filter = strdup(opt->filter)))
        goto nomem;
    if (opt && opt->password && !(in->password = strdup(opt->password)))
        goto nomem;
    *out = in;
    return WSP_OK;

nomem:
    wsp_input_free(in);
    return wspi_nomem(err, "the list of paths", n);
}

wsp_status wspi_input_from_memory(wsp_input **out, const char *name, const void *p, size_t len,
                                  const wsp_input_options *opt, wsp_error *err)
{
    wsp_input_options own = opt ? *opt : wsp_input_options_default();
    wsp_input *in;

    own.keep_going = own.join = false; /* the name is not looked for, and it is one capture */
    WSP_TRY(wsp_input_new(out, &name, 1, &own, err));
    in = *out;
    in->opt.keep_going = opt && opt->keep_going;
    in->memory = wspi_source_memory(p, len);
    if (in->memory)
        return WSP_OK;
    wsp_input_free(in);
    *out = NULL;
    return wspi_nomem(err, "a byte source", len);
}

/* ---- levels ---- */

static void pop(wsp_input *in)
{
    level *l = &in->stack[--in->depth];

    if (l->unpack)
        in->archives--;
    wspi_unpack_free(l->unpack);
    for (size_t i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l->names);
    free(l->name);
}

/* A new innermost level with a name of its own, or NULL. */
static level *push(wsp_input *in, const char *name)
{
    level *l;

    if (wspi_grow(&in->stack, &in->cap, in->depth + 1, sizeof *in->stack) < 0)
        return NULL;
    l = &in->stack[in->depth];
    *l = (level){.name = strdup(name)};
    if (!l->name)
        return NULL;
    in->depth++;
    return l;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static wsp_status list_folder(level *l, DIR *d)
{
    for (const struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            wspi_is_unfinished(e->d_name))
            continue;
        WSP_TRY(wspi_grow(&l->names, &l->cap, l->n + 1, sizeof *l->names));
        l->names[l->n] = strdup(e->d_name);
        if (!l->names[l->n])
            return WSP_ERR_NOMEM;
        l->n++;
    }
    if (l->n)
        qsort(l->names, l->n, sizeof *l->names, by_name);
    return WSP_OK;
}

static wsp_status visit_folder(wsp_input *in, const char *path, wsp_error *err)
{
    DIR *d = opendir(path);
    level *l;
    wsp_status st;

    if (!d)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot open the folder: %s", path,
                         strerror(errno));
    l = push(in, path);
    st = l ? list_folder(l, d) : WSP_ERR_NOMEM;
    (void)closedir(d);
    if (st < 0) {
        if (l)
            pop(in);
        return wspi_nomem(err, "a folder's names", 1);
    }
    return WSP_EOF; /* nothing opened yet: go on with the new level */
}

static char *join(const char *a, char sep, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    char *s = malloc(la + lb + 2);

    if (!s)
        return NULL;
    memcpy(s, a, la);
    s[la] = sep;
    memcpy(s + la + 1, b, lb + 1);
    return s;
}

/* ---- visiting: WSP_OK = a capture is open, WSP_EOF = nothing opened, go on ---- */

static wsp_status visit_archive(wsp_input *in, wspi_source *src, const char *name, wsp_error *err)
{
    wspi_unpack *u;
    wsp_status st;
    level *l;

    if (in->archives >= in->opt.max_depth)
        st = wspi_fail(err, WSP_ERR_LIMIT, 0,
                       "%s: not a capture, and archives are opened %zu deep at most", name,
                       in->opt.max_depth);
    else
        st = wspi_unpack_open(&u, src, name, false, in->password, err);
    if (st < 0) {
        wspi_source_free(src);
        return st;
    }
    l = push(in, name);
    if (!l) {
        wspi_unpack_free(u);
        return wspi_nomem(err, "an archive level", 1);
    }
    l->unpack = u;
    in->archives++;
    return WSP_EOF;
}

/* What is under gzip is looked at as if it were not. Takes src, and leaves it NULL where memory runs out. */
static wspi_source *unpacked(const wsp_input *in, wspi_source *src)
{
    wspi_source *inner;

    if (in->archives >= in->opt.max_depth || wspi_source_peek(src, 3) < 3 ||
        memcmp(src->head, "\x1f\x8b\x08", 3) != 0)
        return src;
    inner = wspi_source_gunzip(src);
    if (!inner)
        wspi_source_free(src);
    return inner;
}

/* Takes src. */
static wsp_status visit_source(wsp_input *in, wspi_source *src, const char *name,
                               wsp_capture_info *info, wsp_error *err)
{
    size_t got;
    wsp_status st;

    if (!src)
        return wspi_nomem(err, "a byte source", sizeof *src);
    src->meter = in->meter;
    src->stop = in->stop;
    src = unpacked(in, src);
    if (!src)
        return wspi_nomem(err, "a byte source", sizeof *src);
    got = wspi_source_peek(src, 4);
    if (src->fault.status < 0) {
        errno = src->fault.sys_errno;
        st = wspi_fail(err, src->fault.status, 0, "%s: %s", name, src->fault.text);
    } else if (got == 0) {
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: the file is empty", name);
    } else if (!wspi_savefile_magic(src->head, got)) {
        return visit_archive(in, src, name, err);
    } else {
        free(in->name);
        in->name = strdup(name);
        st = in->name ? wspi_savefile_open(&in->file, src, name, in->filter, info, err)
                      : wspi_nomem(err, "a name", strlen(name));
        info->name = in->name;
        in->file.any_type = in->any_type;
        in->n_there += st == WSP_OK;
    }
    if (st < 0)
        wspi_source_free(src);
    return st;
}

static wsp_status arrive(wsp_input *in, const char *path, wsp_error *err)
{
    free(in->place);
    in->place = strdup(path);
    in->n_there = 0;
    return in->place ? WSP_OK : wspi_nomem(err, "a path", strlen(path));
}

/*
 * in_folder: found by walking, so only regular files and folders count, and no link may lead in a
 * circle.
 */
static wsp_status visit_path(wsp_input *in, const char *path, bool in_folder,
                             wsp_capture_info *info, wsp_error *err)
{
    struct stat sb, link;
    int fd;

    if (!in_folder && strcmp(path, "-") == 0)
        return visit_source(in, wspi_source_fd(STDIN_FILENO, false), "-", info, err);
    if (stat(path, &sb) < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", path, strerror(errno));
    if (in_folder && !S_ISREG(sb.st_mode) &&
        (!S_ISDIR(sb.st_mode) || lstat(path, &link) < 0 || S_ISLNK(link.st_mode))) {
        wspi_log(WSP_LOG_DEBUG, "%s: neither a file nor a folder; passed over", path);
        return WSP_EOF;
    }
    if (S_ISDIR(sb.st_mode))
        return visit_folder(in, path, err);
    WSP_TRY(arrive(in, path, err));
    /* a FIFO that nobody writes to would be waited for here, where nothing can end it */
    fd = open(path, O_RDONLY | O_CLOEXEC | (S_ISFIFO(sb.st_mode) ? O_NONBLOCK : 0));
    if (fd < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", path, strerror(errno));
    return visit_source(in, wspi_source_fd(fd, true), path, info, err);
}

static wsp_status visit_member(wsp_input *in, wsp_capture_info *info, wsp_error *err)
{
    level *l = &in->stack[in->depth - 1];
    const char *member;
    char *name;
    wsp_status st = wspi_unpack_next(l->unpack, &member, err);

    if (st != WSP_OK) {
        pop(in);
        return st;
    }
    name = member ? join(l->name, ':', member) : strdup(l->name);
    if (!name)
        return wspi_nomem(err, "a member's name", 1);
    st = visit_source(in, wspi_source_member(wspi_unpack_archive(l->unpack)), name, info, err);
    free(name);
    return st;
}

static wsp_status visit_entry(wsp_input *in, wsp_capture_info *info, wsp_error *err)
{
    level *l = &in->stack[in->depth - 1];
    size_t len = strlen(l->name);
    char *path;
    wsp_status st;

    if (l->next == l->n) {
        pop(in);
        return WSP_EOF;
    }
    if (len > 1 && l->name[len - 1] == '/')
        l->name[len - 1] = '\0';
    path = join(strcmp(l->name, "/") == 0 ? "" : l->name, '/', l->names[l->next++]);
    if (!path)
        return wspi_nomem(err, "a path", len);
    st = visit_path(in, path, true, info, err);
    free(path);
    return st;
}

static void close_capture(wsp_input *in)
{
    bool fatal = in->file.src && in->file.src->fatal;

    if (in->file.others.n) {
        in->others = in->file.others;
        in->file.others = (wspi_asides){.n = 0};
    }
    wspi_savefile_close(&in->file);
    if (fatal && in->depth && in->stack[in->depth - 1].unpack)
        wspi_unpack_stop(in->stack[in->depth - 1].unpack); /* said once is enough */
}

/* A file with several link types is several captures of the same name. */
static wsp_status visit_other(wsp_input *in, wsp_capture_info *info, wsp_error *err)
{
    wsp_status st = wspi_savefile_open_aside(&in->file, &in->others.items[in->next_other++],
                                             in->name, in->filter, info, err);

    info->name = in->name;
    if (in->next_other == in->others.n) {
        wspi_asides_clear(&in->others);
        in->next_other = 0;
    }
    return st;
}

/* Visits one thing: WSP_EOF also when that opened nothing. *end: there is nothing left. */
static wsp_status step(wsp_input *in, wsp_capture_info *info, bool *end, wsp_error *err)
{
    wspi_source *src = in->memory;

    if (in->next_other < in->others.n)
        return visit_other(in, info, err);
    if (in->depth)
        return in->stack[in->depth - 1].unpack ? visit_member(in, info, err)
                                               : visit_entry(in, info, err);
    if (in->next_path == in->n_paths) {
        *end = true;
        return WSP_EOF;
    }
    in->memory = NULL;
    if (src)
        return visit_source(in, src, in->paths[in->next_path++], info, err);
    return visit_path(in, in->paths[in->next_path++], false, info, err);
}

/* ---- what is no capture ---- */

static void tell_held(wsp_input *in)
{
    if (in->has_held && !in->quiet)
        wspi_log(WSP_LOG_ERROR, "%s", in->held.text);
    in->has_held = false;
}

/* A stream that was stopped looks as if it broke off, or were none: that is not its fault. */
static bool is_cut_short(const wsp_input *in, wsp_status st)
{
    return *in->stop && (st == WSP_ERR_IO || st == WSP_ERR_FORMAT || st == WSP_ERR_UNSUPPORTED);
}

/* Whether the walk goes on after this. */
static bool pass_over(wsp_input *in, const wsp_error *err)
{
    if (err->status == WSP_ERR_NOMEM || !(in->opt.skip_bad || in->opt.keep_going))
        return false;
    if (in->opt.skip_bad) {
        in->skipped++;
        wspi_log(WSP_LOG_WARNING, "skipped: %s", err->text);
        return true;
    }
    tell_held(in);
    in->held = *err;
    in->has_held = true;
    in->unread++;
    return true;
}

/* The last of the paths that are no captures is an error, if there was nothing else; so are folders without a file, once. */
static wsp_status end_of_paths(wsp_input *in, wsp_error *err)
{
    bool nothing = !in->opened && !in->told && in->n_paths;

    in->told = true;
    if (nothing && !in->has_held)
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s%s: there is no capture in %s", in->paths[0],
                         in->n_paths > 1 ? " and the others" : "", in->n_paths > 1 ? "them" : "it");
    if (!in->has_held || in->opened) {
        tell_held(in);
        return WSP_EOF;
    }
    in->has_held = false;
    *err = in->held;
    return err->status;
}

/* All paths are walked over at once, and their captures are one; packets of other link types than its first are others. */
static wsp_status open_joined(wsp_input *in, wsp_capture_info *info, wsp_error *err)
{
    wsp_status st = wspi_join_new(&in->join, in, info, err);

    in->next_path = in->n_paths;
    in->told = true;
    if (st != WSP_OK)
        return is_cut_short(in, st) ? WSP_EOF : st;
    in->name = strdup(info->name);
    st = in->name ? wspi_savefile_open_join(&in->file, in->join, in->filter, info, err)
                  : wspi_nomem(err, "a name", strlen(info->name));
    in->opened = st == WSP_OK;
    return st;
}

wsp_status wsp_input_open_next(wsp_input *in, wsp_capture_info *info, wsp_error *err)
{
    wsp_error local;
    bool end = false;
    wsp_status st;

    if (!err)
        err = &local;
    close_capture(in);
    if (in->opt.join && in->next_path < in->n_paths && !*in->stop)
        return open_joined(in, info, err);
    for (;;) {
        if (*in->stop) {
            tell_held(in);
            return WSP_EOF;
        }
        *info = (wsp_capture_info){0};
        st = step(in, info, &end, err);
        if (end)
            return end_of_paths(in, err);
        if (st == WSP_EOF || is_cut_short(in, st))
            continue;
        if (st == WSP_OK) {
            tell_held(in);
            in->opened = true;
            return st;
        }
        if (!pass_over(in, err)) {
            in->told = true;
            return st;
        }
    }
}

wsp_status wsp_input_next(wsp_input *in, wsp_frame *frame, wsp_error *err)
{
    wsp_status st;

    if (!wspi_savefile_is_open(&in->file) || *in->stop)
        return WSP_EOF;
    st = wspi_savefile_next(&in->file, in->name, frame, err);
    if (st != WSP_OK)
        close_capture(in);
    return is_cut_short(in, st) ? WSP_EOF : st;
}

const char *wsp_input_file(const wsp_input *in)
{
    return wspi_savefile_file(&in->file);
}

size_t wsp_input_joined(const wsp_input *in)
{
    return in->join ? wspi_join_count(in->join) : 0;
}

size_t wsp_input_skipped(const wsp_input *in)
{
    return in->skipped;
}

size_t wsp_input_unread(const wsp_input *in)
{
    return in->unread;
}

static uint64_t measured; /* nftw has no argument for its callback; under the lock below */
static pthread_mutex_t measuring = PTHREAD_MUTEX_INITIALIZER;

static int add_size(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    (void)path;
    (void)where;
    if (type == FTW_F)
        measured += (uint64_t)sb->st_size;
    return 0;
}

/* All of the paths' files; 0 when one of them is a pipe. */
static uint64_t measure(const wsp_input *in)
{
    uint64_t all;
    bool pipe = in->memory != NULL;
    struct stat sb;

    (void)pthread_mutex_lock(&measuring);
    measured = 0;
    for (size_t i = 0; i < in->n_paths && !pipe; i++) {
        pipe = strcmp(in->paths[i], "-") == 0 || stat(in->paths[i], &sb) < 0 ||
               (!S_ISREG(sb.st_mode) && !S_ISDIR(sb.st_mode));
        if (!pipe && S_ISREG(sb.st_mode))
            measured += (uint64_t)sb.st_size;
        else if (!pipe)
            (void)nftw(in->paths[i], add_size, 32, FTW_PHYS);
    }
    all = pipe ? 0 : measured;
    (void)pthread_mutex_unlock(&measuring);
    return all;
}

void wsp_input_progress(wsp_input *in, uint64_t *done, uint64_t *all)
{
    if (!in->measured)
        in->all = measure(in);
    in->measured = true;
    *done = in->read;
    *all = in->all;
}

void wsp_input_stop(wsp_input *in)
{
    atomic_store(&in->stopped, true);
}

bool wsp_input_stopped(const wsp_input *in)
{
    return in->stopped;
}

void wsp_input_free(wsp_input *in)
{
    if (!in)
        return;
    wspi_savefile_close(&in->file);
    while (in->depth)
        pop(in);
    wspi_asides_clear(&in->others);
    wspi_join_free(in->join);
    wspi_source_free(in->memory);
    for (size_t i = 0; i < in->n_paths; i++)
        free(in->paths[i]);
    free(in->paths);
    free(in->filter);
    free(in->password);
    free(in->stack);
    free(in->name);
    free(in->place);
    free(in);
}

/* ---- parts ---- */

wsp_status wspi_input_part(wsp_input **out, wsp_input *of, const char *const *paths, size_t n,
                           bool quiet, wsp_error *err)
{
    wsp_input_options opt = of->opt;

    opt.join = false;
    opt.password = of->password;
    if (quiet) { /* what is wrong is an error of this one file */
        opt.skip_bad = false;
        opt.keep_going = true;
    }
    WSP_TRY(wsp_input_new(out, paths, n, &opt, err));
    (*out)->any_type = true;
    (*out)->quiet = quiet;
    (*out)->stop = of->stop;
    if (quiet)
        (*out)->meter = of->meter;
    return WSP_OK;
}

const char *wspi_input_place(const wsp_input *in, size_t *nth)
{
    *nth = in->n_there - 1;
    return in->place;
}

const wsp_capture_info *wspi_input_interface(const wsp_input *in)
{
    return &in->file.of;
}

const char *const *wspi_input_paths(const wsp_input *in, size_t *n)
{
    *n = in->n_paths;
    return (const char *const *)in->paths;
}

void wspi_input_count(wsp_input *in, const wsp_input *part)
{
    in->skipped += part->skipped;
    in->unread += part->unread;
}

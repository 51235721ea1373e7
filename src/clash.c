/* SPDX-License-Identifier: Apache-2.0 */
/* clash.c: files are told apart by device and inode: a file has many names. */
#include "clash.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 32 };

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static bool look_at(const char *path, int standard, struct stat *sb)
{
    return (is_standard(path) ? fstat(standard, sb) : stat(path, sb)) == 0;
}

void clash_write(clash *c, const char *path, const char *name)
{
    struct stat sb;

    if (c->n < CLASH_MAX && look_at(path, STDOUT_FILENO, &sb) && S_ISREG(sb.st_mode))
        c->written[c->n++] = (struct clash_file){.dev = sb.st_dev, .ino = sb.st_ino, .name = name};
}

static const struct clash_file *find(const clash *c, const struct stat *sb)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->written[i].dev == sb->st_dev && c->written[i].ino == sb->st_ino)
            return &c->written[i];
    return NULL;
}

/* nftw has no argument for its callback. */
static const clash *sought;
static const struct clash_file *found;

/* As captures are looked for: links to files are followed, links to folders are not. */
static int visit(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    struct stat target;

    (void)where;
    if (type == FTW_SL && stat(path, &target) == 0)
        sb = &target;
    else if (type != FTW_F)
        return 0;
    found = find(sought, sb);
    return found != NULL;
}

/* A folder that the user names may be a link. What cannot be read is told by who reads. */
static const struct clash_file *find_in(const clash *c, const char *folder)
{
    char *real = realpath(folder, NULL);

    sought = c;
    found = NULL;
    if (real)
        (void)nftw(real, visit, OPEN_FOLDERS, FTW_PHYS);
    free(real);
    return found;
}

const char *clash_read(const clash *c, const char *path)
{
    const struct clash_file *f;
    struct stat sb;

    if (c->n == 0 || !look_at(path, STDIN_FILENO, &sb))
        return NULL;
    if (!S_ISDIR(sb.st_mode)) {
        f = find(c, &sb);
        return !f ? NULL : is_standard(path) ? f->name : path;
    }
    f = find_in(c, path);
    return !f ? NULL : is_standard(f->name) ? path : f->name;
}

bool clash_same(const char *a, const char *b)
{
    const char *const path[] = {a, b};
    const char *name[2];
    struct stat sb[2];
    char folder[4096];
    int there[2];

    for (size_t i = 0; i < 2; i++) {
        const char *slash = strrchr(path[i], '/');

        name[i] = slash ? slash + 1 : path[i];
        there[i] = look_at(path[i], STDOUT_FILENO, &sb[i]);
        (void)snprintf(folder, sizeof folder, "%.*s.", (int)(name[i] - path[i]), path[i]);
        if (!there[i] && (is_standard(path[i]) || stat(folder, &sb[i]) != 0))
            return false;
    }
    return there[0] == there[1] && sb[0].st_dev == sb[1].st_dev && sb[0].st_ino == sb[1].st_ino &&
           (there[0] ? S_ISREG(sb[0].st_mode) : strcmp(name[0], name[1]) == 0);
}

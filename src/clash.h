/* SPDX-License-Identifier: Apache-2.0 */
/* clash.h: finds a file that a command would both read and write, or write twice, before anything is opened. */
#ifndef WSP_CLASH_H
#define WSP_CLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CLASH_MAX = 128 };

/* Zeros: nothing is written. Only regular files that are there count: nothing else can be lost. */
typedef struct clash {
    struct clash_file {
        dev_t dev;
        ino_t ino;
        const char *name; /* borrowed */
    } written[CLASH_MAX];
    size_t n;
} clash;

/* `name` is what the user knows it by. "-" is standard output. */
void clash_write(clash *c, const char *path, const char *name);
/* The name of a file that is written and is `path` or, if that is a folder, in it; NULL: none. "-" is standard input. */
const char *clash_read(const clash *c, const char *path);
/* Would two outputs be one file, whether it is there or not? What is there and no file cannot be lost. "-" is standard output. */
bool clash_same(const char *a, const char *b);

#endif

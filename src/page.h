/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: HTML pages that need nothing else: the style sheet they share, and a file that appears whole or not at all. */
#ifndef WSP_PAGE_H
#define WSP_PAGE_H

#include <stdio.h>

/* From the first byte to <body>; more: rules behind the shared ones, or "". */
void page_head(FILE *f, const char *title, const char *more);

/* Writes a page beside its name and renames it. Returns an exit status, and says what was wrong. */
int page_write(const char *path, void (*print)(FILE *f, const void *arg), const void *arg);

#endif

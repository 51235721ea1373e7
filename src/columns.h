/* SPDX-License-Identifier: Apache-2.0 */
/* columns.h: widths for printf, which counts bytes, of UTF-8 in tables: letters of several bytes take one column. */
#ifndef WSP_COLUMNS_H
#define WSP_COLUMNS_H

/* The width for %-*s with which text takes so many columns, or its own if it has more. */
int columns_pad(const char *text, int columns);

/* The precision for %.*s with which text takes no more than so many columns, and no letter is cut. */
int columns_cut(const char *text, int columns);

#endif

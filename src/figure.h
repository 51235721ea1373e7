/* SPDX-License-Identifier: Apache-2.0 */
/* figure.h: pictures of scores as SVG that stands in an HTML page; colours come from the page's style sheet. */
#ifndef WSP_FIGURE_H
#define WSP_FIGURE_H

#include "report.h"

/* Text with what HTML would take for its own written out. */
void figure_text(FILE *f, const char *text);

/* How often an answer is right beside how confident it was; below, how many there are of each confidence. */
void figure_reliability(FILE *f, const report_head *h);

/* Share of right answers among those kept, beside the share kept; marks the model's own threshold. */
void figure_abstention(FILE *f, const report_head *h);

/* Scores after the first packets. */
void figure_early(FILE *f, const report_head *h);

/* What flows or captures are (rows) and what was said (columns), shaded by the share of the row; classes that do not occur are left out. */
void figure_confusion(FILE *f, const report_head *h);

#endif

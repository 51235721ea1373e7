/* SPDX-License-Identifier: Apache-2.0 */
/* stop.h: SIGINT and SIGTERM as a wish to end, which a command looks at between two steps. */
#ifndef WSP_STOP_H
#define WSP_STOP_H

#include <stdbool.h>

/* The first signal of a kind is a wish; the second one kills. What was ignored stays ignored. */
void stop_on_signals(void);
bool stop_asked(void);

#endif

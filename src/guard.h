/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h: what a program that reads from strangers gives up before it does, and how it talks to systemd. */
#ifndef WSP_GUARD_H
#define WSP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * After everything is open and before threads start: becomes `user` (NULL: stays who it is), keeps no capability but that to open
 * packet sockets again, can gain none by running programs, and, in a build with libseccomp, can run none. Exit status.
 */
int guard_drop(const char *user);

/* To systemd, when it asked for it (sd_notify(3)): "READY=1". Otherwise nothing happens. */
void guard_notify(const char *state);
/* How often systemd wants to hear "WATCHDOG=1", in nanoseconds: half of its limit; 0: never. */
uint64_t guard_watchdog_ns(void);

#endif

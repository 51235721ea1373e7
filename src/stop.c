/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c: SIGINT and SIGTERM as a wish to end. */
#include "stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
    asked = number;
}

void stop_on_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, was;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &a, NULL);
}

bool stop_asked(void)
{
    return asked != 0;
}

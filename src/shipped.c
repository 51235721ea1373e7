/* SPDX-License-Identifier: Apache-2.0 */
/* shipped.c: where the models that come with the program are. */
#include "shipped.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

int shipped_model(const char **path, const char *command, const char *name)
{
    static char found[PATH_MAX];
    const char *folder = getenv("WIRESPEAK_MODELS");
    int n;

    if (*path)
        return CLI_OK;
    n = snprintf(found, sizeof found, "%s/%s.safetensors",
                 folder && folder[0] ? folder : MODELS_FOLDER, name);
    if (n < 0 || (size_t)n >= sizeof found || access(found, F_OK) != 0)
        return cli_usage(command, "which model? %s is not there: give -m MODEL.safetensors", found);
    *path = found;
    return CLI_OK;
}

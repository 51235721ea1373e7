/* SPDX-License-Identifier: Apache-2.0 */
/* shipped.h: the models that come with the program. */
#ifndef WSP_SHIPPED_H
#define WSP_SHIPPED_H

/*
 * Where a command line names no model, *path becomes that of NAME.safetensors in the folder which the environment calls WIRESPEAK_MODELS, or
 * in that where `make install` puts it; a path that was given stays. Valid until the next call. Exit status: CLI_USAGE, after a line that
 * says so, if there is no such file.
 */
int shipped_model(const char **path, const char *command, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* target.h: what targets share: a check that stays in every build, bytes as a file, small models. */
#ifndef WSPI_FUZZ_TARGET_H
#define WSPI_FUZZ_TARGET_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "wirespeak/model.h"
#include "wirespeak/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* A path to a file in memory with these bytes, for what reads files only; until the next call. */
static inline const char *path_of(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;

    if (fd >= 0)
        (void)close(fd);
    fd = memfd_create("input", MFD_CLOEXEC);
    must(fd >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t n = write(fd, data + at, size - at);
        must(n > 0);
        at += (size_t)n;
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static const char *const target_labels[] = {"a", "b", "c"};
static const wsp_head target_heads[] = {
    {.name = "one", .n_labels = 3, .labels = target_labels, .temperature = 1},
    {.name = "two", .n_labels = 2, .labels = target_labels, .temperature = 1},
};

/* With random weights: for the tokens of the vocabulary, or for so many of no meaning. */
static inline wsp_model *small_model(uint32_t tokens)
{
    wsp_model_config cfg;
    wsp_model *m;

    must(wsp_model_config_named(&cfg, "tiny") == WSP_OK);
    cfg.vocab = tokens ? tokens : (uint32_t)wsp_vocab_size();
    cfg.vocab_version = tokens ? 1 : wsp_vocab_version();
    must(wsp_model_new(&m, &cfg, target_heads, 2, 1, NULL) == WSP_OK);
    return m;
}

#endif

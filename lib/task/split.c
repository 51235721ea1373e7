/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.c: which captures train and which test, by a hash of the name: the same on every machine,
 * whatever else is in the data set.
 */
#include "base/base.h"
#include "wirespeak/task.h"

/*
 * A number in [0, 1) from name and seed. FNV-1a mixes its last bytes badly; the seeded generator
 * spreads them.
 */
static double unit_of_name(const char *name, uint64_t seed)
{
    wspi_rng rng;

    wspi_rng_seed(&rng,
                  wspi_fnv1a(name, strlen(name), WSPI_FNV_START) ^ seed * 0x9e3779b97f4a7c15u);
    return wspi_rng_unit(&rng);
}

wsp_status wsp_split_of(const char *capture, uint64_t seed, double val, double test, wsp_split *out)
{
    const char *slash = strrchr(capture, '/');
    double u;

    *out = WSP_SPLIT_TRAIN;
    if (!(val >= 0 && test >= 0 && val + test <= 1))
        return WSP_ERR_ARG;
    u = unit_of_name(slash ? slash + 1 : capture, seed);
    if (u < test)
        *out = WSP_SPLIT_TEST;
    else if (u < test + val)
        *out = WSP_SPLIT_VAL;
    return WSP_OK;
}

const char *wsp_split_name(wsp_split split)
{
    static const char *const names[] = {"train", "val", "test"};

    return (unsigned)split < WSPI_COUNT(names) ? names[split] : "train";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* odd.c: values in the place of others: at the edge of what a field may have, near to it, or of those that its table lists. */
#include "generate/deviate_int.h"

static bool one_in(wspi_rng *rng, uint64_t n)
{
    return wspi_rng_below(rng, n) == 0;
}

uint64_t wspi_odd_value(wspi_rng *rng, unsigned width, uint64_t v)
{
    const uint64_t most = width < 64 ? (UINT64_C(1) << width) - 1 : UINT64_MAX;
    uint64_t out = v;

    while (out == v) {
        const uint64_t choices[] = {0,
                                    1,
                                    most,
                                    most - 1,
                                    most >> 1,
                                    (most >> 1) + 1,
                                    v + 1,
                                    v - 1,
                                    v * 2,
                                    ~v,
                                    v ^ UINT64_C(1) << wspi_rng_below(rng, width),
                                    wspi_rng_below(rng, 32),
                                    wspi_rng_below(rng, 300),
                                    wspi_rng_u64(rng)};
        out = choices[wspi_rng_below(rng, WSPI_COUNT(choices))] & most;
    }
    return out;
}

/* A number that names a layer in the space of the field. */
static uint64_t other_next(wspi_rng *rng, const wspi_proto *proto, uint64_t v)
{
    uint64_t out = v;

    for (unsigned tries = 0; tries < 64; tries++)
        if (wspi_next_number((enum wspi_space)proto->space,
                             (uint8_t)wspi_rng_below(rng, WSPI_LAYER_COUNT), &out) &&
            out != v)
            return out;
    return v;
}

uint64_t wspi_odd_listed(wspi_rng *rng, const wspi_field *d, uint64_t v)
{
    size_t n = 0;

    if (d->kind != WSPI_K_ENUM || !d->values)
        return v;
    while (d->values[n].name)
        n++;
    return d->values[wspi_rng_below(rng, n)].value;
}

uint64_t wspi_odd_field(wspi_rng *rng, const wspi_layer *l, size_t f)
{
    const wspi_proto *proto = wspi_protos[l->id];
    const wspi_field *d = &proto->fields[f];
    uint64_t out = l->v[f];

    if (proto->space && f == proto->type && one_in(rng, 2))
        out = other_next(rng, proto, out);
    else if (d->kind == WSPI_K_PORT && one_in(rng, 2))
        out = wspi_port_at(wspi_rng_below(rng, wspi_port_count()));
    else if (one_in(rng, 2))
        out = wspi_odd_listed(rng, d, out);
    return out != l->v[f] ? out : wspi_odd_value(rng, d->width, out);
}

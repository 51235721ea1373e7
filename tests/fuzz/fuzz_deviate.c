/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_deviate.c: deviations of any bytes. The input is a seed byte, a link type and packets of a length byte, a flag byte
 * and data. No packet may leave the frame's bounds, and what the log says is in it; at rate 0 each has to come out as it went in.
 */
#include <stdlib.h>

#include "generate/deviate_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int linktypes[] = {1, 101, 113, 228, 229, 105};

static void must(bool ok)
{
    if (!ok)
        __builtin_trap();
}

typedef struct check {
    const wsp_frame *last; /* NULL: deviates */
    uint64_t sum, end;     /* end: of the deviation of the packet that comes next */
} check;

static wsp_status note(void *arg, const wsp_deviation *d, wsp_error *err)
{
    check *c = arg;

    (void)err;
    must(*d->field && strlen(d->from) < sizeof d->from && strlen(d->to) < sizeof d->to);
    c->end = (uint64_t)d->at + d->bytes;
    return WSP_OK;
}

static wsp_status take(void *arg, const wsp_frame *f, uint64_t flow, int dir, wsp_error *err)
{
    check *c = arg;

    (void)flow, (void)dir, (void)err;
    must(f->wirelen >= f->caplen && c->end <= f->caplen);
    c->end = 0;
    for (uint32_t i = 0; i < f->caplen; i++)
        c->sum += f->data[i];
    if (c->last)
        must(f->caplen == c->last->caplen &&
             (f->caplen == 0 || memcmp(f->data, c->last->data, f->caplen) == 0));
    return WSP_OK;
}

static void run(const uint8_t *data, size_t size, double rate)
{
    wspi_cursor c = wspi_cur(data, size);
    check what = {.last = NULL};
    wsp_frame f = {.caplen = 0};
    wsp_deviate_options opt = {.rate = rate,
                               .kinds = (1u << WSP_DEVIATIONS) - 1,
                               .seed = wspi_cur_u8(&c),
                               .linktype = linktypes[wspi_cur_u8(&c) % WSPI_COUNT(linktypes)],
                               .packet = take,
                               .log = note,
                               .arg = &what};
    wsp_deviator *d;
    uint64_t time = 0;

    opt.payloads = rate > 0 && opt.seed & 1;
    opt.clients = opt.seed & 2;
    must(wsp_deviator_new(&d, &opt) == WSP_OK);
    for (size_t n = 0; n < 16 && wspi_cur_left(&c) > 2; n++) {
        uint32_t len = wspi_cur_u8(&c), flags = wspi_cur_u8(&c);
        f = (wsp_frame){.caplen = (uint32_t)WSPI_MIN(len, wspi_cur_left(&c))};
        f.data = wspi_cur_bytes(&c, f.caplen);
        f.wirelen = flags & 2 ? f.caplen + flags : f.caplen;
        f.time_ns = time += flags;
        what.last = rate > 0 ? NULL : &f;
        must(wsp_deviator_add(d, &f, NULL, NULL) == WSP_OK);
    }
    must(wsp_deviator_finish(d, NULL) == WSP_OK);
    wsp_deviator_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size, 0);
    run(data, size, 1);
    return 0;
}

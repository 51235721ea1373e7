/* SPDX-License-Identifier: Apache-2.0 */
/* generate_edit.c: header fields that the user sets: what is computed from them is computed again, the rest stays. */
#include <arpa/inet.h>
#include <errno.h>

#include <stdio.h>

#include "generate/deviate_int.h"
#include "generate/generate_int.h"

wsp_status wsp_edit_field(const char *name, wsp_edit *out, wsp_error *err)
{
    for (uint8_t l = 0; l < WSPI_LAYER_COUNT; l++)
        for (size_t f = 0; f < wspi_protos[l]->n_fields; f++)
            if (strcmp(wspi_protos[l]->fields[f].name, name) == 0) {
                out->layer = l;
                out->field = (uint8_t)f;
                return WSP_OK;
            }
    return wspi_fail(
        err, WSP_ERR_ARG, 0,
        "'%s' is no field of a header (wirespeak explain shows those of links, IP, TCP, "
        "UDP, ...); fields of payloads cannot be set",
        name);
}

/* A name of the field's list, "10.0.0.1", "02:00:00:00:00:01", or a number. */
static bool read_value(const wspi_field *d, const char *text, uint64_t *v)
{
    unsigned m[6];
    struct in_addr v4;
    char *end, rest;

    for (size_t k = 0; d->values && d->values[k].name; k++)
        if (strcmp(d->values[k].name, text) == 0) {
            *v = d->values[k].value;
            return true;
        }
    if (d->width == 48 && sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &m[0], &m[1], &m[2], &m[3],
                                 &m[4], &m[5], &rest) == 6) {
        *v = 0;
        for (size_t i = 0; i < 6; i++)
            *v = *v << 8 | m[i];
        return true;
    }
    if (d->width == 32 && strchr(text, '.') && inet_pton(AF_INET, text, &v4) == 1) {
        *v = ntohl(v4.s_addr);
        return true;
    }
    errno = 0;
    *v = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
           (d->width == 64 || *v >> d->width == 0);
}

wsp_status wsp_edit_parse(const char *text, wsp_edit *out, wsp_error *err)
{
    const char *eq = strchr(text, '='), *at = text;
    char name[64], *end;
    const wspi_field *d;
    wsp_edit e = {.packet = 0};

    if (*text >= '0' && *text <= '9') {
        errno = 0;
        e.packet = (size_t)strtoull(text, &end, 10);
        at = *end == ':' && e.packet && errno == 0 ? end + 1 : NULL;
    }
    if (!at || !eq || eq < at || (size_t)(eq - at) >= sizeof name)
        return wspi_fail(err, WSP_ERR_ARG, 0, "'%s' is not FIELD=VALUE or PACKET:FIELD=VALUE",
                         text);
    memcpy(name, at, (size_t)(eq - at));
    name[eq - at] = '\0';
    WSP_TRY(wsp_edit_field(name, &e, err));
    d = &wspi_protos[e.layer]->fields[e.field];
    if (!read_value(d, eq + 1, &e.value))
        return wspi_fail(err, WSP_ERR_ARG, 0, "'%s' is no value of %s, which has %u bits", eq + 1,
                         d->name, (unsigned)d->width);
    *out = e;
    return WSP_OK;
}

/* Sets the field in every layer of its kind that is the packet's own; is there one? */
static bool set_field(wsp_packet *p, const wsp_edit *e)
{
    bool any = false;

    for (size_t i = 0; i < wspi_own_layers(p); i++) {
        wspi_layer *l = &p->layers[i];

        if (l->id != e->layer)
            continue;
        l->v[e->field] = e->value;
        l->autos &= (uint16_t) ~(1u << e->field);
        any = true;
    }
    return any;
}

wsp_status wspi_editor_take(wspi_editor *e, int linktype, wsp_frame *frame)
{
    if (!e->packet)
        WSP_TRY(wsp_packet_new(&e->packet));
    WSP_TRY(wspi_grow(&e->bytes, &e->cap, (size_t)frame->caplen + 1, 1));
    if (frame->caplen && frame->data != e->bytes)
        memcpy(e->bytes, frame->data, frame->caplen);
    frame->data = e->bytes;
    wspi_dissect_wraps(e->packet, linktype, frame, 0);
    return WSP_OK;
}

void wspi_editor_build(wspi_editor *e, const wsp_frame *frame)
{
    if (wspi_headers_len(e->packet) <= frame->caplen)
        wspi_build(e->packet, e->bytes);
}

static bool is_length(const wsp_edit *e)
{
    const wspi_field *d = &wspi_protos[e->layer]->fields[e->field];

    return d->kind == WSPI_K_AUTO && d->role != WSPI_R_CHECKSUM;
}

wsp_status wspi_edit_frame(wspi_editor *e, const wsp_edit *edits, size_t n, int linktype,
                           size_t number, wsp_frame *frame)
{
    bool any = false, lies = false;

    for (size_t i = 0; i < n; i++)
        any |= edits[i].packet == 0 || edits[i].packet == number;
    if (!any)
        return WSP_OK;
    WSP_TRY(wspi_editor_take(e, linktype, frame));
    for (size_t i = 0; i < n; i++)
        if ((edits[i].packet == 0 || edits[i].packet == number) &&
            set_field(e->packet, &edits[i])) {
            e->set |= UINT64_C(1) << WSPI_MIN(i, 63);
            lies |= is_length(&edits[i]);
        }
    wspi_editor_build(e, frame);
    if (lies && wspi_headers_len(e->packet) <= frame->caplen)
        wspi_sum_as_told(e->packet, e->bytes);
    return WSP_OK;
}

void wspi_editor_clear(wspi_editor *e)
{
    wsp_packet_free(e->packet);
    wsp_packet_free(e->other);
    free(e->bytes);
}

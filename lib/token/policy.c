/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c: mask policies: which tokens the model may see. One row a policy: the roles and groups it drops. */
#include "token/app/app.h"

#define ROLE(r) (1u << (r))
#define IDENTITY                                                                               \
    (ROLE(WSPI_R_MAC_SRC) | ROLE(WSPI_R_MAC_DST) | ROLE(WSPI_R_IP_SRC) | ROLE(WSPI_R_IP_DST) | \
     ROLE(WSPI_R_IP_SRC_LOW) | ROLE(WSPI_R_IP_DST_LOW) | ROLE(WSPI_R_PORT_SRC) |               \
     ROLE(WSPI_R_PORT_DST) | ROLE(WSPI_R_TTL) | ROLE(WSPI_R_CHECKSUM) | ROLE(WSPI_R_TAG) |     \
     ROLE(WSPI_R_NAME))

struct wsp_policy {
    const char *name, *summary;
    uint32_t drop_roles;
    bool drop_payload, drop_headers;
};

static const struct wsp_policy policies[] = {
    {"identity-free", "no address, port, VLAN, TTL or checksum (the default for classification)",
     IDENTITY, false, false},
    {"headers-only", "as identity-free, and no payload byte", IDENTITY, true, false},
    {"sizes-only", "direction, time and payload length only", 0, true, true},
    {"everything", "all tokens (generation; leaks identity into a classifier)", 0, false, false},
};

const wsp_policy *wsp_policy_at(size_t i)
{
    return i < WSPI_COUNT(policies) ? &policies[i] : NULL;
}

const wsp_policy *wsp_policy_get(const char *name)
{
    for (size_t i = 0; i < WSPI_COUNT(policies); i++)
        if (!name || strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}

const char *wsp_policy_name(const wsp_policy *p)
{
    return p->name;
}

const char *wsp_policy_summary(const wsp_policy *p)
{
    return p->summary;
}

static bool keeps(const wsp_policy *p, uint16_t id)
{
    uint8_t layer;
    size_t f;

    if (wspi_in_group(id, WSPI_T_START) || wspi_in_group(id, WSPI_T_LEN) ||
        wspi_in_group(id, WSPI_T_END))
        return true;
    if (p->drop_payload && (wspi_in_group(id, WSPI_T_TEXT) || wspi_in_group(id, WSPI_T_KIND)))
        return false;
    if (p->drop_headers)
        return false;
    return !wspi_token_field(id, &layer, &f) ||
           !(p->drop_roles & ROLE(wspi_proto_of(layer)->fields[f].role));
}

size_t wsp_policy_apply(const wsp_policy *p, const uint16_t *ids, size_t n, size_t max_payload,
                        size_t max_tokens, uint16_t *out)
{
    size_t kept = 0, bytes = 0;

    (void)wsp_vocab_size();
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;
        if (!keeps(p, ids[i]) || (kept + 1 >= max_tokens && !last))
            continue;
        if (wspi_in_group(ids[i], WSPI_T_TEXT) && bytes++ >= max_payload)
            continue;
        if (kept < max_tokens)
            out[kept++] = ids[i];
    }
    return kept;
}

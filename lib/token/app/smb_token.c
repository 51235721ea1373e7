/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb_token.c: the tokens of GSS-API that set up a session: what they are, and those of samples, which log a user of a
 * workgroup on with NTLM ([MS-NLMP] 2.2.1) in SPNEGO (RFC 4178 4.2), as servers and clients of today do.
 */
#include "token/app/smb.h"

enum { NTLM = 12, PEEK = 16 };
/* Rows of wspi_smb_blob. */
enum { ROW_INIT_NTLM = 5, ROW_CHALLENGE = 7, ROW_AUTHENTICATE, ROW_INIT_KERBEROS };
/* SETUP of SMB2, and of SMB1. */
enum { NEGOTIATE_2 = 0, SETUP_2 = 1, NEGOTIATE_1 = 0x72, SETUP_1 = 0x73 };

#define SPNEGO      "\x06\x06\x2b\x06\x01\x05\x05\x02"
#define OID_NTLM    "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
#define OID_NEGOEX  "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e"
#define OID_KRB5_MS "\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"
#define OID_KRB5    "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define OID_U2U     "\x06\x0a\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03"
#define SIGNATURE   "NTLMSSP\0"
#define REVISION    "\x0a\0\0\x28\0\0\0\x0f"
#define GROUP       "W\0O\0R\0K\0G\0R\0O\0U\0P\0"
#define SERVER      "S\0E\0R\0V\0E\0R\0"
#define CLIENT      "C\0L\0I\0E\0N\0T\0"
#define USER        "u\0s\0e\0r\0"
#define ZEROS_8     "\0\0\0\0\0\0\0\0"
#define ZEROS_24    ZEROS_8 ZEROS_8 ZEROS_8

/* Mechanisms that a server has, and a hint that nobody reads. */
static const char hints[] =
    "\x60\x76" SPNEGO
    "\xa0\x6c\x30\x6a\xa0\x3c\x30\x3a" OID_NEGOEX OID_KRB5_MS OID_KRB5 OID_U2U OID_NTLM
    "\xa3\x2a\x30\x28\xa0\x26\x1b\x24not_defined_in_RFC4178@please_ignore";
static const char init[] =
    "\x60\x48" SPNEGO "\xa0\x3e\x30\x3c\xa0\x0e\x30\x0c" OID_NTLM "\xa2\x2a\x04\x28" SIGNATURE
    "\x01\0\0\0\x97\x82\x08\xa2" ZEROS_8 ZEROS_8 REVISION;
static const char challenge[] =
    "\xa1\x7b\x30\x79\xa0\x03\x0a\x01\x01\xa1\x0c" OID_NTLM "\xa2\x64\x04\x62" SIGNATURE
    "\x02\0\0\0\0\0\0\0\x38\0\0\0\x15\x82\x89\xa2" ZEROS_8 ZEROS_8 "\x2a\0\x2a\0\x38\0\0\0" REVISION
    "\x02\0\x12\0" GROUP "\x01\0\x0c\0" SERVER "\0\0\0\0";
static const char authenticate[] =
    "\xa1\x81\xa7\x30\x81\xa4\xa2\x81\xa1\x04\x81\x9e" SIGNATURE
    "\x03\0\0\0\x18\0\x18\0\x6e\0\0\0\x18\0\x18\0\x86\0\0\0\x12\0\x12\0\x48\0\0\0"
    "\x08\0\x08\0\x5a\0\0\0\x0c\0\x0c\0\x62\0\0\0\0\0\0\0\x9e\0\0\0\x15\x82\x88\xa2" REVISION GROUP
        USER CLIENT ZEROS_24 ZEROS_24;
static const char accepted[] = "\xa1\x07\x30\x05\xa0\x03\x0a\x01\0";

/* Bytes, a row of wspi_smb_blob, and the bytes that are random: the challenge, and the answers to it. */
typedef struct sampled {
    const char *bytes;
    size_t n;
    unsigned row;
    size_t from, to;
} sampled;
enum { HINTS, INIT, CHALLENGE, AUTHENTICATE, ACCEPTED };
static const sampled tokens[] = {
    [HINTS] = {hints, sizeof hints - 1, ROW_INIT_KERBEROS, 0, 0},
    [INIT] = {init, sizeof init - 1, ROW_INIT_NTLM, 0, 0},
    [CHALLENGE] = {challenge, sizeof challenge - 1, ROW_CHALLENGE, 51, 59},
    [AUTHENTICATE] = {authenticate, sizeof authenticate - 1, ROW_AUTHENTICATE, 122, 170},
    [ACCEPTED] = {accepted, sizeof accepted - 1, 0, 0, 0},
};

/* Samples: the client's first and second message in setting up a session, and the answers; what a server offers before. */
static const sampled *sampled_token(const wspi_coder *c)
{
    bool one = c->app.v[c->dir][WSPI_SMB_KIND] == WSPI_SMB_1;
    unsigned command = one ? WSPI_SMB_COMMAND_1 : WSPI_SMB_COMMAND;
    uint64_t setup = one ? SETUP_1 : SETUP_2, before = 0, status = 0;

    if (c->app.v[c->dir][command] == (one ? NEGOTIATE_1 : NEGOTIATE_2))
        return &tokens[HINTS];
    if (c->dir == 1)
        return &tokens[c->app.v[1][WSPI_SMB_STATUS] == WSPI_SMB_MORE_PROCESSING ? CHALLENGE
                                                                                : ACCEPTED];
    (void)wspi_app_last(c, true, command, &before);
    (void)wspi_app_last(c, false, WSPI_SMB_STATUS, &status);
    return &tokens[before == setup && status == WSPI_SMB_MORE_PROCESSING ? AUTHENTICATE : INIT];
}

size_t wspi_smb_token_size(const wspi_coder *c)
{
    return sampled_token(c)->n;
}

/* Encoding: what the n bytes at b begin like. */
static uint64_t token_at(const uint8_t *b, size_t n)
{
    static const uint8_t kerberos[] = {0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12};
    uint64_t wrap = b[0] == 0x60 ? 4 : b[0] == 0xa1 ? 8 : 0, is = 0;
    size_t len = sizeof SIGNATURE - 1;

    n = WSPI_MIN(n, (size_t)160);
    for (size_t i = 0; i + NTLM <= n && !is; i++)
        if (memcmp(b + i, SIGNATURE, len) == 0 && b[i + 8] >= 1 && b[i + 8] <= 3)
            is = b[i + 8];
    if (is && (wrap || memcmp(b, SIGNATURE, len) == 0))
        return wrap + is;
    /* of what is offered the first is meant: an initial token that has one begins with Kerberos' number */
    for (size_t i = 0; wrap == 4 && i + sizeof kerberos <= WSPI_MIN(n, (size_t)40); i++)
        if (memcmp(b + i, kerberos, sizeof kerberos) == 0)
            return 12;
    return wrap;
}

void wspi_smb_put_token(wspi_coder *c)
{
    const sampled *s = sampled_token(c);

    for (size_t i = 0; i < s->n; i++) {
        bool random = i >= s->from && i < s->to;
        wspi_app_put(c, 1, random ? wspi_rng_u64(&c->rng) & 255 : (uint8_t)s->bytes[i]);
    }
}

void wspi_smb_token(wspi_coder *c, const wspi_smb_message *m, size_t n)
{
    uint64_t is = 0;

    if (n >= PEEK && wspi_smb_here(c, m, PEEK)) {
        if (c->enc)
            is = token_at(c->pay.in + c->pay.at,
                          WSPI_MIN(WSPI_MIN(n, m->end - c->pay.at), wspi_app_captured(c)));
        wspi_app_only(c, c->fill ? sampled_token(c)->row : 0, 1);
        (void)wspi_app_code(c, WSPI_SMB_BLOB, false, 0, is);
    }
    if (c->fill)
        wspi_smb_put_token(c);
}

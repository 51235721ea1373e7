/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h: application protocols in payloads. A protocol is a table of fields, which makes its tokens, and a walk over one
 * payload, which says in which order they come. The walk is written once with the calls below and serves encoding
 * (bytes are read, tokens come out), decoding (tokens are read, bytes come out) and the grammar. A payload that does not
 * fit is coded as plain bytes.
 */
#ifndef WSPI_APP_H
#define WSPI_APP_H

#include "token/token_int.h"

enum { WSPI_APP_TOKENS = 400 }; /* a payload that takes more is plain bytes */

enum { WSPI_OVER_TCP = 1, WSPI_OVER_UDP = 2 };

/* Samples: whose turn it is on a connection. */
enum { WSPI_ANYONE, WSPI_CLIENT_FIRST, WSPI_IN_TURN, WSPI_SERVER_FIRST };

typedef struct wspi_app {
    wspi_proto proto;   /* name and fields; len 0 */
    uint8_t over;       /* transports: WSPI_OVER_... */
    uint8_t drawn_over; /* samples: others, over which it is plain bytes when it is read */
    bool (*looks)(const uint8_t *b, size_t n); /* can [0, n) be the start of a message? n > 0 */
    /* In the place of looks: where bytes are of several protocols, what the flow has had decides. The payload is c->pay.in. */
    bool (*takes)(const wspi_coder *c);
    bool certain; /* asked before the others: its messages begin with random bytes */
    void (*walk)(wspi_coder *c);
    uint16_t ports[4]; /* where it is usual; samples use it there only, and nothing else there */
    struct {
        uint16_t from, to;
    } clients[3];      /* where clients have a port of their own; elsewhere it is a dynamic one */
    bool clients_only; /* none comes from elsewhere */
    bool ports_only;   /* samples use it on these ports only; without ports: never */
    uint8_t turns;     /* samples: WSPI_CLIENT_FIRST ... */
    bool (*may_speak)(const wsp_context *ctx, int dir); /* samples: NULL, or after the first */
    /* Samples: NULL (both have spoken, and in turns the server last), or: was enough said for a FIN? */
    bool (*may_end)(const wsp_context *ctx);
    uint32_t (*goes_on)(const wsp_context *ctx,
                        int dir); /* samples: NULL, or: bytes that are left of a message */
    bool strict;                  /* samples: turns are those of datagrams, too */
    bool once;                    /* samples: one datagram of a server answers a question */
    bool (*answers)(
        const wsp_context *ctx); /* samples, once: NULL (all do), or: was its last one an answer? */
    bool rests;                  /* samples: nobody has to speak where it may end */
    uint64_t changes; /* fields (FREE) of which samples may say that they change, a bit each */
} wspi_app;

/* Application protocols in the order of the vocabulary: append only. */
enum wspi_app_id {
    WSPI_APP_DNS = WSPI_LAYER_COUNT,
    WSPI_APP_TLS,
    WSPI_APP_NTP,
    WSPI_APP_MODBUS,
    WSPI_APP_HTTP,
    WSPI_APP_DHCP,
    WSPI_APP_QUIC,
    WSPI_APP_DNP3,
    WSPI_APP_S7COMM,
    WSPI_APP_STUN,
    WSPI_APP_SSDP,
    WSPI_APP_SIP,
    WSPI_APP_RTSP,
    WSPI_APP_RADIUS,
    WSPI_APP_MQTT,
    WSPI_APP_DHCPV6,
    WSPI_APP_COAP,
    WSPI_APP_TFTP,
    WSPI_APP_BACNET,
    WSPI_APP_SMTP,
    WSPI_APP_POP3,
    WSPI_APP_IMAP,
    WSPI_APP_FTP,
    WSPI_APP_SSH,
    WSPI_APP_SNMP,
    WSPI_APP_LDAP,
    WSPI_APP_KERBEROS,
    WSPI_APP_SYSLOG,
    WSPI_APP_REDIS,
    WSPI_APP_RPC,
    WSPI_APP_RTP,
    WSPI_APP_DTLS,
    WSPI_APP_IKE,
    WSPI_APP_DCERPC,
    WSPI_APP_DCERPC_CL,
    WSPI_APP_SMB,
    WSPI_APP_END
};
extern const wspi_app wspi_app_dns, wspi_app_tls, wspi_app_ntp, wspi_app_modbus, wspi_app_http,
    wspi_app_dhcp, wspi_app_quic, wspi_app_dnp3, wspi_app_s7comm, wspi_app_stun, wspi_app_ssdp,
    wspi_app_sip, wspi_app_rtsp;
extern const wspi_app wspi_app_radius, wspi_app_mqtt, wspi_app_dhcpv6, wspi_app_coap, wspi_app_tftp,
    wspi_app_bacnet;
extern const wspi_app wspi_app_smtp, wspi_app_pop3, wspi_app_imap, wspi_app_ftp;
extern const wspi_app wspi_app_ssh;
extern const wspi_app wspi_app_snmp, wspi_app_ldap, wspi_app_kerberos;
extern const wspi_app wspi_app_syslog, wspi_app_redis, wspi_app_rpc;
extern const wspi_app wspi_app_rtp;
extern const wspi_app wspi_app_dtls;
extern const wspi_app wspi_app_ike;
extern const wspi_app wspi_app_dcerpc, wspi_app_dcerpc_cl;
extern const wspi_app wspi_app_smb;

/* The row of a network layer or of an application protocol. */
const wspi_proto *wspi_proto_of(uint8_t id);

/* Tokens of a packet that models of all sizes read (max_tokens of wirespeak/model.h): samples go on behind them without one. */
enum { WSPI_READ = 64 };

/* May samples say that a field of an application protocol changes? */
bool wspi_app_changes(uint8_t app, size_t f);
/* Application protocol that is usual on a port of WSPI_TCP or WSPI_UDP and that samples may have, or 0. */
uint8_t wspi_app_of_port(uint16_t port, uint8_t transport);
/* Do samples of servers have this port? */
bool wspi_app_serves(uint16_t port, uint8_t transport);
/* Do samples of clients have this port? */
bool wspi_app_asks_from(uint16_t port, uint8_t transport);
/* May they ask a port from this one? (0: from a dynamic one) */
bool wspi_app_asks(uint16_t from, uint16_t to, uint8_t transport);
/*
 * Samples of a connection on a port of WSPI_TCP that has a protocol: is it this direction's turn to have a payload? Which
 * one has to (-1: none)? May the connection end?
 */
bool wspi_app_may_speak(const wsp_context *ctx, int dir);
int wspi_app_owes(const wsp_context *ctx);
bool wspi_app_may_end(const wsp_context *ctx);
/* The same of datagrams: are turns theirs, too? May this direction have one? May there be no more? */
bool wspi_app_has_turns(const wsp_context *ctx);
bool wspi_app_may_send(const wsp_context *ctx, int dir);
bool wspi_app_may_stop(const wsp_context *ctx);
/* Has the server's datagram answered, so that it waits for the next question? */
bool wspi_app_has_answered(const wsp_context *ctx);
/* A segment has at least so many bytes of the message that goes on: the others could have come with it. */
uint32_t wspi_app_goes_on(const wsp_context *ctx, int dir);
/* May its last payload come with the end? A question is answered first, and none is asked behind the other end. */
bool wspi_app_ends_with(const wsp_context *ctx, int dir);

/* A TLS hello up to `end` in a payload of another protocol, whose fields it leaves as they were. */
void wspi_tls_hello(wspi_coder *c, size_t end, bool client);

/* What a hello of DTLS is predicted to have, and then has. Versions as in TLS, of which DTLS 1.0 is 0x0301. */
typedef struct wspi_dtls_hello {
    uint16_t version, cipher;
    uint8_t cookie;  /* its length */
    bool may_be_old; /* samples: of a client's hello, version 1.0 */
} wspi_dtls_hello;
/* The body of one, up to `end`. */
void wspi_dtls_say_hello(wspi_coder *c, size_t end, bool client, wspi_dtls_hello *hello);
/* The version's number in TLS of its number in DTLS, and the other way round (RFC 6347 4.1: the 1's complement). */
uint16_t wspi_dtls_version(uint64_t v);

/* The protocol of that name, in any case; 0: there is none. */
uint8_t wspi_app_named(const char *name);
/* Samples: the port without which the protocol is none, over that transport; 0: any will do, or none. */
uint16_t wspi_app_home(uint8_t app, uint8_t transport);
/* Samples: may a flow of that protocol, if it is one that is known by its port alone, have this one of the client's, or the server's? */
bool wspi_app_fits(uint8_t app, uint16_t port, uint8_t transport, bool client);
/* Do the bytes begin like a protocol over that transport that samples have on its ports only? n > 0 */
bool wspi_app_is_out_of_place(const uint8_t *b, size_t n, uint8_t transport);

/* The row of a value in a list that ends with a NULL name, or of the end; is it listed? */
static inline unsigned wspi_row_of(const wspi_value *list, uint64_t v)
{
    unsigned k = 0;

    while (list[k].name && list[k].value != v)
        k++;
    return k;
}

static inline bool wspi_app_is_listed(const wspi_value *list, uint64_t v)
{
    return list[wspi_row_of(list, v)].name != NULL;
}

/* Do the bytes begin like HTTP? */
bool wspi_http_looks(const uint8_t *b, size_t n);

/* Samples: datagrams of NetBIOS, which have a port, from which they come as well, and no grammar. false: it is none. */
bool wspi_browse_port(uint16_t port, uint8_t transport);
bool wspi_browse(wspi_coder *c);
/* A name of letters, in pairs of half bytes, 34 bytes: RFC 1001 14.1. */
void wspi_netbios_name(wspi_coder *c, uint8_t *b);

/* Make the tables of words and of cipher suites, with the vocabulary. */
void wspi_http_prepare(void);
void wspi_tls_prepare(void);

/* Codes the payload. false: it was left to plain bytes, from c->pay.at on. */
void wspi_code_app(wspi_coder *c);

/* ---- for walks ---- */

/* Is the payload one of a stream (TCP), not a datagram? */
bool wspi_app_is_stream(const wspi_coder *c);

/* Bytes of the payload that are still to come, on the wire; captured ones among them. A filler aims at its length. */
size_t wspi_app_left(const wspi_coder *c);
size_t wspi_app_captured(const wspi_coder *c);

/* Is the walk over, because something does not fit or the tokens have run out? Nothing is read, put or coded then. */
static inline bool wspi_app_stopped(const wspi_coder *c)
{
    return c->bad || c->need || c->pay.fail;
}

/* Encoding: this payload does not fit. Decoding: these tokens do not. */
void wspi_app_fail(wspi_coder *c);
void wspi_app_require(wspi_coder *c, bool fits);

/* Encoding: the captured bytes that come next. */
static inline const uint8_t *wspi_app_here(const wspi_coder *c)
{
    return c->pay.in + c->pay.at;
}

/* The next n bytes as a big-endian number, when encoding; written, when decoding. */
uint64_t wspi_app_get(wspi_coder *c, size_t n);
void wspi_app_put(wspi_coder *c, size_t n, uint64_t v);

/* Characters that always come here: what is read has to be them. Those that are put: a sample's, whose tokens are told already. */
void wspi_app_literal(wspi_coder *c, const char *s);
void wspi_app_put_bytes(wspi_coder *c, const char *s, size_t n);

/*
 * The value of field f (ENUM, MAG or FREE) against a prediction: nothing if it is as predicted. Not `known`: nothing is
 * predicted, a token must come (none for FREE). The value is remembered for wspi_app_last.
 */
uint64_t wspi_app_code(wspi_coder *c, unsigned f, bool known, uint64_t want, uint64_t v);

/* A number of n bytes that is field f: get, code, put. */
uint64_t wspi_app_field(wspi_coder *c, unsigned f, size_t n, bool known, uint64_t want);

/* An element of a list: field f (ENUM) of n bytes if one is there, else false. `there` counts when encoding. */
bool wspi_app_element(wspi_coder *c, unsigned f, size_t n, bool there, uint64_t *v);
/* The same where the value is not a number of whole bytes that come next: the walk reads and writes them. */
bool wspi_app_next(wspi_coder *c, unsigned f, bool there, uint64_t *v);

/* Samples take only tokens [from, from + count) of the next field that is coded. */
void wspi_app_only(wspi_coder *c, unsigned from, unsigned count);

/* Samples: of field f, which was asked for last, tokens of these rows only; token k not. */
void wspi_app_keep(const wspi_coder *c, unsigned f, uint64_t rows);
void wspi_app_take_back(const wspi_coder *c, unsigned f, unsigned k);

/*
 * Samples: field f (FREE, of those that may change) is as predicted or, with its token, `other`, which the walk knows. `must`: it is
 * `other`.
 */
uint64_t wspi_app_either(wspi_coder *c, unsigned f, bool must, uint64_t want, uint64_t other);

/* n bytes that nobody learns from. */
void wspi_app_opaque(wspi_coder *c, size_t n);

/*
 * n bytes of text that belong to the field whose token came last (a policy that drops the field drops its text): tokens
 * for the first `shown`, residuals for the rest. Both sides know n. Samples are made of characters of the class.
 */
void wspi_app_text(wspi_coder *c, size_t n, size_t shown, enum wspi_text_class class);

/* A length in front of what it counts: n bytes wide. close checks it (encoding) or writes it (decoding). */
typedef struct wspi_app_span {
    size_t at, end; /* where the contents start, and where they end when encoding */
    size_t width;
} wspi_app_span;
wspi_app_span wspi_app_open(wspi_coder *c, size_t width);
void wspi_app_close(wspi_coder *c, wspi_app_span s);
/* Is there more in the span? Encoding and decoding of recorded tokens only know; the token of an element says it. */
bool wspi_app_inside(const wspi_coder *c, const wspi_app_span *s);

/* Samples: random numbers that are the same in all packets of a flow, others for each `what`. */
wspi_rng wspi_app_of_flow(const wspi_coder *c, uint64_t what);

/* A time since 1970 as NTP has it (RFC 5905 6): seconds since 1900, and 32 bits of one. */
uint64_t wspi_app_ntp_time(uint64_t ns);

/* The last value of field f in this direction (mine) or the other; false: there was no message yet. */
bool wspi_app_last(const wspi_coder *c, bool mine, unsigned f, uint64_t *v);

#endif

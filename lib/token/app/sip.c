/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sip.c: SIP over UDP and TCP (RFC 3261), one of the dialects of http.c. Whom it concerns (request target, Via, From, To,
 * Call-ID, Contact, credentials) is an identity: its length is told and its bytes are not. A response repeats most of them.
 */
#include "token/app/sip_lists.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    REGISTER,
    INVITE,
    OPTIONS,
    ACK,
    BYE,
    STARTS_SAMPLED,
    SUBSCRIBE,
    MESSAGE = 9,
    REFER = 11,
    RESPONSE = 14
};
static const wspi_value starts[] = {
    {REGISTER, "REGISTER"}, {INVITE, "INVITE"}, {OPTIONS, "OPTIONS"},  {ACK, "ACK"},
    {BYE, "BYE"},           {5, "CANCEL"},      {6, "SUBSCRIBE"},      {7, "NOTIFY"},
    {8, "PUBLISH"},         {9, "MESSAGE"},     {10, "INFO"},          {11, "REFER"},
    {12, "UPDATE"},         {13, "PRACK"},      {RESPONSE, "SIP/2.0"}, {0, NULL}};

static const wspi_value version[] = {{0, "2.0"}, {1, "2.0-lf"}, {2, "rest"}, {0, NULL}};
static const char *const versions[] = {" SIP/2.0\r\n", " SIP/2.0\n"};

/* Samples. */
#define VIA       "SIP/2.0/UDP %.example:5060;branch=z9hG4bK%"
#define ADDRESS   "<sip:%@%.example>"
#define CALL      "%@%.example"
#define CHALLENGE "realm=\"%\", nonce=\"%\""
/* RFC 8866 5: sound to an address of documents. */
static const char session[] =
    "v=0\r\no=% 1 1 IN IP4 192.0.2.1\r\ns=%\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 5004 RTP/AVP 0\r\na=%\r\n";

/* Name, then its row; the compact forms of RFC 3261 7.3.3 are names of their own. */
#define HEADERS(X)                                                                                \
    X(VIA, "Via", K_WHO, 0, ECHO, 0, 0, VIA, 0, 0)                                                \
    X(FROM, "From", K_WHO, 0, STAYS | ECHO, 0, 0, ADDRESS ";tag=%", 0, 0)                         \
    X(TO, "To", K_WHO, 0, STAYS | ECHO | TAGGED, 0, 0, ADDRESS, 0, 0)                             \
    X(CALL, "Call-ID", K_WHO, 0, STAYS | ECHO, 0, 0, CALL, 0, 0)                                  \
    X(SEQUENCE, "CSeq", K_SEQUENCE, 0, 0, 0, 0, NULL, 0, 0)                                       \
    X(HOPS, "Max-Forwards", K_NUMBER, 0, 0, 7, 1, NULL, 0, 0)                                     \
    X(CONTACT, "Contact", K_WHO, 0, STAYS | ANSWERS, 0, 0, ADDRESS, 0, 0)                         \
    X(LENGTH, "Content-Length", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                                 \
    X(USER_AGENT, "User-Agent", K_TEXT, 10, STAYS | ASKS | ANSWERS, 0, 0, "%/1.0", 3, 5)          \
    X(SERVER, "Server", K_TEXT, 10, ANSWERS, 0, 0, "%/1.0", 0, 0)                                 \
    X(ALLOW, "Allow", K_LIST, 8, STAYS | ECHO | ASKS | ANSWERS | SPELT, C_ALLOW, 4, NULL, 8, 1)   \
    X(SUPPORTED, "Supported", K_LIST, 8, STAYS | ECHO | ASKS | ANSWERS | SPELT, C_REPLACES_TIMER, \
      3, NULL, 0, 0)                                                                              \
    X(EXPIRES, "Expires", K_NUMBER, 0, ASKS, 7, 6, NULL, 0, 0)                                    \
    X(ACCEPT, "Accept", K_TEXT, 8, STAYS | KNOWN | ASKS | ANSWERS, C_SDP, 1, NULL, 0, 0)          \
    X(TYPE, "Content-Type", K_TEXT, 8, KNOWN | ASKS | ANSWERS, C_SDP, 1, NULL, 0, 0)              \
    X(EVENTS, "Allow-Events", K_LIST, 8, STAYS | ECHO | ASKS | ANSWERS | SPELT, C_PRESENCE, 7,    \
      NULL, 0, 0)                                                                                 \
    X(EVENT, "Event", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                  \
    X(SUBJECT, "Subject", K_WHO, 0, STAYS | ASKS, C_TEST, 1, NULL, 0, 0)                          \
    X(AUTHENTICATE, "WWW-Authenticate", K_WHO, 0, ANSWERS, 0, 0, CHALLENGE, 2, 1)                 \
    X(AUTHORIZATION, "Authorization", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                              \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                    \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                  \
    X(RECORD_ROUTE, "Record-Route", K_WHO, 0, ECHO, 0, 0, NULL, 0, 0)                             \
    X(ROUTE, "Route", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                          \
    X(DATED, "Date", K_DATE, 0, ASKS | ANSWERS, 0, 0, NULL, 0, 0)                                 \
    X(SESSION, "Session-Expires", K_TEXT, 8, 0, 0, 0, NULL, 0, 0)                                 \
    X(LEAST_SESSION, "Min-SE", K_NUMBER, 0, ASKS, 7, 5, NULL, 0, 0)                               \
    X(LEAST_EXPIRES, "Min-Expires", K_NUMBER, 0, 0, 0, 1, NULL, 0, 0)                             \
    X(REASON, "Reason", K_TEXT, 12, 0, 0, 0, NULL, 0, 0)                                          \
    X(WARNING, "Warning", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                          \
    X(REQUIRE, "Require", K_TEXT, 8, STAYS, 0, 0, NULL, 0, 0)                                     \
    X(UNSUPPORTED, "Unsupported", K_TEXT, 8, STAYS, 0, 0, NULL, 0, 0)                             \
    X(STATE, "Subscription-State", K_TEXT, 8, 0, 0, 0, NULL, 0, 0)                                \
    X(RETRY, "Retry-After", K_NUMBER, 0, 0, 0, 1, NULL, 0, 0)                                     \
    X(RELIABLE, "RSeq", K_NUMBER, 0, 0, 0, 1, NULL, 0, 0)                                         \
    X(RELIABLE_ACK, "RAck", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                        \
    X(REFER_TO, "Refer-To", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                        \
    X(REFERRED, "Referred-By", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                     \
    X(ASSERTED, "P-Asserted-Identity", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                         \
    X(PREFERRED, "P-Preferred-Identity", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                       \
    X(ASSOCIATED, "P-Associated-URI", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                          \
    X(HISTORY, "History-Info", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                 \
    X(REMOTE, "Remote-Party-ID", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                               \
    X(PRIVACY, "Privacy", K_TEXT, 8, STAYS, 0, 0, NULL, 0, 0)                                     \
    X(LANGUAGES, "Accept-Language", K_TEXT, 4, STAYS | KNOWN, C_ENGLISH, 0, NULL, 0, 0)           \
    X(ENCODINGS, "Accept-Encoding", K_TEXT, 4, STAYS, 0, 0, NULL, 0, 0)                           \
    X(DISPOSITION, "Content-Disposition", K_TEXT, 8, 0, 0, 0, NULL, 0, 0)                         \
    X(ALERT, "Alert-Info", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                         \
    X(PATH, "Path", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                            \
    X(MIME, "MIME-Version", K_TEXT, 4, STAYS, 0, 0, NULL, 0, 0)                                   \
    X(ETAG, "SIP-ETag", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                            \
    X(IF_MATCH, "SIP-If-Match", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                    \
    X(V, "v", K_WHO, 0, ECHO, 0, 0, NULL, 0, 0)                                                   \
    X(F, "f", K_WHO, 0, STAYS | ECHO, 0, 0, NULL, 0, 0)                                           \
    X(T, "t", K_WHO, 0, STAYS | ECHO, 0, 0, NULL, 0, 0)                                           \
    X(I, "i", K_WHO, 0, STAYS | ECHO, 0, 0, NULL, 0, 0)                                           \
    X(M, "m", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                                  \
    X(L, "l", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                                                   \
    X(C, "c", K_TEXT, 8, KNOWN, C_SDP, 0, NULL, 0, 0)                                             \
    X(K, "k", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                          \
    X(S, "s", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                                  \
    X(E, "e", K_TEXT, 4, 0, 0, 0, NULL, 0, 0)                                                     \
    X(O, "o", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                          \
    X(U, "u", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                          \
    X(R, "r", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                                      \
    X(CALL_2, "Call-Id", K_WHO, 0, STAYS | ECHO, 0, 0, CALL, 0, 0)                                \
    X(SEQUENCE_2, "Cseq", K_SEQUENCE, 0, 0, 0, 0, NULL, 0, 0)                                     \
    X(SEQUENCE_3, "CSEQ", K_SEQUENCE, 0, 0, 0, 0, NULL, 0, 0)                                     \
    X(VIA_2, "VIA", K_WHO, 0, ECHO, 0, 0, VIA, 0, 0)                                              \
    X(LENGTH_2, "Content-length", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                               \
    X(REFER_TO_2, "Refer-to", K_WHO, 0, 0, 0, 0, NULL, 0, 0)

#define HEADER_ROW(id, name, ...) {__VA_ARGS__},
enum { HEADERS(WSPI_HTTP_HEADER_ID) H_END };
static const wspi_value headers[] = {HEADERS(WSPI_HTTP_HEADER_VALUE){H_END, "end"}, {0, NULL}};
static const wspi_http_row rows[] = {HEADERS(HEADER_ROW){K_WHO, 0, 0, 0, 0, NULL, 0, 0}};

/* How values begin that are spelled, and that of the request. */
static const wspi_value prefixes[] = {
    {0, "SIP/2.0/TCP "},  {1, "SIP/2.0/TLS "}, {2, "Digest "},  {3, "Asterisk PBX "},
    {4, "FPBX-"},         {5, "Cisco-"},       {6, "Linphone"}, {7, "Zoiper "},
    {8, "INVITE, ACK, "}, {9, "application/"}, {10, "Q.850"},   {11, "active"},
    {12, "terminated"},   {13, "(asked)"},     {0, NULL}};

static const wspi_field fields[] = {
    WSPI_HTTP_FIELDS("sip", starts, version, statuses, headers, commons, prefixes, WSPI_R_NAME, 1),
    WSPI_HTTP_MORE("sip"), [SEQUENCE] = {WSPI_MAG("sip.sequence", 40, WSPI_R_NONE, 0)}};

/* RFC 3261 8.1.1; a response has those of the request (8.2.6.2). Bodies of samples are offers and answers of sessions. */
static const uint8_t ask[] = {H_VIA,  H_FROM,    H_TO,     H_CALL, H_SEQUENCE,
                              H_HOPS, H_CONTACT, H_LENGTH, ABSENT};
static const uint8_t answer[] = {H_VIA, H_FROM, H_TO, H_CALL, H_SEQUENCE, H_LENGTH, ABSENT};
static const uint8_t confirm[] = {H_VIA,      H_FROM, H_TO,     H_CALL,
                                  H_SEQUENCE, H_HOPS, H_LENGTH, ABSENT};
static const uint8_t *const asks[STARTS_SAMPLED] = {ask, ask, ask, confirm, confirm};
static const uint8_t *const answers[STARTS_SAMPLED] = {answer, answer, answer, answer, answer};

/* ---- samples: transactions, dialogs, credentials (RFC 3261 12, 17, 22) ---- */

/* Kept of requests: the target; of answers: the tag of To, the challenge. Each begins with its length; 0: none, or a longer one. */
enum { TARGET_ROOM = 96, TAG_ROOM = 24, CHALLENGE_ROOM = 72, TAG_AT = 0, CHALLENGE_AT = TAG_ROOM };
_Static_assert(TARGET_ROOM <= (WSPI_APP_FIELDS - KEPT) * 8 &&
                   TAG_ROOM + CHALLENGE_ROOM <= (WSPI_APP_FIELDS - KEPT) * 8,
               "there is room");

static const uint8_t *kept(const wspi_app_state *s, int dir, size_t at)
{
    return (const uint8_t *)&s->v[dir][KEPT] + at;
}

static void keep(wspi_app_state *s, int dir, size_t at, size_t room, const uint8_t *b, size_t n)
{
    uint8_t *to = (uint8_t *)&s->v[dir][KEPT] + at;

    *to = (uint8_t)(n < room ? n : 0);
    memcpy(to + 1, b, *to);
}

static bool is_sip(const wsp_context *ctx, int dir)
{
    return ctx->app.id[dir] == WSPI_APP_SIP;
}

/* The flow's last request; its answer so far, 0: none. That of what an ACK confirms is the ACK's. */
static uint64_t asked(const wsp_context *ctx)
{
    return is_sip(ctx, 0) ? ctx->app.v[0][START] : NEVER;
}

static uint64_t answered(const wsp_context *ctx)
{
    bool any = is_sip(ctx, 1) && (ctx->spoke == 1 || asked(ctx) == ACK);

    return any ? ctx->app.v[1][STATUS] : 0;
}

/* RFC 3261 17.1.1.3, 13.2.2.4: what comes next confirms the answer. */
static bool has_to_confirm(const wsp_context *ctx)
{
    return asked(ctx) == INVITE && answered(ctx) >= 200;
}

/* RFC 3261 22.2: what comes next is the same request with credentials: which one, or NEVER. */
static uint64_t to_repeat(const wsp_context *ctx)
{
    uint64_t k = asked(ctx);

    if (answered(ctx) != 401 || k == INVITE || k >= STARTS_SAMPLED)
        return NEVER;
    return k == ACK ? (uint64_t)INVITE : k;
}

/* The value of header k, or of one of its name, in the last request. */
static const uint8_t *recall(const wspi_http_message *w, unsigned k, size_t *n)
{
    const uint8_t *b = NULL;

    for (unsigned i = 0; i < H_END && !b; i++)
        if (wspi_http_is_alike(w->d, k, i))
            b = wspi_http_recall(w, headers[i].name, n);
    return b;
}

/* Bytes before the tag of an address, and *tag behind it; all of them and NULL if it has none. */
static size_t tag_of(const uint8_t *b, size_t n, const uint8_t **tag)
{
    static const char mark[] = ";tag=";

    *tag = NULL;
    for (size_t i = 0; i + sizeof mark - 1 <= n; i++)
        if (memcmp(b + i, mark, sizeof mark - 1) == 0) {
            *tag = b + i + sizeof mark - 1;
            return i;
        }
    return n;
}

static bool was_tagged(const wspi_http_message *w)
{
    size_t n = 0;
    const uint8_t *b = recall(w, H_TO, &n), *tag = NULL;

    if (b)
        (void)tag_of(b, n, &tag);
    return tag != NULL;
}

/* RFC 3261 12: has the last request one that goes on? */
static bool in_dialog(const wspi_http_message *w)
{
    const wsp_context *ctx = w->c->ctx;
    uint64_t k = asked(ctx);

    return k != NEVER && k != BYE && !(k == ACK && answered(ctx) >= 300) && was_tagged(w);
}

/* Is the request of the call of the last one? RFC 3261 8.1.1.4: within a dialog, or where a registration is renewed. */
enum { EITHER, SAME, NEW };

static uint8_t call_of(const wspi_http_message *w)
{
    const wsp_context *ctx = w->c->ctx;

    if (w->method == ACK || w->method == BYE || to_repeat(ctx) != NEVER)
        return SAME;
    if (in_dialog(w))
        return w->method == REGISTER ? NEW : EITHER;
    return w->method == REGISTER && asked(ctx) == REGISTER ? EITHER : NEW;
}

static bool may_start(const wspi_http_message *w, unsigned k)
{
    const wsp_context *ctx = w->c->ctx;

    if (w->c->dir)
        return true;
    if (has_to_confirm(ctx))
        return k == ACK;
    if (to_repeat(ctx) != NEVER)
        return k == to_repeat(ctx);
    return k != ACK && (k != BYE || in_dialog(w));
}

/* RFC 3261 13.3.1, 21.1; RFC 6665 8.3.1: statuses of some requests alone, a bit each. */
static const struct {
    uint16_t status, requests;
} of_requests[] = {{180, 1 << INVITE},
                   {183, 1 << INVITE},
                   {486, 1 << INVITE},
                   {202, 1 << SUBSCRIBE | 1 << MESSAGE | 1 << REFER},
                   {401, 1 << REGISTER | 1 << INVITE | 1 << OPTIONS}};

/* RFC 3261 22.1: credentials are asked for once, before there is a dialog. Who tries says so first. */
static bool may_answer(const wspi_http_message *w, unsigned status)
{
    const wsp_context *ctx = w->c->ctx;
    uint64_t k = asked(ctx);

    for (size_t i = 0; i < WSPI_COUNT(of_requests); i++)
        if (of_requests[i].status == status && !(k < RESPONSE && of_requests[i].requests >> k & 1))
            return false;
    if (status == 401)
        return !ctx->app.v[0][MARKS] && !was_tagged(w);
    return status != 100 || answered(ctx) == 0;
}

static bool is_listed(const wspi_http_message *w, const uint8_t *list, unsigned k)
{
    while (*list != ABSENT && !wspi_http_is_alike(w->d, k, *list))
        list++;
    return *list != ABSENT;
}

/* RFC 3261 13.3.1.4: who agrees to a call says to which session, before its length. The type is not there yet. */
static bool lacks_session(const wspi_http_message *w)
{
    return w->c->dir && asked(w->c->ctx) == INVITE && w->c->app.v[1][STATUS] == 200 &&
           !wspi_http_has(w, H_TYPE);
}

/* What answers return comes before what is not needed: as much of a request as is remembered has it then. */
static bool may_have(const wspi_http_message *w, unsigned k)
{
    static const uint8_t returned[] = {H_VIA, H_FROM, H_TO, H_CALL, ABSENT};
    const uint8_t *r = returned;

    if (lacks_session(w) && wspi_http_is_alike(w->d, k, H_LENGTH))
        return false;
    if (w->c->dir || is_listed(w, ask, k))
        return true;
    while (*r != ABSENT && wspi_http_has(w, *r))
        r++;
    return *r == ABSENT;
}

/* RFC 3261 22.2; 12.1.1: who agrees to a call says where he is. */
static unsigned has_to_have(const wspi_http_message *w)
{
    const wsp_context *ctx = w->c->ctx;

    if (!w->c->dir)
        return to_repeat(ctx) != NEVER && !wspi_http_has(w, H_AUTHORIZATION)
                   ? (unsigned)H_AUTHORIZATION
                   : (unsigned)ABSENT;
    if (lacks_session(w))
        return H_TYPE;
    return asked(ctx) == INVITE && w->c->app.v[1][STATUS] == 200 && !wspi_http_has(w, H_CONTACT)
               ? (unsigned)H_CONTACT
               : (unsigned)ABSENT;
}

static size_t copy(char b[WSPI_HTTP_DUE], const uint8_t *from, size_t n)
{
    if (!from || n > WSPI_HTTP_DUE)
        return 0;
    memcpy(b, from, n);
    return n;
}

/* The last request's To, with the answer's tag. */
static size_t with_tag(const wspi_http_message *w, const uint8_t *to, size_t n, char *b)
{
    const uint8_t *tag = kept(&w->c->ctx->app, 1, TAG_AT);

    if (!to || !is_sip(w->c->ctx, 1) || *tag == 0 || n > WSPI_HTTP_DUE - TAG_ROOM - 5)
        return 0;
    return (size_t)snprintf(b, WSPI_HTTP_DUE, "%.*s;tag=%.*s", (int)n, (const char *)to, *tag,
                            (const char *)tag + 1);
}

/* RFC 3261 12.2.1.1: within a dialog, and where it is confirmed, with the tag; where a refused request comes again, without it. */
static size_t due_to(const wspi_http_message *w, char *b)
{
    const uint8_t *tag = NULL, *to;
    size_t n = 0, bare, made = 0;

    to = recall(w, H_TO, &n);
    if (!to || (!w->c->dir && w->call != SAME))
        return 0;
    bare = tag_of(to, n, &tag);
    if (!tag && (w->c->dir || w->method == ACK))
        made = with_tag(w, to, n, b);
    if (made || (w->c->dir && !tag))
        return made;
    return copy(b, to, asked(w->c->ctx) == ACK && to_repeat(w->c->ctx) != NEVER ? bare : n);
}

/* What stands between quotes behind the name, or nothing. */
static int quoted(const uint8_t *b, const char *name, const char **at)
{
    const char *s = (const char *)b + 1, *end = s + *b, *quote;
    size_t n = strlen(name);

    for (; s + n < end; s++)
        if (memcmp(s, name, n) == 0) {
            *at = s + n;
            quote = memchr(*at, '"', (size_t)(end - *at));
            return quote ? (int)(quote - *at) : 0;
        }
    *at = "";
    return 0;
}

/* RFC 3261 22.4: of the user of From, to what was asked for. */
static size_t credentials(wspi_http_message *w, char *b)
{
    const uint8_t *challenge = kept(&w->c->ctx->app, 1, CHALLENGE_AT),
                  *target = kept(&w->c->app, 0, 0), *from;
    const char *realm, *nonce, *user = "", *at = NULL;
    size_t n = 0;
    int made, of_realm = quoted(challenge, "realm=\"", &realm),
              of_nonce = quoted(challenge, "nonce=\"", &nonce);

    from = recall(w, H_FROM, &n);
    if (from)
        user = memchr(from, ':', n);
    if (user && *user)
        at = memchr(user, '@', (size_t)((const char *)from + n - user));
    made = snprintf(b, WSPI_HTTP_DUE,
                    "Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"sip:%.*s\", "
                    "response=\"%016" PRIx64 "%016" PRIx64 "\"",
                    at ? (int)WSPI_MIN(at - user - 1, 60) : 0, at ? user + 1 : "", of_realm, realm,
                    of_nonce, nonce, *target, (const char *)target + 1, wspi_rng_u64(&w->c->rng),
                    wspi_rng_u64(&w->c->rng));
    return WSPI_MIN((size_t)made, (size_t)WSPI_HTTP_DUE - 1);
}

/* RFC 3261 8.1.1.7, 17.1.1.3: what confirms a refusal is of its transaction. */
static bool is_of_transaction(const wspi_http_message *w)
{
    return w->method == ACK && answered(w->c->ctx) >= 300;
}

/* ---- samples: a flow is of one user, who calls another one of his domain (RFC 3261 4) ---- */

enum { OF_USER, OF_PEER, OF_DOMAIN, OF_MACHINE, WORD_ROOM = 16, FRESH = 12 };

/* Some letters of the flow's. */
static const char *word(const wspi_coder *c, uint64_t what, char s[WORD_ROOM])
{
    wspi_rng r = wspi_app_of_flow(c, what);
    size_t n = 4 + (size_t)wspi_rng_below(&r, 8);

    for (size_t i = 0; i < n; i++)
        s[i] = (char)('a' + wspi_rng_below(&r, 26));
    s[n] = 0;
    return s;
}

/* FRESH letters, new ones each time. */
static const char *fresh(wspi_coder *c, char s[WORD_ROOM])
{
    for (size_t i = 0; i < FRESH; i++)
        s[i] = (char)('a' + wspi_rng_below(&c->rng, 26));
    s[FRESH] = 0;
    return s;
}

/* Behind "sip:": the user's address, that of whom he calls, where he is; a domain registers (10.2). */
static size_t user_at(const wspi_coder *c, uint64_t user, uint64_t where, char *b)
{
    char name[WORD_ROOM], at[WORD_ROOM];

    return (size_t)snprintf(b, WSPI_HTTP_DUE, "%s@%s.example", word(c, user, name),
                            word(c, where, at));
}

static size_t new_target(const wspi_http_message *w, char *b)
{
    char at[WORD_ROOM];

    return w->method == REGISTER
               ? (size_t)snprintf(b, WSPI_HTTP_DUE, "%s.example", word(w->c, OF_DOMAIN, at))
               : user_at(w->c, OF_PEER, OF_DOMAIN, b);
}

/* The n bytes at b, which are an address, in brackets. */
static size_t in_brackets(char *b, size_t n)
{
    static const char open[] = "<sip:";

    memmove(b + sizeof open - 1, b, n);
    memcpy(b, open, sizeof open - 1);
    b[sizeof open - 1 + n] = '>';
    return n + sizeof open;
}

/* RFC 3261 8.1.1.8, 12.2.1.1: where the user is; where he that was called is, which is where he was called: there the ACK goes. */
static size_t contact(const wspi_http_message *w, char *b)
{
    const uint8_t *at = kept(&w->c->ctx->app, 0, 0);

    if (w->c->dir == 0 || asked(w->c->ctx) == REGISTER)
        return in_brackets(b, user_at(w->c, OF_USER, OF_MACHINE, b));
    return *at ? in_brackets(b, copy(b, at + 1, *at)) : 0;
}

/* Who calls, and which call it is. */
static size_t new_value(const wspi_http_message *w, unsigned k, char *b)
{
    wspi_coder *c = w->c;
    char s[WORD_ROOM], at[WORD_ROOM];
    size_t n;

    if (wspi_http_is_alike(w->d, k, H_VIA))
        return (size_t)snprintf(b, WSPI_HTTP_DUE, "SIP/2.0/%s %s.example:5060;branch=z9hG4bK%s",
                                wspi_app_is_stream(c) ? "TCP" : "UDP", word(c, OF_MACHINE, at),
                                fresh(c, s));
    if (wspi_http_is_alike(w->d, k, H_CALL))
        return (size_t)snprintf(b, WSPI_HTTP_DUE, "%s@%s.example", fresh(c, s),
                                word(c, OF_MACHINE, at));
    if (wspi_http_is_alike(w->d, k, H_TO) && w->method != REGISTER)
        return in_brackets(b, user_at(c, OF_PEER, OF_DOMAIN, b));
    n = in_brackets(b, user_at(c, OF_USER, OF_DOMAIN, b));
    if (wspi_http_is_alike(w->d, k, H_FROM))
        n += (size_t)snprintf(b + n, WSPI_HTTP_DUE - n, ";tag=%s", fresh(c, s));
    return n;
}

static bool is_of_call(const wspi_http_message *w, unsigned k)
{
    return wspi_http_is_alike(w->d, k, H_VIA) || wspi_http_is_alike(w->d, k, H_FROM) ||
           wspi_http_is_alike(w->d, k, H_TO) || wspi_http_is_alike(w->d, k, H_CALL);
}

/* RFC 3261 8.2.6.2: answers return what they answer, whatever the case of its name. */
static bool is_as_before(const wspi_http_message *w, unsigned k)
{
    bool returns = w->c->dir, via = wspi_http_is_alike(w->d, k, H_VIA),
         call = wspi_http_is_alike(w->d, k, H_FROM) || wspi_http_is_alike(w->d, k, H_CALL);

    return (via && (returns || is_of_transaction(w))) || (call && (returns || w->call == SAME));
}

static size_t due(wspi_http_message *w, unsigned k, char b[WSPI_HTTP_DUE])
{
    const uint8_t *last;
    size_t n = 0;

    if (wspi_http_is_alike(w->d, k, H_CONTACT))
        return contact(w, b);
    if (!w->c->dir && k == H_AUTHORIZATION)
        return credentials(w, b);
    if (wspi_http_is_alike(w->d, k, H_TO)) {
        n = due_to(w, b);
    } else if (is_as_before(w, k)) {
        last = recall(w, k, &n);
        n = copy(b, last, n);
    }
    return n || w->c->dir || !is_of_call(w, k) ? n : new_value(w, k, b);
}

/* RFC 3261 8.1.1.3, 8.1.1.4: another call has another number and tag, and is of no dialog yet. */
static bool is_fresh(const wspi_http_message *w, unsigned k)
{
    if (w->c->dir || w->call != NEW)
        return false;
    return wspi_http_is_alike(w->d, k, H_FROM) || wspi_http_is_alike(w->d, k, H_CALL) ||
           (wspi_http_is_alike(w->d, k, H_TO) && was_tagged(w));
}

/* Lines that answers return; of requests all but those that have to be others. */
static bool may_repeat(const wspi_http_message *w, unsigned k)
{
    char b[WSPI_HTTP_DUE];
    const uint8_t *to;
    size_t n = 0, len;

    if (w->c->dir)
        return rows[k].flags & ECHO && (!wspi_http_is_alike(w->d, k, H_TO) || was_tagged(w));
    if (wspi_http_is_alike(w->d, k, H_VIA))
        return is_of_transaction(w);
    if (is_fresh(w, k))
        return false;
    if (!wspi_http_is_alike(w->d, k, H_TO))
        return true;
    to = recall(w, H_TO, &n);
    len = w->call == SAME ? due_to(w, b) : new_value(w, H_TO, b);
    return len == 0 || (to && len == n && memcmp(b, to, n) == 0);
}

/* RFC 3261 12.2.1.1, 22.2: of the same call, where the last request went. One that goes elsewhere is of another. */
static size_t target(wspi_http_message *w, char b[WSPI_HTTP_DUE], bool *must)
{
    const uint8_t *last = kept(&w->c->ctx->app, 0, 0);

    w->call = call_of(w);
    if (w->call == EITHER)
        w->call = wspi_rng_below(&w->c->rng, 4) ? SAME : NEW;
    *must = true;
    return w->call == SAME && is_sip(w->c->ctx, 0) && *last > 0 ? copy(b, last + 1, *last)
                                                                : new_target(w, b);
}

/* Samples: the first of these lines decides which call it is. */
static void note_call(wspi_http_message *w, unsigned k, bool same)
{
    bool tells = k == H_END
                     ? !same
                     : wspi_http_is_alike(w->d, k, H_FROM) || wspi_http_is_alike(w->d, k, H_TO) ||
                           wspi_http_is_alike(w->d, k, H_CALL);

    if (tells && w->call == EITHER)
        w->call = same ? SAME : NEW;
}

static void note_request(wspi_http_message *w, unsigned k, const uint8_t *b, size_t n, bool again)
{
    wspi_app_state *s = &w->c->app;
    const uint8_t *last = kept(&w->c->ctx->app, 0, 0), *value = last + 1;
    size_t len = is_sip(w->c->ctx, 0) ? *last : 0;
    bool same, call = wspi_http_is_alike(w->d, k, H_CALL);

    if (k == H_END)
        keep(s, 0, 0, TARGET_ROOM, b, n);
    else if (!call && !w->c->fill) /* recorded ones decide nothing */
        return;
    else
        value = again ? NULL : recall(w, k, &len);
    same = again || (value && n == len && memcmp(b, value, n) == 0);
    if (call && !same)
        keep(s, 1, TAG_AT, TAG_ROOM, b, 0);
    if (w->c->fill)
        note_call(w, k, same);
}

static void noted(wspi_http_message *w, unsigned k, size_t at, bool again)
{
    wspi_coder *c = w->c;
    const uint8_t *b = (c->enc ? c->pay.in : c->pay.out->data) + at, *tag;
    size_t n = c->pay.at - at;

    if (!(w->mode & ANSWER)) {
        if (c->dir == 0)
            note_request(w, k, b, n, again);
    } else if (c->dir == 1 && !again && wspi_http_is_alike(w->d, k, H_TO)) {
        (void)tag_of(b, n, &tag);
        if (tag)
            keep(&c->app, 1, TAG_AT, TAG_ROOM, tag, (size_t)(b + n - tag));
    } else if (c->dir == 1 && !again && k == H_AUTHENTICATE) {
        keep(&c->app, 1, CHALLENGE_AT, CHALLENGE_ROOM, b, n);
    }
}

static const wspi_http_need by_status[] = {{401, H_AUTHENTICATE, false}, {0, 0, false}};
static const uint8_t marked[] = {H_AUTHORIZATION, ABSENT};

static const wspi_http_rules rules = {.by_status = by_status,
                                      .marked = marked,
                                      .range = NEVER,
                                      .lasts = NEVER,
                                      .alive = NEVER,
                                      .confirms = ACK,
                                      .may_start = may_start,
                                      .may_answer = may_answer,
                                      .may_have = may_have,
                                      .has_to_have = has_to_have,
                                      .due = due,
                                      .is_fresh = is_fresh,
                                      .may_repeat = may_repeat,
                                      .target = target,
                                      .noted = noted};

static wspi_http_words words;
const wspi_http_dialect wspi_sip = {
    .starts = starts,
    .statuses = statuses,
    .commons = commons,
    .headers = headers,
    .prefixes = prefixes,
    .rows = rows,
    .versions = versions,
    .version = " SIP/2.",
    .digits = 1,
    .target = "sip:",
    .target_shape = "%.example",
    .asks = asks,
    .answers = answers,
    .response = RESPONSE,
    .n_starts = WSPI_COUNT(starts) - 1,
    .n_versions = WSPI_COUNT(versions),
    .n_commons = COMMON_COUNT,
    .n_headers = H_END,
    .n_prefixes = WSPI_COUNT(prefixes) - 2,
    .starts_sampled = STARTS_SAMPLED,
    .versions_sampled = 1,
    .statuses_sampled = 8,
    .answers_sampled = 1,
    .host = NEVER,
    .agent = NEVER,
    .sized = H_LENGTH,
    .typed = H_TYPE,
    .session = session,
    .coded = {NEVER, NEVER},
    .login = NEVER,
    .realm = H_AUTHENTICATE,
    .bodyless = {NEVER, NEVER},
    .bodies = {INVITE, 1},
    .flags = REPEATS | ORDERED | METHOD_TOLD | FREELY,
    .mixed = 3, /* where to, how far and how long */
    .memory = WSPI_NAME_MAX,
    .words = &words,
    .rules = &rules,
};

static bool looks(const uint8_t *b, size_t n)
{
    return wspi_http_begins(&wspi_sip, b, n);
}

static void walk(wspi_coder *c)
{
    wspi_http_walk(c, &wspi_sip);
}

static bool goes_on(const wsp_context *ctx, int dir)
{
    return is_sip(ctx, dir) && ctx->app.left[dir];
}

/* RFC 3261 8.2.6, 17.1.1: a request has one final answer, an ACK none; a call that is being made waits for its own. */
static bool may_speak(const wsp_context *ctx, int dir)
{
    uint64_t k = asked(ctx), status = answered(ctx);

    if (goes_on(ctx, 0) || goes_on(ctx, 1))
        return goes_on(ctx, dir);
    if (dir)
        return k != NEVER && k != ACK && status < 200;
    return k != INVITE || status == 0 || status >= 200;
}

/* RFC 3261 13.2.2.4, 17.1.1.2: not before a final answer to INVITE is confirmed. */
static bool may_end(const wsp_context *ctx)
{
    bool connection = ctx->sent[0] | ctx->sent[1];

    return !has_to_confirm(ctx) && !goes_on(ctx, 0) && !goes_on(ctx, 1) &&
           (!connection || (ctx->app.seen[0] && ctx->app.seen[1]));
}

const wspi_app wspi_app_sip = {
    .proto = {.name = "sip", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP | WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {5060},
    .clients = {{5060, 5060}},
    .turns = WSPI_CLIENT_FIRST,
    .may_speak = may_speak,
    .may_end = may_end,
    .strict = true,
    .ports_only = true,
};

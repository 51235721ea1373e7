/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_text.c: what the text of samples' replies may speak of. It is for people, any words do, but what common servers say to one
 * command is no answer to another one: nobody has logged in who says goodbye. And the numbers of a mail drop, which agree.
 */
#include "token/app/lines.h"

enum { MAX_ASKS = 4 };
/* Phrases that answer these questions and no others; of none: samples ask nothing that they answer. */
typedef struct topic {
    const char *asks[MAX_ASKS];
    const char *const *phrases;
} topic;
#define SAYS(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static const topic smtp[] = {
    {{"EHLO", "HELO"},
     SAYS("Hello", "pleased to meet you", "at your service", "5.5.4 Syntax: EHLO hostname",
          "5.5.4 Syntax: HELO hostname")},
    {{"MAIL FROM:<"},
     SAYS("2.1.0", "2.1.0 Ok", "2.1.0 OK", "2.1.0 Sender OK", "Sender ok", "Sender",
          "5.5.1 Error: nested MAIL command")},
    {{"RCPT TO:<"},
     SAYS("2.1.5", "2.1.5 Ok", "2.1.5 OK", "2.1.5 Recipient OK", "Recipient ok", "Recipient",
          "5.7.1 Relaying denied", "5.7.1 Relay access denied", "Relay not permitted",
          "5.5.1 Error: need MAIL command")},
    {{"DATA"},
     SAYS("2.0.0 Ok: queued", "Ok: queued as", "queued as", "queued", "OK id=",
          "mail queued for delivery", "Message accepted for delivery", "bytes", "byte chunk, total",
          "Ok:", "ok:", "5.5.1 Error: need RCPT command", "valid RCPT command must precede DATA")},
    {{"RSET"}, SAYS("2.0.0 Resetting", "Reset OK")},
    {{"DATA", "RSET", "NOOP", "QUIT"}, SAYS("2.0.0 Ok", "2.0.0 OK", "2.0.0")},
    {{NULL},
     SAYS("2.7.0", "TLS go ahead", "2.0.0 Ready to start TLS", "Ready to start TLS",
          "2.7.0 Authentication successful", "Authentication succeeded",
          "AUTHENTICATION SUCCESSFUL", "VXNlcm5hbWU6", "UGFzc3dvcmQ6",
          "5.5.4 Syntax: BDAT count [LAST]", "5.5.1 Error: send HELO/EHLO first", "AUTH", "LIMITS",
          "REQUIRETLS", "XCLIENT", "XFORWARD", "CRAM-MD5", "DIGEST-MD5", "LOGIN", "PLAIN", "NTLM",
          "GSSAPI", "XOAUTH2", "X-EXPS", "XRDST", "X-LINK2STATE", "XEXCH50")},
    {{NULL}, NULL}};
static const topic pop3[] = {
    {{"USER"}, SAYS("User accepted", "Password required", "Send your password")},
    {{"PASS"},
     SAYS("Logged in.", "logged in.", "User logged in", "Pass accepted", "mailbox locked and ready",
          "maildrop locked and ready", "Authentication failed.", "[AUTH] Authentication failed.",
          "Login failed.", "maildrop already locked", "mailbox has", "authentication",
          "Authentication", "login", "[AUTH]", "[IN-USE]")},
    {{"DELE"}, SAYS("Marked to be deleted.", "message deleted", "deleted")},
    {{"QUIT"}, SAYS("Logging out.", "Bye", "Bye-bye.", "Goodbye.", "Closing mailbox", "Sayonara")},
    {{"RETR", "TOP", "LIST", "DELE"},
     SAYS("no such message", "There's no message", "Invalid message number")},
    {{"UIDL"}, SAYS("no such message", "There's no message", "Invalid message number")},
    {{"RETR", "TOP"}, SAYS("octets", "octets)", "octets.")},
    {{"PASS", "RSET"}, SAYS("messages", "messages:", "message", "new", "visible", "has")},
    {{NULL},
     SAYS("Begin TLS negotiation now.", "Capability list follows",
          "Capability list follows:", "listing follows", "unique-id listing follows",
          "scan listing follows", "CAPA", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE",
          "PIPELINING", "USER", "SASL PLAIN", "SASL PLAIN LOGIN", "SASL LOGIN PLAIN", "SASL",
          "STLS", "EXPIRE NEVER", "EXPIRE", "LOGIN-DELAY", "IMPLEMENTATION", "UTF8", "LANG",
          "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "XOAUTH2", "GSSAPI")},
    {{NULL}, NULL}};
static const topic imap[] = {
    {{"CAPABILITY"}, SAYS("Pre-login capabilities listed, post-login capabilities have more.")},
    {{"LOGIN"}, SAYS("Logged in")},
    {{NULL}, NULL}};
static const topic ftp[] = {
    {{"TYPE I"}, SAYS("Switching to Binary mode.", "Type set to I", "Type set to I.")},
    {{"TYPE A"}, SAYS("Switching to ASCII mode.", "Type set to A", "Type set to A.")},
    {{"PORT"},
     SAYS("PORT command successful. Consider using PASV.", "PORT command successful",
          "PORT command successful.")},
    {{"NOOP"}, SAYS("NOOP ok.")},
    {{"OPTS UTF8 ON"}, SAYS("Always in UTF8 mode.")},
    {{"LIST", "NLST", "MLSD"},
     SAYS("Here comes the directory listing.", "Opening ASCII mode data connection for file list",
          "Opening ASCII mode data connection for file list.",
          "Opening data channel for directory listing", "Directory send OK.")},
    {{"STOR"}, SAYS("Ok to send data.")},
    {{"RETR", "STOR"}, SAYS("File successfully transferred", "Failed to open file.")},
    {{"ABOR"}, SAYS("ABOR command successful")},
    {{"CWD", "CDUP"},
     SAYS("Directory successfully changed.", "CWD command successful", "CWD command successful.",
          "Failed to change directory.")},
    {{"DELE"}, SAYS("Delete operation successful.", "File removed")},
    {{"RMD"}, SAYS("Remove directory operation successful.")},
    {{"MKD"}, SAYS("Create directory operation failed.")},
    {{"RNFR"}, SAYS("Ready for RNTO.", "File exists, ready for destination name")},
    {{"REST"}, SAYS("Restart position accepted")},
    {{"SIZE"}, SAYS("SIZE not allowed in ASCII mode", "Could not get file size.")},
    {{"PASS"}, SAYS("Login incorrect.", "Login or password incorrect", "User cannot log in")},
    {{NULL}, SAYS("EPRT command successful", "Rename successful.")},
    {{NULL}, NULL}};

/* In the order of their numbers. */
static const topic *const topics[] = {smtp, pop3, imap, ftp};

static bool is_among(const char *const *list, size_t n, const char *s)
{
    for (size_t i = 0; i < n && list[i]; i++)
        if (strcmp(list[i], s) == 0)
            return true;
    return false;
}

/* Is a phrase of one of these sets one of the row? Greetings come first and never again; what is listed is in lists. */
static bool is_of_row(const wsp_context *ctx, uint8_t app, unsigned row, uint64_t sets)
{
    const uint64_t *script = wspi_lines_of(app)->rows[row].script;
    uint64_t said = script[0] | script[1] | script[2];

    if (said & M_GREET)
        said = ctx->app.id[0] == app || ctx->app.id[1] == app ? said & ~M_GREET : M_GREET;
    if (sets & M_MORE)
        return said & M_MORE;
    return !sets || sets & said;
}

/* RFC 2034 4: a status begins with the digit that the code begins with. */
static bool is_of_code(const char *code, const char *text)
{
    bool status = text[0] >= '2' && text[0] <= '5' && text[1] == '.' && text[2] && text[3] == '.';

    return !status || text[0] == code[0];
}

bool wspi_dialog_speaks(const wsp_context *ctx, uint8_t app, unsigned row, unsigned item)
{
    const wspi_lines *g = wspi_lines_of(app);
    const char *text = g->items[item].name, *ask = wspi_dialog_asked(ctx, app);
    bool of_another = false;

    if (!is_of_row(ctx, app, row, g->sets[item]) || !is_of_code(g->lines[row].name, text))
        return false;
    for (const topic *t = topics[app - WSPI_APP_SMTP]; t->phrases; t++) {
        if (!is_among(t->phrases, SIZE_MAX, text))
            continue;
        if (ask && is_among(t->asks, MAX_ASKS, ask))
            return true;
        of_another = true;
    }
    return !of_another;
}

/* ---- POP3: how many mails there are, and how long (RFC 1939 5) ---- */

enum { LEAST_MAIL = 16, MOST_MAIL = 1023 /* of one that samples have, in a segment */ };

static bool is_word(const char *word, const char *s)
{
    return word && strcmp(word, s) == 0;
}

/* The question that a number belongs to, in a line of the client's own or in what answers; NULL: it is no mail drop's. */
static const char *about(const wspi_coder *c, unsigned row)
{
    const wspi_lines *g = &wspi_lines_pop3;

    if (c->pay.app != WSPI_APP_POP3 || row < FIRST_LINE || row >= g->n_lines)
        return NULL;
    if (c->dir == 0)
        return g->lines[row].name;
    return g->rows[row].flags & OPENS ? wspi_dialog_asked(c->ctx, c->pay.app) : NULL;
}

void wspi_dialog_counted(wspi_coder *c, unsigned row, unsigned place, uint64_t v)
{
    const char *ask = about(c, row);

    if (wspi_app_stopped(c))
        return;
    if (c->dir && is_word(ask, "STAT") && place < 2)
        c->app.v[1][MAILS + place] = v;
    else if (c->dir == 0 && is_word(ask, "DELE"))
        c->app.v[1][MAILS] = c->app.v[1][OCTETS] = 0;
}

void wspi_dialog_range(const wspi_coder *c, unsigned row, unsigned place, uint64_t *least,
                       uint64_t *most)
{
    const wspi_app_state *s = &c->app;
    const char *ask = about(c, row);
    uint64_t mails = s->v[1][MAILS], octets = s->v[1][OCTETS];
    bool of_one = is_word(ask, "LIST") || is_word(ask, "UIDL"), length;

    if (!ask)
        return;
    length = is_word(ask, "RETR") ? place == 0 : place == 1 && is_word(ask, "LIST");
    if (c->dir == 0 && place == 0 && mails)
        *least = 1, *most = mails;
    else if (c->dir && place == 0 && of_one)
        *least = *most = s->v[0][NUMBER];
    else if (c->dir && place < 2 && is_word(ask, "STAT") && octets)
        *least = *most = s->v[1][MAILS + place];
    else if (c->dir && (length || (place == 1 && is_word(ask, "STAT"))) && mails == 1)
        *least = LEAST_MAIL, *most = MOST_MAIL;
    if (c->dir && length && mails == 1 && octets >= LEAST_MAIL && octets <= MOST_MAIL)
        *least = *most = octets;
}

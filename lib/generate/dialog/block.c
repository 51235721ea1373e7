/* SPDX-License-Identifier: Apache-2.0 */
/* block.c: dialogs of disks over a network: iSCSI. */
#include "generate/dialog/dialog.h"

/*
 * iSCSI (RFC 7143, section 11; commands are SCSI's, SPC-4 and SBC-3). A header has 48 bytes, data behind it are filled up to words:
 *
 *     | opcode 8 | flags 8 | ... 16 | 0 8 | length 24 | unit 64 | task 32 | ... 224 |
 */
enum opcode {
    NOP_OUT,
    COMMAND,
    LOGIN = 0x43, /* at once */
    DATA_OUT = 0x05,
    NOP_IN = 0x20,
    RESPONSE,
    LOGIN_RESPONSE = 0x23,
    DATA_IN = 0x25,
    READY_TO_TRANSFER = 0x31
};

enum { SHORTER = 2, WITH_STATUS = 1 }; /* flags of DATA_IN */
enum { HEADER = 48, WORD = 4, BLOCK = 512, FINAL = 0x80 };

/* Where fields lie */
enum {
    LENGTH = 5,
    UNIT = 8,
    TASK_AT = 16,
    TRANSFER = 20,
    NUMBERS = 24,
    DATA_NUMBER = 36,
    BUFFER = 40,
    DESIRED = 44,
    RESIDUAL = 44,
    CDB = 32
};

/* kept: what comes next, numbers of tasks, commands and answers, the command, and its bytes: how many are left, where, in which message */
enum { STATE, TASKS, COMMANDS, STATUSES, ASKED, LEFT, OFFSET, SENT };

enum state { START, LOGGING_IN, IDLE, ASKING, READING, WRITING, SENDING, WRITTEN };

/*
 * What a client asks about: the command; the answer, that grows by parts of `step` bytes, numbered or not, up to `most`, and tells its
 * length, but for `less` bytes, at length_at.
 */
static const struct {
    uint8_t cdb[10], answer[36], size, step;
    uint16_t most;
    uint8_t length_at, length_bytes, less;
    bool numbered;
} questions[] = {
    {.cdb = {0x00}}, /* is it ready? */
    {.cdb = {0x12, 0, 0, 0, 252},
     .answer = {0,   0,   5,   2,   0,   0,   0,   2,   'L', 'I', 'O', '-',
                'O', 'R', 'G', ' ', 'd', 'i', 's', 'k', ' ', ' ', ' ', ' ',
                ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', '4', '.', '0', ' '},
     .size = 36,
     .step = 4,
     .most = 252,
     .length_at = 4,
     .length_bytes = 1,
     .less = 5}, /* what is it? */
    {.cdb = {0x25},
     .answer = {0, 0x1f, 0xff, 0xff, 0, 0, 2, 0},
     .size = 8,
     .most = 8}, /* how many blocks, of 512 bytes? */
    {.cdb = {0xa0, 0, 0, 0, 0, 0, 0, 0, 8, 0},
     .size = 16,
     .step = 8,
     .most = 2048,
     .length_bytes = 4,
     .less = 8,
     .numbered = true}, /* which units? */
};

static size_t begin(wspi_pen *p, enum opcode opcode, unsigned flags)
{
    size_t at = p->n;

    wspi_pen_zeros(p, HEADER);
    wspi_pen_be_at(p, at, opcode, 1);
    wspi_pen_be_at(p, at + 1, flags, 1);
    return at;
}

/* Sets the length of what follows the header, and fills it up. */
static void end(wspi_pen *p, size_t at)
{
    size_t n = p->n - at - HEADER;

    wspi_pen_be_at(p, at + LENGTH, n, 3);
    wspi_pen_zeros(p, (WORD - n % WORD) % WORD);
}

static uint32_t task(const wspi_dialog *d)
{
    return wspi_dialog_number(d, 0) + d->kept[TASKS];
}

/* What a client says of the order: its command, and which answer it expects. */
static void number_client(const wspi_dialog *d, wspi_pen *p, size_t at)
{
    wspi_pen_be_at(p, at + NUMBERS, wspi_dialog_number(d, 1) + d->kept[COMMANDS], 4);
    wspi_pen_be_at(p, at + NUMBERS + 4, wspi_dialog_number(d, 2) + d->kept[STATUSES], 4);
}

/* And a server: its answer, which command it expects, and how far the client may go. */
static void number_server(const wspi_dialog *d, wspi_pen *p, size_t at)
{
    enum { WINDOW = 63 };
    uint32_t expected = wspi_dialog_number(d, 1) + d->kept[COMMANDS];

    wspi_pen_be_at(p, at + NUMBERS, wspi_dialog_number(d, 2) + d->kept[STATUSES], 4);
    wspi_pen_be_at(p, at + NUMBERS + 4, expected, 4);
    wspi_pen_be_at(p, at + NUMBERS + 8, expected + WINDOW, 4);
}

/* How many bytes of data there is room for: whole words. */
static size_t words_left(const wspi_pen *p, size_t want)
{
    return wspi_pen_left(p, want, 0) / WORD * WORD;
}

/* ---- logging in: | version 16 | in the place of the unit: initiator 48, session 16 |, and key=value 0 ---- */

static void name_key(const wspi_dialog *d, wspi_pen *p, const char *key, unsigned k)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    wspi_pen_format(p, "%s%s", key, name);
    wspi_pen_zeros(p, 1);
}

/* Keys that both sides negotiate, as many as there is room for, and an alias that fills what is left. */
static void keys(wspi_pen *p, const char *alias, size_t want)
{
    static const char *const negotiated[] = {"HeaderDigest=None",
                                             "DataDigest=None",
                                             "InitialR2T=Yes",
                                             "ImmediateData=Yes",
                                             "MaxRecvDataSegmentLength=262144",
                                             "MaxBurstLength=262144",
                                             "FirstBurstLength=65536",
                                             "DefaultTime2Wait=2",
                                             "DefaultTime2Retain=0",
                                             "MaxOutstandingR2T=1",
                                             "ErrorRecoveryLevel=0",
                                             "MaxConnections=1",
                                             "DataPDUInOrder=Yes",
                                             "DataSequenceInOrder=Yes"};
    size_t behind = strlen(alias) + 1;

    for (size_t i = 0; i < WSPI_COUNT(negotiated); i++)
        if (wspi_pen_left(p, want, behind + 1) > strlen(negotiated[i]))
            wspi_pen_add(p, negotiated[i], strlen(negotiated[i]) + 1);
    if (wspi_pen_left(p, want, behind) > 0) {
        wspi_pen_text(p, alias);
        wspi_pen_letters(p, wspi_pen_left(p, want, 1));
        wspi_pen_zeros(p, 1);
    }
}

static size_t login_begin(const wspi_dialog *d, wspi_pen *p, enum opcode opcode)
{
    enum { OPERATIONAL_TO_FULL = FINAL | 7, RANDOM = 0x80 };
    size_t at = begin(p, opcode, OPERATIONAL_TO_FULL);

    wspi_pen_be_at(p, at + UNIT, RANDOM, 1);
    wspi_pen_be_at(p, at + UNIT + 1, wspi_dialog_number(d, 3) & 0xffffff, 3);
    wspi_pen_be_at(p, at + UNIT + 6, opcode == LOGIN ? 0 : 1 + (wspi_dialog_number(d, 4) & 0xff),
                   2);
    wspi_pen_be_at(p, at + TASK_AT, task(d), 4);
    return at;
}

static void login(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = login_begin(d, p, LOGIN);

    number_client(d, p, at);
    name_key(d, p, "InitiatorName=iqn.1993-08.org.debian:01:", 0);
    name_key(d, p, "TargetName=iqn.2003-01.org.linux-iscsi.", 1);
    wspi_pen_add(p, "SessionType=Normal", 19);
    keys(p, "InitiatorAlias=", want / WORD * WORD);
    end(p, at);
    d->kept[STATE] = LOGGING_IN;
}

static void welcome(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = login_begin(d, p, LOGIN_RESPONSE);

    number_server(d, p, at);
    wspi_pen_add(p, "TargetPortalGroupTag=1", 23);
    keys(p, "TargetAlias=", want / WORD * WORD);
    end(p, at);
    d->kept[STATUSES]++;
    d->kept[STATE] = IDLE;
}

/* ---- commands: | bytes expected 32 | numbers 32 32 | command 128 |, behind the task ---- */

static size_t command_begin(wspi_dialog *d, wspi_pen *p, unsigned flags, uint32_t bytes)
{
    enum { SIMPLE = 1 };
    size_t at = begin(p, COMMAND, FINAL | flags | SIMPLE);

    wspi_pen_be_at(p, at + TASK_AT, ++d->kept[TASKS] + wspi_dialog_number(d, 0), 4);
    wspi_pen_be_at(p, at + TRANSFER, bytes, 4);
    number_client(d, p, at);
    d->kept[COMMANDS]++;
    return at;
}

/* READ (10) or WRITE (10): | code 8 | 0 8 | block 32 | 0 8 | blocks 16 | 0 8 | */
static void transfer(wspi_pen *p, size_t at, unsigned code, uint32_t bytes)
{
    enum { BLOCKS = 0x1fffff };

    wspi_pen_be_at(p, at + CDB, code, 1);
    wspi_pen_be_at(p, at + CDB + 2, wspi_pen_pick(p, BLOCKS) & ~7u, 4);
    wspi_pen_be_at(p, at + CDB + 7, bytes / BLOCK, 2);
}

/* Bytes of this message: as many as there is room for, of those that are left. */
static void data(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST = 64 };
    size_t n = words_left(p, want);

    n = WSPI_MAX(n, (size_t)LEAST);
    n = WSPI_MIN(n, (size_t)d->kept[LEFT]);
    wspi_pen_random(p, n);
    d->kept[LEFT] -= (uint32_t)n;
    d->kept[OFFSET] += (uint32_t)n;
    d->kept[SENT]++;
}

static void data_place(const wspi_dialog *d, wspi_pen *p, size_t at)
{
    wspi_pen_be_at(p, at + TASK_AT, task(d), 4);
    wspi_pen_be_at(p, at + DATA_NUMBER, d->kept[SENT], 4);
    wspi_pen_be_at(p, at + BUFFER, d->kept[OFFSET], 4);
}

/* The first bytes come with the command, the others when the server is ready for them. */
static void write_blocks(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { CODE = 0x2a, WRITES = 0x20 };
    size_t first = words_left(p, want - HEADER); /* whose header comes yet */
    uint32_t bytes =
        (uint32_t)(first + BLOCK - 1) / BLOCK * BLOCK + 2 * BLOCK * wspi_pen_pick(p, 2);
    size_t at = command_begin(d, p, WRITES, bytes);

    transfer(p, at, CODE, bytes);
    d->kept[LEFT] = bytes;
    d->kept[OFFSET] = 0;
    data(d, p, want);
    d->kept[SENT] = 0;
    end(p, at);
    d->kept[STATE] = d->kept[LEFT] > 0 ? WRITING : WRITTEN;
}

static void ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { CODE = 0x28, READS = 0x40, LEAST_WRITE = HEADER + 64, MOST = 4 };
    uint32_t bytes = BLOCK << wspi_pen_pick(p, MOST), k;
    size_t at;

    if (want >= LEAST_WRITE) {
        write_blocks(d, p, want);
    } else if (wspi_pen_pick(p, 4) == 0) {
        at = command_begin(d, p, READS, bytes);
        transfer(p, at, CODE, bytes);
        d->kept[LEFT] = bytes;
        d->kept[OFFSET] = d->kept[SENT] = 0;
        d->kept[STATE] = READING;
    } else {
        k = d->kept[ASKED] = wspi_pen_pick(p, WSPI_COUNT(questions));
        at = command_begin(d, p, questions[k].most > 0 ? READS : 0, questions[k].most);
        for (size_t i = 0; i < sizeof questions[k].cdb; i++)
            wspi_pen_be_at(p, at + CDB + i, questions[k].cdb[i], 1);
        d->kept[STATE] = ASKING;
    }
}

/* Data that a server is ready for; the only number is of the answer that is expected. */
static void send(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = begin(p, DATA_OUT, 0);

    data_place(d, p, at);
    wspi_pen_be_at(p, at + TRANSFER, wspi_dialog_number(d, 5), 4);
    wspi_pen_be_at(p, at + NUMBERS + 4, wspi_dialog_number(d, 2) + d->kept[STATUSES], 4);
    data(d, p, want);
    if (d->kept[LEFT] == 0) {
        wspi_pen_be_at(p, at + 1, FINAL, 1);
        d->kept[STATE] = WRITTEN;
    }
    end(p, at);
}

/* ---- answers ---- */

/* How many messages of a command the server has numbered: data of a read, or that it was ready for those of a write. */
static uint32_t numbered(const wspi_dialog *d)
{
    switch (d->kept[STATE]) {
    case READING: return d->kept[SENT];
    case WRITTEN: return d->kept[SENT] > 0;
    default: return 0;
    }
}

static void respond(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = begin(p, RESPONSE, FINAL);

    (void)want;
    wspi_pen_be_at(p, at + TASK_AT, task(d), 4);
    number_server(d, p, at);
    wspi_pen_be_at(p, at + DATA_NUMBER, numbered(d), 4);
    d->kept[STATUSES]++;
    d->kept[STATE] = IDLE;
}

/* The last data say that the command is done, too. */
static void data_done(wspi_dialog *d, wspi_pen *p, size_t at)
{
    wspi_pen_be_at(p, at + 1, FINAL | WITH_STATUS, 1);
    number_server(d, p, at);
    d->kept[STATUSES]++;
    d->kept[STATE] = IDLE;
}

/* Returns how many bytes it has. */
static size_t answer(wspi_pen *p, uint32_t k, size_t want)
{
    size_t at = p->n, step = questions[k].step;

    wspi_pen_add(p, questions[k].answer, questions[k].size);
    for (uint64_t i = 1; step > 0 && wspi_pen_left(p, want, 0) >= step && !p->full &&
                         p->n - at + step <= questions[k].most;
         i++)
        wspi_pen_be(p, questions[k].numbered ? i << 48 : 0, step);
    wspi_pen_be_at(p, at + questions[k].length_at, p->n - at - questions[k].less,
                   questions[k].length_bytes);
    return p->n - at;
}

static void tell(wspi_dialog *d, wspi_pen *p, size_t want)
{
    uint32_t k = d->kept[ASKED];
    size_t at, n;

    if (questions[k].size == 0) {
        respond(d, p, want);
        return;
    }
    at = begin(p, DATA_IN, 0);
    wspi_pen_be_at(p, at + TASK_AT, task(d), 4);
    wspi_pen_be_at(p, at + TRANSFER, UINT32_MAX, 4);
    n = answer(p, k, want);
    data_done(d, p, at);
    if (n < questions[k].most) {
        wspi_pen_be_at(p, at + 1, FINAL | SHORTER | WITH_STATUS, 1);
        wspi_pen_be_at(p, at + RESIDUAL, questions[k].most - n, 4);
    }
    end(p, at);
}

/* A check condition: it failed. The data: | length 16 | what the unit senses, fixed format (SPC-4, section 4.5.3) | */
static void fail(wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const uint8_t sense[] = {0, 18, 0x70, 0, 6,    0, 0, 0, 0, 10,
                                    0, 0,  0,    0, 0x29, 0, 0, 0, 0, 0};
    enum { CHECK_CONDITION = 2 };
    size_t at = p->n;

    respond(d, p, want);
    wspi_pen_be_at(p, at + 3, CHECK_CONDITION, 1);
    wspi_pen_add(p, sense, sizeof sense);
    end(p, at);
}

/* What has no room for a block is not read. */
static void read_blocks(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at;

    if (want < HEADER + BLOCK) {
        fail(d, p, want);
        return;
    }
    at = begin(p, DATA_IN, 0);
    data_place(d, p, at);
    wspi_pen_be_at(p, at + TRANSFER, UINT32_MAX, 4);
    number_server(d, p, at);
    wspi_pen_be_at(p, at + NUMBERS, 0, 4); /* no answer yet */
    data(d, p, want);
    if (d->kept[LEFT] == 0)
        data_done(d, p, at);
    end(p, at);
}

static void ready(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = begin(p, READY_TO_TRANSFER, FINAL);

    (void)want;
    data_place(d, p, at);
    wspi_pen_be_at(p, at + TRANSFER, wspi_dialog_number(d, 5), 4);
    number_server(d, p, at);
    wspi_pen_be_at(p, at + DESIRED, d->kept[LEFT], 4);
    d->kept[STATE] = SENDING;
}

/* Who is not in turn says what needs no answer, once the client has logged in. */
static void live_out(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { AT_ONCE = 0x40 };
    size_t at = begin(p, AT_ONCE | NOP_OUT, FINAL);

    (void)want;
    wspi_pen_be_at(p, at + TASK_AT, UINT32_MAX, 4);
    wspi_pen_be_at(p, at + TRANSFER, UINT32_MAX, 4);
    number_client(d, p, at);
}

static void live_in(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = begin(p, NOP_IN, FINAL);

    (void)want;
    wspi_pen_be_at(p, at + TASK_AT, UINT32_MAX, 4);
    wspi_pen_be_at(p, at + TRANSFER, UINT32_MAX, 4);
    number_server(d, p, at);
}

void wspi_say_iscsi(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    static void (*const turns[][2])(wspi_dialog * d, wspi_pen * p, size_t want) = {
        [START] = {login, NULL},
        [LOGGING_IN] = {NULL, welcome},
        [IDLE] = {ask, live_in},
        [ASKING] = {live_out, tell},
        [READING] = {live_out, read_blocks},
        [WRITING] = {live_out, ready},
        [SENDING] = {send, live_in},
        [WRITTEN] = {live_out, respond},
    };

    if (turns[d->kept[STATE]][dir])
        turns[d->kept[STATE]][dir](d, p, want);
}

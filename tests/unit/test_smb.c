/* SPDX-License-Identifier: Apache-2.0 */
/* test_smb.c: sessions of NetBIOS and heads of SMB2: round trips, tokens, what stays hidden. */
#include "tests/unit/wire.h"

#define HEAD_2(status, command, flags, next, id, session)                           \
    "\xfeSMB\x40\0\x01\0" status command "\0\x01\0" flags "\0\0\0" next "\0\0\0" id \
    "\0\0\0\0\0\0\0\xff\xfe\0\0\x07\0\0\0" session "\0\0\0\0\0\0\0signature.16 by."
#define OK   "\0\0\0\0"
#define ECHO "\x04\0\0\0"

static const wire_message stream[] = {
    {BYTES("\0\0\0\x44" HEAD_2(OK, "\x0d", "\0", "\0", "\x01", "\x09") ECHO),
     false,
     0,
     {"app=smb", "smb.type=message", "smb.kind=smb2", "smb.command=echo"}},
    {BYTES("\0\0\0\x44" HEAD_2("\x22\0\0\xc0", "\x0d", "\x01", "\0", "\x01", "\x09") ECHO),
     false,
     1,
     {"smb.command=echo", "smb.status=access-denied"}},
    /* a compound, and a keep-alive behind it */
    {BYTES("\0\0\0\x8c" HEAD_2(OK, "\x06", "\x08", "\x48", "\x02", "\x09") ECHO
           "pad." HEAD_2(OK, "\x02", "\x0c", "\0", "\x03", "\x09") ECHO "\x85\0\0\0"),
     false,
     0,
     {"smb.command=close", "smb.flags=signed", "smb.next=64..95", "smb.command=logoff",
      "smb.type=keep-alive"}},
    /* encrypted, and going on in the next segment */
    {BYTES("\0\0\0\x20\xfdSMB0123456789"), false, 1, {"smb.kind=encrypted", "smb.length=32..47"}},
    {BYTES("the rest, 18 bytes"), false, 1, {NULL}},
    {BYTES("\0\0\0\x20\xffSMB\x72\0\0\0\0\x18\x53\xc8pidsignature\0\0\xfe\xff\0\0\x01\0"),
     false,
     0,
     {"smb.kind=smb1", "smb.command-1=negotiate"}},
};

static void messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(stream, WSPI_COUNT(stream));
}

static void numbers_and_signatures_are_hidden(void **state)
{
    (void)state;
    assert_hidden(&stream[0], 52, 16); /* a signature */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(numbers_and_signatures_are_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

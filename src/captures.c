/* SPDX-License-Identifier: Apache-2.0 */
/* captures.c: the end of a run over captures of which some could not be read. */
#include "captures.h"

#include <inttypes.h>

wsp_input_options captures_options(const char *filter, bool skip_bad)
{
    wsp_input_options opt = wsp_input_options_default();

    opt.filter = filter;
    opt.skip_bad = skip_bad;
    opt.keep_going = !skip_bad;
    return opt;
}

int captures_refused(const char *command, const wsp_error *err)
{
    return err->status == WSP_ERR_ARG ? cli_usage(command, "%s", err->text) : cli_fail_error(err);
}

void captures_opaque(uint64_t opaque, uint64_t all)
{
    if (opaque > 1)
        cli_warn("%" PRIu64 " of %" PRIu64 " captures have a link type that is not taken apart",
                 opaque, all);
}

int captures_end(const wsp_tokenize_stats *s, const char *done)
{
    uint64_t files = s->joined ? s->joined : s->captures;
    int rc = CLI_OK;

    captures_opaque(s->opaque, s->captures);
    if (s->broken && s->joined)
        rc = cli_fail("of %" PRIu64
                      " files that were joined one or more broke off; the others, and what came "
                      "before, are %s",
                      s->joined, done);
    else if (s->broken)
        rc = cli_fail("%" PRIu64 " of %" PRIu64 " captures broke off; what came before is %s",
                      s->broken, s->captures, done);
    if (s->unread)
        rc = cli_fail("%" PRIu64 " of %" PRIu64 " files could not be read; the others are %s",
                      s->unread, s->unread + files, done);
    return rc;
}

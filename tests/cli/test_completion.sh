#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_completion.sh: what bash completes: the program's own commands and options, and no more.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
# shellcheck source=contrib/completion/wirespeak
. "${top_srcdir:-.}/contrib/completion/wirespeak"
compopt() { spaces=$2; } # there is no line to complete

# completed WORD...: the last of them, to lines
completed() {
    COMP_WORDS=("$ws" "$@") COMP_CWORD=$# spaces='' COMPREPLY=()
    _wirespeak "$ws" "${!#}" wirespeak
    printf '%s\n' "${COMPREPLY[@]}"
}

[ "$(completed cl)" = classify ]
result $? "a command"
[ "$(completed '' | sort)" = "$("$ws" --help | sed -nE 's/^  ([a-z]+) .*/\1/p' | sort)" ] && [ "$(completed '' | wc -l)" -gt 15 ]
result $? "all of them"
[ "$(completed help ca)" = calibrate ]
result $? "behind help, too"
[ "$(completed classify --by- | tr '\n' ' ')" = "--by-capture --by-host " ]
result $? "options of the command"
completed generate --temp >"$tmp/out"
[ "$(cat "$tmp/out")" = --temperature= ] && [ "$spaces" = nospace ]
result $? "one with a value waits for it"
[ -z "$(completed classify t)" ] && [ -z "$(completed nosuch --)" ]
result $? "anything else is a file"
echo "1..$n"
exit $bad

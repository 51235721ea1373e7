#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tables.sh [--write]: the tables of wirespeak-tokens(7) are what the program prints of its own; --write puts them in again.
set -u
page=${srcdir:-.}/man/wirespeak-tokens.7
ws=${top_builddir:-.}/wirespeak
[ -x "$ws" ] || {
    echo "no program in this build"
    exit 77
}

# with_table NAME OPTION: the page from standard input, with what the option prints between its two marks
with_table() {
    local table
    table=$("$ws" explain "$2" | sed 's/ *$//') || exit 1
    awk -v name="$1" -v table="$table" '
        $0 == ".\\\" table " name { print; print ".Bd -literal"; print table; print ".Ed"; skip = 1; next }
        $0 == ".\\\" end" { skip = 0 }
        !skip { print }'
}

new=$(with_table fields --fields <"$page" | with_table policies --list-policies)
if [ "${1:-}" = --write ]; then
    printf '%s\n' "$new" >"$page"
elif [ "$new" != "$(cat "$page")" ]; then
    diff "$page" <(printf '%s\n' "$new") | head -n 10
    echo "man/wirespeak-tokens.7 is not of this program: tests/lint/tables.sh --write"
    exit 1
fi

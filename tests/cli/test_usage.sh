#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_usage.sh: help, version, mistakes on the command line, and a full disk, for the program and every command.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"

# as_many WANTED N: a count, or "some"
as_many() { if [ "$1" = some ]; then [ "$2" -gt 0 ]; else [ "$1" = "$2" ]; fi; }

# expect NAME STATUS STDOUT-LINES STDERR-LINES ARGUMENT...
expect() {
    local name=$1 status=$2 want_out=$3 want_err=$4 rc=0 out err
    shift 4
    "$ws" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || rc=$?
    out=$(wc -l <"$tmp/out") err=$(wc -l <"$tmp/err")
    [ "$rc" -eq "$status" ] && as_many "$want_out" "$out" && as_many "$want_err" "$err"
    result $? "$name (exit $rc, $out lines on stdout, $err on stderr)"
}

# full NAME ARGUMENT...: results that cannot be written are an error
full() {
    local name=$1 rc=0
    shift
    "$ws" "$@" >/dev/full 2>/dev/null </dev/null || rc=$?
    [ "$rc" -eq 1 ]
    result $? "$name (exit $rc)"
}

expect "without a command the help goes to stderr" 2 0 some
expect "help goes to stdout" 0 some 0 help
expect "--help goes to stdout" 0 some 0 --help
expect "version is one line" 0 1 0 version
expect "--version is one line" 0 1 0 --version
expect "an unknown command is one line" 2 0 1 no-such-command
expect "help for an unknown command is one line" 2 0 1 help no-such-command
expect "an unknown option before a command is one line" 2 0 1 --no-such-option
full "a full disk under help" help
full "a full disk under version" version

for c in $("$ws" --help | sed -nE 's/^  ([a-z]+)  +[a-z].*/\1/p' | grep -vx version); do
    expect "$c --help goes to stdout" 0 some 0 "$c" --help
    expect "help $c goes to stdout" 0 some 0 help "$c"
    expect "$c: an unknown option is one line" 2 0 1 "$c" --no-such-option
    expect "$c: an unknown letter is one line" 2 0 1 "$c" -@
    expect "$c: a missing operand is one line" 2 0 1 "$c"
    expect "$c: a flag with an argument is one line" 2 0 1 "$c" --quiet=1 x
    full "$c: a full disk under --help" "$c" --help
done
echo "1..$n"
exit $bad

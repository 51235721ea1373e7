#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# manual.sh: the help and the manual name the same commands and options, and mandoc finds no fault in the pages.
set -u
man=${srcdir:-.}/man
ws=${top_builddir:-.}/wirespeak
[ -x "$ws" ] || {
    echo "no program in this build"
    exit 77
}

bad=0
fault() {
    echo "$*"
    bad=1
}

# A page writes options as "Fl c" and "Fl -count"; the help as "-c, --count=N".
page_options() { grep -E '^\.It Fl ' "$1" | grep -oE 'Fl +-[a-z0-9-]+' | sed -E 's/Fl +-//' | sort -u; }
help_options() { "$ws" "$1" --help | grep -oE '^ +(-[A-Za-z0-9], )?( {0,4})--[a-z0-9-]+' | sed -E 's/.*--//' | sort -u; }

commands=$("$ws" --help | sed -nE 's/^  ([a-z]+)  +[a-z].*/\1/p' | grep -vx version)
[ -n "$commands" ] || fault "the help names no commands"
for c in $commands; do
    page=$man/wirespeak-$c.1
    [ -f "$page" ] || {
        fault "$c has no page man/wirespeak-$c.1"
        continue
    }
    grep -q "wirespeak-$c" "$man/wirespeak.1" || fault "man/wirespeak.1 does not name $c"
    lost=$(comm -23 <(help_options "$c") <(page_options "$page"))
    [ -z "$lost" ] || fault "man/wirespeak-$c.1 lacks options of the help: ${lost//$'\n'/ }"
    lost=$(comm -13 <(help_options "$c") <(page_options "$page"))
    [ -z "$lost" ] || fault "man/wirespeak-$c.1 has options that the help lacks: ${lost//$'\n'/ }"
done
for page in "$man"/wirespeak-*.1; do
    c=${page##*/wirespeak-} && c=${c%.1}
    grep -qx "$c" <<<"$commands" || fault "$page: there is no command $c"
done
# A macro whose line goes on takes the next line as words, its macro too.
lost=$(grep -nE '^\..*\\$' "$man"/*.[1-7])
[ -z "$lost" ] || fault "macros on two lines: $lost"
if command -v mandoc >/dev/null; then
    mandoc -Tlint -W warning "$man"/*.[1-7] || bad=1
fi
exit $bad

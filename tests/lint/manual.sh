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

# "OPTION VALUE" for each default that the help has: the word behind "default", where it is one.
help_defaults() {
    "$ws" "$1" --help | awk '
        function tell() {
            if (name && match(text, /default:? [^ ,;)]+/)) {
                value = substr(text, RSTART, RLENGTH)
                sub(/^default:? /, "", value)
                sub(/:$/, "", value)
                if (value !~ /^(the|that|whatever)$/) print name, value
            }
            name = text = ""
        }
        /^ +(-[A-Za-z0-9], )?( {0,4})--[a-z0-9-]+/ {
            tell()
            name = $0
            sub(/^ *(-[A-Za-z0-9], )? *--/, "", name)
            sub(/[ =].*/, "", name)
        }
        /^($|[A-Z])/ { tell() }
        { gsub(/ +/, " "); text = text " " $0 }'
}
# page_tells PAGE OPTION VALUE: the entry of the option has the value, and says that it is the default
page_tells() {
    awk -v name="$2" -v value="$3" '
        /^\.(It|El)/ { within = /^\.It/ && $0 ~ "Fl -" name "( |$)" }
        within { entry = entry " " $0 }
        END {
            while (match(entry, /[0-9],[0-9][0-9][0-9]/)) entry = substr(entry, 1, RSTART) substr(entry, RSTART + 2)
            entry = entry " "
            gsub(/["(]/, "", entry)
            gsub(/[),;.:]+ /, " ", entry)
            exit !(entry ~ /default|[Ii]f .*not given|[Ii]f none is given|unless/ && index(entry, " " value " "))
        }' "$1"
}

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
    while read -r option value; do
        page_tells "$page" "$option" "$value" ||
            fault "man/wirespeak-$c.1 does not have the default of --$option, which is $value in the help"
    done < <(help_defaults "$c")
    while read -r option; do
        grep -qE "^\.It Fl (. , Fl )?$option( |\$)" "$page" || fault "man/wirespeak-$c.1 has -$option in its synopsis alone"
    done < <(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.\(Op \)*Fl \([^ ]*\).*/\2/p' "$page" | sort -u)
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

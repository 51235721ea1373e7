#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# limits.sh: banned functions, lengths of files and functions, tabs, licence lines. Comments and strings do not count.
set -u
cd "${srcdir:-.}" || exit 1

bad=0
report() { # report RULE <lines on stdin
    local line
    while IFS= read -r line; do
        echo "$line: $1"
        bad=1
    done
}

# code FILE...: their lines as FILE:NUMBER:TEXT, without comments, strings and character constants
code() {
    awk 'FNR == 1 { inside = 0 }
    {
        line = $0; out = ""
        gsub(/\\./, "", line)
        while (line != "") {
            if (inside) {
                at = index(line, "*/")
                if (!at) { line = ""; break }
                line = substr(line, at + 2); inside = 0
                continue
            }
            if (match(line, /\/\*|\/\/|"[^"]*"|\047[^\047]*\047/)) {
                hit = substr(line, RSTART, RLENGTH)
                out = out substr(line, 1, RSTART - 1) " "
                line = substr(line, RSTART + RLENGTH)
                if (hit == "//") line = ""
                else if (hit == "/*") inside = 1
            } else { out = out line; line = "" }
        }
        print FILENAME ":" FNR ":" out
    }' "$@"
}

banned='(v?sprintf|strcpy|strcat|strncpy|strncat|strtok|gets|atoi|atol|atof|alloca|system|popen|s?rand|tmpnam|mktemp)'
quiet='(exit|_exit|abort|printf|vprintf|puts|putchar|perror|getenv|secure_getenv|setlocale)'
mapfile -t files < <(find include lib src tests contrib -name '*.[ch]' 2>/dev/null | sort)
[ "${#files[@]}" -gt 0 ] || {
    echo "no source files seen under $PWD"
    exit 1
}

text=$(mktemp)
trap 'rm -f "$text"' EXIT
code "${files[@]}" >"$text"
report "banned function" < <(grep -E ":[0-9]+:(.*[^A-Za-z0-9_])?${banned} *\(" "$text")
report "the library never prints, exits or reads the environment" \
    < <(grep '^lib/' "$text" | grep -E ":[0-9]+:(.*[^A-Za-z0-9_>.])?${quiet} *\(|[^A-Za-z0-9_](stdout|stderr)[^A-Za-z0-9_]")
report "JSON of others is read by wspi_json_read" \
    < <(grep '^lib/' "$text" | grep -v '^lib/base/json\.c:' | grep -E '[^A-Za-z0-9_]json_load[a-z]* *\(')
# The style puts a function between lines "{" and "}" in the first column.
while IFS=$'\t' read -r rule where; do
    report "$rule" <<<"$where"
done < <(awk '
    FNR == 1 { at = 0; if (!/SPDX-License-Identifier/) print "no SPDX line at the top\t" FILENAME ":1" }
    FNR == 801 { print "more than 800 lines\t" FILENAME ":801" }
    /\t/ { print "tab\t" FILENAME ":" FNR }
    FILENAME ~ /\.c$/ && /^\{/ { at = FNR }
    FILENAME ~ /\.c$/ && /^\}/ { if (at && FNR - at > 100) print "function of more than 100 lines\t" FILENAME ":" at; at = 0 }' "${files[@]}")
# What an option does with its file decides whether cli_parse finds that it is read and written.
report "an option that names a file has .file" < <(awk '
    /\{\.(name|kind) =/ { row = ""; at = FNR }
    { row = row $0 }
    /\.help =/ && row ~ /\.arg = "(\[NAME=\]|HEAD=)?(MODEL|FILE|CAPTURE|TARGET|DIR|[A-Z]+\.[a-z]+)"/ && row !~ /\.file = CLI_/ { print FILENAME ":" at }' \
    src/*.c)
exit $bad

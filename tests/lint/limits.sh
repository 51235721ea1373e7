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

# code FILE: its lines numbered, without comments, strings and character constants
code() {
    awk '{
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
        print NR ":" out
    }' "$1"
}

banned='(v?sprintf|strcpy|strcat|strncpy|strncat|strtok|gets|atoi|atol|atof|alloca|system|popen|s?rand|tmpnam|mktemp)'
quiet='(exit|_exit|abort|printf|vprintf|puts|putchar|perror|getenv|secure_getenv|setlocale)'
mapfile -t files < <(find include lib src tests -name '*.[ch]' 2>/dev/null | sort)
[ "${#files[@]}" -gt 0 ] || {
    echo "no source files seen under $PWD"
    exit 1
}

for f in "${files[@]}"; do
    report "banned function" < <(code "$f" | grep -E "(^|[^A-Za-z0-9_])${banned} *\(" | sed "s|^|$f:|")
    if [[ $f == lib/* ]]; then
        report "the library never prints, exits or reads the environment" \
            < <(code "$f" | grep -E "(^|[^A-Za-z0-9_>.])${quiet} *\(|[^A-Za-z0-9_](stdout|stderr)[^A-Za-z0-9_]" | sed "s|^|$f:|")
    fi
    report "more than 800 lines" < <(awk -v f="$f" 'END { if (NR > 800) print f ":" NR }' "$f")
    report "tab" < <(grep -nP '\t' "$f" | cut -d: -f1 | sed "s|^|$f:|" | head -n 1)
    report "no SPDX line at the top" < <(head -n 1 "$f" | grep -q SPDX-License-Identifier || echo "$f:1")
    [[ $f == *.c ]] || continue
    # The style puts a function between lines "{" and "}" in the first column.
    report "function of more than 100 lines" \
        < <(awk -v f="$f" '/^\{/ { at = NR } /^\}/ { if (at && NR - at > 100) print f ":" at; at = 0 }' "$f")
done
exit $bad

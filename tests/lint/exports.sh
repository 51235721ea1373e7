#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# exports.sh: the shared library shows what the public headers declare with WSP_API, and nothing else.
set -u
top=${srcdir:-.}
read -r -a nm <<<"${NM:-nm}"
lib=${top_builddir:-.}/.libs/libwirespeak.so
[ -e "$lib" ] || {
    echo "no shared library in this build"
    exit 77
}

# Comments and preprocessor lines out, one declaration a line, the name before the first parenthesis.
declared=$(grep -hv '^ *#' "$top"/include/wirespeak/*.h | tr '\n' ' ' | sed 's|/\*|\n&|g; s|\*/|&\n|g' |
    grep -v '^/\*' | tr '\n' ' ' | sed 's/[;{}]/\n/g' | grep WSP_API |
    grep -oE '\bwsp_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u)
shown=$("${nm[@]}" -D --defined-only "$lib" 2>/dev/null | awk '{ print $NF }' | sed 's/@.*//' | sort -u)
if [ -z "$declared" ] || [ -z "$shown" ]; then
    echo "could not read the names"
    exit 1
fi

missing=$(comm -23 <(echo "$declared") <(echo "$shown"))
extra=$(comm -13 <(echo "$declared") <(echo "$shown"))
[ -z "$missing" ] || echo "declared but not in the library: ${missing//$'\n'/ }"
[ -z "$extra" ] || echo "in the library but in no public header: ${extra//$'\n'/ }"
[ -z "$missing$extra" ]

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh: every header compiles by itself, the public ones as C++ too when a C++ compiler is there.
set -u
top=${srcdir:-.}
read -r -a cc <<<"${CC:-cc}"

bad=0 seen=0
for h in "$top"/include/wirespeak/*.h "$top"/lib/*/*.h "$top"/lib/*/*/*.h "$top"/src/*.h; do
    [ -f "$h" ] || continue
    seen=$((seen + 1))
    "${cc[@]}" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I"$top/include" -I"$top/lib" \
        -I"${top_builddir:-.}" -x c "$h" -Wno-unused-function -Wno-unused-const-variable || bad=1
    grep -qE '^#ifndef WS[PI]*_|^#ifndef WIRESPEAK_' "$h" || {
        echo "$h: no include guard"
        bad=1
    }
done
if command -v c++ >/dev/null; then
    for h in "$top"/include/wirespeak/*.h; do
        c++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -I"$top/include" -x c++ "$h" || bad=1
    done
fi
[ "$seen" -gt 0 ] || bad=1
exit $bad

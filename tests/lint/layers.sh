#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# layers.sh: every include goes to its own folder or to the left in the order that ARCHITECTURE.md states; foreign
# headers stay in their one place; the library neither prints nor exits.
set -u
cd "${srcdir:-.}" || exit 1

bad=0
fault() {
    echo "$*"
    bad=1
}

read -r -a layers <<<"$(sed -n 's/^ *Layers: \([a-z ]*\)$/\1/p' ARCHITECTURE.md | head -n 1)"
[ "${#layers[@]}" -ge 2 ] || {
    echo "ARCHITECTURE.md has no line 'Layers: ...'"
    exit 1
}
declare -A rank
for i in "${!layers[@]}"; do
    rank[${layers[$i]}]=$i
done
rank[wirespeak]=${rank[live]:?} # the header that includes them all
rank[score]=${rank[task]:?} # task and generate have more than one header
rank[deviate]=${rank[generate]:?}

# may FROM TO: is the edge allowed?
may() {
    case "$1" in
    nn) [ "$2" = nn ] || [ "$2" = base ] ;;
    model) [ "$2" = model ] || [ "$2" = nn ] || [ "$2" = base ] ;;
    *) [ "${rank[$2]}" -le "${rank[$1]}" ] ;;
    esac
}

# check_public FILE LAYER TARGET: #include "wirespeak/TARGET.h"
check_public() {
    [ -f "include/wirespeak/$3.h" ] || fault "$1: there is no wirespeak/$3.h"
    if [ -z "${rank[$3]:-}" ]; then
        fault "$1: wirespeak/$3.h is not named for a layer"
    elif [ "$2" != src ] && ! may "$2" "$3"; then
        fault "$1: $2 includes wirespeak/$3.h, which is to its right"
    fi
}

# check_private FILE LAYER FOLDER NAME: #include "FOLDER/NAME"
check_private() {
    if [ "$2" = src ]; then
        fault "$1: src includes $3/$4; it may only see wirespeak/*.h"
    elif [ -z "${rank[$3]:-}" ]; then
        fault "$1: $3/$4 is in no layer"
    elif ! may "$2" "$3"; then
        fault "$1: $2 includes $3/$4, which is to its right"
    fi
}

check_file() {
    local file=$1 layer=$2 inc
    while read -r inc; do
        case "$inc" in
        wirespeak/*) inc=${inc#wirespeak/} && check_public "$file" "$layer" "${inc%.h}" ;;
        */*) check_private "$file" "$layer" "${inc%%/*}" "${inc#*/}" ;;
        config.h) [ "$file" = lib/base/base.h ] || fault "$file: only lib/base/base.h includes config.h" ;;
        *) [ -f "${file%/*}/$inc" ] || fault "$file: $inc is not beside it" ;;
        esac
    done < <(sed -nE 's/^[ \t]*#[ \t]*include[ \t]*"([^"]+)".*/\1/p' "$file")
}

seen=0
for file in lib/*/*.[ch] lib/*/*/*.[ch] include/wirespeak/*.h src/*.[ch]; do
    [ -f "$file" ] || continue
    seen=$((seen + 1))
    case "$file" in
    lib/*) layer=${file#lib/} && layer=${layer%%/*} ;;
    src/*) layer=src ;;
    *) layer=${file##*/} && layer=${layer%.h} ;;
    esac
    if [ -z "${rank[$layer]:-}" ]; then
        fault "$file: '$layer' is not in the line of layers"
        continue
    fi
    check_file "$file" "$layer"
done
[ "$seen" -gt 0 ] || fault "no source files seen under $PWD"

# foreign PATTERN: files of the product that include such a header
foreign() {
    grep -lE "^[ \t]*#[ \t]*include[ \t]*[<\"]($1)" lib/*/*.[ch] lib/*/*/*.[ch] include/wirespeak/*.h src/*.[ch] 2>/dev/null
}
for f in $(foreign '(pcap|archive)'); do
    [[ $f == lib/capture/* ]] || fault "$f: pcap and archive headers belong to lib/capture"
done
for f in $(foreign 'zlib'); do
    [[ $f == lib/capture/gunzip.c ]] || fault "$f: zlib belongs to lib/capture/gunzip.c"
done
for f in $(foreign '(oneapi/)?dnnl'); do
    [[ $f == lib/nn/*.c ]] || fault "$f: oneDNN belongs to one file of lib/nn"
done
for f in $(foreign '.*ndpi'); do
    [[ $f == lib/task/*.c ]] || fault "$f: nDPI belongs to one file of lib/task"
done
for f in $(foreign 'gcrypt'); do
    [[ $f =~ ^lib/(base/crypto|token/app/quic_crypto)\.c$ ]] || fault "$f: libgcrypt belongs to lib/base/crypto.c and lib/token/app/quic_crypto.c"
done
for f in $(foreign 'mpi\.h'); do
    [ "$f" = lib/model/group_mpi.c ] || fault "$f: MPI belongs to lib/model/group_mpi.c"
done
for f in $(foreign '(hiredis|librdkafka|seccomp)'); do
    case $f in
    src/sink_redis.c | src/sink_kafka.c | src/guard.c) ;;
    *) fault "$f: hiredis, librdkafka and libseccomp have their one file of src each" ;;
    esac
done
[ "$(foreign '(oneapi/)?dnnl' | wc -l)" -le 1 ] || fault "more than one file includes oneDNN"
[ "$(foreign '.*ndpi' | wc -l)" -le 1 ] || fault "more than one file includes nDPI"

exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_shipped.sh: the models that commands take when they are given none, where `make install` puts them, and a program that uses what is installed.
set -u
# shellcheck source=tests/cli/common
. "${top_srcdir:-.}/tests/cli/common"
models=${top_srcdir:-.}/models
flows=$models/flows.safetensors generator=$models/generator.safetensors

# same NAME MODEL COMMAND ARGUMENT...: with -m MODEL and without it, found in the folder, it says the same
same() {
    local name=$1 model=$2 command=$3
    shift 3
    "$ws" "$command" -q -m "$model" "$@" >"$tmp/given" 2>&1 && WIRESPEAK_MODELS=$models "$ws" "$command" -q "$@" >"$tmp/found" 2>&1 &&
        [ -s "$tmp/given" ] && cmp -s "$tmp/given" "$tmp/found"
    result $? "$name"
}

same "classify takes the classifier" "$flows" classify -o jsonl "$data/dns.pcap"
same "and the generator where it is asked what surprises" "$generator" classify --surprise -o jsonl "$data/dns.pcap"
same "or for what surprises most" "$generator" classify --rank 2 -o jsonl "$data/dns.pcap"
same "generate takes the generator" "$generator" generate -n 2 --seed 3 -w -
same "embed takes the classifier" "$flows" embed -w "$tmp/vectors.npy" "$data/dns.pcap"
"$ws" tag -q -m "$flows" -r "$data/dns.pcap" --records ends | grep -o '"wirespeak":.*' >"$tmp/given"
WIRESPEAK_MODELS=$models "$ws" tag -q -r "$data/dns.pcap" --records ends | grep -o '"wirespeak":.*' >"$tmp/found"
[ -s "$tmp/given" ] && cmp -s "$tmp/given" "$tmp/found"
result $? "tag takes the classifier"
WIRESPEAK_MODELS=$models "$ws" enroll -q --label ours -w "$tmp/ours.safetensors" "$data/dns.pcap" >"$tmp/found" &&
    "$ws" enroll -q --label ours -m "$flows" -w "$tmp/given.safetensors" "$data/dns.pcap" >"$tmp/given" && cmp -s "$tmp/ours.safetensors" "$tmp/given.safetensors"
result $? "enroll takes the classifier"

fails "where there is none it says so, and where" 2 classify "$data/dns.pcap"
[[ $said == *"$tmp/models/flows.safetensors"*-m* ]]
result $? "by its path, and what to do"
fails "of the generator, too" 2 generate -w "$tmp/x.pcap"
for c in calibrate grow eval; do
    WIRESPEAK_MODELS=$models fails "$c, which judges or changes a model, wants to be told which" 2 "$c" "$data/dns.pcap"
done

make -s -C "${top_builddir:-.}" install DESTDIR="$tmp/to" >"$tmp/make" 2>&1
result $? "it can be installed"
home=$(cd "$tmp/to" && find . -name flows.safetensors)
home=${home#.}
cmp -s "$tmp/to$home" "$flows" && cmp -s "$tmp/to${home%/*}/generator.safetensors" "$generator"
result $? "with both models"
if [ -e "$home" ]; then
    skip "where the program looks for them" "they are installed here"
else
    WIRESPEAK_MODELS='' fails "where the program looks for them" 2 classify "$data/dns.pcap"
    [[ $said == *" $home "* ]]
    result $? "which it says"
fi
grep -qx "Environment=MODEL=/usr/local/share/wirespeak/flows.safetensors" "${top_srcdir:-.}/contrib/systemd/wirespeak-tag@.service" &&
    [[ $home == */share/wirespeak/flows.safetensors ]]
result $? "and so does the unit of systemd"

# ---- a program of somebody's own, beside what is installed ----

pc=$(find "$tmp/to" -name libwirespeak.pc) library=$(find "$tmp/to" -name libwirespeak.so)
if [ -z "$library" ] || ! command -v pkg-config >/dev/null; then
    skip "the example of the library compiles" "no shared library, or no pkg-config"
else
    read -ra flags < <(PKG_CONFIG_LIBDIR=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$tmp/to pkg-config --cflags --libs libwirespeak)
    "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -o "$tmp/labels" "${top_srcdir:-.}/contrib/examples/labels.c" "${flags[@]}"
    result $? "the example of the library compiles"
    LD_LIBRARY_PATH=${library%/*} "$tmp/labels" "$flows" "$data/http.pcap" "$data/dns.pcap" | cut -f 4 >"$tmp/given" &&
        "$ws" classify -q -m "$flows" -o jsonl "$data/http.pcap" "$data/dns.pcap" | grep -o '"wirespeak":{"label":"[^"]*"' | cut -d '"' -f 6 >"$tmp/found"
    [ -s "$tmp/given" ] && cmp -s "$tmp/given" "$tmp/found"
    result $? "and says what classify says"
    said=$(LD_LIBRARY_PATH=${library%/*} "$tmp/labels" "$flows" "$data/nosuch.pcap" 2>&1)
    [ $? = 1 ] && is_line "$said"
    result $? "and of what is not there so: $said"
fi
echo "1..$n"
exit $bad

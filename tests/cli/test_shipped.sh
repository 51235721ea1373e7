#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_shipped.sh: the models that commands take when they are given none, and where `make install` puts them.
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

make -s -C "${top_builddir:-.}" install-pkgdataDATA DESTDIR="$tmp/to" >"$tmp/make" 2>&1
result $? "models are installed"
home=$(cd "$tmp/to" && find . -name flows.safetensors)
home=${home#.}
cmp -s "$tmp/to$home" "$flows" && cmp -s "$tmp/to${home%/*}/generator.safetensors" "$generator"
result $? "both of them"
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
echo "1..$n"
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# targets.sh DIR: the programs that compare.py measures with, from the sources of this Debian's packages, built with
# afl-clang-fast: DIR/tcpdump, DIR/ndpi, DIR/ldns, DIR/net-snmp. Nothing is installed. With CC=clang and CFLAGS="-g
# -fsanitize=address", say, the same to look at crashes with. What is in DIR is taken as it is: remove it to build again.
set -euo pipefail

[ $# = 1 ] || {
    echo "usage: $0 DIR" >&2
    exit 2
}
mkdir -p "$1/sources" "$1/lists/partial"
cd "$1"
here=$(cd - >/dev/null && cd "$(dirname "$0")/targets" && pwd)
top=$PWD
export CC=${CC:-afl-clang-fast} CFLAGS=${CFLAGS:--O1} AFL_QUIET=1
read -ra flags <<<"$CFLAGS"
command -v "$CC" >/dev/null || {
    echo "$0: no $CC here: apt-get install afl++ clang" >&2
    exit 1
}

# The package's source as its authors made it, unpacked in sources/NAME: an apt of our own, so that nothing of the system's changes.
fetch()
{
    [ -d "sources/$1" ] && return
    if [ ! -e src.list ]; then
        # shellcheck source=/dev/null
        . /etc/os-release
        echo "deb-src http://deb.debian.org/debian $VERSION_CODENAME main" >src.list
    fi
    local apt=(-qq -o "Dir::Etc::sourcelist=$top/src.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$top/lists" -o APT::Sandbox::User=root)
    [ -n "$(find lists -name '*_Sources*')" ] || apt-get "${apt[@]}" update
    apt-get "${apt[@]}" source --download-only --tar-only "$1"
    mkdir "sources/$1.part"
    tar xf "$(find . -maxdepth 1 -name "$1_*.orig.tar.*z")" -C "sources/$1.part" --strip-components=1
    mv "sources/$1.part" "sources/$1"
}

# build NAME: the function build_NAME in its sources; what it prints goes to NAME.log. Its commands are joined by &&.
build()
{
    [ -x "$1" ] && return
    fetch "$1"
    echo "$1"
    (cd "sources/$1" && "build_${1//-/_}") >"$1.log" 2>&1 || {
        echo "$0: $1 was not built: see $top/$1.log" >&2
        exit 1
    }
}

build_tcpdump()
{
    ./configure --without-crypto --without-smi --without-cap-ng && make -j2 tcpdump && cp tcpdump "$top"
}

build_ndpi()
{
    NOCONFIGURE=1 ./autogen.sh && ./configure --disable-shared --with-only-libndpi && make -j2 -C src/lib &&
        "$CC" "${flags[@]}" -Isrc/include -o "$top/ndpi" "$here/ndpi.c" src/lib/libndpi.a -lpcap -lgcrypt -lm
}

build_ldns()
{
    ./configure --disable-shared && make -j2 lib &&
        "$CC" "${flags[@]}" -I. -o "$top/ldns" "$here/ldns.c" .libs/libldns.a -lcrypto
}

build_net_snmp()
{
    ./configure --with-defaults --disable-shared --disable-agent --disable-applications --disable-scripts --disable-manuals \
        --without-rpm --disable-embedded-perl --without-perl-modules && make -j2 -C snmplib &&
        "$CC" "${flags[@]}" -Iinclude -o "$top/net-snmp" "$here/net-snmp.c" snmplib/.libs/libnetsnmp.a -lcrypto -lm
}

for name in tcpdump ndpi ldns net-snmp; do
    build "$name"
done
rm -rf lists

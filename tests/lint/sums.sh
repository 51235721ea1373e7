#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sums.sh: the files that a SHA256SUMS lists are those that it was written of.
set -u
cd "${srcdir:-.}" || exit 1
bad=0
for sums in models/SHA256SUMS tests/data/SHA256SUMS; do
    (cd "${sums%/*}" && sha256sum --quiet -c SHA256SUMS) || {
        echo "$sums is not of these files: sha256sum FILE... >SHA256SUMS"
        bad=1
    }
done
exit $bad

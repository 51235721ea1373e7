#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shell.sh: shellcheck over every shell script of the tree.
set -u
cd "${srcdir:-.}" || exit 1
command -v shellcheck >/dev/null || {
    echo "shellcheck is not installed"
    exit 77
}
mapfile -t scripts < <(
    ls quickstart .ci/run tests/run-tests
    find tests datasets contrib models -name '*.sh' 2>/dev/null
)
shellcheck -x "${scripts[@]}"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# format.sh: every C file is as .clang-format has it. Other versions than 14 break lines elsewhere.
set -u
cd "${srcdir:-.}" || exit 1
format=$(command -v clang-format-14 || command -v clang-format)
[[ $("${format:-false}" --version) == *'version 14.'* ]] || {
    echo "clang-format 14 is not installed"
    exit 77
}
find include lib src tests contrib -name '*.[ch]' -exec "$format" --dry-run --Werror {} +

#!/bin/bash
# The exercise of docs/adding-a-call.md works: in a copy of the tree its patch applies, all that knows calls compiles without
# a warning, and the trace that uses the new call passes; without the patch it cannot be read.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

build()
{
    CFLAGS="" make --directory="$work/tree" --file=ci/build.mk --jobs="$(nproc)" --silent OUT="$work/out" \
        OBJ="$work/out" CC="${CC:-cc}" CFLAGS=-O0 tool
}

mkdir "$work/tree"
cp -r ci core docs harness "$work/tree/"
block diff docs/adding-a-call.md >"$work/call.patch"
block trace docs/adding-a-call.md >"$work/new_call.trace"
ends "the call is new" 1 "$PAGERITE" run "$work/new_call.trace"
has "it is this call that is new" zx_vmo_count_pins
ends "the patch applies" 0 patch --directory="$work/tree" --strip=1 --no-backup-if-mismatch --input="$work/call.patch"
ends "everything compiles" 0 build
ends "the trace passes" 0 "$work/out/pagerite" run --check "$work/new_call.trace"
finish

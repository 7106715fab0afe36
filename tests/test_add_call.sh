#!/bin/bash
# The exercise of docs/adding-a-call.md works: in a copy of the tree its patch applies, all that knows calls compiles without
# a warning, and the trace that uses the new call passes; without the patch it cannot be read.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# Prints the first block of the page that is fenced as this language.
block()
{
    awk -v fence="\`\`\`$1" '$0 == "```" && inside { exit } inside { print } $0 == fence { inside = 1 }' docs/adding-a-call.md
}

# expect NAME COMMAND...: the command succeeds.
expect()
{
    local name=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then
        passed=$((passed + 1))
    else
        echo "failed: $name"
        tail -n 30 "$scratch/output"
        failed=$((failed + 1))
    fi
}

build()
{
    CFLAGS="" make --directory="$scratch/tree" --file=ci/build.mk --jobs="$(nproc)" --silent OUT="$scratch/out" \
        OBJ="$scratch/out" CC="${CC:-cc}" CFLAGS=-O0 tool
}

refuses()
{
    ! "$@" && grep --quiet zx_vmo_count_pins "$scratch/output"
}

mkdir "$scratch/tree"
cp -r ci core docs harness "$scratch/tree/"
block diff >"$scratch/call.patch"
block trace >"$scratch/new_call.trace"
expect "the call is new" refuses "$PAGERITE" run "$scratch/new_call.trace"
expect "the patch applies" patch --directory="$scratch/tree" --strip=1 --no-backup-if-mismatch --input="$scratch/call.patch"
expect "everything compiles" build
expect "the trace passes" "$scratch/out/pagerite" run --check "$scratch/new_call.trace"
echo "$passed passed, $failed failed"
((failed == 0))

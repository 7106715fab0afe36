#!/bin/bash
# The README's examples are true: the trace gives the output shown, and the embedding example compiles alone, without a
# warning, and prints what is shown.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

trace_example()
{
    block trace README.md >"$work/README.trace"
    ends "status of the failing trace" 1 env --chdir="$work" "$(realpath "$PAGERITE")" run README.trace
    same "trace" "$(block output README.md)" "$(cat "$work/output")"
}

embedding_example()
{
    block c README.md >"$work/example.c"
    tells "embedding, compiled" 0 '' '' "${CC:-cc}" -std=c11 -Wall -Wextra -Icore "$work/example.c" core/*.c -o "$work/example"
    ends "embedding, run" 0 "$work/example"
    same "embedding" "$(block text README.md)" "$(cat "$work/output")"
}

embedding_example
trace_example
finish

#!/bin/bash
# The README's examples are true: the trace gives the output shown, and the embedding example compiles alone, without a
# warning, and prints what is shown.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# Prints the first block of the README that is fenced as this language.
block()
{
    awk -v fence="\`\`\`$1" '$0 == "```" && inside { exit } inside { print } $0 == fence { inside = 1 }' README.md
}

# expect NAME EXPECTED ACTUAL: two files that must be the same.
expect()
{
    if [[ -s $2 ]] && diff "$2" "$3"; then
        echo "ok: $1"
        passed=$((passed + 1))
    else
        echo "differs: $1"
        failed=$((failed + 1))
    fi
}

trace_example()
{
    local status=0
    block trace >"$scratch/README.trace"
    block output >"$scratch/trace.expected"
    (cd "$scratch" && "$PAGERITE" run README.trace) >"$scratch/trace.actual" 2>&1 || status=$?
    expect "trace" "$scratch/trace.expected" "$scratch/trace.actual"
    echo 1 >"$scratch/status.expected"
    echo "$status" >"$scratch/status.actual"
    expect "status of the failing trace" "$scratch/status.expected" "$scratch/status.actual"
}

embedding_example()
{
    block c >"$scratch/example.c"
    block text >"$scratch/example.expected"
    "${CC:-cc}" -std=c11 -Wall -Wextra -Icore "$scratch/example.c" core/*.c -o "$scratch/example" 2>"$scratch/warnings" ||
        true
    : >"$scratch/example.actual"
    if [[ -x $scratch/example ]]; then "$scratch/example" >"$scratch/example.actual"; fi
    expect "embedding" "$scratch/example.expected" "$scratch/example.actual"
    if [[ -s $scratch/warnings ]]; then
        cat "$scratch/warnings"
        failed=$((failed + 1))
    fi
}

embedding_example
trace_example
echo "$passed passed, $failed failed"
((failed == 0))

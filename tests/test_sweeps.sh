#!/bin/bash
# Failing allocations and cuts over the whole corpus (ci/sweeps.sh), and in broken cores, where traces pass as they are
# and only the sweeps can find what is wrong.
#
# PAGERITE: the tool, beside the objects that it was made of. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objects=$(dirname "$PAGERITE")
flags=-O1
if grep --quiet __asan_init "$objects/libharness.a"; then flags+=" -fsanitize=address,undefined"; fi

# check WHAT COMMAND...: counts, and shows the output if it does not hold.
check()
{
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$what"
        head -n 30 "$work/output"
    fi
}

# ends STATUS COMMAND...: does the command end with this status?
ends()
{
    local expected=$1 status=0
    shift
    "$@" >"$work/output" 2>&1 || status=$?
    ((status == expected))
}

says()
{
    grep --quiet -E "$1" "$work/output"
}

# Every trace that there is, and a number of failures and cuts that a corpus of this size has at the least.
swept_all()
{
    local traces swept failures cuts
    traces=$(find -L corpus -name '*.trace' | wc -l)
    read -r swept failures cuts < <(sed -n \
        's/^\([0-9]*\) traces, \([0-9]*\) failing allocations, \([0-9]*\) cuts; [0-9]* passed, 0 failed$/\1 \2 \3/p' \
        "$work/output")
    ((swept == traces && failures > 5 * traces && cuts > 10 * traces))
}

# The tool over a core with this mistake.
break_core()
{
    local patch=harness/mutants/$1.patch file
    rm -rf "$work/tree"
    mkdir -p "$work/tree/core"
    while read -r file; do cp "$file" "$work/tree/core/"; done < <(sed -n 's,^+++ b/,,p' "$patch")
    patch --directory="$work/tree" --strip=1 --fuzz=0 --silent --no-backup-if-mismatch <"$patch"
    for file in "$work"/tree/core/*.c; do
        # shellcheck disable=SC2086  # flags are a list
        "${CC:-cc}" $flags -std=c11 -ffreestanding -Icore -w -c "$file" -o "${file%.c}.o"
    done
    # shellcheck disable=SC2086
    "${CC:-cc}" $flags "$work"/tree/core/*.o "$objects"/harness/tool/*.o "$objects/libharness.a" \
        "$objects/libpagerite.a" -lZydis -o "$work/broken"
}

# finds MUTANT TRACE WORDS: the trace passes in the broken core as it is, and the sweep says this of it.
finds()
{
    break_core "$1"
    check "$1: the trace fails as it is" ends 0 "$work/broken" run "$2"
    check "$1: the sweep finds nothing" ends 1 env PAGERITE="$work/broken" ci/sweeps.sh "$2"
    check "$1: the sweep does not say what is wrong" says "$3"
}

check "the sweeps find something" ends 0 ci/sweeps.sh
check "they did not go through all" swept_all
# What only shows when a thread dies that waits to pin, and when a port closes that has a page request: neither trace
# goes there.
finds kill_keeps_pins corpus/conformance/own/cell_begin_pinned.trap.trace 'with allocation 1 of .* failing: H1: '
finds closed_port_keeps_request corpus/conformance/own/cell_vmo_dies.trap.trace 'cut behind this line: H1: '
echo "$passed passed, $failed failed"
((failed == 0))

#!/bin/bash
# Failing allocations and cuts over the whole corpus (ci/sweeps.sh), and in broken cores, where traces pass as they are
# and only the sweeps can find what is wrong.
#
# PAGERITE: the tool, beside the objects that it was made of. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

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
        # shellcheck disable=SC2046  # flags are words
        "${CC:-cc}" -O1 $(sanitizers) -std=c11 -ffreestanding -Icore -w -c "$file" -o "${file%.c}.o"
    done
    link_tool "$work/broken" "$work"/tree/core/*.o
}

# finds MUTANT TRACE WORDS: the trace passes in the broken core as it is, and the sweep says this of it.
finds()
{
    break_core "$1"
    ends "$1: the trace passes as it is" 0 "$work/broken" run "$2"
    ends "$1: the sweep finds it" 1 env PAGERITE="$work/broken" ci/sweeps.sh "$2"
    has "$1: the sweep says what is wrong" "$3"
}

ends "all traces" 0 ci/sweeps.sh
if swept_all; then pass; else fail "it did not go through all" "$(cat "$work/output")"; fi
# What only shows when a thread dies that waits to pin, and when a port closes that has a page request: neither trace
# goes there.
finds kill_keeps_pins corpus/conformance/own/cell_begin_pinned.trap.trace 'with allocation 1 of .* failing: H1: '
finds closed_port_keeps_request corpus/conformance/own/cell_vmo_dies.trap.trace 'cut behind this line: H1: '
finish

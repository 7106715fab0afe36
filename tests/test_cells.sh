#!/bin/bash
# Holds docs/page-state-cells.txt to the truth: every cell of the table of page states (operations by states, with and
# without ZX_VMO_TRAP_DIRTY) is there once; each names a trace that exists, says in a comment that it has the cell, and
# passes; and no trace has a cell that is not listed. Also holds the table in docs/dirty-tracking.md to the core's own.
# Closes with a count of cells and traces.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

list=docs/page-state-cells.txt

# What there must be: each operation with the states that it can meet.
all_states="A C M D W Z ZW"
pinnable="C D W"

wanted()
{
    local operation state mode
    for mode in notrap trap; do
        for operation in supply supply_zero read load commit pin_read write store pin_write dirty begin begin_zero end \
            zero zero_part decommit fail evict detach close_port close_pager shrink grow vmo_dies; do
            for state in $all_states; do echo "$operation $state $mode"; done
        done
        for operation in begin_pinned end_pinned zero_pinned shrink_pinned evict_pinned; do
            for state in $pinnable; do echo "$operation $state $mode"; done
        done
    done
}

listed()
{
    sed '/^#/d; /^$/d' "$list"
}

check_complete()
{
    local difference
    difference=$(diff <(wanted | LC_ALL=C sort) <(listed | awk '{ print $1, $2, $3 }' | LC_ALL=C sort) || true)
    if [[ -n $difference ]]; then fail "cells missing (<), unknown or twice (>):" "$difference"; fi
}

check_cells()
{
    local operation state mode result trace
    while read -r operation state mode result trace; do
        if [[ ! " $all_states gone " == *" $result "* ]]; then
            fail "$operation $state $mode ends in no state: $result"
        elif [[ -z $trace ]]; then
            fail "$operation $state $mode names no trace"
        elif ! grep --quiet --no-messages "^# cell $operation $state\$" "corpus/conformance/$trace.trace"; then
            fail "$trace does not have the cell $operation $state"
        else
            pass
        fi
    done < <(listed)
}

check_traces()
{
    local traces output
    mapfile -t traces < <(listed | awk '{ print "corpus/conformance/" $5 ".trace" }' | LC_ALL=C sort -u)
    if output=$("$PAGERITE" run "${traces[@]}" 2>&1) && grep --quiet "^${#traces[@]} passed, 0 failed\$" <<<"$output"; then
        passed=$((passed + ${#traces[@]}))
    else
        fail "not all of the traces pass:" "$output"
    fi
}

# The rows of the core's table, as the documentation prints them.
core_table()
{
    cat >"$work/table.c" <<'C'
#include "core/pgr.h"
#include <stdio.h>

int main(void)
{
    static const char *const events[] = {"READ", "SUPPLY", "SUPPLY_ZERO", "COMMIT", "WRITE", "DIRTY",
                                         "BEGIN", "END", "ZERO", "ZERO_PINNED", "EVICT", "DETACH"};
    static const char *const states[] = {"absent", "anonymous", "clean", "dirty", "awaiting", "marker", "interval"};
    static const unsigned shown[] = {PGR_PAGE_NONE, PGR_PAGE_CLEAN, PGR_PAGE_MARKER, PGR_PAGE_DIRTY,
                                     PGR_PAGE_AWAITING_CLEAN, PGR_PAGE_INTERVAL};
    for (unsigned event = 0; event < PGR_EVENT_COUNT; event++) {
        printf("| %s |", event < sizeof events / sizeof events[0] ? events[event] : "?");
        for (unsigned i = 0; i < sizeof shown / sizeof shown[0]; i++) {
            unsigned after = pgr_page_after(event, shown[i]);
            printf(" %s |", after == shown[i] ? "-" : states[after]);
        }
        printf("\n");
    }
    return 0;
}
C
    "${CC:-cc}" -O1 -Icore -I. "$work/table.c" core/*.c -o "$work/table" && "$work/table"
}

check_table()
{
    local difference
    difference=$(diff <(grep -E '^\| [A-Z_]+ \|' docs/dirty-tracking.md) <(core_table) || true)
    if [[ -z $difference ]]; then
        pass
    else
        fail "docs/dirty-tracking.md (<) has another table than the core (>):" "$difference"
    fi
}

check_complete
check_cells
check_traces
check_table
finish

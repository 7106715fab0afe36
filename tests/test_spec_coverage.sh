#!/bin/bash
# Every row of every table of checks in docs/semantics/, every edge of the page states and every error of the two calls has
# a trace that shows it, and docs/specification-coverage.md says which (tests/test_spec_coverage.py). Also runs the traces that
# are too long for the corpus, and sees that a row without its trace is noticed.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# expect NAME COMMAND...: the command succeeds.
expect()
{
    local name=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then
        passed=$((passed + 1))
    else
        echo "failed: $name"
        cat "$scratch/output"
        failed=$((failed + 1))
    fi
}

# A port takes 4096 user packets, and not one more until one has been received.
port_full()
{
    echo "zx_port_create(0, &port) = ZX_OK"
    printf "zx_port_queue(port, {key=1}) = ZX_OK%.0s\n" {1..4096}
    echo "zx_port_queue(port, {key=2}) = ZX_ERR_SHOULD_WAIT"
    echo "zx_port_wait(port, 0, {key=1}) = ZX_OK"
    echo "zx_port_queue(port, {key=2}) = ZX_OK"
    echo "zx_port_queue(port, {key=3}) = ZX_ERR_SHOULD_WAIT"
    echo "check_invariants() = ZX_OK"
}

# In a copy of what the check reads, one change must not go unnoticed.
notices()
{
    rm -rf "$scratch/copy"
    mkdir -p "$scratch/copy/core"
    cp -rL docs corpus tests "$scratch/copy/"
    cp core/calls.c core/pgr.h "$scratch/copy/core/"
    (cd "$scratch/copy" && sed -i "$2" "$1" && ! python3 tests/test_spec_coverage.py)
}

expect "every row has its traces" python3 tests/test_spec_coverage.py
port_full >"$scratch/port_full.trace"
expect "a full port" "$PAGERITE" run "$scratch/port_full.trace"
expect "a row without a trace is noticed" notices docs/semantics/supply.md 's/supply_check_order, supply_belongs_to/no_such_trace/'
expect "a trace without the status is noticed" notices corpus/traces/pin_31_times.trace 's/ZX_ERR_UNAVAILABLE/ZX_ERR_NO_MEMORY/'
expect "a status that no trace has is noticed" notices docs/semantics/pins.md 's/UNAVAILABLE/NO_RESOURCES/'
expect "a call without rows is noticed" notices docs/semantics/vmo.md 's/^## zx_vmo_get_size/## The size/'
expect "an edge without a cell is noticed" notices docs/page-state-cells.txt '/^evict  *C /d'
echo "$passed passed, $failed failed"
((failed == 0))

#!/bin/bash
# Every row of every table of checks in docs/semantics/, every edge of the page states and every error of the two calls has
# a trace that shows it, and docs/specification-coverage.md says which (tests/test_spec_coverage.py). Also runs the traces that
# are too long for the corpus, and sees that a row without its trace is noticed.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

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
    rm -rf "$work/copy"
    mkdir -p "$work/copy/core"
    cp -rL docs corpus tests "$work/copy/"
    cp core/call_rows.h core/pgr.h core/zx.h "$work/copy/core/"
    (cd "$work/copy" && sed -i "$2" "$1" && ! python3 tests/test_spec_coverage.py)
}

ends "every row has its traces" 0 python3 tests/test_spec_coverage.py
port_full >"$work/port_full.trace"
ends "a full port" 0 "$PAGERITE" run "$work/port_full.trace"
ends "a row without a trace is noticed" 0 notices docs/semantics/supply.md 's/supply_check_order, supply_belongs_to/no_such_trace/'
ends "a trace without the status is noticed" 0 notices corpus/traces/pin_31_times.trace 's/ZX_ERR_UNAVAILABLE/ZX_ERR_NO_MEMORY/'
ends "a status that no trace has is noticed" 0 notices docs/semantics/pins.md 's/UNAVAILABLE/NO_RESOURCES/'
ends "a call without rows is noticed" 0 notices docs/semantics/vmo.md 's/^## zx_vmo_get_size/## The size/'
ends "an edge without a cell is noticed" 0 notices docs/page-state-cells.txt '/^evict  *C /d'
finish

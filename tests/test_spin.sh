#!/bin/bash
# The exhaustive search of small worlds (ci/spin.sh), a few calls deep: it goes through all worlds and finds nothing, and
# in a broken core it finds what is broken and prints the calls that show it. Skipped where Spin is missing.
#
# PAGERITE: the tool, beside the libraries that it was made of. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v spin >/dev/null || [[ ! -e /usr/include/xxhash.h ]]; then
    echo "needs spin and libxxhash-dev: apt-get install spin libxxhash-dev"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LIBRARIES=$(dirname "$PAGERITE")
CFLAGS=-O1
if grep --quiet __asan_init "$LIBRARIES/libharness.a"; then CFLAGS+=" -fsanitize=address,undefined"; fi
export LIBRARIES CFLAGS OUT=$work

# check WHAT COMMAND...: counts, and shows the search's output if it does not hold.
check()
{
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$what"
        cat "$work/output"
    fi
}

# search STATUS ARGUMENT...: does the search end with this status?
search()
{
    local expected=$1 status=0
    shift
    ci/spin.sh "$@" 25 >"$work/output" 2>&1 || status=$?
    ((status == expected))
}

says()
{
    grep --quiet -E "$1" "$work/output"
}

ends_with_supply()
{
    tail -n 1 "$work/output" | grep --quiet '^zx_pager_supply_pages('
}

check "the search of the sound core fails" search 0 --depth 3
check "it did not go through thousands of calls, three deep" says '^states [0-9]{3,}, transitions [0-9]{4,}, depth 3$'
check "it does not say that there is nothing" says '^no violations$'
check "the search misses the canary" search 1 --depth 3 --mutant canary
check "it does not say which invariant is violated" says '^violation: O[12]: '
check "the canary's trace does not end with the call that is wrong" ends_with_supply
check "the search misses pins that are lost" search 1 --depth 3 --mutant join_loses_pins writeback
check "it does not say so" says '^violation: O5: '
check "there is no thread's call in the trace" says '^\[t2\] zx_bti_pin\('
echo "$passed passed, $failed failed"
((failed == 0))

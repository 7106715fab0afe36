#!/bin/bash
# The exhaustive search of small worlds (ci/spin.sh), a few calls deep: it goes through all worlds and finds nothing, and
# in a broken core it finds what is broken and prints the calls that show it. Skipped where Spin is missing.
#
# PAGERITE: the tool, beside the libraries that it was made of. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

if ! command -v spin >/dev/null || [[ ! -e /usr/include/xxhash.h ]]; then
    skip_all "needs spin and libxxhash-dev: apt-get install spin libxxhash-dev"
fi

LIBRARIES=$(dirname "$PAGERITE")
CFLAGS="-O1 $(sanitizers)"
export LIBRARIES CFLAGS OUT=$work

# search NAME STATUS ARGUMENT...: the search must end with this status.
search()
{
    local name=$1 status=$2
    shift 2
    ends "$name" "$status" ci/spin.sh "$@" 25
}

search "the sound core" 0 --depth 3
has "it goes through thousands of calls, three deep" '^states [0-9]{3,}, transitions [0-9]{4,}, depth 3$'
has "it says that there is nothing" '^no violations$'
search "the canary" 1 --depth 3 --mutant canary
has "it says which invariant is violated" '^violation: O[12]: '
same "its trace ends with the call that is wrong" "zx_pager_supply_pages" \
    "$(tail -n 1 "$work/output" | grep --only-matching '^zx_[a-z_]*')"
search "pins that are lost" 1 --depth 3 --mutant join_loses_pins writeback
has "it says so" '^violation: O5: '
has "it needs a thread's call" '^\[t2\] zx_bti_pin\('
finish

#!/bin/bash
# Runs every trace of the corpus with its first, second, third ... allocation failing until none is left to fail, and
# cut between any two of its dispatches with all handles closed and all threads killed there, under all checkers.
#
#   ci/sweeps.sh [FILE|DIR...]    corpus/ if nothing is named
#
# PAGERITE: the tool; without it, out/pagerite is built. Prints what was swept:
#
#   N traces, N failing allocations, N cuts; N passed, N failed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z ${PAGERITE:-} ]]; then
    ./build.sh
    PAGERITE=${OUT:-$PWD/out}/pagerite
fi
if (($# == 0)); then set -- corpus; fi
exec "$PAGERITE" sweep "$@"

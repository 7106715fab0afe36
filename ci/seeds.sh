#!/bin/bash
# Makes the seeds of a fuzz target from the traces of the corpus, one file a trace.
#
#   ci/seeds.sh TARGET TOOL DIRECTORY    TOOL is a built `pagerite`
#
# fuzz_trace reads the traces' text as it is; the others read encoded calls. A trace that no fuzz world can hold, or
# that needs a call which is not there yet, gives no seed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$1 tool=$2 directory=$3
rm -rf "$directory"
mkdir -p "$directory"

find corpus -name '*.trace' | LC_ALL=C sort | while IFS= read -r trace; do
    name=${trace#corpus/}
    seed=$directory/$(basename "${name//\//.}" .trace)
    if [[ $target == fuzz_trace ]]; then
        cp "$trace" "$seed"
    else
        "$tool" encode "$trace" >"$seed" 2>/dev/null || rm -f "$seed"
    fi
done

if [[ -z $(find "$directory" -type f -print -quit) ]]; then
    echo "seeds.sh: no trace gave a seed for $target" >&2
    exit 1
fi

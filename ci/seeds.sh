#!/bin/bash
# Makes the seeds of a fuzz target from the traces of the corpus, one file a trace.
#
#   ci/seeds.sh TARGET TOOL DIRECTORY    TOOL is a built `pagerite`
#
# fuzz_trace reads the traces' text as it is, fuzz_x86 the instructions in them; the others read encoded calls. A trace
# that no fuzz world can hold, or that needs a call which is not there yet, gives no seed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$1 tool=$2 directory=$3

# Pages of 64 bytes, then each instruction of a trace as harness/x86_fuzz.c reads it, with registers near the borders of
# pages, and behind it a supply of all pages.
instructions()
{
    local code byte
    grep -q 'x86_exec("' "$1" || return 0
    printf '\0\0'
    sed -n 's/.*x86_exec("\([^"]*\)".*/\1/p' "$1" | while IFS= read -r code; do
        code="00 ff $code 90 90 90 90 90 90 90 90 90 90 90 90 90 90"
        code="${code:0:50} 02 05 10 03 05 02 16 05 1a 06 1e 03 18 0a 14 00 00 00 60 70"
        for byte in $code; do printf '%b' "\\x$byte"; done
    done
}

rm -rf "$directory"
mkdir -p "$directory"

find corpus -name '*.trace' | LC_ALL=C sort | while IFS= read -r trace; do
    name=${trace#corpus/}
    seed=$directory/$(basename "${name//\//.}" .trace)
    if [[ $target == fuzz_trace ]]; then
        cp "$trace" "$seed"
    elif [[ $target == fuzz_x86 ]]; then
        instructions "$trace" >"$seed"
        [[ -s $seed ]] || rm -f "$seed"
    else
        "$tool" encode "$trace" >"$seed" 2>/dev/null || rm -f "$seed"
    fi
done

if [[ -z $(find "$directory" -type f -print -quit) ]]; then
    echo "seeds.sh: no trace gave a seed for $target" >&2
    exit 1
fi

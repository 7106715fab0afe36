#!/bin/bash
# Shows that libFuzzer and AFL++ work on the same corpora: what one found, the other reads, runs and covers.
#
#   ci/exchange.sh OUT [TARGET...]    fuzz_calls and fuzz_trace if none is named; builds both engines' targets in OUT
#
# In a folder of its own, for each target: libFuzzer works for some seconds from the seeds, and AFL++ must see more edges
# in what it kept than in the seeds, before it changes anything. Then AFL++ works from the seeds alone, its queue is
# merged, and libFuzzer must cover more with the result than with the seeds. The last line counts directions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

(($# >= 1)) || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
out=$(realpath "$1")
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
seconds=${SECONDS_EACH:-10}

# answer NAME BEFORE AFTER: the direction works if there is more after than before.
answer()
{
    if (($3 > $2)); then
        passed=$((passed + 1))
        echo "$1: ok: $2 edges, then $3"
    else
        failed=$((failed + 1))
        echo "$1: not ok: $2 edges, then $3"
    fi
}

libfuzzer_covers()
{
    "$out/$1" -runs=0 "${@:2}" 2>&1 </dev/null | grep -oE ' cov: [0-9]+' | tail -n 1 | grep -oE '[0-9]+'
}

# One map of all inputs of a folder, without mutating any.
afl_covers()
{
    AFL_QUIET=1 afl-showmap -C -q -m none -t 10000 -i "$2" -o "$scratch/map" -- "$out/afl/$1" >/dev/null 2>&1
    wc -l <"$scratch/map"
}

exchange()
{
    local target=$1 place=$scratch/$1 seeds=$scratch/$1/seeds/$1 before after
    mkdir -p "$place/afl" "$place/corpus/$target"
    cp "$out/$target" "$out/pagerite" "$place/"
    cp "$out/afl/$target" "$out/afl/afl_mutator.so" "$place/afl/"
    ci/seeds.sh "$target" "$out/pagerite" "$seeds"
    "$place/$target" -max_total_time="$seconds" "$place/corpus/$target" "$seeds" >"$place/log" 2>&1 </dev/null
    before=$(afl_covers "$target" "$seeds")
    cp -r "$place/corpus/$target" "$place/both"
    cp "$seeds"/* "$place/both/"
    after=$(afl_covers "$target" "$place/both")
    answer "$target, libFuzzer to AFL++" "$before" "$after"

    rm -rf "$place/corpus"
    FUZZ_TARGETS=$target ci/fuzz.sh "$place" "$seconds" afl >"$place/log" 2>&1
    ci/minimise.sh "$place" "$target"
    before=$(libfuzzer_covers "$target" "$seeds")
    after=$(libfuzzer_covers "$target" "$place/corpus/$target" "$seeds")
    answer "$target, AFL++ to libFuzzer" "$before" "$after"
}

main()
{
    local target
    (($# > 0)) || set -- fuzz_calls fuzz_trace
    if [[ ! -x $out/afl/$1 || ! -x $out/$1 ]]; then
        OUT=$out FUZZ_TARGETS=$1 ./build.sh fuzz 1
        OUT=$out FUZZ_TARGETS=$1 ./build.sh fuzz 1 --engine afl
    fi
    for target in "$@"; do exchange "$target"; done
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

main "$@"

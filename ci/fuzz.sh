#!/bin/bash
# Runs every fuzz target of a folder, as many at a time as there are cores, and shows how they get on.
#
#   ci/fuzz.sh OUT SECONDS [ENGINE]    ENGINE is libfuzzer (targets OUT/fuzz_*) or afl (OUT/afl/fuzz_*); findings go to
#                                      OUT/findings/, and ci/fuzz_ENGINE.sh says where inputs are kept
#
# FUZZ_TARGETS names the targets to run, if not all of fuzz/. On a terminal each target has a line that is redrawn every
# second, elsewhere it prints one every ten seconds. The figures are the engine's own. Ends with a table, and status 1 if
# anything was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1#"$PWD"/} seconds=$2 engine=${3:-libfuzzer}
logs=$out/fuzz-logs
findings=$out/findings
declare -A process=() status=() started=()
interrupted=""
# shellcheck source=ci/fuzz_libfuzzer.sh
. "ci/fuzz_$engine.sh"

list_targets()
{
    if [[ -n ${FUZZ_TARGETS:-} ]]; then
        tr ' ' '\n' <<<"$FUZZ_TARGETS"
    else
        basename --multiple --suffix .c fuzz/fuzz_*.c
    fi
}

start()
{
    local target=$1
    ci/seeds.sh "$target" "$out/pagerite" "$out/seeds/$target"
    mkdir -p "$findings"
    rm -f "$findings/$target.trace"
    (engine_run "$target") >"$logs/$target.log" 2>&1 </dev/null &
    process[$target]=$!
    started[$target]=$SECONDS
}

# Notes which of the running targets have ended, and how.
reap()
{
    local target
    for target in "${!process[@]}"; do
        kill -0 "${process[$target]}" 2>/dev/null && continue
        status[$target]=0
        wait "${process[$target]}" || status[$target]=$?
        unset "process[$target]"
    done
}

line()
{
    local target=$1 runs rate edges units
    read -r runs rate edges units < <(engine_figures "$target")
    printf '%-14s %4d s  %10d executions  %7d/s  %6d edges  %6d inputs' \
        "$target" "$((SECONDS - started[$target]))" "$runs" "$rate" "$edges" "$units"
}

show_progress()
{
    local target
    if [[ -t 1 ]]; then
        ((drawn == 0)) || printf '\033[%dA' "$drawn"
        for target in "${begun[@]}"; do printf '\033[2K%s\n' "$(line "$target")"; done
        drawn=${#begun[@]}
    else
        for target in "${!process[@]}"; do line "$target" && echo; done
    fi
}

run_all()
{
    local waiting=("$@") cores drawn=0 begun=() period=10 next
    cores=$(nproc)
    [[ -t 1 ]] && period=1
    next=$((SECONDS + period))
    while ((${#waiting[@]} + ${#process[@]} > 0)); do
        while ((${#waiting[@]} > 0 && ${#process[@]} < cores)); do
            start "${waiting[0]}"
            begun+=("${waiting[0]}")
            waiting=("${waiting[@]:1}")
        done
        sleep 0.5 || true
        reap
        if ((SECONDS >= next)); then
            show_progress
            next=$((SECONDS + period))
        fi
        [[ -z $interrupted ]] || waiting=()
    done
    if [[ -t 1 ]]; then show_progress; fi
}

# shellcheck disable=SC2317  # called by the trap
interrupt()
{
    interrupted=1
    local target
    for target in "${!process[@]}"; do kill -TERM "${process[$target]}" 2>/dev/null || true; done
}

found_something()
{
    engine_found "$1" "${status[$1]}"
}

summary()
{
    local target runs rate edges units verdict
    printf '\n%-14s %12s %10s %8s %8s  %s\n' target executions exec/s edges inputs result
    for target in "$@"; do
        [[ -n ${status[$target]:-} ]] || continue
        read -r runs rate edges units < <(engine_figures "$target")
        verdict=ok
        if found_something "$target"; then verdict=FOUND; fi
        printf '%-14s %12d %10d %8d %8d  %s\n' "$target" "$runs" "$rate" "$edges" "$units" "$verdict"
    done
    echo
}

# For a finding: the input as a trace, and how to see it again.
report()
{
    local target=$1 input
    input=$(engine_finding "$target")
    if [[ -z $input ]]; then
        printf '%s ended with status %d and left no input; its log: %s\n' "$target" "${status[$target]}" \
            "$logs/$target.log"
        tail -n 20 "$logs/$target.log"
        return
    fi
    # What the target wrote as it died, or writes when it runs the input again; without that, what the tool makes of
    # the input; a text is its own trace.
    if [[ ! -s $findings/$target.trace ]]; then
        (PAGERITE_TRACE_OUT=$findings/$target.trace timeout 60 "$targets_in/$target" "$input" || true) \
            >>"$logs/$target.log" 2>&1
    fi
    if [[ -s $findings/$target.trace ]]; then
        mv "$findings/$target.trace" "$input.trace"
    elif [[ $target == fuzz_trace ]]; then
        cp "$input" "$input.trace"
    else
        timeout 20 "$out/pagerite" decode "$input" >"$input.trace" 2>/dev/null || true
    fi
    grep -E '^[A-Z][0-9]+: |ERROR: |runtime error: ' "$logs/$target.log" | awk '!seen[$0]++' | head -n 3 || true
    printf '  trace:  %s\n  replay: %s %s\n  log:    %s\n' "$input.trace" "$targets_in/$target" "$input" "$logs/$target.log"
}

main()
{
    local targets target found=0
    mapfile -t targets < <(list_targets)
    mkdir -p "$logs"
    ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$(command -v llvm-symbolizer-19 llvm-symbolizer | head -n 1 || true)}
    export ASAN_SYMBOLIZER_PATH
    trap interrupt INT TERM
    echo "fuzzing ${targets[*]} with $engine, $seconds s each, on $(nproc) cores; logs in $logs"
    run_all "${targets[@]}"
    summary "${targets[@]}"
    for target in "${targets[@]}"; do
        if [[ -n ${status[$target]:-} ]] && found_something "$target"; then
            found=1
            report "$target"
        fi
    done
    if ((found)); then return 1; fi
    echo "no violations"
}

main

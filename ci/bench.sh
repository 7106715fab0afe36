#!/bin/bash
# Measures every bound: those of the core (harness/bench.c), then the rates of fuzz_calls, which is fuzzed for a minute
# from its seeds and measured on the corpus that this leaves, with its checkers and without.
#
#   ci/bench.sh BENCH OUT    the built benchmark, and the folder of fuzz_calls and pagerite
#
# Lines are name, value, unit, bound, ok or MISSED, separated by tabs; a figure without a bound has `-` for it.
# BENCH_FUZZ_SECONDS (60) and BENCH_MEASURE_SECONDS (20) shorten it. Status 1 if a bound was missed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bench=$1 out=$2
# In memory where possible: libFuzzer writes a file for every input it keeps, and the disk is not what is measured.
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
missed=0

# report NAME VALUE UNIT RELATION BOUND: RELATION is >= or <=; without a bound there is nothing to miss.
report()
{
    local verdict=ok
    if [[ -n ${5:-} ]] && ! awk -v value="$2" -v bound="$5" "BEGIN { exit !(value $4 bound) }"; then
        verdict=MISSED
        missed=1
    fi
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}${5:--}" "$verdict"
}

# fuzz SECONDS CORPUS LOG: one process, so one core; prints the seconds that it had of that core, since others may want
# it too. The seed is fixed, so that runs can be compared.
fuzz()
{
    local TIMEFORMAT='%U %S' status=0 used options
    mapfile -t options < <(sed -n 's/^\([a-z_]*\) *= */-\1=/p' ci/options/fuzz_calls.options)
    used=$({ time "$out/fuzz_calls" -max_total_time="$1" "${options[@]}" -seed=1 -artifact_prefix="$scratch/" "$2" \
        >"$3" 2>&1; } 2>&1) || status=$?
    awk '{ print $1 + $2 }' <<<"$used"
    if ((status != 0)); then
        tail -n 50 "$3" >&2
        echo "bench.sh: fuzz_calls found something; ./build.sh fuzz shows it" >&2
        exit 1
    fi
}

figure()
{
    awk -F '\t' -v name="$2" '$1 == name { print $2 + 0 }' "$1"
}

# rate FILE NAME SECONDS: a count of the figures by the seconds that it took.
rate()
{
    awk -v count="$(figure "$1" "$2")" -v seconds="$3" 'BEGIN { printf "%.0f", count / seconds }'
}

measure_rates()
{
    local seconds=${BENCH_MEASURE_SECONDS:-20} checked=$scratch/checked unchecked=$scratch/unchecked
    local checked_seconds unchecked_seconds checked_rate unchecked_rate
    ci/seeds.sh fuzz_calls "$out/pagerite" "$scratch/corpus"
    fuzz "${BENCH_FUZZ_SECONDS:-60}" "$scratch/corpus" "$scratch/log" >/dev/null
    cp -r "$scratch/corpus" "$scratch/corpus-again"
    checked_seconds=$(PAGERITE_STATS=$checked fuzz "$seconds" "$scratch/corpus" "$scratch/log")
    unchecked_seconds=$(PAGERITE_STATS=$unchecked PAGERITE_CHECKS=0 fuzz "$seconds" "$scratch/corpus-again" "$scratch/log")
    checked_rate=$(rate "$checked" calls "$checked_seconds")
    unchecked_rate=$(rate "$unchecked" calls "$unchecked_seconds")

    report "fuzz_calls, dispatched calls" "$checked_rate" calls/s ">=" 300000
    report "fuzz_calls, without checkers / with" \
        "$(awk -v a="$unchecked_rate" -v b="$checked_rate" 'BEGIN { printf "%.2f", a / b }')" x "<=" 3.00
    report "fuzz_calls, executions" "$(rate "$checked" executions "$checked_seconds")" executions/s
    report "fuzz_calls, dispatches followed by a walk" "$(figure "$checked" walks_of_calls)" %
    report "fuzz_calls, executions with block, release, filling supply" "$(figure "$checked" complete_executions)" % ">=" 20
    report_rows "$checked"
}

# Each call of the table by its share of ZX_OK: those that miss the bound, and the lowest.
report_rows()
{
    local call share lowest=101 lowest_call=none
    while read -r call share; do
        if awk -v share="$share" 'BEGIN { exit !(share < 10) }'; then
            report "fuzz_calls, $call returns ZX_OK" "$share" % ">=" 10
        fi
        if awk -v a="$share" -v b="$lowest" 'BEGIN { exit !(a < b) }'; then
            lowest=$share lowest_call=$call
        fi
    done < <(awk -F '\t' '$1 == "row" { print $2, $4 + 0 }' "$1")
    report "fuzz_calls, the row with fewest ZX_OK: $lowest_call" "$lowest" % ">=" 10
}

"$bench" || missed=1
if [[ -x $out/fuzz_calls ]]; then measure_rates; fi
exit "$missed"

#!/bin/bash
# What takes too long to wait for: each job alone by name, or all of them, one after the other.
#
#   ci/nightly.sh [--seconds SECONDS] [JOB...]
#
#     fuzz          every target under libFuzzer for SECONDS (3600) each, then the corpora made small
#     afl           the same under AFL++, and its finds brought to libFuzzer's corpora
#     exchange      inputs go from libFuzzer to AFL++ and back, and each side covers what the other found
#     regression    every input kept, under each sanitizer
#     mutants       every broken core is found
#     coverage      lines, branches and MC/DC of core/
#     sweeps        every trace with each allocation failing, and cut at each line
#     spin          all small worlds, as deep as SECONDS or ten minutes allow, whichever is less
#     machines      the traces on 32 bits and on another byte order
#     freestanding  the core without a C library, for all its architectures
#     static        analyzers, formatters and linters
#     fresh         the README's commands on a machine that has nothing (root only)
#
# A job that fails does not stop the next one. Logs are in OUT/nightly (out/nightly); the last line counts jobs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

all=(fuzz afl exchange regression mutants coverage sweeps spin machines freestanding static fresh)
out=${OUT:-$PWD/out} seconds=3600 passed=0 failed=0

job_fuzz()
{
    ./build.sh fuzz "$seconds" && ci/minimise.sh "$out"
}

# AFL++'s finds are merged by the libFuzzer targets: any, even after a finding.
job_afl()
{
    local status=0
    ./build.sh fuzz 1 >/dev/null || true
    ./build.sh fuzz "$seconds" --engine afl || status=$?
    ci/minimise.sh "$out" && return "$status"
}

job_exchange()
{
    ci/setup.sh fuzz afl && ci/exchange.sh "$out"
}

job_regression()
{
    ci/setup.sh fuzz check && ci/regression.sh "$out"
}

job_mutants()
{
    ci/setup.sh fuzz test && ci/mutants.sh -j "$(nproc)"
}

job_coverage()
{
    ./build.sh coverage
}

job_sweeps()
{
    ci/setup.sh test && ci/sweeps.sh
}

job_spin()
{
    ci/setup.sh spin && ci/spin.sh "$((seconds < 600 ? seconds : 600))"
}

job_machines()
{
    ci/setup.sh cross && ci/other_machines.sh
}

job_freestanding()
{
    ci/setup.sh freestanding && ci/freestanding.sh
}

job_static()
{
    ci/setup.sh static buildifier && ci/static.sh
}

job_fresh()
{
    ci/setup.sh machine && ci/fresh_machine.sh
}

run_job()
{
    local name=$1 began=$SECONDS status=0
    echo "==== $name"
    "job_$name" 2>&1 </dev/null | tee "$out/nightly/$name.log"
    status=${PIPESTATUS[0]}
    if ((status == 0)); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    echo "==== $name: status $status, $((SECONDS - began)) s"
}

usage()
{
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

main()
{
    local jobs=() name
    while (($# > 0)); do
        case $1 in
        --seconds)
            seconds=${2:-}
            shift
            ;;
        -*) usage ;;
        *) jobs+=("$1") ;;
        esac
        shift || true
    done
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || usage
    if ((${#jobs[@]} == 0)); then jobs=("${all[@]}"); fi
    for name in "${jobs[@]}"; do
        [[ " ${all[*]} " == *" $name "* ]] || usage
    done
    mkdir -p "$out/nightly"
    for name in "${jobs[@]}"; do run_job "$name"; done
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

main "$@"

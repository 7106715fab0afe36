#!/bin/bash
# Runs the traces of the corpus on machines that differ from the usual one where a mistake of ours would show: with
# words of 32 bits (i686, which this processor runs itself), and with the high byte first (s390x, under qemu).
#
#   ci/other_machines.sh [MACHINE...]    i686 s390x; BUILD (out/obj/machines) is where the objects go
#
# The traces run on the core, then on the oracle. There is no Zydis for these machines in the packages of this one, so
# traces with instructions are skipped, and counted. The last line counts traces of all machines together.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-out/obj/machines}
passed=0 failed=0 skipped=0
# Pages of 64 KiB make the world of other traces larger than the address space of 32 bits.
small_world=4096,1024,1024,1024,4096

sources()
{
    find harness -name '*.c' | grep -vE '^harness/(bench[^/]*|replay_main|x86_(decode|exec|forms|string))\.c|^harness/(tool|adapters|examples)/'
    echo ci/without_zydis.c
}

build_tool()
{
    make --file=ci/build.mk --jobs="$(nproc)" --silent OUT="$build/$1" OBJ="$build/$1" CC="$1-linux-gnu-gcc" \
        CFLAGS="-O2 -g -static" harness_sources="$(sources | LC_ALL=C sort | tr '\n' ' ')" harness_needs= tool
}

traces()
{
    find corpus -name '*.trace' -exec grep "$@" {} + | LC_ALL=C sort
}

# run MACHINE OPTION...: traces are read from standard input; adds what the last line counts.
run()
{
    local machine=$1 output status=0 list p f
    shift
    mapfile -t list
    output=$("${runner[@]}" "$build/$machine/pagerite" run --jobs="$(nproc)" "$@" "${list[@]}" 2>&1) || status=$?
    read -r p f < <(awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3 } END { print p + 0, f + 0 }' <<<"$output")
    if ((f > 0 || p + f != ${#list[@]})); then
        echo "$machine $*: status $status, $p passed, $f failed of ${#list[@]} traces"
        tail -n 50 <<<"$output"
    fi
    passed=$((passed + p)) failed=$((failed + ${#list[@]} - p))
}

# With 32 bits, a world that is larger than all addresses together is refused, in so many words.
refuses_large_world()
{
    local output
    output=$("$build/i686/pagerite" run --check corpus/traces/page_size_large.trace 2>&1) || true
    if [[ $output == *"no world for this trace"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'i686: a world that is too large: %s\n' "$output"
    fi
}

try()
{
    local machine=$1 implementation runner=() before=$((passed + failed))
    [[ $machine == i686 ]] || runner=("qemu-$machine-static")
    if ! build_tool "$machine"; then
        echo "$machine: does not build"
        failed=$((failed + 1))
        return
    fi
    for implementation in "" --oracle; do
        run "$machine" ${implementation:+"$implementation"} \
            < <(traces --files-without-match -E 'x86_exec\(|^option page_size 65536')
        run "$machine" ${implementation:+"$implementation"} --world="$small_world" \
            < <(comm -23 <(traces --files-with-matches '^option page_size 65536') <(traces -l 'x86_exec('))
    done
    if [[ $machine == i686 ]]; then refuses_large_world; fi
    skipped=$((skipped + $(traces --files-with-matches 'x86_exec(' | wc -l)))
    echo "$machine: $((passed + failed - before)) runs, on core and oracle"
}

main()
{
    ci/setup.sh cross
    if (($# == 0)); then set -- i686 s390x; fi
    local machine
    for machine in "$@"; do try "$machine"; done
    echo "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0 && passed > 0))
}

main "$@"

#!/bin/bash
# Looks at fuzz targets built for a fleet as the fleet will: what OSS-Fuzz's base-runner asks of a build before it takes
# it, and a little more. Run it on what ./build.sh made with LIB_FUZZING_ENGINE given, or ci/build_for.sh.
#
#   ci/check_build.sh ENGINE SANITIZER OUT [TARGET...]    all targets in OUT if none is named
#
# Everything runs on a copy of OUT elsewhere that cannot be written to, from a folder of its own, which must stay empty.
# Of each target it is asked: is it a program for this machine that needs no library but those of every system; was all
# of it compiled with this sanitizer and no other; does the engine see its edges; does it start with an empty corpus,
# run, and cover something; does it get through its seeds and cover more with them; are options and seeds whole, and is
# there a target for each? A target that says "nothing done" has nothing to work on here, and counts as skipped.
# ALLOWED_LIBRARIES, names parted by |, is for builds that stay on this machine.
set -euo pipefail
export LC_ALL=C

(($# >= 3)) || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
engine=$1 sanitizer=$2 given=$(realpath "$3")
shift 3

# The fleet's own measures: fewer calls of a sanitizer's runtime than `least` are no instrumentation, more than `most`
# of another one's are a mixture. For engines other than libFuzzer that says nothing of UBSan, since what the engines
# bring along calls several runtimes.
declare -A least=([asan]=1000 [msan]=1000 [ubsan]=168) most=([asan]=0 [msan]=3 [ubsan]=200)
declare -A runtime=([address]=asan [memory]=msan [undefined]=ubsan)
edges_least=100
# C and C++ runtimes, and what they need themselves.
allowed='linux-vdso|ld-linux-.*|libc|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+'
allowed+=${ALLOWED_LIBRARIES:+|$ALLOWED_LIBRARIES}

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
out=$scratch/elsewhere home=$scratch/home log=$scratch/log seeds=$scratch/seeds
passed=0 failed=0 skipped=0
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:allocator_may_return_null=1:detect_odr_violation=0
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-}:silence_unsigned_overflow=1:print_stacktrace=0

# Root may write anywhere, whatever the mode says, unless it gives that up.
lowly=()
if ((EUID == 0)); then lowly=(setpriv "--bounding-set=-dac_override,-dac_read_search"); fi

# within SECONDS COMMAND...: runs it in the empty folder, its output to the log.
within()
{
    local seconds=$1
    shift
    (cd "$home" && timeout --kill-after=5 "$seconds" "${lowly[@]}" "$@" >"$log" 2>&1 </dev/null)
}

# ---- what a target is --------------------------------------------------------------------------------------------

is_target()
{
    [[ -f $1 && -x $1 ]] && grep --quiet --text LLVMFuzzerTestOneInput "$1" && file --brief "$1" | grep --quiet '^ELF.*exec'
}

list_targets()
{
    local file
    for file in "$out"/*; do
        if [[ $file != */afl-* ]] && is_target "$file"; then basename "$file"; fi
    done
}

is_for_this_machine()
{
    file --brief "$out/$1" | grep --quiet --extended-regexp "$(uname -m | tr _ .)"
}

needs_nothing_else()
{
    local more
    more=$(readelf --dynamic "$out/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vxE "($allowed)\.so.*" || true)
    [[ -z $more ]] || { echo "needs $more" >"$log"; return 1; }
}

# Prints how often the target's code calls each sanitizer's runtime.
calls_of_runtimes()
{
    objdump --disassemble "$out/$1" | awk '
        match($0, /call.*<__(asan|msan|ubsan)/) { n[substr($0, RSTART + RLENGTH - (/<__ubsan/ ? 5 : 4), 5)]++ }
        END { for (name in n) { key = name; sub(/_$/, "", key); print key, n[name] } }'
}

is_instrumented()
{
    local name count own=${runtime[$sanitizer]:-} found=0
    [[ $engine == libfuzzer || $sanitizer != undefined ]] || return 0
    calls_of_runtimes "$1" >"$log"
    while read -r name count; do
        if [[ $name == "$own" ]]; then
            found=$count
        elif [[ $name != ubsan || $engine == libfuzzer ]] && ((count > most[$name])); then
            return 1
        fi
    done <"$log"
    [[ -z $own ]] || ((found >= least[$own]))
}

# ---- how it runs -------------------------------------------------------------------------------------------------

# Prints the last coverage that libFuzzer told.
coverage_told()
{
    grep -oE ' cov: [0-9]+' "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0
}

edges_told()
{
    grep -oE 'Loaded [0-9]+ modules? +\([0-9]+' "$log" | head -n 1 | grep -oE '[0-9]+$' || echo 0
}

options_of()
{
    [[ -f $out/$1.options ]] || return 0
    sed -n '/^\[libfuzzer\]/,/^\[/s/^\([a-z_]*\) *= *\(.*\)/-\1=\2/p' "$out/$1.options"
}

# Each engine's own way to start a target with nothing. Leaves in `start` the edges that it saw, where it tells them.
starts()
{
    local options
    mapfile -t options < <(options_of "$1")
    start=""
    case $engine in
    libfuzzer)
        within 60 "$out/$1" -runs=4 -seed=1337 "${options[@]}" || return 1
        grep --quiet 'Done 4 runs' "$log" || return 1
        (($(edges_told) >= edges_least && $(coverage_told) > 0)) || return 1
        start="$(edges_told) edges, $(coverage_told) covered at the start"
        ;;
    afl) starts_with_afl "$1" ;;
    honggfuzz) starts_with_honggfuzz "$1" ;;
    *) within 60 "$out/$1" "$scratch/one_byte" ;;
    esac
}

starts_with_afl()
{
    mkdir -p "$scratch/afl_in"
    cp "$scratch/one_byte" "$scratch/afl_in/"
    rm -rf "$scratch/afl_out"
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_COLOR=1 \
        AFL_FORKSRV_INIT_TMOUT=30000 ASAN_OPTIONS="" UBSAN_OPTIONS="" \
        within 60 "$(in_out_or_path afl-fuzz)" -V 3 -t 5000 -m none -i "$scratch/afl_in" -o "$scratch/afl_out" \
        "$out/$1" || return 1
    grep --quiet 'All set and ready to roll' "$log" || return 1
    start="$(awk '/^edges_found/ { f = $3 } /^total_edges/ { t = $3 } END { print t " edges, " f " covered in 3 s" }' \
        "$scratch/afl_out/default/fuzzer_stats")"
}

starts_with_honggfuzz()
{
    mkdir -p "$scratch/hongg_in" "$scratch/hongg_out"
    within 60 "$(in_out_or_path honggfuzz)" --verbose --threads 1 --run_time 3 --persistent --input "$scratch/hongg_in" \
        --output "$scratch/hongg_out" --workspace "$scratch/hongg_out" -- "$out/$1" || return 1
    grep --quiet --text -E 'Sz:[0-9]+ Tm:[0-9]+' "$log" || return 1
    start="$(grep --text -oE 'guard_nb:[0-9]+' "$log" | tail -n 1 | tr ':' ' ') edges"
}

in_out_or_path()
{
    if [[ -x $out/$1 ]]; then echo "$out/$1"; else command -v "$1"; fi
}

seeds_are_whole()
{
    rm -rf "$seeds"
    mkdir "$seeds"
    unzip -q -o -d "$seeds" "$out/${1}_seed_corpus.zip" >"$log" 2>&1 && [[ -n $(find "$seeds" -type f -print -quit) ]]
}

# All engines' targets but honggfuzz's take files on the command line.
runs_its_seeds()
{
    local options from_start=${start##*, }
    mapfile -t options < <(options_of "$1")
    case $engine in
    libfuzzer)
        within 300 "$out/$1" -runs=0 "${options[@]}" "$seeds" || return 1
        (($(coverage_told) > ${from_start%% *})) || return 1
        start+=", $(coverage_told) by its seeds"
        ;;
    honggfuzz) ;;
    *) within 300 "$out/$1" "$seeds"/* ;;
    esac
}

home_is_empty()
{
    find "$home" -mindepth 1 >"$log"
    [[ ! -s $log ]]
}

# ---- the sum -----------------------------------------------------------------------------------------------------

check_target()
{
    local question start=""
    rm -rf "$home"
    mkdir "$home"
    : >"$log"
    for question in is_for_this_machine needs_nothing_else is_instrumented starts seeds_are_whole runs_its_seeds \
        home_is_empty; do
        "$question" "$1" && continue
        if grep --quiet --text 'nothing done:' "$log"; then
            skipped=$((skipped + 1))
            echo "$1: skipped: $(grep --text -o 'nothing done:.*' "$log" | head -n 1)"
            return
        fi
        failed=$((failed + 1))
        echo "$1: not ok: $question"
        tail -n 20 "$log" | sed 's/^/    /'
        return
    done
    passed=$((passed + 1))
    echo "$1: ok${start:+: $start}"
}

# Options, seeds and dictionaries without a target are names misspelt.
check_companions()
{
    local file target
    for file in "$out"/*.options "$out"/*_seed_corpus.zip "$out"/fuzz_*.dict; do
        [[ -f $file ]] || continue
        target=${file%.options} target=${target%_seed_corpus.zip} target=${target%.dict}
        [[ -x $target ]] && continue
        failed=$((failed + 1))
        echo "$(basename "$file"): not ok: there is no $(basename "$target")"
    done
}

main()
{
    mkdir "$out"
    find "$given" -maxdepth 1 -type f -exec cp -t "$out" {} +
    chmod -R a-w,a+rX "$out"
    printf 'x' >"$scratch/one_byte"
    local targets=("$@") target
    if ((${#targets[@]} == 0)); then mapfile -t targets < <(list_targets); fi
    for target in "${targets[@]}"; do check_target "$target"; done
    check_companions
    echo "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0 && passed > 0))
}

main "$@"

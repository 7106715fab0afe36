#!/bin/bash
# Looks at fuzz targets built for a fleet as the fleet will: what OSS-Fuzz's base-runner asks of a build before it takes
# it, and a little more. Run it on what ./build.sh made with LIB_FUZZING_ENGINE given, or ci/build_for.sh.
#
#   ci/check_build.sh ENGINE SANITIZER OUT [TARGET...]    all targets in OUT if none is named
#
#     ENGINE    libfuzzer; afl or honggfuzz, with afl-fuzz or honggfuzz in OUT or on the PATH; centipede, of which only
#               what is linked into a target is asked, not the engine itself
#
# Everything runs on a copy of OUT elsewhere that cannot be written to, from a folder of its own, which must stay empty,
# and not as root.
# Of each target it is asked: is it a program for this machine that needs no library but those of every system; was all
# of it compiled with this sanitizer and no other; does the engine see its edges; does it start with an empty corpus (a
# single byte, for engines that want one), run, and cover something; does it get through its seeds and cover more with
# them; does it get through some thousand inputs that libFuzzer makes of them; are options and seeds whole, and is there
# a target for each? The engine's own figures count. A target that says "nothing done" has nothing to work on here, and
# counts as skipped.
# ALLOWED_LIBRARIES, names parted by |, is for builds that stay on this machine.
set -euo pipefail
export LC_ALL=C

(($# >= 3)) || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
engine=$1 sanitizer=$2 given=$(realpath "$3")
[[ " libfuzzer afl honggfuzz centipede " == *" $engine "* ]] || { echo "check_build.sh: what is $engine?" >&2; exit 2; }
shift 3

# The fleet's own measures: fewer calls of a sanitizer's runtime than `least` are no instrumentation, more than `most`
# of another one's are a mixture. AFL++'s driver calls ASan's runtime in 18 places, honggfuzz's in 2, whatever the
# sanitizer: the fleet does not build them with any other.
declare -A least=([asan]=1000 [msan]=1000 [ubsan]=168) most=([asan]=0 [msan]=3 [ubsan]=200)
[[ $engine == libfuzzer ]] || most[asan]=20
declare -A runtime=([address]=asan [memory]=msan [undefined]=ubsan)
edges_least=100
# C and C++ runtimes, and what they need themselves.
allowed='linux-vdso|ld-linux-.*|libc|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+'
allowed+=${ALLOWED_LIBRARIES:+|$ALLOWED_LIBRARIES}

# All but the copy of OUT can be written to by whoever runs the targets.
umask 000
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
chmod 777 "$scratch"
out=$scratch/elsewhere home=$scratch/home log=$scratch/log seeds=$scratch/seeds one_byte=$scratch/one_byte
passed=0 failed=0 skipped=0
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:allocator_may_return_null=1:detect_odr_violation=0
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-}:silence_unsigned_overflow=1:print_stacktrace=0

# Root may write anywhere, whatever the mode says: then the targets run as nobody.
lowly=()
if ((EUID == 0)); then lowly=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi

# Runs a command in the empty folder, within so many seconds, its output to the log.
away()
{
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
    calls_of_runtimes "$1" >"$log"
    while read -r name count; do
        if [[ $name == "$own" ]]; then
            found=$count
        elif ((count > most[$name])); then
            return 1
        fi
    done <"$log"
    [[ -z $own ]] || ((found >= least[$own]))
}

# ---- how it runs -------------------------------------------------------------------------------------------------

# Each engine has a function that runs a target: with a folder of inputs over these, without one from nothing, and
# leaves in `edges` how many the engine knows of and in `covered` how many it has reached (of Centipede: features).

# With a third argument, that many runs with what it makes of the inputs itself.
run_with_libfuzzer()
{
    local options=() runs=4
    if [[ -f $out/$1.options ]]; then
        mapfile -t options < <(sed -n '/^\[libfuzzer\]/,/^\[/s/^\([a-z_]*\) *= *\(.*\)/-\1=\2/p' "$out/$1.options")
    fi
    if (($# > 1)); then runs=${3:-0}; fi
    away "$out/$1" -runs="$runs" -seed=1337 "${options[@]}" "${@:2:1}" || return 1
    (($# > 1)) || grep --quiet 'Done 4 runs' "$log" || return 1
    edges=$(grep -oE 'Loaded [0-9]+ modules? +\([0-9]+' "$log" | head -n 1 | grep -oE '[0-9]+$' || echo 0)
    covered=$(grep -oE ' cov: [0-9]+' "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0)
}

# It starts the targets as it does in earnest, since by themselves they read files with a bare syscall(), which
# MemorySanitizer does not see, and ends after a first round of mutations. Inputs that crash are left out by an old
# AFL++, and found again by a new one.
run_with_afl()
{
    rm -rf "$scratch/afl_out"
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_COLOR=1 \
        AFL_FORKSRV_INIT_TMOUT=30000 AFL_CRASHING_SEEDS_AS_NEW_CRASH=1 ASAN_OPTIONS="" \
        UBSAN_OPTIONS=abort_on_error=1:symbolize=0:silence_unsigned_overflow=1 \
        away "$program" -E 1 -t 5000 -m none -i "${2:-$one_byte}" -o "$scratch/afl_out" "$out/$1" ||
        return 1
    grep --quiet 'All set and ready to roll' "$log" || return 1
    ! grep --quiet -E 'Test case .*results in a (crash|timeout)' "$log" || return 1
    read -r edges covered crashes < <(awk '/^edges_found/ { f = $3 } /^total_edges/ { t = $3 }
        /^saved_(crashes|hangs)/ { c += $3 } END { print t, f, c }' "$scratch/afl_out/default/fuzzer_stats")
    ((crashes == 0))
}

# What it ran last says how many edges there were till then; a crash does not end it.
run_with_honggfuzz()
{
    local until=(--iterations 4)
    if (($# == 2)); then until=(--minimize); fi
    rm -rf "$scratch/hongg_out"
    mkdir -p "$scratch/nothing" "$scratch/hongg_out"
    away "$program" --verbose --threads 1 "${until[@]}" --persistent \
        --input "${2:-$scratch/nothing}" --output "$scratch/hongg_out" --workspace "$scratch/hongg_out" \
        -- "$out/$1" || return 1
    grep --quiet --text ' crashes_count:0 ' "$log" || return 1
    edges=$(grep --text -oE 'guard_nb:[0-9]+' "$log" | tail -n 1 | cut -d : -f 2)
    covered=$(sed -n 's/^Sz:[0-9]* Tm:.* Cur:\([0-9]*\/\)\{3\}\([0-9]*\)\/.*/\2/p' "$log" | tail -n 1)
}

# What is linked into a target runs files by itself, and leaves the features of each beside it. The compiler has
# numbered the edges: four bytes each.
run_with_centipede()
{
    local inputs=${2:-$one_byte}
    CENTIPEDE_RUNNER_FLAGS=:use_pc_features: away "$out/$1" "$inputs"/* || return 1
    edges=$((16#$(readelf --wide --section-headers "$out/$1" | awk 'sub(/.* __sancov_guards /, "") { print $4 }') / 4))
    covered=$(cat "$inputs"/*-features | od --address-radix=n --format=x8 --width=8 | sort --unique | wc -l)
    rm "$inputs"/*-features
}

# The engine's own program, where it is not the target itself.
find_program()
{
    case $engine in
    afl) program=afl-fuzz ;;
    honggfuzz) program=honggfuzz ;;
    *) return 0 ;;
    esac
    if [[ -x $out/$program ]]; then
        program=$out/$program
    elif ! command -v "$program" >/dev/null; then
        echo "check_build.sh: there is no $program, neither in OUT nor on the PATH" >&2
        exit 2
    fi
}

starts()
{
    seconds=60 edges=0 covered=0
    "run_with_$engine" "$1" && ((edges >= edges_least && covered > 0)) || return 1
    told="$edges edges, $covered covered at the start"
}

seeds_are_whole()
{
    rm -rf "$seeds"
    mkdir "$seeds"
    unzip -q -o -d "$seeds" "$out/${1}_seed_corpus.zip" >"$log" 2>&1 && [[ -n $(find "$seeds" -type f -print -quit) ]]
}

runs_its_seeds()
{
    local at_start=$covered
    seconds=300
    "run_with_$engine" "$1" "$seeds" && ((covered > at_start)) || return 1
    told+=", $covered by its seeds"
}

# The mutator is in the target, and what it has from the engine is not compiled with the sanitizer.
mutates_its_seeds()
{
    [[ $engine == libfuzzer ]] || return 0
    run_with_libfuzzer "$1" "$seeds" 3000
}

home_is_empty()
{
    find "$home" -mindepth 1 >"$log"
    [[ ! -s $log ]]
}

# ---- the sum -----------------------------------------------------------------------------------------------------

check_target()
{
    local question seconds edges covered crashes told=""
    rm -rf "$home"
    mkdir "$home"
    : >"$log"
    for question in is_for_this_machine needs_nothing_else is_instrumented starts seeds_are_whole runs_its_seeds \
        mutates_its_seeds home_is_empty; do
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
    echo "$1: ok: $told"
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
    mkdir "$one_byte"
    printf 'x' >"$one_byte/x"
    find_program
    local targets=("$@") target
    if ((${#targets[@]} == 0)); then mapfile -t targets < <(list_targets); fi
    for target in "${targets[@]}"; do check_target "$target"; done
    check_companions
    echo "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0 && passed > 0))
}

main "$@"

#!/bin/bash
# Proves that the judges can judge: breaks the core on purpose, one mistake at a time, and shows which of them notice.
#
#   ci/mutants.sh [-j JOBS] [--judges LIST] [SECONDS] [NAME...]
#
# A mutant is a patch against core/ in harness/mutants/; without a NAME, all of them. Its first line says which mistake it
# models; a second line "judges: NAME..." names fuzzers besides the usual two that have to find it as well. Each mutant is
# given in turn to the tests, the traces of corpus/, fuzz_calls and fuzz_diff. A fuzzer has SECONDS (60) on one core and
# starts from nothing: from no trace and no seed. A mutant counts as found if fuzz_calls or fuzz_diff finds it alone (with
# --judges, a list with commas: if one of these does). Two controls keep the table honest: a canary, which every fuzzer
# must find, and a patch that changes nothing, which no judge may object to. And what a fuzzer finds does not count if the
# core as it is fails of the same input ("SOUND TOO").
#
# Prints a line for each mutant: under each judge the seconds that it took, for fuzzers behind their executions, or "-".
# Status 1 if a mutant survives, does not apply or does not compile, or if a control goes wrong.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${OUT:-$PWD/out}/mutants
patches=harness/mutants
seconds=60 jobs=1
names=() judges=(tests traces fuzz_calls fuzz_diff) deciding="fuzz_calls fuzz_diff"
while (($# > 0)); do
    case $1 in
    -j) jobs=$2 && shift ;;
    -j*) jobs=${1#-j} ;;
    --judges) IFS=, read -ra judges <<<"$2" && deciding=$2 && shift ;;
    [1-9]*) seconds=$1 ;;
    *) names+=("$(basename "$1" .patch)") ;;
    esac
    shift
done
if ((${#names[@]} == 0)); then
    for patch in "$patches"/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

if ! command -v patch >/dev/null && { ((EUID != 0)) || ! apt-get install --yes --quiet patch; }; then
    echo "mutants.sh: needs patch: apt-get install patch" >&2
    exit 1
fi

CC=${CC:-clang-19}
# No sanitizers: a mutant is to be found by what a judge checks, not by the mess that it makes.
fuzz_flags="-O2 -g -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp"
plain_flags="-O1 -g"
# The programs that test the core; the others test what is around it.
tests="calls_blocking calls_family calls_handles calls_memory calls_model calls_ports calls_random calls_requests
    calls_states calls_sweep calls_vmo calls_world frames inspect invariants invariants_calls runner runs writeback"

# ---- building ----------------------------------------------------------------------------------------------------

patch_of()
{
    local file=$patches/$1.patch
    [[ -e $file ]] || file=$patches/controls/$1.patch
    echo "$file"
}

# The fuzzers that a mutant names itself.
own_judges_of()
{
    sed -n '2s/^judges: *//p' "$(patch_of "$1")"
}

judges_of()
{
    echo "${judges[*]} $(own_judges_of "$1")"
}

# make_sound FLAVOUR FLAGS TARGET...: from the core as it is, with objects in $out/sound/FLAVOUR.
make_sound()
{
    local directory=$out/sound/$1 flags=$2
    shift 2
    make --file=ci/build.mk --jobs="$(nproc)" --silent OUT="$directory" OBJ="$directory" CC="$CC" CFLAGS="$flags" \
        CXX="$CC" CXXFLAGS="$flags" LINK_FUZZ="$CC $flags" ENGINE=-fsanitize=fuzzer "${@/#/$directory/}"
}

build_sound()
{
    local judge name plain=() fuzz=()
    for judge in $(for name in "$@"; do judges_of "$name"; done | tr ' ' '\n' | sort --unique); do
        case $judge in
        tests) for name in $tests; do plain+=("tests/test_$name"); done ;;
        traces) plain+=(pagerite) ;;
        fuzz_*) fuzz+=("$judge") ;;
        esac
    done
    ((${#plain[@]} == 0)) || make_sound plain "$plain_flags" "${plain[@]}"
    ((${#fuzz[@]} == 0)) || make_sound fuzz "$fuzz_flags" "${fuzz[@]}"
}

# Compiles what the patch touches, in both flavours, into $out/NAME. Without warnings: a mistake may leave something
# unused.
build_mutant()
{
    local name=$1 directory=$out/$1 file
    rm -rf "$directory"
    mkdir -p "$directory/core" "$directory/plain" "$directory/fuzz"
    while read -r file; do cp "$file" "$directory/core/"; done < <(sed -n "s,^+++ b/,,p" "$(patch_of "$name")")
    patch --directory="$directory" --strip=1 --fuzz=0 --silent --no-backup-if-mismatch <"$(patch_of "$name")" || return 1
    for file in "$directory"/core/*.c; do
        compile plain "$plain_flags" && compile fuzz "$fuzz_flags" || return 1
    done
}

compile()
{
    local flags=$2
    # shellcheck disable=SC2086  # these are lists
    "$CC" $flags -std=c11 -ffreestanding -Icore -w -c "$file" -o "$directory/$1/$(basename "$file" .c).o"
}

# link FLAVOUR TARGET OBJECTS: what the mutant has of the core takes the place of what the library has.
link()
{
    local sound=$out/sound/$1 directory=$out/$name target=$2
    shift
    # shellcheck disable=SC2086,SC2046
    "$CC" $(flags_of "${sound##*/}") "${@:2}" "$directory/${sound##*/}"/*.o "$sound/libharness.a" "$sound/libpagerite.a" \
        -lcmocka -lZydis -o "$directory/$target"
}

flags_of()
{
    [[ $1 == fuzz ]] && echo "$fuzz_flags -fsanitize=fuzzer" || echo "$plain_flags"
}

# ---- judging -----------------------------------------------------------------------------------------------------

# Each prints "found EXECUTIONS WHAT", "silent EXECUTIONS", "mistaken EXECUTIONS" if the sound core fails as well, or
# "broken EXECUTIONS" if the judge itself does.

judge_tests()
{
    local name=$1 test runs=0 log=$out/$1/tests.log
    for test in $tests; do
        link plain test "$out/sound/plain/tests/test_$test.o" "$out/sound/plain/libtestsupport.a"
        runs=$((runs + 1))
        if ! timeout 60 "$out/$name/test" >"$log" 2>&1 </dev/null; then
            echo "found $runs test_$test: $(sed -n 's/^\[  FAILED  \] [A-Za-z_]*: *//p' "$log" | tail -n 1)"
            return
        fi
    done
    echo "silent $runs"
}

judge_traces()
{
    local name=$1 log=$out/$1/traces.log
    link plain pagerite "$out"/sound/plain/harness/tool/*.o
    if timeout 60 "$out/$name/pagerite" run corpus >"$log" 2>&1 </dev/null; then
        echo "silent 0"
    else
        echo "found 0 $(tail -n 1 "$log")"
    fi
}

judge_fuzzer()
{
    local name=$1 target=$2 log=$out/$1/$2.log status=0 options runs runs_begun input
    link fuzz "$target" "$out/sound/fuzz/fuzz/$target.o"
    mapfile -t options < <(sed -n 's/^\([a-z_]*\) *= */-\1=/p' "ci/options/$target.options")
    mkdir "$out/$name/$target.corpus"
    (cd "$out/$name" && timeout $((seconds + 60)) "./$target" -max_total_time="$seconds" -print_final_stats=1 -seed=1 \
        -timeout=25 "${options[@]}" "$target.corpus") >"$log" 2>&1 </dev/null || status=$?
    runs=$(awk '/^stat::number_of_executed_units:/ { n = $2 } END { print n + 0 }' "$log")
    runs_begun=$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)
    if ((status == 0)); then
        echo "silent $runs"
    elif ! input=$(cd "$out/$name" && realpath "$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)" 2>&1); then
        # It ran for ever, or went so far astray that the input could not be written down; or it could not even begin.
        if ((status >= 124 && ${runs_begun:-0} > 0)); then
            echo "found $runs_begun killed by status $status"
        else
            echo "broken $runs"
        fi
    elif passes_sound "$target" "$input" "$log.sound"; then
        echo "found $runs $(finding_of "$log")"
    else
        echo "mistaken $runs"
    fi
}

# What a judge objects to in the mutant must be no fault of the core as it is.
passes_sound()
{
    timeout 60 "$out/sound/fuzz/$1" "$2" >"$3" 2>&1 </dev/null
}

# What the fuzzer said of it, which stands above the trace, or how it died.
finding_of()
{
    local words
    words=$(grep -m 1 -B 1 '^--- the trace so far' "$1" | head -n 1)
    [[ -n $words ]] || words=$(grep -m 1 -oE 'ERROR: .*' "$1")
    cut -c 1-120 <<<"${words:-no word}"
}

# judge NAME JUDGE: the verdict, and the seconds it took, in $out/NAME/JUDGE.verdict.
judge()
{
    local began=$EPOCHREALTIME verdict took
    case $2 in
    tests) verdict=$(judge_tests "$1") ;;
    traces) verdict=$(judge_traces "$1") ;;
    *) verdict=$(judge_fuzzer "$1" "$2") ;;
    esac
    took=$((${EPOCHREALTIME/./} - ${began/./}))
    printf '%d.%d %s\n' $((took / 1000000)) $((took / 100000 % 10)) "$verdict" >"$out/$1/$2.verdict"
}

# ---- the table ---------------------------------------------------------------------------------------------------

cell()
{
    local took answer runs
    read -r took answer runs _ <"$out/$1/$2.verdict"
    case $answer:$2 in
    found:fuzz_*) printf '%d %s s' "$runs" "$took" ;;
    found:*) printf '%s s' "$took" ;;
    silent:*) printf -- '-' ;;
    mistaken:*) printf 'SOUND TOO' ;;
    *) printf 'BROKEN' ;;
    esac
}

found_by()
{
    [[ $(cut -d ' ' -f 2 "$out/$1/$2.verdict") == found ]]
}

# Whether the mutant is found by one of the deciding judges, and by all that it names itself.
is_found()
{
    local name=$1 judge found=1
    for judge in $(own_judges_of "$name"); do found_by "$name" "$judge" || return 1; done
    for judge in ${deciding//,/ }; do
        if found_by "$name" "$judge"; then found=0; fi
    done
    return "$found"
}

# All fuzzers must find the canary; no judge may find anything in what is sound.
control_right()
{
    local judge
    for judge in $(judges_of "$1"); do
        case $1:$judge in
        canary:fuzz_*) found_by "$1" "$judge" || return 1 ;;
        no_op:*) grep --quiet ' silent ' "$out/$1/$judge.verdict" || return 1 ;;
        esac
    done
}

verdict_of()
{
    case $1 in
    canary | no_op) control_right "$1" && echo right || echo WRONG ;;
    *) is_found "$1" && echo found || echo SURVIVED ;;
    esac
}

# The words of the best judge that found it: fuzzers say more than traces, and these more than tests.
said_of()
{
    local judge
    for judge in fuzz_diff fuzz_calls fuzz_writeback traces tests; do
        if [[ -e $out/$1/$judge.verdict ]] && found_by "$1" "$judge"; then
            cut -d ' ' -f 4- "$out/$1/$judge.verdict"
            return
        fi
    done
}

# One line of the table, also in $out/NAME/line.
try()
{
    local name=$1 judge word line
    if ! build_mutant "$name" >"$out/$name.log" 2>&1; then
        printf '%-30s %s\n' "$name" "DOES NOT BUILD: $out/$name.log" | tee "$out/$name/line"
        return
    fi
    for judge in $(judges_of "$name"); do judge "$name" "$judge"; done
    printf -v line '%-30s %-8s' "$name" "$(verdict_of "$name")"
    for judge in "${judges[@]}"; do printf -v line '%s %-16s' "$line" "$(cell "$name" "$judge")"; done
    word=$(said_of "$name")
    printf '%s %s\n' "$line" "$word" | tee "$out/$name/line"
    rm -rf "$out/$name"/{test,pagerite,fuzz_*.corpus,fuzz_diff,fuzz_calls,fuzz_writeback}
}

header()
{
    local judge
    printf '%-30s %-8s' mutant verdict
    for judge in "${judges[@]}"; do printf ' %-16s' "$judge"; done
    printf ' %s\n' "what was said"
}

# How many lines of the table say this.
count()
{
    local name n=0
    for name in "${names[@]}"; do
        if [[ $(awk '{ print $2 }' "$out/$name/line") == "$1" ]]; then n=$((n + 1)); fi
    done
    echo "$n"
}

summary()
{
    local judge name n found survived
    for judge in "${judges[@]}"; do
        n=0
        for name in "${names[@]}"; do
            if [[ -e $out/$name/$judge.verdict ]] && found_by "$name" "$judge"; then n=$((n + 1)); fi
        done
        echo "$judge found $n of ${#names[@]}"
    done
    if grep --quiet ' WRONG ' "$out"/{canary,no_op}/line; then
        echo "a control went wrong: these verdicts are worth nothing"
        return 1
    fi
    found=$(count found) survived=$((${#names[@]} - found))
    echo "$found found, $survived survived"
    ((survived == 0))
}

mkdir -p "$out"
build_sound canary no_op "${names[@]}"
header
for name in canary no_op "${names[@]}"; do
    while (($(jobs -r | wc -l) >= jobs)); do wait -n; done
    try "$name" &
done
wait
summary

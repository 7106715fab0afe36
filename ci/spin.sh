#!/bin/bash
# Searches the small worlds (harness/spin/) exhaustively: every sequence of calls up to a depth, in each world, with all
# invariants checked behind every call. Spin does the search; it knows a world again by the hash of its canonical image,
# 128 bits, and does not go on from it twice.
#
#   ci/spin.sh [--depth DEPTH] [--mutant NAME] [SECONDS] [WORLD...]
#
# Goes deeper, call by call, as long as the next depth is likely to be finished within SECONDS (600), which the WORLDs
# share; with --depth, up to DEPTH calls. Prints a line for each depth, and the sums, where states are the different
# worlds that calls were made in, transitions the calls, and depth is the length of the sequences:
#
#   states N, transitions N, depth N
#   no violations
#
# or the shortest sequence of calls that violates an invariant, as a trace, with status 1. With --mutant, the core is
# broken by harness/mutants/NAME.patch (or controls/): so the search is seen to find something.
#
# CC: a C compiler. LIBRARIES: where libharness.a and libpagerite.a are; without it they are built. CFLAGS: how to link
# them. MEMORY: megabytes that a search may take (4096).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=600 deepest=99 mutant="" worlds=()
while (($# > 0)); do
    case $1 in
    --depth) deepest=$2 && shift ;;
    --mutant) mutant=$2 && shift ;;
    [1-9]*) seconds=$1 ;;
    *) worlds+=("$1") ;;
    esac
    shift
done
((${#worlds[@]} > 0)) || worlds=(writeback children)

CC=${CC:-clang-19}
root=$PWD
out=${OUT:-$PWD/out}/spin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

require_spin()
{
    command -v spin >/dev/null && echo '#include <xxhash.h>' | "$CC" -E - >/dev/null 2>&1 && return
    echo "spin.sh: needs spin and libxxhash-dev: ci/setup.sh spin" >&2
    exit 2
}

# ---- building ----------------------------------------------------------------------------------------------------

build_libraries()
{
    [[ -z ${LIBRARIES:-} ]] || return 0
    LIBRARIES=$out CFLAGS="-O2 -g"
    make --file=ci/build.mk --jobs="$(nproc)" --silent OUT="$out" OBJ="$out" CC="$CC" CFLAGS="$CFLAGS" \
        "$out/libharness.a" "$out/libpagerite.a"
}

# The files that the mutant touches, compiled. They take the place of what the library has.
build_mutant()
{
    local patch=harness/mutants/$mutant.patch file
    [[ -e $patch ]] || patch=harness/mutants/controls/$mutant.patch
    mkdir "$work/core"
    while read -r file; do cp "$file" "$work/core/"; done < <(sed -n 's,^+++ b/,,p' "$patch")
    patch --directory="$work" --strip=1 --fuzz=0 --silent --no-backup-if-mismatch <"$patch"
    for file in "$work"/core/*.c; do
        # shellcheck disable=SC2086  # flags are a list
        "$CC" ${CFLAGS:-} -std=c11 -ffreestanding -Icore -w -c "$file" -o "${file%.c}.o"
    done
}

# build_search WORLD: the search itself, $work/WORLD/pan. What Spin has written is compiled without sanitizers.
build_search()
{
    local directory=$work/$1 objects=()
    mkdir "$directory"
    if [[ -n $mutant ]]; then objects=("$work"/core/*.o); fi
    # The trail is written beside the model.
    cp harness/spin/small_worlds.pml "$directory/"
    (cd "$directory" && spin -a small_worlds.pml)
    "$CC" -O2 -w -DSAFETY -DNOREDUCE -DREACH -DMEMLIM="${MEMORY:-4096}" -DWORLD="\"$1\"" -I"$root" \
        -c "$directory/pan.c" -o "$directory/pan.o"
    # shellcheck disable=SC2086
    "$CC" ${CFLAGS:-} "$directory/pan.o" "${objects[@]}" "$LIBRARIES/libharness.a" "$LIBRARIES/libpagerite.a" -lZydis \
        -lxxhash -o "$directory/pan"
}

# ---- searching ---------------------------------------------------------------------------------------------------

# A number that the search has printed in front of these words.
number()
{
    sed -n "s/^ *\([0-9]*\) $1.*/\1/p" "$2"
}

milliseconds()
{
    echo $((${EPOCHREALTIME/./} / 1000))
}

print_violation()
{
    local directory=$1
    (cd "$directory" && PAGERITE_TRACE=$directory/trace ./pan -r) >"$directory/replay" 2>&1 || true
    grep -m 1 '^violation: ' "$directory/log"
    cat "$directory/trace"
}

# search WORLD DEPTH MILLISECONDS: 0, 1 with a trace if something was found, 2 if there was not enough time or memory.
# The first step of the model makes the world.
search()
{
    local directory=$work/$1 status=0
    (cd "$directory" && timeout "$(($3 / 1000 + 1))" ./pan -m$(($2 + 1)) -w22) >"$directory/log" 2>&1 || status=$?
    if grep --quiet '^violation: ' "$directory/log"; then
        print_violation "$directory"
        return 1
    fi
    if ((status == 124)) || grep --quiet -E 'out of memory|memory limit' "$directory/log"; then return 2; fi
    if ((status != 0)) || ! grep --quiet 'errors: 0' "$directory/log"; then
        cat "$directory/log"
        exit 2
    fi
}

# Deeper and deeper, in so many milliseconds. What is found ends everything.
search_world()
{
    local world=$1 left=$2 depth=1 began took last=1 status=0
    reached=0
    while ((depth <= deepest)); do
        began=$(milliseconds)
        search "$world" "$depth" "$left" || status=$?
        took=$(($(milliseconds) - began + 1))
        ((status != 1)) || return 1
        ((status == 0)) || break
        reached=$depth
        # The model's own state in front of the world's first is none.
        reached_states=$(($(number 'states, stored' "$work/$world/log") - 1))
        reached_transitions=$(number 'transitions' "$work/$world/log")
        printf '%-10s depth %2d  states %9d  transitions %10d  %6d.%d s\n' "$world" "$depth" "$reached_states" \
            "$reached_transitions" $((took / 1000)) $((took / 100 % 10))
        left=$((left - took)) depth=$((depth + 1))
        # The next depth takes longer by the factor by which this one did, at the least.
        if ((took > 1000 && took * took / last > left || left <= 0)); then break; fi
        last=$took
    done
}

require_spin
mkdir -p "$out"
build_libraries
[[ -z $mutant ]] || build_mutant
states=0 transitions=0 depth=$deepest
for i in "${!worlds[@]}"; do
    began=$(milliseconds)
    build_search "${worlds[i]}"
    search_world "${worlds[i]}" $((seconds * 1000 / (${#worlds[@]} - i))) || exit 1
    seconds=$((seconds - ($(milliseconds) - began) / 1000))
    states=$((states + reached_states)) transitions=$((transitions + reached_transitions))
    if ((reached < depth)); then depth=$reached; fi
done
echo "states $states, transitions $transitions, depth $depth"
echo "no violations"

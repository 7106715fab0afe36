#!/bin/bash
# Proves that the fuzzers can fail: breaks the core on purpose, one mistake at a time, and sees each found.
#
#   ci/mutants.sh [NAME...] [SECONDS]    all of harness/mutants/ if none is named; 60 seconds each at most
#
# A mutant is a patch against core/. The line on top says which mistake it models; a second line "fuzz with: TARGET..."
# names the fuzz targets that must find it, fuzz_writeback if there is none. Each is built in out/mutants/NAME, a copy of
# the tree. Prints a table; status 1 if one of them survives or its patch does not apply.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v patch >/dev/null && { ((EUID != 0)) || ! apt-get install --yes --quiet patch; }; then
    echo "mutants.sh: needs patch: apt-get install patch" >&2
    exit 1
fi

out=${OUT:-$PWD/out}/mutants
seconds=60
names=()
for argument in "$@"; do
    if [[ $argument =~ ^[1-9][0-9]*$ ]]; then seconds=$argument; else names+=("$argument"); fi
done
if ((${#names[@]} == 0)); then
    for patch in harness/mutants/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

CC=${CC:-clang-19}
# No sanitizers: a mutant is to be found by what the fuzzer checks, not by the mess it makes.
flags="-O2 -g -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp"

# compile TREE DIRECTORY TARGET: DIRECTORY/TARGET of that tree, objects in DIRECTORY/obj. Without warnings: a mistake may
# well leave something unused.
compile()
{
    make --directory="$1" --file=ci/build.mk --jobs="$(nproc)" --silent OUT="$2" OBJ="$2/obj" CC="$CC" CFLAGS="$flags" \
        CXX="$CC" CXXFLAGS="$flags" LINK_FUZZ="$CC $flags" ENGINE=-fsanitize=fuzzer \
        core_flags="-std=c11 -ffreestanding -Icore" harness_flags="-std=gnu11 -I." "$2/$3"
}

# build NAME TARGET: the tree with the mistake in it. It starts from the objects of the sound tree, so that only what the
# patch has touched is compiled.
build()
{
    local directory=$out/$1
    compile . "$out/sound" "$2"
    rm -rf "$directory"
    mkdir -p "$directory/tree"
    cp -a core harness fuzz ci "$directory/tree/"
    cp -a "$out/sound/obj" "$directory/"
    patch --directory="$directory/tree" --strip=1 --silent --no-backup-if-mismatch <"harness/mutants/$1.patch"
    compile "$directory/tree" "$directory" "$2"
}

targets_of()
{
    local line
    line=$(sed -n 's/^fuzz with: *//p' "harness/mutants/$1.patch")
    echo "${line:-fuzz_writeback}"
}

# What the fuzzer said of it: the invariant's sentence, or how it died.
finding_of()
{
    grep -m 1 -oE '^[A-Z][0-9]+: .*|deadly signal|ERROR: .*' "$1" || echo "no finding"
}

# hunt NAME TARGET: runs the target on the mutant; one line of the table.
hunt()
{
    local name=$1 target=$2 log=$out/$1/$2.log status=0 began=$SECONDS options runs
    mkdir -p "$out/$name/corpus"
    mapfile -t options < <(sed -n 's/^\([a-z_]*\) *= */-\1=/p' "ci/options/$target.options")
    (cd "$out/$name" && "./$target" -max_total_time="$seconds" -print_final_stats=1 -seed=1 "${options[@]}" corpus) \
        >"$log" 2>&1 </dev/null || status=$?
    runs=$(awk '/^stat::number_of_executed_units:/ { n = $2 } END { print n + 0 }' "$log")
    if ((status == 0)); then
        printf '%-28s %-16s %10d %6d s  SURVIVED\n' "$name" "$target" "$runs" "$((SECONDS - began))"
        return 1
    fi
    printf '%-28s %-16s %10d %6d s  %s\n' "$name" "$target" "$runs" "$((SECONDS - began))" "$(finding_of "$log")"
}

survived=0 found=0
printf '%-28s %-16s %10s %8s  %s\n' mutant fuzzer executions seconds "found by"
for name in "${names[@]}"; do
    for target in $(targets_of "$name"); do
        if build "$name" "$target" && hunt "$name" "$target"; then found=$((found + 1)); else survived=$((survived + 1)); fi
    done
done
echo "$found found, $survived survived"
((survived == 0))

#!/bin/bash
# Measures how much of core/ is reached, and fails below 100 %: called by `./build.sh coverage`.
#
#   ci/coverage.sh OBJECTS OUT    OBJECTS: a build with clang's source coverage: tests, tool, fuzz targets
#
# Runs (a) the test programs and the traces of the corpus, (b) the fuzz targets over the seeds that the corpus gives
# them, and prints for each file of core/ the share of lines, branches and MC/DC conditions that (a), (b) and both
# together reach. OUT/coverage/html/index.html shows the source with what was not reached.
#
# What is impossible is not excused: it is not in the code, or PGR_ASSERT says so, which is checked in every other
# build and is nothing in this one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

objects=$(realpath "$1") out=$(realpath "$2")
coverage=$out/coverage
rm -rf "$coverage"
mkdir -p "$coverage/raw"

list_programs()
{
    find "$objects/tests" -type f -executable -name 'test_*' | LC_ALL=C sort
}

# A run that fails is no measurement.
run()
{
    local name=$1
    shift
    if ! LLVM_PROFILE_FILE=$coverage/raw/$name-%p.profraw "$@" >"$coverage/$name.log" 2>&1 </dev/null; then
        echo "coverage.sh: $name failed:" >&2
        tail -n 20 "$coverage/$name.log" >&2
        exit 1
    fi
}

run_tests()
{
    local program
    while IFS= read -r program; do run "tests-$(basename "$program")" "$program"; done < <(list_programs)
    run tests-traces "$objects/pagerite" run corpus
}

run_corpora()
{
    local fuzzer target
    for fuzzer in "$objects"/fuzz_*; do
        target=$(basename "$fuzzer")
        ci/seeds.sh "$target" "$objects/pagerite" "$coverage/seeds/$target" 2>/dev/null || continue
        run "corpora-$target" "$fuzzer" "$coverage/seeds/$target"/*
    done
}

# cov PROFILE COMMAND [OPTION...]: llvm-cov over core/ alone, of which the tool has all, as one unit.
cov()
{
    local profile=$1 command=$2
    shift 2
    llvm-cov-19 "$command" "$@" -instr-profile="$coverage/$profile.profdata" "$objects/pagerite" core/ \
        2>>"$coverage/llvm-cov.log"
}

# name, lines, missed, branches, missed, conditions, missed: a line a file, and TOTAL.
figures()
{
    cov "$1" report -show-mcdc-summary | awk 'NF >= 16 && $2 ~ /^[0-9]+$/ && $8 > 0 { print $1, $8, $9, $11, $12, $14, $15 }'
}

print_table()
{
    printf '%-18s %26s %26s %26s\n' "" "tests and traces" "corpora" "together"
    printf '%-18s' "% of"
    printf '    lines branches  mc/dc%.0s' 1 2 3
    printf '\n'
    paste -d ' ' <(figures tests) <(figures corpora) <(figures both) | LC_ALL=C sort | awk '
        function share(total, missed) { return total == 0 ? 100 : 100 * (total - missed) / total }
        function row(    i) {
            printf "%-18s", $1
            for (i = 2; i <= 20; i += (i % 7 == 6 ? 3 : 2)) printf " %8.2f", share($i, $(i + 1))
            printf "\n"
        }
        $1 == "TOTAL" { total = $0; next }
        { row() }
        END { $0 = total; row() }'
}

llvm_profdata()
{
    llvm-profdata-19 merge -o "$coverage/$1.profdata" "${@:2}"
}

run_tests
run_corpora
llvm_profdata tests "$coverage"/raw/tests-*.profraw
llvm_profdata corpora "$coverage"/raw/corpora-*.profraw
llvm_profdata both "$coverage/tests.profdata" "$coverage/corpora.profdata"
rm -r "$coverage/raw"
cov both show -format=html -show-mcdc -show-branches=count -output-dir="$coverage/html"
print_table
missed=$(figures both | awk '$1 == "TOTAL" { print $3 + $5 + $7 }')
echo "lines, branches and conditions of core/ that nothing reaches: $missed; see $coverage/html/index.html"
((missed == 0))

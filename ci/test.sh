#!/bin/bash
# Runs every test of a build and counts test cases: called by `./build.sh test`.
#
#   ci/test.sh OBJECTS OUT    OBJECTS/tests/test_* and OBJECTS/pagerite, built with sanitizers; OUT/fuzz_* targets
#
# A cmocka program counts each of its cases; a program or script that prints a closing line `N passed, N failed` counts
# those; any other counts as one. What passes is a line, what fails is shown whole. Shell tests find the tool in
# PAGERITE and the compilers in CC and CXX, and run in the root of the tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

objects=$(realpath "$1") out=$(realpath "$2")
logs=$out/test-logs
passed_total=0 failed_total=0 skipped_total=0

# Each test is a name and the command that runs it.
names=() commands=()

add()
{
    names+=("$1")
    commands+=("$2")
}

list_tests()
{
    local source name
    for source in tests/test_*.c tests/test_*.cc; do
        name=$(basename "${source%.*}")
        if [[ -x $objects/tests/$name ]]; then add "$name" "$objects/tests/$name"; fi
    done
    for source in tests/test_*.sh; do
        if [[ -f $source ]]; then add "$(basename "$source")" "bash $source"; fi
    done
    for source in fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        if [[ -x $out/$name ]]; then add "replay_$name" "FUZZER=$out/$name bash ci/replay.sh $name"; fi
    done
    add freestanding "bash ci/freestanding.sh"
}

run_one()
{
    local log=$logs/$1 status=0 began=$SECONDS
    CMOCKA_MESSAGE_OUTPUT=TAP timeout 900 bash -c "$2" >"$log" 2>&1 </dev/null || status=$?
    echo "$status $((SECONDS - began))" >"$log.status"
}

run_all()
{
    local cores i
    cores=$(nproc)
    for i in "${!names[@]}"; do
        while (($(jobs -pr | wc -l) >= cores)); do wait -n || true; done
        run_one "${names[i]}" "${commands[i]}" &
    done
    wait
}

# Prints "passed failed skipped" of a log.
count()
{
    awk '
        /^ok / { ok++; tap = 1 }
        /^not ok / { if ($0 ~ /# SKIP/) skip++; else bad++; tap = 1 }
        /^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = $5 + 0; closing = 1 }
        END {
            if (closing) print p + 0, f + 0, s
            else if (tap) print ok + 0, bad + 0, skip + 0
            else print "none"
        }' "$1"
}

judge()
{
    local name=$1 log=$logs/$1 status seconds passed failed skipped
    read -r status seconds <"$log.status"
    read -r passed failed skipped < <(count "$log")
    if [[ $passed == none ]]; then
        passed=$((status == 0)) failed=0 skipped=0
    fi
    if ((status != 0 && failed == 0)); then failed=1; fi
    passed_total=$((passed_total + passed))
    failed_total=$((failed_total + failed))
    skipped_total=$((skipped_total + skipped))
    printf '%-28s %5d passed %3d failed %4d skipped  %4d s\n' "$name" "$passed" "$failed" "$skipped" "$seconds"
    if ((failed > 0)); then
        printf -- '---- %s: status %d\n' "$name" "$status"
        grep -v '^ok ' "$log" | head -n 200 || true
        echo '----'
    fi
}

main()
{
    rm -rf "$logs"
    mkdir -p "$logs"
    export PAGERITE=$objects/pagerite
    ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$(command -v llvm-symbolizer-19 llvm-symbolizer | head -n 1 || true)}
    export ASAN_SYMBOLIZER_PATH
    list_tests
    run_all
    local name
    for name in "${names[@]}"; do judge "$name"; done
    local closing="$passed_total passed, $failed_total failed"
    if ((skipped_total > 0)); then closing+=", $skipped_total skipped"; fi
    echo "$closing"
    ((failed_total == 0))
}

main

#!/bin/bash
# Runs every input that is kept, of every fuzz target, under each sanitizer: what was found once must not come back.
#
#   ci/regression.sh OUT [SANITIZER...]    address, undefined and memory if none is named
#
# For each sanitizer the targets are built in OUT/regression/SANITIZER as a fleet builds them (ci/build_for.sh), looked
# at (ci/check_build.sh, which also runs their seeds, the traces), and run over the inputs in OUT/corpus/TARGET; with
# MORE set, also over the folders MORE/TARGET. Unless ZYDIS names a folder of Zydis's sources the targets need
# libZydis.so, which is then no reason to refuse them. The last line counts targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

(($# >= 1)) || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
mkdir -p "$1"
out=$(realpath "$1") more=${MORE:-} zydis=${ZYDIS:-}
shift
passed=0 failed=0 skipped=0
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-}:silence_unsigned_overflow=1
[[ -n $zydis ]] || export ALLOWED_LIBRARIES=libZydis

# Adds what a script counted in its last line.
add()
{
    local p f s
    read -r p f s < <(awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = $5 }
        END { print p + 0, f + 0, s + 0 }' "$1")
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# run_inputs BUILD TARGET: all at once, which libFuzzer does in one process.
run_inputs()
{
    local target=$2 folder folders=() log=$1/$2.log
    for folder in "$out/corpus/$target" ${more:+"$more/$target"}; do
        if [[ -n $(find "$folder" -type f -print -quit 2>/dev/null) ]]; then folders+=("$folder"); fi
    done
    ((${#folders[@]} > 0)) || return 0
    if "$1/$target" -runs=0 -timeout=25 -artifact_prefix="$out/findings/" "${folders[@]}" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "$target: ok: $(find "${folders[@]}" -type f | wc -l) inputs"
    else
        failed=$((failed + 1))
        echo "$target: not ok: its log: $log"
        grep -E 'ERROR: |WARNING: Memory|runtime error: |Test unit written' "$log" | head -n 5 || true
    fi
}

regression_of()
{
    local sanitizer=$1 build=$out/regression/$1 target
    echo "==== $sanitizer"
    if ! BUILD_LOG=$out/regression/$sanitizer.log ci/build_for.sh libfuzzer "$sanitizer" "$build"; then
        failed=$((failed + 1))
        tail -n 20 "$out/regression/$sanitizer.log"
        return
    fi
    ci/check_build.sh libfuzzer "$sanitizer" "$build" >"$out/regression/check.log" 2>&1 || true
    grep -vE '^[0-9]+ passed' "$out/regression/check.log" || true
    add "$out/regression/check.log"
    for target in $(basename --multiple --suffix .c fuzz/fuzz_*.c); do
        if [[ -x $build/$target ]]; then run_inputs "$build" "$target"; fi
    done
}

main()
{
    local sanitizer
    (($# > 0)) || set -- address undefined memory
    mkdir -p "$out/regression" "$out/findings"
    for sanitizer in "$@"; do regression_of "$sanitizer"; done
    local closing="$passed passed, $failed failed"
    if ((skipped > 0)); then closing+=", $skipped skipped"; fi
    echo "$closing"
    ((failed == 0 && passed > 0))
}

main "$@"

#!/bin/bash
# What can be found without running anything: clang-tidy-19, gcc's -fanalyzer and cppcheck over core/, harness/, fuzz/ and
# the programs of ci/, the layout of all C by clang-format-19, that of the Bazel files by buildifier, and shellcheck over
# all scripts. Prints a line for each, and what it found.
#
#   ci/static.sh [CHECK...]    tidy analyzer cppcheck format buildifier shellcheck
#
# BUILDIFIER is the program; else it comes from the npm registry, or is skipped where there is no npm or no network.
# STATIC_NODES (50000) is how far clang's analyzer follows each function; 225000 is its own limit, for a quiet night.
# shellcheck disable=SC2317  # checks are called by name
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=$(nproc)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
cannot=77 # the status of a check whose program is not to be had
core_flags=(-std=c11 -ffreestanding -Icore)
# The example of a pager includes the core's header as an embedder does.
harness_flags=(-std=gnu11 -I. -Icore "-I$scratch")
harness_folders=(harness fuzz ci)

c_sources()
{
    find "$@" -name '*.c' | LC_ALL=C sort
}

scripts()
{
    grep -rlE --exclude-dir={out,.git} --exclude-dir='bazel-*' '^#!/bin/(ba)?sh' . | LC_ALL=C sort
}

# over FOLDERS... -- COMMAND...: the command with each source in turn, as many at a time as there are cores.
over()
{
    local folders=()
    while [[ $1 != -- ]]; do
        folders+=("$1")
        shift
    done
    shift
    c_sources "${folders[@]}" | xargs -P "$jobs" -I SOURCE "$@"
}

# clang-tidy counts on standard error what it has suppressed: that is shown only if it fails otherwise.
tidy_one()
{
    local source=$1 output
    shift
    output=$(clang-tidy-19 --quiet --checks="$CHECKS" "$source" -- "$@" -Xclang -analyzer-config \
        -Xclang "max-nodes=${STATIC_NODES:-50000}" 2>"$scratch/errors.$BASHPID") ||
        { printf '%s\n' "$output" | grep . || cat "$scratch/errors.$BASHPID"; }
}

tidy()
{
    export -f tidy_one
    export scratch
    CHECKS=bugprone-implicit-widening-of-multiplication-result,bugprone-narrowing-conversions \
        over core -- bash -c 'tidy_one "$@"' tidy SOURCE "${core_flags[@]}"
    CHECKS="" over "${harness_folders[@]}" -- bash -c 'tidy_one "$@"' tidy SOURCE "${harness_flags[@]}"
}

# Its findings in headers come with each source; the first tells as much.
analyzer()
{
    # Of leaks LeakSanitizer knows more, in every test: gcc 12 loses pointers that are kept in structures.
    local flags=(-O1 -fanalyzer -Wno-analyzer-malloc-leak -Wall -Wextra -Werror -c SOURCE -o /dev/null)
    over core -- gcc "${core_flags[@]}" "${flags[@]}"
    over "${harness_folders[@]}" -- gcc "${harness_flags[@]}" "${flags[@]}"
}

cppcheck_all()
{
    cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 -j "$jobs" -I. -Icore \
        -I"$scratch" --inline-suppr --suppressions-list=ci/cppcheck.txt core "${harness_folders[@]}"
}

format()
{
    find core harness fuzz tests ci -name '*.[ch]' -o -name '*.cc' | LC_ALL=C sort |
        xargs clang-format-19 --dry-run 2>&1 | sed -n 's/^\([^ :]*\):[0-9].*/not as clang-format-19 has it: \1/p' | uniq
}

# The npm package has the program itself.
buildifier()
{
    local program=${BUILDIFIER:-$scratch/npm/node_modules/.bin/buildifier}
    if [[ -z ${BUILDIFIER:-} ]]; then
        timeout 60 npm install --silent --no-save --no-audit --no-fund --fetch-retries=0 --prefix "$scratch/npm" \
            @bazel/buildifier@6.4.0 >/dev/null 2>&1 || return "$cannot"
    fi
    "$program" --mode=check --lint=warn BUILD.bazel MODULE.bazel WORKSPACE ci/BUILD.bazel ci/*.bzl
}

shellcheck_all()
{
    scripts | xargs shellcheck --external-sources
}

# check NAME COMMAND...: is clean if the command succeeds and prints nothing.
check()
{
    local name=$1 began=$SECONDS status=0
    shift
    "$@" >"$scratch/output" 2>&1 || status=$?
    if ((status == cannot)); then
        echo "$name: skipped, the program is not here and cannot be fetched"
    elif ((status == 0)) && [[ ! -s $scratch/output ]]; then
        echo "$name: ok"
    else
        failed=1
        echo "$name: broken, after $((SECONDS - began)) s"
        cat "$scratch/output"
    fi
}

main()
{
    ci/setup.sh static
    if (($# == 0)); then set -- shellcheck format buildifier cppcheck analyzer tidy; fi
    local name
    # The build makes this of docs/trace-format.md; what is in it does not matter here.
    mkdir -p "$scratch/harness/tool"
    echo '""' >"$scratch/harness/tool/trace_format.inc"
    for name in "$@"; do
        case $name in
        tidy | analyzer | format | buildifier) check "$name" "$name" ;;
        cppcheck | shellcheck) check "$name" "${name}_all" ;;
        *)
            echo "static.sh: no check named $name" >&2
            exit 2
            ;;
        esac
    done
    exit "$failed"
}

main "$@"

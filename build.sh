#!/bin/bash
# Builds, tests and fuzzes Pagerite: ./build.sh help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage()
{
    cat <<'TEXT'
usage: ./build.sh [COMMAND]

  (none)           build everything into out/: libpagerite.a, pagerite, the fuzz targets
  fuzz [SECONDS]   build and run all fuzzers (60 seconds) from the traces' seeds; status 1 if one found something
  test             build with ASan and UBSan and run every test; the last line is the count
  coverage         lines, branches and MC/DC of core/ that tests and corpora reach; status 1 below 100 %
  bench            measure the bounds: name, value, unit, bound, ok or MISSED, separated by tabs
  clean            remove out/
  help             this text

CC, CFLAGS, CXX, CXXFLAGS, LIB_FUZZING_ENGINE, OUT and WORK are obeyed as OSS-Fuzz sets them: with
LIB_FUZZING_ENGINE given and no command, the fuzz targets, their seed corpora and options are built into OUT, and
nothing else. `fuzz` and `test` install missing Debian packages if run as root, saying which; otherwise they print
the line to run and stop.
TEXT
}

# ---- compilers ---------------------------------------------------------------------------------------------------

choose_compilers()
{
    if [[ -z ${CC:-} ]]; then
        if command -v clang-19 >/dev/null; then
            CC=clang-19 CXX=${CXX:-clang++-19}
        elif command -v clang >/dev/null && has_libfuzzer clang; then
            CC=clang CXX=${CXX:-clang++}
        else
            CC=gcc CXX=${CXX:-g++}
        fi
    fi
    CXX=${CXX:-c++}
    export CC CXX
}

has_libfuzzer()
{
    echo 'int LLVMFuzzerTestOneInput(const void *data, unsigned long bytes) { return data && bytes ? 0 : 0; }' |
        "$1" -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null
}

sanitizers="-g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

# The flags of a flavour, where the caller has set none. Where CFLAGS has a sanitizer already, ours stay out.
flavour_flags()
{
    local flavour=$1 given=$2
    case $flavour in
    plain) echo "${given:--O2 -g}" ;;
    asan) [[ $given == *-fsanitize=* ]] && echo "$given" || echo "${given:--O1} $sanitizers" ;;
    fuzz) [[ $given == *-fsanitize=* ]] && echo "$given" || echo "${given:--O2} $sanitizers $coverage" ;;
    coverage) echo "-O1 -g -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc -include ci/coverage.h" ;;
    engine | host) echo "$given" ;;
    esac
}

# make_flavour FLAVOUR TARGET...: compiles the flavour's objects and these targets of ci/build.mk.
make_flavour()
{
    local flavour=$1
    shift
    local c_flags cxx_flags
    c_flags=$(flavour_flags "$flavour" "${CFLAGS:-}")
    cxx_flags=$(flavour_flags "$flavour" "${CXXFLAGS:-${CFLAGS:-}}")
    make --file=ci/build.mk --jobs="$(nproc)" --no-print-directory ${quiet:+--silent} \
        OUT="$OUT" OBJ="$objects/$flavour" CC="$CC" CFLAGS="$c_flags" CXX="$CXX" CXXFLAGS="$cxx_flags" \
        LINK_FUZZ="${link_fuzz:-$CC $c_flags}" ENGINE="${engine:-}" "$@"
}

# Without an engine given, libFuzzer where the compiler has it; otherwise the targets replay files. Comparisons are not
# traced: the mutator works on whole calls, and what libFuzzer would learn from them costs a fifth of the speed. Frames
# of functions that returned are not kept, nor variables watched whose scope has ended, which costs as much again; the
# tests run with these checks.
choose_engine()
{
    engine="" coverage=""
    if has_libfuzzer "$CC"; then
        engine=-fsanitize=fuzzer
        coverage="-fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp"
        coverage+=" -fsanitize-address-use-after-return=never -fno-sanitize-address-use-after-scope"
    fi
}

# ---- what there is to build --------------------------------------------------------------------------------------

build_tool()
{
    make_flavour plain library tool
    mkdir -p "$OUT"
    cp --update "$objects/plain/libpagerite.a" "$objects/plain/pagerite" "$OUT/"
}

build_fuzzers()
{
    choose_engine
    make_flavour fuzz fuzzers
}

build_all()
{
    build_tool
    build_fuzzers
}

# As OSS-Fuzz wants it. The tool that turns traces into seeds is built for this machine, without the engine's flags.
build_for_engine()
{
    engine=$LIB_FUZZING_ENGINE link_fuzz="$CXX ${CXXFLAGS:-}" make_flavour engine fuzzers
    CFLAGS=-O1 CXXFLAGS=-O1 make_flavour host tool

    local source target seeds
    for source in fuzz/fuzz_*.c; do
        target=$(basename "$source" .c)
        seeds=$objects/seeds/$target
        rm -rf "$seeds" "$OUT/${target}_seed_corpus.zip"
        ci/seeds.sh "$target" "$objects/host/pagerite" "$seeds"
        (cd "$seeds" && find . -type f | LC_ALL=C sort | zip --quiet --junk-paths -@ "$OUT/${target}_seed_corpus.zip")
        cp "ci/options/$target.options" "$OUT/"
    done
}

# ---- commands ----------------------------------------------------------------------------------------------------

run_fuzz()
{
    local seconds=${1:-60}
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
    [[ -n ${CC:-} ]] || ci/setup.sh fuzz
    choose_compilers
    echo "building with $CC"
    quiet=1
    build_all
    if [[ -z $engine ]]; then
        echo "build.sh: $CC has no libFuzzer; install clang-19 with its runtimes, or set CC" >&2
        exit 2
    fi
    ci/fuzz.sh "$OUT" "$seconds"
}

run_test()
{
    [[ -n ${CC:-} ]] || ci/setup.sh test
    choose_compilers
    echo "building with $CC"
    quiet=1
    build_all
    make_flavour asan tests
    ci/test.sh "$objects/asan" "$OUT"
}

run_coverage()
{
    [[ -n ${CC:-} ]] || ci/setup.sh test
    choose_compilers
    quiet=1 engine=""
    OUT=$objects/coverage make_flavour coverage UNITY=1 tests fuzzers >&2
    ci/coverage.sh "$objects/coverage" "$OUT"
}

run_bench()
{
    [[ -n ${CC:-} ]] || ci/setup.sh fuzz
    choose_compilers
    quiet=1
    build_all >&2
    make_flavour plain bench >&2
    ci/bench.sh "$objects/plain/bench" "$OUT"
}

main()
{
    local command=${1:-build}
    objects=${WORK:-$PWD/out}/obj
    OUT=${OUT:-$PWD/out}
    mkdir -p "$OUT"
    OUT=$(realpath "$OUT")
    case $command in
    build)
        choose_compilers
        if [[ -n ${LIB_FUZZING_ENGINE:-} ]]; then build_for_engine; else build_all; fi
        ;;
    fuzz) run_fuzz "${2:-}" ;;
    test) run_test ;;
    coverage) run_coverage ;;
    bench) run_bench ;;
    clean) rm -rf out ;;
    help | --help | -h) usage ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

main "$@"

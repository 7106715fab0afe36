#!/bin/bash
# Builds, tests and fuzzes Pagerite: ./build.sh help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage()
{
    cat <<'TEXT'
usage: ./build.sh [COMMAND]

  (none)           build everything into out/: libpagerite.a, pagerite, the fuzz targets
  fuzz [SECONDS] [--engine libfuzzer|afl]
                   build and run all fuzzers (60 seconds) from the traces' seeds; status 1 if one found something
  test             build with ASan and UBSan and run every test; the last line is the count
  coverage         lines, branches and MC/DC of core/ that tests and corpora reach; status 1 below 100 %
  mutants [SECONDS] [NAME...]
                   break the core on purpose, and see which judge notices
  bench            measure the bounds: name, value, unit, bound, ok or MISSED, separated by tabs
  amalgamate       write the core as two files, out/pagerite.c and out/pagerite.h, which compile alone
  install PREFIX   build library and tool; install them with header, pkg-config file and completion (DESTDIR is obeyed)
  clean            remove out/
  help             this text

CC, CFLAGS, CXX, CXXFLAGS, LIB_FUZZING_ENGINE, OUT and WORK are obeyed as OSS-Fuzz sets them: with
LIB_FUZZING_ENGINE given and no command, the fuzz targets, their seed corpora and options are built into OUT, and
nothing else. With ZYDIS, a folder of Zydis's sources, these are compiled too, and linked statically. `fuzz` and `test`
install missing Debian packages if run as root, saying which; otherwise they print the line to run and stop.
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
    asan | afl) [[ $given == *-fsanitize=* ]] && echo "$given" || echo "${given:--O1} $sanitizers" ;;
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
        LINK_FUZZ="${link_fuzz:-$CC $c_flags}" ENGINE="${engine:-}" ${ZYDIS:+ZYDIS="$ZYDIS"} "$@"
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

# The targets and the mutator for AFL++, into OUT/afl.
build_for_afl()
{
    local driver=/usr/lib/afl/libAFLDriver.a
    [[ -f $driver ]] || driver=/usr/local/lib/afl/libAFLDriver.a
    if [[ ! -f $driver ]] || ! command -v afl-clang-fast >/dev/null; then
        echo "build.sh: afl-clang-fast or its libAFLDriver.a is missing; install AFL++" >&2
        exit 2
    fi
    CC=afl-clang-fast CXX=afl-clang-fast++ AFL_QUIET=1 OUT=$OUT/afl engine=$driver make_flavour afl fuzzers
    OUT=$OUT/afl make_flavour plain afl_mutator
}

# As OSS-Fuzz wants it, where a compiler newer than any that was tried here may warn of more. The tool that turns traces
# into seeds is built for this machine, without the engine's flags; or PAGERITE names one that is there.
build_for_engine()
{
    engine=$LIB_FUZZING_ENGINE link_fuzz="$CXX ${CXXFLAGS:-}" make_flavour engine WERROR= fuzzers
    local source target seeds tool=${PAGERITE:-$objects/host/pagerite}
    [[ -n ${PAGERITE:-} ]] || CFLAGS=-O1 CXXFLAGS=-O1 make_flavour host WERROR= tool

    for source in fuzz/fuzz_*.c; do
        target=$(basename "$source" .c)
        seeds=$objects/seeds/$target
        rm -rf "$seeds" "$OUT/${target}_seed_corpus.zip"
        ci/seeds.sh "$target" "$tool" "$seeds"
        (cd "$seeds" && find . -type f | LC_ALL=C sort | zip --quiet --junk-paths -@ "$OUT/${target}_seed_corpus.zip")
        cp "ci/options/$target.options" "$OUT/"
    done
}

# ---- commands ----------------------------------------------------------------------------------------------------

# Sets fuzz_seconds and fuzz_engine.
read_fuzz_arguments()
{
    fuzz_seconds=60 fuzz_engine=libfuzzer
    while (($# > 0)); do
        case $1 in
        --engine=*) fuzz_engine=${1#*=} ;;
        --engine)
            fuzz_engine=${2:-}
            shift
            ;;
        *) fuzz_seconds=$1 ;;
        esac
        shift || true
    done
    [[ $fuzz_seconds =~ ^[1-9][0-9]*$ && $fuzz_engine =~ ^(libfuzzer|afl)$ ]] || { usage >&2; exit 2; }
}

build_for_libfuzzer()
{
    build_all
    if [[ -z $engine ]]; then
        echo "build.sh: $CC has no libFuzzer; install clang-19 with its runtimes, or set CC" >&2
        exit 2
    fi
}

run_fuzz()
{
    read_fuzz_arguments "$@"
    [[ -n ${CC:-} ]] || ci/setup.sh fuzz
    quiet=1
    if [[ $fuzz_engine == afl ]]; then
        ci/setup.sh afl
        choose_compilers
        echo "building with afl-clang-fast"
        build_tool
        build_for_afl
    else
        choose_compilers
        echo "building with $CC"
        build_for_libfuzzer
    fi
    ci/fuzz.sh "$OUT" "$fuzz_seconds" "$fuzz_engine"
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

# The prefix may be relative to where build.sh was called from.
run_install()
{
    [[ -n ${1:-} ]] || { usage >&2; exit 2; }
    local prefix
    prefix=$(cd "$OLDPWD" && realpath --canonicalize-missing "$1")
    choose_compilers
    quiet=1
    build_tool
    ci/install.sh "$OUT" "$prefix"
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
    fuzz) run_fuzz "${@:2}" ;;
    test) run_test ;;
    coverage) run_coverage ;;
    bench) run_bench ;;
    mutants) ci/mutants.sh "${@:2}" ;;
    amalgamate) ci/amalgamate.sh "$OUT" ;;
    install) run_install "${2:-}" ;;
    clean) rm -rf out ;;
    help | --help | -h) usage ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

main "$@"

#!/bin/bash
# Builds the fuzz targets for an engine and a sanitizer with the flags that OSS-Fuzz's base-builder would set, on this
# machine and without its container.
#
#   ci/build_for.sh ENGINE SANITIZER OUT
#
#     ENGINE      libfuzzer   clang-19 (or CLANG)
#                 afl         Debian's afl++
#                 honggfuzz   HONGGFUZZ is the folder where it was built
#                 centipede   CENTIPEDE is a folder with libcentipede_runner.pic.a and weak.o
#     SANITIZER   address, undefined, memory, none; coverage with libfuzzer only
#
# Objects go to WORK, or OUT/obj. ZYDIS, a folder of Zydis's sources, is passed on: without it the targets need the
# installed libZydis.so. PAGERITE, a built tool, saves building one for the seeds. BUILD_LOG gets what the compilers say.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage()
{
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

(($# == 3)) || usage
engine=$1 sanitizer=$2 out=$3

# Overflow of unsigned numbers is no error, but for the engine one more thing to have seen. It is reported and goes on:
# UBSAN_OPTIONS=silence_unsigned_overflow=1 keeps that quiet, as the base-runner does.
undefined=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,object-size,return
undefined+=,returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound
case $sanitizer in
address) flags="-fsanitize=address -fsanitize-address-use-after-scope" ;;
undefined) flags="-fsanitize=$undefined,unsigned-integer-overflow -fno-sanitize-recover=$undefined" ;;
memory) flags="-fsanitize=memory -fsanitize-memory-track-origins" ;;
none | coverage) flags="" ;;
*) usage ;;
esac

clang=${CLANG:-clang-19}
case $engine in
libfuzzer)
    CC=$clang CXX=${clang/clang/clang++} LIB_FUZZING_ENGINE=-fsanitize=fuzzer
    coverage=-fsanitize=fuzzer-no-link
    if [[ $sanitizer == coverage ]]; then coverage="-fprofile-instr-generate -fcoverage-mapping"; fi
    ;;
afl)
    export AFL_QUIET=1
    CC=afl-clang-fast CXX=afl-clang-fast++ LIB_FUZZING_ENGINE=/usr/lib/afl/libAFLDriver.a
    coverage=""
    ;;
honggfuzz)
    CC=$clang CXX=${clang/clang/clang++}
    LIB_FUZZING_ENGINE="${HONGGFUZZ:?}/libhfuzz/libhfuzz.a $HONGGFUZZ/libhfcommon/libhfcommon.a"
    coverage=-fsanitize-coverage=trace-pc-guard,indirect-calls,trace-cmp
    ;;
centipede)
    # The fleet gives libraries to the compiler, too.
    CC=$clang CXX=${clang/clang/clang++} LIB_FUZZING_ENGINE=${CENTIPEDE:?}/libcentipede_runner.pic.a
    coverage="-O2 -fno-builtin -fsanitize-coverage=trace-loads -fsanitize-coverage=trace-pc-guard,pc-table,trace-cmp"
    coverage+=" -ldl -lrt -lpthread $CENTIPEDE/weak.o"
    ;;
*) usage ;;
esac

export CC CXX LIB_FUZZING_ENGINE
export CFLAGS="-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
CFLAGS+=" ${flags:+$flags }$coverage"
export CXXFLAGS=$CFLAGS
export OUT=$out WORK=${WORK:-$out/obj}
echo "building for $engine, $sanitizer, into $out" >&2
./build.sh >"${BUILD_LOG:-/dev/null}"

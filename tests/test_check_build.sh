#!/bin/bash
# ci/check_build.sh takes a build that a fleet would take, and refuses one for each of the reasons that it names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

clang=${CLANG:-clang-19}
if ! command -v "$clang" objdump file unzip zip setpriv >/dev/null; then
    skip_all "$clang, objdump, file, unzip, zip or setpriv is missing"
fi
engine=(-fsanitize=fuzzer)
checked=(-fsanitize=address -fsanitize=fuzzer-no-link)

# A target with edges enough, and one place for what is wrong with it.
write_target()
{
    local i
    echo '#include <stdio.h>'
    echo '#include <stdlib.h>'
    echo 'int needed(void);'
    echo 'static volatile int sink;'
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)'
    echo '{'
    echo '    const volatile unsigned char *at = data; /* each load is a load of its own, and checked */'
    echo "    $1"
    echo '    for (size_t i = 0; i < bytes; i++) {'
    for ((i = 0; i < 250; i++)); do echo "        if (at[i] == $i) sink += $((i * 7));"; done
    echo '    }'
    echo '    return 0;'
    echo '}'
}

# build NAME STATEMENT FLAG...: a target alone in a folder of its own, with its seeds and options.
build()
{
    local name=$1 out=$work/$1
    mkdir -p "$out/seeds"
    write_target "$2" >"$out/target.c"
    shift 2
    "$clang" -g -O1 "$@" -c "$out/target.c" -o "$out/seeds/target.o"
    "$clang" "$@" "${engine[@]}" "$out/seeds/target.o" "${libraries[@]}" -o "$out/fuzz_it"
    echo abcdefgh >"$out/seeds/letters"
    (cd "$out/seeds" && zip -q ../fuzz_it_seed_corpus.zip letters)
    printf '[libfuzzer]\nmax_len = 64\n' >"$out/fuzz_it.options"
}

check()
{
    local name=$1 status=0
    ci/check_build.sh libfuzzer address "$work/$name" >"$work/output" 2>&1 || status=$?
    echo "status $status" >>"$work/output"
}

refused()
{
    check "$1"
    has "$1" "not ok: $2"
    has "$1" '^status 1'
}

libraries=()
build sound '' "${checked[@]}"
check sound
has sound '^fuzz_it: ok: [0-9]+ edges, [0-9]+ covered at the start, [0-9]+ by its seeds'
has sound '^1 passed, 0 failed'
has sound '^status 0'

build unchecked '' -fsanitize=fuzzer-no-link
refused unchecked is_instrumented
build unseen '' -fsanitize=address
refused unseen starts
build crashing 'if (sink == 0) abort();' "${checked[@]}"
refused crashing starts
build careless 'if (bytes > 4 && data[0] == 97) abort();' "${checked[@]}"
refused careless runs_its_seeds
build untidy 'FILE *file = fopen("left", "w"); if (file) fclose(file);' "${checked[@]}"
refused untidy home_is_empty

build seedless '' "${checked[@]}"
rm "$work/seedless/fuzz_it_seed_corpus.zip"
refused seedless seeds_are_whole

build misspelt '' "${checked[@]}"
mv "$work/misspelt/fuzz_it.options" "$work/misspelt/fuzz_that.options"
refused misspelt 'there is no fuzz_that'

# It wants a file where there will be none.
build rooted "FILE *file = fopen(\"$work/gone/beside\", \"r\"); if (!file) abort(); fclose(file);" "${checked[@]}"
refused rooted starts

echo 'int needed(void) { return 1; }' >"$work/needed.c"
"$clang" -shared -fPIC "$work/needed.c" -o "$work/libneeded.so"
libraries=("$work/libneeded.so")
build needy 'sink += needed();' "${checked[@]}"
refused needy needs_nothing_else

libraries=()
build idle 'if (sink == 0) { fprintf(stderr, "nothing done: not here\n"); _Exit(0); }' "${checked[@]}"
check idle
has idle 'skipped: nothing done: not here'

finish

#!/bin/bash
# The core in two files: they compile alone and without a warning, as C with gcc and with clang, and the header as C++;
# the README's embedding example, built from them in a folder with nothing else, prints what the README shows.
#
# CC, CXX: compilers tried besides gcc, clang and their C++ ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

# The compilers among these that are here, each once.
found()
{
    local compiler
    for compiler in "$@"; do
        if [[ -n $compiler ]] && command -v "$compiler"; then :; fi
    done | sort --unique
}

prints_what_the_readme_shows()
{
    diff "$work/expected" <("$1")
}

check_c()
{
    local compiler=$1 name
    name=$(basename "$compiler")
    silent "$name compiles the core" "$compiler" -std=c11 -Wall -Wextra -Wconversion -O1 -c pagerite.c -o "core-$name.o"
    silent "$name compiles it as part of a freestanding program" \
        "$compiler" -std=c11 -ffreestanding -Wall -Wextra -c pagerite.c -o freestanding.o
    silent "$name compiles the README's example" \
        "$compiler" -std=c11 -Wall -Wextra example.c "core-$name.o" -o "example-$name"
    silent "the example of $name runs" prints_what_the_readme_shows "./example-$name"
}

check_cxx()
{
    local compiler=$1 name
    name=$(basename "$compiler")
    silent "$name compiles a program in C++" \
        "$compiler" -std=c++11 -Wall -Wextra embed.cc freestanding.o -o "embed-$name"
    silent "the program of $name runs" "./embed-$name"
}

silent "the two files are made" ci/amalgamate.sh "$work"
block text README.md >"$work/expected"
block c README.md | sed 's/"pgr.h"/"pagerite.h"/' >"$work/example.c"
sed 's,"core/pgr.h","pagerite.h",' tests/test_embed.cc >"$work/embed.cc"
version=$(sed -n 's/^#define PGR_VERSION "\(.*\)"/\1/p' core/pgr.h)
silent "they say which version they are" grep --quiet "Pagerite $version" "$work/pagerite.h" "$work/pagerite.c"
cd "$work"
mapfile -t c_compilers < <(found gcc clang-19 "${CC:-}")
mapfile -t cxx_compilers < <(found g++ clang++-19 "${CXX:-}")
for compiler in "${c_compilers[@]}"; do check_c "$compiler"; done
for compiler in "${cxx_compilers[@]}"; do check_cxx "$compiler"; done
silent "there was a compiler for each language" test "${#c_compilers[@]}" -gt 0 -a "${#cxx_compilers[@]}" -gt 0
finish

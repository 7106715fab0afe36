#!/bin/bash
# The core in two files: they compile alone and without a warning, as C with gcc and with clang, and the header as C++;
# the README's embedding example, built from them in a folder with nothing else, prints what the README shows.
#
# CC, CXX: compilers tried besides gcc, clang and their C++ ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# check NAME COMMAND...: the command must succeed, and print nothing.
check()
{
    local name=$1 said
    shift
    if said=$("$@" 2>&1) && [[ -z $said ]]; then
        passed=$((passed + 1))
        echo "passed: $name"
    else
        failed=$((failed + 1))
        printf 'failed: %s\n%s\n' "$name" "$said"
    fi
}

# Prints the first block of the README that is fenced as this language.
block()
{
    awk -v fence="\`\`\`$1" '$0 == "```" && inside { exit } inside { print } $0 == fence { inside = 1 }' README.md
}

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
    diff "$scratch/expected" <("$1")
}

check_c()
{
    local compiler=$1 name
    name=$(basename "$compiler")
    check "$name compiles the core" "$compiler" -std=c11 -Wall -Wextra -Wconversion -O1 -c pagerite.c -o "core-$name.o"
    check "$name compiles it as part of a freestanding program" \
        "$compiler" -std=c11 -ffreestanding -Wall -Wextra -c pagerite.c -o freestanding.o
    check "$name compiles the README's example" \
        "$compiler" -std=c11 -Wall -Wextra example.c "core-$name.o" -o "example-$name"
    check "the example of $name runs" prints_what_the_readme_shows "./example-$name"
}

check_cxx()
{
    local compiler=$1 name
    name=$(basename "$compiler")
    check "$name compiles a program in C++" \
        "$compiler" -std=c++11 -Wall -Wextra embed.cc freestanding.o -o "embed-$name"
    check "the program of $name runs" "./embed-$name"
}

check "the two files are made" ci/amalgamate.sh "$scratch"
block text >"$scratch/expected"
block c | sed 's/"pgr.h"/"pagerite.h"/' >"$scratch/example.c"
sed 's,"core/pgr.h","pagerite.h",' tests/test_embed.cc >"$scratch/embed.cc"
version=$(sed -n 's/^#define PGR_VERSION "\(.*\)"/\1/p' core/pgr.h)
check "they say which version they are" grep --quiet "Pagerite $version" "$scratch/pagerite.h" "$scratch/pagerite.c"
cd "$scratch"
mapfile -t c_compilers < <(found gcc clang-19 "${CC:-}")
mapfile -t cxx_compilers < <(found g++ clang++-19 "${CXX:-}")
for compiler in "${c_compilers[@]}"; do check_c "$compiler"; done
for compiler in "${cxx_compilers[@]}"; do check_cxx "$compiler"; done
check "there was a compiler for each language" test "${#c_compilers[@]}" -gt 0 -a "${#cxx_compilers[@]}" -gt 0
echo "$passed passed, $failed failed"
((failed == 0))

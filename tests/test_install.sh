#!/bin/bash
# What ci/install.sh installs can be used: pkg-config finds it, a program that knows nothing else compiles and runs, the
# tool says its version and helps, the completion completes. The version stands in core/pgr.h, and nowhere else differs.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# expect NAME EXPECTED ACTUAL: two texts that must be the same.
expect()
{
    if [[ $2 == "$3" ]]; then
        passed=$((passed + 1))
        echo "passed: $1"
    else
        failed=$((failed + 1))
        printf 'failed: %s\nexpected: %s\nfound:    %s\n' "$1" "$2" "$3"
    fi
}

# The library as a build would make it, for this compiler; and the tool.
make_built()
{
    mkdir -p "$scratch/built"
    cp "$PAGERITE" "$scratch/built/pagerite"
    printf '#include "%s"\n' core/*.c >"$scratch/core.c"
    "${CC:-cc}" -std=c11 -ffreestanding -I. -Icore -c "$scratch/core.c" -o "$scratch/core.o"
    ar rcs "$scratch/built/libpagerite.a" "$scratch/core.o"
}

# A file that is outside of the tree, with the flags of pkg-config and no others.
compile_elsewhere()
{
    local flags
    cat >"$scratch/program.c" <<'TEXT'
#include <pgr.h>
#include <stdio.h>

int main(void)
{
    pgr_config config;
    pgr_config_default(&config);
    printf("%s %d\n", PGR_VERSION, pgr_world_bytes(&config) > 0);
}
TEXT
    read -r -a flags < <(pkg-config --cflags --libs pagerite)
    (cd "$scratch" && "${CC:-cc}" -Wall -Wextra program.c "${flags[@]}" -o program && ./program)
}

# What the installed completion offers behind these words, sorted, in one line.
completed()
{
    # shellcheck source=/dev/null
    source "$prefix/share/bash-completion/completions/pagerite"
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _pagerite
    printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}

part()
{
    sed -n "s/^#define PGR_VERSION_$1 //p" core/pgr.h
}

prefix="$scratch/a place/usr"
make_built
said=$(ci/install.sh "$scratch/built" "$prefix")
version=$(sed -n 's/^#define PGR_VERSION "\(.*\)"/\1/p' core/pgr.h)
expect "it says what it has done" "pagerite $version is in $prefix" "$said"
expect "the files" "bin/pagerite include/pgr.h lib/libpagerite.a lib/pkgconfig/pagerite.pc \
share/bash-completion/completions/pagerite " "$(cd "$prefix" && find . -type f -printf '%P\n' | LC_ALL=C sort | tr '\n' ' ')"
expect "the tool may be executed" "pagerite $version" "$("$prefix/bin/pagerite" --version)"
expect "the tool has the trace format with it" "$(cat docs/trace-format.md)" \
    "$(cd / && "$prefix/bin/pagerite" help trace-format)"
expect "a command is completed" "shrink " "$(completed pagerite shr)"
expect "an option is completed" "--verbose --version " "$(completed "$prefix/bin/pagerite" run --v)"
expect "a topic is completed" "trace-format " "$(completed pagerite help tr)"

prefix=$scratch/usr
ci/install.sh "$scratch/built" "$prefix" >"$scratch/said"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
expect "pkg-config knows the version" "$version" "$(pkg-config --modversion pagerite)"
expect "a program elsewhere" "$version 1" "$(compile_elsewhere)"
DESTDIR=$scratch/package ci/install.sh "$scratch/built" /opt/pagerite >"$scratch/said"
expect "a package's files do not say where they were made" "prefix=/opt/pagerite" \
    "$(head -n 1 "$scratch/package/opt/pagerite/lib/pkgconfig/pagerite.pc")"
expect "a relative prefix" "status 2" "$(ci/install.sh "$scratch/built" usr 2>"$scratch/said" || echo "status $?")"
expect "the numbers of the version" "$version" "$(part MAJOR).$(part MINOR).$(part PATCH)"
expect "the changelog begins with this version" "## $version" "$(grep -m 1 '^## ' CHANGELOG.md | cut -d , -f 1)"
if [[ -f MODULE.bazel ]]; then
    expect "Bazel's version" "$version" "$(sed -n '/^module(/,/^)/s/.*version = "\(.*\)".*/\1/p' MODULE.bazel)"
fi
echo "$passed passed, $failed failed"
((failed == 0))

#!/bin/bash
# What ci/install.sh installs can be used: pkg-config finds it, a program that knows nothing else compiles and runs, the
# tool says its version and helps, the completion completes. The version stands in core/pgr.h, and nowhere else differs.
#
# PAGERITE: the tool. CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

# The library as a build would make it, for this compiler; and the tool.
make_built()
{
    mkdir -p "$work/built"
    cp "$PAGERITE" "$work/built/pagerite"
    printf '#include "%s"\n' core/*.c >"$work/core.c"
    "${CC:-cc}" -std=c11 -ffreestanding -I. -Icore -c "$work/core.c" -o "$work/core.o"
    ar rcs "$work/built/libpagerite.a" "$work/core.o"
}

# A file that is outside of the tree, with the flags of pkg-config and no others.
compile_elsewhere()
{
    local flags
    cat >"$work/program.c" <<'TEXT'
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
    (cd "$work" && "${CC:-cc}" -Wall -Wextra program.c "${flags[@]}" -o program && ./program)
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

prefix="$work/a place/usr"
make_built
said=$(ci/install.sh "$work/built" "$prefix")
version=$(sed -n 's/^#define PGR_VERSION "\(.*\)"/\1/p' core/pgr.h)
same "it says what it has done" "pagerite $version is in $prefix" "$said"
same "the files" "bin/pagerite include/pgr.h lib/libpagerite.a lib/pkgconfig/pagerite.pc \
share/bash-completion/completions/pagerite " "$(cd "$prefix" && find . -type f -printf '%P\n' | LC_ALL=C sort | tr '\n' ' ')"
same "the tool may be executed" "pagerite $version" "$("$prefix/bin/pagerite" --version)"
same "the tool has the trace format with it" "$(cat docs/trace-format.md)" \
    "$(cd / && "$prefix/bin/pagerite" help trace-format)"
same "a command is completed" "shrink " "$(completed pagerite shr)"
same "an option is completed" "--verbose --version " "$(completed "$prefix/bin/pagerite" run --v)"
same "a topic is completed" "trace-format " "$(completed pagerite help tr)"

prefix=$work/usr
ci/install.sh "$work/built" "$prefix" >"$work/said"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
same "pkg-config knows the version" "$version" "$(pkg-config --modversion pagerite)"
same "a program elsewhere" "$version 1" "$(compile_elsewhere)"
DESTDIR=$work/package ci/install.sh "$work/built" /opt/pagerite >"$work/said"
same "a package's files do not say where they were made" "prefix=/opt/pagerite" \
    "$(head -n 1 "$work/package/opt/pagerite/lib/pkgconfig/pagerite.pc")"
same "a relative prefix" "status 2" "$(ci/install.sh "$work/built" usr 2>"$work/said" || echo "status $?")"
same "the numbers of the version" "$version" "$(part MAJOR).$(part MINOR).$(part PATCH)"
same "the changelog begins with this version" "## $version" "$(grep -m 1 '^## ' CHANGELOG.md | cut -d , -f 1)"
if [[ -f MODULE.bazel ]]; then
    same "Bazel's version" "$version" "$(sed -n '/^module(/,/^)/s/.*version = "\(.*\)".*/\1/p' MODULE.bazel)"
fi
finish

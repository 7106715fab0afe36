#!/bin/bash
# Makes two files of the core, for those who would rather copy files than build a library.
#
#   ci/amalgamate.sh FOLDER           writes FOLDER/pagerite.h, which is core/pgr.h with what it includes, and
#                                     FOLDER/pagerite.c, which is the rest
#   ci/amalgamate.sh --header FILE    the header alone
#
# Headers of the core are put in where they are first included, and only there, but for the table of calls, which is
# meant to be included more than once; nothing else is changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

title()
{
    local version
    version=$(sed -n 's/^#define PGR_VERSION "\(.*\)"/\1/p' core/pgr.h)
    printf '/*\n * Pagerite %s, %s Made from core/ by ci/amalgamate.sh; change it there.\n *\n' "$version" "$1"
    sed -e 's/^./ * &/' -e 's/^$/ */' LICENSE
    printf ' */\n'
}

# expand INCLUDED FILE...: the files, with the core's headers that they include, but for those INCLUDED already.
expand()
{
    local included=$1
    shift
    awk -v included="$included" '
        function put(path,    line, name) {
            while ((getline line <path) > 0) {
                name = line
                if (!sub(/^#include "/, "", name)) {
                    print line
                    continue
                }
                sub(/".*/, "", name)
                if (!(name in is_included)) {
                    if (name != "call_rows.h") is_included[name] = 1
                    put("core/" name)
                }
            }
            close(path)
        }
        BEGIN {
            split(included, names, " ")
            for (i in names) is_included[names[i]] = 1
            for (i = 1; i < ARGC; i++) {
                if (ARGC > 2) printf "\n/* ==== %s ==== */\n\n", ARGV[i]
                put(ARGV[i])
            }
        }' "$@"
}

# The core's headers that the public one includes, and itself.
public_headers()
{
    echo pgr.h zx.h
}

header()
{
    title "the header."
    expand "" core/pgr.h
}

main()
{
    local folder=$1
    mkdir -p "$folder"
    header >"$folder/pagerite.h"
    {
        title "the whole core in one file."
        printf '#include "pagerite.h"\n'
        expand "$(public_headers)" core/*.c
    } >"$folder/pagerite.c"
}

case $#:${1:-} in
2:--header) header >"$2" ;;
1:[!-]*) main "$1" ;;
*)
    echo "usage: ci/amalgamate.sh FOLDER | --header FILE" >&2
    exit 2
    ;;
esac

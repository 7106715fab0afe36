#!/bin/bash
# The documentation is whole: every link in it leads to a file, or a heading, that exists; every file and folder that it
# names in quotes exists, but for what is built; every page of docs/ is reached from docs/README.md; and the defaults in
# docs/limits.md are the core's.
#
# CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

pages()
{
    git ls-files --cached --others --exclude-standard '*.md' 2>/dev/null || find . -name '*.md' -not -path './out/*'
}

# An anchor is a heading in small letters, blanks as dashes, all else but letters, digits and dashes left out.
anchors()
{
    sed -n 's/^##* //p' "$1" | tr '[:upper:] ' '[:lower:]-' | sed 's/[^a-z0-9_-]//g'
}

broken_links()
{
    local page link file anchor
    while read -r page; do
        { grep -oE '\]\([^)]+\)' "$page" || true; } | sed 's/^](//; s/)$//' | while read -r link; do
            [[ $link != *://* ]] || continue
            file=${link%%#*} anchor=""
            [[ $link != *#* ]] || anchor=${link#*#}
            file=$(dirname "$page")/${file:-$(basename "$page")}
            if [[ ! -e $file ]]; then
                echo "$page: $link leads nowhere"
            elif [[ -n $anchor ]] && ! anchors "$file" | grep --quiet --line-regexp "$anchor"; then
                echo "$page: $link: there is no such heading"
            fi
        done
    done < <(pages)
}

# shellcheck disable=SC2016  # the backquotes are the text's
missing_files()
{
    local page file
    while read -r page; do
        { grep -oE '`(core|harness|fuzz|tests|docs|ci|corpus)/[A-Za-z0-9_./-]+`' "$page" || true; } | tr -d '`' | LC_ALL=C sort -u |
            while read -r file; do
                [[ -e $file ]] || echo "$page names $file, which does not exist"
            done
    done < <(pages)
}

pages_without_a_way()
{
    local page
    for page in docs/*.md docs/*.txt; do
        page=${page#docs/}
        [[ $page == README.md ]] || grep --quiet "]($page)" docs/README.md || echo "docs/README.md does not lead to $page"
    done
    for page in docs/semantics/*.md; do
        page=${page#docs/semantics/}
        [[ $page == README.md ]] || grep --quiet "]($page)" docs/semantics/README.md ||
            echo "docs/semantics/README.md does not lead to $page"
    done
}

# The defaults as the core has them, in the order of the table, each in its row.
wrong_limits()
{
    cat >"$work/limits.c" <<'C'
#include "pgr.h"
#include <stdio.h>

int main(void)
{
    pgr_config config;
    pgr_config_default(&config);
    printf("| frames | %u\n| object rows | %u\n| handles | %u\n| threads | %u\n| packets | %u\n| runs | %u\n",
           config.frame_count - 1, config.object_count, config.handle_count, config.thread_count, config.packet_count,
           config.run_count);
    return 0;
}
C
    "${CC:-cc}" -O0 -w -Icore "$work/limits.c" core/*.c -o "$work/limits"
    diff <("$work/limits") <(sed -nE 's/^(\| (frames|object rows|handles|threads|packets|runs))\b[^|]*\| ([0-9,]+).*/\1 | \3/p' \
        docs/limits.md | tr -d ,)
}

silent "links" broken_links
silent "files that are named" missing_files
silent "a way to every page" pages_without_a_way
silent "limits" wrong_limits
finish

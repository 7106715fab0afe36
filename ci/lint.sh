#!/bin/bash
# House rules as tests: the core includes nothing from outside and defines no global variable; no line of C is longer
# than 140 columns; nothing is left half-done. What programs know to look for is in ci/static.sh.
# shellcheck disable=SC2317  # rules are called by name
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

# rule NAME COMMAND...: the rule holds if the command succeeds and prints nothing.
rule()
{
    local name=$1 output
    shift
    if output=$("$@" 2>&1) && [[ -z $output ]]; then
        echo "$name: ok"
    else
        failed=1
        printf '%s: broken\n%s\n' "$name" "$output"
    fi
}

core_includes_only_itself()
{
    ! grep -nE '^ *# *include' core/*.c core/*.h | grep -vE '"[a-z_]+\.h"|<stddef\.h>|<stdint\.h>'
}

# The parts of the core from the bottom up, as core/README.md draws them.
parts="zx pgr world list tree map frames objects handles threads ports requests need vmo pages vmar access life plan
    process calls"

# A part includes only parts below it. The rows of the table of calls are data for everybody, and world.c knows the size
# of all rows; pages and calls are several files, and inspect.c and image.c stand beside the parts.
core_parts_know_only_those_below()
{
    awk -v parts="$parts" '
        BEGIN { for (n = split(parts, names, /[ \n]+/); n > 0; n--) level[names[n]] = n }
        FNR == 1 {
            part = FILENAME
            gsub(/.*\/|\.[ch]$/, "", part)
            sub(/^calls_.*/, "calls", part)
            sub(/^pages_.*|^states$/, "pages", part)
            if (part ~ /^(inspect|image)$/) part = "calls"
            if (!(part in level) && part != "call_rows") print FILENAME ": what part is it of?"
        }
        /^#include "/ && FILENAME != "core/world.c" {
            split($2, quoted, "\"")
            sub(/\.h$/, "", quoted[2])
            if (quoted[2] != "call_rows" && level[quoted[2]] > level[part])
                print FILENAME ": " part " is below " quoted[2]
        }' core/*.[ch]
}

core_has_no_variable_data()
{
    local object
    for object in out/obj/plain/core/*.o; do
        [[ -f $object ]] || continue
        nm --format=sysv "$object" | grep -E '\|(\.data|\.bss)' | grep -v '\.data\.rel\.ro' || true
    done
}

lines_are_short()
{
    ! grep -nE '^.{141,}' core/*.[ch] harness/*.[ch] harness/*/*.[ch] fuzz/*.c tests/*.[ch] 2>/dev/null
}

nothing_is_left_half_done()
{
    ! grep -nwE 'TODO|FIXME|XXX|HACK' -r core harness fuzz tests corpus build.sh README.md
}

rule core-includes core_includes_only_itself
rule core-parts core_parts_know_only_those_below
rule core-variables core_has_no_variable_data
rule line-length lines_are_short
rule unfinished nothing_is_left_half_done
exit "$failed"

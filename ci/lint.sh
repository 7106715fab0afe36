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
    ! grep -nE '^ *# *include' core/*.c core/*.h | grep -vE '"pgr(_internal)?\.h"|<stddef\.h>|<stdint\.h>'
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
rule core-variables core_has_no_variable_data
rule line-length lines_are_short
rule unfinished nothing_is_left_half_done
exit "$failed"

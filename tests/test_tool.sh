#!/bin/bash
# The command line tool: exit statuses, what goes to which stream, and messages for what cannot be done.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

make_traces()
{
    mkdir -p "$work/dir/b" "$work/none"
    printf 'zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_vmo_get_size(v, _) = ZX_OK\n' >"$work/good.trace"
    printf 'zx_vmo_create(1p, 0, &v) = ZX_ERR_IO\n' >"$work/bad.trace"
    printf '# c\nzx_vmo_create(1p, 0, 5) = ZX_OK\n' >"$work/unreadable.trace"
    printf 'x86_exec("f4", {}) = ZX_OK\n' >"$work/privileged.trace"
    printf 'check_invariants() = ZX_OK\n' >"$work/check.trace"
    printf 'zx_vmo_create(1p, 0, &v) = ZX_OK\n%.0s' 1 2 >"$work/two.trace"
    : >"$work/empty.trace"
    cp "$work/good.trace" "$work/dir/z.trace"
    cp "$work/bad.trace" "$work/dir/b/1.trace"
    cp "$work/bad.trace" "$work/dir/b/not-a-trace"
    cp "$work/privileged.trace" "$work/dir/a.trace"
}

anything='.*'
usage='(.|
)*'

check_usage()
{
    tells "no command" 2 '' "pagerite: a command is missing$usage" "$PAGERITE"
    tells "unknown command" 2 '' "pagerite: there is no command 'dance'$usage" "$PAGERITE" dance
    tells "unknown option" 2 '' "pagerite run: $usage" "$PAGERITE" run --dance
    tells "version" 0 'pagerite [0-9]+\.[0-9]+\.[0-9]+' '' "$PAGERITE" --version
    tells "help" 0 "Usage: pagerite ${usage}run$usage(record)${usage}decode${usage}encode$usage" '' "$PAGERITE" --help
    local command
    for command in run record decode encode; do
        tells "help of $command" 0 "Usage: pagerite $command $usage" '' "$PAGERITE" "$command" --help
        tells "$command of nothing" 2 '' "pagerite $command: an? $usage" "$PAGERITE" "$command"
        tells "$command of a missing file" 2 '' "pagerite: cannot read $work/no: No such file or directory" \
            "$PAGERITE" "$command" "$work/no"
    done
}

check_run()
{
    local difference="$work/bad.trace:1: not as expected
    expected: zx_vmo_create\(1p, 0, &v\) = ZX_ERR_IO
    actual:   zx_vmo_create\(1p, 0, &v\) = ZX_OK
"
    tells "passing" 0 '1 passed, 0 failed' '' "$PAGERITE" run "$work/good.trace"
    tells "failing" 1 "${difference}0 passed, 1 failed" '' "$PAGERITE" run "$work/bad.trace"
    tells "not a trace" 1 "$work/unreadable.trace:2:22: expected &name, _ or \[value\], found '5'
0 passed, 1 failed" '' "$PAGERITE" run "$work/unreadable.trace"
    tells "an instruction that is not in the list" 1 "$work/privileged.trace:1: not as expected
    expected: x86_exec\(\"f4\", \{\}\) = ZX_OK
    note:     hlt: it is not in the list of instructions
0 passed, 1 failed" '' "$PAGERITE" run "$work/privileged.trace"
    tells "empty" 0 "$work/empty.trace: has no call
1 passed, 0 failed" '' "$PAGERITE" run "$work/empty.trace"
    tells "invariants" 0 '1 passed, 0 failed' '' "$PAGERITE" run "$work/check.trace"
    tells "verbose" 0 "# $work/good.trace
zx_vmo_create\(1p, 0, &v\) = ZX_OK
zx_vmo_get_size\(v, \[1p\]\) = ZX_OK
1 passed, 0 failed" '' "$PAGERITE" run -v "$work/good.trace"
    tells "order" 1 "$work/dir/a.trace:1: ${usage}$work/dir/b/1.trace:1: ${usage}1 passed, 2 failed" '' "$PAGERITE" run -j 3 "$work/dir"
    tells "no traces" 2 '' "pagerite: there is no \*.trace in $work/none" "$PAGERITE" run "$work/none"
    tells "jobs" 2 '' "pagerite run: the number of jobs is from 1 to 256, not '0'$usage" "$PAGERITE" run -j 0 "$work/good.trace"
    tells "a small world" 1 "$work/two.trace:2: not as expected$usage = ZX_ERR_NO_MEMORY
0 passed, 1 failed" '' "$PAGERITE" run --world=8,8,8,8,8 "$work/two.trace"
    tells "no world" 2 '' "pagerite run: a world is five numbers with commas between, not '1,2'$usage" \
        "$PAGERITE" run -w 1,2 "$work/good.trace"
    tells "an impossible world" 1 "$work/good.trace: no world for this trace: the core refuses its configuration
0 passed, 1 failed" '' "$PAGERITE" run -w 0,0,0,0,0 "$work/good.trace"
    tells "standard input" 1 "<stdin>:1: not as expected$usage" '' bash -c "\"\$PAGERITE\" run - <$work/bad.trace"
    tells "a full disk" 2 '' 'pagerite: cannot write the results: No space left on device' \
        bash -c "\"\$PAGERITE\" run $work/good.trace >/dev/full"
    tells "a closed pipe" 0 '# corpus/.*' '' bash -c "\"\$PAGERITE\" run -v corpus | head -n 1"
}

check_jobs_agree()
{
    same "run -j 5 and run" "$("$PAGERITE" run -v corpus)" "$("$PAGERITE" run -v -j 5 corpus)"
}

check_conversions()
{
    tells "record" 0 'zx_vmo_create\(1p, 0, &v\) = ZX_OK
zx_vmo_get_size\(v, \[1p\]\) = ZX_OK' '' "$PAGERITE" record "$work/good.trace"
    tells "record to a file" 0 '' '' "$PAGERITE" record "$work/bad.trace" -o "$work/recorded.trace"
    tells "what was recorded" 0 '1 passed, 0 failed' '' "$PAGERITE" run "$work/recorded.trace"
    tells "record what is no trace" 1 '' "$work/unreadable.trace:2:22: $anything" "$PAGERITE" record "$work/unreadable.trace"
    tells "record what is not in the list" 0 \
        '# not run, hlt: it is not in the list of instructions: x86_exec\("f4", \{\}\) = ZX_OK' '' \
        "$PAGERITE" record "$work/privileged.trace"
    tells "encode" 0 '' '' "$PAGERITE" encode "$work/good.trace" -o "$work/good.bin"
    tells "decode" 0 "${usage}zx_vmo_create\(1p, 0, &aux1\) +?= ZX_OK
zx_vmo_get_size\(aux1, \[1p\]\) +?= ZX_OK" '' "$PAGERITE" decode "$work/good.bin"
    tells "encode what fails" 1 '' "$work/bad.trace:1: not as expected$usage" "$PAGERITE" encode "$work/bad.trace"
    tells "encode to nowhere" 2 '' "pagerite: cannot write $work/no/x: No such file or directory" \
        "$PAGERITE" encode "$work/good.trace" -o "$work/no/x"
    tells "two traces" 2 '' "pagerite record: one trace at a time$usage" "$PAGERITE" record "$work/good.trace" "$work/bad.trace"
}

export PAGERITE
make_traces
check_usage
check_run
check_jobs_agree
check_conversions
finish

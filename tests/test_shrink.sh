#!/bin/bash
# `pagerite shrink` and `pagerite triage` on cores that are wrong on purpose: the tool is linked anew with one mistake
# behind pgr_dispatch(). What comes out must fail as the first trace did, and be as short as it can be.
#
# PAGERITE: the tool. CC: the compiler of the objects beside it; without these only what a sound core shows is checked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

# check_file NAME FILE TEXT: the file has exactly these lines, comments and the blanks before a result left out.
check_file()
{
    same "$1" "$3" "$(sed -e '/^#/d' -e 's/ \+= / = /' "$2")"
}

anything='(.|
)*'

# ---- traces ------------------------------------------------------------------------------------------------------

# A wrong expectation behind 300 lines that have nothing to do with it.
make_long_trace()
{
    local i
    echo 'option page_size 4096'
    echo 'zx_vmo_create(5p, 0, &vmo) = ZX_OK'
    for ((i = 0; i < 75; i++)); do
        echo "zx_event_create(0, &e$i) = ZX_OK"
        echo "[t$i] zx_object_wait_one(e$i, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, _) <unfinished ...>"
        echo "zx_vmo_write(vmo, fill($((i + 1))), $((i % 3))p, 1p) = ZX_OK"
        echo "zx_vmo_read(vmo, fill($((i + 1))), $((i % 3))p, 1p) = ZX_OK"
    done
    echo 'zx_vmo_read(vmo, pages(73, 75), 0, 2p) = ZX_OK'
    echo 'zx_handle_close(vmo) = ZX_OK'
}

make_traces()
{
    make_long_trace >"$work/long.trace"
    printf 'zx_vmo_create(1p, 0, &v) = ZX_OK\n' >"$work/good.trace"
    printf 'zx_vmo_create(1p, 0, 5) = ZX_OK\n' >"$work/unreadable.trace"
    cat >"$work/supplies.trace" <<'TRACE'
option page_size 16
zx_port_create(0, &port) = ZX_OK
zx_pager_create(0, &pager) = ZX_OK
zx_pager_create_vmo(pager, 0, port, 7, 9p, &vmo) = ZX_OK
zx_vmo_create(9p, 0, &aux) = ZX_OK
[t] zx_vmo_read(vmo, _, 1p, 1p) <unfinished ...>
zx_pager_supply_pages(pager, vmo, 8p, 1p, aux, 0) = ZX_OK
zx_vmo_write(aux, fill(1), 0, 9p) = ZX_OK
zx_pager_supply_pages(pager, vmo, 1p, 5p, aux, 2p) = ZX_OK
[t] <... zx_vmo_read resumed> fill(1) = ZX_OK
zx_vmo_get_size(vmo, [9p]) = ZX_OK
TRACE
    cat >"$work/deadly.trace" <<'TRACE'
option page_size 16
zx_vmo_create(1p, 0, &v) = ZX_OK
reclaim(2) = ZX_OK
zx_vmo_write(v, fill(3), 0, 1p) = ZX_OK
reclaim(7) = ZX_OK
zx_vmo_get_size(v, [1p]) = ZX_OK
TRACE
    cat >"$work/readers.trace" <<'TRACE'
option page_size 16
zx_port_create(0, &port) = ZX_OK
zx_pager_create(0, &pager) = ZX_OK
zx_pager_create_vmo(pager, 0, port, 7, 2p, &vmo) = ZX_OK
zx_vmo_create(2p, 0, &aux) = ZX_OK
zx_event_create(0, &e) = ZX_OK
[t1] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>
[t2] zx_vmo_read(vmo, _, 1p, 1p) <unfinished ...>
zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK
TRACE
    "$PAGERITE" encode "$work/supplies.trace" -o "$work/fuzz_calls-crash-1"
    "$PAGERITE" encode "$work/deadly.trace" -o "$work/fuzz_calls-crash-2"
}

# ---- a sound core ------------------------------------------------------------------------------------------------

check_long()
{
    tells "300 lines" 0 '' "$work/long.trace:303: a line is not as expected: zx_vmo_read: $anything
4 lines of 302 left, after [0-9]+ tries" "$PAGERITE" shrink "$work/long.trace" -o "$work/short.trace"
    check_file "300 lines, shrunk" "$work/short.trace" 'zx_vmo_create(2p, 0, &vmo) = ZX_OK
zx_vmo_write(vmo, fill(73), 0, 1p) = ZX_OK
zx_vmo_write(vmo, fill(74), 1p, 1p) = ZX_OK
zx_vmo_read(vmo, pages(73, 75), 0, 2p) = ZX_OK'
    tells "it still fails" 1 "$work/short.trace:5: not as expected$anything" '' "$PAGERITE" run "$work/short.trace"
    tells "it gets no shorter" 0 '' '' "$PAGERITE" shrink -q "$work/short.trace" -o "$work/shorter.trace"
    tells "it is the same" 0 '' '' diff <(sed '/^#/d' "$work/short.trace") <(sed '/^#/d' "$work/shorter.trace")
    tells "any other value will do" 0 '' "$anything" \
        "$PAGERITE" shrink --loose "$work/long.trace" -o "$work/loose.trace"
    check_file "any other value, shrunk" "$work/loose.trace" 'zx_vmo_create(2p, 0, &vmo) = ZX_OK
zx_vmo_read(vmo, pages(73, 75), 0, 2p) = ZX_OK'
    tells "few tries" 0 "$anything" "$anything after 5 tries" "$PAGERITE" shrink --tries=5 "$work/long.trace"
}

check_usage()
{
    tells "nothing wrong" 1 '' "$work/good.trace: nothing is wrong with it" "$PAGERITE" shrink "$work/good.trace"
    tells "no trace" 1 '' "$work/unreadable.trace:1:22: $anything" "$PAGERITE" shrink "$work/unreadable.trace"
    tells "no file" 2 '' "pagerite: cannot read $work/no: No such file or directory" "$PAGERITE" shrink "$work/no"
    tells "no output" 2 '' "$anything: No such file or directory" \
        "$PAGERITE" shrink -q "$work/short.trace" -o "$work/no/x"
    tells "no time" 2 '' "pagerite shrink: the number of seconds is from 1 to 86400, not 'x'$anything" \
        "$PAGERITE" shrink -t x "$work/good.trace"
    tells "nothing to triage" 1 '' "$work/fuzz_calls-crash-1: fuzz_calls finds nothing in it" \
        "$PAGERITE" triage "$work/fuzz_calls-crash-1" -o -
    tells "an unknown target" 2 '' "pagerite: there is no target 'fuzz_me' whose inputs have a trace" \
        "$PAGERITE" triage -T fuzz_me "$work/fuzz_calls-crash-1"
    tells "a text" 1 '' "$work/good.trace: an input of fuzz_trace is a text for the reader of traces, $anything" \
        "$PAGERITE" triage -T fuzz_trace "$work/good.trace"
    tells "no input" 2 '' "pagerite: cannot read $work/no: No such file or directory" "$PAGERITE" triage "$work/no"
    tells "both of one mind" 1 '' "$work/supplies.trace: core and oracle agree on it" \
        "$PAGERITE" shrink --oracle "$work/supplies.trace"
}

# ---- wrong cores -------------------------------------------------------------------------------------------------

# break_core NAME AFTER [BEFORE]: $work/NAME is the tool, and in its core these statements stand around every call.
break_core()
{
    local name=$1
    cat >"$work/$name.c" <<SOURCE
#include "core/pgr.h"
void __real_pgr_dispatch(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result);
void __wrap_pgr_dispatch(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result);
void __wrap_pgr_dispatch(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    ${3:-}
    __real_pgr_dispatch(world, frames, call, result);
    $2
}
SOURCE
    link_tool "$work/$name" -I. -Wl,--wrap=pgr_dispatch "$work/$name.c" >"$work/link.log" 2>&1 ||
        head -n 5 "$work/link.log"
}

# After a supply the first aux page is committed again.
check_violation()
{
    break_core supply_does_more 'pgr_result ignored;
    pgr_call commit = {.number = PGR_CALL_VMO_OP_RANGE, .arg = {call->arg[4], ZX_VMO_OP_COMMIT, call->arg[5], 1}};
    if (call->number == PGR_CALL_PAGER_SUPPLY_PAGES && result->status == ZX_OK && call->arg[3] > 0)
        __real_pgr_dispatch(world, frames, &commit, &ignored);'
    tells "an invariant" 0 '' "$work/supplies.trace:7: an invariant is violated: D1: $anything" \
        "$work/supply_does_more" shrink "$work/supplies.trace" -o "$work/d1.trace"
    check_file "an invariant, shrunk" "$work/d1.trace" 'zx_port_create(0, &port) = ZX_OK
zx_pager_create(0, &pager) = ZX_OK
zx_pager_create_vmo(pager, 0, port, 0, 1p, &vmo) = ZX_OK
zx_vmo_create(1p, 0, &aux) = ZX_OK
zx_pager_supply_pages(pager, vmo, 0, 1p, aux, 0) = ZX_OK'
    tells "its first line" 0 '# D1: .*' '' head -n 1 "$work/d1.trace"

    mkdir -p "$work/corpus/regressions"
    tells "triage" 0 "corpus/regressions/d1_pager_supply_pages.trace: an invariant is violated, in 5 lines$anything" \
        "$anything" env --chdir="$work" "$work/supply_does_more" triage "$work/fuzz_calls-crash-1"
    tells "its first line" 0 '# D1 \(fuzz_calls\): .*' '' head -n 1 "$work/corpus/regressions/d1_pager_supply_pages.trace"
    tells "triage again" 0 "corpus/regressions/d1_pager_supply_pages_2.trace: $anything" \
        "$anything" env --chdir="$work" "$work/supply_does_more" triage -q "$work/fuzz_calls-crash-1"
    tells "it ends in a question" 0 'check_invariants\(\) = ZX_OK' '' \
        tail -n 1 "$work/corpus/regressions/d1_pager_supply_pages.trace"
    tells "it is as short" 0 '6' '' grep --count --invert-match '^#' \
        "$work/corpus/regressions/d1_pager_supply_pages.trace"
    tells "run --check shows it" 1 "$anything: D1: ${anything}0 passed, 1 failed" '' \
        "$work/supply_does_more" run --check "$work/corpus/regressions/d1_pager_supply_pages.trace"
    tells "right on a sound core" 0 '1 passed, 0 failed' '' \
        "$PAGERITE" run "$work/corpus/regressions/d1_pager_supply_pages.trace"
    tells "nowhere to write to" 2 '' "pagerite: there is no folder corpus/regressions here$anything" \
        env --chdir=/ "$work/supply_does_more" triage "$work/fuzz_calls-crash-1"
}

check_death()
{
    break_core dies_of_reclaim 'if (call->number == PGR_CALL_RECLAIM && call->arg[0] > 2) __builtin_trap();'
    tells "a death" 0 '' "$work/deadly.trace:5: the core brings its process down: the core dies in reclaim: $anything
1 lines of 4 left, after [0-9]+ tries" "$work/dies_of_reclaim" shrink "$work/deadly.trace" -o "$work/death.trace"
    check_file "a death, shrunk" "$work/death.trace" 'reclaim(3) = ZX_OK'
    tells "triage of a death" 0 '# the core dies in reclaim: .*
reclaim\(3\) += _' "$work/fuzz_calls-crash-2: died of signal $anything" \
        "$work/dies_of_reclaim" triage "$work/fuzz_calls-crash-2" -o -
}

# What core and oracle differ in is no invariant, and stands in no line.
check_disagreement()
{
    break_core sizes_are_odd 'if (call->number == PGR_CALL_VMO_GET_SIZE && result->status == ZX_OK && result->out[1] > 100)
        result->out[1]++;'
    tells "nothing without the oracle" 0 "$anything" "$anything" "$PAGERITE" run "$work/supplies.trace"
    tells "with the oracle" 0 '' "$work/supplies.trace:11: the oracle disagrees: $anything" \
        "$work/sizes_are_odd" shrink --oracle "$work/supplies.trace" -o "$work/odd.trace"
    check_file "with the oracle, shrunk" "$work/odd.trace" 'zx_vmo_create(1p, 0, &vmo) = ZX_OK
zx_vmo_get_size(vmo, [4097]) = ZX_OK'
    cp "$work/fuzz_calls-crash-1" "$work/fuzz_diff-crash-1"
    tells "triage of fuzz_diff" 0 "# .*fuzz_diff.*
$anything" "$anything" "$work/sizes_are_odd" triage "$work/fuzz_diff-crash-1" -o -
}

# Released threads go on in another order than in any trace: the second byte of the input says so.
check_input_alone()
{
    break_core minds_the_order 'if (call->number == PGR_CALL_RESUME && call->thread != first) __builtin_trap();' \
        'uint32_t first = pgr_first_released(world);'
    local seed=$work/fuzz_calls-crash-3
    "$PAGERITE" encode "$work/readers.trace" -o "$seed"
    printf '\x20' | dd of="$seed" bs=1 seek=1 conv=notrunc status=none
    tells "what only the input shows" 1 "$seed: died of signal $anything: the calls alone do not show it$anything" \
        "$anything" "$work/minds_the_order" triage "$seed" -o "$work/none.trace"
    tells "no trace of it" 1 '' '' test -e "$work/none.trace"
    tells "the shrunk input" 0 '' '' test "$(stat --format=%s "$seed.shrunk")" -lt "$(stat --format=%s "$seed")"
    tells "its recording" 0 '# died of signal .*' '' head -n 1 "$seed.shrunk.trace"
}

make_traces
check_long
check_usage
if [[ -f $(dirname "$PAGERITE")/libharness.a && -n ${CC:-} ]]; then
    check_violation
    check_death
    check_disagreement
    check_input_alone
else
    echo "no objects beside the tool: no wrong cores"
fi
finish

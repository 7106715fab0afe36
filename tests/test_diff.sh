#!/bin/bash
# Implementations behind the line protocol: two Pagerites, the adapters, and commands that hang, crash, lie or talk
# nonsense. Whatever a command does, `pagerite diff` ends, says what it was, and leaves no process behind.
#
# PAGERITE: the tool. CC: the compiler for the adapter in C.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

# check NAME STATUS PATTERN ARGUMENT...: `pagerite diff ARGUMENT...` must end with this status and print a line that
# matches the extended regular expression.
check()
{
    local name=$1 status=$2 pattern=$3 got=0
    shift 3
    timeout 100 "$PAGERITE" diff "$@" >"$work/output" 2>&1 </dev/null || got=$?
    if ((got != status)); then
        fail "$name: status $got, expected $status" "$(cat "$work/output")"
    else
        has "$name" "$pattern"
    fi
}

serve="'$PAGERITE' serve"
trace=corpus/traces/supply_answers_many.trace

make_files()
{
    # A command that changes what matches in the answers of another, the N-th time in a world.
    cat >"$work/liar.py" <<'PYTHON'
import re, subprocess, sys
pattern, replacement, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
honest = subprocess.Popen(sys.argv[4:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
for line in sys.stdin:
    seen = 0 if line == "reset\n" else seen
    honest.stdin.write(line)
    answer = ""
    while answer != ".\n":
        answer = honest.stdout.readline()
        seen += 1 if re.search(pattern, answer) else 0
        sys.stdout.write(re.sub(pattern, replacement, answer) if seen >= count else answer)
    sys.stdout.flush()
PYTHON
    cat >"$work/small.trace" <<'TRACE'
zx_vmo_create(2p, 0, &v) = ZX_OK
zx_vmo_write(v, pages(1, 2), 0, 2p) = ZX_OK
zx_vmo_read(v, _, 1p-1, 2) = ZX_OK
zx_vmo_get_size(v, _) = ZX_OK
zx_vmo_write(v, "a\"\\\x00\n\tz", 1p, 10) = ZX_OK
zx_vmo_read(v, _, 1p-2, 14) = ZX_OK
zx_vmo_read(v, _, 0, 2p) = ZX_OK
zx_vmo_write(v, _, 100, 7) = ZX_OK
zx_vmo_read(v, _, 90, 20) = ZX_OK
zx_vmo_read(v, at(0), 0, 1) = ZX_ERR_NOT_FOUND
zx_vmo_read(v, _, 2p, 1) = ZX_ERR_OUT_OF_RANGE
zx_handle_close(v) = ZX_OK
zx_handle_close(v) = ZX_ERR_BAD_HANDLE
TRACE
}

# ---- right implementations ----

check_two_pagerites()
{
    check "core on traces" 0 '^[0-9]+ passed, 0 failed$' --exec "$serve" corpus/traces/requests_* corpus/regressions
    check "core on more traces" 0 '^[0-9]+ passed, 0 failed$' --exec "$serve" corpus/traces/[dfk]*
    check "core on random programs" 0 '^[0-9]+ passed, 0 failed$' --exec "$serve" --random 600 --seed 7
    check "oracle on traces" 0 '^[0-9]+ passed, 0 failed$' --exec "$serve --oracle" corpus/traces/[hpqxz]*
    check "oracle on random programs" 0 '^[0-9]+ passed, 0 failed$' --exec "$serve --oracle" --random 600 --seed 7
}

# Right in another way: test_protocol is an implementation that lets the thread run first that was released last, or asks
# for as much as it can.
check_freedom()
{
    local other
    other=$(dirname "$PAGERITE")/tests/test_protocol
    if [[ ! -x $other ]]; then return; fi
    check "another order" 0 '^[0-9]+ passed, 0 failed$' --exec "'$other' last-first" corpus/traces/[mrs]*
    check "another order, random programs" 0 '^[0-9]+ passed, 0 failed$' --exec "'$other' last-first" --random 1000
    check "larger requests" 0 '^[0-9]+ passed, 0 failed$' --exec "'$other' unlimited" corpus/traces/[mrs]*
    check "pages that are gone" 0 '^[0-9]+ passed, 0 failed$' --exec "'$other' decommitting" corpus/traces/s*
}

# All calls but these.
all_but()
{
    grep --only-matching --no-filename --extended-regexp '"(zx_[a-z_]+|mem_[rw][a-z]+|[a-z]+_[a-z]+|reclaim|x86_exec)"' \
        core/call_rows.h harness/trace_calls.c | tr -d '"' |
        grep --extended-regexp '^(zx_|mem_(read|write)$|fail_alloc$|reclaim$|thread_kill$|x86_exec$)' |
        grep --invert-match --line-regexp --extended-regexp "$1" | sort --unique | paste --serial --delimiters=,
}

check_adapter()
{
    local name=$1 command=$2 lacking
    lacking=$(all_but 'zx_vmo_create|zx_vmo_read|zx_vmo_write|zx_vmo_get_size|zx_handle_close')
    check "$name on what it has" 0 '^1 passed, 0 failed$' --exec "$command" --unsupported "$lacking" "$work/small.trace"
    check "$name on traces" 0 '^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped$' --exec "$command" \
        --unsupported "$lacking" corpus/conformance/vmo corpus/traces
    has "$name: what is skipped has a reason" 'skipped: the command does not have zx_port_create$'
    check "$name on random programs" 0 '^[0-9]+ passed, 0 failed$' --exec "$command" --unsupported "$lacking" \
        --random 800 --seed 3
    check "$name without a declaration" 1 'not supported, and not declared so$' --exec "$command" --shrink 0 "$trace"
}

check_adapters()
{
    local lines libraries
    libraries=$(dirname "$PAGERITE")
    for file in harness/adapters/*; do
        lines=$(wc -l <"$file")
        if ((lines < 150)); then pass; else fail "$file has $lines lines"; fi
    done
    check_adapter "adapter.py" "python3 harness/adapters/adapter.py"
    sed 's/ZX_ERR_OUT_OF_RANGE/ZX_ERR_INVALID_ARGS/; s/self.page_size - begin)/self.page_size)/' \
        harness/adapters/adapter.py >"$work/broken.py"
    check "a broken adapter.py" 1 '^0 passed, 1 failed$' --shrink 1 --exec "python3 '$work/broken.py'" "$work/small.trace"
    if ! "${CC:-cc}" -std=gnu11 -I. -g -fsanitize=address,undefined harness/adapters/adapter.c \
        "$libraries/libharness.a" "$libraries/libpagerite.a" -lZydis -o "$work/adapter" >"$work/output" 2>&1; then
        fail "adapter.c cannot be compiled" "$(cat "$work/output")"
        return
    fi
    check_adapter "adapter.c" "'$work/adapter'"
}

# ---- lies ----

check_lies()
{
    local liar="python3 '$work/liar.py'"
    check "a status" 1 ': another status$' --output "$work/found.trace" \
        --exec "$liar '(zx_pager_supply_pages.*)ZX_OK' '\\1ZX_ERR_IO' 1 $serve" "$trace"
    has "a status: the core's answer" '^    core:     zx_pager_supply_pages\(.*\) = ZX_OK$'
    has "a status: the command's answer" '^    command:  zx_pager_supply_pages\(.*\) = ZX_ERR_IO$'
    has "a status: five lines are left" 'shows it, 5 lines'
    cp "$work/found.trace" "$work/output"
    has "the saved trace" '^zx_pager_supply_pages\(.*= ZX_OK$'
    "$PAGERITE" run "$work/found.trace" >"$work/output" 2>&1 || true
    has "the saved trace passes on the core" '^1 passed, 0 failed$'
    check "a byte" 1 ': another output$' --shrink 1 --exec "$liar 'fill\\(0x11\\)' 'fill(0x12)' 1 $serve" corpus/traces
    has "a byte: where" 'differs from byte 0 on'
    check "a thread that is not told of" 1 ': other calls end with this one$' --shrink 1 \
        --exec "$liar '^.*op_range resumed.*\\n' '' 1 $serve" "$trace"
    check "one that waits" 1 ': one returns, waits or faults' --shrink 1 \
        --exec "$liar 'zx_vmo_get_size(.*), .*= ZX_OK' 'zx_vmo_get_size\\1, _) <unfinished ...>' 1 $serve" \
        "$work/small.trace"
    check "another call" 1 ': another call is answered$' --shrink 0 --exec "$liar 'zx_vmo_read' 'zx_vmo_write' 1 $serve" \
        "$work/small.trace"
    check "a random program" 1 'another status$' \
        --exec "$liar '(zx_vmo_op_range.*)ZX_ERR_OUT_OF_RANGE' '\\1ZX_ERR_INVALID_ARGS' 1 $serve" --random 2000 --seed 2
    has "a random program: a few lines are left" 'shows it, [1-6] lines'
}

# ---- commands that do not answer ----

check_nonsense()
{
    check "hangs" 1 'no answer within 0.3 seconds$' --timeout 0.3 --exec "sleep 1000" "$trace"
    check "hangs later" 1 'time-out$' --timeout 0.3 --shrink 2 \
        --exec "read x; echo vmar=7; echo .; sleep 1000" "$work/small.trace"
    check "hangs halfway" 1 'no end of the answer within 0.3 seconds; it begins "vmar=7"$' --timeout 0.3 \
        --exec "read x; printf vmar=7; sleep 1000" "$trace"
    check "does not read" 1 'no answer within' --timeout 0.3 --exec "exec sleep 1000" "$trace"
    check "ends" 1 'ended without an answer with status 3$' --exec "exit 3" "$trace"
    check "crashes" 1 'by signal 11' --exec 'read x; echo the reason >&2; kill -SEGV $$' "$trace"
    has "crashes: what it said" '^    stderr:   the reason$'
    check "crashes later" 1 'signal 6' --shrink 1 \
        --exec "python3 -c 'import os,sys; [sys.stdin.readline(), print(\"vmar=7\\n.\", flush=True), sys.stdin.readline(), os.abort()]'" \
        "$work/small.trace"
    check "is not there" 1 'status 127$' --exec "/no/such/command" "$trace"
    check "floods" 1 'an answer of more than [0-9]+ bytes; it begins "y\\x0ay' --exec "read x; yes" "$trace"
    check "floods a line" 1 'an answer of more than' --exec "tr '\\0' x </dev/zero" "$trace"
    check "random bytes" 1 '^0 passed, 1 failed$' --timeout 2 --exec "head -c 3000 /dev/urandom; echo; echo .; cat" "$trace"
    check "echoes" 1 'no end of the answer' --timeout 0.3 --exec "cat" "$trace"
    check "speaks unasked" 1 'output that nobody asked for: "hello' \
        --exec "read x; printf 'vmar=7\\n.\\nhello\\n.\\n'; cat" --shrink 0 "$trace"
    check "gives up" 1 'the command gives up: no more$' \
        --exec "read x; echo vmar=7; echo .; read x; echo '!error no more'; echo .; cat" --shrink 1 --timeout 1 \
        "$work/small.trace"
}

# ---- processes ----

# runs MARK, gone MARK: waits until there is, or is not, a process of a command that has this number in it.
runs()
{
    local i
    for ((i = 0; i < 100; i++)); do
        if pgrep --full "^sleep $1" >/dev/null; then return 0; fi
        sleep 0.05
    done
    return 1
}

gone()
{
    local i
    for ((i = 0; i < 100; i++)); do
        pgrep --full "^(sleep|sh -c).*$1" >/dev/null || return 0
        sleep 0.05
    done
    return 1
}

# interrupt SIGNAL: a command that hangs is gone when pagerite was ended by the signal.
interrupt()
{
    local mark=31${RANDOM}${RANDOM} pid
    env --default-signal=INT "$PAGERITE" diff --timeout 60 --exec "trap '' INT TERM; sleep $mark & sleep $mark" \
        "$trace" >"$work/output" 2>&1 &
    pid=$!
    runs "$mark" || fail "$1: the command does not start"
    kill "-$1" "$pid"
    wait "$pid" 2>/dev/null || true
    if gone "$mark"; then pass; else fail "$1: the command is still there"; fi
}

check_processes()
{
    local mark=31${RANDOM}${RANDOM}
    check "a command with children" 1 'no answer within' --timeout 0.3 \
        --exec "sleep $mark & (trap '' TERM HUP; sleep $mark) & sleep $mark" "$trace"
    if gone "$mark"; then pass; else fail "children are still there"; fi
    interrupt INT
    interrupt TERM
    interrupt KILL
}

# ---- the command line ----

check_usage()
{
    check "no command" 2 'exec is missing' "$trace"
    check "no trace" 2 'a trace or a directory is missing' --exec true
    check "both" 2 'either traces or --random' --exec true --random 3 "$trace"
    check "a call that there is not" 2 "there is no call and no option 'zx_dance'" --exec true --unsupported zx_dance "$trace"
    check "a time-out that is none" 2 'the time-out is a number of seconds' --exec true --timeout soon "$trace"
    check "no such file" 2 'cannot read' --exec true "$work/none"
    printf 'zx_vmo_create(' >"$work/bad.trace"
    check "an unreadable trace" 1 '^0 passed, 1 failed$' --exec true "$work/bad.trace"
    check "going on" 1 '^0 passed, 2 failed$' --keep-going --shrink 0 --exec true "$trace" "$work/small.trace"
    check "stopping" 1 '^0 passed, 1 failed$' --shrink 0 --exec true "$trace" "$work/small.trace"
}

make_files
check_two_pagerites
check_freedom
check_adapters
check_lies
check_nonsense
check_processes
check_usage
finish

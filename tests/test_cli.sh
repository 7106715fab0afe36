#!/bin/bash
# The command line as somebody meets it who makes mistakes: every command's help, files that are missing, empty, binary,
# a folder or unreadable, results that cannot be written, terminals of all widths and none, a trace of a million lines.
# tests/test_tool.sh has what the commands do when all is well.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
unset COLUMNS NO_COLOR ARGP_HELP_FMT
PAGERITE=$(realpath "$PAGERITE")
export PAGERITE

# Commands that take a file, each with the options that it cannot do without.
commands=(run record decode encode show "show --html $work/page.html" "export --syz" shrink "triage -o -" sweep)

# expect NAME STATUS PATTERN: the last command that tried() ran had this status, and all that it printed, on either
# stream, matches the extended regular expression.
expect()
{
    if ((got == $2)) && [[ $said =~ ^($3)$ ]]; then
        pass
    else
        fail "$1: status $got, expected $2" "$(head -n 20 <<<"$said")"
    fi
}

# tried COMMAND...: runs it, with a limit of time; `got` is its status, `said` what it printed.
tried()
{
    got=0
    said=$(timeout 60 "$@" 2>&1 </dev/null | tr -d '\0'; exit "${PIPESTATUS[0]}") || got=$?
}

# on_terminal COLUMNS COMMAND: runs it on a terminal of this width. `said` has what is not a control character.
on_terminal()
{
    got=0
    said=$(script --quiet --return --command "stty cols $1; $2" "$work/typescript" </dev/null 2>&1 | tr -d '\r') || got=$?
}

make_files()
{
    mkdir "$work/folder" "$work/locked"
    printf 'zx_vmo_create(1p, 0, &v) = ZX_OK\n' >"$work/good.trace"
    cp "$work/good.trace" "$work/locked/x.trace"
    : >"$work/empty"
    printf 'zx_vmo\xff\x01\x02' >"$work/binary"
    chmod 000 "$work/locked"
}

# Root may read everything; without two capabilities it may not.
as_anybody()
{
    if ((EUID == 0)); then
        tried setpriv --bounding-set=-dac_override,-dac_read_search "$@"
    else
        tried "$@"
    fi
}

check_help()
{
    local command
    tried "$PAGERITE" help
    expect "help" 0 "Usage: pagerite .*Commands:.*"
    for command in run record decode encode show export shrink triage diff serve sweep help; do
        expect "help has $command" 0 ".*[[:space:]]$command .*"
    done
    for command in run record decode encode show export shrink triage diff serve sweep help; do
        tried "$PAGERITE" "$command" --help
        expect "$command --help" 0 "Usage: pagerite $command .*Give this help list.*"
        tried "$PAGERITE" help "$command"
        expect "help $command" 0 "Usage: pagerite $command .*Give this help list.*"
        tried "$PAGERITE" "$command" --dance
        expect "$command --dance" 2 ".*unrecognized option '--dance'.*Try .*pagerite $command --help.*"
    done
    tried "$PAGERITE" help dance
    expect "help about what is not there" 2 ".*there is no command or topic 'dance'.*"
    tried "$PAGERITE" help run show
    expect "help about two things" 2 ".*one topic at a time.*"
    tried "$PAGERITE" help trace-format
    expect "help trace-format" 0 "# How traces are written.*check_invariants\(\).*"
}

# How wide the widest line of `said` is; a word may be longer than a line.
check_width()
{
    local widest
    widest=$(wc --max-line-length <<<"$said")
    said="$widest columns"
    ((widest <= $2)) || got=1
    expect "$1" 0 "[0-9]+ columns"
}

check_widths()
{
    on_terminal 60 "$PAGERITE run --help"
    check_width "help on a narrow terminal" 60
    on_terminal 20 "$PAGERITE --help"
    expect "help on a very narrow terminal" 0 "Usage: .*"
    on_terminal 200 "$PAGERITE run --help"
    check_width "help on a wide terminal is not wider than usual" 80
    tried env COLUMNS=60 "$PAGERITE" run --help
    check_width "help without a terminal, with COLUMNS" 60
    tried env COLUMNS=many "$PAGERITE" run --help
    expect "COLUMNS that is no number" 0 "Usage: pagerite run .*"
    on_terminal 60 "$PAGERITE show --color=never tests/test_show_everything.trace"
    said=$(grep '^#' <<<"$said" | grep -v 'Everything that')
    check_width "maps on a narrow terminal" 60
    tried env COLUMNS=50 "$PAGERITE" show tests/test_show_everything.trace
    said=$(grep '^#' <<<"$said" | grep -v 'Everything that')
    check_width "maps with COLUMNS" 50
    tried env COLUMNS=3 "$PAGERITE" show "$work/good.trace"
    expect "maps in three columns" 0 "# .*zx_vmo_create.*"
}

check_colours()
{
    local escape=$'\e'
    on_terminal 100 "TERM=xterm $PAGERITE show $work/good.trace"
    expect "colours on a terminal" 0 ".*$escape\[.*"
    on_terminal 100 "TERM=xterm NO_COLOR=1 $PAGERITE show $work/good.trace"
    expect "NO_COLOR" 0 "[^$escape]*"
    on_terminal 100 "TERM=xterm NO_COLOR= $PAGERITE show $work/good.trace"
    expect "NO_COLOR that is empty" 0 ".*$escape\[.*"
    on_terminal 100 "TERM=dumb $PAGERITE show $work/good.trace"
    expect "a dumb terminal" 0 "[^$escape]*"
    tried env TERM=xterm "$PAGERITE" show "$work/good.trace"
    expect "no terminal" 0 "[^$escape]*"
    tried "$PAGERITE" show --color=always "$work/good.trace"
    expect "colours if asked for" 0 ".*$escape\[.*"
    tried "$PAGERITE" show --color=some "$work/good.trace"
    expect "colours of another kind" 2 ".*colours come always, never or auto, not 'some'.*"
}

check_files()
{
    local line command
    for line in "${commands[@]}"; do
        read -r -a command <<<"$line"
        tried "$PAGERITE" "${command[@]}" "$work/no"
        expect "$line: a missing file" 2 "pagerite: cannot read $work/no: No such file or directory"
        tried "$PAGERITE" "${command[@]}" "$work/folder"
        expect "$line: a folder without traces" 2 \
            "pagerite: (cannot read $work/folder: Is a directory|there is no \*\.trace in $work/folder)"
        as_anybody "$PAGERITE" "${command[@]}" "$work/locked/x.trace"
        expect "$line: a file in a locked folder" 2 "pagerite: cannot read $work/locked/x.trace: Permission denied"
        as_anybody "$PAGERITE" "${command[@]}" "$work/locked"
        expect "$line: a locked folder" 2 "pagerite: cannot read $work/locked: Permission denied"
    done
    for line in run record encode show "export --syz" shrink; do
        read -r -a command <<<"$line"
        tried "$PAGERITE" "${command[@]}" "$work/binary"
        expect "$line: no trace" 1 "$work/binary:1:8: expected text, found the control character 0x01.*"
    done
}

check_empty()
{
    tried "$PAGERITE" run "$work/empty"
    expect "run nothing" 0 "$work/empty: has no call.1 passed, 0 failed"
    tried "$PAGERITE" record "$work/empty"
    expect "record nothing" 0 ""
    tried "$PAGERITE" decode "$work/empty"
    expect "decode nothing" 0 "option page_size .*"
    tried "$PAGERITE" encode "$work/empty"
    expect "encode nothing" 0 ".*"
    tried "$PAGERITE" show "$work/empty"
    expect "show nothing" 0 "# .*"
    tried "$PAGERITE" export --syz "$work/empty"
    expect "export nothing" 0 ".*# 0 calls"
    tried "$PAGERITE" shrink "$work/empty"
    expect "shrink nothing" 1 "$work/empty: nothing is wrong with it"
    tried "$PAGERITE" triage -o - "$work/empty"
    expect "triage nothing" 1 ".*fuzz_calls finds nothing in it"
}

check_output()
{
    local line
    for line in "run -v $work/good.trace" "record $work/good.trace" "encode $work/good.trace" "show $work/good.trace" \
        "show --html - $work/good.trace" "export --syz $work/good.trace" "decode $work/empty" "help trace-format" \
        "help bash-completion" "--help" "--version" "run --help"; do
        tried bash -c "\"\$PAGERITE\" $line >/dev/full"
        expect "$line: a full disk" 2 "pagerite: cannot write the results(: No space left on device)?"
        tried bash -c "(sleep 0.1; \"\$PAGERITE\" $line; echo \"status \$?\" >&2) | true"
        expect "$line: a closed pipe" 0 "status 2"
    done
    tried "$PAGERITE" record "$work/good.trace" -o "$work/no/x"
    expect "record into a folder that is not there" 2 "pagerite: cannot write $work/no/x: No such file or directory"
    tried "$PAGERITE" show "$work/good.trace" --html "$work/no/x"
    expect "show into a folder that is not there" 2 "pagerite: cannot write $work/no/x: No such file or directory"
}

# The most memory that a process had until it ended, in KiB.
peak_of()
{
    local peak=0 now
    while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null) && [[ -n $now ]]; do
        peak=$now
        sleep 0.1
    done
    echo "$peak"
}

# Memory is bounded by the text, some dozen times its size; a sanitizer takes as much again.
check_million()
{
    local peak
    {
        echo 'zx_vmo_create(1p, 0, &v) = ZX_OK'
        yes 'zx_vmo_get_size(v, _) = ZX_OK' | head -n 999999 || true
    } >"$work/million.trace"
    "$PAGERITE" record "$work/million.trace" -o "$work/recorded.trace" &
    peak=$(peak_of $!)
    got=0
    wait $! || got=$?
    said="$peak KiB"
    ((peak > 1000 && peak < 1500000)) || got=1
    expect "a million lines recorded" 0 "[0-9]+ KiB"
    echo "a million lines: $peak KiB"
    on_terminal 80 "$PAGERITE run $work/recorded.trace"
    expect "a million lines on a terminal" 0 ".*1 passed, 0 failed"
    tried "$PAGERITE" encode "$work/recorded.trace"
    expect "a million lines encoded" 1 "$work/recorded.trace: cannot be encoded: makes more than 4096 calls"
}

check_progress()
{
    local escape=$'\e'
    mkfifo "$work/slow"
    on_terminal 80 "(sleep 2; cat $work/good.trace) >$work/slow & $PAGERITE run $work/slow"
    expect "progress on a terminal" 0 "$escape\[K$work/slow.*$escape\[K1 passed, 0 failed"
    on_terminal 80 "(sleep 2; cat $work/good.trace) >$work/slow & $PAGERITE run $work/slow 2>$work/errors"
    expect "no progress without a terminal" 0 "1 passed, 0 failed"
}

make_files
check_help
check_widths
check_colours
check_files
check_empty
check_output
check_progress
check_million
finish

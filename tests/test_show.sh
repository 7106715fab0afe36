#!/bin/bash
# `pagerite show` as text: what is printed for some traces, line by line; widths; colours, with a terminal and without;
# and, for all traces in corpus/traces, that what is printed can be read as a trace again and that each map has as many
# pages as its VMO. The page is looked at by test_show_html.sh.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

unset NO_COLOR
export TERM=xterm PAGERITE

# expect NAME STATUS COMMAND...: the command must end with this status, and print on both streams what stands on
# standard input.
expect()
{
    local name=$1 status=$2 got=0 difference
    shift 2
    "$@" >"$work/out" 2>&1 </dev/null || got=$?
    difference=$(diff - "$work/out" || true)
    if ((got != status)); then
        fail "$name: status $got, expected $status"
    elif [[ -n $difference ]]; then
        fail "$name: expected (<) and printed (>) differ:" "$difference"
    else
        pass
    fi
}

# Standard output is a terminal of so many columns.
in_terminal()
{
    local columns=$1
    shift
    script --quiet --return --command "stty cols $columns rows 24; $(printf '%q ' "$@")" /dev/null | tr -d '\r'
}

check_states()
{
    expect "everything" 0 "$PAGERITE" show tests/test_show_everything.trace <tests/test_show_everything.txt
}

check_huge()
{
    expect "2^40 pages" 0 bash -c "\"\$PAGERITE\" show corpus/traces/huge_supply.trace |
        grep '^#   ' | sed -n '1,5p;\$p'" <<'TEXT'
#   vmo  1099511627776p  .*1099511627776
#   aux  1099511627776p  .*1099511627776
#   aux  1099511627776p  A .*1099511627775
#   aux  1099511627776p  A .*549755813887 A .*549755813887
#   aux  1099511627776p  A .*549755813887 A .*549755813886 A
#   vmo  1099511627776p  .*549755813888 Z .*549755813887
TEXT
}

make_wide_trace()
{
    cat >"$work/wide.trace" <<'TRACE'
zx_vmo_create(64p, 0, &many)               = ZX_OK
zx_vmo_write(many, fill(1), 0, 3p)         = ZX_OK
zx_vmo_write(many, fill(1), 4p, 3p)        = ZX_OK
zx_vmo_write(many, fill(1), 8p, 30p)       = ZX_OK
zx_vmo_write(many, fill(1), 50p, 3p)       = ZX_OK
zx_vmo_set_size(many, 0)                   = ZX_ERR_UNAVAILABLE
TRACE
}

check_widths()
{
    expect "40 columns" 0 bash -c "\"\$PAGERITE\" show --width=40 $work/wide.trace | sed '0,/= ZX_OK/d'" <<'TEXT'
#   many  64p  .*64
zx_vmo_write(many, fill(1), 0, 3p)         = ZX_OK
#   many  64p  AAA .*61
zx_vmo_write(many, fill(1), 4p, 3p)        = ZX_OK
#   many  64p  AAA.AAA .*57
zx_vmo_write(many, fill(1), 8p, 30p)       = ZX_OK
#   many  64p  AAA.AAA. A*30 .*26
zx_vmo_write(many, fill(1), 50p, 3p)       = ZX_OK
#   many  64p  AAA.AAA. A*30 .*12 AAA
#         53:  .*11
zx_vmo_set_size(many, 0)                   = ZX_ERR_UNAVAILABLE
TEXT
    echo 'zx_vmo_create(9p, 0, &as_long_as_no_name_should_be) = ZX_OK' >"$work/long.trace"
    expect "a name that leaves no room" 0 bash -c "\"\$PAGERITE\" show --width=40 $work/long.trace | tail -n 2" <<'TEXT'
#   as_long_as_no_name_should_be
#       9p  .*9
TEXT
    expect "a narrow terminal" 0 in_terminal 41 env NO_COLOR=1 "$PAGERITE" show "$work/wide.trace" < <(
        "$PAGERITE" show --width=41 "$work/wide.trace"
    )
    expect "no terminal" 0 "$PAGERITE" show "$work/wide.trace" < <("$PAGERITE" show --width=100 "$work/wide.trace")
}

# No line of maps, nor of the legend, is longer than the width.
check_no_longer()
{
    local width longest
    for width in 40 64 80; do
        longest=$("$PAGERITE" show --width="$width" tests/test_show_everything.trace | grep -E '^#   |^# [.CWYac] ' |
            wc --max-line-length)
        if ((longest <= width)); then pass; else fail "a line has $longest columns, the width is $width"; fi
    done
}

has_colours()
{
    "$@" </dev/null | grep $'\033' >/dev/null
}

check_colours()
{
    local trace=tests/test_show_everything.trace
    if has_colours "$PAGERITE" show "$trace"; then fail "colours without a terminal"; else pass; fi
    if has_colours "$PAGERITE" show --color=always "$trace"; then pass; else fail "--color=always has none"; fi
    if has_colours in_terminal 80 "$PAGERITE" show "$trace"; then pass; else fail "no colours on a terminal"; fi
    if has_colours in_terminal 80 "$PAGERITE" show --color=never "$trace"; then fail "--color=never"; else pass; fi
    if has_colours in_terminal 80 env NO_COLOR=1 "$PAGERITE" show "$trace"; then fail "NO_COLOR"; else pass; fi
    if has_colours in_terminal 80 env NO_COLOR= "$PAGERITE" show "$trace"; then pass; else fail "an empty NO_COLOR"; fi
    if has_colours in_terminal 80 env TERM=dumb "$PAGERITE" show "$trace"; then fail "a dumb terminal"; else pass; fi
    expect "colours change nothing else" 0 bash -c "\"\$PAGERITE\" show --color=always $trace |
        sed 's/\x1b\[[0-9;]*m//g'" \
        <tests/test_show_everything.txt
}

check_world()
{
    expect "a small world" 1 bash -c "set -o pipefail
        \"\$PAGERITE\" show --world=20,20,20,20,20 $work/wide.trace | tail -n 3 | cut -c 1-40" <<TEXT
$(printf '# %s:4: not as expected' "$work/wide.trace" | cut -c 1-40)
#     expected: zx_vmo_write(many, fill(
#     actual:   zx_vmo_write(many, fill(
TEXT
}

check_failing()
{
    sed 's/ZX_ERR_UNAVAILABLE/ZX_OK/' "$work/wide.trace" >"$work/failing.trace"
    expect "a failing trace" 1 bash -c "set -o pipefail; \"\$PAGERITE\" show $work/failing.trace | tail -n 4" <<TEXT
zx_vmo_set_size(many, 0)                   = ZX_OK
# $work/failing.trace:6: not as expected
#     expected: zx_vmo_set_size(many, 0) = ZX_OK
#     actual:   zx_vmo_set_size(many, 0) = ZX_ERR_UNAVAILABLE
TEXT
    expect "a failing trace as a page" 1 "$PAGERITE" show --html="$work/failing.html" "$work/failing.trace" <<TEXT
$work/failing.trace:6: not as expected
    expected: zx_vmo_set_size(many, 0) = ZX_OK
    actual:   zx_vmo_set_size(many, 0) = ZX_ERR_UNAVAILABLE
TEXT
}

# usage NAME PATTERN ARGUMENT...: a complaint, and status 2.
usage()
{
    local name=$1 pattern=$2 got=0
    shift 2
    "$PAGERITE" show "$@" >"$work/out" 2>&1 </dev/null || got=$?
    if ((got == 2)) && grep --quiet "$pattern" "$work/out"; then pass; else fail "$name: $(cat "$work/out")"; fi
}

check_usage()
{
    usage "no trace" 'a trace is missing'
    usage "two traces" 'one trace at a time' a b
    usage "a width" 'the width is 0, or from 40 to 10000, not .39.' --width=39 "$work/wide.trace"
    usage "no width" 'the width is 0, or from 40 to 10000, not .x.' --width=x "$work/wide.trace"
    usage "a world" 'a world is five numbers with commas between, not .1,2.' --world=1,2 "$work/wide.trace"
    usage "a colour" 'colours come always, never or auto, not .maybe.' --color=maybe "$work/wide.trace"
    usage "a missing file" "cannot read $work/no: No such file" "$work/no"
    usage "a page to nowhere" "cannot write $work/no/x: No such file" --html="$work/no/x" "$work/wide.trace"
    if "$PAGERITE" show --help | grep '  D  dirty          W  awaiting clean' >"$work/out"; then
        pass
    else
        fail "--help has no legend"
    fi
}

# Maps are comments: without them it is the trace that was shown.
check_is_trace()
{
    local trace shown=$work/shown
    mkdir "$shown"
    for trace in corpus/traces/*.trace; do
        "$PAGERITE" show --width=0 "$trace" >"$shown/$(basename "$trace")"
        if ! diff --ignore-all-space <(sed -e 1d -e '/^#   /d' "$shown/$(basename "$trace")") "$trace" >"$work/difference"; then
            fail "$trace is shown otherwise than it is (<):" "$(cat "$work/difference")"
        fi
    done
    expect "what is shown is a trace" 0 bash -c "\"\$PAGERITE\" run $shown | tail -n 1" \
        <<<"$(find corpus/traces -name '*.trace' | wc -l) passed, 0 failed"
}

# The letters and counts of a map together are the pages of the VMO. Sizes that awk cannot count exactly are left out.
check_sums()
{
    local wrong
    wrong=$(cat "$work"/shown/*.trace | awk '
        /^#   [^ ]+ +[0-9]+p  [^ RD]/ || /^#   [^ ]+ +[0-9]+p  D[^I]/ {
            pages = substr($3, 1, length($3) - 1); sum = 0
            for (i = 4; i <= NF && $i != "READ" && $i != "DIRTY"; i++)
                sum += $i ~ /\*/ ? substr($i, 3) : length($i)
            maps++
            if (pages + 0 < 2 ^ 53 && sum != pages + 0) print
        }
        END { if (maps < 500) print "only " maps + 0 " maps" }')
    if [[ -z $wrong ]]; then pass; else fail "maps with more or fewer pages than their VMO:" "$wrong"; fi
}

make_wide_trace
check_states
check_huge
check_widths
check_no_longer
check_colours
check_world
check_failing
check_usage
check_is_trace
check_sums
finish

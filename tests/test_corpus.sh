#!/bin/bash
# Runs every trace of the corpus with `pagerite run`, and holds corpus/conformance-pending.txt to the truth: a trace
# that it names must exist and must not pass, any other must pass. Closes with a count of traces, pending ones skipped.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pending_list=corpus/conformance-pending.txt
passed=0 failed=0 skipped=0

complain()
{
    echo "$*"
    failed=$((failed + 1))
}

# The closing line of a run, as "passed failed skipped"; zeros if there is none.
closing()
{
    awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = $5 + 0 } END { print p + 0, f + 0, s + 0 }' <<<"$1"
}

pending_names()
{
    sed -n 's/^\([^#:][^:]*\): .*/\1/p' "$pending_list"
}

check_pending()
{
    local name trace output p f s
    while IFS= read -r name; do
        trace=corpus/conformance/$name.trace
        if [[ ! -e $trace ]]; then
            complain "$pending_list names $name, which does not exist"
            continue
        fi
        output=$("$PAGERITE" run "$trace" 2>&1 || true)
        read -r p f s < <(closing "$output")
        if ((p == 1 && f == 0 && s == 0)); then
            complain "$name passes: take it out of $pending_list"
        elif ((f + s == 1)); then
            skipped=$((skipped + 1))
        else
            complain "$name ended without a verdict: $output"
        fi
    done < <(pending_names)
}

check_others()
{
    local traces output status=0 p f s
    mapfile -t traces < <(comm -23 <(find -L corpus -name '*.trace' | LC_ALL=C sort) \
        <(pending_names | sed 's|.*|corpus/conformance/&.trace|' | LC_ALL=C sort))
    output=$("$PAGERITE" run -j "$(nproc)" "${traces[@]}" 2>&1) || status=$?
    read -r p f s < <(closing "$output")
    passed=$((passed + p)) failed=$((failed + f))
    if ((f > 0)); then echo "$output"; fi
    if ((s > 0)); then complain "skipped, but not in $pending_list:" "$output"; fi
    if ((p + f + s != ${#traces[@]})); then
        complain "${#traces[@]} traces, but pagerite run (status $status) counts $p passed, $f failed, $s skipped"
        tail -n 20 <<<"$output"
    fi
}

check_others
check_pending
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))

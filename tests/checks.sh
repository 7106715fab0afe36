# shellcheck shell=bash
# What the shell tests share, sourced in the root of the tree: the folder `work`, which is gone afterwards, the count of
# what held and what did not, the closing line that ci/test.sh reads, and checks that more than one of them makes.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

pass()
{
    passed=$((passed + 1))
}

# fail LINE...: counts, and says what does not hold.
fail()
{
    failed=$((failed + 1))
    printf '%s\n' "$@"
}

# The closing line; the status is the script's. A test that has checked nothing has not passed.
finish()
{
    echo "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0 && passed > 0))
}

# skip_all REASON: ends the script, which cannot test anything here.
skip_all()
{
    echo "$1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# ends NAME STATUS COMMAND...: the command must end with this status. What it prints is in $work/output.
ends()
{
    local name=$1 status=$2 got=0
    shift 2
    "$@" >"$work/output" 2>&1 </dev/null || got=$?
    if ((got == status)); then
        pass
    else
        fail "$name: status $got, expected $status" "$(tail -n 30 "$work/output")"
    fi
}

# silent NAME COMMAND...: the command must succeed, and print nothing.
silent()
{
    local name=$1 said
    shift
    if said=$("$@" 2>&1) && [[ -z $said ]]; then pass; else fail "$name: it fails, or says something" "$said"; fi
}

# has NAME PATTERN: $work/output must have a line with a match of the extended regular expression.
has()
{
    if grep --quiet --extended-regexp -e "$2" "$work/output"; then
        pass
    else
        fail "$1: expected a line like $2" "$(tail -n 30 "$work/output")"
    fi
}

# tells NAME STATUS STDOUT STDERR COMMAND...: the command must end with this status; each of its streams must match the
# extended regular expression as a whole ('' is: nothing).
tells()
{
    local name=$1 status=$2 out=$3 err=$4 got=0 said complaint
    shift 4
    said=$("$@" 2>"$work/stderr" </dev/null) || got=$?
    complaint=$(cat "$work/stderr")
    if ((got == status)) && [[ $said =~ ^($out)$ && $complaint =~ ^($err)$ ]]; then
        pass
    else
        fail "$name: status $got, expected $status" "  stdout: $said" "  stderr: $complaint"
    fi
}

# same NAME EXPECTED GOT: two texts must be the same.
same()
{
    if [[ $2 == "$3" ]]; then
        pass
    else
        fail "$1: expected (<) and found (>) differ:" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3"))"
    fi
}

# block LANGUAGE PAGE: prints the first block of the page that is fenced as this language.
block()
{
    awk -v fence="\`\`\`$1" '$0 == "```" && inside { exit } inside { print } $0 == fence { inside = 1 }' "$2"
}

# The sanitizers of the tool, as flags for what is linked with its objects.
sanitizers()
{
    if grep --quiet --text __asan_init "$PAGERITE"; then echo "-fsanitize=address,undefined"; fi
}

# link_tool OUTPUT ARGUMENT...: the tool anew from the objects beside it, behind these flags, sources and objects.
link_tool()
{
    local output=$1 objects
    objects=$(dirname "$PAGERITE")
    shift
    # shellcheck disable=SC2046  # flags are words
    "${CC:-cc}" $(sanitizers) "$@" "$objects"/harness/tool/*.o "$objects/libharness.a" "$objects/libpagerite.a" -lZydis \
        -o "$output"
}

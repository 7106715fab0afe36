#!/bin/bash
# Holds the catalogue of wrong cores (harness/mutants/) together: there are enough, in every file of the core; each says
# on top which mistake it models, applies to the core as it is, changes it as no other does, and compiles. So do the two
# controls, and those that were proved to be no mistakes. Whether judges find them is for ci/mutants.sh.
#
# CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

mutants_least=60
proof_words_least=20

# What stands above the patch itself.
header_of()
{
    sed '/^--- /,$d' "$1"
}

# A sentence, and perhaps a line that names fuzzers.
has_header()
{
    local lines judge judges
    mapfile -t lines < <(header_of "$1")
    [[ ${lines[0]} =~ ^([A-Z]|zx_).*\.$ ]] || return 1
    ((${#lines[@]} == 1)) && return
    ((${#lines[@]} == 2)) && [[ ${lines[1]} =~ ^judges:( fuzz_[a-z]+)+$ ]] || return 1
    read -ra judges <<<"${lines[1]#judges:}"
    for judge in "${judges[@]}"; do [[ -e fuzz/$judge.c ]] || return 1; done
}

has_proof()
{
    (($(header_of "$1" | wc -w) >= proof_words_least))
}

files_of()
{
    sed -n 's/^+++ b\///p' "$1"
}

touches_core_only()
{
    [[ -n $(files_of "$1") ]] && ! files_of "$1" | grep -v '^core/[a-z_]*\.c$'
}

# Strictly: where the core has moved under a patch, somebody has to look at what the patch does now.
applies()
{
    local file
    rm -rf "$work/tree"
    mkdir -p "$work/tree/core"
    for file in $(files_of "$1"); do cp "$file" "$work/tree/core/"; done
    patch --directory="$work/tree" --strip=1 --fuzz=0 --no-backup-if-mismatch <"$1"
}

compiles()
{
    local file
    for file in $(files_of "$1"); do
        "${CC:-cc}" -std=c11 -ffreestanding -Icore -w -fsyntax-only "$work/tree/$file" || return 1
    done
}

is_well_named()
{
    [[ $1 =~ ^[a-z0-9_]+$ ]]
}

check_patch()
{
    local patch=$1 name
    name=$(basename "$patch" .patch)
    ends "$name: its name is not of small letters, digits and _" 0 is_well_named "$name"
    ends "$name: touches something else than the core's files" 0 touches_core_only "$patch"
    ends "$name: does not apply" 0 applies "$patch"
    ends "$name: does not compile" 0 compiles "$patch"
    # What it makes of the files, told from what the others make of them.
    (cd "$work/tree" && cat core/*.c | sha256sum) >>"$work/results"
}

are_many_enough()
{
    local patches=(harness/mutants/*.patch)
    echo "${#patches[@]} of $mutants_least"
    ((${#patches[@]} >= mutants_least))
}

cover_core()
{
    local file
    cat harness/mutants/*.patch >"$work/all"
    for file in core/*.c; do grep --quiet "^+++ b/$file\$" "$work/all" || echo "$file"; done | tee "$work/uncovered"
    [[ ! -s $work/uncovered ]]
}

differ()
{
    [[ -z $(sort "$work/results" | uniq --repeated) ]]
}

ends "there are too few mutants" 0 are_many_enough
ends "files of the core without a mutant:" 0 cover_core
for patch in harness/mutants/*.patch; do
    ends "$(basename "$patch"): does not say in a sentence which mistake it models, or names no fuzzer" 0 has_header "$patch"
    check_patch "$patch"
done
for patch in harness/mutants/controls/{canary,no_op}.patch; do
    ends "$(basename "$patch"): does not say what it is" 0 has_header "$patch"
    check_patch "$patch"
done
for patch in harness/mutants/equivalent/*.patch; do
    [[ -e $patch ]] || continue
    ends "$(basename "$patch"): has no proof on top" 0 has_proof "$patch"
    check_patch "$patch"
done
ends "two patches make the same of the core" 0 differ
finish

#!/bin/bash
# `pagerite export --syz`: every trace of the corpus as a program, read by a checker as strict as syzkaller is
# (test_export_check.py); wrong programs, which the checker must refuse; and some programs in full.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

export PAGERITE

check_program()
{
    python3 tests/test_export_check.py "$@"
}

# Each trace is one case.
check_corpus()
{
    local trace program traces=0 output
    while read -r trace; do
        program=$work/programs/$trace.syz
        mkdir -p "$(dirname "$program")"
        traces=$((traces + 1))
        "$PAGERITE" export --syz "$trace" >"$program" || fail "export of $trace: status $?"
    done < <(find corpus tests/test_show_everything.trace -name '*.trace' | LC_ALL=C sort)
    if output=$(find "$work/programs" -name '*.syz' -print0 | xargs -0 python3 tests/test_export_check.py); then
        echo "$output"
        passed=$((passed + traces))
    else
        fail "$output"
    fi
}

# Most of what the corpus calls is described: if a row of the table were lost, more would be missing.
check_share()
{
    local written missing
    written=$(grep --no-filename -r '^# [0-9]* calls' "$work/programs" | awk '{ sum += $2 } END { print sum }')
    missing=$(grep --no-filename -r '^# missing, ' "$work/programs" | wc -l)
    if ((written > 4 * missing)); then pass; else fail "$written calls are written, $missing are missing"; fi
}

# program NAME: a trace on standard input, a line ---, and what is to be written for it behind the head.
program()
{
    local name=$1 difference
    cat >"$work/case"
    sed '/^---$/,$d' "$work/case" >"$work/one.trace"
    sed '1,/^---$/d' "$work/case" >"$work/expected"
    "$PAGERITE" export --syz "$work/one.trace" | sed '1,/^$/d' >"$work/got"
    difference=$(diff "$work/expected" "$work/got" || true)
    if [[ -z $difference ]]; then pass; else fail "$name: expected (<) and written (>) differ:" "$difference"; fi
}

check_lines()
{
    program "a reader" <<'TEXT'
# A reader blocks; the pager supplies.
zx_port_create(0, &port) = ZX_OK
zx_pager_create(0, &pager) = ZX_OK
zx_pager_create_vmo(pager, ZX_VMO_RESIZABLE, port, 7, 2p, &vmo) = ZX_OK
zx_vmo_create(2p, 0, &aux) = ZX_OK
zx_vmo_write(aux, "hi", 0, 4) = ZX_OK
[t1] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>
zx_port_wait(port, ZX_TIME_INFINITE, {key=7, offset=0}) = ZX_OK
zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK
[t1] <... zx_vmo_read resumed> fill(0x11) = ZX_OK
zx_port_wait(port, 0, _) = ZX_ERR_TIMED_OUT
zx_pager_op_range(pager, ZX_PAGER_OP_FAIL, vmo, 0, 1p, ZX_ERR_IO) = ZX_OK
zx_vmo_read(vmo, _, 4p, 1p) = ZX_ERR_OUT_OF_RANGE
---
# A reader blocks; the pager supplies.

zx_port_create(0x0, &AUTO=<r0=>0x0)
zx_pager_create(0x0, &AUTO=<r1=>0x0)
zx_pager_create_vmo(r1, 0x2, r0, 0x0, 0x2000, &AUTO=<r2=>0x0)
zx_vmo_create(0x2000, 0x0, &AUTO=<r3=>0x0)
zx_vmo_write(r3, &AUTO="6869"/0x4, 0x0, 0x4)
zx_vmo_read(r2, &AUTO=""/0x1000, 0x0, 0x1000) # blocked
zx_port_wait(r0, 0x7fffffffffffffff, &AUTO)
zx_pager_supply_pages(r1, r2, 0x0, 0x2000, r3, 0x0)
# [t1] <... zx_vmo_read resumed> fill(0x11) = ZX_OK

zx_port_wait(r0, 0x0, &AUTO) # ZX_ERR_TIMED_OUT
zx_pager_op_range(r1, 0x1, r2, 0x0, 0x1000, 0xffffffffffffffd8)
# not ZX_OK, but without a word that syzkaller's tests have: zx_vmo_read(vmo, _, 4p, 1p) = ZX_ERR_OUT_OF_RANGE

zx_vmo_read(r2, &AUTO=""/0x1000, 0x4000, 0x1000)

# 11 calls; as a key, 0x0 stands for 7
TEXT
    program "mappings, results, and what is missing" <<'TEXT'
zx_vmo_create(4p, 0, &vmo) = ZX_OK # four
zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, vmo, 0, 4p, &addr) = ZX_OK
zx_vmar_protect(vmar, 0, addr+1p, 1p) = ZX_OK
zx_vmar_unmap(vmar, addr+2p-1p, 1p) = ZX_OK
mem_read(addr, fill(0), 1p) = ZX_OK
zx_vmo_read(vmo, at(addr), 0, 1p) = ZX_OK
zx_vmo_get_size(vmo, &n) = ZX_OK
zx_vmo_set_size(vmo, n) = ZX_ERR_UNAVAILABLE
zx_vmar_map(vmar, 0, addr, vmo, 0, 1p, _) = ZX_ERR_INVALID_ARGS
zx_vmo_create_physical(resource, 0, 1p, &device) = ZX_OK
zx_handle_close_many([vmo, device]) = ZX_OK
zx_vmo_create(1p, 0xffff, &vmo) = ZX_ERR_INVALID_ARGS
zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 2p, &pmt) = ZX_OK
zx_object_get_info(vmo, ZX_INFO_VMO, {size_bytes=4p}) = ZX_OK
zx_object_set_property(vmo, ZX_PROP_NAME, "a\n") = ZX_OK
zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, [4p]) = ZX_OK|ZX_ERR_BAD_STATE
---
# four

zx_vmo_create(0x4000, 0x0, &AUTO=<r0=>0x0)
r1 = syz_vmar_root_self()
zx_vmar_map(r1, 0x1, 0x0, r0, 0x0, 0x4000, &AUTO=<r2=>0x0)
zx_vmar_protect(r1, 0x0, r2+0x1000, 0x1000)
zx_vmar_unmap(r1, r2+0x1000, 0x1000)
# missing, programs do not load from memory that they map: mem_read(addr, fill(0), 1p) = ZX_OK
# missing, programs have no pointers into memory that they map: zx_vmo_read(vmo, at(addr), 0, 1p) = ZX_OK

zx_vmo_get_size(r0, &AUTO)
# missing, n is a number, which programs do not take from outputs: zx_vmo_set_size(vmo, n) = ZX_ERR_UNAVAILABLE
# missing, an argument that is no resource would need a result: zx_vmar_map(vmar, 0, addr, vmo, 0, 1p, _) = ZX_ERR_INVALID_ARGS
# missing, its description takes a pointer for the physical address: zx_vmo_create_physical(resource, 0, 1p, &device) = ZX_OK
# missing, device comes from a call that is missing: zx_handle_close_many([vmo, device]) = ZX_OK

zx_vmo_create(0x1000, 0xffff, &AUTO) # ZX_ERR_INVALID_ARGS
r3 = get_root_resource()
zx_iommu_create(r3, 0x0, &AUTO="00", 0x1, &AUTO=<r4=>0x0)
zx_bti_create(r4, 0x0, 0x0, &AUTO=<r5=>0x0)
zx_bti_pin(r5, 0x1, r0, 0x0, 0x2000, &AUTO=[0x0, 0x0], 0x2, &AUTO=<r6=>0x0)
zx_object_get_info$ZX_INFO_VMO(r0, 0x10000017, &AUTO, AUTO, &AUTO, &AUTO)
zx_object_set_property$ZX_PROP_NAME(r0, 0x3, &AUTO="610a", 0x2)
# not ZX_OK, but without a word that syzkaller's tests have: zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, [4p]) = ZX_OK|ZX_ERR_BAD_STATE

zx_object_get_property$ZX_PROP_VMO_CONTENT_SIZE(r0, 0x11, &AUTO, 0x8)

# 10 calls, and 6 missing
TEXT
}

# wrong PATTERN LINE: the checker must refuse a program with this line, saying so.
wrong()
{
    local output
    printf '%s\n\n# 2 calls\n' "zx_vmo_create(0x1000, 0x0, &AUTO=<r0=>0x0)
$2" >"$work/wrong.syz"
    if output=$(check_program "$work/wrong.syz"); then
        fail "the checker takes $2"
    elif [[ $output != *"$1"* ]]; then
        fail "the checker refuses $2, but says $output"
    else
        pass
    fi
}

check_checker()
{
    wrong "r1 is not defined" 'zx_handle_close(r1)'
    wrong "r0 is defined twice" 'zx_vmo_create(0x1000, 0x0, &AUTO=<r0=>0x0)'
    wrong "r0 is no address" 'zx_vmar_unmap(0x1, r0, 0x1000)'
    wrong "there is no zx_dance" 'zx_dance()'
    wrong "expected ," 'zx_vmo_set_size(r0)'
    wrong "too much" 'zx_handle_close(r0, 0x0)'
    wrong "expected 0x" 'zx_vmo_set_size(r0, r0)'
    wrong "expected 0x" 'zx_vmo_set_size(r0, 12)'
    wrong "this is no call" 'zx_handle_close(r0'
    wrong "this is no call" 'zx_handle_close(r0) ZX_OK'
    wrong "no word" 'zx_handle_close(r0) # ZX_OK'
    wrong "0x10 is too large" 'zx_port_cancel(0x0, r0, 0x10)'
    wrong "not the length" 'zx_vmo_write(r0, &AUTO="0102", 0x0, 0x3)'
    wrong "an output has content" 'zx_vmo_read(r0, &AUTO="01", 0x0, 0x1)'
    wrong "shorter" 'zx_vmo_write(r0, &AUTO="0102"/0x1, 0x0, 0x1)'
    wrong "returns nothing" 'r1 = zx_handle_close(r0)'
    wrong "right behind a comment" '# a comment
zx_handle_close(r0)'
    wrong "it says" ''
}

check_pages()
{
    printf 'option page_size 16\nzx_vmo_create(2p + 3, 0, &vmo) = ZX_OK\n' >"$work/small.trace"
    if "$PAGERITE" export --syz "$work/small.trace" | grep --quiet '^zx_vmo_create(0x2003, 0x0, &AUTO=<r0=>0x0)$'; then
        pass
    else
        fail "pages of 16 bytes are not as many pages of 4096"
    fi
}

check_usage()
{
    local got=0
    "$PAGERITE" export corpus/traces/get_size.trace >"$work/out" 2>&1 || got=$?
    if ((got == 2)) && grep --quiet 'the language is missing: --syz' "$work/out"; then pass; else fail "no --syz"; fi
    got=0
    "$PAGERITE" export --syz >"$work/out" 2>&1 || got=$?
    if ((got == 2)) && grep --quiet 'a trace is missing' "$work/out"; then pass; else fail "no trace"; fi
    "$PAGERITE" export --syz -o "$work/file.syz" corpus/traces/get_size.trace
    if cmp --silent "$work/file.syz" "$work/programs/corpus/traces/get_size.trace.syz"; then pass; else fail "-o"; fi
}

check_corpus
check_share
check_lines
check_checker
check_pages
check_usage
finish

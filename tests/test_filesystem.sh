#!/bin/bash
# The example for authors of pagers, harness/examples/filesystem.c: it keeps its promises, whatever the seed; one that
# makes a mistake does not, and says which promise it broke; it is as short as docs/writing-a-pager.md says.
#
# CC: a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

source=harness/examples/filesystem.c

verdict()
{
    if (($2 == 0)); then pass; else fail "failed: $1"; fi
}

compile()
{
    "${CC:-cc}" -std=c11 -O1 -Wall -Wextra -Werror -Icore "$1" "$work/core.o" -o "$2"
}

compile_core()
{
    printf '#include "%s"\n' core/*.c >"$work/core.c"
    "${CC:-cc}" -std=c11 -O1 -I. -Icore -c "$work/core.c" -o "$work/core.o"
}

# Every seed keeps the promises; none does so by never meeting a failure, a sync or a loss of power.
check_seeds()
{
    local seed said bad=0
    compile "$source" "$work/filesystem"
    for seed in 1 2 3 4 5 6 7 8; do
        said=$("$work/filesystem" "$seed") || bad=1
        echo "seed $seed: $said"
        [[ $said =~ ^kept:\ 20000\ steps,\ [1-9][0-9]{2,}\ failures,\ [1-9][0-9]{2,}\ syncs,\ [1-9][0-9]*\ losses ]] || bad=1
    done
    verdict "every seed" "$bad"
    [[ $("$work/filesystem" 3) == $("$work/filesystem" 3) ]] && bad=0 || bad=1
    verdict "the same seed does the same" "$bad"
}

# mistake NAME SED-SCRIPT PROMISE: the example with this change must say that it broke this promise.
mistake()
{
    local said bad=0
    sed "$2" "$source" >"$work/broken.c"
    if cmp --silent "$source" "$work/broken.c"; then
        echo "the change does not apply"
        bad=1
    else
        compile "$work/broken.c" "$work/broken"
        said=$("$work/broken" 1) && bad=1
        echo "$said"
        [[ $said == *"$3"* ]] || bad=1
    fi
    verdict "$1" "$bad"
}

check_mistakes()
{
    local end='MUST(PAGER_OP_RANGE, .arg = {pager, ZX_PAGER_OP_WRITEBACK_END, file, d->offset, d->length});'
    mistake "ends a writeback that the disk has not got" '/memcpy(&disk/d' 'not what was written'
    mistake "ends a writeback before the disk has it" "/MUST(VMO_READ/a $end" 'not what was written'
    mistake "writes what it has not read" '/MUST(VMO_READ/d' 'not what was written'
    mistake "says that it has synced too early" 's/is_syncing = 1;/memcpy(synced, promised, sizeof(promised));/' \
        'what was synced is lost'
    mistake "supplies another page" 's/&disk\[at >> SHIFT\], bytes/\&disk[0], bytes/' 'not what was written'
    mistake "lets writers wait for DIRTY" 's/ZX_PAGER_OP_DIRTY, file, at, bytes/ZX_PAGER_OP_DIRTY, file, at, 0/' \
        'waits forever'
    mistake "forgets requests" 's/answer(requests/if (step % 3 != 0) answer(requests/' 'waits forever'
}

compile_core
check_seeds
check_mistakes
if (($(wc -l <"$source") < 200)); then verdict "under 200 lines" 0; else verdict "under 200 lines" 1; fi
finish

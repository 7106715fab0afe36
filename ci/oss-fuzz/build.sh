#!/bin/bash -eu
# Called in OSS-Fuzz's container with compilers, flags, engine and folders in the environment: all that is ours to say is
# where Zydis is.
cd "${SRC:?}/pagerite"
ZYDIS=$SRC/zydis ./build.sh

# fuzz_userfaultfd compares with the kernel that runs it. A container may be forbidden to use that part of the kernel,
# and a target that ends at once counts as broken: then it is not handed in.
empty=${WORK:?}/empty
: >"$empty"
if [[ -x ${OUT:?}/fuzz_userfaultfd ]] &&
    timeout 60 "$OUT/fuzz_userfaultfd" "$empty" </dev/null 2>&1 | grep --text 'nothing done:'; then
    echo "fuzz_userfaultfd is left out"
    rm -f "$OUT"/fuzz_userfaultfd*
fi

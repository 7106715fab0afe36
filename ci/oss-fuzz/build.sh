#!/bin/bash -eu
# Called in OSS-Fuzz's container with compilers, flags, engine and folders in the environment: all that is ours to say is
# where Zydis is, and what is not handed in.
cd "${SRC:?}/pagerite"
ZYDIS=$SRC/zydis ./build.sh

# fuzz_userfaultfd compares with the kernel that runs it. A container may be forbidden to use that part of the kernel,
# and a target that ends at once counts as broken. honggfuzz traces its target and takes every fault for a crash, those
# included that this one makes on purpose and handles.
kernel_can_be_asked()
{
    local empty=${WORK:?}/empty
    : >"$empty"
    ! timeout 60 "${OUT:?}/fuzz_userfaultfd" "$empty" </dev/null 2>&1 | grep --text 'nothing done:'
}

if [[ ${FUZZING_ENGINE:-} == honggfuzz ]] || ! kernel_can_be_asked; then
    echo "fuzz_userfaultfd is left out"
    rm -f "${OUT:?}"/fuzz_userfaultfd*
fi

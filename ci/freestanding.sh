#!/bin/bash
# Compiles each core/*.c alone, as an embedder without a C library does, for the architectures that the core is kept
# clean for, and looks at what the objects leave undefined: nothing but the core's own functions and the four memory
# functions that every compiler expects.
#
#   ci/freestanding.sh    clang-19 (or CLANG) for five targets; gcc, and its cross compilers where installed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=(-std=c11 -ffreestanding -nostdlib -O2 -Wall -Wextra -Wconversion -Werror -Icore)
allowed='memcpy|memmove|memset|memcmp|__aeabi_mem(cpy|move|set|clr)[48]?|__stack_pointer|__linear_memory|__indirect_function_table'
passed=0 failed=0

# check NAME NM COMPILER...: compiles all of the core with this compiler and its target's flags.
check()
{
    local name=$1 nm=$2 source
    shift 2
    local objects=$scratch/$name
    mkdir -p "$objects"
    for source in core/*.c; do
        if ! "$@" "${flags[@]}" -c "$source" -o "$objects/$(basename "$source" .c).o"; then
            failed=$((failed + 1))
            echo "$name: $source does not compile"
            return
        fi
    done
    local undefined
    undefined=$(comm -23 <("$nm" --undefined-only --format=just-symbols "$objects"/*.o | symbols) \
        <("$nm" --defined-only --format=just-symbols "$objects"/*.o | symbols) | grep -vxE "$allowed" || true)
    if [[ -n $undefined ]]; then
        failed=$((failed + 1))
        echo "$name: the core needs from outside: $(tr '\n' ' ' <<<"$undefined")"
        return
    fi
    passed=$((passed + 1))
    echo "$name: ok"
}

# Reads nm's output; drops the names of the files and empty lines.
symbols()
{
    grep -vE ':$|^$' | LC_ALL=C sort --unique
}

main()
{
    export LC_ALL=C
    local clang=${CLANG:-clang-19} prefix
    if command -v "$clang" >/dev/null; then
        check clang-x86-64 llvm-nm-19 "$clang" --target=x86_64-unknown-none
        check clang-arm64 llvm-nm-19 "$clang" --target=aarch64-none-elf
        check clang-riscv64 llvm-nm-19 "$clang" --target=riscv64-none-elf
        check clang-wasm32 llvm-nm-19 "$clang" --target=wasm32-unknown-unknown
        check clang-armv7a llvm-nm-19 "$clang" --target=armv7a-none-eabi
    fi
    for prefix in "" aarch64-linux-gnu- riscv64-linux-gnu- arm-none-eabi-; do
        if command -v "${prefix}gcc" >/dev/null; then
            check "${prefix}gcc" "${prefix}nm" "${prefix}gcc" ${prefix:+-fno-pic}
        fi
    done
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}

main

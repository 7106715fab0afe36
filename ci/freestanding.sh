#!/bin/bash
# The core's promise to whoever embeds it without a C library: compiles core/*.c for five architectures, by clang and by
# gcc where there is one, warnings being errors, and looks at what the objects need and have. Nothing may be undefined
# but the core's own functions, the four memory functions that every compiler expects, and a linker's own names; no data
# may be writable. The x86-64 objects are then read instruction by instruction: see ci/freestanding/main.c.
#
#   ci/freestanding.sh              all of it
#   ci/freestanding.sh tool FILE    only builds the program that reads the objects; CC compiles it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=(-std=c11 -ffreestanding -nostdlib -O2 -Wall -Wextra -Wconversion -Werror -Icore)
flags+=(-fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables)
# A jump through a table of addresses in the same function would look like one that leaves it.
flags+=(-fno-jump-tables)
allowed='memcpy|memmove|memset|memcmp|__aeabi_mem(cpy|move|set|clr)[48]?'
allowed+='|__stack_pointer|__linear_memory|__indirect_function_table'
passed=0 failed=0

# verdict NAME COMPLAINT: without a complaint all is well.
verdict()
{
    if [[ -z $2 ]]; then
        passed=$((passed + 1))
        echo "$1: ok"
    else
        failed=$((failed + 1))
        printf '%s: broken\n%s\n' "$1" "$2"
    fi
}

build_tool()
{
    "${CC:-gcc}" -std=gnu11 -O1 -g -Wall -Wextra -Werror ci/freestanding/*.c -lelf -lZydis -o "$1"
}

# compile FOLDER COMPILER...: an object of each source.
compile()
{
    local folder=$1
    shift
    mkdir -p "$folder"
    (cd core && printf '%s\n' *.c) | xargs -P "$(nproc)" -I SOURCE \
        "$@" "${flags[@]}" -c core/SOURCE -o "$folder/SOURCE.o"
}

undefined_symbols()
{
    local nm=$1 folder=$2
    comm -23 <("$nm" --undefined-only --format=just-symbols "$folder"/*.o | symbols) \
        <("$nm" --defined-only --format=just-symbols "$folder"/*.o | symbols) | grep -vxE "$allowed" |
        sed 's/^/needed from outside: /' || true
}

# Reads nm's output; drops the names of the files and empty lines.
symbols()
{
    grep -vE ':$|^$' | LC_ALL=C sort --unique
}

# Letters of nm: data, zeroed data, common data, and small ones of these.
writable_symbols()
{
    "$1" --defined-only "$2"/*.o | awk '$2 ~ /^[BbDdCcGgSs]$/ { print "writable data: " $3 }'
}

# nm knows no constant data in wasm objects; the assembler text names the sections.
writable_wasm()
{
    local source
    for source in core/*.c; do
        "$@" "${flags[@]}" -S "$source" -o - | grep -E '\.section[[:space:]]+\.(data|bss|tdata|tbss)' || true
    done
}

# check NAME NM COMPILER...: what is said of every architecture.
check()
{
    local name=$1 nm=$2 folder=$scratch/$1
    shift 2
    if ! compile "$folder" "$@"; then
        verdict "$name compiles" "$* failed"
        return
    fi
    verdict "$name compiles" ""
    verdict "$name needs nothing" "$(undefined_symbols "$nm" "$folder")"
    if [[ $name == *wasm* ]]; then
        verdict "$name has no writable data" "$(writable_wasm "$@")"
    else
        verdict "$name has no writable data" "$(writable_symbols "$nm" "$folder")"
    fi
}

# check_code NAME: the objects of NAME, which are x86-64, instruction by instruction.
check_code()
{
    local output status=0
    output=$("$scratch/tool" "$scratch/$1"/*.o) || status=$?
    if ((status == 0)); then
        verdict "$1 computes, and nothing else" ""
        echo "$output"
    else
        verdict "$1 computes, and nothing else" "$output"
    fi
}

main()
{
    export LC_ALL=C
    local clang=${CLANG:-clang-19} prefix
    build_tool "$scratch/tool"
    if command -v "$clang" >/dev/null; then
        check clang-x86-64 llvm-nm-19 "$clang" --target=x86_64-unknown-none
        check_code clang-x86-64
        check clang-arm64 llvm-nm-19 "$clang" --target=aarch64-none-elf
        check clang-riscv64 llvm-nm-19 "$clang" --target=riscv64-none-elf
        check clang-wasm32 llvm-nm-19 "$clang" --target=wasm32-unknown-unknown
        check clang-armv7a llvm-nm-19 "$clang" --target=armv7a-none-eabi
    fi
    if command -v gcc >/dev/null; then
        check gcc-x86-64 nm gcc
        check_code gcc-x86-64
    fi
    for prefix in aarch64-linux-gnu- riscv64-linux-gnu- arm-none-eabi-; do
        if command -v "${prefix}gcc" >/dev/null; then
            local machine=()
            if [[ $prefix == arm-* ]]; then machine=(-march=armv7-a); fi
            check "${prefix}gcc" "${prefix}nm" "${prefix}gcc" "${machine[@]}"
        fi
    done
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}

case ${1:-} in
"") main ;;
tool) build_tool "$2" ;;
*)
    sed -n '2,/^set/{/^#/p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

#!/bin/bash
# Installs the Debian packages that a job needs: the one place where packages are named.
#
#   ci/setup.sh GROUP...     fuzz   the compiler with its sanitizers and libFuzzer
#                            afl    AFL++, with the compiler and sanitizers that it was built for
#                            check  what looks at builds for a fleet
#                            test   what the tests need besides
#                            bazel  the offline Bazel build
#                            lint   what looks into objects for the house rules
#                            static what reads the sources for mistakes: analyzers, formatters
#                            buildifier  what fetches the formatter of Bazel files
#                            freestanding  the core's other targets, and what reads their objects
#                            cross  compilers and an emulator of other machines
#                            spin   the exhaustive search of small worlds (ci/spin.sh)
#                            machine  what makes a fresh machine (ci/fresh_machine.sh)
#
# Nothing happens where all are there. As root it says what it installs and does so; otherwise it prints the one
# line to run, and fails.
set -euo pipefail

packages_of()
{
    case $1 in
    fuzz) echo make libc6-dev clang-19 llvm-19 libclang-rt-19-dev libzydis-dev patch ;;
    afl) echo afl++ clang-14 libclang-rt-14-dev ;;
    check) echo binutils file unzip util-linux zip ;;
    test)
        echo make libc6-dev clang-19 llvm-19 libclang-rt-19-dev gcc g++ libcmocka-dev libzydis-dev
        echo binutils file libelf-dev patch pkgconf procps python3 unzip zip
        echo chromium chromium-driver python3-selenium spin libxxhash-dev
        ;;
    bazel)
        echo gcc g++ libcmocka-dev libzydis-dev
        echo bazel-bootstrap bazel-rules-cc bazel-rules-java bazel-rules-proto bazel-platforms
        ;;
    lint) echo binutils ;;
    static) echo clang-tidy-19 clang-format-19 gcc cppcheck shellcheck libcmocka-dev libzydis-dev make ;;
    buildifier) echo npm ;;
    freestanding)
        echo clang-19 llvm-19 gcc gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu gcc-arm-none-eabi
        echo libzydis-dev libelf-dev
        ;;
    cross)
        echo make binutils gcc-i686-linux-gnu libc6-dev-i386-cross
        echo gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user-static
        ;;
    spin) echo make libc6-dev clang-19 libzydis-dev spin gcc libxxhash-dev patch ;;
    machine) echo debootstrap ;;
    *)
        echo "setup.sh: no group named $1" >&2
        exit 2
        ;;
    esac
}

installed()
{
    # Node's own packages bring npm under another name.
    if [[ $1 == npm ]] && command -v npm >/dev/null; then return; fi
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing_of()
{
    local group package
    for group in "$@"; do
        for package in $(packages_of "$group"); do
            installed "$package" || echo "$package"
        done
    done | sort --unique
}

main()
{
    if ! command -v dpkg-query >/dev/null; then
        echo "setup.sh: not a Debian system; nothing is installed, what is at hand is used" >&2
        return 0
    fi
    local missing
    mapfile -t missing < <(missing_of "$@")
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        echo "Packages are missing. Run this, then try again:" >&2
        echo "    sudo apt-get install --yes --no-install-recommends ${missing[*]}" >&2
        return 1
    fi
    echo "Installing with apt-get: ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet=2
    apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}" >/dev/null
}

main "$@"

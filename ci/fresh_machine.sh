#!/bin/bash
# The README's two commands on a machine that has nothing: a minimal Debian 12, made with debootstrap, in which neither
# compiler nor make is installed. A package that ci/setup.sh forgets shows here, and nowhere else.
#
#   ci/fresh_machine.sh [SECONDS [COMMAND...]]    SECONDS for each of the fuzzers (10); COMMANDs of build.sh (fuzz test)
#
# Needs root, a Debian mirror, and 3 GiB of disk for each command.
#
# MIRROR: where the packages come from (http://deb.debian.org/debian). KEEP: 1 leaves the machines behind and says where.
#
# Each command gets a machine of its own, since what one installs would hide what the other one lacks; what is downloaded
# is shared. All of it runs in namespaces of its own: whatever is mounted or still running there ends with this script,
# however it ends. The last line is `N passed, N failed`: commands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mirror=${MIRROR:-http://deb.debian.org/debian}
minutes_each=40

make_base()
{
    echo "fresh_machine.sh: making a minimal Debian 12"
    debootstrap --variant=minbase bookworm "$1" "$mirror" >"$1.log" 2>&1 || { tail -n 20 "$1.log"; return 1; }
    mkdir -p "$1/pagerite"
    # What a checkout has, with the changes that are not committed yet, but nothing that was built.
    # In a container the checkout can be another user's, which git wants to be told.
    git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' file; do if [[ -e $file ]]; then printf '%s\0' "$file"; fi; done |
        tar --create --null --files-from=- | tar --extract --directory="$1/pagerite"
}

# What a kernel and an init would have mounted.
mount_system()
{
    mount -t proc proc "$1/proc"
    mount -t sysfs -o ro sysfs "$1/sys"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
    mkdir -p "$1/dev/shm"
    mount -t tmpfs shm "$1/dev/shm"
    cp /etc/resolv.conf /etc/hosts "$1/etc/"
}

# on_machine WORK NAME COMMAND...: runs the command in a fresh copy of the machine, in the checkout.
on_machine()
{
    local machine=$1/$2 archives=$1/archives status=0
    shift 2
    cp --archive "$(dirname "$machine")/base" "$machine"
    mount_system "$machine"
    mount --bind "$archives" "$machine/var/cache/apt/archives"
    echo "==== on a fresh machine: $*"
    timeout --kill-after=10 $((minutes_each * 60)) chroot "$machine" \
        /usr/bin/env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        bash -c 'cd /pagerite && exec "$@"' bash "$@" </dev/null || status=$?
    echo "==== status $status"
    return "$status"
}

# Inside of the namespaces.
run_all()
{
    local work=$1 seconds=$2 command passed=0 failed=0
    local -a line
    shift 2
    mkdir -p "$work/archives/partial"
    make_base "$work/base"
    for command in "$@"; do
        line=(./build.sh "$command")
        if [[ $command == fuzz ]]; then line+=("$seconds"); fi
        if on_machine "$work" "$command" "${line[@]}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    done
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

# Whoever ends the script may end what it runs; this goes on.
clean_up()
{
    trap '' INT TERM HUP
    if [[ ${KEEP:-} == 1 ]]; then
        echo "fresh_machine.sh: the machines are in $1" >&2
    else
        rm -rf --one-file-system "$1"
    fi
}

main()
{
    local seconds=${1:-10} work
    local -a commands=("${@:2}")
    if ((${#commands[@]} == 0)); then commands=(fuzz test); fi
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }
    if ((EUID != 0)); then
        echo "fresh_machine.sh: making a machine needs root" >&2
        exit 2
    fi
    ci/setup.sh machine
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/pagerite-machine.XXXXXX")
    # shellcheck disable=SC2064  # the folder as it is called now
    trap "clean_up '$work'" EXIT
    trap 'exit 130' INT TERM
    unshare --mount --pid --fork --kill-child bash "$0" --inside "$work" "$seconds" "${commands[@]}"
}

if [[ ${1:-} == --inside ]]; then
    run_all "${@:2}"
else
    main "$@"
fi

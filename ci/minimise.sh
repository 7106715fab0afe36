#!/bin/bash
# Brings together all inputs of the fuzz targets, whichever engine found them, and keeps those that add coverage: the
# smallest ones of each kind first, as libFuzzer's merge does it.
#
#   ci/minimise.sh OUT [TARGET...]    OUT/fuzz_* are libFuzzer targets; all of them if none is named
#
# Read are OUT/corpus/TARGET and AFL++'s queues below OUT/afl/work/TARGET; with MORE set, also the folder MORE/TARGET or
# archive MORE/TARGET_seed_corpus.zip. OUT/corpus/TARGET becomes the result, from which `./build.sh fuzz` goes on with
# either engine. Nothing is lost if it is stopped half-way. Inputs that crash are left out, and named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

(($# >= 1)) || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
out=$1 more=${MORE:-}
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Copies the inputs of one folder under names that say what is in them.
take()
{
    local input
    find "$1" -type f -not -name README.txt -not -path '*/.state/*' 2>/dev/null | LC_ALL=C sort |
        while IFS= read -r input; do cp "$input" "$2/$(sha1sum <"$input" | cut -c 1-40)"; done
}

gather()
{
    local target=$1 folder=$2 queue
    take "$out/corpus/$target" "$folder"
    for queue in "$out/afl/work/$target"/*/queue; do
        if [[ -d $queue ]]; then take "$queue" "$folder"; fi
    done
    [[ -n $more ]] || return 0
    if [[ -d $more/$target ]]; then take "$more/$target" "$folder"; fi
    if [[ -f $more/${target}_seed_corpus.zip ]]; then
        unzip -q -o -d "$scratch/unzipped-$target" "$more/${target}_seed_corpus.zip"
        take "$scratch/unzipped-$target" "$folder"
    fi
}

count()
{
    find "$1" -type f 2>/dev/null | wc -l
}

minimise()
{
    local target=$1 all=$scratch/$1.all kept=$scratch/$1.kept log=$scratch/$1.log options
    mkdir -p "$all" "$kept"
    gather "$target" "$all"
    mapfile -t options < <(sed -n 's/^\([a-z_]*\) *= */-\1=/p' "ci/options/$target.options")
    if ! "$out/$target" -merge=1 "${options[@]}" "$kept" "$all" >"$log" 2>&1; then
        echo "$target: the merge failed"
        tail -n 20 "$log"
        return 1
    fi
    sed -n "s/.*MERGE-INNER: '\(.*\)' caused a failure.*/  crashes: \1/p" "$log"
    printf '%-18s %6d inputs, %6d kept, %6d before\n' "$target" "$(count "$all")" "$(count "$kept")" \
        "$(count "$out/corpus/$target")"
    mkdir -p "$out/corpus"
    rm -rf "$out/corpus/$target.new"
    mv "$kept" "$out/corpus/$target.new"
    rm -rf "$out/corpus/$target"
    mv "$out/corpus/$target.new" "$out/corpus/$target"
}

main()
{
    local targets=("$@") target failed=0
    if ((${#targets[@]} == 0)); then mapfile -t targets < <(basename --multiple --suffix .c fuzz/fuzz_*.c); fi
    for target in "${targets[@]}"; do
        if [[ ! -x $out/$target ]]; then
            echo "$target: not built in $out" >&2
            failed=1
            continue
        fi
        minimise "$target" || failed=1
    done
    return "$failed"
}

main "$@"

#!/bin/bash
# Does a dictionary help fuzz_trace, the one target that reads text? Measures it: the words of the corpus's traces as a
# dictionary, the same number of runs with and without, three times each, from the traces and from nothing.
#
#   ci/dictionary.sh FUZZ_TRACE [RUNS]    the built libFuzzer target; 100000 runs
#   ci/dictionary.sh --print              only prints the dictionary
#
# Prints, separated by tabs: where it began, with or without, seed, edges, features. What came of it is in ci/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Each word that five traces or more have, as libFuzzer reads it.
print_dictionary()
{
    find corpus -name '*.trace' -exec sh -c 'grep -v "^#" "$1" | grep -oE "[A-Za-z_][A-Za-z_0-9]+[(=:]?" | sort -u' _ {} \; |
        LC_ALL=C sort | uniq -c | awk '$1 >= 5 { printf "\"%s\"\n", $2 }'
}

measure()
{
    local begun=$1 with=$2 seed=$3 corpus=$scratch/corpus arguments=()
    rm -rf "$corpus"
    mkdir "$corpus"
    [[ $begun == nothing ]] || cp corpus/traces/*.trace "$corpus/"
    [[ $with == without ]] || arguments+=("-dict=$scratch/words.dict")
    "$target" -runs="$runs" -seed="$seed" -max_len=8192 "${arguments[@]}" "$corpus" >"$scratch/log" 2>&1 </dev/null
    awk -v begun="$begun" -v with="$with" -v seed="$seed" '
        { for (i = 2; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
        END { printf "%s\t%s\t%d\t%d\t%d\n", begun, with, seed, edges, features }' "$scratch/log"
}

main()
{
    local begun with seed
    if [[ ${1:-} == --print ]]; then
        print_dictionary
        return
    fi
    target=$(realpath "$1") runs=${2:-100000}
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    print_dictionary >"$scratch/words.dict"
    for begun in traces nothing; do
        for seed in 1 2 3; do
            for with in without with; do measure "$begun" "$with" "$seed"; done
        done
    done
}

main "$@"

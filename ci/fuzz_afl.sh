# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # targets_in is for the includer; out, seconds, logs, findings are its own
# What ci/fuzz.sh asks of AFL++. Each target's queue is in OUT/afl/work/TARGET, and begins with the seeds and with what
# libFuzzer has in OUT/corpus/TARGET; ci/minimise.sh brings its finds back there. Targets whose inputs are programs are
# mutated by our mutator alone, as under libFuzzer.

targets_in=$out/afl

is_of_programs()
{
    grep --quiet LLVMFuzzerCustomMutator "fuzz/$1.c"
}

# Fills AFL++'s folder of first inputs: each input once, whatever its name.
first_inputs()
{
    local target=$1 folder=$2 input
    rm -rf "$folder"
    mkdir -p "$folder" "$out/corpus/$target"
    # libFuzzer has named its own, of which there may be many, in the same way.
    find "$out/corpus/$target" -type f -size -1024k -exec cp -t "$folder" {} +
    find "$out/seeds/$target" -type f -size -1024k |
        while IFS= read -r input; do
            cp "$input" "$folder/$(sha1sum <"$input" | cut -c 1-40)"
        done
}

engine_run()
{
    local target=$1 work=$out/afl/work/$1 most
    first_inputs "$target" "$out/afl/first/$target"
    rm -rf "$work"
    mkdir -p "$work"
    most=$(sed -n 's/^max_len *= *//p' "ci/options/$target.options")
    if is_of_programs "$target"; then
        export AFL_CUSTOM_MUTATOR_LIBRARY=$out/afl/afl_mutator.so AFL_CUSTOM_MUTATOR_ONLY=1
    fi
    # No screen of its own, no advice on how to set up the machine, and a seed that crashes is a finding.
    export AFL_NO_UI=1 AFL_NO_COLOR=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
    export AFL_CRASHING_SEEDS_AS_NEW_CRASH=1 AFL_FORKSRV_INIT_TMOUT=60000
    unset ASAN_OPTIONS UBSAN_OPTIONS
    exec afl-fuzz -V "$seconds" -m none -t 10000 -G "${most:-4096}" -i "$out/afl/first/$target" -o "$work" \
        "$out/afl/$target"
}

# AFL++ writes a line of figures every few seconds: the columns are named in the first one.
engine_figures()
{
    local plot=$out/afl/work/$1/default/plot_data
    [[ -f $plot ]] || { echo 0 0 0 0; return; }
    awk -F ', *' '
        /^#/ { sub(/^# */, ""); for (i = 1; i <= NF; i++) column[$i] = i; next }
        { runs = $column["total_execs"]; edges = $column["edges_found"]; units = $column["corpus_count"]; time = $1 }
        END { printf "%d %d %d %d\n", runs, (time > 0 ? runs / time : 0), edges, units }' "$plot"
}

engine_found()
{
    [[ -n $(engine_finding "$1") ]] || ! grep --quiet --text -E "We're done here|nothing done:" "$logs/$1.log"
}

# AFL++ 4.04 goes on without a first input that crashes or takes too long, and only says so.
refused_input()
{
    awk -v folder="$out/afl/first/$1/" -F "orig:|'" '
        /Attempting dry run with/ { name = $3 }
        /Test case .*results in a (crash|timeout)/ { print folder name; exit }' "$logs/$1.log"
}

engine_finding()
{
    local input copy kind=crashes
    input=$(find "$out/afl/work/$1/default/crashes" "$out/afl/work/$1/default/hangs" -name 'id*' 2>/dev/null |
        LC_ALL=C sort | head -n 1)
    if [[ -n $input ]]; then kind=$(basename "$(dirname "$input")"); else input=$(refused_input "$1"); fi
    [[ -n $input ]] || return 0
    copy=$findings/$1-$kind-$(sha1sum <"$input" | cut -c 1-40)
    cp "$input" "$copy"
    echo "$copy"
}

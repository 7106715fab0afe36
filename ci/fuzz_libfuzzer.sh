# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # targets_in is for the includer; out, seconds, logs, findings are its own
# What ci/fuzz.sh asks of libFuzzer. Inputs are kept in OUT/corpus/TARGET, beside the seeds. FUZZ_SEED, a number, lets every
# run try the same inputs in the same order.

targets_in=$out

# Runs a target until its time is over, in the place of the calling shell.
engine_run()
{
    local target=$1 corpus=$out/corpus/$1 options
    mkdir -p "$corpus"
    mapfile -t options < <(sed -n 's/^\([a-z_]*\) *= */-\1=/p' "ci/options/$target.options")
    export PAGERITE_TRACE_OUT=$findings/$target.trace
    exec "$out/$target" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$findings/$target-" \
        ${FUZZ_SEED:+-seed="$FUZZ_SEED"} "${options[@]}" "$corpus" "$out/seeds/$target"
}

# Prints executions, executions a second, edges and corpus size: libFuzzer's last word on them.
engine_figures()
{
    awk '
        /^#[0-9]+/ {
            runs = substr($1, 2)
            for (i = 2; i < NF; i++) {
                if ($i == "cov:") edges = $(i + 1)
                if ($i == "corp:") { split($(i + 1), corpus, "/"); units = corpus[1] }
                if ($i == "exec/s:") rate = $(i + 1)
            }
        }
        /^stat::number_of_executed_units:/ { runs = $2 }
        /^stat::average_exec_per_sec:/ { rate = $2 }
        END { printf "%d %d %d %d\n", runs, rate, edges, units }' <(tail -c 65536 "$logs/$1.log")
}

# engine_found TARGET STATUS: whether the target ended with a finding.
engine_found()
{
    (($2 != 0)) && ! grep --quiet 'libFuzzer: run interrupted' "$logs/$1.log"
}

# Prints the input of a finding, nothing if there is none.
engine_finding()
{
    sed -n 's/.*Test unit written to //p' "$logs/$1.log" | tail -n 1
}

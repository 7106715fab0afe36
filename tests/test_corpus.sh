#!/bin/bash
# Runs every trace of the corpus with `pagerite run`, and sees that it counts them all. Closes with a count of traces.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

mapfile -t traces < <(find -L corpus -name '*.trace' | LC_ALL=C sort)
"$PAGERITE" run -j "$(nproc)" "${traces[@]}" >"$work/output" 2>&1 || status=$?
read -r passed failed < <(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$work/output") || true
if ((failed > 0)); then cat "$work/output"; fi
if ((passed + failed != ${#traces[@]})); then
    fail "${#traces[@]} traces, of which pagerite run (status ${status:-0}) counts $((passed + failed))" \
        "$(tail -n 20 "$work/output")"
fi
finish

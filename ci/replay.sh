#!/bin/bash
# Runs a fuzz target once over each of its seeds: no clock, no randomness, a plain test.
#
#   ci/replay.sh TARGET    FUZZER is the built target, with or without an engine, PAGERITE the tool
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$1
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
ci/seeds.sh "$target" "$PAGERITE" "$seeds"
# Every input twice, and the worlds compared.
export PAGERITE_RERUN=1
"$FUZZER" "$seeds"/*

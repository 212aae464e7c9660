#!/bin/sh
# usage: run_fuzzers.sh BUILD_DIR SECONDS
# Runs every *_fuzz program for SECONDS, starting from tests/corpus/NAME, and stops at a finding.
set -eu
build=$1
seconds=$2
root=$(dirname "$0")/..
for program in "$build"/*_fuzz; do
    name=$(basename "$program")
    mkdir -p "$build/corpus/$name"
    seeds=""
    [ -d "$root/tests/corpus/$name" ] && seeds="$root/tests/corpus/$name"
    echo "== $name, $seconds s"
    # shellcheck disable=SC2086
    "$program" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$build/corpus/$name-" "$build/corpus/$name" $seeds 2> "$build/corpus/$name.log" ||
        { tail -40 "$build/corpus/$name.log"; exit 1; }
    grep -E 'stat::(number_of_executed_units|new_units_added)' "$build/corpus/$name.log"
done

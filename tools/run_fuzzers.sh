#!/bin/sh
# usage: run_fuzzers.sh BUILD_DIR SECONDS
# Runs every *_fuzz program for SECONDS, starting from tests/corpus/NAME (tools/make_fuzz_seeds.py) and
# from real inputs of its kind where ../shared/data is there, and stops at a finding.
set -eu
build=$1
seconds=$2
root=$(dirname "$0")/..
real=$root/../shared/data/attestation

real_inputs() {
    case $1 in
        quote_fuzz) echo quotes ;;
        event_log_fuzz) echo eventlogs ;;
        ccel_fuzz) echo ccel ;;
        collateral_fuzz) echo collateral raw_collateral ;;
        pem_fuzz) echo roots raw_collateral ;;
    esac
}

for program in "$build"/*_fuzz; do
    name=$(basename "$program")
    mkdir -p "$build/corpus/$name"
    seeds=""
    [ -d "$root/tests/corpus/$name" ] && seeds="$root/tests/corpus/$name"
    for folder in $(real_inputs "$name"); do
        [ -d "$real/$folder" ] && seeds="$seeds $real/$folder"
    done
    echo "== $name, $seconds s"
    # shellcheck disable=SC2086
    "$program" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$build/corpus/$name-" "$build/corpus/$name" $seeds 2> "$build/corpus/$name.log" ||
        { tail -40 "$build/corpus/$name.log"; exit 1; }
    grep -E 'stat::(number_of_executed_units|new_units_added)' "$build/corpus/$name.log"
done

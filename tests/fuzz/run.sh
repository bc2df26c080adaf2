#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fuzzes the PromQL parser and the evaluator with libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer, both at once. What breaks them is left in build/fuzz as parse-crash-…
# or evaluate-crash-…, and the script fails.
#
#   tests/fuzz/run.sh [SECONDS]       3600, if nothing is said
#   tests/fuzz/run.sh merge           puts what was found into tests/fuzz/corpus: of each 90 of the
#                                     inputs that together cover everything, of all lengths
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly targets=(parse evaluate)
readonly most_files=90 # Of each corpus.

fuzz() {
  local target=$1 seconds=$2
  mkdir -p "build/fuzz/corpus/$target"
  nice "build/fuzz/tests/fuzz/${target}_fuzz" -dict=tests/fuzz/promql.dict -max_len=300 -timeout=30 \
    -rss_limit_mb=2048 -max_total_time="$seconds" -artifact_prefix="build/fuzz/$target-" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1 ||
    { tail -n 40 "build/fuzz/$target.log"; return 1; }
  printf '%s: %s\n' "$target" "$(tail -n 1 "build/fuzz/$target.log")"
}

merge() {
  local target=$1 merged count
  merged=$(mktemp -d)
  "build/fuzz/tests/fuzz/${target}_fuzz" -merge=1 -max_len=120 "$merged" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >/dev/null 2>&1
  count=$(find "$merged" -type f | wc -l)
  rm -f "tests/fuzz/corpus/$target"/*
  find "$merged" -type f -printf '%s %p\n' | sort -n | cut -d' ' -f2- |
    awk -v n="$count" -v most="$most_files" 'int(NR * most / n) > int((NR - 1) * most / n)' |
    xargs -d '\n' cp -t "tests/fuzz/corpus/$target"
  rm -r "$merged"
}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
if [ "${1:-}" = merge ]; then
  for target in "${targets[@]}"; do merge "$target"; done
  exit
fi
jobs=()
for target in "${targets[@]}"; do
  fuzz "$target" "${1:-3600}" &
  jobs+=($!)
done
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"

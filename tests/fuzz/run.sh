#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fuzzes what reads bytes from outside with libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer, two targets at a time. What breaks one is left in build/fuzz as
# TARGET-crash-…, and the script fails.
#
#   tests/fuzz/run.sh [SECONDS] [TARGET…]  3600 and all of them, if nothing is said
#   tests/fuzz/run.sh merge [TARGET…]      puts what was found into tests/fuzz/corpus: of each 90 of
#                                          the inputs that together cover everything, of all lengths
set -euo pipefail
cd "$(dirname "$0")/../.."
# Target, dictionary, longest input, longest input of the corpus.
readonly table='
parse promql 300 120
evaluate promql 300 120
page page 1000 400
write write 1000 400
yaml yaml 2000 600
config yaml 2000 600
http http 3000 600
answers answers 1000 400
state state 40000 40000'
readonly most_files=90 # Of each corpus.
readonly at_a_time=2
seconds=3600

column() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' <<<"$table"; }

fuzz() {
  local target=$1
  mkdir -p "build/fuzz/corpus/$target"
  nice "build/fuzz/tests/fuzz/${target}_fuzz" -dict="tests/fuzz/$(column "$target" 2).dict" \
    -max_len="$(column "$target" 3)" -timeout=30 -rss_limit_mb=2048 -max_total_time="$seconds" \
    -artifact_prefix="build/fuzz/$target-" "build/fuzz/corpus/$target" \
    "tests/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1 ||
    { tail -n 40 "build/fuzz/$target.log"; return 1; }
  printf '%s: %s\n' "$target" "$(tail -n 1 "build/fuzz/$target.log")"
}

merge() {
  local target=$1 merged count
  merged=$(mktemp -d)
  "build/fuzz/tests/fuzz/${target}_fuzz" -merge=1 -max_len="$(column "$target" 4)" "$merged" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >/dev/null 2>&1
  count=$(find "$merged" -type f | wc -l)
  rm -f "tests/fuzz/corpus/$target"/*
  find "$merged" -type f -printf '%s %p\n' | sort -n | cut -d' ' -f2- |
    awk -v n="$count" -v most="$most_files" 'int(NR * most / n) > int((NR - 1) * most / n)' |
    xargs -d '\n' cp -t "tests/fuzz/corpus/$target"
  rm -r "$merged"
}

verb=fuzz
case "${1:-}" in
  merge) verb=merge; shift ;;
  [0-9]*) seconds=$1; shift ;;
esac
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(awk 'NF { print $1 }' <<<"$table")
for target in "${targets[@]}"; do
  [ -n "$(column "$target" 2)" ] || { echo "no target $target" >&2; exit 2; }
done
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm # Where `state` puts its files.

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
if [ "$verb" = merge ]; then
  for target in "${targets[@]}"; do merge "$target"; done
  exit
fi
rm -f build/fuzz/failed
for target in "${targets[@]}"; do
  while [ "$(jobs -pr | wc -l)" -ge "$at_a_time" ]; do sleep 1; done
  { fuzz "$target" || touch build/fuzz/failed; } &
done
wait
[ ! -e build/fuzz/failed ]

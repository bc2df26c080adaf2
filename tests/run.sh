#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that must pass: installs what is missing, checks the formatting, runs the unit tests
# under AddressSanitizer and UndefinedBehaviorSanitizer, then the whole suite of the release build,
# end-to-end tests included. Safe to repeat. Long tests are apart: see CONTRIBUTING.md.
#
#   ./tests/run.sh            everything
#   ./tests/run.sh release    only the release build and its suite
#   ./tests/run.sh dev        only the unit tests under the sanitizers
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-all}
jobs=$(nproc)
say() { printf '== %s\n' "$*"; }

build_and_test() {
  local preset=$1
  say "building: $preset"
  cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 || { cat "build/$preset.configure.log"; exit 1; }
  cmake --build --preset "$preset" -j "$jobs" >"build/$preset.build.log" 2>&1 || { tail -n 60 "build/$preset.build.log"; exit 1; }
  say "testing: $preset"
  ctest --preset "$preset" -j $((jobs * 2)) # Most tests wait more than they work.
}

say 'installing what is missing'
./deploy/install-deps.sh
mkdir -p build

if [ "$what" = all ] && git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  say 'checking the formatting'
  git ls-files -z -- '*.cc' '*.h' | xargs -0 clang-format --dry-run --Werror
fi
case $what in
  all) build_and_test dev; build_and_test release ;;
  dev | release) build_and_test "$what" ;;
  *) printf 'usage: %s [release|dev]\n' "$0" >&2; exit 2 ;;
esac

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds Tocsin, if need be, and runs it over a simulated mesh whose faults make alerts fire. With
# --once it ends as soon as every fault has been reported and is over. All options go to
# `tocsin demo`. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }

say 'installing what is missing'
./deploy/install-deps.sh build
say 'building (a few minutes the first time)'
mkdir -p build
{
  cmake --preset release -DTOCSIN_BUILD_TESTS=OFF -B build/demo &&
    cmake --build build/demo -j "$(nproc)" --target tocsin
} >build/demo.log 2>&1 || { tail -n 40 build/demo.log; exit 1; }
say 'running'
exec ./build/demo/tocsin demo --rules rules/linkerd "$@"

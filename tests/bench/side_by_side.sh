#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prometheus, VictoriaMetrics with vmalert, and Tocsin over the same simulated mesh with the same
# plain rules, as one table. Installs nothing; deploy/install-deps.sh does.
#
#   tests/bench/side_by_side.sh [proxies] [options]      1,000 proxies if not said otherwise
#
#   --one-by-one         each server alone with a mesh of its own, where the machine is too small
#   --only tocsin        only these of prometheus, victoria, tocsin; separated by commas
#   --interval 10s       between scrapes, and between evaluations; 15s if not said otherwise
#   --warm 6             minutes before measuring, so that windows are full
#   --minutes 4          minutes of measuring
#   --tocsin FILE        the program; build/release/tocsin if not said otherwise
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec python3 "$here/side_by_side.py" "$@"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what Tocsin needs, from the packages of Debian 12. Nothing else in this project installs
# anything, and nothing is downloaded when it is built.
#
#   deploy/install-deps.sh [build] [test] [runtime]        no argument: build test
#
#   build    compiler, CMake and libraries
#   test     what the tests start (Prometheus, Alertmanager, VictoriaMetrics, a browser) and what
#            checks the code
#   runtime  only the shared libraries that a built tocsin loads
#
# Safe to repeat: with everything at hand it says nothing and touches nothing. Prometheus,
# Alertmanager and VictoriaMetrics are wanted as programs, so their services are neither started nor
# enabled.
set -euo pipefail

readonly build=(
  g++ cmake ninja-build pkg-config git ca-certificates
  libyaml-cpp-dev libcurl4-openssl-dev libboost1.81-dev libboost-json1.81-dev libspdlog-dev
  libfmt-dev doctest-dev libre2-dev libcli11-dev libexpected-dev libssl-dev libdeflate-dev
  libsnappy-dev libprotozero-dev libxxhash-dev libsqlite3-dev libcrypt-dev
)
readonly test=(
  clang clang-format clang-tidy libbenchmark-dev valgrind
  prometheus prometheus-alertmanager victoria-metrics curl jq python3 python3-jsonschema python3-yaml
  chromium openssl
)
readonly runtime=(
  libyaml-cpp0.7 libcurl4 libboost-json1.81.0 libspdlog1.10 libfmt9 libre2-9 libssl3 libdeflate0
  libsnappy1v5 libsqlite3-0 libcrypt1
  ca-certificates
)
readonly services=(prometheus prometheus-alertmanager victoria-metrics)
readonly policy=/usr/sbin/policy-rc.d
readonly mark="# Put here by Tocsin's install-deps.sh, for the time of an installation."

die() {
  printf 'install-deps.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -- "$@"; fi
}

# Those of the given packages that are not installed, one a line.
missing_of() {
  local installed name
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    grep -qxF "installed $name" <<<"$installed" || printf '%s\n' "$name"
  done
}

# Output goes to the log, which is shown only when something fails.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 "$@" >"$log" 2>&1 </dev/null 9<&-
}

# DPkg::Lock::Timeout does not cover the lock of the package lists.
update_lists() {
  local deadline=$((SECONDS + 300))
  until apt_get update; do
    if ! grep -q 'Could not get lock' "$log" || ((SECONDS > deadline)); then return 1; fi
    sleep 2
  done
}

# Debian starts a service when its package is installed, unless this script says 101. A machine
# that has such a script already (most containers) keeps its own.
forbid_service_start() {
  [[ -e $policy ]] && return
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

clean_up() {
  if grep -qsxF "$mark" "$policy"; then as_root rm -f "$policy"; fi
  rm -f "$log"
}

# Services that came with this run do not start with the machine either; others stay as they are.
disable_services() {
  local name
  command -v systemctl >/dev/null || return 0
  for name in "${services[@]}"; do
    [[ " $* " == *" $name "* ]] || continue
    as_root systemctl --quiet disable "$name.service" >/dev/null 2>&1 || true
    as_root systemctl --quiet stop "$name.service" >/dev/null 2>&1 || true
  done
}

wanted_packages() {
  local group
  for group in "$@"; do
    case $group in
      build) printf '%s\n' "${build[@]}" ;;
      test) printf '%s\n' "${test[@]}" ;;
      runtime) printf '%s\n' "${runtime[@]}" ;;
      *) die "unknown group '$group'; there are build, test and runtime" 2 ;;
    esac
  done | sort -u
}

main() {
  local wanted missing
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
    exit 0
  fi
  (($#)) || set -- build test
  local system='this system'
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || system=$(. /etc/os-release && echo "$PRETTY_NAME")
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "needs Debian 12 or a system with its packages, this is $system. Elsewhere, install by hand:
  $(wanted_packages "$@" | xargs)"
  fi

  wanted=$(wanted_packages "$@")
  mapfile -t wanted <<<"$wanted"
  [[ -n $(missing_of "${wanted[@]}") ]] || exit 0
  ((EUID == 0)) || command -v sudo >/dev/null ||
    die "run it as root, or install sudo. Missing: $(missing_of "${wanted[@]}" | xargs)"

  # One run at a time; the one that waited may find nothing left to do.
  exec 9<"$0"
  flock -w 900 9 || die "another install-deps.sh has been running for 15 minutes"
  mapfile -t missing < <(missing_of "${wanted[@]}")
  ((${#missing[@]})) || exit 0
  echo "Installing ${#missing[@]} Debian packages for Tocsin ($*): ${missing[*]}"

  log=$(mktemp)
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  forbid_service_start
  # --no-remove: better to stop than to take away a package that somebody put there.
  if ! update_lists ||
    ! apt_get install -y --no-install-recommends --no-remove "${missing[@]}"; then
    tail -n 30 "$log" >&2
    die "apt-get failed, see above. These packages are Debian 12's; this is $system"
  fi
  disable_services "${missing[@]}"
  mapfile -t missing < <(missing_of "${wanted[@]}")
  ((${#missing[@]} == 0)) || die "still not installed: ${missing[*]}"
}

main "$@"

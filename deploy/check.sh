#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Holds what is in deploy/ against the rest of the project. What needs a tool that is not at hand is
# skipped and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0

fail() {
  echo "FAIL: $1" >&2
  failed=1
}

at_hand() {
  command -v "$1" >/dev/null && return
  echo "skipped, $1 is not at hand: $2"
  return 1
}

# The ConfigMap has every shipped rule file, and no other.
listed=$(sed -n 's/^ *- \(linkerd\/.*\.yaml\)$/\1/p' rules/Kustomization | sort)
shipped=$(cd rules && find linkerd -name '*.yaml' ! -name '*.test.yaml' | sort)
if [[ $listed != "$shipped" ]]; then
  fail "rules/Kustomization does not list the files of rules/linkerd:"
  diff <(echo "$listed") <(echo "$shipped") >&2 || true
fi

# Every source of the image's COPY lines exists and is not ignored by accident.
while read -r path; do
  [[ -e $path ]] || fail "deploy/Dockerfile copies $path, which does not exist"
done < <(sed -n 's/^COPY \([^-. ][^ ]*\) .*/\1/p' deploy/Dockerfile)

# What .dockerignore leaves is enough to configure the build, which makes the program where the image
# takes it from.
if at_hand cmake "what the image is built from" && git rev-parse --git-dir >/dev/null 2>&1; then
  context=$(mktemp -d)
  git ls-files -z | xargs -0 cp --parents -t "$context"
  while read -r pattern; do
    # shellcheck disable=SC2086 # A pattern is one.
    case $pattern in
      '' | '#'*) ;;
      '!'*) cp -r --parents -t "$context" ".${pattern#!}" ;;
      '**/'*) find "$context" -name "${pattern#**/}" -delete ;;
      *) rm -rf "$context"$pattern ;;
    esac
  done <.dockerignore
  program=$(sed -n 's#^COPY --from=build /tocsin/\([^ ]*\) .*#\1#p' deploy/Dockerfile)
  if ! (cd "$context" && cmake --preset release -DTOCSIN_BUILD_TESTS=OFF) >"$context.log" 2>&1; then
    fail "what .dockerignore leaves cannot be configured:"
    cat "$context.log" >&2
  elif ! ninja -C "$context/$(dirname "$program")" -t query "$(basename "$program")" 2>&1 |
    grep -q EXECUTABLE_LINKER; then
    fail "deploy/Dockerfile takes $program, which the build does not make"
  fi
  rm -rf "$context" "$context.log"
fi

# Everything listens on the port of the contract.
for file in deploy/Dockerfile deploy/config/*.yaml \
  deploy/kubernetes/{deployment,service,network-policy}.yaml; do
  grep -q '9467' "$file" || fail "$file does not know port 9467"
done

if at_hand shellcheck "shell scripts"; then
  shellcheck deploy/*.sh || fail "shellcheck"
fi
if at_hand kubectl "the kustomization"; then
  kubectl kustomize deploy/kubernetes >/dev/null || fail "kubectl kustomize deploy/kubernetes"
fi
if at_hand systemd-analyze "the systemd unit"; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # The program need not be installed where the unit expects it.
  sed 's#/usr/local/bin/tocsin#/bin/true#' deploy/tocsin.service >"$work/tocsin.service"
  systemd-analyze verify "$work/tocsin.service" || fail "systemd-analyze verify"
fi

exit $failed

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tocsin/rule_set.h"

namespace tocsin::rule {
namespace {

// "code line" of every diagnostic, sorted.
std::vector<std::string> found(const std::string& bytes) {
  const SourceFile file{"a.yaml", bytes};
  const Loaded loaded = load(std::span(&file, 1));
  std::vector<std::string> out;
  for (const Diagnostic& d : loaded.diagnostics.all()) {
    out.push_back(d.code + " " + std::to_string(d.place.line));
  }
  std::sort(out.begin(), out.end());
  return out;
}
using Found = std::vector<std::string>;

const std::string kTwo = R"(groups:
  - name: g
    rules:
      - alert: A
        expr: sum(rate(response_total[30s])) > 1
      - alert: B
        expr: sum(rate(response_total[30s])) > 1
)";

// kTwo with `text` as a line of its own in front of line `line`, or behind it on it.
std::string with_line(int line, const std::string& text) {
  std::size_t at = 0;
  for (int i = 1; i < line; ++i) at = kTwo.find('\n', at) + 1;
  return kTwo.substr(0, at) + text + "\n" + kTwo.substr(at);
}

TEST_CASE("a comment on a rule's lines, or above it, silences that rule's findings of that code") {
  CHECK(found(kTwo) == Found{"lint/no-direction 5", "lint/no-direction 7", "lint/short-window 5",
                             "lint/short-window 7"});
  const std::string comment = "# tocsin: disable=short-window";
  const Found silenced_a{"lint/no-direction 6", "lint/no-direction 8", "lint/short-window 8"};
  CHECK(found(with_line(4, comment)) == silenced_a);
  CHECK(found(with_line(4, "      # looked at by us\n" + comment)).size() == 3);
  CHECK(found(with_line(5, "        " + comment)) == silenced_a);
  const Found silenced_b{"lint/no-direction 5", "lint/no-direction 8", "lint/short-window 5"};
  CHECK(found(with_line(6, comment)) == silenced_b);
}

TEST_CASE("a comment above a group, or in its head, silences all of that group") {
  const std::string one = "      - {alert: A, expr: 'sum(rate(response_total[5m])) > 1'}\n";
  const auto groups = [&](const std::string& above, const std::string& inside) {
    return "groups:\n  - name: a\n    rules:\n" + one + above + "  - name: b\n" + inside +
           "    rules:\n" + one + "      - {alert: B, expr: 'sum(rate(response_total[5m])) > 2'}\n";
  };
  CHECK(found(groups("", "")).size() == 3);
  const std::string comment = "  # tocsin: disable=no-direction\n";
  CHECK(found(groups(comment, "")) == Found{"lint/no-direction 4"});
  CHECK(found(groups("", "  " + comment)) == Found{"lint/no-direction 4"});
}

TEST_CASE("a comment, an empty line and a rule: it is that rule's") {
  const Found silenced_b{"lint/no-direction 5", "lint/no-direction 9", "lint/short-window 5"};
  CHECK(found(with_line(6, "      # tocsin: disable=short-window\n")) == silenced_b);
}

TEST_CASE("codes are a list, with or without spaces, and what follows is a reason") {
  CHECK(found("# tocsin: disable=short-window , lint/no-direction because of, well\n" + kTwo) ==
        Found{});
}

TEST_CASE("a comment in front of the groups silences the file, several codes at once") {
  CHECK(found("# tocsin: disable=short-window,lint/no-direction because of the mesh\n" + kTwo) ==
        Found{});
}

TEST_CASE("a code that there is not is a warning that says which there are") {
  const SourceFile file{"a.yaml", "# tocsin: disable=no-flor\n" + kTwo};
  const Loaded loaded = load(std::span(&file, 1));
  const auto& all = loaded.diagnostics.all();
  REQUIRE(all.size() == 5);
  CHECK(all.back().code == "rule/unknown-check");
  CHECK(all.back().hint == "did you mean 'lint/no-floor'?");
  CHECK(all.back().place.text() == "a.yaml:1:3");
}

TEST_CASE("errors cannot be silenced") {
  CHECK(found("# tocsin: disable=promql/syntax\ngroups: [{name: g, rules: [{alert: A, expr: 'up "
              ">'}]}]\n")
            .size() == 2);
}

TEST_CASE("all documents of a file are read, and manifests of other kinds are read past") {
  const SourceFile file{"a.yaml", R"(apiVersion: v1
kind: ConfigMap
data: {a: b}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
spec: {groups: [{name: one, rules: [{alert: A, expr: up == 0}]}]}
---
groups: [{name: two, rules: [{alert: B, expr: up == }]}]
---
)"};
  const Loaded loaded = load(std::span(&file, 1));
  REQUIRE(loaded.rules.groups.size() == 2);
  CHECK(loaded.rules.groups[0].name == "one");
  CHECK(loaded.diagnostics.count(Severity::Error) == 1);
  CHECK(loaded.diagnostics.all()[0].place.line == 9);
}

}  // namespace
}  // namespace tocsin::rule

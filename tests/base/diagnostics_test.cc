// SPDX-License-Identifier: Apache-2.0
#include "tocsin/diagnostics.h"

#include <doctest/doctest.h>

namespace tocsin {
namespace {

TEST_CASE("a diagnostic shows the place, the line, a caret and a hint") {
  Diagnostics all;
  all.add({.severity = Severity::Error,
           .code = "promql/unknown-function",
           .place = {"rules.yaml", 3, 11, 4},
           .message = "unknown function 'rat'",
           .context = "alert 'X', group 'g'",
           .hint = "did you mean 'rate'?",
           .snippet = "    expr: rat(a)"});
  CHECK(all.text() ==
        "rules.yaml:3:11: error: unknown function 'rat' [promql/unknown-function]\n"
        "    expr: rat(a)\n"
        "          ^^^^\n"
        "  in alert 'X', group 'g'\n"
        "  hint: did you mean 'rate'?\n");
}

TEST_CASE("diagnostics come in the order of the file") {
  Diagnostics all;
  all.add({.severity = Severity::Warning, .place = {"a", 9, 1}, .message = "late"});
  all.add({.severity = Severity::Error, .place = {"a", 2, 1}, .message = "early"});
  CHECK(all.text() == "a:2:1: error: early\na:9:1: warning: late\n");
  CHECK(all.has_errors());
  CHECK(all.count(Severity::Warning) == 1);
}

TEST_CASE("the nearest word is suggested only when it is near") {
  CHECK(nearest("histogram_quantille", {"rate", "histogram_quantile"}) == "histogram_quantile");
  CHECK(nearest("xyz", {"rate", "increase"}).empty());
  CHECK(nearest("fro", {"expr", "for", "labels"}) == "for");
  CHECK(nearest("rat", {"irate", "rad", "rate"}) == "rate");
  CHECK(nearest("raet", {"rad", "rate"}) == "rate");
  CHECK(nearest("su", {"sum", "sgn"}) == "sum");
  CHECK(nearest("mix", {"min", "max"}) == "min");
  CHECK(nearest("at", {"by", "as_of"}).empty());
}

}  // namespace
}  // namespace tocsin

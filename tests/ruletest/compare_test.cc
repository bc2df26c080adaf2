// SPDX-License-Identifier: Apache-2.0
#include "ruletest/compare.h"

#include <doctest/doctest.h>

namespace tocsin::ruletest {
namespace {

const Row kWeb{"{pod=\"web\"}", {{"pod", "web"}, {"severity", "critical"}, {"team", "a"}}};
const Row kEmoji{"{pod=\"emoji\"}", {{"pod", "emoji"}, {"severity", "warning"}, {"team", "b"}}};

TEST_CASE("rows that are the same in another order do not differ") {
  CHECK(difference({kWeb, kEmoji}, {kEmoji, kWeb}).empty());
  CHECK(difference({}, {}).empty());
}

TEST_CASE("a row that is there twice differs from one that is there once") {
  CHECK(difference({kWeb}, {kWeb, kWeb}) == "unexpected  {pod=\"web\"}\n");
}

TEST_CASE("a row that has nothing in common with any other is missing, or unexpected") {
  CHECK(difference({kWeb}, {kEmoji}) == "missing     {pod=\"web\"}\nunexpected  {pod=\"emoji\"}\n");
}

TEST_CASE("of a row that is nearly the same the fields that differ are named") {
  Row other = kWeb;
  other.fields["severity"] = "warning";
  other.fields.erase("team");
  CHECK(difference({kWeb}, {kEmoji, other}) ==
        "differs     {pod=\"web\"}\n"
        "              severity  expected  critical\n"
        "                        got       warning\n"
        "              team      expected  a\n"
        "                        got       nothing\n"
        "unexpected  {pod=\"emoji\"}\n");
}

}  // namespace
}  // namespace tocsin::ruletest

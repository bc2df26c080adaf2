// SPDX-License-Identifier: Apache-2.0
//
// The reference of functions in engine/promql/README.md is what the table says.
#include <doctest/doctest.h>

#include <algorithm>

#include "promql/functions.h"
#include "support/files.h"

namespace tocsin::promql {
namespace {

std::string reference() {
  std::string out = "| function | gives |\n| --- | --- |\n";
  for (const Function& function : all_functions()) {
    out += "| `" + signature_of(function) + "`: " + std::string(type_name(function.result)) +
           " | " + std::string(function.summary) +
           (function.traits.experimental ? " *Experimental.*" : "") + " |\n";
  }
  return out;
}

TEST_CASE("the reference lists every function as the table has it") {
  const std::string text = bytes_of(TOCSIN_SOURCE_DIR "/engine/promql/README.md");
  const bool is_there = text.find(reference()) != std::string::npos;
  if (!is_there) MESSAGE("put this into engine/promql/README.md:\n" << reference());
  CHECK(is_there);
}

TEST_CASE("the table is sorted by name, and every function is found in it") {
  const auto functions = all_functions();
  CHECK(std::is_sorted(functions.begin(), functions.end(),
                       [](const Function& a, const Function& b) { return a.name < b.name; }));
  for (const Function& function : functions) {
    CHECK(find_function(function.name) == &function);
    CHECK_FALSE(function.summary.empty());
  }
}

}  // namespace
}  // namespace tocsin::promql

// SPDX-License-Identifier: Apache-2.0
//
// Any bytes: they are an expression or they are not. What is one, prints as a text that is the same
// one again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "support/same_tree.h"

namespace {

using namespace tocsin::promql;

[[noreturn]] void give_up(std::string_view what, std::string_view text) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(text.size()), text.data());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = parse(text);
  if (!tree) {
    const Problem& problem = tree.error();
    if (problem.begin > problem.end || problem.begin > size) give_up("a problem outside", text);
    return 0;
  }
  const std::string printed = print(**tree);
  const auto again = parse(printed);
  if (!again) give_up(again.error().message, printed);
  if (!same_tree(**tree, **again)) give_up("another tree", printed);
  if (print(**again) != printed) give_up("another text", printed);
  inspect(**tree);
  needs_of(**tree);
  return 0;
}

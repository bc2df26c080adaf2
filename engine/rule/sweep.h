// SPDX-License-Identifier: Apache-2.0
//
// One threshold with several values: `below=98%..99.9%` tries rules as they are and as they could
// be. The files stay as they were written, but for the value. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.h"
#include "tocsin/rule_set.h"

namespace tocsin::rule {

struct Sweep {
  std::string rule;  // Empty: the only one that has such a threshold.
  std::string key;   // Of a mesh condition: "below"; or "expr": the number that it compares with.
  std::vector<std::string> values;
};

// "below=98%..99.9%", "CheckoutFails.above=200ms..1s/9": from, to, and how many steps lie between
// (4 if not said). Both ends are written like the threshold. Fails with InvalidArgument.
Result<Sweep> parse_sweep(std::string_view text);

// The files with `value` in place of the threshold. Fails with NotFound where no rule has it, and
// with InvalidArgument where several have, naming them.
Result<std::vector<SourceFile>> with_value(std::vector<SourceFile> files, const Sweep& sweep,
                                           const std::string& value);

}  // namespace tocsin::rule

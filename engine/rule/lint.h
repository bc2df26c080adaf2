// SPDX-License-Identifier: Apache-2.0
//
// What a PromQL rule over Linkerd's series most likely did not mean: requests counted twice, names
// and values that no proxy ever exports, the rate of a gauge. Warnings only; mesh conditions need
// none of this.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tocsin/promql.h"

namespace tocsin::rule {

struct LintFinding {
  std::string code;
  std::string message;
  std::string hint;
  std::size_t begin = 0;  // Bytes of the expression's text.
  std::size_t end = 0;
};

std::vector<LintFinding> lint(const promql::Expr& expr);

}  // namespace tocsin::rule

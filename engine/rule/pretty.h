// SPDX-License-Identifier: Apache-2.0
//
// PromQL over several lines, for people: what fits on a line stays on it. The text parses to the
// same tree.
#pragma once

#include <string>

#include "tocsin/promql.h"

namespace tocsin::rule {

// Lines are indented by `indent` spaces; none ends in a line break.
std::string pretty(const promql::Expr& expr, std::size_t indent);

}  // namespace tocsin::rule

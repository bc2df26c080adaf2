// SPDX-License-Identifier: Apache-2.0
//
// An expression that a person wrote, in words: what is computed over which series, what it is
// compared with, and where it counts. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tocsin/promql.h"

namespace tocsin::rule {

// Lines of a heading and a text: {"watches", "the sum by (namespace) of …"}, {"fires on", "more
// than 0.05"}, {"only where", …}. Of a recording, what it computes.
std::vector<std::pair<std::string, std::string>> expression_lines(const promql::Expr& expr);

// "the increase over 5m of response_total (direction is inbound)"
std::string in_words(const promql::Expr& expr);

}  // namespace tocsin::rule

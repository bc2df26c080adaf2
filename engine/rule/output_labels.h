// SPDX-License-Identifier: Apache-2.0
//
// Which labels the elements of an expression's result can have, as far as the expression says: what
// templates and matchings are checked against. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "promql/ast.h"

namespace tocsin::rule {

struct OutputLabels {
  // Open: any label but `names`. Closed: none but `names`.
  bool is_open = true;
  std::set<std::string, std::less<>> names;

  bool can_have(std::string_view label) const { return is_open != (names.count(label) > 0); }
};

OutputLabels output_labels(const promql::Expr& expr);

}  // namespace tocsin::rule

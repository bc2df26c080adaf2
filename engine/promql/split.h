// SPDX-License-Identifier: Apache-2.0
//
// Splits an expression between two places: its largest parts that a Prometheus can evaluate are
// asked of it, the rest is evaluated here over a reader that serves what was fetched. In the rest a
// selector of a reserved name stands for each part, so that the evaluator needs to know nothing.
//
//   const Split split = promql::split(expr, is_local_name);
//   for (const Part& part : split.parts) … asks_of(part, steps) … ask, and serve it by part.name
//   Query::prepare(split.rest) … evaluate over the serving reader
//
// Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promql/ast.h"

namespace tocsin::promql {

// The instants of an evaluation: first, first + step, … up to last; a step of 0 is the first alone.
struct Steps {
  Timestamp first;
  Timestamp last;
  Duration step{0};

  bool operator==(const Steps&) const = default;
};

// A subquery that is evaluated here.
struct Around {
  Duration range{0};
  Duration step{0};
  TimeShift shift;
};

// A vector, a scalar or a range vector.
struct Part {
  std::string name;            // Of the selector that stands for it; no metric can have it.
  ExprPtr expr;                // What to ask for.
  std::vector<Around> around;  // The subqueries that it stands in, the outermost first.
};

struct Split {
  ExprPtr rest;
  std::vector<Part> parts;
  // The expression is one part, and nothing is left to do here.
  bool is_whole = false;
};

// Parts are what reads at least one series, none of a name that `is_local_name` knows, and uses
// nothing that Prometheus has not had for years without a feature flag. A selector that does not
// name its metric with `=` counts as remote.
Split split(const ExprPtr& expr, const std::function<bool(std::string_view name)>& is_local_name);

// Which part a selector of this name stands for, if any.
std::optional<std::size_t> part_of(std::string_view name);

// One question: an instant query where steps.step is 0, otherwise a range query.
struct Ask {
  std::string query;
  Steps steps;
};
// What to ask so that the part has a value whenever evaluating the whole at `whole` looks at it.
// Questions follow each other in time; there are several where one would have too many points.
std::vector<Ask> asks_of(const Part& part, const Steps& whole,
                         Duration default_step = std::chrono::minutes(1));

}  // namespace tocsin::promql

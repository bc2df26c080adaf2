// SPDX-License-Identifier: Apache-2.0
//
// SharedSteps lets range queries over the same steps have what they have in common evaluated once:
// whoever asks for it first evaluates it at all of the steps, and the others take what came of it.
// Between two calls of begin() nothing may be written that any of them reads.
//
// The queries may be evaluated on several threads, one thread a query, and have to live as long as
// queries that share with them are evaluated. Warnings and infos are given to the query that
// evaluates.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "promql/plan.h"

namespace tocsin::promql {

class SharedSteps {
 public:
  struct Grid {
    Timestamp start;
    Timestamp end;
    Duration step{0};
  };

  // What occurs more than once in the expressions is shared.
  explicit SharedSteps(const std::vector<ExprPtr>& expressions);

  // Forgets all values; those at the steps of `grid` are shared from now on. While no query is
  // evaluated.
  void begin(const Grid& grid);

  // A part of expressions, known by its text.
  class Part;
  // The same for the same text, for as long as this lives; null: it is not shared. Any thread.
  Part* part(const std::string& text);

  using Evaluate = std::function<Result<Frame>(Context&)>;
  // Whether the instant that `context` is at is one of the steps.
  bool has(const Context& context) const;
  // The part's value at that instant. `evaluate` gives it at any instant; steps come in order. It
  // is called by one thread at a time, and may be called for other queries later.
  Result<Frame> value(Part& part, Context& context, const Evaluate& evaluate);

 private:
  Result<void> evaluate_all(Part& part, const Context& asker);

  Grid grid_;
  std::uint64_t round_ = 0;
  std::map<std::string, Part> parts_;  // As many as there are from the beginning.
};

class SharedSteps::Part {
  friend class SharedSteps;
  std::mutex mutex_;
  // Of whoever asked first: what a plan has learned of its series is not learned again by another.
  Evaluate evaluate_;
  std::uint64_t round_ = 0;  // Whose values these are.
  std::vector<Frame> values_;
  std::vector<std::size_t> samples_;  // How many were read, by step.
};

// `node` evaluates `expr`, which has to live as long as it does; what comes back shares its value
// where the query's options say so.
NodePtr share(const Expr& expr, NodePtr node);

}  // namespace tocsin::promql

// SPDX-License-Identifier: Apache-2.0
//
// What the checks of lint.h have in common: a list of findings, and questions about expressions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "promql/ast.h"
#include "rule/lint.h"

namespace tocsin::rule {

class Findings {
 public:
  void add(std::string_view code, std::string message, std::string hint,
           const promql::Expr& where) {
    all_.push_back({"lint/" + std::string(code), std::move(message), std::move(hint), where.begin,
                    where.end, "", ""});
  }
  void add(LintFinding finding) { all_.push_back(std::move(finding)); }
  const std::vector<LintFinding>& all() const { return all_; }
  std::vector<LintFinding> take() { return std::move(all_); }

 private:
  std::vector<LintFinding> all_;
};

// The selector that a vector or matrix selector is; null for anything else.
const promql::VectorSelector* selector_of(const promql::Expr& expr);
// All selectors of an expression.
std::vector<const promql::VectorSelector*> selectors_of(const promql::Expr& expr);
// What a selector demands of a label with `=`; empty where it does not.
std::string_view demanded(const promql::VectorSelector& selector, std::string_view label);

std::optional<double> number_of(const promql::Expr& expr);

// `vector OP number`, whichever way it was written.
struct Threshold {
  const promql::Expr* value;
  promql::BinaryOp op;
  double number;
};
std::optional<Threshold> threshold_of(const promql::Expr& expr);

// lint_bounds.cc: what the values of an expression can be, where that is known.
struct ValueBounds {
  double least;
  double most;
  bool only_ends;   // Nothing in between.
  std::string why;  // To stand before ": this is never true".
  std::string hint;

  // Whether a value can be one of which `value OP number` holds.
  bool can_be(promql::BinaryOp op, double number) const;
};
std::optional<ValueBounds> bounds_of(const promql::Expr& expr);
// Whether what comes out of an aggregation lies between the least and the most of what goes in.
bool keeps_bounds(promql::AggregateOp op);

// lint_names.cc: names, labels and functions.
void lint_names(const promql::Expr& expr, std::span<const ScrapedJob> jobs, Findings& findings);
// lint_thresholds.cc: comparisons.
void lint_thresholds(const promql::Expr& expr, Findings& findings);
// lint_mesh.cc: what is known of a mesh.
void lint_mesh(const promql::Expr& expr, Findings& findings);
// The same of an alert: whether it reads the certificate that it says it is about.
void lint_certificate(const Rule& rule, const promql::Expr& expr, Findings& findings);
// lint_pairs.cc: what finds no partner.
void lint_pairs(const promql::Expr& expr, Findings& findings);
// A share of requests that `expr` compares though there may be only a few; `where` is in the text.
void lint_floor(const promql::Expr& expr, const promql::Expr& where, Findings& findings);
// Whether the expression compares a share of requests with a number.
bool compares_share(const promql::Expr& expr);

}  // namespace tocsin::rule

// SPDX-License-Identifier: Apache-2.0
//
// What a PromQL rule most likely did not mean: names and values that no proxy ever exports,
// requests counted twice, a rate of a gauge, a threshold that nothing can reach, a share without a
// traffic floor, a template that asks for a label which its alert cannot have. Warnings only.
// Of mesh conditions only the templates are looked at here; the rest is with condition_reader.h.
// Pure.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rule/output_labels.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"

namespace tocsin::rule {

// One kind of finding, for `tocsin check --list` and for `# tocsin: disable=`.
struct LintCheck {
  std::string_view code;  // "lint/no-direction"
  std::string_view what;
  // Lines of a rule, behind its `alert:`: one that is found, and one that is not.
  std::string_view bad;
  std::string_view good;
};
std::span<const LintCheck> lint_checks();
// All of them as a page.
std::string lint_markdown();

struct LintFinding {
  std::string code;
  std::string message;
  std::string hint;
  std::size_t begin = 0;  // Bytes of the expression's text.
  std::size_t end = 0;
  std::string annotation;  // What it is about instead of the expression; empty: the expression.
  std::string label;       // The same.
};

// What can be said of an expression alone, and of how often the jobs are scraped that it reads.
std::vector<LintFinding> lint(const promql::Expr& expr, std::span<const ScrapedJob> jobs = {});

// What can be said of the rest of a rule whose expression a person wrote. `written` is that
// expression, which may be less than what the rule evaluates.
// `recordings` are those that were read before it: expressions by name.
using Recordings = std::map<std::string, std::string>;
std::vector<LintFinding> lint(const Rule& rule, const Group& group, const promql::Expr& written,
                              const Recordings& recordings);

// The templates of an alert whose elements have `labels` at most.
std::vector<LintFinding> lint_templates(const Rule& rule, const OutputLabels& labels,
                                        TemplateReader read);

}  // namespace tocsin::rule

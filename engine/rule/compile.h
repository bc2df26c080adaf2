// SPDX-License-Identifier: Apache-2.0
//
// Mesh condition → PromQL text. Compiling cannot fail: what makes no sense was refused by
// condition_reader.h. The text is parsed by whoever asked for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rule/series_family.h"
#include "tocsin/rule_set.h"

namespace tocsin::rule {

// A series that the condition wants remembered, for a recording rule.
struct Recording {
  std::string name;  // Decided by its parameters alone: equal conditions share one.
  std::string expr;
};

struct Compiled {
  std::string expr;                 // The alert's.
  std::string value;                // Before the threshold.
  std::string requests;             // In the window; may be empty.
  std::vector<std::string> labels;  // That the alert can have.
  std::vector<Recording> recordings;
};

// " unless on (…) (…)": to stand behind the expression of `condition`, so that it does not hold
// where `expr`, which is what `other` compiles to, holds for the same thing. Nothing where the two
// never speak of the same thing.
std::optional<std::string> unless_holds(const Condition& condition, const Condition& other,
                                        const std::string& expr);

// " or (…)": to stand behind the expression of the alert that `rule` is, so that it goes on while
// it fires and the condition holds with the threshold of resolve_when. Empty without one.
std::string or_still_firing(const Rule& rule, const Condition& condition, Memory memory);

// The same for an expression that compares: while it fires, and until `resolved` has the series.
std::string or_not_resolved(const Rule& rule, const std::string& compared,
                            const std::string& resolved);

// Asks for can_know(condition).
Compiled compile(const Condition& condition, Memory memory);

// Whether some series can tell what `where` asks for: only endpoint metrics know which workload
// answered, for one.
bool can_know(const Condition& condition);

// ---- The six, each in the file of its kind.
Compiled compile_success_rate(const Condition& condition);
Compiled compile_latency(const Condition& condition);
Compiled compile_traffic(const Condition& condition, Memory memory);
Compiled compile_control_plane(const Condition& condition);
Compiled compile_certificate(const Condition& condition);
Compiled compile_proxy_restarts(const Condition& condition);

// ---- What they share.

// "a or b", "a or on (x, y) b or on (x, y) c": the first family that has a row for a thing wins.
std::string prefer(const std::vector<std::string>& rows, const View& view);

// The families of a view that can know what `where` asks, each with its matchers ready.
struct Source {
  const Family* family;
  Sum sum;
};
std::vector<Source> sources_of(const Condition& condition, const View& view);

// The smallest number of requests in the window that `min_requests` and `min_rate` ask for.
double request_floor(const Condition& condition);

// "(rows) < 0.99"
std::string compared(const std::string& rows, const Condition& condition);

}  // namespace tocsin::rule

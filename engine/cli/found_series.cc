// SPDX-License-Identifier: Apache-2.0
#include "cli/found_series.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "promql/ast.h"
#include "promql/functions.h"
#include "tocsin/duration.h"
#include "tocsin/promql.h"

namespace tocsin::cli {
namespace {

std::string selector_text(const Matchers& matchers) {
  std::string out;
  for (const Matcher& m : matchers) out += (out.empty() ? "" : ",") + m.text();
  return "{" + out + "}";
}

std::string name_in(const Matchers& matchers) {
  for (const Matcher& m : matchers) {
    if (m.name() == kMetricName && m.op() == Matcher::Op::Equal) return m.value();
  }
  return "";
}

class Search {
 public:
  explicit Search(QuerySource& source) : source_(source) {}

  // Whether there are such series now, or were within the last day.
  Result<bool> finds(const Matchers& matchers) {
    const std::string selector = selector_text(matchers);
    const auto known = known_.find(selector);
    if (known != known_.end()) return known->second;
    const auto answer =
        source_.instant("count(last_over_time(" + selector + "[1d]))", source_.now());
    if (!answer) return fail(answer.error());
    const auto* vector = std::get_if<promql::Vector>(&answer->value);
    return known_[selector] = vector != nullptr && !vector->empty();
  }

  // The matcher without which there would be series; empty where it is not one alone.
  Result<std::string> culprit(const Matchers& matchers) {
    for (std::size_t i = 0; i < matchers.size(); ++i) {
      if (matchers[i].name() == kMetricName) continue;
      Matchers others = matchers;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      const auto found = finds(others);
      if (!found) return fail(found.error());
      if (*found) return matchers[i].text();
    }
    return std::string();
  }

 private:
  QuerySource& source_;
  std::map<std::string, bool> known_;
};

Result<std::string> why_nothing(const Matchers& matchers, Search& search) {
  const std::string name = name_in(matchers);
  if (!name.empty()) {
    const auto there = search.finds({Matcher::equal(kMetricName, name)});
    if (!there) return fail(there.error());
    if (!*there) return "there is no series '" + name + "'";
  }
  const auto culprit = search.culprit(matchers);
  if (!culprit) return fail(culprit.error());
  const std::string what = "no series matches " + selector_text(matchers);
  return culprit->empty() ? what : what + "; without " + *culprit + " there are some";
}

// What of an expression reads nothing, as far as that is a mistake: absent() waits for nothing, and
// of the two sides of `or` one is enough.
class Missing {
 public:
  Missing(const std::set<std::string>& recorded, Search& search)
      : recorded_(recorded), search_(search) {}

  Result<std::vector<Matchers>> of(const promql::Expr& written) {
    const promql::Expr& expr = promql::unwrap(written);
    if (const auto* selector = promql::as<promql::VectorSelector>(expr)) return of(*selector);
    if (const auto* matrix = promql::as<promql::MatrixSelector>(expr)) return of(matrix->vector);
    const auto* call = promql::as<promql::Call>(expr);
    if (call && call->function->name.starts_with("absent")) return std::vector<Matchers>{};
    const auto* binary = promql::as<promql::Binary>(expr);
    const bool one_is_enough = binary && binary->op == promql::BinaryOp::Or;
    std::vector<Matchers> out;
    for (const promql::ExprPtr& child : promql::children_of(expr)) {
      const auto missing = of(*child);
      if (!missing) return missing;
      if (one_is_enough && missing->empty()) return missing;
      for (const Matchers& one : *missing) {
        if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(one);
      }
    }
    return out;
  }

 private:
  Result<std::vector<Matchers>> of(const promql::VectorSelector& selector) {
    if (recorded_.count(name_in(selector.matchers)) > 0) return std::vector<Matchers>{};
    const auto found = search_.finds(selector.matchers);
    if (!found) return fail(found.error());
    return *found ? std::vector<Matchers>{} : std::vector<Matchers>{selector.matchers};
  }

  const std::set<std::string>& recorded_;
  Search& search_;
};

// The time between two samples, most of the time; to the second, since scrapes are never on time.
// Nothing where there are too few to tell.
std::optional<Duration> usual_gap(const std::vector<Sample>& samples) {
  constexpr std::size_t kEnough = 5;
  if (samples.size() < kEnough) return std::nullopt;
  std::vector<Duration> gaps;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    gaps.push_back(samples[i].at - samples[i - 1].at);
  }
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return std::max<Duration>(std::chrono::round<std::chrono::seconds>(*middle),
                            std::chrono::seconds(1));
}

std::set<std::string> recorded_by(const rule::RuleSet& rules) {
  std::set<std::string> out{"ALERTS", "ALERTS_FOR_STATE"};
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      if (rule.kind == rule::RuleKind::Record) out.insert(rule.name);
    }
  }
  return out;
}

}  // namespace

std::vector<rule::ScrapedJob> scraped_jobs(QuerySource& source) {
  const auto answer = source.instant("up[15m]", source.now());
  const auto* matrix = answer ? std::get_if<promql::Matrix>(&answer->value) : nullptr;
  if (matrix == nullptr) return {};
  std::map<std::string, Duration> slowest;
  for (const promql::Series& series : *matrix) {
    const auto gap = usual_gap(series.samples);
    if (!gap) continue;
    Duration& interval = slowest[std::string(series.labels.get("job"))];
    interval = std::max(interval, *gap);
  }
  std::vector<rule::ScrapedJob> out;
  for (const auto& [job, interval] : slowest) out.push_back({job, interval, "the data"});
  return out;
}

Result<Diagnostics> missing_series(const rule::RuleSet& rules, QuerySource& source) {
  const std::set<std::string> recorded = recorded_by(rules);
  Search search(source);
  Diagnostics out;
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      // A condition reads the metrics of several versions of Linkerd; nobody has all of them.
      if (rule.condition || rule.generated) continue;
      const auto missing = Missing(recorded, search).of(*rule.expr);
      if (!missing) return fail(missing.error());
      for (const Matchers& matchers : *missing) {
        auto why = why_nothing(matchers, search);
        if (!why) return fail(why.error());
        out.add(
            {Severity::Warning, "data/no-series", rule.place, std::move(*why),
             "rule '" + rule.name + "', group '" + group.name + "'",
             "right if it waits for a fault that has not happened yet; else the rule never fires",
             ""});
      }
    }
  }
  return out;
}

std::string FiringNow::text() const {
  const std::string count = std::to_string(alerts) + (alerts == 1 ? " alert" : " alerts");
  const std::string wait = rule.for_duration > Duration(0)
                               ? ", once it has been so for " + format_duration(rule.for_duration)
                               : "";
  const std::string more = alerts > 1 ? " and " + std::to_string(alerts - 1) + " more" : "";
  return rule.place.file + ":" + std::to_string(rule.place.line) + ": " + rule.name +
         " would have " + count + " now" + wait + ": " + example.text() + more;
}

Result<std::vector<FiringNow>> firing_now(const rule::RuleSet& rules, QuerySource& source) {
  std::vector<FiringNow> out;
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      if (rule.kind != rule::RuleKind::Alert) continue;
      const auto answer = source.instant(rule.expr_text, source.now());
      if (!answer) return fail(answer.error().in("rule " + rule.name));
      const auto* vector = std::get_if<promql::Vector>(&answer->value);
      if (!vector || vector->empty()) continue;
      out.push_back({rule, vector->size(), vector->front().labels.without(kMetricName)});
    }
  }
  return out;
}

}  // namespace tocsin::cli

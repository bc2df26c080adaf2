// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "promql/functions.h"
#include "rule/linkerd_catalog.h"
#include "rule/lint_parts.h"
#include "tocsin/sample.h"

namespace tocsin::rule {
namespace {

using promql::BinaryOp;
using promql::Expr;

constexpr double kLeafLifetime = 24 * 3600;
// A healthy leaf is renewed when 30% of its life is left.
constexpr double kLeafRenewal = 0.3 * kLeafLifetime;

bool is_above(BinaryOp op) { return op == BinaryOp::Gt || op == BinaryOp::Ge; }
bool is_below(BinaryOp op) { return op == BinaryOp::Lt || op == BinaryOp::Le; }

// The labels that say how a request ended.
constexpr std::array<std::string_view, 6> kOutcomes = {
    "classification", "status_code", "grpc_status", "http_status", "status", "error"};

// Whether it leaves requests out by how they ended: classification="failure", status_code!~"2..".
bool selects_outcomes(const Expr& expr) {
  const auto selectors = selectors_of(expr);
  return std::any_of(selectors.begin(), selectors.end(), [](const auto* selector) {
    return std::any_of(selector->matchers.begin(), selector->matchers.end(), [](const Matcher& m) {
      const bool is_outcome =
          std::find(kOutcomes.begin(), kOutcomes.end(), m.name()) != kOutcomes.end();
      return is_outcome && !(m.op() == Matcher::Op::Regex && m.value() == ".*");
    });
  });
}

bool is_of_traffic_counters(const Expr& expr) {
  const auto selectors = selectors_of(expr);
  return !selectors.empty() &&
         std::all_of(selectors.begin(), selectors.end(), [](const auto* selector) {
           const LinkerdMetric* metric = find_linkerd_metric(selector->name);
           return metric && metric->type != MetricType::Gauge && is_traffic_metric(selector->name);
         });
}

// The most that a share of requests can be: 1, or 100 where it is a percentage. Nothing where
// `expr` is no share: some outcomes divided by requests, times a number, or one minus that, or the
// mean, the least or the most of several.
std::optional<double> most_of_share(const Expr& written) {
  const Expr& expr = promql::unwrap(written);
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) {
    return keeps_bounds(aggregate->op) ? most_of_share(*aggregate->expr) : std::nullopt;
  }
  const auto* binary = promql::as<promql::Binary>(expr);
  if (binary == nullptr) return std::nullopt;
  const Expr& left = promql::unwrap(*binary->left);
  const Expr& right = promql::unwrap(*binary->right);
  if (binary->op == BinaryOp::Div && is_of_traffic_counters(left) &&
      is_of_traffic_counters(right)) {
    return selects_outcomes(left) && !selects_outcomes(right) ? std::optional(1.0) : std::nullopt;
  }
  const auto factor = number_of(left) ? number_of(left) : number_of(right);
  const auto share = most_of_share(number_of(left) ? right : left);
  if (!factor || !share) return std::nullopt;
  if (binary->op == BinaryOp::Mul) return *factor * *share;
  if (binary->op == BinaryOp::Div && number_of(right)) return *share / *factor;
  if (binary->op == BinaryOp::Sub && number_of(left)) return *factor;
  return std::nullopt;
}

bool is_leaf_expiry(const promql::VectorSelector& selector) {
  constexpr std::string_view kNames[] = {"identity_cert_expiration_timestamp_seconds",
                                         "control_identity_cert_expiration_timestamp_seconds"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view name) {
    if (!selector.name.empty()) return selector.name == name;
    return std::any_of(selector.matchers.begin(), selector.matchers.end(), [&](const Matcher& m) {
      return m.name() == kMetricName && m.matches(name);
    });
  });
}

// What a number is made of: the end of a leaf certificate, times a factor, the time, and seconds.
struct LeafTime {
  double end = 0;
  double time = 0;
  double seconds = 0;

  LeafTime plus(const LeafTime& other, double sign) const {
    return {end + sign * other.end, time + sign * other.time, seconds + sign * other.seconds};
  }
  LeafTime times(double factor) const { return {end * factor, time * factor, seconds * factor}; }
};

std::optional<LeafTime> leaf_time_of(const Expr& written);

std::optional<LeafTime> leaf_time_of(const promql::Binary& binary) {
  const auto left = leaf_time_of(*binary.left);
  const auto right = leaf_time_of(*binary.right);
  if (!left || !right) return std::nullopt;
  const auto factor = number_of(*binary.right);
  switch (binary.op) {
    case BinaryOp::Add:
      return left->plus(*right, 1);
    case BinaryOp::Sub:
      return left->plus(*right, -1);
    case BinaryOp::Or:  // Of two names for the same.
      return left;
    case BinaryOp::Mul:
      return factor ? std::optional(left->times(*factor)) : std::nullopt;
    case BinaryOp::Div:
      return factor && *factor != 0 ? std::optional(left->times(1 / *factor)) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// Nothing where it is made of anything else.
std::optional<LeafTime> leaf_time_of(const Expr& written) {
  const Expr& expr = promql::unwrap(written);
  if (const auto number = number_of(expr)) return LeafTime{0, 0, *number};
  if (const auto* selector = selector_of(expr)) {
    return is_leaf_expiry(*selector) ? std::optional(LeafTime{1, 0, 0}) : std::nullopt;
  }
  if (const auto* binary = promql::as<promql::Binary>(expr)) return leaf_time_of(*binary);
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) {
    return leaf_time_of(*aggregate->expr);
  }
  const auto* call = promql::as<promql::Call>(expr);
  if (call && call->function->name == "time") return LeafTime{0, 1, 0};
  return call && call->args.size() == 1 ? leaf_time_of(*call->args.front()) : std::nullopt;
}

// Of a comparison that asks whether a leaf certificate has less than so many seconds left, however
// it is written: those seconds.
std::optional<double> least_time_left(const Expr& expr) {
  const auto* binary = promql::as<promql::Binary>(expr);
  if (binary == nullptr || !(is_above(binary->op) || is_below(binary->op))) return std::nullopt;
  const auto left = leaf_time_of(*binary->left);
  const auto right = leaf_time_of(*binary->right);
  if (!left || !right) return std::nullopt;
  const LeafTime difference = left->plus(*right, -1);
  const bool is_time_left = difference.end != 0 && difference.end == -difference.time;
  if (!is_time_left || is_below(binary->op) != (difference.end > 0)) return std::nullopt;
  return -difference.seconds / difference.end;
}

class ThresholdLinter {
 public:
  explicit ThresholdLinter(Findings& findings) : findings_(findings) {}

  // Looks at the comparisons that decide whether there is a result.
  void walk(const Expr& written) {
    const Expr& expr = promql::unwrap(written);
    if (const auto threshold = threshold_of(expr)) check(*threshold, expr);
    check_leaf(expr);
    const auto* binary = promql::as<promql::Binary>(expr);
    if (binary == nullptr || !promql::info_of(binary->op).is_set) return;
    walk(*binary->left);
    walk(*binary->right);
  }

 private:
  void check(const Threshold& t, const Expr& where) {
    check_quantile(t, where);
    check_bounds(t, where);
  }

  void check_quantile(const Threshold& t, const Expr& where) {
    const auto* call = promql::as<promql::Call>(promql::unwrap(*t.value));
    if (call == nullptr || call->function->name != "histogram_quantile") return;
    const auto selectors = selectors_of(*call->args.at(1));
    const LinkerdMetric* metric =
        selectors.empty() ? nullptr : find_linkerd_metric(selectors.front()->name);
    if (metric == nullptr || metric->bounds.empty()) return;
    const double top = metric->bounds.back();
    if (t.number >= top && is_above(t.op)) {
      return findings_.add("never-true",
                           "the highest bound of '" + std::string(metric->name) + "' is " +
                               format_number(top) + ": no quantile is above it",
                           "use a lower threshold", where);
    }
    const auto next = std::lower_bound(metric->bounds.begin(), metric->bounds.end(), t.number);
    if (next == metric->bounds.end() || *next == t.number || next == metric->bounds.begin()) return;
    findings_.add("off-bucket",
                  format_number(t.number) + " lies between two bounds of '" +
                      std::string(metric->name) + "': what the quantile says there is a guess",
                  "use " + format_number(*(next - 1)) + " or " + format_number(*next), where);
  }

  void check_bounds(const Threshold& t, const Expr& where) {
    const auto share = most_of_share(*t.value);
    const auto bounds = share
                            ? std::optional<ValueBounds>{{0, *share, false,
                                                          "a share of requests is between 0 and " +
                                                              format_number(*share),
                                                          ""}}
                            : bounds_of(*t.value);
    if (!bounds) return;
    if (!bounds->can_be(t.op, t.number)) {
      return findings_.add("never-true", bounds->why + ": this is never true", bounds->hint, where);
    }
    const bool is_always = share && ((is_above(t.op) && t.number < bounds->least) ||
                                     (is_below(t.op) && t.number > bounds->most));
    if (is_always) {
      findings_.add("always-true", bounds->why + ": this is always true", bounds->hint, where);
    }
  }

  void check_leaf(const Expr& where) {
    const auto left = least_time_left(where);
    if (!left || *left <= kLeafRenewal) return;
    findings_.add("healthy-leaf",
                  *left >= kLeafLifetime
                      ? "leaf certificates live 24 hours: this always fires"
                      : "a healthy leaf certificate has between 7h 12m and 24h left: this fires "
                        "while nothing is wrong",
                  "use the condition 'certificate: {kind: leaf}', or less than 7h", where);
  }

  Findings& findings_;
};

// Whether something asks for a number of requests: `… and sum(increase(request_total[5m])) > 50`.
bool has_traffic_floor(const Expr& written) {
  return promql::any_of_tree(written, [](const Expr& expr) {
    const auto threshold = threshold_of(expr);
    return threshold && is_above(threshold->op) && threshold->number > 0 &&
           !most_of_share(*threshold->value) && is_of_traffic_counters(*threshold->value);
  });
}

}  // namespace

bool compares_share(const Expr& expr) {
  return promql::any_of_tree(expr, [](const Expr& part) {
    const auto threshold = threshold_of(part);
    return threshold && most_of_share(*threshold->value).has_value();
  });
}

void lint_floor(const Expr& expr, const Expr& where, Findings& findings) {
  if (!compares_share(expr) || has_traffic_floor(expr)) return;
  findings.add("no-floor",
               "a share of requests without a floor: at night one failure out of two is 50 %",
               "add 'and sum by (…) (increase(response_total{…}[5m])) > 50', or use the condition "
               "'success_rate'",
               where);
}

void lint_thresholds(const Expr& expr, Findings& findings) {
  ThresholdLinter(findings).walk(expr);
  lint_floor(expr, expr, findings);
}

}  // namespace tocsin::rule

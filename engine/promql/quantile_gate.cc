// SPDX-License-Identifier: Apache-2.0
#include "promql/quantile_gate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/replaced.h"
#include "promql/functions.h"
#include "promql/label_keys.h"

namespace tocsin::promql {
namespace {

using Texts = std::set<std::string, std::less<>>;

constexpr std::string_view kBound = "le";
// Sums of the same numbers may differ by what is left of float arithmetic.
constexpr double kSlack = 1e-9;

std::optional<double> number_of(const Expr& expr) {
  const auto* number = as<Number>(unwrap(expr));
  return number ? std::optional(number->value) : std::nullopt;
}

// What is compared: the quantile, and what it is divided by.
struct Compared {
  double limit = 0;
  double divisor = 1;
  double q = 0;
  ExprPtr sums;  // By bound.

  // Whether a quantile that is not above `bound` is not above the limit.
  bool reaches(double bound) const { return bound / divisor <= limit; }
};

const VectorSelector* selector_of_rates(const Expr& expr) {
  const auto* call = as<Call>(unwrap(expr));
  if (!call || (call->function->name != "rate" && call->function->name != "increase")) {
    return nullptr;
  }
  const auto* matrix = as<MatrixSelector>(unwrap(*call->args[0]));
  return matrix ? &matrix->vector : nullptr;
}

const Aggregate* as_sums_by_bound(const Expr& expr) {
  const auto* sums = as<Aggregate>(unwrap(expr));
  if (!sums || sums->op != AggregateOp::Sum || sums->without) return nullptr;
  const auto& by = sums->grouping;
  if (std::find(by.begin(), by.end(), kBound) == by.end()) return nullptr;
  return selector_of_rates(*sums->expr) ? sums : nullptr;
}

std::optional<Compared> compared_by(const Binary& comparison) {
  if (comparison.op != BinaryOp::Gt || comparison.return_bool) return std::nullopt;
  const auto limit = number_of(*comparison.right);
  if (!limit) return std::nullopt;
  Compared out{.limit = *limit};
  const Expr* left = &unwrap(*comparison.left);
  if (const auto* division = as<Binary>(*left)) {
    const auto divisor = number_of(*division->right);
    if (division->op != BinaryOp::Div || !divisor || !(*divisor > 0)) return std::nullopt;
    out.divisor = *divisor;
    left = &unwrap(*division->left);
  }
  const auto* call = as<Call>(*left);
  if (!call || call->function->name != "histogram_quantile") return std::nullopt;
  const auto q = number_of(*call->args[0]);
  if (!q || !(*q >= 0 && *q <= 1) || !as_sums_by_bound(*call->args[1])) return std::nullopt;
  out.q = *q;
  out.sums = call->args[1];
  return out;
}

// The expression with another matcher in its selectors.
ExprPtr with_matcher(const ExprPtr& expr, const Matcher& matcher) {
  const auto inside = [&](const ExprPtr& child) { return with_matcher(child, matcher); };
  const std::shared_ptr<Expr> out = with_each_child(*expr, inside);
  if (auto* matrix = std::get_if<MatrixSelector>(&out->node)) {
    matrix->vector.matchers.push_back(matcher);
  }
  return out;
}

// The letters of numbers, of which two mean something.
std::string as_regex(const std::string& number) {
  return replaced(number, {{'.', "[.]"}, {'+', "[+]"}});
}

// Asks for the two buckets of each histogram.
class Probe {
 public:
  Probe(const Compared& compared, double bound, const Texts& texts)
      : q_(compared.q), bound_(bound) {
    std::string any;
    for (const std::string& text : texts) any += (any.empty() ? "" : "|") + as_regex(text);
    const auto matcher = Matcher::make(Matcher::Op::Regex, kBound, any);
    sums_ = with_matcher(compared.sums, *matcher);
    node_ = plan(*sums_);
  }

  Result<bool> finds_all_below(Context& context) {
    const auto frame = node_->vector(context);
    if (!frame) return fail(frame.error());
    const Members& members = members_.get(frame->shape, [this](const Shape& s) { return find(s); });
    counts_.assign(members.histograms, {});
    for (const Member& member : members.rows) {
      const double count = frame->values[member.row];
      if (store::is_absent(count)) continue;
      Count& of = counts_[member.histogram];
      (member.is_total ? of.total : of.below) += count;
    }
    return std::all_of(counts_.begin(), counts_.end(), [this](const Count& count) {
      const bool rises = count.below * (1 - kSlack) <= count.total;
      return count.total == 0 || (rises && count.below * (1 - kSlack) >= q_ * count.total);
    });
  }

 private:
  struct Member {
    std::uint32_t row = 0;
    std::uint32_t histogram = 0;
    bool is_total = false;
  };
  struct Members {
    std::vector<Member> rows;
    std::uint32_t histograms = 0;
  };
  // Without a total there is no quantile.
  struct Count {
    double below = 0;
    double total = 0;
  };

  Members find(const Shape& shape) const {
    Members out;
    LabelKeys keys(LabelKeys::Mode::Without, {std::string(kBound)});
    for (std::uint32_t row = 0; row < shape.rows.size(); ++row) {
      const Labels& labels = shape.rows[row].labels;
      const bool is_below = parse_number(labels.get(kBound)) == bound_;
      out.rows.push_back({row, keys.number(labels), !is_below});
    }
    out.histograms = keys.size();
    return out;
  }

  const double q_;
  const double bound_;
  ExprPtr sums_;
  NodePtr node_;
  Memo<Members> members_;
  std::vector<Count> counts_;
};

class QuantileGate : public Node {
 public:
  QuantileGate(Compared compared, NodePtr whole)
      : compared_(std::move(compared)),
        whole_(std::move(whole)),
        nothing_(std::make_shared<const Shape>()) {}

  Result<Frame> vector(Context& context) override {
    const bool shares_steps = context.options.shared_steps && context.step.count() > 0;
    if (!shares_steps || context.reader.has_histograms()) return whole_->vector(context);
    if (run_ != context.run) find_probe(context);
    if (!probe_) return whole_->vector(context);
    const auto all_below = probe_->finds_all_below(context);
    if (!all_below) return fail(all_below.error());
    return *all_below ? Frame(nothing_) : few(context);
  }

 private:
  // How long a histogram that is above is expected to stay so.
  static constexpr Duration kAhead = std::chrono::minutes(5);

  const VectorSelector& selector() const {
    return *selector_of_rates(*as_sums_by_bound(*compared_.sums)->expr);
  }

  // Of the series that are there when steps begin, as they are written.
  Texts bounds_of(const store::SeriesReader& reader) const {
    Texts texts;
    for (const store::SeriesId id : reader.select(selector().matchers)) {
      const std::string_view text = reader.labels(id).get(kBound);
      if (!texts.contains(text)) texts.emplace(text);
    }
    return texts;
  }

  void find_probe(const Context& context) {
    run_ = context.run;
    const std::uint64_t version = context.reader.version(selector().name);
    if (reader_ == &context.reader && version_ == version) return;
    reader_ = &context.reader;
    version_ = version;
    Texts texts = bounds_of(context.reader);
    double bound = -std::numeric_limits<double>::infinity();
    for (const std::string& text : texts) {
      const auto value = parse_number(text);
      if (value && compared_.reaches(*value)) bound = std::max(bound, *value);
    }
    std::erase_if(texts, [bound](const std::string& text) {
      const auto value = parse_number(text);
      return !value || (*value != bound && *value != std::numeric_limits<double>::infinity());
    });
    const bool is_usable = std::isfinite(bound) && !texts.empty();
    probe_ = nullptr;
    if (!is_usable) return;
    // None ends before the gate: what queries share may still ask one of them.
    auto& probe = probes_[texts];
    if (!probe) probe = std::make_unique<Probe>(compared_, bound, texts);
    probe_ = probe.get();
  }

  Result<Frame> few(Context& context) {
    const Timestamp last = context.last;
    context.last = std::min(last, context.at + kAhead);
    auto frame = whole_->vector(context);
    context.last = last;
    return frame;
  }

  const Compared compared_;
  const NodePtr whole_;
  const ShapePtr nothing_;
  std::uint64_t run_ = 0;
  // Whose series probe_ is for: as long as they are the same, so is the probe.
  const store::SeriesReader* reader_ = nullptr;
  std::uint64_t version_ = 0;
  std::map<Texts, std::unique_ptr<Probe>> probes_;  // By the bounds they ask for.
  Probe* probe_ = nullptr;                          // The one to ask.
};

}  // namespace

NodePtr gate_quantile(const Binary& comparison, NodePtr whole) {
  auto compared = compared_by(comparison);
  if (!compared) return whole;
  return std::make_unique<QuantileGate>(std::move(*compared), std::move(whole));
}

}  // namespace tocsin::promql

// SPDX-License-Identifier: Apache-2.0
//
// Function calls. Each kind of implementation in the table has one node that drives it.
#include <algorithm>
#include <cmath>
#include <map>

#include "promql/call_params.h"
#include "promql/histogram_eval.h"
#include "promql/plan.h"

namespace tocsin::promql {
namespace {

// Applies `change(value)` to every sample of its argument.
template <class Change>
Result<Frame> change_values(Node& argument, RowwiseShape& shape, Context& context, Change change) {
  auto frame = argument.vector(context);
  if (!frame) return frame;
  frame->shape = shape.get(frame->shape, drop_name);
  frame->is_ordered = false;
  frame->drop_histograms();
  for (double& value : frame->values) {
    if (!store::is_absent(value)) value = change(value);
  }
  return frame;
}

class MathNode : public Node {
 public:
  MathNode(const Call& call, MathFunction function)
      : function_(function), argument_(plan(*call.args[0])) {}
  Result<Frame> vector(Context& context) override {
    return change_values(*argument_, shape_, context, function_);
  }

 private:
  MathFunction function_;
  NodePtr argument_;
  RowwiseShape shape_;
};

class ParamNode : public Node {
 public:
  ParamNode(const Call& call, ParamFunction function)
      : function_(function), argument_(plan(*call.args[0])), params_(call) {}

  Result<Frame> vector(Context& context) override {
    const auto params = params_.read(context);
    if (!params) return fail(params.error());
    auto frame = change_values(*argument_, shape_, context,
                               [&](double value) { return function_(value, *params); });
    // clamp() with its bounds the wrong way round is empty.
    if (frame && params->size() == 2 && (*params)[1] < (*params)[0]) {
      std::fill(frame->values.begin(), frame->values.end(), store::absent_value());
    }
    return frame;
  }

 private:
  ParamFunction function_;
  NodePtr argument_;
  Params params_;
  RowwiseShape shape_;
};

// Until the year 32,000, the calendar of the standard library.
// Differs from Prometheus: what is no such time has no date; there it has that of an overflow.
constexpr double kMaxUnixSeconds = 9.4e11;

// day_of_week(v) and its like; without an argument, of the evaluation's own time.
class DateNode : public Node {
 public:
  DateNode(const Call& call, DateFunction function)
      : function_(function), argument_(call.args.empty() ? nullptr : plan(*call.args[0])) {}

  Result<Frame> vector(Context& context) override {
    if (!argument_) {
      Frame out(now_);
      out.values[0] = function_(to_millis(context.at) / 1000);
      return out;
    }
    return change_values(*argument_, shape_, context, [&](double value) {
      if (!(std::abs(value) < kMaxUnixSeconds)) return std::nan("");
      return function_(static_cast<std::int64_t>(value));
    });
  }

 private:
  DateFunction function_;
  NodePtr argument_;
  ShapePtr now_ = single_row({});
  RowwiseShape shape_;
};

class TimeNode : public Node {
 public:
  Result<double> scalar(Context& context) override { return to_seconds(context.at); }
};

class PiNode : public Node {
 public:
  Result<double> scalar(Context&) override { return 3.14159265358979323846; }
};

class ToScalarNode : public Node {
 public:
  explicit ToScalarNode(NodePtr argument) : argument_(std::move(argument)) {}
  Result<double> scalar(Context& context) override {
    const auto frame = argument_->vector(context);
    if (!frame) return fail(frame.error());
    double only = std::nan("");
    int count = 0;
    for (const double value : frame->values) {
      if (store::is_absent(value)) continue;
      only = value;
      ++count;
    }
    return count == 1 ? only : std::nan("");
  }

 private:
  NodePtr argument_;
};

class ToVectorNode : public Node {
 public:
  explicit ToVectorNode(NodePtr argument) : argument_(std::move(argument)) {}
  Result<Frame> vector(Context& context) override {
    const auto value = argument_->scalar(context);
    if (!value) return fail(value.error());
    Frame out(shape_);
    out.values[0] = *value;
    return out;
  }

 private:
  NodePtr argument_;
  ShapePtr shape_ = single_row({});
};

// When a selector's sample was taken; of anything else, `+x` included, when it was computed.
class TimestampNode : public Node {
 public:
  explicit TimestampNode(const Expr& argument)
      : argument_(plan_alone(unwrap(argument))),
        selector_(as<VectorSelector>(unwrap(argument))
                      ? dynamic_cast<SelectorNode*>(argument_.get())
                      : nullptr) {
    if (selector_) selector_->keep_times();
  }

  Result<Frame> vector(Context& context) override {
    auto frame = argument_->vector(context);
    if (!frame) return frame;
    frame->shape = shape_.get(frame->shape, drop_name);
    for (std::size_t i = 0; i < frame->values.size(); ++i) {
      if (!frame->has_sample(i)) continue;
      frame->values[i] = selector_ ? static_cast<double>(selector_->times_ms()[i]) / 1000.0
                                   : to_seconds(context.at);
    }
    frame->drop_histograms();
    return frame;
  }

 private:
  NodePtr argument_;
  SelectorNode* selector_;
  RowwiseShape shape_;
};

// The labels that absent() can promise: those that its selector demands with `=`, once each.
Labels absent_labels(const Expr& argument) {
  const Matchers* matchers = nullptr;
  if (const auto* vector = as<VectorSelector>(argument)) matchers = &vector->matchers;
  if (const auto* matrix = as<MatrixSelector>(argument)) matchers = &matrix->vector.matchers;
  LabelsBuilder labels;
  if (!matchers) return {};
  std::map<std::string, int> seen;
  for (const Matcher& matcher : *matchers) ++seen[matcher.name()];
  for (const Matcher& matcher : *matchers) {
    if (matcher.name() == kMetricName || matcher.op() != Matcher::Op::Equal) continue;
    if (seen[matcher.name()] == 1) labels.set(matcher.name(), matcher.value());
  }
  return labels.build();
}

class AbsentNode : public Node {
 public:
  explicit AbsentNode(const Expr& argument)
      : argument_(plan(argument)), shape_(single_row(absent_labels(argument))) {}
  Result<Frame> vector(Context& context) override {
    const auto frame = argument_->vector(context);
    if (!frame) return frame;
    Frame out(shape_);
    bool any = false;
    for (std::size_t i = 0; !any && i < frame->values.size(); ++i) any = frame->has_sample(i);
    if (!any) out.values[0] = 1;
    return out;
  }

 private:
  NodePtr argument_;
  ShapePtr shape_;
};

class AbsentOverTimeNode : public Node {
 public:
  explicit AbsentOverTimeNode(const Expr& argument)
      : argument_(plan_range(argument)), shape_(single_row(absent_labels(unwrap(argument)))) {}
  Result<Frame> vector(Context& context) override {
    if (auto opened = argument_->open(context); !opened) return fail(opened.error());
    Frame out(shape_);
    if (!has_numbers() && !has_histograms(context)) out.values[0] = 1;
    return out;
  }

 private:
  bool has_numbers() {
    const std::size_t rows = argument_->shape()->rows.size();
    for (std::size_t first = 0; first < rows; first += ends_.rows) {
      argument_->ends(first, ends_);
      if (ends_.sample_count() > 0) return true;
    }
    return false;
  }

  bool has_histograms(const Context& context) {
    if (!context.reader.has_histograms()) return false;
    std::vector<HistogramSample> histograms;
    for (std::size_t row = 0; histograms.empty() && row < argument_->shape()->rows.size(); ++row) {
      argument_->histograms(row, histograms);
    }
    return !histograms.empty();
  }

  RangeNodePtr argument_;
  ShapePtr shape_;
  store::EndsBatch ends_;
};

// sort() and sort_desc(): NaN last, either way.
class SortNode : public Node {
 public:
  SortNode(NodePtr argument, bool descending)
      : argument_(std::move(argument)), descending_(descending) {}
  Result<Frame> vector(Context& context) override {
    auto frame = argument_->vector(context);
    if (!frame) return frame;
    frame->drop_histograms();
    frame->order.clear();
    for (std::uint32_t i = 0; i < frame->values.size(); ++i) {
      if (!store::is_absent(frame->values[i])) frame->order.push_back(i);
    }
    std::stable_sort(frame->order.begin(), frame->order.end(), [&](auto x, auto y) {
      const double a = frame->values[x];
      const double b = frame->values[y];
      if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
      return descending_ ? a > b : a < b;
    });
    frame->is_ordered = true;
    return frame;
  }

 private:
  NodePtr argument_;
  bool descending_;
};

}  // namespace

NodePtr plan_special(const Call& call, Special special) {
  if (special == Special::Time) return std::make_unique<TimeNode>();
  if (special == Special::Pi) return std::make_unique<PiNode>();
  const Expr& first = *call.args[0];
  switch (special) {
    case Special::ToScalar:
      return std::make_unique<ToScalarNode>(plan(first));
    case Special::ToVector:
      return std::make_unique<ToVectorNode>(plan(first));
    case Special::Timestamp:
      return std::make_unique<TimestampNode>(first);
    case Special::Absent:
      return std::make_unique<AbsentNode>(first);
    case Special::AbsentOverTime:
      return std::make_unique<AbsentOverTimeNode>(first);
    case Special::Sort:
      return std::make_unique<SortNode>(plan(first), false);
    case Special::SortDesc:
      return std::make_unique<SortNode>(plan(first), true);
    case Special::HistogramQuantile:
    case Special::HistogramFraction:
      return plan_histogram_call(call, special);
    case Special::LabelReplace:
    case Special::LabelJoin:
    case Special::SortByLabel:
    case Special::SortByLabelDesc:
      return plan_label_call(call, special);
    default:
      return nullptr;
  }
}

NodePtr plan_call(const Call& call) {
  struct Planner {
    const Call& call;
    NodePtr operator()(MathFunction f) const { return std::make_unique<MathNode>(call, f); }
    NodePtr operator()(ParamFunction f) const { return std::make_unique<ParamNode>(call, f); }
    NodePtr operator()(DateFunction f) const { return std::make_unique<DateNode>(call, f); }
    NodePtr operator()(RangeFunction f) const { return plan_range_call(call, f); }
    NodePtr operator()(Change change) const { return plan_range_call(call, change); }
    NodePtr operator()(HistogramFunction f) const { return plan_histogram_call(call, f); }
    NodePtr operator()(Special special) const { return plan_special(call, special); }
  };
  return std::visit(Planner{call}, call.function->implementation);
}

}  // namespace tocsin::promql

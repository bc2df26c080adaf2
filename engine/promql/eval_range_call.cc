// SPDX-License-Identifier: Apache-2.0
//
// Functions of range vectors: of every sample in a window, or of its ends alone.
#include <algorithm>
#include <map>
#include <utility>

#include "promql/annotations.h"
#include "promql/call_params.h"
#include "promql/histogram_eval.h"
#include "promql/plan.h"

namespace tocsin::promql {
namespace {

const Expr* argument_of_type(const Call& call, ValueType type) {
  for (const ExprPtr& arg : call.args) {
    if (arg->type == type) return arg.get();
  }
  return nullptr;
}

// avg_over_time(m) and its like: a function of each row's samples.
class RangeCallNode : public Node {
 public:
  RangeCallNode(const Call& call, RangeFunction function)
      : call_(call),
        function_(function),
        quantile_(call.function->name == "quantile_over_time" ? call.args[0] : nullptr),
        keeps_name_(call.function->traits.keeps_name),
        argument_(plan_range(*argument_of_type(call, ValueType::Matrix))),
        params_(call) {}

  Result<Frame> vector(Context& context) override {
    const auto params = params_.read(context);
    if (!params) return fail(params.error());
    if (quantile_) note_quantile((*params)[0], *quantile_, context.annotations);
    if (auto opened = argument_->open(context); !opened) return fail(opened.error());
    Frame out(shape_.get(argument_->shape(), [&](const Shape& shape) {
      return keeps_name_ ? std::make_shared<const Shape>(shape) : drop_names(shape);
    }));
    for (std::size_t first = 0; first < out.values.size(); first += RangeNode::kBatch) {
      const std::size_t count = std::min(RangeNode::kBatch, out.values.size() - first);
      argument_->windows(first, count, windows_);
      for (std::size_t i = 0; i < count; ++i) {
        const Window window{windows_[i], argument_->from(), argument_->upto(), context.at};
        if (window.samples.empty()) continue;
        if (const auto value = function_(window, *params)) out.values[first + i] = *value;
      }
    }
    if (context.reader.has_histograms()) evaluate_histograms(call_, *argument_, context, out);
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return out;
  }

 private:
  Call call_;
  RangeFunction function_;
  ExprPtr quantile_;  // The argument that has to be one; null: none.
  bool keeps_name_;
  RangeNodePtr argument_;
  Params params_;
  Memo<ShapePtr> shape_;
  store::Windows windows_;
};

// rate(), increase(), delta(): a function of each window's ends.
class EndsCallNode : public Node {
 public:
  EndsCallNode(const Call& call, EndsFunction function)
      : call_(call), function_(function), argument_(plan_range(*call.args[0])) {}

  Result<Frame> vector(Context& context) override {
    if (auto opened = argument_->open(context); !opened) return fail(opened.error());
    Frame out(shape_.get(argument_->shape(), drop_names));
    const bool has_histograms = context.reader.has_histograms();
    if (argument_->can_look_ahead() && context.upcoming() > 1 && !has_histograms) {
      if (!ahead_.holds(context, argument_->shape())) look_ahead(context);
      ahead_.take(context, out.values);
    } else {
      evaluate(out);
    }
    if (has_histograms) evaluate_histograms(call_, *argument_, context, out);
    if (call_.function->traits.of_counters) note_no_counters(out, context.annotations);
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return out;
  }

 private:
  // Values of some evaluations that are to come.
  struct Ahead {
    std::uint64_t run = 0;
    ShapePtr shape;
    Timestamp first{};
    Duration step{0};
    std::vector<std::vector<double>> values;  // By evaluation; taken when it has come.
    std::vector<std::size_t> samples;

    bool holds(const Context& context, const ShapePtr& of) const {
      if (run != context.run || shape != of || step != context.step || context.at < first) {
        return false;
      }
      const auto place = static_cast<std::size_t>((context.at - first) / step);
      return place < values.size() &&
             first + static_cast<Duration::rep>(place) * step == context.at &&
             values[place].size() == of->rows.size();
    }

    void take(Context& context, std::vector<double>& out) {
      const auto place = static_cast<std::size_t>((context.at - first) / step);
      out = std::exchange(values[place], {});
      context.samples += samples[place];
    }
  };
  static constexpr std::size_t kAhead = 16;  // Evaluations at once, at most.

  void evaluate(Frame& out) {
    for (std::size_t first = 0; first < out.values.size(); first += RangeNode::kBatch) {
      ends_.resize(std::min(RangeNode::kBatch, out.values.size() - first));
      argument_->ends(first, ends_);
      function_(ends_, {argument_->from(), argument_->upto()},
                std::span(out.values).subspan(first, ends_.size()));
    }
  }

  // What a block of the store holds is read for several evaluations while it is at hand.
  void look_ahead(const Context& context) {
    const std::size_t count = std::min(context.upcoming(), kAhead);
    const std::size_t rows = argument_->shape()->rows.size();
    ahead_ = {context.run, argument_->shape(), context.at, context.step, {}, {}};
    ahead_.values.assign(count, std::vector<double>(rows, store::absent_value()));
    ahead_.samples.assign(count, 0);
    windows_.clear();
    for (std::size_t k = 0; k < count; ++k) {
      const Timestamp at = context.at + static_cast<Duration::rep>(k) * context.step;
      windows_.push_back(argument_->window_at(context, at));
    }
    for (std::size_t first = 0; first < rows; first += RangeNode::kBatch) {
      look_ahead(first, std::min(RangeNode::kBatch, rows - first));
    }
  }

  void look_ahead(std::size_t first, std::size_t rows) {
    ends_.resize(rows * windows_.size());
    argument_->ends(first, rows, windows_, ends_);
    for (std::size_t k = 0; k < windows_.size(); ++k) {
      const auto ends = std::span<const store::WindowEnds>(ends_).subspan(k * rows, rows);
      for (const store::WindowEnds& window : ends) ahead_.samples[k] += window.count;
      function_(ends, windows_[k], std::span(ahead_.values[k]).subspan(first, rows));
    }
  }

  // The rows of each metric whose name is not a counter's.
  using Suspects = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;

  static Suspects find_suspects(const Shape& shape) {
    Suspects out;
    for (std::uint32_t row = 0; row < shape.rows.size(); ++row) {
      const std::string_view name = shape.rows[row].labels.metric_name();
      if (name.empty() || names_a_counter(name)) continue;
      auto it = out.find(name);
      if (it == out.end()) it = out.try_emplace(std::string(name)).first;
      it->second.push_back(row);
    }
    return out;
  }

  void note_no_counters(const Frame& frame, Annotations& annotations) {
    for (const auto& [name, rows] : suspects_.get(argument_->shape(), find_suspects)) {
      const bool any = std::any_of(rows.begin(), rows.end(), [&](std::uint32_t row) {
        return !store::is_absent(frame.values[row]);
      });
      if (any) note_no_counter(name, *call_.args[0], annotations);
    }
  }

  Call call_;
  EndsFunction function_;
  RangeNodePtr argument_;
  Memo<ShapePtr> shape_;
  Memo<Suspects> suspects_;
  std::vector<store::WindowEnds> ends_;
  std::vector<store::Interval> windows_;
  Ahead ahead_;
};

}  // namespace

NodePtr plan_range_call(const Call& call, RangeFunction function) {
  return std::make_unique<RangeCallNode>(call, function);
}

NodePtr plan_range_call(const Call& call, EndsFunction function) {
  return std::make_unique<EndsCallNode>(call, function);
}

}  // namespace tocsin::promql

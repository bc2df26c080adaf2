// SPDX-License-Identifier: Apache-2.0
#include "promql/plan.h"

#include "promql/histogram_eval.h"
#include "promql/shared_steps.h"

namespace tocsin::promql {
namespace {

class NumberNode : public Node {
 public:
  explicit NumberNode(double value) : value_(value) {}
  Result<double> scalar(Context&) override { return value_; }

 private:
  double value_;
};

class TextNode : public Node {
 public:
  explicit TextNode(std::string value) : value_(std::move(value)) {}
  std::string text() const override { return value_; }

 private:
  std::string value_;
};

class NegateNode : public Node {
 public:
  explicit NegateNode(NodePtr inner) : inner_(std::move(inner)) {}

  Result<double> scalar(Context& context) override {
    return inner_->scalar(context).map([](double v) { return -v; });
  }

  Result<Frame> vector(Context& context) override {
    auto frame = inner_->vector(context);
    if (!frame) return frame;
    frame->shape = shape_.get(frame->shape, drop_name);
    for (double& value : frame->values) {
      if (!store::is_absent(value)) value = -value;
    }
    for (HistogramPtr& histogram : frame->histograms) {
      if (histogram) histogram = negated(*histogram);
    }
    return frame;
  }

 private:
  NodePtr inner_;
  RowwiseShape shape_;
};

Error canceled() { return {ErrorCode::Canceled, "query was canceled in query execution"}; }

}  // namespace

Result<void> Context::count(std::size_t samples_read) {
  samples += samples_read;
  if (options.is_canceled && options.is_canceled()) return fail(canceled());
  if (samples <= options.max_samples) return {};
  return fail(ErrorCode::Limit,
              "query processing would load too many samples into memory in query execution");
}

Timestamp Context::shifted(const TimeShift& shift) const {
  switch (shift.at.kind) {
    case AtModifier::Kind::None:
      return at - shift.offset;
    case AtModifier::Kind::Instant:
      return shift.at.instant - shift.offset;
    case AtModifier::Kind::Start:
      return start - shift.offset;
    case AtModifier::Kind::End:
      return end - shift.offset;
  }
  return at;
}

void Frame::set_histogram(std::size_t row, HistogramPtr histogram) {
  if (histograms.empty()) histograms.resize(values.size());
  values[row] = store::absent_value();
  histograms[row] = std::move(histogram);
}

void Frame::remove(std::size_t row) {
  values[row] = store::absent_value();
  if (!histograms.empty()) histograms[row] = nullptr;
}

std::size_t Context::upcoming() const {
  if (step.count() <= 0 || last <= at) return 1;
  return static_cast<std::size_t>((last - at) / step) + 1;
}

SharedValues* Context::shared() const {
  const bool is_an_instant = start == end && at == start && step.count() == 0;
  return is_an_instant ? options.shared.get() : nullptr;
}

Result<bool> Context::pause() {
  if (options.is_canceled && options.is_canceled()) return fail(canceled());
  if (!options.pause) return false;
  options.pause();
  return true;
}

// The type checker sees to it that nobody asks a node for what it is not.
Result<Frame> Node::vector(Context&) {
  return fail(ErrorCode::InvalidArgument, "not an instant vector");
}
Result<double> Node::scalar(Context&) { return fail(ErrorCode::InvalidArgument, "not a scalar"); }
std::string Node::text() const { return {}; }

const std::vector<std::string>& schema_labels() {
  static const std::vector<std::string> kLabels{std::string(kMetricName), "__type__", "__unit__"};
  return kLabels;
}

ShapeRow drop_name(const ShapeRow& row) { return {row.labels, true}; }

ShapePtr single_row(Labels labels) {
  auto out = std::make_shared<Shape>();
  out->rows.push_back({std::move(labels), false});
  return out;
}

const std::string& literal_of(const Expr& expr) { return as<String>(unwrap(expr))->value; }

NodePtr plan(const Expr& expr) {
  const Expr& inner = unwrap(expr);
  NodePtr node = plan_alone(inner);
  return inner.type == ValueType::Vector ? share(inner, std::move(node)) : std::move(node);
}

NodePtr plan_alone(const Expr& inner) {
  if (const auto* node = as<Number>(inner)) return std::make_unique<NumberNode>(node->value);
  if (const auto* node = as<String>(inner)) return std::make_unique<TextNode>(node->value);
  if (const auto* node = as<VectorSelector>(inner)) return std::make_unique<SelectorNode>(*node);
  if (const auto* node = as<Binary>(inner)) return plan_binary(*node, inner.type);
  if (const auto* node = as<Aggregate>(inner)) return plan_aggregate(inner, *node);
  if (const auto* node = as<Call>(inner)) return plan_call(*node);
  if (const auto* node = as<Unary>(inner)) {
    return node->negative ? NodePtr(std::make_unique<NegateNode>(plan(*node->expr)))
                          : plan(*node->expr);
  }
  return nullptr;  // A range vector: plan_range() is for those.
}

}  // namespace tocsin::promql

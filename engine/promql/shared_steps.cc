// SPDX-License-Identifier: Apache-2.0
#include "promql/shared_steps.h"

#include <utility>

#include "promql/row_stream.h"

namespace tocsin::promql {
namespace {

// How often each text occurs; what is inside of one that occurs twice is not counted twice.
void count_parts(const Expr& expr, std::map<std::string, int>& counts) {
  const Expr& inner = unwrap(expr);
  if (++counts[print(inner)] > 1) return;
  for (const ExprPtr& child : children_of(inner)) count_parts(*child, counts);
}

class SharingNode : public Node {
 public:
  SharingNode(const Expr& expr, NodePtr node) : expr_(expr), node_(std::move(node)) {}

  Result<Frame> vector(Context& context) override {
    SharedSteps* const steps = context.options.shared_steps.get();
    if (!steps) return node_->vector(context);
    if (steps != steps_) part_ = steps->part(print(expr_));
    steps_ = steps;
    if (!part_ || !steps->has(context)) return node_->vector(context);
    return steps->value(*part_, context, [this](Context& c) { return node_->vector(c); });
  }

  RowStream* stream(const Context& context) override { return node_->stream(context); }

 private:
  const Expr& expr_;
  const NodePtr node_;
  SharedSteps* steps_ = nullptr;
  SharedSteps::Part* part_ = nullptr;
};

}  // namespace

NodePtr share(const Expr& expr, NodePtr node) {
  return std::make_unique<SharingNode>(expr, std::move(node));
}

SharedSteps::SharedSteps(const std::vector<ExprPtr>& expressions) {
  std::map<std::string, int> counts;
  for (const ExprPtr& expr : expressions) count_parts(*expr, counts);
  for (const auto& [text, count] : counts) {
    if (count > 1) parts_.try_emplace(text);
  }
}

void SharedSteps::begin(const Grid& grid) {
  grid_ = grid;
  ++round_;
  for (auto& [text, part] : parts_) part.values_.clear();
}

SharedSteps::Part* SharedSteps::part(const std::string& text) {
  const auto it = parts_.find(text);
  return it == parts_.end() ? nullptr : &it->second;
}

// A subquery's own steps lie elsewhere, and so may the start and the end that `@` speaks of.
bool SharedSteps::has(const Context& context) const {
  return round_ > 0 && context.step.count() > 0 && context.start == grid_.start &&
         context.end == grid_.end && context.at >= grid_.start && context.at <= grid_.end &&
         ((context.at - grid_.start) % grid_.step).count() == 0;
}

Result<Frame> SharedSteps::value(Part& part, Context& context, const Evaluate& evaluate) {
  const std::lock_guard guard(part.mutex_);
  if (!part.evaluate_) part.evaluate_ = evaluate;
  if (part.round_ != round_ || part.values_.empty()) {
    if (auto done = evaluate_all(part, context); !done) return fail(done.error());
    part.round_ = round_;
  }
  const auto step = static_cast<std::size_t>((context.at - grid_.start) / grid_.step);
  if (auto counted = context.count(part.samples_[step]); !counted) return fail(counted.error());
  return part.values_[step];
}

Result<void> SharedSteps::evaluate_all(Part& part, const Context& asker) {
  Context context{asker.reader, asker.options, grid_.start, grid_.end, grid_.start};
  context.run = round_;
  context.step = grid_.step;
  context.last = grid_.end;
  part.values_.clear();
  part.samples_.clear();
  for (; context.at <= grid_.end; context.at += grid_.step) {
    context.samples = 0;
    auto frame = part.evaluate_(context);
    if (!frame) {
      part.values_.clear();
      return fail(frame.error());
    }
    part.values_.push_back(std::move(*frame));
    part.samples_.push_back(context.samples);
  }
  return {};
}

}  // namespace tocsin::promql

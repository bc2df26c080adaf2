// SPDX-License-Identifier: Apache-2.0
//
// Aggregations: rows are numbered by group once per shape; then one pass over the values.
#include <algorithm>
#include <cmath>
#include <map>

#include "promql/annotations.h"
#include "promql/folding.h"
#include "promql/group_sums.h"
#include "promql/histogram_eval.h"
#include "promql/histogram_notation.h"
#include "promql/kept_sums.h"
#include "promql/label_keys.h"
#include "promql/plan.h"
#include "promql/row_stream.h"
#include "promql/shared_values.h"

namespace tocsin::promql {
namespace {

struct Grouping {
  LabelKeys keys;
  ShapePtr shape;                     // One row per group.
  std::vector<std::uint32_t> groups;  // By row of the input.
  std::size_t changed = 0;            // So many rows since it was made.
};

LabelKeys group_keys(const Aggregate& aggregate) {
  if (!aggregate.without) return {LabelKeys::Mode::Only, aggregate.grouping};
  std::vector<std::string> dropped = aggregate.grouping;
  dropped.insert(dropped.end(), schema_labels().begin(), schema_labels().end());
  return {LabelKeys::Mode::Without, std::move(dropped)};
}

// Puts a row into its group; a group of its own is added to `shape`.
std::uint32_t group_of(const ShapeRow& row, LabelKeys& keys, Shape& shape) {
  const std::uint32_t group = keys.number(row.labels);
  if (group == shape.rows.size()) {
    shape.rows.push_back({keys.project(row.labels), row.drop_name});
  }
  return group;
}

Grouping group_rows(const Aggregate& aggregate, const Shape& shape) {
  Grouping grouping{group_keys(aggregate), nullptr, {}};
  auto out = std::make_shared<Shape>();
  grouping.groups.reserve(shape.rows.size());
  for (const ShapeRow& row : shape.rows) {
    grouping.groups.push_back(group_of(row, grouping.keys, *out));
  }
  grouping.shape = std::move(out);
  return grouping;
}

// Groups without a row are left standing, until rows have changed as often as there are rows.
bool mend_groups(Grouping& grouping, const Shape& shape) {
  grouping.changed += shape.changed.size();
  if (grouping.changed > shape.rows.size()) return false;
  auto grown = std::make_shared<Shape>();
  grown->rows = grouping.shape->rows;
  grouping.groups.resize(shape.rows.size());
  for (const std::uint32_t row : shape.changed) {
    grouping.groups[row] = group_of(shape.rows[row], grouping.keys, *grown);
  }
  const auto known = static_cast<std::uint32_t>(grouping.shape->rows.size());
  for (std::uint32_t group = known; group < grown->rows.size(); ++group) {
    grown->changed.push_back(group);
  }
  if (grown->changed.empty()) return true;
  grown->before = grouping.shape;
  grouping.shape = std::move(grown);
  return true;
}

class AggregateNode : public Node {
 public:
  explicit AggregateNode(const Aggregate& aggregate)
      : aggregate_(aggregate), inner_(plan(*aggregate.expr)) {}

 protected:
  Result<Frame> input(Context& context) { return inner_->vector(context); }
  RowStream* stream_of_input(const Context& context) { return inner_->stream(context); }

  const Grouping& grouping(const ShapePtr& shape) {
    return grouping_.get(
        shape, [&](const Shape& s) { return group_rows(aggregate_, s); }, mend_groups);
  }

  Aggregate aggregate_;

 private:
  NodePtr inner_;
  Memo<Grouping> grouping_;
};

// The values of one evaluation on their way into their groups.
class Fold {
 public:
  explicit Fold(const Folding& folding) : folding_(folding) {}

  // `groups` has each row's, `runs` says the same of a sum's; both must outlive the adding.
  void begin(std::size_t count, std::span<const std::uint32_t> groups,
             std::span<const GroupRun> runs) {
    groups_ = groups;
    if (!folding_.is_sum()) return accumulators_.assign(count, {});
    sums_.reset(count);
    sums_.start(runs);
  }

  // The values of the rows from `first` on, which follow those that came before.
  void add(std::span<const double> values, std::size_t first) {
    if (folding_.is_sum()) return sums_.add(values);
    folding_.fold(values, groups_.subspan(first, values.size()), accumulators_);
  }

  void put_results(std::span<double> out) const {
    if (folding_.is_sum()) return sums_.put_sums(out);
    for (std::size_t g = 0; g < out.size(); ++g) out[g] = result(g);
  }

 private:
  double result(std::size_t group) const {
    const Accumulator& accumulator = accumulators_[group];
    return accumulator.count > 0 ? folding_.result(accumulator) : store::absent_value();
  }

  Folding folding_;
  std::span<const std::uint32_t> groups_;
  GroupSums sums_;
  std::vector<Accumulator> accumulators_;
};

// sum, avg, count, …: one number per group. Of an input that works ahead, the rows are folded as
// they come, for many steps at once.
class FoldNode : public AggregateNode, private LooksAhead {
 public:
  FoldNode(const Expr& expr, const Aggregate& aggregate, const Folding& folding)
      : AggregateNode(aggregate), folding_(folding), text_(print(expr)), needs_(needs_of(expr)) {}

  Result<Frame> vector(Context& context) override {
    SharedValues* const shared = context.shared();
    if (!shared || !shared->may_share(needs_)) return evaluate(context);
    if (const Frame* known = shared->find(text_, context.at)) return *known;
    auto frame = evaluate(context);
    if (frame) shared->keep(text_, *frame);
    return frame;
  }

 private:
  // Of how many groups at how many steps there are sums at once, at most, and at how many steps.
  static constexpr std::size_t kMostSums = std::size_t{1} << 18;
  static constexpr std::size_t kMostSteps = 1024;

  Result<Frame> evaluate(Context& context) {
    if (RowStream* rows = stream_of_input(context)) {
      return rows->works_ahead(context) ? vector_ahead(context, *rows) : vector_now(context, *rows);
    }
    const auto frame = input(context);
    if (!frame) return frame;
    const Grouping& by = grouping(frame->shape);
    begin(1, by, frame->shape);
    folds_[0].add(frame->values, 0);
    Frame out = results(by);
    if (!frame->histograms.empty()) {
      fold_histograms(aggregate_, *frame, by.groups, out, context.annotations);
    }
    return out;
  }

  Frame results(const Grouping& by) const {
    Frame out(by.shape);
    folds_[0].put_results(out.values);
    return out;
  }

  void look_ahead(Context& context) override {
    RowStream* const rows = stream_of_input(context);
    // Where series have come or gone, the evaluation will see to it.
    if (!rows || !rows->source().is_current(context)) return;
    const auto shape = rows->open(context);
    if (shape && *shape == kept_.shape()) kept_.look_ahead(context, *rows);
  }

  Result<Frame> vector_now(Context& context, RowStream& rows) {
    const auto shape = rows.open(context);
    if (!shape) return fail(shape.error());
    const Grouping& by = grouping(*shape);
    if (folding_.is_sum() && !rows.pieces().empty()) return kept_sums(context, rows, *shape, by);
    begin(1, by, *shape);
    for (std::size_t first = 0; first < by.groups.size(); first += rows_.count) {
      rows.read_now(first, context, rows_);
      folds_[0].add(rows_.step(0), first);
    }
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return results(by);
  }

  Result<Frame> kept_sums(Context& context, RowStream& rows, const ShapePtr& shape,
                          const Grouping& by) {
    // What a subquery evaluates is of other instants than the query's.
    const bool is_at_its_time = context.step.count() == 0;
    if (context.looks_ahead && is_at_its_time) context.looks_ahead->push_back(this);
    Frame out(by.shape);
    kept_.sum(context, rows, {shape, by.groups}, out.values);
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return out;
  }

  Result<Frame> vector_ahead(Context& context, RowStream& rows) {
    const auto shape = rows.open(context);
    if (!shape) return fail(shape.error());
    if (!buffer_.holds(context, *shape)) {
      if (auto done = fold_ahead(context, rows); !done) return fail(done.error());
    }
    Frame out = buffer_.take(context);
    if (auto counted = context.count(0); !counted) return fail(counted.error());
    return out;
  }

  Result<void> fold_ahead(Context& context, RowStream& rows) {
    const auto begin_all = [&](const ShapePtr& shape) {
      const Grouping& by = grouping(shape);
      const std::size_t most = kMostSums / std::max<std::size_t>(by.shape->rows.size(), 1);
      buffer_.reset(context, shape, by.shape, Steps::upcoming(context, std::min(most, kMostSteps)));
      begin(buffer_.steps().count, by, shape);
    };
    const auto add = [&](const StreamedRows& some) {
      for (std::size_t k = 0; k < some.steps; ++k) folds_[k].add(some.step(k), some.first);
    };
    if (auto filled = buffer_.fill(context, rows, begin_all, add); !filled) return filled;
    for (std::size_t k = 0; k < buffer_.steps().count; ++k)
      folds_[k].put_results(buffer_.values(k));
    return {};
  }

  // Folds of rows of this shape, by these groups.
  void begin(std::size_t count, const Grouping& by, const ShapePtr& shape) {
    std::span<const GroupRun> runs;
    if (folding_.is_sum())
      runs = runs_.get(shape, [&](const Shape&) { return runs_of_groups(by.groups); });
    if (folds_.size() < count) folds_.resize(count, Fold(folding_));
    for (std::size_t k = 0; k < count; ++k) {
      folds_[k].begin(by.shape->rows.size(), by.groups, runs);
    }
  }

  Folding folding_;
  std::string text_;
  std::vector<Need> needs_;
  Memo<std::vector<GroupRun>> runs_;  // Of the sums' rows.
  std::vector<Fold> folds_;           // By step.
  KeptSums kept_;                     // Of sums whose rows come in pieces.
  StepBuffer buffer_;
  StreamedRows rows_;
};

class QuantileNode : public AggregateNode {
 public:
  explicit QuantileNode(const Aggregate& aggregate)
      : AggregateNode(aggregate), parameter_(plan(*aggregate.parameter)) {}

  Result<Frame> vector(Context& context) override {
    const auto q = parameter_->scalar(context);
    if (!q) return fail(q.error());
    note_quantile(*q, *aggregate_.parameter, context.annotations);
    const auto frame = input(context);
    if (!frame) return frame;
    const Grouping& by = grouping(frame->shape);
    std::vector<std::vector<double>> groups(by.shape->rows.size());
    for (std::size_t i = 0; i < by.groups.size(); ++i) {
      if (!store::is_absent(frame->values[i])) groups[by.groups[i]].push_back(frame->values[i]);
    }
    note_ignored_histograms(aggregate_, *frame, context.annotations);
    Frame out(by.shape);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (!groups[g].empty()) out.values[g] = quantile_of(*q, groups[g]);
    }
    return out;
  }

 private:
  NodePtr parameter_;
};

// topk, bottomk, limitk: some rows of each group, as they are.
class PickNode : public AggregateNode {
 public:
  explicit PickNode(const Aggregate& aggregate)
      : AggregateNode(aggregate), parameter_(plan(*aggregate.parameter)) {}

  Result<Frame> vector(Context& context) override {
    const auto k = parameter_->scalar(context);
    if (!k) return fail(k.error());
    if (std::isnan(*k)) return fail(ErrorCode::Execution, "Parameter value is NaN");
    auto frame = input(context);
    if (!frame) return frame;
    const bool by_value = aggregate_.op != AggregateOp::Limitk;
    if (by_value) {
      note_ignored_histograms(aggregate_, *frame, context.annotations);
      frame->drop_histograms();
    }
    const Grouping& by = grouping(frame->shape);
    std::vector<std::vector<std::uint32_t>> groups(by.shape->rows.size());
    for (std::uint32_t i = 0; i < by.groups.size(); ++i) {
      if (frame->has_sample(i)) groups[by.groups[i]].push_back(i);
    }
    Frame out(frame->shape);
    out.is_ordered = true;
    for (auto& rows : groups) {
      if (by_value) sort_rows(rows, frame->values);
      const double room = std::clamp(*k, 0.0, static_cast<double>(rows.size()));
      rows.resize(static_cast<std::size_t>(room));
      for (const std::uint32_t row : rows) {
        out.values[row] = frame->values[row];
        if (frame->histogram(row)) out.set_histogram(row, frame->histograms[row]);
        out.order.push_back(row);
      }
    }
    return out;
  }

 private:
  // The best first; NaN is the worst of all.
  void sort_rows(std::vector<std::uint32_t>& rows, const std::vector<double>& values) const {
    const bool top = aggregate_.op == AggregateOp::Topk;
    std::stable_sort(rows.begin(), rows.end(), [&](std::uint32_t x, std::uint32_t y) {
      const double a = values[x];
      const double b = values[y];
      if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
      return top ? a > b : a < b;
    });
  }

  NodePtr parameter_;
};

// limit_ratio: a share of the rows, always the same ones: those whose hash is below it. With a
// negative ratio, those that the positive complement leaves out.
// Differs from Prometheus: the hash is another, and so are the rows.
class RatioNode : public AggregateNode {
 public:
  explicit RatioNode(const Aggregate& aggregate)
      : AggregateNode(aggregate), parameter_(plan(*aggregate.parameter)) {}

  Result<Frame> vector(Context& context) override {
    auto ratio = parameter_->scalar(context);
    if (!ratio) return fail(ratio.error());
    if (std::isnan(*ratio)) return fail(ErrorCode::Execution, "Ratio value is NaN");
    ratio = note_ratio(*ratio, *aggregate_.parameter, context.annotations);
    auto frame = input(context);
    if (!frame) return frame;
    const auto& places = places_.get(frame->shape, places_of);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const bool picked = *ratio >= 0 ? places[i] < *ratio : places[i] >= 1 + *ratio;
      if (!picked) frame->remove(i);
    }
    frame->is_ordered = false;
    return frame;
  }

 private:
  // Where each row's hash is between 0 and 1.
  static std::vector<double> places_of(const Shape& shape) {
    std::vector<double> out;
    for (const ShapeRow& row : shape.rows) {
      out.push_back(static_cast<double>(row.labels.hash()) * 0x1p-64);
    }
    return out;
  }

  NodePtr parameter_;
  Memo<std::vector<double>> places_;
};

class CountValuesNode : public AggregateNode {
 public:
  explicit CountValuesNode(const Aggregate& aggregate)
      : AggregateNode(aggregate),
        keys_(group_keys(aggregate)),
        label_(literal_of(*aggregate.parameter)) {}

  Result<Frame> vector(Context& context) override {
    if (label_.empty() || !is_valid_utf8(label_)) {
      return fail(ErrorCode::Execution, "invalid label name " + quote(label_));
    }
    const auto frame = input(context);
    if (!frame) return frame;
    std::map<Labels, double> counts;
    for (std::size_t i = 0; i < frame->values.size(); ++i) {
      if (!frame->has_sample(i)) continue;
      const Histogram* histogram = frame->histogram(i);
      const Labels group = keys_.project(frame->shape->rows[i].labels);
      counts[group.with(
          label_, histogram ? histogram_text(*histogram) : format_value(frame->values[i]))] += 1;
    }
    auto shape = std::make_shared<Shape>();
    for (const auto& [labels, count] : counts) shape->rows.push_back({labels, false});
    Frame out(std::move(shape));
    std::size_t row = 0;
    for (const auto& [labels, count] : counts) out.values[row++] = count;
    return out;
  }

 private:
  LabelKeys keys_;
  std::string label_;
};

}  // namespace

NodePtr plan_aggregate(const Expr& expr, const Aggregate& aggregate) {
  if (const Folding* folding = folding_of(aggregate.op)) {
    return std::make_unique<FoldNode>(expr, aggregate, *folding);
  }
  switch (aggregate.op) {
    case AggregateOp::Quantile:
      return std::make_unique<QuantileNode>(aggregate);
    case AggregateOp::LimitRatio:
      return std::make_unique<RatioNode>(aggregate);
    case AggregateOp::CountValues:
      return std::make_unique<CountValuesNode>(aggregate);
    default:
      return std::make_unique<PickNode>(aggregate);
  }
}

}  // namespace tocsin::promql

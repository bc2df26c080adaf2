// SPDX-License-Identifier: Apache-2.0
//
// Binary operators: between scalars, between a vector and a scalar, and the joins.
#include <optional>

#include "promql/histogram_eval.h"
#include "promql/label_keys.h"
#include "promql/operators.h"
#include "promql/plan.h"
#include "promql/quantile_gate.h"

namespace tocsin::promql {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

// A comparison without `bool` keeps `kept` or nothing; everything else is the operator's value.
double combine(const Binary& binary, double a, double b, double kept) {
  const double value = apply(binary.op, a, b);
  if (!info_of(binary.op).is_comparison || binary.return_bool) return value;
  return value != 0 ? kept : store::absent_value();
}

bool drops_name(const Binary& binary) {
  return !info_of(binary.op).is_comparison || binary.return_bool;
}

class ScalarBinaryNode : public Node {
 public:
  ScalarBinaryNode(const Binary& binary, NodePtr left, NodePtr right)
      : op_(binary.op), left_(std::move(left)), right_(std::move(right)) {}

  Result<double> scalar(Context& context) override {
    const auto a = left_->scalar(context);
    if (!a) return a;
    const auto b = right_->scalar(context);
    if (!b) return b;
    return apply(op_, *a, *b);
  }

 private:
  BinaryOp op_;
  NodePtr left_;
  NodePtr right_;
};

enum class ScalarSide { Left, Right };

class VectorScalarNode : public Node {
 public:
  VectorScalarNode(const Binary& binary, ScalarSide side, NodePtr vector, NodePtr scalar)
      : binary_(binary),
        operator_(elementwise_of(binary)),
        side_(side),
        vector_(std::move(vector)),
        scalar_(std::move(scalar)) {}

  Result<Frame> vector(Context& context) override {
    auto frame = vector_->vector(context);
    if (!frame) return frame;
    const auto number = scalar_->scalar(context);
    if (!number) return fail(number.error());
    if (side_ == ScalarSide::Left) {
      operator_.with_number_left(*number, frame->values);
    } else {
      operator_.with_number_right(frame->values, *number);
    }
    if (!frame->histograms.empty()) combine_histograms(*frame, *number, context.annotations);
    if (drops_name(binary_)) frame->shape = shape_.get(frame->shape, drop_name);
    frame->is_ordered = false;
    return frame;
  }

 private:
  void combine_histograms(Frame& frame, double number, Annotations& annotations) const {
    if (side_ == ScalarSide::Left) {
      combine_rows(binary_, number, frame, annotations);
    } else {
      combine_rows(binary_, frame, number, annotations);
    }
  }

  Binary binary_;
  const Elementwise& operator_;
  ScalarSide side_;
  NodePtr vector_;
  NodePtr scalar_;
  RowwiseShape shape_;
};

// What numbers the match groups: rows of either side that may meet get the same number.
LabelKeys match_keys(const Matching& matching) {
  if (matching.on) return {LabelKeys::Mode::Only, matching.labels};
  std::vector<std::string> ignored = matching.labels;
  ignored.emplace_back(kMetricName);
  return {LabelKeys::Mode::Without, std::move(ignored)};
}

using RowNumbers = std::vector<std::uint32_t>;

RowNumbers number_rows(const Shape& shape, LabelKeys& keys) {
  RowNumbers out;
  out.reserve(shape.rows.size());
  for (const ShapeRow& row : shape.rows) out.push_back(keys.number(row.labels));
  return out;
}

bool mend_numbers(RowNumbers& numbers, const Shape& shape, LabelKeys& keys) {
  numbers.resize(shape.rows.size());
  for (const std::uint32_t row : shape.changed) numbers[row] = keys.number(shape.rows[row].labels);
  return true;
}

bool has_samples(const Frame& frame) {
  for (std::size_t i = 0; i < frame.values.size(); ++i) {
    if (frame.has_sample(i)) return true;
  }
  return false;
}

// Both sides of a join, evaluated, with the match group of each row.
class JoinNode : public Node {
 protected:
  JoinNode(const Binary& binary, NodePtr left, NodePtr right)
      : binary_(binary),
        keys_(match_keys(binary.matching)),
        left_(std::move(left)),
        right_(std::move(right)) {}

  struct Sides {
    Frame left;
    Frame right;
    const RowNumbers& left_groups;
    const RowNumbers& right_groups;
  };

  Result<Frame> left(Context& context) { return left_->vector(context); }
  // Of nothing on the left all but `or` makes nothing, whatever the right side says. Only where
  // queries share their steps, as those of a replay do. Differs from Prometheus: errors and
  // annotations of the right side are not told then.
  static bool is_enough(const Frame& left, const Context& context) {
    return context.options.shared_steps && !has_samples(left);
  }

  Result<Sides> sides(Result<Frame> left, Context& context) {
    if (!left) return fail(left.error());
    auto right = right_->vector(context);
    if (!right) return fail(right.error());
    forget_idle_groups(left->shape->rows.size() + right->shape->rows.size());
    const auto number = [&](const Shape& shape) { return number_rows(shape, keys_); };
    const auto mend = [&](RowNumbers& numbers, const Shape& shape) {
      return mend_numbers(numbers, shape, keys_);
    };
    const auto& left_groups = left_groups_.get(left->shape, number, mend);
    const auto& right_groups = right_groups_.get(right->shape, number, mend);
    return Sides{std::move(*left), std::move(*right), left_groups, right_groups};
  }

  Binary binary_;
  LabelKeys keys_;

 private:
  // Groups that have no row any more would pile up where series come and go.
  void forget_idle_groups(std::size_t rows) {
    constexpr std::size_t kFewGroups = 64;
    if (keys_.size() <= 2 * rows + kFewGroups) return;
    keys_ = match_keys(binary_.matching);
    left_groups_ = {};
    right_groups_ = {};
  }

  NodePtr left_;
  NodePtr right_;
  Memo<RowNumbers> left_groups_;
  Memo<RowNumbers> right_groups_;
};

// Whether each match group has a sample: 1 or 0.
using Presence = std::vector<std::uint8_t>;

void find_present(const Frame& frame, const RowNumbers& groups, std::size_t count,
                  Presence& present) {
  present.assign(count, 0);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!store::is_absent(frame.values[i])) present[groups[i]] = 1;
  }
  for (std::size_t i = 0; i < frame.histograms.size(); ++i) {
    if (frame.histograms[i]) present[groups[i]] = 1;
  }
}

// Clears the rows of `frame` whose match group is, or is not, among those present.
void clear_rows(Frame& frame, const RowNumbers& groups, const Presence& present,
                bool clear_if_present) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if ((present[groups[i]] != 0) == clear_if_present) frame.values[i] = store::absent_value();
  }
  for (std::size_t i = 0; i < frame.histograms.size(); ++i) {
    if ((present[groups[i]] != 0) == clear_if_present) frame.histograms[i] = nullptr;
  }
  frame.is_ordered = false;
}

// `and`, `or`, `unless`.
class SetNode : public JoinNode {
 public:
  SetNode(const Binary& binary, NodePtr left, NodePtr right)
      : JoinNode(binary, std::move(left), std::move(right)) {}

  Result<Frame> vector(Context& context) override {
    auto first = left(context);
    if (first && binary_.op != BinaryOp::Or && is_enough(*first, context)) return first;
    auto both = sides(std::move(first), context);
    if (!both) return fail(both.error());
    const std::size_t count = keys_.size();
    if (binary_.op == BinaryOp::Or) return unite(*both, count);
    find_present(both->right, both->right_groups, count, present_);
    clear_rows(both->left, both->left_groups, present_, binary_.op == BinaryOp::Unless);
    return std::move(both->left);
  }

 private:
  // Everything on the left, and what is on the right in groups that the left has not.
  Frame unite(Sides& both, std::size_t count) {
    find_present(both.left, both.left_groups, count, present_);
    clear_rows(both.right, both.right_groups, present_, true);
    if (both.left.shape != left_shape_ || both.right.shape != right_shape_) {
      left_shape_ = both.left.shape;
      right_shape_ = both.right.shape;
      auto united = std::make_shared<Shape>();
      united->rows = left_shape_->rows;
      for (const ShapeRow& row : right_shape_->rows) united->rows.push_back(row);
      united_ = std::move(united);
    }
    Frame out(united_);
    std::copy(both.left.values.begin(), both.left.values.end(), out.values.begin());
    std::copy(both.right.values.begin(), both.right.values.end(),
              out.values.begin() + static_cast<std::ptrdiff_t>(both.left.values.size()));
    copy_histograms(both.left, 0, out);
    copy_histograms(both.right, both.left.values.size(), out);
    return out;
  }

  static void copy_histograms(const Frame& from, std::size_t first_row, Frame& to) {
    for (std::size_t i = 0; i < from.histograms.size(); ++i) {
      if (from.histogram(i)) to.set_histogram(first_row + i, from.histograms[i]);
    }
  }

  Presence present_;
  ShapePtr left_shape_;
  ShapePtr right_shape_;
  ShapePtr united_;
};

// Arithmetic and comparisons between two vectors: each row of the "many" side meets the one row of
// its match group on the "one" side. (One to one is many to one where many happens to be one.)
class MatchNode : public JoinNode {
 public:
  MatchNode(const Binary& binary, NodePtr left, NodePtr right)
      : JoinNode(binary, std::move(left), std::move(right)),
        operator_(elementwise_of(binary)),
        many_is_left_(binary.matching.cardinality != Cardinality::OneToMany) {}

  Result<Frame> vector(Context& context) override {
    auto first = left(context);
    if (first && is_enough(*first, context)) return Frame(nothing_);
    auto both = sides(std::move(first), context);
    if (!both) return fail(both.error());
    const Frame& many = many_is_left_ ? both->left : both->right;
    const Frame& one = many_is_left_ ? both->right : both->left;
    const auto& many_groups = many_is_left_ ? both->left_groups : both->right_groups;
    const auto& one_groups = many_is_left_ ? both->right_groups : both->left_groups;
    if (many.shape != many_shape_ || one.shape != one_shape_) {
      forget_pairs(many.shape, one.shape);
      find_partners(many_groups, one_groups);
    }
    const bool has_histograms = !many.histograms.empty() || !one.histograms.empty();
    if (!partners_.empty() && !has_histograms && match_partners(many, one)) {
      return Frame(shape_, values_);
    }
    // Where one side is empty nobody minds duplicates on the other.
    const auto error = index_one_side(one, one_groups);
    if (error && has_samples(many)) return fail(*error);
    return match(many, many_groups, one, context.annotations);
  }

 private:
  // The row on the "one" side of each row on the other, if no two of the same side may ever meet
  // the same; then there is nothing to look out for. Otherwise partners_ is empty.
  void find_partners(const RowNumbers& many, const RowNumbers& one) {
    partners_.clear();
    one_of_group_.assign(keys_.size(), kNone);
    for (std::uint32_t j = 0; j < one.size(); ++j) {
      if (std::exchange(one_of_group_[one[j]], j) != kNone) return;
    }
    const bool one_to_one = binary_.matching.cardinality == Cardinality::OneToOne;
    Presence met(one_to_one ? keys_.size() : 0, 0);
    for (const std::uint32_t group : many) {
      if (one_to_one && std::exchange(met[group], std::uint8_t{1}) != 0) return partners_.clear();
      partners_.push_back(one_of_group_[group]);
    }
  }

  // Makes values_ of rows that have partners. False if two of them come to the same labels.
  bool match_partners(const Frame& many, const Frame& one) {
    partner_values_.resize(partners_.size());
    for (std::size_t i = 0; i < partners_.size(); ++i) {
      partner_values_[i] = partners_[i] == kNone ? store::absent_value() : one.values[partners_[i]];
    }
    combined_.resize(partners_.size());
    if (many_is_left_) {
      operator_.pairs(many.values, partner_values_, combined_);
    } else {
      operator_.pairs(partner_values_, many.values, combined_);
    }
    values_.assign(shape_->rows.size(), store::absent_value());
    for (std::uint32_t i = 0; i < combined_.size(); ++i) {
      if (store::is_absent(combined_[i])) continue;
      double& value = values_[row_of_pair(i, partners_[i])];
      if (!store::is_absent(value)) return false;
      value = combined_[i];
    }
    return true;
  }

  // Finds the row of each match group on the "one" side; there may not be two.
  std::optional<Error> index_one_side(const Frame& one, const RowNumbers& groups) {
    one_of_group_.assign(keys_.size(), kNone);
    for (std::uint32_t j = 0; j < groups.size(); ++j) {
      if (!one.has_sample(j)) continue;
      std::uint32_t& place = one_of_group_[groups[j]];
      if (place != kNone) {
        const std::string side = many_is_left_ ? "right" : "left";
        return Error{ErrorCode::Execution,
                     "found duplicate series for the match group " +
                         keys_.project(one.shape->rows[j].labels).text() + " on the " + side +
                         " hand-side of the operation: [" + one.shape->rows[j].labels.text() +
                         ", " + one.shape->rows[place].labels.text() +
                         "];many-to-many matching not allowed: matching labels must be unique on "
                         "one side"};
      }
      place = j;
    }
    return std::nullopt;
  }

  Result<Frame> match(const Frame& many, const RowNumbers& groups, const Frame& one,
                      Annotations& annotations) {
    values_.assign(shape_->rows.size(), store::absent_value());
    histograms_.clear();
    std::vector<bool> matched(keys_.size(), false);
    const bool one_to_one = binary_.matching.cardinality == Cardinality::OneToOne;
    for (std::uint32_t i = 0; i < groups.size(); ++i) {
      if (!many.has_sample(i)) continue;
      const std::uint32_t j = one_of_group_[groups[i]];
      if (j == kNone) continue;
      MixedSample sample = combine_pair(many, i, one, j, annotations);
      if (sample.is_absent()) continue;
      if (one_to_one && matched[groups[i]]) {
        return fail(ErrorCode::Execution,
                    "multiple matches for labels: many-to-one matching must be explicit "
                    "(group_left/group_right)");
      }
      matched[groups[i]] = true;
      const std::uint32_t row = row_of_pair(i, j);
      if (!store::is_absent(values_[row]) || histograms_.count(row) > 0) {
        return fail(ErrorCode::Execution,
                    "multiple matches for labels: grouping labels must ensure unique matches");
      }
      values_[row] = sample.number;
      if (sample.histogram) histograms_.emplace(row, std::move(sample.histogram));
    }
    Frame out(shape_);
    out.values = values_;
    for (auto& [row, histogram] : histograms_) out.set_histogram(row, std::move(histogram));
    return out;
  }

  MixedSample combine_pair(const Frame& many, std::uint32_t i, const Frame& one, std::uint32_t j,
                           Annotations& annotations) const {
    const Frame& left = many_is_left_ ? many : one;
    const Frame& right = many_is_left_ ? one : many;
    const std::uint32_t a = many_is_left_ ? i : j;
    const std::uint32_t b = many_is_left_ ? j : i;
    if (!left.histogram(a) && !right.histogram(b)) {
      return {combine(binary_, left.values[a], right.values[b], left.values[a]), nullptr};
    }
    return combine(binary_, sample_of(left, a), sample_of(right, b), annotations);
  }

  void forget_pairs(const ShapePtr& many, const ShapePtr& one) {
    many_shape_ = many;
    one_shape_ = one;
    shape_ = std::make_shared<Shape>();
    row_by_labels_.clear();
    last_pair_.assign(many->rows.size(), {kNone, kNone});
  }

  // The row of the result for this pair; a pair that meets for the first time gets one.
  std::uint32_t row_of_pair(std::uint32_t i, std::uint32_t j) {
    auto& [last_j, last_row] = last_pair_[i];
    if (last_j == j) return last_row;
    ShapeRow row = result_row(many_shape_->rows[i], one_shape_->rows[j]);
    const auto [it, is_new] =
        row_by_labels_.try_emplace(row.labels, static_cast<std::uint32_t>(shape_->rows.size()));
    if (is_new) {
      // Others may hold the old shape: grow a copy, once per evaluation that meets new pairs.
      if (shape_.use_count() > 1) shape_ = std::make_shared<Shape>(Shape{shape_->rows, {}, {}});
      shape_->rows.push_back(std::move(row));
      values_.push_back(store::absent_value());
    }
    last_j = j;
    last_row = it->second;
    return last_row;
  }

  ShapeRow result_row(const ShapeRow& many, const ShapeRow& one) const {
    const Matching& matching = binary_.matching;
    Labels labels = many.labels;
    if (!info_of(binary_.op).is_comparison) labels = labels.drop(schema_labels());
    if (matching.cardinality == Cardinality::OneToOne) {
      labels = matching.on ? labels.keep_only(matching.labels) : labels.drop(matching.labels);
    }
    for (const std::string& name : matching.include) {
      labels = labels.with(name, one.labels.get(name));
    }
    return {std::move(labels), many.drop_name || binary_.return_bool};
  }

  const Elementwise& operator_;
  const bool many_is_left_;
  const ShapePtr nothing_ = std::make_shared<const Shape>();
  ShapePtr many_shape_;
  ShapePtr one_shape_;
  std::vector<std::uint32_t> partners_;  // By many row.
  std::vector<double> partner_values_;
  std::vector<double> combined_;  // By many row.
  std::shared_ptr<Shape> shape_;
  std::unordered_map<Labels, std::uint32_t> row_by_labels_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> last_pair_;  // By many row: {one row, row}.
  std::vector<std::uint32_t> one_of_group_;
  std::vector<double> values_;
  std::unordered_map<std::uint32_t, HistogramPtr> histograms_;  // By row; mostly empty.
};

}  // namespace

NodePtr plan_binary(const Binary& binary, ValueType type) {
  NodePtr left = plan(*binary.left);
  NodePtr right = plan(*binary.right);
  if (type == ValueType::Scalar) {
    return std::make_unique<ScalarBinaryNode>(binary, std::move(left), std::move(right));
  }
  if (binary.left->type == ValueType::Scalar) {
    return std::make_unique<VectorScalarNode>(binary, ScalarSide::Left, std::move(right),
                                              std::move(left));
  }
  if (binary.right->type == ValueType::Scalar) {
    return gate_quantile(binary, std::make_unique<VectorScalarNode>(
                                     binary, ScalarSide::Right, std::move(left), std::move(right)));
  }
  if (info_of(binary.op).is_set) {
    return std::make_unique<SetNode>(binary, std::move(left), std::move(right));
  }
  return std::make_unique<MatchNode>(binary, std::move(left), std::move(right));
}

}  // namespace tocsin::promql

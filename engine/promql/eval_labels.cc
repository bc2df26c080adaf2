// SPDX-License-Identifier: Apache-2.0
//
// label_replace(), label_join(), sort_by_label(): functions of labels alone. What they make of a
// shape is made once.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "promql/plan.h"

namespace tocsin::promql {
namespace {

constexpr char kDuplicate[] = "vector cannot contain metrics with the same labelset";

// A new value for a row's label; nothing leaves the row as it is.
class Relabeller {
 public:
  virtual ~Relabeller() = default;
  virtual std::optional<std::string> value_for(const Labels& labels) const = 0;
};

class Replace : public Relabeller {
 public:
  Replace(Regex regex, std::string replacement, std::string source)
      : regex_(std::move(regex)),
        replacement_(std::move(replacement)),
        source_(std::move(source)) {}
  std::optional<std::string> value_for(const Labels& labels) const override {
    return regex_.expand(labels.get(source_), replacement_);
  }

 private:
  Regex regex_;
  std::string replacement_;
  std::string source_;
};

class Join : public Relabeller {
 public:
  Join(std::string separator, std::vector<std::string> sources)
      : separator_(std::move(separator)), sources_(std::move(sources)) {}
  std::optional<std::string> value_for(const Labels& labels) const override {
    std::string out;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (i > 0) out += separator_;
      out += labels.get(sources_[i]);
    }
    return out;
  }

 private:
  std::string separator_;
  std::vector<std::string> sources_;
};

class RelabelNode : public Node {
 public:
  RelabelNode(NodePtr argument, std::string target, std::unique_ptr<Relabeller> relabeller)
      : argument_(std::move(argument)),
        target_(std::move(target)),
        relabeller_(std::move(relabeller)) {}

  Result<Frame> vector(Context& context) override {
    auto frame = argument_->vector(context);
    if (!frame) return frame;
    frame->shape = shape_.get(frame->shape, [&](const ShapeRow& row) { return relabel(row); });
    for (const auto& rows : alike_.get(frame->shape, find_alike)) {
      const auto present = std::count_if(rows.begin(), rows.end(),
                                         [&](std::uint32_t row) { return frame->has_sample(row); });
      if (present > 1) return fail(ErrorCode::Execution, kDuplicate);
    }
    return frame;
  }

 private:
  using Rows = std::vector<std::uint32_t>;

  // The rows that have the same labels as others, by labels.
  static std::vector<Rows> find_alike(const Shape& shape) {
    std::unordered_map<Labels, Rows> by_labels;
    for (std::uint32_t i = 0; i < shape.rows.size(); ++i) {
      by_labels[shape.rows[i].labels].push_back(i);
    }
    std::vector<Rows> out;
    for (auto& [labels, rows] : by_labels) {
      if (rows.size() > 1) out.push_back(std::move(rows));
    }
    return out;
  }

  ShapeRow relabel(const ShapeRow& row) const {
    const auto value = relabeller_->value_for(row.labels);
    if (!value) return row;
    return {row.labels.with(target_, *value), row.drop_name && target_ != kMetricName};
  }

  NodePtr argument_;
  std::string target_;
  std::unique_ptr<Relabeller> relabeller_;
  RowwiseShape shape_;
  Memo<std::vector<Rows>> alike_;
};

// Says at evaluation what is wrong with the call's strings: they are not known to the type checker.
class FailingNode : public Node {
 public:
  explicit FailingNode(std::string message) : message_(std::move(message)) {}
  Result<Frame> vector(Context&) override { return fail(ErrorCode::Execution, message_); }

 private:
  std::string message_;
};

// Digits inside labels compare as numbers: "pod-2" before "pod-10".
bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      std::size_t i_end = i;
      std::size_t j_end = j;
      while (i_end < a.size() && is_digit(a[i_end])) ++i_end;
      while (j_end < b.size() && is_digit(b[j_end])) ++j_end;
      while (i < i_end && a[i] == '0') ++i;
      while (j < j_end && b[j] == '0') ++j;
      if (i_end - i != j_end - j) return i_end - i < j_end - j;
      const int order = a.substr(i, i_end - i).compare(b.substr(j, j_end - j));
      if (order != 0) return order < 0;
      i = i_end;
      j = j_end;
      continue;
    }
    if (a[i] != b[j]) return a[i] < b[j];
    ++i;
    ++j;
  }
  return a.size() - i < b.size() - j;
}

class SortByLabelNode : public Node {
 public:
  SortByLabelNode(NodePtr argument, std::vector<std::string> names, bool descending)
      : argument_(std::move(argument)), names_(std::move(names)), descending_(descending) {}

  Result<Frame> vector(Context& context) override {
    auto frame = argument_->vector(context);
    if (!frame) return frame;
    frame->order.clear();
    for (std::uint32_t i = 0; i < frame->values.size(); ++i) {
      if (frame->has_sample(i)) frame->order.push_back(i);
    }
    const auto& rows = frame->shape->rows;
    std::stable_sort(frame->order.begin(), frame->order.end(), [&](auto x, auto y) {
      return descending_ ? before(rows[y].labels, rows[x].labels)
                         : before(rows[x].labels, rows[y].labels);
    });
    frame->is_ordered = true;
    return frame;
  }

 private:
  bool before(const Labels& a, const Labels& b) const {
    for (const std::string& name : names_) {
      if (a.get(name) != b.get(name)) return natural_less(a.get(name), b.get(name));
    }
    return a < b;
  }

  NodePtr argument_;
  std::vector<std::string> names_;
  bool descending_;
};

NodePtr plan_label_replace(const Call& call) {
  const std::string target = literal_of(*call.args[1]);
  auto regex = Regex::compile(literal_of(*call.args[4]));
  if (!regex) {
    return std::make_unique<FailingNode>("invalid regular expression in label_replace(): " +
                                         literal_of(*call.args[4]));
  }
  if (target.empty() || !is_valid_utf8(target)) {
    return std::make_unique<FailingNode>("invalid destination label name in label_replace(): " +
                                         target);
  }
  return std::make_unique<RelabelNode>(
      plan(*call.args[0]), target,
      std::make_unique<Replace>(std::move(*regex), literal_of(*call.args[2]),
                                literal_of(*call.args[3])));
}

NodePtr plan_label_join(const Call& call) {
  const std::string target = literal_of(*call.args[1]);
  std::vector<std::string> sources;
  for (std::size_t i = 3; i < call.args.size(); ++i) sources.push_back(literal_of(*call.args[i]));
  for (const std::string& source : sources) {
    if (source.empty() || !is_valid_utf8(source)) {
      return std::make_unique<FailingNode>("invalid source label name in label_join(): " + source);
    }
  }
  if (target.empty() || !is_valid_utf8(target)) {
    return std::make_unique<FailingNode>("invalid destination label name in label_join(): " +
                                         target);
  }
  return std::make_unique<RelabelNode>(
      plan(*call.args[0]), target,
      std::make_unique<Join>(literal_of(*call.args[2]), std::move(sources)));
}

}  // namespace

NodePtr plan_label_call(const Call& call, Special special) {
  if (special == Special::LabelReplace) return plan_label_replace(call);
  if (special == Special::LabelJoin) return plan_label_join(call);
  std::vector<std::string> names;
  for (std::size_t i = 1; i < call.args.size(); ++i) names.push_back(literal_of(*call.args[i]));
  return std::make_unique<SortByLabelNode>(plan(*call.args[0]), std::move(names),
                                           special == Special::SortByLabelDesc);
}

}  // namespace tocsin::promql

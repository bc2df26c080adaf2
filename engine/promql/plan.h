// SPDX-License-Identifier: Apache-2.0
//
// The prepared form of an expression: a tree of nodes that are evaluated over and over.
//
// Between nodes travel Frames: a Shape (which series, with which labels) and one number per row of
// it; beside the numbers, where there are any, native histograms. Shapes are immutable, shared, and
// stay the same object for as long as the series do; so a node that derives something from a shape
// (the groups of an aggregation, the pairs of a join) derives it once, and mends it when some
// series have come or gone. Evaluating is then loops over numbers. A row without a sample at this
// instant holds store::absent_value().
//
// Metric names are dropped late, as Prometheus 3 does with delayed name removal: a row keeps its
// name and says drop_name; Query drops it from the final result.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "promql/ast.h"
#include "promql/functions.h"
#include "promql/shape.h"

namespace tocsin::promql {

struct Frame {
  ShapePtr shape;
  std::vector<double> values;
  // Empty when there are none, otherwise one per row; where it is not null, values has no sample.
  std::vector<HistogramPtr> histograms;
  // Of sort() and topk(): the rows that have a sample, in the order to show them.
  std::vector<std::uint32_t> order;
  bool is_ordered = false;

  explicit Frame(ShapePtr of)
      : shape(std::move(of)), values(shape->rows.size(), store::absent_value()) {}
  Frame(ShapePtr of, std::vector<double> by_row)
      : shape(std::move(of)), values(std::move(by_row)) {}

  bool has_sample(std::size_t row) const {
    return !store::is_absent(values[row]) || histogram(row) != nullptr;
  }
  const Histogram* histogram(std::size_t row) const {
    return histograms.empty() ? nullptr : histograms[row].get();
  }
  void set_histogram(std::size_t row, HistogramPtr histogram);
  void remove(std::size_t row);
  // Of a function that knows numbers only.
  void drop_histograms() { histograms.clear(); }
};

struct Context;

// A node that can do some of an evaluation's work before its time has come.
class LooksAhead {
 public:
  virtual ~LooksAhead() = default;
  // `context.at` is that time.
  virtual void look_ahead(Context& context) = 0;
};

// One evaluation, handed down the tree.
struct Context {
  const store::SeriesReader& reader;
  const QueryOptions& options;
  Timestamp start;  // Of the whole query: what `@ start()` and `@ end()` mean.
  Timestamp end;
  Timestamp at;
  std::size_t samples = 0;  // Read so far.
  Annotations annotations;
  // What comes after `at`: evaluations at at + step, … up to and including `last`. A step of 0:
  // nothing. Nodes may work ahead.
  Duration step{0};
  Timestamp last{};
  std::uint64_t run = 0;  // Another one for every call of Query; what was prepared ends with it.
  std::vector<LooksAhead*>* looks_ahead = nullptr;  // Who can add themselves here; null: nowhere.

  // Fails when the query has read more samples than it may, and when nobody wants it any more.
  Result<void> count(std::size_t samples_read);
  // The instant that a shifted selector looks at.
  Timestamp shifted(const TimeShift& shift) const;
  // Whether it may be worth reading for several evaluations at once. The last one has none to come,
  // and takes what was read before.
  bool is_one_of_many() const { return step.count() > 0; }
  // How many evaluations are to come, with this one.
  std::size_t upcoming() const;
  // Where the value of a whole query at this instant may be shared with others; null: nowhere.
  SharedValues* shared() const;
  // To be called now and then by what takes long, when it holds nothing of the reader: lets others
  // in. Whether series may have come or gone. Fails when nobody wants the query any more.
  Result<bool> pause();
};

class RowStream;  // row_stream.h

// A node answers the one question that fits its type.
class Node {
 public:
  virtual ~Node() = default;
  virtual Result<Frame> vector(Context& context);
  virtual Result<double> scalar(Context& context);
  virtual std::string text() const;
  // The node's rows at this evaluation and those to come, if it can work ahead.
  virtual RowStream* stream(const Context&) { return nullptr; }
};
using NodePtr = std::unique_ptr<Node>;

// Reads the windows of evaluations that are to come, of the series that a RangeNode has opened.
class WindowsAhead {
 public:
  virtual ~WindowsAhead() = default;
  virtual store::Interval window_at(const Context& context, Timestamp at) const = 0;
  // Of some rows from `first` on: the first of all, or those after the last that were read. They do
  // not count samples.
  virtual void read_grid(std::size_t first, const store::Interval& all, store::Grid& out) = 0;
  virtual void read_ends(std::size_t first, std::span<const store::Interval> windows,
                         std::span<store::EndsBatch> out) = 0;
};

// Rows of a RangeNode whose samples stand in one place, and are read at one go.
struct Piece {
  std::uint32_t first = 0;  // Row.
  std::uint32_t count = 0;
  std::uint32_t block = 0;
  std::uint32_t first_run = 0;
  std::uint32_t runs = 0;
};

// A node whose type is range vector. open() first; the rest speaks of the window it opened.
class RangeNode {
 public:
  virtual ~RangeNode() = default;
  virtual Result<void> open(Context& context) = 0;
  const ShapePtr& shape() const { return shape_; }
  Timestamp from() const { return from_; }
  Timestamp upto() const { return upto_; }
  // Replaces `out` with the samples of a row; may leave it empty.
  virtual void samples(std::size_t row, std::vector<Sample>& out) = 0;
  // The native histograms of a row, in the same way.
  virtual void histograms(std::size_t row, std::vector<HistogramSample>& out) = 0;
  // Of `count` rows from `first` on.
  virtual void windows(std::size_t first, std::size_t count, store::Windows& out) = 0;
  // Of one or more rows from `first` on: the first of all, or those after the last that were read,
  // or of a piece.
  virtual void ends(std::size_t first, store::EndsBatch& out) = 0;

  // All rows, where they can be read in pieces; otherwise none.
  virtual std::span<const Piece> pieces() { return {}; }
  // Only so many of the pieces will be read; as many as that must be.
  virtual void read_few(std::size_t /*pieces*/) {}
  // Whether what it has learned of the series holds, so that open() would look up nothing.
  virtual bool is_current(const Context&) const { return false; }
  // Another number whenever something has been written that the piece reads. 0: not known.
  virtual std::uint64_t written(const Piece&) const { return 0; }

  // Null if it cannot, or if that is not worth it.
  virtual WindowsAhead* ahead(const Context&) { return nullptr; }

 protected:
  ShapePtr shape_;
  Timestamp from_{};
  Timestamp upto_{};
};
using RangeNodePtr = std::unique_ptr<RangeNode>;

// The newest sample of every matching series; remembers when each was taken, for timestamp().
class SelectorNode : public Node {
 public:
  explicit SelectorNode(const VectorSelector& selector) : selector_(selector) {}
  Result<Frame> vector(Context& context) override;
  // From now on it remembers when the samples were taken.
  void keep_times() { keeps_times_ = true; }
  const std::vector<std::int64_t>& times_ms() const { return times_ms_; }

 private:
  VectorSelector selector_;
  struct Selection {
    const store::SeriesReader* reader = nullptr;
    std::uint64_t version = 0;
    std::vector<store::SeriesId> ids;
    ShapePtr shape;
  } selection_;
  std::vector<std::int64_t> times_ms_;
  bool keeps_times_ = false;
  // What evaluations to come will read.
  struct Ahead {
    std::uint64_t run = 0;
    ShapePtr shape;
    Timestamp first{};
    Duration step{0};
    std::vector<std::vector<double>> values;  // By step; taken when it has come.
  } ahead_;

  bool works_ahead(const Context& context) const;
  std::vector<double> values_ahead(const Context& context);
  friend class MatrixSelectorNode;
  static void look_up(const VectorSelector& selector, const Context& context, Selection& selection);
  static bool mend(const VectorSelector& selector, const store::SeriesReader& reader,
                   Selection& selection);
};

// The labels that say what a metric is: they go together when an operation makes another of it.
const std::vector<std::string>& schema_labels();

// What the evaluator derives again and again: the same row, without its name.
ShapeRow drop_name(const ShapeRow& row);
ShapePtr single_row(Labels labels);

// Builders: a plan for each kind of expression. `expr` has passed the type checker.
NodePtr plan(const Expr& expr);
// The node itself, which shares its value with nobody (shared_steps.h); of an unwrapped expression.
NodePtr plan_alone(const Expr& expr);
RangeNodePtr plan_range(const Expr& expr);
NodePtr plan_binary(const Binary& binary, ValueType type);
NodePtr plan_aggregate(const Expr& expr, const Aggregate& aggregate);
NodePtr plan_call(const Call& call);
NodePtr plan_range_call(const Call& call, RangeFunction function);
NodePtr plan_range_call(const Call& call, Change change);
NodePtr plan_special(const Call& call, Special special);
NodePtr plan_label_call(const Call& call, Special special);
NodePtr plan_histogram_call(const Call& call, Special special);
NodePtr plan_histogram_call(const Call& call, HistogramFunction function);

// The string literal behind a checked argument.
const std::string& literal_of(const Expr& expr);

}  // namespace tocsin::promql

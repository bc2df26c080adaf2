// SPDX-License-Identifier: Apache-2.0
//
// PromQL, with the semantics of Prometheus 3: text → tree → prepared plan → value.
//
//   auto tree = promql::parse("sum by (job) (rate(request_total[5m])) > 10");
//   auto query = promql::Query::prepare(*tree);
//   auto result = query->evaluate(reader, at);
//
// The tree (promql/ast.h) is immutable and shared. A Query keeps what it learned about the series
// it reads (which rows, which groups, which pairs), so that evaluating it again is loops over
// arrays; it is therefore not thread-safe, one evaluation at a time. Everything here is pure.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tocsin/histogram.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/result.h"
#include "tocsin/sample.h"
#include "tocsin/series_reader.h"

namespace tocsin::promql {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

// Why a text is not an expression. Offsets are bytes into the text.
struct Problem {
  std::string code;     // "promql/syntax", "promql/unknown-function", "promql/type".
  std::string message;  // As Prometheus words it where it has words for it.
  std::string hint;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Parses and type-checks.
tl::expected<ExprPtr, Problem> parse(std::string_view text);

// The canonical text of a tree: parse(print(e)) is e, and Prometheus prints the same.
std::string print(const Expr& expr);

enum class ValueType { None, Scalar, String, Vector, Matrix };
ValueType type_of(const Expr& expr);
std::string_view type_name(ValueType type);  // "scalar", "string", "instant vector", "range vector"

struct Element {
  Labels labels;
  Sample sample;           // Its value means nothing where there is a histogram.
  HistogramPtr histogram;  // Null: the element is a number.
};
struct Series {
  Labels labels;
  std::vector<Sample> samples;
  std::vector<HistogramSample> histograms;  // Never at the time of a sample.
};
using Vector = std::vector<Element>;
using Matrix = std::vector<Series>;
struct Text {
  Timestamp at;
  std::string value;
};
// A scalar is a Sample.
using Value = std::variant<Sample, Text, Vector, Matrix>;

// Something worth telling whoever asked, without failing the query.
struct Annotation {
  std::string message;    // "PromQL info: metric might not be a counter, …"
  std::size_t begin = 0;  // The bytes of the expression that it is about; none: not known.
  std::size_t end = 0;

  bool operator==(const Annotation&) const = default;
};
// The same thing is said once.
struct Annotations {
  std::vector<Annotation> warnings;
  std::vector<Annotation> infos;

  void warn(std::string message, const Expr& about);
  void inform(std::string message, const Expr& about);
};
// The message with its place, as Prometheus' API has it: "… (1:6)". `query` is the text that the
// expression was parsed from.
std::string text_of(const Annotation& annotation, std::string_view query);

struct Answer {
  Value value;
  Annotations annotations;
};

// What can be said of an expression before there is any data; an evaluation would say it, too.
Annotations inspect(const Expr& expr);

// The series that an expression reads, and how far back.
struct Need {
  Matchers matchers;
  Duration history;  // Window, offset and lookback together.
};
std::vector<Need> needs_of(const Expr& expr);

class SharedValues;  // promql/shared_values.h
class SharedSteps;   // promql/shared_steps.h

struct QueryOptions {
  Duration lookback = std::chrono::minutes(5);
  // More samples than this in one evaluation is an error of code Limit.
  std::size_t max_samples = 50'000'000;
  // The step of subqueries that name none.
  Duration default_step = std::chrono::minutes(1);
  // Asked between steps; true ends the query with Canceled. Null: nobody interrupts.
  std::function<bool()> is_canceled;
  // Called now and then by a range query, where nothing of the reader is in use: series may come
  // and go, and a lock may be given up and taken again. Null: nothing is done.
  std::function<void()> pause;
  // Where queries of the same instant find what they have in common. Null: nowhere.
  std::shared_ptr<SharedValues> shared;
  // The same for range queries over the same steps. Null: nowhere.
  std::shared_ptr<SharedSteps> shared_steps;
};

class Query {
 public:
  static Query prepare(ExprPtr expr, const QueryOptions& options = {});
  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;
  ~Query();

  const Expr& expr() const;

  // Limits of the evaluations that follow.
  void set_options(QueryOptions options);

  // The value at `at`. Vector elements are in no promised order, unless the expression sorts.
  // Fails with Execution ("many-to-many matching not allowed…"), Limit or Canceled.
  Result<Answer> evaluate(const store::SeriesReader& reader, Timestamp at);

  // Does some of what evaluate() at `at`, a time to come, will have to do: reads what has been
  // written since the query was last evaluated or looked ahead. The value will be the same without.
  void look_ahead(const store::SeriesReader& reader, Timestamp at);

  // The values at start, start + step, … up to and including end: always a Matrix, sorted by
  // labels. The expression must be a scalar or an instant vector.
  Result<Answer> evaluate_range(const store::SeriesReader& reader, Timestamp start, Timestamp end,
                                Duration step);

 private:
  class Impl;
  explicit Query(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::promql

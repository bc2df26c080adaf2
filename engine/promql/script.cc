// SPDX-License-Identifier: Apache-2.0
#include "promql/script.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "promql/custom_buckets.h"
#include "promql/histogram_math.h"
#include "promql/pin.h"
#include "promql/script_reader.h"
#include "tocsin/duration.h"
#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

// All as in promqltest.
constexpr double kTolerance = 1e-6;  // Relative.
constexpr std::size_t kMaxSamples = 10'000;
constexpr Duration kMinute = std::chrono::minutes(1);

constexpr Duration kForever = std::chrono::hours(24 * 365 * 200);

bool same_value(double a, double b) {
  if (is_stale_nan(a) || is_stale_nan(b)) return is_stale_nan(a) && is_stale_nan(b);
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  const double scale = std::abs(a) + std::abs(b);
  return std::abs(a - b) / std::min(scale, std::numeric_limits<double>::max()) < kTolerance;
}

bool same_buckets(const Histogram::Buckets& a, const Histogram::Buckets& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.index == y.index && same_value(x.count, y.count);
  });
}

// The hint counts where one is expected.
bool same_histogram(Histogram expected, Histogram actual) {
  compact(expected);
  compact(actual);
  const bool same_hint = expected.reset_hint == Histogram::ResetHint::Unknown ||
                         expected.reset_hint == actual.reset_hint;
  return same_hint && expected.schema == actual.schema &&
         expected.zero_threshold == actual.zero_threshold &&
         expected.custom_bounds == actual.custom_bounds &&
         same_value(expected.zero_count, actual.zero_count) &&
         same_value(expected.count, actual.count) && same_value(expected.sum, actual.sum) &&
         same_buckets(expected.positive, actual.positive) &&
         same_buckets(expected.negative, actual.negative);
}

bool same_noted(const NotedValue& expected, const NotedValue& actual) {
  if (!expected.histogram || !actual.histogram) {
    return !expected.histogram && !actual.histogram && same_value(expected.number, actual.number);
  }
  return same_histogram(*expected.histogram, *actual.histogram);
}

std::string text_of(const std::vector<SeriesNotation>& series) {
  if (series.empty()) return "nothing";
  std::string out;
  for (const SeriesNotation& s : series) {
    out += "\n  " + s.labels.text();
    for (const auto& value : s.values) out += " " + text_of(value);
  }
  return out;
}

bool same_series(const SeriesNotation& a, const SeriesNotation& b) {
  const auto at = [](const SeriesNotation& s, std::size_t i) {
    return i < s.values.size() ? s.values[i] : std::nullopt;
  };
  for (std::size_t i = 0; i < std::max(a.values.size(), b.values.size()); ++i) {
    const auto x = at(a, i);
    const auto y = at(b, i);
    if (x.has_value() != y.has_value() || (x && !same_noted(*x, *y))) return false;
  }
  return a.labels == b.labels;
}

std::vector<SeriesNotation> notation_of(const Vector& vector) {
  std::vector<SeriesNotation> out;
  for (const Element& e : vector) {
    out.push_back({e.labels, {NotedValue{e.sample.value, e.histogram}}});
  }
  return out;
}

// The samples in the slots of a grid of times; a sample that fits into none is in a slot too many.
std::vector<SeriesNotation> notation_of(const Matrix& matrix, const TimeGrid& grid) {
  const auto slots = static_cast<std::size_t>((grid.end - grid.start) / grid.step) + 1;
  std::vector<SeriesNotation> out;
  for (const Series& s : matrix) {
    SeriesNotation notation{s.labels, NotedValues(slots)};
    const auto put = [&](Timestamp at, NotedValue value) {
      const Duration distance = at - grid.start;
      const auto slot = static_cast<std::size_t>(distance / grid.step);
      if (distance.count() % grid.step.count() != 0 || slot >= slots) {
        notation.values.emplace_back(std::move(value));
      } else {
        notation.values[slot] = std::move(value);
      }
    };
    for (const Sample& sample : s.samples) put(sample.at, {sample.value, nullptr});
    for (const HistogramSample& sample : s.histograms) put(sample.at, {0, sample.histogram});
    out.push_back(std::move(notation));
  }
  return out;
}

// What a range query says of one of its steps, as an instant query says it.
Value value_at(const Matrix& matrix, Timestamp at, bool is_scalar) {
  Vector out;
  for (const Series& series : matrix) {
    for (const Sample& sample : series.samples) {
      if (sample.at == at) out.push_back({series.labels, sample, nullptr});
    }
    for (const HistogramSample& sample : series.histograms) {
      if (sample.at == at) out.push_back({series.labels, {at, 0}, sample.histogram});
    }
  }
  if (is_scalar && !out.empty()) return out[0].sample;
  return out;
}

std::string describe(const Annotations& annotations) {
  std::string out;
  for (const auto* list : {&annotations.warnings, &annotations.infos}) {
    for (const Annotation& annotation : *list) out += "\n  " + annotation.message;
  }
  return out.empty() ? "no annotations" : out;
}

bool accepts(const ExpectedNotes& expected, const std::vector<Annotation>& actual) {
  if (expected.none && !actual.empty()) return false;
  if (expected.any && actual.empty()) return false;
  if (expected.texts.empty()) return true;
  const auto occurs = [&](const ExpectedText& text) {
    return std::any_of(actual.begin(), actual.end(),
                       [&](const Annotation& a) { return text.accepts(a.message); });
  };
  const auto is_expected = [&](const Annotation& a) {
    return std::any_of(expected.texts.begin(), expected.texts.end(),
                       [&](const ExpectedText& text) { return text.accepts(a.message); });
  };
  return std::all_of(expected.texts.begin(), expected.texts.end(), occurs) &&
         std::all_of(actual.begin(), actual.end(), is_expected);
}

std::string describe(const EvalCommand& eval) {
  if (eval.fails) return "an error: " + eval.failure.describe();
  std::string out = eval.scalar   ? format_value(*eval.scalar)
                    : eval.string ? quote(*eval.string)
                                  : text_of(eval.series);
  for (const auto& [notes, kind] :
       {std::pair(&eval.warnings, "warning"), std::pair(&eval.infos, "info")}) {
    if (notes->any) out += std::string("\n  any ") + kind;
    if (notes->none) out += std::string("\n  no ") + kind;
    for (const ExpectedText& text : notes->texts) {
      out += std::string("\n  ") + kind + ": " + text.describe();
    }
  }
  return out;
}

// Each judge returns nothing when the case holds; otherwise what came instead.
using Verdict = std::optional<std::string>;

Verdict judge_series(const EvalCommand& eval, std::vector<SeriesNotation> actual) {
  std::vector<SeriesNotation> expected = eval.series;
  if (!eval.ordered) {
    const auto by_labels = [](const SeriesNotation& a, const SeriesNotation& b) {
      return a.labels < b.labels;
    };
    std::stable_sort(expected.begin(), expected.end(), by_labels);
    std::stable_sort(actual.begin(), actual.end(), by_labels);
  }
  if (std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), same_series)) {
    return std::nullopt;
  }
  return text_of(actual);
}

Verdict judge_value(const EvalCommand& eval, const Value& value) {
  if (const auto* scalar = std::get_if<Sample>(&value)) {
    if (eval.scalar && same_value(*eval.scalar, scalar->value)) return std::nullopt;
    return format_value(scalar->value);
  }
  if (const auto* text = std::get_if<Text>(&value)) {
    if (eval.string && *eval.string == text->value) return std::nullopt;
    return quote(text->value);
  }
  if (eval.scalar || eval.string) return "a vector";
  if (const auto* vector = std::get_if<Vector>(&value)) {
    return judge_series(eval, notation_of(*vector));
  }
  return judge_series(eval,
                      notation_of(std::get<Matrix>(value), eval.range_vector.value_or(eval.times)));
}

Verdict judge(const EvalCommand& eval, const Result<Answer>& answer) {
  if (!answer) {
    const std::string& message = answer.error().message;
    if (eval.fails && eval.failure.accepts(message)) return std::nullopt;
    return "an error: " + message;
  }
  if (eval.fails) return "no error";
  if (!accepts(eval.warnings, answer->annotations.warnings) ||
      !accepts(eval.infos, answer->annotations.infos)) {
    return describe(answer->annotations);
  }
  return judge_value(eval, answer->value);
}

// The instants at which an expression that is pinned to `at` is evaluated again.
std::vector<Timestamp> other_times(Timestamp at) {
  const std::int64_t t = to_millis(at);
  if (t == 0) return {from_millis(-1000), from_millis(0), from_millis(1000)};
  return {from_millis(-10 * t), from_millis(0), from_millis(t / 5), at, from_millis(10 * t)};
}

class Script {
 public:
  Script() { run(ClearCommand{}, 0); }

  ScriptReport run(std::string_view text) {
    for (const Command& command : read_script(text)) {
      std::visit([&](const auto& what) { run(what, command.line); }, command.what);
    }
    return std::move(report_);
  }

 private:
  void run(const ClearCommand&, int) {
    store_ = std::make_unique<store::Store>();
    block_ = store_->add_block({.history = kForever});
  }

  void run(const LoadCommand& load, int) {
    add(load.series, load.step);
    if (load.with_custom_buckets) add(with_custom_buckets(load.series), load.step);
  }

  void add(const std::vector<SeriesNotation>& all, Duration step) {
    for (const SeriesNotation& series : all) {
      const store::SeriesId id = store_->add_series(block_, series.labels, false);
      Timestamp at{};
      for (const auto& value : series.values) {
        if (value && value->histogram) store_->append_histogram(id, at, value->histogram);
        if (value && !value->histogram) store_->append_sample(id, at, value->number);
        at += step;
      }
    }
  }

  void run(const BadLine& bad, int line) {
    report_.failures.push_back({line, "", "a valid script", bad.message});
  }

  void run(const EvalCommand& eval, int line) {
    const auto expr = parse(eval.query);
    if (!expr) {
      const Verdict verdict = judge(eval, fail(ErrorCode::Parse, expr.error().message));
      return note(eval, line, eval.query, verdict);
    }
    if (eval.is_range) return note(eval, line, eval.query, run_range(eval, *expr));
    Verdict verdict = run_instant(eval, *expr, eval.times.start);
    const ExprPtr pinned = verdict ? nullptr : pin(*expr, eval.times.start);
    if (!pinned) return note(eval, line, eval.query, verdict);
    run_pinned(eval, line, print(*pinned));
  }

  // Through its text, so that printer and parser are tested too.
  void run_pinned(const EvalCommand& eval, int line, const std::string& text) {
    const auto expr = parse(text);
    if (!expr) return note(eval, line, text, "an error: " + expr.error().message);
    for (const Timestamp at : other_times(eval.times.start)) {
      if (const Verdict verdict = run_instant(eval, *expr, at)) {
        return note(eval, line, text + " at " + format_value(to_seconds(at)) + "s", verdict);
      }
    }
    note(eval, line, text, std::nullopt);
  }

  Verdict run_range(const EvalCommand& eval, const ExprPtr& expr) {
    return judge(eval, query(expr).evaluate_range(*store_, eval.times.start, eval.times.end,
                                                  eval.times.step));
  }

  // As an instant query; and the middle step of a range query must say the same.
  Verdict run_instant(const EvalCommand& eval, const ExprPtr& expr, Timestamp at) {
    const auto answer = query(expr).evaluate(*store_, at);
    if (const Verdict verdict = judge(eval, answer)) return verdict;
    const bool has_steps = expr->type == ValueType::Vector || expr->type == ValueType::Scalar;
    if (!answer || !has_steps) return std::nullopt;
    const auto range = query(expr).evaluate_range(*store_, at - kMinute, at + kMinute, kMinute);
    if (!range) return "as a range query, an error: " + range.error().message;
    if (eval.ordered) return std::nullopt;  // Range queries are sorted by labels.
    const auto verdict = judge_value(
        eval, value_at(std::get<Matrix>(range->value), at, expr->type == ValueType::Scalar));
    if (verdict) return "as a range query, " + *verdict;
    return std::nullopt;
  }

  static Query query(const ExprPtr& expr) {
    QueryOptions options;
    options.max_samples = kMaxSamples;
    return Query::prepare(expr, options);
  }

  void note(const EvalCommand& eval, int line, const std::string& query, const Verdict& verdict) {
    if (!verdict) {
      ++report_.passed;
    } else {
      report_.failures.push_back({line, query, describe(eval), *verdict});
    }
  }

  std::unique_ptr<store::Store> store_;
  store::BlockId block_ = 0;
  ScriptReport report_;
};

}  // namespace

ScriptReport run_script(std::string_view text) { return Script().run(text); }

}  // namespace tocsin::promql

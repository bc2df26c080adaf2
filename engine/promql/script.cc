// SPDX-License-Identifier: Apache-2.0
#include "promql/script.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "promql/series_notation.h"
#include "tocsin/duration.h"
#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

constexpr double kTolerance = 1e-6;  // Relative; promqltest's.
constexpr std::size_t kMaxSamples = 10'000;
constexpr Duration kForever = std::chrono::hours(24 * 365 * 200);

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

std::optional<Duration> read_time(std::string_view text) {
  if (const auto duration = parse_duration(text)) return duration;
  if (const auto seconds = parse_number(text)) return Duration(std::llround(*seconds * 1000.0));
  return std::nullopt;
}

bool same_value(double a, double b) {
  if (is_stale_nan(a) || is_stale_nan(b)) return is_stale_nan(a) && is_stale_nan(b);
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  const double scale = std::abs(a) + std::abs(b);
  return std::abs(a - b) / std::min(scale, std::numeric_limits<double>::max()) < kTolerance;
}

// One eval command, as written.
struct Case {
  int line = 0;
  std::string query;
  bool is_range = false;
  Duration start{0};
  Duration end{0};
  Duration step{0};
  bool fails = false;
  bool ordered = false;
  std::string message;
  std::optional<std::string> string;
  std::optional<double> scalar;
  std::vector<SeriesNotation> series;
  std::string skip;  // Why it cannot be run.
};

std::string text_of(const std::vector<SeriesNotation>& series) {
  std::string out;
  for (const SeriesNotation& s : series) {
    out += "  " + s.labels.text();
    for (const auto& v : s.values) out += " " + (v ? format_value(*v) : "_");
    out += "\n";
  }
  return out;
}

// The answer's samples in the shape of the expectation: one slot per step.
std::vector<SeriesNotation> slots_of(const Value& value, const Case& c) {
  std::vector<SeriesNotation> out;
  if (const auto* vector = std::get_if<Vector>(&value)) {
    for (const Element& e : *vector) out.push_back({e.labels, {e.sample.value}});
  }
  if (const auto* matrix = std::get_if<Matrix>(&value)) {
    const std::size_t steps =
        c.is_range ? static_cast<std::size_t>((c.end - c.start) / c.step) + 1 : 0;
    for (const Series& s : *matrix) {
      SeriesNotation slots{s.labels, std::vector<std::optional<double>>(steps)};
      for (const Sample& sample : s.samples) {
        const auto slot =
            static_cast<std::size_t>(c.is_range ? (sample.at - Timestamp(c.start)) / c.step : 0);
        if (slot < steps) slots.values[slot] = sample.value;
      }
      out.push_back(std::move(slots));
    }
  }
  return out;
}

bool same_series(const SeriesNotation& a, const SeriesNotation& b) {
  const std::size_t length = std::max(a.values.size(), b.values.size());
  const auto at = [](const SeriesNotation& s, std::size_t i) {
    return i < s.values.size() ? s.values[i] : std::nullopt;
  };
  for (std::size_t i = 0; i < length; ++i) {
    const auto x = at(a, i);
    const auto y = at(b, i);
    if (x.has_value() != y.has_value() || (x && !same_value(*x, *y))) return false;
  }
  return a.labels == b.labels;
}

class Script {
 public:
  explicit Script(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    clear();
  }

  ScriptReport run() {
    while (next_ < lines_.size()) {
      std::string_view line = trim(lines_[next_++]);
      if (line.empty() || line.front() == '#') continue;
      const std::string_view command = take_word(line);
      if (command == "clear") {
        clear();
      } else if (command == "load" || command == "load_with_nhcb") {
        load(line);
      } else if (command.starts_with("eval")) {
        run_case(read_case(command, line));
      } else {
        fail_here("not a command: " + std::string(command));
      }
    }
    return std::move(report_);
  }

 private:
  void clear() {
    store_ = std::make_unique<store::Store>();
    block_ = store_->add_block({.history = kForever});
  }

  void fail_here(std::string why) {
    report_.failures.push_back({static_cast<int>(next_), "", "a valid script", std::move(why)});
  }

  // The lines of a block, up to an empty one; comments left out.
  std::vector<std::string_view> block_lines() {
    std::vector<std::string_view> out;
    while (next_ < lines_.size() && !trim(lines_[next_]).empty()) {
      const std::string_view line = trim(lines_[next_]);
      if (lines_[next_].front() != ' ' && lines_[next_].front() != '\t' && line.front() != '#')
        break;
      ++next_;
      if (line.front() != '#') out.push_back(line);
    }
    return out;
  }

  void load(std::string_view step_text) {
    const auto step = read_time(step_text);
    if (!step) return fail_here("not a step: " + std::string(step_text));
    // A series that is given twice is what its last line says.
    std::map<Labels, std::vector<std::optional<double>>> series_by_labels;
    for (const std::string_view line : block_lines()) {
      auto series = parse_series_notation(line);
      if (series) {
        series_by_labels[series->labels] = std::move(series->values);
      } else if (series.error().code != ErrorCode::InvalidArgument) {
        fail_here(series.error().message);
      }
    }
    for (const auto& [labels, values] : series_by_labels) {
      const store::SeriesId id = store_->add_series(block_, labels, false);
      Timestamp at{};
      for (const auto& value : values) {
        if (value) store_->append_sample(id, at, *value);
        at += *step;
      }
    }
  }

  Case read_case(std::string_view command, std::string_view rest) {
    Case c;
    c.line = static_cast<int>(next_);
    c.fails = command == "eval_fail";
    c.ordered = command == "eval_ordered";
    c.is_range = take_word(rest) == "range";
    std::optional<Duration> start = Duration(0);
    std::optional<Duration> end = start;
    std::optional<Duration> step = Duration(1);
    if (c.is_range) {
      take_word(rest);
      start = read_time(take_word(rest));
      take_word(rest);
      end = read_time(take_word(rest));
      take_word(rest);
      step = read_time(take_word(rest));
    } else if (rest.starts_with("at ")) {
      take_word(rest);
      start = read_time(take_word(rest));
    }
    if (!start || !end || !step) c.skip = "cannot read the time of the evaluation";
    c.start = start.value_or(Duration(0));
    c.end = end.value_or(Duration(0));
    c.step = step.value_or(Duration(1));
    c.query = rest;
    for (const std::string_view line : block_lines()) read_expectation(line, c);
    return c;
  }

  static void read_expectation(std::string_view line, Case& c) {
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (word == "expected_fail_message") {
      c.message = rest;
    } else if (word == "expected_fail_regexp") {
      // The text of an error is compared only where it is given in full.
    } else if (word == "expect") {
      const std::string_view what = take_word(rest);
      if (what == "fail") c.fails = true;
      if (what == "ordered") c.ordered = true;
      if (what == "string") c.string = std::string(rest.substr(1, rest.size() - 2));
      if (rest.starts_with("msg:")) c.message = trim(rest.substr(4));
    } else if (const auto number = parse_number(line)) {
      c.scalar = *number;
    } else if (line.front() == '"' && line.back() == '"') {
      c.string = std::string(line.substr(1, line.size() - 2));
    } else if (auto series = parse_series_notation(line)) {
      c.series.push_back(std::move(*series));
    } else {
      c.skip = series.error().message + ": " + std::string(line);
    }
  }

  void run_case(const Case& c) {
    if (!c.skip.empty()) {
      report_.skipped.push_back({c.line, c.query, "", c.skip});
      return;
    }
    const auto verdict = judge(c);
    if (verdict.empty()) {
      ++report_.passed;
      return;
    }
    const std::string expected = c.fails    ? "an error " + c.message
                                 : c.scalar ? format_value(*c.scalar)
                                 : c.string ? *c.string
                                            : "\n" + text_of(c.series);
    report_.failures.push_back({c.line, c.query, expected, verdict});
  }

  Result<Answer> evaluate(const Case& c) {
    const auto expr = parse(c.query);
    if (!expr) return fail(ErrorCode::Parse, expr.error().message);
    QueryOptions options;
    options.max_samples = kMaxSamples;
    Query query = Query::prepare(*expr, options);
    if (!c.is_range) return query.evaluate(*store_, Timestamp(c.start));
    return query.evaluate_range(*store_, Timestamp(c.start), Timestamp(c.end), c.step);
  }

  // Empty when the case holds; otherwise what came instead.
  std::string judge(const Case& c) {
    const auto answer = evaluate(c);
    if (!answer) {
      const std::string& message = answer.error().message;
      if (!c.fails) return "error: " + message;
      return c.message.empty() || message == c.message ? "" : "error: " + message;
    }
    if (c.fails) return "no error";
    const Value& value = answer->value;
    if (const auto* scalar = std::get_if<Sample>(&value)) {
      return c.scalar && same_value(*c.scalar, scalar->value) ? "" : format_value(scalar->value);
    }
    if (const auto* text = std::get_if<Text>(&value)) {
      return c.string && *c.string == text->value ? "" : text->value;
    }
    return judge_series(c, slots_of(value, c));
  }

  static std::string judge_series(const Case& c, std::vector<SeriesNotation> actual) {
    std::vector<SeriesNotation> expected = c.series;
    if (!c.ordered) {
      const auto by_labels = [](const SeriesNotation& a, const SeriesNotation& b) {
        return a.labels < b.labels;
      };
      std::sort(expected.begin(), expected.end(), by_labels);
      std::sort(actual.begin(), actual.end(), by_labels);
    }
    if (std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), same_series)) {
      return "";
    }
    return "\n" + (actual.empty() ? "  nothing\n" : text_of(actual));
  }

  std::vector<std::string_view> lines_;
  std::size_t next_ = 0;
  std::unique_ptr<store::Store> store_;
  store::BlockId block_ = 0;
  ScriptReport report_;
};

}  // namespace

ScriptReport run_script(std::string_view text) { return Script(text).run(); }

}  // namespace tocsin::promql

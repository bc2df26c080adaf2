// SPDX-License-Identifier: Apache-2.0
//
// Selectors, windows and calls.
#include "differential/random_expr.h"

#include <algorithm>
#include <array>

namespace tocsin::differential {
namespace {

constexpr int kDepth = 4;

// What a function over a window makes of the values.
enum class Outcome { Same, Sum, Count, Approximate };
struct RangeCall {
  std::string_view name;
  Outcome outcome;
  bool wants_exact;   // Not to be asked of numbers that may differ in the last bit.
  bool wants_finite;  // Prometheus 2.42 and 3 differ in what infinity does to it.
};
constexpr std::array kRangeCalls{
    RangeCall{"avg_over_time", Outcome::Approximate, false, true},
    RangeCall{"min_over_time", Outcome::Same, false, false},
    RangeCall{"max_over_time", Outcome::Same, false, false},
    RangeCall{"sum_over_time", Outcome::Sum, false, true},
    RangeCall{"count_over_time", Outcome::Count, false, false},
    RangeCall{"last_over_time", Outcome::Same, false, false},
    RangeCall{"present_over_time", Outcome::Count, false, false},
    RangeCall{"stddev_over_time", Outcome::Approximate, true, true},
    RangeCall{"stdvar_over_time", Outcome::Approximate, true, true},
    RangeCall{"changes", Outcome::Count, true, false},
    RangeCall{"resets", Outcome::Count, true, false},
    RangeCall{"idelta", Outcome::Same, true, true},
    RangeCall{"delta", Outcome::Approximate, true, true},
    RangeCall{"deriv", Outcome::Approximate, true, true},
    RangeCall{"irate", Outcome::Approximate, true, true},
};

Traits outcome_of(Outcome outcome, const Traits& from) {
  switch (outcome) {
    case Outcome::Count:
      return kCount;
    case Outcome::Approximate:
      return approximate(from);
    case Outcome::Sum: {
      Traits out = computed(from);
      out.exact = out.whole = from.exact && from.whole;
      return out;
    }
    case Outcome::Same: {
      Traits out = from;
      out.named = out.counts = out.distinct = false;
      return out;
    }
  }
  return from;
}

constexpr std::array<std::string_view, 21> kMath{
    "ceil", "floor", "sgn",  "exp",  "ln",   "log2",  "log10", "sin",   "cos",   "tan", "asin",
    "acos", "atan",  "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "round", "sqrt"};
constexpr std::array<std::string_view, 8> kDates{"minute",        "hour",        "day_of_week",
                                                 "day_of_month",  "day_of_year", "month",
                                                 "days_in_month", "year"};
}  // namespace

std::string ExprDice::expression() {
  if (dice_.one_in(40)) return scalar(kDepth).text;
  if (dice_.one_in(60)) return range(2).text;
  const Part out = vector(kDepth);
  if (dice_.one_in(25)) return (dice_.one_in(2) ? "sort(" : "sort_desc(") + out.text + ")";
  return out.text;
}

const Metric& ExprDice::metric_where(bool (*good)(const Metric&)) {
  for (;;) {
    const Metric& metric = dice_.pick(metrics());
    if (good(metric)) return metric;
  }
}

Names ExprDice::some_of(const Names& labels) {
  Names out;
  for (const std::string& label : labels) {
    if (dice_.one_in(2)) out.push_back(label);
  }
  return out;
}

// Keywords may be written in capitals.
std::string ExprDice::word(std::string text) {
  if (!dice_.one_in(25)) return text;
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

// A number that nothing in the data is near to.
std::string ExprDice::generic_number() {
  return std::to_string(dice_.between(0, 30)) + "." + std::to_string(dice_.between(1'001, 9'998)) +
         "37";
}

std::string ExprDice::quantile() {
  if (dice_.one_in(12)) return dice_.pick<std::string>({"-1", "2", "NaN", "Inf"});
  return "0." + std::to_string(dice_.between(11, 98)) + "713";
}

std::string ExprDice::window() {
  // Three more than a multiple of ten: see subquery().
  const auto seconds = dice_.pick({93, 123, 303, 333, 603, 1203, 1803});
  if (dice_.one_in(3)) return std::to_string(seconds) + "s";
  return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
}

std::string ExprDice::shift() {
  std::string at;
  if (dice_.one_in(14)) {
    const std::int64_t second = to_millis(kDataStart) / 1000 + 10 * dice_.between(250, 850);
    at = dice_.pick<std::string>({" @ start()", " @ end()", " @ " + std::to_string(second)});
  }
  std::string offset;
  if (dice_.one_in(9)) {
    offset = word(" offset ") +
             dice_.pick<std::string>({"10s", "1m", "5m", "20m", "-1m", "-5m", "40s", "1h"});
  }
  return dice_.one_in(2) ? at + offset : offset + at;
}

std::string ExprDice::matcher(const std::string& label) {
  const auto& values = values_of(label);
  const std::string& value = dice_.pick(values);
  const std::string& other = dice_.pick(values);
  switch (dice_.below(9)) {
    case 0:
      return label + "!=\"" + value + "\"";
    case 1:
      return label + "=~\"" + value + "|" + other + "\"";
    case 2:
      return label + "=~\"" + value.substr(0, 1) + ".*\"";
    case 3:
      return label + "!~'" + value + "'";
    case 4:
      return label + "=~\".+\"";
    case 5:
      return "nothing=\"\"";
    case 6:
      return label + "!=\"\"";
    default:
      return label + "=\"" + value + "\"";
  }
}

Part ExprDice::selector_of(const Metric& metric) {
  Names matchers;
  for (const std::string& label : metric.labels) {
    if (label != "le" && dice_.percent(15)) matchers.push_back(matcher(label));
  }
  std::string text = metric.name;
  if (dice_.one_in(25)) {
    matchers.push_back("__name__=\"" + metric.name + "\"");
    text.clear();
  }
  if (!matchers.empty()) text += "{" + join(matchers) + "}";
  return {text, traits_of(metric.kind), metric.labels};
}

Part ExprDice::selector() {
  Part out = selector_of(dice_.pick(metrics()));
  out.text += shift();
  return out;
}

// Several metrics at once. Without their names, their elements would be alike.
Part ExprDice::mixed_selector() {
  const std::string names =
      dice_.pick<std::string>({"requests_total|errors_total", "queue|load|errors_total", ".*_total",
                               "(queue|temperature|load)", "[^il].*"});
  Part out{"{__name__=~\"" + names + "\"}" + shift(), {}, {"job", "pod"}};
  out.traits = {.exact = true, .finite = names[0] != '[', .named = true, .mixed = true};
  return out;
}

Part ExprDice::range_of(const Metric& metric) {
  Part out = selector_of(metric);
  out.text += "[" + window() + "]" + shift();
  return out;
}

// Its steps are multiples of ten seconds, as everything that shifts a time is; evaluations are at
// seven past one, and windows are three longer than one: no step is at a window's edge.
Part ExprDice::subquery(int depth) {
  Part out = vector_where(depth, is_plain);
  out.traits.counts = false;
  const std::string step = dice_.pick<std::string>({"", "10s", "30s", "1m", "50s", "2m"});
  const bool needs_parentheses = out.text.find_first_of(" ") != std::string::npos;
  if (needs_parentheses) out.text = "(" + out.text + ")";
  out.text += "[" + window() + ":" + step + "]" + shift();
  return out;
}

Part ExprDice::range(int depth) {
  if (depth > 0 && dice_.one_in(4)) return subquery(depth - 1);
  return range_of(dice_.pick(metrics()));
}

Part ExprDice::range_call(int depth) {
  const RangeCall& call = dice_.pick(kRangeCalls);
  Part from;
  do {
    from = range(depth);
  } while ((call.name == "avg_over_time" && !has_safe_mean(from.traits)) ||
           (call.wants_exact && !from.traits.exact) || (call.wants_finite && !from.traits.finite));
  Part out{std::string(call.name) + "(" + from.text + ")", outcome_of(call.outcome, from.traits),
           from.labels};
  if (call.name == "last_over_time") out.traits = from.traits;
  if (call.name == "idelta") out.traits.positive = false;
  if (call.wants_exact && from.traits.finite && dice_.one_in(8)) {
    // 2.42 lets the window of predict_linear() wander, whatever `@` says.
    const bool is_pinned = from.text.find('@') != std::string::npos;
    switch (is_pinned ? dice_.between(1, 2) : dice_.between(0, 2)) {
      case 0:
        out.text = "predict_linear(" + from.text + ", " + scalar(0).text + ")";
        break;
      case 1:
        out.text = "holt_winters(" + from.text + ", 0.3, 0.7)";
        break;
      default:
        out.text = "quantile_over_time(" + quantile() + ", " + from.text + ")";
        out.traits.finite = false;
    }
    out.traits = approximate(out.traits);
  }
  return out;
}

Part ExprDice::counter_call(int depth) {
  const Metric& metric = metric_where([](const Metric& m) { return traits_of(m.kind).counts; });
  Part out = range_of(metric);
  if (depth > 0 && dice_.one_in(8)) {
    out = selector_of(metric);
    out.text = "(" + out.text + ")[" + window() + ":1m]";
  }
  out.text = dice_.pick<std::string>({"rate", "increase", "irate"}) + "(" + out.text + ")";
  out.traits = approximate(out.traits);
  return out;
}

Part ExprDice::math_call(int depth) {
  if (dice_.one_in(4)) {
    Part out = vector_where(depth - 1, is_plain);
    out.text = dice_.pick<std::string>({"abs", "sqrt", "deg", "rad"}) + "(" + out.text + ")";
    out.traits.finite = false;
    out.traits = approximate(out.traits);
    return out;
  }
  const std::string name(dice_.pick(kMath));
  Part out = vector_where(depth - 1, is_exact);
  const bool rounds = name == "ceil" || name == "floor" || name == "sgn" || name == "round";
  const bool to_multiple = name == "round" && dice_.one_in(2);
  const std::string multiple = to_multiple ? ", " + generic_number() : "";
  const bool whole = out.traits.whole;
  out.text = name + "(" + out.text + multiple + ")";
  out.traits = rounds && !to_multiple ? computed(out.traits) : approximate(out.traits);
  out.traits.whole = rounds && !to_multiple && whole;
  out.traits.finite = rounds && out.traits.finite;
  return out;
}

Part ExprDice::date_call(int depth) {
  const std::string name(dice_.pick(kDates));
  if (dice_.one_in(6)) return {name + "()", kCount, {}};
  Part out = vector_where(depth - 1, [](const Part& p) { return is_exact(p) && p.traits.whole; });
  const bool is_pinned = out.text.find('@') != std::string::npos;  // As in other_call().
  out.text =
      name + "(" + (!is_pinned && dice_.one_in(2) ? "timestamp(" + out.text + ")" : out.text) + ")";
  out.traits = kCount;
  return out;
}

Part ExprDice::other_call(int depth) {
  switch (dice_.below(6)) {
    case 0: {
      const Part value = scalar(depth - 1);
      return {"vector(" + value.text + ")", computed(value.traits), {}};
    }
    case 1: {
      Part out = dice_.one_in(2) ? selector() : vector_where(depth - 1, is_plain);
      // Together, Prometheus forgets the offset here.
      if (out.text.find('@') != std::string::npos) out = selector_of(dice_.pick(metrics()));
      out.text = "timestamp(" + out.text + ")";
      out.traits = {.exact = true, .finite = false};  // Too large to be spread about.
      return out;
    }
    case 2: {
      Part out = vector_where(depth - 1, is_plain);
      out.text = dice_.pick<std::string>({"clamp_min", "clamp_max"}) + "(" + out.text + ", " +
                 generic_number() + ")";
      out.traits = computed(out.traits);
      return out;
    }
    case 3: {
      Part out = vector_where(depth - 1, is_plain);
      out.text = "clamp(" + out.text + ", " + generic_number() + ", " + generic_number() + ")";
      out.traits = computed(out.traits);
      return out;
    }
    case 4: {
      Part out = vector(depth - 1);
      out.text = (dice_.one_in(2) ? "sort(" : "sort_desc(") + out.text + ")";
      return out;
    }
    default: {
      Part out = vector(depth - 1);
      out.text = "(" + out.text + ")";
      return out;
    }
  }
}

Part ExprDice::label_call(int depth) {
  Part out = vector_where(depth - 1, is_plain);
  const std::string target = dice_.pick<std::string>({"copy", "zone", "job", "version"});
  const std::string source = out.labels.empty() ? "pod" : dice_.pick(out.labels);
  if (dice_.one_in(2)) {
    const std::string separator = dice_.pick<std::string>({"\"-\"", "\"\"", "\"/\""});
    const std::string more = dice_.one_in(2) ? ", \"job\"" : "";
    out.text = "label_join(" + out.text + ", \"" + target + "\", " + separator + ", \"" + source +
               "\", \"pod\"" + more + ")";
  } else {
    const std::string pattern =
        dice_.pick<std::string>({"\"(.*)\"", "\"(.).*\"", "\"p-(.*)\"", "\"(?P<x>[a-z]).*\"",
                                 "\"nothing\"", "\"(a|b)*.*\""});
    const std::string replacement =
        dice_.pick<std::string>({"\"$1\"", "\"<$1>\"", "\"${1}x\"", "\"\"", "\"$2\"", "\"$x\""});
    out.text = "label_replace(" + out.text + ", \"" + target + "\", " + replacement + ", \"" +
               source + "\", " + pattern + ")";
  }
  out.traits.counts = false;
  if (std::find(out.labels.begin(), out.labels.end(), target) == out.labels.end()) {
    out.labels.push_back(target);
  }
  return out;
}

Part ExprDice::histogram_call(int depth) {
  const Metric& metric = metric_where([](const Metric& m) { return m.kind == MetricKind::Bucket; });
  const bool rates = dice_.percent(70);
  Part from = selector_of(metric);
  from.text += rates ? "[" + window() + "]" + shift() : shift();
  if (rates) from.text = "rate(" + from.text + ")";
  from.labels = {"job", "pod"};
  if (depth > 0 && dice_.percent(60)) {
    from.labels = some_of(from.labels);
    Names grouping = from.labels;
    grouping.emplace_back("le");
    from.text = "sum by " + in_parentheses(grouping) + " (" + from.text + ")";
  }
  return {"histogram_quantile(" + quantile() + ", " + from.text + ")",
          {.exact = false, .finite = false},
          from.labels};
}

Part ExprDice::absent_call(int depth) {
  if (dice_.one_in(2)) return {"absent_over_time(" + range(depth).text + ")", kCount, {}};
  return {"absent(" + vector(depth - 1).text + ")", kCount, {}};
}

Part ExprDice::scalar(int depth) {
  switch (dice_.below(depth > 0 ? 8 : 3)) {
    case 0:
      return {dice_.pick<std::string>({"2", "-3", "0.5", "1e3", "0x1F", "60"}), kCount, {}};
    case 1:
      return {generic_number(), {}, {}};
    case 2:
      return {dice_.pick<std::string>({"pi()", "time()", "Inf", "-2.25", "NaN", "+1"}),
              {.exact = true, .finite = false},
              {}};
    case 3:
    case 4: {
      const Part from = vector_where(depth - 1, is_plain);
      const std::string fold = from.traits.finite ? "sum" : "max";
      Traits traits = computed(from.traits);
      traits.exact = from.traits.exact && (fold == "max" || from.traits.whole);
      traits.finite = false;
      if (dice_.one_in(3)) return {"scalar(" + from.text + ")", traits, {}};
      return {"scalar(" + fold + "(" + from.text + "))", traits, {}};
    }
    default: {
      const Part left = scalar(depth - 1);
      const Part right = scalar(depth - 1);
      const bool exact = left.traits.exact && right.traits.exact;
      const std::string op =
          exact ? dice_.pick<std::string>({"+", "-", "*", "/", "%", "== bool", "> bool", "^"})
                : dice_.pick<std::string>({"*", "/"});
      Traits traits = computed(both(left.traits, right.traits));
      if (op == "^") traits.exact = false;
      traits.finite = false;
      return {"(" + left.text + " " + op + " " + right.text + ")", traits, {}};
    }
  }
}

Part ExprDice::vector(int depth) {
  if (depth <= 0) return selector();
  using Draw = Part (ExprDice::*)(int);
  static constexpr std::array<Draw, 26> kDraws{
      &ExprDice::range_call,     &ExprDice::range_call,   &ExprDice::range_call,
      &ExprDice::range_call,     &ExprDice::counter_call, &ExprDice::counter_call,
      &ExprDice::counter_call,   &ExprDice::math_call,    &ExprDice::date_call,
      &ExprDice::other_call,     &ExprDice::other_call,   &ExprDice::label_call,
      &ExprDice::histogram_call, &ExprDice::absent_call,  &ExprDice::aggregate,
      &ExprDice::aggregate,      &ExprDice::aggregate,    &ExprDice::aggregate_with_parameter,
      &ExprDice::with_scalar,    &ExprDice::compared,     &ExprDice::between_likes,
      &ExprDice::between_groups, &ExprDice::many_to_one,  &ExprDice::with_info,
      &ExprDice::set_operation,  &ExprDice::negated};
  const std::size_t draw = dice_.below(kDraws.size() + 4);
  if (draw < kDraws.size()) return (this->*kDraws[draw])(depth);
  if (draw == kDraws.size()) return anything_goes(depth);
  if (draw == kDraws.size() + 1) return aggregate_mixed();
  if (draw == kDraws.size() + 2 && dice_.one_in(3)) return mixed_selector();
  return selector();
}

}  // namespace tocsin::differential

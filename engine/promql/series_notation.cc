// SPDX-License-Identifier: Apache-2.0
#include "promql/series_notation.h"

#include <cmath>

#include "base/whole_number.h"
#include "promql/histogram_math.h"
#include "promql/histogram_notation.h"
#include "promql/lexer.h"

namespace tocsin::promql {
namespace {

constexpr std::size_t kMaxRepeats = 1'000'000;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::Parse, std::move(message));
}

std::optional<std::size_t> read_count(std::string_view text) {
  const auto count = whole_number<std::size_t>(text);
  return count && *count <= kMaxRepeats ? count : std::nullopt;
}

// Where the sign between start and step stands in "1e+3-2": not the first character, and not an
// exponent's.
std::size_t find_step(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool exponent = text[i - 1] == 'e' || text[i - 1] == 'E';
    if ((text[i] == '+' || text[i] == '-') && !exponent) return i;
  }
  return std::string_view::npos;
}

// Splits `<body>x<n>` into its parts; without an x, n is 0.
struct Repeated {
  std::string_view body;
  std::optional<std::size_t> count;  // Nothing: it is not a number.
  bool is_given = false;
};

Repeated split_repeats(std::string_view item) {
  const std::size_t x = item.rfind('x');
  if (x == std::string_view::npos || x == 0) return {item, 0, false};
  return {item.substr(0, x), read_count(item.substr(x + 1)), true};
}

Result<void> add_numbers(std::string_view item, NotedValues& out) {
  const auto [body, count, is_given] = split_repeats(item);
  if (!count) return bad("bad repetition in '" + std::string(item) + "'");
  if (body == "_") {
    out.insert(out.end(), is_given ? *count : 1, std::nullopt);
    return {};
  }
  if (body == "stale") {
    out.insert(out.end(), *count + 1, NotedValue{stale_nan(), nullptr});
    return {};
  }
  const std::size_t sign = find_step(body);
  const auto start = parse_number(body.substr(0, sign));
  std::optional<double> step = 0.0;
  if (sign != std::string_view::npos) step = parse_number(body.substr(sign));
  if (!start || !step) return bad("not a value: '" + std::string(item) + "'");
  double value = *start;
  for (std::size_t i = 0; i <= *count; ++i) {
    out.emplace_back(NotedValue{value, nullptr});
    value += *step;
  }
  return {};
}

std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// `{{…}}`, `{{…}}xn`, `{{…}}+{{…}}xn`, `{{…}}-{{…}}xn`
Result<void> add_histograms(std::string_view& text, NotedValues& out) {
  auto start = take_histogram(text);
  if (!start) return fail(start.error());
  const char sign = text.empty() ? ' ' : text.front();
  std::optional<Histogram> step;
  if (sign == '+' || sign == '-') {
    text.remove_prefix(1);
    auto taken = take_histogram(text);
    if (!taken) return fail(taken.error());
    step = std::move(*taken);
    if (conflict_of(*start, *step)) return bad("the step does not fit the histogram");
  }
  const std::string_view rest = take_word(text);
  const auto count = rest.empty() ? 0 : read_count(rest.substr(1));
  if (!count || (!rest.empty() && rest.front() != 'x')) {
    return bad("bad repetition of a histogram: '" + std::string(rest) + "'");
  }
  auto value = std::make_shared<const Histogram>(std::move(*start));
  for (std::size_t i = 0; i <= *count; ++i) {
    out.emplace_back(NotedValue{0, value});
    if (!step) continue;
    Histogram next = *value;
    sign == '+' ? add(next, *step) : subtract(next, *step);
    value = std::make_shared<const Histogram>(std::move(next));
  }
  return {};
}

}  // namespace

Result<NotedValues> parse_value_notation(std::string_view text) {
  NotedValues out;
  while (!text.empty()) {
    if (is_blank(text.front())) {
      text.remove_prefix(1);
      continue;
    }
    auto added =
        text.starts_with("{{") ? add_histograms(text, out) : add_numbers(take_word(text), out);
    if (!added) return fail(added.error());
  }
  return out;
}

std::string text_of(const std::optional<NotedValue>& value) {
  if (!value) return "_";
  return value->histogram ? histogram_notation(*value->histogram) : format_value(value->number);
}

Result<Labels> take_series_labels(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_blank(text[end]) && text[end] != '{') ++end;
  LabelsBuilder labels;
  labels.set(kMetricName, text.substr(0, end));
  text.remove_prefix(end);
  if (text.empty() || text.front() != '{') return labels.build();
  char quoted = '\0';
  for (end = 1; end < text.size(); ++end) {
    const char c = text[end];
    if (quoted != '\0' && c == '\\' && quoted != '`') {
      ++end;
    } else if (quoted != '\0') {
      if (c == quoted) quoted = '\0';
    } else if (c == '"' || c == '\'' || c == '`') {
      quoted = c;
    } else if (c == '}') {
      break;
    }
  }
  if (end >= text.size()) return bad("labels are not closed with }");
  const auto tokens = tokenize(text.substr(1, end - 1));
  if (!tokens) return bad(tokens.error().message);
  for (std::size_t i = 0; (*tokens)[i].kind != TokenKind::End;) {
    const Token& name = (*tokens)[i];
    const bool quoted_name = name.kind == TokenKind::String;
    const Token& next = (*tokens)[i + 1];
    if (next.is("=") && (*tokens)[i + 2].kind == TokenKind::String) {
      labels.set(quoted_name ? std::string_view(name.string) : name.text, (*tokens)[i + 2].string);
      i += 3;
    } else if (quoted_name) {
      labels.set(kMetricName, name.string);
      i += 1;
    } else {
      return bad("expected name=\"value\" in the labels");
    }
    if ((*tokens)[i].is(",")) ++i;
  }
  text.remove_prefix(end + 1);
  return labels.build();
}

Result<SeriesNotation> parse_series_notation(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  auto labels = take_series_labels(text);
  if (!labels) return fail(labels.error());
  auto values = parse_value_notation(text);
  if (!values) return fail(values.error());
  return SeriesNotation{std::move(*labels), std::move(*values)};
}

}  // namespace tocsin::promql

// SPDX-License-Identifier: Apache-2.0
#include "promql/histogram_notation.h"

#include <array>
#include <cmath>
#include <optional>

#include "promql/histogram_math.h"
#include "tocsin/labels.h"
#include "tocsin/sample.h"

namespace tocsin::promql {
namespace {

constexpr std::int32_t kCoarsest = -4;
constexpr std::int32_t kFinest = 8;
constexpr double kMaxOffset = 1e6;

constexpr std::array<std::pair<std::string_view, Histogram::ResetHint>, 4> kHints{{
    {"unknown", Histogram::ResetHint::Unknown},
    {"reset", Histogram::ResetHint::Reset},
    {"not_reset", Histogram::ResetHint::NotReset},
    {"gauge", Histogram::ResetHint::Gauge},
}};

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::Parse, "in a histogram: " + std::move(message));
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// What the text says, before the buckets have their places.
struct Draft {
  Histogram histogram;
  double schema = 0;
  double offset = 0;
  double negative_offset = 0;
  std::vector<double> counts;
  std::vector<double> negative_counts;
};

struct NumberField {
  std::string_view name;
  double& (*of)(Draft&);
};
constexpr NumberField kNumbers[] = {
    {"schema", [](Draft& d) -> double& { return d.schema; }},
    {"sum", [](Draft& d) -> double& { return d.histogram.sum; }},
    {"count", [](Draft& d) -> double& { return d.histogram.count; }},
    {"z_bucket", [](Draft& d) -> double& { return d.histogram.zero_count; }},
    {"z_bucket_w", [](Draft& d) -> double& { return d.histogram.zero_threshold; }},
    {"offset", [](Draft& d) -> double& { return d.offset; }},
    {"n_offset", [](Draft& d) -> double& { return d.negative_offset; }},
};

struct ListField {
  std::string_view name;
  std::vector<double>& (*of)(Draft&);
};
constexpr ListField kLists[] = {
    {"buckets", [](Draft& d) -> std::vector<double>& { return d.counts; }},
    {"n_buckets", [](Draft& d) -> std::vector<double>& { return d.negative_counts; }},
    {"custom_values", [](Draft& d) -> std::vector<double>& { return d.histogram.custom_bounds; }},
};

std::string_view take_until(std::string_view& text, std::string_view ends) {
  const std::size_t end = std::min(text.find_first_of(ends), text.size());
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end);
  return out;
}

Result<void> read_list(std::string_view& text, std::vector<double>& out) {
  if (!text.starts_with('[')) return bad("expected [");
  text.remove_prefix(1);
  for (skip_blanks(text); !text.starts_with(']'); skip_blanks(text)) {
    const std::string_view word = take_until(text, " \t]");
    const auto number = parse_number(word);
    if (!number) return bad("not a number: " + quote(word));
    out.push_back(*number);
  }
  text.remove_prefix(1);
  return {};
}

Result<void> read_field(std::string_view name, std::string_view& text, Draft& draft) {
  for (const ListField& field : kLists) {
    if (field.name == name) return read_list(text, field.of(draft));
  }
  const std::string_view word = take_until(text, " \t}");
  for (const NumberField& field : kNumbers) {
    if (field.name != name) continue;
    const auto number = parse_number(word);
    if (!number) return bad("not a number: " + quote(word));
    field.of(draft) = *number;
    return {};
  }
  if (name != "counter_reset_hint") return bad("nothing is called " + quote(name));
  for (const auto& [text_of_hint, hint] : kHints) {
    if (text_of_hint != word) continue;
    draft.histogram.reset_hint = hint;
    return {};
  }
  return bad("not a counter_reset_hint: " + quote(word));
}

bool is_whole(double value, double limit) {
  return std::abs(value) <= limit && value == std::floor(value);
}

Histogram::Buckets place(const std::vector<double>& counts, double offset) {
  Histogram::Buckets out;
  auto index = static_cast<std::int32_t>(offset);
  for (const double count : counts) {
    if (count != 0) out.push_back({index, count});
    ++index;
  }
  return out;
}

Result<Histogram> finish(Draft draft) {
  Histogram& h = draft.histogram;
  const bool exponential = draft.schema >= kCoarsest && draft.schema <= kFinest;
  if (!is_whole(draft.schema, 100) || (!exponential && draft.schema != Histogram::kCustomBounds)) {
    return bad("there is no schema " + format_number(draft.schema));
  }
  h.schema = static_cast<std::int32_t>(draft.schema);
  if (!is_whole(draft.offset, kMaxOffset) || !is_whole(draft.negative_offset, kMaxOffset)) {
    return bad("an offset is a whole number");
  }
  if (!std::isfinite(h.zero_threshold) || h.zero_threshold < 0) {
    return bad("z_bucket_w is a number from 0 on");
  }
  h.positive = place(draft.counts, draft.offset);
  h.negative = place(draft.negative_counts, draft.negative_offset);
  return std::move(h);
}

void append_buckets(std::string& out, const Histogram::Buckets& buckets, std::string_view prefix) {
  if (buckets.empty()) return;
  const std::string name(prefix);
  std::int32_t next = buckets.front().index;
  if (next != 0) out += " " + name + "offset:" + std::to_string(next);
  out += " " + name + "buckets:[";
  for (const auto& [index, count] : buckets) {
    for (; next < index; ++next) out += "0 ";
    out += format_number(count) + " ";
    ++next;
  }
  out.back() = ']';
}

}  // namespace

Result<Histogram> take_histogram(std::string_view& text) {
  if (!text.starts_with("{{")) return bad("expected {{");
  text.remove_prefix(2);
  Draft draft;
  for (skip_blanks(text); !text.starts_with("}}"); skip_blanks(text)) {
    const std::string_view name = take_until(text, ": \t}");
    if (!text.starts_with(':')) return bad("expected a name, a colon and a value");
    text.remove_prefix(1);
    if (auto read = read_field(name, text, draft); !read) return fail(read.error());
  }
  text.remove_prefix(2);
  return finish(std::move(draft));
}

std::string histogram_notation(const Histogram& h) {
  std::string out;
  const auto number = [&](std::string_view name, double value) {
    if (value != 0) out += " " + std::string(name) + ":" + format_number(value);
  };
  number("schema", h.schema);
  number("count", h.count);
  number("sum", h.sum);
  if (!h.custom_bounds.empty()) {
    out += " custom_values:[";
    for (const double bound : h.custom_bounds) out += format_number(bound) + " ";
    out.back() = ']';
  }
  number("z_bucket", h.zero_count);
  number("z_bucket_w", h.zero_threshold);
  for (const auto& [text, hint] : kHints) {
    if (hint == h.reset_hint && hint != Histogram::ResetHint::Unknown) {
      out += " counter_reset_hint:" + std::string(text);
    }
  }
  append_buckets(out, h.positive, "");
  append_buckets(out, h.negative, "n_");
  return "{{" + (out.empty() ? out : out.substr(1)) + "}}";
}

std::string histogram_text(const Histogram& h) {
  std::string out = "{count:" + format_number(h.count) + ", sum:" + format_number(h.sum);
  for (const BucketRange& range : ranges_of(h)) {
    out += range.includes_lower ? ", [" : ", (";
    out += format_number(range.lower) + "," + format_number(range.upper);
    out += range.includes_upper ? "]:" : "):";
    out += format_number(range.count);
  }
  return out + "}";
}

}  // namespace tocsin::promql

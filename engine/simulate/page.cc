// SPDX-License-Identifier: Apache-2.0
#include "simulate/page.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tocsin/sample.h"

namespace tocsin::simulate {
namespace {

constexpr Duration kRetainIdle = std::chrono::minutes(10);

using BoundTexts = std::vector<std::string>;

std::string with_point(double value) {
  std::string text = format_value(value);
  if (text.find_first_of(".N") == std::string::npos && std::isfinite(value)) text += ".0";
  return text;
}

// `le="…"` for each bound and for +Inf, as a style spells it.
BoundTexts bound_texts(Bounds bounds, Style style) {
  BoundTexts out;
  for (const double bound : bounds_of(bounds)) {
    const std::string text = style == Style::OpenMetrics ? with_point(bound) : format_value(bound);
    out.push_back("le=\"" + text + "\"");
  }
  out.emplace_back("le=\"+Inf\"");
  return out;
}

const BoundTexts& bound_texts_of(const Family& f) {
  static const auto all = [] {
    std::array<std::array<BoundTexts, kBoundsCount>, 3> texts;
    for (std::size_t style = 0; style < texts.size(); ++style) {
      for (std::size_t bounds = 1; bounds < kBoundsCount; ++bounds) {
        texts[style][bounds] = bound_texts(static_cast<Bounds>(bounds), static_cast<Style>(style));
      }
    }
    return texts;
  }();
  return all[static_cast<std::size_t>(f.style)][static_cast<std::size_t>(f.bounds)];
}

void append_integer(std::string& out, double value) {
  char text[24];
  const auto whole = static_cast<std::int64_t>(std::floor(value));
  out.append(text, std::to_chars(text, text + sizeof(text), whole).ptr);
}

// As Go's strconv does: an exponent from a million on.
std::string go_number(double value) {
  return std::abs(value) >= 1e6 ? format_exponent(value) : format_value(value);
}

void append_value(std::string& out, const Family& f, double value) {
  if (f.number == Number::Integer) {
    append_integer(out, value);
  } else {
    out += f.style == Style::Go ? go_number(value) : with_point(value);
  }
}

// "name", "name_bucket" and so on, with the braces and what stands between them.
struct Key {
  std::string_view name;
  std::string_view suffix;
  std::string_view first;
  std::string_view labels;
  std::string_view extra;
  std::string_view last;
};

void append_key(std::string& out, const Key& key) {
  out += key.name;
  out += key.suffix;
  char before = '{';
  for (const std::string_view part : {key.first, key.labels, key.extra, key.last}) {
    if (part.empty()) continue;
    out += before;
    out += part;
    before = ',';
  }
  out += before == '{' ? " " : "} ";
}

std::string_view type_word(Type type) {
  switch (type) {
    case Type::Counter:
      return "counter";
    case Type::Gauge:
      return "gauge";
    case Type::Histogram:
      return "histogram";
  }
  return "untyped";
}

std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.ends_with(unit)) return unit;
  }
  return {};
}

void append_header(std::string& out, const Family& f) {
  const bool open_metrics = f.style == Style::OpenMetrics;
  (out += "# HELP ") += f.name;
  (out += " ") += f.help;
  out += open_metrics ? ".\n# TYPE " : "\n# TYPE ";
  (out += f.name) += " ";
  (out += type_word(f.type)) += "\n";
  const std::string_view unit = open_metrics ? unit_of(f.name) : std::string_view();
  if (!unit.empty()) {
    (out += "# UNIT ") += f.name;
    (out += " ") += unit;
    out += "\n";
  }
}

}  // namespace

std::string label_text(
    std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    (out += name) += "=\"";
    (out += value) += '"';
  }
  return out;
}

std::string label_text(std::string_view first, std::string_view second) {
  std::string out(first);
  if (!first.empty() && !second.empty()) out += ',';
  return out += second;
}

bool Page::knows(const Family& f) const {
  const Owner owner = f.style == Style::Go ? Owner::Component : Owner::Proxy;
  return owner == owner_ && f.since <= version_ && version_ <= f.until;
}

SeriesId Page::series(FamilyId id, LabelText labels, std::string extra) {
  const Family& f = family(id);
  if (!knows(f)) return {};
  std::vector<Series>& all = series_[static_cast<std::size_t>(id)];
  const std::string key = label_text(*labels, extra);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Series& s) {
    return label_text(*s.labels, s.extra) == key;
  });
  const auto index = static_cast<std::uint16_t>(found - all.begin());
  if (found == all.end()) {
    Series s{.labels = std::move(labels), .extra = std::move(extra)};
    if (f.type == Type::Histogram) s.cumulative.assign(bounds_of(f.bounds).size() + 1, 0);
    all.push_back(std::move(s));
  }
  return {id, index};
}

void Page::add(SeriesId id, double count) {
  if (!id.valid()) return;
  Series& s = at(id);
  const double before = s.value;
  s.value += count;
  if (std::floor(before) != std::floor(s.value) || !s.exists) s.used = now_;
  s.exists = true;
}

void Page::set(SeriesId id, double value) {
  if (!id.valid()) return;
  Series& s = at(id);
  if (value != s.value || !s.exists) s.used = now_;
  s.value = value;
  s.exists = true;
}

void Page::observe(SeriesId id, double count, const Distribution& distribution) {
  if (!id.valid() || count <= 0) return;
  Series& s = at(id);
  const Bounds bounds = family(id.family).bounds;
  const auto shares = distribution.shares(bounds);
  const double before = s.cumulative.back();
  for (std::size_t i = 0; i < shares.size(); ++i) s.cumulative[i] += count * shares[i];
  s.value += count * distribution.mean(bounds);
  if (std::floor(before) != std::floor(s.cumulative.back()) || !s.exists) s.used = now_;
  s.exists = true;
}

void Page::forget_idle() {
  for (const Family& f : families()) {
    if (f.life != Life::UntilIdle) continue;
    for (Series& s : series_[static_cast<std::size_t>(f.id)]) {
      if (!s.exists || now_ - s.used < kRetainIdle) continue;
      if (f.type == Type::Gauge && s.value != 0) continue;  // A connection that is open is in use.
      s.exists = false;
      s.value = 0;
      std::fill(s.cumulative.begin(), s.cumulative.end(), 0);
    }
  }
}

void Page::clear() {
  for (std::vector<Series>& all : series_) all.clear();
}

bool Page::is_visible(const Family& f, const Series& s) {
  if (!s.exists) return false;
  if (f.type == Type::Gauge || f.life == Life::Always) return true;
  return (f.type == Type::Histogram ? s.cumulative.back() : s.value) >= 1;
}

void Page::render_histogram(const Family& f, const Series& s, std::string& out) {
  const bool open_metrics = f.style == Style::OpenMetrics;
  const auto line = [&](std::string_view suffix, std::string_view le) {
    append_key(
        out, {f.name, suffix, open_metrics ? le : "", *s.labels, s.extra, open_metrics ? "" : le});
  };
  const auto count = [&](std::string_view suffix, std::string_view le, double value) {
    line(suffix, le);
    append_integer(out, value);
    out += '\n';
  };
  const auto buckets = [&] {
    const BoundTexts& les = bound_texts_of(f);
    for (std::size_t i = 0; i < les.size(); ++i) count("_bucket", les[i], s.cumulative[i]);
  };
  if (!open_metrics) buckets();
  if (!open_metrics) count("_count", {}, s.cumulative.back());
  line("_sum", {});
  append_value(out, f, s.value);
  out += '\n';
  if (open_metrics) count("_count", {}, s.cumulative.back());
  if (open_metrics) buckets();
}

void Page::render_family(const Family& f, std::string& out) const {
  const std::vector<Series>& all = series_[static_cast<std::size_t>(f.id)];
  const bool any =
      std::any_of(all.begin(), all.end(), [&](const Series& s) { return is_visible(f, s); });
  if (!any && f.style != Style::OpenMetrics) return;
  append_header(out, f);
  const bool adds_total = f.style == Style::OpenMetrics && f.type == Type::Counter;
  for (const Series& s : all) {
    if (!is_visible(f, s)) continue;
    if (f.type == Type::Histogram) {
      render_histogram(f, s, out);
      continue;
    }
    append_key(out, {f.name, adds_total ? "_total" : "", {}, *s.labels, s.extra, {}});
    append_value(out, f, s.value);
    out += '\n';
  }
}

void Page::render(std::string& out) const {
  for (const Family& f : families()) {
    if (knows(f)) render_family(f, out);
  }
  if (owner_ == Owner::Proxy) out += "# EOF\n";
}

std::size_t Page::lines() const {
  std::size_t out = 0;
  for (const Family& f : families()) {
    for (const Series& s : series_[static_cast<std::size_t>(f.id)]) {
      if (is_visible(f, s)) out += f.type == Type::Histogram ? s.cumulative.size() + 2 : 1;
    }
  }
  return out;
}

}  // namespace tocsin::simulate

// SPDX-License-Identifier: Apache-2.0
#include "rule/sweep.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "promql/ast.h"
#include "rule/lint_parts.h"
#include "tocsin/duration.h"
#include "tocsin/sample.h"
#include "yaml/document.h"

namespace tocsin::rule {
namespace {

constexpr int kSteps = 4;
constexpr int kMostSteps = 100;

// "99.9%" is 99.9 and "%", "3x baseline" 3 and "x baseline", "1m30s" 90 and seconds.
struct Amount {
  double number = 0;
  std::string unit;
  bool is_duration = false;
};

std::optional<Amount> amount_of(const std::string& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789.-+"), text.size());
  const auto number = parse_number(text.substr(0, end));
  const auto duration = parse_duration(text);
  if (duration && end < text.size()) return Amount{to_seconds(*duration), "", true};
  if (!number) return std::nullopt;
  return Amount{*number, text.substr(end), false};
}

std::string text_of(const Amount& amount) {
  if (amount.is_duration) return format_duration(Duration(std::llround(amount.number * 1000)));
  // What binary fractions add is not what anybody meant.
  return format_number(std::round(amount.number * 1e6) / 1e6) + amount.unit;
}

Result<std::vector<std::string>> values_between(const std::string& from, const std::string& to,
                                                int steps) {
  const auto first = amount_of(from);
  const auto last = amount_of(to);
  if (!first || !last || first->unit != last->unit || first->is_duration != last->is_duration) {
    return fail(ErrorCode::InvalidArgument,
                "'" + from + ".." + to + "' are not two amounts of one unit: write 98%..99.9%");
  }
  std::vector<std::string> out;
  for (int i = 0; i <= steps; ++i) {
    Amount amount = *first;
    amount.number += (last->number - first->number) * i / steps;
    out.push_back(text_of(amount));
  }
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Where a threshold stands.
struct Spot {
  std::size_t file = 0;
  std::string rule;
  Place place;
};

// The number that an expression compares with; nothing where there is not exactly one.
std::optional<Place> compared_number(const yaml::Node& node) {
  const auto parsed = promql::parse(node.text());
  if (!parsed) return std::nullopt;
  std::vector<const promql::Expr*> numbers;
  promql::any_of_tree(**parsed, [&](const promql::Expr& part) {
    const auto threshold = threshold_of(part);
    if (!threshold) return false;
    const auto* binary = promql::as<promql::Binary>(promql::unwrap(part));
    const bool is_right = threshold->value == binary->left.get();
    numbers.push_back(is_right ? binary->right.get() : binary->left.get());
    return false;
  });
  // A comparison in parentheses is met twice.
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.size() != 1) return std::nullopt;
  return node.place_of(numbers[0]->begin, numbers[0]->end - numbers[0]->begin);
}

std::optional<Place> threshold_place(const yaml::Node& rule, const std::string& key) {
  if (key == "expr") {
    const yaml::Node expr = rule.get("expr");
    return expr.is_null() ? std::nullopt : compared_number(expr);
  }
  for (const yaml::Node::Entry& entry : rule.entries()) {
    const yaml::Node value = entry.value.is_mapping() ? entry.value.get(key) : yaml::Node();
    const bool is_condition = entry.key.text() != "labels" && entry.key.text() != "annotations";
    if (is_condition && value.is_scalar()) return value.place();
  }
  return std::nullopt;
}

void find_spots(const std::vector<SourceFile>& files, std::size_t index, const Sweep& sweep,
                std::vector<Spot>& out) {
  Diagnostics ignored;
  for (const auto& document :
       yaml::Document::parse_all(files[index].path, files[index].bytes, ignored)) {
    const yaml::Node root = document.root();
    const yaml::Node spec = root.get("kind").is_null() ? root : root.get("spec");
    for (const yaml::Node& group : spec.get("groups").items()) {
      for (const yaml::Node& rule : group.get("rules").items()) {
        const std::string& name = rule.get("alert").text();
        if (!sweep.rule.empty() && name != sweep.rule) continue;
        if (auto place = threshold_place(rule, sweep.key)) out.push_back({index, name, *place});
      }
    }
  }
}

void replace(std::string& bytes, const Place& place, const std::string& value) {
  std::size_t at = 0;
  for (int line = 1; line < place.line; ++line) at = bytes.find('\n', at) + 1;
  at += static_cast<std::size_t>(place.column) - 1;
  bytes.replace(at, static_cast<std::size_t>(place.length), value);
}

}  // namespace

Result<Sweep> parse_sweep(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::InvalidArgument,
                "'" + std::string(text) + "' is no sweep: write below=98%..99.9%, or " +
                    "CheckoutFails.below=98%..99.9%/9 for one rule and nine steps");
  };
  const std::size_t equals = text.find('=');
  const std::size_t dots = text.find("..", equals == text.npos ? text.size() : equals);
  if (equals == text.npos || dots == text.npos) return wrong();
  Sweep sweep;
  std::string name(text.substr(0, equals));
  const std::size_t dot = name.rfind('.');
  if (dot != std::string::npos) sweep.rule = name.substr(0, dot);
  sweep.key = dot == std::string::npos ? name : name.substr(dot + 1);
  std::string to(text.substr(dots + 2));
  int steps = kSteps;
  // A rate has a slash, too: "10/s".
  const std::size_t slash = to.rfind('/');
  if (slash != std::string::npos && slash + 1 < to.size() &&
      to.find_first_not_of("0123456789", slash + 1) == std::string::npos) {
    steps = std::atoi(to.c_str() + slash + 1);
    to.resize(slash);
  }
  if (sweep.key.empty() || steps < 1 || steps > kMostSteps) return wrong();
  auto values = values_between(std::string(text.substr(equals + 1, dots - equals - 1)), to, steps);
  if (!values) return fail(values.error());
  sweep.values = std::move(*values);
  return sweep;
}

Result<std::vector<SourceFile>> with_value(std::vector<SourceFile> files, const Sweep& sweep,
                                           const std::string& value) {
  std::vector<Spot> spots;
  for (std::size_t i = 0; i < files.size(); ++i) find_spots(files, i, sweep, spots);
  if (spots.empty()) {
    return fail(ErrorCode::NotFound,
                "no rule has a threshold '" + sweep.key + "'" +
                    (sweep.rule.empty() ? "" : " and is called " + sweep.rule));
  }
  if (spots.size() > 1) {
    std::string names;
    for (const Spot& spot : spots) names += (names.empty() ? "" : ", ") + spot.rule;
    return fail(ErrorCode::InvalidArgument, "'" + sweep.key + "' is a threshold of " + names +
                                                ": write which one, like " + spots[0].rule + "." +
                                                sweep.key + "=…");
  }
  replace(files[spots[0].file].bytes, spots[0].place, value);
  return files;
}

}  // namespace tocsin::rule

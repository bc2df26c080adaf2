// SPDX-License-Identifier: Apache-2.0
#include "differential/comparison.h"

#include <algorithm>
#include <cmath>

namespace tocsin::differential {
namespace {

using promql::Matrix;
using promql::Text;
using promql::Vector;

constexpr int kShownLines = 8;

std::string line_of(const Labels& labels, const Sample& sample) {
  return labels.text() + " " + format_number(sample.value) + " @" +
         format_value(to_seconds(sample.at));
}

struct Lines {
  std::vector<std::string> operator()(const Sample& sample) const { return {line_of({}, sample)}; }
  std::vector<std::string> operator()(const Text& text) const { return {quote(text.value)}; }
  std::vector<std::string> operator()(const Vector& vector) const {
    std::vector<std::string> out;
    for (const auto& element : vector) out.push_back(line_of(element.labels, element.sample));
    return out;
  }
  std::vector<std::string> operator()(const Matrix& matrix) const {
    std::vector<std::string> out;
    for (const auto& series : matrix) {
      for (const Sample& sample : series.samples) out.push_back(line_of(series.labels, sample));
    }
    return out;
  }
};

std::vector<std::string> lines_of(const Outcome& outcome) {
  if (!outcome) return {"error: " + outcome.error().message};
  return std::visit(Lines{}, outcome->value);
}

bool same(const Sample& a, const Sample& b) { return a.at == b.at && same_value(a.value, b.value); }
bool same(const Text& a, const Text& b) { return a.value == b.value; }

template <class Elements>
Elements sorted(Elements elements) {
  std::sort(elements.begin(), elements.end(),
            [](const auto& a, const auto& b) { return a.labels < b.labels; });
  return elements;
}

bool same(const Vector& a, const Vector& b) {
  const Vector left = sorted(a);
  const Vector right = sorted(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& x, const auto& y) {
                      return x.labels == y.labels && same(x.sample, y.sample);
                    });
}

bool same(const Matrix& a, const Matrix& b) {
  const Matrix left = sorted(a);
  const Matrix right = sorted(b);
  return std::equal(
      left.begin(), left.end(), right.begin(), right.end(), [](const auto& x, const auto& y) {
        return x.labels == y.labels &&
               std::equal(x.samples.begin(), x.samples.end(), y.samples.begin(), y.samples.end(),
                          [](const Sample& s, const Sample& t) { return same(s, t); });
      });
}

}  // namespace

bool same_value(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  return std::abs(a - b) <= kTolerance * std::max(std::abs(a), std::abs(b));
}

bool same_outcome(const Outcome& ours, const Outcome& theirs) {
  if (!ours || !theirs) return !ours && !theirs;
  if (ours->value.index() != theirs->value.index()) return false;
  return std::visit(
      [&](const auto& a) { return same(a, std::get<std::decay_t<decltype(a)>>(theirs->value)); },
      ours->value);
}

bool same_order(const Outcome& ours, const Outcome& theirs) {
  const auto* left = ours ? std::get_if<Vector>(&ours->value) : nullptr;
  const auto* right = theirs ? std::get_if<Vector>(&theirs->value) : nullptr;
  if (!left || !right) return true;
  return std::equal(
      left->begin(), left->end(), right->begin(), right->end(),
      [](const auto& a, const auto& b) { return same_value(a.sample.value, b.sample.value); });
}

bool is_empty(const Outcome& outcome) {
  if (!outcome) return false;
  const auto* vector = std::get_if<Vector>(&outcome->value);
  const auto* matrix = std::get_if<Matrix>(&outcome->value);
  return (vector && vector->empty()) || (matrix && matrix->empty());
}

std::string describe_beside(const Outcome& outcome, const Outcome& other) {
  const std::vector<std::string> lines = lines_of(outcome);
  const std::vector<std::string> others = lines_of(other);
  std::string out;
  int shown = 0;
  for (const std::string& line : lines) {
    if (std::find(others.begin(), others.end(), line) != others.end()) continue;
    if (++shown > kShownLines) return out + "  and more\n";
    out += "  " + line + "\n";
  }
  return out.empty() ? "  nothing else\n" : out;
}

}  // namespace tocsin::differential

// SPDX-License-Identifier: Apache-2.0
#include "tocsin/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tocsin {
namespace {

struct Palette {
  const char* error = "";
  const char* warning = "";
  const char* dim = "";
  const char* reset = "";
};

constexpr std::size_t kLongestSnippet = 240;  // Bytes of a line; a longer one says little.

void print_snippet(const Diagnostic& d, const Palette& colors, std::string& out) {
  if (d.snippet.empty() || d.snippet.size() > kLongestSnippet) return;
  std::size_t indent = d.snippet.find_first_not_of(" \t");
  if (indent == std::string::npos) indent = 0;
  out += "    " + d.snippet.substr(indent) + "\n";
  const int caret = d.place.column - 1 - static_cast<int>(indent);
  if (d.place.column < 1 || caret < 0) return;
  const int room = static_cast<int>(d.snippet.size()) - d.place.column + 1;
  const int width = std::max(1, std::min(d.place.length, room));
  out += "    " + std::string(static_cast<std::size_t>(caret), ' ') + colors.error +
         std::string(static_cast<std::size_t>(width), '^') + colors.reset + "\n";
}

void print(const Diagnostic& d, const Palette& colors, std::string& out) {
  const bool error = d.severity == Severity::Error;
  out += d.place.text();
  if (!d.place.file.empty()) out += ": ";
  out += std::string(error ? colors.error : colors.warning) + (error ? "error" : "warning") +
         colors.reset + ": " + d.message;
  if (!d.code.empty()) out += std::string(colors.dim) + " [" + d.code + "]" + colors.reset;
  out += "\n";
  print_snippet(d, colors, out);
  if (!d.context.empty()) out += "  in " + d.context + "\n";
  if (!d.hint.empty()) out += "  hint: " + d.hint + "\n";
}

// A letter too many, one too few and two that have changed places are what people's fingers do; a
// wrong letter counts for a little more, so that of two words that are as far it is the other.
constexpr std::size_t kEdit = 100;
constexpr std::size_t kWrongLetter = kEdit + 1;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> above(b.size() + 1);
  for (std::size_t j = 0; j < above.size(); ++j) above[j] = j * kEdit;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i * kEdit);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = a[i - 1] == b[j - 1];
      row[j] = std::min(
          {above[j] + kEdit, row[j - 1] + kEdit, above[j - 1] + (is_same ? 0 : kWrongLetter)});
      const bool is_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swapped) row[j] = std::min(row[j], before[j - 2] + kEdit);
    }
    before = std::exchange(above, std::move(row));
  }
  return above.back();
}

}  // namespace

std::string Place::text() const {
  if (line == 0) return file;
  const std::string position = std::to_string(line) + ":" + std::to_string(column);
  return file.empty() ? position : file + ":" + position;
}

void Diagnostics::append(const Diagnostics& other) {
  all_.insert(all_.end(), other.all_.begin(), other.all_.end());
}

std::size_t Diagnostics::count(Severity severity) const {
  return static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(), [&](const Diagnostic& d) { return d.severity == severity; }));
}

std::string Diagnostics::text(bool color) const {
  std::vector<const Diagnostic*> ordered;
  for (const Diagnostic& d : all_) ordered.push_back(&d);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Diagnostic* a, const Diagnostic* b) {
    return std::tie(a->place.file, a->place.line, a->place.column) <
           std::tie(b->place.file, b->place.line, b->place.column);
  });
  const Palette colors =
      color ? Palette{"\033[1;31m", "\033[1;33m", "\033[2m", "\033[0m"} : Palette{};
  std::string out;
  for (const Diagnostic* d : ordered) print(*d, colors, out);
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = (std::max<std::size_t>(1, word.size() / 3) + 1) * kEdit;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace tocsin

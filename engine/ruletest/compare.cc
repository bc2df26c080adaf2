// SPDX-License-Identifier: Apache-2.0
#include "ruletest/compare.h"

#include <algorithm>
#include <set>

namespace tocsin::ruletest {
namespace {

// Which of two sorted lists of rows are not in the other.
std::vector<Row> left_over(const std::vector<Row>& rows, const std::vector<Row>& others) {
  std::vector<Row> out;
  std::set_difference(rows.begin(), rows.end(), others.begin(), others.end(),
                      std::back_inserter(out));
  return out;
}

const std::string& field(const Row& row, const std::string& name) {
  static const std::string kNothing = "nothing";
  const auto it = row.fields.find(name);
  return it == row.fields.end() ? kNothing : it->second;
}

std::vector<std::string> differing(const Row& a, const Row& b) {
  std::set<std::string> names;
  for (const Row* row : {&a, &b}) {
    for (const auto& [name, value] : row->fields) names.insert(name);
  }
  std::erase_if(names, [&](const std::string& name) {
    return a.fields.count(name) == b.fields.count(name) && field(a, name) == field(b, name);
  });
  return {names.begin(), names.end()};
}

std::size_t count_equal(const Row& a, const Row& b) {
  return static_cast<std::size_t>(
      std::count_if(a.fields.begin(), a.fields.end(), [&](const auto& one) {
        const auto it = b.fields.find(one.first);
        return it != b.fields.end() && it->second == one.second;
      }));
}

// The row that has the most in common with `row`: at least half of what the shorter one says.
std::vector<Row>::iterator nearest_row(const Row& row, std::vector<Row>& rows) {
  auto best = rows.end();
  std::size_t most = 0;
  for (auto it = rows.begin(); it != rows.end(); ++it) {
    const std::size_t equal = count_equal(row, *it);
    if (equal <= most || 2 * equal < std::min(row.fields.size(), it->fields.size())) continue;
    most = equal;
    best = it;
  }
  return best;
}

std::string differing_fields(const Row& expected, const Row& got) {
  const std::vector<std::string> names = differing(expected, got);
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string out = "differs     " + expected.title + "\n";
  for (const std::string& name : names) {
    const std::string pad(width - name.size() + 2, ' ');
    out += "              " + name + pad + "expected  " + field(expected, name) + "\n";
    out += "              " + std::string(width + 2, ' ') + "got       " + field(got, name) + "\n";
  }
  return out;
}

}  // namespace

std::string difference(std::vector<Row> expected, std::vector<Row> got) {
  std::sort(expected.begin(), expected.end());
  std::sort(got.begin(), got.end());
  std::vector<Row> unexpected = left_over(got, expected);
  std::string out;
  for (const Row& row : left_over(expected, got)) {
    const auto near = nearest_row(row, unexpected);
    if (near == unexpected.end()) {
      out += "missing     " + row.title + "\n";
      continue;
    }
    out += differing_fields(row, *near);
    unexpected.erase(near);
  }
  for (const Row& row : unexpected) out += "unexpected  " + row.title + "\n";
  return out;
}

}  // namespace tocsin::ruletest

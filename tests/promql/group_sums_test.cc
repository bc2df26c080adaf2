// SPDX-License-Identifier: Apache-2.0
#include "promql/group_sums.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

using Kind = GroupRun::Kind;
using Groups = std::vector<std::uint32_t>;

std::string text_of(const std::vector<GroupRun>& runs) {
  std::string out;
  std::uint32_t first = 0;
  for (const GroupRun& run : runs) {
    out += (out.empty() ? "" : " ") + std::to_string(first) + "+" + std::to_string(run.count) +
           (run.kind == Kind::Same ? "=" : "/") + std::to_string(run.group);
    first += run.count;
  }
  return out;
}

TEST_CASE("rows of one group, and rows whose groups follow one another, are runs") {
  CHECK(text_of(runs_of_groups({})).empty());
  CHECK(text_of(runs_of_groups(Groups{7})) == "0+1=7");
  CHECK(text_of(runs_of_groups(Groups{3, 3, 3})) == "0+3=3");
  CHECK(text_of(runs_of_groups(Groups{0, 1, 2, 0, 1, 2})) == "0+3/0 3+3/0");
  CHECK(text_of(runs_of_groups(Groups{5, 5, 6, 7})) == "0+2=5 2+2/6");
  CHECK(text_of(runs_of_groups(Groups{2, 1, 0})) == "0+1=2 1+1=1 2+1=0");
}

// The same, row by row.
std::vector<double> one_by_one(const std::vector<double>& values, const Groups& groups,
                               std::size_t count) {
  std::vector<double> sums(count, 0), lost(count, 0);
  std::vector<bool> is_there(count, false);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (store::is_absent(values[i])) continue;
    kahan_add(values[i], sums[groups[i]], lost[groups[i]]);
    is_there[groups[i]] = true;
  }
  for (std::size_t g = 0; g < count; ++g) {
    if (!std::isinf(sums[g])) sums[g] += lost[g];
    if (!is_there[g]) sums[g] = store::absent_value();
  }
  return sums;
}

bool same(double a, double b) {
  if (store::is_absent(a) || store::is_absent(b)) return store::is_absent(a) == store::is_absent(b);
  return a == b || (std::isnan(a) && std::isnan(b));
}

TEST_CASE("runs add up to what rows add up to, to the last bit, wherever they are cut") {
  std::uint64_t state = 7;
  const auto next = [&](std::uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  const double strange[] = {0.0,
                            -0.0,
                            1e300,
                            -1e300,
                            1e-300,
                            std::nan(""),
                            store::absent_value(),
                            std::numeric_limits<double>::infinity()};
  for (int round = 0; round < 300; ++round) {
    const std::size_t count = 1 + next(40);
    Groups groups;
    while (groups.size() < 200) {
      const std::size_t length = 1 + next(30);
      const bool parallel = next(2) == 0;
      auto group = static_cast<std::uint32_t>(next(count));
      for (std::size_t i = 0; i < length; ++i) {
        groups.push_back(group);
        if (parallel) group = (group + 1) % static_cast<std::uint32_t>(count);
      }
    }
    std::vector<double> values;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const double plain = static_cast<double>(next(1'000'000)) / 7 * std::pow(10, next(12));
      values.push_back(round % 3 == 0 && next(9) == 0 ? strange[next(8)] : plain);
    }
    const auto runs = runs_of_groups(groups);
    GroupSums sums;
    sums.reset(count);
    sums.start(runs);
    for (std::size_t first = 0; first < values.size();) {
      const std::size_t some = std::min<std::size_t>(1 + next(70), values.size() - first);
      sums.add(std::span(values).subspan(first, some));
      first += some;
    }
    const auto expected = one_by_one(values, groups, count);
    std::vector<double> got(count);
    sums.put_sums(got);
    for (std::size_t g = 0; g < count; ++g) {
      CAPTURE(round);
      CHECK(same(got[g], expected[g]));
    }
  }
}

}  // namespace
}  // namespace tocsin::promql

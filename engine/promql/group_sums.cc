// SPDX-License-Identifier: Apache-2.0
#include "promql/group_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/numbers.h"
#include "base/wide.h"
#include "promql/functions.h"

namespace tocsin::promql {
namespace {

// kahan_add() of each number to the sum at its place, without a branch.
TOCSIN_WIDE void add_each(std::span<const double> values, double* __restrict sums,
                          double* __restrict c) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double sum = sums[i];
    const double total = sum + values[i];
    const double of_sum = (sum - total) + values[i];
    const double of_value = (values[i] - total) + sum;
    const double lost = std::abs(sum) >= std::abs(values[i]) ? of_sum : of_value;
    const double compensation = c[i] + lost;
    c[i] = std::abs(total) == kInfinity ? 0 : compensation;
    sums[i] = total;
  }
}

TOCSIN_WIDE void add_compensations(std::span<const double> sums, std::span<const double> c,
                                   std::span<double> out) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (std::size_t g = 0; g < out.size(); ++g) {
    const double sum = sums[g];
    const double total = sum + c[g];
    out[g] = std::abs(sum) == kInfinity ? sum : total;
  }
}

}  // namespace

std::vector<GroupRun> runs_of_groups(std::span<const std::uint32_t> groups) {
  using Kind = GroupRun::Kind;
  std::vector<GroupRun> out;
  for (const std::uint32_t group : groups) {
    if (!out.empty()) {
      GroupRun& run = out.back();
      const bool is_same = group == run.group && (run.count == 1 || run.kind == Kind::Same);
      const bool is_next =
          group == run.group + run.count && (run.count == 1 || run.kind == Kind::Parallel);
      if (is_same || is_next) {
        run.kind = is_same ? Kind::Same : Kind::Parallel;
        ++run.count;
        continue;
      }
    }
    out.push_back({.count = 1, .group = group});
  }
  out.shrink_to_fit();
  return out;
}

void GroupSums::reset(std::size_t groups) {
  sums_.assign(groups, 0);
  compensations_.assign(groups, 0);
  is_there_.assign(groups, 0);
}

void GroupSums::start(std::span<const GroupRun> runs, std::size_t group) {
  runs_ = runs;
  base_ = group;
  run_ = 0;
  in_run_ = 0;
}

void GroupSums::add(std::span<const double> values) {
  while (!values.empty()) {
    const GroupRun& run = runs_[run_];
    const auto count = std::min<std::size_t>(run.count - in_run_, values.size());
    if (run.kind == GroupRun::Kind::Same) {
      add_same(values.first(count), base_ + run.group);
    } else {
      add_parallel(values.first(count), base_ + run.group + in_run_);
    }
    values = values.subspan(count);
    in_run_ += static_cast<std::uint32_t>(count);
    if (in_run_ < run.count) continue;
    ++run_;
    in_run_ = 0;
  }
}

void GroupSums::add_same(std::span<const double> values, std::size_t group) {
  for (const double value : values) add_one(value, group);
}

void GroupSums::add_parallel(std::span<const double> values, std::size_t group) {
  if (are_numbers(values)) {
    add_each(values, sums_.data() + group, compensations_.data() + group);
    std::fill_n(is_there_.data() + group, values.size(), std::uint8_t{1});
  } else {
    for (const double value : values) add_one(value, group++);
  }
}

void GroupSums::add_one(double value, std::size_t group) {
  if (store::is_absent(value)) return;
  kahan_add(value, sums_[group], compensations_[group]);
  is_there_[group] = 1;
}

void GroupSums::clear(const Groups& groups) {
  std::fill_n(sums_.data() + groups.first, groups.count, 0.0);
  std::fill_n(compensations_.data() + groups.first, groups.count, 0.0);
  std::fill_n(is_there_.data() + groups.first, groups.count, std::uint8_t{0});
}

// To add nothing is to add 0.
void GroupSums::add_sums(const GroupSums& other, const Groups& groups, std::size_t group) {
  constexpr std::size_t kFew = 4;  // That no vector is worth while.
  const std::span<const double> sums = std::span(other.sums_).subspan(groups.first, groups.count);
  if (groups.count < kFew) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      kahan_add(sums[i], sums_[group + i], compensations_[group + i]);
    }
  } else {
    add_each(sums, sums_.data() + group, compensations_.data() + group);
  }
  for (std::size_t i = 0; i < groups.count; ++i) {
    compensations_[group + i] += other.compensations_[groups.first + i];
    is_there_[group + i] |= other.is_there_[groups.first + i];
  }
}

void GroupSums::put_sums(std::span<double> out) const {
  add_compensations(sums_, compensations_, out);
  for (std::size_t g = 0; g < out.size(); ++g) {
    if (!is_there_[g]) out[g] = store::absent_value();
  }
}

}  // namespace tocsin::promql

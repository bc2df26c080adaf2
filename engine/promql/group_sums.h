// SPDX-License-Identifier: Apache-2.0
//
// Sums by group. Rows of a pod that stand next to each other mostly belong to groups that do, too
// (the buckets of a histogram, by `le`), or all to the same one: then whole runs are added at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tocsin/series_reader.h"

namespace tocsin::promql {

// Rows that follow one another.
struct GroupRun {
  enum class Kind : std::uint8_t {
    Same,      // All of one group.
    Parallel,  // The groups follow one another in the same way.
  };
  std::uint32_t count = 0;
  std::uint32_t group = 0;  // Of the first.
  Kind kind = Kind::Same;
};
// `groups` has each row's.
std::vector<GroupRun> runs_of_groups(std::span<const std::uint32_t> groups);

// Adds as Prometheus does: with Neumaier's compensation.
class GroupSums {
 public:
  // Nothing has been added to any of so many groups.
  void reset(std::size_t groups);
  // The rows that follow are those of `runs`, which must outlive the adding. Their groups are
  // counted from `group` on.
  void start(std::span<const GroupRun> runs, std::size_t group = 0);
  // The values of the next rows; the first ones after start().
  void add(std::span<const double> values);

  // Groups that follow one another.
  struct Groups {
    std::size_t first = 0;
    std::size_t count = 0;
  };
  // Nothing has been added to these.
  void clear(const Groups& groups);
  // Adds what `other` has of these, to as many from `group` on.
  void add_sums(const GroupSums& other, const Groups& groups, std::size_t group);

  // Of all groups; absent_value() where nothing was added.
  void put_sums(std::span<double> out) const;

 private:
  void add_same(std::span<const double> values, std::size_t group);
  void add_parallel(std::span<const double> values, std::size_t group);
  void add_one(double value, std::size_t group);

  std::span<const GroupRun> runs_;
  std::size_t base_ = 0;      // What their groups are counted from.
  std::size_t run_ = 0;       // That the next row is in.
  std::uint32_t in_run_ = 0;  // How many of its rows were added.
  // By group. Apart, so that several are added to at once.
  std::vector<double> sums_;
  std::vector<double> compensations_;
  std::vector<std::uint8_t> is_there_;
};

}  // namespace tocsin::promql

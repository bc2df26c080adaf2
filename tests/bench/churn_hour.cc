// SPDX-License-Identifier: Apache-2.0
//
// Two hours of a mesh that is always being rolled out: every five minutes another tenth of the pods
// is replaced. In the first hour the histories of the rules fill; in the second nothing may grow.
// The hours are virtual: they take as long as the machine needs for them.
//
//   churn_hour [PROXIES]     a table on standard output; 1 if memory has grown
#include <malloc.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "bench/rule_group.h"
#include "bench/world.h"

namespace {

using namespace tocsin;
using bench::RuleGroup;

constexpr std::size_t kPagesPerHour = std::chrono::hours(1) / bench::kInterval;
constexpr std::size_t kPagesPerRollout = std::chrono::minutes(5) / bench::kInterval;
constexpr std::size_t kPagesPerLine = std::chrono::minutes(15) / bench::kInterval;
constexpr double kRoom = 1.05;

struct Memory {
  double live_mib = 0;      // What has been asked for and not given back.
  double resident_mib = 0;  // Of the process.
};

Memory memory_now() {
  constexpr double kMib = 1 << 20;
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  const struct mallinfo2 info = mallinfo2();
  return {static_cast<double>(info.uordblks + info.hblkhd) / kMib,
          static_cast<double>(resident) * 4096 / kMib};
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t proxies = 100;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), proxies);
  const rule::Group described = bench::read_group();
  bench::World world(proxies, rule::required_needs({.groups = {described}}));
  RuleGroup group(described, world.store());

  std::puts("minutes  series  blocks  live MiB  resident MiB");
  Memory after_an_hour;
  for (std::size_t page = 1; page <= 2 * kPagesPerHour; ++page) {
    world.advance();
    world.scrape();
    group.evaluate(world.now(), RuleGroup::Writes::Recordings);
    world.store().collect_garbage(world.now());
    if (page % kPagesPerRollout == 0) world.roll_out(page / kPagesPerRollout);
    if (page % kPagesPerLine != 0) continue;
    const Memory now = memory_now();
    const store::Stats stats = world.store().stats();
    std::printf("%7zu %7zu %7zu %9.1f %13.1f\n", page * 60 / kPagesPerHour, stats.series,
                stats.blocks, now.live_mib, now.resident_mib);
    if (page == kPagesPerHour) after_an_hour = now;
  }
  const Memory at_the_end = memory_now();
  const bool has_grown = at_the_end.live_mib > kRoom * after_an_hour.live_mib ||
                         at_the_end.resident_mib > kRoom * after_an_hour.resident_mib;
  if (has_grown) std::puts("memory has grown by more than a twentieth in the second hour");
  return has_grown ? 1 : 0;
}

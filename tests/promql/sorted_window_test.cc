// SPDX-License-Identifier: Apache-2.0
#include "promql/sorted_window.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace tocsin::promql {
namespace {

TEST_CASE("a value that gives way to another is as one that goes and one that comes") {
  std::mt19937 random(5);
  const auto next = [&] {
    const auto dice = random() % 12;  // Few values, so that many are the same.
    return dice == 0 ? std::nan("") : static_cast<double>(dice);
  };
  SortedWindow replaced;
  SortedWindow apart;
  std::vector<double> window;
  for (int i = 0; i < 8; ++i) {
    window.push_back(next());
    replaced.add(window.back());
    apart.add(window.back());
  }
  for (std::size_t i = 0; i < 2000; ++i) {
    double& place = window[i % window.size()];
    const double value = next();
    replaced.replace(place, value);
    apart.remove(place);
    apart.add(value);
    place = value;
    REQUIRE(std::ranges::equal(replaced.values(), apart.values(), [](double a, double b) {
      return a == b || (std::isnan(a) && std::isnan(b));
    }));
  }
}

}  // namespace
}  // namespace tocsin::promql

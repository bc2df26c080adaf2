// SPDX-License-Identifier: Apache-2.0
//
// The same dice in every process: what a seed gives depends on nothing else.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>

namespace tocsin::differential {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  // From 0 to below n.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  // From a to b, both possible.
  std::int64_t between(std::int64_t a, std::int64_t b) {
    return a + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(b - a + 1));
  }
  bool one_in(std::size_t n) { return below(n) == 0; }
  bool percent(std::size_t p) { return below(100) < p; }
  // In [0, 1), all 53 bits at random.
  double fraction() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }
  template <class Range>
  const auto& pick(const Range& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tocsin::differential

// SPDX-License-Identifier: Apache-2.0
//
// Asks for memory before it is read: blocks and columns lie apart, and one miss after another is
// what an evaluation would mostly wait for. Nothing else comes of it.
#pragma once

#include <cstddef>

namespace tocsin::store {

inline void fetch(const void* from, std::size_t bytes) {
  // g++ takes a function that does nothing but this for one without effects, and leaves calls out.
  asm volatile("");
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t at = 0; at < bytes; at += kLineBytes) {
    __builtin_prefetch(static_cast<const char*>(from) + at);
  }
}

}  // namespace tocsin::store

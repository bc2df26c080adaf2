// SPDX-License-Identifier: Apache-2.0
#include "support/allocations.h"

#include <cstdlib>
#include <new>

namespace tocsin::testing {
namespace {

thread_local std::size_t count = 0;

}  // namespace

std::size_t allocations() { return count; }

}  // namespace tocsin::testing

void* operator new(std::size_t size) {
  ++tocsin::testing::count;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

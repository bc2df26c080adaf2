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

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++tocsin::testing::count;
  return std::malloc(size == 0 ? 1 : size);
}

void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

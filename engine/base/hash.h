// SPDX-License-Identifier: Apache-2.0
//
// A 64-bit hash of bytes that is the same in every process and on every machine, for anything that
// outlives one: scrape offsets, group slots, alert fingerprints. It is FNV-1a, which is also what
// Prometheus and Alertmanager use for fingerprints.
#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin {

inline constexpr std::uint64_t kHashSeed = 14695981039346656037ULL;

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = kHashSeed);

}  // namespace tocsin

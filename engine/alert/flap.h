// SPDX-License-Identifier: Apache-2.0
//
// Flap detection as Nagios has it: of the last 21 looks at a thing, how many differ from the one
// before, the newer ones weighing more. Pure.
// Source: Nagios Core, "Detection and Handling of State Flapping".
#pragma once

#include <cstdint>

namespace tocsin::alert {

inline constexpr int kFlapLooks = 21;
inline constexpr double kFlapStart = 0.5;  // Flapping begins at this share of changes,
inline constexpr double kFlapStop = 0.25;  // and is over below this one.

// One more look: whether the thing was there.
std::uint32_t with_look(std::uint32_t looks, bool there);
// As if it had always been so.
std::uint32_t looks_of(bool there);

// The weighted share of changes, from 0 to 1. The oldest change weighs 0.8, the newest 1.2.
double flapping_share(std::uint32_t looks);

}  // namespace tocsin::alert

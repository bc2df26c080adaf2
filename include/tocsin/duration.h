// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' text forms of durations and instants: `1h30m`, `2026-11-22T17:42:00Z`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tocsin/clock.h"

namespace tocsin {

// Reads Prometheus' notation: integers with units y w d h m s ms, in that order, each at most once
// ("1d12h"), or a bare "0". Nothing on anything else, and on more than 292 years.
std::optional<Duration> parse_duration(std::string_view text);

// The canonical form: "1h30m", "5m", "0s"; weeks only when they divide it, as Prometheus prints it.
std::string format_duration(Duration d);

// For people: "2h 5m", "3d 4h", "45s"; two units at most.
std::string humanize_duration(Duration d);

// "2026-11-22T17:42:00.123Z"; milliseconds are always printed.
std::string format_rfc3339(Timestamp at);

// Reads RFC 3339 ("2026-11-22T17:42:00Z", with fraction and offset) or Unix seconds
// ("1700000000.5"), the two forms that Prometheus' API takes.
std::optional<Timestamp> parse_time(std::string_view text);

}  // namespace tocsin

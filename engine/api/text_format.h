// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' text format, written: what /metrics and /federate share. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::api {

inline constexpr std::string_view kTextFormat = "text/plain; version=0.0.4; charset=utf-8";

// `name="value"`, escaped as the format wants it.
std::string label_pair(std::string_view name, std::string_view value);

// Appends `pair` to a list of pairs.
void add_pair(std::string& pairs, std::string_view pair);

}  // namespace tocsin::api

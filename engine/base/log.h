// SPDX-License-Identifier: Apache-2.0
//
// The log, on standard error. One event is one line: a sentence and its fields.
//
//   log::warn("scrape failed", {{"job", job}, {"target", url}, {"error", error.message}});
//
// Whoever handles an event logs it, once; a state that lasts is logged when it changes.
// Thread-safe. Only edge layers log.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::log {

enum class Level { Debug, Info, Warn, Error, Off };
enum class Format { Text, Json };

using Fields = std::vector<std::pair<std::string_view, std::string>>;

// Call once, before the threads start. The default is Info and Text.
void configure(Level level, Format format);

void debug(std::string_view message, const Fields& fields = {});
void info(std::string_view message, const Fields& fields = {});
void warn(std::string_view message, const Fields& fields = {});
void error(std::string_view message, const Fields& fields = {});

}  // namespace tocsin::log

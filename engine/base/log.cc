// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace tocsin::log {
namespace {

std::atomic<Format> g_format{Format::Text};

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("tocsin",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

void append_json_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string json_line(std::string_view message, const Fields& fields) {
  std::string out = "\"msg\":";
  append_json_string(message, out);
  for (const auto& [name, value] : fields) {
    out += ',';
    append_json_string(name, out);
    out += ':';
    append_json_string(value, out);
  }
  return out;
}

std::string text_line(std::string_view message, const Fields& fields) {
  std::string out(message);
  for (const auto& [name, value] : fields) {
    out += ' ';
    out += name;
    out += '=';
    if (value.empty() || value.find_first_of(" \"\n=") != std::string::npos) {
      append_json_string(value, out);
    } else {
      out += value;
    }
  }
  return out;
}

void write(spdlog::level::level_enum level, std::string_view message, const Fields& fields) {
  if (!logger().should_log(level)) return;
  const bool json = g_format.load() == Format::Json;
  logger().log(level, json ? json_line(message, fields) : text_line(message, fields));
}

}  // namespace

void configure(Level level, Format format) {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                          spdlog::level::warn, spdlog::level::err,
                                                          spdlog::level::off};
  logger().set_level(kLevels[static_cast<int>(level)]);
  g_format.store(format);
  if (format == Format::Json) {
    logger().set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                         spdlog::pattern_time_type::utc);
  }
}

void debug(std::string_view message, const Fields& f) { write(spdlog::level::debug, message, f); }
void info(std::string_view message, const Fields& f) { write(spdlog::level::info, message, f); }
void warn(std::string_view message, const Fields& f) { write(spdlog::level::warn, message, f); }
void error(std::string_view message, const Fields& f) { write(spdlog::level::err, message, f); }

}  // namespace tocsin::log

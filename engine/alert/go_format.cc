// SPDX-License-Identifier: Apache-2.0
#include "alert/go_format.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "tocsin/sample.h"

namespace tocsin::alert {
namespace {

// "%-08.3f": flags, width, precision, verb.
struct Directive {
  std::string flags;
  int width = 0;
  std::optional<int> precision;
  char verb = 'v';
};

int take_number(const std::string& format, std::size_t& at) {
  int number = 0;
  while (at < format.size() && format[at] >= '0' && format[at] <= '9' && number < 1000) {
    number = number * 10 + (format[at++] - '0');
  }
  return number;
}

Directive read_directive(const std::string& format, std::size_t& at) {
  Directive d;
  while (at < format.size() &&
         std::string_view("+-# 0").find(format[at]) != std::string_view::npos) {
    d.flags += format[at++];
  }
  d.width = take_number(format, at);
  if (at < format.size() && format[at] == '.') {
    ++at;
    d.precision = take_number(format, at);
  }
  if (at < format.size()) d.verb = format[at++];
  return d;
}

std::string pad(std::string text, const Directive& d) {
  const auto width = static_cast<std::size_t>(d.width);
  if (text.size() >= width) return text;
  const std::size_t missing = width - text.size();
  if (d.flags.find('-') != std::string::npos) return text + std::string(missing, ' ');
  const bool zeros = d.flags.find('0') != std::string::npos;
  const bool sign = zeros && !text.empty() && (text[0] == '-' || text[0] == '+');
  return (sign ? text.substr(0, 1) : "") + std::string(missing, zeros ? '0' : ' ') +
         text.substr(sign ? 1 : 0);
}

std::string integer_text(const Directive& d, double number) {
  std::array<char, 64> buffer{};
  const auto whole = static_cast<long long>(number);
  const char* pattern = d.verb == 'x'   ? "%llx"
                        : d.verb == 'X' ? "%llX"
                        : d.verb == 'o' ? "%llo"
                                        : "%lld";
  std::snprintf(buffer.data(), buffer.size(), pattern, whole);
  return buffer.data();
}

std::string format_one(const Directive& d, const TemplateValue& value) {
  const std::string plus = d.flags.find('+') != std::string::npos ? "+" : "";
  const auto number = number_of(value);
  const bool is_text = value.as<std::string>() != nullptr;
  switch (d.verb) {
    case 'e':
    case 'f':
    case 'F':
    case 'g':
      if (!number || is_text) break;
      return (*number >= 0 ? plus : "") + go_float(*number, d.verb == 'F' ? 'f' : d.verb,
                                                   d.precision.value_or(d.verb == 'g' ? -1 : 6));
    case 'd':
    case 'o':
    case 'x':
    case 'X':
      if (!value.as<std::int64_t>()) break;
      return (*number >= 0 ? plus : "") + integer_text(d, *number);
    case 's':
    case 'v':
    case 't': {
      std::string text = text_of(value);
      if (is_text && d.precision)
        text.resize(std::min<std::size_t>(text.size(), static_cast<std::size_t>(*d.precision)));
      return text;
    }
    case 'q':
      return quote(text_of(value));
    default:
      break;
  }
  const char* type = is_text ? "string" : value.as<double>() ? "float64" : "int";
  return std::string("%!") + d.verb + "(" + type + "=" + text_of(value) + ")";
}

}  // namespace

std::string go_float(double v, char verb, int precision) {
  if (!std::isfinite(v)) return std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
  if (precision < 0) {
    return verb == 'e' ? format_exponent(v) : verb == 'f' ? format_value(v) : format_number(v);
  }
  std::array<char, 512> buffer{};
  const std::string pattern = std::string("%.*") + verb;
  std::snprintf(buffer.data(), buffer.size(), pattern.c_str(), precision, v);
  return buffer.data();
}

std::string go_printf(const ValueList& args) {
  if (args.empty()) return "";
  const std::string format = text_of(args[0]);
  std::string out;
  std::size_t next = 1;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    ++at;
    const Directive directive = read_directive(format, at);
    if (directive.verb == '%') {
      out += '%';
    } else if (next < args.size()) {
      out += pad(format_one(directive, args[next++]), directive);
    } else {
      out += std::string("%!") + directive.verb + "(MISSING)";
    }
  }
  return out;
}

}  // namespace tocsin::alert

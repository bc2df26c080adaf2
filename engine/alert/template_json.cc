// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <cstdio>

#include "alert/message_template.h"

namespace tocsin::alert {
namespace {

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(byte));
      out += escape.data();
    } else {
      out += c;
    }
  }
  out += '"';
}

void append(std::string& out, const TemplateValue& value);

template <class Map, class Append>
void append_map(std::string& out, const Map& map, Append append_value) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : map) {
    if (!first) out += ',';
    first = false;
    append_text(out, name);
    out += ':';
    append_value(out, value);
  }
  out += '}';
}

void append_list(std::string& out, const ValueList& list) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    append(out, list[i]);
  }
  out += ']';
}

void append(std::string& out, const TemplateValue& value) {
  const double* number = value.as<double>();
  if (const ValueList* list = value.list()) return append_list(out, *list);
  if (const ValueMap* map = value.map()) return append_map(out, *map, append);
  if (const auto* texts = value.as<StringMap>()) return append_map(out, *texts, append_text);
  if (value.as<std::monostate>() || (number && !std::isfinite(*number))) {
    out += "null";
  } else if (number || value.as<bool>() || value.as<std::int64_t>()) {
    out += text_of(value);
  } else {
    append_text(out, text_of(value));
  }
}

}  // namespace

std::string json_of(const TemplateValue& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace tocsin::alert

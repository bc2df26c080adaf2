// SPDX-License-Identifier: Apache-2.0
#include "api/text_format.h"

namespace tocsin::api {

std::string label_pair(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

void add_pair(std::string& pairs, std::string_view pair) {
  if (!pairs.empty()) pairs += ',';
  pairs += pair;
}

}  // namespace tocsin::api

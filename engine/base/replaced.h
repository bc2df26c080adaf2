// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin {

// The text with each of the characters replaced by what stands beside it.
inline std::string replaced(std::string_view text,
                            std::initializer_list<std::pair<char, std::string_view>> by) {
  std::string out;
  for (const char c : text) {
    const auto* found =
        std::find_if(by.begin(), by.end(), [c](const auto& entry) { return entry.first == c; });
    if (found == by.end()) {
      out += c;
    } else {
      out += found->second;
    }
  }
  return out;
}

// In a cell of a Markdown table: no bar, no markup and no line end gets out of it.
inline std::string markdown_cell(std::string_view text, std::string_view line_end) {
  return replaced(text, {{'|', "&#124;"}, {'<', "&lt;"}, {'&', "&amp;"}, {'\n', line_end}});
}

}  // namespace tocsin

// SPDX-License-Identifier: Apache-2.0
//
// HtmlWriter builds a page from literals, which stand as they are, and texts, which are escaped.
// Nothing else gets in: markup cannot come from a label, an annotation or an error. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::api {

class HtmlWriter {
 public:
  // Markup. Only a literal will do.
  template <std::size_t N>
  HtmlWriter& raw(const char (&literal)[N]) {
    out_.append(literal, N - 1);
    return *this;
  }

  // Fit for the inside of an element and of a quoted attribute.
  HtmlWriter& text(std::string_view text);
  HtmlWriter& number(std::size_t value) { return text(std::to_string(value)); }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace tocsin::api

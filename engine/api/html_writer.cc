// SPDX-License-Identifier: Apache-2.0
#include "api/html_writer.h"

#include "base/utf8.h"

namespace tocsin::api {

HtmlWriter& HtmlWriter::text(std::string_view text) {
  for (const char c : well_formed(text)) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }
  return *this;
}

}  // namespace tocsin::api

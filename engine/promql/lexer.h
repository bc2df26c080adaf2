// SPDX-License-Identifier: Apache-2.0
//
// Text → tokens. The lexer knows numbers, durations, strings, names and punctuation; which names
// are keywords is the parser's business, because most of them may also name a metric or a label.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/promql.h"

namespace tocsin::promql {

enum class TokenKind { Name, Number, Duration, String, Symbol, End };

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  // As written.
  std::string string;     // The decoded value of a String.
  double number = 0;      // Of a Number; of a Duration, its seconds.
  std::size_t begin = 0;
  std::size_t end = 0;

  bool is(std::string_view symbol) const { return kind == TokenKind::Symbol && text == symbol; }
};

// All tokens of `text`, closed by an End; or where it stops making sense.
tl::expected<std::vector<Token>, Problem> tokenize(std::string_view text);

}  // namespace tocsin::promql

// SPDX-License-Identifier: Apache-2.0
#include "promql/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "tocsin/duration.h"

namespace tocsin::promql {
namespace {

constexpr std::array<std::string_view, 6> kTwoCharSymbols{"==", "!=", "=~", "!~", "<=", ">="};
constexpr std::string_view kOneCharSymbols = "+-*/%^(){}[],=<>@:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  tl::expected<std::vector<Token>, Problem> run() {
    for (;;) {
      skip_blank();
      if (problem_) return tl::unexpected(*problem_);
      if (pos_ >= text_.size()) break;
      read_token();
      if (problem_) return tl::unexpected(*problem_);
    }
    Token end;
    end.begin = end.end = text_.size();
    tokens_.push_back(end);
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }

  void skip_blank() {
    while (pos_ < text_.size()) {
      if (is_space(text_[pos_])) {
        ++pos_;
      } else if (text_[pos_] == '#') {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else {
        return;
      }
    }
  }

  void read_token() {
    const char c = peek();
    if (c == '"' || c == '\'' || c == '`') return read_string(c);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number();
    if (is_alpha(c) || (c == ':' && brackets_ == 0)) return read_name();
    read_symbol();
  }

  void push(TokenKind kind, std::size_t begin) {
    Token token;
    token.kind = kind;
    token.begin = begin;
    token.end = pos_;
    token.text = text_.substr(begin, pos_ - begin);
    tokens_.push_back(std::move(token));
  }

  void stop(std::size_t begin, std::string message) {
    problem_ = Problem{"promql/syntax", std::move(message), "", begin,
                       std::min(text_.size(), std::max(begin + 1, pos_))};
  }

  void read_name() {
    const std::size_t begin = pos_;
    while (is_alpha(peek()) || is_digit(peek()) || (peek() == ':' && brackets_ == 0)) ++pos_;
    push(TokenKind::Name, begin);
  }

  void read_symbol() {
    const std::size_t begin = pos_;
    const std::string_view two = text_.substr(pos_, 2);
    if (std::find(kTwoCharSymbols.begin(), kTwoCharSymbols.end(), two) != kTwoCharSymbols.end()) {
      pos_ += 2;
      return push(TokenKind::Symbol, begin);
    }
    const char c = peek();
    if (kOneCharSymbols.find(c) == std::string_view::npos) {
      return stop(begin, std::string("unexpected character: '") + c + "'");
    }
    if (c == '[') ++brackets_;
    if (c == ']' && brackets_ > 0) --brackets_;
    ++pos_;
    push(TokenKind::Symbol, begin);
  }

  // "1.5e-3", "0x1f", or a duration "1h30m".
  void read_number() {
    const std::size_t begin = pos_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      pos_ += 2;
      while (is_hex(peek())) ++pos_;
    } else {
      while (is_digit(peek())) ++pos_;
      if (read_duration(begin)) return;
      if (peek() == '.') {
        ++pos_;
        while (is_digit(peek())) ++pos_;
      }
      read_exponent();
    }
    const auto value = parse_number(text_.substr(begin, pos_ - begin));
    if (!value || is_alpha(peek()) || peek() == '.') {
      while (is_alpha(peek()) || is_digit(peek()) || peek() == '.') ++pos_;
      return stop(begin, "bad number or duration syntax: \"" +
                             std::string(text_.substr(begin, pos_ - begin)) + "\"");
    }
    push(TokenKind::Number, begin);
    tokens_.back().number = *value;
  }

  void read_exponent() {
    if (peek() != 'e' && peek() != 'E') return;
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (!is_digit(peek(1 + sign))) return;
    pos_ += 1 + sign;
    while (is_digit(peek())) ++pos_;
  }

  bool read_duration(std::size_t begin) {
    std::size_t end = pos_;
    while (end < text_.size() && (is_digit(text_[end]) || is_alpha(text_[end]))) ++end;
    const std::string_view word = text_.substr(begin, end - begin);
    if (end == pos_) return false;
    const auto duration = parse_duration(word);
    if (!duration) return false;
    pos_ = end;
    push(TokenKind::Duration, begin);
    tokens_.back().number = to_seconds(*duration);
    return true;
  }

  void read_string(char delimiter) {
    const std::size_t begin = pos_++;
    std::string value;
    while (peek() != delimiter) {
      if (pos_ >= text_.size() || (peek() == '\n' && delimiter != '`')) {
        return stop(begin,
                    delimiter == '`' ? "unterminated raw string" : "unterminated quoted string");
      }
      if (peek() == '\\' && delimiter != '`') {
        if (!read_escape(delimiter, value)) return stop(begin, "unknown escape sequence");
      } else {
        value += text_[pos_++];
      }
    }
    ++pos_;
    push(TokenKind::String, begin);
    tokens_.back().string = std::move(value);
  }

  // Go's escapes: \n, \", \\, \x41, \101, \u00e9, \U0001f514.
  bool read_escape(char delimiter, std::string& out) {
    static constexpr std::string_view kNames = "abfnrtv\\";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
    ++pos_;
    const char c = peek();
    if (const std::size_t at = kNames.find(c); c != '\0' && at != std::string_view::npos) {
      out += kValues[at];
      ++pos_;
      return true;
    }
    if (c == delimiter) {
      out += c;
      ++pos_;
      return true;
    }
    if (c == 'x') return read_code(1, 2, 16, out);
    if (c == 'u') return read_code(1, 4, 16, out);
    if (c == 'U') return read_code(1, 8, 16, out);
    if (c >= '0' && c <= '7') return read_code(0, 3, 8, out);
    return false;
  }

  bool read_code(std::size_t skip, std::size_t digits, int base, std::string& out) {
    const bool is_byte = digits <= 3;
    pos_ += skip;
    const std::string word(text_.substr(pos_, digits));
    if (word.size() != digits ||
        !std::all_of(word.begin(), word.end(), [&](char c) { return is_hex(c); })) {
      return false;
    }
    const auto code = static_cast<std::uint32_t>(std::stoul(word, nullptr, base));
    pos_ += digits;
    if (is_byte) {
      out += static_cast<char>(code & 0xff);
    } else if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      return false;
    } else {
      append_utf8(code, out);
    }
    return true;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  int brackets_ = 0;
  std::vector<Token> tokens_;
  std::optional<Problem> problem_;
};

}  // namespace

tl::expected<std::vector<Token>, Problem> tokenize(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace tocsin::promql

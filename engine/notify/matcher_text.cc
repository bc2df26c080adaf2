// SPDX-License-Identifier: Apache-2.0
#include "notify/matcher_text.h"

#include <algorithm>
#include <optional>

namespace tocsin::notify {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Takes what stands before the next comma outside quotes off `text`.
std::string_view take_item(std::string_view& text) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == ',' && !quoted) {
      break;
    }
  }
  const std::string_view item = text.substr(0, at);
  text.remove_prefix(std::min(text.size(), at + 1));
  return trimmed(item);
}

// The value without its quotes; nothing where they do not match.
std::optional<std::string> unquoted(std::string_view text) {
  if (text.starts_with('"')) {
    if (text.size() < 2 || !text.ends_with('"')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  } else if (text.ends_with('"')) {
    return std::nullopt;
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return std::nullopt;
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '"' || next == '\\' || next == 'n') {
      out += next == 'n' ? '\n' : next;
      ++i;
    } else {
      out += text[i];  // A lone backslash is one: expressions are full of them.
    }
  }
  return out;
}

tl::unexpected<Error> no_matcher(std::string_view text) {
  return fail(ErrorCode::Parse, "not a matcher: " + std::string(text));
}

struct OpText {
  std::string_view text;
  Matcher::Op op;
};
constexpr OpText kOps[] = {{"=~", Matcher::Op::Regex},
                           {"!~", Matcher::Op::NotRegex},
                           {"!=", Matcher::Op::NotEqual},
                           {"=", Matcher::Op::Equal}};

Result<Matcher> parse_one(std::string_view text) {
  const std::size_t end = text.find_first_of("=!");
  if (end == std::string_view::npos) return no_matcher(text);
  const std::string_view name = trimmed(text.substr(0, end));
  if (!is_legacy_metric_name(name)) return no_matcher(text);
  const std::string_view rest = text.substr(end);
  for (const OpText& op : kOps) {
    if (!rest.starts_with(op.text)) continue;
    const auto value = unquoted(trimmed(rest.substr(op.text.size())));
    if (!value) return no_matcher(text);
    return Matcher::make(op.op, name, *value);
  }
  return no_matcher(text);
}

}  // namespace

Result<Matchers> parse_matchers(std::string_view text) {
  std::string_view rest = trimmed(text);
  if (rest.starts_with('{')) {
    if (!rest.ends_with('}')) return no_matcher(text);
    rest = trimmed(rest.substr(1, rest.size() - 2));
  }
  Matchers out;
  while (!rest.empty()) {
    const std::string_view item = take_item(rest);
    auto matcher = parse_one(item);
    if (!matcher) return fail(matcher.error());
    out.push_back(std::move(*matcher));
  }
  if (out.empty()) return no_matcher(text);
  return out;
}

}  // namespace tocsin::notify

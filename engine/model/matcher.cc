// SPDX-License-Identifier: Apache-2.0
#include "tocsin/matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>

namespace tocsin {

class Regex::Impl {
 public:
  explicit Impl(const std::string& pattern) : re_("(?s:" + pattern + ")", options()) {}
  const re2::RE2& re() const { return re_; }

  static re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    return options;
  }

 private:
  re2::RE2 re_;
};

namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const re2::StringPiece& p) { return {p.data(), p.size()}; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Reads the group reference after a `$`: "1", "name", "{1}". Moves `pos` past it.
std::optional<std::string_view> reference(std::string_view text, std::size_t& pos) {
  const bool braces = pos < text.size() && text[pos] == '{';
  std::size_t at = braces ? pos + 1 : pos;
  const std::size_t start = at;
  while (at < text.size() && is_word(text[at])) ++at;
  if (at == start || (braces && (at == text.size() || text[at] != '}'))) return std::nullopt;
  pos = braces ? at + 1 : at;
  return text.substr(start, at - start);
}

std::string_view group_text(const re2::RE2& re, const std::vector<re2::StringPiece>& groups,
                            std::string_view name) {
  std::size_t index = groups.size();
  if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    if (name.size() < 4) index = static_cast<std::size_t>(std::stoi(std::string(name)));
  } else if (const auto it = re.NamedCapturingGroups().find(std::string(name));
             it != re.NamedCapturingGroups().end()) {
    index = static_cast<std::size_t>(it->second);
  }
  return index < groups.size() ? view(groups[index]) : std::string_view();
}

std::string expand_groups(const re2::RE2& re, const std::vector<re2::StringPiece>& groups,
                          std::string_view replacement) {
  std::string out;
  for (std::size_t i = 0; i < replacement.size();) {
    if (replacement[i] != '$') {
      out += replacement[i++];
      continue;
    }
    ++i;
    if (i < replacement.size() && replacement[i] == '$') {
      out += '$';
      ++i;
    } else if (const auto name = reference(replacement, i)) {
      out += group_text(re, groups, *name);
    } else {
      out += '$';
    }
  }
  return out;
}

}  // namespace

Regex::Regex(std::string pattern, std::shared_ptr<const Impl> impl)
    : pattern_(std::move(pattern)), impl_(std::move(impl)) {}

Result<Regex> Regex::compile(std::string_view pattern) {
  std::string text(pattern);
  auto impl = std::make_shared<const Impl>(text);
  if (!impl->re().ok()) {
    return fail(ErrorCode::InvalidArgument,
                "bad regular expression " + quote(pattern) + ": " + impl->re().error());
  }
  return Regex(std::move(text), std::move(impl));
}

bool Regex::matches(std::string_view text) const {
  return re2::RE2::FullMatch(piece(text), impl_->re());
}

int Regex::group_count() const { return impl_->re().NumberOfCapturingGroups(); }

std::optional<std::string> Regex::expand(std::string_view text,
                                         std::string_view replacement) const {
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(group_count()) + 1);
  if (!impl_->re().Match(piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                         static_cast<int>(groups.size()))) {
    return std::nullopt;
  }
  return expand_groups(impl_->re(), groups, replacement);
}

Result<std::string> Regex::replace_all(std::string_view pattern, std::string_view text,
                                       std::string_view replacement) {
  const re2::RE2 re(piece(pattern), Impl::options());
  if (!re.ok()) return fail(ErrorCode::InvalidArgument, "bad regular expression: " + re.error());
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(re.NumberOfCapturingGroups()) + 1);
  std::string out;
  std::size_t pos = 0;
  while (pos <= text.size() && re.Match(piece(text), pos, text.size(), re2::RE2::UNANCHORED,
                                        groups.data(), static_cast<int>(groups.size()))) {
    const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
    out += text.substr(pos, start - pos);
    out += expand_groups(re, groups, replacement);
    pos = start + groups[0].size();
    if (groups[0].empty()) {
      if (pos < text.size()) out += text[pos];
      ++pos;
    }
  }
  if (pos < text.size()) out += text.substr(pos);
  return out;
}

Result<bool> Regex::search(std::string_view pattern, std::string_view text) {
  const re2::RE2 re(piece(pattern), Impl::options());
  if (!re.ok()) return fail(ErrorCode::InvalidArgument, "bad regular expression: " + re.error());
  return re2::RE2::PartialMatch(piece(text), re);
}

Matcher Matcher::equal(std::string_view name, std::string_view value) {
  return Matcher(Op::Equal, name, value);
}

Matcher Matcher::not_equal(std::string_view name, std::string_view value) {
  return Matcher(Op::NotEqual, name, value);
}

Result<Matcher> Matcher::make(Op op, std::string_view name, std::string_view value) {
  Matcher matcher(op, name, value);
  if (op == Op::Regex || op == Op::NotRegex) {
    auto regex = tocsin::Regex::compile(value);
    if (!regex) return fail(regex.error());
    matcher.regex_ = std::move(*regex);
  }
  return matcher;
}

bool Matcher::matches(std::string_view value) const {
  switch (op_) {
    case Op::Equal:
      return value == value_;
    case Op::NotEqual:
      return value != value_;
    case Op::Regex:
      return regex_->matches(value);
    case Op::NotRegex:
      return !regex_->matches(value);
  }
  return false;
}

std::string Matcher::text() const {
  const std::string left = is_legacy_label_name(name_) ? name_ : quote(name_);
  return left + std::string(op_text(op_)) + quote(value_);
}

bool matches_all(const Matchers& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& m) { return m.matches(labels); });
}

std::optional<std::string_view> metric_name_of(const Matchers& matchers) {
  for (const Matcher& m : matchers) {
    if (m.op() == Matcher::Op::Equal && m.name() == kMetricName) return m.value();
  }
  return std::nullopt;
}

std::string_view op_text(Matcher::Op op) {
  static constexpr std::string_view kTexts[] = {"=", "!=", "=~", "!~"};
  return kTexts[static_cast<int>(op)];
}

}  // namespace tocsin

// SPDX-License-Identifier: Apache-2.0
//
// Matcher: a condition on one label, `name="value"`, `!=`, `=~`, `!~`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin {

// An RE2 expression that must match the whole text, with `.` matching newlines too, as in
// Prometheus 3. Cheap to copy; thread-safe.
class Regex {
 public:
  static Result<Regex> compile(std::string_view pattern);

  bool matches(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }

  // Number of capturing groups.
  int group_count() const;
  // Rewrites `replacement` ($1, ${1}, $name, ${name}, $$) with the groups of a match of the whole
  // of `text`; nothing when it does not match. Go's regexp.Expand.
  std::optional<std::string> expand(std::string_view text, std::string_view replacement) const;
  // Replaces every match of `pattern` inside `text`. Go's ReplaceAllString: not anchored.
  static Result<std::string> replace_all(std::string_view pattern, std::string_view text,
                                         std::string_view replacement);
  // Whether `pattern` matches anywhere in `text`.
  static Result<bool> search(std::string_view pattern, std::string_view text);

 private:
  class Impl;
  Regex(std::string pattern, std::shared_ptr<const Impl> impl);

  std::string pattern_;
  std::shared_ptr<const Impl> impl_;
};

class Matcher {
 public:
  enum class Op { Equal, NotEqual, Regex, NotRegex };

  static Matcher equal(std::string_view name, std::string_view value);
  static Matcher not_equal(std::string_view name, std::string_view value);
  // Fails with InvalidArgument on a bad expression; only regex operators can fail.
  static Result<Matcher> make(Op op, std::string_view name, std::string_view value);

  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  Op op() const { return op_; }

  // `value` is the label's, empty where it is absent.
  bool matches(std::string_view value) const;
  bool matches(const Labels& labels) const { return matches(labels.get(name_)); }
  bool matches_empty() const { return matches(std::string_view()); }

  // `name=~"value"`
  std::string text() const;

  bool operator==(const Matcher& other) const {
    return name_ == other.name_ && value_ == other.value_ && op_ == other.op_;
  }

 private:
  Matcher(Op op, std::string_view name, std::string_view value)
      : op_(op), name_(name), value_(value) {}

  Op op_;
  std::string name_;
  std::string value_;
  std::optional<tocsin::Regex> regex_;
};

using Matchers = std::vector<Matcher>;

bool matches_all(const Matchers& matchers, const Labels& labels);
// The metric that they ask for with `=`; nothing where they leave it open. Lives as long as they
// do.
std::optional<std::string_view> metric_name_of(const Matchers& matchers);
// "=", "!=", "=~", "!~"
std::string_view op_text(Matcher::Op op);

}  // namespace tocsin

// SPDX-License-Identifier: Apache-2.0
//
// Selectors, and what may follow them: ranges, subqueries, `offset`, `@`.
#include <array>
#include <cmath>

#include "promql/parser.h"

namespace tocsin::promql {

ExprPtr Parser::parse_selector(std::string name, std::size_t begin) {
  VectorSelector selector;
  selector.name = std::move(name);
  if (peek().is("{") && !parse_matchers(selector)) return nullptr;
  if (!selector.name.empty()) {
    for (const Matcher& matcher : selector.matchers) {
      if (matcher.name() != kMetricName) continue;
      return stop(begin, tokens_[pos_ - 1].end, "promql/syntax",
                  "metric name must not be set twice: \"" + selector.name + "\" or \"" +
                      matcher.value() + "\"");
    }
    selector.matchers.push_back(Matcher::equal(kMetricName, selector.name));
  }
  bool selective = false;
  for (const Matcher& matcher : selector.matchers) selective |= !matcher.matches_empty();
  if (!selective) {
    return stop(begin, tokens_[pos_ - 1].end, "promql/syntax",
                "vector selector must contain at least one non-empty matcher");
  }
  return make(std::move(selector), begin);
}

bool Parser::parse_matchers(VectorSelector& selector) {
  take();
  while (!peek().is("}")) {
    if (!parse_matcher(selector)) return false;
    if (!take_symbol(",") && !peek().is("}")) {
      unexpected(peek(), "label matching, expected \",\" or \"}\"");
      return false;
    }
  }
  take();
  return true;
}

bool Parser::parse_matcher(VectorSelector& selector) {
  static constexpr std::array<std::string_view, 4> kOps{"=", "!=", "=~", "!~"};
  const Token label = take();
  const bool quoted = label.kind == TokenKind::String;
  if (!quoted && (label.kind != TokenKind::Name || !is_legacy_label_name(label.text))) {
    unexpected(label, "label matching, expected identifier or \"}\"");
    return false;
  }
  if (quoted && (peek().is(",") || peek().is("}"))) {
    if (!selector.name.empty()) {
      stop(label, "metric name must not be set twice: \"" + selector.name + "\" or \"" +
                      label.string + "\"");
      return false;
    }
    selector.name = label.string;
    return true;
  }
  const Token op = take();
  std::size_t index = 0;
  while (index < kOps.size() && !op.is(kOps[index])) ++index;
  if (index == kOps.size()) {
    unexpected(op, "label matching, expected label matching operator");
    return false;
  }
  const Token value = take();
  if (value.kind != TokenKind::String) {
    unexpected(value, "label matching, expected string");
    return false;
  }
  auto matcher = Matcher::make(static_cast<Matcher::Op>(index),
                               quoted ? std::string_view(label.string) : label.text, value.string);
  if (!matcher) {
    stop(value, matcher.error().message);
    return false;
  }
  selector.matchers.push_back(std::move(*matcher));
  return true;
}

ExprPtr Parser::parse_range(const ExprPtr& expr) {
  take();
  Duration range{0};
  if (!parse_duration(range, Bounds::Brackets)) return nullptr;
  if (take_symbol(":")) {
    Subquery subquery;
    subquery.expr = expr;
    subquery.range = range;
    if (!peek().is("]") && !parse_duration(subquery.step, Bounds::Brackets)) return nullptr;
    if (!expect("]", "subquery")) return nullptr;
    return make(std::move(subquery), expr->begin);
  }
  if (!expect("]", "range")) return nullptr;
  const auto* vector = as<VectorSelector>(*expr);
  const std::size_t end = tokens_[pos_ - 1].end;
  if (!vector) {
    return stop(expr->begin, end, "promql/syntax", "ranges only allowed for vector selectors");
  }
  if (vector->shift.offset.count() != 0) {
    return stop(expr->begin, end, "promql/syntax", "no offset modifiers allowed before range");
  }
  if (vector->shift.at.kind != AtModifier::Kind::None) {
    return stop(expr->begin, end, "promql/syntax", "no @ modifiers allowed before range");
  }
  return make(MatrixSelector{*vector, range}, expr->begin);
}

ExprPtr Parser::parse_offset(const ExprPtr& expr) {
  const Token word = take();
  Duration offset{0};
  if (!parse_duration(offset, Bounds::None)) return nullptr;
  Expr copy = *expr;
  TimeShift* shift = shift_of(copy);
  if (!shift) {
    return stop(word,
                "offset modifier must be preceded by an instant vector selector or range vector "
                "selector or a subquery");
  }
  if (shift->offset.count() != 0) return stop(word, "offset may not be set multiple times");
  shift->offset = offset;
  return make(std::move(copy.node), expr->begin);
}

ExprPtr Parser::parse_at(const ExprPtr& expr) {
  const Token sign = take();
  AtModifier at;
  if ((peek_word("start") || peek_word("end")) && peek(1).is("(")) {
    at.kind = peek_word("start") ? AtModifier::Kind::Start : AtModifier::Kind::End;
    take();
    take();
    if (!expect(")", "@ modifier")) return nullptr;
  } else {
    double seconds = 0;
    const double sign_of = take_sign();
    if (!parse_number_or_duration(seconds)) return nullptr;
    seconds *= sign_of;
    if (!(std::abs(seconds) < 9.2e15)) return stop(sign, "timestamp out of bounds for @ modifier");
    at.kind = AtModifier::Kind::Instant;
    at.instant = from_millis(std::llround(seconds * 1000.0));
  }
  Expr copy = *expr;
  TimeShift* shift = shift_of(copy);
  if (!shift) {
    return stop(sign,
                "@ modifier must be preceded by an instant vector selector or range vector "
                "selector or a subquery");
  }
  if (shift->at.kind != AtModifier::Kind::None) {
    return stop(sign, "@ <timestamp> may not be set multiple times");
  }
  shift->at = at;
  return make(std::move(copy.node), expr->begin);
}

}  // namespace tocsin::promql

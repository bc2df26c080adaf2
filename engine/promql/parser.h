// SPDX-License-Identifier: Apache-2.0
//
// Tokens → tree, by recursive descent with precedence climbing. One parser reads one text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promql/ast.h"
#include "promql/lexer.h"

namespace tocsin::promql {

// Checks the types of `expr` (whose children are checked already) and fills in expr.type.
std::optional<Problem> check_types(Expr& expr);

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  tl::expected<ExprPtr, Problem> parse();

 private:
  // Each returns null after the first problem, which is kept in problem_.
  ExprPtr parse_binary(int min_precedence);
  ExprPtr parse_unary();
  ExprPtr parse_postfix();
  ExprPtr parse_primary();
  ExprPtr parse_name();
  ExprPtr parse_call(const Token& name);
  ExprPtr parse_aggregate(const Token& name, AggregateOp op);
  ExprPtr parse_selector(std::string name, std::size_t begin);
  ExprPtr parse_number(const Token& token);
  ExprPtr parse_range(const ExprPtr& expr);
  ExprPtr parse_offset(const ExprPtr& expr);
  ExprPtr parse_at(const ExprPtr& expr);

  bool parse_matchers(VectorSelector& selector);
  bool parse_matcher(VectorSelector& selector);
  bool parse_matching(Binary& binary);
  bool parse_grouping(Aggregate& aggregate);
  bool parse_labels(std::vector<std::string>& labels);
  bool parse_arguments(std::vector<ExprPtr>& args);
  // parser_duration.cc. In brackets stands any arithmetic with durations and numbers of seconds;
  // after `offset`, which has none, a sum wants parentheses of its own.
  enum class Bounds { Brackets, None };
  bool parse_duration(Duration& out, Bounds bounds);
  bool parse_seconds(int min_precedence, double& out);
  bool parse_seconds_operator(BinaryOp op, double& left);
  bool parse_seconds_operand(double& out);
  bool parse_signed_seconds(double& out);
  bool parse_number_or_duration(double& out);
  double take_sign();  // -1 or 1.

  std::optional<BinaryOp> peek_operator() const;
  const Token& peek(std::size_t ahead = 0) const;
  const Token& take();
  bool take_symbol(std::string_view symbol);
  // Case does not matter in keywords.
  bool peek_word(std::string_view word, std::size_t ahead = 0) const;
  bool take_word(std::string_view word);
  bool expect(std::string_view symbol, std::string_view where);

  template <class Node>
  ExprPtr make(Node node, std::size_t begin);
  // Counts a level of nesting in depth_; false, and a problem, when there are too many.
  bool go_deeper();
  std::nullptr_t stop(const Token& at, std::string message);
  std::nullptr_t stop(std::size_t begin, std::size_t end, std::string code, std::string message,
                      std::string hint = "");
  std::nullptr_t unexpected(const Token& token, std::string_view where);

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t pos_ = 0;
  int depth_ = 0;
  std::optional<Problem> problem_;
};

template <class Node>
ExprPtr Parser::make(Node node, std::size_t begin) {
  auto expr = std::make_shared<Expr>();
  expr->node = std::move(node);
  expr->begin = begin;
  expr->end = pos_ > 0 ? tokens_[pos_ - 1].end : 0;
  if (pos_ + 1 == tokens_.size() && peek().kind != TokenKind::End) expr->end = text_.size();
  if (auto problem = check_types(*expr)) {
    if (!problem_) problem_ = std::move(problem);
    return nullptr;
  }
  return expr;
}

}  // namespace tocsin::promql

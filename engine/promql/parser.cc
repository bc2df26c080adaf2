// SPDX-License-Identifier: Apache-2.0
#include "promql/parser.h"

#include <array>
#include <cmath>
#include <limits>

#include "promql/functions.h"
#include "tocsin/duration.h"

namespace tocsin::promql {
namespace {

constexpr int kMaxDepth = 200;  // Of nested expressions: a limit of the stack, not of the language.
constexpr int kUnaryPrecedence = 6;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::End:
      return "end of input";
    case TokenKind::Name:
      return "identifier \"" + std::string(token.text) + "\"";
    case TokenKind::Number:
      return "number \"" + std::string(token.text) + "\"";
    case TokenKind::Duration:
      return "duration \"" + std::string(token.text) + "\"";
    case TokenKind::String:
      return "string " + std::string(token.text);
    case TokenKind::Symbol:
      return "\"" + std::string(token.text) + "\"";
  }
  return {};
}

}  // namespace

tl::expected<ExprPtr, Problem> parse(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return tl::unexpected(tokens.error());
  return Parser(text, std::move(*tokens)).parse();
}

tl::expected<ExprPtr, Problem> Parser::parse() {
  if (peek().kind == TokenKind::End) {
    return tl::unexpected(Problem{"promql/syntax", "no expression found in input", "", 0, 0});
  }
  ExprPtr expr = parse_binary(1);
  if (expr && peek().kind != TokenKind::End) {
    unexpected(peek(), "");
    expr = nullptr;
  }
  if (!expr) return tl::unexpected(*problem_);
  return expr;
}

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)];
}

const Token& Parser::take() {
  const Token& token = peek();
  if (pos_ + 1 < tokens_.size()) ++pos_;
  return token;
}

bool Parser::take_symbol(std::string_view symbol) {
  if (!peek().is(symbol)) return false;
  take();
  return true;
}

bool Parser::peek_word(std::string_view word, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::Name && lower(peek(ahead).text) == word;
}

bool Parser::take_word(std::string_view word) {
  if (!peek_word(word)) return false;
  take();
  return true;
}

bool Parser::expect(std::string_view symbol, std::string_view where) {
  if (take_symbol(symbol)) return true;
  stop(peek(), "unexpected " + describe(peek()) + " in " + std::string(where) + ", expected \"" +
                   std::string(symbol) + "\"");
  return false;
}

std::nullptr_t Parser::stop(std::size_t begin, std::size_t end, std::string code,
                            std::string message, std::string hint) {
  if (!problem_) {
    problem_ = Problem{std::move(code), std::move(message), std::move(hint), begin, end};
  }
  return nullptr;
}

bool Parser::go_deeper() {
  if (++depth_ <= kMaxDepth) return true;
  stop(peek(), "expression is nested too deeply");
  return false;
}

std::nullptr_t Parser::stop(const Token& at, std::string message) {
  return stop(at.begin, std::max(at.end, at.begin + 1), "promql/syntax", std::move(message));
}

std::nullptr_t Parser::unexpected(const Token& token, std::string_view where) {
  const std::string context = where.empty() ? "" : " in " + std::string(where);
  return stop(token, "unexpected " + describe(token) + context);
}

std::optional<BinaryOp> Parser::peek_operator() const {
  const Token& token = peek();
  if (token.kind != TokenKind::Symbol && token.kind != TokenKind::Name) return std::nullopt;
  const std::string text = lower(token.text);
  for (int i = 0; i <= static_cast<int>(BinaryOp::Unless); ++i) {
    if (info_of(static_cast<BinaryOp>(i)).text == text) return static_cast<BinaryOp>(i);
  }
  return std::nullopt;
}

ExprPtr Parser::parse_binary(int min_precedence) {
  if (!go_deeper()) return nullptr;
  ExprPtr left = parse_unary();
  while (left) {
    const auto op = peek_operator();
    if (!op || info_of(*op).precedence < min_precedence) break;
    take();
    Binary binary;
    binary.op = *op;
    if (!parse_matching(binary)) return nullptr;
    // `^` is right associative; everything else groups to the left.
    const int precedence = info_of(*op).precedence;
    binary.right = parse_binary(*op == BinaryOp::Pow ? precedence : precedence + 1);
    if (!binary.right) return nullptr;
    const std::size_t begin = left->begin;
    binary.left = std::move(left);
    left = make(std::move(binary), begin);
  }
  --depth_;
  return left;
}

bool Parser::parse_matching(Binary& binary) {
  if (take_word("bool")) binary.return_bool = true;
  Matching& matching = binary.matching;
  if (info_of(binary.op).is_set) matching.cardinality = Cardinality::ManyToMany;
  if (!peek_word("on") && !peek_word("ignoring")) return true;
  matching.on = peek_word("on");
  take();
  if (!parse_labels(matching.labels)) return false;
  if (!peek_word("group_left") && !peek_word("group_right")) return true;
  const Token& side = take();
  if (info_of(binary.op).is_set) {
    stop(side,
         "no grouping allowed for \"" + std::string(info_of(binary.op).text) + "\" operation");
    return false;
  }
  matching.cardinality =
      lower(side.text) == "group_left" ? Cardinality::ManyToOne : Cardinality::OneToMany;
  if (peek().is("(") && !parse_labels(matching.include)) return false;
  if (!matching.on) return true;
  for (const std::string& label : matching.include) {
    for (const std::string& matched : matching.labels) {
      if (label != matched) continue;
      stop(side, "label \"" + label + "\" must not occur in ON and GROUP clause at once");
      return false;
    }
  }
  return true;
}

bool Parser::parse_labels(std::vector<std::string>& labels) {
  if (!expect("(", "grouping opts")) return false;
  while (!peek().is(")")) {
    const Token& token = take();
    if (token.kind == TokenKind::String && !token.string.empty() && is_valid_utf8(token.string)) {
      labels.push_back(token.string);
    } else if (token.kind == TokenKind::Name && is_legacy_label_name(token.text)) {
      labels.emplace_back(token.text);
    } else {
      unexpected(token, "grouping opts, expected label");
      return false;
    }
    if (!take_symbol(",") && !peek().is(")")) {
      unexpected(peek(), "grouping opts, expected \",\" or \")\"");
      return false;
    }
  }
  take();
  return true;
}

ExprPtr Parser::parse_unary() {
  if (!peek().is("+") && !peek().is("-")) return parse_postfix();
  const Token sign = take();
  const bool negative = sign.text == "-";
  const ExprPtr operand = parse_binary(kUnaryPrecedence);
  if (!operand) return nullptr;
  if (const auto* number = as<Number>(*operand)) {
    return make(Number{negative ? -number->value : number->value, number->is_duration}, sign.begin);
  }
  return make(Unary{negative, operand}, sign.begin);
}

ExprPtr Parser::parse_postfix() {
  ExprPtr expr = parse_primary();
  while (expr) {
    if (peek().is("[")) {
      expr = parse_range(expr);
    } else if (peek_word("offset")) {
      expr = parse_offset(expr);
    } else if (peek().is("@")) {
      expr = parse_at(expr);
    } else {
      break;
    }
  }
  return expr;
}

ExprPtr Parser::parse_primary() {
  const Token token = peek();
  switch (token.kind) {
    case TokenKind::Number:
    case TokenKind::Duration:
      take();
      return parse_number(token);
    case TokenKind::String:
      take();
      return make(String{token.string}, token.begin);
    case TokenKind::Name:
      return parse_name();
    default:
      break;
  }
  if (token.is("{")) return parse_selector("", token.begin);
  if (!token.is("(")) return unexpected(token, "");
  take();
  ExprPtr inner = parse_binary(1);
  if (!inner || !expect(")", "parentheses")) return nullptr;
  return make(Paren{std::move(inner)}, token.begin);
}

ExprPtr Parser::parse_number(const Token& token) {
  return make(Number{token.number, token.kind == TokenKind::Duration}, token.begin);
}

ExprPtr Parser::parse_name() {
  const Token name = take();
  const std::string word = lower(name.text);
  const bool call = peek().is("(");
  if (const auto op = aggregate_of(word);
      op && (call || ((peek_word("by") || peek_word("without")) && peek(1).is("(")))) {
    return parse_aggregate(name, *op);
  }
  if (call) return parse_call(name);
  if (word == "inf") return make(Number{std::numeric_limits<double>::infinity()}, name.begin);
  if (word == "nan") return make(Number{normal_nan()}, name.begin);
  return parse_selector(std::string(name.text), name.begin);
}

bool Parser::parse_arguments(std::vector<ExprPtr>& args) {
  if (!expect("(", "function call")) return false;
  while (!peek().is(")")) {
    ExprPtr arg = parse_binary(1);
    if (!arg) return false;
    args.push_back(std::move(arg));
    if (take_symbol(",")) {
      if (!peek().is(")")) continue;
      stop(peek(), "trailing commas not allowed in function call args");
      return false;
    }
    if (!peek().is(")")) {
      unexpected(peek(), "function call, expected \",\" or \")\"");
      return false;
    }
  }
  take();
  return true;
}

ExprPtr Parser::parse_call(const Token& name) {
  const Function* function = find_function(name.text);
  if (!function) {
    const std::string near = nearest_function(name.text);
    return stop(name.begin, name.end, "promql/unknown-function",
                "unknown function with name \"" + std::string(name.text) + "\"",
                near.empty() ? "" : "did you mean '" + near + "'?");
  }
  Call call;
  call.function = function;
  if (!parse_arguments(call.args)) return nullptr;
  return make(std::move(call), name.begin);
}

bool Parser::parse_grouping(Aggregate& aggregate) {
  if (!peek_word("by") && !peek_word("without")) return true;
  aggregate.without = peek_word("without");
  take();
  return parse_labels(aggregate.grouping);
}

ExprPtr Parser::parse_aggregate(const Token& name, AggregateOp op) {
  Aggregate aggregate;
  aggregate.op = op;
  const bool grouped_first = peek_word("by") || peek_word("without");
  if (!parse_grouping(aggregate)) return nullptr;
  std::vector<ExprPtr> args;
  if (!parse_arguments(args)) return nullptr;
  if (!grouped_first && !parse_grouping(aggregate)) return nullptr;
  const std::size_t wanted = takes_parameter(op) ? 2 : 1;
  if (args.empty()) {
    return stop(name, "no arguments for aggregate expression provided");
  }
  if (args.size() != wanted) {
    return stop(name, "wrong number of arguments for aggregate expression provided, expected " +
                          std::to_string(wanted) + ", got " + std::to_string(args.size()));
  }
  aggregate.expr = args.back();
  if (wanted == 2) aggregate.parameter = args.front();
  return make(std::move(aggregate), name.begin);
}

}  // namespace tocsin::promql

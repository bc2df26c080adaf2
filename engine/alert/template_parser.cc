// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "alert/template_tree.h"
#include "tocsin/sample.h"

namespace tocsin::alert {
namespace {

using BlockPtr = std::shared_ptr<const Template::Block>;

constexpr int kMaxDepth = 100;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// `text`, or what stands between {{ and }}.
struct Piece {
  bool is_action = false;
  std::string text;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<BlockPtr> run() {
    split();
    if (error_.empty()) {
      auto root = std::make_shared<Template::Block>(parse_block({}));
      if (error_.empty() && next_ < pieces_.size())
        stop("unexpected {{" + pieces_[next_].text + "}}");
      root->defined = std::move(defined_);
      if (error_.empty()) return BlockPtr(std::move(root));
    }
    return fail(ErrorCode::Parse, error_);
  }

 private:
  void stop(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }

  // ---- Text into pieces, with the trim markers `{{-` and `-}}` applied.

  void split() {
    std::string_view rest = text_;
    bool trim_next = false;
    for (;;) {
      const std::size_t open = rest.find("{{");
      std::string literal(rest.substr(0, open));
      const bool trim_before = open != std::string_view::npos && rest.size() > open + 3 &&
                               rest[open + 2] == '-' && is_space(rest[open + 3]);
      if (trim_next)
        literal.erase(0, std::min(literal.find_first_not_of(" \t\r\n"), literal.size()));
      if (trim_before) literal.erase(literal.find_last_not_of(" \t\r\n") + 1);
      if (!literal.empty()) pieces_.push_back({false, std::move(literal)});
      if (open == std::string_view::npos) return;
      rest.remove_prefix(open + 2 + (trim_before ? 1 : 0));
      const std::size_t close = action_end(rest);
      if (close == std::string_view::npos) return stop("unclosed action");
      std::string_view action = rest.substr(0, close);
      trim_next = action.size() >= 2 && action.back() == '-' && is_space(action[action.size() - 2]);
      if (trim_next) action.remove_suffix(1);
      pieces_.push_back({true, trimmed(action)});
      rest.remove_prefix(close + 2);
    }
  }

  static std::string trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return std::string(text);
  }

  // Where the `}}` stands that is in no string and no comment.
  static std::size_t action_end(std::string_view text) {
    char quoted = '\0';
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      const char c = text[i];
      if (quoted != '\0') {
        if (c == '\\' && quoted != '`') {
          ++i;
        } else if (c == quoted) {
          quoted = '\0';
        }
      } else if (c == '"' || c == '`' || c == '\'') {
        quoted = c;
      } else if (text.substr(i, 2) == "/*") {
        const std::size_t end = text.find("*/", i + 2);
        if (end == std::string_view::npos) return end;
        i = end + 1;
      } else if (text.substr(i, 2) == "}}") {
        return i;
      }
    }
    return std::string_view::npos;
  }

  // ---- Pieces into statements.

  // The first word of an action: its keyword, if it has one.
  static std::string keyword_of(const std::string& action) {
    std::size_t end = 0;
    while (end < action.size() && is_name(action[end])) ++end;
    return action.substr(0, end);
  }

  static std::string after_keyword(const std::string& action) {
    return trimmed(std::string_view(action).substr(keyword_of(action).size()));
  }

  // Reads statements up to one of `closers`, which is left unread.
  Template::Block parse_block(const std::set<std::string>& closers) {
    Template::Block block;
    if (++depth_ > kMaxDepth) stop("template is nested too deeply");
    while (error_.empty() && next_ < pieces_.size()) {
      const Piece& piece = pieces_[next_];
      if (!piece.is_action) {
        block.statements.push_back({Statement::Kind::Text, piece.text, {}, nullptr, nullptr});
        ++next_;
        continue;
      }
      if (closers.count(keyword_of(piece.text)) > 0) break;
      ++next_;
      if (piece.text.empty()) {
        stop("missing value for command");
      } else if (!piece.text.starts_with("/*")) {
        parse_action(piece.text, block);
      }
    }
    --depth_;
    if (error_.empty() && !closers.empty() && next_ == pieces_.size()) stop("unexpected EOF");
    return block;
  }

  void parse_action(const std::string& action, Template::Block& block) {
    const std::string keyword = keyword_of(action);
    if (keyword == "if") return parse_control(Statement::Kind::If, action, block);
    if (keyword == "range") return parse_control(Statement::Kind::Range, action, block);
    if (keyword == "with") return parse_control(Statement::Kind::With, action, block);
    if (keyword == "define" || keyword == "block") return parse_define(keyword, action, block);
    if (keyword == "template") return add_call(after_keyword(action), block);
    if (keyword == "break" || keyword == "continue") {
      const bool stops = keyword == "break";
      Statement statement;
      statement.kind = stops ? Statement::Kind::Break : Statement::Kind::Continue;
      block.statements.push_back(std::move(statement));
      return;
    }
    if (keyword == "end" || keyword == "else") return stop("unexpected {{" + keyword + "}}");
    Statement statement;
    statement.kind = Statement::Kind::Action;
    statement.pipeline = parse_pipeline(action);
    block.statements.push_back(std::move(statement));
  }

  void parse_control(Statement::Kind kind, const std::string& action, Template::Block& block) {
    Statement statement;
    statement.kind = kind;
    statement.text = action;
    const std::size_t outer = variables_.size();
    statement.pipeline = parse_pipeline(after_keyword(action));
    statement.body = std::make_shared<Template::Block>(parse_block({"else", "end"}));
    if (error_.empty() && keyword_of(pieces_[next_].text) == "else") {
      const std::string rest = after_keyword(pieces_[next_++].text);
      statement.otherwise = std::make_shared<Template::Block>(parse_else(rest));
    } else if (error_.empty()) {
      ++next_;
    }
    variables_.resize(outer);
    block.statements.push_back(std::move(statement));
  }

  // What follows `{{else`: another condition, or the rest up to `{{end}}`.
  Template::Block parse_else(const std::string& rest) {
    Template::Block block;
    if (keyword_of(rest) == "if") {
      parse_control(Statement::Kind::If, rest, block);
    } else if (keyword_of(rest) == "with") {
      parse_control(Statement::Kind::With, rest, block);
    } else {
      block = parse_block({"end"});
      ++next_;
    }
    return block;
  }

  void parse_define(const std::string& keyword, const std::string& action, Template::Block& block) {
    const std::string rest = after_keyword(action);
    const auto name = leading_string(rest);
    if (!name) return stop("missing name of the template to define");
    auto body = std::make_shared<Template::Block>(parse_block({"end"}));
    ++next_;
    defined_[name->first] = std::move(body);
    if (keyword == "block") add_call(rest, block);
  }

  void add_call(const std::string& rest, Template::Block& block) {
    const auto name = leading_string(rest);
    if (!name) return stop("missing name of the template to call");
    Statement statement;
    statement.kind = Statement::Kind::Call;
    statement.text = name->first;
    const std::string argument = trimmed(std::string_view(rest).substr(name->second));
    if (!argument.empty()) statement.pipeline = parse_pipeline(argument);
    block.statements.push_back(std::move(statement));
  }

  static std::optional<std::pair<std::string, std::size_t>> leading_string(
      const std::string& text) {
    if (text.empty() || text.front() != '"') return std::nullopt;
    const std::size_t end = text.find('"', 1);
    if (end == std::string::npos) return std::nullopt;
    return std::pair(text.substr(1, end - 1), end + 1);
  }

  // ---- An action's text into a pipeline.

  Pipeline parse_pipeline(const std::string& text) {
    action_ = text;
    at_ = 0;
    Pipeline pipeline = pipeline_until_end();
    if (error_.empty() && at_ < action_.size()) {
      stop("unexpected " + quote(action_.substr(at_, 1)) + " in {{" + action_ + "}}");
    }
    return pipeline;
  }

  void skip_space() {
    while (at_ < action_.size() && is_space(action_[at_])) ++at_;
  }

  bool take(std::string_view token) {
    skip_space();
    if (std::string_view(action_).substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  Pipeline pipeline_until_end() {
    Pipeline pipeline;
    read_declaration(pipeline);
    do {
      Command command;
      while (error_.empty() && starts_operand()) command.operands.push_back(parse_operand());
      if (error_.empty() && command.operands.empty()) stop("missing value for command");
      pipeline.commands.push_back(std::move(command));
    } while (error_.empty() && take("|"));
    for (const std::string& name : pipeline.variables) {
      if (pipeline.declares) {
        variables_.push_back(name);
      } else {
        check_variable(name);
      }
    }
    return pipeline;
  }

  void check_variable(const std::string& name) {
    static const std::set<std::string> kGiven{"$", "$labels", "$externalLabels", "$externalURL",
                                              "$value"};
    if (kGiven.count(name) > 0) return;
    if (std::find(variables_.begin(), variables_.end(), name) != variables_.end()) return;
    stop("undefined variable " + quote(name));
  }

  // `$x :=`, `$x =`, `$i, $x :=`; moves back when it is none.
  void read_declaration(Pipeline& pipeline) {
    const std::size_t start = at_;
    std::vector<std::string> names;
    do {
      skip_space();
      if (at_ >= action_.size() || action_[at_] != '$') break;
      const std::size_t begin = at_++;
      while (at_ < action_.size() && is_name(action_[at_])) ++at_;
      names.push_back(action_.substr(begin, at_ - begin));
    } while (take(","));
    const bool declares = !names.empty() && take(":=");
    if (!declares && (names.size() != 1 || !take("="))) {
      at_ = start;
      return;
    }
    pipeline.variables = std::move(names);
    pipeline.declares = declares;
  }

  bool starts_operand() {
    skip_space();
    return at_ < action_.size() && action_[at_] != '|' && action_[at_] != ')';
  }

  Operand parse_operand() {
    skip_space();
    Operand operand;
    const char c = action_[at_];
    if (c == '(') {
      ++at_;
      operand.kind = Operand::Kind::Pipeline;
      operand.pipeline = std::make_shared<Pipeline>(pipeline_until_end());
      if (!take(")")) stop("unclosed left paren");
    } else if (c == '"' || c == '`' || c == '\'') {
      operand.kind = Operand::Kind::Literal;
      operand.literal = parse_string(c);
    } else if (c == '$') {
      const std::size_t begin = at_++;
      while (at_ < action_.size() && is_name(action_[at_])) ++at_;
      operand.kind = Operand::Kind::Variable;
      operand.name = action_.substr(begin, at_ - begin);
      check_variable(operand.name);
    } else if (c == '.' && (at_ + 1 >= action_.size() ||
                            !std::isdigit(static_cast<unsigned char>(action_[at_ + 1])))) {
      operand.kind = Operand::Kind::Dot;
      if (at_ + 1 >= action_.size() || !is_name(action_[at_ + 1])) ++at_;
    } else {
      parse_word(operand);
    }
    while (error_.empty() && at_ + 1 < action_.size() && action_[at_] == '.' &&
           is_name(action_[at_ + 1])) {
      const std::size_t begin = ++at_;
      while (at_ < action_.size() && is_name(action_[at_])) ++at_;
      operand.fields.push_back(action_.substr(begin, at_ - begin));
    }
    return operand;
  }

  // A number, true, false, nil or a function's name.
  void parse_word(Operand& operand) {
    const std::size_t begin = at_;
    while (at_ < action_.size() && !is_space(action_[at_]) && action_[at_] != ')' &&
           action_[at_] != '|' && action_[at_] != '(') {
      ++at_;
    }
    const std::string word = action_.substr(begin, at_ - begin);
    operand.kind = Operand::Kind::Literal;
    if (word == "true" || word == "false") {
      operand.literal = word == "true";
    } else if (word == "nil") {
      operand.literal = TemplateValue();
    } else if (const auto number = parse_number(word)) {
      const bool integer = word.find_first_not_of("+-0123456789") == std::string::npos;
      if (integer && std::abs(*number) < 9e18) {
        operand.literal = static_cast<std::int64_t>(*number);
      } else {
        operand.literal = *number;
      }
    } else if (find_template_function(word) != nullptr) {
      operand.kind = Operand::Kind::Function;
      operand.name = word;
    } else if (!word.empty() && std::all_of(word.begin(), word.end(), is_name)) {
      stop("function " + quote(word) + " not defined");
    } else {
      at_ = std::max(at_, begin + 1);
      stop("unexpected " + quote(word.empty() ? action_.substr(begin, 1) : word) + " in operand");
    }
  }

  std::string parse_string(char delimiter) {
    std::string out;
    for (++at_; at_ < action_.size() && action_[at_] != delimiter; ++at_) {
      if (action_[at_] != '\\' || delimiter == '`') {
        out += action_[at_];
        continue;
      }
      if (++at_ == action_.size()) break;
      const char c = action_[at_];
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    if (at_ >= action_.size()) {
      stop("unterminated quoted string");
    } else {
      ++at_;
    }
    return out;
  }

  std::string_view text_;
  std::vector<Piece> pieces_;
  std::size_t next_ = 0;
  int depth_ = 0;
  std::string action_;
  std::size_t at_ = 0;
  std::vector<std::string> variables_;  // Declared so far, in scope.
  std::map<std::string, BlockPtr> defined_;
  std::string error_;
};

}  // namespace

Result<BlockPtr> parse_template(std::string_view text) { return Parser(text).run(); }

}  // namespace tocsin::alert

// SPDX-License-Identifier: Apache-2.0
#include "alert/template.h"

#include <algorithm>

#include "alert/message_template.h"
#include "alert/template_tree.h"

namespace tocsin::alert {
namespace {

constexpr int kMaxCalls = 100;             // Of templates that call each other.
constexpr std::size_t kMaxText = 1 << 20;  // Bytes that one template may write.

// Executes one template once.
class Execution {
 public:
  Execution(const Template::Block& root, const TemplateData& data)
      : root_(root), context_{data}, data_(data) {}

  Result<std::string> run() {
    ValueMap dot;
    dot.emplace("Labels", to_map(data_.labels));
    dot.emplace("ExternalLabels", StringMap(data_.external_labels));
    dot.emplace("ExternalURL", data_.external_url);
    dot.emplace("Value", data_.value);
    if (data_.span) {
      dot.emplace("From", std::to_string(to_millis(data_.span->first)));
      dot.emplace("To", std::to_string(to_millis(data_.span->second)));
    }
    TemplateValue start = make_map(std::move(dot));
    variables_ = {{"$", start},
                  {"$labels", to_map(data_.labels)},
                  {"$externalLabels", StringMap(data_.external_labels)},
                  {"$externalURL", data_.external_url},
                  {"$value", data_.value}};
    return run_from(start);
  }

  Result<std::string> run_over(const TemplateValue& dot) {
    variables_ = {{"$", dot}};
    return run_from(dot);
  }

 private:
  enum class Flow { Next, Break, Continue };

  Result<std::string> run_from(const TemplateValue& start) {
    run_block(root_, start);
    if (error_) return fail(*error_);
    return std::move(out_);
  }

  void stop(Error error) {
    if (!error_) error_ = std::move(error);
  }

  Flow run_block(const Template::Block& block, const TemplateValue& dot) {
    for (const Statement& statement : block.statements) {
      const Flow flow = run_statement(statement, dot);
      if (error_ || flow != Flow::Next) return flow;
    }
    return Flow::Next;
  }

  Flow run_statement(const Statement& statement, const TemplateValue& dot) {
    switch (statement.kind) {
      case Statement::Kind::Text:
        write(statement.text);
        return Flow::Next;
      case Statement::Kind::Break:
        return Flow::Break;
      case Statement::Kind::Continue:
        return Flow::Continue;
      case Statement::Kind::Call:
        call(statement, dot);
        return Flow::Next;
      case Statement::Kind::Action: {
        const TemplateValue value = evaluate(statement.pipeline, dot);
        if (statement.pipeline.variables.empty() && !error_) write(text_of(value));
        return Flow::Next;
      }
      default:
        return run_control(statement, dot);
    }
  }

  void write(const std::string& text) {
    out_ += text;
    if (out_.size() > kMaxText) stop({ErrorCode::Limit, "the text is too long"});
  }

  Flow run_control(const Statement& statement, const TemplateValue& dot) {
    const std::size_t outer = variables_.size();
    const TemplateValue value = evaluate(statement.pipeline, dot);
    Flow flow = Flow::Next;
    if (error_) return flow;
    if (data_.on_condition) data_.on_condition(statement.text, is_true(value));
    if (statement.kind == Statement::Kind::Range) {
      run_range(statement, value, dot);
    } else if (is_true(value)) {
      const bool with = statement.kind == Statement::Kind::With;
      flow = run_block(*statement.body, with ? value : dot);
    } else if (statement.otherwise) {
      flow = run_block(*statement.otherwise, dot);
    }
    variables_.resize(outer);
    return flow;
  }

  // What `range` goes over: keys and values.
  static std::vector<std::pair<TemplateValue, TemplateValue>> items_of(const TemplateValue& value) {
    std::vector<std::pair<TemplateValue, TemplateValue>> out;
    if (const ValueList* list = value.list()) {
      std::int64_t i = 0;
      for (const TemplateValue& item : *list) out.emplace_back(i++, item);
    } else if (const auto* labels = value.as<StringMap>()) {
      for (const auto& [name, text] : *labels) out.emplace_back(name, text);
    } else if (const ValueMap* map = value.map()) {
      for (const auto& [name, item] : *map) out.emplace_back(name, item);
    }
    return out;
  }

  void run_range(const Statement& statement, const TemplateValue& value, const TemplateValue& dot) {
    const auto items = items_of(value);
    if (items.empty() && statement.otherwise) run_block(*statement.otherwise, dot);
    const auto& names = statement.pipeline.variables;
    for (const auto& [key, item] : items) {
      if (names.size() == 1) assign(names[0], item, true);
      if (names.size() == 2) {
        assign(names[0], key, true);
        assign(names[1], item, true);
      }
      if (run_block(*statement.body, item) == Flow::Break || error_) return;
    }
  }

  void call(const Statement& statement, const TemplateValue& dot) {
    const auto it = root_.defined.find(statement.text);
    if (it == root_.defined.end()) {
      return stop({ErrorCode::Execution, "template " + quote(statement.text) + " not defined"});
    }
    if (++calls_ > kMaxCalls) return stop({ErrorCode::Limit, "templates call each other forever"});
    const TemplateValue argument =
        statement.pipeline.commands.empty() ? dot : evaluate(statement.pipeline, dot);
    if (!error_) run_block(*it->second, argument);
    --calls_;
  }

  void assign(const std::string& name, TemplateValue value, bool declare) {
    if (!declare) {
      for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
        if (it->first != name) continue;
        it->second = std::move(value);
        return;
      }
    }
    variables_.emplace_back(name, std::move(value));
  }

  TemplateValue evaluate(const Pipeline& pipeline, const TemplateValue& dot) {
    TemplateValue value;
    bool first = true;
    for (const Command& command : pipeline.commands) {
      value = evaluate(command, dot, first ? nullptr : &value);
      if (error_) return {};
      first = false;
    }
    if (pipeline.variables.size() == 1) assign(pipeline.variables[0], value, pipeline.declares);
    return value;
  }

  TemplateValue evaluate(const Command& command, const TemplateValue& dot,
                         const TemplateValue* piped) {
    const Operand& head = command.operands.front();
    if (head.kind != Operand::Kind::Function) {
      if (command.operands.size() > 1 || piped) {
        stop({ErrorCode::Execution, "can't give argument to non-function"});
        return {};
      }
      return evaluate(head, dot);
    }
    ValueList args;
    for (std::size_t i = 1; i < command.operands.size() && !error_; ++i) {
      args.push_back(evaluate(command.operands[i], dot));
    }
    if (piped) args.push_back(*piped);
    return error_ ? TemplateValue() : invoke(head.name, args);
  }

  TemplateValue invoke(const std::string& name, const ValueList& args) {
    auto value = find_template_function(name)(context_, args);
    if (value) return std::move(*value);
    stop(value.error().in("error calling " + name));
    return {};
  }

  TemplateValue evaluate(const Operand& operand, const TemplateValue& dot) {
    TemplateValue value;
    switch (operand.kind) {
      case Operand::Kind::Dot:
        value = dot;
        break;
      case Operand::Kind::Literal:
        value = operand.literal;
        break;
      case Operand::Kind::Pipeline:
        value = evaluate(*operand.pipeline, dot);
        break;
      case Operand::Kind::Function:
        value = invoke(operand.name, {});
        break;
      case Operand::Kind::Variable:
        for (const auto& [name, held] : variables_) {
          if (name == operand.name) value = held;
        }
    }
    for (const std::string& field : operand.fields) {
      if (error_) return {};
      auto next = field_of(value, field);
      if (!next) {
        stop(next.error());
        return {};
      }
      value = std::move(*next);
    }
    return value;
  }

  const Template::Block& root_;
  TemplateContext context_;
  const TemplateData& data_;
  std::vector<std::pair<std::string, TemplateValue>> variables_;
  int calls_ = 0;
  std::string out_;
  std::optional<Error> error_;
};

void collect_conditions(const Template::Block& block, std::vector<std::string>& out) {
  for (const Statement& statement : block.statements) {
    if (!statement.body) continue;
    if (std::find(out.begin(), out.end(), statement.text) == out.end()) {
      out.push_back(statement.text);
    }
    collect_conditions(*statement.body, out);
    if (statement.otherwise) collect_conditions(*statement.otherwise, out);
  }
  for (const auto& [name, defined] : block.defined) collect_conditions(*defined, out);
}

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  auto root = parse_template(text);
  if (!root) return fail(root.error());
  return Template(std::move(*root));
}

Result<std::string> Template::execute(const TemplateData& data) const {
  return Execution(*root_, data).run();
}

std::vector<std::string> Template::conditions() const {
  std::vector<std::string> out;
  collect_conditions(*root_, out);
  return out;
}

std::string Template::expand(const TemplateData& data) const {
  auto text = execute(data);
  if (text) return std::move(*text);
  return "<error expanding template: " + text.error().message + ">";
}

Result<std::string> expand_over(std::string_view text, const TemplateValue& dot) {
  const auto root = parse_template(text);
  if (!root) return fail(root.error());
  const TemplateData nothing;
  return Execution(**root, nothing).run_over(dot);
}

rule::TemplateReport read_template(std::string_view text) {
  const auto root = parse_template(text);
  if (!root) return {root.error().message, {}};
  return {std::nullopt, labels_asked_for(**root)};
}

}  // namespace tocsin::alert

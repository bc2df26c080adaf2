// SPDX-License-Identifier: Apache-2.0
//
// The labels of its alert that a template asks for, without executing it.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alert/template_tree.h"

namespace tocsin::alert {
namespace {

// What a value is, as far as it leads to a label.
enum class Holds { Data, Labels, Other };

class LabelReader {
 public:
  explicit LabelReader(const Template::Block& root) : root_(root) {}

  std::set<std::string> run() {
    variables_ = {{"$", Holds::Data}, {"$labels", Holds::Labels}};
    read_block(root_, Holds::Data);
    return std::move(labels_);
  }

 private:
  void read_block(const Template::Block& block, Holds dot) {
    for (const Statement& statement : block.statements) read_statement(statement, dot);
  }

  void read_statement(const Statement& statement, Holds dot) {
    switch (statement.kind) {
      case Statement::Kind::Text:
      case Statement::Kind::Break:
      case Statement::Kind::Continue:
        return;
      case Statement::Kind::Action:
        read(statement.pipeline, dot);
        return;
      case Statement::Kind::Call:
        return read_call(statement, dot);
      default:
        return read_control(statement, dot);
    }
  }

  void read_control(const Statement& statement, Holds dot) {
    const std::size_t outer = variables_.size();
    const bool is_range = statement.kind == Statement::Kind::Range;
    const Holds value = read(statement.pipeline, dot);
    // What `range` goes over are elements of a query, or texts.
    Holds inner = dot;
    if (is_range) inner = Holds::Other;
    if (statement.kind == Statement::Kind::With) inner = value;
    if (is_range) {
      for (const std::string& name : statement.pipeline.variables) {
        variables_.emplace_back(name, Holds::Other);
      }
    }
    read_block(*statement.body, inner);
    if (statement.otherwise) read_block(*statement.otherwise, dot);
    variables_.resize(outer);
  }

  void read_call(const Statement& statement, Holds dot) {
    const Holds argument =
        statement.pipeline.commands.empty() ? dot : read(statement.pipeline, dot);
    const auto it = root_.defined.find(statement.text);
    // Once with each: templates may call themselves.
    if (it == root_.defined.end() || !called_.emplace(statement.text, argument).second) return;
    read_block(*it->second, argument);
  }

  Holds read(const Pipeline& pipeline, Holds dot) {
    Holds value = Holds::Other;
    for (const Command& command : pipeline.commands) value = read(command, dot);
    if (pipeline.variables.size() == 1) variables_.emplace_back(pipeline.variables[0], value);
    return value;
  }

  Holds read(const Command& command, Holds dot) {
    const auto& operands = command.operands;
    std::vector<Holds> values;
    for (const Operand& operand : operands) values.push_back(read(operand, dot));
    if (operands.front().kind != Operand::Kind::Function) return values.front();
    // {{ index $labels "pod" }}
    if (operands.front().name == "index" && operands.size() == 3 && values[1] == Holds::Labels) {
      if (const auto* name = operands[2].literal.as<std::string>()) labels_.insert(*name);
    }
    return Holds::Other;
  }

  Holds read(const Operand& operand, Holds dot) {
    Holds value = Holds::Other;
    if (operand.kind == Operand::Kind::Dot) value = dot;
    if (operand.kind == Operand::Kind::Pipeline) value = read(*operand.pipeline, dot);
    if (operand.kind == Operand::Kind::Variable) value = variable(operand.name);
    for (const std::string& field : operand.fields) {
      if (value == Holds::Labels) labels_.insert(field);
      value = value == Holds::Data && field == "Labels" ? Holds::Labels : Holds::Other;
    }
    return value;
  }

  Holds variable(const std::string& name) const {
    const auto it = std::find_if(variables_.rbegin(), variables_.rend(),
                                 [&](const auto& variable) { return variable.first == name; });
    return it == variables_.rend() ? Holds::Other : it->second;
  }

  const Template::Block& root_;
  std::vector<std::pair<std::string, Holds>> variables_;  // In scope; the last of a name counts.
  std::set<std::pair<std::string, Holds>> called_;
  std::set<std::string> labels_;
};

}  // namespace

std::set<std::string> labels_asked_for(const Template::Block& root) {
  return LabelReader(root).run();
}

}  // namespace tocsin::alert

// SPDX-License-Identifier: Apache-2.0
//
// The parsed form of a template.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "alert/template.h"
#include "alert/template_value.h"

namespace tocsin::alert {

struct Pipeline;

// `.`, `$x`, `.Labels.pod`, `$labels.pod`, a literal, `( … ).Field`, or a function's name.
struct Operand {
  enum class Kind { Dot, Variable, Literal, Pipeline, Function };
  Kind kind = Kind::Dot;
  std::string name;  // Of a variable (with its $) or function.
  TemplateValue literal;
  std::shared_ptr<const Pipeline> pipeline;
  std::vector<std::string> fields;  // What follows: `.a.b`.
};

// A function and its arguments, or a lone value.
struct Command {
  std::vector<Operand> operands;
};

struct Pipeline {
  std::vector<std::string> variables;  // `$x :=`, `$i, $x := range`.
  bool declares = false;               // `:=`; otherwise `=`.
  std::vector<Command> commands;       // Each gets the one before's value as its last argument.
};

struct Statement {
  enum class Kind { Text, Action, If, Range, With, Call, Break, Continue };
  Kind kind = Kind::Text;
  // Of Text; the template's name of Call; of If, Range and With what stands there: `if eq $x 1`.
  std::string text;
  Pipeline pipeline;
  std::shared_ptr<const Template::Block> body;
  std::shared_ptr<const Template::Block> otherwise;
};

struct Template::Block {
  std::vector<Statement> statements;
  // The named templates; on the root only.
  std::map<std::string, std::shared_ptr<const Block>> defined;
};

Result<std::shared_ptr<const Template::Block>> parse_template(std::string_view text);

// The labels of its alert that the template asks for, as `$labels.pod` or in another way.
std::set<std::string> labels_asked_for(const Template::Block& root);

// A function that templates can call. Arguments are as they come.
struct TemplateContext {
  const TemplateData& data;
};
using TemplateFunction = Result<TemplateValue> (*)(const TemplateContext& context,
                                                   const ValueList& args);
// Null if there is none of that name.
TemplateFunction find_template_function(std::string_view name);

}  // namespace tocsin::alert

// SPDX-License-Identifier: Apache-2.0
//
// The templates of labels and annotations: Go's text/template with Prometheus' functions, as far as
// an alert can use them. A template is parsed once, when its rule is loaded, and executed for each
// alert. Pure; queries go through the function that the caller hands in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/promql.h"
#include "tocsin/result.h"
#include "tocsin/rule_set.h"

namespace tocsin::alert {

// What a template may look at.
struct TemplateData {
  Labels labels;  // Of the expression's result; the rule's own are not among them.
  std::map<std::string, std::string> external_labels;
  std::string external_url;
  double value = 0;
  Timestamp at{};
  // Answers the template function `query`; null where there is nobody to ask.
  std::function<Result<promql::Vector>(std::string_view expr)> query;
  // Hears of every `if`, `with` and `range` that is come to, as Template::conditions() writes it,
  // and whether its body runs; may be null.
  std::function<void(const std::string& condition, bool taken)> on_condition;
  // `.From` and `.To`, in Unix milliseconds, where there is a time to look at: in links.
  std::optional<std::pair<Timestamp, Timestamp>> span;
};

class Template {
 public:
  struct Block;  // The parsed form; template_parser.h.

  // Fails with Parse, with a message in Go's words, on bad syntax, on a function that does not
  // exist and on a variable that was not declared.
  static Result<Template> parse(std::string_view text);

  // Fails with Execution when the data does not fit what the template does with it.
  Result<std::string> execute(const TemplateData& data) const;

  // `if eq $labels.tls "true"`, `range query "up"`: in the order of the text, each text once.
  std::vector<std::string> conditions() const;

  // As execute(), with the error in the text: an alert with a flaw in it beats none.
  std::string expand(const TemplateData& data) const;

 private:
  explicit Template(std::shared_ptr<const Block> root) : root_(std::move(root)) {}
  std::shared_ptr<const Block> root_;
};

// What is wrong with the text of a template, and what it asks for. For rule::LoadOptions.
rule::TemplateReport read_template(std::string_view text);

}  // namespace tocsin::alert

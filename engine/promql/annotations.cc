// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "promql/ast.h"

namespace tocsin::promql {
namespace {

void add(std::vector<Annotation>& list, std::string message, const Expr& about) {
  Annotation annotation{std::move(message), about.begin, about.end};
  if (std::find(list.begin(), list.end(), annotation) == list.end()) {
    list.push_back(std::move(annotation));
  }
}

}  // namespace

void Annotations::warn(std::string message, const Expr& about) {
  add(warnings, "PromQL warning: " + std::move(message), about);
}

void Annotations::inform(std::string message, const Expr& about) {
  add(infos, "PromQL info: " + std::move(message), about);
}

std::string text_of(const Annotation& annotation, std::string_view query) {
  if (annotation.end == 0 || annotation.begin >= query.size()) return annotation.message;
  const std::string_view before = query.substr(0, annotation.begin);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // 0 where there is none.
  return annotation.message + " (" + std::to_string(line) + ":" +
         std::to_string(annotation.begin - line_begin + 1) + ")";
}

}  // namespace tocsin::promql

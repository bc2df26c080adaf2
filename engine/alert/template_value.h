// SPDX-License-Identifier: Apache-2.0
//
// The values that templates compute with: a small, untyped world like Go's `any`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::alert {

struct TemplateValue;

using StringMap = std::map<std::string, std::string>;
using ValueMap = std::map<std::string, TemplateValue>;
using ValueList = std::vector<TemplateValue>;

// One element of what `query` returns.
struct QuerySample {
  StringMap labels;
  double value = 0;
};

struct TemplateValue {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, StringMap, QuerySample,
               std::shared_ptr<const ValueList>, std::shared_ptr<const ValueMap>>
      data;

  TemplateValue() = default;
  template <class T>
  TemplateValue(T value) : data(std::move(value)) {}            // NOLINT: implicit on purpose.
  TemplateValue(const char* text) : data(std::string(text)) {}  // NOLINT

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  const ValueList* list() const;
  const ValueMap* map() const;
};

// Go's notion of truth: not zero, not empty.
bool is_true(const TemplateValue& value);
// As `{{ value }}` prints it.
std::string text_of(const TemplateValue& value);
// A number, or a text that is one; what Prometheus' convertToFloat takes.
Result<double> number_of(const TemplateValue& value);
// `.name` of a value. A map without the key has the empty value of its kind.
Result<TemplateValue> field_of(const TemplateValue& value, const std::string& name);

TemplateValue make_list(ValueList items);
TemplateValue make_map(ValueMap items);
StringMap to_map(const Labels& labels);

}  // namespace tocsin::alert

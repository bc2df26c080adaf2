// SPDX-License-Identifier: Apache-2.0
#include "alert/template_value.h"

#include <optional>

#include "tocsin/sample.h"

namespace tocsin::alert {
namespace {

std::string map_text(const StringMap& map) {
  std::string out = "map[";
  for (const auto& [name, value] : map) {
    if (out.size() > 4) out += ' ';
    out += name + ":" + value;
  }
  return out + "]";
}

struct Truth {
  bool operator()(std::monostate) const { return false; }
  bool operator()(bool v) const { return v; }
  bool operator()(std::int64_t v) const { return v != 0; }
  bool operator()(double v) const { return v != 0; }
  bool operator()(const std::string& v) const { return !v.empty(); }
  bool operator()(const StringMap& v) const { return !v.empty(); }
  bool operator()(const QuerySample&) const { return true; }
  bool operator()(const std::shared_ptr<const ValueList>& v) const { return !v->empty(); }
  bool operator()(const std::shared_ptr<const ValueMap>& v) const { return !v->empty(); }
};

struct Print {
  std::string operator()(std::monostate) const { return "<no value>"; }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return format_number(v); }
  std::string operator()(const std::string& v) const { return v; }
  std::string operator()(const StringMap& v) const { return map_text(v); }
  std::string operator()(const QuerySample& v) const {
    return "{" + map_text(v.labels) + " " + format_number(v.value) + "}";
  }
  std::string operator()(const std::shared_ptr<const ValueList>& v) const {
    std::string out = "[";
    for (const TemplateValue& item : *v) {
      if (out.size() > 1) out += ' ';
      out += text_of(item);
    }
    return out + "]";
  }
  std::string operator()(const std::shared_ptr<const ValueMap>& v) const {
    std::string out = "map[";
    for (const auto& [name, value] : *v) {
      if (out.size() > 4) out += ' ';
      out += name + ":" + text_of(value);
    }
    return out + "]";
  }
};

}  // namespace

const ValueList* TemplateValue::list() const {
  const auto* held = as<std::shared_ptr<const ValueList>>();
  return held ? held->get() : nullptr;
}

const ValueMap* TemplateValue::map() const {
  const auto* held = as<std::shared_ptr<const ValueMap>>();
  return held ? held->get() : nullptr;
}

bool is_true(const TemplateValue& value) { return std::visit(Truth{}, value.data); }
std::string text_of(const TemplateValue& value) { return std::visit(Print{}, value.data); }

Result<double> number_of(const TemplateValue& value) {
  if (const auto* v = value.as<double>()) return *v;
  if (const auto* v = value.as<std::int64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.as<std::string>()) {
    if (const auto number = parse_number(*v)) return *number;
    return fail(ErrorCode::Execution,
                "strconv.ParseFloat: parsing " + quote(*v) + ": invalid syntax");
  }
  return fail(ErrorCode::Execution, "can't convert " + text_of(value) + " to float");
}

namespace {

// Alertmanager's `.Alerts.Firing` and `.Alerts.Resolved`.
std::optional<TemplateValue> alerts_that(const TemplateValue& value, const std::string& name) {
  const ValueList* list = value.list();
  if (!list || (name != "Firing" && name != "Resolved")) return std::nullopt;
  ValueList out;
  for (const TemplateValue& item : *list) {
    const ValueMap* alert = item.map();
    const auto status = alert ? alert->find("Status") : ValueMap::const_iterator();
    if (!alert || status == alert->end()) return std::nullopt;
    const bool fires = text_of(status->second) == "firing";
    if (fires == (name == "Firing")) out.push_back(item);
  }
  return make_list(std::move(out));
}

}  // namespace

Result<TemplateValue> field_of(const TemplateValue& value, const std::string& name) {
  if (const auto* labels = value.as<StringMap>()) {
    const auto it = labels->find(name);
    return TemplateValue(it == labels->end() ? std::string() : it->second);
  }
  if (const auto* sample = value.as<QuerySample>()) {
    if (name == "Labels") return TemplateValue(sample->labels);
    if (name == "Value") return TemplateValue(sample->value);
  }
  if (auto alerts = alerts_that(value, name)) return std::move(*alerts);
  if (const ValueMap* map = value.map()) {
    const auto it = map->find(name);
    if (it != map->end()) return it->second;
    if (!map->empty() && map->begin()->first.starts_with("arg")) return TemplateValue();
  }
  return fail(ErrorCode::Execution, "can't evaluate field " + name + " in " + text_of(value));
}

TemplateValue make_list(ValueList items) {
  return std::make_shared<const ValueList>(std::move(items));
}
TemplateValue make_map(ValueMap items) {
  return std::make_shared<const ValueMap>(std::move(items));
}

StringMap to_map(const Labels& labels) {
  StringMap out;
  for (const LabelView& label : labels) out.emplace(label.name, label.value);
  return out;
}

}  // namespace tocsin::alert

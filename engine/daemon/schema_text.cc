// SPDX-License-Identifier: Apache-2.0
#include "daemon/schema_text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace tocsin::daemon {
namespace json = boost::json;
namespace {

using yaml::Schema;
using yaml::Shape;

constexpr std::string_view kDuration = "^(0|([0-9]+(y|w|d|h|ms|m|s))+)$";

// ---- JSON, with one member a line.

void write(const json::value& value, std::size_t depth, std::string& out) {
  const std::string indent(2 * depth + 2, ' ');
  const auto* object = value.if_object();
  if (object == nullptr || object->empty()) {
    out += json::serialize(value);
    return;
  }
  out += "{";
  for (bool first = true; const auto& member : *object) {
    out += (first ? "\n" : ",\n") + indent + json::serialize(json::value(member.key())) + ": ";
    write(member.value(), depth + 1, out);
    first = false;
  }
  out += "\n" + std::string(2 * depth, ' ') + "}";
}

class JsonSchema {
 public:
  explicit JsonSchema(const SchemaText& text) : text_(text) {}

  json::object of_root(const Schema& root) {
    if (!text_.may_be_kubernetes_object) return of_object(root);
    root_ = "#/else";
    const json::object of_kubernetes{{"properties", {{"spec", {{"$ref", root_}}}}}};
    const json::object of_list{
        {"items",
         {{"if", {{"properties", {{"kind", {{"const", "PrometheusRule"}}}}}}},
          {"then", of_kubernetes}}}};
    return {{"if", {{"required", json::array{"kind"}}}},
            {"then", {{"properties", {{"spec", {{"$ref", root_}}}, {"items", of_list}}}}},
            {"else", of_object(root)}};
  }

 private:
  json::object of_object(const Schema& schema) {
    json::object properties;
    json::array required;
    for (const auto& property : schema.properties) {
      properties[property->key] = of_property(*property);
      if (property->required) required.emplace_back(property->key);
    }
    json::object out{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    json::array all;
    for (const auto& keys : schema.one_of) all.push_back(one_of(keys));
    if (!all.empty()) out["allOf"] = std::move(all);
    out["additionalProperties"] = false;
    return out;
  }

  static json::object one_of(const std::vector<std::string>& keys) {
    json::array out;
    for (const std::string& key : keys) {
      out.push_back(json::object{{"required", json::array{key}}});
    }
    return {{"oneOf", std::move(out)}};
  }

  json::object of_property(const Schema& schema) {
    json::object out;
    if (const auto* text = rule::text_of_key(text_.texts, schema)) {
      out["description"] = text->text;
      if (!text->example.empty()) out["examples"] = json::array{text->example};
    }
    for (auto& [key, value] : of_shape(schema)) out[key] = value;
    return out;
  }

  json::object of_shape(const Schema& schema) {
    const json::object text =
        schema.words.empty()
            ? json::object{{"type", json::array{"string", "number", "boolean"}}}
            : json::object{{"enum", json::array(schema.words.begin(), schema.words.end())}};
    const json::object texts{{"type", "array"}, {"items", text}};
    switch (schema.shape) {
      case Shape::Any:
        return {};
      case Shape::Scalar:
        return {{"type", json::array{"string", "number"}}};
      case Shape::Text:
        return text;
      case Shape::Boolean:
        return {{"type", "boolean"}};
      case Shape::Integer:
        return {{"type", "integer"}};
      case Shape::Number:
        return {{"type", "number"}};
      case Shape::Duration:
        return {{"type", json::array{"string", "integer"}}, {"pattern", kDuration}};
      case Shape::Texts:
        return texts;
      case Shape::TextOrTexts:
        return {{"anyOf", json::array{text, texts}}};
      case Shape::TextMap:
        return {{"type", "object"}, {"additionalProperties", text}};
      case Shape::Object:
        return of_object(schema);
      case Shape::Objects:
        return {{"type", "array"}, {"items", of_object(schema)}};
      case Shape::Above:
        return {{"type", "array"}, {"items", {{"$ref", pointer_to(*schema.same)}}}};
    }
    return {};
  }

  // Of the object that `schema` is, or of the items of the list.
  std::string pointer_to(const Schema& schema) const {
    if (schema.parent == nullptr) return root_;
    return pointer_to(*schema.parent) + "/properties/" + schema.key +
           (schema.shape == Shape::Objects ? "/items" : "");
  }

  const SchemaText& text_;
  std::string root_ = "#";
};

// ---- Markdown.

std::string type_text(const Schema& schema) {
  std::string words;
  for (const std::string& word : schema.words) words += (words.empty() ? "" : ", ") + word;
  if (!words.empty()) return words + (schema.shape == Shape::TextOrTexts ? ", or a list" : "");
  switch (schema.shape) {
    case Shape::Any:
      return "";
    case Shape::Scalar:
    case Shape::Text:
      return "text";
    case Shape::Boolean:
      return "true, false";
    case Shape::Integer:
    case Shape::Number:
      return "number";
    case Shape::Duration:
      return "duration";
    case Shape::Texts:
      return "list of texts";
    case Shape::TextOrTexts:
      return "text, or a list";
    case Shape::TextMap:
      return "map of texts";
    case Shape::Object:
      return "mapping";
    case Shape::Objects:
    case Shape::Above:
      return "list";
  }
  return "";
}

std::string code(std::string_view text) {
  return text.empty() ? "" : "`" + std::string(text) + "`";
}

void write_rows(const Schema& schema, const SchemaText& text, std::string& out) {
  for (const auto& property : schema.properties) {
    if (const auto* about = rule::text_of_key(text.texts, *property)) {
      out += "| `" + property->path() + "` | " + type_text(*property) +
             (property->required ? ", required" : "") + " | " + std::string(about->text) + " | " +
             code(about->example) + " |\n";
    }
    write_rows(*property, text, out);
  }
}

}  // namespace

std::string json_schema(const Schema& schema, const SchemaText& text) {
  json::object out{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", text.title}};
  for (auto& [key, value] : JsonSchema(text).of_root(schema)) out[key] = value;
  std::string bytes;
  write(out, 0, bytes);
  return bytes + "\n";
}

std::string key_table(const Schema& schema, const SchemaText& text) {
  std::string out = "| key | is | what it is for | for example |\n| --- | --- | --- | --- |\n";
  write_rows(schema, text, out);
  return out;
}

}  // namespace tocsin::daemon

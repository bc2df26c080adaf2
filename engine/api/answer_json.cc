// SPDX-License-Identifier: Apache-2.0
#include "api/answer_json.h"

#include "api/json_writer.h"

namespace tocsin::api {
namespace {

// Writes one kind of value; the result's type comes with it.
class ValueWriter {
 public:
  explicit ValueWriter(JsonWriter& json) : json_(json) {}

  void operator()(const Sample& scalar) {
    type("scalar");
    // A scalar never has an exponent in Prometheus' API; an element of a vector may.
    json_.begin_array().raw(seconds_text(scalar.at)).text(format_value(scalar.value)).end_array();
  }

  void operator()(const promql::Text& text) {
    type("string");
    json_.begin_array().raw(seconds_text(text.at)).text(text.value).end_array();
  }

  void operator()(const promql::Vector& vector) {
    type("vector");
    json_.begin_array();
    for (const promql::Element& element : vector) {
      json_.begin_object().key("metric").labels(element.labels);
      json_.key("value").sample(element.sample).end_object();
    }
    json_.end_array();
  }

  void operator()(const promql::Matrix& matrix) {
    type("matrix");
    json_.begin_array();
    for (const promql::Series& series : matrix) {
      json_.begin_object().key("metric").labels(series.labels).key("values").begin_array();
      for (const Sample& sample : series.samples) json_.sample(sample);
      json_.end_array().end_object();
    }
    json_.end_array();
  }

 private:
  void type(std::string_view name) { json_.key("resultType").text(name).key("result"); }

  JsonWriter& json_;
};

template <class Series>
bool shorten(std::vector<Series>& series, std::size_t limit) {
  if (series.size() <= limit) return false;
  series.erase(series.begin() + static_cast<std::ptrdiff_t>(limit), series.end());
  return true;
}

}  // namespace

std::string answer_json(const promql::Value& value) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  std::visit(ValueWriter(json), value);
  json.end_object();
  return out;
}

bool truncate(promql::Value& value, std::size_t limit) {
  if (limit == 0) return false;
  if (auto* vector = std::get_if<promql::Vector>(&value)) return shorten(*vector, limit);
  if (auto* matrix = std::get_if<promql::Matrix>(&value)) return shorten(*matrix, limit);
  return false;
}

}  // namespace tocsin::api

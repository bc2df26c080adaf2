// SPDX-License-Identifier: Apache-2.0
#include "api/answer_json.h"

#include "api/json_writer.h"
#include "promql/histogram_math.h"

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
      if (element.histogram) {
        json_.key("histogram");
        write({element.sample.at, element.histogram});
      } else {
        json_.key("value").sample(element.sample);
      }
      json_.end_object();
    }
    json_.end_array();
  }

  void operator()(const promql::Matrix& matrix) {
    type("matrix");
    json_.begin_array();
    for (const promql::Series& series : matrix) {
      json_.begin_object().key("metric").labels(series.labels);
      if (!series.samples.empty()) {
        json_.key("values").begin_array();
        for (const Sample& sample : series.samples) json_.sample(sample);
        json_.end_array();
      }
      if (!series.histograms.empty()) {
        json_.key("histograms").begin_array();
        for (const HistogramSample& sample : series.histograms) write(sample);
        json_.end_array();
      }
      json_.end_object();
    }
    json_.end_array();
  }

 private:
  void type(std::string_view name) { json_.key("resultType").text(name).key("result"); }

  // [1435781451.781,{"count":"3","sum":"4.5","buckets":[[0,"1","2","3"]]}]
  void write(const HistogramSample& sample) {
    const Histogram& histogram = *sample.histogram;
    json_.begin_array().raw(seconds_text(sample.at)).begin_object();
    json_.key("count").text(sample_text(histogram.count));
    json_.key("sum").text(sample_text(histogram.sum));
    const auto ranges = promql::ranges_of(histogram);
    if (!ranges.empty()) {
      json_.key("buckets").begin_array();
      for (const promql::BucketRange& range : ranges) {
        json_.begin_array().integer(boundary_rule(range)).text(sample_text(range.lower));
        json_.text(sample_text(range.upper)).text(sample_text(range.count)).end_array();
      }
      json_.end_array();
    }
    json_.end_object().end_array();
  }

  // Which of its bounds a bucket includes: 0 the upper one, 1 the lower one, 2 none, 3 both.
  static std::uint64_t boundary_rule(const promql::BucketRange& range) {
    if (range.includes_lower) return range.includes_upper ? 3 : 1;
    return range.includes_upper ? 0 : 2;
  }

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

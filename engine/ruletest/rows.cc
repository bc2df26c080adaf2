// SPDX-License-Identifier: Apache-2.0
#include "ruletest/rows.h"

#include <cmath>

#include "alert/template_value.h"
#include "promql/histogram_notation.h"
#include "promql/series_notation.h"
#include "tocsin/sample.h"

namespace tocsin::ruletest {
namespace {

constexpr std::string_view kAnnotation = "annotation ";

Labels labels_of(const Texts& texts) {
  return Labels(std::vector<std::pair<std::string, std::string>>(texts.begin(), texts.end()));
}

void add_labels(Row& row, const Labels& labels) {
  for (const LabelView& label : labels) {
    row.fields[std::string(label.name)] = std::string(label.value);
  }
}

void add_annotations(Row& row, const Texts& annotations) {
  for (const auto& [name, text] : annotations) row.fields[std::string(kAnnotation) + name] = text;
}

Row row_of(const Labels& labels, const Texts& annotations) {
  Row row{labels.text(), {}};
  add_labels(row, labels);
  add_annotations(row, annotations);
  return row;
}

void set_status(Row& row, NotificationStatus status) {
  const std::string word = status == NotificationStatus::Firing ? "firing" : "resolved";
  row.title = word + " " + row.title;
  row.fields["status"] = word;
}

std::string number_text(double value, Precision precision) {
  if (precision == Precision::Exact || value == 0 || !std::isfinite(value)) {
    return format_number(value);
  }
  const double scale = std::pow(2.0, 50 - std::ilogb(value));
  return format_number(std::round(value * scale) / scale);
}

Row row_of_value(const Labels& labels, std::string value) {
  Row row{labels.text() + " " + value, {}};
  add_labels(row, labels);
  row.fields["value"] = std::move(value);
  return row;
}

Result<std::string> value_of(const ExpectedSample& expected, Precision precision) {
  if (expected.histogram.empty()) return number_text(expected.value, precision);
  std::string_view text = expected.histogram;
  auto histogram = promql::take_histogram(text);
  if (!histogram) return fail(histogram.error());
  if (!text.empty()) return fail(ErrorCode::Parse, "more than one histogram");
  return promql::histogram_notation(*histogram);
}

}  // namespace

Row row_of_alert(const alert::Alert& alert) { return row_of(alert.labels, alert.annotations); }

Row row_of_expected(const std::string& alertname, const ExpectedAlert& expected) {
  Texts labels = expected.labels;
  labels["alertname"] = alertname;
  return row_of(labels_of(labels), expected.annotations.value_or(Texts()));
}

Row row_of_notification(const alert::Alert& alert) {
  Row row = row_of_alert(alert);
  set_status(row, alert.state == alert::State::Firing ? NotificationStatus::Firing
                                                      : NotificationStatus::Resolved);
  return row;
}

Row row_of_expected(const ExpectedNotification& expected) {
  Row row = row_of(labels_of(expected.labels), expected.annotations.value_or(Texts()));
  set_status(row, expected.status);
  return row;
}

void drop_annotations(std::vector<Row>& rows) {
  for (Row& row : rows) {
    std::erase_if(row.fields, [](const auto& field) {
      return std::string_view(field.first).starts_with(kAnnotation);
    });
  }
}

Row row_of_sample(const promql::Element& element, Precision precision) {
  return row_of_value(element.labels, element.histogram
                                          ? promql::histogram_notation(*element.histogram)
                                          : number_text(element.sample.value, precision));
}

Result<Row> row_of_expected(const ExpectedSample& expected, Precision precision) {
  std::string_view text = expected.labels;
  const auto labels = promql::take_series_labels(text);
  if (!labels) return fail(labels.error());
  auto value = value_of(expected, precision);
  if (!value) return fail(value.error());
  return row_of_value(*labels, std::move(*value));
}

}  // namespace tocsin::ruletest

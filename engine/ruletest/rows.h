// SPDX-License-Identifier: Apache-2.0
//
// Alerts, notifications and samples as rows that can be compared. Pure.
#pragma once

#include <algorithm>
#include <vector>

#include "ruletest/compare.h"
#include "ruletest/test_file.h"
#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/result.h"

namespace tocsin::ruletest {

// Fuzzy forgives the last bit or two of a number.
enum class Precision { Exact, Fuzzy };

Row row_of_alert(const alert::Alert& alert);
Row row_of_expected(const std::string& alertname, const ExpectedAlert& expected);

Row row_of_notification(const alert::Alert& alert);
Row row_of_expected(const ExpectedNotification& expected);
// Whether annotations are expected of any of them; if not, they need not be compared.
template <class Expected>
bool says_annotations(const std::vector<Expected>& expected) {
  return std::any_of(expected.begin(), expected.end(),
                     [](const Expected& one) { return one.annotations.has_value(); });
}
void drop_annotations(std::vector<Row>& rows);

Row row_of_sample(const promql::Element& element, Precision precision);
// Fails with Parse on labels or a histogram that are none.
Result<Row> row_of_expected(const ExpectedSample& expected, Precision precision);

}  // namespace tocsin::ruletest

// SPDX-License-Identifier: Apache-2.0
//
// What was expected beside what came: rows of fields, matched with each other, so that a person
// sees the one label that differs and not two long lines. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tocsin::ruletest {

// An alert, a sample, a notification. Fields are compared by name: "severity", "annotation
// summary", "value".
struct Row {
  std::string title;  // Of people: `SuccessRateLow{deployment="web"}`.
  std::map<std::string, std::string> fields;

  bool operator==(const Row& other) const { return fields == other.fields; }
  bool operator<(const Row& other) const { return fields < other.fields; }
};

// Empty when they are the same, in any order. Otherwise lines that name what is missing, what
// should not be there, and, where two rows are nearly the same, the fields that differ:
//
//   missing     {deployment="web"}
//   unexpected  {deployment="emoji"}
//   differs     {deployment="voting"}
//                 severity  expected  critical
//                           got       warning
std::string difference(std::vector<Row> expected, std::vector<Row> got);

}  // namespace tocsin::ruletest

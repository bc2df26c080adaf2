// SPDX-License-Identifier: Apache-2.0
//
// SharedValues lets queries that are evaluated at the same instant, one after another, have the
// aggregations that they have in common evaluated once. Those of a rule group do.
//
// Warnings and infos are given to the query that evaluates; whoever shares a value does not get
// them. Pure. Not thread-safe: its queries are evaluated one at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "promql/plan.h"

namespace tocsin::promql {

class SharedValues {
 public:
  // `written` are the names of series that come into being between the queries of an instant: what
  // reads them is not shared.
  explicit SharedValues(std::vector<std::string> written) : written_(std::move(written)) {}

  bool may_share(const std::vector<Need>& needs) const;

  // The value of the aggregation with this text at `at`, if it was kept; null otherwise.
  const Frame* find(const std::string& text, Timestamp at);
  // Keeps it for those who ask later, unless there was nobody the last time. find() comes first.
  void keep(const std::string& text, const Frame& value);

 private:
  struct Part {
    Timestamp at{};
    int asked = 0;         // So often at this instant.
    int asked_before = 0;  // And at the one before; 0: there was none.
    std::optional<Frame> value;
  };

  std::vector<std::string> written_;
  std::map<std::string, Part> parts_;
};

}  // namespace tocsin::promql

// SPDX-License-Identifier: Apache-2.0
//
// Plans of the last queries that the API answered over the store. Who asks again, as a dashboard
// does, gets a plan that knows its series already. A plan is lent to one evaluation at a time.
//
// Any thread.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tocsin/promql.h"

namespace tocsin::daemon {

class PlanShelf {
 public:
  // Takes the plan of this text off the shelf, if it is there.
  std::optional<promql::Query> take(std::string_view text);
  // Puts it back, in place of the one that was not asked for the longest when there is no room.
  void put(std::string text, promql::Query plan);

 private:
  // A plan keeps a few dozen bytes for each series that it reads.
  static constexpr std::size_t kRoom = 8;

  std::mutex mutex_;                                        // Guards what follows.
  std::list<std::pair<std::string, promql::Query>> plans_;  // The last one first.
};

}  // namespace tocsin::daemon

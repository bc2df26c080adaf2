// SPDX-License-Identifier: Apache-2.0
//
// The value of an expression as `data` of Prometheus' query API: what /api/v1/query answers and
// what `tocsin query --output=json` prints. Pure.
#pragma once

#include <string>

#include "tocsin/promql.h"

namespace tocsin::api {

// {"resultType":"vector","result":[{"metric":{…},"value":[1435781451.781,"1"]}]}
std::string answer_json(const promql::Value& value);

// Leaves the first `limit` series of a vector or matrix; 0 leaves all. Says whether any went.
bool truncate(promql::Value& value, std::size_t limit);

}  // namespace tocsin::api

// SPDX-License-Identifier: Apache-2.0
//
// What an alert of a rule would say, before there is one: its templates over labels and a value
// that it could have. For `tocsin explain`. Pure.
#pragma once

#include <string>

#include "tocsin/rule_set.h"

namespace tocsin::alert {

// The labels, the summary and the description, a line each. Empty for a recording.
std::string example_message(const rule::Rule& rule);

}  // namespace tocsin::alert

// SPDX-License-Identifier: Apache-2.0
//
// The same templates over values that the caller brings: what a message to a receiver is written
// from. Pure.
#pragma once

#include <string>
#include <string_view>

#include "alert/template_value.h"
#include "tocsin/result.h"

namespace tocsin::alert {

// Fails with Parse on bad syntax, and with Execution when `dot` does not fit what the template does
// with it. `dot` is a map.
Result<std::string> expand_over(std::string_view text, const TemplateValue& dot);

// A value as JSON: what the function `toJson` writes.
std::string json_of(const TemplateValue& value);

}  // namespace tocsin::alert

// SPDX-License-Identifier: Apache-2.0
//
// Matchers as alertmanager.yml and amtool write them: `severity="critical"`, `team=~a|b`, several
// with commas, with or without braces. The quotes may be left out where the value has no comma.
// Pure.
#pragma once

#include <string_view>

#include "tocsin/matcher.h"

namespace tocsin::notify {

// One or several. Fails with Parse on anything else.
Result<Matchers> parse_matchers(std::string_view text);

}  // namespace tocsin::notify

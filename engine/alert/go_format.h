// SPDX-License-Identifier: Apache-2.0
//
// Go's way of printing numbers, for templates.
#pragma once

#include <string>

#include "alert/template_value.h"

namespace tocsin::alert {

// strconv.FormatFloat: `verb` is 'e', 'f' or 'g'; a precision of -1 is the shortest that reads
// back.
std::string go_float(double v, char verb, int precision);

// fmt.Sprintf: the first argument is the format. A verb without an argument prints %!v(MISSING), as
// Go does.
std::string go_printf(const ValueList& args);

}  // namespace tocsin::alert

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "alert/template.h"

namespace tocsin::daemon {

// Links that every alert gets, by the name of the annotation: see `links` in the configuration.
using LinkTemplates = std::map<std::string, alert::Template>;

}  // namespace tocsin::daemon

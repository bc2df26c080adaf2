// SPDX-License-Identifier: Apache-2.0
//
// The words of a page that nobody wrote: for every mesh condition a summary (one line, who and
// what) and a description (what it means and where to look), as Prometheus templates over the
// alert's labels and value.
#pragma once

#include <map>
#include <string>

#include "tocsin/rule_set.h"

namespace tocsin::rule {

// summary, description, value, threshold.
std::map<std::string, std::string> default_annotations(const Condition& condition);

}  // namespace tocsin::rule

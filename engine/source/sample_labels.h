// SPDX-License-Identifier: Apache-2.0
//
// How a scraped series gets its final labels: its own, its target's, and the rules for conflicts
// between the two. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/scrape_config.h"
#include "tocsin/labels.h"

namespace tocsin::source {

// The target's labels win, and a scraped label in their place becomes `exported_<name>`.
Labels merge_target_labels(const Labels& scraped, const Labels& target);

// honor_labels: the scraped labels win, and the target adds what they lack. `raw` is the text
// between the braces: there, `instance=""` says that the series shall have no such label.
Labels merge_honoring_labels(const Labels& scraped, std::string_view raw, const Labels& target);

// What exceeds a limit; nothing when all is well.
std::optional<std::string> exceeded_label_limit(const ScrapeLimits& limits, const Labels& labels);

}  // namespace tocsin::source

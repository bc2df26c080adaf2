// SPDX-License-Identifier: Apache-2.0
//
// What to ask of a Prometheus' /federate: the selectors of everything that the rules need. Pure.
#pragma once

#include <string>
#include <vector>

#include "source/scrape_config.h"
#include "tocsin/promql.h"

namespace tocsin::source {

// A job whose path is /federate and that names no match[] of its own.
bool asks_for_needs(const ScrapeConfig& config);

// One selector per need, those left out that another one includes. Conditions on labels that
// `target_labels` adds, and on bounds, are left out too: the other side does not know them, or
// spells them otherwise.
std::vector<std::string> federation_selectors(const std::vector<promql::Need>& needs,
                                              const Labels& target_labels);

// `url` with a match[] parameter for each selector.
std::string federation_url(const std::string& url, const std::vector<std::string>& selectors);

}  // namespace tocsin::source

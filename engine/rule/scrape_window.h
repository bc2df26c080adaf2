// SPDX-License-Identifier: Apache-2.0
//
// How long a window must be to hold enough scrapes for a rate. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tocsin/matcher.h"
#include "tocsin/rule_set.h"

namespace tocsin::rule {

// The shortest window that stands a scrape that is missed: it holds four.
struct ShortestWindow {
  Duration length{0};
  std::string why;  // "job 'web' is scraped every 30s, as tocsin.yaml says"
};

// Of the series of a metric. Where their job is named, or they are Linkerd's, the slowest of those
// jobs counts; otherwise nobody knows which it is, and the fastest of all does. Without any jobs
// the interval is the usual one. No length for what no job brings: what is written here, or
// recorded by rules, and series of jobs that are not among these.
ShortestWindow shortest_window(std::span<const ScrapedJob> jobs, std::string_view metric,
                               const Matchers& matchers = {});

}  // namespace tocsin::rule

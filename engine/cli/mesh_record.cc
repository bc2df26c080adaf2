// SPDX-License-Identifier: Apache-2.0
#include "cli/mesh_record.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "archive/recorder.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "daemon/asked_series.h"
#include "daemon/rule_files.h"
#include "ruletest/scraped_feed.h"
#include "tocsin/duration.h"

namespace tocsin::cli {
namespace {

// Nobody looks back: what has been written down need not stay in memory.
constexpr Duration kKept = std::chrono::minutes(5);

struct Plan {
  Timestamp start;
  Timestamp end;
  Duration interval;
};

Result<Plan> read_plan(const MeshRecordOptions& options) {
  const auto start = parse_time(options.start);
  const auto length = parse_duration(options.length);
  const auto interval = parse_duration(options.interval);
  if (!start) return fail(ErrorCode::InvalidArgument, "not a time: " + options.start);
  if (!length) return fail(ErrorCode::InvalidArgument, "not a duration: " + options.length);
  if (!interval || interval->count() == 0) {
    return fail(ErrorCode::InvalidArgument, "not an interval: " + options.interval);
  }
  return Plan{*start, *start + *length, *interval};
}

Result<std::shared_ptr<const source::SampleRules>> read_rules(
    const std::vector<std::string>& patterns) {
  std::vector<promql::Need> needs;
  if (patterns.empty()) {
    needs.push_back({{Matcher::not_equal(kMetricName, "")}, kKept});
  } else {
    const rule::Loaded loaded = daemon::load_rules(patterns, rule::Memory::Recorded);
    if (loaded.diagnostics.has_errors()) {
      return fail(ErrorCode::InvalidArgument, loaded.diagnostics.text());
    }
    needs = daemon::scraped_needs(loaded.rules, {});
    needs.push_back({{Matcher::equal(kMetricName, "up")}, kKept});
    for (promql::Need& need : needs) need.history = kKept;
  }
  auto rules = std::make_shared<source::SampleRules>();
  rules->filter = std::make_shared<const source::KeepFilter>(std::move(needs));
  return rules;
}

Result<void> record(simulate::MeshConfig config, const MeshRecordOptions& options) {
  const auto plan = read_plan(options);
  if (!plan) return fail(plan.error());
  auto rules = read_rules(options.rules);
  if (!rules) return fail(rules.error());
  auto recorder = archive::Recorder::open({.folder = options.folder}, plan->start);
  if (!recorder) return fail(recorder.error());
  store::Store store;
  store.record_on(**recorder);
  ruletest::ScrapedFeed feed(ruletest::mesh_pages(std::move(config), plan->start),
                             std::move(*rules), plan->start, plan->interval);
  if (auto begun = feed.begin(store, plan->start); !begun) return begun;
  ProgressBar bar;
  for (Timestamp now = plan->start; now < plan->end; now += std::chrono::minutes(1)) {
    feed.advance(std::min(now, plan->end));
    store.collect_garbage(now);
    if (auto flushed = (*recorder)->flush(); !flushed) return flushed;
    bar.show(to_seconds(now - plan->start) / to_seconds(plan->end - plan->start));
  }
  feed.advance(plan->end);
  return (*recorder)->flush();
}

}  // namespace

void add_mesh_record_options(CLI::App& command, MeshRecordOptions& options) {
  command.add_option("--record", options.folder,
                     "Serve nothing: write down what `tocsin run --record` would have, as fast as "
                     "the mesh can be simulated");
  command.add_option("--for", options.length, "How long it is recorded")->capture_default_str();
  command.add_option("--interval", options.interval, "How often it is scraped")
      ->capture_default_str();
  command.add_option("--start", options.start, "When that was")->capture_default_str();
  command.add_option("--rules", options.rules,
                     "Rule files whose series are recorded; default: everything");
}

int record_mesh(simulate::MeshConfig config, const MeshRecordOptions& options) {
  const auto recorded = record(std::move(config), options);
  if (recorded) return kOk;
  std::cerr << "error: " << recorded.error().message << '\n';
  return kFailed;
}

}  // namespace tocsin::cli

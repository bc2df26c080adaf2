// SPDX-License-Identifier: Apache-2.0
#include "cli/replay_source.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <thread>

#include "base/file.h"
#include "cli/progress_bar.h"
#include "daemon/asked_series.h"
#include "daemon/config.h"
#include "replay/pages.h"
#include "replay/remote_history.h"
#include "tocsin/duration.h"

namespace tocsin::cli {
namespace {

// Samples older than this have arrived.
constexpr Duration kSettled = std::chrono::minutes(2);

Result<std::optional<Timestamp>> read_moment(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto at = parse_time(text);
  if (!at) {
    return fail(ErrorCode::InvalidArgument,
                "not a time: " + text + "; write 2026-11-23T12:00:00Z, or Unix seconds");
  }
  return at;
}

Result<void> use_config(const std::string& path, replay::ReplayOptions& options) {
  const auto bytes = read_file(path);
  if (!bytes) return fail(bytes.error());
  daemon::LoadedConfig loaded = daemon::read_config(path, *bytes);
  if (loaded.diagnostics.has_errors()) {
    return fail(ErrorCode::InvalidArgument, loaded.diagnostics.text());
  }
  const daemon::Config& config = loaded.config;
  options.defaults = {config.evaluation_interval, config.rule_query_offset, config.resend_delay};
  options.external_labels = config.external_labels;
  options.external_url = config.external_url;
  if (config.notify.route) options.notify = config.notify;
  return {};
}

Result<replay::ReplayOptions> read_options(const PastOptions& past) {
  replay::ReplayOptions options;
  options.notify = replay::plain_routes();
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  if (!past.config.empty()) {
    if (const auto used = use_config(past.config, options); !used) return fail(used.error());
  }
  if (!past.interval.empty()) {
    const auto interval = parse_duration(past.interval);
    if (!interval || interval->count() == 0) {
      return fail(ErrorCode::InvalidArgument, "not an interval: " + past.interval);
    }
    options.defaults.evaluation_interval = *interval;
  }
  const auto from = read_moment(past.from);
  if (!from) return fail(from.error());
  const auto to = read_moment(past.to);
  if (!to) return fail(to.error());
  options.from = *from;
  options.to = *to;
  return options;
}

Result<std::unique_ptr<replay::History>> open_past(const PastOptions& past,
                                                   const replay::ReplayOptions& options,
                                                   std::vector<promql::Need> needs) {
  if (past.data.empty() == past.prometheus.empty()) {
    return fail(ErrorCode::InvalidArgument, "give either --data or --prometheus");
  }
  if (past.prometheus.empty()) {
    return replay::open_history(past.data, {.needs = std::move(needs), .threads = options.threads});
  }
  if (!options.from) return fail(ErrorCode::InvalidArgument, "--prometheus needs --from");
  replay::RemoteHistoryOptions remote;
  remote.server.url = past.prometheus;
  remote.needs = std::move(needs);
  const Timestamp now = SystemClock().now();
  remote.extent = {*options.from, options.to.value_or(now)};
  remote.settled = now - kSettled;
  if (!past.cache.empty()) {
    auto cache = replay::AnswerCache::open(past.cache);
    if (!cache) return fail(cache.error());
    remote.cache.emplace(std::move(*cache));
  }
  return replay::open_remote_history(std::move(remote));
}

}  // namespace

void add_past_options(CLI::App& command, PastOptions& options) {
  command.add_option("--data", options.data,
                     "What happened: archives of `tocsin run --record`, or captured pages with "
                     "timestamps; files, folders, patterns");
  command.add_option("--prometheus", options.prometheus,
                     "Or what this Prometheus remembers, or anything that speaks its query API; "
                     "with --from and --to");
  command.add_option("--cache", options.cache,
                     "A folder for what the Prometheus answered: a replay that was interrupted "
                     "goes on, and a second one asks nothing again");
  command.add_option("--from", options.from,
                     "From when on: RFC 3339 or Unix seconds; default: as far as the data goes");
  command.add_option("--to", options.to, "Until when; default: as far as the data goes");
  command.add_option("--config", options.config,
                     "A tocsin.yaml, for its routes, intervals and external labels; default: "
                     "every alert is told by itself, and again every four hours");
  command.add_option("--interval", options.interval,
                     "How often groups are evaluated that do not say; default: as the "
                     "configuration says, or 1m");
}

Result<replay::Outcome> live_through(const rule::RuleSet& rules, const PastOptions& past) {
  auto options = read_options(past);
  if (!options) return fail(options.error());
  ProgressBar bar;
  options->on_progress = [&](double done) { bar.show(done); };
  auto history = open_past(past, *options, daemon::scraped_needs(rules, {}));
  if (!history) return fail(history.error());
  auto outcome = replay::replay(rules, **history, *options);
  if (!outcome) return outcome;
  for (const std::string& complaint : outcome->complaints) {
    std::cerr << "warning: " << complaint << '\n';
  }
  return outcome;
}

}  // namespace tocsin::cli

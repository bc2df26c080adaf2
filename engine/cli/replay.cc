// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/replay_source.h"
#include "cli/rule_source.h"
#include "replay/report.h"
#include "replay/timeline.h"
#include "rule/sweep.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::vector<std::string> rules;
  PastOptions past;
  std::string output = "table";
  std::string timeline;  // Where to write the picture.
  std::string sweep;
};

// What one value of the threshold comes to, as a row.
Result<std::vector<std::string>> row_of(const std::vector<rule::SourceFile>& files,
                                        const std::string& value, const PastOptions& past) {
  const auto loaded = load_rules(files);
  if (loaded.diagnostics.has_errors()) {
    return fail(ErrorCode::InvalidArgument, loaded.diagnostics.text());
  }
  const auto outcome = live_through(loaded.rules, past);
  if (!outcome) return fail(outcome.error());
  Duration longest{0};
  Duration in_all{0};
  for (const replay::Episode& episode : outcome->episodes) {
    const Duration length = replay::length_of(episode, *outcome);
    longest = std::max(longest, length);
    in_all += length;
  }
  return std::vector<std::string>{value, std::to_string(outcome->episodes.size()),
                                  std::to_string(outcome->pages.size()),
                                  replay::length_text(longest), replay::length_text(in_all)};
}

int sweep_rules(const Options& options) {
  const auto complain = [](const Error& error) {
    std::cerr << "error: " << error.message << '\n';
    return kFailed;
  };
  const auto sweep = rule::parse_sweep(options.sweep);
  if (!sweep) return complain(sweep.error());
  const auto files = rule_files_from(options.rules);
  if (!files) return complain(files.error());
  std::vector<std::vector<std::string>> rows{
      {sweep->key, "ALERTS", "NOTIFICATIONS", "LONGEST", "FIRING IN ALL"}};
  for (const std::string& value : sweep->values) {
    const auto changed = rule::with_value(*files, *sweep, value);
    if (!changed) return complain(changed.error());
    auto row = row_of(*changed, value, options.past);
    if (!row) return complain(row.error());
    rows.push_back(std::move(*row));
  }
  std::cout << replay::text_table(rows);
  return kOk;
}

int replay_rules(const Options& options) {
  const auto files = rule_files_from(options.rules);
  if (!files) {
    std::cerr << "error: " << files.error().message << '\n';
    return kFailed;
  }
  const auto loaded = load_rules(*files);
  std::cerr << loaded.diagnostics.text(is_terminal());
  if (loaded.diagnostics.has_errors()) return kFailed;
  const auto outcome = live_through(loaded.rules, options.past);
  if (!outcome) {
    std::cerr << "error: " << outcome.error().message << '\n';
    return kFailed;
  }
  std::cout << (options.output == "json" ? replay::report_json(*outcome)
                                         : replay::report_text(*outcome));
  if (options.timeline.empty()) return kOk;
  if (const auto written = write_file(options.timeline, replay::timeline_html(*outcome));
      !written) {
    std::cerr << "error: " << written.error().message << '\n';
    return kFailed;
  }
  return kOk;
}

}  // namespace

Run add_replay(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "replay", "Let rules live through the past: what would have fired, when, and for how long");
  command
      ->add_option("--rules", options->rules,
                   "Rule files, folders of them, patterns, or git:REVISION:PATH")
      ->required();
  add_past_options(*command, options->past);
  command->add_option("--output", options->output, "table, or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--timeline", options->timeline,
                      "Write a picture of it to this file: one HTML page");
  command->add_option(
      "--sweep", options->sweep,
      "Try one threshold with several values: below=98%..99.9%, or "
      "CheckoutFails.above=200ms..1s/9; of an expr the number that it compares with");
  return
      [options] { return options->sweep.empty() ? replay_rules(*options) : sweep_rules(*options); };
}

}  // namespace tocsin::cli

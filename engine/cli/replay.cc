// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/replay_source.h"
#include "daemon/rule_files.h"
#include "replay/report.h"
#include "replay/timeline.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::vector<std::string> rules;
  PastOptions past;
  std::string output = "table";
  std::string timeline;  // Where to write the picture.
};

int replay_rules(const Options& options) {
  const auto loaded = daemon::load_rules(options.rules, rule::Memory::Recorded);
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
  command->add_option("--rules", options->rules, "Rule files and patterns")->required();
  add_past_options(*command, options->past);
  command->add_option("--output", options->output, "table, or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--timeline", options->timeline,
                      "Write a picture of it to this file: one HTML page");
  return [options] { return replay_rules(*options); };
}

}  // namespace tocsin::cli

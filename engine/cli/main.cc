// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/command.h"
#include "tocsin/version.h"

namespace tocsin::cli {
namespace {

struct LogOptions {
  std::string level = "info";
  std::string format = "text";
};

void add_log_options(CLI::App& app, LogOptions& options) {
  app.add_option("--log-level", options.level, "How much to log")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", options.format, "One line of text, or of JSON, per event")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void configure_log(const LogOptions& options) {
  static const std::vector<std::pair<std::string, log::Level>> kLevels{
      {"debug", log::Level::Debug},
      {"info", log::Level::Info},
      {"warn", log::Level::Warn},
      {"error", log::Level::Error}};
  for (const auto& [name, level] : kLevels) {
    if (name != options.level) continue;
    log::configure(level, options.format == "json" ? log::Format::Json : log::Format::Text);
  }
}

// The first word, if it is not a command.
std::optional<std::string> unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return std::nullopt;
  const std::string word = argv[1];
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return std::nullopt;
  }
  return word;
}

int run(int argc, char** argv) {
  CLI::App app{"Tocsin watches a Linkerd service mesh and tells people when it fails.", "tocsin"};
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version",
                       "tocsin " + std::string(version()) + " (" + std::string(revision()) + ")");
  LogOptions log_options;
  add_log_options(app, log_options);
  std::vector<std::pair<CLI::App*, Run>> commands;
  for (const auto& add : {add_run, add_demo, add_simulate, add_check, add_test, add_replay,
                          add_diff, add_explain, add_query, add_promqltest, add_schema, add_stat}) {
    Run command = add(app);
    commands.emplace_back(app.get_subcommands(nullptr).back(), std::move(command));
  }
  if (const auto unknown = unknown_command(app, argc, argv)) {
    std::cerr << "unknown command '" << *unknown << "'; `tocsin --help` lists them\n";
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  configure_log(log_options);
  for (const auto& [subcommand, command] : commands) {
    if (subcommand->parsed()) return command();
  }
  return kUsage;
}

}  // namespace
}  // namespace tocsin::cli

int main(int argc, char** argv) { return tocsin::cli::run(argc, argv); }

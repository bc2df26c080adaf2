// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "alert/example_message.h"
#include "cli/command.h"
#include "cli/rule_source.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string format = "text";
};

int explain(const Options& options) {
  const auto files = rule_files_from(options.files);
  if (!files) {
    std::cerr << "error: " << files.error().message << '\n';
    return kFailed;
  }
  const auto loaded = load_rules(*files);
  std::cerr << loaded.diagnostics.text(is_terminal());
  if (loaded.diagnostics.has_errors()) return kFailed;
  std::cout << rule::explain(
      loaded.rules,
      options.format == "prometheus" ? rule::ExplainFormat::Prometheus : rule::ExplainFormat::Text,
      alert::example_message);
  return kOk;
}

}  // namespace

Run add_explain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "explain", "Say what each rule watches, what it leaves out and why, and print its PromQL");
  command
      ->add_option("FILE", options->files,
                   "Rule files, folders of them, patterns, or git:REVISION:PATH")
      ->required();
  command
      ->add_option("--format", options->format,
                   "text, or prometheus: a plain rule file that promtool accepts")
      ->check(CLI::IsMember({"text", "prometheus"}))
      ->capture_default_str();
  return [options] { return explain(*options); };
}

}  // namespace tocsin::cli

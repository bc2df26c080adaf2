// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "daemon/config.h"
#include "daemon/schema_text.h"
#include "rule/reference.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::string of = "rules";
  std::string format = "json";
};

int print(const Options& options) {
  yaml::Schema schema;
  daemon::SchemaText text;
  if (options.of == "rules") {
    rule::describe_rule_file(schema);
    text = {"Tocsin rule file", rule::key_texts(), true};
  } else {
    daemon::describe_config(schema);
    text = {"Tocsin configuration", daemon::config_texts(), false};
  }
  std::cout << (options.format == "json" ? daemon::json_schema(schema, text)
                                         : daemon::key_table(schema, text));
  return kOk;
}

}  // namespace

Run add_schema(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "schema", "Print what a rule file or a configuration may contain, for editors or people");
  command->add_option("OF", options->of, "rules or config")
      ->check(CLI::IsMember({"rules", "config"}))
      ->capture_default_str();
  command->add_option("--format", options->format, "json (JSON Schema) or markdown (a table)")
      ->check(CLI::IsMember({"json", "markdown"}))
      ->capture_default_str();
  return [options] { return print(*options); };
}

}  // namespace tocsin::cli

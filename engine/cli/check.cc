// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "alert/template.h"
#include "base/file.h"
#include "cli/command.h"
#include "daemon/config.h"
#include "daemon/rule_files.h"
#include "yaml/document.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  bool strict = false;
};

enum class FileKind { Rules, Tests, Config };

// A file with `groups` or a `kind` is a rule file, one with `tests` is for `tocsin test`; anything
// else is a configuration.
FileKind kind_of(const std::string& path, const std::string& bytes) {
  Diagnostics ignored;
  const auto document = yaml::Document::parse(path, bytes, ignored);
  const yaml::Node root = document.root();
  if (!root.get("groups").is_null() || !root.get("kind").is_null()) return FileKind::Rules;
  return root.get("tests").is_null() ? FileKind::Config : FileKind::Tests;
}

// A configuration is checked with the rule files that it names.
void check_config(const std::string& path, const std::string& bytes, Diagnostics& out) {
  const auto loaded = daemon::read_config(path, bytes);
  out.append(loaded.diagnostics);
  out.append(daemon::load_rules(loaded.config.rule_files, rule::Memory::Recorded).diagnostics);
}

int check(const Options& options) {
  Diagnostics all;
  std::vector<rule::SourceFile> rule_files;
  for (const std::string& path : options.files) {
    auto bytes = read_file(path);
    if (!bytes) {
      all.add({Severity::Error,
               "check/unreadable",
               {path, 0, 0, 1},
               bytes.error().message,
               "",
               "",
               ""});
      continue;
    }
    switch (kind_of(path, *bytes)) {
      case FileKind::Rules:
        rule_files.push_back({path, std::move(*bytes)});
        break;
      case FileKind::Config:
        check_config(path, *bytes, all);
        break;
      case FileKind::Tests:
        std::cout << path << ": rule tests; run them with `tocsin test`\n";
    }
  }
  const auto loaded = rule::load(rule_files, {rule::Memory::Recorded, alert::template_problem});
  all.append(loaded.diagnostics);
  std::cerr << all.text(is_terminal());
  const std::size_t errors = all.count(Severity::Error);
  const std::size_t warnings = all.count(Severity::Warning);
  std::cout << options.files.size() << " file(s): " << errors << " error(s), " << warnings
            << " warning(s)\n";
  return errors > 0 || (options.strict && warnings > 0) ? kFailed : kOk;
}

}  // namespace

Run add_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("check", "Check configuration and rule files: every error at once");
  command->add_option("FILE", options->files, "Configurations and rule files; - is standard input")
      ->required();
  command->add_flag("--strict", options->strict, "Warnings fail the check too");
  return [options] { return check(*options); };
}

}  // namespace tocsin::cli

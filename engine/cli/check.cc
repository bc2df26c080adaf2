// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "alert/template.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/diagnostic_formats.h"
#include "cli/found_series.h"
#include "cli/source.h"
#include "daemon/config.h"
#include "daemon/rule_files.h"
#include "rule/linkerd_versions.h"
#include "rule/lint.h"
#include "rule/suppressions.h"
#include "ruletest/test_file.h"
#include "yaml/document.h"

namespace tocsin::cli {
namespace fs = std::filesystem;
namespace {

struct Options {
  std::vector<std::string> files;
  std::string format = "text";
  bool strict = false;
  bool list = false;
  std::string output = "text";  // Of the list.
  std::string linkerd;          // The version that rules are for.
  SourceOptions source;
};

enum class FileKind { Rules, Tests, Config, Other };

constexpr std::array<std::string_view, 6> kConfigKeys = {
    "scrape_configs", "rule_files", "alerting", "route", "receivers", "prometheus"};

// By the keys of its first document that has any. Tests name rule files, too.
FileKind kind_of(const std::vector<yaml::Document>& documents) {
  for (const yaml::Document& document : documents) {
    const yaml::Node root = document.root();
    if (!root.get("tests").is_null()) return FileKind::Tests;
    if (!root.get("groups").is_null() || root.get("kind").text() == "PrometheusRule") {
      return FileKind::Rules;
    }
    for (const std::string_view key : kConfigKeys) {
      if (!root.get(key).is_null()) return FileKind::Config;
    }
  }
  return FileKind::Other;
}

// What was found where, whoever named it.
struct Input {
  std::string path;
  bool is_named = true;  // Otherwise it was met below a folder, where there are others, too.
};

std::vector<Input> find_inputs(const std::vector<std::string>& arguments) {
  std::vector<Input> out;
  for (const std::string& argument : arguments) {
    std::error_code ignored;
    if (!fs::is_directory(argument, ignored)) {
      for (std::string& path : glob_files(argument)) out.push_back({std::move(path), true});
      continue;
    }
    for (const char* pattern : {"**/*.yaml", "**/*.yml"}) {
      for (std::string& path : glob_files((fs::path(argument) / pattern).string())) {
        out.push_back({std::move(path), false});
      }
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Input& a, const Input& b) { return a.path < b.path; });
  return out;
}

class Check {
 public:
  explicit Check(const Options& options) : options_(options) {}

  int run() {
    for (const Input& input : find_inputs(options_.files)) read(input);
    const auto loaded = rule::load(rule_files_, {rule::Memory::Recorded, alert::template_problem});
    all_.append(loaded.diagnostics);
    check_version(loaded.rules);
    if (auto looked = look_for_series(loaded.rules); !looked) {
      std::cerr << looked.error().message << '\n';
      return kFailed;
    }
    return report();
  }

 private:
  void read(const Input& input) {
    auto bytes = read_file(input.path);
    if (!bytes) {
      ++files_;
      all_.add({Severity::Error,
                "check/unreadable",
                {input.path, 0, 0, 1},
                bytes.error().message,
                "",
                "",
                ""});
      return;
    }
    Diagnostics syntax;
    const FileKind kind = kind_of(yaml::Document::parse_all(input.path, *bytes, syntax));
    const bool is_ours = input.is_named || kind != FileKind::Other || syntax.has_errors();
    if (!is_ours) return;
    ++files_;
    switch (kind) {
      case FileKind::Rules:
        rule_files_.push_back({input.path, std::move(*bytes)});
        return;
      case FileKind::Tests:
        ruletest::read_test_file(input.path, *bytes, all_);
        return;
      case FileKind::Config:
        return check_config(input.path, *bytes);
      case FileKind::Other:
        // A mistake may be why it looks like nothing.
        return input.is_named ? check_config(input.path, *bytes) : all_.append(syntax);
    }
  }

  // With the rule files that it names.
  void check_config(const std::string& path, const std::string& bytes) {
    const auto loaded = daemon::read_config(path, bytes);
    all_.append(loaded.diagnostics);
    all_.append(daemon::load_rules(loaded.config.rule_files, rule::Memory::Recorded).diagnostics);
  }

  // Whether the version of Linkerd has what they read.
  void check_version(const rule::RuleSet& rules) {
    const auto minor = rule::linkerd_minor(options_.linkerd);
    if (!minor) return;
    const Diagnostics found = rule::check_versions(rules, *minor);
    for (const rule::SourceFile& file : rule_files_) {
      std::vector<int> lines;
      for (const rule::Group& group : rules.groups) {
        for (const rule::Rule& rule : group.rules) {
          if (rule.place.file == file.path) lines.push_back(rule.place.line);
        }
      }
      const rule::Suppressions suppressions(file.path, file.bytes, std::move(lines));
      for (const Diagnostic& d : found.all()) {
        if (d.place.file == file.path && !suppressions.covers(d)) all_.add(d);
      }
    }
  }

  Result<void> look_for_series(const rule::RuleSet& rules) {
    if (options_.source.data.empty() && options_.source.server.empty()) return {};
    auto source = QuerySource::open(options_.source);
    if (!source) return fail(source.error());
    auto found = missing_series(rules, *source);
    if (!found) return fail(found.error());
    all_.append(*found);
    auto firing = firing_now(
        rule::load(rule_files_, {rule::Memory::Subquery, alert::template_problem}).rules, *source);
    if (!firing) return fail(firing.error());
    firing_ = std::move(*firing);
    return {};
  }

  int report() const {
    const std::size_t errors = all_.count(Severity::Error);
    const std::size_t warnings = all_.count(Severity::Warning);
    const std::string counts = std::to_string(files_) + " file(s): " + std::to_string(errors) +
                               " error(s), " + std::to_string(warnings) + " warning(s)\n";
    if (options_.format == "text") {
      std::cerr << all_.text(is_terminal());
      for (const FiringNow& one : firing_) std::cout << one.text() << '\n';
      std::cout << counts;
    } else {
      std::cout << (options_.format == "json"     ? as_json(all_)
                    : options_.format == "github" ? as_github(all_)
                                                  : as_checkstyle(all_));
      std::cerr << counts;
    }
    return errors > 0 || (options_.strict && warnings > 0) ? kFailed : kOk;
  }

  const Options& options_;
  Diagnostics all_;
  std::vector<rule::SourceFile> rule_files_;
  std::size_t files_ = 0;
  std::vector<FiringNow> firing_;
};

// The lines of an example, below what they are one of.
std::string indented(std::string_view rule) {
  std::string out = "        ";
  for (const char c : rule) out += c == '\n' ? std::string("\n        ") : std::string(1, c);
  return out + "\n";
}

int list_checks(const Options& options) {
  if (options.output == "markdown") {
    std::cout << rule::lint_markdown();
    return kOk;
  }
  for (const rule::LintCheck& check : rule::lint_checks()) {
    std::cout << check.code << "\n    " << check.what << "\n";
    std::cout << "    not like this:\n"
              << indented(check.bad) << "    like this:\n"
              << indented(check.good);
  }
  std::cout
      << "\nA comment on a rule, or above it, silences one there: # tocsin: disable=no-floor\n"
         "Above 'groups' it silences it in the whole file.\n";
  return kOk;
}

}  // namespace

Run add_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "check",
      "Check configurations, rules and rule tests: every mistake at once, and what rules "
      "most likely did not mean");
  command->add_option("FILE", options->files,
                      "Files, patterns, and folders with *.yaml below them; - is standard input");
  command->add_flag("--strict", options->strict, "Warnings fail the check too");
  command
      ->add_option("--format", options->format,
                   "text; json; github (workflow commands); checkstyle (XML)")
      ->check(CLI::IsMember({"text", "json", "github", "checkstyle"}))
      ->capture_default_str();
  command->add_flag("--list", options->list, "Say what is looked for, and how to silence it");
  command->add_option("--output", options->output, "Of --list: text, or markdown (a page)")
      ->check(CLI::IsMember({"text", "markdown"}))
      ->capture_default_str();
  command->add_option("--linkerd-version", options->linkerd,
                      "Of the meshes that the rules are for, for example 2.16: metrics that it "
                      "does not have are found, too");
  add_source_options(*command, options->source);
  return [options] {
    if (options->list) return list_checks(*options);
    if (!options->linkerd.empty() && !rule::linkerd_minor(options->linkerd)) {
      std::cerr << "not a version of Linkerd: " << options->linkerd << "; write 2.16\n";
      return kUsage;
    }
    if (options->files.empty()) {
      std::cerr << "tocsin check needs files or folders\n";
      return kUsage;
    }
    return Check(*options).run();
  };
}

}  // namespace tocsin::cli

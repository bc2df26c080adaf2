// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "alert/template.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/diagnostic_formats.h"
#include "cli/found_series.h"
#include "cli/source.h"
#include "daemon/config.h"
#include "daemon/rule_files.h"
#include "rule/kubernetes.h"
#include "rule/linkerd_versions.h"
#include "rule/lint.h"
#include "rule/suppressions.h"
#include "ruletest/test_file.h"
#include "simulate/mesh_config.h"
#include "yaml/document.h"

namespace tocsin::cli {
namespace fs = std::filesystem;
namespace {

bool contains(const auto& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

struct Options {
  std::vector<std::string> files;
  std::string format = "text";
  bool strict = false;
  bool list = false;
  std::string output = "text";  // Of the list.
  std::string linkerd;          // The version that rules are for.
  SourceOptions source;
};

enum class FileKind { Rules, Tests, Mesh, Config, Other };

// The keys that say what a file is. Tests name rule files, too, so they come first.
constexpr std::array<std::pair<std::string_view, FileKind>, 9> kTelling = {
    {{"tests", FileKind::Tests},
     {"groups", FileKind::Rules},
     {"workloads", FileKind::Mesh},
     {"scrape_configs", FileKind::Config},
     {"rule_files", FileKind::Config},
     {"alerting", FileKind::Config},
     {"route", FileKind::Config},
     {"receivers", FileKind::Config},
     {"prometheus", FileKind::Config}}};

// By the keys of its first document that has any of them.
FileKind kind_of(const std::vector<yaml::Document>& documents) {
  for (const yaml::Document& document : documents) {
    if (rule::has_rules(document)) return FileKind::Rules;
    for (const auto& [key, kind] : kTelling) {
      if (!document.root().get(key).is_null()) return kind;
    }
  }
  return FileKind::Other;
}

// What a file was most likely meant to be in which nothing tells: by a key that is nearly one, or
// because it has nothing but what a configuration may have.
FileKind guess_kind_of(const std::vector<yaml::Document>& documents) {
  static constexpr std::array<std::string_view, 3> kAlsoConfig = {"global", "storage", "web"};
  std::vector<std::string> telling;
  for (const auto& [key, kind] : kTelling) telling.emplace_back(key);
  bool is_config = true;
  for (const yaml::Document& document : documents) {
    if (!document.root().is_mapping()) return FileKind::Config;  // Nothing of ours: it says so.
    for (const auto& [key, value] : document.root().entries()) {
      const std::string near = nearest(key.text(), telling);
      for (const auto& [word, kind] : kTelling) {
        if (word == near) return kind;
      }
      is_config = is_config && contains(kAlsoConfig, key.text());
    }
  }
  return is_config ? FileKind::Config : FileKind::Other;
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
    if (files_ + passed_over_.size() == 0) {
      std::cerr << "there is no such file, or none that is a configuration, rules, rule tests or a "
                   "mesh\n";
      return kUsage;
    }
    if (auto looked = check_rules(); !looked) {
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
    const auto documents = yaml::Document::parse_all(input.path, *bytes, syntax);
    FileKind kind = kind_of(documents);
    if (kind == FileKind::Other && input.is_named) kind = guess_kind_of(documents);
    if (kind == FileKind::Other && !syntax.has_errors()) {
      if (input.is_named) passed_over_.push_back(input.path);
      return;
    }
    ++files_;
    switch (kind) {
      case FileKind::Rules:
        return add_rule_file({input.path, std::move(*bytes)});
      case FileKind::Tests:
        all_.append(ruletest::check_inputs(ruletest::read_test_file(input.path, *bytes, all_)));
        return;
      case FileKind::Mesh:
        simulate::read_mesh(yaml::Document::parse(input.path, *bytes, all_), all_);
        return;
      case FileKind::Config:
        return check_config(input.path, *bytes);
      case FileKind::Other:
        return all_.append(syntax);  // A mistake may be why it looks like nothing.
    }
  }

  // Of a file that is named in several ways, once.
  void add_rule_file(rule::SourceFile file) {
    std::error_code ignored;
    if (!rule_paths_.insert(fs::weakly_canonical(file.path, ignored).string()).second) return;
    rule_files_.push_back(std::move(file));
  }

  // With the rule files that it names.
  void check_config(const std::string& path, const std::string& bytes) {
    const auto loaded = daemon::read_config(path, bytes);
    all_.append(loaded.diagnostics);
    for (const source::ScrapeConfig& job : loaded.config.scrape_configs) {
      jobs_.push_back({job.job_name, job.scrape_interval, path});
    }
    daemon::RuleFiles named =
        daemon::read_rule_files(loaded.config.rule_files, {}, loaded.config.rule_file_places);
    for (rule::SourceFile& file : named.files) add_rule_file(std::move(file));
    all_.append(named.problems);
  }

  // Fails where the source that they are to be held against does not answer.
  Result<void> check_rules() {
    std::optional<QuerySource> source;
    if (!options_.source.data.empty() || !options_.source.server.empty()) {
      auto opened = QuerySource::open(options_.source);
      if (!opened) return fail(opened.error());
      source = std::move(*opened);
      if (jobs_.empty()) jobs_ = scraped_jobs(*source);
    }
    const auto loaded =
        rule::load(rule_files_, {rule::Memory::Recorded, alert::read_template, jobs_});
    all_.append(loaded.diagnostics);
    check_version(loaded.rules);
    return source ? look_for_series(loaded.rules, *source) : Result<void>();
  }

  // Whether the version of Linkerd has what they read.
  void check_version(const rule::RuleSet& rules) {
    const auto minor = rule::linkerd_minor(options_.linkerd);
    if (!minor) return;
    all_.append(rule::without_silenced(rule::check_versions(rules, *minor), rule_files_));
  }

  Result<void> look_for_series(const rule::RuleSet& rules, QuerySource& source) {
    auto found = missing_series(rules, source);
    if (!found) return fail(found.error());
    all_.append(rule::without_silenced(*found, rule_files_));
    auto firing = firing_now(
        rule::load(rule_files_, {rule::Memory::Subquery, alert::read_template}).rules, source);
    if (!firing) return fail(firing.error());
    firing_ = std::move(*firing);
    return {};
  }

  int report() const {
    const std::size_t errors = all_.count(Severity::Error);
    const std::size_t warnings = all_.count(Severity::Warning);
    const std::string counts = std::to_string(files_) + " file(s): " + std::to_string(errors) +
                               " error(s), " + std::to_string(warnings) + " warning(s)\n";
    for (const std::string& path : passed_over_) {
      std::cerr << path
                << ": passed over: it is no configuration, and has no rules, rule tests or mesh\n";
    }
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
  std::vector<rule::ScrapedJob> jobs_;  // Of all configurations.
  std::set<std::string> rule_paths_;    // Of rule_files_, canonical.
  std::vector<std::string> passed_over_;
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
         "On the head of a group, or above it, it does so in the group.\n"
         "Above 'groups' it silences it in the whole file.\n";
  return kOk;
}

}  // namespace

Run add_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "check",
      "Check configurations, rules, rule tests and meshes: every mistake at once, and what "
      "rules most likely did not mean");
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
  command->add_option(
      "--linkerd-version", options->linkerd,
      "Of the meshes that the rules are for, for example 2.16 or edge-25.4.1: metrics "
      "that it does not have are found, too; an edge release counts as the "
      "stable one that it led to");
  add_source_options(*command, options->source);
  return [options] {
    if (options->list) return list_checks(*options);
    if (!options->linkerd.empty() && !rule::linkerd_minor(options->linkerd)) {
      std::cerr << "not a version of Linkerd: " << options->linkerd
                << "; write one like 2.16, stable-2.14.10 or edge-25.4.1\n";
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

// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "base/replaced.h"
#include "cli/command.h"
#include "cli/replay_source.h"
#include "cli/rule_source.h"
#include "replay/comparison.h"
#include "rule/rule_diff.h"

namespace tocsin::cli {
namespace {

using rule::RuleChange;
using Kind = RuleChange::Kind;

struct Options {
  std::string before;
  std::string after;
  std::string output = "table";
  PastOptions past;

  bool is_markdown() const { return output == "markdown"; }
};

std::string headline(const std::vector<RuleChange>& changes) {
  if (changes.empty()) return "No rule has changed";
  const auto count = [&](Kind kind) {
    return std::to_string(std::count_if(changes.begin(), changes.end(),
                                        [&](const RuleChange& c) { return c.kind == kind; }));
  };
  return count(Kind::Changed) + " changed, " + count(Kind::Added) + " added, " +
         count(Kind::Removed) + " removed";
}

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

std::string as_table(const std::vector<RuleChange>& changes) {
  static constexpr std::string_view kMarks[] = {"+ ", "- ", "~ "};
  std::string out = headline(changes) + "\n";
  for (const RuleChange& change : changes) {
    out += std::string(kMarks[static_cast<std::size_t>(change.kind)]) + change.name + " in " +
           change.group + "  " + change.place.file + ":" + std::to_string(change.place.line) + "\n";
    for (const rule::FieldChange& field : change.fields) {
      out += "    " + field.field + ": " + or_nothing(field.before) + " -> " +
             or_nothing(field.after) + "\n";
    }
  }
  return out;
}

std::string for_cell(const std::string& text) { return markdown_cell(text, "<br>"); }

std::string code_cell(const std::string& text) {
  return text.empty() ? "" : "<code>" + for_cell(text) + "</code>";
}

std::string as_markdown(const std::vector<RuleChange>& changes) {
  static constexpr std::string_view kWords[] = {"added", "removed", ""};
  std::string out = "### Rules: " + headline(changes) + "\n";
  if (changes.empty()) return out;
  out += "\n| rule | what | before | after |\n| --- | --- | --- | --- |\n";
  for (const RuleChange& change : changes) {
    const std::string name = "**" + for_cell(change.name) + "**";
    const std::string_view word = kWords[static_cast<std::size_t>(change.kind)];
    if (change.fields.empty()) out += "| " + name + " | " + std::string(word) + " | | |\n";
    for (const rule::FieldChange& field : change.fields) {
      out += "| " + name + " | " + field.field + " | " + code_cell(field.before) + " | " +
             code_cell(field.after) + " |\n";
    }
  }
  return out;
}

// What became of the same past under both.
int replay_both(std::vector<rule::RuleSet>& versions, const Options& options) {
  std::vector<replay::Outcome> outcomes;
  for (rule::RuleSet& version : versions) {
    // A group of the same name is evaluated at the same slots, wherever its file is.
    for (rule::Group& group : version.groups) group.file.clear();
    auto outcome = live_through(version, options.past);
    if (!outcome) {
      std::cerr << "error: " << outcome.error().message << '\n';
      return kFailed;
    }
    outcomes.push_back(std::move(*outcome));
  }
  const replay::Comparison comparison = replay::compare(outcomes[0], outcomes[1]);
  std::cout << '\n'
            << (options.is_markdown() ? replay::comparison_markdown(comparison)
                                      : replay::comparison_text(comparison));
  return kOk;
}

int diff(const Options& options) {
  std::vector<rule::RuleSet> versions;
  for (const std::string& source : {options.before, options.after}) {
    const auto files = rule_files_from(source);
    if (!files) {
      std::cerr << files.error().message << '\n';
      return kFailed;
    }
    auto loaded = load_rules(*files);
    if (loaded.diagnostics.has_errors()) {
      std::cerr << loaded.diagnostics.text(is_terminal());
      return kFailed;
    }
    versions.push_back(std::move(loaded.rules));
  }
  const auto changes = rule::changes_between(versions[0], versions[1]);
  std::cout << (options.is_markdown() ? as_markdown(changes) : as_table(changes)) << std::flush;
  return options.past.is_given() ? replay_both(versions, options) : kOk;
}

}  // namespace

Run add_diff(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("diff",
                         "Say which rules a change adds, removes and changes, and how; with --data "
                         "also which alerts that would have made or spared");
  command
      ->add_option("OLD", options->before,
                   "A file, a folder, a pattern, or git:REVISION:PATH, like git:main:rules")
      ->required();
  command->add_option("NEW", options->after, "The same")->required();
  command->add_option("--output", options->output, "table, or markdown for a pull request")
      ->check(CLI::IsMember({"table", "markdown"}))
      ->capture_default_str();
  add_past_options(*command, options->past);
  return [options] { return diff(*options); };
}

}  // namespace tocsin::cli

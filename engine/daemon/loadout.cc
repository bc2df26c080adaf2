// SPDX-License-Identifier: Apache-2.0
#include "daemon/loadout.h"

#include "base/log.h"
#include "daemon/rule_files.h"
#include "source/relabel.h"

namespace tocsin::daemon {
namespace {

void leave_out(Loadout& loadout, const Diagnostics& problems) {
  if (!problems.has_errors()) return;
  log::error("broken rules are left out, the others run", {{"problems", problems.text()}});
  loadout.rule_problems.append(problems);
}

}  // namespace

Result<Loadout> load_all(const std::function<Result<Config>(Diagnostics&)>& load_config,
                         Strictness strictness, const std::vector<std::string>& had_files) {
  Loadout loadout;
  Diagnostics diagnostics;
  auto config = load_config(diagnostics);
  if (!config) return fail(config.error());
  if (diagnostics.has_errors()) return fail(ErrorCode::InvalidArgument, diagnostics.text());
  if (!diagnostics.empty()) log::warn("configuration", {{"warnings", diagnostics.text()}});
  loadout.config = std::move(*config);
  const auto memory = loadout.config.prometheus ? rule::Memory::Subquery : rule::Memory::Recorded;
  rule::Loaded loaded = load_rules(loadout.config.rule_files, memory, had_files);
  if (loaded.diagnostics.has_errors() && strictness == Strictness::RefuseBrokenRules) {
    return fail(ErrorCode::InvalidArgument, loaded.diagnostics.text());
  }
  leave_out(loadout, loaded.diagnostics);
  loadout.rules = std::move(loaded.rules);
  auto relabeler = source::Relabeler::compile(loadout.config.alert_relabel_configs);
  if (!relabeler) return fail(relabeler.error());
  return loadout;
}

void note_lost_files(Loadout& loadout, const std::vector<std::string>& had_files) {
  leave_out(loadout, find_lost_files(loadout.config.rule_files, had_files));
}

void say_what_waits(const Config& running, const Config& loaded) {
  const auto say = [](bool differs, const std::string& key) {
    if (differs) log::warn("a new " + key + " takes effect at the next start");
  };
  say(loaded.web.listen != running.web.listen, "web.listen");
  say(loaded.storage_path != running.storage_path, "storage.path");
  say(loaded.standby != running.standby, "standby");
}

void say_what_runs(const Config& config, const rule::RuleSet& rule_set) {
  std::size_t rules = 0;
  for (const rule::Group& group : rule_set.groups) rules += group.rules.size();
  const std::size_t receivers = config.notify.alertmanagers.size() + config.notify.receivers.size();
  log::info("running", {{"groups", std::to_string(rule_set.groups.size())},
                        {"rules", std::to_string(rules)},
                        {"scrape_jobs", std::to_string(config.scrape_configs.size())},
                        {"receivers", std::to_string(receivers)}});
  if (rules == 0) log::warn("there are no rules: nothing will ever fire");
  if (receivers == 0) log::warn("there are no receivers: alerts are only on the page");
  if (config.scrape_configs.empty() && !config.prometheus && !config.receives_writes) {
    log::warn(
        "there is no scrape_configs, prometheus or remote_write_receiver: rules have no data");
  }
}

}  // namespace tocsin::daemon

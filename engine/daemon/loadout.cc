// SPDX-License-Identifier: Apache-2.0
#include "daemon/loadout.h"

#include "base/log.h"
#include "daemon/rule_files.h"
#include "source/relabel.h"

namespace tocsin::daemon {

Result<Loadout> load_all(const std::function<Result<Config>(Diagnostics&)>& load_config,
                         Strictness strictness) {
  Loadout loadout;
  Diagnostics diagnostics;
  auto config = load_config(diagnostics);
  if (!config) return fail(config.error());
  if (diagnostics.has_errors()) return fail(ErrorCode::InvalidArgument, diagnostics.text());
  if (!diagnostics.empty()) log::warn("configuration", {{"warnings", diagnostics.text()}});
  loadout.config = std::move(*config);
  const auto memory = loadout.config.prometheus ? rule::Memory::Subquery : rule::Memory::Recorded;
  rule::Loaded loaded = load_rules(loadout.config.rule_files, memory);
  if (loaded.diagnostics.has_errors()) {
    loadout.rule_problems = loaded.diagnostics.text();
    if (strictness == Strictness::RefuseBrokenRules) {
      return fail(ErrorCode::InvalidArgument, loadout.rule_problems);
    }
    log::error("broken rules are left out, the others run", {{"problems", loadout.rule_problems}});
  }
  loadout.rules = std::move(loaded.rules);
  auto relabeler = source::Relabeler::compile(loadout.config.alert_relabel_configs);
  if (!relabeler) return fail(relabeler.error());
  return loadout;
}

}  // namespace tocsin::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/outlook.h"

#include <algorithm>
#include <optional>
#include <set>

#include "daemon/asked_series.h"
#include "daemon/eyesight.h"

namespace tocsin::daemon {
namespace {

// How far back a Prometheus is asked where series come from.
constexpr Duration kLately = std::chrono::hours(1);

Testimony testimony_of(QueryDesk& queries) {
  Testimony out;
  out.query = [&queries](const std::string& expr, Timestamp at, auto done) {
    queries.ask(expr, at, std::move(done));
  };
  out.label_values = [&queries](const std::string& label, const auto& selectors, Timestamp at,
                                auto done) {
    queries.find_label_values(label, {selectors, at - kLately, at}, std::move(done));
  };
  return out;
}

}  // namespace

Outlook::Outlook(QueryDesk& queries, Targets targets)
    : queries_(queries), targets_(std::move(targets)), witness_(testimony_of(queries)) {}

void Outlook::use(const Config& config, const rule::RuleSet& rules) {
  sources_ = RuleSources(rules);
  external_labels_ = config.external_labels;
  sees_through_another_ = sees_through_another(config);
  std::set<std::string> jobs;
  if (!config.prometheus) {
    for (const source::ScrapeConfig& job : config.scrape_configs) jobs.insert(job.job_name);
  }
  witness_.leave_out(local_names(rules), std::move(jobs));
}

void Outlook::look_around(const GroupParts::Rules& rules, Timestamp at,
                          std::function<void()> then) {
  if (!sees_through_another_) return then();
  std::vector<Reader> readers;
  for (const auto& rule : rules) readers.push_back({rule->id, sources_.of(*rule)});
  witness_.look(std::move(readers), at, std::move(then));
}

alert::Surroundings Outlook::surroundings(const rule::Rule& rule, Timestamp at,
                                          std::string external_url) {
  alert::Surroundings around;
  around.external_labels = external_labels_;
  around.external_url = std::move(external_url);
  around.query = [this, at](std::string_view expr) { return queries_.answer_now(expr, at); };
  // Most evaluations need no eyesight: nothing has disappeared.
  around.why_blind = [this, &rule, eyes = std::optional<Eyesight>()](const Labels& labels) mutable {
    if (!eyes) eyes.emplace(targets_());
    auto obstacle = eyes->why_blind(sources_.of(rule), labels);
    if (obstacle || !sees_through_another_) return obstacle;
    return witness_.why_blind({rule.id, sources_.of(rule)}, labels);
  };
  return around;
}

}  // namespace tocsin::daemon

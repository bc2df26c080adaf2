// SPDX-License-Identifier: Apache-2.0
#include "daemon/keeper.h"

#include <sstream>

#include "base/log.h"
#include "base/whole_number.h"
#include "tocsin/sample.h"

namespace tocsin::daemon {
namespace {

constexpr Duration kHistoryKept = std::chrono::hours(24 * 90);
// The longest baseline that a condition asks for, and some.
constexpr Duration kSamplesKept = std::chrono::hours(3);
constexpr const char* kTookOver = "standby.took_over";          // Milliseconds.
constexpr const char* kRulePatterns = "rule_files.with_files";  // One a line.

constexpr const char* kScrapedJobs = "jobs.scraped";  // See text_of().
constexpr const char* kAskedJobs = "jobs.asked";

// A line for each: since when it has lost its targets, in milliseconds, or "-"; its metrics, with a
// comma between them, or "-"; its name.
std::string text_of(const source::JobsSeen& jobs) {
  std::string lines;
  for (const auto& [name, job] : jobs) {
    if (name.find('\n') != std::string::npos) continue;
    std::string metrics;
    for (const std::string& metric : job.metrics) metrics += (metrics.empty() ? "" : ",") + metric;
    lines += (job.lost ? std::to_string(to_millis(*job.lost)) : "-") + " " +
             (metrics.empty() ? "-" : metrics) + " " + name + "\n";
  }
  return lines;
}

source::JobsSeen jobs_of(const std::string& text) {
  source::JobsSeen jobs;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string lost;
    std::string metrics;
    std::string name;
    words >> lost >> metrics;
    words.get();
    if (!std::getline(words, name)) continue;
    source::JobSeen& job = jobs[name];
    if (const auto millis = whole_number<std::int64_t>(lost)) job.lost = from_millis(*millis);
    std::istringstream list(metrics == "-" ? "" : metrics);
    for (std::string metric; std::getline(list, metric, ',');) job.metrics.insert(metric);
  }
  return jobs;
}

void log_transition(const alert::Transition& change) {
  log::info("alert " + std::string(name_of(change.from)) + " => " + std::string(name_of(change.to)),
            {{"alert", change.alert.labels.text()}, {"value", format_number(change.alert.value)}});
}

}  // namespace

Keeper::~Keeper() { write_gathered(); }

Result<void> Keeper::open(const std::string& folder) {
  if (folder.empty()) return {};
  const std::string path = folder + "/tocsin.db";
  auto database = state::Database::open(path, clock_.now());
  if (!database) return open_nothing(database.error());
  problem_ = database->set_aside();
  if (!problem_.empty()) log::error(problem_);
  auto saved = database->load();
  if (!saved) return open_nothing(saved.error().in("read " + path));
  saved_ = std::move(*saved);
  if (saved_.damaged_rows > 0) {
    log::error("parts of the state cannot be read and are left out",
               {{"path", path}, {"rows", std::to_string(saved_.damaged_rows)}});
  }
  std::istringstream patterns(saved_.settings[kRulePatterns]);
  for (std::string line; std::getline(patterns, line);) rule_patterns_.push_back(line);
  scraped_jobs_ = jobs_of(saved_.settings[kScrapedJobs]);
  asked_jobs_ = jobs_of(saved_.settings[kAskedJobs]);
  history_.assign(saved_.history.begin(), saved_.history.end());
  log::info("alert state is kept on disk", {{"path", path},
                                            {"alerts", std::to_string(saved_.alerts.size())},
                                            {"messages", std::to_string(saved_.messages.size())}});
  journal_ = std::make_unique<state::Journal>(
      std::move(*database), clock_, loop_,
      [&loop = loop_](std::function<void()> task) { loop.post(std::move(task)); });
  return {};
}

Result<void> Keeper::open_nothing(const Error& error) {
  if (error.code != ErrorCode::Io && error.code != ErrorCode::Limit) return fail(error);
  problem_ = error.message;
  log::error("state cannot be kept and lives in memory", {{"error", problem_}});
  return {};
}

notify::Notifier::Written Keeper::take_messages() {
  notify::Notifier::Written out;
  for (auto& [key, message] : saved_.messages) {
    out.messages.push_back({key.receiver, key.key, std::move(message.content), message.decided_at});
  }
  out.groups = std::move(saved_.groups);
  out.silences = std::move(saved_.silences);
  return out;
}

std::optional<Timestamp> Keeper::took_over() const {
  const auto it = saved_.settings.find(kTookOver);
  if (it == saved_.settings.end()) return std::nullopt;
  const auto millis = whole_number<std::int64_t>(it->second);
  return millis ? std::optional(from_millis(*millis)) : std::nullopt;
}

void Keeper::note_rule_patterns(std::vector<std::string> patterns) {
  if (patterns == rule_patterns_) return;
  rule_patterns_ = std::move(patterns);
  std::string lines;
  for (const std::string& pattern : rule_patterns_) lines += pattern + "\n";
  gathering().settings[kRulePatterns] = std::move(lines);
}

void Keeper::note_jobs(source::JobsSeen scraped, source::JobsSeen asked) {
  note(kScrapedJobs, std::move(scraped), scraped_jobs_);
  note(kAskedJobs, std::move(asked), asked_jobs_);
}

void Keeper::note(const char* setting, source::JobsSeen jobs, source::JobsSeen& known) {
  if (jobs == known) return;
  known = std::move(jobs);
  gathering().settings[setting] = text_of(known);
}

void Keeper::note_takeover(std::optional<Timestamp> at) {
  auto& setting = gathering().settings[kTookOver];
  setting = at ? std::optional(std::to_string(to_millis(*at))) : std::nullopt;
}

void Keeper::put(notify::WrittenMessage message, std::function<void()> written) {
  gathering().messages[{message.receiver, message.key}] =
      state::SavedMessage{std::move(message.content), message.decided_at};
  written_.push_back(std::move(written));
}

void Keeper::remove(const std::string& receiver, const std::string& key) {
  gathering().messages[{receiver, key}] = std::nullopt;
}

void Keeper::put_group(const std::string& key, std::string content) {
  gathering().groups[key] = std::move(content);
}

void Keeper::remove_group(const std::string& key) { gathering().groups[key] = std::nullopt; }

void Keeper::put_silence(const std::string& id, std::string content,
                         std::function<void()> written) {
  gathering().silences[id] = std::move(content);
  written_.push_back(std::move(written));
}

void Keeper::remove_silence(const std::string& id) { gathering().silences[id] = std::nullopt; }

void Keeper::save(const rule::Rule& rule, const alert::AlertTracker::Unsaved& unsaved) {
  state::Change& change = gathering();
  for (const Labels& labels : unsaved.gone) change.alerts[{rule.id, labels}] = std::nullopt;
  for (const alert::Alert& alert : unsaved.changed) {
    change.alerts[{rule.id, alert.labels}] =
        state::SavedAlert{rule.id, rule.content_id, rule.name, alert};
  }
}

void Keeper::note(const rule::Rule& rule, Timestamp at,
                  const std::vector<alert::Transition>& changes) {
  for (const alert::Transition& change : changes) {
    log_transition(change);
    const auto summary = change.alert.annotations.find("summary");
    state::HistoryEntry entry{at,
                              rule.name,
                              change.from,
                              change.to,
                              change.alert.labels,
                              change.alert.value,
                              summary == change.alert.annotations.end() ? "" : summary->second};
    history_.push_front(entry);
    gathering().history.push_back(std::move(entry));
  }
  while (history_.size() > state::kHistoryLoaded) history_.pop_back();
}

void Keeper::record(Timestamp at, const promql::Vector& series) {
  if (!journal_) return;
  for (const promql::Element& element : series) {
    gathering().samples.push_back({element.labels, at, element.sample.value});
  }
}

void Keeper::prune() {
  gathering().history_from = clock_.now() - kHistoryKept;
  gathering().samples_from = clock_.now() - kSamplesKept;
}

api::StateStatus Keeper::status() const {
  api::StateStatus status;
  status.is_kept = is_open();
  status.error = problem_;
  if (!journal_) {
    status.works = problem_.empty();
    return status;
  }
  const state::Journal::Health health = journal_->health();
  status.was_set_aside = !problem_.empty();
  status.works = health.works;
  if (!health.works) {
    status.error = health.error;
    status.since = health.since;
  }
  status.bytes = health.bytes;
  status.last_commit_seconds = health.last_commit_seconds;
  return status;
}

// The change of this turn of the loop; it is written when the turn is over.
state::Change& Keeper::gathering() {
  if (is_gathering_) return gathered_;
  is_gathering_ = true;
  loop_.post([self = std::weak_ptr(self_)] {
    if (const auto keeper = self.lock()) (*keeper)->write_gathered();
  });
  return gathered_;
}

void Keeper::write_gathered() {
  if (!is_gathering_) return;
  is_gathering_ = false;
  state::Change change = std::exchange(gathered_, {});
  auto written = std::exchange(written_, {});
  const auto call_all = [written = std::move(written)] {
    for (const auto& call : written) call();
  };
  if (!journal_) return call_all();
  journal_->write(std::move(change), call_all);
}

}  // namespace tocsin::daemon

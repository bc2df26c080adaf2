// SPDX-License-Identifier: Apache-2.0
//
// Keeper writes down what must outlive the process: alerts, messages that are not delivered, what
// groups have been told, the history, and the recordings that rules look back at. What is given to
// it within one turn of the loop is one transaction: an alert never becomes "sent" without its
// message.
//
// Without a folder everything lives in memory: messages count as written at once, and the history
// is as long as the process.
//
// Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/backend.h"
#include "net/loop.h"
#include "notify/notifier.h"
#include "notify/outbox.h"
#include "source/target.h"
#include "state/journal.h"
#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

class Keeper : public notify::Outbox {
 public:
  Keeper(const Clock& clock, net::Loop& loop) : clock_(clock), loop_(loop) {}
  ~Keeper() override;

  // Opens what is kept in `folder`, and reads it; empty: nothing is kept. Call once, at start.
  // Fails when another process has the folder or a newer Tocsin wrote it. A disk that does not let
  // anybody read or write is no reason not to watch: then nothing is kept, and status() says why.
  Result<void> open(const std::string& folder);
  bool is_open() const { return journal_ != nullptr; }

  // What was read. For each, call once.
  std::vector<state::SavedAlert> take_alerts() { return std::move(saved_.alerts); }
  std::vector<state::RecordedSample> take_samples() { return std::move(saved_.samples); }
  notify::Notifier::Written take_messages();
  // Since when this one, a standby, had told in the first one's place.
  std::optional<Timestamp> took_over() const;
  // The patterns of rule_files that have named files: as noted last.
  const std::vector<std::string>& rule_patterns() const { return rule_patterns_; }

  // Jobs that had targets, as noted last: those that are scraped here, and those of a Prometheus.
  const source::JobsSeen& scraped_jobs() const { return scraped_jobs_; }
  const source::JobsSeen& asked_jobs() const { return asked_jobs_; }

  void put(notify::WrittenMessage message, std::function<void()> written) override;
  void remove(const std::string& receiver, const std::string& key) override;
  void put_group(const std::string& key, std::string content) override;
  void remove_group(const std::string& key) override;
  void put_silence(const std::string& id, std::string content,
                   std::function<void()> written) override;
  void remove_silence(const std::string& id) override;
  void note_takeover(std::optional<Timestamp> at);
  void note_rule_patterns(std::vector<std::string> patterns);
  void note_jobs(source::JobsSeen scraped, source::JobsSeen asked);

  void save(const rule::Rule& rule, const alert::AlertTracker::Unsaved& unsaved);
  // For the history, and the log.
  void note(const rule::Rule& rule, Timestamp at, const std::vector<alert::Transition>& changes);
  void record(Timestamp at, const promql::Vector& series);
  // Forgets what is older than anybody wants.
  void prune();

  // The newest first.
  const std::deque<state::HistoryEntry>& history() const { return history_; }

  api::StateStatus status() const;

 private:
  Result<void> open_nothing(const Error& error);
  void note(const char* setting, source::JobsSeen jobs, source::JobsSeen& known);
  state::Change& gathering();
  void write_gathered();

  const Clock& clock_;
  net::Loop& loop_;
  std::unique_ptr<state::Journal> journal_;
  std::string problem_;  // Of opening; may be empty.
  state::Saved saved_;
  std::vector<std::string> rule_patterns_;
  source::JobsSeen scraped_jobs_;
  source::JobsSeen asked_jobs_;
  state::Change gathered_;
  std::vector<std::function<void()>> written_;  // To call when gathered_ is durable.
  bool is_gathering_ = false;
  std::deque<state::HistoryEntry> history_;
  // Tasks of the loop may outlive the keeper.
  const std::shared_ptr<Keeper*> self_ = std::make_shared<Keeper*>(this);
};

}  // namespace tocsin::daemon

// SPDX-License-Identifier: Apache-2.0
//
// Backend is what the API and the page may ask of the running daemon, which implements it. Answers
// are snapshots by value.
//
// Loop thread only.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/kept.h"
#include "notify/notifier.h"
#include "source/scrape_stats.h"
#include "source/target.h"
#include "source/write_receiver.h"
#include "state/change.h"
#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"
#include "tocsin/store.h"

namespace tocsin::api {

enum class RuleHealth { Unknown, Ok, Failing };
std::string_view name_of(RuleHealth health);  // "unknown", "ok", "err": Prometheus' words.

// Where a rule stands.
struct RuleOrigin {
  std::string file;
  int line = 0;          // 0: unknown.
  std::string revision;  // What Git calls the state of the file; empty where it is not in Git.

  std::string place() const { return line > 0 ? file + ":" + std::to_string(line) : file; }
};

struct RuleStatus {
  std::shared_ptr<const rule::Rule> rule;
  RuleOrigin origin;
  RuleHealth health = RuleHealth::Unknown;
  std::string last_error;
  double evaluation_seconds = 0;
  std::optional<Timestamp> last_evaluation;
  alert::State state = alert::State::Inactive;
  std::vector<alert::Alert> alerts;  // Pending and firing.
  std::size_t held_back = 0;
  std::size_t series = 0;  // Elements of the last result.
};

struct GroupStatus {
  std::string file;
  std::string name;
  Duration interval{0};
  std::size_t limit = 0;
  double evaluation_seconds = 0;
  std::optional<Timestamp> last_evaluation;
  std::uint64_t iterations = 0;
  std::uint64_t iterations_missed = 0;
  std::uint64_t failures = 0;  // Of rule evaluations.
  std::vector<RuleStatus> rules;
};

struct ReloadStatus {
  bool successful = true;
  std::optional<Timestamp> last_success;
  std::vector<std::string> revisions;  // Of the rules that run; none where they are not in Git.
  std::string error;                   // The diagnostics of the last attempt, when it failed.
};

// What is kept beyond the process.
struct StateStatus {
  bool is_kept = false;  // Anything.
  bool works = true;     // The disk takes it.
  std::string error;     // Why not, or what was found damaged at start.
  std::optional<Timestamp> since;
  bool was_set_aside = false;  // The file was damaged at start; this is a new one.
  std::uint64_t bytes = 0;
  double last_commit_seconds = 0;
};

// One of two, of which one tells the receivers.
struct ReplicaStatus {
  bool is_first = false;
  bool tells = false;
  std::string peer;
  bool was_asked = false;              // The other one, so far.
  std::string peer_error;              // Why the other one does not answer; empty while it does.
  std::optional<Timestamp> took_over;  // A standby: since when it has told in the first's place.
  std::uint64_t takeovers = 0;

  std::string_view role() const { return is_first ? "first" : "standby"; }
};

struct ServerStatus {
  std::string external_url;
  std::map<std::string, std::string> external_labels;
  Timestamp started{};
  ReloadStatus reload;
  std::string rule_problems;     // Diagnostics of rules that were left out; may be empty.
  std::string prometheus_url;    // Where rules are evaluated; empty when it is here.
  std::string prometheus_error;  // Why it does not answer; empty while it does.
  StateStatus state;
  bool takes_silences = false;         // Over HTTP.
  std::uint64_t requests_refused = 0;  // Over the rate limit of the port.
  std::optional<ReplicaStatus> replica;
};

struct QueryRequest {
  std::string expr;
  Timestamp start{};
  Timestamp end{};   // Of a range query; otherwise equal to start.
  Duration step{0};  // 0: an instant query.
  Duration timeout = std::chrono::minutes(2);
  std::shared_ptr<const std::atomic<bool>> gone;  // Nobody waits any more; may be null.
};
using QueryCallback = std::function<void(Result<promql::Answer>)>;

// Series that match any of the selectors (`up`, `{job="x"}`); without one, all of them.
struct SeriesRequest {
  std::vector<std::string> selectors;
  // For a remote Prometheus; what is here is no older than a few minutes.
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
};
using SeriesCallback = std::function<void(Result<std::vector<Labels>>)>;
using Texts = std::set<std::string>;
using TextsCallback = std::function<void(Result<Texts>)>;

using SilenceCallback = notify::Notifier::SilenceCallback;
using WriteCallback = std::function<void(Result<source::WriteReport>)>;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual Timestamp now() const = 0;
  virtual ServerStatus status() const = 0;
  virtual bool is_ready() const = 0;

  virtual std::vector<GroupStatus> groups() const = 0;
  virtual std::vector<source::TargetStatus> targets() const = 0;
  virtual std::vector<source::DroppedTarget> dropped_targets() const = 0;
  virtual source::ScrapeStats scrape_stats() const = 0;
  virtual std::vector<notify::Notifier::ReceiverStatus> receivers() const = 0;
  virtual notify::LatencyHistogram notification_latency() const = 0;
  virtual notify::MuteCounts notifications_muted() const = 0;
  virtual store::Stats store_stats() const = 0;
  // The last transitions of alerts, the newest first.
  virtual std::vector<state::HistoryEntry> history() const = 0;
  // The metrics with the most series first.
  virtual std::vector<KeptMetric> kept() const = 0;

  // `done` is called once, on the loop thread, later or at once.
  virtual void query(const QueryRequest& request, QueryCallback done) = 0;
  // The labels of the series; the names of their labels; the values of one label.
  virtual void series(const SeriesRequest& request, SeriesCallback done) = 0;
  virtual void label_names(const SeriesRequest& request, TextsCallback done) = 0;
  virtual void label_values(const std::string& label, const SeriesRequest& request,
                            TextsCallback done) = 0;
  // Those that hold first. What is changed is answered once it is written; see notify::SilenceBook.
  virtual std::vector<notify::Silence> silences() const = 0;
  virtual void put_silence(notify::Silence silence, SilenceCallback done) = 0;
  virtual void expire_silence(const std::string& id, SilenceCallback done) = 0;
  // Why no receiver of Tocsin's own is told of this alert, which is one of groups().
  virtual std::optional<notify::Mute> mute_of(const alert::Alert& alert) const = 0;
  // Where to look for more, by name, as receivers are told: the configuration's `links`.
  virtual std::map<std::string, std::string> links_of(const alert::Alert& alert) const = 0;
  // What the other of two replicas is to know; nothing where there is none.
  virtual std::optional<std::string> replica_report() const = 0;
  // A body of remote write. Fails with NotFound where nobody receives.
  virtual void write(std::string body, WriteCallback done) = 0;
  // The error is the diagnostics' text.
  virtual void reload(std::function<void(Result<void>)> done) = 0;
};

}  // namespace tocsin::api

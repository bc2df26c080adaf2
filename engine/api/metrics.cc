// SPDX-License-Identifier: Apache-2.0
#include "api/metrics.h"

#include <algorithm>
#include <map>
#include <span>

#include "api/text_format.h"
#include "tocsin/sample.h"
#include "tocsin/version.h"

namespace tocsin::api {
namespace {

// One line of a family: what follows its name, and the value.
struct Row {
  std::string labels;  // `job="x"`; may be empty.
  double value = 0;
  std::string_view suffix = {};  // "_bucket", "_sum", "_count" of a histogram.
};
using Rows = std::vector<Row>;

struct Source {
  const Snapshot& snapshot;
  const ProcessUsage& process;
};

struct Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  Rows (*rows)(const Source& source);  // Nothing is printed of a family that has none.
};

double number(std::uint64_t count) { return static_cast<double>(count); }

Rows one(double value) { return {{.labels = {}, .value = value}}; }

Rows perhaps(const std::optional<double>& value) { return value ? one(*value) : Rows{}; }

// ---- Rule groups.

// Prometheus names a group by its file and its name.
template <class Value>
Rows by_group(const Source& source, Value value) {
  Rows out;
  for (const GroupStatus& group : source.snapshot.groups) {
    out.push_back({label_pair("rule_group", group.file + ";" + group.name), value(group)});
  }
  return out;
}

Rows group_duration(const Source& s) {
  return by_group(s, [](const GroupStatus& g) { return g.evaluation_seconds; });
}
Rows group_last_evaluation(const Source& s) {
  return by_group(s, [](const GroupStatus& g) {
    return g.last_evaluation ? to_seconds(*g.last_evaluation) : 0;
  });
}
Rows group_interval(const Source& s) {
  return by_group(s, [](const GroupStatus& g) { return to_seconds(g.interval); });
}
Rows group_iterations(const Source& s) {
  return by_group(s, [](const GroupStatus& g) { return number(g.iterations); });
}
Rows group_missed(const Source& s) {
  return by_group(s, [](const GroupStatus& g) { return number(g.iterations_missed); });
}
Rows group_failures(const Source& s) {
  return by_group(s, [](const GroupStatus& g) { return number(g.failures); });
}

Rows alerts_by_state(const Source& s) {
  std::map<alert::State, double> counts{{alert::State::Pending, 0}, {alert::State::Firing, 0}};
  for (const GroupStatus& group : s.snapshot.groups) {
    for (const RuleStatus& rule : group.rules) {
      for (const alert::Alert& alert : rule.alerts) ++counts[alert.state];
    }
  }
  Rows out;
  for (const alert::State state : {alert::State::Pending, alert::State::Firing}) {
    out.push_back({label_pair("state", alert::name_of(state)), counts[state]});
  }
  return out;
}

// No line while everything is seen.
Rows blind_alerts(const Source& s) {
  std::map<std::string, double> by_cause;
  for (const GroupStatus& group : s.snapshot.groups) {
    for (const RuleStatus& rule : group.rules) {
      for (const alert::Alert& alert : rule.alerts) {
        if (alert.blind) ++by_cause[alert.blind->obstacle.cause];
      }
    }
  }
  Rows out;
  for (const auto& [cause, count] : by_cause) out.push_back({label_pair("cause", cause), count});
  return out;
}

Rows flapping_alerts(const Source& s) {
  double count = 0;
  for (const GroupStatus& group : s.snapshot.groups) {
    for (const RuleStatus& rule : group.rules) {
      for (const alert::Alert& alert : rule.alerts) count += alert.flapping_since ? 1 : 0;
    }
  }
  return one(count);
}

// ---- State.

Rows state_kept(const Source& s) { return one(s.snapshot.status.state.is_kept ? 1 : 0); }
Rows state_works(const Source& s) { return one(s.snapshot.status.state.works ? 1 : 0); }
Rows state_set_aside(const Source& s) { return one(s.snapshot.status.state.was_set_aside ? 1 : 0); }
Rows state_bytes(const Source& s) { return one(number(s.snapshot.status.state.bytes)); }
Rows state_commit(const Source& s) { return one(s.snapshot.status.state.last_commit_seconds); }

// ---- The port.

Rows requests_refused(const Source& s) { return one(number(s.snapshot.status.requests_refused)); }

// ---- Two replicas.

Rows replica_row(const Source& s, double (*value)(const ReplicaStatus&)) {
  const auto& replica = s.snapshot.status.replica;
  if (!replica) return {};
  return {{label_pair("role", replica->role()), value(*replica)}};
}
Rows replica_tells(const Source& s) {
  return replica_row(s, [](const ReplicaStatus& replica) { return replica.tells ? 1.0 : 0.0; });
}
Rows replica_peer_up(const Source& s) {
  return replica_row(
      s, [](const ReplicaStatus& replica) { return replica.peer_error.empty() ? 1.0 : 0.0; });
}
Rows replica_takeovers(const Source& s) {
  return replica_row(s, [](const ReplicaStatus& replica) { return number(replica.takeovers); });
}

// ---- Samples and scrapes.

Rows series(const Source& s) { return one(number(s.snapshot.store.series)); }
Rows store_bytes(const Source& s) { return one(number(s.snapshot.store.bytes)); }
Rows appended(const Source& s) { return one(number(s.snapshot.scrapes.samples_appended)); }
Rows samples_read(const Source& s) { return one(number(s.snapshot.scrapes.samples_scraped)); }
Rows scrapes(const Source& s) { return one(number(s.snapshot.scrapes.scrapes)); }
Rows scrape_failures(const Source& s) { return one(number(s.snapshot.scrapes.failures)); }
Rows scrape_slots_missed(const Source& s) { return one(number(s.snapshot.scrapes.missed_slots)); }

Rows dropped(const Source& s) {
  const source::DropCounts& drops = s.snapshot.scrapes.drops;
  return {{label_pair("reason", "duplicate"), number(drops.duplicate)},
          {label_pair("reason", "out_of_order"), number(drops.out_of_order)},
          {label_pair("reason", "too_far_ahead"), number(drops.too_far_ahead)}};
}

// ---- What is kept, by metric, and who asks for it.

Rows metric_series(const Source& s) {
  Rows out;
  for (const KeptMetric& metric : s.snapshot.kept) {
    out.push_back({label_pair("metric", metric.name), number(metric.series)});
  }
  return out;
}

Rows metric_history(const Source& s) {
  Rows out;
  for (const KeptMetric& metric : s.snapshot.kept) {
    out.push_back({label_pair("metric", metric.name), to_seconds(metric.history)});
  }
  return out;
}

std::string asker_pairs(const KeepReason& reason) {
  std::string out = label_pair("by", name_of(reason.why));
  if (!reason.group.empty()) {
    add_pair(out, label_pair("rule_group", reason.file + ";" + reason.group));
    add_pair(out, label_pair("rule", reason.name));
  } else if (!reason.name.empty()) {
    add_pair(out, label_pair("selector", reason.name));
  }
  return out;
}

// Rules of the same group and name are one line.
Rows metric_asked(const Source& s) {
  Rows out;
  for (const KeptMetric& metric : s.snapshot.kept) {
    std::map<std::string, double> askers;
    for (const KeepReason& reason : metric.reasons) {
      double& history = askers[asker_pairs(reason)];
      history = std::max(history, to_seconds(reason.history));
    }
    for (const auto& [pairs, history] : askers) {
      out.push_back({label_pair("metric", metric.name) + "," + pairs, history});
    }
  }
  return out;
}

// ---- Targets.

Rows targets_by_health(const Source& s) {
  std::map<std::pair<std::string, source::Health>, double> counts;
  for (const source::TargetStatus& status : s.snapshot.targets) {
    for (const source::Health health :
         {source::Health::Unknown, source::Health::Up, source::Health::Down}) {
      counts[{status.target.job, health}] += health == status.health ? 1 : 0;
    }
  }
  Rows out;
  for (const auto& [key, count] : counts) {
    out.push_back(
        {label_pair("job", key.first) + "," + label_pair("health", source::health_name(key.second)),
         count});
  }
  return out;
}

// `counts` are of one bucket each; the last one may be that of +Inf, otherwise `total` tells it.
Rows histogram(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum,
               std::uint64_t total) {
  Rows out;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    so_far += counts[i];
    out.push_back({label_pair("le", format_number(bounds[i])), number(so_far), "_bucket"});
  }
  out.push_back({label_pair("le", "+Inf"), number(total), "_bucket"});
  out.push_back({{}, sum, "_sum"});
  out.push_back({{}, number(total), "_count"});
  return out;
}

Rows scrape_duration(const Source& s) {
  const source::DurationHistogram& h = s.snapshot.scrapes.duration_seconds;
  return histogram(source::DurationHistogram::kBounds, h.counts, h.sum, h.count);
}

// ---- Notifications. A receiver may have several queues; its lines are sums.

template <class Value>
Rows by_receiver(const Source& source, Value value) {
  std::map<std::string, double> sums;
  for (const auto& receiver : source.snapshot.receivers) {
    sums[receiver.name] += number(value(receiver.stats));
  }
  Rows out;
  for (const auto& [name, sum] : sums) out.push_back({label_pair("receiver", name), sum});
  return out;
}

using notify::DeliveryStats;
Rows sent(const Source& s) {
  return by_receiver(s, [](const DeliveryStats& stats) { return stats.sent; });
}
Rows failed(const Source& s) {
  return by_receiver(s, [](const DeliveryStats& stats) { return stats.failed; });
}
Rows given_up(const Source& s) {
  return by_receiver(s, [](const DeliveryStats& stats) { return stats.given_up; });
}
Rows waiting(const Source& s) {
  return by_receiver(s, [](const DeliveryStats& stats) { return stats.waiting; });
}

Rows muted(const Source& s) {
  Rows out;
  for (std::size_t i = 0; i < notify::kMuteReasons; ++i) {
    const auto reason = static_cast<notify::MuteReason>(i);
    out.push_back({label_pair("reason", notify::name_of(reason)),
                   static_cast<double>(s.snapshot.notifications_muted[i])});
  }
  return out;
}

Rows notification_latency(const Source& s) {
  const notify::LatencyHistogram& h = s.snapshot.notification_latency;
  std::uint64_t total = 0;
  for (const std::uint64_t count : h.counts) total += count;
  return histogram(notify::LatencyHistogram::kBounds, h.counts, h.sum, total);
}

// ---- The daemon and its process.

Rows reload_successful(const Source& s) { return one(s.snapshot.status.reload.successful ? 1 : 0); }
Rows reload_time(const Source& s) {
  const auto& last = s.snapshot.status.reload.last_success;
  return last ? one(to_seconds(*last)) : Rows{};
}
Rows rule_revisions(const Source& s) {
  Rows out;
  for (const std::string& revision : s.snapshot.status.reload.revisions) {
    out.push_back({label_pair("revision", revision), 1});
  }
  return out;
}
Rows build(const Source&) {
  return {{label_pair("version", version()) + "," + label_pair("revision", revision()), 1}};
}

Rows cpu(const Source& s) { return perhaps(s.process.cpu_seconds); }
Rows resident(const Source& s) { return perhaps(s.process.resident_bytes); }
Rows virtual_memory(const Source& s) { return perhaps(s.process.virtual_bytes); }
Rows open_fds(const Source& s) { return perhaps(s.process.open_files); }
Rows max_fds(const Source& s) { return perhaps(s.process.max_files); }
Rows start_time(const Source& s) { return perhaps(s.process.start_seconds); }

constexpr Family kFamilies[] = {
    {"tocsin_alerts", "gauge", "Alerts that are pending or firing.", alerts_by_state},
    {"tocsin_alerts_blind", "gauge",
     "Alerts that cannot be seen at the moment and are kept as they were, by what is in the way.",
     blind_alerts},
    {"tocsin_alerts_flapping", "gauge", "Alerts that come and go, and count as firing.",
     flapping_alerts},
    {"tocsin_state_kept", "gauge", "Whether state outlives the process.", state_kept},
    {"tocsin_state_writable", "gauge", "Whether the disk took the last change of state.",
     state_works},
    {"tocsin_state_set_aside", "gauge",
     "Whether the state was found damaged at start, and begun anew.", state_set_aside},
    {"tocsin_state_bytes", "gauge", "Size of the state's file.", state_bytes},
    {"tocsin_state_last_commit_seconds", "gauge", "How long the last write of state took.",
     state_commit},
    {"tocsin_http_requests_refused_total", "counter",
     "Requests that were answered 429 because their client asked more often than web.rate_limit.",
     requests_refused},
    {"tocsin_replica_tells", "gauge",
     "With a standby: whether this one of the two replicas tells the receivers.", replica_tells},
    {"tocsin_replica_peer_up", "gauge", "With a standby: whether the other replica answers.",
     replica_peer_up},
    {"tocsin_replica_takeovers_total", "counter",
     "With a standby: how often this one has gone on in the first one's place.", replica_takeovers},
    {"tocsin_build_info", "gauge", "What this build is; always 1.", build},
    {"tocsin_config_last_reload_successful", "gauge",
     "Whether the last attempt to load the configuration succeeded.", reload_successful},
    {"tocsin_config_last_reload_success_timestamp_seconds", "gauge",
     "When the configuration was last loaded.", reload_time},
    {"tocsin_rules_revision_info", "gauge", "What Git calls the rules that run; always 1.",
     rule_revisions},
    {"tocsin_rule_group_last_duration_seconds", "gauge",
     "How long the last evaluation of the group took.", group_duration},
    {"tocsin_rule_group_last_evaluation_timestamp_seconds", "gauge",
     "When the group was last evaluated.", group_last_evaluation},
    {"tocsin_rule_group_interval_seconds", "gauge", "How often the group is to be evaluated.",
     group_interval},
    {"tocsin_rule_group_iterations_total", "counter", "Evaluations of the group.",
     group_iterations},
    {"tocsin_rule_group_iterations_missed_total", "counter",
     "Evaluations that were left out because the one before was not done.", group_missed},
    {"tocsin_rule_evaluation_failures_total", "counter", "Rule evaluations that failed.",
     group_failures},
    {"tocsin_series", "gauge", "Series in the store.", series},
    {"tocsin_store_bytes", "gauge", "Memory that the store's samples and labels take, about.",
     store_bytes},
    {"tocsin_samples_appended_total", "counter", "Samples that were written to the store.",
     appended},
    {"tocsin_samples_read_total", "counter",
     "Samples that were read, kept or not: lines of scraped pages, samples of remote write.",
     samples_read},
    {"tocsin_metric_series", "gauge",
     "Series in the store, by metric; 0 where it is asked for and not there.", metric_series},
    {"tocsin_metric_history_seconds", "gauge", "How far back the metric is asked for.",
     metric_history},
    {"tocsin_metric_asked_seconds", "gauge",
     "Who asks for the metric, and how far back: rules that read or record it, keep.",
     metric_asked},
    {"tocsin_samples_dropped_total", "counter",
     "Samples of accepted pages that were not written to the store.", dropped},
    {"tocsin_scrapes_total", "counter", "Scrapes of all targets.", scrapes},
    {"tocsin_scrape_failures_total", "counter", "Scrapes that failed.", scrape_failures},
    {"tocsin_scrape_slots_missed_total", "counter",
     "Scrapes that were left out because the one before was not done.", scrape_slots_missed},
    {"tocsin_scrape_duration_seconds", "histogram", "How long scrapes took.", scrape_duration},
    {"tocsin_targets", "gauge", "Targets, by how their last scrape went.", targets_by_health},
    {"tocsin_notifications_sent_total", "counter", "Messages that the receiver took.", sent},
    {"tocsin_notifications_failed_total", "counter", "Attempts to deliver that did not succeed.",
     failed},
    {"tocsin_notifications_given_up_total", "counter",
     "Refusals: the receiver said that it will not take the message.", given_up},
    {"tocsin_notifications_suppressed_total", "counter",
     "Alerts that a message left out, because nobody was to be told of them then.", muted},
    {"tocsin_outbox_length", "gauge", "Messages that wait to be delivered.", waiting},
    {"tocsin_notification_latency_seconds", "histogram",
     "From the evaluation that decided to the receiver's 2xx.", notification_latency},
    {"process_cpu_seconds_total", "counter", "CPU time of user and system.", cpu},
    {"process_resident_memory_bytes", "gauge", "Resident memory size.", resident},
    {"process_virtual_memory_bytes", "gauge", "Virtual memory size.", virtual_memory},
    {"process_open_fds", "gauge", "Open file descriptors.", open_fds},
    {"process_max_fds", "gauge", "Most file descriptors that may be open.", max_fds},
    {"process_start_time_seconds", "gauge", "When the process was started.", start_time},
};

void append(std::string& out, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) out += part;
}

void write(std::string& out, const Family& family, const Rows& rows) {
  if (rows.empty()) return;
  append(out, {"# HELP ", family.name, " ", family.help, "\n"});
  append(out, {"# TYPE ", family.name, " ", family.type, "\n"});
  for (const Row& row : rows) {
    append(out, {family.name, row.suffix});
    if (!row.labels.empty()) append(out, {"{", row.labels, "}"});
    append(out, {" ", format_number(row.value), "\n"});
  }
}

}  // namespace

std::vector<std::string_view> metric_names() {
  std::vector<std::string_view> names;
  for (const Family& family : kFamilies) {
    if (family.name.starts_with("tocsin_")) names.push_back(family.name);
  }
  return names;
}

std::string metrics_text(const Snapshot& snapshot, const ProcessUsage& process) {
  const Source source{snapshot, process};
  std::string out;
  for (const Family& family : kFamilies) write(out, family, family.rows(source));
  return out;
}

}  // namespace tocsin::api

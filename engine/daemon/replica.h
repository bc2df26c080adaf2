// SPDX-License-Identifier: Apache-2.0
//
// Replica decides whether this Tocsin or the other one of two tells the receivers. Both evaluate
// everything; the first tells. The other one asks it again and again how it is and what it has
// told; when it has not answered for a while, or evaluates nothing, the standby goes on in its
// place, as if it had been the first all along. When the first is back, it waits until the standby
// has fallen silent, and takes over from it what that has told meanwhile.
//
// There is nobody to arbitrate: while the two cannot reach each other and both live, both tell.
//
// Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/backend.h"
#include "net/client_config.h"
#include "net/http_client.h"
#include "notify/notifier.h"
#include "tocsin/clock.h"

namespace tocsin::daemon {

struct ReplicaConfig {
  bool is_first = false;  // The other one is its standby.
  std::string url;        // Of the other one.
  Duration after = std::chrono::minutes(1);
  net::ClientConfig client;

  bool operator==(const ReplicaConfig&) const = default;
};

// What one says of itself to the other.
struct ReplicaReport {
  bool tells = false;
  bool evaluates = false;
  // It has told in the first's place, and the first does not know yet what.
  bool took_over = false;
  notify::Notifier::Written told;
};
std::string encode(const ReplicaReport& report);
// Fails with Parse.
Result<ReplicaReport> decode_report(std::string_view text);

class Replica {
 public:
  struct Parts {
    net::HttpSender& http;
    Scheduler& scheduler;
    const Clock& clock;
    notify::Notifier& notifier;
    std::function<bool()> evaluates;
    // Since when a standby has told in the first's place, for the next process; nothing: it no
    // longer does, and the first knows what it told. May be empty.
    std::function<void(std::optional<Timestamp>)> note_takeover = {};
  };
  // The parts must outlive the object.
  Replica(Parts parts, ReplicaConfig config);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Begins in silence. Call once, when the notifier knows what it knew before a restart; a first
  // one's must have been silent then (Notifier::set_silent). `took_over` is what note_takeover was
  // told last, by the process before: a standby that ended while it told goes on as soon as the
  // first one does not answer.
  void start(std::optional<Timestamp> took_over = std::nullopt);

  // For the other one.
  std::string report() const;
  api::ReplicaStatus status() const;

 private:
  void ask();
  void take(const Result<ReplicaReport>& report);
  void take_as_first(const Result<ReplicaReport>& report);
  void take_as_standby(const Result<ReplicaReport>& report);
  void take_over(bool is_gone);
  void note_takeover(std::optional<Timestamp> at);
  void speak();
  void fall_silent();
  bool has_waited() const;

  const Parts parts_;
  const ReplicaConfig config_;
  bool tells_ = false;
  bool was_asked_ = false;              // The other one.
  std::optional<Timestamp> took_over_;  // As long as the first does not know what was told.
  std::uint64_t takeovers_ = 0;
  std::chrono::nanoseconds heard_{0};  // When the other one was last well.
  notify::Notifier::Written told_;     // By the first, as last heard.
  std::string peer_error_ = "has not been asked yet";
  std::optional<net::HttpSender::RequestId> request_;
  std::optional<Scheduler::TaskId> task_;
};

}  // namespace tocsin::daemon

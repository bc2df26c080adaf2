// SPDX-License-Identifier: Apache-2.0
#include "daemon/replica.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"
#include "net/url.h"

namespace tocsin::daemon {
namespace json = boost::json;
namespace {

// The other one is asked so often before it counts as gone.
constexpr int kQuestions = 6;
constexpr Duration kShortestPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(10);

Duration pause_of(const ReplicaConfig& config) {
  return std::clamp(config.after / kQuestions, kShortestPause, kLongestPause);
}

Result<net::HttpRequest> question(const ReplicaConfig& config) {
  net::HttpRequest request;
  request.url = net::join_url(config.url, "/api/v1/replica");
  request.timeout = std::max(config.after / 3, kShortestPause);
  request.connect_timeout = request.timeout;
  if (auto known = net::introduce(config.client, request); !known) return fail(known.error());
  return request;
}

Result<ReplicaReport> report_of(const net::HttpResult& response) {
  if (!response) return fail(response.error());
  if (response->status != 200) {
    return fail(ErrorCode::Unavailable,
                "server returned HTTP status " + std::to_string(response->status));
  }
  return decode_report(response->body);
}

json::object texts(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [key, text] : map) out[key] = text;
  return out;
}

std::map<std::string, std::string> texts_of(const json::value& value) {
  return json::value_to<std::map<std::string, std::string>>(value);
}

}  // namespace

std::string encode(const ReplicaReport& report) {
  json::array messages;
  for (const notify::WrittenMessage& message : report.told.messages) {
    messages.push_back({{"receiver", message.receiver},
                        {"key", message.key},
                        {"content", message.content},
                        {"decided_at", to_millis(message.decided_at)}});
  }
  return json::serialize(json::object{{"tells", report.tells},
                                      {"evaluates", report.evaluates},
                                      {"took_over", report.took_over},
                                      {"groups", texts(report.told.groups)},
                                      {"messages", std::move(messages)},
                                      {"silences", texts(report.told.silences)}});
}

Result<ReplicaReport> decode_report(std::string_view text) {
  try {
    const json::value document = json::parse(json::string_view(text.data(), text.size()));
    ReplicaReport out;
    out.tells = document.at("tells").as_bool();
    out.evaluates = document.at("evaluates").as_bool();
    out.took_over = document.at("took_over").as_bool();
    out.told.groups = texts_of(document.at("groups"));
    out.told.silences = texts_of(document.at("silences"));
    for (const json::value& message : document.at("messages").as_array()) {
      out.told.messages.push_back({json::value_to<std::string>(message.at("receiver")),
                                   json::value_to<std::string>(message.at("key")),
                                   json::value_to<std::string>(message.at("content")),
                                   from_millis(message.at("decided_at").as_int64())});
    }
    return out;
  } catch (const std::exception& e) {
    return fail(ErrorCode::Parse, std::string("not the report of a replica: ") + e.what());
  }
}

Replica::Replica(Parts parts, ReplicaConfig config)
    : parts_(std::move(parts)), config_(std::move(config)) {}

Replica::~Replica() {
  if (request_) parts_.http.cancel(*request_);
  if (task_) parts_.scheduler.cancel(*task_);
}

void Replica::start(std::optional<Timestamp> took_over) {
  parts_.notifier.set_silent(true);
  heard_ = parts_.clock.ticks();
  if (!config_.is_first && took_over) {
    took_over_ = took_over;
    heard_ -= config_.after;  // It has waited already, before it was restarted.
  }
  log::info(config_.is_first ? "this replica tells once its standby has been asked"
                             : "this replica tells when the first one is gone",
            {{"other", config_.url}});
  ask();
}

void Replica::ask() {
  task_ = parts_.scheduler.after(pause_of(config_), [this] {
    task_.reset();
    auto request = question(config_);
    if (!request) {
      take(fail(request.error()));
      return ask();
    }
    request_ = parts_.http.send(std::move(*request), [this](const net::HttpResult& response) {
      request_.reset();
      take(report_of(response));
      ask();
    });
  });
}

void Replica::take(const Result<ReplicaReport>& report) {
  const std::string error = report ? "" : report.error().message;
  if (error.empty() != peer_error_.empty()) {
    if (report) {
      log::info("the other replica answers", {{"other", config_.url}});
    } else {
      log::warn("the other replica does not answer", {{"other", config_.url}, {"error", error}});
    }
  }
  peer_error_ = error;
  was_asked_ = true;
  if (config_.is_first) {
    take_as_first(report);
  } else {
    take_as_standby(report);
  }
}

bool Replica::has_waited() const { return parts_.clock.ticks() - heard_ >= config_.after; }

// Until it tells, it waits for its standby to fall silent, or to be gone.
void Replica::take_as_first(const Result<ReplicaReport>& report) {
  if (tells_) return;
  if (!report) {
    if (has_waited()) speak();
    return;
  }
  heard_ = parts_.clock.ticks();
  if (report->tells) return;
  parts_.notifier.adopt_silences(report->told.silences);
  if (report->took_over) parts_.notifier.adopt(report->told);
  speak();
}

void Replica::take_as_standby(const Result<ReplicaReport>& report) {
  if (!report || !report->evaluates) {
    if (!tells_ && has_waited()) take_over(!report);
    return;
  }
  heard_ = parts_.clock.ticks();
  if (tells_) {
    fall_silent();
  } else if (report->tells) {
    if (report->told.groups != told_.groups) parts_.notifier.adopt(report->told);
    parts_.notifier.adopt_silences(report->told.silences);
    told_ = report->told;
  }
  // Once the first one tells, it knows.
  if (report->tells && took_over_) note_takeover(std::nullopt);
}

void Replica::take_over(bool is_gone) {
  // One that still lives sends them itself.
  if (is_gone) parts_.notifier.take_messages(told_.messages);
  told_ = {};
  if (!took_over_) note_takeover(parts_.clock.now());
  ++takeovers_;
  log::warn("the first replica is silent: this one tells from now on",
            {{"first", config_.url}, {"error", is_gone ? peer_error_ : "it evaluates no rules"}});
  speak();
}

void Replica::note_takeover(std::optional<Timestamp> at) {
  took_over_ = at;
  if (parts_.note_takeover) parts_.note_takeover(at);
}

void Replica::speak() {
  tells_ = true;
  parts_.notifier.set_silent(false);
  if (config_.is_first) log::info("this replica tells from now on");
}

void Replica::fall_silent() {
  tells_ = false;
  parts_.notifier.set_silent(true);
  log::info("the first replica is back: this one is silent again", {{"first", config_.url}});
}

std::string Replica::report() const {
  return encode({tells_, parts_.evaluates(), took_over_.has_value(), parts_.notifier.written()});
}

api::ReplicaStatus Replica::status() const {
  return {config_.is_first, tells_, config_.url, was_asked_, peer_error_, took_over_, takeovers_};
}

}  // namespace tocsin::daemon

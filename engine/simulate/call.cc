// SPDX-License-Identifier: Apache-2.0
#include "simulate/call.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/hash.h"
#include "simulate/labels.h"

namespace tocsin::simulate {
namespace {

constexpr double kNetworkMs = 1;  // What the way adds to the client's latency.

const ServiceConfig* find_service(const Workload& w, std::string_view id) {
  for (const ServiceConfig& service : w.config.services) {
    if (w.config.name_space + "/" + service.name == id) return &service;
  }
  return nullptr;
}

void resolve_server(Call& call, const Population& population) {
  for (const auto& w : population.workloads()) {
    const ServiceConfig* service = find_service(*w, call.config.to);
    if (service == nullptr) continue;
    call.server = w.get();
    call.service = *service;
    return;
  }
}

void add_routes(Call& call) {
  double shares = 0;
  for (const RouteConfig& route : call.service.routes) shares += route.share;
  for (const RouteConfig& route : call.service.routes) {
    call.routes.push_back(
        {.name = route.name, .share = route.share / shares, .slower = route.slower});
  }
  if (call.routes.empty()) call.routes.push_back({.name = "default"});
  for (Call::Route& route : call.routes) set_slower(call, route, 1);
}

constexpr PerOutcome<OutcomeLabels> kHttp = {{{"200", false, "", "OK", ""},
                                              {"404", false, "", "", ""},
                                              {"500", true, "", "", ""},
                                              {"503", true, "", "", ""},
                                              {"500", true, "", "", ""},
                                              {"403", false, "", "", ""},
                                              {"502", true, "", "", ""},
                                              {"", true, "", "UNKNOWN", "FAIL_FAST"}}};
constexpr PerOutcome<OutcomeLabels> kGrpc = {{{"200", false, "0", "OK", ""},
                                              {"200", false, "5", "NOT_FOUND", ""},
                                              {"200", true, "2", "UNKNOWN", ""},
                                              {"200", true, "14", "UNAVAILABLE", ""},
                                              {"200", true, "13", "INTERNAL", ""},
                                              {"200", true, "7", "PERMISSION_DENIED", ""},
                                              {"200", true, "14", "UNAVAILABLE", ""},
                                              {"", true, "", "UNKNOWN", "FAIL_FAST"}}};

}  // namespace

std::string Call::client_id() const {
  return client == nullptr ? std::string() : identity_of(client->config);
}

std::vector<Call> resolve_calls(const MeshConfig& config, const Population& population) {
  std::vector<Call> out;
  for (const CallConfig& c : config.calls) {
    Call call;
    call.config = c;
    call.client = c.from.empty() ? nullptr : population.find(c.from);
    resolve_server(call, population);
    if (call.server == nullptr || (call.client == nullptr && !c.from.empty())) continue;
    call.number = out.size();
    const std::uint64_t hash = hash_bytes(c.from + ">" + c.to);
    call.wave_seconds = 1200 + static_cast<double>(hash % 1200);
    call.wave_phase = static_cast<double>(hash / 1200 % 1000) / 1000;
    add_routes(call);
    out.push_back(std::move(call));
  }
  for (Call& call : out) {
    for (const Call& other : out) {
      if (other.client == call.server && other.config.propagates > 0) call.next.push_back(&other);
    }
  }
  return out;
}

double rate_at_rest(const Call& call, Timestamp now) {
  const double turn = to_seconds(now) / call.wave_seconds + call.wave_phase;
  return call.config.rate * (1 + 0.1 * std::sin(2 * std::numbers::pi * turn));
}

Mix mix_of(const Call& call, const Effects& effects) {
  Mix mix{};
  double rest = 1;
  const auto take = [&](double share) {
    const double taken = rest * std::clamp(share, 0.0, 1.0);
    rest -= taken;
    return taken;
  };
  const auto set = [&](Outcome outcome, double share) {
    mix[static_cast<std::size_t>(outcome)] = take(share);
  };
  double carried = 0;
  for (const Call* next : call.next) carried += next->failed * next->config.propagates;
  set(Outcome::Refused, effects.refused);
  set(Outcome::Denied, effects.denied);
  take(effects.hangs);
  set(Outcome::Unavailable, effects.server_errors);
  set(Outcome::GrpcFailure, effects.grpc_errors);
  set(Outcome::ServerError, call.config.server_errors + carried);
  set(Outcome::NotFound, call.config.client_errors + effects.client_errors);
  mix[static_cast<std::size_t>(Outcome::Ok)] = rest;
  return mix;
}

double failed_share(const Mix& mix) {
  double answered = 0;
  double failed = 0;
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    answered += mix[i];
    if (kHttp[i].failure) failed += mix[i];
  }
  return answered > 0 ? failed / answered : 0;
}

void set_slower(const Call& call, Call::Route& route, double slower) {
  if (route.factor == slower) return;
  route.factor = slower;
  const double times = route.slower * slower;
  const double median = call.config.median_ms * times;
  const double p99 = std::max(call.config.p99_ms * times, median);
  route.server = Distribution(median, p99);
  route.client = Distribution(median + kNetworkMs, p99 + 2 * kNetworkMs);
}

const OutcomeLabels& labels_of(Outcome outcome, Protocol protocol) {
  const auto& all = protocol == Protocol::Grpc ? kGrpc : kHttp;
  return all[static_cast<std::size_t>(outcome)];
}

bool answered_by_app(Outcome outcome) {
  return outcome != Outcome::Denied && outcome != Outcome::Refused && outcome != Outcome::FailFast;
}

}  // namespace tocsin::simulate

// SPDX-License-Identifier: Apache-2.0
#include "simulate/traffic.h"

#include <algorithm>

namespace tocsin::simulate {
namespace {

constexpr Duration kFailFastAfter = std::chrono::seconds(3);
constexpr double kRequestBytes = 500;
constexpr double kLostInCrash = 0.1;  // Of a second's requests to a proxy that crashes.

// One route of a call on one page, and how much of it.
struct Share {
  const Call& call;
  const Call::Route& route;
  const Mix& mix;
  double requests;
};

double completed(const Mix& mix) {
  double out = 0;
  for (const double share : mix) out += share;
  return out;
}

template <class Count>
void for_each_outcome(const Share& share, Count count) {
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    if (share.mix[i] > 0) count(static_cast<Outcome>(i), share.requests * share.mix[i]);
  }
}

double share_of(const Share& share, Outcome outcome) {
  return share.mix[static_cast<std::size_t>(outcome)];
}

// The requests that get as far as the server's application.
double arrived(const Share& share) {
  return share.requests *
         (1 - share_of(share, Outcome::Refused) - share_of(share, Outcome::Denied));
}

void count_profile_route(Page& page, ClientRouteSeries& series, const Share& share) {
  page.add(series.profile.request, share.requests);
  page.add(series.actual_request, share.requests);
  for_each_outcome(share, [&](Outcome outcome, double count) {
    if (outcome == Outcome::FailFast) return;
    count_answers(page, kProfile, series.profile, {outcome, share.call.service.protocol, count},
                  share.route.client);
    SeriesId& actual = series.actual_response[static_cast<std::size_t>(outcome)];
    if (!actual.valid()) {
      actual = page.series(FamilyId::RouteActualResponse, series.profile.labels,
                           response_labels(outcome, share.call.service.protocol));
    }
    page.add(actual, count);
  });
}

void count_client_route(Page& page, ClientRouteSeries& series, const Share& share) {
  if (series.profile.labels != nullptr) {
    count_profile_route(page, series, share);
    return;
  }
  page.add(series.backend_requests, share.requests);
  for_each_outcome(share, [&](Outcome outcome, double count) {
    const auto i = static_cast<std::size_t>(outcome);
    page.add(series.statuses[i], count);
    page.add(series.backend_statuses[i], count);
    if (outcome == Outcome::FailFast) return;
    page.observe(series.duration, count, share.route.client);
    page.observe(series.backend_duration, count, share.route.client);
  });
}

void count_endpoint(Page& page, ClientSide::Endpoint& endpoint, const Share& share) {
  page.add(endpoint.requests.request, share.requests);
  for_each_outcome(share, [&](Outcome outcome, double count) {
    count_answers(page, kEndpoint, endpoint.requests, {outcome, share.call.service.protocol, count},
                  share.route.client);
    if (outcome == Outcome::Refused) page.add(endpoint.refused, count);
  });
  page.add(endpoint.tcp.written, share.requests * kRequestBytes);
  page.add(endpoint.tcp.read, share.requests * completed(share.mix) * share.call.config.bytes);
}

void count_server_route(Page& page, ServerRouteSeries& series, const Share& share) {
  if (series.profile.labels != nullptr) page.add(series.profile.request, arrived(share));
  page.add(series.requests, arrived(share));
  for_each_outcome(share, [&](Outcome outcome, double count) {
    if (!answered_by_app(outcome)) return;
    page.add(series.statuses[static_cast<std::size_t>(outcome)], count);
    page.observe(series.request_duration, count, share.route.server);
    page.observe(series.response_duration, count, share.route.server);
    if (series.profile.labels == nullptr) return;
    count_answers(page, kProfile, series.profile, {outcome, share.call.service.protocol, count},
                  share.route.server);
  });
}

void count_server(Page& page, ServerSide& side, std::size_t route, const Share& share) {
  page.add(side.denied, share.requests * share_of(share, Outcome::Denied));
  page.add(side.allowed, arrived(share));
  page.add(side.requests.request, arrived(share));
  for_each_outcome(share, [&](Outcome outcome, double count) {
    if (!answered_by_app(outcome)) return;
    count_answers(page, kEndpoint, side.requests, {outcome, share.call.service.protocol, count},
                  share.route.server);
  });
  page.add(side.tcp.read, share.requests * kRequestBytes);
  page.add(side.tcp.written, share.requests * completed(share.mix) * share.call.config.bytes);
  count_server_route(page, side.routes[route], share);
}

}  // namespace

void Traffic::step(const Step& step, const FaultSchedule& faults) {
  for (Call& call : calls_) {
    const Parties parties = parties_of(call, step.now);
    if (parties.clients.empty() && call.client != nullptr) {
      hold_connections(call, parties, 0);
    } else if (call.service.protocol == Protocol::Tcp) {
      step_tcp(call, parties, step, faults);
    } else if (parties.servers.empty()) {
      fail_fast(call, parties, step, faults);
    } else {
      step_http(call, parties, step, faults);
    }
  }
}

Traffic::Parties Traffic::parties_of(const Call& call, Timestamp now) const {
  Parties out;
  if (call.client != nullptr) out.clients = call.client->ready_pods();
  out.servers = call.server->ready_pods();
  for (const auto& pod : call.server->pods) {
    const bool just_now = pod->phase == ProxyPhase::BackingOff && pod->phase_since == now;
    if (just_now) out.crashed.push_back(pod.get());
  }
  return out;
}

void Traffic::step_http(Call& call, const Parties& parties, const Step& step,
                        const FaultSchedule& faults) {
  call.empty_since = {};
  call.failed = 0;
  const double rate = rate_at_rest(call, step.now);
  hold_connections(call, parties, 1);
  for (std::size_t r = 0; r < call.routes.size(); ++r) {
    Call::Route& route = call.routes[r];
    const Effects effects = faults.effects(call.client_name(), call.server->id, route.name);
    set_slower(call, route, effects.slower);
    const Mix mix = mix_of(call, effects);
    call.failed += route.share * failed_share(mix);
    count_route(call, r, parties, mix, rate * effects.traffic * route.share * step.seconds);
  }
}

void Traffic::count_route(const Call& call, std::size_t r, const Parties& parties, const Mix& mix,
                          double requests) {
  const Call::Route& route = call.routes[r];
  const auto servers = static_cast<double>(parties.servers.size());
  const auto clients = static_cast<double>(parties.clients.size());
  for (Pod* server : parties.servers) {
    ServerSide& side = server_side(*server, call, version_);
    count_server(server->page, side, r, {call, route, mix, requests / servers});
  }
  Mix lost{};
  lost[static_cast<std::size_t>(Outcome::Refused)] = 1;
  const double per_pair = requests / clients / servers;
  for (Pod* client : parties.clients) {
    ClientSide& side = client_side(*client, call);
    count_client_route(client->page, side.routes[r], {call, route, mix, requests / clients});
    client->page.add(side.balancer_queued, requests / clients);
    for (Pod* server : parties.servers) {
      count_endpoint(client->page, endpoint_of(*client, side, call, *server),
                     {call, route, mix, per_pair});
    }
    for (Pod* server : parties.crashed) {
      const Share share{call, route, lost, per_pair * kLostInCrash};
      count_endpoint(client->page, endpoint_of(*client, side, call, *server), share);
      count_client_route(client->page, side.routes[r], share);
    }
  }
}

// Nobody is there: requests wait, and after three seconds fail without having gone anywhere.
void Traffic::fail_fast(Call& call, const Parties& parties, const Step& step,
                        const FaultSchedule& faults) {
  if (call.empty_since == Timestamp{}) {
    call.empty_since = step.now;
    for (Pod* client : parties.clients) {
      ClientSide& side = client_side(*client, call);
      client->page.add(side.gate_shut, 1);
    }
  }
  call.failed = 1;
  hold_connections(call, parties, 0);
  if (step.now - call.empty_since < kFailFastAfter) return;
  Mix mix{};
  mix[static_cast<std::size_t>(Outcome::FailFast)] = 1;
  for (Pod* client : parties.clients) {
    ClientSide& side = client_side(*client, call);
    for (std::size_t r = 0; r < call.routes.size(); ++r) {
      const Call::Route& route = call.routes[r];
      const Effects effects = faults.effects(call.client_name(), call.server->id, route.name);
      const double requests = rate_at_rest(call, step.now) * effects.traffic * route.share *
                              step.seconds / static_cast<double>(parties.clients.size());
      client->page.add(side.fail_fast, requests);
      client->page.add(side.balancer_queued, requests);
      count_client_route(client->page, side.routes[r], {call, route, mix, requests});
    }
  }
}

// Every pair of a ready client and a ready server has that many connections, all others none.
void Traffic::hold_connections(const Call& call, const Parties& parties, double per_pair) {
  for (Pod* client : parties.clients) {
    ClientSide& side = client_side(*client, call);
    Page& page = client->page;
    if (side.app.held == 0) page.add(side.protocol, 1);
    set_connections(page, side.app, 1);
    page.set(side.balancer_ready, static_cast<double>(parties.servers.size()));
    page.set(side.balancer_pending, static_cast<double>(parties.crashed.size()));
    page.add(side.gate_open, 0);
    page.add(side.gate_shut, 0);
    for (Pod* server : parties.servers) endpoint_of(*client, side, call, *server);
    for (ClientSide::Endpoint& endpoint : side.endpoints) {
      const bool open =
          std::any_of(parties.servers.begin(), parties.servers.end(),
                      [&](const Pod* server) { return server->number == endpoint.server; });
      set_connections(page, endpoint.tcp, open ? per_pair : 0);
    }
  }
  for (Pod* server : parties.servers) {
    ServerSide& side = server_side(*server, call, version_);
    const auto clients = static_cast<double>(parties.clients.size());
    set_connections(server->page, side.tcp, call.client == nullptr ? 4 : clients * per_pair);
  }
}

}  // namespace tocsin::simulate

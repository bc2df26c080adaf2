// SPDX-License-Identifier: Apache-2.0
//
// Connections that Linkerd only passes on: databases, queues.
#include <algorithm>

#include "simulate/traffic.h"

namespace tocsin::simulate {
namespace {

constexpr double kSentBytes = 300;

// Connections that come and go, so that `held` of them are open.
struct Connections {
  double opened;
  double held;
  double bytes;  // Read, of each.
};

void pass_on(Page& page, TcpSeries& tcp, const Connections& connections) {
  set_connections(page, tcp, connections.held);
  page.add(tcp.open, connections.opened);
  page.add(tcp.closed, connections.opened);
  page.add(tcp.read, connections.opened * connections.bytes);
  page.add(tcp.written, connections.opened * kSentBytes);
}

}  // namespace

void Traffic::step_tcp(Call& call, const Parties& parties, const Step& step,
                       const FaultSchedule& faults) {
  const Effects effects = faults.effects(call.client_name(), call.server->id, "");
  const double tried = rate_at_rest(call, step.now) * effects.traffic * step.seconds;
  const auto servers = static_cast<double>(parties.servers.size());
  const auto clients = static_cast<double>(std::max<std::size_t>(parties.clients.size(), 1));
  const double refused = servers == 0 ? 1 : std::min(effects.refused, 1.0);
  const double opened = tried * (1 - refused);
  const double held = opened / step.seconds * call.config.connection_seconds;
  const auto part = [&](double n) { return Connections{opened / n, held / n, call.config.bytes}; };
  for (Pod* server : parties.servers) {
    ServerSide& side = server_side(*server, call, version_);
    pass_on(server->page, side.tcp, part(servers));
    server->page.add(side.allowed, opened / servers);
  }
  for (Pod* client : parties.clients) {
    ClientSide& side = client_side(*client, call);
    Page& page = client->page;
    pass_on(page, side.app, part(clients));
    page.add(side.protocol, tried / clients);
    page.add(side.tcp_route_open, tried / clients);
    page.add(side.tcp_route_close, opened / clients);
    page.add(side.tcp_route_error, (tried - opened) / clients);
    for (Pod* server : parties.servers) endpoint_of(*client, side, call, *server);
    for (ClientSide::Endpoint& endpoint : side.endpoints) {
      const bool there =
          std::any_of(parties.servers.begin(), parties.servers.end(),
                      [&](const Pod* server) { return server->number == endpoint.server; });
      pass_on(page, endpoint.tcp, there ? part(clients * servers) : Connections{0, 0, 0});
      if (!there) continue;
      page.add(endpoint.refused, (tried - opened) / clients / servers);
      page.add(endpoint.refused_open, (tried - opened) / clients / servers);
    }
  }
}

}  // namespace tocsin::simulate

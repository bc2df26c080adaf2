// SPDX-License-Identifier: Apache-2.0
//
// One simulated pod: who it is, in what state its proxy is, its certificate, its page. Owned by
// the population (population.h); the rest of the mesh counts on its page. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "simulate/mesh_config.h"
#include "simulate/page.h"
#include "tocsin/clock.h"

namespace tocsin::simulate {

// A proxy's leaf certificate: asked for at the start, and again when 70% of what is left of its
// life are over, whether or not the last attempt succeeded.
class Leaf {
 public:
  enum class Issuance : std::uint8_t { Works, Fails };

  bool issued() const { return expires_ > Timestamp{}; }
  Timestamp expires() const { return expires_; }
  Timestamp refreshed() const { return refreshed_; }
  int refreshes() const { return refreshes_; }

  void issue(Timestamp at, Duration lifetime);
  // As if it had been issued so long ago that `left` of its life remain.
  void age(Timestamp now, Duration lifetime, double left);
  // Asks for a new one when that is due.
  void step(Timestamp now, Duration lifetime, Issuance issuance);
  // A new process has none.
  void forget() { *this = Leaf(); }

 private:
  void plan(Timestamp now);

  Timestamp expires_{};
  Timestamp refreshed_{};
  Timestamp attempt_{};
  int refreshes_ = 0;
};

enum class ProxyPhase : std::uint8_t {
  Starting,  // Serves its page, waits for a certificate: not ready.
  Ready,
  BackingOff,  // Has crashed; answers nobody.
};

// The series of one TCP peer. Several may count on the same ones: two clients with one identity.
struct TcpSeries {
  SeriesId open;
  SeriesId connections;
  SeriesId read;
  SeriesId written;
  SeriesId closed;
  double held = 0;  // How many of the open connections are this one's.
};

// What can become of a request.
enum class Outcome : std::uint8_t {
  Ok,
  NotFound,
  ServerError,  // At rest.
  Unavailable,  // By a fault; another status, so that its series is new.
  GrpcFailure,
  Denied,
  Refused,
  FailFast,
};
inline constexpr std::size_t kOutcomeCount = 8;
template <class T>
using PerOutcome = std::array<T, kOutcomeCount>;

struct Response {
  SeriesId total;
  SeriesId latency;
};

// Requests and responses on one set of labels.
struct RequestSeries {
  LabelText labels;
  SeriesId request;
  PerOutcome<Response> responses;
};

// What a client's proxy counts per route of a service.
struct ClientRouteSeries {
  SeriesId duration;
  PerOutcome<SeriesId> statuses;
  SeriesId backend_requests;
  SeriesId backend_duration;
  PerOutcome<SeriesId> backend_statuses;
  RequestSeries profile;  // Instead of all the others, where there is a ServiceProfile.
  SeriesId actual_request;
  PerOutcome<SeriesId> actual_response;
};

// What a server's proxy counts per route.
struct ServerRouteSeries {
  SeriesId requests;
  PerOutcome<SeriesId> statuses;
  SeriesId request_duration;
  SeriesId response_duration;
  RequestSeries profile;
};

// A client's side of a call.
struct ClientSide {
  struct Endpoint {
    std::uint32_t server;  // The server pod's number.
    RequestSeries requests;
    TcpSeries tcp;
    SeriesId refused;       // tcp_close_total with an errno.
    SeriesId refused_open;  // outbound_tcp_errors_total.
  };
  std::size_t call;
  std::vector<Endpoint> endpoints;
  std::vector<ClientRouteSeries> routes;
  TcpSeries app;  // From the application to the proxy.
  SeriesId fail_fast;
  SeriesId balancer_ready;
  SeriesId balancer_pending;
  SeriesId balancer_queued;
  SeriesId gate_open;
  SeriesId gate_shut;
  SeriesId tcp_route_open;
  SeriesId tcp_route_close;
  SeriesId tcp_route_error;
  SeriesId protocol;
};

// A server's side of a call.
struct ServerSide {
  std::size_t call;
  RequestSeries requests;
  TcpSeries tcp;
  SeriesId allowed;
  SeriesId denied;
  std::vector<ServerRouteSeries> routes;
};

// What every proxy counts, whatever it is for.
struct OwnSeries {
  RequestSeries scrapes;
  RequestSeries probes;
  RequestSeries app_probes;
  SeriesId not_ready;
  SeriesId scrapes_allowed;
  SeriesId probes_allowed;
  TcpSeries admin;
  TcpSeries app;
  SeriesId stack_create;
  SeriesId stack_drop;
  SeriesId start_time, uptime, clock_time, cpu, virtual_memory, resident_memory, open_fds, max_fds,
      threads, build_info, rustls_info;
  SeriesId expiration, refresh_time, refreshes_ok, refreshes_error, old_expiration,
      old_refresh_count;
};

// A proxy's conversation with one address of the control plane.
struct ControlSeries {
  RequestSeries requests;
  SeriesId endpoints;
  SeriesId queued;
};

struct Pod {
  Pod(const WorkloadConfig& w, LinkerdVersion version)
      : workload(&w), page(Page::Owner::Proxy, version) {}

  const WorkloadConfig* workload;
  std::uint32_t number = 0;  // Never used twice in a mesh.
  std::string name;
  std::string template_hash;
  std::string uid;
  std::string ip;
  std::string node;
  Timestamp created;

  ProxyPhase phase = ProxyPhase::Starting;
  Timestamp phase_since;
  Timestamp proxy_started;
  std::int64_t restarts = 0;
  int crashes_in_a_row = 0;
  Leaf leaf;

  Page page;
  std::optional<OwnSeries> own;
  std::vector<ControlSeries> control;
  std::vector<ClientSide> calls_out;
  std::vector<ServerSide> calls_in;
  // Of a control plane's pod: by which of its addresses was asked, and who asked.
  std::map<std::pair<std::size_t, std::string>, RequestSeries> control_in;

  // A new proxy process: nothing was counted yet.
  void restart_proxy(Timestamp now);

  bool ready() const { return phase == ProxyPhase::Ready; }
  std::string key() const { return workload->name_space + "/" + name; }
};

}  // namespace tocsin::simulate

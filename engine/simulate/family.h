// SPDX-License-Identifier: Apache-2.0
//
// The families of metrics that a mesh prints, in the order in which they stand on a page, and the
// Linkerd versions that know them. A table; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "simulate/distribution.h"
#include "simulate/mesh_config.h"

namespace tocsin::simulate {

// Also the order of the page.
enum class FamilyId : std::uint8_t {
  // A proxy's first part: what its own code prints.
  InboundHttpAuthzAllow,
  InboundHttpAuthzDeny,
  InboundTcpAuthzAllow,
  OutboundHttpErrors,
  OutboundTcpErrors,
  Request,
  ResponseLatency,
  Response,
  RouteRequest,
  RouteResponseLatency,
  RouteResponse,
  RouteActualRequest,
  RouteActualResponse,
  ControlRequest,
  ControlResponseLatency,
  ControlResponse,
  TcpOpen,
  TcpOpenConnections,
  TcpReadBytes,
  TcpWriteBytes,
  TcpClose,
  StackCreate,
  StackDrop,
  OldIdentityExpiration,
  OldIdentityRefreshCount,
  // A proxy's second part: what the client library prints.
  ControlIdentityBalancerEndpoints,
  ControlIdentityBalancerQueueRequests,
  ControlDestinationBalancerEndpoints,
  ControlPolicyBalancerEndpoints,
  IdentityExpiration,
  IdentityRefreshTime,
  IdentityRefreshes,
  InboundHttpRequests,
  InboundHttpStatuses,
  InboundHttpRequestDuration,
  InboundHttpResponseDuration,
  InboundGrpcRequests,
  InboundGrpcStatuses,
  InboundGrpcRequestDuration,
  InboundGrpcResponseDuration,
  OutboundHttpBalancerEndpoints,
  OutboundHttpBalancerQueueRequests,
  OutboundHttpBalancerGateOpen,
  OutboundHttpBalancerGateShut,
  OutboundHttpRouteRequestDuration,
  OutboundHttpRouteRequestStatuses,
  OutboundHttpRouteBackendRequests,
  OutboundHttpRouteBackendResponseDuration,
  OutboundHttpRouteBackendResponseStatuses,
  OutboundGrpcRouteRequestDuration,
  OutboundGrpcRouteRequestStatuses,
  OutboundGrpcRouteBackendRequests,
  OutboundGrpcRouteBackendResponseDuration,
  OutboundGrpcRouteBackendResponseStatuses,
  OutboundTcpRouteOpen,
  OutboundTcpRouteClose,
  OutboundTcpProtocolConnections,
  ProcessStartTime,
  ProcessUptime,
  ProcessClockTime,
  ProcessCpu,
  ProcessVirtualMemory,
  ProcessResidentMemory,
  ProcessOpenFds,
  ProcessMaxFds,
  ProcessThreads,
  ProxyBuildInfo,
  RustlsInfo,
  // A control plane component.
  GrpcServerHandled,
  GrpcServerStarted,
  GoGoroutines,
  HttpServerRequests,
  InformerLag,
  EndpointUpdatesOverflow,
  IssuerTtl,
  InjectRequests,
  InjectResponses,
  GoProcessCpu,
  GoProcessResidentMemory,
  GoProcessStartTime,
};
inline constexpr std::size_t kFamilyCount =
    static_cast<std::size_t>(FamilyId::GoProcessStartTime) + 1;

// Who prints it decides how: integers and `le` last; floats, `le` first and HELP lines of families
// without series; floats with exponents.
enum class Style : std::uint8_t { Legacy, OpenMetrics, Go };
enum class Type : std::uint8_t { Counter, Gauge, Histogram };
// Whether a series is there from the beginning, with 0, or from its first count on. Of those that
// are not, the idle ones are forgotten after ten minutes, where the family says so.
enum class Life : std::uint8_t { Always, SinceUsed, UntilIdle };
enum class Number : std::uint8_t { Integer, Float };

struct Family {
  FamilyId id;
  std::string_view name;  // Without "_total" where the library adds it.
  Type type;
  Style style;
  Life life = Life::Always;
  Number number = Number::Integer;
  Bounds bounds = Bounds::None;
  LinkerdVersion since = LinkerdVersion::V2_14;
  LinkerdVersion until = LinkerdVersion::V2_20;
  std::string_view help = "";
};

const std::array<Family, kFamilyCount>& families();
inline const Family& family(FamilyId id) { return families()[static_cast<std::size_t>(id)]; }

}  // namespace tocsin::simulate

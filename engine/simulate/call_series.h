// SPDX-License-Identifier: Apache-2.0
//
// The series that a call has on the pages of its pods: found when they exist, made when they do
// not. And how one counts on them.
#pragma once

#include "simulate/call.h"
#include "simulate/pod.h"

namespace tocsin::simulate {

// Which families requests are counted in.
struct RequestFamilies {
  FamilyId request;
  FamilyId response;
  FamilyId latency;
};
inline constexpr RequestFamilies kEndpoint = {FamilyId::Request, FamilyId::Response,
                                              FamilyId::ResponseLatency};
inline constexpr RequestFamilies kProfile = {FamilyId::RouteRequest, FamilyId::RouteResponse,
                                             FamilyId::RouteResponseLatency};
inline constexpr RequestFamilies kControl = {FamilyId::ControlRequest, FamilyId::ControlResponse,
                                             FamilyId::ControlResponseLatency};

RequestSeries request_series(Page& page, const RequestFamilies& families, LabelText labels);
// `count` answers of one kind. The series of an outcome are made when it first happens.
struct Answers {
  Outcome outcome;
  Protocol protocol;
  double count;
};
void count_answers(Page& page, const RequestFamilies& families, RequestSeries& series,
                   const Answers& answers, const Distribution& latency);
// status_code, classification, grpc_status, error
std::string response_labels(Outcome outcome, Protocol protocol);

// `labels` without `direction` and `peer`.
TcpSeries tcp_series(Page& page, std::string_view direction, std::string_view peer,
                     const std::string& labels);
// Opens or closes connections until the holder of `tcp` has that many.
void set_connections(Page& page, TcpSeries& tcp, double count);

// The sides of a call on a pod's page.
ClientSide& client_side(Pod& client, const Call& call);
ServerSide& server_side(Pod& server, const Call& call, LinkerdVersion version);
ClientSide::Endpoint& endpoint_of(Pod& client, ClientSide& side, const Call& call,
                                  const Pod& server);

}  // namespace tocsin::simulate

// SPDX-License-Identifier: Apache-2.0
#include "simulate/fault_schedule.h"

#include <algorithm>
#include <utility>

namespace tocsin::simulate {
namespace {

// What a fault of the kind does to a call that it hits.
void apply(const FaultConfig& fault, Effects& e) {
  switch (fault.kind) {
    case FaultKind::ServerErrors:
      e.server_errors += fault.ratio;
      return;
    case FaultKind::ClientErrors:
      e.client_errors += fault.ratio;
      return;
    case FaultKind::GrpcErrors:
      e.grpc_errors += fault.ratio;
      return;
    case FaultKind::Slow:
      e.slower *= fault.factor;
      return;
    case FaultKind::Spike:
    case FaultKind::Drop:
      e.traffic *= fault.factor;
      return;
    case FaultKind::Hang:
      e.hangs += fault.ratio;
      return;
    case FaultKind::Deny:
      e.denied += fault.ratio;
      return;
    case FaultKind::TcpErrors:
      e.refused += fault.ratio;
      return;
    case FaultKind::ScaleToZero:
    case FaultKind::ComponentDown:
    case FaultKind::MissedRefresh:
    case FaultKind::IssuerExpiring:
    case FaultKind::CrashLoop:
    case FaultKind::Rollout:
    case FaultKind::ScrapeGap:
      return;
  }
}

}  // namespace

void FaultSchedule::set_time(Duration elapsed) {
  const std::vector<const FaultConfig*> before = std::exchange(active_, {});
  begun_.clear();
  ended_.clear();
  for (const FaultConfig& fault : faults_) {
    const bool was = std::find(before.begin(), before.end(), &fault) != before.end();
    const bool is = fault.start <= elapsed && elapsed < fault.end;
    if (is) active_.push_back(&fault);
    if (is && !was) begun_.push_back(&fault);
    if (was && !is) ended_.push_back(&fault);
  }
}

Effects FaultSchedule::effects(std::string_view client, std::string_view server,
                               std::string_view route) const {
  Effects out;
  for (const FaultConfig* fault : active_) {
    if (fault->workload != server) continue;
    if (!fault->from.empty() && fault->from != client) continue;
    if (!fault->route.empty() && fault->route != route) continue;
    apply(*fault, out);
  }
  return out;
}

const FaultConfig* FaultSchedule::on_workload(FaultKind kind, std::string_view workload) const {
  for (const FaultConfig* fault : active_) {
    if (fault->kind != kind) continue;
    if (fault->workload.empty() || fault->workload == workload) return fault;
  }
  return nullptr;
}

bool FaultSchedule::component_down(std::string_view component) const {
  return std::any_of(active_.begin(), active_.end(), [&](const FaultConfig* fault) {
    return fault->kind == FaultKind::ComponentDown && fault->component == component;
  });
}

}  // namespace tocsin::simulate

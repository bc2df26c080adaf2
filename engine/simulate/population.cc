// SPDX-License-Identifier: Apache-2.0
#include "simulate/population.h"

#include <algorithm>

#include "base/hash.h"

namespace tocsin::simulate {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStartup = 3s;         // From a proxy's start to its being ready.
constexpr Duration kStartupProbe = 120s;  // 120 failures, one a second: it is killed.
constexpr Duration kCrashesAfter = 15s;
constexpr Duration kFirstBackOff = 10s;
constexpr Duration kLongestBackOff = 5min;

// The letters of Kubernetes' generated names.
constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";

std::string generated(std::string_view seed, std::size_t length) {
  std::uint64_t hash = hash_bytes(seed);
  std::string out;
  for (std::size_t i = 0; i < length; ++i) {
    out += kLetters[(hash >> 16) % kLetters.size()];
    hash = hash_bytes(seed, hash + i);
  }
  return out;
}

// In [0, 1), the same for the same text.
double chance(std::string_view seed) {
  return static_cast<double>(hash_bytes(seed) >> 11U) / 9007199254740992.0;
}

Duration share_of(Duration whole, double share) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * share));
}

std::string ip_of(std::uint32_t number) {
  return "10." + std::to_string(42 + number / 62500) + "." + std::to_string(number / 250 % 250) +
         "." + std::to_string(number % 250 + 2);
}

std::string pod_name(const Workload& w) {
  switch (w.config.kind) {
    case WorkloadKind::Deployment:
      return w.config.name + "-" + w.template_hash + "-" +
             generated(w.id + "#" + std::to_string(w.born), 5);
    case WorkloadKind::StatefulSet:
      break;
    case WorkloadKind::DaemonSet:
      return w.config.name + "-" + generated(w.id + "#" + std::to_string(w.born), 5);
  }
  for (int ordinal = 0;; ++ordinal) {
    std::string name = w.config.name + "-" + std::to_string(ordinal);
    const bool taken = std::any_of(w.pods.begin(), w.pods.end(),
                                   [&](const auto& pod) { return pod->name == name; });
    if (!taken) return name;
  }
}

std::string new_template(const Workload& w) {
  return generated(w.id + "@" + std::to_string(w.revision), 10);
}

std::vector<WorkloadConfig> control_plane(const MeshConfig& config) {
  std::vector<WorkloadConfig> out;
  for (const char* name : {"linkerd-destination", "linkerd-identity", "linkerd-proxy-injector"}) {
    WorkloadConfig w;
    w.name_space = "linkerd";
    w.name = name;
    w.replicas = config.control_plane_replicas;
    w.service_account = name;
    out.push_back(std::move(w));
  }
  return out;
}

bool issued_by_nobody(const FaultSchedule& faults, const FaultConfig* missed) {
  return missed != nullptr || faults.component_down("identity");
}

void begin_phase(Pod& pod, ProxyPhase phase, Timestamp now) {
  pod.phase = phase;
  pod.phase_since = now;
}

Duration back_off(int crashes) {
  Duration out = kFirstBackOff;
  for (int i = 1; i < crashes && out < kLongestBackOff; ++i) out *= 2;
  return std::min(out, kLongestBackOff);
}

}  // namespace

std::vector<Pod*> Workload::ready_pods() const {
  std::vector<Pod*> out;
  for (const auto& pod : pods) {
    if (pod->ready()) out.push_back(pod.get());
  }
  return out;
}

Population::Population(const MeshConfig& config, Timestamp start)
    : version_(config.version), leaf_lifetime_(config.leaf_lifetime), now_(start) {
  std::vector<WorkloadConfig> configs = config.workloads;
  for (WorkloadConfig& w : control_plane(config)) configs.push_back(std::move(w));
  for (WorkloadConfig& c : configs) {
    auto w = std::make_unique<Workload>();
    w->config = std::move(c);
    w->id = w->config.id();
    w->template_hash = new_template(*w);
    w->wanted = w->config.replicas;
    for (std::int64_t i = 0; i < w->config.replicas; ++i) {
      add_pod(*w, start);
      give_history(*w->pods.back(), start);
    }
    workloads_.push_back(std::move(w));
  }
}

Workload* Population::find(std::string_view id) const {
  const auto found = std::find_if(workloads_.begin(), workloads_.end(),
                                  [&](const auto& w) { return w->id == id; });
  return found == workloads_.end() ? nullptr : found->get();
}

void Population::add_pod(Workload& w, Timestamp now) {
  auto pod = std::make_unique<Pod>(w.config, version_);
  pod->number = pods_born_++;
  pod->name = pod_name(w);
  ++w.born;
  pod->template_hash = w.template_hash;
  pod->uid = generated(pod->key() + "/" + std::to_string(pod->number), 12);
  pod->ip = ip_of(pod->number);
  pod->node = "node-" + std::to_string(pod->number % 3 + 1);
  pod->created = pod->proxy_started = now;
  pod->page.set_time(now);
  begin_phase(*pod, ProxyPhase::Starting, now);
  w.pods.push_back(std::move(pod));
  ++generation_;
}

void Population::remove_pod(Workload& w, std::size_t index) {
  w.pods.erase(w.pods.begin() + static_cast<std::ptrdiff_t>(index));
  ++generation_;
}

// Started between one hour and twenty before; the certificates of a fleet are spread evenly over
// the part of their life in which they are not renewed.
void Population::give_history(Pod& pod, Timestamp start) const {
  pod.created = pod.proxy_started = start - 1h - share_of(19h, chance(pod.key() + "/start"));
  begin_phase(pod, ProxyPhase::Ready, pod.created + kStartup);
  const Duration age = share_of(leaf_lifetime_, 0.68 * chance(pod.key() + "/leaf"));
  pod.leaf.issue(start - age, leaf_lifetime_);
}

void Population::step(Timestamp now, const FaultSchedule& faults) {
  now_ = now;
  begin_and_end(faults);
  for (const auto& w : workloads_) {
    scale(*w, now, faults);
    if (w->replacing) roll_out(*w, now);
    const FaultConfig* missed = faults.on_workload(FaultKind::MissedRefresh, w->id);
    issuance_ = issued_by_nobody(faults, missed) ? Leaf::Issuance::Fails : Leaf::Issuance::Works;
    const FaultConfig* crash_loop = faults.on_workload(FaultKind::CrashLoop, w->id);
    for (std::size_t i = 0; i < w->pods.size(); ++i) {
      const bool hit = crash_loop != nullptr && static_cast<std::int64_t>(i) < crash_loop->pods;
      step_pod(*w->pods[i], hit ? crash_loop : nullptr);
    }
  }
}

// What happens once: a new template, certificates that grow old, and their renewal in the end.
void Population::begin_and_end(const FaultSchedule& faults) {
  for (const FaultConfig* fault : faults.begun()) {
    Workload* w = find(fault->workload);
    if (w == nullptr) continue;
    if (fault->kind == FaultKind::Rollout) {
      ++w->revision;
      w->template_hash = new_template(*w);
      w->replacing = true;
    }
    if (fault->kind != FaultKind::MissedRefresh) continue;
    for (const auto& pod : w->pods) pod->leaf.age(now_, leaf_lifetime_, fault->remaining);
  }
  for (const FaultConfig* fault : faults.ended()) {
    Workload* w = find(fault->workload);
    if (w == nullptr || fault->kind != FaultKind::MissedRefresh) continue;
    for (const auto& pod : w->pods) pod->leaf.issue(now_, leaf_lifetime_);
  }
}

void Population::scale(Workload& w, Timestamp now, const FaultSchedule& faults) {
  const bool to_zero = faults.on_workload(FaultKind::ScaleToZero, w.id) != nullptr;
  w.wanted = to_zero ? 0 : w.config.replicas;
  while (to_zero && !w.pods.empty()) remove_pod(w, w.pods.size() - 1);
  while (static_cast<std::int64_t>(w.pods.size()) < w.wanted) add_pod(w, now);
}

// One more pod than wanted at a time; an old one goes when the new one is ready. A StatefulSet has
// its names, so the old one goes first.
void Population::roll_out(Workload& w, Timestamp now) {
  const bool all_ready =
      std::all_of(w.pods.begin(), w.pods.end(), [](const auto& pod) { return pod->ready(); });
  if (!all_ready) return;
  const auto old = std::find_if(w.pods.begin(), w.pods.end(), [&](const auto& pod) {
    return pod->template_hash != w.template_hash;
  });
  if (old == w.pods.end()) {
    w.replacing = false;
    return;
  }
  const bool surplus = static_cast<std::int64_t>(w.pods.size()) > w.wanted;
  const bool surges = w.config.kind == WorkloadKind::Deployment;
  if (surges && !surplus) {
    add_pod(w, now);
    return;
  }
  remove_pod(w, static_cast<std::size_t>(old - w.pods.begin()));
  if (!surges) add_pod(w, now);
}

void Population::step_pod(Pod& pod, const FaultConfig* crash_loop) const {
  const Duration since = now_ - pod.phase_since;
  switch (pod.phase) {
    case ProxyPhase::BackingOff:
      if (since >= back_off(pod.crashes_in_a_row)) pod.restart_proxy(now_);
      return;
    case ProxyPhase::Starting:
      pod.leaf.step(now_, leaf_lifetime_, issuance_);
      if (pod.leaf.issued() && since >= kStartup) begin_phase(pod, ProxyPhase::Ready, now_);
      if (!pod.leaf.issued() && since >= kStartupProbe) pod.restart_proxy(now_);
      return;
    case ProxyPhase::Ready:
      pod.leaf.step(now_, leaf_lifetime_, issuance_);
      if (crash_loop == nullptr) {
        if (since >= kLongestBackOff) pod.crashes_in_a_row = 0;
      } else if (pod.crashes_in_a_row == 0 || since >= kCrashesAfter) {
        ++pod.crashes_in_a_row;
        begin_phase(pod, ProxyPhase::BackingOff, now_);
      }
      return;
  }
}

}  // namespace tocsin::simulate

// SPDX-License-Identifier: Apache-2.0
#include "simulate/mesh.h"

#include "simulate/kube_state.h"
#include "simulate/labels.h"

namespace tocsin::simulate {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kKubeStatePath = "/kube-state-metrics/metrics";
// What the counters of the beginning have behind them.
constexpr Duration kHistory = 1h;
constexpr std::uint64_t kStepsPerSweep = 10;

std::string path_of(const Pod& pod) { return "/pods/" + pod.key() + "/metrics"; }
std::string path_of(const Component& c) { return "/components/" + c.key() + "/metrics"; }

}  // namespace

Mesh::Mesh(MeshConfig config, Timestamp start)
    : version_(config.version),
      start_(start),
      now_(start),
      faults_(config.faults),
      population_(config, start),
      traffic_(config, population_),
      proxies_(config.version),
      control_plane_(config, start) {
  step({.now = start, .seconds = to_seconds(kHistory)});
}

void Mesh::advance(Timestamp now) {
  while (now_ + 1s <= now) {
    now_ += 1s;
    faults_.set_time(now_ - start_);
    population_.step(now_, faults_);
    step({.now = now_, .seconds = 1});
  }
}

void Mesh::step(const Step& step) {
  const bool sweep = ++steps_ % kStepsPerSweep == 0;
  for (const auto& w : population_.workloads()) {
    for (const auto& pod : w->pods) {
      pod->page.set_time(step.now);
      if (sweep) pod->page.forget_idle();
    }
  }
  traffic_.step(step, faults_);
  proxies_.step(population_, step, faults_);
  control_plane_.step(step, population_, faults_);
}

bool Mesh::cut_off(std::string_view workload) const {
  return faults_.on_workload(FaultKind::ScrapeGap, workload) != nullptr;
}

Endpoint Mesh::endpoint_of(const Workload& w, const Pod& pod) const {
  LabelsBuilder labels;
  const bool hashed = w.config.kind == WorkloadKind::Deployment;
  labels.set("job", "linkerd-proxy")
      .set("instance", pod.ip + ":4191")
      .set("namespace", w.config.name_space)
      .set("pod", pod.name)
      .set(kind_label(w.config.kind), w.config.name)
      .set("control_plane_ns", kControlPlane)
      .set("workload_ns", w.config.name_space)
      .set(hashed ? "pod_template_hash" : "controller_revision_hash", pod.template_hash);
  return {path_of(pod), labels.build()};
}

// As in Linkerd's own configuration: neither namespace nor pod.
Endpoint Mesh::endpoint_of(const Component& component) const {
  std::string ip = component.name;
  const Workload* w = population_.find(component.workload);
  const auto replica = static_cast<std::size_t>(component.replica);
  if (w != nullptr && replica < w->pods.size()) ip = w->pods[replica]->ip;
  return {path_of(component), Labels{{"job", "linkerd-controller"},
                                     {"component", component.name},
                                     {"instance", ip + ":" + std::to_string(component.port)}}};
}

std::vector<Endpoint> Mesh::endpoints() const {
  std::vector<Endpoint> out;
  for (const auto& w : population_.workloads()) {
    for (const auto& pod : w->pods) out.push_back(endpoint_of(*w, *pod));
  }
  for (const Component& component : control_plane_.components()) {
    out.push_back(endpoint_of(component));
  }
  out.push_back({std::string(kKubeStatePath),
                 Labels{{"job", "kube-state-metrics"}, {"instance", "kube-state-metrics:8080"}}});
  return out;
}

const Pod* Mesh::find_pod(std::string_view path) const {
  if (paths_generation_ != generation()) {
    paths_.clear();
    for (const auto& w : population_.workloads()) {
      for (const auto& pod : w->pods) paths_.emplace(path_of(*pod), pod.get());
    }
    paths_generation_ = generation();
  }
  const auto found = paths_.find(std::string(path));
  return found == paths_.end() ? nullptr : found->second;
}

Mesh::Answer Mesh::render_component(std::string_view path, std::string& out) const {
  for (const Component& component : control_plane_.components()) {
    if (path_of(component) != path) continue;
    if (faults_.component_down(component.name) || cut_off(component.workload)) {
      return Answer::Unreachable;
    }
    component.page.render(out);
    return Answer::Page;
  }
  return Answer::Unknown;
}

Mesh::Answer Mesh::render(std::string_view path, std::string& out) const {
  if (path == kKubeStatePath) {
    if (cut_off("kube-system/kube-state-metrics")) return Answer::Unreachable;
    render_kube_state(population_, version_, out);
    return Answer::Page;
  }
  const Pod* pod = find_pod(path);
  if (pod == nullptr) return render_component(path, out);
  if (pod->phase == ProxyPhase::BackingOff || cut_off(pod->workload->id())) {
    return Answer::Unreachable;
  }
  pod->page.render(out);
  return Answer::Page;
}

std::size_t Mesh::series() const {
  std::size_t out = 0;
  for (const auto& w : population_.workloads()) {
    for (const auto& pod : w->pods) out += pod->page.lines();
  }
  return out;
}

}  // namespace tocsin::simulate

// SPDX-License-Identifier: Apache-2.0
//
// A Linkerd mesh that behaves: every proxy's metrics page, the control plane's, and that of
// kube-state-metrics, at the instant to which it was advanced. Faithful to the label: families,
// labels and their order, formats, life of series and buckets are those of the real proxy, so that
// whoever scrapes it cannot tell the difference. Deterministic: two meshes of one configuration
// print the same at the same instant, however they got there.
//
// It is a clockless core; mesh_server.h puts it on the network. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulate/control_plane.h"
#include "simulate/population.h"
#include "simulate/proxy_metrics.h"
#include "simulate/traffic.h"
#include "tocsin/labels.h"

namespace tocsin::simulate {

// A page that one can scrape.
struct Endpoint {
  std::string path;  // "/pods/emojivoto/web-7d4b9c-x2x5q/metrics"
  // What Prometheus knows about the target when it is configured as Linkerd's own is: job,
  // instance, and for a proxy namespace, pod and the workload under its kind.
  Labels labels;
};

class Mesh {
 public:
  enum class Answer { Page, Unreachable, Unknown };

  // At `start` the mesh is healthy and has been running for hours.
  Mesh(MeshConfig config, Timestamp start);

  // Lives until `now`, in steps of a second. An earlier instant changes nothing.
  void advance(Timestamp now);
  Timestamp now() const { return now_; }

  // Those that discovery would report, reachable or not.
  std::vector<Endpoint> endpoints() const;
  // Changes whenever endpoints() does.
  std::uint64_t generation() const { return population_.generation(); }

  // Appends the page of `path`. Unreachable: the process behind it is down, or cut off by a fault.
  Answer render(std::string_view path, std::string& out) const;

  const std::vector<const FaultConfig*>& active_faults() const { return faults_.active(); }
  Timestamp start() const { return start_; }
  // The number of sample lines of all proxies' pages.
  std::size_t series() const;

 private:
  void step(const Step& step);
  bool cut_off(std::string_view workload) const;
  Endpoint endpoint_of(const Workload& w, const Pod& pod) const;
  Endpoint endpoint_of(const Component& component) const;
  Answer render_component(std::string_view path, std::string& out) const;
  const Pod* find_pod(std::string_view path) const;

  LinkerdVersion version_;
  Timestamp start_;
  Timestamp now_;
  FaultSchedule faults_;
  Population population_;
  Traffic traffic_;
  ProxyMetrics proxies_;
  ControlPlane control_plane_;
  std::uint64_t steps_ = 0;
  // Pods by path, as of a generation.
  mutable std::unordered_map<std::string, const Pod*> paths_;
  mutable std::uint64_t paths_generation_ = ~std::uint64_t{0};
};

}  // namespace tocsin::simulate

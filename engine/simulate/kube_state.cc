// SPDX-License-Identifier: Apache-2.0
#include "simulate/kube_state.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "simulate/labels.h"
#include "tocsin/sample.h"

namespace tocsin::simulate {
namespace {

// A container of a pod, as far as the page tells about it.
struct Container {
  std::string_view name;
  bool init = false;
  bool sidecar = false;  // An init container that keeps running.
  bool running = true;
  bool ready = true;
  bool completed = false;
  std::int64_t restarts = 0;
  std::string_view waiting;          // The reason; empty when it does not wait.
  std::string_view last_terminated;  // The reason; empty when it never was.
  int exit_code = 0;
};

Container proxy_of(const Pod& pod, LinkerdVersion version) {
  const bool native = version >= LinkerdVersion::V2_20;
  const bool down = pod.phase == ProxyPhase::BackingOff;
  Container c{.name = "linkerd-proxy", .init = native, .sidecar = native};
  c.running = !down;
  c.ready = pod.ready();
  c.restarts = pod.restarts;
  if (down) c.waiting = "CrashLoopBackOff";
  if (down || pod.restarts > 0) {
    c.last_terminated = "Error";
    c.exit_code = 1;
  }
  return c;
}

// A pod whose native sidecar never got ready has not begun to start the rest.
bool is_pending(const Pod& pod, LinkerdVersion version) {
  return version >= LinkerdVersion::V2_20 && pod.phase == ProxyPhase::Starting &&
         pod.crashes_in_a_row == 0;
}

std::vector<Container> containers_of(const Pod& pod, LinkerdVersion version) {
  Container init{.name = "linkerd-init", .init = true, .running = false, .completed = true};
  Container app{.name = pod.workload->name};
  if (is_pending(pod, version)) {
    app.running = app.ready = false;
    app.waiting = "PodInitializing";
  }
  return {init, proxy_of(pod, version), app};
}

// Builds the page, family by family.
class StatePage {
 public:
  StatePage(const Population& population, LinkerdVersion version, std::string& out)
      : population_(population), version_(version), out_(out) {}

  void header(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    (out_ += "# HELP ") += name;
    (out_ += " ") += help;
    (out_ += "\n# TYPE ") += name;
    (out_ += " ") += type;
    out_ += "\n";
  }
  void sample(const std::string& labels, double value) {
    out_ += name_;
    (out_ += "{") += labels;
    (out_ += "} ") += format_value(value);
    out_ += "\n";
  }

  void each_workload(const std::function<void(const Workload&)>& f) const {
    for (const auto& w : population_.workloads()) f(*w);
  }
  void each_pod(const std::function<void(const Workload&, const Pod&, const std::string&)>& f) {
    each_workload([&](const Workload& w) {
      for (const auto& pod : w.pods) {
        f(w, *pod,
          label_text({{"namespace", w.config.name_space}, {"pod", pod->name}, {"uid", pod->uid}}));
      }
    });
  }
  // The containers of one kind, init or not.
  void each_container(
      bool init, const std::function<void(const Container&, const Pod&, const std::string&)>& f) {
    each_pod([&](const Workload&, const Pod& pod, const std::string& labels) {
      for (const Container& c : containers_of(pod, version_)) {
        if (c.init != init) continue;
        f(c, pod, label_text(labels, label_text({{"container", c.name}})));
      }
    });
  }

 private:
  const Population& population_;
  LinkerdVersion version_;
  std::string& out_;
  std::string name_;
};

// A series of every container: its value, and the label that it adds; no series where the value
// is negative.
struct ContainerFamily {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  double (*value)(const Container&);
  std::string_view (*reason)(const Container&);
};

double present(std::string_view reason) { return reason.empty() ? -1 : 1; }

constexpr auto kNoReason = [](const Container&) -> std::string_view { return {}; };

constexpr std::array<ContainerFamily, 7> kContainerFamilies = {{
    {"ready", "gauge", "Describes whether the containers readiness check succeeded.",
     [](const Container& c) { return c.ready ? 1.0 : 0.0; }, kNoReason},
    {"restarts_total", "counter", "The number of container restarts per container.",
     [](const Container& c) { return static_cast<double>(c.restarts); }, kNoReason},
    {"running", "gauge", "Describes whether the container is currently in running state.",
     [](const Container& c) { return c.running ? 1.0 : 0.0; }, kNoReason},
    {"waiting", "gauge", "Describes whether the container is currently in waiting state.",
     [](const Container& c) { return c.waiting.empty() ? 0.0 : 1.0; }, kNoReason},
    {"waiting_reason", "gauge", "Describes the reason the container is currently in waiting state.",
     [](const Container& c) { return present(c.waiting); },
     [](const Container& c) { return c.waiting; }},
    {"last_terminated_reason", "gauge",
     "Describes the last reason the container was in terminated state.",
     [](const Container& c) { return present(c.last_terminated); },
     [](const Container& c) { return c.last_terminated; }},
    {"last_terminated_exitcode", "gauge",
     "Describes the exit code for the last container in terminated state.",
     [](const Container& c) { return c.last_terminated.empty() ? -1.0 : c.exit_code; }, kNoReason},
}};

void render_containers(StatePage& page) {
  for (const bool init : {false, true}) {
    const std::string prefix = init ? "kube_pod_init_container_" : "kube_pod_container_";
    page.header(prefix + "info", "gauge", "Information about a container in a pod.");
    page.each_container(init, [&](const Container& c, const Pod&, const std::string& labels) {
      std::string all =
          label_text(labels, label_text({{"image", "example.org/" + std::string(c.name) + ":1"}}));
      if (init) {
        all = label_text(all, label_text({{"restart_policy", c.sidecar ? "Always" : ""}}));
      }
      page.sample(all, 1);
    });
    for (const ContainerFamily& f : kContainerFamilies) {
      page.header(prefix + "status_" + std::string(f.name), f.type, f.help);
      page.each_container(init, [&](const Container& c, const Pod&, const std::string& labels) {
        const double value = f.value(c);
        const std::string_view reason = f.reason(c);
        if (value < 0) return;
        page.sample(reason.empty() ? labels : label_text(labels, label_text({{"reason", reason}})),
                    value);
      });
    }
  }
}

std::string replica_set(const Workload& w, const Pod& pod) {
  return w.config.name + "-" + pod.template_hash;
}

void render_pods(StatePage& page, LinkerdVersion version) {
  page.header("kube_pod_created", "gauge", "Unix creation timestamp");
  page.each_pod([&](const Workload&, const Pod& pod, const std::string& labels) {
    page.sample(labels, to_seconds(pod.created));
  });
  page.header("kube_pod_info", "gauge", "Information about pod.");
  page.each_pod([&](const Workload&, const Pod& pod, const std::string& labels) {
    page.sample(label_text(labels, label_text({{"node", pod.node}, {"pod_ip", pod.ip}})), 1);
  });
  page.header("kube_pod_owner", "gauge", "Information about the Pod's owner.");
  page.each_pod([&](const Workload& w, const Pod& pod, const std::string& labels) {
    const bool deployment = w.config.kind == WorkloadKind::Deployment;
    const std::string_view kind = deployment                                   ? "ReplicaSet"
                                  : w.config.kind == WorkloadKind::StatefulSet ? "StatefulSet"
                                                                               : "DaemonSet";
    const std::string owner = deployment ? replica_set(w, pod) : w.config.name;
    page.sample(label_text(labels, label_text({{"owner_kind", kind},
                                               {"owner_name", owner},
                                               {"owner_is_controller", "true"}})),
                1);
  });
  page.header("kube_pod_status_phase", "gauge", "The pods current phase.");
  page.each_pod([&](const Workload&, const Pod& pod, const std::string& labels) {
    const std::string_view now = is_pending(pod, version) ? "Pending" : "Running";
    for (const std::string_view phase : {"Pending", "Succeeded", "Failed", "Unknown", "Running"}) {
      page.sample(label_text(labels, label_text({{"phase", phase}})), phase == now ? 1 : 0);
    }
  });
}

void render_replica_sets(StatePage& page) {
  page.header("kube_replicaset_owner", "gauge", "Information about the ReplicaSet's owner.");
  page.each_workload([&](const Workload& w) {
    if (w.config.kind != WorkloadKind::Deployment) return;
    std::vector<std::string> seen;
    for (const auto& pod : w.pods) {
      std::string name = replica_set(w, *pod);
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      page.sample(label_text({{"namespace", w.config.name_space},
                              {"replicaset", name},
                              {"owner_kind", "Deployment"},
                              {"owner_name", w.config.name},
                              {"owner_is_controller", "true"}}),
                  1);
      seen.push_back(std::move(name));
    }
  });
}

void render_workloads(StatePage& page) {
  struct KindFamily {
    WorkloadKind kind;
    std::string_view name;
    double (*value)(const Workload&);
  };
  constexpr auto ready = [](const Workload& w) {
    return static_cast<double>(w.ready_pods().size());
  };
  constexpr auto wanted = [](const Workload& w) { return static_cast<double>(w.wanted); };
  const std::array<KindFamily, 6> all = {
      {{WorkloadKind::Deployment, "kube_deployment_spec_replicas", wanted},
       {WorkloadKind::Deployment, "kube_deployment_status_replicas_available", ready},
       {WorkloadKind::StatefulSet, "kube_statefulset_replicas", wanted},
       {WorkloadKind::StatefulSet, "kube_statefulset_status_replicas_ready", ready},
       {WorkloadKind::DaemonSet, "kube_daemonset_status_desired_number_scheduled", wanted},
       {WorkloadKind::DaemonSet, "kube_daemonset_status_number_ready", ready}}};
  for (const KindFamily& f : all) {
    page.header(f.name, "gauge", "The number of pods.");
    page.each_workload([&](const Workload& w) {
      if (w.config.kind != f.kind) return;
      page.sample(
          label_text({{"namespace", w.config.name_space}, {kind_label(f.kind), w.config.name}}),
          f.value(w));
    });
  }
}

}  // namespace

void render_kube_state(const Population& population, LinkerdVersion version, std::string& out) {
  StatePage page(population, version, out);
  render_containers(page);
  render_pods(page, version);
  render_replica_sets(page);
  render_workloads(page);
}

}  // namespace tocsin::simulate

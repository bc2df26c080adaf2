// SPDX-License-Identifier: Apache-2.0
//
// Proxies that do not stay up: restarting, waiting in CrashLoopBackOff, or never getting ready so
// that their pod is stuck in Init. The value is the number of restarts of the workload's worst pod.
//
// kube-state-metrics tells it by namespace and pod. Since Linkerd 2.20 the proxy is an init
// container (a native sidecar), so every series is asked for in both spellings. Who owns a pod is
// joined where the owner series exist; a pod without them stands for its namespace. Without
// kube-state-metrics, a start time that changes is a restart.
#include <array>

#include "rule/compile.h"
#include "rule/notation.h"
#include "tocsin/duration.h"
#include "tocsin/labels.h"

namespace tocsin::rule {
namespace {

constexpr std::string_view kContainers = "container=~\"linkerd-(proxy|init|network-validator)\"";
constexpr Duration kBackOffMemory = std::chrono::minutes(5);
constexpr Duration kStuckAfter = std::chrono::minutes(3);

// Owners of pods other than ReplicaSets, and the label that a workload of theirs has.
struct Owner {
  std::string_view kind;
  std::string_view label;
};
constexpr std::array<Owner, 4> kOwners = {{{"StatefulSet", "statefulset"},
                                           {"DaemonSet", "daemonset"},
                                           {"Job", "k8s_job"},
                                           {"ReplicationController", "replicationcontroller"}}};

class Pods {
 public:
  explicit Pods(const Condition& c) : c_(c) {
    const auto found = c.where.find("namespace");
    if (found != c.where.end()) name_space_ = ",namespace=~" + quote(found->second);
  }

  // Restarts in the window by namespace and pod.
  std::string restarts() const {
    return "sum by (namespace, pod) (" + both("increase", "restarts_total", "", c_.over) + ")";
  }

  std::string backing_off() const {
    return "(" +
           both("max_over_time", "waiting_reason", R"(,reason="CrashLoopBackOff")",
                kBackOffMemory) +
           ") > 0";
  }

  std::string stuck_in_init() const {
    const std::string pending = R"(kube_pod_status_phase{phase="Pending")" + name_space_ + "}";
    const std::string same_pod = " and on (namespace, pod, uid) ";
    return R"(kube_pod_init_container_status_ready{container="linkerd-proxy")" + name_space_ +
           "} == 0" + same_pod + pending + " == 1" + same_pod + pending + " offset " +
           format_duration(kStuckAfter) + " == 1";
  }

  std::string start_times() const {
    std::vector<std::string> labels = kinds_with("");
    labels.insert(labels.begin(), "namespace");
    return "max by (" + comma_list(labels) +
           ") (changes(process_start_time_seconds{job=~\"(.*/)?linkerd-proxy\"" + name_space_ +
           "}[" + format_duration(c_.over) + "]))";
  }

  // One element 1 per pod, with the label of the workload that owns it.
  std::string owners() const {
    std::string out = "max by (namespace, pod, deployment) (" +
                      relabelled("pod_owner", "ReplicaSet", "replicaset") +
                      " * on (namespace, replicaset) group_left (deployment) " +
                      "max by (namespace, replicaset, deployment) (" +
                      relabelled("replicaset_owner", "Deployment", "deployment") + "))";
    for (const Owner& owner : kOwners) {
      out += " or max by (namespace, pod, " + std::string(owner.label) + ") (" +
             relabelled("pod_owner", owner.kind, owner.label) + ")";
    }
    return out;
  }

  // Whether kube-state-metrics reports proxies at all.
  std::string reported() const { return "(" + both("", "restarts_total", "", Duration(0)) + ")"; }

 private:
  // A series in both spellings, for containers and for init containers.
  std::string both(std::string_view function, std::string_view metric, std::string_view matcher,
                   Duration range) const {
    std::string out;
    for (const std::string_view kind : {"container", "init_container"}) {
      std::string selector = "kube_pod_" + std::string(kind) + "_status_" + std::string(metric) +
                             "{" + std::string(kContainers) + std::string(matcher) + name_space_ +
                             "}";
      if (!function.empty()) {
        selector = std::string(function) + "(" + selector + "[" + format_duration(range) + "])";
      }
      out += (out.empty() ? "" : " or ") + selector;
    }
    return out;
  }
  std::string relabelled(std::string_view metric, std::string_view kind,
                         std::string_view label) const {
    return "label_join(kube_" + std::string(metric) + "{owner_kind=" + quote(kind) + name_space_ +
           "}, " + quote(label) + R"(, "", "owner_name"))";
  }

  const Condition& c_;
  std::string name_space_;
};

// Rows by namespace and pod → rows by workload; pods without a known owner stand for their
// namespace.
std::string by_workload(const std::string& rows, const Pods& pods) {
  const std::string kinds = "deployment, statefulset, daemonset, k8s_job, replicationcontroller";
  const std::string owners = "(" + pods.owners() + ")";
  return "max by (namespace, " + kinds + ") ((" + rows + ") * on (namespace, pod) group_left (" +
         kinds + ") " + owners + ") or max by (namespace) ((" + rows +
         ") unless on (namespace, pod) " + owners + ")";
}

}  // namespace

Compiled compile_proxy_restarts(const Condition& c) {
  const Pods pods(c);
  const std::string restarts = pods.restarts();
  const std::string limit = " > " + number_text(c.threshold);
  const std::string on_pod = " and on (namespace, pod) (";
  const std::string bad = restarts + limit + " or " + restarts + on_pod + pods.backing_off() +
                          " or " + pods.stuck_in_init() + ")";
  const std::string unreported = " unless on () " + pods.reported();
  Compiled out;
  out.labels = {"namespace", "deployment", "statefulset", "daemonset",
                "k8s_job",   "cronjob",    "replicaset",  "replicationcontroller"};
  out.value = by_workload(restarts, pods) + " or (" + pods.start_times() + unreported + ")";
  out.expr = by_workload(bad, pods) + " or (" + pods.start_times() + limit + unreported + ")";
  return out;
}

}  // namespace tocsin::rule

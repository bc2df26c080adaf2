// SPDX-License-Identifier: Apache-2.0
//
// What is known of a mesh and of how it is scraped, beyond the names of its metrics.
#include <algorithm>
#include <array>
#include <cctype>

#include "promql/functions.h"
#include "rule/lint_parts.h"

namespace tocsin::rule {
namespace {

using promql::BinaryOp;
using promql::Expr;
using promql::VectorSelector;

// Of Linkerd's own scrape configuration. A job of the controller has no label `namespace`.
constexpr std::string_view kControllerJob = "linkerd-controller";
// Components that one may take for jobs.
constexpr std::array<std::string_view, 5> kNoJobs = {"linkerd-destination", "linkerd-identity",
                                                     "linkerd-policy", "linkerd-proxy-injector",
                                                     "linkerd-sp-validator"};

const Matcher* matcher_of(const VectorSelector& selector, std::string_view label) {
  const auto it = std::find_if(selector.matchers.begin(), selector.matchers.end(),
                               [&](const Matcher& m) { return m.name() == label; });
  return it == selector.matchers.end() ? nullptr : &*it;
}

// Whether the comparison asks for the value 0 of something that is never below.
bool asks_for_none(const Threshold& t) {
  return (t.op == BinaryOp::Eq && t.number == 0) || (t.op == BinaryOp::Lt && t.number == 1) ||
         (t.op == BinaryOp::Le && t.number == 0);
}

bool is_up_of_control_plane(const VectorSelector& selector) {
  if (selector.name != "up") return false;
  if (matcher_of(selector, "component") != nullptr) return true;
  return std::any_of(selector.matchers.begin(), selector.matchers.end(), [](const Matcher& m) {
    const bool says_which = m.name() == "job" || m.name() == "pod";
    return says_which && !m.matches_empty() &&
           (m.value().find(kControllerJob) != std::string::npos ||
            std::any_of(kNoJobs.begin(), kNoJobs.end(), [&](std::string_view name) {
              return m.value().find(name) != std::string::npos;
            }));
  });
}

// The words of a text run together, in small letters: "trustanchorexpires".
std::string letters_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalpha(byte) != 0) out += static_cast<char>(std::tolower(byte));
  }
  return out;
}

// Whether its name or its summary is about the trust anchor, and about no issuer.
bool is_about_trust_anchor(const Rule& rule) {
  const auto summary = rule.annotations.find("summary");
  const std::string said =
      letters_of(rule.name) +
      (summary == rule.annotations.end() ? "" : " " + letters_of(summary->second));
  const auto says = [&](std::string_view word) { return said.find(word) != std::string::npos; };
  return (says("trustanchor") || says("trustroot")) && !says("issuer");
}

// Identity's own gauge, or what an exporter says of the issuer's secret. That secret may hold the
// anchor, too, as ca.crt.
bool is_of_issuer(const VectorSelector& selector) {
  if (selector.name == "issuer_cert_ttl_seconds") return true;
  const auto& all = selector.matchers;
  const bool is_secret = std::any_of(all.begin(), all.end(), [](const Matcher& m) {
    return m.op() == Matcher::Op::Equal && m.value() == "linkerd-identity-issuer";
  });
  return is_secret && std::none_of(all.begin(), all.end(), [](const Matcher& m) {
           return m.matches("ca.crt") && !m.matches("tls.crt");
         });
}

class MeshLinter {
 public:
  MeshLinter(const Expr& root, Findings& findings)
      : asks_for_absence_(promql::any_of_tree(root,
                                              [](const Expr& expr) {
                                                const auto* call = promql::as<promql::Call>(expr);
                                                return call &&
                                                       call->function->name.starts_with("absent");
                                              })),
        findings_(findings) {}

  void walk(const Expr& expr) {
    if (const VectorSelector* selector = selector_of(expr)) check_job(*selector, expr);
    if (const auto threshold = threshold_of(expr)) check_none(*threshold, expr);
    if (const auto* binary = promql::as<promql::Binary>(expr)) check_injection(*binary, expr);
    for (const promql::ExprPtr& child : promql::children_of(expr)) walk(*child);
  }

 private:
  void check_job(const VectorSelector& selector, const Expr& where) {
    const std::string_view job = demanded(selector, "job");
    if (std::find(kNoJobs.begin(), kNoJobs.end(), job) != kNoJobs.end()) {
      findings_.add("never-matches",
                    "no job is called '" + std::string(job) +
                        "': Linkerd's are linkerd-controller and linkerd-proxy",
                    "use job=\"linkerd-controller\" and component=\"" +
                        std::string(job.substr(job.find('-') + 1)) + "\"",
                    where);
    }
    const Matcher* of_namespace = matcher_of(selector, "namespace");
    if (job == kControllerJob && of_namespace && !of_namespace->matches_empty()) {
      findings_.add("never-matches",
                    "the job linkerd-controller has no label 'namespace': this never matches",
                    "leave it out; the job is of one namespace", where);
    }
  }

  void check_none(const Threshold& t, const Expr& where) {
    if (!asks_for_none(t)) return;
    const VectorSelector* selector = selector_of(promql::unwrap(*t.value));
    if (selector == nullptr) return;
    if (selector->name.starts_with("tcp_open_connections")) {
      return findings_.add("idle",
                           "no open connections is an idle workload, and not a broken one: this "
                           "fires for every port and peer that nobody uses",
                           "ask for failures, or for less traffic than usual: the condition "
                           "'traffic'",
                           where);
    }
    if (asks_for_absence_ || !is_up_of_control_plane(*selector)) return;
    findings_.add("no-absent",
                  "a target that is gone from discovery has no 'up': then this finds nothing",
                  "add 'or absent(" + promql::print(promql::unwrap(*t.value)) +
                      ")', or use the condition 'control_plane'",
                  where);
  }

  // `count by (namespace) (… without a proxy …) unless count by (namespace) (… with one …)`.
  void check_injection(const promql::Binary& binary, const Expr& where) {
    if (binary.op != BinaryOp::Unless) return;
    const auto* with = promql::as<promql::Aggregate>(promql::unwrap(*binary.right));
    if (with == nullptr || with->without || with->grouping != std::vector<std::string>{"namespace"})
      return;
    const auto selectors = selectors_of(*with->expr);
    const bool finds_proxies = !selectors.empty() &&
                               selectors.front()->name.starts_with("kube_pod_") &&
                               demanded(*selectors.front(), "container") == "linkerd-proxy";
    if (!finds_proxies) return;
    findings_.add("by-namespace", "one pod with a proxy hides all others of its namespace",
                  "count by (namespace, pod); a native sidecar is an init container: "
                  "kube_pod_init_container_info",
                  where);
  }

  const bool asks_for_absence_;
  Findings& findings_;
};

}  // namespace

void lint_mesh(const Expr& expr, Findings& findings) { MeshLinter(expr, findings).walk(expr); }

void lint_certificate(const Rule& rule, const Expr& expr, Findings& findings) {
  const auto selectors = selectors_of(expr);
  const bool reads_issuer =
      !selectors.empty() && std::all_of(selectors.begin(), selectors.end(),
                                        [](const auto* one) { return is_of_issuer(*one); });
  if (!reads_issuer || !is_about_trust_anchor(rule)) return;
  findings.add("other-certificate",
               "the alert is about the trust anchor, but it reads the issuer's certificate: the "
               "anchor may expire unseen",
               "the anchor is in the ConfigMap linkerd-identity-trust-roots, and Linkerd has no "
               "metric of it: use the condition 'certificate: {kind: trust-anchor}'",
               expr);
}

}  // namespace tocsin::rule

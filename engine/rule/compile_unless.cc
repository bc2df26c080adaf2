// SPDX-License-Identifier: Apache-2.0
//
// `unless`: one fault, one page. Rows of a condition are dropped where another one holds for the
// same thing. A service and the workload behind it are the same thing too; which is behind which is
// known to the endpoint metrics of the service's clients.
#include <algorithm>
#include <iterator>

#include "rule/compile.h"

namespace tocsin::rule {
namespace {

// What a condition is about: some of these, in the words of alerts.
struct About {
  std::vector<std::string> labels;
  bool workload = false;
  bool service = false;
};

bool counts_requests(ConditionKind kind) {
  return kind == ConditionKind::SuccessRate || kind == ConditionKind::Latency ||
         kind == ConditionKind::Traffic;
}

About about(const Condition& c) {
  if (counts_requests(c.kind)) {
    const bool server = c.by == By::Workload || (c.by == By::Route && c.side == Side::Server);
    return {view_of(c.by, c.side).labels, server, !server};
  }
  const bool workload =
      c.kind == ConditionKind::ProxyRestarts ||
      (c.kind == ConditionKind::Certificate && c.certificate == CertificateKind::Leaf);
  return {c.labels, workload, false};
}

std::vector<std::string> workload_labels() {
  std::vector<std::string> out = kinds_with("");
  out.insert(out.begin(), "namespace");
  return out;
}

std::vector<std::string> service_labels() { return {"namespace", "service"}; }

std::vector<std::string> in_both(const std::vector<std::string>& a,
                                 const std::vector<std::string>& b) {
  std::vector<std::string> out;
  std::copy_if(a.begin(), a.end(), std::back_inserter(out), [&](const std::string& label) {
    return std::find(b.begin(), b.end(), label) != b.end();
  });
  return out;
}

// One row per service and workload behind it.
std::string behind(Duration over) {
  std::vector<std::string> labels = workload_labels();
  labels.insert(labels.begin() + 1, "service");
  const Family& endpoints = family(FamilyId::Outbound);
  return Sum(endpoints, labels, R"(dst_service!="")").of(endpoints.starts, "increase", over);
}

}  // namespace

std::optional<std::string> unless_holds(const Condition& c, const Condition& other,
                                        const std::string& expr) {
  const About mine = about(c);
  const About theirs = about(other);
  const auto dropped = [](const std::vector<std::string>& on, const std::string& rows) {
    return " unless on (" + comma_list(on) + ") (" + rows + ")";
  };
  if (mine.workload != theirs.workload && (mine.service || theirs.service)) {
    const std::vector<std::string> to = mine.workload ? workload_labels() : service_labels();
    const std::vector<std::string> from = mine.workload ? service_labels() : workload_labels();
    return dropped(to, behind(c.over) + " and on (" + comma_list(from) + ") (" + expr + ")");
  }
  const bool same = mine.service == theirs.service && mine.workload == theirs.workload;
  const bool named = mine.workload || mine.service;
  if (!same || (!named && (c.kind != other.kind || c.certificate != other.certificate))) {
    return std::nullopt;
  }
  return dropped(in_both(mine.labels, theirs.labels), expr);
}

}  // namespace tocsin::rule

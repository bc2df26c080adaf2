// SPDX-License-Identifier: Apache-2.0
//
// The generations of Linkerd's request metrics, as data. A family is a set of series that count the
// same requests under one naming; it knows what its labels are called in an alert's words
// (namespace, deployment, service, route, client_deployment, …) and which of them it cannot know.
//
//   inbound        response_total{direction="inbound"}; what a workload answered. Labels of the
//                  workload itself come from the scrape. Every Linkerd 2.x.
//   inbound-profile   route_response_total{direction="inbound"}; routes of a ServiceProfile.
//   outbound-route    outbound_{http,grpc}_route_*; what the application saw, per Service and
//                  route, with fail-fasts, timeouts and retries. 2.16 on; silent for a Service that
//                  has a ServiceProfile.
//   outbound-profile  route_response_total{direction="outbound"}; the same, of a ServiceProfile.
//   outbound       response_total{direction="outbound"}; every attempt at an endpoint. Every 2.x.
//
// Pure text: no evaluation happens here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/rule_set.h"

namespace tocsin::rule {

// The kinds of workload, as Linkerd's relabelling names their labels.
extern const std::vector<std::string> kWorkloadKinds;

// `prefix` before the name of each kind: client_deployment, …
std::vector<std::string> kinds_with(std::string_view prefix);

// A metric of a family: its name and the matchers that single the wanted series out, as PromQL
// text ("classification=\"failure\"").
struct Metric {
  std::string name;
  std::string matchers;
};

enum class FamilyId { Inbound, InboundProfile, OutboundRoute, OutboundProfile, Outbound };

struct Family {
  FamilyId id;
  std::string matchers;  // What all its selectors have in common.
  // Alert's word → label of the series.
  std::map<std::string, std::string> names;
  // A label kept while grouping so that rows of two metrics stay apart; may be empty.
  std::string apart;
  // Service and namespace stand in `dst`, "web.shop.svc.cluster.local:80".
  bool in_dst = false;

  std::vector<Metric> totals;    // Requests that ended.
  std::vector<Metric> failures;  // Those of them that failed.
  std::vector<Metric> starts;    // Requests that began: what traffic is.
  std::vector<Metric> buckets;   // Latency histogram.
  std::vector<Metric> counts;    // What the histogram counted.
  double bucket_seconds = 1;     // The unit of `le`.

  // Whether the family has the label that an alert calls `word`.
  bool knows(const std::string& word) const;
};
const Family& family(FamilyId id);

// What a condition groups by, and which families show it, the preferred one first.
struct View {
  std::vector<std::string> labels;      // The alert's words.
  std::vector<std::string> same_thing;  // Families that agree on these describe the same requests.
  std::vector<FamilyId> families;
};
View view_of(By by, Side side);

// The matchers that `where` means in a family; nothing when the family cannot know one of its
// labels. Without a `namespace` in it, Linkerd's own namespaces are left out: their long gRPC
// streams fail in the course of business.
std::optional<std::string> where_matchers(const Family& family,
                                          const std::map<std::string, std::string>& where);

// The matcher that leaves out rows which do not say what the view is about; may be empty.
std::string presence_matcher(const Family& family, const View& view);

// Sums in the words of an alert. A Sum belongs to one family and one condition.
class Sum {
 public:
  Sum(const Family& family, std::vector<std::string> labels, std::string where)
      : family_(&family), labels_(std::move(labels)), where_(std::move(where)) {}

  // `sum by (words) (function(metric{…}[over]))` over all of `metrics`.
  std::string of(const std::vector<Metric>& metrics, std::string_view function,
                 Duration over) const;
  // The same before the outermost sum, so that rows of several families can be added.
  std::string rows(const std::vector<Metric>& metrics, std::string_view function,
                   Duration over) const;
  // The same sums, kept apart by one more label of the series.
  Sum with_label(std::string label) const {
    Sum out = *this;
    out.labels_.push_back(std::move(label));
    return out;
  }
  // The words that the family knows: what the sums keep.
  std::vector<std::string> labels() const;

 private:
  std::string selector(const Metric& metric) const;
  std::vector<std::string> own_labels() const;
  std::string rename(std::string rows) const;
  bool needs_renaming() const;

  const Family* family_;
  std::vector<std::string> labels_;
  std::string where_;
};

// The label of Linkerd's series, or the word for one, that was most likely meant; empty where
// `label` is one itself, or none is near.
std::string nearest_label(const std::string& label);

// "a, b, c"
std::string comma_list(const std::vector<std::string>& words);
std::string sum_by(const std::vector<std::string>& labels, const std::string& rows);

}  // namespace tocsin::rule

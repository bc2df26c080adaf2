// SPDX-License-Identifier: Apache-2.0
//
// Control plane: a component of which no replica answers its scrape, or which nobody reports any
// more. The job's labels in Linkerd's own configuration are `component` and `instance` only.
//
// Who cannot see most of the proxies either has lost its eyes, and does not judge; nor does who
// sees nothing at all tell from its absence that a component is gone.
#include "rule/compile.h"
#include "tocsin/labels.h"

namespace tocsin::rule {
namespace {

constexpr std::string_view kJob = R"(job=~"(.*/)?linkerd-controller")";
constexpr std::string_view kBlind = R"( unless on () avg(up{job=~"(.*/)?linkerd-proxy"}) < 0.5)";
constexpr std::string_view kSeesSomething = " and on () max(up) == 1";
// Not a series of Linkerd's. Where a user records it, 0 means down.
constexpr std::string_view kAlive = "control_plane_alive";

std::string up(const std::string& component_matcher) {
  return "up{" + std::string(kJob) + "," + component_matcher + "}";
}

// One element with value 0 when a component has neither series.
std::string gone(const std::string& component) {
  const std::string matcher = "component=" + quote(component);
  return "(0 * absent(" + up(matcher) + ") unless on (component) " + std::string(kAlive) + "{" +
         matcher + "})";
}

}  // namespace

Compiled compile_control_plane(const Condition& c) {
  std::string any;
  std::string gone_ones;
  for (const std::string& component : c.components) {
    any += (any.empty() ? "" : "|") + component;
    gone_ones += (gone_ones.empty() ? "" : " or ") + gone(component);
  }
  const std::string matcher = c.components.size() == 1 ? "component=" + quote(c.components.front())
                                                       : "component=~" + quote(any);
  const std::string scraped = "max by (component) (" + up(matcher) + ")";
  const std::string recorded = "max by (component) (" + std::string(kAlive) + "{" + matcher + "})";
  gone_ones = " or (" + gone_ones + ")" + std::string(kSeesSomething);
  Compiled out;
  out.labels = {"component"};
  out.value = "min by (component) (label_replace(" + scraped + R"(, "seen", "up", "", ""))" +
              " or " + recorded + gone_ones + ")";
  out.expr =
      "(" + scraped + " == 0 or " + recorded + " == 0" + gone_ones + ")" + std::string(kBlind);
  return out;
}

}  // namespace tocsin::rule

// SPDX-License-Identifier: Apache-2.0
//
// Rule files as Kubernetes has them: PrometheusRule objects, one a document or many in a List, as
// `kubectl get prometheusrules -o yaml` prints them. Pure.
#pragma once

#include <string>
#include <vector>

#include "yaml/document.h"

namespace tocsin::rule {

// Part of a document, which must outlive it.
struct Object {
  yaml::Node node;
  std::string kind;        // Empty: none of Kubernetes'.
  bool is_listed = false;  // Among others.

  // "namespace/name", as far as it says; empty where it has none.
  std::string name() const;
  bool is_prometheus_rule() const { return kind == "PrometheusRule"; }
  // Null where it has none.
  yaml::Node groups() const;
};

// Whether a document has groups of rules in it, or is meant to; a file of rule tests is none.
bool has_rules(const yaml::Document& document);

// The objects of a List; of any other document, it alone.
std::vector<Object> objects_of(const yaml::Document& document);

}  // namespace tocsin::rule

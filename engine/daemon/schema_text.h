// SPDX-License-Identifier: Apache-2.0
//
// The schemas of rule files and configurations, written down: as JSON Schema, from which editors
// complete and underline, and as a table for people. Pure.
#pragma once

#include <span>
#include <string>

#include "rule/reference.h"
#include "yaml/schema.h"

namespace tocsin::daemon {

struct SchemaText {
  std::string title;
  std::span<const rule::KeyText> texts;
  // A document with a `kind` is a Kubernetes object, whose `spec` is what the schema describes, or
  // a list of such objects in `items`.
  bool may_be_kubernetes_object = false;
};

// Draft 7, which yaml-language-server reads.
std::string json_schema(const yaml::Schema& schema, const SchemaText& text);

// A Markdown table of all keys with a text, in the order in which they are read.
std::string key_table(const yaml::Schema& schema, const SchemaText& text);

}  // namespace tocsin::daemon

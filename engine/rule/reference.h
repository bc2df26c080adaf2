// SPDX-License-Identifier: Apache-2.0
//
// What a rule file may contain, for editors and people: the schema as the reader knows it, and a
// sentence about everything in it. Pure.
#pragma once

#include <span>
#include <string_view>

#include "yaml/schema.h"

namespace tocsin::rule {

void describe_rule_file(yaml::Schema& schema);

// What a key is for. `path` is Schema::path(): "groups.rules.latency.above"; a key that means the
// same in every condition stands once, as "*.over".
struct KeyText {
  std::string_view path;
  std::string_view text;
  std::string_view example;  // May be empty.
};
std::span<const KeyText> key_texts();

// The text for a key; null where there is none.
const KeyText* text_of_key(std::span<const KeyText> texts, const yaml::Schema& key);

}  // namespace tocsin::rule

// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are a rule file, or everything is said that is wrong with them. What they compile to is
// a rule file again, without a mistake and with as many rules.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "alert/template.h"
#include "tocsin/rule_set.h"
#include "yaml/document.h"

namespace {

using namespace tocsin;

// Everything that a node can be asked, at every place of its text.
void look_at(const yaml::Node& node) {
  (void)node.diagnostic();
  if (node.is_scalar()) {
    for (std::size_t i = 0; i <= node.text().size(); ++i) (void)node.place_of(i, 1);
  }
  for (const yaml::Node& item : node.items()) look_at(item);
  for (const auto& [key, value] : node.entries()) {
    look_at(key);
    look_at(value);
  }
}

rule::Loaded load(std::string bytes, rule::Memory memory) {
  const rule::SourceFile file{"f.yaml", std::move(bytes)};
  return rule::load({&file, 1}, {.memory = memory, .read_template = alert::read_template});
}

std::size_t count(const rule::RuleSet& rules) {
  std::size_t out = 0;
  for (const rule::Group& group : rules.groups) out += group.rules.size();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Diagnostics diagnostics;
  look_at(yaml::Document::parse("f.yaml", text, diagnostics).root());
  (void)diagnostics.text();
  const auto memory = size % 2 == 0 ? rule::Memory::Recorded : rule::Memory::Subquery;
  const rule::Loaded loaded = load(text, memory);
  (void)loaded.diagnostics.text();
  (void)rule::required_needs(loaded.rules);
  (void)rule::explain(loaded.rules, rule::ExplainFormat::Text);
  const std::string plain = rule::explain(loaded.rules, rule::ExplainFormat::Prometheus);
  const rule::Loaded again = load(plain, memory);
  if (again.diagnostics.has_errors() || count(again.rules) != count(loaded.rules)) {
    std::fprintf(stderr, "%s\n%s", again.diagnostics.text().c_str(), plain.c_str());
    std::abort();
  }
  return 0;
}

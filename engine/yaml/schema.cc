// SPDX-License-Identifier: Apache-2.0
#include "yaml/schema.h"

namespace tocsin::yaml {

Schema* Schema::find(std::string_view name) const {
  for (const auto& property : properties) {
    if (property->key == name) return property.get();
  }
  return nullptr;
}

Schema& Schema::property(std::string_view name) {
  if (Schema* known = find(name)) return *known;
  auto fresh = std::make_unique<Schema>();
  fresh->shape = Shape::Any;
  fresh->key = name;
  fresh->parent = this;
  return *properties.emplace_back(std::move(fresh));
}

std::string Schema::path() const {
  if (parent == nullptr) return key;
  const std::string above = parent->path();
  return above.empty() ? key : above + "." + key;
}

}  // namespace tocsin::yaml

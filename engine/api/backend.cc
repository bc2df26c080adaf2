// SPDX-License-Identifier: Apache-2.0
#include "api/backend.h"

#include <array>

namespace tocsin::api {

std::string_view name_of(RuleHealth health) {
  static constexpr std::array<std::string_view, 3> kNames = {"unknown", "ok", "err"};
  return kNames[static_cast<std::size_t>(health)];
}

}  // namespace tocsin::api

// SPDX-License-Identifier: Apache-2.0
#include "api/kept.h"

#include <array>

namespace tocsin::api {

std::string_view name_of(Why why) {
  constexpr std::array<std::string_view, 5> kNames = {"reads", "records", "keep", "own", "witness"};
  return kNames.at(static_cast<std::size_t>(why));
}

}  // namespace tocsin::api

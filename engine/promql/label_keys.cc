// SPDX-License-Identifier: Apache-2.0
#include "promql/label_keys.h"

namespace tocsin::promql {

std::uint32_t LabelKeys::number(const Labels& labels) {
  if (mode_ == Mode::Only) {
    labels.key_of_kept(names_, key_);
  } else {
    labels.key_of_rest(names_, key_);
  }
  const auto it = numbers_.find(std::string_view(key_));
  return it != numbers_.end() ? it->second : numbers_.try_emplace(key_, size()).first->second;
}

Labels LabelKeys::project(const Labels& labels) const {
  return mode_ == Mode::Only ? labels.keep_only(names_) : labels.drop(names_);
}

}  // namespace tocsin::promql
